/*
 * line.h - a job's line, from the daemon's words to the end of the job's output
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SLURM_LINE_H
#define ES_SLURM_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "slurm/output.h"

#define ES_SLURM_LINE_MAX_BYTES \
	65536U /* of a job: a line for each of its parts, with long lists of nodes */

/** es_slurm_take_output - read the file of root's where a job's output is noted, and remove it; 0 or negative errno */
int es_slurm_take_output(const char *path, struct es_slurm_output *ret, struct es_error *err);

/**
 * es_slurm_become_user - give up all rights but those of the job, for good
 * Not root already (in tests): 0 where it is that user, -EPERM otherwise.
 */
int es_slurm_become_user(const struct es_slurm_output *output, struct es_error *err);

/**
 * es_slurm_ask_line - what "PROGRAM job line ID --wait TIME" prints
 * @until_ns: monotonic clock: then it is killed
 * @ret: @size bytes; @ret_n: complete lines, each beginning with "energyscopium ", without control characters
 * Returns 0; -ENODATA: it said nothing of that kind; -ETIMEDOUT; others: it could not be run.
 */
int es_slurm_ask_line(const char *program, const char *socket, uint32_t job, const char *wait,
		      int64_t until_ns, char *ret, size_t size, size_t *ret_n,
		      struct es_error *err);

#endif
