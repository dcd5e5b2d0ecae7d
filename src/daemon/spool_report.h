/*
 * spool_report.h - what a finished recording says of its job
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_SPOOL_REPORT_H
#define ES_DAEMON_SPOOL_REPORT_H

#include "record/recording.h"
#include "wire/local.h"

/**
 * es_spool_take_report - how sure its energy is, and how much of the time is covered
 * @is_whole: it is all of a job that had the node alone: its energy is the job's, too
 * What the job's end is where nobody knows, its last reading tells. 0 or negative errno.
 */
int es_spool_take_report(struct es_recording *recording, bool is_whole, struct es_local_job_is *is);
/** es_spool_take_meta - of a job of which nothing is known but its recording */
void es_spool_take_meta(const struct es_meta *meta, const char *stem, struct es_local_job_is *is);

/** es_spool_machine - what the node of a recording is made of */
void es_spool_machine(const struct es_meta *meta, struct es_local_machine *ret);

#endif
