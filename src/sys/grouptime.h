/*
 * sys/grouptime.h - CPU time of cgroups, per package of the node
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_GROUPTIME_H
#define ES_SYS_GROUPTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"
#include "sys/jobgroup.h"
#include "sys/root.h"

#define ES_GROUP_PATH_MAX_BYTES (ES_PATH_MAX_BYTES / 4)
#define ES_GROUP_PACKAGES_MAX 256U

/** struct es_groups - the hierarchies of cgroups of a machine (v1, v2, both), and which CPU is in which package */
struct es_groups;

/**
 * es_groups_open - look at @root (borrowed) once
 * A machine that tells no places of CPUs has one package. Returns 0, also where there are no cgroups at all; -ENOMEM.
 */
int es_groups_open(const struct es_root *root, struct es_groups **ret);
void es_groups_close(struct es_groups *groups);

/** es_groups_n_packages - one more than the greatest number of a package, as the kernel counts them */
size_t es_groups_n_packages(const struct es_groups *groups);
/** es_groups_cpus_in - CPUs online in a package; 0: there is none of that number */
uint32_t es_groups_cpus_in(const struct es_groups *groups, size_t package);
/** es_groups_n_cpus - of all packages */
uint32_t es_groups_n_cpus(const struct es_groups *groups);

/** es_groups_count_cpus - how many of a list as the kernel writes it ("0-3,8") are in each package; how many in all, or -EBADMSG */
int es_groups_count_cpus(const struct es_groups *groups, const char *list, uint32_t *ret);

/** es_groups_busy - CPU time of all that ran, per package, since the kernel's start; 0 or negative errno */
int es_groups_busy(struct es_groups *groups, int64_t *ret_ns);

/** es_group_seen_fn - a cgroup that is a job's; @ino names it while it exists. Negative: stop */
typedef int (*es_group_seen_fn)(void *arg, const char *path, const struct es_jobgroup *about,
				uint64_t ino);

/** es_groups_walk - all cgroups of jobs in all hierarchies; one that is in several is told several times. 0 or what @seen returned */
int es_groups_walk(struct es_groups *groups, es_group_seen_fn seen, void *arg);

/** es_groups_ino - the number of a cgroup in the first hierarchy that has it; 0: there is none */
uint64_t es_groups_ino(const struct es_groups *groups, const char *path);
/** es_groups_owner - whose folder a cgroup is; 0 or -ENOENT */
int es_groups_owner(const struct es_groups *groups, const char *path, uid_t *ret);
/** es_groups_user - the user of processes at or below a cgroup, the first who is not root; 0, or -ENOENT: none is there, or all are root's */
int es_groups_user(const struct es_groups *groups, const char *path, uid_t *ret);
/** es_groups_of_pid - /proc/PID/cgroup: its text; length or negative errno (-ESRCH) */
ssize_t es_groups_of_pid(const struct es_groups *groups, pid_t pid, char *ret, size_t size);

/** struct es_grouptime - one cgroup, with a kept descriptor on its counter of CPU time */
struct es_grouptime;

/** es_grouptime_open - 0; -ENOENT: no hierarchy has it; -ENOMEM. Where no counter can be read it is there all the same. Closed before @groups */
int es_grouptime_open(struct es_groups *groups, const char *path, struct es_grouptime **ret);
void es_grouptime_close(struct es_grouptime *time);

/**
 * es_grouptime_read - CPU time since the cgroup was made, per package
 *
 * v1 tells it for each CPU. v2 tells a sum, which is shared out over packages by the CPUs that the cgroup may use
 * (cpuset.cpus.effective): exact where all are in one package.
 * Returns 0; -ENODATA: no hierarchy counts; -ENODEV: the cgroup is gone; other errors of read.
 */
int es_grouptime_read(struct es_grouptime *time, int64_t *ret_ns);
/** es_grouptime_is_exact - by a counter for each CPU (v1) */
bool es_grouptime_is_exact(const struct es_grouptime *time);

/** es_grouptime_learn - look again which CPUs v2's sum is shared out by; true: they changed, and what is read next is shared anew */
bool es_grouptime_learn(struct es_grouptime *time);

enum es_group_state {
	ES_GROUP_THERE,
	ES_GROUP_RENAMED, /* its path is another one now */
	ES_GROUP_REPLACED, /* another one has its path, or its counter came since, all of which is its own: open it anew */
	ES_GROUP_GONE,
};

/** es_grouptime_look - is it still there? Looks at its path, and where that is gone at its neighbours for its number */
enum es_group_state es_grouptime_look(struct es_grouptime *time);
const char *es_grouptime_path(const struct es_grouptime *time);
uint64_t es_grouptime_ino(const struct es_grouptime *time);

/** es_grouptime_is_frozen - its processes stand still (v1: freezer.state, v2: cgroup.events) */
bool es_grouptime_is_frozen(const struct es_grouptime *time);

/**
 * es_grouptime_cpus - CPUs per package that it was confined to
 * @ret_is_all: it may use all of the machine's: nobody confined it, or somebody gave it all
 * Returns 0; -ENODATA: no hierarchy tells.
 */
int es_grouptime_cpus(struct es_grouptime *time, uint32_t *ret, bool *ret_is_all);

/** es_grouptime_asked_mcpu - CPUs asked for by its weight, in thousandths, as Kubernetes sets it (1024 shares a CPU); 0: not known */
uint32_t es_grouptime_asked_mcpu(const struct es_grouptime *time);

#endif
