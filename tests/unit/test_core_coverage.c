/*
 * test_core_coverage.c - how often intervals hold the truth, verdicts are false alarms, and enough runs find a change
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * 2,000 synthetic experiments each, with fixed seeds: a share of 95 % is then known to 1 % (two standard errors). Student's intervals
 * cost next to nothing: of those 10,000, as skewed runs leave them little above 93 %.
 * doc/statistics.md has the whole table, of more experiments; what it warns of is held here too.
 */
#include "support/test.h"

#include <math.h>

#include "base/cleanup.h"
#include "core/draw.h"
#include "core/judge.h"

#define EXPERIMENTS 2000U
#define EXPERIMENTS_OF_T 10000U
#define LARGEST 64U /* runs */

/** struct shape - how runs scatter: all have a mean of 1 */
struct shape {
	const char *name;
	double (*draw)(uint64_t *state);
};

static double uniform(uint64_t *state)
{
	return ((double)(es_draw_bits(state) >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(uint64_t *state)
{
	return es_normal_quantile(uniform(state));
}

static double lognormal(double cv, uint64_t *state)
{
	double s = sqrt(log1p(cv * cv));

	return exp(s * normal(state) - s * s / 2);
}

/* A sum of @k waiting times, of mean 0 and standard deviation 1: its skewness is 2 / sqrt(k). */
static double waits(int k, uint64_t *state)
{
	double sum = 0;

	for (int i = 0; i < k; i++)
		sum -= log(uniform(state));
	return (sum - k) / sqrt(k);
}

/* A node that idles at 1013 or at 1168 W, as one of 8 GPUs did by the session, under a run whose time scatters. */
static double two_idles(double cv, uint64_t *state)
{
	return (uniform(state) < 0.5 ? 1013 : 1168) / 1090.5 * lognormal(cv, state);
}

static double time_1(uint64_t *state)
{
	return lognormal(0.01, state);
}

static double time_4(uint64_t *state)
{
	return lognormal(0.04, state);
}

static double time_10(uint64_t *state)
{
	return lognormal(0.10, state);
}

static double skew_067(uint64_t *state)
{
	return 1 + 0.03 * waits(9, state);
}

static double skew_1(uint64_t *state)
{
	return 1 + 0.04 * waits(4, state);
}

static double skew_2(uint64_t *state)
{
	return 1 + 0.05 * waits(1, state);
}

static double idles_4(uint64_t *state)
{
	return two_idles(0.043, state);
}

static double idles_1(uint64_t *state)
{
	return two_idles(0.01, state);
}

static double strays(uint64_t *state)
{
	return (1 + 0.01 * normal(state)) * (uniform(state) < 0.05 ? 1.2 : 1) / 1.01;
}

static void assert_percent(const char *what, const struct shape *shape, size_t n, double share,
			   double low, double high)
{
	if (!(share >= low && share <= high))
		fail_msg("%s, %s, %zu runs: %.2f %%, not %g to %g %%", what, shape->name, n, share,
			 low, high);
}

static void assert_share(const char *what, const struct shape *shape, size_t n, size_t count,
			 double low, double high)
{
	assert_percent(what, shape, n, 100.0 * (double)count / EXPERIMENTS, low, high);
}

static void fill(const struct shape *shape, double factor, uint64_t *state, double *values,
		 size_t n)
{
	for (size_t i = 0; i < n; i++)
		values[i] = factor * shape->draw(state);
}

static void assert_mean(const struct shape *shape, size_t n, double low, double high)
{
	size_t held = 0, experiments = n < 10 ? EXPERIMENTS_OF_T : EXPERIMENTS;
	uint64_t state = 1000 + n;
	double values[LARGEST];

	for (size_t i = 0; i < experiments; i++) {
		struct es_interval found;

		fill(shape, 1, &state, values, n);
		assert_int_equal(es_interval_of(values, n, i, &found), 0);
		assert_int_equal(found.method, n < 10 ? ES_INTERVAL_T : ES_INTERVAL_BCA);
		held += found.low <= 1 && found.high >= 1;
	}
	assert_percent("mean", shape, n, 100.0 * (double)held / (double)experiments, low, high);
}

static void intervals_of_few_runs_hold_the_mean(void **state)
{
	static const struct shape shapes[] = { { "CV 1 %", time_1 },
					       { "CV 4 %", time_4 },
					       { "CV 10 %", time_10 },
					       { "skewness 0.67", skew_067 } };
	static const struct shape idles = { "two idles", idles_4 };

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(shapes); i++)
		for (size_t n = 3; n <= 9; n += n == 3 ? 2 : 4)
			assert_mean(&shapes[i], n, 93, 97);
	for (size_t n = 5; n <= 9; n += 4)
		assert_mean(&idles, n, 93, 97);
}

static void intervals_of_many_runs_hold_the_mean(void **state)
{
	static const struct shape shapes[] = { { "CV 10 %", time_10 },
					       { "skewness 1", skew_1 },
					       { "two idles", idles_4 } };

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(shapes); i++)
		for (size_t n = 10; n <= 40; n *= 2)
			assert_mean(&shapes[i], n, 93, 97);
}

/* What is counted of judgements. */
struct counts {
	size_t held, alarms, shown;
};

/* B is truly @factor times A, and the limit is just that: the interval should hold it, and the limit be shown in 5 % only. */
static struct counts judgements(const struct shape *shape, size_t n, double factor)
{
	uint64_t state = 2000 + n;
	struct counts counts = { 0 };
	double a[LARGEST], b[LARGEST];

	for (size_t i = 0; i < EXPERIMENTS; i++) {
		struct es_judge_wish wish = {
			.margin = 1e-9, .has_limit = true, .limit = factor - 1, .seed = i
		};
		struct es_judgement found;

		fill(shape, 1, &state, a, n);
		fill(shape, factor, &state, b, n);
		assert_int_equal(es_judge(a, n, b, n, &wish, &found), 0);
		counts.held += found.change_low <= factor - 1 && found.change_high >= factor - 1;
		counts.alarms += found.verdict != ES_VERDICT_UNDECIDED;
		counts.shown += found.limit == ES_LIMIT_SHOWN;
	}
	return counts;
}

static void assert_change(const struct shape *shape, size_t n, double factor)
{
	struct counts counts = judgements(shape, n, factor);

	assert_share("change", shape, n, counts.held, 93, 97);
	assert_share("limit shown where it is just reached", shape, n, counts.shown, 3, 7);
	if (factor == 1)
		assert_share("false alarm", shape, n, counts.alarms, 3, 7);
}

static void intervals_of_few_runs_hold_the_change(void **state)
{
	static const struct shape shapes[] = { { "CV 4 %", time_4 },
					       { "CV 10 %", time_10 },
					       { "skewness 0.67", skew_067 },
					       { "two idles", idles_4 } };

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(shapes); i++) {
		for (size_t n = 3; n <= 9; n += n == 3 ? 2 : 4)
			assert_change(&shapes[i], n, 1);
	}
	assert_change(&shapes[0], 5, 0.78);
	assert_change(&shapes[3], 9, 1.02);
}

static void intervals_of_many_runs_hold_the_change(void **state)
{
	static const struct shape time = { "CV 4 %", time_4 }, skewed = { "skewness 1", skew_1 };
	static const struct shape idles = { "two idles", idles_4 };

	(void)state;
	for (size_t n = 10; n <= 40; n *= 2)
		assert_change(&time, n, 1);
	assert_change(&skewed, 10, 0.78);
	assert_change(&skewed, 20, 1);
	assert_change(&idles, 10, 1.02);
	assert_change(&idles, 20, 1);
}

/* Some of A's stray and some of B's: as the same may befall both, that is no change, and must not be taken for one. */
static void strays_raise_no_false_alarm(void **state)
{
	static const struct shape stray = { "5 % of runs slower by 20 %", strays };

	(void)state;
	for (size_t n = 5; n <= 20; n *= 2)
		assert_share("false alarm", &stray, n, judgements(&stray, n, 1).alarms, 0, 5);
}

/* So many runs as es_judge_runs says find the change in about 80 % of experiments, rightly. */
static void enough_runs_find_a_change(void **state)
{
	static const struct {
		double (*draw)(uint64_t *state);
		double cv, change;
	} cases[] = { { time_4, 0.04, -0.06 }, { time_10, 0.10, 0.10 }, { skew_067, 0.03, 0.025 } };

	(void)state;
	for (size_t k = 0; k < ES_ARRAY_SIZE(cases); k++) {
		size_t n = es_judge_runs(cases[k].cv, cases[k].change), right = 0;
		const struct shape shape = { "power", cases[k].draw };
		uint64_t drawn = 3000 + k;
		double a[LARGEST], b[LARGEST];

		assert_in_range(n, 3, LARGEST);
		for (size_t i = 0; i < EXPERIMENTS; i++) {
			struct es_judge_wish wish = { .margin = 1e-9, .seed = i };
			struct es_judgement found;

			fill(&shape, 1, &drawn, a, n);
			fill(&shape, 1 + cases[k].change, &drawn, b, n);
			assert_int_equal(es_judge(a, n, b, n, &wish, &found), 0);
			right += found.verdict ==
				 (cases[k].change < 0 ? ES_VERDICT_LOWER : ES_VERDICT_HIGHER);
		}
		assert_share("change found", &shape, n, right, 72, 90);
	}
}

/* What doc/statistics.md says no interval of these can do. */
static void the_limits_are_those_that_the_manual_warns_of(void **state)
{
	static const struct shape skewed = { "skewness 2", skew_2 };
	static const struct shape idles = { "two idles, steady time", idles_1 };
	static const struct shape stray = { "5 % of runs slower by 20 %", strays };

	(void)state;
	assert_mean(&skewed, 5, 86, 91);
	assert_mean(&skewed, 10, 91, 94);
	assert_mean(&idles, 3, 72, 78);
	assert_mean(&idles, 10, 98.5, 100);
	assert_mean(&stray, 9, 50, 57);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_of_few_runs_hold_the_mean),
		cmocka_unit_test(intervals_of_many_runs_hold_the_mean),
		cmocka_unit_test(intervals_of_few_runs_hold_the_change),
		cmocka_unit_test(intervals_of_many_runs_hold_the_change),
		cmocka_unit_test(strays_raise_no_false_alarm),
		cmocka_unit_test(enough_runs_find_a_change),
		cmocka_unit_test(the_limits_are_those_that_the_manual_warns_of),
	};

	return cmocka_run_group_tests_name("core/coverage", tests, NULL, NULL);
}
