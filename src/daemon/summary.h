/*
 * summary.h - a finished job of one node in a file: beside its recording, and where all nodes can read it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_SUMMARY_H
#define ES_DAEMON_SUMMARY_H

#include "base/buf.h"
#include "base/error.h"
#include "wire/local.h"

#define ES_SUMMARY_SCHEMA "energyscopium.jobsummary/1"
#define ES_SUMMARY_MAX_BYTES (64U << 10)

/** es_summary_write - as JSON, appended to @out (doc/formats.md); 0 or the buffer's error */
int es_summary_write(const struct es_local_job_is *job, struct es_buf *out);
/**
 * es_summary_read - from bytes that anybody may have put there: every text and number is checked as in a packet
 * Returns 0, or -EBADMSG with what is wrong; *ret is only changed with 0.
 */
int es_summary_read(const char *text, size_t n, struct es_local_job_is *ret, struct es_error *err);

/** es_summary_put - into the file @name of the folder, whole or not at all: beside it first, synced, then moved there; 0 or negative errno */
int es_summary_put(int folder_fd, const char *name, const struct es_local_job_is *job);
/** es_summary_get - from a file of that folder, which must be a plain one, of this process's user; 0 or negative errno */
int es_summary_get(int folder_fd, const char *name, struct es_local_job_is *ret);

#endif
