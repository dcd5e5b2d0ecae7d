/*
 * test_twin_loads.c - programs on a simulated node: as fast as its clocks, to the ns, sharing what there is
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/twin_node.h"

#include <errno.h>
#include <math.h>

#include "base/cleanup.h"

/* No limit of the package in the way. */
static struct es_twin_node *free_node(const char *kind)
{
	struct es_twin_node *node = test_quiet_node(kind);

	for (size_t i = 0; i < es_twin_n(node, ES_TWIN_PACKAGE); i++)
		(void)es_twin_set_limit(node, ES_TWIN_PACKAGE, i, 0,
					&(struct es_twin_limit){ .window_us = 976 });
	return node;
}

static void set_cores(struct es_twin_node *node, uint64_t max_khz)
{
	assert_int_equal(es_twin_apply(node, &(struct es_twin_settings){ .core_max_khz = max_khz }),
			 0);
}

static int64_t dur_ns(struct es_twin_node *node, const char *line)
{
	int load = test_begin(node, line, 1);
	int64_t dur;

	assert_true(load >= 0);
	dur = test_finish(node, load);
	es_twin_load_end(node, load);
	return dur;
}

static void at_the_reference_a_phase_takes_what_it_says(void **state)
{
	static const char *const lines[] = {
		"a 5s cpu=100%",
		"a 3s memory=100%",
		"a 2.5s communication=100%",
		"a 700ms cpu=25% memory=25% communication=30% idle=20%",
		"a 1.234567891s cpu=100% memory=70% model=overlapping",
		"a 100us cpu=100%",
	};
	size_t n;
	const struct es_twin_kind *const *kinds = es_twin_kinds(&n);

	(void)state;
	for (size_t k = 0; k < n; k++) {
		struct es_twin_node *node = free_node(kinds[k]->name);

		for (size_t i = 0; i < ES_ARRAY_SIZE(lines); i++) {
			struct es_twin_phase phase = test_phase(lines[i]);

			assert_int_equal(dur_ns(node, lines[i]),
					 es_twin_phase_reference_ns(&phase));
			test_pass(node, 12345);
		}
		if (kinds[k]->n_gpus)
			assert_int_equal(dur_ns(node,
						"a 2s gpu=60% gpu-memory=30% cpu=10% activity=0.3"),
					 2 * TEST_S);
		es_twin_node_destroy(node);
	}
}

static void the_next_phase_begins_where_the_last_ended(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	struct es_twin_phase phases[] = { test_phase("a 1.000000007s cpu=100%"),
					  test_phase("b 33ms memory=100%"),
					  test_phase("c 5ms idle=100% cores=3") };
	struct es_twin_program program = { .phases = phases, .n = 3, .repeats = 40 };
	static const int64_t lengths[] = { 1000000007, 33000000, 5000000 };
	int64_t expected_ns = 77, edge_ns = 0;
	struct es_twin_progress progress;
	int load;

	(void)state;
	es_twin_advance(node, 77);
	load = es_twin_load_begin(node, &program, NULL);
	assert_int_equal(load, 0);
	/* It was asked how the copy is: the caller's may go. */
	memset(phases, 0xff, sizeof(phases));
	test_pass(node, 100 * TEST_S);
	for (uint64_t i = 0; i <= 120; i++) {
		assert_int_equal(es_twin_load_edge(node, load, i, &edge_ns), 0);
		assert_int_equal(edge_ns, expected_ns);
		expected_ns += lengths[i % 3];
	}
	assert_int_equal(es_twin_load_edge(node, load, 121, &edge_ns), -EAGAIN);
	assert_int_equal(es_twin_load_progress(node, load, &progress), 0);
	assert_true(progress.is_done);
	assert_int_equal(progress.end_ns, expected_ns - lengths[0]);
	assert_int_equal(progress.n_phases_done, 120);
	es_twin_node_destroy(node);
}

static void progress_tells_where_it_is_and_when_it_ends(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	int load = test_begin(node, "a 10s cpu=50% communication=50%", 3);
	struct es_twin_progress progress;

	(void)state;
	test_pass(node, 12 * TEST_S);
	assert_int_equal(es_twin_load_progress(node, load, &progress), 0);
	assert_false(progress.is_done);
	assert_int_equal(progress.begin_ns, 0);
	assert_int_equal(progress.n_phases_done, 1);
	assert_int_equal(progress.phase, 0);
	assert_int_equal(progress.phase_begin_ns, 10 * TEST_S);
	assert_true(fabs(progress.phase_share - 0.2) < 1e-9);
	assert_in_range(progress.end_ns, 30 * TEST_S - 2, 30 * TEST_S + 2);
	/* Half as fast while it computes: 1.5 times as long. */
	set_cores(node, 1700000);
	assert_int_equal(es_twin_load_progress(node, load, &progress), 0);
	assert_in_range(progress.end_ns, 39 * TEST_S - 2, 39 * TEST_S + 2);
	assert_int_equal(es_twin_load_progress(node, load + 1, &progress), -ENOENT);
	assert_int_equal(es_twin_load_progress(node, -1, &progress), -ENOENT);
	es_twin_node_destroy(node);
}

/* science B1, written anew: T = cpu f0/f + memory + …, or the longest of them. */
static void a_slower_clock_takes_longer_as_the_formula_says(void **state)
{
	static const unsigned mhz[] = { 3400, 3000, 2300, 1700, 1200 };
	struct es_twin_node *node = free_node("skx2s");

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(mhz); i++) {
		double slower = 3400.0 / mhz[i], both, longest;

		set_cores(node, mhz[i] * UINT64_C(1000));
		both = (double)dur_ns(node, "a 10s cpu=60% memory=30% communication=10%");
		assert_true(fabs(both - (6e9 * slower + 4e9)) < 2);
		longest = (double)dur_ns(node, "b 10s cpu=50% memory=100% model=overlapping");
		assert_true(fabs(longest - fmax(5e9 * slower, 10e9)) < 2);
	}
	es_twin_node_destroy(node);
}

/* The same for power: P = standing + k f V(f)², V flat up to the ridge. */
static void a_slower_clock_draws_less_as_the_formula_says(void **state)
{
	static const unsigned mhz[] = { 3400, 3000, 2300, 1700, 1200 };
	const struct es_twin_kind *kind = test_kind("skx2s");
	const struct es_twin_cpu *cpu = &kind->cpu;
	double top = 1 + cpu->cores.rise_per_mhz * (3400.0 - cpu->cores.ridge_mhz);

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(mhz); i++) {
		struct es_twin_node *node = free_node("skx2s");
		double volts, above_c, expected_w;

		volts = 1 +
			cpu->cores.rise_per_mhz * fmax(0, (double)mhz[i] - cpu->cores.ridge_mhz);
		set_cores(node, mhz[i] * UINT64_C(1000));
		assert_true(test_begin(node, "a 1000s cpu=100%", 1) >= 0);
		test_pass(node, 400 * TEST_S);
		above_c = (double)es_twin_temperature_mc(node, ES_TWIN_PACKAGE, 0) / 1000 - 50;
		expected_w = cpu->cores.dynamic_w * mhz[i] / 3400 * (volts / top) * (volts / top) +
			     cpu->awake_w * (1 + cpu->leak_per_c * above_c) + 0.4 * cpu->uncore_w;
		assert_true(fabs(test_w(node, ES_TWIN_PACKAGE, 0) - expected_w) < 0.01);
		assert_int_equal(es_twin_core_khz(node, 17), mhz[i] * 1000);
		es_twin_node_destroy(node);
	}
}

static void a_slower_uncore_slows_memory_and_saves_power(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	double before_w, after_w, slower;
	uint64_t low_khz, high_khz;
	int load = test_begin(node, "a 10s memory=100%", 1);

	(void)state;
	before_w = test_w(node, ES_TWIN_PACKAGE, 0);
	assert_int_equal(es_twin_uncore_khz(node, 0), 2400000);
	es_twin_load_end(node, load);
	assert_int_equal(es_twin_uncore_khz(node, 0), 1200000);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(es_twin_set_uncore_range(node, i, 1200000, 1600000), 0);
	load = test_begin(node, "a 10s memory=100%", 1);
	after_w = test_w(node, ES_TWIN_PACKAGE, 0);
	assert_true(after_w < before_w - 5);
	slower = (double)test_finish(node, load) / 10e9;
	/* Between the square root of the ratio and the ratio. */
	assert_true(slower > sqrt(2400.0 / 1600) && slower < 2400.0 / 1600);
	assert_int_equal(dur_ns(node, "b 10s cpu=100%"), 10 * TEST_S);
	/* What the hardware cannot do is taken and not done; nonsense is refused. */
	assert_int_equal(es_twin_set_uncore_range(node, 0, 500000, 9000000), 0);
	es_twin_uncore_range(node, 0, &low_khz, &high_khz);
	assert_int_equal(low_khz, 1200000);
	assert_int_equal(high_khz, 2400000);
	assert_int_equal(es_twin_set_uncore_range(node, 0, 0, 2400000), -EINVAL);
	assert_int_equal(es_twin_set_uncore_range(node, 0, 1200000, 99000000), -EINVAL);
	assert_int_equal(es_twin_set_uncore_range(node, 2, 1200000, 2400000), -ENODEV);
	es_twin_node_destroy(node);
}

static void turbo_goes_with_the_number_of_cores_at_work(void **state)
{
	struct es_twin_node *node = test_quiet_node("broadwell1s");
	static const struct {
		const char *line;
		uint64_t khz;
	} vectors[] = {
		{ "a 1s cpu=100% cores=1", 3100000 },  { "a 1s cpu=100% cores=3", 2900000 },
		{ "a 1s cpu=100% cores=7", 2500000 },  { "a 1s cpu=100% cores=8", 2400000 },
		{ "a 1s cpu=100% cores=10", 2400000 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		int load = test_begin(node, vectors[i].line, 1);

		assert_int_equal(es_twin_core_khz(node, 0), vectors[i].khz);
		assert_in_range(test_finish(node, load),
				(int64_t)(2.4e15 / (double)vectors[i].khz) - 2,
				(int64_t)(2.4e15 / (double)vectors[i].khz) + 2);
		es_twin_load_end(node, load);
	}
	assert_true(es_twin_turbo(node));
	assert_int_equal(es_twin_set_turbo(node, false), 0);
	assert_false(es_twin_turbo(node));
	assert_true(test_begin(node, vectors[0].line, 1) >= 0);
	assert_int_equal(es_twin_core_khz(node, 0), 2200000);
	es_twin_node_destroy(node);
}

static void the_slowest_core_sets_the_pace(void **state)
{
	struct es_twin_node *node = free_node("skx2s");
	double free_w, held_w;
	int load = test_begin(node, "a 10s cpu=100%", 1);

	(void)state;
	free_w = test_w(node, ES_TWIN_PACKAGE, 0);
	assert_int_equal(es_twin_set_core_range(node, 5, 1200000, 1700000), 0);
	assert_int_equal(es_twin_core_khz(node, 5), 1700000);
	assert_int_equal(es_twin_core_khz(node, 4), 3400000);
	held_w = test_w(node, ES_TWIN_PACKAGE, 0);
	/* The others wait, at about half of their power. */
	assert_true(held_w < free_w - 20);
	assert_in_range(test_finish(node, load), 20 * TEST_S - 2, 20 * TEST_S + 2);
	es_twin_node_destroy(node);
}

static void programs_share_cores_only_where_they_must(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	int first, second;
	int64_t first_ns, second_ns;

	(void)state;
	first = test_begin(node, "a 4s cpu=100% cores=20", 1);
	second = test_begin(node, "b 6s cpu=100% cores=16", 1);
	assert_int_equal(test_finish(node, first), 4 * TEST_S);
	assert_int_equal(test_finish(node, second), 6 * TEST_S);
	es_twin_load_end(node, first);
	es_twin_load_end(node, second);
	/* 72 cores asked of 36: half as fast each, until the shorter one is done. */
	first = test_begin(node, "a 2s cpu=100%", 1);
	second = test_begin(node, "b 5s cpu=100%", 1);
	first_ns = test_finish(node, first);
	second_ns = test_finish(node, second);
	assert_in_range(first_ns, 4 * TEST_S - 2, 4 * TEST_S + 2);
	assert_in_range(second_ns, 7 * TEST_S - 4, 7 * TEST_S + 4);
	es_twin_node_destroy(node);
}

static void programs_share_gpus_only_where_they_must(void **state)
{
	struct es_twin_node *node = test_quiet_node("genoa2s-a100x4");
	struct es_twin_gpu_state seen;
	int first, second, third;

	(void)state;
	first = test_begin(node, "a 2s gpu=100% gpus=2 cores=8", 1);
	second = test_begin(node, "b 2s gpu=100% gpus=2 cores=8", 1);
	for (unsigned g = 0; g < 4; g++) {
		es_twin_gpu_state(node, g, &seen);
		assert_int_equal(seen.busy_ppm, 1000000);
	}
	assert_int_equal(test_finish(node, first), 2 * TEST_S);
	assert_int_equal(test_finish(node, second), 2 * TEST_S);
	es_twin_load_end(node, first);
	es_twin_load_end(node, second);
	first = test_begin(node, "a 1s gpu=100% cores=8", 1);
	second = test_begin(node, "b 1s gpu=100% cores=8", 1);
	third = test_begin(node, "c 1s gpu=100% cores=8", 1);
	assert_in_range(test_finish(node, first), 3 * TEST_S - 2, 3 * TEST_S + 2);
	assert_in_range(test_finish(node, third), 3 * TEST_S - 2, 3 * TEST_S + 2);
	assert_in_range(test_finish(node, second), 3 * TEST_S - 2, 3 * TEST_S + 2);
	es_twin_gpu_state(node, 0, &seen);
	assert_true(seen.is_idle);
	assert_int_equal(seen.clock_mhz, 210);
	es_twin_node_destroy(node);
}

static void an_instance_is_a_part_of_a_gpu(void **state)
{
	struct es_twin_node *node = test_quiet_node("a100-mig");
	struct es_twin_gpu_state seen;
	double awake_w, one_w, two_w;
	int idle, first, second;

	(void)state;
	idle = test_begin(node, "z 100s idle=100% cores=1", 1);
	assert_true(idle >= 0);
	first = test_begin(node, "a 2s gpu=100% instance=3 cores=4", 1);
	assert_true(first >= 0);
	one_w = test_w(node, ES_TWIN_GPU, 0);
	es_twin_gpu_state(node, 0, &seen);
	assert_int_equal(seen.instance_busy_ppm[2], 1000000);
	assert_int_equal(seen.instance_busy_ppm[1], 0);
	assert_int_equal(seen.busy_ppm, 142857);
	second = test_begin(node, "b 2s gpu=100% instance=5 cores=4", 1);
	two_w = test_w(node, ES_TWIN_GPU, 0);
	awake_w = one_w - (two_w - one_w);
	assert_true(fabs(two_w - one_w - test_kind("a100-mig")->gpu.cores.dynamic_w / 7) < 0.01);
	assert_true(awake_w > 60 && awake_w < 90);
	/* Different instances do not disturb one another, the same one is shared. */
	assert_int_equal(test_finish(node, first), 2 * TEST_S);
	assert_int_equal(test_finish(node, second), 2 * TEST_S);
	es_twin_load_end(node, first);
	es_twin_load_end(node, second);
	first = test_begin(node, "a 2s gpu=100% instance=3 cores=4", 1);
	second = test_begin(node, "b 2s gpu=100% instance=3 cores=4", 1);
	assert_in_range(test_finish(node, first), 4 * TEST_S - 2, 4 * TEST_S + 2);
	es_twin_node_destroy(node);
	node = test_quiet_node("a100-mig3");
	assert_int_equal(test_begin(node, "c 2s gpu=100% instance=4", 1), -EINVAL);
	assert_true(test_begin(node, "c 2s gpu=100% instance=3", 1) >= 0);
	es_twin_node_destroy(node);
}

static void locked_gpu_clocks_hold(void **state)
{
	struct es_twin_node *node = test_quiet_node("genoa2s-a100x4");
	struct es_twin_gpu_state seen;
	int load;

	(void)state;
	assert_int_equal(es_twin_set_gpu_clocks(node, 0, 210, 705), 0);
	load = test_begin(node, "a 2s gpu=50% gpu-memory=50% gpus=1", 1);
	es_twin_gpu_state(node, 0, &seen);
	assert_int_equal(seen.clock_mhz, 705);
	assert_true(seen.is_by_clock && !seen.is_by_power);
	assert_int_equal(seen.lock_max_mhz, 705);
	assert_in_range(test_finish(node, load), 3 * TEST_S - 2, 3 * TEST_S + 2);
	/* Steps of 15 MHz; beyond the ends the ends; the wrong way round is refused. */
	assert_int_equal(es_twin_set_gpu_clocks(node, 0, 0, 1001), 0);
	es_twin_gpu_state(node, 0, &seen);
	assert_int_equal(seen.lock_min_mhz, 210);
	assert_int_equal(seen.lock_max_mhz, 1005);
	assert_int_equal(es_twin_set_gpu_clocks(node, 0, 1000, 500), -EINVAL);
	assert_int_equal(es_twin_set_gpu_clocks(node, 4, 210, 500), -ENODEV);
	assert_int_equal(es_twin_set_gpu_clocks(node, 0, 0, 0), 0);
	es_twin_gpu_state(node, 0, &seen);
	assert_int_equal(seen.lock_max_mhz, 0);
	assert_int_equal(es_twin_set_gpu_limit(node, 0, 99999), -EINVAL);
	assert_int_equal(es_twin_set_gpu_limit(node, 0, 400001), -EINVAL);
	assert_int_equal(es_twin_set_gpu_limit(node, 9, 300000), -ENODEV);
	es_twin_node_destroy(node);
}

static void governors_do_what_their_names_say(void **state)
{
	struct es_twin_node *node = test_quiet_node("taurus"), *pstate = test_quiet_node("skx2s");
	uint64_t low_khz, high_khz;

	(void)state;
	assert_string_equal(es_twin_governor(pstate, 0), "powersave");
	assert_string_equal(es_twin_governor(node, 0), "schedutil");
	assert_int_equal(es_twin_set_governor(node, 0, "turbo"), -EINVAL);
	assert_int_equal(es_twin_set_governor(pstate, 0, "userspace"), -EINVAL);
	assert_int_equal(es_twin_set_speed(node, 0, 1500000), -EINVAL);
	for (unsigned cpu = 0; cpu < es_twin_n_cpus(test_kind("taurus")); cpu++)
		assert_int_equal(es_twin_set_governor(node, cpu, "userspace"), 0);
	assert_int_equal(es_twin_set_speed(node, 0, 1550000), 0);
	assert_true(test_begin(node, "a 100s cpu=100%", 1) >= 0);
	assert_true(test_begin(pstate, "a 100s cpu=100%", 1) >= 0);
	assert_int_equal(es_twin_core_khz(node, 0), 1500000);
	assert_int_equal(es_twin_core_khz(node, 1), 2300000);
	assert_int_equal(es_twin_core_khz(pstate, 0), 3400000);
	assert_int_equal(es_twin_set_governor(node, 0, "powersave"), 0);
	assert_int_equal(es_twin_core_khz(node, 0), 1200000);
	assert_int_equal(es_twin_set_governor(node, 0, "performance"), 0);
	assert_int_equal(es_twin_core_khz(node, 0), 2600000);
	/* acpi-cpufreq: 2301 MHz is the name of turbo, 2300 MHz is what it says. */
	assert_int_equal(es_twin_set_core_range(node, 0, 1200000, 2300000), 0);
	assert_int_equal(es_twin_core_khz(node, 0), 2300000);
	/* Clamped, the lower end gives way. */
	assert_int_equal(es_twin_set_core_range(node, 0, 9000000, 9000000), 0);
	es_twin_core_range(node, 0, &low_khz, &high_khz);
	assert_int_equal(high_khz, 2301000);
	assert_int_equal(es_twin_set_core_range(node, 0, 2000000, 1300000), 0);
	es_twin_core_range(node, 0, &low_khz, &high_khz);
	assert_int_equal(low_khz, 1300000);
	assert_int_equal(high_khz, 1300000);
	assert_int_equal(es_twin_set_core_range(node, 24, 1200000, 1300000), -ENODEV);
	es_twin_node_destroy(node);
	es_twin_node_destroy(pstate);
}

static void a_vm_has_no_knobs(void **state)
{
	struct es_twin_node *node = test_quiet_node("vm");

	(void)state;
	assert_int_equal(es_twin_set_core_range(node, 0, 1, 2), -EOPNOTSUPP);
	assert_int_equal(es_twin_set_governor(node, 0, "performance"), -EOPNOTSUPP);
	assert_int_equal(es_twin_set_turbo(node, false), -EOPNOTSUPP);
	assert_int_equal(es_twin_set_uncore_range(node, 0, 1200000, 1300000), -EOPNOTSUPP);
	assert_int_equal(es_twin_set_gpu_limit(node, 0, 100000), -ENODEV);
	assert_int_equal(es_twin_apply(node, &(struct es_twin_settings){ .gpu_max_mhz = 500 }),
			 -ENODEV);
	es_twin_node_destroy(node);
}

static void a_node_does_not_take_what_it_has_not(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	struct es_twin_phase phase = test_phase("a 1s cpu=100%");
	struct es_twin_program program = { .phases = &phase, .n = 1, .repeats = 1 };
	struct es_error err = { 0 };

	(void)state;
	assert_int_equal(test_begin(node, "a 1s cpu=100% cores=37", 1), -EINVAL);
	assert_int_equal(test_begin(node, "a 1s gpu=100%", 1), -EINVAL);
	program.n = 0;
	assert_int_equal(es_twin_load_begin(node, &program, &err), -EINVAL);
	assert_true(strlen(err.text) > 0);
	program.n = 1;
	phase.cpu_activity = NAN;
	assert_int_equal(es_twin_load_begin(node, &program, NULL), -EINVAL);
	phase.cpu_activity = 1;
	phase.memory_ns = -5;
	assert_int_equal(es_twin_load_begin(node, &program, NULL), -EINVAL);
	for (unsigned i = 0; i < ES_TWIN_LOADS_MAX; i++)
		assert_int_equal(test_begin(node, "a 1s cpu=100% cores=1", 1), (int)i);
	assert_int_equal(test_begin(node, "a 1s cpu=100%", 1), -EBUSY);
	es_twin_load_end(node, 4);
	es_twin_load_end(node, 4);
	es_twin_load_end(node, 99);
	assert_int_equal(test_begin(node, "a 1s cpu=100%", 1), 4);
	es_twin_node_destroy(node);
}

static void after_its_end_the_node_rests(void **state)
{
	struct es_twin_node *node = test_quiet_node("genoa2s-a100x4");
	double idle_w = test_w(node, ES_TWIN_NODE, 0);
	int load = test_begin(node, "a 50s cpu=50% gpu=50%", 10);

	(void)state;
	test_pass(node, 20 * TEST_S);
	es_twin_load_end(node, load);
	/* Fans run on for a while; the rest is off at once. */
	assert_true(test_w(node, ES_TWIN_PACKAGE, 0) < 35);
	test_pass(node, 300 * TEST_S);
	assert_true(fabs(test_w(node, ES_TWIN_NODE, 0) - idle_w) < 0.01);
	load = test_begin(node, "a 1s cpu=100%", 1);
	test_pass(node, 300 * TEST_S);
	assert_true(fabs(test_w(node, ES_TWIN_NODE, 0) - idle_w) < 0.01);
	es_twin_node_destroy(node);
}

static void cores_count_their_time_and_cycles(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	struct es_twin_cpu_state busy, idle, second;

	(void)state;
	set_cores(node, 2000000);
	assert_true(test_begin(node, "a 4s cpu=75% idle=25% cores=2", 1) >= 0);
	test_pass(node, 4 * TEST_S);
	es_twin_cpu_state(node, 0, &busy);
	es_twin_cpu_state(node, 1, &idle);
	es_twin_cpu_state(node, 36, &second);
	/* One core of each package. 3 s at 3.4 GHz take 5.1 s at 2 GHz; then 1 s idle: of 4 s it is awake 4 · 5.1/6.1. */
	assert_in_range(busy.busy_ns, (int64_t)(4e9 * 5.1 / 6.1) - 5,
			(int64_t)(4e9 * 5.1 / 6.1) + 5);
	assert_int_equal(busy.busy_ns + busy.idle_ns, 4 * TEST_S);
	assert_true(fabs((double)busy.aperf / ((double)busy.busy_ns * 2.0) - 1) < 1e-6);
	assert_true(fabs((double)busy.mperf / ((double)busy.busy_ns * 2.7) - 1) < 1e-6);
	assert_int_equal(idle.busy_ns, 0);
	assert_int_equal(idle.idle_ns, 4 * TEST_S);
	assert_int_equal(second.busy_ns, 0);
	test_pass(node, 20 * TEST_S);
	es_twin_cpu_state(node, 0, &idle);
	assert_in_range(idle.busy_ns, (int64_t)5.1e9 - 5, (int64_t)5.1e9 + 5);
	es_twin_node_destroy(node);
}

static void old_edges_are_forgotten(void **state)
{
	struct es_twin_node *node = test_quiet_node("vm");
	int load = test_begin(node, "a 1ms cpu=100%", 10000);
	int64_t edge_ns;

	(void)state;
	test_pass(node, 9 * TEST_S);
	assert_int_equal(es_twin_load_edge(node, load, 0, &edge_ns), -ENODATA);
	assert_int_equal(es_twin_load_edge(node, load, 8999, &edge_ns), 0);
	assert_int_equal(edge_ns, 8999 * TEST_MS);
	assert_int_equal(es_twin_load_edge(node, load, 9001, &edge_ns), -EAGAIN);
	assert_int_equal(es_twin_load_edge(node, 7, 0, &edge_ns), -ENOENT);
	es_twin_node_destroy(node);
}

/* Each may be as quick as a workload file can say; all together may not keep the simulation from the present. */
static void too_many_phases_a_second_are_refused(void **state)
{
	struct es_twin_node *node = test_quiet_node("skx2s");
	struct es_twin_phase phase = test_phase("a 100us cpu=100% cores=1");
	struct es_twin_program program = { .phases = &phase, .n = 1, .repeats = 1000 };
	struct es_error err = { 0 };
	int first = es_twin_load_begin(node, &program, &err);

	(void)state;
	assert_int_equal(first, 0);
	for (int i = 1; i < 4; i++)
		assert_int_equal(es_twin_load_begin(node, &program, &err), i);
	assert_int_equal(es_twin_load_begin(node, &program, &err), -EBUSY);
	assert_non_null(strstr(err.text, "phases a second"));
	/* Those that are done count no more. */
	es_twin_load_end(node, first);
	assert_int_equal(es_twin_load_begin(node, &program, &err), first);
	test_pass(node, TEST_S);
	assert_int_equal(es_twin_load_begin(node, &program, &err), 4);
	es_twin_node_destroy(node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_the_reference_a_phase_takes_what_it_says),
		cmocka_unit_test(the_next_phase_begins_where_the_last_ended),
		cmocka_unit_test(progress_tells_where_it_is_and_when_it_ends),
		cmocka_unit_test(a_slower_clock_takes_longer_as_the_formula_says),
		cmocka_unit_test(a_slower_clock_draws_less_as_the_formula_says),
		cmocka_unit_test(a_slower_uncore_slows_memory_and_saves_power),
		cmocka_unit_test(turbo_goes_with_the_number_of_cores_at_work),
		cmocka_unit_test(the_slowest_core_sets_the_pace),
		cmocka_unit_test(programs_share_cores_only_where_they_must),
		cmocka_unit_test(programs_share_gpus_only_where_they_must),
		cmocka_unit_test(an_instance_is_a_part_of_a_gpu),
		cmocka_unit_test(locked_gpu_clocks_hold),
		cmocka_unit_test(governors_do_what_their_names_say),
		cmocka_unit_test(a_vm_has_no_knobs),
		cmocka_unit_test(a_node_does_not_take_what_it_has_not),
		cmocka_unit_test(after_its_end_the_node_rests),
		cmocka_unit_test(cores_count_their_time_and_cycles),
		cmocka_unit_test(old_edges_are_forgotten),
		cmocka_unit_test(too_many_phases_a_second_are_refused),
	};

	return cmocka_run_group_tests_name("twin/loads", tests, NULL, NULL);
}
