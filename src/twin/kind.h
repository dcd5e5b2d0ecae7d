/*
 * kind.h - the kinds of nodes that can be simulated, and where their figures are from
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_KIND_H
#define ES_TWIN_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct es_twin_turbo - highest clock while at most @n_cores of a package are busy */
struct es_twin_turbo {
	unsigned n_cores, mhz;
};

#define ES_TWIN_TURBOS_MAX 8U
#define ES_TWIN_SOURCES_MAX 12U

/**
 * struct es_twin_curve - P = dynamic_w · activity · (f/f_top) · (V(f)/V(f_top))², V flat up to the ridge, then rising
 *
 * (science B1: P = P0 + k f (1 + beta·max(0, f - ridge))².)
 */
struct es_twin_curve {
	double dynamic_w; /* at the reference clock, activity 1 */
	unsigned ridge_mhz;
	double rise_per_mhz; /* beta: relative rise of the voltage for each MHz above the ridge */
};

/** struct es_twin_cpu - a package */
struct es_twin_cpu {
	const char *vendor, *model; /* as /proc/cpuinfo has them */
	unsigned family, number, stepping;
	unsigned n_cores, n_threads; /* of a package; of a core */
	unsigned min_mhz, base_mhz, step_mhz;
	struct es_twin_turbo turbos
		[ES_TWIN_TURBOS_MAX]; /* fewest cores first; the last is for all: the reference */
	size_t n_turbos;
	double idle_w; /* all cores asleep */
	double awake_w; /* not: uncore, mesh, leakage at 50 °C */
	double leak_per_c; /* relative rise of awake_w for each degree */
	struct es_twin_curve cores; /* all of a package */
	unsigned uncore_min_mhz, uncore_max_mhz; /* 0: no knob */
	double uncore_w; /* at its highest clock, memory busy */
	double graphics_idle_w; /* clients; 0: none */
	unsigned tdp_w, short_w,
		peak_w; /* long_term, short_term, peak_power limits; 0: none (AMD) */
	int64_t long_us, short_us; /* their windows */
	unsigned design_w; /* what firmware holds it to where nobody can set a limit (AMD); 0: none */
	double c_per_w; /* heat sink */
	int64_t heat_ns; /* time constant */
	int64_t hottest_mc; /* throttles here */
	double memory_gb_s; /* bandwidth at the highest uncore clock */
	double dram_idle_w, dram_busy_w; /* beside a package */
};

/** struct es_twin_gpu - a device */
struct es_twin_gpu {
	const char *vendor; /* nvidia, amd */
	const char *name;
	unsigned vendor_id, device_id, class; /* PCI */
	unsigned architecture; /* nvmlDeviceArchitecture_t */
	unsigned n_chips; /* on one device (MI250X: 2), else 1 */
	unsigned min_mhz, top_mhz, step_mhz, idle_mhz;
	unsigned memory_mhz, memory_idle_mhz;
	double idle_w, awake_w; /* nothing runs; something does */
	struct es_twin_curve cores;
	double memory_w; /* memory at full speed */
	unsigned limit_min_w, limit_max_w, limit_w; /* the last: as delivered */
	double c_per_w, leak_per_c;
	int64_t heat_ns, hottest_mc;
	unsigned n_instances; /* of MIG, all alike, 0: off */
	unsigned instance_slices; /* of 7 */
	uint64_t memory_bytes;
};

/** enum es_twin_psys - what RAPL's psys of a kind is */
enum es_twin_psys {
	ES_TWIN_NO_PSYS,
	ES_TWIN_PSYS_ONE,
	ES_TWIN_PSYS_EACH, /* one for each package, all of them show the board */
	ES_TWIN_PSYS_DEAD, /* there, and 0 for ever: a VM */
};

/** struct es_twin_meters - which interfaces a kind has */
struct es_twin_meters {
	unsigned rapl_nj, dram_nj, psys_nj; /* steps of the counters; 0: no such zone */
	enum es_twin_psys psys;
	bool has_cores_zone, has_graphics_zone, has_mmio, has_msr;
	bool has_cray, has_grace, has_nvml, has_amdgpu, has_rocm;
	bool has_cpufreq, has_uncore, has_bmc, is_vm, has_battery;
	bool has_acpi_meter; /* the node's mean of five minutes, as the BMC hands it to ACPI */
	int bmc_gain_ppm; /* the BMC shows so much more than is (science E6: -108000 of a DGX); 0: within 1 % */
	const char *cpufreq_driver; /* intel_pstate, acpi-cpufreq, amd-pstate-epp, cppc_cpufreq */
};

/** struct es_twin_kind - a kind of node; all constant */
struct es_twin_kind {
	const char *name, *help; /* one line */
	unsigned n_packages;
	struct es_twin_cpu cpu;
	unsigned n_gpus;
	struct es_twin_gpu gpu;
	double sysio_w; /* Grace */
	double rest_w; /* regulators, disks, network */
	double fan_min_w, fan_max_w; /* at the lowest and the highest speed */
	unsigned fan_max_rpm;
	double supply_w; /* rated, of all power supplies together */
	double supply_efficiency[4]; /* at 10, 20, 50, 100 % of it; 80 PLUS gives such */
	double noise_ppm; /* of dynamic powers: standard deviation of 100 ms means */
	uint64_t memory_bytes;
	struct es_twin_meters meters;
	const char *governors; /* as scaling_available_governors */
	const char *sources
		[ES_TWIN_SOURCES_MAX]; /* where the figures are from, in words; NULL ends them */
};

/** es_twin_kinds - all of them */
const struct es_twin_kind *const *es_twin_kinds(size_t *ret_n);
/** es_twin_kind_find - NULL: there is none of that name; @ret_nearest (may be NULL): one that may be meant, or NULL */
const struct es_twin_kind *es_twin_kind_find(const char *name, const char **ret_nearest);

/*
 * Hardware threads are numbered as Linux does on servers: the first threads of all cores, package by package, then the second ones.
 */
static inline unsigned es_twin_n_cpus(const struct es_twin_kind *kind)
{
	return kind->n_packages * kind->cpu.n_cores * kind->cpu.n_threads;
}

static inline unsigned es_twin_cpu_package(const struct es_twin_kind *kind, unsigned cpu)
{
	return cpu % (kind->n_packages * kind->cpu.n_cores) / kind->cpu.n_cores;
}

/* Within its package. */
static inline unsigned es_twin_cpu_core(const struct es_twin_kind *kind, unsigned cpu)
{
	return cpu % kind->cpu.n_cores;
}

/** es_twin_cpu_max_khz - cpuinfo_max_freq: what a clock can be set to. acpi-cpufreq of Intel: base + 1 MHz means "turbo" */
uint64_t es_twin_cpu_max_khz(const struct es_twin_kind *kind);

/** es_twin_cpu_reference_mhz - all-core turbo: what phases are measured in */
unsigned es_twin_cpu_reference_mhz(const struct es_twin_cpu *cpu);

#endif
