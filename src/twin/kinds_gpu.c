/*
 * kinds_gpu.c - servers with NVIDIA GPUs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/kinds.h"
#include "twin/kinds_parts.h"

const struct es_twin_kind es_twin_kind_genoa2s_a100x4 = {
	.name = "genoa2s-a100x4",
	.help = "GPU server, 2 x AMD EPYC 9554 (Genoa), 4 x NVIDIA A100-SXM4-80GB, 768 GiB",
	.n_packages = 2,
	.cpu = {
		.vendor = "AuthenticAMD",
		.model = "AMD EPYC 9554 64-Core Processor",
		.family = 25, .number = 17, .stepping = 1,
		.n_cores = 64, .n_threads = 2,
		.min_mhz = 1500, .base_mhz = 3100, .step_mhz = 25,
		.turbos = { { 64, 3750 } },
		.n_turbos = 1,
		.idle_w = 34, .awake_w = 95, .leak_per_c = 0.004,
		.cores = { .dynamic_w = 200, .ridge_mhz = 2400, .rise_per_mhz = 0.0002 },
		.uncore_w = 45,
		.design_w = 360,
		.c_per_w = 0.11, .heat_ns = 14000000000, .hottest_mc = 96000,
		.memory_gb_s = 460, .dram_idle_w = 12, .dram_busy_w = 42,
	},
	.n_gpus = 4,
	.gpu = { ES_TWIN_A100_SXM4_80GB },
	.rest_w = 85,
	.fan_min_w = 60, .fan_max_w = 420, .fan_max_rpm = 14000,
	.supply_w = 4400, .supply_efficiency = { 0.90, 0.94, 0.96, 0.91 },
	.noise_ppm = 4000,
	.memory_bytes = 768 * ES_TWIN_GIB,
	.meters = {
		.rapl_nj = 15258, .has_cores_zone = true, .has_msr = true, .has_nvml = true,
		.has_cpufreq = true, .has_bmc = true, .bmc_gain_ppm = -108000,
		.cpufreq_driver = "amd-pstate-epp",
	},
	.governors = "performance powersave",
	.sources = {
		"cores, 3.1 GHz, 3.75 GHz, 360 W: AMD's product page of the EPYC 9554",
		"processors at rest and at work: SPECpower_ssj2008, 50 servers with two EPYC 9004: 105 to 167 W, 591 to 952 W; chosen so that without GPUs and their fans this one would lie there",
		"memory: 12 x DDR5-4800 are 460 GB/s; watts chosen",
		"A100: 400 W (100 W at least), 210 to 1410 MHz in steps of 15, memory 1593 MHz: NVIDIA's data sheet, nvidia-smi -q -d SUPPORTED_CLOCKS",
		"A100 at rest: nvidia-smi shows 50 to 65 W; chosen 55 W, 82 W once a context is open",
		"A100's voltage: flat up to 900 MHz; chosen; models with such a ridge fit NVIDIA's GPUs (Schoonhoven et al., PMBS 2022)",
		"power supply: 80 PLUS Titanium, 230 V",
		"noise, heat sinks, fans: chosen",
		"its controller reads 0.892 of a wattmeter: measured on such a server with eight GPUs, 20 runs each of three programs",
	},
};

const struct es_twin_kind es_twin_kind_grace_hopper = {
	.name = "grace-hopper",
	.help = "GH200 superchip: NVIDIA Grace (72 cores), H100 96GB, 480 GiB",
	.n_packages = 1,
	.cpu = {
		.vendor = "ARM",
		.model = "Neoverse-V2",
		.family = 8, .number = 0xd4f, .stepping = 0,
		.n_cores = 72, .n_threads = 1,
		.min_mhz = 81, .base_mhz = 3375, .step_mhz = 9,
		.turbos = { { 72, 3375 } },
		.n_turbos = 1,
		.idle_w = 38, .awake_w = 70, .leak_per_c = 0.004,
		.cores = { .dynamic_w = 135, .ridge_mhz = 2200, .rise_per_mhz = 0.00025 },
		.uncore_w = 36,
		.tdp_w = 250, .long_us = 999424,
		.c_per_w = 0.14, .heat_ns = 12000000000, .hottest_mc = 100000,
		.memory_gb_s = 384, .dram_idle_w = 9, .dram_busy_w = 25,
	},
	.n_gpus = 1,
	.gpu = {
		.vendor = "nvidia", .name = "NVIDIA GH200 480GB",
		.vendor_id = 0x10de, .device_id = 0x2342, .class = 0x030200,
		.architecture = 9, .n_chips = 1,
		.min_mhz = 345, .top_mhz = 1980, .step_mhz = 15, .idle_mhz = 345,
		.memory_mhz = 2619, .memory_idle_mhz = 2619,
		.idle_w = 72, .awake_w = 115,
		.cores = { .dynamic_w = 500, .ridge_mhz = 1200, .rise_per_mhz = 0.0004 },
		.memory_w = 105,
		.limit_min_w = 100, .limit_max_w = 900, .limit_w = 900,
		.c_per_w = 0.06, .leak_per_c = 0.004, .heat_ns = 12000000000,
		.hottest_mc = 87000, .memory_bytes = 96 * ES_TWIN_GIB,
	},
	.sysio_w = 24,
	.rest_w = 48,
	.fan_min_w = 22, .fan_max_w = 220, .fan_max_rpm = 20000,
	.supply_w = 2000, .supply_efficiency = { 0.90, 0.94, 0.96, 0.91 },
	.noise_ppm = 4000,
	.memory_bytes = 480 * ES_TWIN_GIB,
	.meters = {
		.has_grace = true, .has_nvml = true, .has_cpufreq = true, .has_bmc = true,
		.cpufreq_driver = "cppc_cpufreq",
	},
	.governors = "conservative ondemand userspace powersave performance schedutil",
	.sources = {
		"72 Neoverse V2, 480 GB LPDDR5X at up to 384 GB/s, 96 GB HBM3, 450 W to 1000 W for all: NVIDIA's GH200 data sheet",
		"900 W limit, 1980 MHz, memory 2619 MHz: nvidia-smi -q on GH200",
		"Grace: SPECpower_ssj2008 has 298 W / 619 W for a server with a Grace superchip of 144 cores; 250 W with memory: NVIDIA's Grace data sheet (500 W for two)",
		"GPU at rest 70 to 100 W, 600 to 700 W with GEMM: published nvidia-smi outputs; chosen within",
		"power supply: 80 PLUS Titanium, 230 V",
		"noise, heat sinks, fans, SysIO: chosen",
	},
};

const struct es_twin_kind es_twin_kind_a100_mig = {
	.name = "a100-mig",
	.help = "GPU server, 2 x AMD EPYC 7763, 4 x NVIDIA A100-SXM4-80GB cut into 7 instances each, 512 GiB",
	.n_packages = 2,
	.cpu = ES_TWIN_EPYC_7763,
	.n_gpus = 4,
	.gpu = { ES_TWIN_A100_SXM4_80GB, .n_instances = 7, .instance_slices = 1 },
	.rest_w = 85,
	.fan_min_w = 60, .fan_max_w = 420, .fan_max_rpm = 14000,
	.supply_w = 4400, .supply_efficiency = { 0.90, 0.94, 0.96, 0.91 },
	.noise_ppm = 4000,
	.memory_bytes = 512 * ES_TWIN_GIB,
	.meters = {
		.rapl_nj = 15258, .has_cores_zone = true, .has_msr = true, .has_nvml = true,
		.has_cpufreq = true, .has_bmc = true, .cpufreq_driver = "acpi-cpufreq",
	},
	.governors = "conservative ondemand userspace powersave performance schedutil",
	.sources = {
		"processors: as kind milan2s",
		"A100: as kind genoa2s-a100x4",
		"instances: NVIDIA's MIG user guide, profile 1g.10gb; an instance's power taken as its share of the 7 slices",
		"boards, fans: chosen",
	},
};

const struct es_twin_kind es_twin_kind_a100_mig3 = {
	.name = "a100-mig3",
	.help = "GPU server, 2 x AMD EPYC 7763, 4 x NVIDIA A100-SXM4-80GB cut into 3 instances each, 512 GiB",
	.n_packages = 2,
	.cpu = ES_TWIN_EPYC_7763,
	.n_gpus = 4,
	.gpu = { ES_TWIN_A100_SXM4_80GB, .n_instances = 3, .instance_slices = 2 },
	.rest_w = 85,
	.fan_min_w = 60, .fan_max_w = 420, .fan_max_rpm = 14000,
	.supply_w = 4400, .supply_efficiency = { 0.90, 0.94, 0.96, 0.91 },
	.noise_ppm = 4000,
	.memory_bytes = 512 * ES_TWIN_GIB,
	.meters = {
		.rapl_nj = 15258, .has_cores_zone = true, .has_msr = true, .has_nvml = true,
		.has_cpufreq = true, .has_bmc = true, .cpufreq_driver = "acpi-cpufreq",
	},
	.governors = "conservative ondemand userspace powersave performance schedutil",
	.sources = {
		"processors: as kind milan2s",
		"A100: as kind genoa2s-a100x4",
		"instances: NVIDIA's MIG user guide, profile 2g.20gb; an instance's power taken as its share of the 7 slices",
		"boards, fans: chosen",
	},
};
