/*
 * test_core_counter.c - steps of counters: wraps, resets, what cannot be, what cannot be told
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>

#include "core/counter.h"

#define S INT64_C(1000000000)
#define STEPS (UINT64_C(1) << 32)

static const struct es_counter_range package = { 61035, STEPS * 61035 };
static const struct es_counter_range dram = { 15300, STEPS * 15300 };
static const struct es_counter_range amd = { 15258, STEPS * 15258 };
static const struct es_counter_range psys = { 1000000000, STEPS * 1000000000 };
static const struct es_counter_range soft = { 0, 0 };

static void steps_mean_what_the_range_and_the_power_allow(void **state)
{
	static const struct {
		const char *what;
		const struct es_counter_range *range;
		uint64_t prev_uj, cur_uj;
		int64_t dur_ns;
		uint64_t peak_mw;
		int r;
		uint64_t energy_uj;
		enum es_step_verdict verdict;
	} steps[] = {
		{ "forward", &package, 1000, 5001000, S, 1500000, 0, 5000000, ES_STEP_OK },
		{ "standing", &package, 1000000, 1000000, S, 1500000, 0, 0, ES_STEP_OK },
		{ "standing at zero", &package, 0, 0, S, 1500000, 0, 0, ES_STEP_OK },
		{ "from zero", &package, 0, 61, S, 1500000, 0, 61, ES_STEP_OK },
		{ "to the end", &package, 262143228850, 262143328850, S, 1500000, 0, 100000,
		  ES_STEP_OK },
		/* raw 0xffffffff to raw 0: one step */
		{ "wrap by one step", &package, 262143328850, 0, S, 1500000, 0, 61,
		  ES_STEP_WRAPPED },
		{ "wrap to zero and on", &package, 262143328850, 610350, S, 1500000, 0, 610411,
		  ES_STEP_WRAPPED },
		/* A DRAM counter taken for a package's gave 196441 J here elsewhere. */
		{ "dram wrap of 10 J", &dram, 65707999613, 4999985, S, 600000, 0, 10000000,
		  ES_STEP_WRAPPED },
		{ "amd wrap of 20 J", &amd, 65522610987, 9999985, S, 1500000, 0, 20000000,
		  ES_STEP_WRAPPED },
		{ "1 J units", &psys, 90000000000, 90001000000, 1000000, 20000000, 0, 1000000,
		  ES_STEP_OK },
		{ "1 J units wrap", &psys, 4294967295000000, 1000000, S, 20000000, 0, 2000000,
		  ES_STEP_WRAPPED },
		/* The driver was loaded again: every other tool adds 262083 J here. */
		{ "reset", &package, 61035000, 1000000, S, 1500000, -ESTALE, 0, 0 },
		{ "reset to zero", &package, 200000000000, 0, S, 1500000, -ESTALE, 0, 0 },
		{ "never wraps", &soft, 5, 4, S, 1500000, -ESTALE, 0, 0 },
		{ "above its range", &package, 0, 262143400000, S, 1500000, -ERANGE, 0, 0 },
		{ "came from above its range", &dram, 65800000000, 5, S, 600000, -ERANGE, 0, 0 },
		{ "too much power", &package, 0, 1500100001, S, 1500000, -EDOM, 0, 0 },
		{ "all there can be", &package, 0, 1500000000, S, 1500000, 0, 1500000000,
		  ES_STEP_OK },
		{ "a step over", &package, 0, 1500000061, S, 1500000, 0, 1500000061, ES_STEP_OK },
		/* 262 kJ at 1500 W are 175 s: from 87.4 s on a wrap could have been missed. */
		{ "nearly doubtful", &package, 0, 1000, 87 * S, 1500000, 0, 1000, ES_STEP_OK },
		{ "doubtful", &package, 0, 1000, 88 * S, 1500000, 0, 1000, ES_STEP_AMBIGUOUS },
		{ "doubtful wrap", &package, 40000000000, 1000000, 600 * S, 1500000, 0,
		  222144328911, ES_STEP_AMBIGUOUS },
		{ "soft ones are never doubtful", &soft, 0, 1000, 6000 * S, 1500000, 0, 1000,
		  ES_STEP_OK },
		{ "no power known: a step back is a wrap", &package, 61035000, 1000000, S, 0, 0,
		  262083293911, ES_STEP_WRAPPED },
		{ "no time", &package, 0, 0, 0, 1500000, -EINVAL, 0, 0 },
		{ "time went back", &package, 0, 0, -1, 1500000, -EINVAL, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct es_step step = { .energy_uj = 12345 };
		int r = es_counter_advance(steps[i].range, steps[i].prev_uj, steps[i].cur_uj,
					   steps[i].dur_ns, steps[i].peak_mw, &step);

		if (r != steps[i].r)
			fail_msg("%s: %d, not %d", steps[i].what, r, steps[i].r);
		if (r < 0) {
			assert_int_equal(step.energy_uj, 12345);
			continue;
		}
		if (step.energy_uj != steps[i].energy_uj || step.verdict != steps[i].verdict)
			fail_msg("%s: %llu uJ, verdict %d", steps[i].what,
				 (unsigned long long)step.energy_uj, (int)step.verdict);
	}
}

static void wrap_periods_follow_range_and_power(void **state)
{
	(void)state;
	assert_int_equal(es_counter_wrap_ns(&package, 200000) / S, 1310); /* 21.8 min */
	assert_int_equal(es_counter_wrap_ns(&package, 500000) / S, 524);
	assert_int_equal(es_counter_wrap_ns(&amd, 400000) / S, 163); /* 2.7 min */
	assert_true(es_counter_wrap_ns(&soft, 400000) == INT64_MAX);
	assert_true(es_counter_wrap_ns(&package, 0) == INT64_MAX);
}

static void energies_and_powers_do_not_overflow(void **state)
{
	(void)state;
	assert_int_equal(es_energy_at_most_uj(1000, S), 1000000);
	assert_int_equal(es_energy_at_most_uj(1, 1), 1); /* rounded up */
	assert_int_equal(es_energy_at_most_uj(1000, -5), 0);
	assert_true(es_energy_at_most_uj(UINT64_MAX, INT64_MAX) == UINT64_MAX);
	assert_int_equal(es_mean_power_mw(1000000, S), 1000);
	assert_int_equal(es_mean_power_mw(1, 2 * S), 0);
	assert_int_equal(es_mean_power_mw(1000, 0), 0);
	assert_true(es_mean_power_mw(UINT64_MAX, 1) == UINT64_MAX);
}

/* Every raw value of a small walk around the end of the range, in both integer units and all distances. */
static void every_walk_over_the_end_comes_out_to_one_step(void **state)
{
	static const struct es_counter_range *const ranges[] = { &package, &dram, &amd, &psys };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (uint64_t back = 0; back < 40; back++)
			for (uint64_t on = 0; on < 40; on++) {
				uint64_t unit_nj = ranges[i]->unit_nj;
				uint64_t prev_uj = (STEPS - 1 - back) * unit_nj / 1000,
					 cur_uj = on * unit_nj / 1000;
				uint64_t truth_nj = (back + on + 1) * unit_nj;
				struct es_step step;

				assert_int_equal(es_counter_advance(ranges[i], prev_uj, cur_uj, S,
								    20000000, &step),
						 0);
				assert_int_equal(step.verdict, ES_STEP_WRAPPED);
				assert_in_range(step.energy_uj, truth_nj / 1000 - 1,
						truth_nj / 1000 + 1);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_mean_what_the_range_and_the_power_allow),
		cmocka_unit_test(wrap_periods_follow_range_and_power),
		cmocka_unit_test(energies_and_powers_do_not_overflow),
		cmocka_unit_test(every_walk_over_the_end_comes_out_to_one_step),
	};

	return cmocka_run_group_tests_name("core/counter", tests, NULL, NULL);
}
