/*
 * daemon/jobs_sync.h - the journal of jobs is synced on a thread of its own: a disk may take seconds
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_JOBS_SYNC_H
#define ES_DAEMON_JOBS_SYNC_H

struct es_jobs_sync;

/** es_jobs_sync_create - 0 or negative errno */
int es_jobs_sync_create(struct es_jobs_sync **ret);
void es_jobs_sync_destroy(struct es_jobs_sync *sync);
/** es_jobs_sync_file - what was written to @fd (borrowed) goes to disk soon; never waits. One that waits already does for all */
void es_jobs_sync_file(struct es_jobs_sync *sync, int fd);

#endif
