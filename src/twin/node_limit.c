/*
 * node_limit.c - power limits of a simulated node: running averages that shall stay below
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * RAPL lets a package draw more than its long-term limit until the running average over the window reaches it, then holds it
 * there (Intel SDM vol. 3, 15.10.3). The average here is exponential with the window as its time constant, so that the time at
 * which it reaches the limit has a closed form.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "twin/node_private.h"

#define AT_ONCE_NS 15e6 /* shorter windows: nothing above the limit at all */
#define REACHED 1e-4 /* relative: so near to the limit the average has reached it */
/* RAPL's registers: power in 1/8 W, 15 bits; time in units of 976 µs, 2^Y (1 + F/4). */
#define POWER_UNIT_UW 125000U
#define POWER_STEPS_MAX 0x7fffU
#define TIME_UNIT_US 976U

static bool has_reached(const struct es_twin_average *average)
{
	return average->window_ns < AT_ONCE_NS ||
	       average->mean_w >= average->limit_w * (1 - REACHED);
}

double es_twin_allowed_w(const struct es_twin_node *node, const struct es_twin_average *average)
{
	if (isinf(average->limit_w))
		return INFINITY;
	return node->is_steady || has_reached(average) ? average->limit_w : INFINITY;
}

double es_twin_package_allowed_w(const struct es_twin_node *node, unsigned i, bool *ret_is_by_heat)
{
	const struct es_twin_package *package = &node->packages[i];
	double allowed = package->extra_cap_w;

	*ret_is_by_heat = false;
	for (unsigned k = 0; k < ES_TWIN_N_AVERAGES; k++) {
		double w = es_twin_allowed_w(node, &package->averages[k]);

		if (w < allowed) {
			allowed = w;
			*ret_is_by_heat = k == ES_TWIN_BY_HEAT;
		}
	}
	return allowed;
}

double es_twin_gpu_allowed_w(const struct es_twin_node *node, unsigned i, bool *ret_is_by_heat)
{
	double power = es_twin_allowed_w(node, &node->gpus[i].average);
	double heat = es_twin_allowed_w(node, &node->gpus[i].heat);

	*ret_is_by_heat = heat < power;
	return es_twin_least(power, heat);
}

double es_twin_board_allowed_w(const struct es_twin_node *node)
{
	double allowed = INFINITY;

	for (unsigned p = 0; p < node->kind->n_packages; p++) {
		for (unsigned k = 0; k < 2; k++)
			allowed = es_twin_least(
				allowed,
				es_twin_allowed_w(node, &node->packages[p].board_averages[k]));
	}
	return allowed;
}

bool es_twin_is_over(const struct es_twin_node *node)
{
	bool is_by_heat;

	for (unsigned p = 0; p < node->kind->n_packages; p++) {
		const struct es_twin_package *package = &node->packages[p];

		if (node->package_w[p] >
			    es_twin_package_allowed_w(node, p, &is_by_heat) * (1 + 1e-9) ||
		    node->dram_w[p] > es_twin_allowed_w(node, &package->dram_average) * (1 + 1e-9))
			return true;
	}
	for (unsigned g = 0; g < node->kind->n_gpus; g++) {
		if (node->gpu_w[g] > es_twin_gpu_allowed_w(node, g, &is_by_heat) * (1 + 1e-9))
			return true;
	}
	return node->board_w > es_twin_board_allowed_w(node) * (1 + 1e-9);
}

static void pass(struct es_twin_average *average, double power_w, double dt_ns, bool is_usual)
{
	double kept = average->kept;

	if (!is_usual)
		kept = average->window_ns > 0 ? exp(-dt_ns / average->window_ns) : 0;
	average->mean_w = power_w + (average->mean_w - power_w) * kept;
}

/* An average whose limit is not in force matters as soon as one is set: it is kept all the same. */
static void learn(struct es_twin_average *average, double dt_ns)
{
	average->kept = average->window_ns > 0 ? exp(-dt_ns / average->window_ns) : 0;
}

static void learn_all(struct es_twin_node *node, double dt_ns)
{
	for (unsigned p = 0; p < node->kind->n_packages; p++) {
		struct es_twin_package *package = &node->packages[p];

		for (unsigned k = 0; k < ES_TWIN_N_AVERAGES; k++)
			learn(&package->averages[k], dt_ns);
		learn(&package->dram_average, dt_ns);
		learn(&package->board_averages[0], dt_ns);
		learn(&package->board_averages[1], dt_ns);
	}
	for (unsigned g = 0; g < node->kind->n_gpus; g++) {
		learn(&node->gpus[g].average, dt_ns);
		learn(&node->gpus[g].heat, dt_ns);
	}
	node->usual_ns = dt_ns;
}

void es_twin_averages_pass(struct es_twin_node *node, int64_t length_ns)
{
	double dt_ns = (double)length_ns;
	bool is_usual = !(node->usual_ns < dt_ns || node->usual_ns > dt_ns);

	if (!is_usual && length_ns == node->settled_ns) {
		learn_all(node, dt_ns);
		is_usual = true;
	}
	for (unsigned p = 0; p < node->kind->n_packages; p++) {
		struct es_twin_package *package = &node->packages[p];

		for (unsigned k = 0; k < ES_TWIN_N_AVERAGES; k++)
			pass(&package->averages[k], node->package_w[p], dt_ns, is_usual);
		pass(&package->dram_average, node->dram_w[p], dt_ns, is_usual);
		pass(&package->board_averages[0], node->board_w, dt_ns, is_usual);
		pass(&package->board_averages[1], node->board_w, dt_ns, is_usual);
	}
	for (unsigned g = 0; g < node->kind->n_gpus; g++) {
		pass(&node->gpus[g].average, node->gpu_w[g], dt_ns, is_usual);
		pass(&node->gpus[g].heat, node->gpu_w[g], dt_ns, is_usual);
	}
}

/* Until the average reaches its limit at constant @power_w. */
static double fill_ns(const struct es_twin_average *average, double power_w, double most_ns)
{
	if (power_w <= average->limit_w || has_reached(average))
		return most_ns;
	return es_twin_least(most_ns, average->window_ns * log((power_w - average->mean_w) /
							       (power_w - average->limit_w)));
}

double es_twin_averages_fill_ns(const struct es_twin_node *node, double most_ns)
{
	for (unsigned p = 0; p < node->kind->n_packages; p++) {
		const struct es_twin_package *package = &node->packages[p];

		for (unsigned k = 0; k < ES_TWIN_N_AVERAGES; k++)
			most_ns = fill_ns(&package->averages[k], node->package_w[p], most_ns);
		most_ns = fill_ns(&package->dram_average, node->dram_w[p], most_ns);
		most_ns = fill_ns(&package->board_averages[0], node->board_w, most_ns);
		most_ns = fill_ns(&package->board_averages[1], node->board_w, most_ns);
	}
	for (unsigned g = 0; g < node->kind->n_gpus; g++) {
		most_ns = fill_ns(&node->gpus[g].average, node->gpu_w[g], most_ns);
		most_ns = fill_ns(&node->gpus[g].heat, node->gpu_w[g], most_ns);
	}
	return most_ns;
}

static void limit_average(struct es_twin_average *average, const struct es_twin_limit *limit)
{
	average->limit_w = limit->is_enabled && limit->power_uw ? (double)limit->power_uw / 1e6
								: INFINITY;
	average->window_ns = (double)limit->window_us * 1000;
}

/* Nothing may get hotter than its limit: the running average of its power, with its time constant, is its temperature. */
static void limit_heat(struct es_twin_node *node, struct es_twin_average *average,
		       int64_t hottest_mc, double c_per_w, int64_t heat_ns)
{
	average->limit_w =
		hottest_mc && c_per_w > 0
			? es_twin_most(0, ((double)hottest_mc / 1000 - node->ambient_c) / c_per_w)
			: INFINITY;
	average->window_ns = (double)heat_ns;
}

void es_twin_limits_apply(struct es_twin_node *node)
{
	const struct es_twin_kind *kind = node->kind;

	for (unsigned p = 0; p < kind->n_packages; p++) {
		struct es_twin_package *package = &node->packages[p];

		for (unsigned k = 0; k < ES_TWIN_CONSTRAINTS_MAX; k++)
			limit_average(&package->averages[k], &package->limits[k]);
		limit_heat(node, &package->averages[ES_TWIN_BY_HEAT], kind->cpu.hottest_mc,
			   kind->cpu.c_per_w, kind->cpu.heat_ns);
		limit_average(&package->dram_average, &package->dram_limit);
		limit_average(&package->board_averages[0], &package->board_limits[0]);
		limit_average(&package->board_averages[1], &package->board_limits[1]);
	}
	for (unsigned g = 0; g < kind->n_gpus; g++) {
		struct es_twin_gpu_node *gpu = &node->gpus[g];

		gpu->average.limit_w = (double)gpu->limit_mw / 1e3;
		gpu->average.window_ns = ES_TWIN_GPU_WINDOW_NS;
		limit_heat(node, &gpu->heat, kind->gpu.hottest_mc, kind->gpu.c_per_w,
			   kind->gpu.heat_ns);
	}
	node->usual_ns = 0;
	node->needs_settle = true;
}

static struct es_twin_limit limit_of(unsigned watts, int64_t window_us)
{
	return (struct es_twin_limit){
		.power_uw = (uint64_t)watts * 1000000,
		.window_us = window_us,
		.is_enabled = watts > 0,
	};
}

void es_twin_limits_init(struct es_twin_node *node)
{
	const struct es_twin_cpu *cpu = &node->kind->cpu;

	for (unsigned p = 0; p < node->kind->n_packages; p++) {
		struct es_twin_package *package = &node->packages[p];

		package->extra_cap_w = INFINITY;
		package->limits[0] = limit_of(cpu->tdp_w, cpu->long_us);
		package->limits[1] = limit_of(cpu->short_w, cpu->short_us);
		package->limits[2] = limit_of(cpu->peak_w, 0);
		if (!cpu->tdp_w && cpu->design_w) /* out of anybody's reach */
			package->limits[0] = limit_of(cpu->design_w, 1000000);
		package->dram_limit.window_us = 976;
		package->board_limits[0].window_us = 28000000;
		package->board_limits[1].window_us = 976;
	}
	for (unsigned g = 0; g < node->kind->n_gpus; g++)
		node->gpus[g].limit_mw = (uint64_t)node->kind->gpu.limit_w * 1000;
	es_twin_limits_apply(node);
}

static bool has_limit(const struct es_twin_kind *kind, enum es_twin_part part, size_t i,
		      unsigned constraint)
{
	enum es_twin_psys psys = kind->meters.psys;

	if (i >= kind->n_packages || !kind->cpu.tdp_w)
		return false;
	if (part == ES_TWIN_PACKAGE)
		return constraint < 2 || (constraint == 2 && kind->cpu.peak_w);
	if (part == ES_TWIN_DRAM)
		return kind->meters.dram_nj && constraint == 0;
	if (part == ES_TWIN_BOARD && constraint < 2)
		return psys == ES_TWIN_PSYS_EACH || (psys == ES_TWIN_PSYS_ONE && i == 0);
	return false;
}

/* rapl_compute_time_window_core() of the kernel, there and back. */
static int64_t register_us(int64_t window_us)
{
	uint64_t units, part;
	unsigned y;

	if (window_us < (int64_t)TIME_UNIT_US)
		return 0;
	units = (uint64_t)window_us / TIME_UNIT_US;
	y = 63U - (unsigned)__builtin_clzll(units);
	if (y > 0x1f)
		y = 0x1f;
	part = 4 * (units - (UINT64_C(1) << y)) >> y;
	return (int64_t)((UINT64_C(1) << y) * (4 + (part & 3)) / 4 * TIME_UNIT_US);
}

int es_twin_set_limit(struct es_twin_node *node, enum es_twin_part part, size_t i,
		      unsigned constraint, const struct es_twin_limit *limit)
{
	uint64_t steps = limit->power_uw / POWER_UNIT_UW;
	struct es_twin_package *package;
	struct es_twin_limit *own;

	if (!has_limit(node->kind, part, i, constraint))
		return -ENODATA;
	if (limit->window_us < 0)
		return -EINVAL;
	package = &node->packages[i];
	own = part == ES_TWIN_PACKAGE ? &package->limits[constraint]
	      : part == ES_TWIN_DRAM  ? &package->dram_limit
				      : &package->board_limits[constraint];
	es_twin_cut(node);
	own->power_uw = (steps > POWER_STEPS_MAX ? POWER_STEPS_MAX : steps) * POWER_UNIT_UW;
	if (limit->window_us != own->window_us)
		own->window_us = register_us(limit->window_us);
	own->is_enabled = limit->is_enabled;
	es_twin_limits_apply(node);
	es_twin_replan(node);
	return 0;
}

int es_twin_limit(const struct es_twin_node *node, enum es_twin_part part, size_t i,
		  unsigned constraint, struct es_twin_limit *ret)
{
	const struct es_twin_package *package;

	if (!has_limit(node->kind, part, i, constraint))
		return -ENODATA;
	package = &node->packages[i];
	*ret = part == ES_TWIN_PACKAGE ? package->limits[constraint]
	       : part == ES_TWIN_DRAM  ? package->dram_limit
				       : package->board_limits[constraint];
	return 0;
}
