/*
 * tree_cache.c - the caches of a simulated node's CPUs, which tools of topology ask for
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * After Linux 6.12: drivers/base/cacheinfo.c. Sizes are the makers': Intel's and AMD's product pages, Arm's manual of Neoverse V2.
 */
#include <stdio.h>

#include "base/cleanup.h"
#include "twin/sysfs.h"
#include "twin/tree_cpus.h"

#define LINE_BYTES 64U

/** struct sizes - of a family of processors, in KiB; of those that are not listed, the last row of their maker's */
struct sizes {
	unsigned number; /* 0: any other */
	unsigned data, code, second; /* of a core */
	unsigned third,
		n_sharing; /* by so many cores, 0: of all of a package; @third then is each core's part */
};

static const struct sizes intel[] = {
	{ 45, 32, 32, 256, 2560, 0 }, /* Sandy Bridge-EP */
	{ 79, 32, 32, 256, 2560, 0 }, /* Broadwell-EP */
	{ 85, 32, 32, 1024, 1408, 0 }, /* Skylake-SP */
	{ 154, 48, 32, 1280, 2304, 0 }, /* Alder Lake: 18 MiB, here of 8 cores */
	{ 0, 48, 32, 2048, 1920, 0 }, /* Sapphire Rapids */
};

static const struct sizes amd[] = {
	{ 17, 32, 32, 1024, 32768, 8 }, /* Genoa */
	{ 0, 32, 32, 512, 32768, 8 }, /* Milan, Trento */
};

static const struct sizes arm[] = {
	{ 0, 64, 64, 1024, 1621, 0 }, /* Grace: 114 MiB */
};

static const struct sizes *find(const struct es_twin_kind *kind)
{
	const struct sizes *row = es_twin_is_intel(kind) ? intel : es_twin_is_amd(kind) ? amd : arm;

	while (row->number && row->number != kind->cpu.number)
		row++;
	return row;
}

static void make_cache(struct es_twin_host *host, unsigned cpu, unsigned index, unsigned level,
		       const char *type, unsigned kib, unsigned n_ways, unsigned n_sharing)
{
	const struct es_twin_kind *kind = host->kind;
	unsigned first = es_twin_cpu_package(kind, cpu) * kind->cpu.n_cores +
			 es_twin_cpu_core(kind, cpu) / n_sharing * n_sharing;
	unsigned end = (es_twin_cpu_package(kind, cpu) + 1) * kind->cpu.n_cores;
	unsigned n = first + n_sharing > end ? end - first : n_sharing;
	struct es_twin_cpuset sharing = es_twin_cpuset_range(kind, first, n);
	char dir[96], text[1024];

	(void)snprintf(dir, sizeof(dir), ES_TWIN_CPU_DIR "/cpu%u/cache/index%u", cpu, index);
	es_twin_put_text(host->tree, 0444, dir, "level", "%u\n", level);
	es_twin_put_text(host->tree, 0444, dir, "type", "%s\n", type);
	es_twin_put_text(host->tree, 0444, dir, "size", "%uK\n", kib);
	es_twin_put_text(host->tree, 0444, dir, "id", "%u\n", first / n_sharing);
	es_twin_put_text(host->tree, 0444, dir, "coherency_line_size", "%u\n", LINE_BYTES);
	es_twin_put_text(host->tree, 0444, dir, "ways_of_associativity", "%u\n", n_ways);
	es_twin_put_text(host->tree, 0444, dir, "number_of_sets", "%u\n",
			 kib * 1024 / LINE_BYTES / n_ways);
	es_twin_put_text(host->tree, 0444, dir, "shared_cpu_list", "%s\n",
			 es_twin_cpuset_list(&sharing, text, sizeof(text)));
	es_twin_put_text(host->tree, 0444, dir, "shared_cpu_map", "%s\n",
			 es_twin_cpuset_mask(&sharing, es_twin_n_cpus(kind), text, sizeof(text)));
}

void es_twin_make_caches(struct es_twin_host *host)
{
	const struct sizes *sizes = find(host->kind);
	unsigned n_cores = host->kind->cpu.n_cores;
	unsigned third_kib = sizes->n_sharing ? sizes->third : sizes->third * n_cores;

	for (unsigned cpu = 0; cpu < es_twin_n_cpus(host->kind); cpu++) {
		/* 64 sets each. */
		make_cache(host, cpu, 0, 1, "Data", sizes->data, sizes->data / 4, 1);
		make_cache(host, cpu, 1, 1, "Instruction", sizes->code, sizes->code / 4, 1);
		make_cache(host, cpu, 2, 2, "Unified", sizes->second, 8, 1);
		make_cache(host, cpu, 3, 3, "Unified", third_kib, 16,
			   sizes->n_sharing ? sizes->n_sharing : n_cores);
	}
}
