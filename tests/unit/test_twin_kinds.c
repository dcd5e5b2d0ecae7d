/*
 * test_twin_kinds.c - kinds of nodes against the figures that their sources give
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/twin_node.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"

static struct es_twin_steady steady(const char *kind, const char *line,
				    const struct es_twin_settings *settings)
{
	struct es_twin_phase phase = test_phase(line);
	struct es_twin_steady result;
	struct es_error err = { 0 };

	if (es_twin_steady(test_kind(kind), settings, &phase, &result, &err) < 0)
		fail_msg("%s: %s", kind, err.text);
	return result;
}

static double node_w(const char *kind, const char *line)
{
	return (double)steady(kind, line, NULL).node_uw / 1e6;
}

static double idle_w(const char *kind)
{
	struct es_twin_node *node = test_quiet_node(kind);
	double w = test_w(node, ES_TWIN_NODE, 0);

	es_twin_node_destroy(node);
	return w;
}

static void check_cpu(const struct es_twin_cpu *cpu)
{
	assert_true(cpu->n_cores > 0 && cpu->n_threads > 0 && cpu->n_turbos > 0);
	assert_true(cpu->n_turbos <= ES_TWIN_TURBOS_MAX);
	assert_true(cpu->min_mhz <= cpu->base_mhz &&
		    cpu->base_mhz <= es_twin_cpu_reference_mhz(cpu));
	for (size_t i = 1; i < cpu->n_turbos; i++) {
		assert_true(cpu->turbos[i].n_cores > cpu->turbos[i - 1].n_cores);
		assert_true(cpu->turbos[i].mhz < cpu->turbos[i - 1].mhz);
	}
	assert_int_equal(cpu->turbos[cpu->n_turbos - 1].n_cores, cpu->n_cores);
	assert_true(cpu->step_mhz > 0);
	/* All-core turbo is a clock that can be asked for. */
	assert_int_equal(es_twin_cpu_reference_mhz(cpu) % cpu->step_mhz * (cpu->step_mhz == 100),
			 0);
	assert_true(cpu->idle_w > 0 && cpu->awake_w >= cpu->idle_w && cpu->cores.dynamic_w > 0);
	assert_true(cpu->leak_per_c >= 0 && cpu->leak_per_c < 0.02);
	assert_true(cpu->c_per_w > 0 && cpu->heat_ns > 0 && cpu->hottest_mc > 60000);
	assert_true(cpu->dram_idle_w > 0 && cpu->dram_busy_w > 0 && cpu->memory_gb_s > 0);
	assert_true(cpu->short_w == 0 || cpu->short_w >= cpu->tdp_w);
}

static void each_kind_is_complete_and_says_where_it_is_from(void **state)
{
	size_t n;
	const struct es_twin_kind *const *kinds = es_twin_kinds(&n);

	(void)state;
	assert_true(n >= 11);
	for (size_t k = 0; k < n; k++) {
		const struct es_twin_kind *kind = kinds[k];
		size_t n_sources = 0;

		for (size_t i = 0; i < k; i++)
			assert_string_not_equal(kind->name, kinds[i]->name);
		assert_ptr_equal(es_twin_kind_find(kind->name, NULL), kind);
		assert_non_null(kind->help);
		assert_non_null(kind->governors);
		assert_int_equal(kind->meters.has_cpufreq, kind->meters.cpufreq_driver != NULL);
		check_cpu(&kind->cpu);
		while (n_sources < ES_TWIN_SOURCES_MAX && kind->sources[n_sources])
			assert_true(strlen(kind->sources[n_sources++]) > 10);
		assert_true(n_sources >= 2 && n_sources < ES_TWIN_SOURCES_MAX);
		assert_true(kind->noise_ppm > 0 && kind->noise_ppm < 10000);
		if (kind->n_gpus) {
			assert_true(kind->gpu.n_chips >= 1 && kind->gpu.n_chips <= 2);
			assert_true(kind->gpu.limit_w <= kind->gpu.limit_max_w);
			assert_true(kind->gpu.n_instances * kind->gpu.instance_slices <= 7);
		}
	}
}

static void a_wrong_name_is_met_with_a_near_one(void **state)
{
	const char *nearest = "x";

	(void)state;
	assert_null(es_twin_kind_find("skx2", &nearest));
	assert_string_equal(nearest, "skx2s");
	assert_null(es_twin_kind_find("gracehopper", &nearest));
	assert_string_equal(nearest, "grace-hopper");
	assert_null(es_twin_kind_find("something else", &nearest));
	assert_null(nearest);
	assert_null(es_twin_kind_find("", NULL));
}

static void threads_are_numbered_as_linux_does(void **state)
{
	const struct es_twin_kind *kind = test_kind("skx2s");

	(void)state;
	assert_int_equal(es_twin_n_cpus(kind), 72);
	assert_int_equal(es_twin_cpu_package(kind, 17), 0);
	assert_int_equal(es_twin_cpu_package(kind, 18), 1);
	assert_int_equal(es_twin_cpu_package(kind, 36), 0);
	assert_int_equal(es_twin_cpu_core(kind, 55), 1);
	assert_int_equal(es_twin_cpu_package(kind, 55), 1);
	assert_int_equal(es_twin_cpu_max_khz(kind), 3700000);
	assert_int_equal(es_twin_cpu_max_khz(test_kind("taurus")), 2301000);
	assert_int_equal(es_twin_cpu_max_khz(test_kind("milan2s")), 2450000);
}

/* Ranges of SPECpower_ssj2008 for servers of the same processors, and what else sources say, in W at the wall. */
static void idle_and_full_load_are_what_sources_say(void **state)
{
	static const struct {
		const char *kind, *full;
		double idle_low, idle_high, full_low, full_high;
	} vectors[] = {
		{ "skx2s", "a 1s cpu=100%", 52.4, 131, 343, 432 },
		{ "spr2s", "a 1s cpu=100%", 147, 223, 594, 989 },
		{ "milan2s", "a 1s cpu=100%", 75.6, 122, 406, 546 },
		{ "taurus", "a 1s cpu=100%", 94, 96, 189, 192.5 },
		{ "broadwell1s", "a 1s cpu=100%", 60, 79, 106.5, 108.5 },
		{ "laptop", "a 1s cpu=100%", 6, 8, 30, 45 },
		{ "vm", "a 1s cpu=100%", 134 / 128.0, 260 / 128.0, 629 / 128.0, 1025 / 128.0 },
		{ "mi250x", "a 1s gpu=100%", 500, 700, 2200, 2350 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		double idle = idle_w(vectors[i].kind);
		double full = node_w(vectors[i].kind, vectors[i].full);

		if (idle < vectors[i].idle_low || idle > vectors[i].idle_high ||
		    full < vectors[i].full_low || full > vectors[i].full_high)
			fail_msg("%s: %.1f W idle, %.1f W full", vectors[i].kind, idle, full);
	}
}

static void without_gpus_genoa_is_a_usual_server(void **state)
{
	struct es_twin_node *node = test_quiet_node("genoa2s-a100x4");
	struct es_twin_steady full = steady("genoa2s-a100x4", "a 1s cpu=100%", NULL);
	double idle, busy;

	(void)state;
	/* 50 servers with two EPYC 9004: 105 to 167 W, 591 to 952 W; 40 W of board and fans, 92 % efficient. */
	idle = (2 * test_w(node, ES_TWIN_PACKAGE, 0) + 2 * test_w(node, ES_TWIN_DRAM, 0) + 40) /
	       0.92;
	busy = ((double)(full.package_uw + full.dram_uw) / 1e6 + 40) / 0.94;
	assert_true(idle > 105 && idle < 167);
	assert_true(busy > 591 && busy < 952);
	es_twin_node_destroy(node);
}

static void heavy_load_reaches_the_design_power_and_no_more(void **state)
{
	static const char line[] = "a 1s cpu=100% memory=100% model=overlapping activity=2";
	size_t n;
	const struct es_twin_kind *const *kinds = es_twin_kinds(&n);

	(void)state;
	for (size_t k = 0; k < n; k++) {
		const struct es_twin_kind *kind = kinds[k];
		double design_w = kind->cpu.tdp_w ? kind->cpu.tdp_w : kind->cpu.design_w, each_w;
		struct es_twin_steady full = steady(kind->name, line, NULL);

		each_w = (double)full.package_uw / 1e6 / kind->n_packages;
		if (design_w > 0 && (each_w > design_w + 0.01 || each_w < 0.93 * design_w))
			fail_msg("%s: %.1f W of %.1f W", kind->name, each_w, design_w);
		assert_true(full.core_khz >= kind->cpu.min_mhz * 1000ULL);
	}
}

static void gpus_at_work_reach_their_power(void **state)
{
	static const char line[] = "a 1s gpu=100% gpu-memory=100% model=overlapping activity=1.4";
	size_t n;
	const struct es_twin_kind *const *kinds = es_twin_kinds(&n);

	(void)state;
	for (size_t k = 0; k < n; k++) {
		const struct es_twin_gpu *gpu = &kinds[k]->gpu;
		struct es_twin_steady full;
		double each_w;

		if (!kinds[k]->n_gpus)
			continue;
		full = steady(kinds[k]->name, line, NULL);
		each_w = (double)full.gpu_uw / 1e6 / kinds[k]->n_gpus;
		if (each_w > gpu->limit_w + 0.01 || each_w < 0.9 * gpu->limit_w)
			fail_msg("%s: %.1f W of %u W", kinds[k]->name, each_w, gpu->limit_w);
		assert_true(full.is_clipped == (full.gpu_mhz < gpu->top_mhz));
	}
}

/* Science B1: on Taurus the energy for the same work grows as the clock falls, though the processors' alone falls. */
static void on_taurus_the_highest_clock_is_best(void **state)
{
	double before_j = 0, before_cpu_j = INFINITY;

	(void)state;
	for (unsigned mhz = 2300; mhz >= 1200; mhz -= 100) {
		struct es_twin_settings settings = { .core_max_khz = mhz * 1000ULL };
		struct es_twin_steady at = steady("taurus", "a 10s cpu=100%", &settings);
		double j = (double)at.node_uw * (double)at.dur_ns;
		double cpu_j = ((double)at.node_uw - 95e6) * (double)at.dur_ns;

		assert_int_equal(at.core_khz, mhz * 1000);
		assert_true(j > before_j);
		assert_true(cpu_j < before_cpu_j);
		before_j = j;
		before_cpu_j = cpu_j;
	}
}

/* The ends of the published table, which always are there. */
static void taurus_is_the_published_one(void **state)
{
	struct es_twin_settings slowest = { .core_max_khz = 1200000 };
	struct es_twin_steady low = steady("taurus", "a 10s cpu=100%", &slowest);
	double top_w = node_w("taurus", "a 10s cpu=100%"), speed = 10e9 / (double)low.dur_ns;

	(void)state;
	assert_true(fabs(top_w / 190.738 - 1) < 0.01);
	assert_true(fabs((double)low.node_uw / 125.88e6 - 1) < 0.01);
	assert_true(fabs(speed / 0.44976 - 1) < 0.03);
}

static FILE *open_data(const char *name)
{
	const char *root = getenv("ES_SOURCE_ROOT");
	char path[4096];
	FILE *file;

	assert_true(snprintf(path, sizeof(path), "%s/../shared/data/%s", root ? root : ".", name) <
		    (int)sizeof(path));
	file = fopen(path, "r");
	if (!file)
		print_message("# %s is not there: only its ends are looked at\n", name);
	return file;
}

static void taurus_is_its_whole_table_where_that_is(void **state)
{
	es_cleanup(es_fclosep) FILE *file = open_data("workloads/batsim_taurus_pstates.csv");
	char line[256];
	unsigned n = 0;

	(void)state;
	while (file && fgets(line, sizeof(line), file)) {
		unsigned pstate;
		double speed, idle, full, watts, share;
		struct es_twin_settings settings = { 0 };
		struct es_twin_steady at;

		if (sscanf(line, "%u,%lf,%lf,%lf", &pstate, &speed, &idle, &full) != 4)
			continue;
		settings.core_max_khz = pstate ? (2400 - pstate * 100ULL) * 1000 : 0;
		at = steady("taurus", "a 10s cpu=100%", &settings);
		watts = (double)at.node_uw / 1e6;
		share = 1e12 / (double)at.dur_ns;
		assert_true(fabs(idle_w("taurus") / idle - 1) < 0.01);
		assert_true(fabs(watts / full - 1) < 0.01);
		/* One row, P10, is 7 % off any smooth curve. */
		assert_true(fabs(share / speed - 1) < (pstate == 10 ? 0.08 : 0.03));
		n++;
	}
	assert_true(!file || n == 13);
}

static double ep_w(unsigned n_cores, uint64_t *ret_khz)
{
	char line[64];
	struct es_twin_steady at;

	assert_true(snprintf(line, sizeof(line), "ep 10s cpu=100%% cores=%u", n_cores) < 64);
	at = steady("broadwell1s", line, NULL);
	*ret_khz = at.core_khz;
	return (double)at.node_uw / 1e6;
}

static void broadwell_is_the_published_one(void **state)
{
	uint64_t khz;

	(void)state;
	assert_true(fabs(ep_w(1, &khz) / 79.476 - 1) < 0.01);
	assert_int_equal(khz, 3100000);
	assert_true(fabs(ep_w(10, &khz) / 107.490 - 1) < 0.01);
	assert_int_equal(khz, 2400000);
}

static void broadwell_is_its_whole_table_where_that_is(void **state)
{
	es_cleanup(es_fclosep) FILE *file = open_data("loghin/xeon-ep.csv");
	char line[256];
	double one_s = 0;
	unsigned n = 0;

	(void)state;
	while (file && fgets(line, sizeof(line), file)) {
		unsigned n_cores;
		double s, wh, joules, watts, speed;
		uint64_t khz;

		if (sscanf(line, "1;%u;2.20GHz;%lf;%lf;%lf;%lf", &n_cores, &s, &wh, &joules,
			   &watts) != 5 ||
		    n_cores > 10)
			continue;
		if (n_cores == 1)
			one_s = s;
		assert_true(fabs(ep_w(n_cores, &khz) / watts - 1) < 0.01);
		speed = one_s / s / n_cores;
		assert_true(fabs((double)khz / 3100000 / speed - 1) < 0.03);
		n++;
	}
	assert_true(!file || n == 10);
}

static void steady_is_what_a_long_run_comes_to(void **state)
{
	static const struct {
		const char *kind, *line;
		struct es_twin_settings settings;
	} vectors[] = {
		{ "skx2s", "a 1s cpu=70% memory=30% activity=1.3", { 0 } },
		{ "skx2s",
		  "a 1s cpu=70% memory=30% cores=7",
		  { .core_max_khz = 2100000, .uncore_max_khz = 1800000 } },
		{ "spr2s",
		  "a 1s cpu=90% memory=100% model=overlapping",
		  { .package_limit_uw = 250000000 } },
		{ "genoa2s-a100x4",
		  "a 1s gpu=80% gpu-memory=20% activity=1.3",
		  { .gpu_limit_mw = 280000 } },
		{ "mi250x", "a 1s gpu=90% cpu=10%", { .gpu_max_mhz = 1200 } },
		{ "laptop", "a 1s cpu=100%", { .has_no_turbo = true } },
		{ "vm", "a 1s cpu=60% idle=40%", { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct es_twin_node *node = test_quiet_node(vectors[i].kind);
		struct es_twin_steady soon =
			steady(vectors[i].kind, vectors[i].line, &vectors[i].settings);
		int64_t first_ns, last_ns;
		double mean_uw;
		int load;

		assert_int_equal(es_twin_apply(node, &vectors[i].settings), 0);
		load = test_begin(node, vectors[i].line, 2000);
		test_pass(node, 1000 * TEST_S);
		assert_int_equal(es_twin_load_edge(node, load, 200, &first_ns), 0);
		assert_int_equal(es_twin_load_edge(node, load, 400, &last_ns), 0);
		mean_uw = (double)es_twin_mean_uw(node, ES_TWIN_NODE, 0, es_twin_now_ns(node),
						  100 * TEST_S);
		assert_true(fabs((double)(last_ns - first_ns) / 200 / (double)soon.dur_ns - 1) <
			    0.002);
		assert_true(fabs(mean_uw / (double)soon.node_uw - 1) < 0.002);
		assert_int_equal(es_twin_core_khz(node, 0) / 1000, soon.core_khz / 1000);
		es_twin_node_destroy(node);
	}
}

static void steady_refuses_what_the_node_refuses(void **state)
{
	struct es_twin_phase phase = test_phase("a 1s cpu=100%");
	struct es_twin_steady result;
	struct es_error err = { 0 };

	(void)state;
	assert_int_equal(es_twin_steady(test_kind("vm"),
					&(struct es_twin_settings){ .core_max_khz = 1 }, &phase,
					&result, &err),
			 -EOPNOTSUPP);
	assert_true(strlen(err.text) > 0);
	assert_int_equal(es_twin_steady(test_kind("milan2s"),
					&(struct es_twin_settings){ .package_limit_uw = 1 }, &phase,
					&result, &err),
			 -ENODATA);
	assert_int_equal(es_twin_steady(test_kind("milan2s"),
					&(struct es_twin_settings){ .gpu_limit_mw = 1 }, &phase,
					&result, &err),
			 -ENODEV);
	phase.n_cores = 500;
	assert_int_equal(es_twin_steady(test_kind("skx2s"), NULL, &phase, &result, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_complete_and_says_where_it_is_from),
		cmocka_unit_test(a_wrong_name_is_met_with_a_near_one),
		cmocka_unit_test(threads_are_numbered_as_linux_does),
		cmocka_unit_test(idle_and_full_load_are_what_sources_say),
		cmocka_unit_test(without_gpus_genoa_is_a_usual_server),
		cmocka_unit_test(heavy_load_reaches_the_design_power_and_no_more),
		cmocka_unit_test(gpus_at_work_reach_their_power),
		cmocka_unit_test(on_taurus_the_highest_clock_is_best),
		cmocka_unit_test(taurus_is_the_published_one),
		cmocka_unit_test(taurus_is_its_whole_table_where_that_is),
		cmocka_unit_test(broadwell_is_the_published_one),
		cmocka_unit_test(broadwell_is_its_whole_table_where_that_is),
		cmocka_unit_test(steady_is_what_a_long_run_comes_to),
		cmocka_unit_test(steady_refuses_what_the_node_refuses),
	};

	return cmocka_run_group_tests_name("twin/kinds", tests, NULL, NULL);
}
