/*
 * test_cli_work_count.c - amounts that grow, begin anew, and begin somewhere
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>

#include "cli/work_count.h"

#define U INT64_C(1000000)

static void what_is_printed_is_the_amount(void **state)
{
	struct es_work_count count = { .from = ES_WORK_FROM_ZERO };

	(void)state;
	assert_int_equal(es_work_count_add(&count, 5 * U), 1);
	assert_int_equal(count.sum_micro, 5 * U);
	assert_int_equal(es_work_count_add(&count, 5 * U), 0);
	assert_int_equal(es_work_count_add(&count, 7 * U + 1), 1);
	assert_int_equal(count.sum_micro, 7 * U + 1);
	assert_int_equal(count.n_values, 3);
	assert_int_equal(count.n_restarts, 0);
}

static void zero_is_known_and_not_nothing(void **state)
{
	struct es_work_count count = { .from = ES_WORK_FROM_ZERO };

	(void)state;
	assert_false(count.has_value);
	assert_int_equal(es_work_count_add(&count, 0), 1);
	assert_true(count.has_value);
	assert_int_equal(count.sum_micro, 0);
	assert_int_equal(es_work_count_add(&count, 0), 0);
}

static void a_smaller_value_is_a_beginning_anew(void **state)
{
	static const int64_t values[] = { 10 * U, 20 * U, 5 * U, 8 * U, 0, 3 * U };
	struct es_work_count count = { .from = ES_WORK_FROM_ZERO };

	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_true(es_work_count_add(&count, values[i]) >= 0);
	assert_int_equal(count.sum_micro, 31 * U);
	assert_int_equal(count.last_micro, 3 * U);
	assert_int_equal(count.n_restarts, 2);
}

static void what_was_there_before_does_not_count(void **state)
{
	struct es_work_count first = { .from = ES_WORK_FROM_FIRST };
	struct es_work_count given = { .from = ES_WORK_FROM_GIVEN, .from_micro = 100 * U };

	(void)state;
	(void)es_work_count_add(&first, 110 * U);
	assert_int_equal(first.sum_micro, 0);
	(void)es_work_count_add(&first, 130 * U);
	assert_int_equal(first.sum_micro, 20 * U);
	(void)es_work_count_add(&given, 110 * U);
	assert_int_equal(given.sum_micro, 10 * U);
	assert_int_equal(given.n_restarts, 0);
}

static void a_first_value_below_what_was_given_is_a_beginning_anew(void **state)
{
	struct es_work_count given = { .from = ES_WORK_FROM_GIVEN, .from_micro = 100 * U };

	(void)state;
	(void)es_work_count_add(&given, 4 * U);
	assert_int_equal(given.sum_micro, 4 * U);
	assert_int_equal(given.n_restarts, 1);
}

static void what_does_not_fit_changes_nothing(void **state)
{
	struct es_work_count count = { .from = ES_WORK_FROM_ZERO };

	(void)state;
	assert_int_equal(es_work_count_add(&count, -1), -ERANGE);
	assert_false(count.has_value);
	assert_int_equal(es_work_count_add(&count, INT64_MAX), 1);
	assert_int_equal(es_work_count_add(&count, 1), -ERANGE);
	assert_int_equal(count.sum_micro, INT64_MAX);
	assert_int_equal(count.last_micro, INT64_MAX);
	assert_int_equal(count.n_values, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printed_is_the_amount),
		cmocka_unit_test(zero_is_known_and_not_nothing),
		cmocka_unit_test(a_smaller_value_is_a_beginning_anew),
		cmocka_unit_test(what_was_there_before_does_not_count),
		cmocka_unit_test(a_first_value_below_what_was_given_is_a_beginning_anew),
		cmocka_unit_test(what_does_not_fit_changes_nothing),
	};

	return cmocka_run_group_tests_name("cli/work_count", tests, NULL, NULL);
}
