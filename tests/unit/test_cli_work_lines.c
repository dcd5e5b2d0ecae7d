/*
 * test_cli_work_lines.c - lines of a stream cut anywhere, against a simple reader
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/work_lines.h"
#include "support/random.h"

#define TEXT_BYTES 200000U

/* What was told, one line behind the other with a NUL between them. */
struct told {
	char *text;
	size_t n, n_lines;
};

static void on_line(void *arg, const char *line, size_t n)
{
	struct told *told = arg;

	assert_true(n > 0 && n <= ES_WORK_LINE_MAX_BYTES);
	assert_true(told->n + n + 1 <= 2 * TEXT_BYTES);
	memcpy(told->text + told->n, line, n);
	told->text[told->n + n] = '\0';
	told->n += n + 1;
	told->n_lines++;
}

static struct told feed(const char *text, size_t n, uint64_t *seed, size_t most)
{
	struct es_work_lines *lines = calloc(1, sizeof(*lines));
	struct told told = { .text = malloc(2 * TEXT_BYTES) };

	assert_non_null(lines);
	assert_non_null(told.text);
	lines->tell = on_line;
	lines->arg = &told;
	for (size_t at = 0, piece; at < n; at += piece) {
		/* In memory of just its size, so that each byte read behind it is seen. */
		char *copy;

		piece = most == 1 ? 1 : 1 + (size_t)test_random_below(seed, most);
		piece = piece < n - at ? piece : n - at;
		copy = malloc(piece);
		assert_non_null(copy);
		memcpy(copy, text + at, piece);
		es_work_lines_feed(lines, copy, piece);
		free(copy);
	}
	es_work_lines_end(lines);
	free(lines);
	return told;
}

static bool has_digit(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] >= '0' && p[i] <= '9')
			return true;
	return false;
}

/* The same, as simply as it can be said. */
static struct told expect(const char *text, size_t n)
{
	struct told told = { .text = malloc(2 * TEXT_BYTES) };

	assert_non_null(told.text);
	for (size_t at = 0; at < n;) {
		size_t length = 0, looked;

		while (at + length < n && text[at + length] != '\n' && text[at + length] != '\r')
			length++;
		looked = length < ES_WORK_LINE_MAX_BYTES ? length : ES_WORK_LINE_MAX_BYTES;
		if (looked && has_digit(text + at, looked))
			on_line(&told, text + at, looked);
		at += length + 1;
	}
	return told;
}

static void compare(const char *text, size_t n)
{
	static const size_t pieces[] = { 1, 2, 9, 300, 70000, TEXT_BYTES };
	struct told want = expect(text, n);
	uint64_t seed = 5;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct told got = feed(text, n, &seed, pieces[i]);

		assert_int_equal(got.n_lines, want.n_lines);
		assert_int_equal(got.n, want.n);
		assert_memory_equal(got.text, want.text, want.n);
		free(got.text);
	}
	free(want.text);
}

static void lines_are_the_same_wherever_the_stream_is_cut(void **state)
{
	static const char bytes[] = "aaaaaaaaaaaaaaaaaaaaaa \t/:0123456789\n\n\r\0\xb0\xb9\xff";
	uint64_t seed = 11;
	char *text = malloc(TEXT_BYTES);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < TEXT_BYTES; i++)
		text[i] = bytes[test_random_below(&seed, sizeof(bytes) - 1)];
	compare(text, TEXT_BYTES / 10);
	/* Few lines with digits among many without. */
	for (size_t i = 0; i < TEXT_BYTES; i++)
		text[i] = test_random_below(&seed, 900) == 0 ? '7' : i % 2 ? '\n' : 'y';
	compare(text, TEXT_BYTES);
	free(text);
}

static void of_long_lines_only_the_beginning_is_looked_at(void **state)
{
	struct es_work_lines *lines = calloc(1, sizeof(*lines));
	struct told told = { .text = malloc(2 * TEXT_BYTES) };
	char *text = malloc(TEXT_BYTES);

	(void)state;
	assert_non_null(lines);
	assert_non_null(told.text);
	assert_non_null(text);
	memset(text, 'x', TEXT_BYTES);
	text[0] = '1';
	text[ES_WORK_LINE_MAX_BYTES + 1000] = '\n';
	text[TEXT_BYTES - 1] = '\n';
	compare(text, TEXT_BYTES);

	lines->tell = on_line;
	lines->arg = &told;
	es_work_lines_feed(lines, text, ES_WORK_LINE_MAX_BYTES);
	es_work_lines_feed(lines, text + ES_WORK_LINE_MAX_BYTES, 1001);
	assert_int_equal(told.n_lines, 1);
	assert_int_equal(told.n, ES_WORK_LINE_MAX_BYTES + 1);
	assert_int_equal(lines->n_cut, 1);
	es_work_lines_feed(lines, text, ES_WORK_LINE_MAX_BYTES + 1001);
	assert_int_equal(lines->n_cut, 2);
	free(lines);
	free(told.text);
	free(text);
}

static void a_line_of_just_the_limit_is_not_cut(void **state)
{
	struct es_work_lines *lines = calloc(1, sizeof(*lines));
	struct told told = { .text = malloc(2 * TEXT_BYTES) };
	char text[ES_WORK_LINE_MAX_BYTES + 1];

	(void)state;
	assert_non_null(lines);
	assert_non_null(told.text);
	memset(text, '5', sizeof(text));
	text[ES_WORK_LINE_MAX_BYTES] = '\n';
	lines->tell = on_line;
	lines->arg = &told;
	es_work_lines_feed(lines, text, sizeof(text));
	es_work_lines_feed(lines, text, 10);
	es_work_lines_feed(lines, text + 10, sizeof(text) - 10);
	assert_int_equal(told.n_lines, 2);
	assert_int_equal(lines->n_cut, 0);
	free(lines);
	free(told.text);
}

static void every_byte_but_ten_is_no_digit(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++)
		for (size_t at = 0; at < 17; at++) {
			char text[17];
			struct told got;
			uint64_t seed = 1;
			bool is_told = byte >= '0' && byte <= '9';

			memset(text, 'q', sizeof(text));
			text[at] = (char)byte;
			got = feed(text, sizeof(text), &seed, sizeof(text));
			assert_int_equal(got.n_lines, is_told);
			free(got.text);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_the_same_wherever_the_stream_is_cut),
		cmocka_unit_test(of_long_lines_only_the_beginning_is_looked_at),
		cmocka_unit_test(a_line_of_just_the_limit_is_not_cut),
		cmocka_unit_test(every_byte_but_ten_is_no_digit),
	};

	return cmocka_run_group_tests_name("cli/work_lines", tests, NULL, NULL);
}
