/*
 * gathered.h - summaries of all nodes of a job, in a folder that they share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * SHARED/JOBID/NODE.json, of the daemons' user, mode 0600 in a folder of mode 0700. The file system may be of a network: all of this may
 * wait for ever.
 */
#ifndef ES_DAEMON_GATHERED_H
#define ES_DAEMON_GATHERED_H

#include <stddef.h>

#include "wire/local.h"

/**
 * es_gathered_put - this node's summary of its job; 0 or negative errno
 * What only a user says of a number replaces nothing but what the same user said of it.
 */
int es_gathered_put(const char *shared, const struct es_local_job_is *job);
/** es_gathered_remove - this node's summary, where it is that of @job and not of a later one of the same number; and the folder with its last file */
int es_gathered_remove(const char *shared, const struct es_local_job_is *job);
/**
 * es_gathered_read - what the nodes of one job wrote, of its newest start, sorted by the nodes' places in the job
 * @uid: whose job it must be, UINT32_MAX: anybody's. Files that are no summaries of it are passed over, and what only users say where
 * root has told of it.
 * Returns how many of @max; -ENOENT: nobody wrote any; negative errno.
 */
int es_gathered_read(const char *shared, const char *id, uint32_t uid, struct es_local_job_is *ret,
		     size_t max);

#endif
