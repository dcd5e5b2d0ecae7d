/*
 * daemon/ring.c - sweeps on their way from the thread that reads to the one that serves
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/ring.h"

#include <errno.h>
#include <stdlib.h>

#define READINGS_MAX 65536U /* in all; a slot of 4,096 domains is 160 KiB */
#define SLOTS_MAX 256U /* a quarter of a second at 1 kHz */
#define SLOTS_MIN 8U

int es_ring_init(struct es_ring *ring, size_t n_domains)
{
	size_t n_slots = READINGS_MAX / (n_domains + 1);

	n_slots = n_slots > SLOTS_MAX ? SLOTS_MAX : n_slots < SLOTS_MIN ? SLOTS_MIN : n_slots;
	*ring = (struct es_ring){ .n_slots = n_slots, .n_domains = n_domains };
	ring->sweeps = calloc(n_slots, sizeof(*ring->sweeps));
	ring->readings = calloc(n_slots * n_domains + 1, sizeof(*ring->readings));
	atomic_init(&ring->written, 0);
	atomic_init(&ring->taken, 0);
	if (!ring->sweeps || !ring->readings) {
		es_ring_finish(ring);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n_slots; i++) {
		ring->sweeps[i].readings = ring->readings + i * n_domains;
		ring->sweeps[i].n = n_domains;
	}
	return 0;
}

void es_ring_finish(struct es_ring *ring)
{
	free(ring->sweeps);
	free(ring->readings);
	ring->sweeps = NULL;
	ring->readings = NULL;
}

struct es_sweep *es_ring_begin(struct es_ring *ring, struct es_reading **ret_readings)
{
	size_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
	size_t taken = atomic_load_explicit(&ring->taken, memory_order_acquire);

	if (written - taken >= ring->n_slots)
		return NULL;
	*ret_readings = ring->readings + written % ring->n_slots * ring->n_domains;
	return &ring->sweeps[written % ring->n_slots];
}

void es_ring_end(struct es_ring *ring)
{
	atomic_fetch_add_explicit(&ring->written, 1, memory_order_release);
}

const struct es_sweep *es_ring_peek(struct es_ring *ring)
{
	size_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);

	if (atomic_load_explicit(&ring->written, memory_order_acquire) == taken)
		return NULL;
	return &ring->sweeps[taken % ring->n_slots];
}

void es_ring_take(struct es_ring *ring)
{
	atomic_fetch_add_explicit(&ring->taken, 1, memory_order_release);
}
