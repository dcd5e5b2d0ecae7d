/*
 * fake_jobs.c - jobs as the node's book sees them, without cgroups
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/fake_jobs.h"

#include <stdio.h>
#include <stdlib.h>

struct es_job *fake_job(struct es_jobs *jobs, int64_t start_ns, uint32_t ppm)
{
	struct es_job *job;
	size_t i = jobs->n++;

	if (i >= FAKE_JOBS_MAX)
		abort();
	job = &jobs->jobs[i];
	*job = (struct es_job){ .serial = i + 1, .start_ns = start_ns };
	(void)snprintf(job->about.id, sizeof(job->about.id), "%zu", i + 1);
	job->cpu_ns = jobs->cpu_ns[i];
	job->allocated_ppm = jobs->ppm[i];
	for (size_t k = 0; k < jobs->n_packages; k++) {
		jobs->cpu_ns[i][k] = 0;
		jobs->ppm[i][k] = ppm;
	}
	jobs->is_here[i] = true;
	return job;
}

size_t fake_job_index(const struct es_jobs *jobs, const struct es_job *job)
{
	return (size_t)(job - jobs->jobs);
}

void fake_job_end(struct es_jobs *jobs, struct es_job *job)
{
	jobs->is_here[fake_job_index(jobs, job)] = false;
}

struct es_job *es_jobs_at(const struct es_jobs *jobs, size_t i)
{
	for (size_t k = 0; k < jobs->n; k++)
		if (jobs->is_here[k] && i-- == 0)
			return (struct es_job *)&jobs->jobs[k];
	return NULL;
}

size_t es_jobs_n_packages(const struct es_jobs *jobs)
{
	return jobs->n_packages;
}

int64_t es_jobs_busy_ns(const struct es_jobs *jobs, size_t package)
{
	return package < jobs->n_packages ? jobs->busy_ns[package] : -1;
}

bool es_jobs_is_exclusive(const struct es_jobs *jobs, const struct es_job *job)
{
	return jobs->is_exclusive[fake_job_index(jobs, job)];
}

struct es_job *es_jobs_of_pid(const struct es_jobs *jobs, pid_t pid)
{
	for (size_t k = 0; k < jobs->n; k++)
		if (jobs->is_here[k] && jobs->pids[k] == pid)
			return (struct es_job *)&jobs->jobs[k];
	return NULL;
}
