/*
 * curve.c - watts of whole servers by CPU generation, for machines without any meter
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/curve.h"

#include <errno.h>
#include <string.h>

static const struct es_power_curve curve_table[] = {
#include "curve_table.inc"
};

static const struct es_cpu_generation cpu_generation_table[] = {
#include "cpu_generation_table.inc"
};

/* For processors that no row names. Hygon's other models are AMD's designs or descend from them. */
static const struct {
	const char *vendor_id;
	const char *key;
} vendor_keys[] = {
	{ "AuthenticAMD", "amd-any" },
	{ "GenuineIntel", "intel-any" },
	{ "HygonGenuine", "amd-any" },
};

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define SIZE_FACTOR_MAX 8U /* few sizes published for one generation are farther from the typical */
#define FIXED_BITS 18U /* the square of 8 with three times these bits still fits into 64 */

size_t es_curve_count(void)
{
	return COUNT_OF(curve_table);
}

const struct es_power_curve *es_curve_at(size_t i)
{
	return i < COUNT_OF(curve_table) ? &curve_table[i] : NULL;
}

size_t es_cpu_generation_count(void)
{
	return COUNT_OF(cpu_generation_table);
}

const struct es_cpu_generation *es_cpu_generation_at(size_t i)
{
	return i < COUNT_OF(cpu_generation_table) ? &cpu_generation_table[i] : NULL;
}

const struct es_power_curve *es_curve_get(const char *key)
{
	for (size_t i = 0; i < COUNT_OF(curve_table); i++)
		if (!strcmp(curve_table[i].key, key))
			return &curve_table[i];
	return NULL;
}

static const struct es_cpu_generation *find_generation(const char *vendor_id, unsigned family,
						       unsigned model, unsigned stepping)
{
	for (size_t i = 0; i < COUNT_OF(cpu_generation_table); i++) {
		const struct es_cpu_generation *g = &cpu_generation_table[i];

		if (g->family == family && model >= g->model_first && model <= g->model_last &&
		    stepping >= g->stepping_first && stepping <= g->stepping_last &&
		    !strcmp(g->vendor_id, vendor_id))
			return g;
	}
	return NULL;
}

static const char *vendor_key(const char *vendor_id)
{
	for (size_t i = 0; i < COUNT_OF(vendor_keys); i++)
		if (!strcmp(vendor_keys[i].vendor_id, vendor_id))
			return vendor_keys[i].key;
	return "any";
}

int es_curve_find(const char *vendor_id, unsigned family, unsigned model, unsigned stepping,
		  const struct es_power_curve **ret_curve, bool *ret_is_client, bool *ret_is_exact)
{
	const char *vendor = vendor_id ? vendor_id : "";
	const struct es_cpu_generation *g = find_generation(vendor, family, model, stepping);
	const struct es_power_curve *curve = es_curve_get(g ? g->key : vendor_key(vendor));

	if (!curve)
		return -ENOENT;
	*ret_curve = curve;
	*ret_is_client = g && g->is_client;
	*ret_is_exact = g && g->is_exact;
	return 0;
}

/* The largest number whose cube is not above @x, one bit at a time. */
static uint64_t cube_root(uint64_t x)
{
	uint64_t root = 0;

	for (uint64_t bit = 1ULL << 20; bit; bit >>= 1) {
		uint64_t next = root | bit;

		if (next * next * next <= x)
			root = next;
	}
	return root;
}

static uint32_t scale(uint32_t power_mw, uint64_t factor_fixed)
{
	uint64_t half = 1ULL << (FIXED_BITS - 1);

	return (uint32_t)((power_mw * factor_fixed + half) >> FIXED_BITS);
}

int es_curve_for_size(const struct es_power_curve *curve, unsigned threads_per_package,
		      struct es_power_curve *ret)
{
	uint64_t typical = curve->threads_per_package;
	uint64_t size = threads_per_package;
	struct es_power_curve sized = *curve;
	uint64_t ratio;

	if (!threads_per_package || !typical)
		return -EINVAL;
	if (size > typical * SIZE_FACTOR_MAX)
		size = typical * SIZE_FACTOR_MAX;
	/* Watts per thread fall with size to the power 1 idle, 2/3 loaded: data/server_curves.md. */
	ratio = (typical << FIXED_BITS) / size;
	if (ratio > (uint64_t)SIZE_FACTOR_MAX << FIXED_BITS)
		ratio = (uint64_t)SIZE_FACTOR_MAX << FIXED_BITS;
	sized.full_mw_per_thread =
		scale(curve->full_sized_mw, cube_root(ratio * ratio << FIXED_BITS));
	sized.idle_mw_per_thread = scale(curve->idle_sized_mw, ratio);
	if (sized.idle_mw_per_thread > sized.full_mw_per_thread)
		sized.idle_mw_per_thread = sized.full_mw_per_thread;
	sized.idle_spread_ppm = curve->idle_sized_spread_ppm;
	sized.full_spread_ppm = curve->full_sized_spread_ppm;
	*ret = sized;
	return 0;
}
