/*
 * launch.h - which parallel launcher started this process, by its environment
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_LAUNCH_H
#define ES_CLI_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"

/** struct es_launch - one process of a parallel program; numbers are -1 where they are not known */
struct es_launch {
	const char *launcher; /* NULL: none of them started us */
	const char *rank_variable; /* what told the rank */
	bool is_slurm_step; /* srun itself: job and step name the job */
	int64_t rank, ranks; /* of all */
	int64_t local_rank, local_ranks; /* of those on this node */
	int64_t nodes, node; /* how many, and which of them this is */
	char id[ES_NAME_MAX_BYTES]; /* the same for all processes of one launch, on all nodes; "": not told */
};

/**
 * es_launch_find - read the environment @env ("NAME=value", then NULL)
 *
 * The innermost launcher counts: mpirun inside of srun, not srun. A batch script and an interactive shell of Slurm
 * are single processes, not launched.
 */
void es_launch_find(char *const *env, struct es_launch *ret);

/**
 * es_launch_parent - the launcher's own process on this node: our nearest ancestor that does not have our rank
 * @ret_start_ticks: when it was started, so that its number is unique until a reboot
 * Returns its process number, or 1 where none was found.
 */
pid_t es_launch_parent(const struct es_launch *launch, uint64_t *ret_start_ticks);

/**
 * es_launch_cpus - CPUs that the launcher may use on this node; 0: not known
 * A rank is often bound to a single core: its own mask says nothing about the job.
 */
uint32_t es_launch_cpus(const struct es_launch *launch);

/** es_process_start_ticks - when process @pid started, in clock ticks since boot; 0: there is none, or it has ended (zombie); @ret_parent may be NULL */
uint64_t es_process_start_ticks(pid_t pid, pid_t *ret_parent);

#endif
