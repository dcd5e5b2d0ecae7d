/*
 * jobs_total.h - what daemons say of a job on its nodes, as a report
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Each node becomes a recording of two readings in memory, so that models, factors and the line are those of a report.
 */
#ifndef ES_CLI_JOBS_TOTAL_H
#define ES_CLI_JOBS_TOTAL_H

#include "cli/output.h"
#include "wire/local.h"

/** struct es_jobs_total - zero-initialise, es_jobs_total_finish() it */
struct es_jobs_total {
	struct es_buf *bytes; /* [n] owned */
	size_t n;
	struct es_outcome outcome;
};

/**
 * es_jobs_total_make - @jobs [@n]: one job on its nodes, in their order
 * All nodes are given the time of the one that had it longest. 0, or negative errno with @err.
 */
int es_jobs_total_make(const struct es_local_job_is *jobs, size_t n, struct es_chain *chain,
		       struct es_jobs_total *ret, struct es_error *err);
void es_jobs_total_finish(struct es_jobs_total *total);

#endif
