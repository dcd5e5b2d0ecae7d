/*
 * daemon/jobs_place.c - where a job's processes are, as far as who tells of it says
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/jobs_private.h"
#include "sys/cgroup.h"

void es_jobs_name_scheduler(struct es_local_job *about, const char *cgroup)
{
	struct es_jobgroup group;

	if ((!about->scheduler[0] || strcmp(about->scheduler, "script") == 0) &&
	    es_jobgroup_parse(cgroup, &group) && strcmp(group.id, about->id) == 0)
		(void)snprintf(about->scheduler, sizeof(about->scheduler), "%s", group.scheduler);
}

/* The cgroup of a process that was named in its place, and which is not everybody's. */
static int cgroup_of(const struct es_jobs *jobs, int64_t pid, char *ret, size_t size)
{
	static const char *const controllers[] = { "cpuacct", "", "freezer", "cpuset" };
	char text[16384];
	ssize_t n = es_groups_of_pid(jobs->groups, (pid_t)pid, text, sizeof(text));

	if (n < 0)
		return (int)n;
	for (size_t i = 0; i < ES_ARRAY_SIZE(controllers); i++)
		if (es_cgroup_find(text, controllers[i], ret, size) && strcmp(ret, "/") != 0 &&
		    strncmp(ret, "/..", 3) != 0 && es_groups_ino(jobs->groups, ret) != 0)
			return 0;
	return -ENOENT;
}

static void say_missing(struct es_error *err, const char *id, const char *why)
{
	if (err && !err->text[0])
		(void)es_error_say(err, 0, "job %s: %s, so that its CPU time is not known", id,
				   why);
}

/* Of a user, a process in a cgroup that others are in too tells nothing that may be used. */
void es_jobs_find_cgroup(struct es_jobs *jobs, struct es_jobs_entry *entry,
			 struct es_local_job *about, uid_t peer_uid, bool is_new,
			 struct es_error *err)
{
	struct es_error why = { .code = 0 };
	int r;

	if (!about->cgroup[0] && about->pid > 0 && entry->job.n_cgroups == 0) {
		r = cgroup_of(jobs, about->pid, about->cgroup, sizeof(about->cgroup));
		if (r == 0 && peer_uid != 0 &&
		    es_jobs_check_cgroup(jobs, about, peer_uid, &why) < 0)
			r = -EPERM;
		if (r < 0) {
			about->cgroup[0] = '\0';
			say_missing(err, about->id,
				    r == -ESRCH ? "its process is gone"
						: "its process has no cgroup of its own");
			return;
		}
		(void)snprintf(entry->job.about.cgroup, sizeof(entry->job.about.cgroup), "%s",
			       about->cgroup);
	}
	if (!about->cgroup[0]) {
		if (entry->job.n_cgroups == 0 && !entry->job.about.cpus[0] &&
		    entry->job.about.n_cpus == 0 && !(entry->job.about.flags & ES_LOCAL_EXCLUSIVE))
			say_missing(err, about->id, "neither its CPUs nor its processes were told");
		return;
	}
	r = es_jobs_attach(jobs, entry, about->cgroup, ES_JOBS_SINCE_NOW, &why);
	if (r == -EEXIST || r == -E2BIG)
		say_missing(err, about->id, why.text);
	else if (r < 0 && is_new && peer_uid != 0)
		say_missing(err, about->id, "its cgroup is not there");
}
