/*
 * test_opt_choose.c - the best of measured settings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>

#include "base/cleanup.h"
#include "opt/choose.h"

/* Power limits of 300 W to 100 W in steps of 25 W: Zeus, ResNet-50 on an A40 (its public profile, rounded). */
static const struct es_opt_point a40[] = {
	{ 24.0116, 6224.886 }, { 24.0622, 6122.302 }, { 24.1632, 5915.574 },
	{ 24.5480, 5499.972 }, { 25.1853, 5017.507 }, { 27.9389, 4867.478 },
	{ 36.8502, 5512.150 }, { 56.4756, 7071.861 }, { 69.3627, 8033.568 },
};

static size_t choose(unsigned objective, double slowdown)
{
	const struct es_opt_wish wish = { objective, slowdown };

	return es_opt_choose(a40, ES_ARRAY_SIZE(a40), 0, &wish);
}

static void the_cheapest_within_the_limit_is_chosen(void **state)
{
	(void)state;
	assert_int_equal(choose(ES_OPT_ENERGY, 0), 0);
	assert_int_equal(choose(ES_OPT_ENERGY, 0.02), 2);
	assert_int_equal(choose(ES_OPT_ENERGY, 0.05), 4);
	assert_int_equal(choose(ES_OPT_ENERGY, INFINITY), 5);
	assert_int_equal(choose(ES_OPT_EDP, INFINITY), 4);
	assert_int_equal(choose(ES_OPT_EDP, 0.03), 3);
	assert_int_equal(choose(ES_OPT_ED2P, INFINITY), 4);
	assert_true(fabs(es_opt_change(a40[2].time, a40[0].time) - 0.0063) < 5e-5);
	assert_true(fabs(es_opt_change(a40[4].energy, a40[0].energy) + 0.1940) < 5e-5);
}

static void the_limit_itself_is_within(void **state)
{
	const struct es_opt_point points[] = { { 0.7, 10 }, { 0.7 * 1.05, 9 }, { 0.7351, 8 } };
	const struct es_opt_wish wish = { ES_OPT_ENERGY, 0.05 };

	(void)state;
	assert_int_equal(es_opt_choose(points, 3, 0, &wish), 1);
}

static void of_equals_the_fastest_is_chosen(void **state)
{
	const struct es_opt_point same[] = { { 1, 5 }, { 1, 5 }, { 2, 5 } };
	const struct es_opt_point faster[] = { { 2, 5 }, { 1, 5 }, { 1, 5 } };
	const struct es_opt_point tie[] = { { 2, 5 }, { 1.5, 4 }, { 1, 4 }, { 1, 4 } };
	const struct es_opt_wish wish = { ES_OPT_ENERGY, INFINITY };

	(void)state;
	assert_int_equal(es_opt_choose(same, 3, 1, &wish), 1);
	assert_int_equal(es_opt_choose(faster, 3, 0, &wish), 1);
	assert_int_equal(es_opt_choose(tie, 4, 0, &wish), 2);
}

static void objectives_have_names(void **state)
{
	const struct es_opt_point point = { 3, 7 };
	unsigned exponent;

	(void)state;
	for (unsigned i = 0; i <= ES_OPT_EXPONENT_MAX; i++) {
		assert_int_equal(es_opt_objective_find(es_opt_objective_name(i), &exponent), 0);
		assert_int_equal(exponent, i);
	}
	assert_int_equal(es_opt_objective_find("ed1p", &exponent), 0);
	assert_int_equal(exponent, ES_OPT_EDP);
	assert_int_equal(es_opt_objective_find("ed10p", &exponent), -ENOENT);
	assert_int_equal(es_opt_objective_find("ed1.5p", &exponent), -ENOENT);
	assert_int_equal(es_opt_objective_find("speed", &exponent), -ENOENT);
	assert_true(fabs(es_opt_cost(&point, ES_OPT_ED2P) - 63) < 1e-12);
	assert_true(fabs(es_opt_cost(&point, 3) - 189) < 1e-12);
}

/* The heavier time weighs, the faster the choice. */
static void higher_exponents_choose_faster_settings(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= ES_OPT_EXPONENT_MAX; n++)
		assert_true(a40[choose(n, INFINITY)].time <= a40[choose(n - 1, INFINITY)].time);
	assert_int_equal(choose(3, INFINITY), 4);
	assert_int_equal(choose(4, INFINITY), 3);
	assert_int_equal(choose(9, INFINITY), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cheapest_within_the_limit_is_chosen),
		cmocka_unit_test(the_limit_itself_is_within),
		cmocka_unit_test(of_equals_the_fastest_is_chosen),
		cmocka_unit_test(objectives_have_names),
		cmocka_unit_test(higher_exponents_choose_faster_settings),
	};

	return cmocka_run_group_tests_name("opt/choose", tests, NULL, NULL);
}
