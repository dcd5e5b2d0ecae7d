/*
 * tree_cpufreq.c - clocks of a simulated node's CPUs as the kernel shows and sets them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Files, modes and what is refused after Linux 6.12: drivers/cpufreq/cpufreq.c, freq_table.c, cpufreq_userspace.c, intel_pstate.c,
 * acpi-cpufreq.c, amd-pstate.c, cppc_cpufreq.c, kernel/power/qos.c.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "twin/sysfs.h"
#include "twin/tree_cpus.h"

#define GOVERNOR_BYTES 16U
#define NO_REQUEST UINT32_MAX /* the core's "default value": as if nobody had asked */
#define PREFERENCE_BYTES 22U

enum preference {
	BY_DEFAULT,
	PERFORMANCE,
	BALANCE_PERFORMANCE,
	BALANCE_POWER,
	POWER
};

static const char *const preferences[] = {
	[BY_DEFAULT] = "default",
	[PERFORMANCE] = "performance",
	[BALANCE_PERFORMANCE] = "balance_performance",
	[BALANCE_POWER] = "balance_power",
	[POWER] = "power",
};

/* The whole in file->data, the CPU in file->a. */
static struct es_twin_cpufreq *cpufreq_of(const struct es_twin_file *file)
{
	return (struct es_twin_cpufreq *)file->data;
}

static struct es_twin_policy *policy_of(const struct es_twin_file *file)
{
	return &cpufreq_of(file)->policies[file->a];
}

uint32_t es_twin_cpufreq_max_khz(const struct es_twin_host *host,
				 const struct es_twin_cpufreq *cpufreq)
{
	const char *driver = host->kind->meters.cpufreq_driver;

	/* acpi-cpufreq keeps it: boost is a switch beside its table. */
	if (es_twin_turbo(host->node) || strcmp(driver, "acpi-cpufreq") == 0)
		return cpufreq->highest_khz;
	return cpufreq->base_khz;
}

static uint32_t between(uint32_t v, uint32_t low, uint32_t high)
{
	return v < low ? low : v > high ? high : v;
}

/* The lowest of the table at or above @khz (@is_up), or the highest at or below; its end where there is none. */
static uint32_t in_table(const struct es_twin_cpufreq *cpufreq, uint32_t khz, bool is_up)
{
	uint32_t best = cpufreq->table_khz[is_up ? 0 : cpufreq->n_table - 1];

	for (size_t i = 0; i < cpufreq->n_table; i++) {
		uint32_t v = cpufreq->table_khz[i];

		if (is_up ? v >= khz && v < best : v <= khz && v > best)
			best = v;
	}
	return best;
}

/* What cpufreq_set_policy() makes of the requests: kept within the CPU's range, lowest under highest, and to the table. */
static void limits_of(const struct es_twin_host *host, const struct es_twin_cpufreq *cpufreq,
		      unsigned cpu, uint32_t *ret_min_khz, uint32_t *ret_max_khz)
{
	const struct es_twin_policy *policy = &cpufreq->policies[cpu];
	uint32_t top = es_twin_cpufreq_max_khz(host, cpufreq);
	uint32_t max = between(policy->max_khz, cpufreq->lowest_khz, top);
	uint32_t min = policy->min_khz == NO_REQUEST
			       ? cpufreq->lowest_khz
			       : between(policy->min_khz, cpufreq->lowest_khz, max);

	if (cpufreq->n_table) {
		/* None in between: the next one above. */
		if (in_table(cpufreq, min, true) > max)
			max = in_table(cpufreq, max, true);
		min = in_table(cpufreq, min, true);
		max = in_table(cpufreq, max, false);
		min = min < max ? min : max;
	}
	*ret_min_khz = min;
	*ret_max_khz = max;
}

static int apply_one(struct es_twin_host *host, struct es_twin_cpufreq *cpufreq, unsigned cpu)
{
	uint32_t min, max;

	limits_of(host, cpufreq, cpu, &min, &max);
	/* intel_pstate's shares of the highest clock, in whole steps of it, rounded up. */
	if (cpufreq->max_percent) {
		uint32_t step = 100000, top = cpufreq->highest_khz / step;
		uint32_t most = (top * cpufreq->max_percent + 99) / 100 * step;
		uint32_t least = (top * cpufreq->min_percent + 99) / 100 * step;

		max = max < most ? max : most;
		min = min > least ? min : least;
		min = min < max ? min : max;
	}
	return es_twin_set_core_range(host->node, cpu, min, max);
}

int es_twin_cpufreq_apply(struct es_twin_host *host, struct es_twin_cpufreq *cpufreq, int cpu)
{
	int r = 0;

	if (cpu >= 0)
		return apply_one(host, cpufreq, (unsigned)cpu);
	for (unsigned i = 0; i < cpufreq->n && r == 0; i++)
		r = apply_one(host, cpufreq, i);
	return r;
}

static int show_min(const struct es_twin_file *file, void *handle, int64_t t_ns, struct es_buf *out)
{
	uint32_t min, max;

	(void)handle;
	(void)t_ns;
	limits_of(file->host, cpufreq_of(file), file->a, &min, &max);
	return es_buf_printf(out, "%u\n", min);
}

static int show_max(const struct es_twin_file *file, void *handle, int64_t t_ns, struct es_buf *out)
{
	uint32_t min, max;

	(void)handle;
	(void)t_ns;
	limits_of(file->host, cpufreq_of(file), file->a, &min, &max);
	return es_buf_printf(out, "%u\n", max);
}

/* freq_qos_update_request(): 32 bits with a sign, of which only -1 below 0 means something. */
static int parse_request(const char *text, uint32_t *ret)
{
	uint64_t v;
	int r = es_twin_kstrtou64(text, 0, UINT64_MAX, &v);

	if (r < 0)
		return r;
	if ((uint32_t)v > INT32_MAX && (uint32_t)v != NO_REQUEST)
		return -EINVAL;
	*ret = (uint32_t)v;
	return 0;
}

static int store_request(const struct es_twin_file *file, const char *text, uint32_t *request)
{
	uint32_t old = *request;
	int r = parse_request(text, request);

	if (r < 0)
		return r;
	r = es_twin_cpufreq_apply(file->host, cpufreq_of(file), (int)file->a);
	if (r < 0)
		*request = old;
	return r;
}

static int store_min(const struct es_twin_file *file, void *handle, int64_t t_ns, const char *text)
{
	(void)handle;
	(void)t_ns;
	return store_request(file, text, &policy_of(file)->min_khz);
}

static int store_max(const struct es_twin_file *file, void *handle, int64_t t_ns, const char *text)
{
	(void)handle;
	(void)t_ns;
	return store_request(file, text, &policy_of(file)->max_khz);
}

static int show_current(const struct es_twin_file *file, void *handle, int64_t t_ns,
			struct es_buf *out)
{
	(void)handle;
	(void)t_ns;
	return es_twin_put_u64(out, es_twin_core_khz(file->host->node, file->a));
}

static int show_highest(const struct es_twin_file *file, void *handle, int64_t t_ns,
			struct es_buf *out)
{
	(void)handle;
	(void)t_ns;
	return es_buf_printf(out, "%u\n", es_twin_cpufreq_max_khz(file->host, cpufreq_of(file)));
}

static bool is_governed_by(const struct es_twin_file *file, const char *governor)
{
	return strcmp(es_twin_governor(file->host->node, file->a), governor) == 0;
}

static int show_governor(const struct es_twin_file *file, void *handle, int64_t t_ns,
			 struct es_buf *out)
{
	(void)handle;
	(void)t_ns;
	return es_buf_printf(out, "%s\n", es_twin_governor(file->host->node, file->a));
}

/* Drivers with policies of their own look at the beginning of the word, the others at all of it; neither at its case. */
static int find_governor(const struct es_twin_file *file, const char *word,
			 char name[static GOVERNOR_BYTES])
{
	bool is_own = cpufreq_of(file)->has_own_policies;

	for (const char *p = file->host->kind->governors; *p;) {
		size_t n = strcspn(p, " ");

		if (n > 0 && n < GOVERNOR_BYTES && strncasecmp(p, word, n) == 0 &&
		    (is_own || word[n] == '\0')) {
			memcpy(name, p, n);
			name[n] = '\0';
			return 0;
		}
		p += n + (p[n] == ' ');
	}
	return -EINVAL;
}

static int store_governor(const struct es_twin_file *file, void *handle, int64_t t_ns,
			  const char *text)
{
	char word[GOVERNOR_BYTES], name[GOVERNOR_BYTES];

	(void)handle;
	(void)t_ns;
	if (es_twin_scan_word(text, word, sizeof(word)) < 0 || find_governor(file, word, name) < 0)
		return -EINVAL;
	return es_twin_set_governor(file->host->node, file->a, name);
}

static int show_setspeed(const struct es_twin_file *file, void *handle, int64_t t_ns,
			 struct es_buf *out)
{
	(void)handle;
	(void)t_ns;
	if (!is_governed_by(file, "userspace"))
		return es_buf_str(out, "<unsupported>\n");
	return show_current(file, handle, t_ns, out);
}

static int store_setspeed(const struct es_twin_file *file, void *handle, int64_t t_ns,
			  const char *text)
{
	const struct es_twin_cpufreq *cpufreq = cpufreq_of(file);
	uint32_t min, max, khz;
	uint64_t v;
	int r;

	(void)handle;
	(void)t_ns;
	if (!is_governed_by(file, "userspace"))
		return -EINVAL;
	r = es_twin_kstrtou64(text, 0, UINT32_MAX, &v);
	if (r < 0)
		return r;
	limits_of(file->host, cpufreq, file->a, &min, &max);
	khz = between((uint32_t)v, min, max);
	if (cpufreq->n_table)
		khz = between(in_table(cpufreq, khz, true), min, max);
	/* What becomes of it the governor keeps to itself. */
	(void)es_twin_set_speed(file->host->node, file->a, khz);
	return 0;
}

static int show_preference(const struct es_twin_file *file, void *handle, int64_t t_ns,
			   struct es_buf *out)
{
	(void)handle;
	(void)t_ns;
	if (is_governed_by(file, "performance"))
		return es_buf_str(out, "performance\n");
	return es_buf_printf(out, "%s\n", preferences[policy_of(file)->preference]);
}

static int store_preference(const struct es_twin_file *file, void *handle, int64_t t_ns,
			    const char *text)
{
	char word[PREFERENCE_BYTES];
	size_t i = 0;

	(void)handle;
	(void)t_ns;
	if (es_twin_scan_word(text, word, sizeof(word)) < 0)
		return -EINVAL;
	while (i < ES_ARRAY_SIZE(preferences) && strcmp(preferences[i], word) != 0)
		i++;
	if (i == ES_ARRAY_SIZE(preferences))
		return -EINVAL;
	/* Whoever asks for performance has nothing to choose. */
	if (is_governed_by(file, "performance"))
		return i == PERFORMANCE ? 0 : -EBUSY;
	policy_of(file)->preference = (uint8_t)(i == BY_DEFAULT ? BALANCE_PERFORMANCE : i);
	return 0;
}

static const struct es_twin_file_ops min_ops = { .show = show_min, .store = store_min };
static const struct es_twin_file_ops max_ops = { .show = show_max, .store = store_max };
static const struct es_twin_file_ops current_ops = { .show = show_current };
static const struct es_twin_file_ops highest_ops = { .show = show_highest };
static const struct es_twin_file_ops governor_ops = { .show = show_governor,
						      .store = store_governor };
static const struct es_twin_file_ops setspeed_ops = { .show = show_setspeed,
						      .store = store_setspeed };
static const struct es_twin_file_ops preference_ops = { .show = show_preference,
							.store = store_preference };

static void make_table(struct es_twin_host *host, const char *dir,
		       const struct es_twin_cpufreq *cpufreq)
{
	char text[1024];
	size_t n = 0;

	for (size_t i = 0; i < cpufreq->n_table; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%u ", cpufreq->table_khz[i]);
	if (n > 0)
		es_twin_put_text(host->tree, 0444, dir, "scaling_available_frequencies", "%s\n",
				 text);
}

/* Governors in the kernel's order, each with a blank behind it; a driver's own policies without one. */
static void make_governors(struct es_twin_host *host, const char *dir, bool has_own)
{
	es_twin_put_text(host->tree, 0444, dir, "scaling_available_governors", "%s%s\n",
			 has_own ? "performance powersave" : host->kind->governors,
			 has_own ? "" : " ");
}

/* What a driver has beside what all have. */
static void make_own(struct es_twin_host *host, const char *dir, const char *driver,
		     const struct es_twin_file *file)
{
	const struct es_twin_cpufreq *cpufreq = file->data;
	bool is_intel_pstate = strcmp(driver, "intel_pstate") == 0;
	bool is_amd_pstate = strcmp(driver, "amd-pstate-epp") == 0;
	struct es_twin_cpuset core = es_twin_cpuset_range(
		host->kind,
		es_twin_cpu_package(host->kind, file->a) * host->kind->cpu.n_cores +
			es_twin_cpu_core(host->kind, file->a),
		1);
	char text[64];

	if (is_intel_pstate || is_amd_pstate) {
		es_twin_put_file(host->tree, 0644, dir, "energy_performance_preference",
				 &preference_ops, file);
		es_twin_put_text(host->tree, 0444, dir, "energy_performance_available_preferences",
				 "default performance balance_performance balance_power power \n");
	}
	if (is_intel_pstate)
		es_twin_put_text(host->tree, 0444, dir, "base_frequency", "%u\n",
				 cpufreq->base_khz);
	if (is_amd_pstate) {
		es_twin_put_text(host->tree, 0444, dir, "amd_pstate_max_freq", "%u\n",
				 cpufreq->highest_khz);
		es_twin_put_text(host->tree, 0444, dir, "amd_pstate_lowest_nonlinear_freq", "%u\n",
				 cpufreq->lowest_khz);
		es_twin_put_text(host->tree, 0444, dir, "amd_pstate_highest_perf", "255\n");
		es_twin_put_text(host->tree, 0444, dir, "amd_pstate_hw_prefcore", "disabled\n");
		es_twin_put_text(host->tree, 0444, dir, "amd_pstate_prefcore_ranking", "255\n");
	}
	if (is_intel_pstate || is_amd_pstate)
		return;
	es_twin_put_file(host->tree, 0400, dir, "cpuinfo_cur_freq", &current_ops, file);
	es_twin_cpuset_list(&core, text, sizeof(text));
	for (char *p = text; *p; p++)
		*p = *p == ',' ? ' ' : *p;
	es_twin_put_text(host->tree, 0444, dir, "freqdomain_cpus", "%s\n", text);
	if (strcmp(driver, "acpi-cpufreq") == 0)
		es_twin_put_text(host->tree, 0444, dir, "bios_limit", "%u\n", cpufreq->highest_khz);
	make_table(host, dir, cpufreq);
}

/* Beside the policy: what firmware says of the CPU's performance, in its own abstract units of 100 MHz here. */
static void make_cppc(struct es_twin_host *host, unsigned cpu)
{
	const struct es_twin_cpu *model = &host->kind->cpu;
	char dir[96];

	(void)snprintf(dir, sizeof(dir), ES_TWIN_CPU_DIR "/cpu%u/acpi_cppc", cpu);
	es_twin_put_text(host->tree, 0444, dir, "highest_perf", "%u\n",
			 es_twin_cpu_highest_mhz(model) / 10);
	es_twin_put_text(host->tree, 0444, dir, "nominal_perf", "%u\n", model->base_mhz / 10);
	es_twin_put_text(host->tree, 0444, dir, "nominal_freq", "%u\n", model->base_mhz);
	es_twin_put_text(host->tree, 0444, dir, "lowest_perf", "%u\n", model->min_mhz / 10);
	es_twin_put_text(host->tree, 0444, dir, "lowest_nonlinear_perf", "%u\n",
			 model->min_mhz / 10);
	es_twin_put_text(host->tree, 0444, dir, "lowest_freq", "%u\n", model->min_mhz);
	es_twin_put_text(host->tree, 0444, dir, "reference_perf", "%u\n", model->base_mhz / 10);
	es_twin_put_text(host->tree, 0444, dir, "wraparound_time", "18446744073709551615\n");
}

static void make_policy(struct es_twin_host *host, struct es_twin_cpufreq *cpufreq, unsigned cpu)
{
	const struct es_twin_file file = { .a = cpu, .data = cpufreq };
	const char *driver = host->kind->meters.cpufreq_driver;
	char dir[96], path[96];

	cpufreq->policies[cpu] = (struct es_twin_policy){ .min_khz = cpufreq->lowest_khz,
							  .max_khz = INT32_MAX,
							  .preference = BALANCE_PERFORMANCE };
	(void)snprintf(dir, sizeof(dir), ES_TWIN_CPU_DIR "/cpufreq/policy%u", cpu);
	es_twin_put_text(host->tree, 0444, dir, "cpuinfo_min_freq", "%u\n", cpufreq->lowest_khz);
	es_twin_put_file(host->tree, 0444, dir, "cpuinfo_max_freq", &highest_ops, &file);
	es_twin_put_text(host->tree, 0444, dir, "cpuinfo_transition_latency", "%u\n",
			 cpufreq->has_own_policies ? 0U : 10000U);
	es_twin_put_file(host->tree, 0644, dir, "scaling_min_freq", &min_ops, &file);
	es_twin_put_file(host->tree, 0644, dir, "scaling_max_freq", &max_ops, &file);
	es_twin_put_file(host->tree, 0444, dir, "scaling_cur_freq", &current_ops, &file);
	es_twin_put_text(host->tree, 0444, dir, "affected_cpus", "%u\n", cpu);
	es_twin_put_text(host->tree, 0444, dir, "related_cpus", "%u\n", cpu);
	es_twin_put_file(host->tree, 0644, dir, "scaling_governor", &governor_ops, &file);
	es_twin_put_text(host->tree, 0444, dir, "scaling_driver", "%s\n", driver);
	make_governors(host, dir, cpufreq->has_own_policies);
	es_twin_put_file(host->tree, 0644, dir, "scaling_setspeed", &setspeed_ops, &file);
	make_own(host, dir, driver, &file);
	(void)snprintf(path, sizeof(path), ES_TWIN_CPU_DIR "/cpu%u/cpufreq", cpu);
	es_twin_tree_link(host->tree, path, dir);
	if (!es_twin_is_intel(host->kind))
		make_cppc(host, cpu);
}

/* Falling, as firmware lists them; the first of Intel's is 1 MHz above the base: turbo. */
static void fill_table(const struct es_twin_kind *kind, struct es_twin_cpufreq *cpufreq)
{
	uint32_t step = kind->cpu.step_mhz * 1000, khz = cpufreq->base_khz;
	size_t n = 0;

	if (cpufreq->highest_khz > cpufreq->base_khz)
		cpufreq->table_khz[n++] = cpufreq->highest_khz;
	while ((cpufreq->base_khz - cpufreq->lowest_khz) / step + 3 >
	       ES_ARRAY_SIZE(cpufreq->table_khz))
		step *= 2;
	for (; khz > cpufreq->lowest_khz && n + 1 < ES_ARRAY_SIZE(cpufreq->table_khz); khz -= step)
		cpufreq->table_khz[n++] = khz;
	cpufreq->table_khz[n++] = cpufreq->lowest_khz;
	cpufreq->n_table = n;
}

void es_twin_make_cpufreq(struct es_twin_host *host)
{
	const struct es_twin_kind *kind = host->kind;
	const char *driver = kind->meters.cpufreq_driver;
	unsigned n = es_twin_n_cpus(kind);
	struct es_twin_cpufreq *cpufreq;

	if (!kind->meters.has_cpufreq || !driver)
		return;
	cpufreq =
		es_twin_tree_keep(host->tree, sizeof(*cpufreq) + n * sizeof(cpufreq->policies[0]));
	if (!cpufreq)
		return;
	cpufreq->n = n;
	cpufreq->lowest_khz = kind->cpu.min_mhz * 1000;
	cpufreq->base_khz = kind->cpu.base_mhz * 1000;
	cpufreq->highest_khz = (uint32_t)es_twin_cpu_max_khz(kind);
	cpufreq->has_own_policies = strcmp(driver, "intel_pstate") == 0 ||
				    strcmp(driver, "amd-pstate-epp") == 0;
	if (strcmp(driver, "acpi-cpufreq") == 0)
		fill_table(kind, cpufreq);
	for (unsigned cpu = 0; cpu < n; cpu++)
		make_policy(host, cpufreq, cpu);
	es_twin_make_pstate(host, cpufreq);
}
