/*
 * tree_topology.c - which CPUs a simulated node has, where each one is, and the memory beside them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * After Linux 6.12: drivers/base/cpu.c, topology.c, node.c.
 */
#include <stdio.h>
#include <string.h>

#include "twin/sysfs.h"
#include "twin/tree_cpus.h"

#define NODE_DIR "sys/devices/system/node"
#define LIST_BYTES 2048

bool es_twin_is_intel(const struct es_twin_kind *kind)
{
	return strcmp(kind->cpu.vendor, "GenuineIntel") == 0;
}

bool es_twin_is_amd(const struct es_twin_kind *kind)
{
	return strcmp(kind->cpu.vendor, "AuthenticAMD") == 0;
}

static bool has(const struct es_twin_cpuset *set, unsigned cpu)
{
	return cpu < ES_TWIN_CPUS_MAX && set->bits[cpu / 64] >> (cpu % 64) & 1;
}

struct es_twin_cpuset es_twin_cpuset_range(const struct es_twin_kind *kind, unsigned first,
					   unsigned n)
{
	struct es_twin_cpuset set = { 0 };
	unsigned n_cores = kind->n_packages * kind->cpu.n_cores;

	for (unsigned thread = 0; thread < kind->cpu.n_threads; thread++)
		for (unsigned core = first; core < first + n; core++) {
			unsigned cpu = thread * n_cores + core;

			if (cpu < ES_TWIN_CPUS_MAX)
				set.bits[cpu / 64] |= UINT64_C(1) << (cpu % 64);
		}
	return set;
}

char *es_twin_cpuset_list(const struct es_twin_cpuset *set, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	for (unsigned cpu = 0; cpu < ES_TWIN_CPUS_MAX && n < size; cpu++) {
		unsigned first = cpu;

		if (!has(set, cpu))
			continue;
		while (has(set, cpu + 1))
			cpu++;
		n += (size_t)snprintf(text + n, size - n, cpu > first ? "%s%u-%u" : "%s%u",
				      n ? "," : "", first, cpu);
	}
	return text;
}

/* As many digits as the CPUs need, in groups of eight. */
char *es_twin_cpuset_mask(const struct es_twin_cpuset *set, unsigned n, char *text, size_t size)
{
	unsigned n_groups = (n + 31) / 32;
	size_t at = 0;

	text[0] = '\0';
	for (unsigned i = n_groups; i-- > 0 && at < size;) {
		unsigned group = (unsigned)(set->bits[i / 2] >> (i % 2 * 32) & UINT32_MAX);
		unsigned n_digits = i + 1 == n_groups ? (n - i * 32 + 3) / 4 : 8;

		at += (size_t)snprintf(text + at, size - at, "%0*x%s", (int)n_digits, group,
				       i ? "," : "");
	}
	return text;
}

static void put_set(struct es_twin_host *host, const char *dir, const char *name,
		    const struct es_twin_cpuset *set)
{
	char text[LIST_BYTES], attr[64];

	es_twin_put_text(host->tree, 0444, dir, name, "%s\n",
			 es_twin_cpuset_mask(set, es_twin_n_cpus(host->kind), text, sizeof(text)));
	(void)snprintf(attr, sizeof(attr), "%s_list", name);
	es_twin_put_text(host->tree, 0444, dir, attr, "%s\n",
			 es_twin_cpuset_list(set, text, sizeof(text)));
}

static void make_cpu(struct es_twin_host *host, unsigned cpu)
{
	const struct es_twin_kind *kind = host->kind;
	unsigned package = es_twin_cpu_package(kind, cpu), core = es_twin_cpu_core(kind, cpu);
	unsigned first = package * kind->cpu.n_cores;
	struct es_twin_cpuset package_set = es_twin_cpuset_range(kind, first, kind->cpu.n_cores);
	struct es_twin_cpuset core_set = es_twin_cpuset_range(kind, first + core, 1);
	char dir[96], path[64];

	(void)snprintf(dir, sizeof(dir), ES_TWIN_CPU_DIR "/cpu%u", cpu);
	es_twin_make_device(host->tree, dir, "sys/bus/cpu");
	(void)snprintf(path, sizeof(path), "sys/bus/cpu/devices/cpu%u", cpu);
	es_twin_tree_link(host->tree, path, dir);
	(void)snprintf(path, sizeof(path), NODE_DIR "/node%u", package);
	es_twin_put_link(host->tree, dir, strrchr(path, '/') + 1, path);
	(void)snprintf(dir, sizeof(dir), ES_TWIN_CPU_DIR "/cpu%u/topology", cpu);
	es_twin_put_text(host->tree, 0444, dir, "physical_package_id", "%u\n", package);
	es_twin_put_text(host->tree, 0444, dir, "die_id", "0\n");
	es_twin_put_text(host->tree, 0444, dir, "core_id", "%u\n", core);
	put_set(host, dir, "core_cpus", &core_set);
	put_set(host, dir, "thread_siblings", &core_set);
	put_set(host, dir, "die_cpus", &package_set);
	put_set(host, dir, "core_siblings", &package_set);
	put_set(host, dir, "package_cpus", &package_set);
}

/* One for each package. */
static void make_nodes(struct es_twin_host *host)
{
	const struct es_twin_kind *kind = host->kind;
	uint64_t each_kb = kind->memory_bytes / 1024 / kind->n_packages;
	char text[LIST_BYTES], dir[64];

	(void)snprintf(text, sizeof(text), kind->n_packages > 1 ? "0-%u" : "%u",
		       kind->n_packages - 1);
	for (size_t i = 0; i < 5; i++) {
		static const char *const names[] = { "online", "possible", "has_cpu", "has_memory",
						     "has_normal_memory" };

		es_twin_put_text(host->tree, 0444, NODE_DIR, names[i], "%s\n", text);
	}
	for (unsigned package = 0; package < kind->n_packages; package++) {
		struct es_twin_cpuset set =
			es_twin_cpuset_range(kind, package * kind->cpu.n_cores, kind->cpu.n_cores);
		size_t n = 0;

		(void)snprintf(dir, sizeof(dir), NODE_DIR "/node%u", package);
		es_twin_put_text(host->tree, 0444, dir, "cpulist", "%s\n",
				 es_twin_cpuset_list(&set, text, sizeof(text)));
		es_twin_put_text(host->tree, 0444, dir, "cpumap", "%s\n",
				 es_twin_cpuset_mask(&set, es_twin_n_cpus(kind), text,
						     sizeof(text)));
		es_twin_put_text(host->tree, 0444, dir, "meminfo",
				 "Node %u MemTotal:       %8llu kB\n"
				 "Node %u MemFree:        %8llu kB\n"
				 "Node %u MemUsed:        %8llu kB\n",
				 package, (unsigned long long)each_kb, package,
				 (unsigned long long)(each_kb - each_kb / 16), package,
				 (unsigned long long)(each_kb / 16));
		for (unsigned i = 0; i < kind->n_packages; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u", i ? " " : "",
					      i == package ? 10U : 21U);
		es_twin_put_text(host->tree, 0444, dir, "distance", "%s\n", text);
	}
}

void es_twin_make_topology(struct es_twin_host *host)
{
	unsigned n = es_twin_n_cpus(host->kind);
	char text[32];

	(void)snprintf(text, sizeof(text), n > 1 ? "0-%u\n" : "%u\n", n - 1);
	es_twin_make_device(host->tree, ES_TWIN_CPU_DIR, NULL);
	es_twin_put_text(host->tree, 0444, ES_TWIN_CPU_DIR, "online", "%s", text);
	es_twin_put_text(host->tree, 0444, ES_TWIN_CPU_DIR, "possible", "%s", text);
	es_twin_put_text(host->tree, 0444, ES_TWIN_CPU_DIR, "present", "%s", text);
	es_twin_put_text(host->tree, 0444, ES_TWIN_CPU_DIR, "offline", "\n");
	es_twin_put_text(host->tree, 0444, ES_TWIN_CPU_DIR, "isolated", "\n");
	es_twin_put_text(host->tree, 0444, ES_TWIN_CPU_DIR, "kernel_max", "8191\n");
	es_twin_put_text(host->tree, 0444, ES_TWIN_CPU_DIR, "smt/active", "%d\n",
			 host->kind->cpu.n_threads > 1);
	es_twin_put_text(host->tree, 0444, ES_TWIN_CPU_DIR, "smt/control", "%s\n",
			 host->kind->cpu.n_threads > 1 ? "on" : "notsupported");
	for (unsigned cpu = 0; cpu < n; cpu++)
		make_cpu(host, cpu);
	make_nodes(host);
}
