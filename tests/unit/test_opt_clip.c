/*
 * test_opt_clip.c - settings that change nothing any more
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <math.h>

#include "base/cleanup.h"
#include "opt/clip.h"

static const double clocks[] = { 2100, 405, 585, 780, 960, 1155, 1335, 1530, 1710, 1905 };

/* Kernel Tuner's public table of an RTX A4000: its clock was 1752 MHz where 1905 was asked for, 1740 for 2100. */
static void requests_beyond_the_top_are_seen_by_their_times(void **state)
{
	static const double ms[] = { 77.5378,  332.5863, 230.3109, 172.7244, 140.3710,
				     116.6619, 100.9409, 88.1852,  78.8212,  76.9571 };
	static const double watts[] = { 139.161, 43.928, 52.095,  58.972,  65.004,
					72.241,	 79.923, 103.031, 133.824, 138.871 };
	struct es_opt_point points[ES_ARRAY_SIZE(clocks)];
	double reached[ES_ARRAY_SIZE(clocks)];

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(clocks); i++)
		points[i] = (struct es_opt_point){ ms[i], ms[i] * watts[i] };
	assert_int_equal(es_opt_clip(clocks, points, ES_ARRAY_SIZE(clocks), reached), 2);
	assert_true(fabs(reached[0] - 1746) < 20 && fabs(reached[9] - 1746) < 20);
	for (size_t i = 1; i < 9; i++)
		assert_true(!(reached[i] > 0));
}

/* Bound by memory: times stand still below the top already, and say nothing of the clock. */
static void times_that_the_clock_does_not_change_say_nothing(void **state)
{
	struct es_opt_point points[ES_ARRAY_SIZE(clocks)];
	double reached[ES_ARRAY_SIZE(clocks)];

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(clocks); i++)
		points[i] = (struct es_opt_point){ 10, 10 * 100 };
	assert_int_equal(es_opt_clip(clocks, points, ES_ARRAY_SIZE(clocks), reached), 0);
	for (size_t i = 0; i < ES_ARRAY_SIZE(clocks); i++)
		points[i] = (struct es_opt_point){ fmax(60, 1e5 / clocks[i]),
						   fmax(60, 1e5 / clocks[i]) * clocks[i] };
	assert_int_equal(es_opt_clip(clocks, points, ES_ARRAY_SIZE(clocks), reached), 0);
}

static void clocks_that_were_reached_are_left(void **state)
{
	struct es_opt_point points[ES_ARRAY_SIZE(clocks)];
	double reached[ES_ARRAY_SIZE(clocks)];

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(clocks); i++)
		points[i] = (struct es_opt_point){ 1e5 / clocks[i], 100 };
	assert_int_equal(es_opt_clip(clocks, points, ES_ARRAY_SIZE(clocks), reached), 0);
	assert_int_equal(es_opt_clip(clocks, points, 1, reached), 0);
	assert_int_equal(es_opt_clip(clocks, points, 0, reached), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_beyond_the_top_are_seen_by_their_times),
		cmocka_unit_test(times_that_the_clock_does_not_change_say_nothing),
		cmocka_unit_test(clocks_that_were_reached_are_left),
	};

	return cmocka_run_group_tests_name("opt/clip", tests, NULL, NULL);
}
