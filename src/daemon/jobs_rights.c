/*
 * daemon/jobs_rights.c - what a user may tell of jobs: nothing at the cost of others
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/jobs_private.h"
#include "sys/process.h"

int es_jobs_refuse(struct es_error *err, const char *id, const char *why)
{
	return es_error_say(err, -EPERM, "job %s: %s", id, why);
}

/* A user's own: the kernel says whose the folder is, and systemd keeps a slice for each user. What Slurm gives to users (steps) is its job's. */
int es_jobs_check_cgroup(const struct es_jobs *jobs, const struct es_local_job *about, uid_t uid,
			 struct es_error *err)
{
	struct es_jobgroup group;
	char slice[64];
	uid_t owner;

	(void)snprintf(slice, sizeof(slice), "/user.slice/user-%u.slice/", (unsigned)uid);
	if (strncmp(about->cgroup, slice, strlen(slice)) == 0)
		return 0;
	if (es_groups_owner(jobs->groups, about->cgroup, &owner) < 0 || owner != uid)
		return es_error_say(err, -EPERM, "job %s: cgroup '%.500s' is not this user's",
				    about->id, about->cgroup);
	if (es_jobgroup_parse(about->cgroup, &group))
		return es_error_say(err, -EPERM, "job %s: cgroup '%.500s' is that of job %s by %s",
				    about->id, about->cgroup, group.id, group.scheduler);
	return 0;
}

/* What a user says of the own processes is believed; what would be at the cost of others is not. */
int es_jobs_check_user(const struct es_jobs *jobs, const struct es_local_job *about, uid_t uid,
		       struct es_error *err)
{
	struct es_process process;

	if (about->has_uid && about->uid != uid)
		return es_jobs_refuse(err, about->id, "only root begins a job of another user");
	if (about->flags & ES_LOCAL_EXCLUSIVE)
		return es_jobs_refuse(err, about->id,
				      "only root says that a job has the node for itself");
	if (about->has_gpus || about->cpus[0] || about->n_cpus)
		return es_jobs_refuse(err, about->id,
				      "only root says which CPUs and GPUs a job holds");
	if (about->cgroup[0] && es_jobs_check_cgroup(jobs, about, uid, err) < 0)
		return -EPERM;
	if (about->pid > 0 && es_process_read(jobs->root, (pid_t)about->pid, &process) == 0 &&
	    process.uid != uid)
		return es_jobs_refuse(err, about->id, "its process is another user's");
	return 0;
}

int es_jobs_check_room(const struct es_jobs *jobs, const char *id, uid_t uid, struct es_error *err)
{
	size_t n_own = 0, n_users = 0;

	for (size_t i = 0; i < jobs->n; i++) {
		n_users += !jobs->entry[i]->is_roots;
		n_own += !jobs->entry[i]->is_roots && jobs->entry[i]->job.about.uid == uid;
	}
	if (n_own >= ES_JOBS_OF_USER_MAX)
		return es_error_say(err, -E2BIG, "job %s: this user has begun %u already", id,
				    ES_JOBS_OF_USER_MAX);
	if (n_users >= ES_JOBS_MAX / 2)
		return es_error_say(err, -E2BIG, "job %s: users have begun %u already", id,
				    ES_JOBS_MAX / 2);
	return 0;
}
