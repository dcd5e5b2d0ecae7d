/*
 * test_core_stats.c - mean, spread and interval against values worked out elsewhere
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <math.h>

#include "core/stats.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_value_has_no_mean_and_one_no_spread),
		cmocka_unit_test(spread_and_interval_are_those_of_student),
		cmocka_unit_test(a_large_mean_hides_no_small_spread),
		cmocka_unit_test(quantiles_are_those_of_the_tables),
	};

	return cmocka_run_group_tests_name("core/stats", tests, NULL, NULL);
}
