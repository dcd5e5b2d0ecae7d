/*
 * test_twin_limits.c - power limits and heat of a simulated node: what they allow, what they cost
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/twin_node.h"

#include <errno.h>
#include <math.h>

static void set_limit(struct es_twin_node *node, enum es_twin_part part, size_t i,
		      unsigned constraint, double watts, int64_t window_us)
{
	struct es_twin_limit limit = { .power_uw = (uint64_t)(watts * 1e6),
				       .window_us = window_us,
				       .is_enabled = watts > 0 };

	assert_int_equal(es_twin_set_limit(node, part, i, constraint, &limit), 0);
}

/* Of all packages. */
static void set_limits(struct es_twin_node *node, unsigned constraint, double watts,
		       int64_t window_us)
{
	for (size_t i = 0; i < es_twin_n(node, ES_TWIN_PACKAGE); i++)
		set_limit(node, ES_TWIN_PACKAGE, i, constraint, watts, window_us);
}

static double mean_w(const struct es_twin_node *node, enum es_twin_part part, size_t i,
		     int64_t t_ns, int64_t window_ns)
{
	return (double)es_twin_mean_uw(node, part, i, t_ns, window_ns) / 1e6;
}

/* The largest value that an exponential average with @window_ns has from @from_ns on, told from the history alone. */
static double highest_average_w(const struct es_twin_node *node, enum es_twin_part part, size_t i,
				double window_ns, double start_w, int64_t from_ns)
{
	double average = start_w, highest = 0;

	for (size_t k = 0; k + 1 < es_twin_n_history(node); k++) {
		int64_t t_ns = es_twin_history_ns(node, k), next_ns;
		double power_w;

		next_ns = es_twin_history_ns(node, k + 1);
		power_w = (double)es_twin_power_uw(node, part, i, t_ns) / 1e6;
		average =
			power_w + (average - power_w) * exp(-(double)(next_ns - t_ns) / window_ns);
		if (next_ns >= from_ns)
			highest = fmax(highest, average);
	}
	return highest;
}

static void the_average_stays_below_the_limit(void **state)
{
	struct es_twin_node *node = test_node(test_kind("skx2s"), NULL);
	double idle_w = test_w(node, ES_TWIN_PACKAGE, 0);
	struct es_twin_throttle throttle;

	(void)state;
	set_limits(node, 0, 100, 999424);
	assert_true(test_begin(node, "a 1s cpu=70% memory=30% activity=1.2", 200) >= 0);
	test_pass(node, 60 * TEST_S);
	for (size_t i = 0; i < 2; i++) {
		double highest_w = highest_average_w(node, ES_TWIN_PACKAGE, i, 999424e3, idle_w, 0);

		assert_true(highest_w <= 100.0 * 1.0002);
		assert_true(highest_w > 99.9);
		/* Once held it is held to the µW, noise or not. */
		assert_true(mean_w(node, ES_TWIN_PACKAGE, i, 60 * TEST_S, 30 * TEST_S) <= 100.0);
		assert_true(mean_w(node, ES_TWIN_PACKAGE, i, 60 * TEST_S, 30 * TEST_S) > 99.5);
		es_twin_throttle(node, (unsigned)i, &throttle);
		assert_true(throttle.is_by_power && !throttle.is_by_heat);
		assert_true(throttle.n_power >= 1 && throttle.n_heat == 0);
		assert_true(throttle.power_ns > 50 * TEST_S && throttle.power_ns <= 60 * TEST_S);
	}
	for (size_t k = 0; k < es_twin_n_history(node); k++) {
		int64_t t_ns = es_twin_history_ns(node, k);

		if (t_ns > 10 * TEST_S)
			assert_true(es_twin_power_uw(node, ES_TWIN_PACKAGE, 0, t_ns) <= 100000000);
	}
	assert_true(es_twin_core_khz(node, 0) < 3400000);
	es_twin_node_destroy(node);
}

static void a_burst_lasts_until_the_average_is_there(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	double idle_w = test_w(node, ES_TWIN_PACKAGE, 0), burst_w, expected_ns;
	struct es_twin_throttle throttle;

	(void)state;
	set_limits(node, 0, 100, 999424);
	assert_true(test_begin(node, "a 100s cpu=100%", 1) >= 0);
	burst_w = test_w(node, ES_TWIN_PACKAGE, 0);
	assert_true(burst_w > 130);
	assert_int_equal(es_twin_core_khz(node, 0), 3400000);
	expected_ns = 999424e3 * log((burst_w - idle_w) / (burst_w - 100));
	test_pass(node, (int64_t)(expected_ns * 0.98));
	es_twin_throttle(node, 0, &throttle);
	assert_false(throttle.is_by_power);
	test_pass(node, (int64_t)(expected_ns * 0.04));
	es_twin_throttle(node, 0, &throttle);
	assert_true(throttle.is_by_power);
	assert_true(fabs(test_w(node, ES_TWIN_PACKAGE, 0) - 100) < 0.002);
	es_twin_node_destroy(node);
}

static void no_burst_is_above_the_short_limit(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");

	(void)state;
	set_limits(node, 0, 80, 999424);
	set_limits(node, 1, 110, 7808);
	assert_true(test_begin(node, "a 100s cpu=100%", 1) >= 0);
	assert_true(fabs(test_w(node, ES_TWIN_PACKAGE, 0) - 110) < 0.01);
	test_pass(node, 20 * TEST_S);
	assert_true(fabs(test_w(node, ES_TWIN_PACKAGE, 0) - 80) < 0.01);
	es_twin_node_destroy(node);
}

static void restoring_restores(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	struct es_twin_node *free_node = test_quiet_node("skx2s");
	struct es_twin_limit before;
	uint64_t held_uw;

	(void)state;
	assert_int_equal(es_twin_limit(node, ES_TWIN_PACKAGE, 0, 0, &before), 0);
	assert_int_equal(before.power_uw, 165000000);
	assert_int_equal(before.window_us, 999424);
	assert_true(before.is_enabled);
	assert_true(test_begin(node, "a 1000s cpu=100%", 1) >= 0);
	assert_true(test_begin(free_node, "a 1000s cpu=100%", 1) >= 0);
	test_pass(node, 300 * TEST_S);
	test_pass(free_node, 300 * TEST_S);
	assert_int_equal(es_twin_power_uw(node, ES_TWIN_NODE, 0, 300 * TEST_S),
			 es_twin_power_uw(free_node, ES_TWIN_NODE, 0, 300 * TEST_S));
	set_limits(node, 0, 90, 999424);
	held_uw = es_twin_power_uw(node, ES_TWIN_NODE, 0, 300 * TEST_S);
	test_pass(node, 300 * TEST_S);
	assert_true(es_twin_power_uw(node, ES_TWIN_NODE, 0, 600 * TEST_S) < held_uw);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(es_twin_set_limit(node, ES_TWIN_PACKAGE, i, 0, &before), 0);
	test_pass(node, 400 * TEST_S);
	test_pass(free_node, 700 * TEST_S);
	/* The other one has ended by now: what is compared is the load that both had at 300 s. */
	assert_true(fabs(test_w(node, ES_TWIN_PACKAGE, 0) -
			 mean_w(free_node, ES_TWIN_PACKAGE, 0, 999 * TEST_S, TEST_S)) < 0.01);
	es_twin_node_destroy(node);
	es_twin_node_destroy(free_node);
}

static void a_disabled_limit_or_none_holds_nothing(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	struct es_twin_limit limit = { .power_uw = 60000000, .window_us = 999424 };

	(void)state;
	assert_int_equal(es_twin_set_limit(node, ES_TWIN_PACKAGE, 0, 0, &limit), 0);
	limit.power_uw = 0;
	limit.is_enabled = true;
	assert_int_equal(es_twin_set_limit(node, ES_TWIN_PACKAGE, 1, 0, &limit), 0);
	assert_true(test_begin(node, "a 100s cpu=100%", 1) >= 0);
	test_pass(node, 20 * TEST_S);
	assert_true(test_w(node, ES_TWIN_PACKAGE, 0) > 130);
	assert_true(test_w(node, ES_TWIN_PACKAGE, 1) > 130);
	es_twin_node_destroy(node);
}

static void below_the_lowest_clock_a_limit_is_missed(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	struct es_twin_throttle throttle;

	(void)state;
	set_limits(node, 0, 25, 999424);
	assert_true(test_begin(node, "a 100s cpu=100%", 1) >= 0);
	test_pass(node, 20 * TEST_S);
	assert_int_equal(es_twin_core_khz(node, 0), 1200000);
	assert_true(test_w(node, ES_TWIN_PACKAGE, 0) > 30);
	es_twin_throttle(node, 0, &throttle);
	assert_true(throttle.is_by_power);
	es_twin_node_destroy(node);
}

static void one_slow_package_slows_a_program_on_both(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	double slow_khz;
	int load;

	(void)state;
	set_limit(node, ES_TWIN_PACKAGE, 0, 0, 80, 976);
	load = test_begin(node, "a 10s cpu=100%", 1);
	assert_true(load >= 0);
	test_pass(node, TEST_S);
	assert_true(fabs(test_w(node, ES_TWIN_PACKAGE, 0) - 80) < 0.01);
	/* The other one waits in its barrier: at a high clock, but less than at work. */
	assert_int_equal(es_twin_core_khz(node, 18), 3400000);
	assert_true(test_w(node, ES_TWIN_PACKAGE, 1) > 80);
	assert_true(test_w(node, ES_TWIN_PACKAGE, 1) < 130);
	slow_khz = (double)es_twin_core_khz(node, 0);
	/* Warmer and leakier it gets a little slower still. */
	assert_true(fabs((double)test_finish(node, load) / 1e10 / (3.4e6 / slow_khz) - 1) < 0.02);
	es_twin_node_destroy(node);
}

static void a_limit_of_the_memory_slows_what_waits_for_it(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	const struct es_twin_cpu *cpu = &test_kind("skx2s")->cpu;
	double half_w = cpu->dram_idle_w + cpu->dram_busy_w / 2;
	int memory, compute;

	(void)state;
	assert_true(fabs(test_w(node, ES_TWIN_DRAM, 0) - cpu->dram_idle_w) < 1e-6);
	for (size_t i = 0; i < 2; i++)
		set_limit(node, ES_TWIN_DRAM, i, 0, half_w, 976);
	memory = test_begin(node, "a 10s memory=100%", 1);
	/* In steps of 1/8 W. */
	assert_true(test_w(node, ES_TWIN_DRAM, 0) <= half_w);
	assert_true(test_w(node, ES_TWIN_DRAM, 0) > half_w - 0.126);
	assert_true(fabs((double)test_finish(node, memory) / 20e9 - 1) < 0.02);
	compute = test_begin(node, "a 10s cpu=100%", 1);
	assert_int_equal(test_finish(node, compute), 10 * TEST_S);
	es_twin_node_destroy(node);
}

static void a_limit_of_the_board_is_kept_by_its_packages(void **state)
{
	struct es_twin_node *node = test_quiet_node("spr2s");
	double free_w;

	(void)state;
	assert_true(test_begin(node, "a 1000s cpu=80% memory=20%", 1) >= 0);
	test_pass(node, 200 * TEST_S);
	free_w = test_w(node, ES_TWIN_BOARD, 0);
	assert_true(free_w > 600);
	set_limit(node, ES_TWIN_BOARD, 1, 0, 500, 999424);
	test_pass(node, 60 * TEST_S);
	assert_true(fabs(test_w(node, ES_TWIN_BOARD, 0) - 500) < 0.1);
	assert_true(es_twin_core_khz(node, 0) < 3000000);
	set_limit(node, ES_TWIN_BOARD, 1, 0, 0, 999424);
	test_pass(node, 200 * TEST_S);
	assert_true(fabs(test_w(node, ES_TWIN_BOARD, 0) - free_w) < 0.1);
	es_twin_node_destroy(node);
}

static void a_limit_of_the_board_leaves_the_most_to_who_works(void **state)
{
	struct es_twin_node *node = test_quiet_node("spr2s");
	double limit_w;

	(void)state;
	/* Package 1 draws little anyway: the other one keeps most of its clock. */
	assert_int_equal(es_twin_set_prochot(node, 1, true), 0);
	assert_true(test_begin(node, "a 1000s communication=100%", 1) >= 0);
	limit_w = test_w(node, ES_TWIN_BOARD, 0) - 30;
	set_limit(node, ES_TWIN_BOARD, 0, 0, limit_w, 976);
	/* To the step of 1/8 W. */
	assert_true(fabs(test_w(node, ES_TWIN_BOARD, 0) - limit_w) < 0.13);
	assert_true(test_w(node, ES_TWIN_PACKAGE, 0) > test_w(node, ES_TWIN_PACKAGE, 1) + 20);
	assert_true(es_twin_core_khz(node, 0) > 1500000);
	es_twin_node_destroy(node);
}

static void a_gpu_keeps_its_limit(void **state)
{
	struct es_twin_node *node = test_node(test_kind("genoa2s-a100x4"), NULL);
	struct es_twin_gpu_state seen;
	double free_w;
	int load;

	(void)state;
	load = test_begin(node, "a 100s gpu=90% gpu-memory=10%", 1);
	assert_true(load >= 0);
	test_pass(node, 50 * TEST_S);
	free_w = mean_w(node, ES_TWIN_GPU, 2, 50 * TEST_S, 10 * TEST_S);
	assert_true(free_w > 330 && free_w < 400);
	assert_int_equal(es_twin_set_gpu_limit(node, 2, 250000), 0);
	test_pass(node, TEST_S);
	es_twin_gpu_state(node, 2, &seen);
	assert_true(seen.is_by_power && !seen.is_by_heat && !seen.is_by_clock && !seen.is_idle);
	assert_int_equal(seen.limit_mw, 250000);
	assert_true(seen.clock_mhz < 1400);
	assert_true(mean_w(node, ES_TWIN_GPU, 2, 51 * TEST_S, 900 * TEST_MS) <= 250.0);
	assert_true(mean_w(node, ES_TWIN_GPU, 2, 51 * TEST_S, 900 * TEST_MS) > 249.0);
	/* The others wait for it. */
	assert_true(mean_w(node, ES_TWIN_GPU, 0, 51 * TEST_S, 900 * TEST_MS) < free_w - 20);
	assert_int_equal(es_twin_set_gpu_limit(node, 2, 400000), 0);
	test_pass(node, 20 * TEST_S);
	assert_true(fabs(mean_w(node, ES_TWIN_GPU, 2, 71 * TEST_S, 10 * TEST_S) - free_w) < 5);
	es_twin_gpu_state(node, 2, &seen);
	assert_false(seen.is_by_power);
	assert_true(seen.power_ns > 900 * TEST_MS && seen.power_ns <= TEST_S + TEST_MS);
	assert_true(test_finish(node, load) > 100 * TEST_S);
	es_twin_node_destroy(node);
}

static void hot_air_slows_down(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	struct es_twin_throttle throttle;
	int64_t before_mc;

	(void)state;
	assert_true(test_begin(node, "a 1000s cpu=100%", 1) >= 0);
	test_pass(node, 100 * TEST_S);
	before_mc = es_twin_temperature_mc(node, ES_TWIN_PACKAGE, 0);
	es_twin_set_heat(node, 70000);
	assert_in_range(es_twin_temperature_mc(node, ES_TWIN_PACKAGE, 0), before_mc - 5,
			before_mc + 5);
	for (unsigned i = 0; i < 100; i++) {
		test_pass(node, TEST_S);
		assert_true(es_twin_temperature_mc(node, ES_TWIN_PACKAGE, 0) <= 95010);
	}
	es_twin_throttle(node, 0, &throttle);
	assert_true(throttle.is_by_heat && !throttle.is_by_power && throttle.n_heat == 1);
	assert_true(es_twin_core_khz(node, 0) < 3400000);
	assert_true(es_twin_temperature_mc(node, ES_TWIN_PACKAGE, 0) > 94900);
	es_twin_set_heat(node, 22000);
	test_pass(node, 200 * TEST_S);
	es_twin_throttle(node, 0, &throttle);
	assert_false(throttle.is_by_heat);
	assert_int_equal(es_twin_core_khz(node, 0), 3400000);
	es_twin_node_destroy(node);
}

static void prochot_holds_the_lowest_clock(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	struct es_twin_throttle throttle;
	double before_w;

	(void)state;
	assert_true(test_begin(node, "a 1000s cpu=100%", 1) >= 0);
	before_w = test_w(node, ES_TWIN_PACKAGE, 1);
	assert_int_equal(es_twin_set_prochot(node, 1, true), 0);
	assert_int_equal(es_twin_set_prochot(node, 2, true), -ENODEV);
	assert_int_equal(es_twin_core_khz(node, 18), 1200000);
	assert_int_equal(es_twin_core_khz(node, 0), 3400000);
	assert_true(test_w(node, ES_TWIN_PACKAGE, 1) < before_w / 2);
	test_pass(node, TEST_S);
	es_twin_throttle(node, 1, &throttle);
	assert_true(throttle.is_by_heat);
	assert_int_equal(throttle.n_heat, 1);
	assert_int_equal(throttle.heat_ns, TEST_S);
	assert_int_equal(es_twin_set_prochot(node, 1, false), 0);
	assert_int_equal(es_twin_core_khz(node, 18), 3400000);
	es_twin_node_destroy(node);
}

static void limits_are_refused_as_the_kernel_refuses(void **state)
{
	struct es_twin_node *skx = test_quiet_node("skx2s"), *amd = test_quiet_node("milan2s");
	struct es_twin_node *laptop = test_quiet_node("laptop"), *vm = test_quiet_node("vm");
	struct es_twin_limit limit = { .power_uw = 50062500, .window_us = 1500, .is_enabled = 1 };

	(void)state;
	/* Registers: 1/8 W, 976 µs times 2^Y (1 + F/4). */
	assert_int_equal(es_twin_set_limit(skx, ES_TWIN_PACKAGE, 0, 0, &limit), 0);
	assert_int_equal(es_twin_limit(skx, ES_TWIN_PACKAGE, 0, 0, &limit), 0);
	assert_int_equal(limit.power_uw, 50000000);
	assert_int_equal(limit.window_us, 976);
	limit.window_us = 6000;
	assert_int_equal(es_twin_set_limit(skx, ES_TWIN_PACKAGE, 0, 0, &limit), 0);
	assert_int_equal(es_twin_limit(skx, ES_TWIN_PACKAGE, 0, 0, &limit), 0);
	assert_int_equal(limit.window_us, 976 * 6);
	limit.window_us = -1;
	assert_int_equal(es_twin_set_limit(skx, ES_TWIN_PACKAGE, 0, 0, &limit), -EINVAL);
	limit.window_us = 976;
	assert_int_equal(es_twin_set_limit(skx, ES_TWIN_PACKAGE, 0, 2, &limit), -ENODATA);
	assert_int_equal(es_twin_set_limit(skx, ES_TWIN_PACKAGE, 2, 0, &limit), -ENODATA);
	assert_int_equal(es_twin_set_limit(skx, ES_TWIN_DRAM, 0, 1, &limit), -ENODATA);
	assert_int_equal(es_twin_set_limit(skx, ES_TWIN_BOARD, 0, 0, &limit), -ENODATA);
	assert_int_equal(es_twin_set_limit(skx, ES_TWIN_GPU, 0, 0, &limit), -ENODATA);
	assert_int_equal(es_twin_set_limit(amd, ES_TWIN_PACKAGE, 0, 0, &limit), -ENODATA);
	assert_int_equal(es_twin_limit(amd, ES_TWIN_PACKAGE, 0, 0, &limit), -ENODATA);
	assert_int_equal(es_twin_set_limit(laptop, ES_TWIN_PACKAGE, 0, 2, &limit), 0);
	assert_int_equal(es_twin_set_limit(laptop, ES_TWIN_BOARD, 0, 1, &limit), 0);
	assert_int_equal(es_twin_set_limit(laptop, ES_TWIN_DRAM, 0, 0, &limit), -ENODATA);
	assert_int_equal(es_twin_set_limit(vm, ES_TWIN_BOARD, 0, 0, &limit), -ENODATA);
	es_twin_node_destroy(skx);
	es_twin_node_destroy(amd);
	es_twin_node_destroy(laptop);
	es_twin_node_destroy(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_average_stays_below_the_limit),
		cmocka_unit_test(a_burst_lasts_until_the_average_is_there),
		cmocka_unit_test(no_burst_is_above_the_short_limit),
		cmocka_unit_test(restoring_restores),
		cmocka_unit_test(a_disabled_limit_or_none_holds_nothing),
		cmocka_unit_test(below_the_lowest_clock_a_limit_is_missed),
		cmocka_unit_test(one_slow_package_slows_a_program_on_both),
		cmocka_unit_test(a_limit_of_the_memory_slows_what_waits_for_it),
		cmocka_unit_test(a_limit_of_the_board_is_kept_by_its_packages),
		cmocka_unit_test(a_limit_of_the_board_leaves_the_most_to_who_works),
		cmocka_unit_test(a_gpu_keeps_its_limit),
		cmocka_unit_test(hot_air_slows_down),
		cmocka_unit_test(prochot_holds_the_lowest_clock),
		cmocka_unit_test(limits_are_refused_as_the_kernel_refuses),
	};

	return cmocka_run_group_tests_name("twin/limits", tests, NULL, NULL);
}
