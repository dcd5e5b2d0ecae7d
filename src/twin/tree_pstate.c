/*
 * tree_pstate.c - knobs of a whole cpufreq driver: intel_pstate/, amd_pstate/, boost
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * After Linux 6.12: drivers/cpufreq/intel_pstate.c (active mode with HWP), amd-pstate.c, cpufreq.c.
 */
#include <errno.h>
#include <string.h>

#include "twin/sysfs.h"
#include "twin/tree_cpus.h"

#define INTEL_DIR ES_TWIN_CPU_DIR "/intel_pstate"
#define AMD_DIR ES_TWIN_CPU_DIR "/amd_pstate"
#define STEP_KHZ 100000U

static struct es_twin_cpufreq *cpufreq_of(const struct es_twin_file *file)
{
	return (struct es_twin_cpufreq *)file->data;
}

static int set_turbo(const struct es_twin_file *file, bool is_on)
{
	int r;

	if (is_on == es_twin_turbo(file->host->node))
		return 0;
	r = es_twin_set_turbo(file->host->node, is_on);
	return r < 0 ? r : es_twin_cpufreq_apply(file->host, cpufreq_of(file), -1);
}

static int show_no_turbo(const struct es_twin_file *file, void *handle, int64_t t_ns,
			 struct es_buf *out)
{
	(void)handle;
	(void)t_ns;
	return es_buf_str(out, es_twin_turbo(file->host->node) ? "0\n" : "1\n");
}

static int store_no_turbo(const struct es_twin_file *file, void *handle, int64_t t_ns,
			  const char *text)
{
	uint32_t v;

	(void)handle;
	(void)t_ns;
	if (es_twin_scan_u32(text, &v) < 0)
		return -EINVAL;
	/* Kept to 0 and 1 as a number with a sign. */
	return set_turbo(file, (int32_t)v <= 0);
}

static int show_percent(const struct es_twin_file *file, void *handle, int64_t t_ns,
			struct es_buf *out)
{
	const struct es_twin_cpufreq *cpufreq = cpufreq_of(file);

	(void)handle;
	(void)t_ns;
	return es_buf_printf(out, "%u\n", file->a ? cpufreq->max_percent : cpufreq->min_percent);
}

static unsigned clamp_percent(uint32_t v, unsigned low, unsigned high)
{
	int64_t percent = (int32_t)v;

	return percent < (int64_t)low ? low : percent > (int64_t)high ? high : (unsigned)percent;
}

static unsigned lowest_percent(const struct es_twin_cpufreq *cpufreq)
{
	return cpufreq->lowest_khz / STEP_KHZ * 100 / (cpufreq->highest_khz / STEP_KHZ);
}

/* Out of range is kept within it, not refused. */
static int store_percent(const struct es_twin_file *file, void *handle, int64_t t_ns,
			 const char *text)
{
	struct es_twin_cpufreq *cpufreq = cpufreq_of(file);
	unsigned *percent = file->a ? &cpufreq->max_percent : &cpufreq->min_percent;
	unsigned old = *percent;
	uint32_t v;
	int r;

	(void)handle;
	(void)t_ns;
	if (es_twin_scan_u32(text, &v) < 0)
		return -EINVAL;
	*percent = file->a ? clamp_percent(v, cpufreq->min_percent, 100)
			   : clamp_percent(v, lowest_percent(cpufreq), cpufreq->max_percent);
	r = es_twin_cpufreq_apply(file->host, cpufreq, -1);
	if (r < 0)
		*percent = old;
	return r;
}

static int show_active(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       struct es_buf *out)
{
	(void)file;
	(void)handle;
	(void)t_ns;
	return es_buf_str(out, "active\n");
}

/* The other modes are another driver, which is not simulated: busy, as the kernel says where HWP cannot be left. */
static int store_mode(const struct es_twin_file *file, const char *text, const char *const modes[4])
{
	(void)file;
	if (strcmp(text, "active") == 0)
		return 0;
	for (size_t i = 0; i < 4 && modes[i]; i++)
		if (strcmp(text, modes[i]) == 0)
			return -EBUSY;
	return -EINVAL;
}

static int store_intel_mode(const struct es_twin_file *file, void *handle, int64_t t_ns,
			    const char *text)
{
	static const char *const modes[4] = { "off", "passive" };

	(void)handle;
	(void)t_ns;
	return store_mode(file, text, modes);
}

static int store_amd_mode(const struct es_twin_file *file, void *handle, int64_t t_ns,
			  const char *text)
{
	static const char *const modes[4] = { "disable", "passive", "guided" };

	(void)handle;
	(void)t_ns;
	return store_mode(file, text, modes);
}

static int show_boost(const struct es_twin_file *file, void *handle, int64_t t_ns,
		      struct es_buf *out)
{
	(void)handle;
	(void)t_ns;
	return es_buf_str(out, es_twin_turbo(file->host->node) ? "1\n" : "0\n");
}

static int store_boost(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       const char *text)
{
	bool is_on;

	(void)handle;
	(void)t_ns;
	if (es_twin_kstrtobool(text, &is_on) < 0 || set_turbo(file, is_on) < 0)
		return -EINVAL;
	return 0;
}

static const struct es_twin_file_ops no_turbo_ops = { .show = show_no_turbo,
						      .store = store_no_turbo };
static const struct es_twin_file_ops percent_ops = { .show = show_percent, .store = store_percent };
static const struct es_twin_file_ops intel_mode_ops = { .show = show_active,
							.store = store_intel_mode };
static const struct es_twin_file_ops amd_mode_ops = { .show = show_active,
						      .store = store_amd_mode };
static const struct es_twin_file_ops boost_ops = { .show = show_boost, .store = store_boost };

static void make_intel(struct es_twin_host *host, struct es_twin_cpufreq *cpufreq)
{
	const struct es_twin_file file = { .data = cpufreq };
	const struct es_twin_file max_file = { .a = 1, .data = cpufreq };
	unsigned n = (cpufreq->highest_khz - cpufreq->lowest_khz) / STEP_KHZ + 1;
	unsigned n_plain = (cpufreq->base_khz - cpufreq->lowest_khz) / STEP_KHZ + 1;

	cpufreq->max_percent = 100;
	cpufreq->min_percent = lowest_percent(cpufreq);
	es_twin_put_file(host->tree, 0644, INTEL_DIR, "status", &intel_mode_ops, &file);
	es_twin_put_file(host->tree, 0644, INTEL_DIR, "no_turbo", &no_turbo_ops, &file);
	es_twin_put_text(host->tree, 0444, INTEL_DIR, "turbo_pct", "%u\n", 100 - 100 * n_plain / n);
	es_twin_put_text(host->tree, 0444, INTEL_DIR, "num_pstates", "%u\n", n);
	es_twin_put_file(host->tree, 0644, INTEL_DIR, "max_perf_pct", &percent_ops, &max_file);
	es_twin_put_file(host->tree, 0644, INTEL_DIR, "min_perf_pct", &percent_ops, &file);
}

void es_twin_make_pstate(struct es_twin_host *host, struct es_twin_cpufreq *cpufreq)
{
	const struct es_twin_file file = { .data = cpufreq };
	const char *driver = host->kind->meters.cpufreq_driver;

	if (strcmp(driver, "intel_pstate") == 0) {
		make_intel(host, cpufreq);
		return;
	}
	if (strcmp(driver, "amd-pstate-epp") == 0) {
		es_twin_put_file(host->tree, 0644, AMD_DIR, "status", &amd_mode_ops, &file);
		es_twin_put_text(host->tree, 0444, AMD_DIR, "prefcore", "disabled\n");
	}
	/* Where nothing is above the base clock there is nothing to switch. */
	if (es_twin_cpu_highest_mhz(&host->kind->cpu) > host->kind->cpu.base_mhz)
		es_twin_put_file(host->tree, 0644, ES_TWIN_CPU_DIR "/cpufreq", "boost", &boost_ops,
				 &file);
}
