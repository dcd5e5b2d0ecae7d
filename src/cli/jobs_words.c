/*
 * jobs_words.c - a job as the daemon knows it, as JSON and in words
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "cli/jobs.h"

static const char *state_of(const struct es_local_job_is *job)
{
	return job->job.flags & ES_LOCAL_PENDING		      ? "ending"
	       : job->stop_unix_ns || job->job.flags & ES_LOCAL_ENDED ? "ended"
								      : "running";
}

static const char *text_or_null(const char *text)
{
	return text[0] ? text : NULL;
}

static void put_time(struct es_json *json, const char *key, int64_t t_unix_ns)
{
	char text[ES_TIME_TEXT_BYTES];

	es_json_string(json, key, t_unix_ns ? es_time_rfc3339(t_unix_ns, text) : NULL);
}

static void put_count(struct es_json *json, const char *key, uint32_t n)
{
	if (n)
		es_json_u64(json, key, n);
	else
		es_json_null(json, key);
}

static const struct passwd *user_of(const struct es_local_job *job)
{
	return job->has_uid ? getpwuid(job->uid) : NULL;
}

static void put_who(struct es_json *json, const struct es_local_job *job)
{
	const struct passwd *entry = user_of(job);

	es_json_string(json, "id", job->id);
	es_json_string(json, "scheduler", text_or_null(job->scheduler));
	es_json_string(json, "name", text_or_null(job->name));
	if (job->has_uid)
		es_json_u64(json, "uid", job->uid);
	else
		es_json_null(json, "uid");
	es_json_string(json, "user", entry ? entry->pw_name : NULL);
	es_json_string(json, "account", text_or_null(job->account));
	es_json_string(json, "partition", text_or_null(job->partition));
	es_json_string(json, "cluster", text_or_null(job->cluster));
	put_count(json, "nnodes", job->n_nodes);
	es_json_string(json, "nodes", text_or_null(job->nodes));
	put_count(json, "ncpus", job->n_cpus);
	es_json_string(json, "cpus", text_or_null(job->cpus));
	es_json_string(json, "gpus", job->has_gpus ? job->gpus : NULL);
	es_json_string(json, "cgroup", text_or_null(job->cgroup));
	es_json_u64(json, "restarts", job->restarts);
	es_json_bool(json, "exclusive", job->flags & ES_LOCAL_EXCLUSIVE);
	es_json_bool(json, "repaired", job->flags & ES_LOCAL_REPAIRED);
}

static void put_parts(struct es_json *json, const struct es_local_job_is *job)
{
	es_json_array(json, "parts");
	for (size_t i = 0; i < job->n_parts && i < ES_LOCAL_PARTS_MAX; i++) {
		const struct es_local_part *part = &job->parts[i];

		es_json_object(json, NULL);
		es_json_string(json, "domain", part->domain);
		es_json_string(json, "kind", text_or_null(part->kind));
		es_json_string(json, "rule", text_or_null(part->rule));
		es_json_decimal(json, "dynamic_j", (int64_t)part->dynamic_uj, 6);
		es_json_decimal(json, "idle_j", (int64_t)part->idle_uj, 6);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

void es_jobs_put_json(struct es_json *json, const char *key, const struct es_local_job_is *job)
{
	es_json_object(json, key);
	put_who(json, &job->job);
	es_json_string(json, "node", text_or_null(job->node));
	es_json_string(json, "state", state_of(job));
	put_time(json, "start", job->start_unix_ns);
	put_time(json, "stop", job->stop_unix_ns);
	es_json_decimal(json, "duration_s", job->dur_ns, 9);
	if (job->has_energy)
		es_json_decimal(json, "energy_j", (int64_t)job->energy_uj, 6);
	else
		es_json_null(json, "energy_j");
	if (job->has_energy && job->uncertainty_uj)
		es_json_decimal(json, "uncertainty_j", (int64_t)job->uncertainty_uj, 6);
	else
		es_json_null(json, "uncertainty_j");
	es_json_string(json, "kind", text_or_null(job->kind));
	es_json_string(json, "idle_method", text_or_null(job->idle_method));
	es_json_decimal(json, "time_coverage", job->covered_ppm, 6);
	es_json_string(json, "recording", text_or_null(job->recording));
	put_parts(json, job);
	es_json_object_end(json);
}

static void user_text(const struct es_local_job *job, char *ret, size_t size)
{
	const struct passwd *entry = user_of(job);

	if (entry)
		(void)snprintf(ret, size, "%.64s", entry->pw_name);
	else if (job->has_uid)
		(void)snprintf(ret, size, "%" PRIu32, job->uid);
	else
		(void)snprintf(ret, size, "?");
}

static void energy_text(bool is_known, uint64_t energy_uj, char *ret, size_t size)
{
	char number[ES_QUANTITY_TEXT_BYTES];

	if (!is_known)
		(void)snprintf(ret, size, "n/a");
	else
		(void)snprintf(ret, size, "%s J", es_number_text(es_j_from_uj(energy_uj), number));
}

void es_jobs_put_row(struct es_buf *out, const struct es_local_job_is *job)
{
	char user[80], energy[64], time[ES_QUANTITY_TEXT_BYTES];

	if (!job) {
		(void)es_buf_printf(out, "%-20s %-10s %-12s %14s %16s  %s\n", "job", "by", "user",
				    "time", "energy", "name");
		return;
	}
	user_text(&job->job, user, sizeof(user));
	energy_text(job->has_energy, job->energy_uj, energy, sizeof(energy));
	(void)es_buf_printf(out, "%-20s %-10s %-12s %14s %16s  %s\n", job->job.id,
			    job->job.scheduler[0] ? job->job.scheduler : "?", user,
			    es_duration_text(job->dur_ns, time), energy, job->job.name);
}

static void put_line(struct es_buf *out, const char *name, const char *text)
{
	if (text[0])
		(void)es_buf_printf(out, "%-12s %s\n", name, text);
}

static void put_state(struct es_buf *out, const struct es_local_job_is *job)
{
	char start[ES_TIME_TEXT_BYTES], time[ES_QUANTITY_TEXT_BYTES];

	(void)es_buf_printf(out, "%-12s %s, began %s, %s%s\n", "state", state_of(job),
			    es_time_local_seconds(job->start_unix_ns, start),
			    es_duration_text(job->dur_ns, time),
			    job->job.flags & ES_LOCAL_REPAIRED
				    ? "; its begin or end was seen by its cgroup alone"
				    : "");
}

static void put_energy(struct es_buf *out, const struct es_local_job_is *job)
{
	char energy[64], other[64];

	energy_text(job->has_energy, job->energy_uj, energy, sizeof(energy));
	(void)es_buf_printf(out, "%-12s %s", "energy", energy);
	if (job->has_energy && job->uncertainty_uj) {
		energy_text(true, job->uncertainty_uj, other, sizeof(other));
		(void)es_buf_printf(out, " ± %s", other);
	}
	if (job->kind[0])
		(void)es_buf_printf(out, " (%s)", job->kind);
	(void)es_buf_str(out, "\n");
	for (size_t i = 0; i < job->n_parts && i < ES_LOCAL_PARTS_MAX; i++) {
		const struct es_local_part *part = &job->parts[i];

		energy_text(true, part->dynamic_uj, energy, sizeof(energy));
		energy_text(true, part->idle_uj, other, sizeof(other));
		(void)es_buf_printf(out, "  %-14s %16s dynamic %16s idle  %s\n", part->domain,
				    energy, other, part->rule);
	}
}

void es_jobs_put_words(struct es_buf *out, const struct es_local_job_is *job)
{
	char user[80];

	user_text(&job->job, user, sizeof(user));
	(void)es_buf_printf(out, "%-12s %s%s%s\n", "job", job->job.id,
			    job->job.scheduler[0] ? " by " : "", job->job.scheduler);
	put_line(out, "name", job->job.name);
	put_line(out, "user", user);
	put_line(out, "node", job->node);
	if (job->job.n_nodes)
		(void)es_buf_printf(out, "%-12s %" PRIu32 "%s%s\n", "nodes", job->job.n_nodes,
				    job->job.nodes[0] ? ": " : "", job->job.nodes);
	put_state(out, job);
	put_line(out, "cpus", job->job.cpus);
	put_line(out, "gpus", job->job.gpus);
	put_line(out, "cgroup", job->job.cgroup);
	put_energy(out, job);
	put_line(out, "recording", job->recording);
}
