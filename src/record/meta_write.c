/*
 * meta_write.c - what a recording says about itself, as JSON
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>

#include "base/json.h"
#include "record/meta.h"

static void put_text(struct es_json *json, const char *key, const char *text)
{
	if (text[0] != '\0')
		es_json_string(json, key, text);
}

static void put_instances(struct es_json *json, const struct es_domain *domain)
{
	if (domain->n_instances == 0)
		return;
	es_json_array(json, "instances");
	for (size_t i = 0; i < domain->n_instances; i++) {
		const struct es_instance *instance = &domain->instances[i];

		es_json_object(json, NULL);
		put_text(json, "uuid", instance->uuid);
		es_json_u64(json, "gpu_instance", instance->gpu_instance);
		es_json_u64(json, "compute_instance", instance->compute_instance);
		es_json_u64(json, "gpu_slices", instance->gpu_slices);
		es_json_u64(json, "compute_slices", instance->compute_slices);
		es_json_u64(json, "memory_bytes", instance->memory_bytes);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

static void put_domain(struct es_json *json, const struct es_domain *domain)
{
	es_json_object(json, NULL);
	es_json_string(json, "id", domain->id);
	es_json_string(json, "name", domain->name);
	es_json_string(json, "source", domain->source);
	es_json_string(json, "type", es_domain_type_name(domain->type));
	es_json_string(json, "kind", es_kind_name(domain->kind));
	es_json_u64(json, "node", domain->node);
	es_json_i64(json, "package", domain->package);
	es_json_i64(json, "die", domain->die);
	es_json_i64(json, "core", domain->core);
	es_json_i64(json, "parent", domain->parent);
	es_json_bool(json, "is_power", domain->is_power);
	es_json_bool(json, "may_mirror", domain->may_mirror);
	es_json_bool(json, "is_partial", domain->is_partial);
	es_json_bool(json, "has_activity", domain->has_activity);
	es_json_u64(json, "unit_nj", domain->range.unit_nj);
	es_json_u64(json, "modulus_nj", domain->range.modulus_nj);
	es_json_u64(json, "peak_mw", domain->peak_mw);
	es_json_u64(json, "limit_mw", domain->limit_mw);
	put_text(json, "limit_kind", domain->limit_kind);
	es_json_i64(json, "read_period_ns", domain->read_period_ns);
	es_json_i64(json, "update_period_ns", domain->update_period_ns);
	if (domain->kind == ES_KIND_ESTIMATED) {
		es_json_u64(json, "idle_mw", domain->idle_mw);
		es_json_u64(json, "full_mw", domain->full_mw);
		es_json_u64(json, "idle_spread_ppm", domain->idle_spread_ppm);
	}
	es_json_u64(json, "spread_ppm", domain->spread_ppm);
	if (domain->hold_ns)
		es_json_i64(json, "hold_ns", domain->hold_ns);
	if (domain->accuracy_ppm)
		es_json_u64(json, "accuracy_ppm", domain->accuracy_ppm);
	put_text(json, "pci", domain->pci);
	put_text(json, "model", domain->model);
	put_text(json, "uuid", domain->uuid);
	put_instances(json, domain);
	put_text(json, "reason", domain->reason);
	es_json_object_end(json);
}

static void put_signals(struct es_json *json, const struct es_meta *meta)
{
	if (meta->n_signals == 0)
		return;
	es_json_array(json, "signals");
	for (size_t i = 0; i < meta->n_signals; i++) {
		const struct es_signal *signal = &meta->signals[i];

		es_json_object(json, NULL);
		es_json_string(json, "id", signal->id);
		es_json_string(json, "source", signal->source);
		es_json_string(json, "device", signal->device);
		es_json_string(json, "name", signal->name);
		es_json_string(json, "unit", signal->unit);
		es_json_string(json, "kind", es_signal_kind_name(signal->kind));
		es_json_u64(json, "node", signal->node);
		put_text(json, "flags", signal->flags);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

static void put_job(struct es_json *json, const struct es_meta *meta)
{
	es_json_object(json, "job");
	put_text(json, "id", meta->job);
	put_text(json, "user", meta->user);
	put_text(json, "command", meta->command);
	put_text(json, "cluster", meta->cluster);
	put_text(json, "account", meta->account);
	put_text(json, "partition", meta->partition);
	put_text(json, "step", meta->step);
	put_text(json, "comment", meta->comment);
	es_json_u64(json, "ncpus", meta->n_cpus);
	es_json_u64(json, "ngpus", meta->n_gpus);
	if (meta->n_job_nodes)
		es_json_u64(json, "nodes", meta->n_job_nodes);
	if (meta->restarts)
		es_json_u64(json, "restarts", meta->restarts);
	if (meta->sharing != ES_SHARING_UNKNOWN)
		es_json_bool(json, "exclusive", meta->sharing == ES_SHARING_EXCLUSIVE);
	if (meta->has_uid)
		es_json_u64(json, "uid", meta->uid);
	es_json_object_end(json);
}

/* What JSON readers take for an integer; a description that nobody can read would lose the whole recording. */
static bool is_readable(const struct es_domain *domain)
{
	const uint64_t largest = INT64_MAX;

	return domain->range.unit_nj <= largest && domain->range.modulus_nj <= largest &&
	       domain->peak_mw <= largest && domain->limit_mw <= largest && domain->name[0] != '\0';
}

int es_meta_write(const struct es_meta *meta, struct es_buf *out)
{
	struct es_json json;

	for (size_t i = 0; i < meta->n_domains; i++)
		if (!is_readable(&meta->domains[i]))
			return -ERANGE;
	es_json_init(&json, es_json_sink_buf, out, false);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", ES_META_SCHEMA);
	put_text(&json, "tool", meta->tool);
	put_job(&json, meta);
	es_json_i64(&json, "period_ns", meta->period_ns);
	es_json_i64(&json, "start_boot_ns", meta->start_boot_ns);
	es_json_i64(&json, "start_mono_ns", meta->start_mono_ns);
	es_json_i64(&json, "start_unix_ns", meta->start_unix_ns);
	put_text(&json, "boot_id", meta->boot_id);
	put_text(&json, "country", meta->country);
	put_text(&json, "timezone", meta->timezone);
	es_json_string(&json, "virt", es_virt_name(meta->virt));
	es_json_bool(&json, "battery", meta->has_battery);
	es_json_array(&json, "nodes");
	for (size_t i = 0; i < meta->n_nodes; i++) {
		es_json_object(&json, NULL);
		es_json_string(&json, "name", meta->nodes[i].name);
		put_text(&json, "cpu_model", meta->nodes[i].cpu_model);
		es_json_u64(&json, "cpus", meta->nodes[i].n_cpus);
		es_json_u64(&json, "packages", meta->nodes[i].n_packages);
		if (meta->nodes[i].n_gpus)
			es_json_u64(&json, "gpus", meta->nodes[i].n_gpus);
		put_text(&json, "gpu_model", meta->nodes[i].gpu_model);
		if (meta->nodes[i].memory_bytes)
			es_json_u64(&json, "memory_bytes", meta->nodes[i].memory_bytes);
		es_json_object_end(&json);
	}
	es_json_array_end(&json);
	es_json_array(&json, "domains");
	for (size_t i = 0; i < meta->n_domains; i++)
		put_domain(&json, &meta->domains[i]);
	es_json_array_end(&json);
	put_signals(&json, meta);
	es_json_object_end(&json);
	return es_json_end(&json);
}
