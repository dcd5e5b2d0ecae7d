/*
 * kinds_gpu.c - servers with GPUs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/kinds.h"

#define A100_SXM4_80GB                                                                             \
	{                                                                                          \
		.vendor = "nvidia", .name = "NVIDIA A100-SXM4-80GB", .vendor_id = 0x10de,          \
		.device_id = 0x20b2, .class = 0x030200, .architecture = 7, .n_chips = 1,           \
		.min_mhz = 210, .top_mhz = 1410, .step_mhz = 15, .idle_mhz = 210,                  \
		.memory_mhz = 1593, .memory_idle_mhz = 1593, .idle_w = 55, .awake_w = 82,          \
		.cores = { .dynamic_w = 300, .ridge_mhz = 900, .rise_per_mhz = 0.0006 },           \
		.memory_w = 75, .limit_min_w = 100, .limit_max_w = 400, .limit_w = 400,            \
		.c_per_w = 0.09, .leak_per_c = 0.004, .heat_ns = 15000000000, .hottest_mc = 85000, \
		.memory_bytes = 80 * ES_TWIN_GIB,                                                  \
	}

const struct es_twin_kind es_twin_kind_genoa2s_a100x4 = {
	.name = "genoa2s-a100x4",
	.help = "GPU server, 2 x AMD EPYC 9554 (Genoa), 4 x NVIDIA A100-SXM4-80GB, 768 GiB",
	.n_packages = 2,
	.cpu = {
		.vendor = "AuthenticAMD",
		.model = "AMD EPYC 9554 64-Core Processor",
		.family = 25, .number = 17, .stepping = 1,
		.n_cores = 64, .n_threads = 2,
		.min_mhz = 1500, .base_mhz = 3100, .step_mhz = 50,
		.turbos = { { 64, 3750 } },
		.n_turbos = 1,
		.idle_w = 75, .awake_w = 105, .leak_per_c = 0.004,
		.cores = { .dynamic_w = 205, .ridge_mhz = 2400, .rise_per_mhz = 0.0002 },
		.uncore_w = 45,
		.design_w = 360,
		.c_per_w = 0.11, .heat_ns = 14000000000, .hottest_mc = 96000,
		.memory_gb_s = 460, .dram_idle_w = 18, .dram_busy_w = 42,
	},
	.n_gpus = 4,
	.gpu = A100_SXM4_80GB,
	.rest_w = 110,
	.fan_min_w = 60, .fan_max_w = 480, .fan_max_rpm = 14000,
	.supply_w = 6000, .supply_efficiency = { 0.90, 0.94, 0.96, 0.91 },
	.noise_ppm = 4000,
	.memory_bytes = 768 * ES_TWIN_GIB,
	.meters = {
		.rapl_nj = 15258, .has_cores_zone = true, .has_msr = true, .has_nvml = true,
		.has_cpufreq = true, .has_bmc = true, .cpufreq_driver = "acpi-cpufreq",
	},
	.governors = "conservative ondemand userspace powersave performance schedutil",
	.sources = {
		"cores, clocks, 360 W: AMD EPYC 9554 product page",
	},
};
