/*
 * shared.h - one at a time where a library has one state for the whole process
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_NET_SHARED_H
#define ES_NET_SHARED_H

/*
 * es_shared_lock - from here to es_shared_unlock() no other thread calls into such a library
 *
 * net-snmp keeps users, engines and numbers of requests in variables of its own, and is built without locks; what starts
 * libmosquitto counts without one. Never to be held while an answer is waited for.
 */
void es_shared_lock(void);
void es_shared_unlock(void);

#endif
