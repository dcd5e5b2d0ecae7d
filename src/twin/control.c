/*
 * control.c - the files below .twin/ by which a twin is asked and told: what it is, its truth, its faults
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "twin/bmc.h"
#include "twin/energies.h"
#include "twin/host.h"

#define FJ_PER_UJ 1000000000U
#define LINES_AT_ONCE 256U /* of the history, before others may read a meter */

static uint64_t energy_uj(const struct es_twin_node *node, enum es_twin_part part, size_t i,
			  int64_t t_ns)
{
	return (uint64_t)(es_twin_energy_fj(node, part, i, t_ns) / FJ_PER_UJ);
}

static int show_kind(const struct es_twin_file *file, void *handle, int64_t t_ns,
		     struct es_buf *out)
{
	(void)handle;
	(void)t_ns;
	return es_buf_printf(out, "%s\n", file->host->kind->name);
}

static int show_name(const struct es_twin_file *file, void *handle, int64_t t_ns,
		     struct es_buf *out)
{
	(void)handle;
	(void)t_ns;
	return es_buf_printf(out, "%s\n", file->host->name);
}

static int show_pid(const struct es_twin_file *file, void *handle, int64_t t_ns, struct es_buf *out)
{
	(void)file;
	(void)handle;
	(void)t_ns;
	return es_buf_printf(out, "%d\n", (int)getpid());
}

static int show_meters(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       struct es_buf *out)
{
	(void)handle;
	(void)t_ns;
	for (size_t i = 0; i < file->host->n_meters; i++)
		(void)es_buf_printf(out, "%s\n", file->host->meters[i].name);
	return out->error;
}

static void put_packages(const struct es_twin_host *host, struct es_json *json)
{
	unsigned n_cpus = host->kind->cpu.n_cores * host->kind->cpu.n_threads;

	es_json_array(json, "packages");
	for (unsigned i = 0; i < host->kind->n_packages; i++) {
		struct es_twin_throttle throttle;

		es_twin_throttle(host->node, i, &throttle);
		es_json_object(json, NULL);
		es_json_u64(json, "number", i);
		es_json_u64(json, "power_uw",
			    es_twin_power_uw(host->node, ES_TWIN_PACKAGE, i,
					     es_twin_now_ns(host->node)));
		es_json_u64(json, "core_khz", es_twin_core_khz(host->node, i * n_cpus));
		es_json_i64(json, "temperature_mc",
			    es_twin_temperature_mc(host->node, ES_TWIN_PACKAGE, i));
		es_json_bool(json, "is_held_by_power", throttle.is_by_power);
		es_json_bool(json, "is_held_by_heat", throttle.is_by_heat);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

static void put_gpus(const struct es_twin_host *host, struct es_json *json)
{
	es_json_array(json, "gpus");
	for (unsigned i = 0; i < host->kind->n_gpus; i++) {
		struct es_twin_gpu_state state;

		es_twin_gpu_state(host->node, i, &state);
		es_json_object(json, NULL);
		es_json_u64(json, "number", i);
		es_json_u64(json, "power_uw",
			    es_twin_power_uw(host->node, ES_TWIN_GPU, i,
					     es_twin_now_ns(host->node)));
		es_json_u64(json, "clock_mhz", state.clock_mhz);
		es_json_u64(json, "busy_ppm", state.busy_ppm);
		es_json_i64(json, "temperature_mc", state.temperature_mc);
		es_json_bool(json, "is_held_by_power", state.is_by_power);
		es_json_bool(json, "is_held_by_heat", state.is_by_heat);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

static void put_loads(const struct es_twin_host *host, struct es_json *json)
{
	es_json_array(json, "loads");
	for (int i = 0; i < (int)ES_TWIN_LOADS_MAX; i++) {
		struct es_twin_progress progress;

		if (es_twin_load_progress(host->node, i, &progress) < 0)
			continue;
		es_json_object(json, NULL);
		es_json_i64(json, "number", i);
		es_json_bool(json, "is_done", progress.is_done);
		es_json_i64(json, "begin_ns", progress.begin_ns);
		es_json_i64(json, "end_ns", progress.end_ns);
		es_json_u64(json, "phases_done", progress.n_phases_done);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

static int show_status(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       struct es_buf *out)
{
	const struct es_twin_host *host = file->host;
	struct es_json json;

	(void)handle;
	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.twin/1");
	es_json_string(&json, "kind", host->kind->name);
	es_json_string(&json, "name", host->name);
	es_json_i64(&json, "pid", getpid());
	es_json_i64(&json, "start_ns", host->start_ns);
	es_json_i64(&json, "t_ns", t_ns);
	es_json_u64(&json, "power_uw", es_twin_power_uw(host->node, ES_TWIN_NODE, 0, t_ns));
	es_json_u64(&json, "energy_uj", energy_uj(host->node, ES_TWIN_NODE, 0, t_ns));
	es_json_u64(&json, "fans_rpm", es_twin_fan_rpm(host->node));
	put_packages(host, &json);
	put_gpus(host, &json);
	put_loads(host, &json);
	es_twin_bmc_json(host->bmc, &json);
	es_json_array(&json, "faults");
	es_twin_fault_json(host, t_ns, &json);
	es_json_array_end(&json);
	es_json_object_end(&json);
	return es_json_end(&json);
}

static int show_truth(const struct es_twin_file *file, void *handle, int64_t t_ns,
		      struct es_buf *out)
{
	const struct es_twin_node *node = file->host->node;
	struct es_json json;

	(void)handle;
	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.twin-truth/1");
	es_json_string(&json, "kind", file->host->kind->name);
	es_json_i64(&json, "t_ns", t_ns);
	es_json_array(&json, "parts");
	for (enum es_twin_part part = 0; part < ES_TWIN_N_PARTS; part++)
		for (size_t i = 0; i < es_twin_n(node, part); i++) {
			es_json_object(&json, NULL);
			es_json_string(&json, "part", es_twin_part_name(part));
			es_json_u64(&json, "number", i);
			es_json_u64(&json, "energy_uj", energy_uj(node, part, i, t_ns));
			es_json_u64(&json, "power_uw", es_twin_power_uw(node, part, i, t_ns));
			es_json_object_end(&json);
		}
	es_json_array_end(&json);
	es_json_object_end(&json);
	return es_json_end(&json);
}

/* The times of all edges, and the present. NULL: no memory. */
static int64_t *edges(const struct es_twin_node *node, size_t *ret_n)
{
	size_t n = es_twin_n_history(node);
	int64_t *times_ns = calloc(n + 1, sizeof(*times_ns)), now_ns = es_twin_now_ns(node);

	if (!times_ns)
		return NULL;
	for (size_t i = 0; i < n; i++)
		times_ns[i] = es_twin_history_ns(node, i);
	if (n == 0 || times_ns[n - 1] < now_ns)
		times_ns[n++] = now_ns;
	*ret_n = n;
	return times_ns;
}

/* Others get at the node between the lines: a long history takes a while. Edges that are forgotten meanwhile are left out. */
static int show_history(const struct es_twin_file *file, void *handle, int64_t t_ns,
			struct es_buf *out)
{
	const struct es_twin_node *node = file->host->node;
	size_t n = 0;
	es_cleanup(es_freep) int64_t *times_ns = edges(node, &n);

	(void)handle;
	(void)t_ns;
	if (!times_ns)
		return -ENOMEM;
	(void)es_twin_energies_head(node, out);
	for (size_t i = 0; i < n; i++) {
		if (i % LINES_AT_ONCE == LINES_AT_ONCE - 1) {
			es_twin_host_unlock(file->host);
			(void)sched_yield();
			(void)es_twin_host_lock(file->host);
		}
		if (es_twin_n_history(node) == 0 || times_ns[i] >= es_twin_history_ns(node, 0))
			(void)es_twin_energies_row(node, times_ns[i], out);
	}
	return out->error;
}

static int show_fault(const struct es_twin_file *file, void *handle, int64_t t_ns,
		      struct es_buf *out)
{
	(void)handle;
	return es_twin_fault_show(file->host, t_ns, out);
}

static int store_fault(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       const char *text)
{
	(void)handle;
	return es_twin_fault_order(file->host, t_ns, text);
}

void es_twin_make_control(struct es_twin_host *host)
{
	static const struct {
		const char *path;
		unsigned mode;
		struct es_twin_file_ops ops;
	} files[] = {
		{ ".twin/kind", 0444, { .show = show_kind } },
		{ ".twin/name", 0444, { .show = show_name } },
		{ ".twin/pid", 0444, { .show = show_pid } },
		{ ".twin/meters", 0444, { .show = show_meters } },
		{ ".twin/status", 0444, { .show = show_status } },
		{ ".twin/truth", 0444, { .show = show_truth } },
		{ ".twin/history", 0444, { .show = show_history } },
		{ ".twin/fault", 0644, { .show = show_fault, .store = store_fault } },
	};
	const struct es_twin_file nothing = { .a = 0 };

	for (size_t i = 0; i < ES_ARRAY_SIZE(files); i++)
		es_twin_tree_file(host->tree, files[i].mode, files[i].path, &files[i].ops,
				  &nothing);
}
