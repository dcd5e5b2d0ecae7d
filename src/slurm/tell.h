/*
 * tell.h - packets to the daemon of this node, without ever waiting for it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SLURM_TELL_H
#define ES_SLURM_TELL_H

#include <stddef.h>

#include "wire/local.h"

/**
 * es_slurm_dial - a connection, or a negative errno at once
 * A stopped daemon has a queue for some hundred of them: then -EAGAIN.
 */
int es_slurm_dial(const char *path);

/**
 * es_slurm_tell_begin - a job, and where @step is set a step of it as well
 * Nothing is waited for, and no answer is read: the daemon takes the packets when it can, also after this process has ended. Where it
 * cannot be told (it is not there, or too many wait for it) it finds the job by its cgroup later.
 *
 * Returns 0; -ENOENT, -ECONNREFUSED, -EAGAIN and others: it was not told.
 */
int es_slurm_tell_begin(const char *socket, const struct es_local_job *job, const char *step);
int es_slurm_tell_end(const char *socket, const struct es_local_end *end);

#endif
