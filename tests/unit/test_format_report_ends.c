/*
 * test_format_report_ends.c - powers that begin late and end early: what was drawn before and after them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>

#include "format/report.h"
#include "support/recordings.h"

static int set_up(void **state)
{
	struct test_recording *made = calloc(1, sizeof(*made));

	assert_non_null(made);
	test_recording_init(made, 100 * TEST_MS);
	*state = made;
	return 0;
}

static int tear_down(void **state)
{
	test_recording_finish(*state);
	free(*state);
	return 0;
}

/* A wattmeter on the network: its own clock says when a value was taken, up to a period before the sweep. */
static const struct es_report *measure(struct test_recording *made, int64_t first_ns)
{
	const struct es_report_options options = test_options();
	struct es_domain *domain = test_domain(made, "file", ES_DOMAIN_NODE, -1, -1);

	domain->is_power = true;
	domain->kind = ES_KIND_INTEGRATED;
	domain->range.unit_nj = domain->range.modulus_nj = 0;
	domain->update_period_ns = 0;
	domain->read_period_ns = TEST_S;
	/* What is read in the first and in the last sweep tells how long it took. */
	test_domain(made, "powercap", ES_DOMAIN_DRAM, 0, -1)->read_period_ns = 10 * TEST_S;
	test_reading(made, 0, 1, 0);
	for (int64_t t_ns = first_ns; t_ns < 9600 * TEST_MS; t_ns += TEST_S)
		test_reading(made, t_ns, 0, 200000);
	test_reading(made, 10 * TEST_S, 1, 50 * TEST_J);
	test_end(made, 10 * TEST_S, 0);
	return test_report(made, &options);
}

static void the_end_after_the_last_power_is_counted_and_is_unsure(void **state)
{
	const struct es_report *report = measure(*state, 0);

	/* 10 s of 200 W; the last second may have been nothing. */
	assert_int_equal(report->total_uj, 2000 * TEST_J);
	assert_true(report->uncertainty_j >= 200.0 && report->uncertainty_j < 210.0);
	assert_int_equal(report->n_gaps, 0);
}

static void so_is_the_start_before_the_first_one(void **state)
{
	const struct es_report *report = measure(*state, 500 * TEST_MS);

	assert_int_equal(report->total_uj, 2000 * TEST_J);
	assert_true(report->uncertainty_j >= 200.0 && report->uncertainty_j < 210.0);
	assert_int_equal(report->n_gaps, 0);
}

/* Asked ten times in a second, with a new value once in it. */
static const struct es_report *measure_paced(struct test_recording *made, int64_t hold_ns)
{
	const struct es_report_options options = test_options();
	struct es_domain *domain = test_domain(made, "mqtt", ES_DOMAIN_NODE, -1, -1);

	domain->is_power = true;
	domain->kind = ES_KIND_INTEGRATED;
	domain->range.unit_nj = domain->range.modulus_nj = 0;
	domain->read_period_ns = TEST_S / 10;
	domain->hold_ns = hold_ns;
	for (int64_t t_ns = 0; t_ns <= 10 * TEST_S; t_ns += TEST_S)
		test_reading(made, t_ns, 0, 200000);
	test_end(made, 10 * TEST_S, 0);
	return test_report(made, &options);
}

static void values_at_their_own_pace_leave_no_holes(void **state)
{
	const struct es_report *report = measure_paced(*state, 3 * TEST_S);

	assert_int_equal(report->total_uj, 2000 * TEST_J);
	assert_int_equal(report->n_gaps, 0);
	assert_true(report->uncertainty_j < 1.0);
}

static void without_that_pace_they_do(void **state)
{
	assert_true(measure_paced(*state, 0)->n_gaps > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_end_after_the_last_power_is_counted_and_is_unsure, set_up, tear_down),
		cmocka_unit_test_setup_teardown(so_is_the_start_before_the_first_one, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(values_at_their_own_pace_leave_no_holes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(without_that_pace_they_do, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("format/report_ends", tests, NULL, NULL);
}
