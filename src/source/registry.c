/*
 * source/registry.c - the sources in their order
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/cleanup.h"
#include "source/source.h"

/*
 * Meters before models; perf before powercap: one call reads all counters of a package. Those of the processor before
 * those of the board, which are slower; last those that need the most rights.
 */
static const struct es_source_ops *const sources[] = {
	&es_source_perf,   &es_source_powercap, &es_source_nvml, &es_source_msr,
	&es_source_amdgpu, &es_source_hwmon,	&es_source_cray, &es_source_estimate,
};

const struct es_source_ops *es_registry_at(size_t i)
{
	return i < ES_ARRAY_SIZE(sources) ? sources[i] : NULL;
}
