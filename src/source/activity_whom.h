/*
 * source/activity_whom.h - the threads, or the CPUs, whose perf events are a job's
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_ACTIVITY_WHOM_H
#define ES_SOURCE_ACTIVITY_WHOM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "source/activity.h"
#include "sys/perf.h"
#include "sys/root.h"

#define ES_WHOM_MAX 512U /* threads, or CPUs: so many descriptors for each event */

/** struct es_whom - es_whom_finish() it */
struct es_whom {
	struct es_perf_target *targets; /* owned */
	size_t n;
	int cgroup_fd; /* owned; -1: none */
	char remark[ES_ACTIVITY_REASON_BYTES]; /* which cgroup; "" */
	char problem[ES_ACTIVITY_REASON_BYTES]; /* where it failed: why; "": the errno tells */
};

/**
 * es_whom_find - a process alone; or with its threads and descendants, of now; or its cgroup on every CPU that is online
 * Returns 0; -ESRCH: there is no such process; -E2BIG: more than ES_WHOM_MAX, or than the limit of open files allows;
 * -ENOENT: no hierarchy of cgroups counts events. Only @ret->problem is set then.
 */
int es_whom_find(const struct es_root *root, enum es_activity_whom kind, pid_t pid,
		 struct es_whom *ret);
/** es_whom_has_room - whether as many descriptors as @n_targets need may be open */
bool es_whom_has_room(size_t n_targets);
void es_whom_finish(struct es_whom *whom);

#endif
