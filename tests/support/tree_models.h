/*
 * tree_models.h - the machines that trees are made of
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_TREE_MODELS_H
#define ES_TESTS_SUPPORT_TREE_MODELS_H

#include <stdbool.h>
#include <stdint.h>

enum es_tree_psys {
	ES_TREE_NO_PSYS,
	ES_TREE_PSYS_ONE, /* beside the first package */
	ES_TREE_PSYS_EACH, /* beside every package */
	ES_TREE_PSYS_ONLY, /* nothing else, and it never moves */
};

enum es_tree_msr {
	ES_TREE_NO_MSR,
	ES_TREE_MSR_ONLY, /* files of registers, no kernel driver */
	ES_TREE_MSR_TOO, /* registers that show what the zones show */
	ES_TREE_MSR_ZEROS, /* a VM: every register reads 0 */
	ES_TREE_MSR_BROKEN, /* no register can be read */
};

/** enum es_tree_meters - what the machine has beside RAPL; all synthetic, after the kernel's sources and vendors' documents */
enum es_tree_meters {
	ES_TREE_NO_METERS,
	ES_TREE_AMD_ENERGY,
	ES_TREE_GRACE,
	ES_TREE_ALTRA,
	ES_TREE_POWER9,
	ES_TREE_SCMI,
	ES_TREE_XE,
	ES_TREE_I915,
	ES_TREE_MI250X,
	ES_TREE_MI300A,
	ES_TREE_MI300A_HSMP, /* the same with all that HSMP's driver shows */
	ES_TREE_HSMP,
	ES_TREE_HSMP_OLD, /* firmware that knows powers only */
	ES_TREE_AMD_APU,
	ES_TREE_RADEON_ASLEEP,
	ES_TREE_CRAY,
	ES_TREE_CRAY_OLD,
	ES_TREE_CRAY_BROKEN,
};

/* Rows of sys/bus/event_source/devices/power/events */
#define ES_TREE_PKG 1u
#define ES_TREE_CORES 2u
#define ES_TREE_RAM 4u
#define ES_TREE_GPU 8u
#define ES_TREE_SYS 16u

/** struct es_tree_model - one kind of machine */
struct es_tree_model {
	const char *name, *vendor, *cpu;
	unsigned family, model, stepping;
	unsigned n_packages, n_dies, n_cores,
		n_threads; /* dies and cores per package, threads per core */
	unsigned unit_nj, dram_nj, psys_nj; /* of the counters; 0: none */
	unsigned tdp_w; /* 0: no constraints (AMD) */
	enum es_tree_psys psys;
	enum es_tree_msr msr;
	enum es_tree_meters meters;
	unsigned events; /* of the PMU "power" */
	bool has_core, has_uncore, has_mmio;
	bool has_zone_per_die, is_mirrored;
	bool has_power_core; /* PMU "power_core" */
	bool is_old; /* energy_uj for all, values in 10^6 / 2^14 */
	bool is_vm;
};

/** es_tree_model_find - NULL: no such model */
const struct es_tree_model *es_tree_model_find(const char *name);

#endif
