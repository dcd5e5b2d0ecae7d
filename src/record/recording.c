/*
 * recording.c - reading a recording, as far as it is whole
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "record/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "record/frame.h"
#include "record/join.h"
#include "record/recording_private.h"
#include "record/signals.h"

#define CHUNK_BYTES 65536U

static uint64_t stream_bytes(const struct es_recording *recording)
{
	return recording->file_bytes + (recording->kept ? recording->kept->len : 0);
}

/* Bytes of file and kept frames as one stream; returns how many, 0 at the end, or negative errno. */
static ssize_t read_stream(struct es_recording *recording, uint64_t at, uint8_t *data, size_t n)
{
	if (at < recording->file_bytes) {
		ssize_t r;

		if (n > recording->file_bytes - at)
			n = (size_t)(recording->file_bytes - at);
		do
			r = pread(recording->fd, data, n, (off_t)at);
		while (r < 0 && errno == EINTR);
		return r < 0 ? -errno : r;
	}
	at -= recording->file_bytes;
	if (!recording->kept || at >= recording->kept->len)
		return 0;
	if (n > recording->kept->len - at)
		n = (size_t)(recording->kept->len - at);
	memcpy(data, recording->kept->data + at, n);
	return (ssize_t)n;
}

/* Have at least @n bytes from @at in the window, fewer only at the end of the stream. */
static int fill_window(struct es_recording *recording, uint64_t at, size_t n)
{
	size_t keep = 0;

	if (at >= recording->window_at && at <= recording->window_at + recording->window_bytes) {
		size_t skip = (size_t)(at - recording->window_at);

		keep = recording->window_bytes - skip;
		if (keep >= n)
			return 0;
		memmove(recording->window, recording->window + skip, keep);
	}
	recording->window_at = at;
	recording->window_bytes = keep;
	n = n < CHUNK_BYTES ? CHUNK_BYTES : n;
	if (n > recording->window_cap) {
		uint8_t *window = realloc(recording->window, n);

		if (!window)
			return -ENOMEM;
		recording->window = window;
		recording->window_cap = n;
	}
	while (recording->window_bytes < n) {
		ssize_t r = read_stream(recording, at + recording->window_bytes,
					recording->window + recording->window_bytes,
					n - recording->window_bytes);

		if (r < 0)
			return (int)r;
		if (r == 0)
			break;
		recording->window_bytes += (size_t)r;
	}
	return 0;
}

int es_recording_frame_at(struct es_recording *recording, uint64_t at, struct es_frame *ret)
{
	size_t need = ES_FRAME_OVERHEAD_BYTES;

	for (;;) {
		size_t have;
		int r = fill_window(recording, at, need);

		if (r < 0)
			return r;
		have = (size_t)(recording->window_at + recording->window_bytes - at);
		if (have < need)
			return 0; /* cut off */
		r = es_frame_parse(recording->window + (at - recording->window_at), have, ret,
				   &need);
		if (r != -EAGAIN)
			return r == 0;
	}
}

static int read_header(struct es_recording *recording, const char *path, struct es_error *err)
{
	uint8_t header[ES_RECORD_HEADER_BYTES];
	struct es_frame frame;
	ssize_t n = read_stream(recording, 0, header, sizeof(header));
	int r;

	if (n < 0)
		return es_error_set(err, (int)n, "cannot read '%s'", path);
	if ((size_t)n < sizeof(header) ||
	    memcmp(header, ES_RECORD_MAGIC, ES_RECORD_HEADER_BYTES - 1) != 0 ||
	    header[ES_RECORD_HEADER_BYTES - 1] == 0)
		return es_error_say(err, -EBADMSG, "'%s' is no recording of energyscopium", path);
	if (header[ES_RECORD_HEADER_BYTES - 1] > ES_RECORD_VERSION)
		return es_error_say(
			err, -ENOTSUP,
			"'%s' has format %u, this program reads format %u: a newer energyscopium wrote it",
			path, header[ES_RECORD_HEADER_BYTES - 1], ES_RECORD_VERSION);
	r = es_recording_frame_at(recording, ES_RECORD_HEADER_BYTES, &frame);
	if (r < 0)
		return es_error_set(err, r, "cannot read '%s'", path);
	if (r == 0 || frame.type != ES_FRAME_META)
		return es_error_say(
			err, -EBADMSG,
			"'%s' breaks off before its description: nothing in it can be used", path);
	return es_meta_read((const char *)frame.payload, frame.payload_bytes, &recording->meta,
			    err);
}

/* Description and room for rows; @recording is freed on failure. */
static int begin(struct es_recording *recording, const char *name, struct es_recording **ret,
		 struct es_error *err)
{
	int r = read_header(recording, name, err);

	if (r == 0) {
		r = es_rows_init(&recording->rows, recording->meta.domains,
				 recording->meta.n_domains, 1);
		if (r < 0)
			(void)es_error_set(err, r, "'%s'", name);
	}
	if (r < 0)
		es_recording_close(recording);
	else
		*ret = recording;
	return r;
}

int es_recording_open_fd(int fd, const char *name, const struct es_buf *kept,
			 struct es_recording **ret, struct es_error *err)
{
	struct es_recording *recording = calloc(1, sizeof(*recording));
	struct stat st;
	int r;

	if (!recording) {
		es_closep(&fd);
		return es_error_set(err, -ENOMEM, "'%s'", name);
	}
	recording->kept = kept;
	recording->fd = fd;
	if (fstat(recording->fd, &st) < 0) {
		r = es_error_set(err, -errno, "cannot open '%s'", name);
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		r = es_error_say(err, -EINVAL, "'%s' is no file", name);
		goto fail;
	}
	recording->file_bytes = (uint64_t)st.st_size;
	return begin(recording, name, ret, err);
fail:
	es_recording_close(recording);
	return r;
}

int es_recording_open_bytes(const struct es_buf *bytes, const char *name, struct es_recording **ret,
			    struct es_error *err)
{
	struct es_recording *recording = calloc(1, sizeof(*recording));

	if (!recording)
		return es_error_set(err, -ENOMEM, "'%s'", name);
	recording->kept = bytes;
	recording->fd = -1;
	return begin(recording, name, ret, err);
}

int es_recording_open(const char *path, const struct es_buf *kept, struct es_recording **ret,
		      struct es_error *err)
{
	/* A FIFO must not make us wait. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return es_error_set(err, -errno, "cannot open '%s'", path);
	return es_recording_open_fd(fd, path, kept, ret, err);
}

void es_recording_close(struct es_recording *recording)
{
	if (!recording)
		return;
	es_join_close(recording->join);
	es_closep(&recording->fd);
	es_meta_finish(&recording->meta);
	es_rows_finish(&recording->rows);
	free(recording->window);
	free(recording);
}

const struct es_meta *es_recording_meta(const struct es_recording *recording)
{
	return &recording->meta;
}

int es_recording_visit_row(const struct es_rows *rows, size_t row, const struct es_visitor *visitor,
			   void *arg)
{
	int r = visitor->sweep ? visitor->sweep(arg, rows->sweep_ns[row]) : 0;

	for (size_t i = 0; r >= 0 && visitor->reading && i < rows->n_domains; i++) {
		size_t cell = i * rows->cap_rows + row;

		if (rows->present[cell])
			r = visitor->reading(arg, i, rows->sweep_ns[row] + rows->offsets_ns[cell],
					     (uint64_t)rows->values[cell],
					     rows->activities_ns[cell]);
	}
	return r;
}

/* Content that cannot be is no error of the visitor's: it ends the recording. */
static int break_off(struct es_recording *recording)
{
	recording->is_broken = true;
	return 0;
}

static int visit_block(struct es_recording *recording, const struct es_frame *frame,
		       const struct es_visitor *visitor, void *arg)
{
	int r;

	/* Who wants signals only need not wait for the readings. */
	if (!visitor->reading && !visitor->sweep && visitor->signal)
		return 0;
	r = es_rows_decode(&recording->rows, frame->payload, frame->payload_bytes);
	if (r == -EBADMSG)
		return break_off(recording);
	for (size_t row = 0; r >= 0 && row < recording->rows.n_rows; row++)
		r = es_recording_visit_row(&recording->rows, row, visitor, arg);
	return r;
}

static int visit_clock(struct es_recording *recording, const struct es_frame *frame,
		       const struct es_visitor *visitor, void *arg)
{
	struct es_cursor cursor;
	int64_t clock_ns[3]; /* boot, mono, unix */

	es_cursor_init(&cursor, frame->payload, frame->payload_bytes);
	for (unsigned i = 0; i < ES_ARRAY_SIZE(clock_ns); i++) {
		clock_ns[i] = (int64_t)es_cursor_le64(&cursor);
		if (clock_ns[i] < -ES_TIME_MAX_NS || clock_ns[i] > ES_TIME_MAX_NS)
			return break_off(recording);
	}
	if (cursor.error)
		return break_off(recording);
	return visitor->clock ? visitor->clock(arg, clock_ns[0], clock_ns[1], clock_ns[2]) : 0;
}

static int visit_signals(struct es_recording *recording, const struct es_frame *frame,
			 const struct es_visitor *visitor, void *arg)
{
	int r = es_signals_check(frame->payload, frame->payload_bytes, recording->meta.n_signals);

	if (r < 0)
		return break_off(recording);
	return visitor->signal ? es_signals_decode(frame->payload, frame->payload_bytes,
						   recording->meta.n_signals, visitor->signal, arg)
			       : 0;
}

static int visit_event(struct es_recording *recording, const struct es_frame *frame,
		       const struct es_visitor *visitor, void *arg)
{
	struct es_event event;

	if (es_event_get(frame->payload, frame->payload_bytes, &event) < 0)
		return break_off(recording);
	return visitor->event ? visitor->event(arg, &event) : 0;
}

int es_recording_visit(struct es_recording *recording, const struct es_frame *frame,
		       const struct es_visitor *visitor, void *arg)
{
	switch (frame->type) {
	case ES_FRAME_BLOCK:
		return visit_block(recording, frame, visitor, arg);
	case ES_FRAME_EVENT:
	case ES_FRAME_END:
		return visit_event(recording, frame, visitor, arg);
	case ES_FRAME_SIGNALS:
		return visit_signals(recording, frame, visitor, arg);
	case ES_FRAME_CLOCK:
		return visit_clock(recording, frame, visitor, arg);
	default:
		return 0;
	}
}

int es_recording_walk(struct es_recording *recording, const struct es_visitor *visitor, void *arg)
{
	uint64_t at = ES_RECORD_HEADER_BYTES;
	struct es_frame frame;
	int r;

	if (recording->join)
		return es_join_walk(recording->join, visitor, arg);
	recording->is_whole = false;
	recording->is_broken = false;
	recording->n_frames = 0;
	while ((r = es_recording_frame_at(recording, at, &frame)) > 0) {
		r = es_recording_visit(recording, &frame, visitor, arg);
		if (r < 0 || recording->is_broken)
			break;
		at += frame.total_bytes;
		recording->n_frames++;
		recording->is_whole = frame.type == ES_FRAME_END;
	}
	recording->is_whole = recording->is_whole && !recording->is_broken && r >= 0;
	recording->lost_bytes = stream_bytes(recording) - at;
	return r < 0 ? r : 0;
}

bool es_recording_is_whole(const struct es_recording *recording)
{
	return recording->join ? es_join_is_whole(recording->join)
			       : recording->is_whole && recording->lost_bytes == 0;
}

uint64_t es_recording_lost_bytes(const struct es_recording *recording)
{
	return recording->join ? es_join_lost_bytes(recording->join) : recording->lost_bytes;
}

uint32_t es_recording_valid(const struct es_recording *recording, uint64_t *ret_bytes)
{
	*ret_bytes = stream_bytes(recording) - recording->lost_bytes;
	return recording->n_frames;
}

int es_recording_join(struct es_recording *const *parts, const int64_t *shift_ns, size_t n,
		      struct es_recording **ret)
{
	struct es_recording *recording = calloc(1, sizeof(*recording));
	int r = recording ? es_join_create(parts, shift_ns, n, &recording->meta, &recording->join)
			  : -ENOMEM;

	if (r < 0) {
		free(recording);
		return r;
	}
	recording->fd = -1;
	*ret = recording;
	return 0;
}

size_t es_recording_n_parts(const struct es_recording *recording)
{
	return recording->join ? es_join_n(recording->join) : 1;
}
