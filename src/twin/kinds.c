/*
 * kinds.c - the kinds of nodes there are, by name
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/kinds.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static const struct es_twin_kind *const kinds[] = {
	&es_twin_kind_skx2s,	    &es_twin_kind_spr2s,
	&es_twin_kind_milan2s,	    &es_twin_kind_genoa2s_a100x4,
	&es_twin_kind_grace_hopper, &es_twin_kind_mi250x,
	&es_twin_kind_a100_mig,	    &es_twin_kind_a100_mig3,
	&es_twin_kind_laptop,	    &es_twin_kind_vm,
	&es_twin_kind_taurus,	    &es_twin_kind_broadwell1s,
	&es_twin_kind_lab_a4000,    &es_twin_kind_lab_a40,
	&es_twin_kind_lab_v100,
};

const struct es_twin_kind *const *es_twin_kinds(size_t *ret_n)
{
	*ret_n = ES_ARRAY_SIZE(kinds);
	return kinds;
}

const struct es_twin_kind *es_twin_kind_find(const char *name, const char **ret_nearest)
{
	size_t best = SIZE_MAX;

	if (ret_nearest)
		*ret_nearest = NULL;
	for (size_t i = 0; i < ES_ARRAY_SIZE(kinds); i++) {
		size_t distance = es_text_distance(name, kinds[i]->name);

		if (distance == 0)
			return kinds[i];
		if (ret_nearest && distance < best &&
		    es_text_is_near(distance, strlen(kinds[i]->name))) {
			best = distance;
			*ret_nearest = kinds[i]->name;
		}
	}
	return NULL;
}

unsigned es_twin_cpu_reference_mhz(const struct es_twin_cpu *cpu)
{
	return cpu->turbos[cpu->n_turbos - 1].mhz;
}

uint64_t es_twin_cpu_max_khz(const struct es_twin_kind *kind)
{
	const struct es_twin_cpu *cpu = &kind->cpu;

	if (kind->meters.cpufreq_driver && !strcmp(kind->meters.cpufreq_driver, "acpi-cpufreq"))
		return (uint64_t)cpu->base_mhz * 1000 +
		       (strcmp(cpu->vendor, "GenuineIntel") ? 0 : 1000);
	return (uint64_t)cpu->turbos[0].mhz * 1000;
}
