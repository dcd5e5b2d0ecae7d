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

#define GFX_CLOCKS_MAX 8U

/** struct layout - where things are in one version; 0: nowhere (that is the header) */
struct layout {
	uint8_t format, content;
	uint16_t size; /* at least; of 1.8 what is read of it */
	uint16_t energy, power, clock, firmware;
	bool is_32_bits; /* of the energy */
	uint16_t temp, memory_temp, busy, memory_busy, gfx_clock, memory_clock;
	uint8_t n_gfx_clocks;
	uint16_t throttle; /* bits that mean the same on all chips */
	uint16_t cycles; /* all, then prochot, power, socket, regulators, memory: 32 bits each */
};

/* Of several that fit the last one holds: later kernels made 1.6 longer. */
static const struct layout layouts[] = {
	{ 1, 0, 80, 36, 34, 8, 0, true, 18, 20, 28, 30, 54, 58, 1, 0, 0 },
	{ 1, 1, 96, 24, 22, 32, 0, false, 6, 8, 16, 18, 54, 58, 1, 0, 0 },
	{ 1, 2, 104, 24, 22, 32, 96, false, 6, 8, 16, 18, 54, 58, 1, 0, 0 },
	{ 1, 3, 120, 24, 22, 32, 96, false, 6, 8, 16, 18, 54, 58, 1, 112, 0 },
	{ 1, 4, 288, 24, 10, 32, 232, false, 4, 6, 12, 14, 240, 280, 8, 0, 0 },
	{ 1, 5, 360, 88, 10, 96, 304, false, 4, 6, 12, 14, 312, 352, 8, 0, 0 },
	{ 1, 6, 384, 88, 10, 96, 328, false, 4, 6, 12, 14, 336, 376, 8, 0, 104 },
	{ 1, 6, 1664, 16, 10, 24, 256, false, 4, 6, 12, 14, 264, 304, 8, 0, 32 },
	{ 1, 7, 2208, 24, 10, 32, 288, false, 4, 6, 12, 14, 296, 336, 8, 0, 40 },
	{ 1, 8, 344, 24, 10, 32, 288, false, 4, 6, 12, 14, 296, 336, 8, 0, 40 },
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

static void take_number(const uint8_t *data, uint16_t offset, struct es_amdgpu_number *ret)
{
	ret->is_known = take(data, offset, 2, &ret->value);
}

/* No chip that works is at 0 degrees: there is no sensor. */
static void take_temperature(const uint8_t *data, uint16_t offset, struct es_amdgpu_number *ret)
{
	take_number(data, offset, ret);
	ret->is_known = ret->is_known && ret->value > 0;
}

/* The mean of the dies that are there. */
static void take_clock(const uint8_t *data, const struct layout *layout,
		       struct es_amdgpu_number *ret)
{
	uint64_t sum = 0, mhz = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < layout->n_gfx_clocks && i < GFX_CLOCKS_MAX; i++) {
		if (!take(data, (uint16_t)(layout->gfx_clock + 2 * i), 2, &mhz))
			continue;
		sum += mhz;
		n++;
	}
	*ret = (struct es_amdgpu_number){ .is_known = n > 0, .value = n ? sum / n : 0 };
}

static void take_rest(const uint8_t *data, const struct layout *layout,
		      struct es_amdgpu_metrics *ret)
{
	uint64_t held[5] = { 0 };
	bool has_all = layout->cycles && take(data, layout->cycles, 4, &ret->cycles);

	take_temperature(data, layout->temp, &ret->temp_c);
	take_temperature(data, layout->memory_temp, &ret->memory_temp_c);
	take_number(data, layout->busy, &ret->busy_percent);
	take_number(data, layout->memory_busy, &ret->memory_busy_percent);
	take_number(data, layout->memory_clock, &ret->memory_mhz);
	take_clock(data, layout, &ret->clock_mhz);
	ret->has_throttle = take(data, layout->throttle, 8, &ret->throttle);
	for (unsigned i = 0; has_all && i < ES_ARRAY_SIZE(held); i++)
		has_all = take(data, (uint16_t)(layout->cycles + 4 + 4 * i), 4, &held[i]);
	ret->has_cycles = has_all;
	ret->held_cycles[0] = held[1];
	ret->held_cycles[1] = held[0] + held[2] + held[3] + held[4];
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
		if (layouts[i].format == metrics.format && layouts[i].content == metrics.content &&
		    (!layout || size >= layouts[i].size))
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
	take_rest(data, layout, &metrics);
	*ret = metrics;
	return 0;
}
