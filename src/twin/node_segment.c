/*
 * node_segment.c - a simulated node's life, one stretch of constant power after the other
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Where a segment ends depends on nothing but the node, its knobs and its loads: never on when somebody looks.
 */
#include <math.h>
#include <string.h>

#include "twin/node_private.h"

#define STEP_C 0.1 /* temperatures may move so far within a segment */
#define NOISE_STEP_NS 1e8 /* what es_twin_kind.noise_ppm is about */
#define NOISE_TIME_NS \
	3e8 /* how long noise remembers; chosen: load changes of programs and voltage regulators are of that order */

static uint64_t rotate(uint64_t x, unsigned n)
{
	return (x << n) | (x >> (64 - n));
}

/* xoshiro256** of Blackman and Vigna (public domain) */
static uint64_t next_random(uint64_t state[4])
{
	uint64_t result = rotate(state[1] * 5, 7) * 9, t = state[1] << 17;

	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= t;
	state[3] = rotate(state[3], 45);
	return result;
}

/* Mean 0, deviation 1: four uniform numbers added up are near enough to a normal one, and never wild. */
static double draw(struct es_twin_node *node)
{
	uint64_t bits = next_random(node->random);
	uint64_t sum =
		(bits & 0xffff) + ((bits >> 16) & 0xffff) + ((bits >> 32) & 0xffff) + (bits >> 48);

	return ((double)sum - 2 * 65535.0) / 37837.227;
}

/* Deviation of means over longer times than NOISE_STEP_NS, so that a slower twin has the same noise. */
void es_twin_noise_init(struct es_twin_node *node, uint64_t seed)
{
	double n = (double)node->settled_ns / NOISE_STEP_NS, ratio = 1;
	double kept = exp(-NOISE_STEP_NS / NOISE_TIME_NS);

	for (unsigned i = 0; i < 4; i++) { /* splitmix64 */
		uint64_t x = seed += UINT64_C(0x9e3779b97f4a7c15);

		x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
		node->random[i] = x ^ (x >> 31);
	}
	if (n > 1)
		ratio = ((1 + kept) / (1 - kept) -
			 2 * kept * (1 - pow(kept, n)) / (n * (1 - kept) * (1 - kept))) /
			n;
	node->noise_sigma = node->kind->noise_ppm * 1e-6 * sqrt(ratio);
	node->noise_kept = exp(-(double)node->settled_ns / NOISE_TIME_NS);
	node->noise_fresh = node->noise_sigma * sqrt(1 - node->noise_kept * node->noise_kept);
	node->noise_ns = node->start_ns;
}

static void renew(struct es_twin_node *node, struct es_twin_noise *noise)
{
	noise->now = noise->now * node->noise_kept + node->noise_fresh * draw(node);
}

static void make_noise(struct es_twin_node *node)
{
	node->noise_ns += node->settled_ns;
	if (node->is_quiet)
		return;
	for (unsigned p = 0; p < node->kind->n_packages; p++) {
		renew(node, &node->packages[p].cores_noise);
		renew(node, &node->packages[p].other_noise);
		renew(node, &node->packages[p].dram_noise);
	}
	for (unsigned g = 0; g < node->kind->n_gpus; g++) {
		for (unsigned k = 0; k < node->kind->gpu.n_chips; k++)
			renew(node, &node->gpus[g].noise[k]);
	}
}

/* For so long @average's temperature moves by less than STEP_C. */
static double calm_ns(const struct es_twin_average *average, double power_w, double c_per_w,
		      double most_ns)
{
	double ahead_c = fabs(power_w - average->mean_w) * c_per_w;

	return ahead_c * most_ns <= STEP_C * average->window_ns
		       ? most_ns
		       : STEP_C * average->window_ns / ahead_c;
}

static double length_ns(const struct es_twin_node *node)
{
	const struct es_twin_kind *kind = node->kind;
	double most_ns = (double)(node->noise_ns - node->begin_ns), ns = most_ns;

	for (unsigned p = 0; p < kind->n_packages; p++)
		ns = calm_ns(&node->packages[p].averages[ES_TWIN_BY_HEAT], node->package_w[p],
			     kind->cpu.c_per_w, ns);
	for (unsigned g = 0; g < kind->n_gpus; g++)
		ns = calm_ns(&node->gpus[g].heat, node->gpu_w[g], kind->gpu.c_per_w, ns);
	ns = es_twin_least(most_ns, es_twin_most(ns, (double)node->quantum_ns));
	return es_twin_averages_fill_ns(node, ns);
}

void es_twin_plan(struct es_twin_node *node)
{
	int64_t length;

	if (node->begin_ns >= node->noise_ns)
		make_noise(node);
	if (node->needs_arrange) {
		es_twin_loads_place(node);
		es_twin_classes_arrange(node);
		node->needs_arrange = false;
		node->needs_settle = true;
	}
	if (node->needs_settle || node->is_held)
		es_twin_settle(node);
	es_twin_columns(node);
	if (es_twin_is_over(node)) {
		es_twin_settle(node);
		es_twin_columns(node);
	}
	length = (int64_t)ceil(length_ns(node));
	node->end_ns = node->begin_ns + (length > 1 ? length : 1);
	for (uint32_t left = node->active; left; left &= left - 1) {
		struct es_twin_load *load = &node->loads[__builtin_ctz(left)];
		double rest_ns = (1 - load->done) * load->now.period_ns;

		if (rest_ns > 4e18)
			rest_ns = 4e18;
		load->phase_end_ns = node->begin_ns + (int64_t)(rest_ns + 0.5);
		if (load->phase_end_ns <= node->begin_ns)
			load->phase_end_ns = node->begin_ns + 1;
		if (load->phase_end_ns < node->end_ns)
			node->end_ns = load->phase_end_ns;
	}
}

static void push_edge(struct es_twin_node *node, int64_t dt_ns)
{
	size_t n = node->n_columns, next = node->edge + 1;
	es_u128 *from = &node->edges_fj[node->edge * n], *to;

	if (next == node->n_edges_max)
		next = 0;
	to = &node->edges_fj[next * n];
	for (size_t i = 0; i < n; i++)
		to[i] = from[i] + (es_u128)node->power_uw[i] * (uint64_t)dt_ns;
	memcpy(&node->edges_uw[next * n], node->power_uw, n * sizeof(*node->edges_uw));
	node->edges_ns[next] = node->begin_ns + dt_ns;
	node->edge = next;
	if (node->n_edges < node->n_edges_max)
		node->n_edges++;
}

static void pass_cores(struct es_twin_node *node, double dt_ns)
{
	double base_mhz = node->kind->cpu.base_mhz;

	for (size_t i = 0; i < node->n_classes; i++) {
		struct es_twin_class *class = &node->classes[i];
		double busy_ns = class->loads ? class->busy * dt_ns : 0;

		class->busy_ns += busy_ns;
		class->cycles_a += busy_ns * class->mhz;
		class->cycles_m += busy_ns * base_mhz;
	}
}

static void pass_held(struct es_twin_node *node, int64_t dt_ns)
{
	for (unsigned p = 0; p < node->kind->n_packages; p++) {
		struct es_twin_package *package = &node->packages[p];

		package->throttle.n_power += package->is_by_power && !package->throttle.is_by_power;
		package->throttle.n_heat += package->is_by_heat && !package->throttle.is_by_heat;
		package->throttle.is_by_power = package->is_by_power;
		package->throttle.is_by_heat = package->is_by_heat;
		package->throttle.power_ns += package->is_by_power ? dt_ns : 0;
		package->throttle.heat_ns += package->is_by_heat ? dt_ns : 0;
	}
	for (unsigned g = 0; g < node->kind->n_gpus; g++) {
		struct es_twin_gpu_node *gpu = &node->gpus[g];

		gpu->power_ns += gpu->is_by_power ? dt_ns : 0;
		gpu->busy_ns += fmin(1, gpu->core_busy) * (double)dt_ns;
		gpu->memory_busy_ns += fmin(1, gpu->memory_busy) * (double)dt_ns;
		gpu->heat_ns += gpu->is_by_heat ? dt_ns : 0;
	}
}

static void pass(struct es_twin_node *node, int64_t end_ns)
{
	int64_t dt_ns = end_ns - node->begin_ns;

	push_edge(node, dt_ns);
	es_twin_averages_pass(node, dt_ns);
	pass_cores(node, (double)dt_ns);
	pass_held(node, dt_ns);
	node->begin_ns = end_ns;
	for (uint32_t left = node->active; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);
		struct es_twin_load *load = &node->loads[i];

		if (end_ns >= load->phase_end_ns)
			es_twin_load_next(node, i, end_ns);
		else
			load->done += (double)dt_ns / load->now.period_ns;
	}
}

void es_twin_advance(struct es_twin_node *node, int64_t t_ns)
{
	while (node->end_ns <= t_ns) {
		pass(node, node->end_ns);
		es_twin_plan(node);
	}
	if (t_ns > node->now_ns)
		node->now_ns = t_ns;
}

void es_twin_cut(struct es_twin_node *node)
{
	if (node->now_ns > node->begin_ns)
		pass(node, node->now_ns);
}

void es_twin_replan(struct es_twin_node *node)
{
	if (node->hold)
		return;
	es_twin_cut(node);
	es_twin_plan(node);
}
