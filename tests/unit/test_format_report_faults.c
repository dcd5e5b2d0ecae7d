/*
 * test_format_report_faults.c - what went wrong with readings, as the report tells it and reckons with it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "format/report_faults.h"
#include "support/recordings.h"

struct fixture {
	struct test_recording made;
	struct es_report_options options;
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

	test_recording_finish(&f->made);
	free(f);
	return 0;
}

/* Two packages at 100 W, read each second from 0 to @n; the second one not where @misses says so. */
static void play(struct fixture *f, unsigned n, bool (*misses)(unsigned i, unsigned n))
{
	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 1, -1);
	for (unsigned i = 0; i <= n; i++) {
		uint64_t shown_uj = (1000 + 100 * (uint64_t)i) * TEST_J;
		const uint64_t values[] = { shown_uj, misses(i, n) ? TEST_NO_READING : shown_uj };

		test_sweep(&f->made, i * TEST_S, values);
	}
}

static void put_fault(struct fixture *f, int64_t domain, int64_t t_ns, const char *text)
{
	test_event(&f->made, ES_EVENT_FAULT, t_ns, domain, text);
}

static bool the_last(unsigned i, unsigned n)
{
	return i == n;
}

static bool the_first(unsigned i, unsigned n)
{
	(void)n;
	return i == 0;
}

static bool none(unsigned i, unsigned n)
{
	(void)i;
	(void)n;
	return false;
}

static bool all(unsigned i, unsigned n)
{
	(void)i;
	(void)n;
	return true;
}

static void the_last_word_on_a_fault_counts(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	play(f, 5, none);
	put_fault(f, 1, 2 * TEST_S, "EIO count=1 first_ns=1002000000000 longest_ns=0 x");
	put_fault(f, 1, 4 * TEST_S, "EIO count=3 first_ns=1002000000000 longest_ns=0 x");
	put_fault(f, 1, 4 * TEST_S, "SLOW count=2 first_ns=1001000000000 longest_ns=300000000 x");
	put_fault(f, 9, 4 * TEST_S,
		  "EIO count=3 first_ns=1002000000000 longest_ns=0 no such domain");
	put_fault(f, 0, 4 * TEST_S, "nonsense");
	report = test_report(&f->made, &f->options);

	assert_int_equal(report->n_faults, 2);
	assert_int_equal(report->n_faults_total, 2);
	assert_int_equal(report->faults[0].domain, 1);
	assert_int_equal(report->faults[0].n, 3);
	assert_string_equal(report->faults[0].name, "read_failed");
	assert_string_equal(report->faults[0].text, "Input/output error");
	assert_string_equal(report->faults[1].name, "slow");
	assert_true(strstr(report->faults[1].text, "300 ms") != NULL);
	assert_int_equal(es_report_slowest_ns(report, 1), 300 * TEST_MS);
	/* 100 W for 0.3 s */
	assert_true(report->by_domain[1].uncertainty_j > report->by_domain[0].uncertainty_j + 29);
}

static void a_failed_last_reading_leaves_a_hole_that_is_filled_in_and_said(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	play(f, 5, the_last);
	put_fault(f, 1, 5 * TEST_S, "EIO count=1 first_ns=1005000000000 longest_ns=0 x");
	report = test_report(&f->made, &f->options);

	assert_int_equal(report->by_domain[0].energy_uj, 500 * TEST_J);
	assert_int_equal(report->by_domain[1].energy_uj, 500 * TEST_J);
	assert_int_equal(report->by_domain[1].filled_uj, 100 * TEST_J);
	assert_true(report->by_domain[1].uncertainty_j >= 100);
	assert_int_equal(report->n_gaps, 1);
	assert_false(report->gaps[0].has_energy);
}

static void so_does_a_failed_first_one(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	play(f, 5, the_first);
	put_fault(f, 1, 0, "EIO count=1 first_ns=1000000000000 longest_ns=0 x");
	report = test_report(&f->made, &f->options);

	assert_int_equal(report->by_domain[1].filled_uj, 100 * TEST_J);
}

/* Imports may have readings of their own times: without a failure the plan decides what a hole is. */
static void a_missing_reading_that_did_not_fail_is_no_hole(void **state)
{
	struct fixture *f = *state;

	play(f, 5, the_last);
	assert_int_equal(test_report(&f->made, &f->options)->by_domain[1].filled_uj, 0);
}

static void a_package_never_read_is_lacking_and_stands_for_nothing(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	play(f, 5, all);
	put_fault(f, 1, 5 * TEST_S, "EINVAL count=6 first_ns=1000000000000 longest_ns=0 x");
	report = test_report(&f->made, &f->options);

	assert_false(report->by_domain[1].is_known);
	assert_false(report->domains[1].is_chosen);
	assert_true(report->by_domain[1].is_lacking);
	assert_false(report->by_domain[0].is_lacking);
	assert_true(report->total_uj == 500 * TEST_J);
}

static void what_a_wider_meter_covers_is_not_lacking(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	(void)test_domain(&f->made, "powercap", ES_DOMAIN_NODE, -1, -1);
	for (unsigned i = 0; i <= 5; i++) {
		const uint64_t values[] = { TEST_NO_READING, (1000 + 200 * (uint64_t)i) * TEST_J };

		test_sweep(&f->made, i * TEST_S, values);
	}
	report = test_report(&f->made, &f->options);

	assert_true(report->domains[1].is_chosen_total);
	assert_false(report->by_domain[0].is_lacking);
}

/* Imports do not say how many there were. */
static void cpus_not_recorded_at_the_start_are_unknown(void **state)
{
	struct fixture *f = *state;
	struct es_buf out;

	f->made.meta.nodes[0].n_cpus = 0;
	play(f, 5, none);
	test_event(&f->made, ES_EVENT_CPUS_ONLINE, 1 * TEST_S, 2, "");
	(void)test_report(&f->made, &f->options);
	es_buf_init(&out, 1U << 20);
	es_report_put_faults(&f->made.report, &out);

	assert_int_equal(es_buf_u8(&out, 0), 0);
	assert_non_null(
		strstr((const char *)out.data, "n/a hardware threads online at the start, 2 at"));
	es_buf_finish(&out);
}

static void cpus_that_come_and_go_are_told(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	play(f, 5, none);
	test_event(&f->made, ES_EVENT_CPUS_ONLINE, 1 * TEST_S, 2, "");
	test_event(&f->made, ES_EVENT_CPUS_ONLINE, 2 * TEST_S, -5, "");
	test_event(&f->made, ES_EVENT_CPUS_ONLINE, 3 * TEST_S, 6, "");
	test_event(&f->made, ES_EVENT_CPUS_ONLINE, 4 * TEST_S, 3, "");
	report = test_report(&f->made, &f->options);

	assert_int_equal(report->cpus.n_changes, 3);
	assert_int_equal(report->cpus.first, 4);
	assert_int_equal(report->cpus.last, 3);
	assert_int_equal(report->cpus.least, 2);
	assert_int_equal(report->cpus.most, 6);
}

static void a_night_asleep_is_no_energy_and_no_wrap(void **state)
{
	static const int64_t night_ns = 10 * 3600 * TEST_S;
	struct fixture *f = *state;
	const struct es_report *report;

	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 5; i++)
		test_sweep(&f->made, i * TEST_S,
			   (uint64_t[]){ (50000 + 100 * (uint64_t)i) * TEST_J });
	test_event(&f->made, ES_EVENT_SUSPEND, 6 * TEST_S + night_ns, night_ns, "");
	/* What had its power cut begins at 0. */
	for (unsigned i = 6; i <= 10; i++)
		test_sweep(&f->made, i * TEST_S + night_ns, (uint64_t[]){ 100 * (i - 5) * TEST_J });
	report = test_report(&f->made, &f->options);

	assert_true(report->suspended_ns == night_ns);
	assert_int_equal(report->n_resets, 1);
	/* 9 of 10 s are known; the second in which it woke up is filled in, the night is not. */
	assert_in_range(report->total_uj, 999 * TEST_J, 1001 * TEST_J);
	assert_int_equal(report->by_domain[0].filled_uj, 100 * TEST_J);
	assert_true(report->uncertainty_j < 300);
}

/* 100 J a second, and once 5 kJ too much: nothing tells that the last reading is not such a one. */
static void the_ends_of_a_meter_that_showed_wrong_values_are_in_doubt(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 8; i++)
		test_sweep(
			&f->made, i * TEST_S,
			(uint64_t[]){ (1000 + 100 * (uint64_t)i + (i == 4 ? 5000 : 0)) * TEST_J });
	report = test_report(&f->made, &f->options);

	assert_int_equal(report->total_uj, 800 * TEST_J);
	assert_int_equal(report->n_rejected, 1);
	assert_in_range((uint64_t)report->by_domain[0].uncertainty_j, 200, 202);
}

/* A rise of 1000 J that was none, then 100 J a second: the last reading has only just come as far. */
static void what_a_wrong_value_left_in_the_sum_is_in_doubt_too(void **state)
{
	static const uint64_t shown_j[] = { 1000, 1100, 2200, 1300, 1400, 2250 };
	struct fixture *f = *state;
	const struct es_report *report;

	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i < 6; i++)
		test_sweep(&f->made, i * TEST_S, (uint64_t[]){ shown_j[i] * TEST_J });
	report = test_report(&f->made, &f->options);

	assert_int_equal(report->total_uj, 1250 * TEST_J);
	assert_true(report->by_domain[0].uncertainty_j > 1250 - 500);
}

/*
 * A package at 100 W, read each 10 ms for 3 s; its counter stands from 1.0 s to 1.5 s, and then shows what it missed or
 * never does. Regions before, within and around that time, and from within it to the end.
 */
static const struct es_report *play_standing(struct fixture *f, bool makes_up)
{
	static const struct {
		const char *name;
		int64_t start_ms, stop_ms;
	} regions[] = { { "before", 100, 900 },
			{ "within", 1100, 1300 },
			{ "around", 800, 2000 },
			{ "behind", 1400, 2500 } };

	(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 300; i++) {
		unsigned shown = i <= 100 ? i : i < 150 ? 100 : makes_up ? i : i - 50;
		const uint64_t value = 1000 * TEST_J + shown * TEST_J;

		for (size_t r = 0; r < ES_ARRAY_SIZE(regions); r++) {
			if (regions[r].start_ms == i * 10)
				test_event(&f->made, ES_EVENT_TAG_START, i * 10 * TEST_MS, 0,
					   regions[r].name);
			if (regions[r].stop_ms == i * 10)
				test_event(&f->made, ES_EVENT_TAG_STOP, i * 10 * TEST_MS, 0,
					   regions[r].name);
		}
		test_sweep(&f->made, i * 10 * TEST_MS, &value);
	}
	return test_report(&f->made, &f->options);
}

static void a_standing_counter_leaves_open_what_ran_in_that_time_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report = play_standing(f, false);

	assert_true(test_region(report, "before")->uncertainty_j < 5);
	assert_int_equal(test_region(report, "within")->energy_uj, 0);
	assert_true(test_region(report, "within")->uncertainty_j >= 20);
	assert_true(test_region(report, "around")->uncertainty_j >= 49);
	assert_true(test_region(report, "behind")->uncertainty_j >= 9);
	assert_true(test_region(report, "es_total")->uncertainty_j >= 49);
}

static void what_it_makes_up_for_is_open_only_to_regions_that_have_a_part(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report = play_standing(f, true);

	assert_true(test_region(report, "before")->uncertainty_j < 5);
	assert_true(test_region(report, "within")->uncertainty_j >= 20);
	assert_true(test_region(report, "around")->uncertainty_j < 5);
	/* It got the 50 J at once, and 40 of them are not its own. */
	assert_true(test_region(report, "behind")->energy_uj >= 149 * TEST_J);
	assert_true(test_region(report, "behind")->uncertainty_j >= 40);
	assert_true(test_region(report, "es_total")->uncertainty_j < 5);
}

static void no_more_faults_than_can_be_shown_are_kept_and_all_are_counted(void **state)
{
	struct fixture *f = *state;
	const struct es_report *report;

	play(f, 5, none);
	for (unsigned i = 0; i < 2 * ES_REPORT_FAULTS_MAX; i++) {
		char text[96];

		(void)snprintf(text, sizeof(text),
			       "E%u count=1 first_ns=1002000000000 longest_ns=0 x", 1000 + i);
		put_fault(f, 0, 2 * TEST_S, text);
	}
	report = test_report(&f->made, &f->options);
	assert_int_equal(report->n_faults, ES_REPORT_FAULTS_MAX);
	assert_int_equal(report->n_faults_total, 2 * ES_REPORT_FAULTS_MAX);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(the_last_word_on_a_fault_counts),
		T(a_failed_last_reading_leaves_a_hole_that_is_filled_in_and_said),
		T(so_does_a_failed_first_one),
		T(a_missing_reading_that_did_not_fail_is_no_hole),
		T(a_package_never_read_is_lacking_and_stands_for_nothing),
		T(what_a_wider_meter_covers_is_not_lacking),
		T(cpus_not_recorded_at_the_start_are_unknown),
		T(cpus_that_come_and_go_are_told),
		T(a_night_asleep_is_no_energy_and_no_wrap),
		T(the_ends_of_a_meter_that_showed_wrong_values_are_in_doubt),
		T(what_a_wrong_value_left_in_the_sum_is_in_doubt_too),
		T(a_standing_counter_leaves_open_what_ran_in_that_time_and_nothing_else),
		T(what_it_makes_up_for_is_open_only_to_regions_that_have_a_part),
		T(no_more_faults_than_can_be_shown_are_kept_and_all_are_counted),
	};

	return cmocka_run_group_tests_name("format/report_faults", tests, NULL, NULL);
}
