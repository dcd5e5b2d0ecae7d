/*
 * node_steady.c - a simulated node after a long time: warm, every limit in force that can be
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>

#include "base/cleanup.h"
#include "twin/node_private.h"

#define ROUNDS_MAX 60
#define STEADY_W 1e-4

/* Temperatures go where the present powers lead them; returns how far that was, in watts. */
static double follow(struct es_twin_node *node)
{
	double moved = 0;

	for (unsigned p = 0; p < node->kind->n_packages; p++) {
		struct es_twin_package *package = &node->packages[p];

		moved += fabs(node->package_w[p] - package->averages[ES_TWIN_BY_HEAT].mean_w);
		for (unsigned k = 0; k < ES_TWIN_N_AVERAGES; k++)
			package->averages[k].mean_w = node->package_w[p];
		package->dram_average.mean_w = node->dram_w[p];
		package->board_averages[0].mean_w = node->board_w;
		package->board_averages[1].mean_w = node->board_w;
	}
	for (unsigned g = 0; g < node->kind->n_gpus; g++) {
		moved += fabs(node->gpu_w[g] - node->gpus[g].heat.mean_w);
		node->gpus[g].average.mean_w = node->gpu_w[g];
		node->gpus[g].heat.mean_w = node->gpu_w[g];
	}
	return moved;
}

void es_twin_warm_up(struct es_twin_node *node)
{
	node->is_steady = true;
	if (node->needs_arrange) {
		es_twin_loads_place(node);
		es_twin_classes_arrange(node);
		node->needs_arrange = false;
	}
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		es_twin_settle(node);
		es_twin_columns(node);
		if (follow(node) < STEADY_W)
			break;
	}
	node->is_steady = false;
	node->needs_settle = true;
}

static void freep(struct es_twin_node **node)
{
	es_twin_node_destroy(*node);
}

static bool is_clipped(const struct es_twin_node *node)
{
	bool is = false;

	for (unsigned p = 0; p < node->kind->n_packages; p++)
		is |= node->packages[p].is_by_power || node->packages[p].is_by_heat ||
		      node->packages[p].dram_held_uw != UINT64_MAX;
	for (unsigned g = 0; g < node->kind->n_gpus; g++)
		is |= node->gpus[g].is_by_power || node->gpus[g].is_by_heat;
	return is;
}

static uint64_t sum_uw(const struct es_twin_node *node, enum es_twin_part part)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < es_twin_n(node, part); i++)
		sum += es_twin_power_uw(node, part, i, node->now_ns);
	return sum;
}

int es_twin_steady(const struct es_twin_kind *kind, const struct es_twin_settings *settings,
		   const struct es_twin_phase *phase, struct es_twin_steady *ret,
		   struct es_error *err)
{
	static const struct es_twin_options options = { .is_quiet = true, .n_history = 1 };
	struct es_twin_phase copy = *phase;
	struct es_twin_program program = { .phases = &copy, .n = 1, .repeats = 1 };
	es_cleanup(freep) struct es_twin_node *node = NULL;
	const struct es_twin_load *load;
	double gpu_mhz = kind->n_gpus ? kind->gpu.top_mhz : 0;
	int r = es_twin_node_create(kind, &options, &node);

	if (r < 0)
		return es_error_set(err, r, "cannot simulate a node of kind %s", kind->name);
	node->hold++;
	r = es_twin_apply(node, settings);
	if (r < 0)
		return es_error_set(err, r, "a node of kind %s cannot be set so", kind->name);
	r = es_twin_load_begin(node, &program, err);
	if (r < 0)
		return r;
	es_twin_warm_up(node);
	load = &node->loads[r];
	for (unsigned g = 0; g < kind->n_gpus; g++) {
		if ((load->gpus >> g) & 1)
			gpu_mhz = fmin(gpu_mhz, node->gpus[g].mhz);
	}
	*ret = (struct es_twin_steady){
		.dur_ns = (int64_t)(load->now.period_ns + 0.5),
		.node_uw = sum_uw(node, ES_TWIN_NODE),
		.package_uw = sum_uw(node, ES_TWIN_PACKAGE),
		.dram_uw = sum_uw(node, ES_TWIN_DRAM),
		.gpu_uw = sum_uw(node, ES_TWIN_GPU),
		.core_khz = (uint64_t)(load->now.slowest_mhz * 1000 + 0.5),
		.gpu_mhz = (unsigned)(gpu_mhz + 0.5),
		.is_clipped = is_clipped(node),
	};
	return 0;
}
