/*
 * simulated.h - a machine whose power is known at each moment, its meter, and calls of regions
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_SIMULATED_H
#define ES_TESTS_SUPPORT_SIMULATED_H

#include <stddef.h>
#include <stdint.h>

#include "support/recordings.h"

#define SIM_CELL_NS 100000LL /* power is constant for so long; times of calls are multiples of it */
#define SIM_CALLS_MAX 40000
#define SIM_REGIONS_MAX 16

/** struct sim - watts over time; sim_finish() it */
struct sim {
	int64_t dur_ns;
	size_t n_cells;
	double *power_w; /* [n_cells] */
	double *sum_j; /* [n_cells + 1] after sim_settle() */
	struct sim_call {
		unsigned region;
		int64_t start_ns, stop_ns;
	} * calls; /* [n_calls] */
	size_t n_calls;
	uint64_t seed;
	double region_j[SIM_REGIONS_MAX]; /* true energies, after sim_settle() */
	double own_j[SIM_REGIONS_MAX]; /* what no region inside took */
};

/** struct sim_meter - how a domain is read */
struct sim_meter {
	int64_t period_ns, jitter_ns; /* each reading comes up to the latter late */
	int64_t update_ns, phase_ns; /* 0: the counter is always up to date */
	double part; /* of the machine's power */
	uint64_t first_uj; /* what the counter shows at the start */
	int64_t hole_from_ns, hole_to_ns; /* no readings in between */
};

void sim_init(struct sim *sim, int64_t dur_ns, uint64_t seed);
void sim_finish(struct sim *sim);

/** sim_uniform - a number from 0 to 1 */
double sim_uniform(struct sim *sim);
/** sim_between_ns - a time between two, in whole cells */
int64_t sim_between_ns(struct sim *sim, double from_ns, double to_ns);

/** sim_add_power - that much more from one time to another */
void sim_add_power(struct sim *sim, int64_t from_ns, int64_t to_ns, double power_w);
/** sim_call - a call of region "rN"; what lies behind the end is cut off */
void sim_call(struct sim *sim, unsigned region, int64_t start_ns, int64_t stop_ns);
/** sim_settle - power and calls are complete: nothing is negative, true energies are known */
void sim_settle(struct sim *sim);

/** sim_joules - what was drawn up to a time */
double sim_joules(const struct sim *sim, int64_t t_ns);

/** sim_record - the tags and readings of all domains of @made, one meter each; and the end */
void sim_record(const struct sim *sim, const struct sim_meter *meters, struct test_recording *made);

#endif
