/*
 * fuzz_recording.c - any bytes as a recording, and as the payloads of frames whose checksums are right
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "fuzz/recording.h"
#include "fuzz/target.h"
#include "record/fault.h"
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

static int on_signal(void *arg, size_t signal, int64_t t_ns, uint64_t value)
{
	const struct bounds *bounds = arg;
	char flag[32];

	fuzz_require(signal < bounds->meta->n_signals);
	fuzz_require(t_ns >= -ES_TIME_MAX_NS && t_ns <= ES_TIME_MAX_NS);
	fuzz_require(value < INT64_MAX);
	for (unsigned bit = 0; bit < ES_SIGNAL_BITS; bit++)
		if (es_signal_flag(&bounds->meta->signals[signal], bit, flag))
			fuzz_require(strlen(flag) > 0 && strlen(flag) < sizeof(flag));
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
		.reading = on_reading,
		.sweep = on_sweep,
		.event = on_event,
		.clock = on_clock,
		.signal = on_signal,
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint64_t size;
	es_cleanup(es_closep) int fd = fuzz_recording_open(data, n, &size);

	if (fd >= 0)
		read_file(fd, size);
	return 0;
}
