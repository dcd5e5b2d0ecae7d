/*
 * meta.c - what a recording says about itself
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "record/meta.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"

#define SCHEMA "energyscopium.recording/1"

static const char *const virt_names[] = {
	[ES_VIRT_UNKNOWN] = "unknown",
	[ES_VIRT_NONE] = "none",
	[ES_VIRT_VM] = "vm",
	[ES_VIRT_CONTAINER] = "container",
};

const char *es_virt_name(enum es_virt virt)
{
	return virt_names[virt];
}

void es_meta_init(struct es_meta *meta)
{
	memset(meta, 0, sizeof(*meta));
}

void es_meta_finish(struct es_meta *meta)
{
	free(meta->nodes);
	free(meta->domains);
	free(meta->signals);
	es_meta_init(meta);
}

/*
 * The array with room for one more of @size bytes; NULL: no memory. Arrays grow by doubling, so a full one has a power
 * of two of members.
 */
static void *grow(void *array, size_t n, size_t size)
{
	return n & (n - 1) ? array : reallocarray(array, n ? 2 * n : 1, size);
}

int es_meta_add_node(struct es_meta *meta, const char *name)
{
	struct es_node_info *nodes, *node;

	if (meta->n_nodes >= ES_NODES_MAX || strlen(name) >= sizeof(node->name))
		return -E2BIG;
	nodes = grow(meta->nodes, meta->n_nodes, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	meta->nodes = nodes;
	node = &meta->nodes[meta->n_nodes++];
	memset(node, 0, sizeof(*node));
	memcpy(node->name, name, strlen(name) + 1);
	return 0;
}

static int add_domain(struct es_meta *meta, const struct es_domain *domain, size_t most)
{
	struct es_domain *domains;

	if (meta->n_domains >= most)
		return -E2BIG;
	domains = grow(meta->domains, meta->n_domains, sizeof(*domains));
	if (!domains)
		return -ENOMEM;
	meta->domains = domains;
	meta->domains[meta->n_domains++] = *domain;
	return 0;
}

int es_meta_add_domain(struct es_meta *meta, const struct es_domain *domain)
{
	return add_domain(meta, domain, ES_DOMAINS_MAX);
}

static int add_signal(struct es_meta *meta, const struct es_signal *signal, size_t most)
{
	struct es_signal *signals;

	if (meta->n_signals >= most)
		return -E2BIG;
	signals = grow(meta->signals, meta->n_signals, sizeof(*signals));
	if (!signals)
		return -ENOMEM;
	meta->signals = signals;
	meta->signals[meta->n_signals++] = *signal;
	return 0;
}

int es_meta_add_signal(struct es_meta *meta, const struct es_signal *signal)
{
	return add_signal(meta, signal, ES_SIGNALS_MAX);
}

int es_meta_join(struct es_meta *meta, const struct es_meta *from)
{
	uint32_t first_node = (uint32_t)meta->n_nodes;
	int32_t first_domain = (int32_t)meta->n_domains;
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->n_nodes; i++) {
		r = es_meta_add_node(meta, from->nodes[i].name);
		if (r == 0)
			meta->nodes[meta->n_nodes - 1] = from->nodes[i];
	}
	for (size_t i = 0; r == 0 && i < from->n_domains; i++) {
		struct es_domain domain = from->domains[i];

		domain.node += first_node;
		if (domain.parent >= 0)
			domain.parent += first_domain;
		if (domain.read_period_ns == 0) /* theirs, not that of the first */
			domain.read_period_ns = from->period_ns;
		r = add_domain(meta, &domain, ES_JOINED_MAX);
	}
	for (size_t i = 0; r == 0 && i < from->n_signals; i++) {
		struct es_signal signal = from->signals[i];

		signal.node += first_node;
		r = add_signal(meta, &signal, ES_JOINED_MAX);
	}
	return r;
}

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
	es_json_string(&json, "schema", SCHEMA);
	put_text(&json, "tool", meta->tool);
	put_job(&json, meta);
	es_json_i64(&json, "period_ns", meta->period_ns);
	es_json_i64(&json, "start_boot_ns", meta->start_boot_ns);
	es_json_i64(&json, "start_mono_ns", meta->start_mono_ns);
	es_json_i64(&json, "start_unix_ns", meta->start_unix_ns);
	put_text(&json, "boot_id", meta->boot_id);
	put_text(&json, "country", meta->country);
	put_text(&json, "timezone", meta->timezone);
	es_json_string(&json, "virt", virt_names[meta->virt]);
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
	for (unsigned i = 0; i < ES_ARRAY_SIZE(virt_names); i++)
		if (strcmp(virt, virt_names[i]) == 0)
			meta->virt = (enum es_virt)i;
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
	if (strcmp(schema, SCHEMA) != 0) {
		r = es_error_say(err, -EBADMSG, "its schema is '%s', this program reads '%s'",
				 schema, SCHEMA);
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
