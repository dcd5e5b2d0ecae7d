/*
 * tree_cpus.h - the parts of es_twin_make_cpus(), one file each
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_TREE_CPUS_H
#define ES_TWIN_TREE_CPUS_H

#include "twin/host.h"

#define ES_TWIN_CPU_DIR "sys/devices/system/cpu"
#define ES_TWIN_CPUS_MAX 1024U

/** struct es_twin_cpuset - some of a node's CPUs */
struct es_twin_cpuset {
	uint64_t bits[ES_TWIN_CPUS_MAX / 64];
};

/** es_twin_cpuset_range - all hardware threads of @n cores from @first on, as cores of the whole node are counted */
struct es_twin_cpuset es_twin_cpuset_range(const struct es_twin_kind *kind, unsigned first,
					   unsigned n);
/** es_twin_cpuset_list - "0-17,36-53"; returns @text */
char *es_twin_cpuset_list(const struct es_twin_cpuset *set, char *text, size_t size);
/** es_twin_cpuset_mask - "ff,ffffffff" of @n CPUs; returns @text */
char *es_twin_cpuset_mask(const struct es_twin_cpuset *set, unsigned n, char *text, size_t size);

/** es_twin_cpu_highest_mhz - with the fewest cores busy */
static inline unsigned es_twin_cpu_highest_mhz(const struct es_twin_cpu *cpu)
{
	return cpu->turbos[0].mhz;
}

bool es_twin_is_intel(const struct es_twin_kind *kind);
bool es_twin_is_amd(const struct es_twin_kind *kind);

void es_twin_make_topology(struct es_twin_host *host); /* tree_topology.c: CPUs, memory nodes */
void es_twin_make_caches(struct es_twin_host *host); /* tree_cache.c */
void es_twin_make_thermal(struct es_twin_host *host); /* tree_cpus.c: throttling, thermal zones */
void es_twin_make_pmu(struct es_twin_host *host); /* tree_cpus.c: what perf counts energy with */
void es_twin_make_cpufreq(struct es_twin_host *host); /* tree_cpufreq.c: policies */
void es_twin_make_uncore(struct es_twin_host *host); /* tree_uncore.c */
void es_twin_make_proc(struct es_twin_host *host); /* tree_proc.c */
void es_twin_make_board(struct es_twin_host *host); /* tree_board.c: DMI, battery */

/*
 * tree_cpufreq.c, for tree_pstate.c.
 */
/** struct es_twin_policy - of one CPU; what was asked for, whatever came of it */
struct es_twin_policy {
	uint32_t min_khz, max_khz; /* requests */
	uint8_t preference; /* energy_performance_preference while not governed by performance */
};
/** struct es_twin_cpufreq - of a node */
struct es_twin_cpufreq {
	unsigned n;
	uint32_t lowest_khz, highest_khz, base_khz; /* highest: with turbo */
	uint32_t table_khz[64]; /* falling, where the driver has one */
	size_t n_table;
	unsigned min_percent, max_percent; /* intel_pstate's */
	bool has_own_policies; /* the driver chooses the clock itself: performance, powersave */
	struct es_twin_policy policies[];
};
/** es_twin_cpufreq_max_khz - cpuinfo_max_freq: without turbo it is less */
uint32_t es_twin_cpufreq_max_khz(const struct es_twin_host *host,
				 const struct es_twin_cpufreq *cpufreq);
/** es_twin_cpufreq_apply - ask the node for what the policies of all CPUs (or of @cpu, if not negative) say now */
int es_twin_cpufreq_apply(struct es_twin_host *host, struct es_twin_cpufreq *cpufreq, int cpu);
/** es_twin_make_pstate - knobs of the whole driver: intel_pstate/, amd_pstate/, boost */
void es_twin_make_pstate(struct es_twin_host *host, struct es_twin_cpufreq *cpufreq);

#endif
