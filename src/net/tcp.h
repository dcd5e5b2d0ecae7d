/*
 * tcp.h - a connection to a host, within a time
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_NET_TCP_H
#define ES_NET_TCP_H

#include <stdint.h>

#include "base/error.h"

/**
 * es_tcp_connect - the first address of @host that takes a connection; the time that looking up its name takes is not bounded
 *
 * Returns 0; -EHOSTUNREACH: no such host; -ETIMEDOUT, -ECONNREFUSED or another negative errno of the last address.
 * @ret_fd: non-blocking, closed on exec; owned by caller
 */
int es_tcp_connect(const char *host, uint16_t port, int64_t timeout_ns, int *ret_fd,
		   struct es_error *err);

#endif
