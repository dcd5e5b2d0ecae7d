/*
 * sim.h - replay of jobs on a machine of processors, in classes and nodes: who starts when, and what that sums up to
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
#include "opt/sim_nodes.h"

#define ES_SIM_CLASSES_MAX 16U
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
	uint32_t class; /* once it is started: where */
};

/** struct es_sim_class - processors that are alike */
struct es_sim_class {
	uint32_t procs;
	int64_t idle_mw; /* of a processor; only to choose by */
	struct es_sim_node node;
};

/** enum es_sim_choice - of the classes on which a job could be started now; of equal ones the first */
enum es_sim_choice {
	ES_SIM_FIRST,
	ES_SIM_ENERGY, /* least of its processors while it is believed to run, idle power in it */
	ES_SIM_EDP, /* the same, by the time from now to its believed end */
	ES_SIM_MARGINAL, /* least that the machine draws more: beyond idle, and to wake nodes and keep them on */
	ES_SIM_N_CHOICES,
};

/** es_sim_next_fn - the next job, by submission and hold; 1, 0: there is none, or negative errno */
typedef int (*es_sim_next_fn)(void *arg, struct es_sim_job *ret);
/** es_sim_offer_fn - what a job is on a class: @job's times, power and energy are changed; 0: not for it, 1, or negative errno */
typedef int (*es_sim_offer_fn)(void *arg, unsigned class, struct es_sim_job *job);
/** es_sim_drew_fn - told what all nodes drew without their jobs, one interval after the other, none without length */
typedef void (*es_sim_drew_fn)(void *arg, int64_t from_ms, int64_t to_ms, int64_t mw);
/** es_sim_started_fn - told each start, in the order of time; 0 or negative errno, which ends the replay */
typedef int (*es_sim_started_fn)(void *arg, const struct es_sim_job *job, int64_t start_s);

struct es_sim_options {
	enum es_sim_policy policy;
	uint32_t procs; /* where there are no classes */
	const struct es_sim_class *classes; /* [n_classes] */
	unsigned n_classes;
	enum es_sim_choice choice;
	bool has_cap;
	/*
	 * Of all extra_mw at one time; what the first job waits for is kept for it. What a node draws more than idle when it
	 * boots or stops is kept for each node without a job.
	 */
	int64_t cap_mw;
	bool is_plain; /* look at each waiting job, one by one: to prove that looking at fewer changes nothing */
	es_sim_next_fn next;
	es_sim_started_fn started; /* may be NULL */
	es_sim_offer_fn offer; /* NULL: a job is the same on each class */
	es_sim_drew_fn drew; /* may be NULL */
	void *arg;
};

/** struct es_sim_class_totals - what was on one class */
struct es_sim_class_totals {
	uint64_t n_jobs;
	double busy_proc_s, extra_mj;
	struct es_sim_stays stays; /* of its nodes */
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
	int64_t peak_mw; /* of nodes and jobs; where there are no nodes, of jobs beyond idle */
	size_t most_waiting, most_in_flight; /* waiting and running */
	struct es_sim_class_totals by_class[ES_SIM_CLASSES_MAX];
};

/**
 * es_sim_run - replay all jobs
 *
 * At each moment jobs end first, then others are submitted, then the scheduler looks once at all that wait. A job that
 * outlasts its estimate is taken to end any moment. Memory is linear in the jobs that wait or run, and in groups of nodes
 * that went idle at one time.
 *
 * A job that fits now is started on the class chosen. For the first that does not, and under EASY only for it, the class is
 * reserved on which it is expected to start first (of equal ones the first); on others jobs only heed the watts.
 *
 * Nodes are equal and all on at first. A job takes whole nodes, also such as are off: these boot from then on, and it starts
 * at the first second at which all are on. Where the first that waits will need nodes that are off they are booted by the
 * time reserved for it, and from then back to what stopping and booting take none it needs is stopped.
 *
 * Returns 0; -ERANGE: a job is larger than each class or the cap, or the cap less than what nodes may draw, or there are more
 * nodes x time than can be counted; -EINVAL: one is no job or comes before an earlier one;
 * -ENOMEM; what a callback returned.
 */
int es_sim_run(const struct es_sim_options *options, struct es_sim_totals *ret,
	       struct es_error *err);

#endif
