/*
 * test_core_fit.c - powers from shares, window by window
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "core/fit.h"
#include "support/random.h"

static double uniform(uint64_t *seed)
{
	return (double)(test_random(seed) >> 11) / 0x1p53;
}

/* Windows of a second: column 0 has @share of each or, where that is negative, any part; @level on top of both. */
static void feed(struct es_fit *fit, uint64_t *seed, unsigned n, double share, double level_w,
		 double noise_w)
{
	for (unsigned i = 0; i < n; i++) {
		double x = share < 0 ? 0.2 + 0.6 * uniform(seed) : share;
		double time_s[] = { x, 1 - x };
		const uint32_t columns[] = { 0, 1 };
		double energy_j =
			300 * x + 100 * (1 - x) + level_w + noise_w * (uniform(seed) - 0.5);

		es_fit_window(fit, 1, energy_j, columns, time_s, 2);
	}
}

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.9g is not %.9g", value, expected);
}

/* Interpolated, column 0 has sum x (300 x + 100 (1 - x)); the truth is 300 sum x. */
static void a_step_of_the_level_does_not_matter(void **state)
{
	struct es_fit fit;
	struct es_fit_estimate first, second;
	uint64_t seed = 3;

	(void)state;
	assert_int_equal(es_fit_init(&fit, 2, 0, 8), 0);
	feed(&fit, &seed, 400, -1, 0, 0);
	feed(&fit, &seed, 400, -1, 500, 0);
	assert_int_equal(es_fit_solve(&fit), 0);

	assert_near(es_fit_power_w(&fit, 0) - es_fit_power_w(&fit, 1), 200, 1e-3);
	first = es_fit_estimate(&fit, 0);
	second = es_fit_estimate(&fit, 1);
	assert_true(first.is_separable && second.is_separable);
	assert_true(first.correction_j > 0);
	assert_near(first.correction_j + second.correction_j, 0, 1e-6);
	assert_near(first.correction_j, 200 * fit.mix_s[0], 0.01);
	es_fit_finish(&fit);
}

static void the_bound_grows_with_the_noise(void **state)
{
	double bound_j[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct es_fit fit;
		struct es_fit_estimate estimate;
		uint64_t seed = 4;

		assert_int_equal(es_fit_init(&fit, 2, 0, 8), 0);
		feed(&fit, &seed, 800, -1, 0, i ? 60 : 6);
		assert_int_equal(es_fit_solve(&fit), 0);
		estimate = es_fit_estimate(&fit, 0);
		bound_j[i] = estimate.bound_j;
		assert_near(estimate.correction_j, 200 * fit.mix_s[0], estimate.bound_j);
		es_fit_finish(&fit);
	}
	assert_near(bound_j[1] / bound_j[0], 10, 0.5);
}

static void shares_that_stand_still_tell_nothing(void **state)
{
	struct es_fit fit;
	size_t both[] = { 0, 1 };
	uint64_t seed = 5;

	(void)state;
	assert_int_equal(es_fit_init(&fit, 2, 0, 8), 0);
	feed(&fit, &seed, 400, 0.25, 0, 5);
	assert_int_equal(es_fit_solve(&fit), 0);

	assert_false(es_fit_estimate(&fit, 0).is_separable);
	assert_true(es_fit_is_tied(&fit, 0, 1));
	assert_true(es_fit_estimate_set(&fit, both, 2).is_separable);
	assert_near(es_fit_estimate_set(&fit, both, 2).bound_j, 0, 1e-3);
	es_fit_finish(&fit);
}

static void few_windows_are_refused(void **state)
{
	struct es_fit fit;
	uint64_t seed = 6;

	(void)state;
	assert_int_equal(es_fit_init(&fit, 2, 0, 8), 0);
	feed(&fit, &seed, 16, -1, 0, 0);
	assert_int_equal(es_fit_solve(&fit), -ENODATA);
	es_fit_finish(&fit);
}

/* A target that has a third of each column's time has a third of what the first column is off by, and of the second. */
static void a_target_is_made_of_parts_of_columns(void **state)
{
	const uint32_t columns[] = { 0, 1 };
	struct es_fit fit;
	uint64_t seed = 7;

	(void)state;
	assert_int_equal(es_fit_init(&fit, 2, 2, 8), 0);
	for (unsigned i = 0; i < 400; i++) {
		double x = 0.2 + 0.6 * uniform(&seed), time_s[] = { x, 1 - x },
		       third_s[] = { x / 3, (1 - x) / 3 }, first_s[] = { x, 0 };

		es_fit_window(&fit, 1, 300 * x + 100 * (1 - x), columns, time_s, 2);
		es_fit_target(&fit, 0, 1, columns, time_s, third_s, 2);
		es_fit_target(&fit, 1, 1, columns, time_s, first_s, 2);
	}
	assert_int_equal(es_fit_solve(&fit), 0);

	assert_near(es_fit_estimate(&fit, 2).correction_j, 0, 1e-6);
	assert_near(es_fit_estimate(&fit, 3).correction_j, es_fit_estimate(&fit, 0).correction_j,
		    1e-6);
	es_fit_finish(&fit);
}

/* However many windows: the same parts in equal memory. */
static void parts_merge_and_keep_their_sums(void **state)
{
	struct es_fit fit;
	uint64_t seed = 8;
	size_t n_windows = 0;

	(void)state;
	assert_int_equal(es_fit_init(&fit, 2, 0, 4), 0);
	feed(&fit, &seed, 40000, -1, 0, 1);
	assert_int_equal(es_fit_solve(&fit), 0);

	assert_in_range(fit.n_parts, ES_FIT_PARTS_MAX / 2, ES_FIT_PARTS_MAX);
	for (size_t i = 0; i < fit.n_parts; i++)
		n_windows += fit.parts[i].n_windows;
	assert_int_equal(n_windows, 40000);
	es_fit_finish(&fit);
}

static void closing_keeps_the_sum_and_the_limits(void **state)
{
	uint64_t seed = 9;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		uint64_t low[6], high[6], got[6], total = 0, sum = 0, n = 1 + round % 6;
		double want[6];

		for (size_t i = 0; i < n; i++) {
			low[i] = test_random_below(&seed, 1000);
			high[i] = low[i] + test_random_below(&seed, 1000000);
			total += low[i] + test_random_below(&seed, high[i] - low[i] + 1);
			want[i] = (double)test_random_below(&seed, 2000000) - 500000;
		}
		assert_int_equal(es_fit_close(want, low, high, n, total, got), 0);
		for (size_t i = 0; i < n; i++) {
			sum += got[i];
			assert_true(got[i] + 2 * n >= low[i] && got[i] <= high[i] + 2 * n);
		}
		assert_int_equal(sum, total);
	}
}

static void limits_that_allow_no_sum_end_in_the_sum_all_the_same(void **state)
{
	static const uint64_t high[] = { UINT64_C(3) << 60, UINT64_C(4) << 60, UINT64_MAX };
	static const uint64_t low[] = { UINT64_C(3) << 60, UINT64_C(4) << 60, 0 };
	const double want[] = { 0, 0, 0 };
	uint64_t got[3];

	(void)state;
	assert_int_equal(es_fit_close(want, low, high, 2, 5, got), 0);
	assert_int_equal(got[0] + got[1], 5);

	assert_int_equal(es_fit_close(want + 2, low + 2, high + 2, 1, UINT64_MAX, got), 0);
	assert_true(got[0] == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_of_the_level_does_not_matter),
		cmocka_unit_test(the_bound_grows_with_the_noise),
		cmocka_unit_test(shares_that_stand_still_tell_nothing),
		cmocka_unit_test(few_windows_are_refused),
		cmocka_unit_test(a_target_is_made_of_parts_of_columns),
		cmocka_unit_test(parts_merge_and_keep_their_sums),
		cmocka_unit_test(closing_keeps_the_sum_and_the_limits),
		cmocka_unit_test(limits_that_allow_no_sum_end_in_the_sum_all_the_same),
	};

	return cmocka_run_group_tests_name("core/fit", tests, NULL, NULL);
}
