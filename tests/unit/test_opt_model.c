/*
 * test_opt_model.c - time and power as functions of a clock
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "opt/model.h"

#define N 12U
#define TOP 2400.0

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.9g is not %.9g", value, expected);
}

struct truth {
	double fixed, scaled; /* time */
	double base, linear, cubic; /* power */
	bool is_overlapping;
};

/* Clocks from 200 MHz to TOP in equal steps; below half the top one everything is 3 times as slow as it should be. */
static void measure(const struct truth *truth, double *clocks, struct es_opt_point *points)
{
	for (size_t i = 0; i < N; i++) {
		double x = (double)(i + 1) / N;
		double time = truth->is_overlapping ? fmax(truth->fixed, truth->scaled / x)
						    : truth->fixed + truth->scaled / x;
		double power = truth->base + truth->linear * x + truth->cubic * x * x * x;

		time *= x < 0.49 ? 3 : 1;
		clocks[i] = TOP * x;
		points[i] = (struct es_opt_point){ time, time * power };
	}
}

/* The least energy by trying a hundred thousand clocks. */
static double tried(const struct truth *truth)
{
	double best = 0, least = INFINITY;

	for (int i = 50000; i <= 100000; i++) {
		double x = i / 1e5;
		double time = truth->is_overlapping ? fmax(truth->fixed, truth->scaled / x)
						    : truth->fixed + truth->scaled / x;
		double energy = time * (truth->base + truth->linear * x + truth->cubic * x * x * x);

		if (energy < least) {
			least = energy;
			best = x;
		}
	}
	return TOP * best;
}

static const struct truth truths[] = {
	{ 0, 10, 50, 0, 100, false }, /* (50 / 200)^(1/3) = 0.63 */
	{ 4, 6, 60, 30, 90, false },  { 1, 9, 300, 10, 20, false }, /* race to idle */
	{ 8, 2, 40, 0, 120, false },  { 15, 10, 50, 20, 80, true },
	{ 11, 10, 80, 0, 90, true },  { 1, 10, 50, 0, 100, true },
};

static void the_law_behind_the_points_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(truths); i++) {
		const struct truth *truth = &truths[i];
		struct es_opt_point points[N];
		struct es_opt_model model;
		double clocks[N];

		measure(truth, clocks, points);
		assert_int_equal(es_opt_model_fit(clocks, points, N, &model), 0);

		assert_int_equal(model.n, N / 2 + 1);
		assert_near(model.low, TOP / 2, 1e-6);
		assert_near(es_opt_model_time(&model, 0.7 * TOP),
			    truth->is_overlapping ? fmax(truth->fixed, truth->scaled / 0.7)
						  : truth->fixed + truth->scaled / 0.7,
			    1e-6);
		assert_near(es_opt_model_power(&model, 0.7 * TOP),
			    truth->base + 0.7 * truth->linear + 0.343 * truth->cubic, 1e-6);
		assert_near(model.time.error, 0, 1e-9);
		assert_near(es_opt_model_optimum(&model, 0), tried(truth), TOP * 2e-5);
	}
}

/* Where all of the time follows the clock both shapes are one. */
static void the_better_shape_of_time_is_kept(void **state)
{
	struct es_opt_point points[N];
	struct es_opt_model model;
	double clocks[N];

	(void)state;
	measure(&truths[1], clocks, points);
	assert_int_equal(es_opt_model_fit(clocks, points, N, &model), 0);
	assert_false(model.time.is_overlapping);
	assert_true(model.other_error > 0.01);
	measure(&truths[4], clocks, points);
	assert_int_equal(es_opt_model_fit(clocks, points, N, &model), 0);
	assert_true(model.time.is_overlapping);
	assert_true(model.other_error > 0.01);
}

static void too_few_clocks_give_no_model(void **state)
{
	const double clocks[] = { 1000, 1000, 1400, 2000, 900, 500 };
	const struct es_opt_point points[] = { { 2, 2 }, { 2, 2 }, { 1.5, 2 },
					       { 1, 2 }, { 3, 3 }, { 4, 4 } };
	struct es_opt_model model;

	(void)state;
	assert_int_equal(es_opt_model_fit(clocks, points, 6, &model), -ENODATA);
	assert_int_equal(es_opt_model_fit(clocks, points, 0, &model), -ENODATA);
}

static void a_ridge_is_found_where_it_is(void **state)
{
	double clocks[N], powers[N];
	struct es_opt_ridge ridge;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		double f = 300 + 150 * (double)i, v = 1 + 8e-4 * fmax(0, f - 1350 - 41);

		clocks[i] = f;
		powers[i] = 30 + 0.035 * f * v * v;
	}
	assert_int_equal(es_opt_ridge_fit(clocks, powers, N, &ridge), 0);
	assert_near(ridge.ridge, 1391, 2);
	assert_near(ridge.bend, 8e-4, 2e-5);
	assert_near(ridge.fixed, 30, 0.1);
	assert_near(ridge.slope, 0.035, 1e-4);
}

/* Errors of a tenth of a percent, alternating, on a straight line. */
static void a_line_has_no_ridge(void **state)
{
	double clocks[N], powers[N];
	struct es_opt_ridge ridge;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		clocks[i] = 300 + 150 * (double)i;
		powers[i] = (30 + 0.05 * clocks[i]) * (i % 2 ? 1.001 : 0.999);
	}
	assert_int_equal(es_opt_ridge_fit(clocks, powers, N, &ridge), -ENODATA);
	assert_int_equal(es_opt_ridge_fit(clocks, powers, 5, &ridge), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_law_behind_the_points_is_found),
		cmocka_unit_test(the_better_shape_of_time_is_kept),
		cmocka_unit_test(too_few_clocks_give_no_model),
		cmocka_unit_test(a_ridge_is_found_where_it_is),
		cmocka_unit_test(a_line_has_no_ridge),
	};

	return cmocka_run_group_tests_name("opt/model", tests, NULL, NULL);
}
