/*
 * local_job.c - jobs: what a daemon is told of them, and tells
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <string.h>

#include "wire/fields.h"
#include "wire/local.h"

static bool is_list(const char *list, bool is_of_cpus)
{
	for (const char *c = list; *c; c++)
		if (is_of_cpus ? !strchr("0123456789,-", *c)
			       : !es_is_letter_or_digit(*c) && !strchr(",-:./_", *c))
			return false;
	return true;
}

static bool is_cgroup(const char *path)
{
	size_t n = strlen(path);

	if (n == 0)
		return true;
	return path[0] == '/' && !strstr(path, "/../") &&
	       (n < 3 || strcmp(path + n - 3, "/..") != 0);
}

static bool is_job(const struct es_local_job *job)
{
	return es_is_id(job->id, true) && es_is_id(job->step, false) && is_list(job->cpus, true) &&
	       is_list(job->gpus, false) && is_cgroup(job->cgroup) && job->pid >= 0 &&
	       job->pid <= INT32_MAX;
}

static void pack_job(struct es_packer *packer, const struct es_local_job *job)
{
	es_fields_reject(packer, !is_job(job));
	es_put_text(packer, job->id);
	es_put_text(packer, job->step);
	es_put_text(packer, job->scheduler);
	es_pack_u32(packer, job->uid);
	es_put_bool(packer, job->has_uid);
	es_pack_u32(packer, job->flags);
	es_pack_u32(packer, job->n_cpus);
	es_put_text(packer, job->cpus);
	es_put_bool(packer, job->has_gpus);
	es_put_text(packer, job->gpus);
	es_put_text(packer, job->cgroup);
	es_pack_i64(packer, job->pid);
	es_pack_u32(packer, job->n_nodes);
	es_pack_u32(packer, job->node_index);
	es_put_text(packer, job->nodes);
	es_put_text(packer, job->name);
	es_put_text(packer, job->cluster);
	es_put_text(packer, job->account);
	es_put_text(packer, job->partition);
	es_pack_u32(packer, job->restarts);
	es_put_time(packer, job->t_ns);
}

static void unpack_job(struct es_unpacker *unpacker, struct es_local_job *job)
{
	ES_GET_TEXT(unpacker, job->id);
	ES_GET_TEXT(unpacker, job->step);
	ES_GET_TEXT(unpacker, job->scheduler);
	job->uid = es_unpack_u32(unpacker);
	job->has_uid = es_get_bool(unpacker);
	job->flags = es_unpack_u32(unpacker);
	job->n_cpus = es_unpack_u32(unpacker);
	ES_GET_TEXT(unpacker, job->cpus);
	job->has_gpus = es_get_bool(unpacker);
	ES_GET_TEXT(unpacker, job->gpus);
	ES_GET_TEXT(unpacker, job->cgroup);
	job->pid = es_unpack_i64(unpacker);
	job->n_nodes = es_unpack_u32(unpacker);
	job->node_index = es_unpack_u32(unpacker);
	ES_GET_TEXT(unpacker, job->nodes);
	ES_GET_TEXT(unpacker, job->name);
	ES_GET_TEXT(unpacker, job->cluster);
	ES_GET_TEXT(unpacker, job->account);
	ES_GET_TEXT(unpacker, job->partition);
	job->restarts = es_unpack_u32(unpacker);
	job->t_ns = es_get_time(unpacker);
	es_fields_refuse(unpacker, !is_job(job));
}

int es_local_put_job(uint32_t number, const struct es_local_job *job, uint8_t *out, size_t size)
{
	struct es_packer packer;

	es_fields_begin(&packer, out, size);
	pack_job(&packer, job);
	return es_fields_end(&packer, ES_LOCAL_JOB_BEGIN, number);
}

int es_local_get_job(const void *body, size_t n, struct es_local_job *ret)
{
	struct es_unpacker unpacker = es_fields_open(body, n);
	struct es_local_job job = { .id = "" };

	unpack_job(&unpacker, &job);
	if (!unpacker.error)
		*ret = job;
	return unpacker.error;
}

int es_local_put_end(uint32_t number, const struct es_local_end *what, uint8_t *out, size_t size)
{
	struct es_packer packer;

	es_fields_begin(&packer, out, size);
	es_fields_reject(&packer, !es_is_id(what->id, true) || !es_is_id(what->step, false));
	es_put_text(&packer, what->id);
	es_put_text(&packer, what->step);
	es_put_bool(&packer, what->has_status);
	es_pack_u32(&packer, (uint32_t)what->status);
	es_put_time(&packer, what->t_ns);
	return es_fields_end(&packer, ES_LOCAL_JOB_END, number);
}

int es_local_get_end(const void *body, size_t n, struct es_local_end *ret)
{
	struct es_unpacker unpacker = es_fields_open(body, n);
	struct es_local_end what = { .id = "" };

	ES_GET_TEXT(&unpacker, what.id);
	ES_GET_TEXT(&unpacker, what.step);
	what.has_status = es_get_bool(&unpacker);
	what.status = (int32_t)es_unpack_u32(&unpacker);
	what.t_ns = es_get_time(&unpacker);
	es_fields_refuse(&unpacker, !es_is_id(what.id, true) || !es_is_id(what.step, false));
	if (!unpacker.error)
		*ret = what;
	return unpacker.error;
}

static void pack_part(struct es_packer *packer, const struct es_local_part *part)
{
	es_put_text(packer, part->domain);
	es_put_text(packer, part->kind);
	es_put_text(packer, part->rule);
	es_pack_u64(packer, part->dynamic_uj);
	es_pack_u64(packer, part->idle_uj);
}

static void unpack_part(struct es_unpacker *unpacker, struct es_local_part *part)
{
	ES_GET_TEXT(unpacker, part->domain);
	ES_GET_TEXT(unpacker, part->kind);
	ES_GET_TEXT(unpacker, part->rule);
	part->dynamic_uj = es_unpack_u64(unpacker);
	part->idle_uj = es_unpack_u64(unpacker);
}

static void pack_machine(struct es_packer *packer, const struct es_local_machine *machine)
{
	es_fields_reject(packer, machine->virt > 3);
	es_put_text(packer, machine->cpu_model);
	es_put_text(packer, machine->gpu_model);
	es_pack_u32(packer, machine->n_cpus);
	es_pack_u32(packer, machine->n_packages);
	es_pack_u32(packer, machine->n_gpus);
	es_pack_u64(packer, machine->memory_bytes);
	es_pack_u8(packer, machine->virt);
	es_put_bool(packer, machine->has_battery);
	es_put_bool(packer, machine->has_node_meter);
	es_put_text(packer, machine->country);
	es_put_text(packer, machine->timezone);
}

/* A later field: who does not know of it ends before. */
static void unpack_machine(struct es_unpacker *unpacker, struct es_local_machine *machine)
{
	if (unpacker->error || unpacker->n == unpacker->size)
		return;
	ES_GET_TEXT(unpacker, machine->cpu_model);
	ES_GET_TEXT(unpacker, machine->gpu_model);
	machine->n_cpus = es_unpack_u32(unpacker);
	machine->n_packages = es_unpack_u32(unpacker);
	machine->n_gpus = es_unpack_u32(unpacker);
	machine->memory_bytes = es_unpack_u64(unpacker);
	machine->virt = es_unpack_u8(unpacker);
	machine->has_battery = es_get_bool(unpacker);
	machine->has_node_meter = es_get_bool(unpacker);
	ES_GET_TEXT(unpacker, machine->country);
	ES_GET_TEXT(unpacker, machine->timezone);
	es_fields_refuse(unpacker, machine->virt > 3);
}

int es_local_put_job_is(uint32_t number, const struct es_local_job_is *job, uint8_t *out,
			size_t size)
{
	struct es_packer packer;

	es_fields_begin(&packer, out, size);
	es_fields_reject(&packer, job->n_parts > ES_LOCAL_PARTS_MAX);
	pack_job(&packer, &job->job);
	es_put_text(&packer, job->node);
	es_put_time(&packer, job->start_unix_ns);
	es_put_time(&packer, job->stop_unix_ns);
	es_put_time(&packer, job->dur_ns);
	es_put_bool(&packer, job->has_energy);
	es_pack_u64(&packer, job->energy_uj);
	es_pack_u64(&packer, job->uncertainty_uj);
	es_put_text(&packer, job->kind);
	es_put_text(&packer, job->idle_method);
	es_pack_u32(&packer, job->covered_ppm);
	es_put_text(&packer, job->recording);
	es_pack_u32(&packer, job->n_parts);
	for (uint32_t i = 0; i < job->n_parts && !packer.error; i++)
		pack_part(&packer, &job->parts[i]);
	pack_machine(&packer, &job->machine);
	return es_fields_end(&packer, ES_LOCAL_JOB, number);
}

static void unpack_job_is(struct es_unpacker *unpacker, struct es_local_job_is *job)
{
	unpack_job(unpacker, &job->job);
	ES_GET_TEXT(unpacker, job->node);
	job->start_unix_ns = es_get_time(unpacker);
	job->stop_unix_ns = es_get_time(unpacker);
	job->dur_ns = es_get_time(unpacker);
	job->has_energy = es_get_bool(unpacker);
	job->energy_uj = es_unpack_u64(unpacker);
	job->uncertainty_uj = es_unpack_u64(unpacker);
	ES_GET_TEXT(unpacker, job->kind);
	ES_GET_TEXT(unpacker, job->idle_method);
	job->covered_ppm = es_unpack_u32(unpacker);
	ES_GET_TEXT(unpacker, job->recording);
	job->n_parts = es_unpack_u32(unpacker);
	es_fields_refuse(unpacker, job->n_parts > ES_LOCAL_PARTS_MAX);
	for (uint32_t i = 0; i < job->n_parts && !unpacker->error; i++)
		unpack_part(unpacker, &job->parts[i]);
	unpack_machine(unpacker, &job->machine);
}

int es_local_get_job_is(const void *body, size_t n, struct es_local_job_is *ret)
{
	struct es_unpacker unpacker = es_fields_open(body, n);
	struct es_local_job_is job = { .node = "" };

	unpack_job_is(&unpacker, &job);
	if (!unpacker.error)
		*ret = job;
	return unpacker.error;
}
