/*
 * sim.h - replay of jobs on a machine of equal processors: who starts when, and what that sums up to
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Source: EASY backfilling as in D. Lifka, "The ANL/IBM SP Scheduling System" (1995) and A. Mu'alem, D. Feitelson,
 * "Utilization, Predictability, Workloads, and User Runtime Estimates in Scheduling the IBM SP2 with Backfilling" (2001).
 */
#ifndef ES_OPT_SIM_H
#define ES_OPT_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ES_SIM_SHORT_S 10 /* a bounded slowdown takes no job as shorter */
#define ES_SIM_POWER_MAX_MW (INT64_C(1) << 46) /* of a job, and of the machine: 70 GW */

enum es_sim_policy {
	ES_SIM_FCFS, /* in the order of submission, none overtakes */
	ES_SIM_EASY, /* others may overtake where they do not delay the first that waits */
	ES_SIM_N_POLICIES,
};

/** struct es_sim_job - what asks for processors */
struct es_sim_job {
	uint64_t id; /* the caller's own */
	double energy_j; /* the caller's own */
	uint32_t index; /* the caller's own */
	int64_t submit_s, run_s;
	int64_t hold_s; /* after its submission the scheduler is not told of it for so long */
	int64_t estimate_s; /* how long the scheduler believes it runs; it may run on beyond */
	int64_t extra_mw; /* what it draws beyond its processors' idle power; 0 or more */
	uint32_t procs;
};

/** es_sim_next_fn - the next job, by submission and hold; 1, 0: there is none, or negative errno */
typedef int (*es_sim_next_fn)(void *arg, struct es_sim_job *ret);
/** es_sim_started_fn - told each start, in the order of time; 0 or negative errno, which ends the replay */
typedef int (*es_sim_started_fn)(void *arg, const struct es_sim_job *job, int64_t start_s);

struct es_sim_options {
	enum es_sim_policy policy;
	uint32_t procs;
	bool has_cap;
	int64_t cap_mw; /* of all extra_mw at one time; what the first job waits for is kept for it */
	bool is_plain; /* look at each waiting job, one by one: to prove that looking at fewer changes nothing */
	es_sim_next_fn next;
	es_sim_started_fn started; /* may be NULL */
	void *arg;
};

struct es_sim_totals {
	uint64_t n_jobs;
	uint64_t n_outlasting; /* ran longer than estimated */
	uint64_t n_overtaking; /* started while one submitted before them waited */
	int64_t first_submit_s, last_end_s;
	double wait_s, bounded_slowdown; /* sums over the jobs */
	double busy_proc_s; /* processors x time */
	double extra_mj; /* energy beyond idle */
	int64_t peak_extra_mw;
	size_t most_waiting, most_in_flight; /* waiting and running */
};

/**
 * es_sim_run - replay all jobs
 *
 * At each moment jobs end first, then others are submitted, then the scheduler looks once at all that wait. A job that
 * outlasts its estimate is taken to end any moment. Memory is linear in the jobs that wait or run.
 *
 * Returns 0; -ERANGE: a job is larger than the machine or the cap; -EINVAL: one is no job or comes before an earlier one;
 * -ENOMEM; what a callback returned.
 */
int es_sim_run(const struct es_sim_options *options, struct es_sim_totals *ret,
	       struct es_error *err);

#endif
