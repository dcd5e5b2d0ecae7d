/*
 * fuzz_recording.c - any bytes as a recording, and as the payloads of frames whose checksums are right
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "fuzz/target.h"
#include "record/fault.h"
#include "record/frame.h"
#include "record/recording.h"

struct bounds {
	const struct es_meta *meta;
};

static int on_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	const struct bounds *bounds = arg;

	fuzz_require(domain < bounds->meta->n_domains);
	fuzz_require(t_ns >= -ES_TIME_MAX_NS && t_ns <= ES_TIME_MAX_NS);
	fuzz_require(value <= INT64_MAX && activity_ns >= 0);
	return 0;
}

static int on_sweep(void *arg, int64_t t_ns)
{
	(void)arg;
	fuzz_require(t_ns >= -ES_TIME_MAX_NS && t_ns <= ES_TIME_MAX_NS);
	return 0;
}

static int on_event(void *arg, const struct es_event *event)
{
	struct es_fault fault;

	(void)arg;
	fuzz_require(event->t_ns >= -ES_TIME_MAX_NS && event->t_ns <= ES_TIME_MAX_NS);
	fuzz_require(strnlen(event->text, sizeof(event->text)) < sizeof(event->text));
	if (es_fault_get(event, &fault) == 0)
		fuzz_require(fault.n > 0 && fault.first_ns <= fault.last_ns &&
			     strnlen(fault.code, sizeof(fault.code)) < sizeof(fault.code) &&
			     es_fault_words(fault.code) && fault.longest_ns >= 0);
	return 0;
}

static int on_clock(void *arg, int64_t boot_ns, int64_t mono_ns, int64_t unix_ns)
{
	(void)arg;
	fuzz_require(boot_ns - mono_ns != INT64_MIN && unix_ns - boot_ns != INT64_MIN);
	return 0;
}

static void read_file(int fd, uint64_t n)
{
	static const struct es_visitor visitor = {
		.reading = on_reading, .sweep = on_sweep, .event = on_event, .clock = on_clock
	};
	struct es_recording *recording;
	struct bounds bounds;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (es_recording_open(path, NULL, &recording, NULL) < 0)
		return;
	bounds.meta = es_recording_meta(recording);
	fuzz_require(es_recording_walk(recording, &visitor, &bounds) <= 0);
	fuzz_require(es_recording_lost_bytes(recording) <= n);
	es_recording_close(recording);
}

static void read_bytes(const uint8_t *data, size_t n)
{
	es_cleanup(es_closep) int fd = memfd_create("recording", MFD_CLOEXEC);

	if (fd >= 0 && es_write_all(fd, data, n) == 0)
		read_file(fd, n);
}

/* Frames of the input: u8 type, u16 length, payload; each gets a header and the right checksum. */
static void read_frames(const uint8_t *data, size_t n)
{
	struct es_cursor cursor;
	struct es_buf out;

	es_buf_init(&out, 1U << 22);
	(void)es_buf_append(&out, ES_RECORD_MAGIC, ES_RECORD_HEADER_BYTES - 1);
	(void)es_buf_u8(&out, ES_RECORD_VERSION);
	es_cursor_init(&cursor, data, n);
	for (uint32_t i = 0; es_cursor_left(&cursor) > 3; i++) {
		unsigned type = es_cursor_u8(&cursor);
		size_t n_payload = es_cursor_le16(&cursor), at;

		n_payload = n_payload < es_cursor_left(&cursor) ? n_payload
								: es_cursor_left(&cursor);
		at = es_frame_begin(&out, (enum es_frame_type)type, i);
		(void)es_buf_append(&out, es_cursor_bytes(&cursor, n_payload), n_payload);
		(void)es_frame_finish(&out, at);
	}
	if (!out.error)
		read_bytes(out.data, out.len);
	es_buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n > 0 && data[0] == 'E')
		read_bytes(data, n);
	else
		read_frames(data, n);
	return 0;
}
