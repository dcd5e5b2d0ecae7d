/*
 * spool_file.h - one recording of the spool, of a job or of the node, while it is written
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_SPOOL_FILE_H
#define ES_DAEMON_SPOOL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "record/meta.h"
#include "record/recorder.h"
#include "record/rows.h"
#include "sampler/clocks.h"
#include "sampler/faults.h"

#define ES_SPOOL_KEPT_MAX_BYTES (4U << 20) /* of one recording, while the disk takes nothing */
#define ES_SPOOL_KEPT_MIN_BYTES (64U << 10)
#define ES_SPOOL_TAGS_OPEN_MAX 256U /* names of one job that are open at a time */

/** struct es_spool_tag - a name that is open, and how often */
struct es_spool_tag {
	uint32_t depth;
	char name[ES_NAME_MAX_BYTES];
};

/** struct es_spool_file - zeroed, then es_spool_file_open(), es_spool_file_finish() */
struct es_spool_file {
	char path[ES_PATH_MAX_BYTES];
	struct es_meta meta; /* owned */
	struct es_recorder *recorder; /* NULL: the disk takes no new file, which is tried again */
	struct es_rows rows;
	struct es_clocks clocks;
	struct es_faults faults;
	int64_t *read_ns; /* [n domains] when each was read last, owned */
	size_t keep_bytes; /* set before it is opened: what is kept in memory while the disk takes nothing, at most */
	bool is_ready; /* rows and faults have their memory */
	bool has_ended; /* nothing comes behind its end */
	bool is_gone_on_with; /* it was there already: its beginning is in it */
	int64_t flushed_ns, wall_ns; /* boot clock: last flush, last word about the wall clock */
	struct es_spool_tag *tags; /* [n_tags], owned */
	size_t n_tags;
	uint64_t n_calls; /* tags begun, ever */
	struct es_event *waiting; /* [n_waiting] while there is no file; owned */
	size_t n_waiting;
};

/**
 * es_spool_file_open - begin the recording at @path, or go on with the one there
 * @meta: taken over, also on failure
 * Returns 0 also where the disk takes no new file: it is tried again with each flush. -ESTALE, -EALREADY, -EBADMSG: there is
 * one that cannot be gone on with: another name is to be taken.
 */
int es_spool_file_open(struct es_spool_file *file, const char *path, struct es_meta *meta,
		       struct es_error *err);
void es_spool_file_finish(struct es_spool_file *file);

/** es_spool_file_row - begin a sweep at @t_ns; es_rows_set() on file->rows follows. What there is no room for is dropped in the middle: ends stay */
void es_spool_file_row(struct es_spool_file *file, int64_t t_ns);
/** es_spool_file_flush - rows into the file, where a second has passed or they are many (or @is_now); 0, or what the disk says */
int es_spool_file_flush(struct es_spool_file *file, int64_t now_ns, bool is_now);
/** es_spool_file_event - 0, or negative errno */
int es_spool_file_event(struct es_spool_file *file, uint32_t type, int64_t t_ns, int64_t value,
			const char *text);
/** es_spool_file_tag - 0 or an enum es_ipc_verdict; a stop needs a start, and names are few */
int es_spool_file_tag(struct es_spool_file *file, const char *name, bool is_start, int64_t t_ns);
/** es_spool_file_end - open tags are closed at @t_ns, and the event that ends a recording; 0, or what the disk says */
int es_spool_file_end(struct es_spool_file *file, int64_t t_ns);

#endif
