/*
 * test_core_stats.c - mean, spread and interval against values worked out elsewhere
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "core/bootstrap.h"
#include "core/stats.h"

#define MANY 200000U

static void assert_near(double got, double want, double within)
{
	if (!(fabs(got - want) <= within))
		fail_msg("got %.9g, want %.9g within %g", got, want, within);
}

static void no_value_has_no_mean_and_one_no_spread(void **state)
{
	const double one = 42.0;
	struct es_stats stats = es_stats_of(NULL, 0);

	(void)state;
	assert_int_equal(stats.n, 0);
	assert_false(stats.has_spread);
	stats = es_stats_of(&one, 1);
	assert_near(stats.mean, 42.0, 0);
	assert_false(stats.has_spread);
}

/* 2, 4, 4, 4, 5, 5, 7, 9: sum of squares about 5 is 32; t(7) = 2.364624. */
static void spread_and_interval_are_those_of_student(void **state)
{
	const double values[] = { 2, 4, 4, 4, 5, 5, 7, 9 };
	struct es_stats stats = es_stats_of(values, 8);

	(void)state;
	assert_true(stats.has_spread);
	assert_near(stats.mean, 5.0, 1e-12);
	assert_near(stats.sd, 2.1380899353, 1e-9);
	assert_near(stats.ci, 2.364624251593 * 2.1380899353 / sqrt(8), 1e-9);
}

static void a_large_mean_hides_no_small_spread(void **state)
{
	const double values[] = { 1e9 + 1, 1e9 + 2, 1e9 + 3 };

	(void)state;
	assert_near(es_stats_of(values, 3).sd, 1.0, 1e-6);
}

/* Tables of Student's t, two-sided 95 %. */
static void quantiles_are_those_of_the_tables(void **state)
{
	static const struct {
		size_t df;
		double t;
	} vectors[] = { { 1, 12.7062 },	 { 2, 4.3027 },	  { 9, 2.2622 },   { 10, 2.2281 },
			{ 30, 2.0423 },	 { 31, 2.0395 },  { 40, 2.0211 },  { 60, 2.0003 },
			{ 120, 1.9799 }, { 999, 1.9623 }, { 100000, 1.96 } };

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_near(es_t_quantile_975(vectors[i].df), vectors[i].t, 1e-4);
	for (size_t df = 1; df < 200; df++)
		assert_true(es_t_quantile_975(df + 1) < es_t_quantile_975(df));
}

/*
 * R's boot.ci (package boot, 1,000,000 resamples), as kept in SciPy's scipy/stats/tests/test_resampling.py,
 * test_bootstrap_against_R: percentile (28.86, 84.21), BCa (32.31, 91.43).
 */
static void bca_is_that_of_r(void **state)
{
	static const double values[] = { 10, 12, 12.5, 12.5, 13.9, 15,	21,  22,
					 23, 34, 50,   81,   89,   121, 134, 213 };
	static double means[MANY];
	const struct es_bca percentile = { 0, 0 };
	struct es_bca bca;
	uint64_t seed = 1;

	(void)state;
	es_bootstrap_means(values, 16, &seed, means, MANY);
	bca = es_bca_of(means, MANY, 53.99375, es_bca_acceleration(values, 16, 53.99375));
	assert_near(es_bca_end(&percentile, means, MANY, -1.959964), 28.86, 0.15);
	assert_near(es_bca_end(&percentile, means, MANY, 1.959964), 84.21, 0.4);
	assert_near(es_bca_end(&bca, means, MANY, -1.959964), 32.31, 0.15);
	assert_near(es_bca_end(&bca, means, MANY, 1.959964), 91.43, 0.4);
}

#define WHOLE 10U /* values, whole numbers below 50 */
#define SUMS (50U * WHOLE)

/* How likely each sum of as many draws is: no resampling, all of them. */
static void all_resamples(const double *values, double *likely)
{
	memset(likely, 0, SUMS * sizeof(*likely));
	likely[0] = 1;
	for (size_t k = 0; k < WHOLE; k++) {
		double next[SUMS] = { 0 };

		for (size_t sum = 0; sum < SUMS; sum++)
			for (size_t i = 0; i < WHOLE && likely[sum] > 0; i++)
				next[sum + (size_t)values[i]] += likely[sum] / WHOLE;
		memcpy(likely, next, sizeof(next));
	}
}

static double exact_end(const double *likely, double bias, double acceleration, double z)
{
	double level = es_normal_cdf(bias + (bias + z) / (1 - acceleration * (bias + z)));
	double share = 0;

	for (size_t sum = 0; sum < SUMS; sum++) {
		share += likely[sum];
		if (share >= level)
			return (double)sum / WHOLE;
	}
	return NAN;
}

/* BCa by its definition on all resamples at once, its levels widened by Student's t and the root of n / (n - 1). */
static void the_interval_of_ten_is_bca_on_all_resamples(void **state)
{
	static const double values[WHOLE] = { 3, 4, 4, 5, 6, 7, 9, 12, 14, 19 };
	double likely[SUMS], below = 0, squares = 0, cubes = 0, bias, acceleration;
	double z = 2.262157162798205 * sqrt(10.0 / 9);
	struct es_interval found;

	(void)state;
	all_resamples(values, likely);
	for (size_t sum = 0; sum <= 83; sum++)
		below += sum < 83 ? likely[sum] : likely[sum] / 2;
	for (size_t i = 0; i < WHOLE; i++) {
		squares += pow(values[i] - 8.3, 2);
		cubes += pow(values[i] - 8.3, 3);
	}
	bias = es_normal_quantile(below);
	acceleration = cubes / (6 * pow(squares, 1.5));
	for (uint64_t seed = 0; seed < 20; seed++) {
		assert_int_equal(es_interval_of(values, WHOLE, seed, &found), 0);
		assert_int_equal(found.method, ES_INTERVAL_BCA);
		assert_near(found.low, exact_end(likely, bias, acceleration, -z), 0.3);
		assert_near(found.high, exact_end(likely, bias, acceleration, z), 0.7);
	}
	/* Skew to the right: further from the mean there. */
	assert_true(found.high - found.mean > 1.3 * (found.mean - found.low));
}

static void below_ten_the_interval_is_that_of_student(void **state)
{
	const double values[] = { 2, 4, 4, 4, 5, 5, 7, 9 };
	struct es_interval found;

	(void)state;
	assert_int_equal(es_interval_of(values, 8, 1, &found), 0);
	assert_int_equal(found.method, ES_INTERVAL_T);
	assert_near(found.low, 5 - 1.787488, 1e-6);
	assert_near(found.high, 5 + 1.787488, 1e-6);
	assert_int_equal(es_interval_of(values, 1, 1, &found), 0);
	assert_int_equal(found.method, ES_INTERVAL_NONE);
	assert_true(found.n == 1 && found.mean == 2);
	assert_int_equal(es_interval_of(values, 0, 1, &found), 0);
	assert_true(found.n == 0 && found.method == ES_INTERVAL_NONE);
	assert_string_equal(es_interval_method_name(ES_INTERVAL_BCA), "BCa");
	assert_string_equal(es_interval_method_name(ES_INTERVAL_NONE), "none");
}

static void equal_values_have_an_interval_of_no_width(void **state)
{
	double values[30];
	struct es_interval found;

	(void)state;
	for (size_t i = 0; i < 30; i++)
		values[i] = 0.1; /* thrice this is not 0.3 */
	for (size_t n = 2; n <= 30; n++) {
		assert_int_equal(es_interval_of(values, n, n, &found), 0);
		assert_true(found.mean == 0.1 && found.low == 0.1 && found.high == 0.1);
		assert_true(found.sd == 0 && found.method != ES_INTERVAL_NONE);
	}
}

static void one_stray_value_leaves_ends_that_are_numbers(void **state)
{
	double values[300];
	struct es_interval found;

	(void)state;
	for (size_t n = 10; n <= 300; n += 58) {
		for (size_t i = 0; i < n; i++)
			values[i] = 5;
		values[n / 2] = 1e9;
		assert_int_equal(es_interval_of(values, n, 3, &found), 0);
		assert_true(found.low >= 5 && found.low < found.mean);
		assert_true(found.high > found.mean && found.high <= 1e9);
		values[n / 2] = -1e99;
		assert_int_equal(es_interval_of(values, n, 3, &found), 0);
		assert_true(found.low >= -1e99 && found.low < found.mean);
		assert_true(found.high > found.mean && found.high <= 5);
	}
}

static void what_is_no_number_is_refused(void **state)
{
	double values[] = { 1, 2, 3 };
	struct es_interval found;

	(void)state;
	values[1] = NAN;
	assert_int_equal(es_interval_of(values, 3, 1, &found), -ERANGE);
	values[1] = -INFINITY;
	assert_int_equal(es_interval_of(values, 3, 1, &found), -ERANGE);
	values[1] = 1e101;
	assert_int_equal(es_interval_of(values, 3, 1, &found), -ERANGE);
}

/* In other units, and from another zero, the interval is the same one. The same seed gives the same bytes. */
static void units_do_not_matter_and_the_seed_does(void **state)
{
	double values[23], other[23];
	struct es_interval found, again, moved;

	(void)state;
	for (size_t i = 0; i < 23; i++) {
		values[i] = 100 + (double)(i * i % 31);
		other[i] = 4 * values[i] - 1000;
	}
	assert_int_equal(es_interval_of(values, 23, 7, &found), 0);
	assert_int_equal(es_interval_of(values, 23, 7, &again), 0);
	assert_true(found.low == again.low && found.high == again.high);
	assert_int_equal(es_interval_of(other, 23, 7, &moved), 0);
	assert_near(moved.low, 4 * found.low - 1000, 1e-9);
	assert_near(moved.high, 4 * found.high - 1000, 1e-9);
	assert_int_equal(es_interval_of(values, 23, 8, &again), 0);
	assert_true(found.low != again.low);
	assert_near(found.low, again.low, 0.1 * (found.high - found.low));
}

/* Two strays hide from "three standard deviations": they widen what they are measured by. Median 2.45, MAD 0.15. */
static void strays_do_not_hide_one_another(void **state)
{
	static const double values[] = { 2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3 };
	struct es_stats stats = es_stats_of(values, 10);
	bool far[10];

	(void)state;
	assert_true(fabs(values[9] - stats.mean) < 3 * stats.sd);
	assert_int_equal(es_far_off(values, 10, far), 2);
	for (size_t i = 0; i < 10; i++)
		assert_true(far[i] == (i >= 8));
}

/* 0.6745 * 5.18 = 3.494, 0.6745 * 5.2 = 3.507: median 0, MAD 1. */
static void far_off_begins_at_three_and_a_half(void **state)
{
	static const double near[] = { -1, -1, 0, 1, 5.18 }, away[] = { -1, -1, 0, 1, 5.2 };
	static const double alike[] = { 7, 7, 7, 7, 900 }, few[] = { 1, 1.1, 0.9, 900 };
	bool far[5];

	(void)state;
	assert_int_equal(es_far_off(near, 5, far), 0);
	assert_int_equal(es_far_off(away, 5, far), 1);
	assert_true(far[4] && !far[0]);
	assert_int_equal(es_far_off(alike, 5, far), 0); /* no spread to tell by */
	assert_int_equal(es_far_off(few, 4, far), 0);
	assert_true(!far[3]);
	assert_int_equal(es_far_off(NULL, 0, far), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_value_has_no_mean_and_one_no_spread),
		cmocka_unit_test(spread_and_interval_are_those_of_student),
		cmocka_unit_test(a_large_mean_hides_no_small_spread),
		cmocka_unit_test(quantiles_are_those_of_the_tables),
		cmocka_unit_test(bca_is_that_of_r),
		cmocka_unit_test(the_interval_of_ten_is_bca_on_all_resamples),
		cmocka_unit_test(below_ten_the_interval_is_that_of_student),
		cmocka_unit_test(equal_values_have_an_interval_of_no_width),
		cmocka_unit_test(one_stray_value_leaves_ends_that_are_numbers),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(units_do_not_matter_and_the_seed_does),
		cmocka_unit_test(strays_do_not_hide_one_another),
		cmocka_unit_test(far_off_begins_at_three_and_a_half),
	};

	return cmocka_run_group_tests_name("core/stats", tests, NULL, NULL);
}
