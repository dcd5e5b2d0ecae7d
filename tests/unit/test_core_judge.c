/*
 * test_core_judge.c - A against B, by worked examples from elsewhere
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>

#include "base/cleanup.h"
#include "core/judge.h"

static void assert_near(double got, double want, double within)
{
	if (!(fabs(got - want) <= within))
		fail_msg("got %.9g, want %.9g within %g", got, want, within);
}

static struct es_judgement judged(const double *a, size_t n_a, const double *b, size_t n_b,
				  struct es_judge_wish wish)
{
	struct es_judgement found;

	assert_int_equal(es_judge(a, n_a, b, n_b, &wish, &found), 0);
	return found;
}

/* R's data set sleep (Cushny and Peebles 1905), the example of ?t.test: t = -1.8608, df = 17.776, p-value = 0.07939. */
static void welch_is_that_of_r(void **state)
{
	static const double a[] = { 0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0 };
	static const double b[] = { 1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4 };
	struct es_judgement found = judged(a, 10, b, 10, (struct es_judge_wish){ .seed = 1 });

	(void)state;
	assert_true(found.has_test);
	assert_near(found.df, 17.776, 5e-4);
	assert_near(found.p, 0.07939, 5e-6);
	assert_int_equal(found.method, ES_INTERVAL_FIELLER);
	assert_int_equal(found.verdict, ES_VERDICT_UNDECIDED);
}

/* The second and third example of the article "Welch's t-test" of Wikipedia: numbers and spreads differ. */
static void welch_holds_for_unequal_sets(void **state)
{
	static const double a2[] = { 17.2, 20.9, 22.6, 18.1, 21.7, 21.4, 23.5, 24.2, 14.7, 21.8 };
	static const double b2[] = { 21.5, 22.8, 21.0, 23.0, 21.6, 23.6, 22.5, 20.7, 23.4, 21.8,
				     20.7, 21.7, 21.5, 22.5, 23.6, 21.5, 22.5, 23.5, 21.5, 21.8 };
	static const double a3[] = { 19.8, 20.4, 19.6, 17.8, 18.5, 18.9, 18.3, 18.9, 19.5, 22.0 };
	static const double b3[] = { 28.2, 26.6, 20.1, 23.3, 25.2, 22.1, 17.7, 27.6, 20.6, 13.7,
				     23.2, 17.5, 20.6, 18.0, 23.9, 21.6, 24.3, 20.4, 24.0, 13.2 };
	struct es_judgement found = judged(a2, 10, b2, 20, (struct es_judge_wish){ .seed = 1 });

	(void)state;
	assert_near(found.df, 9.9, 0.05);
	assert_near(found.p, 0.149, 0.0005);
	assert_int_equal(found.verdict, ES_VERDICT_UNDECIDED);
	found = judged(a3, 10, b3, 20, (struct es_judge_wish){ .seed = 1 });
	assert_near(found.df, 24.5, 0.05);
	assert_near(found.p, 0.036, 0.0005);
	assert_int_equal(found.verdict, ES_VERDICT_HIGHER);
}

/*
 * The mice of B. Efron, R. Tibshirani, "An Introduction to the Bootstrap" (1993), table 2.1: means 86.86 and 56.22, their standard errors 25.24
 * and 14.14, difference 30.63, its standard error 28.93. The share of Student's t below -30.63 / 28.93 by GSL 2.7.1.
 */
static void the_mice_are_those_of_the_book(void **state)
{
	static const double control[] = { 52, 104, 146, 10, 51, 30, 40, 27, 46 };
	static const double treated[] = { 94, 197, 16, 38, 99, 141, 23 };
	struct es_judgement found =
		judged(control, 9, treated, 7, (struct es_judge_wish){ .seed = 1 });

	(void)state;
	assert_near(found.a.mean, 56.22, 0.005);
	assert_near(found.b.mean, 86.86, 0.005);
	assert_near(found.a.sd / 3, 14.14, 0.02); /* the book rounds twice */
	assert_near(found.b.sd / sqrt(7), 25.24, 0.005);
	assert_near(found.p, 0.315500654, 1e-6);
	assert_near(found.change, 86.857143 / 56.222222 - 1, 1e-6);
	assert_int_equal(found.verdict, ES_VERDICT_UNDECIDED);
}

/* What Welch's test of "B is @ratio times A" gives. */
static double p_of_ratio(const double *a, size_t n_a, const double *b, size_t n_b, double ratio)
{
	double scaled[16];

	assert_true(n_a <= ES_ARRAY_SIZE(scaled));
	for (size_t i = 0; i < n_a; i++)
		scaled[i] = ratio * a[i];
	return judged(scaled, n_a, b, n_b, (struct es_judge_wish){ .seed = 1 }).p;
}

/* Fieller's interval is by definition what such tests at 5 % do not reject. */
static void fieller_ends_where_welch_begins_to_reject(void **state)
{
	static const double sets[][9] = { { 10, 11, 9.5, 10.2, 9.9, 10, 10.1, 12, 9 },
					  { 52, 104, 146, 60, 51, 30, 40, 87, 46 },
					  { 2.1, 2.2, 2.15, 2.3, 2.05, 2.2, 2.2, 2.1, 2.2 } };
	static const struct {
		size_t a, n_a, b, n_b;
	} pairs[] = {
		{ 0, 9, 1, 9 }, { 0, 3, 2, 3 }, { 2, 9, 0, 2 }, { 1, 9, 2, 4 }, { 1, 6, 1, 9 }
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(pairs); i++) {
		const double *a = sets[pairs[i].a], *b = sets[pairs[i].b];
		size_t n_a = pairs[i].n_a, n_b = pairs[i].n_b;
		struct es_judgement found = judged(a, n_a, b, n_b, (struct es_judge_wish){ 0 });

		assert_int_equal(found.method, ES_INTERVAL_FIELLER);
		assert_true(found.change_low < found.change && found.change < found.change_high);
		assert_near(p_of_ratio(a, n_a, b, n_b, 1 + found.change_low), 0.05, 1e-9);
		assert_near(p_of_ratio(a, n_a, b, n_b, 1 + found.change_high), 0.05, 1e-9);
		assert_near(p_of_ratio(a, n_a, b, n_b, 1 + found.limit_high), 0.10, 1e-9);
	}
}

/* A's mean is not told from 0: no upper end. B's is not either: no end at all. */
static void a_hardly_known_mean_leaves_ends_open(void **state)
{
	static const double a[] = { 1, 11, -5 }, b[] = { 12, 13, 12.5 }, c[] = { 5, -3, 1 };
	const struct es_judge_wish wish = { .has_limit = true, .limit = 0.5 };
	struct es_judgement found = judged(a, 3, b, 3, wish);

	(void)state;
	assert_true(found.has_interval && found.change_high == INFINITY);
	assert_near(p_of_ratio(a, 3, b, 3, 1 + found.change_low), 0.05, 1e-9);
	assert_int_equal(found.verdict, ES_VERDICT_UNDECIDED);
	assert_int_equal(found.limit, ES_LIMIT_OPEN);
	found = judged(a, 3, c, 3, wish);
	assert_true(found.change_low == -INFINITY && found.change_high == INFINITY);
	assert_true(found.p > 0.05 && found.p <= 1);
}

static void verdicts_are_those_of_the_interval(void **state)
{
	static const double a[] = { 100, 101, 99, 100 }, same[] = { 100.1, 100.9, 99.2, 100.2 };
	static const double less[] = { 80, 81, 79, 80 }, wide[] = { 70, 130, 100, 98 };
	struct es_judgement found = judged(a, 4, less, 4, (struct es_judge_wish){ 0 });

	(void)state;
	assert_int_equal(found.verdict, ES_VERDICT_LOWER);
	assert_int_equal(found.limit, ES_LIMIT_NOT_ASKED);
	assert_near(found.change, -0.2, 1e-12);
	assert_int_equal(judged(less, 4, a, 4, (struct es_judge_wish){ 0 }).verdict,
			 ES_VERDICT_HIGHER);
	assert_int_equal(judged(a, 4, wide, 4, (struct es_judge_wish){ 0 }).verdict,
			 ES_VERDICT_UNDECIDED);
	/* The interval ends near 1.4 %: not the same within 1 %, but within 2 %. Where a difference can be told but does not matter it is the same too. */
	assert_int_equal(judged(a, 4, same, 4, (struct es_judge_wish){ 0 }).verdict,
			 ES_VERDICT_UNDECIDED);
	assert_int_equal(judged(a, 4, same, 4, (struct es_judge_wish){ .margin = 0.02 }).verdict,
			 ES_VERDICT_SAME);
	assert_int_equal(judged(a, 4, less, 4, (struct es_judge_wish){ .margin = 0.3 }).verdict,
			 ES_VERDICT_SAME);
}

static void not_higher_by_more_is_shown_or_broken_or_open(void **state)
{
	static const double a[] = { 100, 101, 99, 100 }, b[] = { 102, 103, 101, 102 };
	struct es_judge_wish wish = { .has_limit = true, .limit = 0.05 };
	struct es_judgement found = judged(a, 4, b, 4, wish);
	double bound = found.limit_high;

	(void)state;
	assert_int_equal(found.limit, ES_LIMIT_SHOWN);
	assert_true(bound > found.change && bound < found.change_high);
	wish.limit = bound + 1e-9;
	assert_int_equal(judged(a, 4, b, 4, wish).limit, ES_LIMIT_SHOWN);
	wish.limit = bound - 1e-9;
	assert_int_equal(judged(a, 4, b, 4, wish).limit, ES_LIMIT_OPEN);
	wish.limit = 0.02;
	assert_int_equal(judged(a, 4, b, 4, wish).limit, ES_LIMIT_OPEN);
	wish.limit = -0.02; /* "at least 2 % less" */
	assert_int_equal(judged(a, 4, b, 4, wish).limit, ES_LIMIT_BROKEN);
}

static void runs_that_are_all_alike_leave_no_doubt(void **state)
{
	static const double a[12] = { 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1 };
	static const double b[12] = { 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3 };
	const struct es_judge_wish wish = { .has_limit = true, .limit = 0.05 };
	struct es_judgement found;

	(void)state;
	for (size_t n = 2; n <= 12; n += 5) {
		found = judged(a, n, a, n, wish);
		assert_int_equal(found.verdict, ES_VERDICT_SAME);
		assert_int_equal(found.limit, ES_LIMIT_SHOWN);
		assert_true(found.p == 1 && found.change_low == 0 && found.change_high == 0);
		assert_int_equal(found.runs_needed, 3);
		found = judged(a, n, b, n, wish);
		assert_int_equal(found.verdict, ES_VERDICT_HIGHER);
		assert_int_equal(found.limit, ES_LIMIT_BROKEN);
		assert_true(found.p == 0);
		assert_near(found.change_low, 2, 1e-12);
		assert_near(found.change_high, 2, 1e-12);
	}
}

static void one_set_without_spread_is_no_trouble(void **state)
{
	static const double still[12] = { 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5 };
	static const double moved[12] = { 6, 6.1, 5.9, 6, 6.2, 5.8, 6, 6, 6.1, 5.9, 6, 6 };
	struct es_judgement found;

	(void)state;
	for (size_t n = 3; n <= 12; n += 9) {
		found = judged(still, n, moved, n, (struct es_judge_wish){ 0 });
		assert_int_equal(found.verdict, ES_VERDICT_HIGHER);
		assert_near(found.df, (double)n - 1, 1e-9);
		found = judged(moved, n, still, n, (struct es_judge_wish){ 0 });
		assert_int_equal(found.verdict, ES_VERDICT_LOWER);
		assert_true(found.change_low < found.change && found.change < found.change_high);
	}
}

/* Energy above a baseline may be below 0. */
static void nothing_is_told_relative_to_a_mean_below_nought(void **state)
{
	static const double below[] = { -5, -4, -6 }, zero[] = { -1, 0, 1 },
			    above[] = { 20, 21, 19 };
	const struct es_judge_wish wish = { .has_limit = true, .limit = 0.05 };
	struct es_judgement found = judged(below, 3, above, 3, wish);

	(void)state;
	assert_false(found.has_change);
	assert_false(found.has_interval);
	assert_true(found.has_test && found.p < 0.001);
	assert_int_equal(found.verdict, ES_VERDICT_UNDECIDED);
	assert_int_equal(found.limit, ES_LIMIT_OPEN);
	assert_int_equal(found.runs_needed, 0);
	assert_false(judged(zero, 3, above, 3, wish).has_change);
	found = judged(above, 3, below, 3, wish);
	assert_true(found.has_change && found.has_interval);
	assert_near(found.change, -1.25, 1e-12);
	assert_int_equal(found.verdict, ES_VERDICT_LOWER);
}

static void one_run_tells_a_change_but_no_interval(void **state)
{
	static const double a[] = { 100, 90 }, b[] = { 50, 60 };
	const struct es_judge_wish wish = { .has_limit = true, .limit = 0.05 };
	struct es_judgement found = judged(a, 1, b, 2, wish);

	(void)state;
	assert_true(found.has_change && !found.has_interval && !found.has_test);
	assert_near(found.change, -0.45, 1e-12);
	assert_int_equal(found.verdict, ES_VERDICT_UNDECIDED);
	assert_int_equal(found.limit, ES_LIMIT_OPEN);
	assert_int_equal(found.runs_needed, 0);
	assert_int_equal(es_judge(a, 0, b, 2, &wish, &found), -ENODATA);
	assert_int_equal(es_judge(a, 2, b, 0, &wish, &found), -ENODATA);
}

static void what_is_no_number_is_refused(void **state)
{
	double a[] = { 100, 90, 80 }, b[] = { 50, NAN, 60 };
	const struct es_judge_wish wish = { .seed = 1 };
	struct es_judgement found;

	(void)state;
	assert_int_equal(es_judge(a, 3, b, 3, &wish, &found), -ERANGE);
	assert_int_equal(es_judge(b, 3, a, 3, &wish, &found), -ERANGE);
}

/* Hands: 15.7 (CV / change)^2, 2 more below 10. A CV of 4 % and a change of 2 %: 62.8. */
static void runs_needed_follow_the_formula(void **state)
{
	static const double a[] = { 98, 100, 102 }, b[] = { 103, 105, 107 };

	(void)state;
	assert_int_equal(es_judge_runs(0.04, 0.02), 63);
	assert_int_equal(es_judge_runs(0.01, 0.02), 4 + 2);
	assert_int_equal(es_judge_runs(0.076, 0.22), 2 + 2);
	assert_int_equal(es_judge_runs(0.01, 0.5), 3);
	assert_int_equal(es_judge_runs(0, 0.01), 3);
	assert_int_equal(es_judge_runs(0, 0), 3);
	assert_true(es_judge_runs(0.01, 0) == SIZE_MAX);
	assert_true(es_judge_runs(1e99, 0.01) == SIZE_MAX);
	/* Both have a standard deviation of 2 % of A; the change is 5 %: 15.7 * 0.16 = 2.5. The margin counts where it is more. */
	assert_int_equal(judged(a, 3, b, 3, (struct es_judge_wish){ 0 }).runs_needed, 3 + 2);
	assert_int_equal(judged(a, 3, a, 3, (struct es_judge_wish){ 0 }).runs_needed, 63);
	assert_int_equal(judged(a, 3, a, 3, (struct es_judge_wish){ .margin = 0.02 }).runs_needed,
			 16);
}

static void many_runs_have_an_interval_like_that_of_a_difference(void **state)
{
	const struct es_judge_wish wish = { .seed = 3 };
	double a[30], b[30];
	struct es_judgement found, again;
	struct es_interval mean;

	(void)state;
	for (size_t i = 0; i < 30; i++) {
		a[i] = 100 + es_normal_quantile(((double)i + 0.5) / 30);
		b[i] = 104 + 2 * es_normal_quantile(((double)(i * 7 % 30) + 0.5) / 30);
	}
	found = judged(a, 30, b, 30, wish);
	assert_near(found.change, 0.04, 1e-9);
	/* t(43) = 2.017, sd 0.97 and 1.94: half a width of 2.017 * sqrt((0.97^2 * 1.04^2 + 1.94^2) / 30) / 100 = 0.81 %. */
	assert_near(found.change_low, 0.04 - 0.0081, 0.0003);
	assert_near(found.change_high, 0.04 + 0.0081, 0.0003);
	/* The means' intervals are those that each set has alone. */
	assert_int_equal(es_interval_of(b, 30, 3, &mean), 0);
	assert_true(found.b.method == ES_INTERVAL_BCA && found.b.low == mean.low);
	again = judged(a, 30, b, 30, wish);
	assert_true(found.change_low == again.change_low && found.a.high == again.a.high);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(welch_is_that_of_r),
		cmocka_unit_test(welch_holds_for_unequal_sets),
		cmocka_unit_test(the_mice_are_those_of_the_book),
		cmocka_unit_test(fieller_ends_where_welch_begins_to_reject),
		cmocka_unit_test(a_hardly_known_mean_leaves_ends_open),
		cmocka_unit_test(verdicts_are_those_of_the_interval),
		cmocka_unit_test(not_higher_by_more_is_shown_or_broken_or_open),
		cmocka_unit_test(runs_that_are_all_alike_leave_no_doubt),
		cmocka_unit_test(one_set_without_spread_is_no_trouble),
		cmocka_unit_test(nothing_is_told_relative_to_a_mean_below_nought),
		cmocka_unit_test(one_run_tells_a_change_but_no_interval),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(runs_needed_follow_the_formula),
		cmocka_unit_test(many_runs_have_an_interval_like_that_of_a_difference),
	};

	return cmocka_run_group_tests_name("core/judge", tests, NULL, NULL);
}
