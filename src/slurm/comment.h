/*
 * comment.h - a job's energy in few words, for a comment field that others write to as well
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SLURM_COMMENT_H
#define ES_SLURM_COMMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/local.h"

#define ES_SLURM_COMMENT_MAX_BYTES 16384U

/** struct es_slurm_sum - over the nodes of a job that were heard from */
struct es_slurm_sum {
	uint32_t n_heard, n_ended, n_nodes; /* n_nodes: as the scheduler says, at least n_heard */
	uint32_t n_unknown; /* of those heard from, without an energy */
	uint64_t energy_uj;
	uint64_t uncertainty_uj; /* of all, as if all were wrong the same way */
	char kind[16]; /* of all nodes, or "mixed" */
};

/** es_slurm_sum_add - a node's summary */
void es_slurm_sum_add(struct es_slurm_sum *sum, const struct es_local_job_is *node);

/**
 * es_slurm_comment_merge - what the comment is to be
 * @old: what it is now, kept but for what an earlier call put there: a JSON object gets a member "energyscopium", and any other
 *       text "; energyscopium:…" behind it
 * Returns 0; -ENODATA: no node's energy is known; -EMSGSIZE; -EILSEQ: it holds what does not go into the database safely.
 */
int es_slurm_comment_merge(const char *old, const struct es_slurm_sum *sum, char *ret, size_t size);

#endif
