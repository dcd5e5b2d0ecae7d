/*
 * absent_jobs.c - a daemon that knows no jobs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/jobs.h"

struct es_jobs {
	int unused;
};

int es_jobs_create(const struct es_jobs_options *options, int64_t now_boot_ns, int64_t now_unix_ns,
		   struct es_jobs **ret, struct es_error *err)
{
	(void)options;
	(void)now_boot_ns;
	(void)now_unix_ns;
	(void)err;
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void es_jobs_destroy(struct es_jobs *jobs)
{
	free(jobs);
}

int es_jobs_begin(struct es_jobs *jobs, const struct es_local_job *about, uid_t peer_uid,
		  int64_t now_boot_ns, int64_t now_unix_ns, struct es_error *err)
{
	(void)jobs;
	(void)about;
	(void)peer_uid;
	(void)now_boot_ns;
	(void)now_unix_ns;
	return es_error_set(err, -EOPNOTSUPP, "jobs");
}

int es_jobs_end(struct es_jobs *jobs, const struct es_local_end *end, uid_t peer_uid,
		int64_t now_boot_ns, int64_t now_unix_ns, struct es_error *err)
{
	(void)jobs;
	(void)end;
	(void)peer_uid;
	(void)now_boot_ns;
	(void)now_unix_ns;
	return es_error_set(err, -ENOENT, "job");
}

struct es_job *es_jobs_find(const struct es_jobs *jobs, const char *id)
{
	(void)jobs;
	(void)id;
	return NULL;
}

struct es_job *es_jobs_of_pid(const struct es_jobs *jobs, pid_t pid)
{
	(void)jobs;
	(void)pid;
	return NULL;
}

struct es_job *es_jobs_at(const struct es_jobs *jobs, size_t i)
{
	(void)jobs;
	(void)i;
	return NULL;
}

int es_jobs_scan(struct es_jobs *jobs, int64_t now_boot_ns, int64_t now_unix_ns)
{
	(void)jobs;
	(void)now_boot_ns;
	(void)now_unix_ns;
	return 0;
}

void es_jobs_read_time(struct es_jobs *jobs)
{
	(void)jobs;
}

size_t es_jobs_n_packages(const struct es_jobs *jobs)
{
	(void)jobs;
	return 0;
}

int64_t es_jobs_busy_ns(const struct es_jobs *jobs, size_t package)
{
	(void)jobs;
	(void)package;
	return -1;
}

bool es_jobs_is_exclusive(const struct es_jobs *jobs, const struct es_job *job)
{
	(void)jobs;
	(void)job;
	return false;
}
