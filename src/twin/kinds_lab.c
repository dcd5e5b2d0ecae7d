/*
 * kinds_lab.c - machines whose time and energy others have measured and published, to hold the twin against
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Where sources say "fitted", a figure was chosen so that all programs of the table come out best with it: it is no vendor's.
 */
#include "twin/kinds.h"

/* The host of the GPUs below. Only their own power was measured; what the rest draws is of no matter there. */
#define LAB_HOST \
	.n_packages = 1,                                                                     \
	.cpu = {                                                                             \
		.vendor = "GenuineIntel",                                                    \
		.model = "Intel(R) Xeon(R) Silver 4114 CPU @ 2.20GHz",                       \
		.family = 6, .number = 85, .stepping = 4,                                    \
		.n_cores = 10, .n_threads = 2,                                               \
		.min_mhz = 800, .base_mhz = 2200, .step_mhz = 100,                           \
		.turbos = { { 2, 3000 }, { 8, 2800 }, { 10, 2500 } },                        \
		.n_turbos = 3,                                                               \
		.idle_w = 14, .awake_w = 24, .leak_per_c = 0.006,                            \
		.cores = { .dynamic_w = 42, .ridge_mhz = 1800, .rise_per_mhz = 0.00022 },    \
		.uncore_min_mhz = 800, .uncore_max_mhz = 2400, .uncore_w = 14,               \
		.tdp_w = 85, .short_w = 102, .long_us = 999424, .short_us = 7808,            \
		.c_per_w = 0.4, .heat_ns = 12000000000, .hottest_mc = 90000,                 \
		.memory_gb_s = 115, .dram_idle_w = 6, .dram_busy_w = 16,                     \
	},                                                                                   \
	.rest_w = 30,                                                                        \
	.fan_min_w = 8, .fan_max_w = 60, .fan_max_rpm = 9000,                                \
	.supply_w = 1000, .supply_efficiency = { 0.88, 0.92, 0.94, 0.91 },                   \
	.noise_ppm = 4000,                                                                   \
	.memory_bytes = 96 * ES_TWIN_GIB,                                                    \
	.meters = {                                                                          \
		.rapl_nj = 61035, .dram_nj = 15300, .has_msr = true, .has_nvml = true,       \
		.has_cpufreq = true, .has_uncore = true, .has_bmc = true,                    \
		.cpufreq_driver = "intel_pstate",                                            \
	},                                                                                   \
	.governors = "performance powersave"
#define LAB_HOST_SOURCE                                                                                 \
	"host: cores, clocks, 85 W of the Intel Xeon Silver 4114 product page; its other watts chosen " \
	"(no table measures them)"

const struct es_twin_kind es_twin_kind_lab_a4000 = {
	.name = "lab-a4000",
	.help = "workstation, 1 x NVIDIA RTX A4000 (measured by Kernel Tuner's authors)",
	LAB_HOST,
	.n_gpus = 1,
	.gpu = {
		.vendor = "nvidia", .name = "NVIDIA RTX A4000",
		.vendor_id = 0x10de, .device_id = 0x24b0, .class = 0x030000, .architecture = 7,
		.n_chips = 1,
		.min_mhz = 210, .top_mhz = 2100, .step_mhz = 15, .idle_mhz = 210,
		.memory_mhz = 7001, .memory_idle_mhz = 405,
		.idle_w = 8, .awake_w = 28.3,
		.cores = { .dynamic_w = 200, .ridge_mhz = 1370, .rise_per_mhz = 0.00077 },
		.memory_w = 25,
		.limit_min_w = 100, .limit_max_w = 140, .limit_w = 140,
		.c_per_w = 0.35, .leak_per_c = 0, .heat_ns = 20000000000, .hottest_mc = 90000,
		.memory_bytes = 16 * ES_TWIN_GIB,
	},
	.sources = {
		"GPU: 140 W, 16 GB, memory clock: NVIDIA RTX A4000 data sheet",
		"awake 28 W, curve (ridge 1370 MHz, 0.077 % a MHz): fitted to Kernel Tuner's A4000 table",
		LAB_HOST_SOURCE,
	},
};

const struct es_twin_kind es_twin_kind_lab_a40 = {
	.name = "lab-a40",
	.help = "workstation, 1 x NVIDIA A40 (measured by Zeus' authors)",
	LAB_HOST,
	.n_gpus = 1,
	.gpu = {
		.vendor = "nvidia", .name = "NVIDIA A40",
		.vendor_id = 0x10de, .device_id = 0x2235, .class = 0x030200, .architecture = 7,
		.n_chips = 1,
		.min_mhz = 210, .top_mhz = 1740, .step_mhz = 15, .idle_mhz = 210,
		.memory_mhz = 7251, .memory_idle_mhz = 405,
		.idle_w = 30, .awake_w = 82,
		.cores = { .dynamic_w = 200, .ridge_mhz = 1150, .rise_per_mhz = 0.00103 },
		.memory_w = 120,
		.limit_min_w = 100, .limit_max_w = 300, .limit_w = 300,
		.c_per_w = 0.17, .leak_per_c = 0, .heat_ns = 25000000000, .hottest_mc = 88000,
		.memory_bytes = 48 * ES_TWIN_GIB,
	},
	.sources = {
		"GPU: 300 W, 1740 MHz boost, 48 GB: NVIDIA A40 data sheet and product brief",
		"lowest limit 100 W: the least that Zeus' authors could set",
		"awake 82 W, memory 120 W, curve (ridge 1150 MHz, 0.103 % a MHz): fitted to Zeus' A40 power trace",
		LAB_HOST_SOURCE,
	},
};

const struct es_twin_kind es_twin_kind_lab_v100 = {
	.name = "lab-v100",
	.help = "workstation, 1 x NVIDIA Tesla V100-PCIE (measured by Zeus' authors)",
	LAB_HOST,
	.n_gpus = 1,
	.gpu = {
		.vendor = "nvidia", .name = "Tesla V100-PCIE-16GB",
		.vendor_id = 0x10de, .device_id = 0x1db4, .class = 0x030200, .architecture = 5,
		.n_chips = 1,
		.min_mhz = 135, .top_mhz = 1380, .step_mhz = 15, .idle_mhz = 135,
		.memory_mhz = 877, .memory_idle_mhz = 877,
		.idle_w = 25, .awake_w = 35,
		.cores = { .dynamic_w = 200, .ridge_mhz = 850, .rise_per_mhz = 0.00085 },
		.memory_w = 100,
		.limit_min_w = 100, .limit_max_w = 250, .limit_w = 250,
		.c_per_w = 0.18, .leak_per_c = 0, .heat_ns = 20000000000, .hottest_mc = 83000,
		.memory_bytes = 16 * ES_TWIN_GIB,
	},
	.sources = {
		"GPU: 250 W, 1380 MHz boost, 16 GB: NVIDIA Tesla V100 PCIe data sheet and product brief",
		"awake 35 W, memory 100 W, curve (ridge 850 MHz, 0.085 % a MHz): fitted to Zeus' V100 power trace",
		LAB_HOST_SOURCE,
	},
};
