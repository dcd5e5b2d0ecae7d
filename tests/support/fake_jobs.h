/*
 * fake_jobs.h - jobs as the node's book sees them, without cgroups: in place of daemon/jobs.c
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_FAKE_JOBS_H
#define ES_TESTS_SUPPORT_FAKE_JOBS_H

#include "daemon/jobs.h"

#define FAKE_JOBS_MAX 128U
#define FAKE_PACKAGES_MAX 4U

/** struct es_jobs - all set by tests; a job is running while is_here */
struct es_jobs {
	struct es_job jobs[FAKE_JOBS_MAX];
	bool is_here[FAKE_JOBS_MAX], is_exclusive[FAKE_JOBS_MAX];
	pid_t pids[FAKE_JOBS_MAX]; /* one process of each */
	int64_t cpu_ns[FAKE_JOBS_MAX][FAKE_PACKAGES_MAX];
	uint32_t ppm[FAKE_JOBS_MAX][FAKE_PACKAGES_MAX];
	size_t n; /* that ever began */
	size_t n_packages;
	int64_t busy_ns[FAKE_PACKAGES_MAX];
};

/** fake_job - one more job, with @ppm of each package */
struct es_job *fake_job(struct es_jobs *jobs, int64_t start_ns, uint32_t ppm);
/** fake_job_end - it is no longer running; es_account_close() it before */
void fake_job_end(struct es_jobs *jobs, struct es_job *job);
/** fake_job_index - its place in the arrays */
size_t fake_job_index(const struct es_jobs *jobs, const struct es_job *job);

#endif
