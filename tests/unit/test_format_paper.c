/*
 * test_format_paper.c - headings, texts and tables as a page and on sheets
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "format/paper.h"
#include "support/recordings.h"

struct fixture {
	struct test_recording made;
	struct es_plot plot;
	struct es_paper paper;
	struct es_buf out;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct es_report_options options = test_options();
	const struct es_profile_options all = { .is_full = false };
	uint64_t value = 0;

	assert_non_null(f);
	test_recording_init(&f->made, TEST_S);
	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (int i = 0; i <= 10; i++, value += 50 * TEST_J)
		test_sweep(&f->made, i * TEST_S, &value);
	test_end(&f->made, 10 * TEST_S, 0);
	(void)test_report(&f->made, &options);
	assert_int_equal(
		es_plot_build(f->made.recording, &f->made.report, &all, 100, &f->plot, NULL), 0);
	es_paper_init(&f->paper);
	es_buf_init(&f->out, 16U << 20);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_plot_finish(&f->plot);
	es_paper_finish(&f->paper);
	es_buf_finish(&f->out);
	test_recording_finish(&f->made);
	free(f);
	return 0;
}

static const char *html(struct fixture *f)
{
	assert_int_equal(es_paper_html(&f->paper, &f->plot, &f->out), 0);
	assert_int_equal(es_buf_u8(&f->out, 0), 0);
	return (const char *)f->out.data;
}

static void tables_have_heads_rows_and_numbers_to_the_right(void **state)
{
	struct fixture *f = *state;

	es_paper_table(&f->paper, "name|#watts|note");
	for (int i = 0; i < 2; i++) {
		es_paper_add(&f->paper, ES_PAPER_CELL, "row %d", i);
		es_paper_add(&f->paper, ES_PAPER_CELL, "%d", 10 * i);
		es_paper_add(&f->paper, ES_PAPER_CELL, "<&>");
	}

	assert_non_null(strstr(html(f), "<thead><tr><th>name</th><th class=\"n\">watts</th>"
					"<th>note</th></tr></thead>\n<tbody>\n"
					"<tr><td class=\"name\">row 0</td><td class=\"n\">0</td>"
					"<td class=\"name\">&lt;&amp;&gt;</td></tr>\n"
					"<tr><td class=\"name\">row 1</td>"));
}

static void a_table_without_heads_has_none(void **state)
{
	struct fixture *f = *state;

	es_paper_table(&f->paper, "|");
	es_paper_add(&f->paper, ES_PAPER_CELL, "left");
	es_paper_add(&f->paper, ES_PAPER_CELL, "right");

	assert_null(strstr(html(f), "<thead>"));
	assert_non_null(strstr((const char *)f->out.data, "<tr><td class=\"name\">left</td>"));
}

static void the_title_is_only_words(void **state)
{
	struct fixture *f = *state;

	es_paper_add(&f->paper, ES_PAPER_TITLE, "%s", "</title><script>");

	assert_non_null(strstr(html(f), "<title>&lt;/title&gt;&lt;script&gt;</title>"));
}

/* Texts of a scene, one after the other. */
static bool has_text(const struct es_scene *scene, const char *text)
{
	for (size_t i = 0; i < scene->n_marks; i++)
		if (scene->marks[i].type == ES_MARK_TEXT &&
		    strstr((const char *)scene->texts.data + scene->marks[i].text, text))
			return true;
	return false;
}

static size_t set_sheets(struct fixture *f, struct es_scene sheets[ES_PAPER_SHEETS_MAX])
{
	size_t n = 0;

	assert_int_equal(es_paper_sheets(&f->paper, &f->plot, sheets, &n), 0);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < sheets[i].n_points; j++) {
			assert_true(sheets[i].points[j].y <= sheets[i].height_pt);
			assert_true(sheets[i].points[j].x <= sheets[i].width_pt);
		}
	return n;
}

static void what_does_not_fit_on_two_sheets_is_told(void **state)
{
	struct fixture *f = *state;
	struct es_scene sheets[ES_PAPER_SHEETS_MAX];

	es_paper_table(&f->paper, "name|#number");
	for (int i = 0; i < 500; i++) {
		es_paper_add(&f->paper, ES_PAPER_CELL, "row %d", i);
		es_paper_add(&f->paper, ES_PAPER_CELL, "%d", i);
	}
	es_paper_add(&f->paper, ES_PAPER_HEADING, "behind it");

	assert_int_equal(set_sheets(f, sheets), 2);
	assert_true(has_text(&sheets[1], "There is more"));
	assert_true(has_text(&sheets[1], "number")); /* heads again */
	assert_false(has_text(&sheets[1], "behind it"));
	for (size_t i = 0; i < ES_PAPER_SHEETS_MAX; i++)
		es_scene_finish(&sheets[i]);
}

static void a_short_report_is_one_sheet_with_its_picture(void **state)
{
	struct fixture *f = *state;
	const struct es_report_paper_options options = { .n_rows_max = 10 };
	struct es_scene sheets[ES_PAPER_SHEETS_MAX];

	es_paper_finish(&f->paper);
	assert_int_equal(es_report_paper(&f->made.report, &options, &f->paper), 0);

	assert_int_equal(set_sheets(f, sheets), 1);
	assert_true(has_text(&sheets[0], "from joules to grams"));
	assert_true(has_text(&sheets[0], "package-0"));
	assert_true(has_text(&sheets[0], "How well it was measured"));
	for (size_t i = 0; i < ES_PAPER_SHEETS_MAX; i++)
		es_scene_finish(&sheets[i]);
}

static void long_texts_are_broken_into_lines(void **state)
{
	struct fixture *f = *state;
	struct es_scene sheets[ES_PAPER_SHEETS_MAX];
	char word[2001];

	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	es_paper_add(&f->paper, ES_PAPER_TEXT, "%s", word);
	es_paper_add(&f->paper, ES_PAPER_TEXT, "the end");

	assert_int_equal(set_sheets(f, sheets), 1);
	assert_true(has_text(&sheets[0], "the end"));
	for (size_t i = 0; i < ES_PAPER_SHEETS_MAX; i++)
		es_scene_finish(&sheets[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(tables_have_heads_rows_and_numbers_to_the_right),
		TEST(a_table_without_heads_has_none),
		TEST(the_title_is_only_words),
		TEST(what_does_not_fit_on_two_sheets_is_told),
		TEST(a_short_report_is_one_sheet_with_its_picture),
		TEST(long_texts_are_broken_into_lines),
#undef TEST
	};

	return cmocka_run_group_tests_name("format/paper", tests, NULL, NULL);
}
