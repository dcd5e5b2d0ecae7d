/*
 * top_jobs.c - the jobs of this node, as its daemon tells of them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/top_jobs.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/daemonlink.h"
#include "ipc/address.h"

#define PATIENCE_NS (300 * ES_NS_PER_MS)
#define RETRY_NS (5 * ES_NS_PER_S)
#define SEEN_MAX 1024U /* jobs whose power is known; of more only the energy is shown */

/* A job as it was at the last look. */
struct seen {
	char id[ES_LOCAL_ID_MAX_BYTES];
	int64_t start_unix_ns, dur_ns;
	uint64_t energy_uj;
};

struct es_top_jobs {
	const char *named;
	bool is_off; /* no daemon is to be asked */
	int fd;
	int64_t retry_ns; /* monotonic clock */
	uint32_t number;
	struct seen *seen, *now; /* [SEEN_MAX] */
	size_t n_seen, n_now;
	struct es_daemonlink_answer answer;
	struct es_local_job_is job;
};

struct es_top_jobs *es_top_jobs_create(const char *named, bool has_root)
{
	struct es_top_jobs *jobs = calloc(1, sizeof(*jobs));
	struct es_error err = { .code = 0 };
	char path[ES_IPC_PATH_MAX_BYTES];
	bool is_chosen = false;

	if (!jobs)
		return NULL;
	jobs->fd = -1;
	jobs->named = named;
	jobs->seen = calloc(SEEN_MAX, sizeof(*jobs->seen));
	jobs->now = calloc(SEEN_MAX, sizeof(*jobs->now));
	jobs->is_off = es_daemonlink_path(named, path, sizeof(path), &is_chosen, &err) < 0 ||
		       (has_root && !is_chosen);
	if (jobs->seen && jobs->now)
		return jobs;
	es_top_jobs_destroy(jobs);
	return NULL;
}

void es_top_jobs_destroy(struct es_top_jobs *jobs)
{
	if (!jobs)
		return;
	es_closep(&jobs->fd);
	free(jobs->seen);
	free(jobs->now);
	free(jobs);
}

static void hang_up(struct es_top_jobs *jobs)
{
	es_closep(&jobs->fd);
	jobs->fd = -1;
	jobs->retry_ns = es_clock_mono_ns() + RETRY_NS;
}

static const struct seen *find(const struct es_top_jobs *jobs, const struct es_local_job_is *job)
{
	for (size_t i = 0; i < jobs->n_seen; i++)
		if (jobs->seen[i].start_unix_ns == job->start_unix_ns &&
		    strcmp(jobs->seen[i].id, job->job.id) == 0)
			return &jobs->seen[i];
	return NULL;
}

static void put_user(const struct es_local_job *job, char *ret, size_t size)
{
	const struct passwd *entry = job->has_uid ? getpwuid(job->uid) : NULL;

	if (entry)
		(void)snprintf(ret, size, "%s", entry->pw_name);
	else if (job->has_uid)
		(void)snprintf(ret, size, "%u", job->uid);
	else
		(void)snprintf(ret, size, "?");
}

/* The mean since the last look; since the job's start where it was not seen before. */
static uint64_t power_of(const struct seen *before, const struct es_local_job_is *job)
{
	uint64_t from_uj = before ? before->energy_uj : 0;
	int64_t dur_ns = job->dur_ns - (before ? before->dur_ns : 0);

	if (!job->has_energy || dur_ns <= 0 || job->energy_uj < from_uj)
		return UINT64_MAX;
	return (uint64_t)((double)(job->energy_uj - from_uj) * 1e6 / (double)dur_ns + 0.5);
}

static void take(struct es_top_jobs *jobs, struct es_top_job *ret)
{
	const struct es_local_job_is *job = &jobs->job;

	*ret = (struct es_top_job){ .n_cpus = job->job.n_cpus,
				    .has_energy = job->has_energy,
				    .energy_uj = job->energy_uj,
				    .dur_ns = job->dur_ns,
				    .is_exclusive = job->job.flags & ES_LOCAL_EXCLUSIVE };
	(void)snprintf(ret->id, sizeof(ret->id), "%s", job->job.id);
	(void)snprintf(ret->name, sizeof(ret->name), "%.63s", job->job.name);
	(void)snprintf(ret->kind, sizeof(ret->kind), "%s", job->kind);
	put_user(&job->job, ret->user, sizeof(ret->user));
	ret->power_mw = power_of(find(jobs, job), job);
	if (jobs->n_now == SEEN_MAX)
		return;
	jobs->now[jobs->n_now] = (struct seen){ .start_unix_ns = job->start_unix_ns,
						.dur_ns = job->dur_ns,
						.energy_uj = job->energy_uj };
	memcpy(jobs->now[jobs->n_now++].id, job->job.id, sizeof(job->job.id));
}

/* Unknown powers come last. */
static bool is_before(const struct es_top_job *a, const struct es_top_job *b)
{
	if ((a->power_mw == UINT64_MAX) != (b->power_mw == UINT64_MAX))
		return b->power_mw == UINT64_MAX;
	return a->power_mw > b->power_mw;
}

static size_t insert(struct es_top_job *all, size_t n, size_t n_max, const struct es_top_job *job)
{
	size_t at = n;

	while (at > 0 && is_before(job, &all[at - 1]))
		at--;
	if (at == n_max)
		return n;
	if (n == n_max)
		n--;
	memmove(&all[at + 1], &all[at], (n - at) * sizeof(*all));
	all[at] = *job;
	return n + 1;
}

static int ask(struct es_top_jobs *jobs, int64_t until_ns, struct es_error *err)
{
	uint8_t packet[ES_IPC_HEADER_BYTES + 16];
	int n = es_local_put_empty(ES_LOCAL_JOBS, ++jobs->number, packet, sizeof(packet));
	int r = 0;

	if (jobs->fd < 0)
		r = es_daemonlink_open(jobs->named, PATIENCE_NS, &jobs->fd, NULL, err);
	if (r == 0)
		r = n < 0 ? n : es_packet_send(jobs->fd, packet, (size_t)n, -1);
	return r < 0 || until_ns > es_clock_mono_ns() ? r : -ETIMEDOUT;
}

size_t es_top_jobs_look(struct es_top_jobs *jobs, struct es_top_job *ret, size_t n_max,
			size_t *ret_n_all)
{
	int64_t until_ns = es_clock_mono_ns() + PATIENCE_NS;
	struct es_error err = { .code = 0 };
	struct seen *swapped = jobs->seen;
	size_t n = 0;
	int r;

	*ret_n_all = 0;
	if (jobs->is_off || (jobs->fd < 0 && es_clock_mono_ns() < jobs->retry_ns))
		return 0;
	jobs->n_now = 0;
	r = ask(jobs, until_ns, &err) < 0 ? -1 : 1;
	while (r > 0) {
		struct es_top_job job;

		r = es_daemonlink_next(jobs->fd, jobs->number, until_ns, ES_LOCAL_JOB,
				       &jobs->answer, &err);
		if (r <= 0)
			break;
		if (es_local_get_job_is(es_daemonlink_body(&jobs->answer), jobs->answer.n,
					&jobs->job) < 0 ||
		    jobs->job.stop_unix_ns)
			continue;
		take(jobs, &job);
		n = insert(ret, n, n_max, &job);
		++*ret_n_all;
	}
	if (r < 0) {
		/* Refused: there is nothing to see for this user, now. */
		hang_up(jobs);
		return 0;
	}
	jobs->seen = jobs->now;
	jobs->n_seen = jobs->n_now;
	jobs->now = swapped;
	return n;
}
