/*
 * daemon/ends.h - jobs whose end was told, and that wait for a last sweep
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * A job that ends between two sweeps would miss what it drew since the last one, or get a part of it by time. So its end asks for a
 * sweep, and is carried out when that is in the book.
 */
#ifndef ES_DAEMON_ENDS_H
#define ES_DAEMON_ENDS_H

#include <sys/types.h>

#include "wire/local.h"

#define ES_ENDS_MAX 256U /* at a time, half of them of users; more are carried out at once */

/** struct es_end_told - one of them */
struct es_end_told {
	struct es_local_end end;
	uid_t uid;
	int64_t wish_ns; /* monotonic clock: a sweep that began later is the last one */
	uint64_t client_serial; /* who waits for an answer */
	uint32_t number;
};

struct es_ends {
	struct es_end_told *told; /* [ES_ENDS_MAX], owned; NULL: none yet */
	size_t n;
};

#endif
