/*
 * test_opt_front.c - the points that no other is better than
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "opt/front.h"
#include "support/random.h"

#define N_MAX 40U

static void points_of_the_front_are_in_order_of_time(void **state)
{
	const struct es_opt_point points[] = { { 5, 1 }, { 1, 9 }, { 2, 4 }, { 3, 4 },
					       { 4, 5 }, { 2, 4 }, { 1, 10 } };
	const size_t want[] = { 1, 2, 5, 0 };
	size_t front[7], n;

	(void)state;
	assert_int_equal(es_opt_front(points, 7, front, &n), 0);
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(front[i], want[i]);
	assert_int_equal(es_opt_front(points, 0, front, &n), 0);
	assert_int_equal(n, 0);
}

static bool is_dominated(const struct es_opt_point *points, size_t n, size_t i)
{
	for (size_t k = 0; k < n; k++)
		if (points[k].time <= points[i].time && points[k].energy <= points[i].energy &&
		    (points[k].time < points[i].time || points[k].energy < points[i].energy))
			return true;
	return false;
}

/* By the words of the definition, each against each; few values, so that many are equal. */
static void the_front_is_what_the_definition_says(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct es_opt_point points[N_MAX];
		size_t n = 1 + (size_t)test_random_below(&seed, N_MAX), front[N_MAX], n_front;
		bool is_front[N_MAX] = { false };

		for (size_t i = 0; i < n; i++)
			points[i] =
				(struct es_opt_point){ 1 + (double)test_random_below(&seed, 12),
						       1 + (double)test_random_below(&seed, 12) };
		assert_int_equal(es_opt_front(points, n, front, &n_front), 0);
		for (size_t i = 0; i < n_front; i++)
			is_front[front[i]] = true;
		for (size_t i = 0; i < n; i++)
			assert_int_equal(is_front[i], !is_dominated(points, n, i));
	}
}

/* Ends (1, 10) and (5, 2): scaled, (2, 5) is (0.25, 0.375), so (1 - 0.625) / sqrt(2) below the chord. */
static void the_knee_is_farthest_below_the_chord(void **state)
{
	const struct es_opt_point points[] = { { 1, 10 }, { 2, 5 }, { 3, 4 }, { 5, 2 } };
	const size_t front[] = { 0, 1, 2, 3 };
	double depth;

	(void)state;
	assert_int_equal(es_opt_knee(points, front, 4, &depth), 1);
	assert_true(fabs(depth - 0.375 / sqrt(2)) < 1e-12);
}

static void a_front_that_does_not_bend_down_has_no_knee(void **state)
{
	const struct es_opt_point points[] = { { 1, 10 }, { 2, 9.9 }, { 3, 6 }, { 5, 2 } };
	const size_t front[] = { 0, 1, 3 }, straight[] = { 0, 2, 3 };
	double depth;

	(void)state;
	assert_int_equal(es_opt_knee(points, front, 3, &depth), 0);
	assert_true(!(depth > 0));
	assert_int_equal(es_opt_knee(points, straight, 3, &depth), 0);
	assert_true(!(depth > 0));
	assert_int_equal(es_opt_knee(points, front, 1, &depth), 0);
	assert_true(!(depth > 0));
}

static bool is_surely_dominated(const struct es_opt_range *ranges, size_t n, size_t i)
{
	for (size_t k = 0; k < n; k++)
		if (ranges[k].time_high <= ranges[i].time_low &&
		    ranges[k].energy_high <= ranges[i].energy_low &&
		    (ranges[k].time_high < ranges[i].time_low ||
		     ranges[k].energy_high < ranges[i].energy_low))
			return true;
	return false;
}

/* Each against each again; some have no width, some no end. */
static void intervals_that_lie_apart_dominate_surely(void **state)
{
	uint64_t seed = 6;
	size_t n_surely = 0;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct es_opt_range ranges[N_MAX];
		size_t n = 1 + (size_t)test_random_below(&seed, N_MAX);
		bool is_surely[N_MAX];

		for (size_t i = 0; i < n; i++) {
			double time = 5 + (double)test_random_below(&seed, 12),
			       energy = 5 + (double)test_random_below(&seed, 12);
			double half = (double)test_random_below(&seed, 3);

			ranges[i] = (struct es_opt_range){ time - half, time + half, energy - half,
							   energy + half };
			if (test_random_below(&seed, 10) == 0)
				ranges[i] = (struct es_opt_range){ -INFINITY, INFINITY, -INFINITY,
								   INFINITY };
		}
		assert_int_equal(es_opt_dominated_surely(ranges, n, is_surely), 0);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(is_surely[i], is_surely_dominated(ranges, n, i));
			n_surely += is_surely[i];
		}
	}
	assert_true(n_surely > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_of_the_front_are_in_order_of_time),
		cmocka_unit_test(the_front_is_what_the_definition_says),
		cmocka_unit_test(the_knee_is_farthest_below_the_chord),
		cmocka_unit_test(a_front_that_does_not_bend_down_has_no_knee),
		cmocka_unit_test(intervals_that_lie_apart_dominate_surely),
	};

	return cmocka_run_group_tests_name("opt/front", tests, NULL, NULL);
}
