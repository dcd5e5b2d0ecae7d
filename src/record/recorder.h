/*
 * recorder.h - writing a recording, frame by frame
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_RECORD_RECORDER_H
#define ES_RECORD_RECORDER_H

#include <stdbool.h>

#include "base/error.h"
#include "record/event.h"
#include "record/meta.h"
#include "record/rows.h"
#include "record/signals.h"

/**
 * struct es_recorder - an append-only file of frames
 *
 * A frame is written whole or not at all. What the disk does not take (full, I/O error) is kept in memory up to
 * ES_RECORDER_KEEP_MAX_BYTES and tried again with each later frame, so that nothing measured is lost while the
 * process lives; es_recorder_kept() lends those bytes to a reader.
 */
struct es_recorder;

#define ES_RECORDER_KEEP_MAX_BYTES (256U << 20)

/**
 * es_recorder_create - a new recording at @path, mode 0600, with its first frame written
 * @may_replace: an existing file is replaced, but -EBUSY: another process still writes it; else -EEXIST
 * @ret: owned by caller, es_recorder_close() it
 */
int es_recorder_create(const char *path, bool may_replace, const struct es_meta *meta,
		       struct es_recorder **ret, struct es_error *err);

struct es_visitor;

/**
 * es_recorder_reopen - go on with a recording that its writer left without an end, as after a kill -9
 *
 * What is torn at its end is cut off. @meta: what is recorded now: the same boot, node and domains in the same order.
 * @visitor: told of what is in it already; NULL: nobody. Returns 0; -EBUSY: another process writes it; -EALREADY: it has
 * its end; -ESTALE: another boot, or other domains or signals; -EBADMSG: no recording; errors of open. It is only changed with 0.
 */
int es_recorder_reopen(const char *path, const struct es_meta *meta,
		       const struct es_visitor *visitor, void *arg, struct es_recorder **ret,
		       struct es_error *err);

/** es_recorder_keep_at_most - of what the disk does not take, less than ES_RECORDER_KEEP_MAX_BYTES */
void es_recorder_keep_at_most(struct es_recorder *recorder, size_t n_bytes);

/*
 * Each returns 0 also when the disk took nothing (the frame is kept), -ENOMEM or -EMSGSIZE when it could not be kept.
 * es_recorder_problem() tells what the disk said.
 */
int es_recorder_rows(struct es_recorder *recorder, const struct es_rows *rows);
/* Nothing is written where all have an error; signals that the description lacks are left out. */
int es_recorder_signals(struct es_recorder *recorder, const struct es_signal_value *values,
			size_t n);
int es_recorder_event(struct es_recorder *recorder, const struct es_event *event);
int es_recorder_clock(struct es_recorder *recorder, int64_t boot_ns, int64_t mono_ns,
		      int64_t unix_ns);

/** es_recorder_reserve - take the memory for frames of @rows now, so that none is taken while sampling */
int es_recorder_reserve(struct es_recorder *recorder, const struct es_rows *rows);

/** es_recorder_problem - 0, or why the file on disk is behind what was recorded */
int es_recorder_problem(const struct es_recorder *recorder);
/** es_recorder_bytes - its size on disk */
uint64_t es_recorder_bytes(const struct es_recorder *recorder);
/** es_recorder_flush - once more try to write what was kept; 0, or why not */
int es_recorder_flush(struct es_recorder *recorder);
/** es_recorder_kept - bytes that are not on disk (borrowed) */
const struct es_buf *es_recorder_kept(const struct es_recorder *recorder);
/**
 * es_recorder_save - the whole recording, what is not on disk included, to a new file of mode 0600
 * @from: the path given to es_recorder_create(). Returns 0 or negative errno; nothing is left behind then.
 */
int es_recorder_save(const struct es_recorder *recorder, const char *from, const char *to);
/** es_recorder_sync - the file's bytes on stable storage; 0 or negative errno */
int es_recorder_sync(struct es_recorder *recorder);
void es_recorder_close(struct es_recorder *recorder);

#endif
