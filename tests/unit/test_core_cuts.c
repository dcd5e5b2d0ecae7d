/*
 * test_core_cuts.c - cumulative energy at given times, exact at the edges, gaps kept apart
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdlib.h>

#include "core/cuts.h"

static void sample(struct es_cuts *cuts, size_t domain, int64_t t0_ns, int64_t t1_ns,
		   uint64_t energy_uj, bool is_gap)
{
	const struct es_sample one = {
		.t0_ns = t0_ns, .t1_ns = t1_ns, .energy_uj = energy_uj, .is_gap = is_gap
	};

	es_cuts_sample(cuts, domain, &one);
}

static void times_inside_samples_are_interpolated_and_sum_up(void **state)
{
	static const int64_t times[] = { 50, 100, 130, 200, 260, 900 };
	struct es_cuts cuts;

	(void)state;
	assert_int_equal(es_cuts_init(&cuts, times, 6, 2), 0);
	sample(&cuts, 0, 100, 200, 1000, false);
	sample(&cuts, 0, 200, 300, 3000, false);
	sample(&cuts, 1, 120, 280, 160, false);

	assert_int_equal(cuts.error, 0);
	assert_int_equal(es_cuts_at(&cuts, 0, 0).energy_uj, 0);
	assert_int_equal(es_cuts_at(&cuts, 0, 1).energy_uj, 0);
	assert_int_equal(es_cuts_at(&cuts, 0, 2).energy_uj, 300);
	assert_int_equal(es_cuts_at(&cuts, 0, 3).energy_uj, 1000);
	assert_int_equal(es_cuts_at(&cuts, 0, 4).energy_uj, 2800);
	assert_int_equal(es_cuts_at(&cuts, 0, 5).energy_uj, 4000);
	assert_int_equal(es_cuts_at(&cuts, 1, 1).energy_uj, 0);
	assert_int_equal(es_cuts_at(&cuts, 1, 2).energy_uj, 10);
	assert_int_equal(es_cuts_at(&cuts, 1, 5).energy_uj, 160);
	es_cuts_finish(&cuts);
}

static void gaps_have_length_and_no_energy(void **state)
{
	static const int64_t times[] = { 150, 250, 350 };
	struct es_cuts cuts;

	(void)state;
	assert_int_equal(es_cuts_init(&cuts, times, 3, 1), 0);
	sample(&cuts, 0, 100, 200, 1000, false);
	sample(&cuts, 0, 200, 300, 0, true);
	sample(&cuts, 0, 300, 400, 500, false);

	assert_int_equal(es_cuts_at(&cuts, 0, 0).gap_ns, 0);
	assert_int_equal(es_cuts_at(&cuts, 0, 1).energy_uj, 1000);
	assert_int_equal(es_cuts_at(&cuts, 0, 1).gap_ns, 50);
	assert_int_equal(es_cuts_at(&cuts, 0, 2).energy_uj, 1250);
	assert_int_equal(es_cuts_at(&cuts, 0, 2).gap_ns, 100);
	es_cuts_finish(&cuts);
}

static void a_domain_without_samples_has_nothing(void **state)
{
	static const int64_t times[] = { 150 };
	struct es_cuts cuts;

	(void)state;
	assert_int_equal(es_cuts_init(&cuts, times, 1, 1), 0);
	assert_int_equal(es_cuts_at(&cuts, 0, 0).energy_uj, 0);
	es_cuts_finish(&cuts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_inside_samples_are_interpolated_and_sum_up),
		cmocka_unit_test(gaps_have_length_and_no_energy),
		cmocka_unit_test(a_domain_without_samples_has_nothing),
	};

	return cmocka_run_group_tests_name("core/cuts", tests, NULL, NULL);
}
