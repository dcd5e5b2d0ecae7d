/*
 * json.h - a streaming JSON writer
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BASE_JSON_H
#define ES_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ES_JSON_DEPTH_MAX 16U

/** es_json_sink_fn - takes @n bytes; 0 or negative errno, which stops the writer */
typedef int (*es_json_sink_fn)(void *sink, const char *data, size_t n);

/**
 * struct es_json - writes one JSON value, piece by piece, in constant memory
 *
 * Strings are escaped and made valid UTF-8 (a wrong byte becomes U+FFFD); numbers are written in the C locale;
 * what is not finite becomes null. The first failure sticks and is returned by es_json_end().
 */
struct es_json {
	es_json_sink_fn write;
	void *sink;
	bool is_pretty;
	unsigned depth;
	bool has_member[ES_JSON_DEPTH_MAX + 1];
	bool is_inline[ES_JSON_DEPTH_MAX + 1];
	int error;
	size_t used;
	char buffer[4096];
};

void es_json_init(struct es_json *json, es_json_sink_fn write, void *sink, bool is_pretty);
/** es_json_end - flush; returns 0 or the first error */
int es_json_end(struct es_json *json);

/* @key: NULL inside an array or at the top */
void es_json_object(struct es_json *json, const char *key);
void es_json_object_end(struct es_json *json);
void es_json_array(struct es_json *json, const char *key);
/** es_json_array_inline - an array whose items stay on one line */
void es_json_array_inline(struct es_json *json, const char *key);
void es_json_array_end(struct es_json *json);
void es_json_string(struct es_json *json, const char *key, const char *value); /* NULL: null */
void es_json_u64(struct es_json *json, const char *key, uint64_t value);
void es_json_i64(struct es_json *json, const char *key, int64_t value);
void es_json_bool(struct es_json *json, const char *key, bool value);
void es_json_null(struct es_json *json, const char *key);
/** es_json_double - the shortest decimal that reads back to the same double */
void es_json_double(struct es_json *json, const char *key, double value);
/** es_json_decimal - @value / 10^@decimals, exactly, trailing zeros left out: energies from µJ, powers from mW or µW */
void es_json_decimal(struct es_json *json, const char *key, int64_t value, unsigned decimals);

/** es_json_sink_fd - a sink that writes to the descriptor at @sink (int *) */
int es_json_sink_fd(void *sink, const char *data, size_t n);
/** es_json_sink_buf - a sink that appends to @sink (struct es_buf *) */
int es_json_sink_buf(void *sink, const char *data, size_t n);

/** es_decimal_text - @value / 10^@decimals, trailing zeros left out; returns the number of bytes put in @text (no NUL) */
size_t es_decimal_text(int64_t value, unsigned decimals, char text[static 48]);

/** es_write_all - write(2) until all is written, EINTR included; 0 or negative errno */
int es_write_all(int fd, const void *data, size_t n);

#endif
