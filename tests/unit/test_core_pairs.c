/*
 * test_core_pairs.c - two meters side by side: windows, lag, line with errors in both
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/pairs.h"
#include "support/random.h"

#define S 1000000000LL
#define MS 1000000LL

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.12g is not %.12g within %g", value, expected, tolerance);
}

/* Steps of 10 s between 60 W and 240 W, in an order that repeats after 70 s. */
static double power_w(double t_s)
{
	static const double levels[] = { 60, 240, 120, 180, 90, 200, 150 };

	return t_s < 0 ? 60 : levels[(size_t)(t_s / 10) % 7];
}

static uint64_t energy_uj(double from_s, double to_s, double slope, double offset_w)
{
	double sum_j = 0;

	for (double t_s = from_s; t_s < to_s - 1e-9; t_s += 0.01)
		sum_j += 0.01 * (offset_w + slope * power_w(t_s + 0.005));
	return (uint64_t)llround(sum_j * 1e6);
}

static void add(struct es_course *course, double from_s, double to_s, uint64_t uj, bool is_gap)
{
	const struct es_sample sample = { .t0_ns = (int64_t)llround(from_s * 1e9),
					  .t1_ns = (int64_t)llround(to_s * 1e9),
					  .energy_uj = uj,
					  .is_gap = is_gap };

	es_course_add(course, &sample);
}

/* A meter read each @step_s that shows what was @late_s ago. */
static void make(struct es_course *course, double dur_s, double step_s, double slope,
		 double offset_w, double late_s)
{
	for (double t_s = 0; t_s < dur_s - 1e-9; t_s += step_s)
		add(course, t_s, t_s + step_s,
		    energy_uj(t_s - late_s, t_s + step_s - late_s, slope, offset_w), false);
}

static void power_of_a_stretch_is_exact_between_readings_and_unknown_in_gaps(void **state)
{
	struct es_course course = { .n = 0 };
	double w;

	(void)state;
	add(&course, 0, 1, 100000000, false);
	add(&course, 1, 2, 200000000, false);
	add(&course, 2, 5, 0, true);
	add(&course, 5, 6, 50000000, false);

	assert_true(es_course_power_w(&course, 0, 2 * S, &w));
	assert_near(w, 150, 1e-9);
	assert_true(es_course_power_w(&course, S / 2, 3 * S / 2, &w));
	assert_near(w, 150, 1e-9);
	assert_true(es_course_power_w(&course, 5 * S, 6 * S, &w));
	assert_near(w, 50, 1e-9);
	assert_false(es_course_power_w(&course, S, 3 * S, &w));
	assert_false(es_course_power_w(&course, 3 * S, 4 * S, &w));
	assert_false(es_course_power_w(&course, 0, 6 * S, &w));
	assert_false(es_course_power_w(&course, -S, S, &w));
	assert_false(es_course_power_w(&course, 5 * S, 7 * S, &w));
	assert_false(es_course_power_w(&course, S, S, &w));
	es_course_finish(&course);
}

static void a_long_course_is_thinned_out_and_keeps_its_energy(void **state)
{
	struct es_course course = { .n = 0 };
	size_t n = 3 * (size_t)ES_COURSE_KNOTS_MAX;
	double w;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		bool is_gap = i == 1000;
		const struct es_sample sample = { .t0_ns = (int64_t)i * MS,
						  .t1_ns = (int64_t)(i + 1) * MS,
						  .energy_uj = is_gap ? 0 : 1000 + i % 3,
						  .is_gap = is_gap };

		es_course_add(&course, &sample);
	}
	assert_false(course.lacks_memory);
	assert_true(course.n <= ES_COURSE_KNOTS_MAX);
	assert_false(es_course_power_w(&course, 0, 3000 * MS, &w));
	assert_true(es_course_power_w(&course, 3000 * MS, 303000 * MS, &w));
	assert_near(w, 1.001, 1e-5);
	es_course_finish(&course);
}

static void deming_is_least_squares_where_x_is_exact_and_its_mirror_where_y_is(void **state)
{
	(void)state;
	/* sxx 10, sxy 8, syy 9 */
	assert_near(es_line_slope(10, 8, 9, INFINITY), 0.8, 1e-12);
	assert_near(es_line_slope(10, 8, 9, 1e9), 0.8, 1e-6);
	assert_near(es_line_slope(10, 8, 9, 1e-9), 9.0 / 8.0, 1e-6);
	/* Orthogonal: (syy - sxx + sqrt((syy - sxx)^2 + 4 sxy^2)) / (2 sxy). */
	assert_near(es_line_slope(10, 8, 9, 1), (-1 + sqrt(1 + 256)) / 16, 1e-12);
	/* x and y changed over: the inverse. */
	assert_near(es_line_slope(10, 8, 9, 1) * es_line_slope(9, 8, 10, 1), 1, 1e-12);
	assert_near(es_line_slope(10, -8, 9, 1), -(-1 + sqrt(1 + 256)) / 16, 1e-12);
	assert_near(es_line_slope(0, 0, 9, 1), 0, 0);
}

static void lag_slope_and_offset_of_a_late_meter_are_found(void **state)
{
	struct es_course x = { .n = 0 }, y = { .n = 0 };
	const struct es_course *const parts[] = { &x };
	const struct es_pair_source source = { .x = parts, .n_x = 1, .y = &y };
	struct es_pairs pairs = { .n = 0 };
	struct es_pair_fit fit;
	struct es_lag lag;

	(void)state;
	make(&x, 200, 0.1, 1, 0, 0);
	make(&y, 200, 1, 1.2, 970, 4.3);

	assert_int_equal(es_pairs_find_lag(&source, 1, 2 * S, 30 * S, &lag), 0);
	assert_true(lag.is_known);
	assert_near((double)lag.lag_ns / 1e9, 4.3, 0.5);
	assert_true(lag.bound_ns >= 200 * MS && lag.bound_ns < 2 * S);
	assert_int_equal(es_pairs_gather(&pairs, &source, 2 * S, lag.lag_ns, 0), 0);
	assert_int_equal(es_pairs_fit(&pairs, INFINITY, &fit), 0);
	assert_true(fit.has_line);
	assert_near(fit.slope, 1.2, fit.slope_bound + 0.01);
	assert_near(fit.offset_w, 970, fit.offset_bound_w + 2);
	assert_near(fit.slope, 1.2, 0.03);
	es_pairs_finish(&pairs);
	es_course_finish(&x);
	es_course_finish(&y);
}

static void meters_whose_power_hardly_moves_have_a_ratio_and_no_line(void **state)
{
	struct es_course x = { .n = 0 }, y = { .n = 0 };
	const struct es_course *const parts[] = { &x };
	const struct es_pair_source source = { .x = parts, .n_x = 1, .y = &y };
	struct es_pairs pairs = { .n = 0 };
	struct es_pair_fit fit;
	struct es_lag lag;
	uint64_t seed = 5;

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		uint64_t noise_uj = test_random(&seed) % 200000;

		add(&x, i, i + 1, 100000000 + noise_uj, false);
		add(&y, i, i + 1, 89000000 + noise_uj * 89 / 100, false);
	}
	assert_int_equal(es_pairs_find_lag(&source, 1, 2 * S, 10 * S, &lag), 0);
	assert_int_equal(es_pairs_gather(&pairs, &source, 2 * S, 0, 0), 0);
	assert_int_equal(es_pairs_fit(&pairs, 1, &fit), 0);
	assert_near(fit.ratio, 0.89, 1e-6);
	assert_false(fit.has_line);
	es_pairs_finish(&pairs);
	es_course_finish(&x);
	es_course_finish(&y);
}

/* Normal deviates by the sum of twelve uniform ones. */
static double deviate(uint64_t *seed)
{
	double sum = -6;

	for (unsigned i = 0; i < 12; i++)
		sum += (double)(test_random(seed) >> 11) / 9007199254740992.0;
	return sum;
}

static void put(struct es_pairs *pairs, double x_w, double y_w)
{
	if (pairs->n == pairs->cap) {
		pairs->cap = pairs->cap ? 2 * pairs->cap : 64;
		pairs->pairs = reallocarray(pairs->pairs, pairs->cap, sizeof(*pairs->pairs));
		assert_non_null(pairs->pairs);
	}
	pairs->pairs[pairs->n++] = (struct es_pair){ .x_w = x_w, .y_w = y_w };
}

/*
 * 400 simulated fits with noise in both: an interval of 95 % must hold the truth nearly that often, also where windows
 * remember those before them (150 are then worth 40: blocks of so few come to 90 %).
 */
static void bounds_hold_the_truth_as_often_as_they_say(void **state)
{
	static const double memories[] = { 0, 0.7 };

	(void)state;
	for (size_t m = 0; m < 2; m++) {
		unsigned n_slope = 0, n_offset = 0;
		uint64_t seed = 11 + m;

		for (unsigned run = 0; run < 400; run++) {
			struct es_pairs pairs = { .n = 0 };
			struct es_pair_fit fit;
			double before = 0;

			for (unsigned i = 0; i < 150; i++) {
				double x = 100 + 60 * sin(i / 9.0) + 20 * sin(i / 2.3);
				double wide = sqrt(1 - memories[m] * memories[m]);

				before = memories[m] * before + wide * 3 * deviate(&seed);
				put(&pairs, x + 1.5 * deviate(&seed), 40 + 1.2 * x + before);
			}
			/* y's errors of 3 W over x's of 1.5 W: 4 by variance. */
			assert_int_equal(es_pairs_fit(&pairs, 4, &fit), 0);
			n_slope += fabs(fit.slope - 1.2) <= fit.slope_bound;
			n_offset += fabs(fit.offset_w - 40) <= fit.offset_bound_w;
			if (memories[m] > 0)
				assert_true(fit.n_effective < 120);
			es_pairs_finish(&pairs);
		}
		if (n_slope < (m ? 352 : 366) || n_offset < (m ? 352 : 366) || n_slope == 400)
			fail_msg("memory %g: %u slopes and %u offsets of 400 within their bounds",
				 memories[m], n_slope, n_offset);
	}
}

/* Least squares would be 8 % low here: noise in x flattens the line. */
static void noise_in_x_does_not_flatten_the_line(void **state)
{
	struct es_pairs pairs = { .n = 0 };
	struct es_pair_fit deming, plain;
	uint64_t seed = 3;

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		double x = 100 + 20 * sin(i / 9.0);

		put(&pairs, x + 4 * deviate(&seed), 10 + x + 4 * deviate(&seed));
	}
	assert_int_equal(es_pairs_fit(&pairs, 1, &deming), 0);
	assert_int_equal(es_pairs_fit(&pairs, INFINITY, &plain), 0);
	assert_near(deming.slope, 1, 0.02);
	assert_near(plain.slope, 200.0 / 216.0, 0.02);
	es_pairs_finish(&pairs);
}

static void too_few_windows_are_no_fit(void **state)
{
	struct es_pairs pairs = { .n = 0 };
	struct es_pair_fit fit;

	(void)state;
	assert_int_equal(es_pairs_fit(&pairs, 1, &fit), -ENODATA);
	put(&pairs, 1, 1);
	put(&pairs, 2, 2);
	assert_int_equal(es_pairs_fit(&pairs, 1, &fit), -ENODATA);
	put(&pairs, 3, 3);
	assert_int_equal(es_pairs_fit(&pairs, 1, &fit), 0);
	assert_false(fit.has_line);
	es_pairs_finish(&pairs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(power_of_a_stretch_is_exact_between_readings_and_unknown_in_gaps),
		cmocka_unit_test(a_long_course_is_thinned_out_and_keeps_its_energy),
		cmocka_unit_test(
			deming_is_least_squares_where_x_is_exact_and_its_mirror_where_y_is),
		cmocka_unit_test(lag_slope_and_offset_of_a_late_meter_are_found),
		cmocka_unit_test(meters_whose_power_hardly_moves_have_a_ratio_and_no_line),
		cmocka_unit_test(bounds_hold_the_truth_as_often_as_they_say),
		cmocka_unit_test(noise_in_x_does_not_flatten_the_line),
		cmocka_unit_test(too_few_windows_are_no_fit),
	};

	return cmocka_run_group_tests_name("core/pairs", tests, NULL, NULL);
}
