/*
 * twin_host.c - a simulated node for tests: its files read and written in memory, its time set by hand
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/twin_host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (1U << 20)

bool twin_kind(const char *model_name, struct es_twin_kind *ret)
{
	const struct es_tree_model *model = es_tree_model_find(model_name);
	bool is_intel = model && strcmp(model->vendor, "GenuineIntel") == 0;
	double scale = model && model->tdp_w ? model->tdp_w / 165.0 : 1;

	if (!model)
		return false;
	*ret = (struct es_twin_kind){
		.name = model->name,
		.help = "of tests",
		.n_packages = model->n_packages,
		.cpu = { .vendor = model->vendor,
			 .model = model->cpu,
			 .family = model->family,
			 .number = model->model,
			 .stepping = model->stepping,
			 .n_cores = model->n_cores,
			 .n_threads = model->n_threads,
			 .min_mhz = 1200,
			 .base_mhz = 2600,
			 .step_mhz = 100,
			 .turbos = { { 2, 3600 }, { model->n_cores, 3200 } },
			 .n_turbos = 2,
			 .idle_w = 20 * scale,
			 .awake_w = 35 * scale,
			 .leak_per_c = 0.005,
			 .cores = { .dynamic_w = 110 * scale,
				    .ridge_mhz = 2000,
				    .rise_per_mhz = 0.0002 },
			 .uncore_min_mhz = is_intel ? 1200 : 0,
			 .uncore_max_mhz = is_intel ? 2400 : 0,
			 .uncore_w = 20 * scale,
			 .graphics_idle_w = model->has_uncore ? 1 : 0,
			 .tdp_w = model->tdp_w,
			 .short_w = model->tdp_w * 6 / 5,
			 .peak_w = model->has_mmio ? model->tdp_w * 4 : 0,
			 .long_us = 999424,
			 .short_us = 7808,
			 .c_per_w = 0.2 / scale,
			 .heat_ns = 12000000000,
			 .hottest_mc = 95000,
			 .memory_gb_s = 128,
			 .dram_idle_w = 6,
			 .dram_busy_w = 33 },
		.rest_w = 30,
		.fan_min_w = 8,
		.fan_max_w = 60,
		.fan_max_rpm = 16000,
		.supply_w = 1600,
		.supply_efficiency = { 0.90, 0.94, 0.96, 0.91 },
		.memory_bytes = UINT64_C(64) << 30,
		.meters = { .rapl_nj = model->unit_nj,
			    .dram_nj = model->dram_nj,
			    .psys_nj = model->psys_nj,
			    .psys = (enum es_twin_psys)model->psys,
			    .has_cores_zone = model->has_core,
			    .has_graphics_zone = model->has_uncore,
			    .has_mmio = model->has_mmio,
			    .has_msr = true,
			    .has_cpufreq = true,
			    .has_uncore = is_intel,
			    .is_vm = model->is_vm,
			    .cpufreq_driver = is_intel ? "intel_pstate" : "acpi-cpufreq" },
		.governors =
			is_intel
				? "performance powersave"
				: "conservative ondemand userspace powersave performance schedutil",
		.sources = { "made up" },
	};
	return true;
}

int twin_up(struct twin *twin)
{
	const struct es_twin_options options = { .is_quiet = true, .start_ns = TWIN_START_NS };
	struct es_error err;

	twin->t_ns = TWIN_START_NS;
	twin->own = malloc(sizeof(*twin->own));
	if (!twin->own)
		return -ENOMEM;
	*twin->own = twin->kind;
	return es_twin_host_create(twin->own, &options, "node", "/nowhere", &twin->host, &err);
}

void twin_down(struct twin *twin)
{
	es_twin_host_destroy(twin->host);
	free(twin->own);
	twin->host = NULL;
}

void twin_wait(struct twin *twin, int64_t dur_ns)
{
	twin->t_ns += dur_ns;
	es_twin_advance(twin->host->node, twin->t_ns);
}

int twin_load(struct twin *twin, const char *phase)
{
	struct es_twin_program program;
	int r = es_twin_program_parse(phase, strlen(phase), &program, NULL);

	if (r < 0)
		return r;
	r = es_twin_load_begin(twin->host->node, &program, NULL);
	es_twin_program_finish(&program);
	return r;
}

static const struct es_twin_entry *find(const struct twin *twin, const char *path)
{
	const struct es_twin_entry *entry = es_twin_tree_find(twin->host->tree, path);

	return entry && es_twin_entry_type(entry) == ES_TWIN_IS_FILE ? entry : NULL;
}

int twin_show(const struct twin *twin, const char *path, char *text, size_t size)
{
	const struct es_twin_entry *entry = find(twin, path);
	const struct es_twin_file_ops *ops = entry ? es_twin_entry_ops(entry) : NULL;
	struct es_buf out;
	int r;

	text[0] = '\0';
	if (!ops)
		return -ENOENT;
	if (!ops->show)
		return -EIO;
	es_buf_init(&out, TEXT_MAX);
	r = ops->show(es_twin_entry_file(entry), NULL, twin->t_ns, &out);
	if (r == 0 && out.len >= size)
		r = -EMSGSIZE;
	if (r == 0 && out.len) {
		memcpy(text, out.data, out.len);
		text[out.len] = '\0';
	}
	es_buf_finish(&out);
	return r;
}

int64_t twin_number(const struct twin *twin, const char *path)
{
	char text[64];
	int r = twin_show(twin, path, text, sizeof(text));

	return r < 0 ? r : (int64_t)strtoull(text, NULL, 10);
}

int twin_store(const struct twin *twin, const char *path, const char *text)
{
	const struct es_twin_entry *entry = find(twin, path);
	const struct es_twin_file_ops *ops = entry ? es_twin_entry_ops(entry) : NULL;

	if (!ops)
		return -ENOENT;
	if (!ops->store)
		return -EIO;
	return ops->store(es_twin_entry_file(entry), NULL, twin->t_ns, text);
}

ssize_t twin_read_at(const struct twin *twin, const char *path, off_t at, void *data, size_t n)
{
	const struct es_twin_entry *entry = find(twin, path);

	if (!entry)
		return -ENOENT;
	return es_twin_entry_ops(entry)->read_at(es_twin_entry_file(entry), twin->t_ns, at, data,
						 n);
}

ssize_t twin_write_at(const struct twin *twin, const char *path, off_t at, const void *data,
		      size_t n)
{
	const struct es_twin_entry *entry = find(twin, path);

	if (!entry)
		return -ENOENT;
	return es_twin_entry_ops(entry)->write_at(es_twin_entry_file(entry), twin->t_ns, at, data,
						  n);
}
