/*
 * top_jobs.h - the jobs of this node, as its daemon tells of them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TOP_JOBS_H
#define ES_CLI_TOP_JOBS_H

#include <stdbool.h>

#include "cli/top_frame.h"

struct es_top_jobs;

/**
 * es_top_jobs_create - nothing seen yet; NULL: no memory
 * @named, @has_root: as for es_through_open(); borrowed. Without a daemon there are no jobs.
 */
struct es_top_jobs *es_top_jobs_create(const char *named, bool has_root);
void es_top_jobs_destroy(struct es_top_jobs *jobs);

/**
 * es_top_jobs_look - the jobs that this user may see, which has most power first, with what they drew since the last look
 * @ret: at most @n_max; @ret_n_all: how many there are. Returns how many. Waits at most 0.3 s, and not again for a while
 * where the daemon was silent.
 */
size_t es_top_jobs_look(struct es_top_jobs *jobs, struct es_top_job *ret, size_t n_max,
			size_t *ret_n_all);

#endif
