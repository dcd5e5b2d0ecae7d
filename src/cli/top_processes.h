/*
 * top_processes.h - which processes use the CPUs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TOP_PROCESSES_H
#define ES_CLI_TOP_PROCESSES_H

#include "cli/top_frame.h"
#include "sys/root.h"

struct es_processes;

/** es_processes_create - nothing seen yet; NULL: no memory */
struct es_processes *es_processes_create(void);
void es_processes_destroy(struct es_processes *processes);

/**
 * es_processes_look - CPU time of every process since the last look
 * @interval_ns: that time; the first look only remembers
 * @ret: the busiest, most first, without power; at most @n_max. Returns how many.
 * Source: proc(5), /proc/PID/stat, fields 14 and 15 (utime, stime) in ticks of sysconf(_SC_CLK_TCK).
 */
size_t es_processes_look(struct es_processes *processes, const struct es_root *root,
			 int64_t interval_ns, struct es_top_process *ret, size_t n_max);

#endif
