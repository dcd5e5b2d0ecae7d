/*
 * meta_read.c - what a recording says about itself, from JSON that anybody may have written
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/limits.h"
#include "record/meta.h"

/* A member that is absent leaves *ret as it is; one of a wrong type or too long is an error. */
struct reading {
	const char *wrong; /* the first member that is wrong; NULL: none */
};

static void get_text(struct reading *reading, json_t *object, const char *key, char *ret,
		     size_t size)
{
	json_t *member = json_object_get(object, key);

	if (!member)
		return;
	if (!json_is_string(member) || json_string_length(member) >= size ||
	    strlen(json_string_value(member)) != json_string_length(member)) {
		reading->wrong = reading->wrong ? reading->wrong : key;
		return;
	}
	memcpy(ret, json_string_value(member), json_string_length(member) + 1);
}

static int64_t get_integer(struct reading *reading, json_t *object, const char *key, int64_t lo,
			   int64_t hi, int64_t otherwise)
{
	json_t *member = json_object_get(object, key);
	json_int_t v;

	if (!member)
		return otherwise;
	v = json_integer_value(member);
	if (!json_is_integer(member) || v < lo || v > hi) {
		reading->wrong = reading->wrong ? reading->wrong : key;
		return otherwise;
	}
	return v;
}

static int64_t get_time(struct reading *reading, json_t *object, const char *key)
{
	return get_integer(reading, object, key, -ES_TIME_MAX_NS, ES_TIME_MAX_NS, 0);
}

static bool get_flag(json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static void get_instances(struct reading *reading, json_t *array, struct es_domain *ret)
{
	json_t *object;
	size_t i;

	if (json_array_size(array) > ES_INSTANCES_MAX) {
		reading->wrong = reading->wrong ? reading->wrong : "instances";
		return;
	}
	json_array_foreach(array, i, object)
	{
		struct es_instance *instance = &ret->instances[i];

		get_text(reading, object, "uuid", instance->uuid, sizeof(instance->uuid));
		instance->gpu_instance =
			(uint32_t)get_integer(reading, object, "gpu_instance", 0, UINT32_MAX, 0);
		instance->compute_instance = (uint32_t)get_integer(
			reading, object, "compute_instance", 0, UINT32_MAX, 0);
		instance->gpu_slices =
			(uint32_t)get_integer(reading, object, "gpu_slices", 0, UINT32_MAX, 0);
		instance->compute_slices =
			(uint32_t)get_integer(reading, object, "compute_slices", 0, UINT32_MAX, 0);
		instance->memory_bytes =
			(uint64_t)get_integer(reading, object, "memory_bytes", 0, INT64_MAX, 0);
		ret->n_instances++;
	}
}

static void get_domain(struct reading *reading, json_t *object, struct es_domain *ret)
{
	char type[32] = "", kind[32] = "";

	get_text(reading, object, "id", ret->id, sizeof(ret->id));
	get_text(reading, object, "name", ret->name, sizeof(ret->name));
	get_text(reading, object, "source", ret->source, sizeof(ret->source));
	get_text(reading, object, "limit_kind", ret->limit_kind, sizeof(ret->limit_kind));
	get_text(reading, object, "type", type, sizeof(type));
	get_text(reading, object, "kind", kind, sizeof(kind));
	if (es_domain_type_from_name(type, &ret->type) < 0)
		reading->wrong = reading->wrong ? reading->wrong : "type";
	if (es_kind_from_name(kind, &ret->kind) < 0)
		reading->wrong = reading->wrong ? reading->wrong : "kind";
	if (ret->name[0] == '\0')
		reading->wrong = reading->wrong ? reading->wrong : "name";
	ret->state = ES_STATE_UNPROVEN;
	ret->duplicate_of = -1;
	ret->node = (uint32_t)get_integer(reading, object, "node", 0, ES_NODES_MAX, 0);
	ret->package = (int32_t)get_integer(reading, object, "package", -1, INT32_MAX, -1);
	ret->die = (int32_t)get_integer(reading, object, "die", -1, INT32_MAX, -1);
	ret->core = (int32_t)get_integer(reading, object, "core", -1, INT32_MAX, -1);
	ret->parent = (int32_t)get_integer(reading, object, "parent", -1, ES_DOMAINS_MAX, -1);
	ret->is_power = get_flag(object, "is_power");
	ret->may_mirror = get_flag(object, "may_mirror");
	ret->is_partial = get_flag(object, "is_partial");
	ret->has_activity = get_flag(object, "has_activity");
	ret->range.unit_nj = (uint64_t)get_integer(reading, object, "unit_nj", 0, INT64_MAX, 0);
	ret->range.modulus_nj =
		(uint64_t)get_integer(reading, object, "modulus_nj", 0, INT64_MAX, 0);
	ret->peak_mw = (uint64_t)get_integer(reading, object, "peak_mw", 0, INT64_MAX, 0);
	ret->limit_mw = (uint64_t)get_integer(reading, object, "limit_mw", 0, INT64_MAX, 0);
	ret->read_period_ns = get_integer(reading, object, "read_period_ns", 0, INT64_MAX, 0);
	ret->update_period_ns =
		get_integer(reading, object, "update_period_ns", 0, ES_TIME_MAX_NS, 0);
	ret->idle_mw = (uint64_t)get_integer(reading, object, "idle_mw", 0, INT64_MAX, 0);
	ret->full_mw = (uint64_t)get_integer(reading, object, "full_mw", 0, INT64_MAX, 0);
	ret->idle_spread_ppm =
		(uint32_t)get_integer(reading, object, "idle_spread_ppm", 0, UINT32_MAX, 0);
	get_text(reading, object, "pci", ret->pci, sizeof(ret->pci));
	get_text(reading, object, "model", ret->model, sizeof(ret->model));
	get_text(reading, object, "uuid", ret->uuid, sizeof(ret->uuid));
	get_instances(reading, json_object_get(object, "instances"), ret);
	get_text(reading, object, "reason", ret->reason, sizeof(ret->reason));
	ret->spread_ppm = (uint32_t)get_integer(reading, object, "spread_ppm", 0, UINT32_MAX, 0);
	ret->hold_ns = get_integer(reading, object, "hold_ns", 0, ES_TIME_MAX_NS, 0);
	ret->accuracy_ppm =
		(uint32_t)get_integer(reading, object, "accuracy_ppm", 0, UINT32_MAX, 0);
}

static int get_nodes(struct reading *reading, json_t *array, struct es_meta *meta)
{
	json_t *object;
	size_t i;

	json_array_foreach(array, i, object)
	{
		struct es_node_info node = { .n_cpus = 0 };
		int r;

		get_text(reading, object, "name", node.name, sizeof(node.name));
		get_text(reading, object, "cpu_model", node.cpu_model, sizeof(node.cpu_model));
		node.n_cpus = (uint32_t)get_integer(reading, object, "cpus", 0, UINT32_MAX, 0);
		node.n_packages =
			(uint32_t)get_integer(reading, object, "packages", 0, UINT32_MAX, 0);
		node.n_gpus = (uint32_t)get_integer(reading, object, "gpus", 0, UINT32_MAX, 0);
		get_text(reading, object, "gpu_model", node.gpu_model, sizeof(node.gpu_model));
		node.memory_bytes =
			(uint64_t)get_integer(reading, object, "memory_bytes", 0, INT64_MAX, 0);
		if (node.name[0] == '\0')
			reading->wrong = reading->wrong ? reading->wrong : "name";
		r = es_meta_add_node(meta, node.name);
		if (r < 0)
			return r;
		meta->nodes[meta->n_nodes - 1] = node;
	}
	return 0;
}

/* Whoever walks up from a domain to those that contain it comes to an end, and stays on its node. */
static bool is_forest(const struct es_meta *meta)
{
	for (size_t i = 0; i < meta->n_domains; i++) {
		const struct es_domain *domain = &meta->domains[i];
		size_t n_steps = 0;

		while (domain->parent >= 0) {
			const struct es_domain *parent = &meta->domains[domain->parent];

			if (++n_steps > meta->n_domains || parent->node != domain->node)
				return false;
			domain = parent;
		}
	}
	return true;
}

static int get_domains(struct reading *reading, json_t *array, struct es_meta *meta)
{
	json_t *object;
	size_t i;

	json_array_foreach(array, i, object)
	{
		struct es_domain domain;
		int r;

		memset(&domain, 0, sizeof(domain));
		get_domain(reading, object, &domain);
		if (domain.node >= meta->n_nodes)
			reading->wrong = reading->wrong ? reading->wrong : "node";
		if (domain.parent >= (int32_t)json_array_size(array))
			reading->wrong = reading->wrong ? reading->wrong : "parent";
		r = es_meta_add_domain(meta, &domain);
		if (r < 0)
			return r;
	}
	return 0;
}

static void get_job(struct reading *reading, json_t *object, struct es_meta *meta)
{
	get_text(reading, object, "id", meta->job, sizeof(meta->job));
	get_text(reading, object, "user", meta->user, sizeof(meta->user));
	get_text(reading, object, "command", meta->command, sizeof(meta->command));
	get_text(reading, object, "cluster", meta->cluster, sizeof(meta->cluster));
	get_text(reading, object, "account", meta->account, sizeof(meta->account));
	get_text(reading, object, "partition", meta->partition, sizeof(meta->partition));
	get_text(reading, object, "step", meta->step, sizeof(meta->step));
	get_text(reading, object, "comment", meta->comment, sizeof(meta->comment));
	meta->n_cpus = (uint32_t)get_integer(reading, object, "ncpus", 0, UINT32_MAX, 0);
	meta->n_gpus = (uint32_t)get_integer(reading, object, "ngpus", 0, UINT32_MAX, 0);
	meta->n_job_nodes = (uint32_t)get_integer(reading, object, "nodes", 0, UINT32_MAX, 0);
	meta->restarts = (uint32_t)get_integer(reading, object, "restarts", 0, UINT32_MAX, 0);
	if (json_object_get(object, "exclusive"))
		meta->sharing = get_flag(object, "exclusive") ? ES_SHARING_EXCLUSIVE
							      : ES_SHARING_SHARED;
	meta->has_uid = json_object_get(object, "uid") != NULL;
	meta->uid = (uint32_t)get_integer(reading, object, "uid", 0, UINT32_MAX, 0);
}

static int get_signals(struct reading *reading, json_t *array, struct es_meta *meta)
{
	json_t *object;
	size_t i;

	json_array_foreach(array, i, object)
	{
		struct es_signal signal = { .kind = ES_SIGNAL_GAUGE };
		char kind[16] = "";
		int r;

		get_text(reading, object, "id", signal.id, sizeof(signal.id));
		get_text(reading, object, "source", signal.source, sizeof(signal.source));
		get_text(reading, object, "device", signal.device, sizeof(signal.device));
		get_text(reading, object, "name", signal.name, sizeof(signal.name));
		get_text(reading, object, "unit", signal.unit, sizeof(signal.unit));
		get_text(reading, object, "kind", kind, sizeof(kind));
		get_text(reading, object, "flags", signal.flags, sizeof(signal.flags));
		signal.node = (uint32_t)get_integer(reading, object, "node", 0, ES_NODES_MAX, 0);
		if (es_signal_kind_from_name(kind, &signal.kind) < 0)
			reading->wrong = reading->wrong ? reading->wrong : "kind";
		if (signal.id[0] == '\0' || signal.name[0] == '\0')
			reading->wrong = reading->wrong ? reading->wrong : "name";
		if (signal.node >= meta->n_nodes)
			reading->wrong = reading->wrong ? reading->wrong : "node";
		r = es_meta_add_signal(meta, &signal);
		if (r < 0)
			return r;
	}
	return 0;
}

static int get_all(struct reading *reading, json_t *top, struct es_meta *meta)
{
	char virt[16] = "";
	int r;

	get_text(reading, top, "tool", meta->tool, sizeof(meta->tool));
	get_text(reading, top, "boot_id", meta->boot_id, sizeof(meta->boot_id));
	get_text(reading, top, "country", meta->country, sizeof(meta->country));
	get_text(reading, top, "timezone", meta->timezone, sizeof(meta->timezone));
	get_text(reading, top, "virt", virt, sizeof(virt));
	(void)es_virt_from_name(virt, &meta->virt); /* of a later version: not known */
	meta->has_battery = get_flag(top, "battery");
	meta->period_ns = get_integer(reading, top, "period_ns", 0, ES_TIME_MAX_NS, 0);
	meta->start_boot_ns = get_time(reading, top, "start_boot_ns");
	meta->start_mono_ns = get_time(reading, top, "start_mono_ns");
	meta->start_unix_ns = get_time(reading, top, "start_unix_ns");
	get_job(reading, json_object_get(top, "job"), meta);
	r = get_nodes(reading, json_object_get(top, "nodes"), meta);
	if (r == 0)
		r = get_domains(reading, json_object_get(top, "domains"), meta);
	if (r == 0)
		r = get_signals(reading, json_object_get(top, "signals"), meta);
	if (r == 0 && meta->n_nodes == 0)
		reading->wrong = reading->wrong ? reading->wrong : "nodes";
	if (r == 0 && !reading->wrong && !is_forest(meta))
		reading->wrong = "parent";
	return r;
}

int es_meta_read(const char *text, size_t n, struct es_meta *ret, struct es_error *err)
{
	json_error_t where;
	json_t *top = json_loadb(text, n, JSON_REJECT_DUPLICATES, &where);
	struct reading reading = { .wrong = NULL };
	char schema[64] = "";
	struct es_meta meta;
	int r;

	if (!top)
		return es_error_say(err, -EBADMSG, "its description is not JSON: line %d: %s",
				    where.line, where.text);
	es_meta_init(&meta);
	get_text(&reading, top, "schema", schema, sizeof(schema));
	if (strcmp(schema, ES_META_SCHEMA) != 0) {
		r = es_error_say(err, -EBADMSG, "its schema is '%s', this program reads '%s'",
				 schema, ES_META_SCHEMA);
	} else {
		r = get_all(&reading, top, &meta);
		if (r < 0)
			(void)es_error_set(err, r, "too many nodes, domains or signals");
		else if (reading.wrong)
			r = es_error_say(err, -EBADMSG, "its description has a wrong member '%s'",
					 reading.wrong);
	}
	json_decref(top);
	if (r < 0)
		es_meta_finish(&meta);
	else
		*ret = meta;
	return r;
}
