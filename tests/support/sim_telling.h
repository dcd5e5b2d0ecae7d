/*
 * sim_telling.h - a replay of jobs on nodes and classes, told plainly, to hold the engine against
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_SIM_TELLING_H
#define ES_TESTS_SUPPORT_SIM_TELLING_H

#include "opt/sim.h"

#define SIM_JOBS_MAX 4000U
#define SIM_TICK_MS 100 /* boots and stops take whole ones */

struct sim_kind {
	int64_t slower; /* run times are so many quarters */
	int64_t more; /* power likewise */
	uint32_t not_for; /* every so many jobs cannot run there; 0: all can */
};

struct sim_trace {
	struct es_sim_job jobs[SIM_JOBS_MAX];
	struct sim_kind kinds[ES_SIM_CLASSES_MAX];
	int64_t starts_s[SIM_JOBS_MAX];
	unsigned classes[SIM_JOBS_MAX];
	size_t n, n_given, n_started;
	int64_t last_start_s;
	double drawn_mj; /* as told */
	int64_t drawn_to_ms;
};

/* What a job is on a class, by the trace's kinds: an es_sim_offer_fn. */
int sim_offer(void *arg, unsigned class, struct es_sim_job *job);
/* Tell it plainly and require the same starts, on the same classes, and each node as long in each state. */
void sim_tell(struct sim_trace *trace, const struct es_sim_options *options,
	      const struct es_sim_totals *totals);

#endif
