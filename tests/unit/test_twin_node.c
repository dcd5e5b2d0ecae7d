/*
 * test_twin_node.c - a simulated node's energies: exact, the same for everybody who looks, whenever they look
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/twin_node.h"

#include <math.h>

#include "base/cleanup.h"
#include "support/random.h"

#define N_TIMES 60U

static es_u128 all_fj(const struct es_twin_node *node, enum es_twin_part part, int64_t t_ns)
{
	es_u128 sum = 0;

	for (size_t i = 0; i < es_twin_n(node, part); i++)
		sum += es_twin_energy_fj(node, part, i, t_ns);
	return sum;
}

static uint64_t all_uw(const struct es_twin_node *node, enum es_twin_part part, int64_t t_ns)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < es_twin_n(node, part); i++)
		sum += es_twin_power_uw(node, part, i, t_ns);
	return sum;
}

static void check_sums(const struct es_twin_node *node, int64_t t_ns)
{
	static const enum es_twin_part on_board[] = { ES_TWIN_PACKAGE, ES_TWIN_DRAM, ES_TWIN_GPU,
						      ES_TWIN_SYSIO,   ES_TWIN_FANS, ES_TWIN_REST };
	es_u128 board_fj = es_twin_energy_fj(node, ES_TWIN_BOARD, 0, t_ns), sum_fj = 0;
	uint64_t board_uw = es_twin_power_uw(node, ES_TWIN_BOARD, 0, t_ns), sum_uw = 0;

	for (size_t i = 0; i < ES_ARRAY_SIZE(on_board); i++) {
		sum_fj += all_fj(node, on_board[i], t_ns);
		sum_uw += all_uw(node, on_board[i], t_ns);
	}
	assert_true(board_fj == sum_fj);
	assert_int_equal(board_uw, sum_uw);
	assert_true(es_twin_energy_fj(node, ES_TWIN_NODE, 0, t_ns) ==
		    board_fj + es_twin_energy_fj(node, ES_TWIN_LOSS, 0, t_ns));
	assert_int_equal(es_twin_power_uw(node, ES_TWIN_NODE, 0, t_ns),
			 board_uw + es_twin_power_uw(node, ES_TWIN_LOSS, 0, t_ns));
	assert_true(all_fj(node, ES_TWIN_CORES, t_ns) + all_fj(node, ES_TWIN_GRAPHICS, t_ns) <=
		    all_fj(node, ES_TWIN_PACKAGE, t_ns));
	if (es_twin_n(node, ES_TWIN_GPU_CHIP))
		assert_true(all_fj(node, ES_TWIN_GPU_CHIP, t_ns) ==
			    all_fj(node, ES_TWIN_GPU, t_ns));
	if (es_twin_n(node, ES_TWIN_MODULE))
		assert_true(all_fj(node, ES_TWIN_MODULE, t_ns) ==
			    all_fj(node, ES_TWIN_PACKAGE, t_ns) + all_fj(node, ES_TWIN_DRAM, t_ns) +
				    all_fj(node, ES_TWIN_SYSIO, t_ns) +
				    all_fj(node, ES_TWIN_GPU, t_ns));
}

/* Something that happens to a node, drawn from @random: a program begins or ends, a knob is turned. */
static void happen(struct es_twin_node *node, uint64_t *random)
{
	const struct es_twin_kind *kind = es_twin_node_kind(node);
	unsigned top = kind->cpu.turbos[0].mhz, low = kind->cpu.min_mhz;
	uint64_t khz = (low + test_random_below(random, top - low + 1)) * 1000;
	uint64_t limit_uw = (20 + test_random_below(random, 300)) * 1000000;

	switch (test_random_below(random, 6)) {
	case 0:
		(void)test_begin(node, "a 700ms cpu=60% memory=30% communication=10%", 5);
		break;
	case 1:
		(void)test_begin(node, "b 1.3s cpu=40% memory=100% model=overlapping activity=1.4",
				 3);
		break;
	case 2:
		if (kind->n_gpus)
			(void)test_begin(node, "c 900ms gpu=70% gpu-memory=20% cpu=10%", 4);
		break;
	case 3:
		es_twin_load_end(node, (int)test_random_below(random, 4));
		break;
	case 4:
		(void)es_twin_apply(node, &(struct es_twin_settings){ .core_max_khz = khz });
		break;
	default:
		(void)es_twin_apply(node,
				    &(struct es_twin_settings){ .package_limit_uw = limit_uw });
		break;
	}
}

static void parts_add_up_to_the_uw_at_any_time(void **state)
{
	size_t n;
	const struct es_twin_kind *const *kinds = es_twin_kinds(&n);

	(void)state;
	for (size_t k = 0; k < n; k++) {
		struct es_twin_node *node = test_node(
			kinds[k], &(struct es_twin_options){ .seed = k, .start_ns = 5 * TEST_S });
		uint64_t random = 1 + k;
		es_u128 before_fj = 0;

		for (unsigned i = 0; i < 20; i++) {
			happen(node, &random);
			test_pass(node, (int64_t)test_random_below(&random, 900000000));
			check_sums(node, es_twin_now_ns(node));
		}
		for (unsigned i = 0; i < N_TIMES; i++)
			check_sums(node, (int64_t)test_random_below(
						 &random, (uint64_t)es_twin_now_ns(node) + 5));
		for (int64_t t_ns = 0; t_ns < es_twin_now_ns(node); t_ns += 37 * TEST_MS) {
			es_u128 now_fj = es_twin_energy_fj(node, ES_TWIN_NODE, 0, t_ns);

			assert_true(now_fj >= before_fj);
			before_fj = now_fj;
		}
		es_twin_node_destroy(node);
	}
}

static void energy_is_power_times_time(void **state)
{
	struct es_twin_node *node = test_node(test_kind("skx2s"), NULL);
	es_u128 sum_fj = 0;

	(void)state;
	assert_true(test_begin(node, "a 3s cpu=50% memory=50%", 2) >= 0);
	test_pass(node, 10 * TEST_S);
	for (size_t i = 0; i + 1 < es_twin_n_history(node); i++) {
		int64_t from_ns = es_twin_history_ns(node, i), to_ns;

		to_ns = es_twin_history_ns(node, i + 1);
		assert_true(to_ns > from_ns);
		assert_true(es_twin_energy_fj(node, ES_TWIN_NODE, 0, from_ns) == sum_fj);
		sum_fj += (es_u128)es_twin_power_uw(node, ES_TWIN_NODE, 0, from_ns) *
			  (uint64_t)(to_ns - from_ns);
		/* Linear inside. */
		assert_int_equal(es_twin_power_uw(node, ES_TWIN_NODE, 0, to_ns - 1),
				 es_twin_power_uw(node, ES_TWIN_NODE, 0, from_ns));
		assert_true(es_twin_energy_fj(node, ES_TWIN_NODE, 0, to_ns) == sum_fj);
	}
	assert_true(es_twin_n_history(node) > 20);
	es_twin_node_destroy(node);
}

static void nobody_changes_it_by_looking(void **state)
{
	static const struct es_twin_options options = { .seed = 99 };
	struct es_twin_node *often = test_node(test_kind("genoa2s-a100x4"), &options);
	struct es_twin_node *seldom = test_node(test_kind("genoa2s-a100x4"), &options);
	uint64_t random = 7, same = 3, also = 3;

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		int64_t to_ns = es_twin_now_ns(seldom) + (int64_t)(i * 37000000 + 11);

		while (es_twin_now_ns(often) < to_ns) {
			int64_t t_ns = es_twin_now_ns(often) +
				       (int64_t)test_random_below(&random, 30000000);

			es_twin_advance(often, t_ns < to_ns ? t_ns : to_ns);
		}
		es_twin_advance(seldom, to_ns);
		happen(often, &same);
		happen(seldom, &also);
	}
	assert_int_equal(es_twin_n_history(often), es_twin_n_history(seldom));
	for (size_t i = 0; i < es_twin_n_history(often); i++) {
		int64_t t_ns = es_twin_history_ns(often, i);

		assert_int_equal(t_ns, es_twin_history_ns(seldom, i));
		assert_true(es_twin_energy_fj(often, ES_TWIN_NODE, 0, t_ns) ==
			    es_twin_energy_fj(seldom, ES_TWIN_NODE, 0, t_ns));
	}
	es_twin_node_destroy(often);
	es_twin_node_destroy(seldom);
}

static es_u128 lived_fj(uint64_t seed, bool is_quiet)
{
	struct es_twin_node *node =
		test_node(test_kind("skx2s"),
			  &(struct es_twin_options){ .seed = seed, .is_quiet = is_quiet });
	es_u128 energy_fj;

	assert_true(test_begin(node, "a 3s cpu=80% memory=20%", 2) >= 0);
	test_pass(node, 10 * TEST_S);
	energy_fj = es_twin_energy_fj(node, ES_TWIN_NODE, 0, 10 * TEST_S);
	es_twin_node_destroy(node);
	return energy_fj;
}

static void a_seed_makes_one_life(void **state)
{
	(void)state;
	assert_true(lived_fj(5, false) == lived_fj(5, false));
	assert_true(lived_fj(5, false) != lived_fj(6, false));
	assert_true(lived_fj(5, true) == lived_fj(6, true));
	/* Noise has no mean: a few per mille in 10 s. */
	assert_true(fabs((double)lived_fj(5, false) / (double)lived_fj(5, true) - 1) < 0.005);
}

static void noise_is_as_large_as_the_kind_says(void **state)
{
	const struct es_twin_kind *kind = test_kind("skx2s");
	struct es_twin_node *node = test_node(kind, &(struct es_twin_options){ .seed = 3 });
	double sum = 0, squares = 0, dynamic_w = kind->cpu.cores.dynamic_w, deviation;
	unsigned n = 4000;

	(void)state;
	assert_true(test_begin(node, "a 10000s cpu=100%", 1) >= 0);
	test_pass(node, 120 * TEST_S);
	for (unsigned i = 0; i < n; i++) {
		double w;

		test_pass(node, 100 * TEST_MS);
		w = (double)es_twin_mean_uw(node, ES_TWIN_CORES, 0, es_twin_now_ns(node),
					    100 * TEST_MS) /
		    1e6;
		sum += w;
		squares += w * w;
	}
	deviation = sqrt(squares / n - sum / n * (sum / n)) / dynamic_w * 1e6;
	assert_true(deviation > 0.8 * kind->noise_ppm && deviation < 1.2 * kind->noise_ppm);
	es_twin_node_destroy(node);
}

static void a_short_history_keeps_the_newest(void **state)
{
	struct es_twin_node *node =
		test_node(test_kind("skx2s"), &(struct es_twin_options){ .n_history = 8 });
	struct es_twin_node *one =
		test_node(test_kind("skx2s"),
			  &(struct es_twin_options){ .n_history = 1, .quantum_ns = TEST_S });
	int64_t oldest_ns;

	(void)state;
	test_pass(node, 10 * TEST_S);
	assert_int_equal(es_twin_n_history(node), 8);
	oldest_ns = es_twin_history_ns(node, 0);
	assert_true(oldest_ns > 9 * TEST_S);
	assert_true(es_twin_energy_fj(node, ES_TWIN_NODE, 0, 0) ==
		    es_twin_energy_fj(node, ES_TWIN_NODE, 0, oldest_ns));
	assert_true(es_twin_energy_fj(node, ES_TWIN_NODE, 0, 99 * TEST_S) ==
		    es_twin_energy_fj(node, ES_TWIN_NODE, 0, 10 * TEST_S));
	for (unsigned i = 1; i <= 20; i++) {
		es_twin_advance(one, i * TEST_S);
		assert_int_equal(es_twin_n_history(one), 1);
		assert_int_equal(es_twin_history_ns(one, 0), i * TEST_S);
	}
	assert_true(es_twin_energy_fj(one, ES_TWIN_NODE, 0, 20 * TEST_S) > 0);
	es_twin_node_destroy(node);
	es_twin_node_destroy(one);
}

static void a_mean_covers_what_there_is(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	uint64_t idle_uw = es_twin_power_uw(node, ES_TWIN_NODE, 0, 0), mean_uw, busy_uw;

	(void)state;
	test_pass(node, 2 * TEST_S);
	assert_int_equal(es_twin_mean_uw(node, ES_TWIN_NODE, 0, 2 * TEST_S, 60 * TEST_S), idle_uw);
	assert_true(test_begin(node, "a 100s communication=100%", 1) >= 0);
	busy_uw = es_twin_power_uw(node, ES_TWIN_NODE, 0, 2 * TEST_S);
	assert_true(busy_uw > idle_uw);
	test_pass(node, 5 * TEST_MS);
	/* Half of the window idle, half busy, not yet any warmer. */
	mean_uw = es_twin_mean_uw(node, ES_TWIN_NODE, 0, es_twin_now_ns(node), 10 * TEST_MS);
	assert_int_equal(mean_uw, (idle_uw + busy_uw) / 2);
	es_twin_node_destroy(node);
}

static void an_earlier_time_changes_nothing(void **state)
{
	struct es_twin_node *node = test_node(test_kind("laptop"), NULL);
	es_u128 energy_fj;

	(void)state;
	es_twin_advance(node, 3 * TEST_S + 5);
	energy_fj = es_twin_energy_fj(node, ES_TWIN_NODE, 0, 4 * TEST_S);
	es_twin_advance(node, TEST_S);
	assert_int_equal(es_twin_now_ns(node), 3 * TEST_S + 5);
	assert_true(es_twin_energy_fj(node, ES_TWIN_NODE, 0, 4 * TEST_S) == energy_fj);
	es_twin_node_destroy(node);
}

static void heat_follows_power_with_its_time_constant(void **state)
{
	const struct es_twin_kind *kind = test_kind("spr2s");
	struct es_twin_node *node = test_quiet_node("spr2s");
	double idle_c = (double)es_twin_temperature_mc(node, ES_TWIN_PACKAGE, 0) / 1000, warm_c;
	double reached_c, share;

	(void)state;
	/* Idle temperature: the air's plus what idle power makes of the heat sink. */
	assert_true(fabs(idle_c - (22 + kind->cpu.c_per_w * test_w(node, ES_TWIN_PACKAGE, 0))) <
		    0.01);
	assert_true(test_begin(node, "a 10000s communication=100%", 1) >= 0);
	test_pass(node, kind->cpu.heat_ns);
	reached_c = (double)es_twin_temperature_mc(node, ES_TWIN_PACKAGE, 0) / 1000;
	test_pass(node, 40 * kind->cpu.heat_ns);
	warm_c = (double)es_twin_temperature_mc(node, ES_TWIN_PACKAGE, 0) / 1000;
	assert_true(fabs(warm_c - (22 + kind->cpu.c_per_w * test_w(node, ES_TWIN_PACKAGE, 0))) <
		    0.05);
	share = (reached_c - idle_c) / (warm_c - idle_c);
	/* 1 - 1/e; leakage makes it a little slower. */
	assert_true(share > 0.60 && share < 0.64);
	es_twin_node_destroy(node);
}

static void heat_costs_leakage_and_fans(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	double cold_w, warm_w, fans_w = test_w(node, ES_TWIN_FANS, 0);
	uint64_t rpm = es_twin_fan_rpm(node);

	(void)state;
	assert_true(test_begin(node, "a 10000s cpu=100%", 1) >= 0);
	cold_w = test_w(node, ES_TWIN_PACKAGE, 0);
	test_pass(node, 200 * TEST_S);
	warm_w = test_w(node, ES_TWIN_PACKAGE, 0);
	assert_true(warm_w > cold_w * 1.02);
	assert_true(test_w(node, ES_TWIN_FANS, 0) > fans_w);
	assert_true(es_twin_fan_rpm(node) > rpm);
	es_twin_node_destroy(node);
}

static void power_supplies_lose_by_their_efficiency(void **state)
{
	const struct es_twin_kind *kind = test_kind("skx2s");
	struct es_twin_node *node = test_quiet_node("skx2s");
	double load, efficiency, expected;

	(void)state;
	assert_true(test_begin(node, "a 10000s cpu=100%", 1) >= 0);
	load = test_w(node, ES_TWIN_BOARD, 0) / kind->supply_w;
	assert_true(load > 0.2 && load < 0.5);
	expected = kind->supply_efficiency[1] +
		   (kind->supply_efficiency[2] - kind->supply_efficiency[1]) * (load - 0.2) / 0.3;
	efficiency = test_w(node, ES_TWIN_BOARD, 0) / test_w(node, ES_TWIN_NODE, 0);
	assert_true(fabs(efficiency - expected) < 1e-6);
	es_twin_node_destroy(node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_add_up_to_the_uw_at_any_time),
		cmocka_unit_test(energy_is_power_times_time),
		cmocka_unit_test(nobody_changes_it_by_looking),
		cmocka_unit_test(a_seed_makes_one_life),
		cmocka_unit_test(noise_is_as_large_as_the_kind_says),
		cmocka_unit_test(a_short_history_keeps_the_newest),
		cmocka_unit_test(a_mean_covers_what_there_is),
		cmocka_unit_test(an_earlier_time_changes_nothing),
		cmocka_unit_test(heat_follows_power_with_its_time_constant),
		cmocka_unit_test(heat_costs_leakage_and_fans),
		cmocka_unit_test(power_supplies_lose_by_their_efficiency),
	};

	return cmocka_run_group_tests_name("twin/node", tests, NULL, NULL);
}
