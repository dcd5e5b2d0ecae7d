/*
 * told.h - what is told of running jobs, no faster than who asks may see
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Energies that could be asked for at any rate would show what a page hides (CVE-2020-8694): with each sweep that is shown to
 * those who may not see all of them, what the jobs had by then is kept, and told until the next one.
 */
#ifndef ES_DAEMON_TOLD_H
#define ES_DAEMON_TOLD_H

#include <stddef.h>
#include <stdint.h>

#include "wire/local.h"

struct es_told_job;

/** struct es_told - zeroed is none */
struct es_told {
	struct es_told_job *jobs; /* [n], owned */
	size_t n, room;
};

/** es_told_forget - all of them, for those of the next sweep */
void es_told_forget(struct es_told *told);
/** es_told_keep - what job @serial has now; 0, -ENOMEM: of it nothing is told until the next sweep */
int es_told_keep(struct es_told *told, uint64_t serial, const struct es_local_job_is *is);
/** es_told_limit - of a running job's @is (as of now) the figures as they were kept; those of one that was not kept are unknown */
void es_told_limit(const struct es_told *told, uint64_t serial, struct es_local_job_is *is);
void es_told_finish(struct es_told *told);

#endif
