/*
 * summary.c - a finished job of one node in a file
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/summary.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "core/share_rule.h"

#define DUR_MAX_NS (ES_TIME_MAX_NS / 2)

static void put_text(struct es_json *json, const char *key, const char *text)
{
	es_json_string(json, key, text[0] ? text : NULL);
}

static void put_job(struct es_json *json, const struct es_local_job *job)
{
	es_json_object(json, "job");
	es_json_string(json, "id", job->id);
	put_text(json, "scheduler", job->scheduler);
	if (job->has_uid)
		es_json_u64(json, "uid", job->uid);
	es_json_u64(json, "flags", job->flags);
	es_json_u64(json, "ncpus", job->n_cpus);
	put_text(json, "cpus", job->cpus);
	if (job->has_gpus)
		es_json_string(json, "gpus", job->gpus);
	es_json_u64(json, "n_nodes", job->n_nodes);
	es_json_u64(json, "node_index", job->node_index);
	put_text(json, "nodes", job->nodes);
	put_text(json, "name", job->name);
	put_text(json, "cluster", job->cluster);
	put_text(json, "account", job->account);
	put_text(json, "partition", job->partition);
	es_json_u64(json, "restarts", job->restarts);
	es_json_object_end(json);
}

static void put_machine(struct es_json *json, const struct es_local_machine *machine)
{
	es_json_object(json, "machine");
	put_text(json, "cpu_model", machine->cpu_model);
	put_text(json, "gpu_model", machine->gpu_model);
	es_json_u64(json, "cpus", machine->n_cpus);
	es_json_u64(json, "packages", machine->n_packages);
	es_json_u64(json, "gpus", machine->n_gpus);
	es_json_u64(json, "memory_bytes", machine->memory_bytes);
	es_json_u64(json, "virt", machine->virt);
	es_json_bool(json, "battery", machine->has_battery);
	es_json_bool(json, "node_meter", machine->has_node_meter);
	put_text(json, "country", machine->country);
	put_text(json, "timezone", machine->timezone);
	es_json_object_end(json);
}

int es_summary_write(const struct es_local_job_is *job, struct es_buf *out)
{
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", ES_SUMMARY_SCHEMA);
	put_job(&json, &job->job);
	es_json_string(&json, "node", job->node);
	es_json_i64(&json, "start_unix_ns", job->start_unix_ns);
	es_json_i64(&json, "stop_unix_ns", job->stop_unix_ns);
	es_json_i64(&json, "duration_ns", job->dur_ns);
	if (job->has_energy)
		es_json_u64(&json, "energy_uj", job->energy_uj);
	else
		es_json_null(&json, "energy_uj");
	es_json_u64(&json, "uncertainty_uj", job->uncertainty_uj);
	put_text(&json, "kind", job->kind);
	put_text(&json, "idle_method", job->idle_method);
	es_json_u64(&json, "covered_ppm", job->covered_ppm);
	put_text(&json, "recording", job->recording);
	es_json_array(&json, "parts");
	for (uint32_t i = 0; i < job->n_parts && i < ES_LOCAL_PARTS_MAX; i++) {
		es_json_object(&json, NULL);
		es_json_string(&json, "domain", job->parts[i].domain);
		put_text(&json, "kind", job->parts[i].kind);
		put_text(&json, "rule", job->parts[i].rule);
		es_json_u64(&json, "dynamic_uj", job->parts[i].dynamic_uj);
		es_json_u64(&json, "idle_uj", job->parts[i].idle_uj);
		es_json_object_end(&json);
	}
	es_json_array_end(&json);
	put_machine(&json, &job->machine);
	es_json_object_end(&json);
	(void)es_json_end(&json);
	return es_buf_u8(out, '\n');
}

/* The first member that is wrong; NULL: none. */
struct reading {
	const char *wrong;
};

static void blame(struct reading *reading, const char *key)
{
	reading->wrong = reading->wrong ? reading->wrong : key;
}

/* Texts end in terminals and in file names: no control characters, and nothing but UTF-8. */
static bool is_plain(const char *text)
{
	size_t n = strlen(text), step;

	for (size_t at = 0; at < n; at += step) {
		step = es_utf8_length(text + at, n - at);
		if (step == 0 || (unsigned char)text[at] < 0x20 || text[at] == 0x7f ||
		    ((unsigned char)text[at] == 0xc2 && (unsigned char)text[at + 1] < 0xa0))
			return false;
	}
	return true;
}

static void get_text(struct reading *reading, json_t *object, const char *key, char *ret,
		     size_t size)
{
	json_t *member = json_object_get(object, key);

	if (!member || json_is_null(member))
		return;
	if (!json_is_string(member) || json_string_length(member) >= size ||
	    strlen(json_string_value(member)) != json_string_length(member) ||
	    !is_plain(json_string_value(member))) {
		blame(reading, key);
		return;
	}
	memcpy(ret, json_string_value(member), json_string_length(member) + 1);
}

static int64_t get_integer(struct reading *reading, json_t *object, const char *key, int64_t lo,
			   int64_t hi)
{
	json_t *member = json_object_get(object, key);
	json_int_t v;

	if (!member || json_is_null(member))
		return 0;
	v = json_integer_value(member);
	if (!json_is_integer(member) || v < lo || v > hi) {
		blame(reading, key);
		return 0;
	}
	return v;
}

static uint32_t get_u32(struct reading *reading, json_t *object, const char *key)
{
	return (uint32_t)get_integer(reading, object, key, 0, UINT32_MAX);
}

static uint64_t get_energy(struct reading *reading, json_t *object, const char *key)
{
	return (uint64_t)get_integer(reading, object, key, 0, INT64_MAX / 4);
}

static void get_job(struct reading *reading, json_t *object, struct es_local_job *ret)
{
	json_t *uid = json_object_get(object, "uid"), *gpus = json_object_get(object, "gpus");

	get_text(reading, object, "id", ret->id, sizeof(ret->id));
	if (es_local_id_problem(ret->id))
		blame(reading, "id");
	get_text(reading, object, "scheduler", ret->scheduler, sizeof(ret->scheduler));
	ret->has_uid = uid && !json_is_null(uid);
	ret->uid = get_u32(reading, object, "uid");
	ret->flags = get_u32(reading, object, "flags");
	ret->n_cpus = get_u32(reading, object, "ncpus");
	get_text(reading, object, "cpus", ret->cpus, sizeof(ret->cpus));
	ret->has_gpus = gpus && !json_is_null(gpus);
	get_text(reading, object, "gpus", ret->gpus, sizeof(ret->gpus));
	ret->n_nodes = get_u32(reading, object, "n_nodes");
	ret->node_index = get_u32(reading, object, "node_index");
	get_text(reading, object, "nodes", ret->nodes, sizeof(ret->nodes));
	get_text(reading, object, "name", ret->name, sizeof(ret->name));
	get_text(reading, object, "cluster", ret->cluster, sizeof(ret->cluster));
	get_text(reading, object, "account", ret->account, sizeof(ret->account));
	get_text(reading, object, "partition", ret->partition, sizeof(ret->partition));
	ret->restarts = get_u32(reading, object, "restarts");
}

static void get_parts(struct reading *reading, json_t *array, struct es_local_job_is *ret)
{
	json_t *object;
	size_t i;

	if (json_array_size(array) > ES_LOCAL_PARTS_MAX) {
		blame(reading, "parts");
		return;
	}
	json_array_foreach(array, i, object)
	{
		struct es_local_part *part = &ret->parts[ret->n_parts++];
		enum es_share_rule rule;

		get_text(reading, object, "domain", part->domain, sizeof(part->domain));
		get_text(reading, object, "kind", part->kind, sizeof(part->kind));
		get_text(reading, object, "rule", part->rule, sizeof(part->rule));
		if (part->rule[0] && es_share_rule_from_name(part->rule, &rule) < 0)
			blame(reading, "rule");
		part->dynamic_uj = get_energy(reading, object, "dynamic_uj");
		part->idle_uj = get_energy(reading, object, "idle_uj");
	}
}

static void get_machine(struct reading *reading, json_t *object, struct es_local_machine *ret)
{
	get_text(reading, object, "cpu_model", ret->cpu_model, sizeof(ret->cpu_model));
	get_text(reading, object, "gpu_model", ret->gpu_model, sizeof(ret->gpu_model));
	ret->n_cpus = get_u32(reading, object, "cpus");
	ret->n_packages = get_u32(reading, object, "packages");
	ret->n_gpus = get_u32(reading, object, "gpus");
	ret->memory_bytes = (uint64_t)get_integer(reading, object, "memory_bytes", 0, INT64_MAX);
	ret->virt = (uint8_t)get_integer(reading, object, "virt", 0, 3);
	ret->has_battery = json_is_true(json_object_get(object, "battery"));
	ret->has_node_meter = json_is_true(json_object_get(object, "node_meter"));
	get_text(reading, object, "country", ret->country, sizeof(ret->country));
	get_text(reading, object, "timezone", ret->timezone, sizeof(ret->timezone));
}

static void get_all(struct reading *reading, json_t *top, struct es_local_job_is *ret)
{
	json_t *energy = json_object_get(top, "energy_uj");

	get_job(reading, json_object_get(top, "job"), &ret->job);
	get_text(reading, top, "node", ret->node, sizeof(ret->node));
	if (ret->node[0] == '\0')
		blame(reading, "node");
	ret->start_unix_ns = get_integer(reading, top, "start_unix_ns", -DUR_MAX_NS, DUR_MAX_NS);
	ret->stop_unix_ns = get_integer(reading, top, "stop_unix_ns", -DUR_MAX_NS, DUR_MAX_NS);
	ret->dur_ns = get_integer(reading, top, "duration_ns", 0, DUR_MAX_NS);
	ret->has_energy = energy && !json_is_null(energy);
	ret->energy_uj = get_energy(reading, top, "energy_uj");
	ret->uncertainty_uj = get_energy(reading, top, "uncertainty_uj");
	get_text(reading, top, "kind", ret->kind, sizeof(ret->kind));
	get_text(reading, top, "idle_method", ret->idle_method, sizeof(ret->idle_method));
	ret->covered_ppm = (uint32_t)get_integer(reading, top, "covered_ppm", 0, 1000000);
	get_text(reading, top, "recording", ret->recording, sizeof(ret->recording));
	if (strchr(ret->recording, '/'))
		blame(reading, "recording");
	get_parts(reading, json_object_get(top, "parts"), ret);
	get_machine(reading, json_object_get(top, "machine"), &ret->machine);
}

int es_summary_read(const char *text, size_t n, struct es_local_job_is *ret, struct es_error *err)
{
	json_error_t where;
	json_t *top = n <= ES_SUMMARY_MAX_BYTES
			      ? json_loadb(text, n, JSON_REJECT_DUPLICATES, &where)
			      : NULL;
	struct reading reading = { .wrong = NULL };
	struct es_local_job_is job;
	char schema[64] = "";

	if (!top)
		return es_error_say(err, -EBADMSG,
				    n > ES_SUMMARY_MAX_BYTES ? "it is larger than any summary"
							     : "it is not JSON");
	memset(&job, 0, sizeof(job));
	get_text(&reading, top, "schema", schema, sizeof(schema));
	if (strcmp(schema, ES_SUMMARY_SCHEMA) != 0)
		blame(&reading, "schema");
	else
		get_all(&reading, top, &job);
	json_decref(top);
	if (reading.wrong)
		return es_error_say(err, -EBADMSG, "it has a wrong member '%s'", reading.wrong);
	*ret = job;
	return 0;
}

int es_summary_put(int folder_fd, const char *name, const struct es_local_job_is *job)
{
	char temporary[ES_NAME_MAX_BYTES + 32];
	struct es_buf out;
	int r, fd;

	/* A name that no reader takes for a summary; what a crash left of it is written over. */
	if (snprintf(temporary, sizeof(temporary), ".%s.tmp", name) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	(void)unlinkat(folder_fd, temporary, 0);
	fd = openat(folder_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd < 0)
		return -errno;
	es_buf_init(&out, ES_SUMMARY_MAX_BYTES);
	r = es_summary_write(job, &out);
	if (r == 0)
		r = es_write_all(fd, out.data, out.len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	es_buf_finish(&out);
	if (close(fd) < 0 && r == 0) /* where a network file system tells of a full disk */
		r = -errno;
	if (r == 0 && renameat(folder_fd, temporary, folder_fd, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(folder_fd, temporary, 0);
	return r;
}

int es_summary_get(int folder_fd, const char *name, struct es_local_job_is *ret)
{
	es_cleanup(es_closep) int fd =
		openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	es_cleanup(es_freep) char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)ES_SUMMARY_MAX_BYTES)
		return -EBADMSG;
	/* What others can put there, or change, says nothing. */
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return -EACCES;
	text = malloc(ES_SUMMARY_MAX_BYTES);
	if (!text)
		return -ENOMEM;
	n = read(fd, text, ES_SUMMARY_MAX_BYTES);
	return n < 0 ? -errno : es_summary_read(text, (size_t)n, ret, NULL);
}
