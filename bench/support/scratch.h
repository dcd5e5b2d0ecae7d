/*
 * scratch.h - a folder for one run of a benchmark, with trees of meters in it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BENCH_SUPPORT_SCRATCH_H
#define ES_BENCH_SUPPORT_SCRATCH_H

#include "support/tree.h"

/** struct es_scratch - removed with all in it by es_scratch_finish() */
struct es_scratch {
	char path[256];
};

/** es_scratch_init - a new folder below TMPDIR, else in memory: a busy disk is not what is measured; 0 or negative errno */
int es_scratch_init(struct es_scratch *scratch);
void es_scratch_finish(struct es_scratch *scratch);

/**
 * es_scratch_tree - the tree of a machine with that many file meters
 * @n_meters: 4 (two packages with dram) or 16 (eight packages with dram)
 * @ret: es_tree_close() it. Returns 0 or negative errno.
 */
int es_scratch_tree(const struct es_scratch *scratch, unsigned n_meters, struct es_tree *ret);

/** es_scratch_play - each counter of the tree goes on by what about 100 W are in @dur_ms */
void es_scratch_play(struct es_tree *tree, unsigned dur_ms);

#endif
