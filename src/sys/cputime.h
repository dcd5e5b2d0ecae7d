/*
 * sys/cputime.h - CPU time of the machine, or of our part of it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_CPUTIME_H
#define ES_SYS_CPUTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/root.h"

enum es_cputime_from {
	ES_CPUTIME_PROC_STAT, /* the machine; resolution 10 ms */
	ES_CPUTIME_CGROUP_V1, /* our cgroup: cpuacct.usage, ns */
	ES_CPUTIME_CGROUP_V2, /* our cgroup: cpu.stat, usage_usec */
};

/** struct es_cputime - a kept descriptor on a counter of CPU time */
struct es_cputime {
	int fd;
	enum es_cputime_from from;
	int64_t tick_ns;
};

/**
 * es_cputime_open - the CPU time of the machine; with @of_cgroup that of our own cgroup where there is one
 * Returns 0, or negative errno (-ENOENT: no /proc/stat). es_cputime_close() it.
 */
int es_cputime_open(const struct es_root *root, bool of_cgroup, struct es_cputime *ret);
void es_cputime_close(struct es_cputime *cputime);

/** es_cputime_read - busy time since an unknown origin (user, nice, system, interrupts; neither idle nor stolen) */
int es_cputime_read(const struct es_cputime *cputime, int64_t *ret_ns);

#endif
