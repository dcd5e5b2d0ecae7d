/*
 * source/amdgpu_metrics.c - the binary table gpu_metrics of AMD GPUs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/amdgpu_metrics.h"

#include <errno.h>

#include "base/cleanup.h"

#define HEADER_BYTES 4U /* size (16 bits), format, content */
#define TICK_NS 10U /* of the firmware's clock */

/** struct layout - where things are in one version; 0: nowhere (that is the header) */
struct layout {
	uint8_t format, content;
	uint16_t size, energy, power, clock, firmware;
	bool is_32_bits; /* of the energy */
};

static const struct layout layouts[] = {
	{ 1, 0, 80, 36, 34, 8, 0, true },      { 1, 1, 96, 24, 22, 32, 0, false },
	{ 1, 2, 104, 24, 22, 32, 96, false },  { 1, 3, 120, 24, 22, 32, 96, false },
	{ 1, 4, 288, 24, 10, 32, 232, false }, { 1, 5, 360, 88, 10, 96, 304, false },
};

/* Little endian, as the processor that the driver runs on. */
static uint64_t get(const uint8_t *data, unsigned n_bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < n_bytes; i++)
		v |= (uint64_t)data[i] << 8 * i;
	return v;
}

/* All ones mean: not supported. */
static bool take(const uint8_t *data, uint16_t offset, unsigned n_bytes, uint64_t *ret)
{
	uint64_t v;

	if (offset == 0)
		return false;
	v = get(data + offset, n_bytes);
	if (v == UINT64_MAX >> (64 - 8 * n_bytes))
		return false;
	*ret = v;
	return true;
}

int es_amdgpu_metrics_parse(const uint8_t *data, size_t n, struct es_amdgpu_metrics *ret)
{
	struct es_amdgpu_metrics metrics = { .format = 0 };
	const struct layout *layout = NULL;
	uint64_t size, power_w = 0;

	if (n == 0)
		return -ENODATA;
	if (n < HEADER_BYTES)
		return -EBADMSG;
	size = get(data, 2);
	metrics.format = data[2];
	metrics.content = data[3];
	if (size < HEADER_BYTES || size > n)
		return -EBADMSG;
	for (size_t i = 0; i < ES_ARRAY_SIZE(layouts); i++)
		if (layouts[i].format == metrics.format && layouts[i].content == metrics.content)
			layout = &layouts[i];
	metrics.is_apu = metrics.format == 2 || metrics.format == 3;
	if (!layout) {
		*ret = metrics;
		return metrics.is_apu ? 0 : -EOPNOTSUPP;
	}
	if (size < layout->size)
		return -EBADMSG;
	metrics.is_32_bits = layout->is_32_bits;
	metrics.has_energy =
		take(data, layout->energy, layout->is_32_bits ? 4 : 8, &metrics.energy_steps);
	metrics.has_power = take(data, layout->power, 2, &power_w);
	metrics.power_mw = power_w * 1000;
	metrics.has_clock = take(data, layout->clock, 8, &metrics.clock_ns) &&
			    metrics.clock_ns > 0 && metrics.clock_ns <= INT64_MAX / 2;
	metrics.has_firmware = take(data, layout->firmware, 8, &metrics.firmware_ns) &&
			       metrics.firmware_ns > 0 &&
			       metrics.firmware_ns <= INT64_MAX / 2 / TICK_NS;
	if (metrics.has_firmware)
		metrics.firmware_ns *= TICK_NS;
	*ret = metrics;
	return 0;
}
