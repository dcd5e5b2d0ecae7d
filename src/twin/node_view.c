/*
 * node_view.c - what can be seen of a simulated node: clocks, temperatures, counts
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <string.h>

#include "twin/node_private.h"

#define DRAM_C_PER_W \
	0.6 /* of a package's DIMMs; chosen: DDR4 at full load stands about 20 °C above the air */
#define HBM_ABOVE_C 8.0 /* memory beside a GPU is warmer by so much when it works */

uint64_t es_twin_uncore_khz(const struct es_twin_node *node, unsigned package)
{
	return package < node->kind->n_packages
		       ? (uint64_t)(node->packages[package].uncore_mhz * 1000 + 0.5)
		       : 0;
}

static int64_t mc(double c)
{
	return (int64_t)floor(c * 1000 + 0.5);
}

/* Temperature at now, not at the segment's begin. */
static double present_c(const struct es_twin_node *node, const struct es_twin_average *heat,
			double c_per_w, double power_w)
{
	double dt_ns = (double)(node->now_ns - node->begin_ns);
	double mean_w = power_w + (heat->mean_w - power_w) * exp(-dt_ns / heat->window_ns);

	return node->ambient_c + c_per_w * mean_w;
}

int64_t es_twin_temperature_mc(const struct es_twin_node *node, enum es_twin_part part, size_t i)
{
	const struct es_twin_kind *kind = node->kind;

	if (part == ES_TWIN_GPU_CHIP && kind->gpu.n_chips) {
		part = ES_TWIN_GPU;
		i /= kind->gpu.n_chips;
	}
	if (part == ES_TWIN_GPU && i < kind->n_gpus)
		return mc(present_c(node, &node->gpus[i].heat, kind->gpu.c_per_w, node->gpu_w[i]));
	if (part == ES_TWIN_DRAM && i < kind->n_packages)
		return mc(node->ambient_c + DRAM_C_PER_W * node->dram_w[i]);
	if ((part == ES_TWIN_PACKAGE || part == ES_TWIN_CORES || part == ES_TWIN_GRAPHICS ||
	     part == ES_TWIN_MODULE) &&
	    i < kind->n_packages)
		return mc(present_c(node, &node->packages[i].averages[ES_TWIN_BY_HEAT],
				    kind->cpu.c_per_w, node->package_w[i]));
	return mc(node->ambient_c);
}

uint64_t es_twin_fan_rpm(const struct es_twin_node *node)
{
	return (uint64_t)(node->kind->fan_max_rpm * (0.3 + 0.7 * node->fan_share) + 0.5);
}

void es_twin_cpu_state(const struct es_twin_node *node, unsigned cpu, struct es_twin_cpu_state *ret)
{
	const struct es_twin_kind *kind = node->kind;
	unsigned n_all = kind->n_packages * kind->cpu.n_cores;
	double dt_ns = (double)(node->now_ns - node->begin_ns);
	const struct es_twin_core *core;
	const struct es_twin_class *class;
	double busy_ns, now_ns;

	*ret = (struct es_twin_cpu_state){ .idle_ns = node->now_ns - node->start_ns };
	if (cpu >= n_all) /* second threads rest */
		return;
	core = &node->cores[cpu];
	class = &node->classes[core->class];
	now_ns = class->loads ? class->busy * dt_ns : 0;
	busy_ns = core->busy_ns + class->busy_ns + now_ns;
	ret->busy_ns = (int64_t)busy_ns;
	ret->idle_ns -= ret->busy_ns;
	/* MHz·ns are thousandths of a cycle */
	ret->aperf = (uint64_t)((core->cycles_a + class->cycles_a + now_ns * class->mhz) / 1000);
	ret->mperf =
		(uint64_t)((core->cycles_m + class->cycles_m + now_ns * kind->cpu.base_mhz) / 1000);
}

void es_twin_throttle(const struct es_twin_node *node, unsigned package,
		      struct es_twin_throttle *ret)
{
	const struct es_twin_package *own;
	int64_t open_ns = node->now_ns - node->begin_ns;

	memset(ret, 0, sizeof(*ret));
	if (package >= node->kind->n_packages)
		return;
	own = &node->packages[package];
	*ret = own->throttle;
	ret->n_power += own->is_by_power && !ret->is_by_power;
	ret->n_heat += own->is_by_heat && !ret->is_by_heat;
	ret->is_by_power = own->is_by_power;
	ret->is_by_heat = own->is_by_heat;
	ret->power_ns += own->is_by_power ? open_ns : 0;
	ret->heat_ns += own->is_by_heat ? open_ns : 0;
}

static unsigned ppm(double share)
{
	return (unsigned)(fmin(1, share) * 1e6 + 0.5);
}

void es_twin_gpu_state(const struct es_twin_node *node, unsigned gpu, struct es_twin_gpu_state *ret)
{
	const struct es_twin_gpu *model = &node->kind->gpu;
	const struct es_twin_gpu_node *own;
	int64_t open_ns = node->now_ns - node->begin_ns;

	memset(ret, 0, sizeof(*ret));
	if (gpu >= node->kind->n_gpus)
		return;
	own = &node->gpus[gpu];
	*ret = (struct es_twin_gpu_state){
		.clock_mhz = (unsigned)(own->mhz + 0.5),
		.memory_mhz = own->is_idle ? model->memory_idle_mhz : model->memory_mhz,
		.busy_ppm = ppm(own->core_busy),
		.memory_busy_ppm = ppm(own->memory_busy),
		.fan_percent = (unsigned)(30 + 70 * node->fan_share + 0.5),
		.temperature_mc = es_twin_temperature_mc(node, ES_TWIN_GPU, gpu),
		.limit_mw = own->limit_mw,
		.lock_min_mhz = own->lock_min_mhz,
		.lock_max_mhz = own->lock_max_mhz,
		.is_idle = own->is_idle,
		.is_by_power = own->is_by_power,
		.is_by_heat = own->is_by_heat,
		.is_by_clock = !own->is_idle && own->asked_mhz < model->top_mhz,
		.power_ns = own->power_ns + (own->is_by_power ? open_ns : 0),
		.heat_ns = own->heat_ns + (own->is_by_heat ? open_ns : 0),
		.busy_ns = (int64_t)(own->busy_ns + fmin(1, own->core_busy) * (double)open_ns),
		.memory_busy_ns = (int64_t)(own->memory_busy_ns +
					    fmin(1, own->memory_busy) * (double)open_ns),
	};
	ret->memory_temperature_mc = ret->temperature_mc + mc(HBM_ABOVE_C * own->memory_busy);
	for (unsigned k = 0; k < model->n_instances; k++)
		ret->instance_busy_ppm[k] = ppm(own->instance_busy[k]);
}
