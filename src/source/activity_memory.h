/*
 * source/activity_memory.h - traffic between processors and memory, by controllers or by caches
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_ACTIVITY_MEMORY_H
#define ES_SOURCE_ACTIVITY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/activity.h"
#include "sys/machine.h"
#include "sys/pmu.h"
#include "sys/resctrl.h"
#include "sys/root.h"

#define ES_MEMORY_PLACES_MAX 64U /* packages, or L3 caches */
#define ES_MEMORY_EVENTS_MAX 4U /* of one controller */
#define ES_MEMORY_COUNTERS_MAX 256U /* controllers of a node */

/** struct es_memory_place - what was moved at one package or cache, since the open */
struct es_memory_place {
	int32_t number; /* of the package or cache */
	uint64_t read_bytes,
		write_bytes; /* together in read_bytes where the two are not told apart */
	int error;
};

/** struct es_memory_controller - events of one controller on one CPU, read by one call */
struct es_memory_controller {
	int fds[ES_MEMORY_EVENTS_MAX]; /* the first is the group's leader; -1: not open */
	size_t n, place;
	bool is_write[ES_MEMORY_EVENTS_MAX];
	double bytes_per_count[ES_MEMORY_EVENTS_MAX];
	uint64_t last[ES_MEMORY_EVENTS_MAX];
};

/** struct es_memory - how traffic is counted here; es_memory_close() it */
struct es_memory {
	struct es_root root; /* borrowed */
	struct es_memory_place places[ES_MEMORY_PLACES_MAX];
	size_t n_places; /* 0: it is not */
	bool is_split; /* reads and writes are told apart */
	struct es_resctrl *resctrl; /* NULL: controllers */
	struct es_memory_controller *controllers; /* owned */
	size_t n_controllers;
	uint64_t peak_bytes_per_s; /* of all memory, as the firmware tells it; 0: it does not */
	char reason[ES_ACTIVITY_REASON_BYTES],
		fix[ES_ACTIVITY_FIX_BYTES]; /* why it is not counted */
};

/** es_memory_open - find what counts traffic, and open it; @ret says where nothing does. 0 or -ENOMEM */
int es_memory_open(const struct es_root *root, const struct es_machine *machine,
		   struct es_memory *ret);
void es_memory_close(struct es_memory *memory);

/** es_memory_read - bring the places up to date */
void es_memory_read(struct es_memory *memory, int64_t now_ns);

#endif
