/*
 * json.c - a streaming JSON writer
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

void es_json_init(struct es_json *json, es_json_sink_fn write, void *sink, bool is_pretty)
{
	json->write = write;
	json->sink = sink;
	json->is_pretty = is_pretty;
	json->depth = 0;
	json->has_member[0] = false;
	json->is_inline[0] = false;
	json->error = 0;
	json->used = 0;
}

static void flush(struct es_json *json)
{
	if (json->error == 0 && json->used > 0)
		json->error = json->write(json->sink, json->buffer, json->used);
	json->used = 0;
}

static void put(struct es_json *json, const char *data, size_t n)
{
	while (n > 0 && json->error == 0) {
		size_t room = sizeof(json->buffer) - json->used, part = n < room ? n : room;

		memcpy(json->buffer + json->used, data, part);
		json->used += part;
		data += part;
		n -= part;
		if (json->used == sizeof(json->buffer))
			flush(json);
	}
}

static void put_char(struct es_json *json, char c)
{
	put(json, &c, 1);
}

int es_json_end(struct es_json *json)
{
	if (json->depth != 0 && json->error == 0)
		json->error = -EINVAL;
	if (json->is_pretty)
		put_char(json, '\n');
	flush(json);
	return json->error;
}

static void new_line(struct es_json *json)
{
	if (!json->is_pretty || json->is_inline[json->depth])
		return;
	put_char(json, '\n');
	for (unsigned i = 0; i < json->depth; i++)
		put(json, "  ", 2);
}

static void put_string(struct es_json *json, const char *text)
{
	const unsigned char *s = (const unsigned char *)text, *end = s + strlen(text);

	put_char(json, '"');
	while (s < end) {
		size_t n = es_utf8_length((const char *)s, (size_t)(end - s));

		if (n == 0) {
			put(json, "\\ufffd", 6);
			s++;
			continue;
		}
		if (*s == '"' || *s == '\\') {
			put_char(json, '\\');
			put_char(json, (char)*s);
		} else if (*s < 0x20 || *s == 0x7f) {
			char escape[8];

			(void)snprintf(escape, sizeof(escape), "\\u%04x", *s);
			put(json, escape, 6);
		} else {
			put(json, (const char *)s, n);
		}
		s += n;
	}
	put_char(json, '"');
}

static void begin_member(struct es_json *json, const char *key)
{
	if (json->depth > 0) {
		if (json->has_member[json->depth])
			put(json, json->is_inline[json->depth] && json->is_pretty ? ", " : ",",
			    json->is_inline[json->depth] && json->is_pretty ? 2 : 1);
		json->has_member[json->depth] = true;
		new_line(json);
	}
	if (key) {
		put_string(json, key);
		put(json, json->is_pretty ? ": " : ":", json->is_pretty ? 2 : 1);
	}
}

static void open_level(struct es_json *json, const char *key, char bracket, bool is_inline)
{
	begin_member(json, key);
	put_char(json, bracket);
	if (json->depth >= ES_JSON_DEPTH_MAX) {
		json->error = json->error ? json->error : -E2BIG;
		return;
	}
	is_inline = is_inline || json->is_inline[json->depth];
	json->depth++;
	json->has_member[json->depth] = false;
	json->is_inline[json->depth] = is_inline;
}

static void close_level(struct es_json *json, char bracket)
{
	bool had_member, was_inline;

	if (json->depth == 0) {
		json->error = json->error ? json->error : -EINVAL;
		return;
	}
	had_member = json->has_member[json->depth];
	was_inline = json->is_inline[json->depth];
	json->depth--;
	if (had_member && !was_inline)
		new_line(json);
	put_char(json, bracket);
}

void es_json_object(struct es_json *json, const char *key)
{
	open_level(json, key, '{', false);
}

void es_json_object_end(struct es_json *json)
{
	close_level(json, '}');
}

void es_json_array(struct es_json *json, const char *key)
{
	open_level(json, key, '[', false);
}

void es_json_array_inline(struct es_json *json, const char *key)
{
	open_level(json, key, '[', true);
}

void es_json_array_end(struct es_json *json)
{
	close_level(json, ']');
}

void es_json_string(struct es_json *json, const char *key, const char *value)
{
	begin_member(json, key);
	if (value)
		put_string(json, value);
	else
		put(json, "null", 4);
}

void es_json_u64(struct es_json *json, const char *key, uint64_t value)
{
	char text[24];

	begin_member(json, key);
	put(json, text, (size_t)snprintf(text, sizeof(text), "%llu", (unsigned long long)value));
}

void es_json_i64(struct es_json *json, const char *key, int64_t value)
{
	char text[24];

	begin_member(json, key);
	put(json, text, (size_t)snprintf(text, sizeof(text), "%lld", (long long)value));
}

void es_json_bool(struct es_json *json, const char *key, bool value)
{
	begin_member(json, key);
	put(json, value ? "true" : "false", value ? 4 : 5);
}

void es_json_null(struct es_json *json, const char *key)
{
	begin_member(json, key);
	put(json, "null", 4);
}

void es_json_double(struct es_json *json, const char *key, double value)
{
	char text[40];
	int n = 0;

	if (!isfinite(value)) {
		es_json_null(json, key);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	begin_member(json, key);
	put(json, text, (size_t)n);
}

size_t es_decimal_text(int64_t value, unsigned decimals, char text[static 48])
{
	char digits[48];
	uint64_t v = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	unsigned n = 0, out = 0;

	while (decimals > 0 && v % 10 == 0) {
		v /= 10;
		decimals--;
	}
	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0 || n <= decimals);
	if (value < 0)
		text[out++] = '-';
	while (n > 0) {
		if (n == decimals)
			text[out++] = '.';
		text[out++] = digits[--n];
	}
	return out;
}

void es_json_decimal(struct es_json *json, const char *key, int64_t value, unsigned decimals)
{
	char text[48];

	begin_member(json, key);
	put(json, text, es_decimal_text(value, decimals, text));
}

int es_write_all(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		if (w == 0)
			return -EIO;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

int es_json_sink_fd(void *sink, const char *data, size_t n)
{
	return es_write_all(*(int *)sink, data, n);
}

int es_json_sink_buf(void *sink, const char *data, size_t n)
{
	return es_buf_append(sink, data, n);
}
