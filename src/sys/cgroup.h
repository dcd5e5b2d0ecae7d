/*
 * sys/cgroup.h - the cgroup of a process, where perf events know it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_CGROUP_H
#define ES_SYS_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sys/root.h"

/** es_cgroup_find - path of the cgroup in a line "N:controllers:path" of /proc/PID/cgroup; @controller "": that of v2; false: none, or it does not fit */
bool es_cgroup_find(const char *text, const char *controller, char *ret, size_t size);

/**
 * es_cgroup_mount - where a hierarchy is mounted, from /proc/self/mountinfo
 * @controller: of v1; "": v2
 * @cgroup: a path within the hierarchy. @ret: the folder that shows it, without a leading slash
 * Returns 0; -ENOENT: it is not mounted, or not that part of it; -ENAMETOOLONG.
 */
int es_cgroup_mount(const char *mountinfo, const char *controller, const char *cgroup, char *ret,
		    size_t size);

/**
 * es_cgroup_open_perf - the folder by which perf events name the cgroup of @pid
 * @ret: its path, as the kernel tells it, "/" at the top
 * Where a hierarchy of v1 has the controller perf_event, that one counts; else that of v2. A descriptor or negative errno.
 */
int es_cgroup_open_perf(const struct es_root *root, pid_t pid, char *ret, size_t size);

#endif
