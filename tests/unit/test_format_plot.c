/*
 * test_format_plot.c - what a picture of a recording shows, and the picture in letters
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "format/plot.h"
#include "support/recordings.h"

struct fixture {
	struct test_recording made;
	struct es_plot plot;
	struct es_buf out;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	test_recording_init(&f->made, TEST_S);
	es_buf_init(&f->out, 16U << 20);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->plot.report)
		es_plot_finish(&f->plot);
	es_buf_finish(&f->out);
	test_recording_finish(&f->made);
	free(f);
	return 0;
}

static void build(struct fixture *f, size_t n_columns)
{
	const struct es_profile_options options = { .is_full = false };
	const struct es_report_options report_options = test_options();
	struct es_error err = { .code = 0 };

	(void)test_report(&f->made, &report_options);
	if (es_plot_build(f->made.recording, &f->made.report, &options, n_columns, &f->plot, &err) <
	    0)
		fail_msg("%s", err.text);
}

/* A package and its memory at 100 W and 20 W for a minute; regions; @peak_s: 900 W for that second. */
static void record_minute(struct fixture *f, int peak_s)
{
	uint64_t package_uj = 0, dram_uj = 0;

	(void)test_domain(&f->made, "powercap", ES_DOMAIN_DRAM, 0, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1)->limit_mw = 150000;
	test_event(&f->made, ES_EVENT_TAG_START, 10 * TEST_S, 0, "solve");
	test_event(&f->made, ES_EVENT_TAG_STOP, 40 * TEST_S, 0, "solve");
	for (int i = 0; i <= 60; i++) {
		const uint64_t values[] = { dram_uj, package_uj };

		test_sweep(&f->made, i * TEST_S, values);
		package_uj += (i == peak_s ? 900 : i < 30 ? 100 : 60) * TEST_J;
		dram_uj += 20 * TEST_J;
	}
	test_end(&f->made, 60 * TEST_S, 0);
}

static const char *text_of(struct fixture *f)
{
	assert_int_equal(es_buf_u8(&f->out, 0), 0);
	return (const char *)f->out.data;
}

static void processors_lie_below_memory(void **state)
{
	struct fixture *f = *state;

	record_minute(f, -1);
	build(f, 100);

	assert_int_equal(f->plot.n_columns, 60);
	assert_int_equal(f->plot.n_layers, 2);
	assert_string_equal(f->plot.layers[0].name, "package-0");
	assert_string_equal(f->plot.layers[1].name, "dram-0");
	assert_int_equal(f->plot.layers[0].power_mw[5], 100000);
	assert_int_equal(f->plot.layers[0].power_mw[50], 60000);
	assert_int_equal(f->plot.layers[1].energy_uj, 1200 * TEST_J);
	assert_int_equal(f->plot.stack_uj, (3000 + 1800 + 1200) * TEST_J);
	assert_false(f->plot.has_peaks);
	assert_int_equal(f->plot.n_gaps, 0);
	assert_int_equal(f->plot.n_calls, 1); /* es_total is no region of the user's */
}

static void only_what_has_a_limit_is_below_its_line(void **state)
{
	struct fixture *f = *state;

	record_minute(f, -1);
	build(f, 100);

	assert_int_equal(f->plot.limit_mw, 150000);
	assert_string_equal(f->plot.limit_text, "limit of 1 package");
	assert_true(es_plot_shows_limit(&f->plot));
}

static void a_peak_stays_when_columns_are_long(void **state)
{
	struct fixture *f = *state;
	size_t n_high = 0;

	record_minute(f, 33);
	build(f, 10);

	assert_true(f->plot.n_columns <= 10);
	assert_true(f->plot.has_peaks);
	assert_int_equal(es_plot_top_mw(&f->plot), 920000);
	for (size_t i = 0; i < f->plot.n_columns; i++) {
		uint64_t mean_mw = f->plot.layers[0].power_mw[i] + f->plot.layers[1].power_mw[i];

		assert_true(f->plot.least_mw[i] <= mean_mw && mean_mw <= f->plot.most_mw[i]);
		n_high += f->plot.most_mw[i] == 920000;
	}
	assert_in_range(n_high, 1, 2); /* its own column, or the two whose edge it lies on */
}

static void halving_keeps_the_least_the_most_and_the_mean(void **state)
{
	struct fixture *f = *state;

	record_minute(f, 33);
	build(f, 100);
	es_plot_halve(&f->plot);
	es_plot_halve(&f->plot);

	assert_int_equal(f->plot.n_columns, 15);
	assert_int_equal(f->plot.most_mw[8], 920000); /* 32 to 36 s */
	assert_int_equal(f->plot.least_mw[8], 80000);
	assert_int_equal(f->plot.layers[0].power_mw[8], (3 * 60000 + 900000) / 4);
	assert_int_equal(f->plot.most_mw[7], 120000); /* 28 to 32 s, over the step at 30 */
	assert_int_equal(f->plot.least_mw[7], 80000);
}

static void a_reset_is_a_gap_and_nothing_is_drawn_through_it(void **state)
{
	struct fixture *f = *state;
	uint64_t value = 50 * TEST_J;

	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (int i = 0; i <= 40; i++) {
		/* The machine's counter begins anew at 20 s, twice: no wrap fits. */
		test_sweep(&f->made, i * TEST_S, &value);
		value = i == 19 ? 5 : value + 50 * TEST_J;
	}
	test_end(&f->made, 40 * TEST_S, 0);
	build(f, 100);

	assert_true(f->plot.n_gaps >= 1);
	assert_false(f->plot.is_known[19]);
	assert_true(f->plot.is_known[10] && f->plot.is_known[30]);
	assert_false(f->plot.gaps[0].has_mean);
	assert_int_equal(f->plot.gaps[0].start_ns - TEST_START_NS, 19 * TEST_S);
	assert_int_equal(f->plot.gaps[0].stop_ns - TEST_START_NS, 20 * TEST_S);
}

/* Three nodes at 100 W; the counter of the first begins anew at 20 s, those of the first two at 30 s. */
static void a_node_without_readings_does_not_hide_the_others(void **state)
{
	struct fixture *f = *state;
	uint64_t values[] = { 50 * TEST_J, 50 * TEST_J, 50 * TEST_J };

	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (int i = 2; i <= 3; i++) {
		assert_int_equal(es_meta_add_node(&f->made.meta, i == 2 ? "n2" : "n3"), 0);
		(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	}
	for (int i = 0; i <= 40; i++) {
		test_sweep(&f->made, i * TEST_S, values);
		for (int n = 0; n < 3; n++)
			values[n] = (i == 19 && n == 0) || (i == 29 && n <= 1)
					    ? 5
					    : values[n] + 100 * TEST_J;
	}
	test_end(&f->made, 40 * TEST_S, 0);
	build(f, 100);

	assert_int_equal(f->plot.n_columns, 40);
	assert_true(f->plot.has_filled_columns);
	assert_true(f->plot.is_known[19]);
	assert_in_range(f->plot.filled_mw[19], 99000, 101000);
	assert_int_equal(f->plot.filled_mw[10], 0);
	assert_false(f->plot.is_known[29]);
	assert_int_equal(f->plot.n_gaps, 1);
	assert_int_equal(f->plot.gaps[0].start_ns - TEST_START_NS, 29 * TEST_S);
	assert_int_equal(f->plot.gaps[0].stop_ns - TEST_START_NS, 30 * TEST_S);
}

/* 50 W; it stands from 10 to 20 s, and for good from 30 s on: nobody knows what was drawn. */
static void a_counter_that_stood_still_is_hatched(void **state)
{
	struct fixture *f = *state;
	uint64_t value = 50 * TEST_J;

	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (int i = 0; i <= 40; i++) {
		test_sweep(&f->made, i * TEST_S, &value);
		value += (i >= 10 && i < 20) || i >= 30 ? 0 : 50 * TEST_J;
	}
	test_end(&f->made, 40 * TEST_S, 0);
	build(f, 100);

	assert_int_equal(f->plot.n_columns, 40);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(f->plot.is_known[i], i < 10 || (i >= 20 && i < 30));
	assert_int_equal(f->plot.n_gaps, 2);
	assert_int_equal(f->plot.layers[0].power_mw[25], 50000);
}

/* A device may draw nothing. */
static void what_may_rest_is_drawn_at_0_W(void **state)
{
	struct fixture *f = *state;
	uint64_t value = 50 * TEST_J;

	(void)test_domain(&f->made, "powercap", ES_DOMAIN_GPU, 0, -1);
	for (int i = 0; i <= 40; i++) {
		test_sweep(&f->made, i * TEST_S, &value);
		value += i >= 30 ? 0 : 50 * TEST_J;
	}
	test_end(&f->made, 40 * TEST_S, 0);
	build(f, 100);

	assert_int_equal(f->plot.n_gaps, 0);
	assert_true(f->plot.is_known[35]);
	assert_int_equal(f->plot.layers[0].power_mw[35], 0);
}

/* The numbers of a page: what its script hatches when somebody looks closer. */
static void a_page_says_what_stands_for_missing_nodes(void **state)
{
	struct fixture *f = *state;
	const struct es_plot_look look = { .width_pt = 800, .height_pt = 500 };
	const char *filled;

	a_node_without_readings_does_not_hide_the_others(state);
	assert_int_equal(es_plot_page(&f->plot, &look, &f->out), 0);
	filled = strstr(text_of(f), "\"filled\"");

	assert_non_null(filled);
	assert_int_equal(strncmp(filled, "\"filled\":[0,0,0,", 16), 0);
	assert_non_null(strstr(filled, ",0,100000,0,"));
}

static void missing_sweeps_are_hatched_with_their_mean(void **state)
{
	struct fixture *f = *state;
	uint64_t value = 0;

	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (int i = 0; i <= 40; i++) {
		if (i <= 10 || i >= 20)
			test_sweep(&f->made, i * TEST_S, &value);
		value += 50 * TEST_J;
	}
	test_end(&f->made, 40 * TEST_S, 0);
	build(f, 100);

	assert_int_equal(f->plot.n_gaps, 1);
	assert_true(f->plot.gaps[0].has_mean);
	assert_int_equal(f->plot.gaps[0].stop_ns - f->plot.gaps[0].start_ns, 10 * TEST_S);
	assert_int_equal(f->plot.layers[0].power_mw[15], 50000);
}

static void many_domains_are_drawn_by_type(void **state)
{
	struct fixture *f = *state;
	uint64_t values[16] = { 0 };

	for (int i = 0; i < 16; i++)
		(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, i, -1);
	for (int i = 0; i <= 5; i++) {
		test_sweep(&f->made, i * TEST_S, values);
		for (size_t j = 0; j < 16; j++)
			values[j] += 10 * TEST_J;
	}
	test_end(&f->made, 5 * TEST_S, 0);
	build(f, 100);

	assert_int_equal(f->plot.n_layers, 1);
	assert_int_equal(f->plot.n_aggregated, 16);
	assert_string_equal(f->plot.layers[0].name, "package (16)");
	assert_int_equal(f->plot.layers[0].power_mw[2], 160000);
}

static void what_contains_the_parts_is_a_line_not_a_layer(void **state)
{
	struct fixture *f = *state;
	uint64_t values[2] = { 0, 0 };

	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PSYS, -1, -1);
	for (int i = 0; i <= 10; i++) {
		test_sweep(&f->made, i * TEST_S, values);
		values[0] += 30 * TEST_J;
		values[1] += 45 * TEST_J;
	}
	test_end(&f->made, 10 * TEST_S, 0);
	build(f, 100);

	assert_int_equal(f->plot.n_layers, 1);
	assert_int_equal(f->plot.n_lines, 1);
	assert_string_equal(f->plot.lines[0].name, "whole (psys)");
	assert_int_equal(f->plot.lines[0].power_mw[5], 45000);
	assert_int_equal(f->plot.stack_uj, 300 * TEST_J);
}

static void no_readings_give_a_picture_that_says_so(void **state)
{
	struct fixture *f = *state;
	const struct es_plot_look look = { .title = NULL };
	struct es_scene scene;

	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_end(&f->made, 0, 0);
	build(f, 100);
	assert_int_equal(f->plot.n_columns, 0);
	assert_int_equal(es_plot_scene(&f->plot, &look, &scene, NULL), 0);
	assert_int_equal(es_scene_svg(&scene, false, &f->out), 0);
	es_scene_finish(&scene);

	assert_non_null(strstr(text_of(f), "no readings"));
}

static void estimates_are_hatched_and_named(void **state)
{
	struct fixture *f = *state;
	const struct es_plot_look look = { .title = NULL };
	struct es_scene scene;
	const char *text;

	(void)test_estimate(&f->made);
	for (int i = 0; i <= 10; i++) {
		uint64_t value = (uint64_t)i * 20 * TEST_J;

		test_sweep_busy(&f->made, i * TEST_S, &value, i * TEST_S);
	}
	test_end(&f->made, 10 * TEST_S, 0);
	build(f, 100);
	assert_int_equal(es_plot_scene(&f->plot, &look, &scene, NULL), 0);
	assert_int_equal(es_scene_svg(&scene, false, &f->out), 0);
	es_scene_finish(&scene);
	text = text_of(f);

	assert_non_null(strstr(text, "url(#h"));
	assert_non_null(strstr(text, "· estimated</text>"));
}

/* Line by line against a file of tests/golden/terminal; from the second line on it is the picture. */
static void check_drawing(struct fixture *f, const struct es_terminal *terminal, const char *golden)
{
	const char *root = getenv("ES_SOURCE_ROOT");
	char path[512], want[2048];
	es_cleanup(es_fclosep) FILE *file = NULL;
	char *line, *rest = NULL;

	(void)snprintf(path, sizeof(path), "%s/tests/golden/terminal/%s", root ? root : ".",
		       golden);
	file = fopen(path, "re");
	assert_non_null(file);
	es_buf_reset(&f->out);
	assert_int_equal(es_plot_terminal(&f->plot, terminal, NULL, &f->out), 0);
	assert_int_equal(es_buf_u8(&f->out, 0), 0);
	line = strtok_r((char *)f->out.data, "\n", &rest);
	while (fgets(want, sizeof(want), file)) {
		want[strcspn(want, "\n")] = '\0';
		assert_non_null(line);
		assert_string_equal(line, want);
		line = strtok_r(NULL, "\n", &rest);
	}
	assert_null(line);
}

static void it_is_drawn_in_80_columns(void **state)
{
	struct fixture *f = *state;
	const struct es_terminal terminal = { .columns = 80, .lines = 18, .has_unicode = true };

	record_minute(f, -1);
	build(f, es_plot_terminal_columns(&terminal));
	check_drawing(f, &terminal, "minute-80.txt");
}

static void it_is_drawn_in_60_columns_of_ascii(void **state)
{
	struct fixture *f = *state;
	const struct es_terminal terminal = { .columns = 60, .lines = 16 };

	record_minute(f, 33);
	build(f, es_plot_terminal_columns(&terminal));
	check_drawing(f, &terminal, "minute-60.txt");
}

static void it_is_drawn_in_200_columns(void **state)
{
	struct fixture *f = *state;
	const struct es_terminal terminal = { .columns = 200, .lines = 14, .has_unicode = true };

	record_minute(f, -1);
	build(f, es_plot_terminal_columns(&terminal));
	check_drawing(f, &terminal, "minute-200.txt");
}

/* Columns on the screen: bytes that do not continue a letter. */
static size_t columns_of(const char *line, size_t n)
{
	size_t columns = 0;

	for (size_t i = 0; i < n; i++)
		columns += ((unsigned char)line[i] & 0xc0) != 0x80;
	return columns;
}

static void it_fits_any_terminal(void **state)
{
	static const unsigned columns[] = { 0, 30, 33, 61, 132, 500, 4000 };
	static const unsigned lines[] = { 0, 10, 11, 25, 100 };
	struct fixture *f = *state;

	record_minute(f, 33);
	build(f, 50);
	for (size_t i = 0; i < ES_ARRAY_SIZE(columns) * ES_ARRAY_SIZE(lines); i++) {
		const struct es_terminal terminal = {
			.columns = columns[i % ES_ARRAY_SIZE(columns)],
			.lines = lines[i / ES_ARRAY_SIZE(columns)],
			.has_unicode = i % 2,
		};
		size_t n = 0;

		es_buf_reset(&f->out);
		assert_int_equal(es_plot_terminal(&f->plot, &terminal, NULL, &f->out), 0);
		for (const char *line = text_of(f), *end; (end = strchr(line, '\n'));
		     line = end + 1) {
			size_t width = columns_of(line, (size_t)(end - line));

			assert_true(width <= terminal.columns || width <= 30);
			n++;
		}
		assert_true(n <= terminal.lines || n <= 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(processors_lie_below_memory),
		TEST(only_what_has_a_limit_is_below_its_line),
		TEST(a_peak_stays_when_columns_are_long),
		TEST(halving_keeps_the_least_the_most_and_the_mean),
		TEST(a_reset_is_a_gap_and_nothing_is_drawn_through_it),
		TEST(a_node_without_readings_does_not_hide_the_others),
		TEST(a_counter_that_stood_still_is_hatched),
		TEST(what_may_rest_is_drawn_at_0_W),
		TEST(a_page_says_what_stands_for_missing_nodes),
		TEST(missing_sweeps_are_hatched_with_their_mean),
		TEST(many_domains_are_drawn_by_type),
		TEST(what_contains_the_parts_is_a_line_not_a_layer),
		TEST(no_readings_give_a_picture_that_says_so),
		TEST(estimates_are_hatched_and_named),
		TEST(it_is_drawn_in_80_columns),
		TEST(it_is_drawn_in_60_columns_of_ascii),
		TEST(it_is_drawn_in_200_columns),
		TEST(it_fits_any_terminal),
#undef TEST
	};

	(void)setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("format/plot", tests, NULL, NULL);
}
