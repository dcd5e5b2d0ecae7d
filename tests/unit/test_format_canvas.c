/*
 * test_format_canvas.c - letters and colours of a terminal
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "format/canvas.h"

struct shown {
	struct es_canvas canvas;
	struct es_buf out;
};

static void begin(struct shown *shown, unsigned columns, bool has_unicode, unsigned n_colours)
{
	assert_int_equal(es_canvas_init(&shown->canvas, columns, 1), 0);
	shown->canvas.has_unicode = has_unicode;
	shown->canvas.n_colours = n_colours;
	es_buf_init(&shown->out, 4096);
}

static void expect(struct shown *shown, const char *text)
{
	assert_int_equal(es_canvas_write(&shown->canvas, &shown->out), 0);
	assert_int_equal(es_buf_u8(&shown->out, 0), 0);
	assert_string_equal((const char *)shown->out.data, text);
	es_buf_finish(&shown->out);
	es_canvas_finish(&shown->canvas);
}

static void words_are_cut_to_their_width(void **state)
{
	struct shown s;

	begin(&s, 10, true, 0);
	assert_int_equal(es_canvas_text(&s.canvas, 1, 0, 6, ES_INK_TEXT, false, "abcdefgh"), 6);
	expect(&s, " abcde…\n");
	begin(&s, 10, false, 0);
	(void)es_canvas_text(&s.canvas, 0, 0, 6, ES_INK_TEXT, false, "abcdefgh");
	expect(&s, "abcde.\n");
	(void)state;
}

static void no_terminal_obeys_a_name(void **state)
{
	static const struct {
		const char *name, *shown;
	} vectors[] = {
		{ "\033[2J", "?[2J\n" },
		{ "a\nb\r\t", "a?b??\n" },
		{ "\xc2\x9b"
		  "31m",
		  "?31m\n" },
		{ "\xff\xfe", "??\n" },
		{ "a\xe2\x80\xae"
		  "b",
		  "a?b\n" }, /* U+202E turns the line around */
		{ "\xe2\x81\xa7"
		  "x",
		  "?x\n" },
		{ "e\xcc\x81!", "e!\n" }, /* a mark of no width */
	};

	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct shown s;

		begin(&s, 20, true, 0);
		(void)es_canvas_text(&s.canvas, 0, 0, 20, ES_INK_TEXT, false, vectors[i].name);
		expect(&s, vectors[i].shown);
	}
	(void)state;
}

static void wide_letters_take_two_places(void **state)
{
	struct shown s;

	begin(&s, 8, true, 0);
	assert_int_equal(es_canvas_text_columns(&s.canvas, "計算x"), 5);
	assert_int_equal(es_canvas_text(&s.canvas, 0, 0, 4, ES_INK_TEXT, false, "計算x"), 3);
	es_canvas_put(&s.canvas, 4, 0, "|", ES_INK_NONE, ES_INK_NONE);
	expect(&s, "計… |\n");
	(void)state;
}

static void without_unicode_all_is_ascii(void **state)
{
	struct shown s;

	begin(&s, 30, false, 0);
	(void)es_canvas_text(&s.canvas, 0, 0, 30, ES_INK_TEXT, false, "±2 % · gCO₂e ×3 é計");
	expect(&s, "+2 % - gCO2e x3 ??\n");
	(void)state;
}

static void colours_are_those_that_the_terminal_has(void **state)
{
	enum es_ink blue = es_ink_of_domain(ES_DOMAIN_PACKAGE, 0);
	struct shown s;

	begin(&s, 3, true, 1U << 24);
	es_canvas_put(&s.canvas, 0, 0, "x", blue, ES_INK_NONE);
	expect(&s, "\033[0;38;2;0;114;178mx\033[0m\n");
	begin(&s, 3, true, 256);
	es_canvas_put(&s.canvas, 0, 0, "x", blue, blue);
	expect(&s, "\033[0;38;5;25;48;5;25mx\033[0m\n");
	begin(&s, 3, true, 16);
	es_canvas_put(&s.canvas, 0, 0, "x", blue, ES_INK_NONE);
	expect(&s, "\033[0;34mx\033[0m\n");
	begin(&s, 3, true, 0);
	es_canvas_put(&s.canvas, 0, 0, "x", blue, blue);
	expect(&s, "x\n");
	(void)state;
}

static void nothing_is_put_outside(void **state)
{
	struct shown s;

	begin(&s, 3, true, 0);
	es_canvas_put(&s.canvas, 3, 0, "x", ES_INK_TEXT, ES_INK_NONE);
	es_canvas_put(&s.canvas, 0, 1, "x", ES_INK_TEXT, ES_INK_NONE);
	(void)es_canvas_text(&s.canvas, 1, 0, 50, ES_INK_TEXT, true, "abcdef");
	expect(&s, " ab\n");
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_cut_to_their_width),
		cmocka_unit_test(no_terminal_obeys_a_name),
		cmocka_unit_test(wide_letters_take_two_places),
		cmocka_unit_test(without_unicode_all_is_ascii),
		cmocka_unit_test(colours_are_those_that_the_terminal_has),
		cmocka_unit_test(nothing_is_put_outside),
	};

	return cmocka_run_group_tests_name("format/canvas", tests, NULL, NULL);
}
