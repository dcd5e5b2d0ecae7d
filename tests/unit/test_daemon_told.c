/*
 * test_daemon_told.c - what is told of running jobs between two sweeps that may be seen
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include "daemon/told.h"

static struct es_local_job_is job_with(uint64_t energy_uj, uint32_t n_parts)
{
	struct es_local_job_is is = { .has_energy = true,
				      .energy_uj = energy_uj,
				      .uncertainty_uj = energy_uj / 10,
				      .covered_ppm = 900000,
				      .dur_ns = (int64_t)energy_uj * 1000,
				      .n_parts = n_parts };

	for (uint32_t i = 0; i < n_parts; i++) {
		is.parts[i].dynamic_uj = energy_uj + i;
		is.parts[i].idle_uj = energy_uj + 100 + i;
	}
	return is;
}

static void until_the_next_sweep_the_same_is_told(void **state)
{
	struct es_told told = { .n = 0 };
	struct es_local_job_is then = job_with(500, 2), now = job_with(777, 2);

	(void)state;
	assert_int_equal(es_told_keep(&told, 7, &then), 0);
	es_told_limit(&told, 7, &now);
	assert_true(now.has_energy);
	assert_int_equal(now.energy_uj, 500);
	assert_int_equal(now.uncertainty_uj, 50);
	assert_int_equal(now.dur_ns, 500000);
	assert_int_equal(now.parts[1].dynamic_uj, 501);
	assert_int_equal(now.parts[1].idle_uj, 601);

	es_told_forget(&told);
	then = job_with(800, 2);
	assert_int_equal(es_told_keep(&told, 7, &then), 0);
	es_told_limit(&told, 7, &now);
	assert_int_equal(now.energy_uj, 800);
	es_told_finish(&told);
}

static void of_a_job_that_began_since_nothing_is_told(void **state)
{
	struct es_told told = { .n = 0 };
	struct es_local_job_is is = job_with(5, 1);

	(void)state;
	for (uint64_t serial = 1; serial <= 100; serial++) {
		is.energy_uj = serial;
		assert_int_equal(es_told_keep(&told, serial, &is), 0);
	}
	is = job_with(9, 1);
	es_told_limit(&told, 100, &is);
	assert_int_equal(is.energy_uj, 100);
	is = job_with(9, 1);
	es_told_limit(&told, 101, &is);
	assert_false(is.has_energy);
	assert_int_equal(is.energy_uj, 0);
	assert_int_equal(is.n_parts, 0);
	assert_int_equal(is.covered_ppm, 0);
	assert_int_equal(is.dur_ns, 9000);
	es_told_finish(&told);
}

/* Its parts came since: only what was there then is told. */
static void parts_that_came_since_are_left_out(void **state)
{
	struct es_told told = { .n = 0 };
	struct es_local_job_is then = job_with(5, 1), now = job_with(9, 3);

	(void)state;
	assert_int_equal(es_told_keep(&told, 1, &then), 0);
	es_told_limit(&told, 1, &now);
	assert_int_equal(now.n_parts, 1);
	assert_int_equal(now.parts[0].dynamic_uj, 5);
	es_told_finish(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(until_the_next_sweep_the_same_is_told),
		cmocka_unit_test(of_a_job_that_began_since_nothing_is_told),
		cmocka_unit_test(parts_that_came_since_are_left_out),
	};

	return cmocka_run_group_tests_name("daemon/told", tests, NULL, NULL);
}
