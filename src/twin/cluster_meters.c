/*
 * cluster_meters.c - which meters are read on the nodes of a simulated cluster, as our sources describe them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdio.h>
#include <string.h>

#include "twin/cluster_private.h"

#define FJ_PER_NJ UINT64_C(1000000)
#define FJ_PER_J UINT64_C(1000000000000000)
#define RAPL_BITS 32
#define AMDGPU_STEPS_PER_J 65536

/* What a counter's step is; one that is a power has none. */
struct steps {
	uint64_t fj_num, fj_den; /* of a raw step */
	uint32_t uj_num, uj_den; /* likewise, in the µJ that are recorded */
	unsigned bits;
	struct es_counter_range range;
};

static const struct steps millijoules = { .fj_num = 1000000 * FJ_PER_NJ,
					  .fj_den = 1,
					  .uj_num = 1000,
					  .uj_den = 1,
					  .bits = 64,
					  .range = { .unit_nj = 1000000 } };
static const struct steps joules = { .fj_num = FJ_PER_J,
				     .fj_den = 1,
				     .uj_num = 1000000,
				     .uj_den = 1,
				     .bits = 64,
				     .range = { .unit_nj = 1000000000 } };
/* gpu_metrics: 2^-16 J, as source/amdgpu.c shows it. */
static const struct steps amdgpu_steps = { .fj_num = FJ_PER_J / 32768,
					   .fj_den = 2,
					   .uj_num = 15625,
					   .uj_den = 1024,
					   .bits = 64,
					   .range = { .unit_nj = 15259 } };

/* As intel_rapl_common.c shows it: count * unit / 1000, 32 bits of count. */
static struct steps rapl_steps(uint32_t unit_nj)
{
	return (struct steps){ .fj_num = unit_nj * FJ_PER_NJ,
			       .fj_den = 1,
			       .uj_num = unit_nj,
			       .uj_den = 1000,
			       .bits = RAPL_BITS,
			       .range = { .unit_nj = unit_nj,
					  .modulus_nj = (UINT64_C(1) << RAPL_BITS) * unit_nj } };
}

static struct es_domain *add(struct es_cluster_meters *meters, const char *source,
			     enum es_domain_type type, int32_t number, enum es_twin_part part,
			     size_t i)
{
	struct es_domain *domain = &meters->domains[meters->n];
	struct es_cluster_meter *meter = &meters->meters[meters->n];

	if (meters->n + 1 < ES_CLUSTER_METERS_MAX)
		meters->n++;
	es_domain_init(domain, source, type, number, -1);
	domain->kind = ES_KIND_INTEGRATED;
	domain->is_power = true;
	*meter = (struct es_cluster_meter){ .meter = { .part = part, .i = i } };
	(void)snprintf(meter->meter.name, sizeof(meter->meter.name), "%.31s/%.20s-%d", source,
		       es_domain_type_name(type), number < 0 ? 0 : number);
	return domain;
}

/* The domain added last shows a counter, made anew every @update_ns. */
static void count(struct es_cluster_meters *meters, const struct steps *steps, int64_t update_ns)
{
	struct es_domain *domain = &meters->domains[meters->n - 1];
	struct es_cluster_meter *meter = &meters->meters[meters->n - 1];

	domain->is_power = false;
	domain->kind = ES_KIND_MEASURED;
	domain->range = steps->range;
	domain->update_period_ns = update_ns;
	meter->uj_num = steps->uj_num;
	meter->uj_den = steps->uj_den;
	meter->meter.step_fj_num = steps->fj_num;
	meter->meter.step_fj_den = steps->fj_den;
	meter->meter.bits = steps->bits;
	meter->meter.update_ns = update_ns;
}

/* The domain added last shows the mean power of @window_ns, to @grain_uw. */
static void show_power(struct es_cluster_meters *meters, int64_t window_ns, uint64_t grain_uw)
{
	struct es_twin_meter *meter = &meters->meters[meters->n - 1].meter;

	meters->domains[meters->n - 1].update_period_ns = window_ns;
	meter->window_ns = meter->update_ns = window_ns;
	meter->grain_uw = grain_uw;
}

static void add_rapl(const struct es_twin_kind *kind, struct es_cluster_meters *meters)
{
	struct steps steps = rapl_steps(kind->meters.rapl_nj);
	struct steps dram = rapl_steps(kind->meters.dram_nj),
		     psys = rapl_steps(kind->meters.psys_nj);
	const char *source = "powercap";

	for (unsigned i = 0; i < kind->n_packages; i++) {
		int32_t parent = (int32_t)meters->n, number = (int32_t)i;

		add(meters, source, ES_DOMAIN_PACKAGE, number, ES_TWIN_PACKAGE, i)->limit_mw =
			(uint64_t)kind->cpu.tdp_w * 1000;
		if (kind->cpu.tdp_w > 0)
			(void)snprintf(meters->domains[parent].limit_kind,
				       sizeof(meters->domains[parent].limit_kind), "long_term");
		count(meters, &steps, ES_NS_PER_MS);
		/* AMD's shows one core of many: nobody records that. */
		if (kind->meters.has_cores_zone && strcmp(kind->cpu.vendor, "AuthenticAMD") != 0) {
			add(meters, source, ES_DOMAIN_CORE, number, ES_TWIN_CORES, i)->parent =
				parent;
			count(meters, &steps, ES_NS_PER_MS);
		}
		if (kind->meters.has_graphics_zone) {
			add(meters, source, ES_DOMAIN_UNCORE, number, ES_TWIN_GRAPHICS, i)->parent =
				parent;
			count(meters, &steps, ES_NS_PER_MS);
		}
		if (kind->meters.dram_nj > 0) {
			add(meters, source, ES_DOMAIN_DRAM, number, ES_TWIN_DRAM, i)->parent =
				parent;
			count(meters, &dram, ES_NS_PER_MS);
		}
	}
	/* Of several that all show the board, one; a dead one shows nothing and is not recorded. */
	if (kind->meters.psys_nj > 0 && kind->meters.psys != ES_TWIN_NO_PSYS &&
	    kind->meters.psys != ES_TWIN_PSYS_DEAD) {
		add(meters, source, ES_DOMAIN_PSYS, -1, ES_TWIN_BOARD, 0);
		count(meters, &psys, ES_NS_PER_MS);
	}
}

static void add_cray(const struct es_twin_kind *kind, struct es_cluster_meters *meters)
{
	const int64_t update_ns = 100 * ES_NS_PER_MS;
	int32_t node = (int32_t)meters->n;

	add(meters, "cray", ES_DOMAIN_NODE, -1, ES_TWIN_NODE, 0);
	count(meters, &joules, update_ns);
	/* pm_counters have all packages in one; of one package that is the same. */
	if (kind->n_packages == 1) {
		add(meters, "cray", ES_DOMAIN_PACKAGE, -1, ES_TWIN_PACKAGE, 0)->parent = node;
		count(meters, &joules, update_ns);
		add(meters, "cray", ES_DOMAIN_DRAM, -1, ES_TWIN_DRAM, 0)->parent = node;
		count(meters, &joules, update_ns);
	}
	for (unsigned i = 0; i < kind->n_gpus; i++) {
		add(meters, "cray", ES_DOMAIN_GPU, (int32_t)i, ES_TWIN_GPU, i)->parent = node;
		count(meters, &joules, update_ns);
	}
}

static void add_grace(const struct es_twin_kind *kind, struct es_cluster_meters *meters)
{
	const int64_t window_ns = 50 * ES_NS_PER_MS;

	for (unsigned i = 0; i < kind->n_packages; i++) {
		add(meters, "hwmon", ES_DOMAIN_MODULE, (int32_t)i, ES_TWIN_MODULE, i);
		show_power(meters, window_ns, 1000);
		add(meters, "hwmon", ES_DOMAIN_PACKAGE, (int32_t)i, ES_TWIN_PACKAGE, i);
		show_power(meters, window_ns, 1000);
		add(meters, "hwmon", ES_DOMAIN_CORE, (int32_t)i, ES_TWIN_CORES, i);
		show_power(meters, window_ns, 1000);
		add(meters, "hwmon", ES_DOMAIN_UNCORE, (int32_t)i, ES_TWIN_SYSIO, i);
		show_power(meters, window_ns, 1000);
	}
}

static void add_gpus(const struct es_twin_kind *kind, struct es_cluster_meters *meters)
{
	bool is_nvidia = kind->meters.has_nvml;

	for (unsigned i = 0; i < kind->n_gpus; i++) {
		struct es_domain *domain = add(meters, is_nvidia ? "nvml" : "amdgpu", ES_DOMAIN_GPU,
					       (int32_t)i, ES_TWIN_GPU, i);

		(void)snprintf(domain->model, sizeof(domain->model), "%s", kind->gpu.name);
		domain->limit_mw = (uint64_t)kind->gpu.limit_w * 1000;
		(void)snprintf(domain->limit_kind, sizeof(domain->limit_kind), "%s",
			       is_nvidia ? "enforced" : "cap");
		count(meters, is_nvidia ? &millijoules : &amdgpu_steps,
		      is_nvidia ? 100 * ES_NS_PER_MS : ES_NS_PER_MS);
	}
}

/* A management controller that is asked from outside: whole watts, means of a second. */
static void add_bmc(int64_t period_ns, struct es_cluster_meters *meters)
{
	struct es_domain *domain = add(meters, "redfish", ES_DOMAIN_NODE, -1, ES_TWIN_NODE, 0);

	domain->is_power = true;
	domain->hold_ns = 3 * period_ns;
	show_power(meters, ES_NS_PER_S, 1000000);
}

void es_cluster_meters(const struct es_twin_kind *kind, int64_t period_ns,
		       struct es_cluster_meters *ret)
{
	ret->n = 0;
	if (kind->meters.rapl_nj > 0)
		add_rapl(kind, ret);
	if (kind->meters.has_grace)
		add_grace(kind, ret);
	if (kind->meters.has_cray)
		add_cray(kind, ret);
	if (kind->meters.has_nvml || kind->meters.has_amdgpu)
		add_gpus(kind, ret);
	if (kind->meters.has_bmc)
		add_bmc(period_ns, ret);
}
