/*
 * source/registry.c - the sources in their order
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <string.h>

#include "base/cleanup.h"
#include "source/source.h"

/*
 * Meters before models; perf before powercap: one call reads all counters of a package. Those of the processor before
 * those of the board, which are slower. Those that are named stand where they would come among them.
 */
static const struct es_source_ops *const sources[] = {
	&es_source_perf,     &es_source_powercap,   &es_source_nvml,   &es_source_msr,
	&es_source_amdgpu,   &es_source_hsmp,	    &es_source_hwmon,  &es_source_amdsmi,
	&es_source_rocm,     &es_source_levelzero,  &es_source_cray,   &es_source_http,
	&es_source_file,     &es_source_prometheus, &es_source_dcmi,   &es_source_ipmi_sensor,
	&es_source_redfish,  &es_source_snmp,	    &es_source_modbus, &es_source_mqtt,
	&es_source_estimate,
};

const struct es_source_ops *es_registry_at(size_t i)
{
	return i < ES_ARRAY_SIZE(sources) ? sources[i] : NULL;
}

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; *p; p += strspn(p, " ")) {
		size_t n_one = strcspn(p, " ");

		if (n_one == n && strncmp(p, word, n) == 0)
			return true;
		p += n_one;
	}
	return false;
}

const struct es_source_ops *es_registry_find(const char *scheme)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(sources); i++)
		if (sources[i]->schemes && has_word(sources[i]->schemes, scheme))
			return sources[i];
	return NULL;
}
