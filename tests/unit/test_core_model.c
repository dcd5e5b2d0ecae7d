/*
 * test_core_model.c - from joules to the node's, from kWh to grams
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "core/model.h"

static void no_model_invents_no_watts(void **state)
{
	const struct es_node_model *model = es_node_model_find("none");

	(void)state;
	assert_non_null(model);
	assert_true(model->slope == 1.0);
	assert_true(es_node_model_offset_w(model, 1000, 8000) == 0.0);
	assert_false(model->truncates);
}

/* 2 nodes and 3 GPUs: 2 * 60 + 3 * 50 = 270 W. */
static void the_model_of_2022_adds_watts_for_nodes_and_gpus(void **state)
{
	const struct es_node_model *model = es_node_model_find("joule_model_202203");

	(void)state;
	assert_non_null(model);
	assert_true(model->slope == 1.0);
	assert_true(es_node_model_offset_w(model, 1, 0) == 60.0);
	assert_true(es_node_model_offset_w(model, 2, 3) == 270.0);
	assert_true(model->truncates);
}

static void unknown_models_are_not_found(void **state)
{
	struct es_carbon_factor factor = { .year = 7 };

	(void)state;
	assert_null(es_node_model_find(""));
	assert_null(es_node_model_find("joule_model"));
	assert_int_equal(es_carbon_factor_named("carbon_model_1999", "FR", &factor), -ENOENT);
	assert_int_equal(es_carbon_factor_named("carbon_model_202203", "US", &factor), -ENODATA);
	assert_int_equal(es_carbon_factor_named("carbon_model_2024", "", &factor), -ENODATA);
	assert_int_equal(factor.year, 7); /* written on success only */
}

static void named_factors_carry_what_they_are(void **state)
{
	struct es_carbon_factor factor;

	(void)state;
	assert_int_equal(es_carbon_factor_named("carbon_model_2024", "FR", &factor), 0);
	assert_true(factor.g_per_kwh == 50.0);
	assert_string_equal(factor.factor_id, "carbon_model_2024-FR");
	assert_string_equal(factor.kind, "average");
	assert_int_equal(factor.year, 2024);
	assert_int_equal(es_carbon_factor_named("carbon_model_2024", "US", &factor), 0);
	assert_true(factor.g_per_kwh == 369.0);
	assert_int_equal(es_carbon_factor_named("carbon_model_202203", "FR", &factor), 0);
	assert_true(factor.g_per_kwh == 51.1);
}

/* 10.5812 kWh at the node, PUE 1.3: 13.75556 kWh, 50 g each: 687.778 g. */
static void grams_are_of_the_facility(void **state)
{
	struct es_carbon_factor factor;

	(void)state;
	assert_int_equal(es_carbon_factor_named("carbon_model_2024", "FR", &factor), 0);

	assert_true(fabs(es_carbon_g(&factor, 38092320.0, 38092320.0 * 1.3) - 687.778) < 1e-9);
}

/* 127,247 J are 0.035346 kWh: 0.035 after rounding, times 51.1 is 1.7885 g; PUE is no part of it. */
static void grams_of_2022_round_kwh_first_and_know_no_pue(void **state)
{
	struct es_carbon_factor factor;

	(void)state;
	assert_int_equal(es_carbon_factor_named("carbon_model_202203", "FR", &factor), 0);

	assert_true(fabs(es_carbon_g(&factor, 127247.0, 127247.0 * 1.3) - 1.7885) < 1e-9);
	assert_true(es_carbon_g(&factor, 1799.0, 5e9) == 0.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_model_invents_no_watts),
		cmocka_unit_test(the_model_of_2022_adds_watts_for_nodes_and_gpus),
		cmocka_unit_test(unknown_models_are_not_found),
		cmocka_unit_test(named_factors_carry_what_they_are),
		cmocka_unit_test(grams_are_of_the_facility),
		cmocka_unit_test(grams_of_2022_round_kwh_first_and_know_no_pue),
	};

	return cmocka_run_group_tests_name("core/model", tests, NULL, NULL);
}
