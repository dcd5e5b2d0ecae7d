/*
 * test_opt_optimum.c - the clock of least energy * time^n by closed forms and by trying
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <math.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "opt/model.h"
#include "support/random.h"

#define TOP 2000.0
#define TRIES 4000
#define ROUNDS 600
#define EXPONENT_MAX 5U

static double uniform(uint64_t *seed, double low, double high)
{
	return low + (high - low) * ((double)(test_random(seed) >> 11) + 0.5) / 0x1p53;
}

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.9g is not %.9g", value, expected);
}

/* Times of clocks over the top one, whatever the model was fitted to. */
static struct es_opt_model make(bool is_overlapping, double a, double b, double p, double w,
				double c)
{
	return (struct es_opt_model){
		.top = TOP,
		.low = TOP * 0.3,
		.time = { .is_overlapping = is_overlapping, .fixed = a, .scaled = b },
		.power = { .fixed = p, .linear = w, .cubic = c },
	};
}

/* Source: 3 a c f^4 + 2 b c f^3 - b Ps = 0 and its cases without a memory-bound part: P = Ps + c f^3, T = b / f. */
static void textbook_cases_have_their_closed_forms(void **state)
{
	struct es_opt_model model = make(false, 0, 10, 40, 0, 100);
	double x;

	(void)state;
	assert_near(es_opt_model_optimum(&model, 0), TOP * cbrt(40 / (2 * 100.0)), 1e-6);
	assert_near(es_opt_model_optimum(&model, 1), TOP * cbrt(2 * 40 / 100.0), 1e-6);
	/* ED2P falls all the way: race to idle. */
	assert_near(es_opt_model_optimum(&model, 2), TOP, 1e-6);
	model = make(false, 6, 4, 40, 0, 100);
	x = es_opt_model_optimum(&model, 0) / TOP;
	assert_near(3 * 6 * 100 * pow(x, 4) + 2 * 4 * 100 * pow(x, 3) - 4 * 40, 0, 1e-6);
	model = make(true, 8, 4, 5, 0, 100);
	/* Memory bound from half the top clock on. */
	assert_near(es_opt_model_optimum(&model, 2), TOP * 0.5, 1e-6);
	assert_near(es_opt_model_optimum(&model, 0),
		    TOP * cbrt(5 / 200.0) > TOP * 0.3 ? TOP * cbrt(5 / 200.0) : TOP * 0.3, 1e-6);
	/* Static power alone. */
	model = make(false, 1, 9, 300, 0, 0);
	assert_near(es_opt_model_optimum(&model, 0), TOP, 1e-6);
	/* Nothing of the time follows the clock. */
	model = make(false, 9, 0, 30, 0, 100);
	assert_near(es_opt_model_optimum(&model, 3), TOP * 0.3, 1e-6);
}

/* Linear below the ridge: its stationary point is sqrt(b Ps / (a k)), the ridge where that lies beyond it. */
static void a_ridge_is_often_the_optimum(void **state)
{
	struct es_opt_model model = make(false, 5, 5, 0, 0, 0);
	struct es_opt_ridge ridge = {
		.fixed = 30, .slope = 120 / TOP, .bend = 2 / TOP, .ridge = 0.7 * TOP
	};

	(void)state;
	assert_near(es_opt_ridge_optimum(&model, &ridge, 0), TOP * sqrt(5 * 30 / (5 * 120.0)),
		    1e-6);
	ridge.fixed = 60;
	assert_near(es_opt_ridge_optimum(&model, &ridge, 0), TOP * 0.7, 1e-6);
	assert_near(es_opt_ridge_power(&ridge, TOP), 60 + 120 * 1.6 * 1.6, 1e-9);
	model.time.is_overlapping = true;
	model.time.fixed = 0;
	ridge.bend = 20 / TOP;
	assert_near(es_opt_ridge_optimum(&model, &ridge, 0), TOP * 0.7, 1e-6);
}

struct law {
	struct es_opt_model model;
	struct es_opt_ridge ridge;
	bool has_ridge;
	unsigned exponent;
};

static double cost(const struct law *law, double clock)
{
	double time = es_opt_model_time(&law->model, clock);

	return (law->has_ridge ? es_opt_ridge_power(&law->ridge, clock)
			       : es_opt_model_power(&law->model, clock)) *
	       pow(time, law->exponent + 1.0);
}

/* Never dearer than any of thousands of clocks, over random models of both times and both powers. */
static void no_clock_is_cheaper_than_the_optimum(void **state)
{
	uint64_t seed = 9;
	size_t n_inside = 0;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct law law = {
			.model = make(round % 2, uniform(&seed, 0, 10), uniform(&seed, 0.1, 10),
				      uniform(&seed, 1, 200), uniform(&seed, 0, 100),
				      uniform(&seed, 0, 300)),
			.ridge = { .fixed = uniform(&seed, 1, 200),
				   .slope = uniform(&seed, 0.01, 0.2),
				   .bend = uniform(&seed, 1e-5, 1e-2),
				   .ridge = TOP * uniform(&seed, 0.2, 1.1) },
			.has_ridge = round / 2 % 2,
			.exponent = round % (EXPONENT_MAX + 1),
		};
		double best = law.has_ridge
				      ? es_opt_ridge_optimum(&law.model, &law.ridge, law.exponent)
				      : es_opt_model_optimum(&law.model, law.exponent);
		double least = cost(&law, best);

		assert_true(best >= law.model.low * (1 - 1e-12) && best <= TOP * (1 + 1e-12));
		n_inside += best > law.model.low * 1.001 && best < TOP * 0.999;
		for (int i = 0; i <= TRIES; i++) {
			double clock = law.model.low + (TOP - law.model.low) * i / TRIES;

			if (!(cost(&law, clock) >= least * (1 - 1e-10)))
				fail_msg("round %u: %.6g at %.6g, %.6g at %.6g", round,
					 cost(&law, clock), clock, least, best);
		}
	}
	assert_true(n_inside > ROUNDS / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(textbook_cases_have_their_closed_forms),
		cmocka_unit_test(a_ridge_is_often_the_optimum),
		cmocka_unit_test(no_clock_is_cheaper_than_the_optimum),
	};

	return cmocka_run_group_tests_name("opt/optimum", tests, NULL, NULL);
}
