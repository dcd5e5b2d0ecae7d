/*
 * test_format_insights.c - what a report gives reason to look at, and what it must keep silent about
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "format/insights.h"
#include "support/recordings.h"

struct fixture {
	struct test_recording made;
	struct es_report_options options;
	json_t *json;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	test_recording_init(&f->made, TEST_S);
	f->options = test_options();
	f->options.has_profile = true;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	json_decref(f->json);
	test_recording_finish(&f->made);
	free(f);
	return 0;
}

/* The insight with this code, made into JSON as users get it; NULL: there is none. */
static const json_t *find(struct fixture *f, const char *code)
{
	const struct es_report *report = f->made.report.meta ? &f->made.report
							     : test_report(&f->made, &f->options);
	const json_t *insight;
	struct es_json json;
	struct es_buf out;
	size_t i;

	es_buf_init(&out, 1U << 20);
	es_json_init(&json, es_json_sink_buf, &out, true);
	es_json_object(&json, NULL);
	es_insights_json(report, &json);
	es_json_object_end(&json);
	assert_int_equal(es_json_end(&json), 0);
	json_decref(f->json);
	f->json = json_loadb((const char *)out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	es_buf_finish(&out);
	assert_non_null(f->json);
	json_array_foreach(json_object_get(f->json, "insights"), i,
			   insight) if (strcmp(json_string_value(json_object_get(insight, "code")),
					       code) == 0) return insight;
	return NULL;
}

static double evidence(const json_t *insight, const char *key)
{
	const json_t *value = json_object_get(json_object_get(insight, "evidence"), key);

	if (!json_is_number(value))
		fail_msg("no number '%s' in the evidence", key);
	return json_number_value(value);
}

static const char *subject(const json_t *insight, const char *key)
{
	return json_string_value(json_object_get(json_object_get(insight, "evidence"), key));
}

static void assert_near(double value, double expected)
{
	if (!(fabs(value - expected) <= 1e-6 * fabs(expected)))
		fail_msg("%.12g is not %.12g", value, expected);
}

/* One package of @limit_w at @power_w, a reading each second. */
static void make_steady(struct fixture *f, uint64_t limit_w, uint64_t power_w, unsigned n_s)
{
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1)->limit_mw = limit_w * 1000;
	for (unsigned i = 0; i <= n_s; i++)
		test_sweep(&f->made, i * TEST_S, (uint64_t[]){ power_w * TEST_J * i });
	test_end(&f->made, n_s * TEST_S, 0);
}

static void a_load_over_nine_tenths_is_high(void **state)
{
	struct fixture *f = *state;
	const json_t *insight;

	make_steady(f, 200, 190, 60);
	insight = find(f, "high_load");

	assert_non_null(insight);
	assert_near(evidence(insight, "load"), 0.95);
	assert_near(evidence(insight, "energy_j"), 11400);
	assert_near(evidence(insight, "limit_j"), 12000);
	assert_null(find(f, "low_load"));
}

static void a_load_under_four_tenths_is_low(void **state)
{
	struct fixture *f = *state;

	make_steady(f, 200, 70, 60);

	assert_near(evidence(find(f, "low_load"), "load"), 0.35);
	assert_null(find(f, "high_load"));
}

static void a_load_in_between_is_no_news(void **state)
{
	struct fixture *f = *state;

	make_steady(f, 200, 120, 60);

	assert_null(find(f, "low_load"));
	assert_null(find(f, "high_load"));
}

static void without_a_limit_no_load_is_given(void **state)
{
	struct fixture *f = *state;

	make_steady(f, 0, 5, 60);

	assert_null(find(f, "low_load"));
}

static void a_limit_of_one_package_says_nothing_of_the_other(void **state)
{
	struct fixture *f = *state;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1)->limit_mw = 200000;
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 1, -1);
	for (unsigned i = 0; i <= 60; i++)
		test_sweep(&f->made, i * TEST_S, (uint64_t[]){ 20 * TEST_J * i, 200 * TEST_J * i });
	test_end(&f->made, 60 * TEST_S, 0);

	assert_null(find(f, "low_load"));
}

static void a_short_run_is_judged_by_nothing(void **state)
{
	struct fixture *f = *state;

	make_steady(f, 200, 10, 4);

	assert_null(find(f, "low_load"));
	assert_int_equal(f->made.report.n_insights, 0);
}

/* 4 CPUs of the node, one of them at work: CPU time of the machine proves it. */
static void idle_cpus_are_told(void **state)
{
	struct fixture *f = *state;
	const json_t *insight;

	f->made.meta.n_cpus = 4;
	test_estimate(&f->made);
	for (unsigned i = 0; i <= 20; i++)
		test_sweep_busy(&f->made, i * TEST_S, (uint64_t[]){ 20 * TEST_J * i },
				i * 1000 * TEST_MS);
	test_end(&f->made, 20 * TEST_S, 0);
	insight = find(f, "cpu_underload");

	assert_non_null(insight);
	assert_near(evidence(insight, "busy_share"), 0.25);
	assert_near(evidence(insight, "cpus"), 4);
	assert_null(find(f, "low_load"));
}

static void busy_cpus_are_not(void **state)
{
	struct fixture *f = *state;

	f->made.meta.n_cpus = 4;
	test_estimate(&f->made);
	for (unsigned i = 0; i <= 20; i++)
		test_sweep_busy(&f->made, i * TEST_S, (uint64_t[]){ 20 * TEST_J * i },
				i * 2400 * TEST_MS);
	test_end(&f->made, 20 * TEST_S, 0);

	assert_null(find(f, "cpu_underload"));
}

/* Two of the node's four CPUs are the job's: what others do on the rest is no evidence. */
static void a_part_of_a_node_is_judged_by_the_commands_own_time(void **state)
{
	struct fixture *f = *state;

	f->made.meta.n_cpus = 2;
	test_estimate(&f->made);
	for (unsigned i = 0; i <= 20; i++)
		test_sweep_busy(&f->made, i * TEST_S, (uint64_t[]){ 20 * TEST_J * i },
				i * 4000 * TEST_MS);
	test_event(&f->made, ES_EVENT_COMMAND_START, 0, 1, "");
	test_event(&f->made, ES_EVENT_COMMAND_STOP, 20 * TEST_S, 0, "");
	test_event(&f->made, ES_EVENT_CHILD_CPU, 20 * TEST_S, 4 * TEST_S, "");
	test_end(&f->made, 20 * TEST_S, 0);

	assert_near(evidence(find(f, "cpu_underload"), "busy_share"), 0.1);
}

/* One of four ranks is measured: what the others used is not known, and no reason to call the CPUs idle. */
static void other_ranks_may_have_kept_the_cpus_busy(void **state)
{
	struct fixture *f = *state;

	f->made.meta.n_cpus = 2;
	test_estimate(&f->made);
	for (unsigned i = 0; i <= 20; i++)
		test_sweep_busy(&f->made, i * TEST_S, (uint64_t[]){ 20 * TEST_J * i },
				i * 4000 * TEST_MS);
	test_event(&f->made, ES_EVENT_LAUNCH, 0, 4, "under rank=0 local=4 nodes=1 by=Open MPI");
	test_event(&f->made, ES_EVENT_COMMAND_START, 0, 1, "");
	test_event(&f->made, ES_EVENT_COMMAND_STOP, 20 * TEST_S, 0, "");
	test_event(&f->made, ES_EVENT_CHILD_CPU, 20 * TEST_S, 4 * TEST_S, "");
	test_end(&f->made, 20 * TEST_S, 0);

	assert_null(find(f, "cpu_underload"));
}

static void without_cpu_time_nothing_is_said_of_cpus(void **state)
{
	struct fixture *f = *state;

	f->made.meta.n_cpus = 4;
	make_steady(f, 200, 120, 60);

	assert_null(find(f, "cpu_underload"));
}

static void add_gpu(struct fixture *f, unsigned i, uint64_t limit_w)
{
	struct es_domain *gpu = test_domain(&f->made, "nvml", ES_DOMAIN_GPU, (int32_t)i, -1);

	(void)snprintf(gpu->name, sizeof(gpu->name), "gpu-%u", i);
	(void)snprintf(gpu->id, sizeof(gpu->id), "nvml/gpu-%u", i);
	gpu->limit_mw = limit_w * 1000;
}

static void gpus_that_hardly_work_are_told(void **state)
{
	struct fixture *f = *state;

	add_gpu(f, 0, 400);
	add_gpu(f, 1, 400);
	for (unsigned i = 0; i <= 60; i++)
		test_sweep(&f->made, i * TEST_S, (uint64_t[]){ 60 * TEST_J * i, 100 * TEST_J * i });
	test_end(&f->made, 60 * TEST_S, 0);

	assert_near(evidence(find(f, "gpu_underload"), "gpu_load"), 0.2);
	assert_near(evidence(find(f, "gpu_underload"), "gpus"), 2);
}

static void idle_processors_beside_busy_gpus_are_told_by_their_power(void **state)
{
	struct fixture *f = *state;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1)->limit_mw = 200000;
	add_gpu(f, 0, 400);
	for (unsigned i = 0; i <= 60; i++)
		test_sweep(&f->made, i * TEST_S, (uint64_t[]){ 40 * TEST_J * i, 360 * TEST_J * i });
	test_end(&f->made, 60 * TEST_S, 0);

	assert_near(evidence(find(f, "cpu_underload"), "cpu_load"), 0.2);
	assert_near(evidence(find(f, "cpu_underload"), "gpu_load"), 0.9);
	assert_null(find(f, "gpu_underload"));
}

static void gpus_on_the_bus_without_readings_are_invisible(void **state)
{
	struct fixture *f = *state;
	const json_t *insight;

	f->made.meta.nodes[0].n_gpus = 4;
	(void)snprintf(f->made.meta.nodes[0].gpu_model, sizeof(f->made.meta.nodes[0].gpu_model),
		       "NVIDIA 10de:2330");
	add_gpu(f, 0, 0);
	for (unsigned i = 0; i <= 3; i++)
		test_sweep(&f->made, i * TEST_S, (uint64_t[]){ 60 * TEST_J * i });
	test_end(&f->made, 3 * TEST_S, 0);
	insight = find(f, "gpu_invisible");

	assert_non_null(insight);
	assert_string_equal(subject(insight, "node"), "n1");
	assert_near(evidence(insight, "gpus"), 4);
	assert_near(evidence(insight, "gpus_measured"), 1);
	assert_non_null(strstr(json_string_value(json_object_get(insight, "text")),
			       "3 of 4 GPUs (NVIDIA 10de:2330)"));
}

static void measured_gpus_are_not_invisible(void **state)
{
	struct fixture *f = *state;

	f->made.meta.n_gpus = 1;
	add_gpu(f, 0, 0);
	for (unsigned i = 0; i <= 3; i++)
		test_sweep(&f->made, i * TEST_S, (uint64_t[]){ 60 * TEST_J * i });
	test_end(&f->made, 3 * TEST_S, 0);

	assert_null(find(f, "gpu_invisible"));
}

static void make_nodes(struct fixture *f, uint64_t first_w, uint64_t second_w, uint64_t third_w)
{
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	assert_int_equal(es_meta_add_node(&f->made.meta, "n2"), 0);
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	assert_int_equal(es_meta_add_node(&f->made.meta, "n3"), 0);
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 30; i++)
		test_sweep(&f->made, i * TEST_S,
			   (uint64_t[]){ first_w * TEST_J * i, second_w * TEST_J * i,
					 third_w * TEST_J * i });
	test_end(&f->made, 30 * TEST_S, 0);
}

static void a_node_that_draws_less_than_the_others_is_named(void **state)
{
	struct fixture *f = *state;
	const json_t *insight;

	make_nodes(f, 300, 200, 340);
	insight = find(f, "node_imbalance");

	assert_non_null(insight);
	assert_string_equal(subject(insight, "node"), "n2");
	assert_near(evidence(insight, "node_w"), 200);
	assert_near(evidence(insight, "others_w"), 320);
}

static void even_nodes_are_no_news(void **state)
{
	struct fixture *f = *state;

	make_nodes(f, 300, 290, 310);

	assert_null(find(f, "node_imbalance"));
}

static void nodes_that_measure_other_parts_are_not_compared(void **state)
{
	struct fixture *f = *state;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	assert_int_equal(es_meta_add_node(&f->made.meta, "n2"), 0);
	test_domain(&f->made, "ipmi", ES_DOMAIN_NODE, -1, -1);
	for (unsigned i = 0; i <= 30; i++)
		test_sweep(&f->made, i * TEST_S,
			   (uint64_t[]){ 100 * TEST_J * i, 300 * TEST_J * i });
	test_end(&f->made, 30 * TEST_S, 0);

	assert_null(find(f, "node_imbalance"));
}

/* 300 W for 80 s, then 60 W up to the end at 100 s. */
static void make_tail(struct fixture *f, unsigned tail_at_s, unsigned hole_at_s)
{
	uint64_t energy_uj = 0;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 100; i++) {
		if (i < hole_at_s || i > hole_at_s + 8)
			test_sweep(&f->made, i * TEST_S, (uint64_t[]){ energy_uj });
		energy_uj += (i < tail_at_s ? 300 : 60) * TEST_J;
	}
	test_end(&f->made, 100 * TEST_S, 0);
}

static void a_tail_at_idle_power_is_told(void **state)
{
	struct fixture *f = *state;
	const json_t *insight;

	make_tail(f, 80, 1000);
	insight = find(f, "idle_tail");

	assert_non_null(insight);
	assert_near(evidence(insight, "tail_s"), 20);
	assert_near(evidence(insight, "tail_share"), 0.2);
	assert_near(evidence(insight, "tail_w"), 60);
	assert_near(evidence(insight, "work_w"), 300);
	assert_near(evidence(insight, "tail_j"), 1200);
}

static void a_tail_of_four_percent_is_none(void **state)
{
	struct fixture *f = *state;

	make_tail(f, 96, 1000);

	assert_null(find(f, "idle_tail"));
}

static void a_job_that_rests_at_its_start_has_no_tail(void **state)
{
	struct fixture *f = *state;
	uint64_t energy_uj = 0;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 100; i++) {
		test_sweep(&f->made, i * TEST_S, (uint64_t[]){ energy_uj });
		energy_uj += (i < 40 ? 60 : 300) * TEST_J;
	}
	test_end(&f->made, 100 * TEST_S, 0);

	assert_null(find(f, "idle_tail"));
}

static void without_a_profile_no_tail_is_claimed(void **state)
{
	struct fixture *f = *state;

	f->options.has_profile = false;
	make_tail(f, 80, 1000);

	assert_null(find(f, "idle_tail"));
}

static void the_table_has_a_row_for_each(void **state)
{
	struct fixture *f = *state;
	struct es_buf out;

	make_steady(f, 200, 190, 60);
	(void)test_report(&f->made, &f->options);
	es_buf_init(&out, 1U << 16);
	es_insights_table(&f->made.report, &out);
	assert_int_equal(es_buf_u8(&out, '\0'), 0);

	assert_non_null(strstr((const char *)out.data, "  insight    high_load: "));
	es_buf_finish(&out);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_load_over_nine_tenths_is_high),
		TEST(a_load_under_four_tenths_is_low),
		TEST(a_load_in_between_is_no_news),
		TEST(without_a_limit_no_load_is_given),
		TEST(a_limit_of_one_package_says_nothing_of_the_other),
		TEST(a_short_run_is_judged_by_nothing),
		TEST(idle_cpus_are_told),
		TEST(busy_cpus_are_not),
		TEST(a_part_of_a_node_is_judged_by_the_commands_own_time),
		TEST(other_ranks_may_have_kept_the_cpus_busy),
		TEST(without_cpu_time_nothing_is_said_of_cpus),
		TEST(gpus_that_hardly_work_are_told),
		TEST(idle_processors_beside_busy_gpus_are_told_by_their_power),
		TEST(gpus_on_the_bus_without_readings_are_invisible),
		TEST(measured_gpus_are_not_invisible),
		TEST(a_node_that_draws_less_than_the_others_is_named),
		TEST(even_nodes_are_no_news),
		TEST(nodes_that_measure_other_parts_are_not_compared),
		TEST(a_tail_at_idle_power_is_told),
		TEST(a_tail_of_four_percent_is_none),
		TEST(a_job_that_rests_at_its_start_has_no_tail),
		TEST(without_a_profile_no_tail_is_claimed),
		TEST(the_table_has_a_row_for_each),
	};

	return cmocka_run_group_tests_name("format/insights", tests, NULL, NULL);
}
