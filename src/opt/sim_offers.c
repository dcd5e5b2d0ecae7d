/*
 * sim_offers.c - what a replayed job is on each class of the machine
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <inttypes.h>

#include "opt/sim_inside.h"

#define TIME_MAX_S \
	(INT64_C(1) << 40) /* of a submission, a run, an estimate: sums of 2^22 of them are exact */

static bool is_job(const struct es_sim_job *job)
{
	return job->procs > 0 && job->submit_s >= 0 && job->submit_s <= TIME_MAX_S &&
	       job->run_s >= 0 && job->run_s <= TIME_MAX_S && job->hold_s >= 0 &&
	       job->hold_s <= TIME_MAX_S && job->estimate_s >= 0 && job->estimate_s <= TIME_MAX_S &&
	       job->extra_mw >= 0 && job->extra_mw <= ES_SIM_POWER_MAX_MW;
}

/* What the next job is on a class; 1, 0: it does not fit there, or negative errno with words. */
static int look_at(const struct es_sim *sim, unsigned i, struct es_sim_offer *ret)
{
	const struct es_sim_stock *class = &sim->classes[i];
	struct es_sim_job job = sim->next;
	uint32_t of_node = class->has_nodes ? class->is->node.procs : 1;
	uint64_t procs;
	int r = sim->options->offer ? sim->options->offer(sim->options->arg, i, &job) : 1;

	*ret = (struct es_sim_offer){ .procs = 0 };
	if (r <= 0)
		return r;
	if (!is_job(&job))
		return es_error_say(sim->err, -EINVAL, "job %" PRIu64 " is no job", job.id);
	procs = ((uint64_t)job.procs + of_node - 1) / of_node * of_node;
	if (procs > class->is->procs)
		return 0;
	*ret = (struct es_sim_offer){ .run_s = job.run_s,
				      .estimate_s = job.estimate_s,
				      .extra_mw = job.extra_mw,
				      .need_mw = job.extra_mw - (int64_t)procs * class->surge_mw,
				      .energy_j = job.energy_j,
				      .procs = (uint32_t)procs };
	ret->need_mw = ret->need_mw > 0 ? ret->need_mw : 0;
	return 1;
}

static int refuse(const struct es_sim *sim, const struct es_sim_job *job, bool fits,
		  int64_t least_mw)
{
	uint32_t most = 0;

	for (unsigned i = 0; i < sim->n_classes; i++)
		if (sim->classes[i].is->procs > most)
			most = sim->classes[i].is->procs;
	if (fits)
		return es_error_say(
			sim->err, -ERANGE,
			"job %" PRIu64
			" draws %.3f W beyond idle; the power cap leaves %.3f W: it could never start",
			job->id, (double)least_mw / 1e3, (double)sim->cap_mw / 1e3);
	if (sim->n_classes > 1)
		return es_error_say(sim->err, -ERANGE,
				    "job %" PRIu64 " asks for %" PRIu32
				    " processors; no class is for it (the largest has %" PRIu32 ")",
				    job->id, job->procs, most);
	return es_error_say(sim->err, -ERANGE,
			    "job %" PRIu64 " asks for %" PRIu32
			    " processors; the machine has %" PRIu32,
			    job->id, job->procs, most);
}

int es_sim_offers_make(struct es_sim *sim)
{
	const struct es_sim_job *job = &sim->next;
	bool fits = false, could_start = false;
	int64_t least_mw = INT64_MAX;

	if (!is_job(job))
		return es_error_say(sim->err, -EINVAL, "job %" PRIu64 " is no job", job->id);
	for (unsigned i = 0; i < sim->n_classes; i++) {
		struct es_sim_offer *offer = &sim->next_offers[i];
		int r = look_at(sim, i, offer);

		if (r < 0)
			return r;
		if (offer->procs == 0)
			continue;
		fits = true;
		least_mw = offer->need_mw < least_mw ? offer->need_mw : least_mw;
		if (offer->need_mw > sim->cap_mw)
			offer->procs = 0;
		else
			could_start = true;
	}
	return could_start ? 0 : refuse(sim, job, fits, least_mw);
}
