/*
 * test_format_bands.c - which row of a picture a call of a region is drawn in
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include "base/cleanup.h"
#include "format/bands.h"

static struct es_bands place(const struct es_band_call *calls, size_t n, unsigned n_rows_max)
{
	const struct es_bands_options options = { .start_ns = 0,
						  .stop_ns = 1000,
						  .cell_ns = 10,
						  .n_rows_max = n_rows_max,
						  .n_regions = 4 };
	struct es_bands bands;

	assert_int_equal(es_bands_place(calls, n, &options, &bands), 0);
	return bands;
}

static void calls_one_after_the_other_share_a_row(void **state)
{
	static const struct es_band_call calls[] = { { 0, 0, 100 },
						     { 1, 100, 300 },
						     { 0, 300, 900 } };
	struct es_bands bands = place(calls, 3, 4);

	assert_int_equal(bands.n, 3);
	assert_int_equal(bands.n_rows, 1);
	assert_int_equal(bands.bands[1].region, 1);
	assert_int_equal(bands.bands[1].start_ns, 100);
	es_bands_finish(&bands);
	(void)state;
}

static void nested_and_concurrent_calls_lie_below(void **state)
{
	static const struct es_band_call calls[] = {
		{ 0, 0, 800 }, { 1, 100, 400 }, { 2, 200, 300 }, { 3, 500, 900 }, { 1, 850, 950 },
	};
	static const unsigned rows[] = { 0, 1, 2, 1, 2 };
	struct es_bands bands = place(calls, 5, 4);

	assert_int_equal(bands.n, 5);
	assert_int_equal(bands.n_rows, 3);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(bands.bands[i].row, rows[i]);
	es_bands_finish(&bands);
	(void)state;
}

static void a_call_is_cut_to_the_window(void **state)
{
	static const struct es_band_call calls[] = { { 0, -500, 100 },
						     { 1, 900, 5000 },
						     { 2, 1000, 2000 } };
	struct es_bands bands = place(calls, 3, 4);

	assert_int_equal(bands.n, 2);
	assert_int_equal(bands.bands[0].start_ns, 0);
	assert_int_equal(bands.bands[1].stop_ns, 1000);
	es_bands_finish(&bands);
	(void)state;
}

static void many_short_calls_become_a_strip_with_their_share(void **state)
{
	struct es_band_call calls[51] = { { 1, 0, 1000 } };
	struct es_bands bands;

	for (size_t i = 0; i < 50; i++)
		calls[i + 1] = (struct es_band_call){ 0, (int64_t)i * 10, (int64_t)i * 10 + 4 };
	bands = place(calls, 51, 4);

	assert_int_equal(bands.n, 51); /* the long one, and 50 cells */
	assert_int_equal(bands.n_rows, 2);
	assert_false(bands.bands[0].is_strip);
	for (size_t i = 1; i < 51; i++) {
		assert_true(bands.bands[i].is_strip);
		assert_int_equal(bands.bands[i].row, 1);
		assert_int_equal(bands.bands[i].share_percent, 40);
	}
	es_bands_finish(&bands);
	(void)state;
}

static void a_share_is_at_most_the_whole_where_calls_overlap(void **state)
{
	struct es_band_call calls[30];
	struct es_bands bands;

	for (size_t i = 0; i < 30; i++)
		calls[i] = (struct es_band_call){ 0, (int64_t)i, (int64_t)i + 10 };
	bands = place(calls, 30, 4);

	for (size_t i = 0; i < bands.n; i++)
		assert_in_range(bands.bands[i].share_percent, 1, 100);
	assert_int_equal(bands.bands[1].share_percent, 100);
	es_bands_finish(&bands);
	(void)state;
}

static void what_finds_no_row_is_counted_by_region(void **state)
{
	static const struct es_band_call calls[] = {
		{ 0, 0, 800 }, { 1, 100, 700 }, { 2, 200, 600 }, { 2, 620, 640 }, { 3, 300, 500 },
	};
	struct es_bands bands = place(calls, 5, 2);

	assert_int_equal(bands.n_rows, 2);
	assert_int_equal(bands.n, 2);
	assert_int_equal(bands.n_left_out, 2);
	es_bands_finish(&bands);
	(void)state;
}

static void strips_that_find_no_row_are_counted_too(void **state)
{
	struct es_band_call calls[60];
	struct es_bands bands;

	for (size_t i = 0; i < 60; i++)
		calls[i] = (struct es_band_call){ i % 3, (int64_t)i * 10, (int64_t)i * 10 + 4 };
	bands = place(calls, 60, 1);
	assert_int_equal(bands.n_rows, 1);
	assert_int_equal(bands.n_left_out, 2);
	es_bands_finish(&bands);
	(void)state;
}

static void nothing_gives_nothing(void **state)
{
	struct es_bands bands = place(NULL, 0, 4);

	assert_int_equal(bands.n, 0);
	assert_int_equal(bands.n_rows, 0);
	es_bands_finish(&bands);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_one_after_the_other_share_a_row),
		cmocka_unit_test(nested_and_concurrent_calls_lie_below),
		cmocka_unit_test(a_call_is_cut_to_the_window),
		cmocka_unit_test(many_short_calls_become_a_strip_with_their_share),
		cmocka_unit_test(a_share_is_at_most_the_whole_where_calls_overlap),
		cmocka_unit_test(what_finds_no_row_is_counted_by_region),
		cmocka_unit_test(strips_that_find_no_row_are_counted_too),
		cmocka_unit_test(nothing_gives_nothing),
	};

	return cmocka_run_group_tests_name("format/bands", tests, NULL, NULL);
}
