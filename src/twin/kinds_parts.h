/*
 * kinds_parts.h - processors and GPUs that several kinds have
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_KINDS_PARTS_H
#define ES_TWIN_KINDS_PARTS_H

#include "twin/kinds.h"

/* clang-format off */
#define ES_TWIN_EPYC_7763 { \
	.vendor = "AuthenticAMD", \
	.model = "AMD EPYC 7763 64-Core Processor", \
	.family = 25, .number = 1, .stepping = 1, \
	.n_cores = 64, .n_threads = 2, \
	.min_mhz = 1500, .base_mhz = 2450, .step_mhz = 475, \
	.turbos = { { 8, 3500 }, { 64, 3200 } }, \
	.n_turbos = 2, \
	.idle_w = 24, .awake_w = 66, .leak_per_c = 0.004, \
	.cores = { .dynamic_w = 138, .ridge_mhz = 2300, .rise_per_mhz = 0.0002 }, \
	.uncore_w = 40, \
	.design_w = 280, \
	.c_per_w = 0.15, .heat_ns = 13000000000, .hottest_mc = 95000, \
	.memory_gb_s = 205, .dram_idle_w = 8, .dram_busy_w = 26, \
}

#define ES_TWIN_A100_SXM4_80GB \
	.vendor = "nvidia", .name = "NVIDIA A100-SXM4-80GB", \
	.vendor_id = 0x10de, .device_id = 0x20b2, .class = 0x030200, \
	.architecture = 7, .n_chips = 1, \
	.min_mhz = 210, .top_mhz = 1410, .step_mhz = 15, .idle_mhz = 210, \
	.memory_mhz = 1593, .memory_idle_mhz = 1593, \
	.idle_w = 55, .awake_w = 82, \
	.cores = { .dynamic_w = 300, .ridge_mhz = 900, .rise_per_mhz = 0.0006 }, \
	.memory_w = 75, \
	.limit_min_w = 100, .limit_max_w = 400, .limit_w = 400, \
	.c_per_w = 0.09, .leak_per_c = 0.004, .heat_ns = 15000000000, \
	.hottest_mc = 85000, .memory_bytes = 80 * ES_TWIN_GIB
/* clang-format on */

#endif
