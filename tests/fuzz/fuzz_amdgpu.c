/*
 * fuzz_amdgpu.c - any bytes as the table gpu_metrics
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "fuzz/target.h"
#include "source/amdgpu_metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_amdgpu_metrics metrics = { .format = 0 };
	int r = es_amdgpu_metrics_parse(data, n, &metrics);

	fuzz_require(r <= 0);
	if (r < 0)
		return 0;
	fuzz_require(n >= 4 && metrics.format == data[2] && metrics.content == data[3]);
	fuzz_require(!metrics.is_apu || !(metrics.has_energy || metrics.has_power));
	fuzz_require(!metrics.has_energy || metrics.energy_steps != UINT64_MAX);
	fuzz_require(!metrics.is_32_bits || metrics.energy_steps < UINT32_MAX);
	fuzz_require(metrics.power_mw < 65535000);
	fuzz_require(!metrics.temp_c.is_known ||
		     (metrics.temp_c.value > 0 && metrics.temp_c.value < UINT16_MAX));
	fuzz_require(!metrics.clock_mhz.is_known || metrics.clock_mhz.value < UINT16_MAX);
	fuzz_require(!metrics.has_cycles || metrics.cycles < UINT32_MAX);
	fuzz_require(!metrics.has_firmware || metrics.firmware_ns <= INT64_MAX / 2);
	return 0;
}
