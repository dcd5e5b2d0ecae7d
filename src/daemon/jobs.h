/*
 * daemon/jobs.h - the jobs of this node: who they are, since when, where their processes are
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Kept in memory and in a journal on disk, append-only with a checksum per entry, synced at each begin and end: a daemon that was killed
 * goes on with the jobs that it knew, as far as this is still the same boot (else they are over, at a time that is not known).
 */
#ifndef ES_DAEMON_JOBS_H
#define ES_DAEMON_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "sys/root.h"
#include "wire/local.h"

#define ES_JOBS_MAX 4096U /* on one node at a time */
#define ES_JOB_CGROUPS_MAX 4U /* a job may have several: v1, v2, pods */

/** struct es_job - one job; steps are marks within it (es_jobs_fn) */
struct es_job {
	struct es_local_job
		about; /* all that was told so far; flags: exclusive or shared is settled by es_jobs_is_exclusive() */
	uint64_t serial; /* unique on this node, over restarts: names its files and its account */
	int64_t start_ns, stop_ns; /* boot clock; stop 0: it runs */
	int64_t start_unix_ns, stop_unix_ns;
	char cgroups[ES_JOB_CGROUPS_MAX]
		    [sizeof(((struct es_local_job *)0)
				    ->cgroup)]; /* that are there; no job's is within another's */
	size_t n_cgroups;
	int32_t status; /* with has_status */
	bool has_status;
	/*
	 * CPU time of its cgroups since it began, per package of the node, ns: set by es_jobs_read_time(). What a package
	 * cannot be told apart for (v2 without a cpuset) is shared out by the CPUs it may use. -1: not known.
	 */
	int64_t *cpu_ns; /* [n_packages], by the package's number. Owned */
	uint32_t *allocated_ppm; /* [n_packages] its part of each package's CPUs; 0 where not known. Owned */
	void *account, *spool; /* of daemon/account.h and daemon/spool.h, which look after them */
};

enum es_jobs_news {
	ES_JOBS_BEGUN,
	ES_JOBS_CHANGED, /* more is known */
	ES_JOBS_STEP_BEGUN, /* step: its id */
	ES_JOBS_STEP_ENDED,
	ES_JOBS_ENDED, /* last call for this job: its memory goes afterwards */
};

/** es_jobs_fn - told of each change, in order; @t_ns: boot clock, when it happened */
typedef void (*es_jobs_fn)(void *arg, enum es_jobs_news news, struct es_job *job, const char *step,
			   int64_t t_ns);

struct es_jobs;

/** struct es_jobs_options - all borrowed */
struct es_jobs_options {
	const struct es_root
		*root; /* where cgroups and processes are: not always where the meters are */
	const char *journal; /* path; NULL: nothing is kept */
	const char *boot_id;
	const char *
		node_name; /* slurmd's, where several share a machine: its cgroups are slurm_NAME */
	es_jobs_fn tell;
	void *arg;
	/* The journal is to be synced: fdatasync() it aside, on a copy of the descriptor. NULL: at once, which may wait for a disk. */
	void (*sync)(void *arg, int fd);
};

/**
 * es_jobs_create - and what the journal still knows: each is told as ES_JOBS_BEGUN again, before this returns
 * Those of another boot are told as ES_JOBS_ENDED alone, with stop_ns and stop_unix_ns 0: at a time that is not known.
 * Returns 0; -EBADMSG never: a torn or foreign journal is set aside, as @err says with code 0 and a text; errors of open; -ENOMEM.
 */
int es_jobs_create(const struct es_jobs_options *options, int64_t now_boot_ns, int64_t now_unix_ns,
		   struct es_jobs **ret, struct es_error *err);
void es_jobs_destroy(struct es_jobs *jobs);

/**
 * es_jobs_begin - a job or step, from @peer_uid (0: root, who may tell of anybody)
 * Returns 0; 1: it was known, more was added; -EPERM: not this user's to begin (its uid is another's, the id is another
 * user's, or it claims what only root can give: CPUs, GPUs, the node, a cgroup that is not the user's); -EEXIST: a job of that id
 * runs that is another's or was restarted more often; -E2BIG: ES_JOBS_MAX; -EINVAL with why. With 0 too there may be words in @err, of
 * code 0: what is missing.
 */
int es_jobs_begin(struct es_jobs *jobs, const struct es_local_job *told, uid_t peer_uid,
		  int64_t now_boot_ns, int64_t now_unix_ns, struct es_error *err);
/** es_jobs_end - 0; -ENOENT: no such job or step; -EPERM: it is not this user's, or root began it */
int es_jobs_end(struct es_jobs *jobs, const struct es_local_end *end, uid_t peer_uid,
		int64_t now_boot_ns, int64_t now_unix_ns, struct es_error *err);

/** es_jobs_may_end - what es_jobs_end() would say, 0 or negative errno; nothing is ended */
int es_jobs_may_end(const struct es_jobs *jobs, const struct es_local_end *end, uid_t peer_uid,
		    struct es_error *err);
/** es_jobs_is_users - a user's word began it: root told nothing of it, and no cgroup of a scheduler showed it */
bool es_jobs_is_users(const struct es_job *job);

/** es_jobs_find - the running job of that id; NULL: none */
struct es_job *es_jobs_find(const struct es_jobs *jobs, const char *id);
/** es_jobs_of_pid - the job whose cgroup the process @pid is in, as the kernel of the node sees it; NULL: none */
struct es_job *es_jobs_of_pid(const struct es_jobs *jobs, pid_t pid);
/** es_jobs_start_of_pid - when it started, in the kernel's ticks after boot; 0: it is gone, or may not be seen */
uint64_t es_jobs_start_of_pid(const struct es_jobs *jobs, pid_t pid);
/** es_jobs_at - the running ones, oldest first; NULL after the last one */
struct es_job *es_jobs_at(const struct es_jobs *jobs, size_t i);

/**
 * es_jobs_scan - look for jobs in the tree of cgroups: begins of which nobody told, and ends (their cgroups are gone)
 * Cheap enough for every 5 s with 100 jobs; a job that was told of begin and has no cgroup is never ended by it.
 */
int es_jobs_scan(struct es_jobs *jobs, int64_t now_boot_ns, int64_t now_unix_ns);
/** es_jobs_seek - of young jobs whose CPU time is not known yet: whether their cgroups, and counters in them, are there by now; for every second */
void es_jobs_seek(struct es_jobs *jobs, int64_t now_boot_ns, int64_t now_unix_ns);

/** es_jobs_read_time - CPU times of all running jobs, by kept descriptors; frozen ones stand still, renamed ones are found again */
void es_jobs_read_time(struct es_jobs *jobs);
/** es_jobs_n_packages - how many entries cpu_ns and allocated_ppm have; es_jobs_busy_ns - of all that ran on a package since the kernel's start, -1: not known */
size_t es_jobs_n_packages(const struct es_jobs *jobs);
int64_t es_jobs_busy_ns(const struct es_jobs *jobs, size_t package);

/** es_jobs_problem - the journal cannot be written, in words; NULL: all is well */
const char *es_jobs_problem(const struct es_jobs *jobs);

/** es_jobs_is_exclusive - whether @job has the node for itself: told so, or it has all CPUs and is the only one; else nobody knows and it counts as shared */
bool es_jobs_is_exclusive(const struct es_jobs *jobs, const struct es_job *job);

#endif
