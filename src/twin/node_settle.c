/*
 * node_settle.c - the operating point of a simulated node: the highest clocks that are asked for and keep every limit
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>

#include "twin/node_private.h"

#define STEPS_MAX 40
#define NEAR 1e-5 /* relative: so near to what is allowed is good enough */
#define MEMORY_LEAST 0.02 /* a limit of the memory slows it down to this share at most */
#define PACKAGES_LEAST 0.01 /* likewise a limit of the board its packages */
/* How strongly time in memory follows the clock of the uncore. Chosen within the 0.5..1 that Haswell to Skylake show with STREAM. */
#define UNCORE_POWER 0.7

/** struct question - watts of something by a number that they grow with */
struct question {
	struct es_twin_node *node;
	unsigned i;
	double (*watts)(const struct question *question, double x);
	double low, high;
	struct es_twin_guess *guess; /* of the last answer */
};

static double next_guess(const struct question *question, double x, double missing_w)
{
	double slope = question->guess->w_per_x;

	return slope > 0 ? x + missing_w / slope : missing_w > 0 ? INFINITY : -INFINITY;
}

/*
 * The largest x at which no more than @allowed_w is drawn; INFINITY: any, low: even there more is. The node is left there (or
 * at high). Secant steps from the last answer, as limits are asked for again and again with little change; halving where they
 * lead astray.
 */
static double largest(const struct question *question, double allowed_w)
{
	struct es_twin_guess *guess = question->guess;
	double low = question->low, high = question->high, before = 0, before_w = 0;
	double x = guess->x > low && guess->x < high ? guess->x : high;
	bool knows_low = false, knows_high = false;

	for (unsigned i = 0; i < STEPS_MAX; i++) {
		double w = question->watts(question, x), next;

		if (x >= question->high && w <= allowed_w)
			return INFINITY;
		if (i > 0 && fabs(x - before) > NEAR * x)
			guess->w_per_x = (w - before_w) / (x - before);
		guess->x = x;
		if (fabs(w - allowed_w) <= NEAR * allowed_w)
			return x;
		if (w > allowed_w) {
			high = x;
			knows_high = true;
		} else {
			low = x;
			knows_low = true;
		}
		next = next_guess(question, x, allowed_w - w);
		before = x;
		before_w = w;
		if (next >= high && !knows_high) {
			x = high;
		} else if (next <= low && !knows_low) {
			knows_low = true;
			if (question->watts(question, low) >= allowed_w)
				return low;
			x = (low + high) / 2;
		} else {
			x = next > low && next < high ? next : (low + high) / 2;
		}
	}
	(void)question->watts(question, low);
	return low;
}

static void pace(struct es_twin_node *node, struct es_twin_load *load, uint32_t bit)
{
	double core_mhz = INFINITY, gpu_mhz = INFINITY;

	for (size_t i = 0; i < node->n_classes; i++) {
		if (node->classes[i].loads & bit)
			core_mhz = es_twin_least(core_mhz, node->classes[i].mhz);
	}
	for (uint32_t left = load->gpus; left; left &= left - 1)
		gpu_mhz = es_twin_least(gpu_mhz, node->gpus[__builtin_ctz(left)].mhz);
	es_twin_load_times(node, load, core_mhz, gpu_mhz);
}

static void pace_all(struct es_twin_node *node)
{
	for (uint32_t left = node->active; left; left &= left - 1)
		pace(node, &node->loads[__builtin_ctz(left)], left & -left);
}

static void powers_all(struct es_twin_node *node)
{
	pace_all(node);
	for (unsigned p = 0; p < node->kind->n_packages; p++)
		es_twin_package_powers(node, p);
	for (unsigned g = 0; g < node->kind->n_gpus; g++)
		es_twin_gpu_powers(node, g);
}

static void set_ceiling(struct es_twin_node *node, unsigned p, double mhz)
{
	struct es_twin_package *package = &node->packages[p];

	package->ceiling_mhz = mhz;
	for (size_t i = package->class_begin; i < package->class_end; i++)
		node->classes[i].mhz = es_twin_least(node->classes[i].asked_mhz, mhz);
}

static double package_at(const struct question *question, double mhz)
{
	set_ceiling(question->node, question->i, mhz);
	pace_all(question->node);
	es_twin_package_powers(question->node, question->i);
	return es_twin_package_w(question->node, question->i);
}

static double fastest_mhz(const struct es_twin_node *node, unsigned p)
{
	double mhz = 0;

	for (size_t i = node->packages[p].class_begin; i < node->packages[p].class_end; i++) {
		if (node->classes[i].loads)
			mhz = es_twin_most(mhz, node->classes[i].asked_mhz);
	}
	return mhz;
}

/* Holds a package to what it is allowed; returns whether that needed anything. */
static bool hold_package(struct es_twin_node *node, unsigned p)
{
	struct es_twin_package *package = &node->packages[p];
	struct question question = {
		.node = node,
		.i = p,
		.watts = package_at,
		.low = node->kind->cpu.min_mhz,
		.high = fastest_mhz(node, p),
		.guess = &package->clock_guess,
	};
	double allowed_w;
	bool is_by_heat;

	package->is_by_power = false;
	package->is_by_heat = package->is_prochot;
	package->held_uw = UINT64_MAX;
	package->ceiling_mhz = INFINITY;
	if (package->is_prochot) {
		(void)package_at(&question, question.low);
		return true;
	}
	allowed_w = es_twin_package_allowed_w(node, p, &is_by_heat);
	if (isinf(allowed_w) || !(question.high > 0))
		return false;
	if (isinf(largest(&question, allowed_w))) {
		package->ceiling_mhz = INFINITY;
		return false;
	}
	package->is_by_power = !is_by_heat;
	package->is_by_heat = is_by_heat;
	if (es_twin_package_w(node, p) <= allowed_w * (1 + 2 * NEAR))
		package->held_uw = (uint64_t)(allowed_w * 1e6);
	return true;
}

static double gpu_at(const struct question *question, double mhz)
{
	question->node->gpus[question->i].mhz = mhz;
	pace_all(question->node);
	es_twin_gpu_powers(question->node, question->i);
	return es_twin_gpu_w(question->node, question->i);
}

static bool hold_gpu(struct es_twin_node *node, unsigned g)
{
	struct es_twin_gpu_node *gpu = &node->gpus[g];
	struct question question = {
		.node = node,
		.i = g,
		.watts = gpu_at,
		.low = node->kind->gpu.min_mhz,
		.high = gpu->asked_mhz,
		.guess = &gpu->guess,
	};
	double allowed_w;
	bool is_by_heat;

	gpu->is_by_power = gpu->is_by_heat = false;
	gpu->held_uw = UINT64_MAX;
	allowed_w = es_twin_gpu_allowed_w(node, g, &is_by_heat);
	if (gpu->is_idle || isinf(allowed_w))
		return false;
	if (isinf(largest(&question, allowed_w)))
		return false;
	gpu->is_by_power = !is_by_heat;
	gpu->is_by_heat = is_by_heat;
	if (es_twin_gpu_w(node, g) <= allowed_w * (1 + 2 * NEAR))
		gpu->held_uw = (uint64_t)(allowed_w * 1e6);
	return true;
}

static double dram_at(const struct question *question, double share)
{
	question->node->packages[question->i].memory_stretch = 1 / share;
	pace_all(question->node);
	es_twin_package_powers(question->node, question->i);
	return es_twin_dram_w(question->node, question->i);
}

static bool hold_dram(struct es_twin_node *node, unsigned p)
{
	struct es_twin_package *package = &node->packages[p];
	double allowed_w = es_twin_allowed_w(node, &package->dram_average);
	struct question question = {
		.node = node,
		.i = p,
		.watts = dram_at,
		.low = MEMORY_LEAST,
		.high = 1,
		.guess = &package->memory_guess,
	};

	package->dram_held_uw = UINT64_MAX;
	package->memory_stretch = 1;
	if (isinf(allowed_w))
		return false;
	if (isinf(largest(&question, allowed_w)) || package->bandwidth <= 0)
		return false;
	if (es_twin_dram_w(node, p) <= allowed_w * (1 + 2 * NEAR))
		package->dram_held_uw = (uint64_t)(allowed_w * 1e6);
	return true;
}

static bool hold_packages(struct es_twin_node *node)
{
	unsigned n_held = 0, n = node->kind->n_packages;
	double slowest_mhz = INFINITY;

	for (unsigned p = 0; p < n; p++)
		n_held += hold_package(node, p);
	/* Those that were looked at first did not know yet how slow the others make their programs. */
	for (unsigned p = n; n_held > 1 && p-- > 0;) {
		if (slowest_mhz < node->packages[p].ceiling_mhz)
			(void)hold_package(node, p);
		slowest_mhz = es_twin_least(slowest_mhz, node->packages[p].ceiling_mhz);
	}
	return n_held > 0;
}

static double board_at(const struct question *question, double share)
{
	struct es_twin_node *node = question->node;

	for (unsigned p = 0; p < node->kind->n_packages; p++)
		node->packages[p].extra_cap_w = node->packages[p].free_w * share;
	(void)hold_packages(node);
	powers_all(node);
	es_twin_columns(node);
	return node->board_w;
}

/* A limit of the board (psys) is kept by its packages, each by the same share of what it would draw. */
static bool hold_board(struct es_twin_node *node)
{
	double allowed_w = es_twin_board_allowed_w(node);
	struct question question = {
		.node = node,
		.watts = board_at,
		.low = PACKAGES_LEAST,
		.high = 1,
		.guess = &node->board_guess,
	};

	if (isinf(allowed_w))
		return false;
	powers_all(node);
	es_twin_columns(node);
	if (node->board_w <= allowed_w)
		return false;
	for (unsigned p = 0; p < node->kind->n_packages; p++)
		node->packages[p].free_w = node->package_w[p];
	(void)largest(&question, allowed_w);
	return true;
}

static void ask(struct es_twin_node *node)
{
	const struct es_twin_kind *kind = node->kind;

	for (unsigned p = 0; p < kind->n_packages; p++) {
		struct es_twin_package *package = &node->packages[p];
		uint64_t low_khz, high_khz;

		package->extra_cap_w = INFINITY;
		package->uncore_mhz = 0;
		package->uncore_stretch = 1;
		for (size_t i = package->class_begin; i < package->class_end; i++)
			node->classes[i].mhz = node->classes[i].asked_mhz;
		if (!kind->cpu.uncore_max_mhz)
			continue;
		es_twin_uncore_range(node, p, &low_khz, &high_khz);
		package->uncore_mhz = (double)(package->n_active ? high_khz : low_khz) / 1000;
		if (high_khz < (uint64_t)kind->cpu.uncore_max_mhz * 1000)
			package->uncore_stretch = pow(
				kind->cpu.uncore_max_mhz * 1e3 / (double)high_khz, UNCORE_POWER);
	}
	for (unsigned g = 0; g < kind->n_gpus; g++) {
		struct es_twin_gpu_node *gpu = &node->gpus[g];
		double low = es_twin_most(kind->gpu.min_mhz, gpu->lock_min_mhz);

		gpu->is_idle = gpu->loads == 0;
		gpu->asked_mhz = gpu->lock_max_mhz ? gpu->lock_max_mhz : kind->gpu.top_mhz;
		if (gpu->is_idle)
			gpu->asked_mhz = es_twin_most(kind->gpu.idle_mhz, gpu->lock_min_mhz);
		else
			gpu->asked_mhz = es_twin_most(gpu->asked_mhz, low);
		gpu->mhz = gpu->asked_mhz;
	}
}

void es_twin_settle(struct es_twin_node *node)
{
	bool is_held = false;

	ask(node);
	for (unsigned g = 0; g < node->kind->n_gpus; g++)
		is_held |= hold_gpu(node, g);
	for (unsigned p = 0; p < node->kind->n_packages; p++)
		is_held |= hold_dram(node, p);
	is_held |= hold_packages(node);
	is_held |= hold_board(node);
	powers_all(node);
	node->is_held = is_held;
	node->needs_settle = false;
}
