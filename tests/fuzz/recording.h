/*
 * recording.h - a recording in memory from any bytes, its checksums made right
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_FUZZ_RECORDING_H
#define ES_TESTS_FUZZ_RECORDING_H

#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "record/frame.h"
#include "record/recording.h"

static inline int fuzz_memory_file(const uint8_t *data, size_t n)
{
	es_cleanup(es_closep) int fd = memfd_create("recording", MFD_CLOEXEC);

	return fd >= 0 && es_write_all(fd, data, n) == 0 ? es_steal_fd(&fd) : -1;
}

/* Frames of the input: u8 type, u16 length, payload; each gets a header and the right checksum. */
static inline void fuzz_put_frames(const uint8_t *data, size_t n, struct es_buf *out)
{
	struct es_cursor cursor;

	(void)es_buf_append(out, ES_RECORD_MAGIC, ES_RECORD_HEADER_BYTES - 1);
	(void)es_buf_u8(out, ES_RECORD_VERSION);
	es_cursor_init(&cursor, data, n);
	for (uint32_t i = 0; es_cursor_left(&cursor) > 3; i++) {
		unsigned type = es_cursor_u8(&cursor);
		size_t n_payload = es_cursor_le16(&cursor), at;

		n_payload = n_payload < es_cursor_left(&cursor) ? n_payload
								: es_cursor_left(&cursor);
		at = es_frame_begin(out, (enum es_frame_type)type, i);
		(void)es_buf_append(out, es_cursor_bytes(&cursor, n_payload), n_payload);
		(void)es_frame_finish(out, at);
	}
}

/** fuzz_recording_open - a descriptor, closed by caller; -1: there is none. An input that begins with E is a file as it is */
static inline int fuzz_recording_open(const uint8_t *data, size_t n, uint64_t *ret_n)
{
	struct es_buf out;
	int fd = -1;

	*ret_n = n;
	if (n > 0 && data[0] == 'E')
		return fuzz_memory_file(data, n);
	es_buf_init(&out, 1U << 22);
	fuzz_put_frames(data, n, &out);
	*ret_n = out.len;
	if (!out.error)
		fd = fuzz_memory_file(out.data, out.len);
	es_buf_finish(&out);
	return fd;
}

#endif
