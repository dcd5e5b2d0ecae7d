/*
 * notify.h - what the service manager is told: ready, reloading, alive, stopping
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_NOTIFY_H
#define ES_DAEMON_NOTIFY_H

#include <stdint.h>

/**
 * es_notify - send @state ("READY=1\nSTATUS=…") to the socket that $NOTIFY_SOCKET names; never waits
 * Returns 1; 0: nobody wants to know; negative errno. Source: sd_notify(3), whose protocol is stable: one datagram.
 */
int es_notify(const char *state);

/** es_notify_watchdog_ns - how often at least "WATCHDOG=1" is wanted ($WATCHDOG_USEC, for this process); 0: never */
int64_t es_notify_watchdog_ns(void);

#endif
