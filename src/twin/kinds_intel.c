/*
 * kinds_intel.c - servers with Intel processors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/kinds.h"

const struct es_twin_kind es_twin_kind_skx2s = {
	.name = "skx2s",
	.help = "server, 2 x Intel Xeon Gold 6150 (Skylake-SP), 192 GiB",
	.n_packages = 2,
	.cpu = {
		.vendor = "GenuineIntel",
		.model = "Intel(R) Xeon(R) Gold 6150 CPU @ 2.70GHz",
		.family = 6, .number = 85, .stepping = 4,
		.n_cores = 18, .n_threads = 2,
		.min_mhz = 1200, .base_mhz = 2700, .step_mhz = 100,
		.turbos = { { 2, 3700 }, { 4, 3500 }, { 18, 3400 } },
		.n_turbos = 3,
		.idle_w = 22, .awake_w = 38, .leak_per_c = 0.006,
		.cores = { .dynamic_w = 100, .ridge_mhz = 2000, .rise_per_mhz = 0.00022 },
		.uncore_min_mhz = 1200, .uncore_max_mhz = 2400, .uncore_w = 22,
		.tdp_w = 165, .short_w = 198, .long_us = 999424, .short_us = 7808,
		.c_per_w = 0.25, .heat_ns = 12000000000, .hottest_mc = 95000,
		.memory_gb_s = 128, .dram_idle_w = 7, .dram_busy_w = 21,
	},
	.rest_w = 34,
	.fan_min_w = 9, .fan_max_w = 90, .fan_max_rpm = 16000,
	.supply_w = 1100, .supply_efficiency = { 0.90, 0.94, 0.96, 0.91 },
	.noise_ppm = 4000,
	.memory_bytes = 192 * ES_TWIN_GIB,
	.meters = {
		.rapl_nj = 61035, .dram_nj = 15300,
		.has_msr = true, .has_cpufreq = true, .has_uncore = true, .has_bmc = true,
		.cpufreq_driver = "intel_pstate",
	},
	.governors = "performance powersave",
	.sources = {
		"cores, clocks, 165 W: Intel Xeon Gold 6150 product page",
	},
};
