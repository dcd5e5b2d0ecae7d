/*
 * tree_uncore.c - clocks of a simulated node's uncores as intel_uncore_frequency has them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * After Linux 6.12: drivers/platform/x86/intel/uncore-frequency/uncore-frequency.c, uncore-frequency-common.c.
 */
#include <errno.h>
#include <stdio.h>

#include "twin/rapl.h"
#include "twin/sysfs.h"
#include "twin/tree_cpus.h"

#define STEP_KHZ 100000U
#define RATIO_MAX 0x7fU
#define MIN_SHIFT 8U

/* file->a: package, file->b: where in the register it is. What was written is shown, whatever the hardware made of it. */
static int show_limit(const struct es_twin_file *file, void *handle, int64_t t_ns,
		      struct es_buf *out)
{
	uint64_t ratio = file->host->rapl->uncore[file->a] >> file->b & RATIO_MAX;

	(void)handle;
	(void)t_ns;
	return es_buf_printf(out, "%u\n", (unsigned)ratio * STEP_KHZ);
}

/* Whole steps; none, or more than the field holds, is refused. */
static int store_limit(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       const char *text)
{
	uint64_t old = file->host->rapl->uncore[file->a], v;

	(void)handle;
	(void)t_ns;
	if (es_twin_kstrtou64(text, 10, UINT32_MAX, &v) < 0)
		return -EINVAL;
	v /= STEP_KHZ;
	if (v == 0 || v > RATIO_MAX)
		return -EINVAL;
	return es_twin_uncore_write(file->host, file->a,
				    (old & ~((uint64_t)RATIO_MAX << file->b)) | v << file->b);
}

static int show_current(const struct es_twin_file *file, void *handle, int64_t t_ns,
			struct es_buf *out)
{
	uint64_t khz = es_twin_uncore_khz(file->host->node, file->a) / STEP_KHZ * STEP_KHZ;

	(void)handle;
	(void)t_ns;
	return es_twin_put_u64(out, khz);
}

static const struct es_twin_file_ops limit_ops = { .show = show_limit, .store = store_limit };
static const struct es_twin_file_ops current_ops = { .show = show_current };

void es_twin_make_uncore(struct es_twin_host *host)
{
	const struct es_twin_cpu *cpu = &host->kind->cpu;

	if (!host->kind->meters.has_uncore || cpu->uncore_max_mhz == 0 || !es_twin_rapl(host))
		return;
	for (unsigned package = 0; package < host->kind->n_packages; package++) {
		struct es_twin_file file = { .a = package, .b = MIN_SHIFT };
		char dir[96];

		(void)snprintf(dir, sizeof(dir),
			       ES_TWIN_CPU_DIR "/intel_uncore_frequency/package_%02u_die_00",
			       package);
		es_twin_put_file(host->tree, 0644, dir, "min_freq_khz", &limit_ops, &file);
		file.b = 0;
		es_twin_put_file(host->tree, 0644, dir, "max_freq_khz", &limit_ops, &file);
		es_twin_put_text(host->tree, 0444, dir, "initial_min_freq_khz", "%u\n",
				 cpu->uncore_min_mhz * 1000);
		es_twin_put_text(host->tree, 0444, dir, "initial_max_freq_khz", "%u\n",
				 cpu->uncore_max_mhz * 1000);
		es_twin_put_file(host->tree, 0400, dir, "current_freq_khz", &current_ops, &file);
	}
}
