/*
 * jobs.h - energyscopium job: what its subcommands share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_JOBS_H
#define ES_CLI_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/command.h"
#include "wire/local.h"

#define ES_JOBS_WAIT_NS INT64_C(5000000000) /* for the daemon, at most */

int es_jobs_cmd_begin(int argc, char **argv);
int es_jobs_cmd_end(int argc, char **argv);
int es_jobs_cmd_line(int argc, char **argv);
int es_jobs_cmd_list(int argc, char **argv);
int es_jobs_cmd_status(int argc, char **argv);

/**
 * es_jobs_environment - what the scheduler that this process runs below says of the job
 * @ret: zeroed by caller; id, scheduler, names and nodes always, CPUs, GPUs and user with @is_root alone: only root's word counts there
 * Returns 0, also where there is no scheduler (id ""); -EINVAL with what is wrong.
 */
int es_jobs_environment(bool is_root, struct es_local_job *ret, struct es_error *err);

/** es_jobs_script_id - the id of a plain script's job: after the process that called us, the same for begin and end */
void es_jobs_script_id(char *ret, size_t size);

/** es_jobs_count_cpus - how many a list as "0-3,8" names; -EINVAL: it is none */
int es_jobs_count_cpus(const char *list, uint32_t *ret);

/** es_jobs_count_nodes - how many a list as "n1,gpu[001-004,9]" names; 0: that cannot be told */
uint32_t es_jobs_count_nodes(const char *list);

/** es_jobs_put_json, es_jobs_put_words - one job as the daemon knows it; @details: parts too */
void es_jobs_put_json(struct es_json *json, const char *key, const struct es_local_job_is *job);
void es_jobs_put_words(struct es_buf *out, const struct es_local_job_is *job);
/** es_jobs_put_row - a line of a list; NULL: its head */
void es_jobs_put_row(struct es_buf *out, const struct es_local_job_is *job);

#endif
