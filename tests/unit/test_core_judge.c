/*
 * test_core_judge.c - A against B, by worked examples from elsewhere
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>

#include "core/judge.h"

static void assert_near(double got, double want, double within)
{
	if (!(fabs(got - want) <= within))
		fail_msg("got %.9g, want %.9g within %g", got, want, within);
}

/* R's data set sleep (Cushny and Peebles 1905), the example of ?t.test: t = -1.8608, df = 17.776, p-value = 0.07939. */
static void welch_is_that_of_r(void **state)
{
	static const double a[] = { 0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0 };
	static const double b[] = { 1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4 };
	const struct es_judge_wish wish = { .seed = 1 };
	struct es_judgement found;

	(void)state;
	assert_int_equal(es_judge(a, 10, b, 10, &wish, &found), 0);
	assert_true(found.has_test);
	assert_near(found.df, 17.776, 5e-4);
	assert_near(found.p, 0.07939, 5e-6);
	/* Some resamples of A have a mean below 0. */
	assert_int_equal(found.method, ES_INTERVAL_FIELLER);
	assert_int_equal(found.verdict, ES_VERDICT_UNDECIDED);
}

/* Sets like those of Welch's test in textbooks: spreads and numbers differ. */
static void welch_holds_for_unequal_sets(void **state)
{
	static const double a[] = { 17.2, 20.9, 22.6, 18.1, 21.7, 21.4, 23.5, 24.2, 14.7, 21.8 };
	static const double b[] = { 21.5, 22.8, 21.0, 23.0, 21.6, 23.6, 22.5, 20.7, 23.4, 21.8,
				    20.7, 21.7, 21.5, 22.5, 23.6, 21.5, 22.5, 23.5, 21.5, 21.8 };
	const struct es_judge_wish wish = { .seed = 1 };
	struct es_judgement found;

	(void)state;
	assert_int_equal(es_judge(a, 10, b, 20, &wish, &found), 0);
	assert_near(found.df, 9.9, 0.05);
	assert_near(found.p, 0.149, 0.0005);
	assert_int_equal(found.method, ES_INTERVAL_BCA);
}

static void runs_that_are_all_alike_leave_no_doubt(void **state)
{
	static const double a[12] = { 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1 };
	static const double b[12] = { 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3 };
	const struct es_judge_wish wish = { .has_limit = true, .limit = 0.05 };
	struct es_judgement found;

	(void)state;
	for (size_t n = 2; n <= 12; n += 5) {
		assert_int_equal(es_judge(a, n, a, n, &wish, &found), 0);
		assert_int_equal(found.verdict, ES_VERDICT_SAME);
		assert_int_equal(found.limit, ES_LIMIT_SHOWN);
		assert_true(found.p == 1 && found.change_low == 0 && found.change_high == 0);
		assert_int_equal(found.runs_needed, 3);
		assert_int_equal(es_judge(a, n, b, n, &wish, &found), 0);
		assert_int_equal(found.verdict, ES_VERDICT_HIGHER);
		assert_int_equal(found.limit, ES_LIMIT_BROKEN);
		assert_true(found.p == 0);
		assert_near(found.change_low, 2, 1e-12);
		assert_near(found.change_high, 2, 1e-12);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(welch_is_that_of_r),
		cmocka_unit_test(welch_holds_for_unequal_sets),
		cmocka_unit_test(runs_that_are_all_alike_leave_no_doubt),
	};

	return cmocka_run_group_tests_name("core/judge", tests, NULL, NULL);
}
