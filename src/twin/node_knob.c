/*
 * node_knob.c - knobs of a simulated node beside the clocks of its cores and the limits of RAPL
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>

#include "twin/node_private.h"

#define UNCORE_STEP_KHZ 100000U
#define UNCORE_STEPS_MAX 0x7fU /* 7 bits of MSR 0x620 */

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

/* As drivers/platform/x86/intel/uncore-frequency: whole ratios, what the hardware cannot do is taken and not done. */
int es_twin_set_uncore_range(struct es_twin_node *node, unsigned package, uint64_t min_khz,
			     uint64_t max_khz)
{
	uint64_t low = min_khz / UNCORE_STEP_KHZ, high = max_khz / UNCORE_STEP_KHZ;

	if (!node->kind->cpu.uncore_max_mhz || !node->kind->meters.has_uncore)
		return -EOPNOTSUPP;
	if (package >= node->kind->n_packages)
		return -ENODEV;
	if (!low || !high || low > UNCORE_STEPS_MAX || high > UNCORE_STEPS_MAX)
		return -EINVAL;
	es_twin_cut(node);
	node->packages[package].uncore_min_khz = low * UNCORE_STEP_KHZ;
	node->packages[package].uncore_max_khz = high * UNCORE_STEP_KHZ;
	node->needs_settle = true;
	es_twin_replan(node);
	return 0;
}

void es_twin_uncore_range(const struct es_twin_node *node, unsigned package, uint64_t *ret_min_khz,
			  uint64_t *ret_max_khz)
{
	const struct es_twin_cpu *cpu = &node->kind->cpu;
	uint64_t low = (uint64_t)cpu->uncore_min_mhz * 1000, high = cpu->uncore_max_mhz * 1000ULL;
	uint64_t max_khz = clamp(node->packages[package].uncore_max_khz, low, high);

	*ret_max_khz = max_khz;
	*ret_min_khz = clamp(node->packages[package].uncore_min_khz, low, max_khz);
}

int es_twin_set_gpu_limit(struct es_twin_node *node, unsigned gpu, uint64_t limit_mw)
{
	const struct es_twin_gpu *model = &node->kind->gpu;

	if (gpu >= node->kind->n_gpus)
		return -ENODEV;
	if (limit_mw < (uint64_t)model->limit_min_w * 1000 ||
	    limit_mw > (uint64_t)model->limit_max_w * 1000)
		return -EINVAL;
	es_twin_cut(node);
	node->gpus[gpu].limit_mw = limit_mw;
	es_twin_limits_apply(node);
	es_twin_replan(node);
	return 0;
}

/* The driver takes the next clock that the device has. */
static unsigned step_mhz(const struct es_twin_gpu *model, unsigned mhz)
{
	unsigned step = model->step_mhz ? model->step_mhz : 1;

	if (mhz <= model->min_mhz)
		return model->min_mhz;
	if (mhz >= model->top_mhz)
		return model->top_mhz;
	return model->top_mhz - (model->top_mhz - mhz + step / 2) / step * step;
}

int es_twin_set_gpu_clocks(struct es_twin_node *node, unsigned gpu, unsigned min_mhz,
			   unsigned max_mhz)
{
	const struct es_twin_gpu *model = &node->kind->gpu;
	bool is_free = !min_mhz && !max_mhz;

	if (gpu >= node->kind->n_gpus)
		return -ENODEV;
	if (min_mhz > max_mhz)
		return -EINVAL;
	es_twin_cut(node);
	node->gpus[gpu].lock_min_mhz = is_free ? 0 : step_mhz(model, min_mhz);
	node->gpus[gpu].lock_max_mhz = is_free ? 0 : step_mhz(model, max_mhz);
	node->needs_settle = true;
	es_twin_replan(node);
	return 0;
}

void es_twin_set_heat(struct es_twin_node *node, int64_t ambient_mc)
{
	double ambient_c = (double)ambient_mc / 1000, change_c = ambient_c - node->ambient_c;

	es_twin_cut(node);
	/* What is hot stays as hot at first. */
	for (unsigned p = 0; p < node->kind->n_packages; p++)
		node->packages[p].averages[ES_TWIN_BY_HEAT].mean_w -=
			change_c / node->kind->cpu.c_per_w;
	for (unsigned g = 0; g < node->kind->n_gpus; g++)
		node->gpus[g].heat.mean_w -= change_c / node->kind->gpu.c_per_w;
	node->ambient_c = ambient_c;
	es_twin_limits_apply(node);
	es_twin_replan(node);
}

int es_twin_set_prochot(struct es_twin_node *node, unsigned package, bool is_on)
{
	if (package >= node->kind->n_packages)
		return -ENODEV;
	es_twin_cut(node);
	node->packages[package].is_prochot = is_on;
	node->needs_settle = true;
	es_twin_replan(node);
	return 0;
}

static int apply_cores(struct es_twin_node *node, const struct es_twin_settings *settings)
{
	int r = settings->has_no_turbo ? es_twin_set_turbo(node, false) : 0;

	for (unsigned cpu = 0; r == 0 && settings->core_max_khz && cpu < es_twin_n_cpus(node->kind);
	     cpu++)
		r = es_twin_set_core_range(node, cpu, (uint64_t)node->kind->cpu.min_mhz * 1000,
					   settings->core_max_khz);
	return r;
}

static int apply_packages(struct es_twin_node *node, const struct es_twin_settings *settings)
{
	struct es_twin_limit limit;
	int r = 0;

	for (unsigned p = 0; r == 0 && p < node->kind->n_packages; p++) {
		if (settings->uncore_max_khz)
			r = es_twin_set_uncore_range(node, p,
						     node->kind->cpu.uncore_min_mhz * 1000ULL,
						     settings->uncore_max_khz);
		if (r == 0 && settings->package_limit_uw)
			r = es_twin_limit(node, ES_TWIN_PACKAGE, p, 0, &limit);
		if (r == 0 && settings->package_limit_uw) {
			limit.power_uw = settings->package_limit_uw;
			limit.is_enabled = true;
			r = es_twin_set_limit(node, ES_TWIN_PACKAGE, p, 0, &limit);
		}
	}
	return r;
}

static int apply_gpus(struct es_twin_node *node, const struct es_twin_settings *settings)
{
	int r = 0;

	if (!node->kind->n_gpus && (settings->gpu_limit_mw || settings->gpu_max_mhz))
		return -ENODEV;
	for (unsigned g = 0; r == 0 && g < node->kind->n_gpus; g++) {
		if (settings->gpu_limit_mw)
			r = es_twin_set_gpu_limit(node, g, settings->gpu_limit_mw);
		if (r == 0 && settings->gpu_max_mhz)
			r = es_twin_set_gpu_clocks(node, g, node->kind->gpu.min_mhz,
						   settings->gpu_max_mhz);
	}
	return r;
}

int es_twin_apply(struct es_twin_node *node, const struct es_twin_settings *settings)
{
	int r;

	if (!settings)
		return 0;
	node->hold++; /* one plan for all */
	r = apply_cores(node, settings);
	if (r == 0)
		r = apply_packages(node, settings);
	if (r == 0)
		r = apply_gpus(node, settings);
	node->hold--;
	es_twin_replan(node);
	return r;
}
