/*
 * signals.c - values of signals on their way into and out of frames
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "record/signals.h"

#include <errno.h>
#include <stdbool.h>

#include "base/limits.h"

#define NS_PER_US 1000
#define VALUE_MAX ((uint64_t)INT64_MAX - 1)

static uint64_t zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static bool is_there(const struct es_signal_value *value)
{
	return value->error == 0 && value->value <= VALUE_MAX && value->t_ns >= -ES_TIME_MAX_NS &&
	       value->t_ns <= ES_TIME_MAX_NS;
}

/* How many from the first on were read at the same time; those without a value between them come along. */
static size_t run_length(const struct es_signal_value *values, size_t n)
{
	size_t length = 1;

	for (size_t i = 1; i < n; i++) {
		if (!is_there(&values[i]))
			continue;
		if (values[i].t_ns / NS_PER_US != values[0].t_ns / NS_PER_US)
			break;
		length = i + 1;
	}
	return length;
}

int es_signals_encode(const struct es_signal_value *values, size_t n, struct es_buf *out)
{
	size_t length;

	for (size_t first = 0; first < n; first += length) {
		const struct es_signal_value *run = &values[first];

		length = 1;
		if (!is_there(run))
			continue;
		length = run_length(run, n - first);
		(void)es_buf_varint(out, zigzag(run->t_ns / NS_PER_US));
		(void)es_buf_varint(out, first);
		(void)es_buf_varint(out, length);
		for (size_t i = 0; i < length; i++)
			(void)es_buf_varint(out, is_there(&run[i]) ? run[i].value + 1 : 0);
	}
	return out->error;
}

static int decode_run(struct es_cursor *cursor, size_t n_signals, es_signal_fn fn, void *arg)
{
	int64_t t_us = unzigzag(es_cursor_varint(cursor));
	uint64_t first = es_cursor_varint(cursor);
	uint64_t length = es_cursor_varint(cursor);
	int r = 0;

	if (cursor->error || t_us < -ES_TIME_MAX_NS / NS_PER_US ||
	    t_us > ES_TIME_MAX_NS / NS_PER_US || length == 0 || first >= n_signals ||
	    length > n_signals - first)
		return -EBADMSG;
	for (size_t i = 0; r >= 0 && i < length; i++) {
		uint64_t v = es_cursor_varint(cursor);

		if (cursor->error || v > VALUE_MAX + 1)
			return -EBADMSG;
		if (v > 0 && fn)
			r = fn(arg, (size_t)first + i, t_us * NS_PER_US, v - 1);
	}
	return r < 0 ? r : 0;
}

int es_signals_decode(const void *data, size_t n, size_t n_signals, es_signal_fn fn, void *arg)
{
	struct es_cursor cursor;
	int r = 0;

	es_cursor_init(&cursor, data, n);
	while (r == 0 && es_cursor_left(&cursor) > 0)
		r = decode_run(&cursor, n_signals, fn, arg);
	return r;
}

int es_signals_check(const void *data, size_t n, size_t n_signals)
{
	return es_signals_decode(data, n, n_signals, NULL, NULL);
}
