/*
 * output.h - which file a batch job writes to, and with whose rights
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Learnt within the job's first process, where its standard output is open already and the rights are the user's: on a file
 * system that gives root no rights (NFS with root_squash) nobody else could. Kept in a file of root's until the job ends.
 */
#ifndef ES_SLURM_OUTPUT_H
#define ES_SLURM_OUTPUT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/limits.h"

#define ES_SLURM_GROUPS_MAX 1024U
#define ES_SLURM_OUTPUT_MAX_BYTES 32768U /* of the file */
#define ES_SLURM_PARTS_MAX 16U /* of a heterogeneous job */

/** struct es_slurm_output - a job's output, and who may write to it */
struct es_slurm_output {
	uid_t uid;
	gid_t gid;
	gid_t groups[ES_SLURM_GROUPS_MAX];
	size_t n_groups;
	uint64_t device, inode; /* as the job has it open */
	uint32_t jobs[ES_SLURM_PARTS_MAX]; /* its id; ids of all parts of a heterogeneous one */
	size_t n_jobs;
	char path[ES_PATH_MAX_BYTES];
};

/**
 * es_slurm_output_of - what this process has open as @fd, and its rights
 * Returns 0; -ENOTSUP: no regular file, or one that has no name any more; errors of fstat.
 */
int es_slurm_output_of(int fd, struct es_slurm_output *ret);

/** es_slurm_output_put - as text; its bytes or -EMSGSIZE */
int es_slurm_output_put(const struct es_slurm_output *output, char *ret, size_t size);
/** es_slurm_output_get - 0 or -EBADMSG */
int es_slurm_output_get(const char *text, size_t n, struct es_slurm_output *ret);

/**
 * es_slurm_output_append - @line behind what the job wrote, on a line of its own
 * The file is opened with the rights of the caller, who is the user by now; it has to be the very file.
 * Returns 0; -ESTALE: another file has that name now; -EIO: only a part of it was written; errors of open and write.
 */
int es_slurm_output_append(const struct es_slurm_output *output, const char *line, size_t n,
			   struct es_error *err);

#endif
