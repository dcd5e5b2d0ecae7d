/*
 * test_format_report_shared.c - reports of a job on a node that it shares
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "support/recordings.h"

/* Two packages, of which the second is never used, what is beside them, and the whole: shares of them. */
static void make(struct test_recording *made, bool has_node)
{
	static const enum es_domain_type types[] = { ES_DOMAIN_PACKAGE, ES_DOMAIN_PACKAGE,
						     ES_DOMAIN_OTHER, ES_DOMAIN_NODE };
	size_t n = has_node ? 4 : 2;

	test_recording_init(made, TEST_S);
	made->meta.sharing = ES_SHARING_SHARED;
	made->meta.n_cpus = 2;
	made->meta.n_job_nodes = 3;
	for (size_t i = 0; i < n; i++) {
		struct es_domain *domain =
			test_domain(made, "job", types[i], i < 2 ? (int32_t)i : -1, -1);

		domain->kind = ES_KIND_ATTRIBUTED;
		domain->range.unit_nj = 1000;
		domain->range.modulus_nj = 0;
	}
	test_event(made, ES_EVENT_SHARED, 0, -1, "cpu_time seen");
	test_event(made, ES_EVENT_SHARED, 0, 0, "direct seen");
	test_event(made, ES_EVENT_SHARED, 0, 0, "by whim"); /* of a later version */
	for (uint64_t i = 0; i <= 10; i++) {
		const uint64_t values[] = { i * 30 * TEST_J, 0, i * 5 * TEST_J, i * 35 * TEST_J };

		test_sweep(made, (int64_t)i * TEST_S, values);
	}
	test_end(made, 10 * TEST_S, 0);
}

static char *text_of(struct es_buf *out)
{
	assert_int_equal(es_buf_u8(out, 0), 0);
	return (char *)out->data;
}

static void the_node_is_the_total_and_the_parts_are_its_sum(void **state)
{
	struct es_report_options options = test_options();
	struct test_recording made;
	struct es_report *report;

	(void)state;
	make(&made, true);
	report = test_report(&made, &options);

	assert_true(report->domains[3].is_chosen_total);
	for (size_t i = 0; i < 3; i++) {
		assert_true(report->domains[i].is_chosen);
		assert_int_equal(report->domains[i].state, ES_STATE_OK);
		assert_true(
			report->by_domain[i].is_known); /* nothing of the second package is 0 J */
	}
	assert_int_equal(report->total_uj, 350 * TEST_J);
	assert_int_equal(report->fine_uj, 350 * TEST_J);
	assert_string_equal(es_report_kind(report), "attributed");
	assert_int_equal(report->n_gaps, 0);
	assert_string_equal(es_report_quality(report), "high");
	test_recording_finish(&made);
}

static void rules_and_idle_power_are_named(void **state)
{
	struct es_report_options options = test_options();
	struct test_recording made;
	struct es_report *report;
	struct es_json json;
	struct es_buf out;

	(void)state;
	make(&made, true);
	report = test_report(&made, &options);
	es_buf_init(&out, 1U << 20);
	assert_int_equal(es_report_table(report, &out), 0);
	assert_non_null(strstr(text_of(&out),
			       "attributed by all of parts that are the job's alone; CPU time\n"));
	assert_non_null(strstr((char *)out.data, "idle       as seen when"));
	assert_non_null(strstr((char *)out.data, "1 of 3 nodes"));
	es_buf_reset(&out);
	es_json_init(&json, es_json_sink_buf, &out, false);
	es_json_object(&json, NULL);
	es_report_members(report, &json);
	es_json_object_end(&json);
	assert_int_equal(es_json_end(&json), 0);
	assert_non_null(strstr(text_of(&out), "\"exclusive\":false"));
	assert_non_null(strstr((char *)out.data, "\"rules\":[\"direct\",\"cpu_time\"]"));
	assert_non_null(strstr((char *)out.data, "\"idle_method\":\"seen\""));
	assert_non_null(strstr((char *)out.data, "\"attribution\":\"share of the node\""));
	assert_non_null(strstr((char *)out.data, "\"nodes_total\":3"));
	es_buf_finish(&out);
	test_recording_finish(&made);
}

/* Where parts stand for the node a calibration of them holds for a share, with its part of what is beside them. */
static void the_offset_of_a_calibration_is_shared_by_what_is_allocated(void **state)
{
	static char parts[2][ES_CALIBRATION_PART_BYTES] = { "package-0", "package-1" };
	static const struct es_calibration calibration = {
		.name = "here",
		.slope = 1.1,
		.offset_w = 40,
		.parts = parts,
		.n_parts = 2,
		.mean_w = 60,
		.lowest_w = 10,
		.highest_w = 100,
	};
	const struct es_report_calibrations all = { .list = &calibration,
						    .n = 1,
						    .is_forced = true };
	struct es_report_options options = test_options();
	struct test_recording made;
	struct es_report *report;

	(void)state;
	make(&made, false);
	options.calibrations = &all;
	report = test_report(&made, &options);
	/* 300 J of the parts, and of 40 W half for 10 s: 2 of 4 CPUs. */
	assert_true(report->node_j > 529.99 && report->node_j < 530.01);
	test_recording_finish(&made);
}

static char *table_and_members(const struct es_report *report, struct es_buf *out)
{
	struct es_json json;

	es_buf_reset(out);
	assert_int_equal(es_report_table(report, out), 0);
	es_json_init(&json, es_json_sink_buf, out, false);
	es_json_object(&json, NULL);
	es_report_members(report, &json);
	es_json_object_end(&json);
	assert_int_equal(es_json_end(&json), 0);
	return text_of(out);
}

/* A job's second recording, whose first was lost: it tells when the job began, and its readings come 90 s later. */
static void what_went_on_before_the_recording_is_said(void **state)
{
	struct es_report_options options = test_options();
	struct test_recording made;
	struct es_buf out;
	char *text;

	(void)state;
	es_buf_init(&out, 1U << 20);
	make(&made, false);
	test_event(&made, ES_EVENT_COMMAND_START, -90 * TEST_S, 1, "");
	text = table_and_members(test_report(&made, &options), &out);
	assert_non_null(strstr(text, "  without    the job's first 1 min 30 s, "));
	assert_non_null(strstr(text, "\"unrecorded_s\":90,"));
	test_recording_finish(&made);

	/* A first reading after a second is as it should be; and who asks for a part is not told so of the rest. */
	make(&made, false);
	test_event(&made, ES_EVENT_COMMAND_START, -1 * TEST_S, 1, "");
	text = table_and_members(test_report(&made, &options), &out);
	assert_null(strstr(text, "  without  "));
	assert_non_null(strstr(text, "\"unrecorded_s\":0,"));
	test_recording_finish(&made);
	make(&made, false);
	test_event(&made, ES_EVENT_COMMAND_START, 0, 1, "");
	options.from_ns = 5 * TEST_S;
	text = table_and_members(test_report(&made, &options), &out);
	assert_non_null(strstr(text, "\"unrecorded_s\":0,"));
	test_recording_finish(&made);
	es_buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_node_is_the_total_and_the_parts_are_its_sum),
		cmocka_unit_test(rules_and_idle_power_are_named),
		cmocka_unit_test(the_offset_of_a_calibration_is_shared_by_what_is_allocated),
		cmocka_unit_test(what_went_on_before_the_recording_is_said),
	};

	return cmocka_run_group_tests_name("format/report_shared", tests, NULL, NULL);
}
