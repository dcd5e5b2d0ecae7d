/*
 * kinds_intel.c - servers with Intel processors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/kinds.h"

#define TITANIUM                       \
	{                              \
		0.90, 0.94, 0.96, 0.91 \
	}
#define PLATINUM                       \
	{                              \
		0.85, 0.90, 0.94, 0.91 \
	}
#define GOLD                           \
	{                              \
		0.82, 0.87, 0.90, 0.87 \
	}

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
	.supply_w = 1100, .supply_efficiency = TITANIUM,
	.noise_ppm = 4000,
	.memory_bytes = 192 * ES_TWIN_GIB,
	.meters = {
		.rapl_nj = 61035, .dram_nj = 15300,
		.has_msr = true, .has_cpufreq = true, .has_uncore = true, .has_bmc = true,
		.cpufreq_driver = "intel_pstate",
	},
	.governors = "performance powersave",
	.sources = {
		"cores, base clock, 165 W: Intel's product page of the Xeon Gold 6150",
		"turbo by active cores: Intel Xeon Scalable specification update (336065), non-AVX",
		"PL2 is 1.2 times PL1: Intel's default",
		"uncore 1.2 to 2.4 GHz: Schoene et al. on Skylake-SP, HPCS 2019 (arXiv 1905.12468)",
		"idle and full load: SPECpower_ssj2008 has 52 W / 343 W (2 x Gold 6140) and 131 W / 432 W (2 x Gold 6136); chosen so that this one lies between",
		"memory: 6 x DDR4-2666 are 128 GB/s; 7 W to 28 W chosen so that 96 GiB draw 0.07 to 0.3 W/GiB, as RAPL shows on such nodes",
		"voltage: flat up to 2.0 GHz, then rising; chosen so that activity 1.2 with memory traffic reaches 165 W",
		"power supply: 80 PLUS Titanium, 230 V",
		"noise, heat sink, fans: chosen",
	},
};

const struct es_twin_kind es_twin_kind_spr2s = {
	.name = "spr2s",
	.help = "server, 2 x Intel Xeon Platinum 8480+ (Sapphire Rapids), 512 GiB",
	.n_packages = 2,
	.cpu = {
		.vendor = "GenuineIntel",
		.model = "Intel(R) Xeon(R) Platinum 8480+",
		.family = 6, .number = 143, .stepping = 8,
		.n_cores = 56, .n_threads = 2,
		.min_mhz = 800, .base_mhz = 2000, .step_mhz = 100,
		.turbos = { { 8, 3800 }, { 16, 3600 }, { 28, 3300 }, { 56, 3000 } },
		.n_turbos = 4,
		.idle_w = 52, .awake_w = 95, .leak_per_c = 0.005,
		.cores = { .dynamic_w = 205, .ridge_mhz = 1800, .rise_per_mhz = 0.00024 },
		.uncore_min_mhz = 800, .uncore_max_mhz = 2500, .uncore_w = 48,
		.tdp_w = 350, .short_w = 420, .long_us = 999424, .short_us = 7808,
		.c_per_w = 0.14, .heat_ns = 14000000000, .hottest_mc = 100000,
		.memory_gb_s = 307, .dram_idle_w = 11, .dram_busy_w = 34,
	},
	.rest_w = 42,
	.fan_min_w = 14, .fan_max_w = 190, .fan_max_rpm = 18000,
	.supply_w = 2000, .supply_efficiency = TITANIUM,
	.noise_ppm = 4000,
	.memory_bytes = 512 * ES_TWIN_GIB,
	.meters = {
		.rapl_nj = 61035, .dram_nj = 61035, .psys_nj = 1000000000,
		.psys = ES_TWIN_PSYS_EACH,
		.has_msr = true, .has_cpufreq = true, .has_uncore = true, .has_bmc = true,
		.cpufreq_driver = "intel_pstate",
	},
	.governors = "performance powersave",
	.sources = {
		"cores, 2.0 GHz base, 3.0 GHz all cores, 3.8 GHz at most, 350 W: Intel's product page of the Xeon Platinum 8480+",
		"turbo between them: chosen, falling with the number of active cores",
		"idle and full load: SPECpower_ssj2008, 15 servers with two of them: 147 to 223 W, 594 to 989 W",
		"memory: 8 x DDR5-4800 are 307 GB/s; watts chosen",
		"voltage: chosen so that activity 1.2 with memory traffic reaches 350 W",
		"power supply: 80 PLUS Titanium, 230 V",
		"noise, heat sink, fans: chosen",
	},
};

const struct es_twin_kind es_twin_kind_taurus = {
	.name = "taurus",
	.help = "server, 2 x Intel Xeon E5-2630 (Sandy Bridge), 32 GiB: Grid'5000's Taurus",
	.n_packages = 2,
	.cpu = {
		.vendor = "GenuineIntel",
		.model = "Intel(R) Xeon(R) CPU E5-2630 0 @ 2.30GHz",
		.family = 6, .number = 45, .stepping = 7,
		.n_cores = 6, .n_threads = 2,
		.min_mhz = 1200, .base_mhz = 2300, .step_mhz = 100,
		.turbos = { { 2, 2800 }, { 4, 2700 }, { 6, 2600 } },
		.n_turbos = 3,
		.idle_w = 12, .awake_w = 15.2, .leak_per_c = 0.005,
		.cores = { .dynamic_w = 39.5, .ridge_mhz = 1200, .rise_per_mhz = 0.000282 },
		.uncore_w = 8,
		.tdp_w = 95, .short_w = 114, .long_us = 999424, .short_us = 7808,
		.c_per_w = 0.4, .heat_ns = 12000000000, .hottest_mc = 91000,
		.memory_gb_s = 42.6, .dram_idle_w = 3, .dram_busy_w = 8,
	},
	.rest_w = 39.1,
	.fan_min_w = 12, .fan_max_w = 60, .fan_max_rpm = 12000,
	.supply_w = 750, .supply_efficiency = PLATINUM,
	.noise_ppm = 3000,
	.memory_bytes = 32 * ES_TWIN_GIB,
	.meters = {
		.rapl_nj = 15258, .dram_nj = 15258,
		.has_msr = true, .has_cpufreq = true, .has_bmc = true,
		.cpufreq_driver = "acpi-cpufreq",
	},
	.governors = "conservative ondemand userspace powersave performance schedutil",
	.sources = {
		"13 P-states, 95 W idle, 190.7 W to 125.9 W with LINPACK, and its speed in each: Grid'5000's Taurus as in Batsim (batsim_taurus_pstates.csv)",
		"all cores at 2.6 GHz: chosen so that speed goes with the clock in that table; it is Intel's turbo for 6 active cores too",
		"cores, 95 W: Intel's product page of the Xeon E5-2630",
		"dynamic power, voltage: fitted to that table",
		"how idle power is divided: chosen; SPECpower_ssj2008 has 56 to 100 W, 205 to 325 W for servers with two of them",
		"power supply: 80 PLUS Platinum, 230 V",
		"noise, heat sink, fans: chosen",
	},
};

const struct es_twin_kind es_twin_kind_broadwell1s = {
	.name = "broadwell1s",
	.help = "server, 1 x Intel Xeon E5-2630 v4 (Broadwell), 64 GiB",
	.n_packages = 1,
	.cpu = {
		.vendor = "GenuineIntel",
		.model = "Intel(R) Xeon(R) CPU E5-2630 v4 @ 2.20GHz",
		.family = 6, .number = 79, .stepping = 1,
		.n_cores = 10, .n_threads = 2,
		.min_mhz = 1200, .base_mhz = 2200, .step_mhz = 100,
		.turbos = { { 2, 3100 }, { 3, 2900 }, { 4, 2800 }, { 5, 2700 }, { 6, 2600 },
			    { 7, 2500 }, { 10, 2400 } },
		.n_turbos = 7,
		.idle_w = 8, .awake_w = 15.8, .leak_per_c = 0.005,
		.cores = { .dynamic_w = 27.1, .ridge_mhz = 2000, .rise_per_mhz = 0.000234 },
		.uncore_min_mhz = 1200, .uncore_max_mhz = 2700, .uncore_w = 10.5,
		.tdp_w = 85, .short_w = 102, .long_us = 999424, .short_us = 7808,
		.c_per_w = 0.4, .heat_ns = 12000000000, .hottest_mc = 91000,
		.memory_gb_s = 68.3, .dram_idle_w = 5, .dram_busy_w = 18,
	},
	.rest_w = 33.2,
	.fan_min_w = 8, .fan_max_w = 50, .fan_max_rpm = 12000,
	.supply_w = 500, .supply_efficiency = GOLD,
	.noise_ppm = 3000,
	.memory_bytes = 64 * ES_TWIN_GIB,
	.meters = {
		.rapl_nj = 61035, .dram_nj = 15300,
		.has_msr = true, .has_cpufreq = true, .has_uncore = true, .has_bmc = true,
		.has_acpi_meter = true,
		.cpufreq_driver = "intel_pstate",
	},
	.governors = "performance powersave",
	.sources = {
		"cores, 85 W: Intel's product page of the Xeon E5-2630 v4",
		"turbo by active cores: Intel Xeon E5 v4 specification update; speed by threads of NPB EP in Loghin's tables says the same",
		"watts at the wall by number of cores: Loghin, multicores-time-energy (CC BY 4.0), NPB EP: 79.5 W with one, 107.5 W with ten; power of cores fitted to it",
		"memory: NPB SP with ten threads, 133.6 W, is the most in those tables; 4 x DDR4-2133 are 68 GB/s",
		"power supply: 80 PLUS Gold; chosen",
		"noise, heat sink, fans, idle: chosen",
	},
};
