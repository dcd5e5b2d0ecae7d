/*
 * source/daemon.h - the meters of this node as its daemon shows them to this user
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * A source whose domains have the ids, kinds and places that they have without the daemon. Its counters begin anywhere
 * and never wrap: the daemon follows the hardware's. A daemon that stands, or is gone, is a reading that failed
 * (-ETIMEDOUT, -ENOTCONN); where it comes back and goes on with its energies, none is lost; where it begins anew, and
 * where it saw a counter of the hardware begin anew, the counter here goes back to 0.
 */
#ifndef ES_SOURCE_DAEMON_H
#define ES_SOURCE_DAEMON_H

#include <stdint.h>

#include "base/error.h"
#include "source/source.h"
#include "wire/local.h"

/**
 * es_daemon_open - connect to the daemon at @socket_path
 * @period_ns: between readings, as wanted; the daemon may grant a longer one (the source's plan has it)
 * @wait_ns: for its answers, at most
 * @ret: owned by caller, or by the sampler that it is added to
 *
 * Whoever listens there is believed: the path is the user's or the administrator's choice.
 * Returns 0; -ENOENT, -ECONNREFUSED: no daemon listens; -EACCES: it shows this user nothing, and says why;
 * -ETIMEDOUT: it does not answer; -EPROTONOSUPPORT; -EBADMSG; -ENOMEM.
 */
int es_daemon_open(const char *socket_path, int64_t period_ns, int64_t wait_ns,
		   struct es_source **ret, struct es_error *err);

/** es_daemon_welcome - who answers and what is seen, as told when it was connected last; borrowed. @source: of es_daemon_open() */
const struct es_local_welcome *es_daemon_welcome(const struct es_source *source);

#endif
