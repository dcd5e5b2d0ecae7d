/*
 * make_seeds.c - write the inputs that the corpora of block, recording and conf began with
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * usage: make_seeds DIR: writes them to folders of DIR with the names of the targets.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "block/block.h"
#include "record/frame.h"
#include "support/random.h"
#include "support/small_recording.h"

static int write_file(const char *dir, const char *target, const char *name, const void *data,
		      size_t n)
{
	char path[512];
	int fd, r;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, target);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -errno;
	(void)snprintf(path, sizeof(path), "%s/%s/%s", dir, target, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	r = es_write_all(fd, data, n);
	return close(fd) < 0 ? -errno : r;
}

static int make_blocks(const char *dir)
{
	static const size_t sizes[] = { 1, 10, 100, 600 };
	int64_t values[3][600];
	uint8_t present[600];
	const struct es_block_column columns[] = {
		{ .id = 0, .unit_num = 1000, .unit_den = 1, .values = values[0] },
		{ .id = 1, .unit_num = 61035, .unit_den = 1000, .values = values[1] },
		{ .id = 2, .unit_num = 7, .unit_den = 3, .values = values[2], .present = present },
	};
	uint64_t seed = 79, count = 0;
	int r = 0;

	for (size_t row = 0; row < 600; row++) {
		count += 400000 + test_random_below(&seed, 4000);
		values[0][row] =
			(int64_t)row * 100000000 + (int64_t)test_random_below(&seed, 50) * 1000;
		values[1][row] = (int64_t)(count * 61035 / 1000);
		values[2][row] = (int64_t)(count * 7 / 3);
		present[row] = row % 7 > 0;
	}
	for (size_t i = 0; r == 0 && i < ES_ARRAY_SIZE(sizes); i++) {
		struct es_buf out;
		char name[32];

		es_buf_init(&out, 1U << 20);
		(void)snprintf(name, sizeof(name), "rows-%zu", sizes[i]);
		r = es_block_encode(columns, ES_ARRAY_SIZE(columns), sizes[i], &out);
		if (r == 0)
			r = write_file(dir, "block", name, out.data, out.len);
		es_buf_finish(&out);
	}
	return r;
}

/* The frames of a recording as fuzz_recording takes them: u8 type, u16 length, payload. */
static int make_frames(const char *dir, const uint8_t *data, size_t n)
{
	size_t at = ES_RECORD_HEADER_BYTES, need;
	struct es_frame frame;
	struct es_buf out;
	int r = 0;

	es_buf_init(&out, 1U << 20);
	while (es_frame_parse(data + at, n - at, &frame, &need) == 0) {
		(void)es_buf_u8(&out, frame.type);
		(void)es_buf_le16(&out, (uint16_t)frame.payload_bytes);
		(void)es_buf_append(&out, frame.payload, frame.payload_bytes);
		at += frame.total_bytes;
	}
	r = out.error ? out.error : write_file(dir, "recording", "frames", out.data, out.len);
	es_buf_finish(&out);
	return r;
}

static int record(const char *path)
{
	const struct es_event start = { .type = ES_EVENT_TAG_START, .t_ns = 5, .text = "tag" };
	const struct es_event end = { .type = ES_EVENT_END, .t_ns = 9 };
	const struct es_signal_value values[] = { { .t_ns = 7000, .value = 1410000 },
						  { .t_ns = 7000, .value = 5 } };
	struct es_recorder *recorder;
	struct es_signal signal;
	struct es_meta meta;
	int r = test_meta(&meta);

	es_signal_init(&signal, "nvml", "gpu-0", ES_SIGNAL_SM_CLOCK, ES_SIGNAL_KHZ,
		       ES_SIGNAL_GAUGE);
	if (r == 0)
		r = es_meta_add_signal(&meta, &signal);
	es_signal_init(&signal, "nvml", "gpu-0", ES_SIGNAL_THROTTLE, ES_SIGNAL_FLAGS_UNIT,
		       ES_SIGNAL_FLAGS);
	(void)snprintf(signal.flags, sizeof(signal.flags), "%s", es_throttle_flags());
	if (r == 0)
		r = es_meta_add_signal(&meta, &signal);
	if (r == 0)
		r = es_recorder_create(path, true, &meta, &recorder, NULL);
	if (r < 0)
		return r;
	(void)test_record_sweeps(recorder, &meta, 0, 10);
	(void)es_recorder_event(recorder, &start);
	(void)es_recorder_clock(recorder, 1, 2, 3);
	(void)test_record_sweeps(recorder, &meta, 10, 60);
	(void)es_recorder_signals(recorder, values, ES_ARRAY_SIZE(values));
	(void)es_recorder_event(recorder, &end);
	r = es_recorder_problem(recorder);
	es_recorder_close(recorder);
	es_meta_finish(&meta);
	return r;
}

static int make_recordings(const char *dir)
{
	char path[512];
	uint8_t data[16384];
	ssize_t n;
	int fd, r;

	r = write_file(dir, "recording", "whole", "", 0);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/recording/whole", dir);
	r = record(path);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, data, sizeof(data));
	(void)close(fd);
	return n < 0 ? -errno : make_frames(dir, data, (size_t)n);
}

static int make_confs(const char *dir)
{
	static const struct {
		const char *name, *text;
	} seeds[] = {
		{ "all", "---\nzone: FR # here\npue: 1.3\nis_on: yes\nn: -5\npsys: \"auto\"\n"
			 "a:\n  period: 100ms\n  b: {power: 1.5 kW, share: 5%}\n...\n" },
		{ "wrong", "zoen: FR\npue: 0.5\nn: [1, {a: b}]\na: 5\nzone: x\nzone: y\n" },
		{ "refused", "zone: &a FR\npue: *a\nn: !!int 5\n--- \nn: 1\n" },
		{ "escapes", "\"zo\\x6ee\": \"a\\0\\u00e9\"\n? n\n: |\n  5\n'psys': >-\n  auto\n" },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ES_ARRAY_SIZE(seeds); i++)
		r = write_file(dir, "conf", seeds[i].name, seeds[i].text, strlen(seeds[i].text));
	return r;
}

int main(int argc, char **argv)
{
	int r;

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIR\n", argv[0]);
		return 2;
	}
	r = make_blocks(argv[1]);
	if (r == 0)
		r = make_recordings(argv[1]);
	if (r == 0)
		r = make_confs(argv[1]);
	if (r < 0)
		fprintf(stderr, "make_seeds: %s: %s\n", argv[1], es_strerror(r));
	return r < 0;
}
