/*
 * test_format_regions.c - tags and their energy, to the microjoule where it can be
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "format/regions.h"
#include "support/random.h"
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

static void tag(struct fixture *f, bool is_start, int64_t t_ns, const char *name)
{
	test_event(&f->made, is_start ? ES_EVENT_TAG_START : ES_EVENT_TAG_STOP, t_ns, 0, name);
}

/* Package 0: 100 W up to second 5, then 300 W up to second 10. */
static void make_two_phases(struct fixture *f)
{
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1)->update_period_ns = 0;
	for (unsigned i = 0; i <= 10; i++)
		test_reading(&f->made, i * TEST_S, 0,
			     (i <= 5 ? 100 * i : 500 + 300 * (i - 5)) * TEST_J);
}

static const struct es_report *report(struct fixture *f)
{
	test_end(&f->made, 1000 * TEST_S, 0);
	return test_report(&f->made, &f->options);
}

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.12g is not %.12g", value, expected);
}

static void es_total_is_the_whole_fine_cover(void **state)
{
	struct fixture *f = *state;
	const struct es_report_region *total;

	make_two_phases(f);
	total = test_region(report(f), "es_total");

	assert_true(total->is_known);
	assert_int_equal(total->energy_uj, 2000 * TEST_J);
	assert_int_equal(total->energy_uj, f->made.report.fine_uj);
	assert_int_equal(total->start_ns, TEST_START_NS);
	assert_int_equal(total->stop_ns, TEST_START_NS + 10 * TEST_S);
	assert_int_equal(total->dur_ns, 10 * TEST_S);
	assert_int_equal(total->n_calls, 1);
	assert_int_equal(f->made.report.n_regions, 1);
}

/* From 2.5 s to 5.5 s: 250 J at 100 W, then half a second of 300 W: 150 J. */
static void es_appli_total_is_interpolated_at_the_commands_edges(void **state)
{
	struct fixture *f = *state;
	const struct es_report_region *command;

	make_two_phases(f);
	test_event(&f->made, ES_EVENT_COMMAND_START, 2500 * TEST_MS, 1, "");
	test_event(&f->made, ES_EVENT_COMMAND_STOP, 5500 * TEST_MS, 0, "");
	command = test_region(report(f), "es_appli_total");

	assert_int_equal(command->energy_uj, 400 * TEST_J);
	assert_int_equal(command->dur_ns, 3 * TEST_S);
}

/* Edges inside samples of 100 J (half: 50 J either way) and 300 J (150 J); and one step at the meter's ends. */
static void what_the_edges_leave_open_is_the_uncertainty(void **state)
{
	struct fixture *f = *state;

	make_two_phases(f);
	tag(f, true, 2500 * TEST_MS, "a");
	tag(f, false, 5500 * TEST_MS, "a");
	tag(f, true, 2000 * TEST_MS, "b");
	tag(f, false, 6000 * TEST_MS, "b");
	(void)report(f);

	/* The meter: 0.000061 J of 2000 J, in proportion. */
	assert_near(test_region(&f->made.report, "a")->uncertainty_j, 200.0 + 0.000061035 * 0.2,
		    1e-9);
	assert_near(test_region(&f->made.report, "b")->uncertainty_j, 0.000061035 * 0.3, 1e-9);
	assert_int_equal(test_region(&f->made.report, "b")->energy_uj, 600 * TEST_J);
}

static void adjacent_regions_add_up_to_the_whole(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = 1, sum_uj = 0, value[2] = { 0, 0 };
	int64_t t_ns = 0;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_DRAM, 0, -1);
	for (unsigned i = 0; i <= 40; i++) {
		test_sweep(&f->made, i * TEST_S, value);
		value[0] += test_random_below(&seed, 400 * TEST_J);
		value[1] += test_random_below(&seed, 40 * TEST_J);
	}
	for (unsigned i = 0; t_ns < 40 * TEST_S; i++) {
		int64_t stop_ns = t_ns + (int64_t)test_random_below(&seed, 5 * TEST_S) + 1;
		char name[16];

		stop_ns = stop_ns < 40 * TEST_S ? stop_ns : 40 * TEST_S;
		(void)snprintf(name, sizeof(name), "r%u", i % 5);
		tag(f, true, t_ns, name);
		tag(f, false, stop_ns, name);
		t_ns = stop_ns;
	}
	(void)report(f);

	for (size_t i = 0; i < f->made.report.n_regions; i++)
		if (f->made.report.regions[i].name[0] == 'r')
			sum_uj += f->made.report.regions[i].energy_uj;
	assert_in_range(sum_uj, f->made.report.fine_uj - 1, f->made.report.fine_uj + 1);
	assert_int_equal(test_region(&f->made.report, "es_total")->energy_uj,
			 f->made.report.fine_uj);
}

/* Five resets: five gaps, each filled with the mean power, which is no whole number of µJ a gap. */
static void es_total_is_the_fine_cover_also_with_gaps(void **state)
{
	struct fixture *f = *state;
	const struct es_report_region *total;
	uint64_t value = 200000 * TEST_J;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 40; i++) {
		if (i % 7 == 6)
			value = (100000 - 10000 * (uint64_t)i / 7) * TEST_J;
		test_reading(&f->made, i * TEST_S + (i % 3) * 333333333LL, 0, value);
		value += 33333333 + i * 1234567;
	}
	total = test_region(report(f), "es_total");

	assert_int_equal(f->made.report.n_resets, 5);
	assert_int_equal(f->made.report.n_gaps, 5);
	assert_true(f->made.report.by_domain[0].filled_uj > 0);
	assert_in_range(total->energy_uj, f->made.report.fine_uj - 1, f->made.report.fine_uj + 1);
}

/* Within a gap of a meter of powers the mean is assumed: 1 s of 200 W. */
static void a_region_in_a_gap_has_the_mean_power(void **state)
{
	struct fixture *f = *state;
	struct es_domain *domain = test_domain(&f->made, "ipmi", ES_DOMAIN_NODE, -1, -1);

	domain->is_power = true;
	domain->kind = ES_KIND_INTEGRATED;
	for (unsigned i = 0; i <= 10; i++)
		if (i <= 3 || i >= 7)
			test_reading(&f->made, i * TEST_S, 0, 200000);
	tag(f, true, 4500 * TEST_MS, "in");
	tag(f, false, 5500 * TEST_MS, "in");
	(void)report(f);

	assert_int_equal(test_region(&f->made.report, "in")->energy_uj, 200 * TEST_J);
	assert_int_equal(test_region(&f->made.report, "es_total")->energy_uj, 2000 * TEST_J);
	/* Each edge: what lies on its longer side, 2.5 s of the 4 s; and the meter's own. */
	assert_true(test_region(&f->made.report, "in")->uncertainty_j > 1000.0);
}

/* Seconds 1 to 2 and 6 to 8: 100 J and 600 J. */
static void calls_of_one_name_are_summed(void **state)
{
	struct fixture *f = *state;
	const struct es_report_region *region;

	make_two_phases(f);
	tag(f, true, TEST_S, "loop");
	tag(f, false, 2 * TEST_S, "loop");
	tag(f, true, 6 * TEST_S, "loop");
	tag(f, false, 8 * TEST_S, "loop");
	region = test_region(report(f), "loop");

	assert_int_equal(region->n_calls, 2);
	assert_int_equal(region->energy_uj, 700 * TEST_J);
	assert_int_equal(region->dur_ns, 3 * TEST_S);
	assert_int_equal(region->start_ns, TEST_START_NS + TEST_S);
	assert_int_equal(region->stop_ns, TEST_START_NS + 8 * TEST_S);
}

static void nested_calls_of_one_name_count_once(void **state)
{
	struct fixture *f = *state;
	const struct es_report_region *region;

	make_two_phases(f);
	tag(f, true, TEST_S, "rec");
	tag(f, true, 2 * TEST_S, "rec");
	tag(f, false, 3 * TEST_S, "rec");
	tag(f, false, 4 * TEST_S, "rec");
	region = test_region(report(f), "rec");

	assert_int_equal(region->n_calls, 1);
	assert_int_equal(region->energy_uj, 300 * TEST_J);
}

static void regions_inside_of_others_have_their_own_energy(void **state)
{
	struct fixture *f = *state;

	make_two_phases(f);
	tag(f, true, TEST_S, "outer");
	tag(f, true, 6 * TEST_S, "inner");
	tag(f, false, 7 * TEST_S, "inner");
	tag(f, true, 7 * TEST_S, "across");
	tag(f, false, 9 * TEST_S, "outer");
	tag(f, false, 10 * TEST_S, "across");
	(void)report(f);

	assert_int_equal(test_region(&f->made.report, "outer")->energy_uj, 1600 * TEST_J);
	assert_int_equal(test_region(&f->made.report, "inner")->energy_uj, 300 * TEST_J);
	assert_int_equal(test_region(&f->made.report, "across")->energy_uj, 900 * TEST_J);
}

/* outer 1-9, inner 6-7, across 7-10: what overlaps without nesting (7-9) is shared, what nothing took is untagged. */
static void the_innermost_region_takes_the_time(void **state)
{
	struct fixture *f = *state;

	make_two_phases(f);
	tag(f, true, TEST_S, "outer");
	tag(f, true, 6 * TEST_S, "inner");
	tag(f, false, 7 * TEST_S, "inner");
	tag(f, true, 7 * TEST_S, "across");
	tag(f, false, 9 * TEST_S, "outer");
	tag(f, false, 10 * TEST_S, "across");
	(void)report(f);

	assert_int_equal(test_region(&f->made.report, "inner")->exclusive_uj, 300 * TEST_J);
	assert_int_equal(test_region(&f->made.report, "outer")->exclusive_uj, 1000 * TEST_J);
	assert_int_equal(test_region(&f->made.report, "across")->exclusive_uj, 600 * TEST_J);
	assert_int_equal(test_region(&f->made.report, "across")->exclusive_ns, 2 * TEST_S);
	assert_int_equal(f->made.report.untagged.energy_uj, 100 * TEST_J);
	assert_int_equal(f->made.report.untagged.dur_ns, TEST_S);
	assert_false(test_region(&f->made.report, "es_total")->has_exclusive);
}

/* Only the two names that every recording has are kept apart. */
static void names_like_ours_are_names_like_others(void **state)
{
	struct fixture *f = *state;

	make_two_phases(f);
	tag(f, true, TEST_S, "es_mine");
	tag(f, false, 3 * TEST_S, "es_mine");
	tag(f, true, 4 * TEST_S, "es_total");
	(void)report(f);

	assert_int_equal(test_region(&f->made.report, "es_mine")->exclusive_uj, 200 * TEST_J);
	assert_int_equal(f->made.report.n_calls, 1);
	assert_int_equal(test_region(&f->made.report, "es_total")->energy_uj, 2000 * TEST_J);
}

static void each_domain_has_its_part_of_a_region(void **state)
{
	struct fixture *f = *state;
	const struct es_report_region *region;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_DRAM, 0, -1);
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&f->made, i * TEST_S, (uint64_t[]){ 100 * TEST_J * i, 10 * TEST_J * i });
	tag(f, true, 2 * TEST_S, "a");
	tag(f, false, 5 * TEST_S, "a");
	region = test_region(report(f), "a");

	assert_int_equal(region->by_domain_uj[0], 300 * TEST_J);
	assert_int_equal(region->by_domain_uj[1], 30 * TEST_J);
	assert_int_equal(region->energy_uj, 330 * TEST_J);
	assert_int_equal(test_region(&f->made.report, "es_total")->by_domain_uj[1], 100 * TEST_J);
}

/* Recorded late, as by a listener that was asked later: the time counts, not the place in the file. */
static void tags_may_come_in_any_order(void **state)
{
	struct fixture *f = *state;

	make_two_phases(f);
	tag(f, false, 4 * TEST_S, "late");
	tag(f, true, 6 * TEST_S, "late");
	tag(f, false, 8 * TEST_S, "late");
	tag(f, true, 3 * TEST_S, "late");
	(void)report(f);

	assert_int_equal(test_region(&f->made.report, "late")->n_calls, 2);
	assert_int_equal(test_region(&f->made.report, "late")->energy_uj, 700 * TEST_J);
	assert_int_equal(f->made.report.n_calls, 2);
	assert_int_equal(f->made.report.calls[0].start_ns, TEST_START_NS + 3 * TEST_S);
	assert_int_equal(f->made.report.calls[1].stop_ns, TEST_START_NS + 8 * TEST_S);
}

/* A meter read from second 4 on only: before, its mean power is assumed, and the book still closes. */
static void a_meter_that_began_late_is_filled_in_where_it_was_silent(void **state)
{
	struct fixture *f = *state;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_DRAM, 0, -1);
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&f->made, i * TEST_S,
			   (uint64_t[]){ 100 * TEST_J * i,
					 i < 4 ? TEST_NO_READING : 10 * TEST_J * i });
	tag(f, true, TEST_S, "early");
	tag(f, false, 3 * TEST_S, "early");
	(void)report(f);

	assert_int_equal(test_region(&f->made.report, "early")->energy_uj, 220 * TEST_J);
	assert_int_equal(f->made.report.fine_uj, 1100 * TEST_J);
	assert_int_equal(f->made.report.untagged.energy_uj, 880 * TEST_J);
}

static void a_stop_without_a_start_is_passed_over(void **state)
{
	struct fixture *f = *state;

	make_two_phases(f);
	tag(f, false, TEST_S, "never");
	tag(f, false, 2 * TEST_S, "once");
	tag(f, true, 3 * TEST_S, "once");
	tag(f, false, 4 * TEST_S, "once");
	tag(f, false, 5 * TEST_S, "once");
	(void)report(f);

	assert_int_equal(test_region(&f->made.report, "once")->energy_uj, 100 * TEST_J);
	assert_int_equal(test_region(&f->made.report, "once")->n_calls, 1);
	for (size_t i = 0; i < f->made.report.n_regions; i++)
		assert_string_not_equal(f->made.report.regions[i].name, "never");
}

static void a_start_without_a_stop_lasts_to_the_end(void **state)
{
	struct fixture *f = *state;
	const struct es_report_region *region;

	make_two_phases(f);
	tag(f, true, 8 * TEST_S, "open");
	region = test_region(report(f), "open");

	assert_int_equal(region->energy_uj, 600 * TEST_J);
	assert_int_equal(region->stop_ns, TEST_START_NS + 10 * TEST_S);
	assert_int_equal(region->n_calls, 1);
}

/* As after kill -9: the command's end is not there. */
static void a_command_without_an_end_lasts_to_the_last_reading(void **state)
{
	struct fixture *f = *state;

	make_two_phases(f);
	test_event(&f->made, ES_EVENT_COMMAND_START, 5 * TEST_S, 1, "");
	assert_int_equal(
		test_region(test_report(&f->made, &f->options), "es_appli_total")->energy_uj,
		1500 * TEST_J);
}

static void what_lies_outside_of_the_readings_has_no_energy(void **state)
{
	struct fixture *f = *state;

	make_two_phases(f);
	tag(f, true, -5 * TEST_S, "before");
	tag(f, false, -1 * TEST_S, "before");
	tag(f, true, 9 * TEST_S, "beyond");
	tag(f, false, 20 * TEST_S, "beyond");
	tag(f, true, 30 * TEST_S, "behind");
	(void)report(f);

	assert_int_equal(test_region(&f->made.report, "before")->energy_uj, 0);
	assert_int_equal(test_region(&f->made.report, "beyond")->energy_uj, 300 * TEST_J);
	assert_int_equal(test_region(&f->made.report, "behind")->energy_uj, 0);
	assert_int_equal(test_region(&f->made.report, "behind")->dur_ns, 0);
}

static void a_region_of_no_length_has_no_energy(void **state)
{
	struct fixture *f = *state;

	make_two_phases(f);
	tag(f, true, 2500 * TEST_MS, "point");
	tag(f, false, 2500 * TEST_MS, "point");

	assert_int_equal(test_region(report(f), "point")->energy_uj, 0);
	assert_int_equal(test_region(&f->made.report, "point")->n_calls, 1);
}

/* psys is the total; regions are of the parts that do not overlap. */
static void regions_are_of_the_fine_cover(void **state)
{
	struct fixture *f = *state;

	test_domain(&f->made, "powercap", ES_DOMAIN_PSYS, -1, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&f->made, i * TEST_S,
			   (uint64_t[]){ 150 * TEST_J * i, 100 * TEST_J * i });

	assert_int_equal(test_region(report(f), "es_total")->energy_uj, 1000 * TEST_J);
	assert_int_equal(f->made.report.total_uj, 1500 * TEST_J);
}

static void without_any_energy_a_region_has_times_only(void **state)
{
	struct fixture *f = *state;
	const struct es_report_region *region;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 10; i++)
		test_reading(&f->made, i * TEST_S, 0, 777);
	tag(f, true, TEST_S, "a");
	tag(f, false, 2 * TEST_S, "a");
	region = test_region(report(f), "a");

	assert_false(region->is_known);
	assert_int_equal(region->dur_ns, TEST_S);
}

static void there_is_a_limit_to_calls(void **state)
{
	struct es_regions *regions = es_regions_create();
	int r = 0;

	(void)state;
	assert_non_null(regions);
	for (unsigned i = 0; r == 0 && i <= ES_REGION_CALLS_MAX; i++) {
		r = es_regions_start(regions, "x", i);
		if (r == 0)
			r = es_regions_stop(regions, "x", i);
	}
	assert_int_equal(r, -E2BIG);
	es_regions_destroy(regions);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(es_total_is_the_whole_fine_cover),
		TEST(es_appli_total_is_interpolated_at_the_commands_edges),
		TEST(what_the_edges_leave_open_is_the_uncertainty),
		TEST(adjacent_regions_add_up_to_the_whole),
		TEST(es_total_is_the_fine_cover_also_with_gaps),
		TEST(a_region_in_a_gap_has_the_mean_power),
		TEST(calls_of_one_name_are_summed),
		TEST(nested_calls_of_one_name_count_once),
		TEST(regions_inside_of_others_have_their_own_energy),
		TEST(the_innermost_region_takes_the_time),
		TEST(names_like_ours_are_names_like_others),
		TEST(each_domain_has_its_part_of_a_region),
		TEST(tags_may_come_in_any_order),
		TEST(a_meter_that_began_late_is_filled_in_where_it_was_silent),
		TEST(a_stop_without_a_start_is_passed_over),
		TEST(a_start_without_a_stop_lasts_to_the_end),
		TEST(a_command_without_an_end_lasts_to_the_last_reading),
		TEST(what_lies_outside_of_the_readings_has_no_energy),
		TEST(a_region_of_no_length_has_no_energy),
		TEST(regions_are_of_the_fine_cover),
		TEST(without_any_energy_a_region_has_times_only),
		cmocka_unit_test(there_is_a_limit_to_calls),
	};

	return cmocka_run_group_tests_name("format/regions", tests, NULL, NULL);
}
