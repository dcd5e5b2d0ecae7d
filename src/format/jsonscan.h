/*
 * jsonscan.h - reading JSON token by token, in place
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_JSONSCAN_H
#define ES_FORMAT_JSONSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Why not the tree that everything else is read with: a dump of the original tool is a list of millions of small
 * objects (100 MB, of which a tree takes ten times as much), its registers are unsigned 64-bit numbers (the tree
 * refuses what is larger than 2^63 - 1), and one that breaks off is still read as far as it goes.
 */

enum es_scan_token {
	ES_SCAN_END, /* of the text, after one whole value */
	ES_SCAN_OBJECT,
	ES_SCAN_OBJECT_END,
	ES_SCAN_ARRAY,
	ES_SCAN_ARRAY_END,
	ES_SCAN_KEY,
	ES_SCAN_STRING,
	ES_SCAN_NUMBER,
	ES_SCAN_TRUE,
	ES_SCAN_FALSE,
	ES_SCAN_NULL,
};

#define ES_SCAN_DEPTH_MAX 64U

/** struct es_scan - where the reading is; plain data, may be copied to come back to a place */
struct es_scan {
	const char *begin, *p, *end; /* borrowed */
	const char *text; /* of a key, string or number: without quotes, escapes as they are */
	size_t n_text;
	unsigned depth;
	uint64_t is_object; /* one bit a level, the innermost lowest */
	bool wants_key, wants_comma, is_done;
};

/** es_scan_init - read @n bytes; a byte order mark is passed over */
void es_scan_init(struct es_scan *scan, const char *text, size_t n);

/**
 * es_scan_next - the next token
 *
 * Returns an es_scan_token; -ENODATA: the text ends inside a value; -EBADMSG: not JSON, or nested too deep. After
 * an error the place stays, and the next call returns it again.
 */
int es_scan_next(struct es_scan *scan);

/** es_scan_skip - the rest of the value that began with @token (nothing for a plain one); 0 or an error as above */
int es_scan_skip(struct es_scan *scan, int token);
/** es_scan_skip_value - after a key: its value */
int es_scan_skip_value(struct es_scan *scan);

/** es_scan_is - the key or string read last is @text */
bool es_scan_is(const struct es_scan *scan, const char *text);
/** es_scan_copy - the string, key or number read last, unescaped; 0, or (and "" in @ret) -E2BIG or -EBADMSG (a NUL, half a surrogate pair) */
int es_scan_copy(const struct es_scan *scan, char *ret, size_t size);
/** es_scan_u64 - the number read last, where it is a whole one from 0 to 2^64 - 1; 0, -EBADMSG or -ERANGE */
int es_scan_u64(const struct es_scan *scan, uint64_t *ret);

#endif
