/*
 * recording_private.h - what joining recordings needs of each
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_RECORD_RECORDING_PRIVATE_H
#define ES_RECORD_RECORDING_PRIVATE_H

#include "record/frame.h"
#include "record/recording.h"
#include "record/rows.h"

struct es_join;

/** struct es_recording - an open file, or several that are joined */
struct es_recording {
	struct es_join *join; /* NULL: it is one file. Owned */
	int fd;
	uint64_t file_bytes;
	const struct es_buf *kept;
	struct es_meta meta;
	struct es_rows rows;
	uint8_t *window; /* bytes of the stream from @window_at */
	size_t window_bytes, window_cap;
	uint64_t window_at;
	bool is_broken; /* the frame being visited has a content that cannot be */
	bool is_whole;
	uint64_t lost_bytes;
	uint32_t n_frames;
};

/** es_recording_frame_at - the frame at @at: 1, 0 at the end of what is valid, or negative errno; valid until the next call */
int es_recording_frame_at(struct es_recording *recording, uint64_t at, struct es_frame *ret);
/** es_recording_visit - what is in a frame; sets is_broken where it cannot be */
int es_recording_visit(struct es_recording *recording, const struct es_frame *frame,
		       const struct es_visitor *visitor, void *arg);
/** es_recording_visit_row - one sweep of a block that was decoded */
int es_recording_visit_row(const struct es_rows *rows, size_t row, const struct es_visitor *visitor,
			   void *arg);

#endif
