/*
 * sim_choose.c - on which class a replayed job starts, and what is reserved for the first that waits
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>

#include "opt/sim_inside.h"

/* How long after now a job could start on a class. */
static int64_t delay_s(const struct es_sim *sim, unsigned on, const struct es_sim_offer *offer)
{
	const struct es_sim_stock *class = &sim->classes[on];

	if (!class->has_nodes)
		return 0;
	return es_sim_pool_ready_s(&class->pool, es_sim_nodes_of(class, offer->procs), sim->now_s) -
	       sim->now_s;
}

static double marginal_of(const struct es_sim_stock *class, const struct es_sim_offer *offer)
{
	double estimate_s = (double)offer->estimate_s, cost = (double)offer->extra_mw * estimate_s;
	const struct es_sim_node *node = &class->is->node;

	if (!class->has_nodes)
		return cost;
	return cost +
	       es_sim_pool_woken(&class->pool, es_sim_nodes_of(class, offer->procs)) *
		       ((double)(node->boot_mw - node->off_mw) * (double)node->boot_ms / 1e3 +
			(double)(node->idle_mw - node->off_mw) * estimate_s);
}

static double cost_of(const struct es_sim *sim, unsigned on, const struct es_sim_offer *offer)
{
	const struct es_sim_stock *class = &sim->classes[on];
	double mj = ((double)class->is->idle_mw * offer->procs + (double)offer->extra_mw) *
		    (double)offer->estimate_s;

	switch (sim->options->choice) {
	case ES_SIM_ENERGY:
		return mj;
	case ES_SIM_EDP:
		return mj * (double)(delay_s(sim, on, offer) + offer->estimate_s);
	case ES_SIM_MARGINAL:
		return marginal_of(class, offer);
	case ES_SIM_FIRST:
	case ES_SIM_N_CHOICES:
	default:
		return 0;
	}
}

bool es_sim_ends_in_time(const struct es_sim *sim, unsigned on, const struct es_sim_offer *offer)
{
	return sim->now_s + delay_s(sim, on, offer) + offer->estimate_s <= sim->shadow_s;
}

/* Whether one that is not the first may start on a class: it ends before the first starts, or takes what that leaves. */
static bool may_overtake(const struct es_sim *sim, unsigned on, const struct es_sim_offer *offer)
{
	if (es_sim_ends_in_time(sim, on, offer))
		return true;
	return offer->need_mw <= sim->spare_mw &&
	       (on != sim->reserved || offer->procs <= sim->spare);
}

unsigned es_sim_choose(const struct es_sim *sim, uint32_t slot, bool is_first)
{
	const struct es_sim_offer *offers = es_sim_offers_of(sim, slot);
	unsigned best = sim->n_classes;
	double least = 0;

	for (unsigned i = 0; i < sim->n_classes; i++) {
		const struct es_sim_offer *offer = &offers[i];
		double cost;

		if (offer->procs == 0 || offer->procs > sim->classes[i].free ||
		    offer->need_mw > sim->free_mw || (!is_first && !may_overtake(sim, i, offer)))
			continue;
		cost = sim->n_classes > 1 ? cost_of(sim, i, offer) : 0;
		if (best == sim->n_classes || cost < least) {
			best = i;
			least = cost;
		}
	}
	return best;
}

int es_sim_reserve(struct es_sim *sim)
{
	uint32_t slot = es_sim_queue_at(&sim->queue, sim->queue.head).slot;
	const struct es_sim_offer *offers = es_sim_offers_of(sim, slot);
	bool is_reserved = false;

	for (unsigned i = 0; i < sim->n_classes; i++) {
		struct es_sim_reservation reservation = { .start_s = sim->now_s,
							  .free = sim->classes[i].free,
							  .free_mw = sim->free_mw };

		if (offers[i].procs == 0 ||
		    es_sim_releases_reserve(&sim->releases, i, offers[i].procs, offers[i].need_mw,
					    &reservation) < 0 ||
		    (is_reserved && reservation.start_s >= sim->shadow_s))
			continue;
		is_reserved = true;
		sim->reserved = i;
		sim->shadow_s = reservation.start_s;
		sim->spare = reservation.free - offers[i].procs;
		sim->spare_mw = reservation.free_mw - offers[i].need_mw;
	}
	return is_reserved ? 0 : -ERANGE; /* whatever is let into the queue fits an empty machine */
}
