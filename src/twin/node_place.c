/*
 * node_place.c - which cores and GPUs a load of a simulated node works on
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <string.h>

#include "twin/node_private.h"

static bool uses_gpus(const struct es_twin_phase *phase)
{
	return phase->gpu_ns > 0 || phase->gpu_memory_ns > 0;
}

/* An open context keeps GPUs awake, too: a phase that names how many it holds need not keep them busy. */
static bool holds_gpus(const struct es_twin_phase *phase)
{
	return uses_gpus(phase) || phase->n_gpus > 0;
}

static bool has_core(const struct es_twin_load *load, unsigned core)
{
	return (load->cores[core / 64] >> (core % 64)) & 1;
}

void es_twin_load_unplace(struct es_twin_node *node, struct es_twin_load *load)
{
	unsigned n_all = node->kind->n_packages * node->kind->cpu.n_cores;

	for (unsigned core = 0; load->is_placed && core < n_all; core++) {
		if (has_core(load, core))
			node->cores[core].n_users--;
	}
	memset(load->cores, 0, sizeof(load->cores));
	memset(load->n_cores_of, 0, sizeof(load->n_cores_of));
	load->is_placed = false;
	load->n_cores = 0;
}

/* Takes at most one core of @package that has @n_users, from @at on; false: it has no more. */
static bool take_core(struct es_twin_node *node, struct es_twin_load *load, unsigned package,
		      unsigned n_users, unsigned *at)
{
	unsigned n = node->kind->cpu.n_cores;

	for (; *at < n; (*at)++) {
		unsigned core = package * n + *at;

		if (node->cores[core].n_users != n_users || has_core(load, core))
			continue;
		load->cores[core / 64] |= UINT64_C(1) << (core % 64);
		load->n_cores_of[package]++;
		node->cores[core].n_users++;
		(*at)++;
		return true;
	}
	return false;
}

/* Evenly from all packages, those first that the fewest use. */
static void place_cores(struct es_twin_node *node, struct es_twin_load *load, unsigned n_wanted)
{
	unsigned n_packages = node->kind->n_packages, n_left = n_wanted;

	for (unsigned n_users = 0; n_left && n_users < ES_TWIN_LOADS_MAX; n_users++) {
		unsigned at[ES_TWIN_PACKAGES_MAX] = { 0 };
		bool has_taken = true;

		while (n_left && has_taken) {
			has_taken = false;
			for (unsigned p = 0; n_left && p < n_packages; p++) {
				if (take_core(node, load, p, n_users, &at[p])) {
					has_taken = true;
					n_left--;
				}
			}
		}
	}
	load->n_cores = n_wanted;
	load->is_placed = true;
}

/* How many loads use GPU @gpu, or that instance of it, now. */
static unsigned n_users(const struct es_twin_node *node, unsigned gpu, unsigned instance)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ES_TWIN_LOADS_MAX; i++) {
		const struct es_twin_load *load = &node->loads[i];

		if (!((node->active >> i) & 1) || !((load->gpus >> gpu) & 1) ||
		    !uses_gpus(es_twin_load_phase(load)))
			continue;
		if (!instance || !load->gpu_instance || load->gpu_instance == instance)
			n++;
	}
	return n;
}

static void place_gpus(struct es_twin_node *node, struct es_twin_load *load,
		       const struct es_twin_phase *phase)
{
	unsigned n_wanted = phase->n_gpus ? phase->n_gpus : node->kind->n_gpus;

	load->gpus = 0;
	load->gpu_instance = phase->gpu_instance;
	if (phase->gpu_instance) {
		load->gpus = 1;
		return;
	}
	for (unsigned taken = 0; taken < n_wanted; taken++) {
		unsigned best = 0, best_n = ES_TWIN_LOADS_MAX + 1;

		for (unsigned g = 0; g < node->kind->n_gpus; g++) {
			unsigned n = n_users(node, g, 0);

			if (!((load->gpus >> g) & 1) && n < best_n) {
				best_n = n;
				best = g;
			}
		}
		load->gpus |= UINT32_C(1) << best;
	}
}

static unsigned n_gpus_of(const struct es_twin_load *load)
{
	return (unsigned)__builtin_popcount(load->gpus);
}

static void place(struct es_twin_node *node, struct es_twin_load *load)
{
	const struct es_twin_kind *kind = node->kind;
	const struct es_twin_phase *phase = es_twin_load_phase(load);
	unsigned n_wanted = phase->n_cores ? phase->n_cores : kind->n_packages * kind->cpu.n_cores;

	if (!load->is_placed || load->n_cores != n_wanted) {
		es_twin_load_unplace(node, load);
		place_cores(node, load, n_wanted);
	}
	/* Between two phases that use them GPUs stay with the load: its context keeps them awake. */
	if (holds_gpus(phase) &&
	    (n_gpus_of(load) != (phase->n_gpus ? phase->n_gpus : kind->n_gpus) ||
	     load->gpu_instance != phase->gpu_instance))
		place_gpus(node, load, phase);
}

static void share(struct es_twin_node *node)
{
	unsigned n_wanted = 0, n_all = node->kind->n_packages * node->kind->cpu.n_cores;
	double core_share = 1;

	for (unsigned i = 0; i < ES_TWIN_LOADS_MAX; i++)
		n_wanted += (node->active >> i) & 1 ? node->loads[i].n_cores : 0;
	if (n_wanted > n_all)
		core_share = (double)n_all / n_wanted;
	for (unsigned i = 0; i < ES_TWIN_LOADS_MAX; i++) {
		struct es_twin_load *load = &node->loads[i];

		if (!((node->active >> i) & 1))
			continue;
		load->core_share = core_share;
		load->gpu_sharers = 1;
		if (!uses_gpus(es_twin_load_phase(load)))
			continue;
		for (unsigned g = 0; g < node->kind->n_gpus; g++) {
			unsigned n = (load->gpus >> g) & 1 ? n_users(node, g, load->gpu_instance)
							   : 1;

			if (n > load->gpu_sharers)
				load->gpu_sharers = n;
		}
	}
}

void es_twin_loads_place(struct es_twin_node *node)
{
	for (unsigned i = 0; i < ES_TWIN_LOADS_MAX; i++) {
		if ((node->active >> i) & 1)
			place(node, &node->loads[i]);
	}
	share(node);
	for (unsigned g = 0; g < node->kind->n_gpus; g++) {
		node->gpus[g].loads = 0;
		for (unsigned i = 0; i < ES_TWIN_LOADS_MAX; i++) {
			if (((node->active >> i) & 1) && ((node->loads[i].gpus >> g) & 1))
				node->gpus[g].loads |= UINT32_C(1) << i;
		}
	}
}
