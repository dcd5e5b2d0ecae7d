/*
 * daemon/ring.h - sweeps on their way from the thread that reads to the one that serves
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * One writer, one reader, no lock: neither ever waits for the other. Where the reader is late the newest sweeps are dropped
 * (their numbers are missing): counters go on, so that nothing is lost but times.
 */
#ifndef ES_DAEMON_RING_H
#define ES_DAEMON_RING_H

#include <stdatomic.h>

#include "daemon/sweep.h"

struct es_ring {
	size_t n_slots, n_domains;
	struct es_sweep *sweeps; /* [n_slots], their readings within @readings */
	struct es_reading *readings; /* [n_slots * n_domains] */
	atomic_size_t written, taken; /* how many ever */
};

int es_ring_init(struct es_ring *ring, size_t n_domains);
void es_ring_finish(struct es_ring *ring);

/** es_ring_begin - the writer's: room for a sweep, readings [n_domains] to be filled; NULL: there is none */
struct es_sweep *es_ring_begin(struct es_ring *ring, struct es_reading **ret_readings);
/** es_ring_end - what es_ring_begin() gave is complete */
void es_ring_end(struct es_ring *ring);

/** es_ring_peek - the reader's: the oldest sweep not taken; NULL: there is none. Borrowed until es_ring_take() */
const struct es_sweep *es_ring_peek(struct es_ring *ring);
void es_ring_take(struct es_ring *ring);

#endif
