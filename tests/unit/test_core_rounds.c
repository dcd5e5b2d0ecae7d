/*
 * test_core_rounds.c - the order of turns: each thing once a round, no place and no neighbour preferred
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <string.h>

#include "core/rounds.h"

#define MOST 26

static void each_comes_once_in_each_round(void **state)
{
	(void)state;
	for (size_t n = 1; n <= MOST; n++)
		for (size_t round = 0; round < 3 * es_rounds_period(n); round++) {
			size_t order[MOST], seen[MOST] = { 0 };

			es_rounds_order(n, round, order);
			for (size_t i = 0; i < n; i++) {
				assert_in_range(order[i], 0, n - 1);
				assert_int_equal(seen[order[i]]++, 0);
			}
		}
}

static void after_a_period_each_was_in_each_place_and_behind_each_other_equally_often(void **state)
{
	(void)state;
	for (size_t n = 2; n <= MOST; n++) {
		size_t places[MOST][MOST] = { { 0 } }, behind[MOST][MOST] = { { 0 } };
		size_t period = es_rounds_period(n);

		for (size_t round = 0; round < period; round++) {
			size_t order[MOST];

			es_rounds_order(n, round, order);
			for (size_t i = 0; i < n; i++) {
				places[order[i]][i]++;
				if (i > 0)
					behind[order[i]][order[i - 1]]++;
			}
		}
		for (size_t a = 0; a < n; a++)
			for (size_t b = 0; b < n; b++) {
				assert_int_equal(places[a][b], period / n);
				assert_int_equal(behind[a][b], a == b ? 0 : period / n);
			}
	}
}

/* The sum of places over two rounds: n - 1 for each. */
static void a_steady_drift_adds_the_same_to_each_in_two_rounds(void **state)
{
	(void)state;
	for (size_t n = 1; n <= MOST; n++)
		for (size_t round = 0; round < 2 * n; round += 2) {
			size_t first[MOST], second[MOST], sums[MOST] = { 0 };

			es_rounds_order(n, round, first);
			es_rounds_order(n, round + 1, second);
			for (size_t i = 0; i < n; i++) {
				sums[first[i]] += i;
				sums[second[i]] += i;
			}
			for (size_t i = 0; i < n; i++)
				assert_int_equal(sums[i], n - 1);
		}
}

static void two_come_as_ab_ba_ba_ab(void **state)
{
	const size_t want[4][2] = { { 0, 1 }, { 1, 0 }, { 1, 0 }, { 0, 1 } };

	(void)state;
	for (size_t round = 0; round < 8; round++) {
		size_t order[2];

		es_rounds_order(2, round, order);
		assert_memory_equal(order, want[round % 4], sizeof(order));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_comes_once_in_each_round),
		cmocka_unit_test(
			after_a_period_each_was_in_each_place_and_behind_each_other_equally_often),
		cmocka_unit_test(a_steady_drift_adds_the_same_to_each_in_two_rounds),
		cmocka_unit_test(two_come_as_ab_ba_ba_ab),
	};

	return cmocka_run_group_tests_name("core/rounds", tests, NULL, NULL);
}
