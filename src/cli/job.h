/*
 * job.h - which job this is, by what the scheduler says
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_JOB_H
#define ES_CLI_JOB_H

#include "base/error.h"
#include "record/meta.h"
#include "sys/machine.h"
#include "sys/root.h"

/**
 * es_job_describe - fill in who, where and what of a recording
 * @name: the job's name from the command line; NULL: the scheduler's id, else yyyymmddHHMMSS-PID
 * @command: argv; only its first word is kept unless @keeps_args
 * Returns 0; -EINVAL: the name cannot be a file's; -E2BIG
 */
int es_job_describe(const struct es_root *root, const char *name, char *const *command,
		    bool keeps_args, struct es_meta *meta, struct es_error *err);

/** es_job_check_name - 0, or -EINVAL where @name cannot be part of a file's name */
int es_job_check_name(const char *name, struct es_error *err);

/** es_job_name - the name that es_job_describe() would give; 0, -EINVAL or -ENAMETOOLONG */
int es_job_name(const char *name, char *ret, size_t size, struct es_error *err);

/** es_job_cpus - CPUs of this node that the scheduler says are ours; 0: it says nothing */
uint32_t es_job_cpus(void);
/** es_job_gpus - GPUs of this node that the scheduler, or whoever set the variables of the vendors' libraries, says are ours; -1: nobody says */
int64_t es_job_gpus(void);

#endif
