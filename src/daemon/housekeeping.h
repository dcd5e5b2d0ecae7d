/*
 * daemon/housekeeping.h - the CPUs on which the daemon may run without being in anybody's way
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_HOUSEKEEPING_H
#define ES_DAEMON_HOUSEKEEPING_H

#include <sched.h>
#include <stddef.h>

#include "sys/root.h"

#define ES_HOUSEKEEPING_AUTO (-1) /* found out */
#define ES_HOUSEKEEPING_NONE (-2) /* wherever the kernel likes */

/** es_cpulist_set - the CPUs of a list such as "0-3,8"; 0; -EBADMSG: it is no list (then nothing is set) */
int es_cpulist_set(const char *list, cpu_set_t *ret);

/**
 * es_housekeeping_find - which of the CPUs @allowed to this process are left to the system
 *
 * Those that the kernel was told to isolate (isolcpus) or to spare ticks (nohz_full) are a job's; where a scheduler keeps
 * CPUs for the system (Slurm's CpuSpecList), @allowed has only those. Where all are isolated @ret is @allowed.
 */
void es_housekeeping_find(const struct es_root *root, const cpu_set_t *allowed, cpu_set_t *ret);

/** es_housekeeping_first - the first of a set; -1: it is empty */
int es_housekeeping_first(const cpu_set_t *set);

#endif
