/*
 * test_format_import_place.c - which readings of unsure time are kept
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <string.h>

#include "format/import_place.h"

#define S INT64_C(1000000000)

/* A counter of mJ. */
static const struct es_place_rule rule_mj = {
	.unit_num = 1000, .unit_den = 1, .width_bits = 64, .peak_mw = 3000000, .over_percent = 10
};

static uint64_t highest_mw(const struct es_place_reading *readings, size_t n)
{
	uint64_t highest = 0;

	for (size_t i = 1; i < n; i++) {
		uint64_t mw = (readings[i].value - readings[i - 1].value) * 1000000000 /
			      (uint64_t)(readings[i].t_ns - readings[i - 1].t_ns);

		highest = mw > highest ? mw : highest;
	}
	return highest;
}

static void sure_readings_all_stay(void **state)
{
	struct es_place_reading readings[100];
	struct es_place_result result;

	(void)state;
	/* 100 W, then 1000 W: a true step is believed. */
	for (unsigned i = 0; i < 100; i++)
		readings[i] = (struct es_place_reading){
			.t_ns = i * S, .value = i < 50 ? i * 100000 : 4900000 + (i - 49) * 1000000
		};

	assert_int_equal(es_place_sift(readings, 100, &rule_mj, &result), 100);
	assert_int_equal(result.n_unsure + result.n_unordered, 0);
}

static void an_unsure_reading_that_makes_a_spike_is_left_out(void **state)
{
	struct es_place_reading readings[100];
	struct es_place_result result;
	size_t n;

	(void)state;
	/* 200 W; reading 50 stands at 50 s and was taken 30 s later, as all after it. */
	for (unsigned i = 0; i < 100; i++)
		readings[i] = (struct es_place_reading){ .t_ns = (i > 50 ? i + 30 : i) * S,
							 .value = (i >= 50 ? i + 30 : i) * 200000,
							 .unsure_ns = i == 50 ? 30 * S : 0 };
	n = es_place_sift(readings, 100, &rule_mj, &result);

	assert_int_equal(n, 99);
	assert_int_equal(result.n_unsure, 1);
	assert_true(highest_mw(readings, n) <= 200000);
	assert_int_equal(readings[n - 1].value, 129 * 200000);
}

static void an_unsure_reading_placed_too_late_gives_way_to_a_sure_one(void **state)
{
	struct es_place_reading readings[100];
	struct es_place_result result;
	size_t n;

	(void)state;
	/* Reading 50 was taken before the 30 s stood still, and stands behind them. */
	for (unsigned i = 0; i < 100; i++)
		readings[i] = (struct es_place_reading){ .t_ns = (i >= 50 ? i + 30 : i) * S,
							 .value = (i > 50 ? i + 30 : i) * 200000,
							 .unsure_ns = i == 50 ? 30 * S : 0 };
	n = es_place_sift(readings, 100, &rule_mj, &result);

	assert_int_equal(n, 99);
	assert_true(highest_mw(readings, n) <= 200000);
}

static void energy_of_first_and_last_is_never_lost(void **state)
{
	struct es_place_reading readings[40];
	struct es_place_result result;
	size_t n;

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		readings[i] = (struct es_place_reading){ .t_ns = i * S,
							 .value = i * 200000,
							 .unsure_ns = 100 * S };
	readings[39].value += 5000000; /* 25 s of it came while the last sweep stood still */
	n = es_place_sift(readings, 40, &rule_mj, &result);

	assert_int_equal(readings[0].value, 0);
	assert_int_equal(readings[n - 1].value, 39 * 200000 + 5000000);
	assert_true(readings[n - 1].t_ns >= 39 * S);
	assert_true(highest_mw(readings, n) <= result.ceiling_mw + 1);
}

static void readings_out_of_order_are_left_out(void **state)
{
	struct es_place_reading readings[] = { { .t_ns = 0, .value = 0 },
					       { .t_ns = S, .value = 100 },
					       { .t_ns = S, .value = 100 },
					       { .t_ns = S / 2, .value = 300 },
					       { .t_ns = 2 * S, .value = 200 } };
	struct es_place_result result;

	(void)state;
	assert_int_equal(es_place_sift(readings, 5, &rule_mj, &result), 3);
	assert_int_equal(result.n_unordered, 2);
	assert_int_equal(readings[2].value, 200);
}

static void little_is_no_trouble(void **state)
{
	struct es_place_reading one[] = { { .t_ns = 5, .value = 7, .unsure_ns = 9 } };
	struct es_place_result result;

	(void)state;
	assert_int_equal(es_place_sift(one, 0, &rule_mj, &result), 0);
	assert_int_equal(es_place_sift(one, 1, &rule_mj, &result), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sure_readings_all_stay),
		cmocka_unit_test(an_unsure_reading_that_makes_a_spike_is_left_out),
		cmocka_unit_test(an_unsure_reading_placed_too_late_gives_way_to_a_sure_one),
		cmocka_unit_test(energy_of_first_and_last_is_never_lost),
		cmocka_unit_test(readings_out_of_order_are_left_out),
		cmocka_unit_test(little_is_no_trouble),
	};

	return cmocka_run_group_tests_name("format/import_place", tests, NULL, NULL);
}
