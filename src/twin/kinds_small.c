/*
 * kinds_small.c - laptops and virtual machines
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/kinds.h"

const struct es_twin_kind es_twin_kind_laptop = {
	.name = "laptop",
	.help = "laptop, Intel Core i7-1260P (Alder Lake), 16 GiB, on battery",
	.n_packages = 1,
	.cpu = {
		.vendor = "GenuineIntel",
		.model = "12th Gen Intel(R) Core(TM) i7-1260P",
		.family = 6, .number = 154, .stepping = 3,
		.n_cores = 8, .n_threads = 2,
		.min_mhz = 400, .base_mhz = 2100, .step_mhz = 100,
		.turbos = { { 2, 4700 }, { 4, 4200 }, { 8, 3400 } },
		.n_turbos = 3,
		.idle_w = 1.5, .awake_w = 4, .leak_per_c = 0.006,
		.cores = { .dynamic_w = 34, .ridge_mhz = 1600, .rise_per_mhz = 0.00022 },
		.uncore_w = 4,
		.graphics_idle_w = 0.2,
		.tdp_w = 28, .short_w = 64, .peak_w = 115, .long_us = 27983872, .short_us = 2440,
		.c_per_w = 1.9, .heat_ns = 25000000000, .hottest_mc = 100000,
		.memory_gb_s = 77, .dram_idle_w = 0.4, .dram_busy_w = 2.6,
	},
	.rest_w = 4.2,
	.fan_min_w = 0.1, .fan_max_w = 2.5, .fan_max_rpm = 6500,
	.supply_w = 65, .supply_efficiency = { 0.84, 0.87, 0.90, 0.89 },
	.noise_ppm = 6000,
	.memory_bytes = 16 * ES_TWIN_GIB,
	.meters = {
		.rapl_nj = 61035, .psys_nj = 61035, .psys = ES_TWIN_PSYS_ONE,
		.has_cores_zone = true, .has_graphics_zone = true, .has_mmio = true,
		.has_msr = true, .has_cpufreq = true, .has_battery = true,
		.cpufreq_driver = "intel_pstate",
	},
	.governors = "performance powersave",
	.sources = {
		"28 W, 64 W for a while, 2.1 GHz, 4.7 GHz: Intel's product page of the Core i7-1260P",
		"8 equal cores of two threads stand for 4 fast and 8 slow ones: chosen",
		"28 s window of PL1: Intel's default for P series",
		"idle: 6 to 8 W at the plug with the screen on are usual for such machines; chosen",
		"memory: LPDDR5-4800 on 128 bits are 77 GB/s; watts chosen",
		"power supply: 65 W adapter, above DOE level VI's 88 %",
		"noise, heat sink, fan: chosen",
	},
};

const struct es_twin_kind es_twin_kind_vm = {
	.name = "vm",
	.help = "virtual machine of a cloud, 2 threads of an Intel Xeon Platinum 8581C, no meter that works",
	.n_packages = 1,
	.cpu = {
		.vendor = "GenuineIntel",
		.model = "Intel(R) Xeon(R) Platinum 8581C CPU @ 2.10GHz",
		.family = 6, .number = 207, .stepping = 2,
		.n_cores = 2, .n_threads = 1,
		.min_mhz = 2100, .base_mhz = 2100, .step_mhz = 100,
		.turbos = { { 2, 2100 } },
		.n_turbos = 1,
		.idle_w = 0.8, .awake_w = 1.8, .leak_per_c = 0.005,
		.cores = { .dynamic_w = 4, .ridge_mhz = 1800, .rise_per_mhz = 0.0002 },
		.uncore_w = 1,
		.c_per_w = 4, .heat_ns = 12000000000, .hottest_mc = 100000,
		.memory_gb_s = 6, .dram_idle_w = 0.3, .dram_busy_w = 0.7,
	},
	.rest_w = 0.6,
	.noise_ppm = 6000,
	.memory_bytes = 8 * ES_TWIN_GIB,
	.meters = {
		.psys_nj = 1000000000, .psys = ES_TWIN_PSYS_DEAD, .is_vm = true,
	},
	.governors = "",
	.sources = {
		"what can be seen of it: such a machine, Linux 6.18",
		"watts: nobody in it can know; chosen so that it is the share of 2 of 256 threads of servers with two Xeon Platinum 8592+, its nearest kin in SPECpower_ssj2008: 134 to 260 W idle, 629 to 1025 W full",
	},
};
