/*
 * sys/process.h - what /proc says of a process, and of those it started
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_PROCESS_H
#define ES_SYS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys/root.h"

/** struct es_process - one process */
struct es_process {
	pid_t pid;
	pid_t parent; /* 0: none that is seen here */
	pid_t leader; /* the process, where @pid is one of its threads */
	char name[64];
	char state; /* as in /proc: R S D Z … */
	uint64_t start_ticks; /* after boot: with the number it names a process for good */
	uint64_t own_ticks,
		waited_ticks; /* CPU time of its own, and of children it has waited for */
	uid_t uid;
};

/** es_process_parse_stat - the line of /proc/PID/stat; 0 or -EBADMSG. Sets all but leader and uid. */
int es_process_parse_stat(const char *text, struct es_process *ret);

/** es_process_read - 0; -ESRCH: there is none of that number, or it may not be seen; errors of open and read */
int es_process_read(const struct es_root *root, pid_t pid, struct es_process *ret);

/** es_process_start - of @pid, after boot; 0: there is none of that number, or it may not be seen. One small read */
uint64_t es_process_start(const struct es_root *root, pid_t pid);

/** es_process_is_over - it has ended, and its parent has not asked for its status yet */
bool es_process_is_over(const struct es_process *process);

/** es_process_has_ended - it is gone, waits only to be noticed by its parent, or its number is another's now */
bool es_process_has_ended(const struct es_root *root, const struct es_process *process);

/**
 * struct es_process_tree - CPU time of a process and all it started, gathered in small steps
 *
 * What its living descendants used counts, and what those used that were waited for. Who was handed over to another
 * parent counts up to then.
 */
struct es_process_tree;

/** es_process_tree_create - @process as read; @ret: owned by caller, es_process_tree_destroy() it. 0 or -ENOMEM */
int es_process_tree_create(const struct es_root *root, const struct es_process *process,
			   struct es_process_tree **ret);
void es_process_tree_destroy(struct es_process_tree *tree);

/**
 * es_process_tree_step - look at a few processes: takes microseconds
 * Returns 1 when all have been looked at once more, 0 when there are more to come, or negative errno.
 */
int es_process_tree_step(struct es_process_tree *tree);

/** es_process_tree_last - a last look at the process itself, which has just ended; -ESRCH: it is gone already */
int es_process_tree_last(struct es_process_tree *tree);

/** es_process_tree_cpu_ns - used between the end of the first and of the latest round */
int64_t es_process_tree_cpu_ns(const struct es_process_tree *tree);

#endif
