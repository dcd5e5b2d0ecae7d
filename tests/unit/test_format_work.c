/*
 * test_format_work.c - work by the whole and by region, between its events
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
#include "format/work.h"
#include "support/recordings.h"

#define UNIT_MICRO 1000000

struct fixture {
	struct test_recording made;
	struct es_report_options options;
};

/* 100 W in one package for 10 s; the command from second 1 to 9. */
static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	test_recording_init(&f->made, TEST_S);
	f->options = test_options();
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1)->update_period_ns = 0;
	for (unsigned i = 0; i <= 10; i++)
		test_reading(&f->made, i * TEST_S, 0, 100 * i * TEST_J);
	test_event(&f->made, ES_EVENT_COMMAND_START, TEST_S, 1, "");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	test_recording_finish(&f->made);
	free(f);
	return 0;
}

static void count(struct fixture *f, int64_t t_ns, double amount, const char *text)
{
	test_event(&f->made, ES_EVENT_WORK, t_ns, (int64_t)(amount * UNIT_MICRO), text);
}

static void tag(struct fixture *f, int64_t start_ns, int64_t stop_ns, const char *name)
{
	test_event(&f->made, ES_EVENT_TAG_START, start_ns, 0, name);
	test_event(&f->made, ES_EVENT_TAG_STOP, stop_ns, 0, name);
}

static const struct es_report *report(struct fixture *f)
{
	test_event(&f->made, ES_EVENT_COMMAND_STOP, 9 * TEST_S, 0, "");
	test_end(&f->made, 10 * TEST_S, 0);
	return test_report(&f->made, &f->options);
}

static void assert_near(double value, double expected)
{
	if (!(fabs(value - expected) <= 1e-9 * (1 + fabs(expected))))
		fail_msg("%.12g is not %.12g", value, expected);
}

static void the_whole_has_all_of_it_and_the_nodes_energy(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	test_event(&f->made, ES_EVENT_WORK, TEST_S, ES_EVENT_WORK_NONE, "steps");
	count(f, 0, 0, "steps");
	count(f, 2 * TEST_S, 100, "steps");
	count(f, 9 * TEST_S, 500, "steps\tbegun anew 1 time");
	r = report(f);

	assert_int_equal(r->n_works, 1);
	assert_string_equal(r->work.unit, "steps");
	assert_string_equal(r->works[0].remark, "begun anew 1 time");
	assert_true(r->work.is_known && r->work.has_j_per_unit);
	assert_near(r->work.amount, 500);
	assert_near(r->work.amount_bound, 0);
	assert_near(r->work.j_per_unit, r->node_j / 500);
	assert_near(r->work.uncertainty_j_per_unit, r->uncertainty_j / 500);
	assert_near(test_region(r, "es_appli_total")->work.amount, 500);
	assert_near(test_region(r, "es_appli_total")->work.j_per_unit, 800.0 / 500);
}

/* Between two events it grows evenly, and may as well have jumped. */
static void regions_have_their_part_with_a_bound(void **state)
{
	struct fixture *f = *state;
	const struct es_work *work;

	count(f, TEST_S, 0, "steps");
	count(f, 3 * TEST_S, 100, "steps");
	tag(f, 2 * TEST_S, 4 * TEST_S, "a");
	count(f, 5 * TEST_S, 500, "steps");
	tag(f, 5 * TEST_S, 6 * TEST_S, "b");
	count(f, 9 * TEST_S, 500, "steps");
	work = &test_region(report(f), "a")->work;

	/* 50 at second 2 (0 to 100), 300 at second 4 (100 to 500) */
	assert_near(work->amount, 250);
	assert_near(work->amount_bound, 50 + 200);
	assert_near(work->j_per_unit, 200.0 / 250);
	assert_true(work->uncertainty_j_per_unit >= work->j_per_unit);
	work = &test_region(&f->made.report, "b")->work;
	assert_true(work->is_known);
	assert_near(work->amount, 0);
	assert_near(work->amount_bound, 0);
	assert_false(work->has_j_per_unit);
}

static void calls_of_a_region_are_summed(void **state)
{
	struct fixture *f = *state;

	count(f, TEST_S, 0, "steps");
	tag(f, 2 * TEST_S, 3 * TEST_S, "a");
	tag(f, 4 * TEST_S, 6 * TEST_S, "a");
	count(f, 9 * TEST_S, 800, "steps");
	assert_near(test_region(report(f), "a")->work.amount, 300);
	assert_int_equal(test_region(&f->made.report, "a")->n_calls, 2);
}

static void nothing_counted_is_no_number(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;
	struct es_buf out;

	test_event(&f->made, ES_EVENT_WORK, TEST_S, ES_EVENT_WORK_NONE, "steps");
	test_event(&f->made, ES_EVENT_WORK, 9 * TEST_S, ES_EVENT_WORK_NONE,
		   "steps\tthe pattern matched no line");
	r = report(f);

	assert_int_equal(r->n_works, 1);
	assert_false(r->work.is_known);
	assert_false(test_region(r, "es_total")->work.is_known);
	es_buf_init(&out, 1U << 16);
	es_work_table(r, &out);
	assert_int_equal(es_buf_u8(&out, 0), 0);
	assert_string_equal((const char *)out.data,
			    "  work       steps: the pattern matched no line\n");
	es_buf_finish(&out);
}

static void without_work_there_is_none(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r = report(f);

	assert_int_equal(r->n_works, 0);
	assert_false(r->work.is_known);
	assert_string_equal(r->work.unit, "");
}

/* A server was asked last a second before the end, and first a second behind the start. */
static void what_nobody_saw_is_in_the_bound(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	count(f, 2 * TEST_S, 0, "tokens");
	count(f, 8 * TEST_S, 600, "tokens");
	r = report(f);

	assert_near(r->work.amount, 600);
	assert_near(r->work.amount_bound, 100 + 100);
}

static void units_are_kept_apart(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	count(f, TEST_S, 0, "a");
	count(f, TEST_S, 0, "b");
	count(f, 5 * TEST_S, 7, "b");
	count(f, 9 * TEST_S, 10, "a");
	r = report(f);

	assert_int_equal(r->n_works, 2);
	assert_near(r->works[0].total.amount, 10);
	assert_near(r->works[1].total.amount, 7);
	assert_string_equal(r->works[1].by_region[0].unit, "b");
}

/* Recordings come from anywhere. */
static void wrong_events_do_no_harm(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;
	char text[ES_NAME_MAX_BYTES];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	count(f, TEST_S, 5, text); /* too long a unit */
	count(f, TEST_S, 5, "");
	count(f, TEST_S, 5, "\t");
	count(f, 5 * TEST_S, 10, "a");
	count(f, 4 * TEST_S, 3, "a"); /* back in time, and down */
	test_event(&f->made, ES_EVENT_WORK, 5 * TEST_S, -7, "a");
	test_event(&f->made, ES_EVENT_WORK, 9 * TEST_S, INT64_MAX, "a");
	for (unsigned i = 0; i < 2 * ES_WORK_LOGS_MAX; i++) {
		(void)snprintf(text, sizeof(text), "unit %u", i);
		count(f, 5 * TEST_S, 1, text);
	}
	r = report(f);

	assert_int_equal(r->n_works, ES_WORK_LOGS_MAX);
	assert_string_equal(r->works[0].total.unit, "a");
	assert_true(r->works[0].total.amount <= (double)INT64_MAX / 1e6);
	assert_true(r->works[0].total.amount >= 0);
}

static void points_beyond_the_limit_are_thinned_out(void **state)
{
	struct es_work_logs *logs = es_work_logs_create();
	struct es_event event = { .type = ES_EVENT_WORK, .text = "steps" };

	(void)state;
	assert_non_null(logs);
	for (unsigned i = 0; i <= 2 * ES_WORK_POINTS_MAX; i++) {
		event.t_ns = event.value = i;
		assert_int_equal(es_work_logs_note(logs, &event, INT64_MIN), 0);
	}
	es_work_logs_destroy(logs);
}

static void amounts_and_energies_are_shown_for_people(void **state)
{
	static const struct {
		double amount;
		const char *text;
	} amounts[] = { { 0, "0" },
			{ 1200, "1,200" },
			{ 999, "999" },
			{ 1234567.8, "1,234,568" },
			{ 12.5, "12.5" },
			{ 0.025, "0.025" },
			{ 100000, "100,000" },
			{ -1, "n/a" },
			{ (double)NAN, "n/a" } };
	static const struct {
		double energy_j;
		const char *text;
	} energies[] = { { 0.52, "0.520 J" },	{ 1.234, "1.23 J" },   { 12.34, "12.3 J" },
			 { 623.9, "624 J" },	{ 9994, "9994 J" },    { 12345, "12.3 kJ" },
			 { 2.5e8, "250 MJ" },	{ 0.0523, "52.3 mJ" }, { 1.2e-6, "1.20 µJ" },
			 { 3e-11, "0.030 nJ" }, { 0, "0.000 nJ" } };
	char text[ES_WORK_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(amounts); i++)
		assert_string_equal(es_work_amount_text(amounts[i].amount, text), amounts[i].text);
	for (size_t i = 0; i < ES_ARRAY_SIZE(energies); i++)
		assert_string_equal(es_work_energy_text(energies[i].energy_j, text),
				    energies[i].text);
}

static void one_of_a_unit_is_a_singular(void **state)
{
	static const char *const words[][2] = {
		{ "steps", "step" },	{ "tokens", "token" }, { "ns", "ns" },
		{ "gas", "gas" },	{ "images", "image" }, { "batches", "batch" },
		{ "queries", "query" }, { "passes", "pass" },  { "epoch", "epoch" },
		{ "radius", "radius" }, { "mass", "mass" },    { "s", "s" },
		{ "boxes", "box" },	{ "cycles", "cycle" },
	};
	char text[ES_WORK_WORD_BYTES];

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(words); i++)
		assert_string_equal(es_work_singular(words[i][0], text), words[i][1]);
}

static void json_has_what_the_table_has(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;
	struct es_buf out;
	struct es_json json;
	json_t *root, *work, *region;

	count(f, TEST_S, 0, "steps");
	count(f, 9 * TEST_S, 400, "steps");
	r = report(f);
	es_buf_init(&out, 1U << 20);
	es_json_init(&json, es_json_sink_buf, &out, false);
	es_json_object(&json, NULL);
	es_report_members(r, &json);
	es_json_object_end(&json);
	assert_int_equal(es_json_end(&json), 0);
	root = json_loadb((const char *)out.data, out.len, 0, NULL);
	assert_non_null(root);

	work = json_array_get(json_object_get(root, "work"), 0);
	assert_near(json_number_value(json_object_get(work, "amount")), 400);
	assert_near(json_number_value(json_object_get(work, "j_per_unit")), r->node_j / 400);
	assert_true(json_is_null(json_object_get(work, "remark")));
	region = json_array_get(json_object_get(root, "regions"), 0);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(region, "work"), "unit")),
		"steps");
	assert_null(json_object_get(region, "works"));
	json_decref(root);
	es_buf_finish(&out);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_whole_has_all_of_it_and_the_nodes_energy),
		TEST(regions_have_their_part_with_a_bound),
		TEST(calls_of_a_region_are_summed),
		TEST(nothing_counted_is_no_number),
		TEST(without_work_there_is_none),
		TEST(what_nobody_saw_is_in_the_bound),
		TEST(units_are_kept_apart),
		TEST(wrong_events_do_no_harm),
		cmocka_unit_test(points_beyond_the_limit_are_thinned_out),
		cmocka_unit_test(amounts_and_energies_are_shown_for_people),
		cmocka_unit_test(one_of_a_unit_is_a_singular),
		TEST(json_has_what_the_table_has),
	};

	return cmocka_run_group_tests_name("format/work", tests, NULL, NULL);
}
