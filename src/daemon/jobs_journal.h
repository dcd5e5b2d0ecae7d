/*
 * daemon/jobs_journal.h - a file that only grows, of entries that are whole or not there
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_JOBS_JOURNAL_H
#define ES_DAEMON_JOBS_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ES_JOURNAL_ENTRY_MAX_BYTES (64U << 10)

struct es_journal;

/** es_journal_fn - an entry of the past, in order; negative: it is none of ours, and so is all behind it */
typedef int (*es_journal_fn)(void *arg, uint8_t type, const uint8_t *data, size_t n);

/**
 * es_journal_open - open or make the file at @path, and go through what it holds
 *
 * A tail that is torn (killed while it was written) is cut off. A file that is no journal is set aside as PATH.bad. Of both
 * there are words in @err, of code 0. Returns 0; errors of open and read; -EBUSY: another process has it.
 */
int es_journal_open(const char *path, es_journal_fn each, void *arg, struct es_journal **ret,
		    struct es_error *err);
void es_journal_close(struct es_journal *journal);

/** es_journal_append - an entry, whole or (with negative errno) not at all */
int es_journal_append(struct es_journal *journal, uint8_t type, const void *data, size_t n);
uint64_t es_journal_bytes(const struct es_journal *journal);
int es_journal_fd(const struct es_journal *journal);

/**
 * es_journal_begin_anew, es_journal_end_anew - replace all entries by those appended between
 * The file changes at the end only, at once, and only with all of these in it. 0 or negative errno: then the old one goes on.
 */
int es_journal_begin_anew(struct es_journal *journal);
int es_journal_end_anew(struct es_journal *journal);

#endif
