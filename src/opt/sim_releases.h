/*
 * sim_releases.h - when running jobs are expected to end, and what is free then
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_OPT_SIM_RELEASES_H
#define ES_OPT_SIM_RELEASES_H

#include <stddef.h>
#include <stdint.h>

#include "opt/sim.h"

/** struct es_sim_release - what a job gives back */
struct es_sim_release {
	int64_t end_s; /* expected */
	int64_t extra_mw;
	uint32_t procs, slot;
	uint32_t class; /* whose processors */
};

struct es_sim_releases_block;

/** struct es_sim_releases - in the order of time; zero-initialise, es_sim_releases_finish() it */
struct es_sim_releases {
	struct es_sim_releases_block **blocks; /* [cap] owned */
	size_t n, cap;
};

/** struct es_sim_reservation - when there is enough, and what is free then in all */
struct es_sim_reservation {
	int64_t start_s, free, free_mw;
};

int es_sim_releases_add(struct es_sim_releases *releases, const struct es_sim_release *release);
/** es_sim_releases_remove - the very one that was added */
void es_sim_releases_remove(struct es_sim_releases *releases, const struct es_sim_release *release);
/**
 * es_sim_releases_reserve - the first end at which @procs processors of a class and @extra_mw are free
 * @ret: holds what is free now (processors of that class), and then what is free when all that end up to that time have
 * Returns 0, or -ERANGE: never
 */
int es_sim_releases_reserve(const struct es_sim_releases *releases, uint32_t class, int64_t procs,
			    int64_t extra_mw, struct es_sim_reservation *ret);
void es_sim_releases_finish(struct es_sim_releases *releases);

#endif
