/*
 * test_core_share.c - shares by CPU time add up to the machine, and never invent energy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "core/share.h"

#define S 1000000000LL

static void assert_near(double got, double want, double within)
{
	if (!(fabs(got - want) <= within))
		fail_msg("got %.9g, want %.9g within %g", got, want, within);
}

/* 1000 J in 10 s, of that 40 W idle; a quarter of the CPU time. */
static struct es_share_of example(void)
{
	return (struct es_share_of){ .energy_j = 1000,
				     .uncertainty_j = 8,
				     .dur_ns = 10 * S,
				     .cpu_ns = 5 * S,
				     .busy_ns = 20 * S,
				     .busy_step_ns = S / 100,
				     .has_idle = true,
				     .idle_w = 40 };
}

static void dynamic_energy_goes_by_cpu_time_and_idle_is_left_out(void **state)
{
	struct es_share_of of = example();
	struct es_share share;

	(void)state;
	assert_int_equal(es_share_by_cpu_time(&of, &share), 0);
	assert_near(share.share, 0.25, 1e-12);
	assert_near(share.energy_j, 150, 1e-9);
	assert_near(share.idle_j, 400, 1e-9);
	assert_int_equal(share.idle, ES_SHARE_IDLE_LEFT_OUT);
	/* A quarter of the meters' 8 J, and a step of 10 ms in 20 s of 600 J. */
	assert_near(share.uncertainty_j, hypot(2, 0.3), 1e-9);
}

static void idle_goes_by_allocated_cpus_where_there_are_some(void **state)
{
	struct es_share_of of = example();
	struct es_share share;

	(void)state;
	of.n_allocated = 16;
	of.n_cpus = 64;
	assert_int_equal(es_share_by_cpu_time(&of, &share), 0);
	assert_near(share.energy_j, 150 + 100, 1e-9);
	assert_int_equal(share.idle, ES_SHARE_IDLE_ALLOCATED);
	of.n_allocated = 65; /* more than there are: it cannot be */
	assert_int_equal(es_share_by_cpu_time(&of, &share), 0);
	assert_int_equal(share.idle, ES_SHARE_IDLE_LEFT_OUT);
}

static void without_idle_power_all_goes_by_cpu_time(void **state)
{
	struct es_share_of of = example();
	struct es_share share;

	(void)state;
	of.has_idle = false;
	of.n_allocated = of.n_cpus = 64;
	assert_int_equal(es_share_by_cpu_time(&of, &share), 0);
	assert_near(share.energy_j, 250, 1e-9);
	assert_int_equal(share.idle, ES_SHARE_IDLE_NOT_APART);
	assert_string_equal(es_share_idle_name(share.idle), "not known apart");
}

/* Ticks of 10 ms: a short command may seem to have had more than all. */
static void a_command_has_no_more_than_the_machine(void **state)
{
	struct es_share_of of = example();
	struct es_share share;

	(void)state;
	of.cpu_ns = 21 * S;
	assert_int_equal(es_share_by_cpu_time(&of, &share), 0);
	assert_near(share.share, 1, 0);
	of.busy_ns = S / 1000;
	of.cpu_ns = S / 1000;
	assert_int_equal(es_share_by_cpu_time(&of, &share), 0);
	assert_true(share.uncertainty_j >= 600); /* one step is more than it all */
}

static void a_baseline_above_the_run_leaves_nothing_to_share(void **state)
{
	struct es_share_of of = example();
	struct es_share share;

	(void)state;
	of.idle_w = 101;
	assert_int_equal(es_share_by_cpu_time(&of, &share), 0);
	assert_near(share.energy_j, 0, 1e-9);
	assert_near(share.idle_j, 1000, 1e-9);
}

static void what_is_not_known_gives_no_share(void **state)
{
	struct es_share_of of = example();
	struct es_share share;

	(void)state;
	of.cpu_ns = -1;
	assert_int_equal(es_share_by_cpu_time(&of, &share), -ENODATA);
	of = example();
	of.busy_ns = 0;
	assert_int_equal(es_share_by_cpu_time(&of, &share), -ENODATA);
	of = example();
	of.busy_ns = -1;
	assert_int_equal(es_share_by_cpu_time(&of, &share), -ENODATA);
	of = example();
	of.energy_j = -1;
	assert_int_equal(es_share_by_cpu_time(&of, &share), -ENODATA);
	of = example();
	of.dur_ns = 0;
	assert_int_equal(es_share_by_cpu_time(&of, &share), -ENODATA);
}

/* The book closes: all that ran, and the idle energy nobody was given, is the machine's energy. */
static void the_book_closes(void **state)
{
	(void)state;
	srand(7);
	for (int i = 0; i < 1000; i++) {
		struct es_share_of of = example();
		double sum_j = 0;
		int64_t cpu_ns[4];
		uint32_t allocated = 0;
		struct es_share share = { .idle_j = 0 };

		of.has_idle = i % 2;
		of.energy_j = rand() % 100000;
		of.idle_w = rand() % 3000;
		of.n_cpus = 64;
		of.busy_ns = 0;
		for (size_t j = 0; j < 4; j++)
			of.busy_ns += cpu_ns[j] = rand() % 1000000 + 1;
		for (size_t j = 0; j < 4; j++) {
			of.cpu_ns = cpu_ns[j];
			of.n_allocated = (uint32_t)(rand() % 16);
			allocated += of.n_allocated;
			assert_int_equal(es_share_by_cpu_time(&of, &share), 0);
			sum_j += share.energy_j;
		}
		if (of.has_idle)
			sum_j += share.idle_j * (1 - allocated / 64.0);
		assert_near(sum_j, of.energy_j, 1e-6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dynamic_energy_goes_by_cpu_time_and_idle_is_left_out),
		cmocka_unit_test(idle_goes_by_allocated_cpus_where_there_are_some),
		cmocka_unit_test(without_idle_power_all_goes_by_cpu_time),
		cmocka_unit_test(a_command_has_no_more_than_the_machine),
		cmocka_unit_test(a_baseline_above_the_run_leaves_nothing_to_share),
		cmocka_unit_test(what_is_not_known_gives_no_share),
		cmocka_unit_test(the_book_closes),
	};

	return cmocka_run_group_tests_name("core/share", tests, NULL, NULL);
}
