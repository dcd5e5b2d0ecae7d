/*
 * kinds_amd.c - servers with AMD processors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/kinds.h"
#include "twin/kinds_parts.h"

const struct es_twin_kind es_twin_kind_milan2s = {
	.name = "milan2s",
	.help = "server, 2 x AMD EPYC 7763 (Milan), 256 GiB",
	.n_packages = 2,
	.cpu = ES_TWIN_EPYC_7763,
	.rest_w = 33,
	.fan_min_w = 10, .fan_max_w = 110, .fan_max_rpm = 16000,
	.supply_w = 1600, .supply_efficiency = { 0.90, 0.94, 0.96, 0.91 },
	.noise_ppm = 4000,
	.memory_bytes = 256 * ES_TWIN_GIB,
	.meters = {
		.rapl_nj = 15258, .has_cores_zone = true, .has_msr = true,
		.has_cpufreq = true, .has_bmc = true, .cpufreq_driver = "acpi-cpufreq",
	},
	.governors = "conservative ondemand userspace powersave performance schedutil",
	.sources = {
		"cores, 2.45 GHz, 3.5 GHz, 280 W: AMD's product page of the EPYC 7763",
		"all cores at 3.2 GHz: chosen; published runs show 3.0 to 3.3 GHz",
		"idle and full load: SPECpower_ssj2008, 9 servers with two of them: 76 to 122 W, 406 to 546 W",
		"memory: 8 x DDR4-3200 are 205 GB/s; watts chosen",
		"power supply: 80 PLUS Titanium, 230 V",
		"noise, heat sink, fans: chosen",
	},
};

const struct es_twin_kind es_twin_kind_mi250x = {
	.name = "mi250x",
	.help = "GPU blade, AMD EPYC 7A53 (Trento), 4 x AMD Instinct MI250X, 512 GiB, Cray EX",
	.n_packages = 1,
	.cpu = {
		.vendor = "AuthenticAMD",
		.model = "AMD EPYC 7A53 64-Core Processor",
		.family = 25, .number = 48, .stepping = 1,
		.n_cores = 64, .n_threads = 2,
		.min_mhz = 1500, .base_mhz = 2000, .step_mhz = 250,
		.turbos = { { 8, 3500 }, { 64, 2900 } },
		.n_turbos = 2,
		.idle_w = 68, .awake_w = 92, .leak_per_c = 0.004,
		.cores = { .dynamic_w = 105, .ridge_mhz = 2000, .rise_per_mhz = 0.0002 },
		.uncore_w = 42,
		.design_w = 225,
		.c_per_w = 0.13, .heat_ns = 10000000000, .hottest_mc = 95000,
		.memory_gb_s = 205, .dram_idle_w = 16, .dram_busy_w = 34,
	},
	.n_gpus = 4,
	.gpu = {
		.vendor = "amd", .name = "AMD Instinct MI250X",
		.vendor_id = 0x1002, .device_id = 0x7408, .class = 0x038000,
		.n_chips = 2,
		.min_mhz = 500, .top_mhz = 1700, .step_mhz = 1, .idle_mhz = 800,
		.memory_mhz = 1600, .memory_idle_mhz = 1600,
		.idle_w = 90, .awake_w = 132,
		.cores = { .dynamic_w = 355, .ridge_mhz = 1100, .rise_per_mhz = 0.0004 },
		.memory_w = 118,
		.limit_min_w = 100, .limit_max_w = 560, .limit_w = 560,
		.c_per_w = 0.07, .leak_per_c = 0.004, .heat_ns = 8000000000,
		.hottest_mc = 105000, .memory_bytes = 128 * ES_TWIN_GIB,
	},
	.rest_w = 130,
	.supply_w = 4500, .supply_efficiency = { 0.90, 0.94, 0.96, 0.94 },
	.noise_ppm = 4000,
	.memory_bytes = 512 * ES_TWIN_GIB,
	.meters = {
		.rapl_nj = 15258, .has_cores_zone = true, .has_msr = true,
		.has_cray = true, .has_amdgpu = true, .has_rocm = true,
		.has_cpufreq = true, .has_bmc = true, .cpufreq_driver = "acpi-cpufreq",
	},
	.governors = "conservative ondemand userspace powersave performance schedutil",
	.sources = {
		"64 cores, 2.0 GHz; 4 MI250X; 512 GiB: ORNL's description of Frontier's nodes",
		"MI250X: 500 W, 560 W at most, 1.7 GHz, 128 GiB: AMD's data sheet",
		"MI250X at rest draws about 90 W: rocm-smi on such nodes; chosen within 80 to 100 W",
		"node: HPL of June 2022 drew 21.1 MW with 9248 nodes (8,730,112 cores of TOP500 are 944 each), 2.28 kW each with their share of switches; boards and curves chosen so that GPUs at work draw that",
		"about 0.6 kW idle: chosen",
		"225 W of the 7A53: that of the other 64-core EPYCs of 2.0 GHz; chosen",
		"liquid cooled: no fans. Rectifiers of the cabinet at their peak 96 %",
		"noise, cold plates: chosen",
	},
};
