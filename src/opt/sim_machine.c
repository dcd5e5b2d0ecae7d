/*
 * sim_machine.c - classes and nodes of the machine of a replay
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <inttypes.h>

#include "opt/sim_inside.h"

/* What nodes may draw without a job is taken off the cap. */
static int make_class(struct es_sim *sim, unsigned i, const struct es_sim_class *is)
{
	const struct es_sim_node *node = &is->node;
	struct es_sim_stock *class = &sim->classes[i];
	int64_t most_mw = node->boot_mw > node->stop_mw ? node->boot_mw : node->stop_mw;

	class->is = is;
	class->free = is->procs;
	class->has_nodes = node->procs > 0;
	if (!class->has_nodes)
		return 0;
	if (is->procs % node->procs > 0 || is->procs == 0)
		return es_error_say(sim->err, -EINVAL,
				    "%" PRIu32 " processors are not whole nodes of %" PRIu32,
				    is->procs, node->procs);
	sim->has_nodes = true;
	most_mw = most_mw > node->idle_mw ? most_mw : node->idle_mw;
	if (most_mw > ES_SIM_POWER_MAX_MW / is->procs)
		return es_error_say(sim->err, -ERANGE, "nodes draw more than any machine does");
	if (node->timeout_s >= 0 && sim->options->has_cap) {
		class->surge_mw = (most_mw - node->idle_mw + node->procs - 1) / node->procs;
		sim->cap_mw -= class->surge_mw * is->procs;
	}
	return 0;
}

int es_sim_machine_make(struct es_sim *sim)
{
	const struct es_sim_options *options = sim->options;
	int r = 0;

	sim->only = (struct es_sim_class){ .procs = options->procs };
	sim->n_classes = options->n_classes > 0 ? options->n_classes : 1;
	if (sim->n_classes > ES_SIM_CLASSES_MAX)
		return es_error_say(sim->err, -E2BIG, "there are more than %u classes",
				    ES_SIM_CLASSES_MAX);
	for (unsigned i = 0; i < sim->n_classes && r == 0; i++)
		r = make_class(sim, i, options->n_classes > 0 ? &options->classes[i] : &sim->only);
	if (r == 0 && sim->cap_mw < 0)
		return es_error_say(
			sim->err, -ERANGE,
			"the power cap is %.3f W less than nodes draw that boot or stop",
			-(double)sim->cap_mw / 1e3);
	sim->free_mw = sim->cap_mw;
	return r;
}

int es_sim_machine_begin(struct es_sim *sim)
{
	int r = 0;

	sim->begin_s = sim->now_s = sim->totals.first_submit_s;
	sim->now_ms = sim->has_nodes ? sim->now_s * 1000 : 0;
	for (unsigned i = 0; i < sim->n_classes && r == 0; i++) {
		struct es_sim_stock *class = &sim->classes[i];

		if (class->has_nodes)
			r = es_sim_pool_init(&class->pool, &class->is->node,
					     es_sim_nodes_of(class, class->is->procs), sim->now_s);
	}
	return r;
}

void es_sim_machine_count(struct es_sim *sim)
{
	/* Jobs that were held back may be older than the first one that was told of. */
	int64_t before_ms = (sim->begin_s - sim->totals.first_submit_s) * 1000;

	for (unsigned i = 0; i < sim->n_classes; i++) {
		struct es_sim_stock *class = &sim->classes[i];

		if (!class->has_nodes)
			continue;
		class->pool.stays.ms[ES_SIM_IDLE] +=
			before_ms * es_sim_nodes_of(class, class->is->procs);
		sim->totals.by_class[i].stays = class->pool.stays;
	}
}

void es_sim_machine_finish(struct es_sim *sim)
{
	for (unsigned i = 0; i < ES_SIM_CLASSES_MAX; i++)
		es_sim_pool_finish(&sim->classes[i].pool);
}

int es_sim_machine_pass(struct es_sim *sim, int64_t to_ms)
{
	int64_t mw = 0;
	int r = 0;

	for (unsigned i = 0; i < sim->n_classes; i++)
		if (sim->classes[i].has_nodes)
			mw += es_sim_pool_drawn_mw(&sim->classes[i].pool);
	if (to_ms > sim->now_ms) {
		if (mw + sim->drawn_mw > sim->totals.peak_mw)
			sim->totals.peak_mw = mw + sim->drawn_mw;
		if (sim->options->drew)
			sim->options->drew(sim->options->arg, sim->now_ms, to_ms, mw);
	}
	for (unsigned i = 0; i < sim->n_classes && r == 0; i++)
		if (sim->classes[i].has_nodes)
			r = es_sim_pool_pass(&sim->classes[i].pool, to_ms);
	sim->now_ms = to_ms;
	return r;
}

/* How many of a class's nodes may be off when the first that waits is to start on it. */
static int64_t may_be_off(const struct es_sim *sim, const struct es_sim_stock *class)
{
	const struct es_sim_pool *pool = &class->pool;

	return sim->spare / class->is->node.procs - pool->off - pool->stopping.n;
}

static int64_t seconds(int64_t ms)
{
	return (ms + 999) / 1000;
}

int es_sim_machine_switch(struct es_sim *sim)
{
	int r = 0;

	for (unsigned i = 0; i < sim->n_classes && r == 0; i++) {
		struct es_sim_stock *class = &sim->classes[i];
		const struct es_sim_node *node = &class->is->node;
		bool is_wanted = sim->queue.n > 0 && i == sim->reserved;
		int64_t most = UINT32_MAX, wake_s;

		if (!class->has_nodes)
			continue;
		if (is_wanted &&
		    sim->shadow_s - sim->now_s < seconds(node->boot_ms + node->stop_ms))
			most = may_be_off(sim, class);
		if (most > 0)
			r = es_sim_pool_stop(&class->pool, (uint32_t)most, sim->now_s);
		most = is_wanted ? may_be_off(sim, class) : 0;
		if (r < 0 || most >= 0)
			continue;
		wake_s = sim->shadow_s - seconds(node->boot_ms);
		if (sim->now_s >= wake_s)
			r = es_sim_pool_boot(&class->pool, (uint32_t)-most, sim->now_s);
		else
			sim->wake_s = wake_s;
	}
	return r;
}
