/*
 * node_power.c - what the parts of a simulated node draw at given clocks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>

#include "twin/node_private.h"

/*
 * Dynamic power of a core, relative to one that computes: while it waits for memory, spins in a barrier or a message, waits for
 * a GPU. Chosen: a core that stalls or spins retires little, but does not sleep.
 */
#define STALLED 0.40
#define SPINNING 0.45
#define HOSTING 0.05
/* Of what a package draws awake this share stands as soon as one core is; the rest goes with the number of cores. */
#define COMMON_SHARE 0.5
/* Of the uncore's power this share is drawn without memory traffic. */
#define UNCORE_STANDING 0.4
#define LEAK_REFERENCE_C 50.0

double es_twin_curve_share(const struct es_twin_curve *curve, double mhz, double reference_mhz)
{
	double volts = 1 + curve->rise_per_mhz * es_twin_most(0, mhz - curve->ridge_mhz);
	double reference =
		1 + curve->rise_per_mhz * es_twin_most(0, reference_mhz - curve->ridge_mhz);

	return mhz / reference_mhz * (volts / reference) * (volts / reference);
}

/* What @load makes of a core at @mhz: mean activity, and the share of the time that it is awake. */
static void add_load(const struct es_twin_load *load, double mhz, double *activity, double *awake)
{
	const struct es_twin_phase *phase = es_twin_load_phase(load);
	const struct es_twin_shares *now = &load->now;
	double cpu = now->cpu * es_twin_least(1, now->slowest_mhz / mhz), waits = now->cpu - cpu;
	double memory = now->memory, communication = now->communication;
	double gpu = es_twin_least(1, now->gpu + now->gpu_memory);

	if (phase->time == ES_TWIN_OVERLAPPING) {
		/* One core does one thing at a time: it computes, else waits for memory, else for others. */
		memory = es_twin_least(memory, 1 - cpu);
		waits = es_twin_least(waits, 1 - cpu - memory);
		communication = es_twin_least(communication, 1 - cpu - memory - waits);
		gpu = es_twin_least(gpu, 1 - cpu - memory - waits - communication);
	}
	*activity += load->core_share *
		     (phase->cpu_activity * cpu + STALLED * phase->memory_activity * memory +
		      SPINNING * (waits + communication) + HOSTING * gpu);
	*awake += load->core_share * (cpu + waits + memory + communication + HOSTING * gpu);
}

static void class_activity(const struct es_twin_node *node, struct es_twin_class *class)
{
	double activity = 0, awake = 0;

	for (uint32_t left = class->loads; left; left &= left - 1)
		add_load(&node->loads[__builtin_ctz(left)], class->mhz, &activity, &awake);
	class->activity = activity;
	class->busy = es_twin_least(1, awake);
}

/* Share of a package's memory bandwidth that is in use. */
static double bandwidth(const struct es_twin_node *node, unsigned package)
{
	double sum = 0;

	for (uint32_t left = node->active; left; left &= left - 1) {
		const struct es_twin_load *load = &node->loads[__builtin_ctz(left)];

		if (load->now.memory > 0)
			sum += load->core_share * load->n_cores_of[package] * load->now.memory *
			       es_twin_load_phase(load)->memory_activity / load->now.stretch;
	}
	return es_twin_least(1, sum / node->kind->cpu.n_cores);
}

void es_twin_package_powers(struct es_twin_node *node, unsigned i)
{
	const struct es_twin_cpu *cpu = &node->kind->cpu;
	struct es_twin_package *package = &node->packages[i];
	double any = 0, all = 0, moving = 0, uncore = 1;
	double reference_mhz = es_twin_cpu_reference_mhz(cpu);

	for (size_t k = package->class_begin; k < package->class_end; k++) {
		struct es_twin_class *class = &node->classes[k];
		double share = (double)class->n / cpu->n_cores;

		if (!class->loads)
			continue;
		class_activity(node, class);
		any = es_twin_most(any, class->busy);
		all += share * class->busy;
		moving += share * class->activity *
			  es_twin_curve_share(&cpu->cores, class->mhz, reference_mhz);
	}
	if (cpu->uncore_max_mhz) {
		uncore = package->uncore_mhz / cpu->uncore_max_mhz;
		uncore *= (0.5 + 0.5 * uncore) * (0.5 + 0.5 * uncore); /* voltage follows */
	}
	package->awake = any;
	package->bandwidth = bandwidth(node, i);
	package->cores_w = cpu->cores.dynamic_w * moving;
	package->cores_still_w = (cpu->awake_w - cpu->idle_w) * (1 - COMMON_SHARE) * all;
	package->cores_leak_w = cpu->awake_w * cpu->leak_per_c * (1 - COMMON_SHARE) * all;
	package->other_w = cpu->uncore_w * uncore *
			   (UNCORE_STANDING * any + (1 - UNCORE_STANDING) * package->bandwidth);
	package->other_still_w = cpu->idle_w + (cpu->awake_w - cpu->idle_w) * COMMON_SHARE * any;
	package->other_leak_w = cpu->awake_w * cpu->leak_per_c * COMMON_SHARE * any;
	package->dram_w = cpu->dram_busy_w * package->bandwidth;
}

static double now_w(double moving_w, const struct es_twin_noise *noise, double still_w,
		    double leak_w, double above_c)
{
	return es_twin_most(0, moving_w * (1 + noise->now) + still_w + leak_w * above_c);
}

double es_twin_package_c(const struct es_twin_node *node, unsigned i)
{
	return node->ambient_c +
	       node->kind->cpu.c_per_w * node->packages[i].averages[ES_TWIN_BY_HEAT].mean_w;
}

double es_twin_gpu_c(const struct es_twin_node *node, unsigned i)
{
	return node->ambient_c + node->kind->gpu.c_per_w * node->gpus[i].heat.mean_w;
}

static double cores_w(const struct es_twin_package *package, double above_c)
{
	return now_w(package->cores_w, &package->cores_noise, package->cores_still_w,
		     package->cores_leak_w, above_c);
}

static double other_w(const struct es_twin_package *package, double above_c)
{
	return now_w(package->other_w, &package->other_noise, package->other_still_w,
		     package->other_leak_w, above_c);
}

double es_twin_package_w(const struct es_twin_node *node, unsigned i)
{
	const struct es_twin_package *package = &node->packages[i];
	double above_c = es_twin_package_c(node, i) - LEAK_REFERENCE_C;

	return cores_w(package, above_c) + other_w(package, above_c) +
	       node->kind->cpu.graphics_idle_w;
}

double es_twin_dram_w(const struct es_twin_node *node, unsigned i)
{
	const struct es_twin_package *package = &node->packages[i];

	return node->kind->cpu.dram_idle_w + package->dram_w * (1 + package->dram_noise.now);
}

static double weight(const struct es_twin_gpu *gpu, const struct es_twin_load *load)
{
	if (!gpu->n_instances)
		return 1;
	return (load->gpu_instance ? 1.0 : gpu->n_instances) * gpu->instance_slices / 7.0;
}

static void instance_busy(const struct es_twin_gpu *model, struct es_twin_gpu_node *gpu,
			  const struct es_twin_load *load, double busy)
{
	for (unsigned k = 0; k < model->n_instances; k++) {
		if (!load->gpu_instance || load->gpu_instance == k + 1)
			gpu->instance_busy[k] = es_twin_least(1, gpu->instance_busy[k] + busy);
	}
}

void es_twin_gpu_powers(struct es_twin_node *node, unsigned i)
{
	const struct es_twin_gpu *model = &node->kind->gpu;
	struct es_twin_gpu_node *gpu = &node->gpus[i];
	double core_activity = 0, memory_activity = 0;

	gpu->core_busy = gpu->memory_busy = 0;
	for (unsigned k = 0; k < model->n_instances; k++)
		gpu->instance_busy[k] = 0;
	for (uint32_t left = gpu->loads; left; left &= left - 1) {
		const struct es_twin_load *load = &node->loads[__builtin_ctz(left)];
		const struct es_twin_phase *phase = es_twin_load_phase(load);
		double part = weight(model, load);
		/* A GPU that is faster than another of the program waits for it. */
		double busy = load->now.gpu *
			      es_twin_least(1, load->now.slowest_gpu_mhz / gpu->mhz) /
			      load->gpu_sharers;
		double moves = load->now.gpu_memory / load->gpu_sharers;
		double both = phase->time == ES_TWIN_ADDITIVE ? busy + moves
							      : es_twin_most(busy, moves);

		gpu->core_busy += part * both;
		gpu->memory_busy += part * moves;
		core_activity += part * busy * phase->gpu_activity;
		memory_activity += part * moves * phase->gpu_memory_activity;
		instance_busy(model, gpu, load, both);
	}
	gpu->core_busy = es_twin_least(1, gpu->core_busy);
	gpu->memory_busy = es_twin_least(1, gpu->memory_busy);
	gpu->still_w = gpu->is_idle ? model->idle_w : model->awake_w;
	gpu->leak_w = gpu->is_idle ? 0 : model->awake_w * model->leak_per_c;
	gpu->moving_w = model->cores.dynamic_w * core_activity *
				es_twin_curve_share(&model->cores, gpu->mhz, model->top_mhz) +
			model->memory_w * es_twin_least(1, memory_activity);
}

double es_twin_gpu_w(const struct es_twin_node *node, unsigned i)
{
	const struct es_twin_gpu_node *gpu = &node->gpus[i];
	double above_c = es_twin_gpu_c(node, i) - LEAK_REFERENCE_C, sum = 0;
	unsigned n = node->kind->gpu.n_chips;

	for (unsigned k = 0; k < n; k++)
		sum += now_w(gpu->moving_w, &gpu->noise[k], gpu->still_w, gpu->leak_w, above_c) / n;
	return sum;
}

static uint64_t uw(double w)
{
	return (uint64_t)(w * 1e6 + 0.5);
}

/* Where a limit is kept it is kept to the µW. */
static void package_columns(struct es_twin_node *node, unsigned i)
{
	struct es_twin_package *package = &node->packages[i];
	double above_c = es_twin_package_c(node, i) - LEAK_REFERENCE_C;
	uint64_t cores_uw = uw(cores_w(package, above_c)), other_uw = uw(other_w(package, above_c));
	uint64_t graphics_uw = uw(node->kind->cpu.graphics_idle_w), dram_uw, sum_uw;

	sum_uw = cores_uw + other_uw + graphics_uw;
	if (sum_uw > package->held_uw && sum_uw - package->held_uw < cores_uw)
		cores_uw -= sum_uw - package->held_uw;
	dram_uw = uw(es_twin_dram_w(node, i));
	if (dram_uw > package->dram_held_uw)
		dram_uw = package->dram_held_uw;
	node->power_uw[package->cores] = cores_uw;
	node->power_uw[package->other] = other_uw;
	if (package->graphics < ES_TWIN_COLUMNS_MAX)
		node->power_uw[package->graphics] = graphics_uw;
	node->power_uw[package->dram] = dram_uw;
	if (package->sysio < ES_TWIN_COLUMNS_MAX)
		node->power_uw[package->sysio] = uw(node->kind->sysio_w);
	node->package_w[i] = (double)(cores_uw + other_uw + graphics_uw) / 1e6;
	node->dram_w[i] = (double)dram_uw / 1e6;
}

static void gpu_columns(struct es_twin_node *node, unsigned i)
{
	const struct es_twin_gpu_node *gpu = &node->gpus[i];
	double above_c = es_twin_gpu_c(node, i) - LEAK_REFERENCE_C;
	unsigned n = node->kind->gpu.n_chips;
	uint64_t sum_uw = 0;

	for (unsigned k = 0; k < n; k++) {
		uint64_t power_uw = uw(
			now_w(gpu->moving_w, &gpu->noise[k], gpu->still_w, gpu->leak_w, above_c) /
			n);

		if (sum_uw + power_uw > gpu->held_uw)
			power_uw = gpu->held_uw > sum_uw ? gpu->held_uw - sum_uw : 0;
		node->power_uw[gpu->column + k] = power_uw;
		sum_uw += power_uw;
	}
	node->gpu_w[i] = (double)sum_uw / 1e6;
}

/* Fans follow the part that is nearest to its highest temperature; their power its cube. */
static double fans_w(struct es_twin_node *node)
{
	const struct es_twin_kind *kind = node->kind;
	double share = 0;

	for (unsigned p = 0; p < kind->n_packages; p++)
		share = es_twin_most(share, (es_twin_package_c(node, p) - 45) /
						    ((double)kind->cpu.hottest_mc / 1000 - 55));
	for (unsigned g = 0; g < kind->n_gpus; g++)
		share = es_twin_most(share, (es_twin_gpu_c(node, g) - 45) /
						    ((double)kind->gpu.hottest_mc / 1000 - 55));
	node->fan_share = es_twin_least(share, 1);
	return kind->fan_min_w + (kind->fan_max_w - kind->fan_min_w) * node->fan_share *
					 node->fan_share * node->fan_share;
}

/* Loss of the power supplies at @board_w: by their efficiency, in between linear, below 10 % half of it standing. */
static double loss_w(const struct es_twin_kind *kind, double board_w)
{
	static const double loads[] = { 0.1, 0.2, 0.5, 1.0 };
	const double *efficiency = kind->supply_efficiency;
	double load, at = efficiency[3];

	if (kind->supply_w <= 0)
		return 0;
	load = board_w / kind->supply_w;
	if (load < loads[0]) {
		double least_w = kind->supply_w * loads[0] * (1 / efficiency[0] - 1);

		return least_w * (0.5 + 0.5 * load / loads[0]);
	}
	for (unsigned i = 0; i < 3; i++) {
		if (load <= loads[i + 1]) {
			at = efficiency[i] + (efficiency[i + 1] - efficiency[i]) *
						     (load - loads[i]) / (loads[i + 1] - loads[i]);
			break;
		}
	}
	return board_w * (1 / at - 1);
}

void es_twin_columns(struct es_twin_node *node)
{
	const struct es_twin_kind *kind = node->kind;
	uint64_t board_uw = 0;

	for (unsigned p = 0; p < kind->n_packages; p++)
		package_columns(node, p);
	for (unsigned g = 0; g < kind->n_gpus; g++)
		gpu_columns(node, g);
	node->power_uw[node->fans] = uw(fans_w(node));
	node->power_uw[node->rest] = uw(kind->rest_w);
	for (unsigned i = 0; i < node->loss; i++)
		board_uw += node->power_uw[i];
	node->board_w = (double)board_uw / 1e6;
	node->power_uw[node->loss] = uw(loss_w(kind, node->board_w));
}
