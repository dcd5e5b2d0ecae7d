/*
 * test_format_report.c - from readings to numbers: kinds, covers, gaps, models
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "support/recordings.h"

#define UNIT_J 0.000061035 /* one step of a test domain */

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

static const struct es_report *report(struct fixture *f)
{
	return test_report(&f->made, &f->options);
}

static const json_t *report_json(struct fixture *f)
{
	struct es_json json;
	struct es_buf out;

	es_buf_init(&out, 1U << 24);
	es_json_init(&json, es_json_sink_buf, &out, true);
	es_json_object(&json, NULL);
	es_report_members(&f->made.report, &json);
	es_json_object_end(&json);
	assert_int_equal(es_json_end(&json), 0);
	json_decref(f->json);
	f->json = json_loadb((const char *)out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	es_buf_finish(&out);
	assert_non_null(f->json);
	return f->json;
}

static const json_t *member(const json_t *json, const char *a, const char *b)
{
	const json_t *outer = json_object_get(json, a),
		     *inner = b ? json_object_get(outer, b) : outer;

	if (!inner)
		fail_msg("no member %s.%s", a, b ? b : "");
	return inner;
}

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.12g is not %.12g", value, expected);
}

/* Package 0 at 100 W and its dram at 10 W for 10 s, a reading each second. */
static void make_plain(struct fixture *f)
{
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_DRAM, 0, -1);
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&f->made, i * TEST_S,
			   (uint64_t[]){ 5000 + 100 * TEST_J * i, 10 * TEST_J * i });
	test_end(&f->made, 10 * TEST_S, 2000000);
}

static void counters_add_up_and_all_of_it_is_measured(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	make_plain(f);
	r = report(f);

	assert_true(r->has_energy);
	assert_false(r->has_estimate);
	assert_string_equal(es_report_kind(r), "measured");
	assert_int_equal(r->fine_uj, 1100 * TEST_J);
	assert_int_equal(r->total_uj, 1100 * TEST_J);
	assert_int_equal(r->metered_uj, 1100 * TEST_J);
	assert_near(r->node_j, 1100.0, 1e-9);
	assert_near(r->facility_j, 1430.0, 1e-9);
	assert_near(r->time_coverage, 1.0, 1e-12);
	assert_near(r->metered_share, 1.0, 1e-12);
	assert_int_equal(r->by_domain[0].mean_mw, 100000);
	assert_int_equal(r->by_domain[0].max_mw, 100000);
	assert_int_equal(r->own_cpu_ns, 2000000);
	assert_true(r->is_whole);
	assert_string_equal(es_report_quality(r), "high");
}

/* One step, and 1 ms of the mean power: 0.100061 J and 0.010061 J; both: the root of the sum of squares. */
static void uncertainty_of_counters_is_their_ends(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	make_plain(f);
	r = report(f);

	assert_near(r->by_domain[0].uncertainty_j, 0.1 + UNIT_J, 1e-9);
	assert_near(r->by_domain[1].uncertainty_j, 0.01 + UNIT_J, 1e-9);
	assert_near(r->uncertainty_j, 0.100565577, 1e-8);
}

/* Meters of one make err alike: 2 % of both, and the ends' root of the sum of squares as before. */
static void rated_accuracy_is_in_the_uncertainty_and_does_not_average_out(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1)->accuracy_ppm = 20000;
	test_domain(&f->made, "powercap", ES_DOMAIN_DRAM, 0, -1)->accuracy_ppm = 20000;
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&f->made, i * TEST_S,
			   (uint64_t[]){ 5000 + 100 * TEST_J * i, 10 * TEST_J * i });
	test_end(&f->made, 10 * TEST_S, 2000000);
	r = report(f);

	assert_near(r->by_domain[0].uncertainty_j, 20.0 + 0.1 + UNIT_J, 1e-9);
	assert_near(r->by_domain[0].accuracy_j, 20.0, 1e-9);
	assert_near(r->uncertainty_j, 22.0 + 0.100565577, 1e-8);
	assert_near(r->accuracy_j, 22.0, 1e-9);
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(member(report_json(f), "energy", "by_domain"), 0),
				 "accuracy_ppm")),
			 20000);
}

/*
 * The published case (an eight-GPU node without its GPUs' driver): 188 W by RAPL where the wall drew 1199 W. The report
 * then said 248 W, 79 % too little, without a word of doubt.
 */
static void gpus_that_nobody_reads_widen_the_uncertainty_to_what_they_may_draw(void **state)
{
	struct fixture *f = *state;
	struct es_node_info *node = &f->made.meta.nodes[0];
	const struct es_report *r;
	struct es_buf out;

	node->n_gpus = 8;
	(void)snprintf(node->gpu_model, sizeof(node->gpu_model), "NVIDIA 10de:1db5");
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 1, -1);
	for (unsigned i = 0; i <= 100; i++)
		test_sweep(&f->made, i * TEST_S, (uint64_t[]){ 94 * TEST_J * i, 94 * TEST_J * i });
	test_end(&f->made, 100 * TEST_S, 0);
	r = report(f);

	assert_near(r->node_j, 18800.0, 1e-6);
	assert_int_equal(r->unseen.n_gpus, 8);
	assert_near(r->unseen.most_j, 8 * 300.0 * 100.0, 1e-6);
	assert_true(r->node_j + r->uncertainty_j > 119900.0);
	assert_true(json_is_true(member(report_json(f), "energy", "at_least")));
	assert_near(json_number_value(member(f->json, "energy", "unseen_j")), 240000.0, 1e-6);
	es_buf_init(&out, 1U << 20);
	assert_int_equal(es_report_table(r, &out), 0);
	assert_int_equal(es_buf_u8(&out, 0), 0);
	assert_non_null(strstr((const char *)out.data, "at least"));
	es_buf_finish(&out);
}

static void gpus_below_a_meter_of_the_node_or_asleep_widen_nothing(void **state)
{
	struct fixture *f = *state;

	f->made.meta.nodes[0].n_gpus = 1;
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_domain(&f->made, "cray", ES_DOMAIN_NODE, -1, -1);
	for (unsigned i = 0; i <= 3; i++)
		test_sweep(&f->made, i * TEST_S, (uint64_t[]){ 94 * TEST_J * i, 200 * TEST_J * i });
	test_end(&f->made, 3 * TEST_S, 0);

	assert_true(report(f)->domains[1].is_chosen_total);
	assert_int_equal(f->made.report.unseen.n_gpus, 0);
	assert_true(f->made.report.uncertainty_j < 1.0);
	assert_true(json_is_false(member(report_json(f), "energy", "at_least")));
}

/* GH200: the GPU's place is one of the superchip's module, and it is no chip of a card. */
static void a_gpu_beside_its_processor_on_a_module_is_a_whole_one(void **state)
{
	struct fixture *f = *state;
	struct es_domain *gpu;

	f->made.meta.nodes[0].n_gpus = 1;
	test_domain(&f->made, "nvml", ES_DOMAIN_MODULE, 0, -1);
	gpu = test_domain(&f->made, "nvml", ES_DOMAIN_GPU, 0, 0);
	gpu->parent = 0;
	(void)snprintf(gpu->pci, sizeof(gpu->pci), "0009:01:00.0");
	for (unsigned i = 0; i <= 3; i++)
		test_sweep(&f->made, i * TEST_S, (uint64_t[]){ 300 * TEST_J * i, 90 * TEST_J * i });
	test_end(&f->made, 3 * TEST_S, 0);

	assert_true(report(f)->by_domain[1].is_known);
	assert_int_equal(f->made.report.unseen.n_gpus, 0);
	assert_true(f->made.report.uncertainty_j < 1.0);
}

/* 2^32 steps of 61,035 nJ are 262,143.328911360 J. */
static void a_wrap_is_no_loss(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_reading(&f->made, 0, 0, 262100 * TEST_J);
	test_reading(&f->made, TEST_S, 0, 262140 * TEST_J);
	test_reading(&f->made, 2 * TEST_S, 0, 36671088); /* 262,180 J less the modulus */
	test_end(&f->made, 2 * TEST_S, 0);
	r = report(f);

	assert_int_equal(r->n_wraps, 1);
	assert_in_range(r->total_uj, 80 * TEST_J - 1, 80 * TEST_J);
	assert_false(r->has_estimate);
}

/* Reset between second 5 and 6: 9 s are measured, the gap is filled with their mean power, 100 W ± 100 W. */
static void a_gap_of_a_reset_is_filled_and_said_to_be_an_estimate(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 10; i++)
		test_reading(&f->made, i * TEST_S, 0,
			     i <= 5 ? (1000 + 100 * i) * TEST_J : (50 + 100 * (i - 6)) * TEST_J);
	test_end(&f->made, 10 * TEST_S, 0);
	r = report(f);

	assert_int_equal(r->n_resets, 1);
	assert_int_equal(r->n_gaps, 1);
	assert_int_equal(r->gaps[0].start_ns, TEST_START_NS + 5 * TEST_S);
	assert_int_equal(r->gaps[0].stop_ns, TEST_START_NS + 6 * TEST_S);
	assert_false(r->gaps[0].has_energy);
	assert_true(r->has_estimate);
	assert_string_equal(es_report_kind(r), "mixed");
	assert_int_equal(r->total_uj, 1000 * TEST_J);
	assert_int_equal(r->metered_uj, 900 * TEST_J);
	assert_int_equal(r->by_domain[0].filled_uj, 100 * TEST_J);
	assert_near(r->uncertainty_j, 100.0 + 0.1 + UNIT_J, 1e-9);
	assert_near(r->time_coverage, 0.9, 1e-9);
	assert_near(r->metered_share, 0.9, 1e-9);
	assert_string_equal(es_report_quality(r), "low");
}

/* Memory falls silent after 4 of 10 s: 6 s at its mean of 20 W are filled in, said, and in es_total. */
static void a_meter_that_falls_silent_is_filled_and_said(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_DRAM, 0, -1);
	for (unsigned i = 0; i <= 10; i++) {
		const uint64_t values[] = { (1000 + 100 * i) * TEST_J,
					    i <= 4 ? (500 + 20 * i) * TEST_J : TEST_NO_READING };

		test_sweep(&f->made, i * TEST_S, values);
	}
	test_end(&f->made, 10 * TEST_S, 0);
	r = report(f);

	assert_int_equal(r->by_domain[1].energy_uj, 200 * TEST_J);
	assert_int_equal(r->by_domain[1].filled_uj, 120 * TEST_J);
	assert_int_equal(r->total_uj, 1200 * TEST_J);
	assert_string_equal(es_report_kind(r), "mixed");
	assert_int_equal(r->n_gaps, 1);
	assert_int_equal(r->gaps[0].start_ns, TEST_START_NS + 4 * TEST_S);
	assert_false(r->gaps[0].has_energy);
	assert_true(r->uncertainty_j > 120.0);
	assert_int_equal(test_region(r, "es_total")->energy_uj, 1200 * TEST_J);
	assert_string_equal(es_report_quality(r), "low");
}

/* A second reset in a row of readings: more gap, more doubt. */
static void uncertainty_grows_with_the_gap(void **state)
{
	struct fixture *f = *state;
	double one_j = 0;

	for (int round = 0; round < 2; round++) {
		test_recording_finish(&f->made);
		test_recording_init(&f->made, TEST_S);
		test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
		for (unsigned i = 0; i <= 10; i++) {
			uint64_t origin = i < 4 ? 5000 : i < 8 || round == 0 ? 2000 : 20;

			test_reading(&f->made, i * TEST_S, 0, (origin + 100 * i) * TEST_J);
		}
		test_end(&f->made, 10 * TEST_S, 0);
		(void)report(f);
		assert_int_equal(f->made.report.n_resets, round + 1);
		if (round == 0)
			one_j = f->made.report.uncertainty_j;
	}

	assert_near(f->made.report.uncertainty_j, one_j + 100.0, 1e-9);
}

/* 20 W for 10 s, of 10 W idle and 50 W full: a quarter busy. 3/4 * 10 W * 20 % + 1/4 * 50 W * 30 %: 5.25 W. */
static void an_estimate_alone_is_not_measured_at_all(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;
	const json_t *json;

	test_estimate(&f->made);
	for (unsigned i = 0; i <= 10; i++)
		test_sweep_busy(&f->made, i * TEST_S, (uint64_t[]){ 20 * TEST_J * i }, i * TEST_S);
	test_end(&f->made, 10 * TEST_S, 500000000);
	r = report(f);
	json = report_json(f);

	assert_true(r->has_energy && r->has_estimate);
	assert_string_equal(es_report_kind(r), "estimated");
	assert_near(r->node_j, 200.0, 1e-9);
	assert_near(r->uncertainty_j, 52.5, 1e-9);
	assert_near(r->metered_share, 0.0, 0.0);
	assert_near(r->time_coverage, 1.0, 1e-9);
	assert_true(json_is_null(member(json, "energy", "measured_j")));
	assert_true(json_is_null(member(json, "energy", "residual_j")));
	assert_near(json_number_value(member(json, "energy", "node_j")), 200.0, 1e-9);
	assert_string_equal(json_string_value(member(json, "energy", "kind")), "estimated");
	/* Our half second of the machine's 10 s of CPU time. */
	assert_near(json_number_value(member(json, "overhead", "energy_j")), 10.0, 1e-9);
}

/* The estimate is at the wall: no model comes on top of it. */
static void no_model_is_put_on_an_estimate(void **state)
{
	struct fixture *f = *state;

	test_estimate(&f->made);
	test_sweep_busy(&f->made, 0, (uint64_t[]){ 0 }, 0);
	test_sweep_busy(&f->made, TEST_S, (uint64_t[]){ 20500000 }, TEST_S);
	f->options.model = es_node_model_find("joule_model_202203");

	assert_near(report(f)->node_j, 20.5, 1e-9);
	assert_near(f->made.report.model.offset_w, 0.0, 0.0);
}

static void a_standing_counter_is_unknown_and_the_estimate_stands_in(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;
	const json_t *json;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_estimate(&f->made);
	/* 100 ms of CPU time in 10 s: no proof that the package was busy. */
	for (unsigned i = 0; i <= 10; i++)
		test_sweep_busy(&f->made, i * TEST_S, (uint64_t[]){ 777, 11 * TEST_J * i },
				i * 10 * TEST_MS);
	test_end(&f->made, 10 * TEST_S, 0);
	r = report(f);
	json = member(member(report_json(f), "energy", NULL), "by_domain", NULL);

	assert_int_equal(r->domains[0].state, ES_STATE_UNPROVEN);
	assert_false(r->by_domain[0].is_known);
	assert_false(r->domains[0].is_chosen || r->domains[0].is_chosen_total);
	assert_true(r->domains[1].is_chosen && r->domains[1].is_chosen_total);
	assert_string_equal(es_report_kind(r), "estimated");
	assert_near(r->node_j, 110.0, 1e-9);
	assert_true(json_is_null(member(json_array_get(json, 0), "energy_j", NULL)));
	assert_true(json_is_null(member(json_array_get(json, 0), "mean_w", NULL)));
	assert_near(json_number_value(member(json_array_get(json, 1), "energy_j", NULL)), 110.0,
		    1e-9);
}

/* Without an estimate nothing is known, and nothing is claimed. */
static void a_standing_counter_alone_leaves_the_energy_unknown(void **state)
{
	struct fixture *f = *state;
	const json_t *json;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_reading(&f->made, 0, 0, 777);
	test_reading(&f->made, TEST_S, 0, 777);
	test_end(&f->made, TEST_S, 0);
	(void)report(f);
	json = report_json(f);

	assert_false(f->made.report.has_energy);
	assert_null(es_report_kind(&f->made.report));
	assert_true(json_is_null(member(json, "energy", "node_j")));
	assert_true(json_is_null(member(json, "energy", "facility_j")));
	assert_true(json_is_null(member(json, "energy", "uncertainty_j")));
	assert_true(json_is_null(member(json, "energy", "kind")));
	assert_true(json_is_null(member(json, "carbon", "gco2")));
}

/* 3 ms at what may have been 100 W: up to one update of 1 ms, 0.1 J, may not show yet. */
static void a_counter_that_had_no_time_to_move_is_zero_with_its_uncertainty(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;
	const json_t *json;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_reading(&f->made, 0, 0, 777);
	test_reading(&f->made, 3 * TEST_MS, 0, 777);
	test_end(&f->made, 3 * TEST_MS, 0);
	r = report(f);
	json = report_json(f);

	assert_true(r->has_energy && r->by_domain[0].is_known);
	assert_int_equal(r->total_uj, 0);
	assert_string_equal(es_report_kind(r), "measured");
	assert_near(r->uncertainty_j, 0.1 + UNIT_J, 1e-9);
	assert_near(r->metered_share, 1.0, 0.0);
	assert_true(json_is_number(member(json, "energy", "measured_j")));
	assert_near(json_number_value(member(json, "energy", "measured_j")), 0.0, 0.0);
	assert_true(json_is_number(member(json, "energy", "residual_j")));
}

/* psys 150 W around 100 W and 20 W: 30 W are neither package nor memory. */
static void psys_is_the_total_and_what_is_around_the_parts_is_the_residual(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	test_domain(&f->made, "powercap", ES_DOMAIN_PSYS, -1, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_DRAM, 0, -1);
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&f->made, i * TEST_S,
			   (uint64_t[]){ 150 * TEST_J * i, 100 * TEST_J * i, 20 * TEST_J * i });
	test_end(&f->made, 10 * TEST_S, 0);
	r = report(f);

	assert_int_equal(r->total_uj, 1500 * TEST_J);
	assert_int_equal(r->fine_uj, 1200 * TEST_J);
	assert_near(r->node_j, 1500.0, 1e-9);
	assert_near(json_number_value(member(report_json(f), "energy", "residual_j")), 300.0, 1e-9);

	f->options.psys = ES_PSYS_IGNORE;
	assert_int_equal(report(f)->total_uj, 1200 * TEST_J);
}

/* Without the first cover's dram psys shows less than the parts: it cannot be the whole board. */
static void a_psys_below_its_parts_is_not_believed(void **state)
{
	struct fixture *f = *state;

	test_domain(&f->made, "powercap", ES_DOMAIN_PSYS, -1, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&f->made, i * TEST_S, (uint64_t[]){ 60 * TEST_J * i, 100 * TEST_J * i });
	test_end(&f->made, 10 * TEST_S, 0);

	assert_int_equal(report(f)->total_uj, 1000 * TEST_J);
}

/* Powers each 100 ms for 10 s, those between 4 s and 7 s are missing: 7 s known, 3 s filled. */
static void missing_powers_are_a_gap_in_time_coverage(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;
	struct es_domain *domain;

	f->made.meta.period_ns = 100 * TEST_MS;
	domain = test_domain(&f->made, "ipmi", ES_DOMAIN_NODE, -1, -1);
	domain->is_power = true;
	domain->kind = ES_KIND_INTEGRATED;
	domain->update_period_ns = 100 * TEST_MS;
	for (unsigned i = 0; i <= 100; i++)
		if (i <= 40 || i >= 70)
			test_reading(&f->made, i * 100 * TEST_MS, 0, 250000);
	test_end(&f->made, 10 * TEST_S, 0);
	r = report(f);

	assert_near(r->time_coverage, 0.7, 1e-9);
	assert_int_equal(r->metered_uj, 1750 * TEST_J);
	assert_int_equal(r->total_uj, 2500 * TEST_J);
	assert_true(r->has_estimate);
	assert_string_equal(es_report_kind(r), "mixed");
	assert_int_equal(r->n_gaps, 1);
	assert_int_equal(r->gap_ns, 3 * TEST_S);
	/* 100 ms of the mean at the ends, and twice the mean over the gap; no counter, so one step counts little. */
	assert_near(r->uncertainty_j, 25.0 + 750.0 + UNIT_J, 1e-9);
}

/* A counter goes on where nobody looks: the sum is whole, only the profile has a hole. */
static void a_hole_between_readings_of_a_counter_costs_no_energy(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 10; i++)
		if (i <= 4 || i >= 8)
			test_reading(&f->made, i * TEST_S, 0, 100 * TEST_J * i);
	test_end(&f->made, 10 * TEST_S, 0);
	r = report(f);

	assert_int_equal(r->total_uj, 1000 * TEST_J);
	assert_false(r->has_estimate);
	assert_near(r->time_coverage, 1.0, 1e-9);
	assert_int_equal(r->n_gaps, 1);
	assert_true(r->gaps[0].has_energy);
	assert_int_equal(r->max_period_ns, 4 * TEST_S);
}

/* One reading in five is missing for i % 7 + 1 of ten sweeps: the 256 longest of 600 holes are shown. */
static void of_too_many_holes_the_longest_are_kept_and_all_are_counted(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;
	int64_t t_ns = 0;
	unsigned n_long = 0;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i < 600; i++) {
		test_reading(&f->made, t_ns, 0, (uint64_t)(t_ns / TEST_S) * 10 * TEST_J);
		t_ns += i % 3 == 0 ? 3 * TEST_S : (3 + i % 7) * TEST_S;
		n_long += i < 599 && i % 3 != 0 && i % 7 >= 4;
	}
	test_end(&f->made, t_ns, 0);
	r = report(f);

	assert_int_equal(r->n_gaps, 599);
	assert_int_equal(r->n_gaps_kept, ES_REPORT_GAPS_MAX);
	for (size_t i = 0; i < r->n_gaps_kept; i++) {
		n_long -= r->gaps[i].stop_ns - r->gaps[i].start_ns >= 7 * TEST_S;
		assert_true(i == 0 || r->gaps[i].start_ns >= r->gaps[i - 1].stop_ns);
	}
	assert_int_equal(n_long, 0);
}

/* 262 kJ at 1500 W are 175 s: at 100 s between readings a wrap could have been missed. */
static void steps_so_long_that_a_wrap_could_hide_are_flagged(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	f->made.meta.period_ns = 100 * TEST_S;
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 2; i++)
		test_reading(&f->made, i * 100 * TEST_S, 0, 5000 * TEST_J * i);
	test_end(&f->made, 200 * TEST_S, 0);
	r = report(f);

	assert_int_equal(r->n_ambiguous, 2);
	assert_int_equal(r->total_uj, 10000 * TEST_J);
	assert_string_equal(es_report_quality(r), "low");
	assert_int_equal(json_integer_value(member(report_json(f), "quality", "ambiguous")), 2);
}

static void one_package_seen_by_two_sources_counts_once(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	test_domain(&f->made, "perf", ES_DOMAIN_PACKAGE, 0, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	(void)snprintf(test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1)->id, 32,
		       "powercap/mmio:package-0");
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&f->made, i * TEST_S,
			   (uint64_t[]){ 100 * TEST_J * i, 9000 + 100 * TEST_J * i,
					 7000 + 100 * TEST_J * i });
	test_end(&f->made, 10 * TEST_S, 0);
	r = report(f);

	assert_int_equal(r->total_uj, 1000 * TEST_J);
	assert_int_equal(r->domains[1].state, ES_STATE_DUPLICATE);
	assert_int_equal(r->domains[2].state, ES_STATE_DUPLICATE);
}

/* Also where only the start and the end were read. */
static void dies_that_mirror_one_counter_count_once(void **state)
{
	struct fixture *f = *state;

	for (unsigned n_sweeps = 2; n_sweeps <= 11; n_sweeps += 9) {
		test_recording_finish(&f->made);
		test_recording_init(&f->made, TEST_S);
		test_domain(&f->made, "powercap", ES_DOMAIN_DIE, 0, 0)->may_mirror = true;
		test_domain(&f->made, "powercap", ES_DOMAIN_DIE, 0, 1)->may_mirror = true;
		for (unsigned i = 0; i < n_sweeps; i++)
			test_sweep(&f->made, i * TEST_S,
				   (uint64_t[]){ 100 * TEST_J * i, 50 + 100 * TEST_J * i });
		test_end(&f->made, n_sweeps * TEST_S, 0);

		assert_int_equal(report(f)->total_uj, 100 * TEST_J * (n_sweeps - 1));
	}
}

static void dies_of_their_own_add_up(void **state)
{
	struct fixture *f = *state;

	test_domain(&f->made, "powercap", ES_DOMAIN_DIE, 0, 0)->may_mirror = true;
	test_domain(&f->made, "powercap", ES_DOMAIN_DIE, 0, 1)->may_mirror = true;
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&f->made, i * TEST_S, (uint64_t[]){ 100 * TEST_J * i, 90 * TEST_J * i });
	test_end(&f->made, 10 * TEST_S, 0);

	assert_int_equal(report(f)->total_uj, 1900 * TEST_J);
}

/* Many VMs: psys opens and stays 0, while 5 s of CPU time went by. */
static void a_dead_psys_is_told_with_its_evidence(void **state)
{
	struct fixture *f = *state;
	const json_t *insight;

	test_domain(&f->made, "powercap", ES_DOMAIN_PSYS, -1, -1);
	test_estimate(&f->made);
	for (unsigned i = 0; i <= 10; i++)
		test_sweep_busy(&f->made, i * TEST_S, (uint64_t[]){ 0, 20 * TEST_J * i },
				i * 500 * TEST_MS);
	test_end(&f->made, 10 * TEST_S, 0);
	(void)report(f);
	insight = json_array_get(member(report_json(f), "insights", NULL), 0);

	assert_int_equal(f->made.report.domains[0].state, ES_STATE_DEAD);
	assert_false(f->made.report.by_domain[0].is_known);
	assert_string_equal(es_report_kind(&f->made.report), "estimated");
	assert_string_equal(json_string_value(json_object_get(insight, "code")), "meter_dead");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(insight, "evidence"), "domain")),
		"powercap/psys");
}

/* CPU time of one node proves nothing about another's meter. */
static void cpu_times_of_two_nodes_are_not_one(void **state)
{
	struct fixture *f = *state;

	test_estimate(&f->made);
	assert_int_equal(es_meta_add_node(&f->made.meta, "n2"), 0);
	test_domain(&f->made, "powercap", ES_DOMAIN_PSYS, -1, -1);
	test_estimate(&f->made);
	for (unsigned i = 0; i <= 10; i++) {
		test_sweep_busy(&f->made, i * TEST_S,
				(uint64_t[]){ 20 * TEST_J * i, 0, TEST_NO_READING }, 0);
		test_sweep_busy(&f->made, i * TEST_S + TEST_MS,
				(uint64_t[]){ TEST_NO_READING, TEST_NO_READING, 20 * TEST_J * i },
				5000 * TEST_S);
	}
	test_end(&f->made, 10 * TEST_S, 0);

	assert_int_equal(report(f)->domains[1].state, ES_STATE_UNPROVEN);
	assert_int_equal(f->made.report.busy_ns, -1);
}

/* The published numbers of the original tool: four domains truncated to whole joules, 514 s of 60 W. */
static void the_models_of_2022_give_the_published_numbers(void **state)
{
	static const uint64_t ends_uj[] = { 40379550000, 38997580000, 8413620000, 8618850000 };
	struct fixture *f = *state;
	const struct es_report *r;

	f->made.meta.nodes[0].n_packages = 2;
	test_domain(&f->made, "escope", ES_DOMAIN_PACKAGE, 0, -1);
	test_domain(&f->made, "escope", ES_DOMAIN_PACKAGE, 1, -1);
	test_domain(&f->made, "escope", ES_DOMAIN_DRAM, 0, -1);
	test_domain(&f->made, "escope", ES_DOMAIN_DRAM, 1, -1);
	for (unsigned i = 0; i <= 20; i++) {
		uint64_t values[4];

		for (size_t j = 0; j < 4; j++)
			values[j] = ends_uj[j] * i / 20;
		test_sweep(&f->made, i * 25705 * TEST_MS, values);
	}
	test_end(&f->made, 514100 * TEST_MS, 0);
	f->options.model = es_node_model_find("joule_model_202203");
	assert_int_equal(es_carbon_factor_named("carbon_model_202203", "FR", &f->options.carbon),
			 0);
	r = report(f);

	assert_near(r->measured_j, 96407.0, 1e-9);
	assert_near(r->node_j, 127247.0, 1e-9);
	assert_near(r->gco2, 1.7885, 1e-9);
	assert_near(r->model.offset_w, 60.0, 0.0);
	f->options.model = es_node_model_find("none");
	assert_near(report(f)->node_j, 96409.6, 1e-6);
}

/* One node has a meter, the other an estimate at its wall: the model is for the first one only. */
static void a_model_is_for_the_nodes_with_meters(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	assert_int_equal(es_meta_add_node(&f->made.meta, "n2"), 0);
	test_estimate(&f->made);
	for (unsigned i = 0; i <= 10; i++)
		test_sweep_busy(&f->made, i * TEST_S,
				(uint64_t[]){ 100 * TEST_J * i, 20 * TEST_J * i }, 0);
	test_end(&f->made, 10 * TEST_S, 0);
	f->options.model = es_node_model_find("joule_model_202203");
	r = report(f);

	assert_near(r->model.offset_w, 60.0, 0.0);
	assert_near(r->node_j, 1000.0 + 200.0 + 600.0, 1e-9);
	assert_string_equal(es_report_kind(r), "mixed");
	assert_near(r->metered_share, 1000.0 / 1800.0, 1e-9);
	assert_int_equal(json_integer_value(member(report_json(f), "job", "nodes_measured")), 2);
}

static void what_happened_is_told(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_reading(&f->made, 0, 0, 0);
	test_event(&f->made, ES_EVENT_COMMAND_START, 10 * TEST_MS, 4711, "");
	test_reading(&f->made, TEST_S, 0, 100 * TEST_J);
	test_event(&f->made, ES_EVENT_MISSED, TEST_S, 3, "");
	test_event(&f->made, ES_EVENT_SUSPEND, TEST_S, 5 * TEST_S, "");
	test_event(&f->made, ES_EVENT_CLOCK_STEP, TEST_S, -TEST_S, "");
	test_event(&f->made, ES_EVENT_READ_FAILED, TEST_S, 0, "2 reads failed, last: gone");
	test_event(&f->made, ES_EVENT_SURVIVOR, TEST_S, 99, "sleep");
	test_event(&f->made, ES_EVENT_SURVIVOR, TEST_S, 100, "sh");
	test_event(&f->made, ES_EVENT_CHILD_CPU, TEST_S, 900 * TEST_MS, "");
	test_event(&f->made, ES_EVENT_COMMAND_STOP, 990 * TEST_MS, 256, "");
	test_end(&f->made, TEST_S, 7);
	r = report(f);

	assert_true(r->has_command_start && r->has_command_stop);
	assert_int_equal(r->command_stop_ns - r->command_start_ns, 980 * TEST_MS);
	assert_int_equal(r->command_status, 256);
	assert_int_equal(r->n_missed, 3);
	assert_int_equal(r->suspended_ns, 5 * TEST_S);
	assert_int_equal(r->clock_stepped_ns, -TEST_S);
	assert_string_equal(r->failed_text, "powercap/package-0: 2 reads failed, last: gone");
	assert_string_equal(r->survivors, "sleep (99), sh (100)");
	assert_int_equal(r->child_cpu_ns, 900 * TEST_MS);
	assert_int_equal(r->own_cpu_ns, 7);
	assert_string_equal(es_report_quality(r), "medium");
	assert_string_equal(json_string_value(member(report_json(f), "job", "state")), "failed");
}

/* As after kill -9 of the recorder. */
static void a_recording_that_breaks_off_counts_up_to_there(void **state)
{
	struct fixture *f = *state;
	FILE *file;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_reading(&f->made, 0, 0, 0);
	test_reading(&f->made, TEST_S, 0, 100 * TEST_J);
	(void)report(f);
	file = fopen(f->made.path, "a");
	assert_non_null(file);
	assert_int_equal(fwrite("ESFM\2\0\0\0half", 1, 12, file), 12);
	assert_int_equal(fclose(file), 0);

	assert_int_equal(report(f)->total_uj, 100 * TEST_J);
	assert_false(f->made.report.is_whole);
	assert_int_equal(f->made.report.lost_bytes, 12);
	assert_int_equal(f->made.report.own_cpu_ns, -1);
	assert_string_equal(json_string_value(member(report_json(f), "job", "state")),
			    "broken off");
}

static void a_recording_without_readings_has_nothing_to_say(void **state)
{
	struct fixture *f = *state;
	const json_t *json;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_event(&f->made, ES_EVENT_COMMAND_START, 0, 1, "");
	(void)report(f);
	json = report_json(f);

	assert_false(f->made.report.has_start || f->made.report.has_energy);
	assert_true(json_is_null(member(json, "job", "start")));
	assert_true(json_is_null(member(json, "job", "duration_s")));
	assert_true(json_is_null(member(json, "energy", "node_j")));
	assert_true(json_is_null(member(json, "energy", "time_coverage")));
}

static void a_part_of_the_time_can_be_asked_for(void **state)
{
	struct fixture *f = *state;

	make_plain(f);
	f->options.from_ns = TEST_START_NS + 2 * TEST_S;
	f->options.to_ns = TEST_START_NS + 5 * TEST_S;

	assert_int_equal(report(f)->total_uj, 330 * TEST_J);
	assert_int_equal(f->made.report.stop_ns - f->made.report.start_ns, 3 * TEST_S);
	assert_int_equal(test_region(&f->made.report, "es_total")->energy_uj, 330 * TEST_J);
}

/* The mean period is about what was planned: 1.12 times it is where "high" ends, 2 where "medium" does. */
static void quality_falls_as_the_period_grows(void **state)
{
	static const struct {
		int64_t period_ns;
		const char *quality;
	} vectors[] = {
		{ 1000 * TEST_MS, "high" },   { 1110 * TEST_MS, "high" },
		{ 1150 * TEST_MS, "medium" }, { 1990 * TEST_MS, "medium" },
		{ 2100 * TEST_MS, "low" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		test_recording_finish(&f->made);
		test_recording_init(&f->made, TEST_S);
		test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
		for (unsigned j = 0; j <= 10; j++)
			test_reading(&f->made, j * vectors[i].period_ns, 0, 100 * TEST_J * j);
		test_end(&f->made, 11 * vectors[i].period_ns, 0);

		assert_string_equal(es_report_quality(report(f)), vectors[i].quality);
		assert_int_equal(f->made.report.mean_period_ns, vectors[i].period_ns);
	}
}

static void json_has_every_promised_key(void **state)
{
	static const struct {
		const char *object, *keys[16];
	} promised[] = {
		{ "job",
		  { "id", "user", "command", "cluster", "account", "partition", "step", "state",
		    "nodes", "nodes_measured", "ncpus", "ngpus", "start", "stop", "duration_s",
		    "exclusive" } },
		{ "energy",
		  { "measured_j", "node_j", "facility_j", "uncertainty_j", "time_coverage",
		    "metered_share", "by_domain", "residual_j" } },
		{ "carbon",
		  { "zone", "g_per_kwh", "kind", "scope", "factor_id", "source", "year", "gco2",
		    "market_gco2", "embodied_g" } },
		{ "pue", { "value", "source" } },
		{ "model", { "name", "slope", "offset_w" } },
		{ "quality", { "period_ms", "missed", "gaps", "rejected", "sampling" } },
		{ "overhead", { "cpu_s", "energy_j" } },
	};
	static const char *const of_domain[] = { "node",       "domain", "kind",  "source",
						 "energy_j",   "mean_w", "max_w", "limit_w",
						 "limit_kind", "load" };
	static const char *const of_region[] = { "name",	  "start",  "stop",
						 "duration_s",	  "calls",  "energy_j",
						 "uncertainty_j", "mean_w", "method",
						 "work" };
	struct fixture *f = *state;
	const json_t *json;

	make_plain(f);
	(void)report(f);
	json = report_json(f);

	for (size_t i = 0; i < ES_ARRAY_SIZE(promised); i++)
		for (size_t j = 0; j < 16 && promised[i].keys[j]; j++)
			(void)member(json, promised[i].object, promised[i].keys[j]);
	(void)member(json, "job", "attribution");
	(void)member(json, "insights", NULL);
	(void)member(json, "price", NULL);
	for (size_t i = 0; i < ES_ARRAY_SIZE(of_domain); i++)
		(void)member(json_array_get(member(json, "energy", "by_domain"), 0), of_domain[i],
			     NULL);
	for (size_t i = 0; i < ES_ARRAY_SIZE(of_region); i++)
		(void)member(json_array_get(member(json, "regions", NULL), 0), of_region[i], NULL);
	assert_string_equal(json_string_value(json_array_get(member(json, "job", "nodes"), 0)),
			    "n1");
	assert_near(json_number_value(member(json, "job", "duration_s")), 10.0, 0.0);
}

/* 90 W of 100 W allowed. */
static void load_is_energy_against_the_limit(void **state)
{
	struct fixture *f = *state;
	struct es_domain *domain = test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);

	domain->limit_mw = 100000;
	for (unsigned i = 0; i <= 10; i++)
		test_reading(&f->made, i * TEST_S, 0, 90 * TEST_J * i);
	test_end(&f->made, 10 * TEST_S, 0);

	assert_true(report(f)->has_load);
	assert_near(f->made.report.load, 0.9, 1e-12);
}

static void times_on_the_wall_clock_follow_from_the_start(void **state)
{
	struct fixture *f = *state;

	make_plain(f);
	(void)report(f);

	assert_int_equal(es_report_unix_ns(&f->made.report, TEST_START_NS + 5 * TEST_S),
			 TEST_START_UNIX_NS + 5 * TEST_S);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(counters_add_up_and_all_of_it_is_measured),
		TEST(uncertainty_of_counters_is_their_ends),
		TEST(rated_accuracy_is_in_the_uncertainty_and_does_not_average_out),
		TEST(gpus_that_nobody_reads_widen_the_uncertainty_to_what_they_may_draw),
		TEST(gpus_below_a_meter_of_the_node_or_asleep_widen_nothing),
		TEST(a_gpu_beside_its_processor_on_a_module_is_a_whole_one),
		TEST(a_wrap_is_no_loss),
		TEST(a_gap_of_a_reset_is_filled_and_said_to_be_an_estimate),
		TEST(a_meter_that_falls_silent_is_filled_and_said),
		TEST(uncertainty_grows_with_the_gap),
		TEST(an_estimate_alone_is_not_measured_at_all),
		TEST(no_model_is_put_on_an_estimate),
		TEST(a_standing_counter_is_unknown_and_the_estimate_stands_in),
		TEST(a_standing_counter_alone_leaves_the_energy_unknown),
		TEST(a_counter_that_had_no_time_to_move_is_zero_with_its_uncertainty),
		TEST(psys_is_the_total_and_what_is_around_the_parts_is_the_residual),
		TEST(a_psys_below_its_parts_is_not_believed),
		TEST(missing_powers_are_a_gap_in_time_coverage),
		TEST(of_too_many_holes_the_longest_are_kept_and_all_are_counted),
		TEST(a_hole_between_readings_of_a_counter_costs_no_energy),
		TEST(steps_so_long_that_a_wrap_could_hide_are_flagged),
		TEST(one_package_seen_by_two_sources_counts_once),
		TEST(dies_that_mirror_one_counter_count_once),
		TEST(dies_of_their_own_add_up),
		TEST(a_dead_psys_is_told_with_its_evidence),
		TEST(cpu_times_of_two_nodes_are_not_one),
		TEST(the_models_of_2022_give_the_published_numbers),
		TEST(a_model_is_for_the_nodes_with_meters),
		TEST(what_happened_is_told),
		TEST(a_recording_that_breaks_off_counts_up_to_there),
		TEST(a_recording_without_readings_has_nothing_to_say),
		TEST(a_part_of_the_time_can_be_asked_for),
		TEST(quality_falls_as_the_period_grows),
		TEST(json_has_every_promised_key),
		TEST(load_is_energy_against_the_limit),
		TEST(times_on_the_wall_clock_follow_from_the_start),
	};

	return cmocka_run_group_tests_name("format/report", tests, NULL, NULL);
}
