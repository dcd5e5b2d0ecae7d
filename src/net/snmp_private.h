/*
 * snmp_private.h - what the files of the SNMP client share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_NET_SNMP_PRIVATE_H
#define ES_NET_SNMP_PRIVATE_H

#include <sys/socket.h>

#include "net/snmp.h"
#include "net/snmp_library.h"

/** es_snmp_fill_session - @session asks as @options say, which were checked and must outlive it; with the lock */
int es_snmp_fill_session(const struct es_netsnmp *lib, const struct es_snmp_options *options,
			 struct netsnmp_session *session, struct es_error *err);

/**
 * es_snmp_probe - whether an agent is there: ask for its engine, which it tells anyone
 *
 * Returns 0; -ETIMEDOUT: silence (agents that know only versions 1 and 2c are silent, too); -ECONNREFUSED: nobody listens.
 */
int es_snmp_probe(const struct sockaddr_storage *address, socklen_t n_address, int64_t wait_ns,
		  struct es_error *err);

#endif
