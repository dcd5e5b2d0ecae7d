/*
 * fuzz_pick.c - any bytes as the answer of a meter, and as what is wanted of it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * The input: a letter (j JSON, l a list, c a column, k a key, n a number), what is wanted up to the first newline, where
 * its time is up to the second, then the answer.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "fuzz/target.h"
#include "source/pick.h"

/* One line of at most 255 bytes; NULL: there is none. */
static const char *take_line(const uint8_t **data, size_t *n, char line[static 256])
{
	const uint8_t *end = *n ? memchr(*data, '\n', *n) : NULL;
	size_t n_line = end ? (size_t)(end - *data) : 0;

	if (!end || n_line >= 256)
		return NULL;
	if (n_line)
		memcpy(line, *data, n_line);
	line[n_line] = '\0';
	*data = end + 1;
	*n -= n_line + 1;
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char how = n ? (char)data[0] : 'n', what[256], time[256];
	struct es_pick_words words = { .fragment = NULL };
	struct es_picked picked = { .value = 0 };
	struct es_error err = { .code = 0 };
	struct es_pick pick;
	char *text;
	int r;

	if (n == 0)
		return 0;
	data++;
	n--;
	if (!take_line(&data, &n, what) || !take_line(&data, &n, time))
		return 0;
	words.time = time[0] ? time : NULL;
	words.fragment = how == 'j' || how == 'l' ? what : NULL;
	words.where = how == 'l' ? "a:b" : NULL;
	words.column = how == 'c' ? what : NULL;
	words.key = how == 'k' ? what : NULL;
	if (es_pick_init(&words, &pick, &err) < 0) {
		fuzz_require(err.code < 0 && err.text[0] != '\0');
		return 0;
	}
	/* Exactly so long: what reads beyond it is seen. */
	text = malloc(n ? n : 1);
	if (!text)
		return 0;
	if (n)
		memcpy(text, data, n);
	r = es_pick(&pick, text, n, &picked, &err);
	fuzz_require(r <= 0 && (r == 0 || err.text[0] != '\0'));
	if (r == 0) {
		fuzz_require(isfinite(picked.value));
		fuzz_require(picked.has_time == (words.time != NULL));
		fuzz_require(!picked.has_time || (picked.t_unix_ns > -ES_TIME_MAX_NS &&
						  picked.t_unix_ns < ES_TIME_MAX_NS));
	}
	free(text);
	return 0;
}
