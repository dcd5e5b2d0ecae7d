/*
 * clocks.h - what the clocks and the processors did since somebody last looked
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SAMPLER_CLOCKS_H
#define ES_SAMPLER_CLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "record/recorder.h"
#include "sys/root.h"

/** struct es_clocks - the three clocks at the last look */
struct es_clocks {
	int64_t looked_ns;
	int64_t slept_ns, wall_ahead_ns; /* boot - monotonic, wall - boot */
};

/** es_clocks_start - how they stand now, into the recording */
void es_clocks_start(struct es_clocks *clocks, struct es_recorder *recorder);
/** es_clocks_tell_wall - how far off the wall clock may be, as the kernel knows from who keeps it; into the recording */
int es_clocks_tell_wall(struct es_recorder *recorder, int64_t t_ns);
/**
 * es_clocks_look - a sleep of the machine, or a step of its wall clock since the last look becomes an event
 * To be called before the readings taken since then are written: who follows them is to know of the sleep.
 */
void es_clocks_look(struct es_clocks *clocks, struct es_recorder *recorder);

/** struct es_online - which processors are online, by a kept descriptor */
struct es_online {
	int fd; /* -1: nothing tells */
	uint32_t n; /* hardware threads; 0: not known */
};

/** es_online_open - es_online_close() it; without such a file nothing is ever said to change */
void es_online_open(const struct es_root *root, struct es_online *ret);
void es_online_close(struct es_online *online);
/** es_online_look - whether their number is another one than at the last look */
bool es_online_look(struct es_online *online);

#endif
