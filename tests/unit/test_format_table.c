/*
 * test_format_table.c - the table below the job line: what it must not keep silent about
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "support/recordings.h"

struct fixture {
	struct test_recording made;
	struct es_report_options options;
	struct es_buf out;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	test_recording_init(&f->made, TEST_S);
	f->options = test_options();
	es_buf_init(&f->out, 1U << 20);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_buf_finish(&f->out);
	test_recording_finish(&f->made);
	free(f);
	return 0;
}

static const char *table(struct fixture *f)
{
	test_report(&f->made, &f->options);
	es_buf_reset(&f->out);
	assert_int_equal(es_report_table(&f->made.report, &f->out), 0);
	assert_int_equal(es_buf_u8(&f->out, '\0'), 0);
	return (const char *)f->out.data;
}

/* The last line that begins with this label, on its own: the header has the word "node" too. */
static const char *row(struct fixture *f, const char *label)
{
	const char *found = "";
	char begin[64], *rest = NULL;

	(void)snprintf(begin, sizeof(begin), "  %-10s ", label);
	(void)table(f);
	for (char *line = strtok_r((char *)f->out.data, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		if (strncmp(line, begin, strlen(begin)) == 0)
			found = line;
	return found;
}

static void assert_says(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("no '%s' in '%s'", what, text);
}

/* 100 W for 10 s, limit 125 W. */
static void make_plain(struct fixture *f)
{
	struct es_domain *domain = test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);

	domain->limit_mw = 125000;
	for (unsigned i = 0; i <= 10; i++)
		test_reading(&f->made, i * TEST_S, 0, 100 * TEST_J * i);
}

static void a_domain_has_its_kind_energy_power_and_load(void **state)
{
	struct fixture *f = *state;
	const char *text;

	make_plain(f);
	test_end(&f->made, 10 * TEST_S, 0);
	text = table(f);

	assert_says(text, "energy (J)");
	assert_says(text, "mean (W)");
	text = strstr(text, "powercap/package-0");
	assert_non_null(text);
	assert_says(text, "measured");
	assert_says(text, "1000.000");
	assert_says(text, "100.00");
	assert_says(text, "80.0 %");
}

static void measured_energy_says_so_and_what_its_error_covers(void **state)
{
	struct fixture *f = *state;

	make_plain(f);
	test_end(&f->made, 10 * TEST_S, 0);

	/* 0.1 J of 1000 J. */
	assert_says(row(f, "node"), "1000.0 J, measured ±0.01 %");
	assert_says(row(f, "model"), "not calibrated");
	assert_says(row(f, "facility"), "1300.0 J with PUE 1.3 (option --pue)");
	assert_says(row(f, "carbon"), "n/a");
	assert_says(row(f, "coverage"), "100.0 % of the time, 100.0 % of the energy");
	assert_string_equal(row(f, "holes"), "");
	assert_string_equal(row(f, "doubtful"), "");
	assert_string_equal(row(f, "broken off"), "");
}

static void a_bound_of_nothing_is_in_joules(void **state)
{
	struct fixture *f = *state;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 2; i++)
		test_reading(&f->made, i * 5 * TEST_MS, 0, 7 * TEST_J);
	test_end(&f->made, 10 * TEST_MS, 0);

	assert_says(row(f, "node"), "0.000 J, measured ±");
	assert_null(strstr(row(f, "node"), "%"));
}

static void an_estimate_says_so_with_its_percentage(void **state)
{
	struct fixture *f = *state;
	const char *text;

	test_estimate(&f->made);
	for (unsigned i = 0; i <= 10; i++)
		test_sweep_busy(&f->made, i * TEST_S, (uint64_t[]){ 20 * TEST_J * i }, 0);
	test_end(&f->made, 10 * TEST_S, 0);
	text = row(f, "node");

	/* 52.5 J of 200 J. */
	assert_says(text, "200.0 J, estimated ±26 %");
	assert_null(strstr(text, "measured"));
	assert_says(row(f, "model"), "at the wall");
	assert_says(row(f, "coverage"), " 0.0 % of the energy by hardware meters");
}

static void a_total_with_a_filled_gap_says_both_kinds(void **state)
{
	struct fixture *f = *state;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 10; i++)
		test_reading(&f->made, i * TEST_S, 0,
			     (i <= 5 ? 1000 + 100 * i : 100 * i - 550) * TEST_J);
	test_end(&f->made, 10 * TEST_S, 0);

	assert_says(row(f, "node"), "measured");
	assert_says(row(f, "node"), "estimated");
	assert_says(row(f, "holes"), "1, 1 s in all, first at +5 s");
	assert_says(row(f, "doubtful"), "1 counter reset");
	assert_says(row(f, "coverage"), "90.0 % of the time, 90.0 % of the energy");
}

static void nothing_known_is_na_not_zero(void **state)
{
	struct fixture *f = *state;
	const char *text;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_reading(&f->made, 0, 0, 777);
	test_reading(&f->made, TEST_S, 0, 777);
	test_end(&f->made, TEST_S, 0);
	text = table(f);

	assert_says(text, "n/a: nothing here measured it");
	assert_says(text, "left out");
	assert_says(text, "powercap/package-0");
	assert_null(strstr(text, "0.000 J"));
}

static void what_is_around_the_parts_is_shown(void **state)
{
	struct fixture *f = *state;

	test_domain(&f->made, "powercap", ES_DOMAIN_PSYS, -1, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&f->made, i * TEST_S,
			   (uint64_t[]){ 150 * TEST_J * i, 100 * TEST_J * i });
	test_end(&f->made, 10 * TEST_S, 0);

	assert_says(row(f, "rest"), "500.0 J");
	assert_says(table(f), "(contains the parts above)");
}

static void further_meters_of_the_node_are_told(void **state)
{
	struct fixture *f = *state;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_domain(&f->made, "redfish", ES_DOMAIN_NODE, -1, -1);
	test_domain(&f->made, "snmp", ES_DOMAIN_NODE, -1, -1);
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&f->made, i * TEST_S,
			   (uint64_t[]){ 100 * TEST_J * i, 200 * TEST_J * i, 178 * TEST_J * i });
	test_end(&f->made, 10 * TEST_S, 0);

	assert_says(row(f, "beside"), "snmp/node: 1780.0 J, 11.0 % less than redfish/node");
}

static void a_rack_is_told_and_not_added(void **state)
{
	struct fixture *f = *state;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_domain(&f->made, "mqtt", ES_DOMAIN_OTHER, -1, -1)->is_partial = true;
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&f->made, i * TEST_S,
			   (uint64_t[]){ 100 * TEST_J * i, 900 * TEST_J * i });
	test_end(&f->made, 10 * TEST_S, 0);

	assert_says(row(f, "beside"), "9000.0 J, mean 900.0 W; no part of the node");
	assert_says(row(f, "node"), "1000.0 J");
}

static void a_meter_below_its_parts_is_told(void **state)
{
	struct fixture *f = *state;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_domain(&f->made, "redfish", ES_DOMAIN_NODE, -1, -1);
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&f->made, i * TEST_S, (uint64_t[]){ 100 * TEST_J * i, 2 * TEST_J * i });
	test_end(&f->made, 10 * TEST_S, 0);

	assert_says(row(f, "beside"),
		    "redfish/node: 20.0 J; shows less than the parts it must contain");
}

static void the_factor_of_carbon_is_named(void **state)
{
	struct fixture *f = *state;

	make_plain(f);
	test_end(&f->made, 10 * TEST_S, 0);
	assert_int_equal(es_carbon_factor_named("carbon_model_2024", "FR", &f->options.carbon), 0);

	assert_says(row(f, "carbon"), "50 g/kWh in FR, average, EnergyScopium 2024");
}

static void regions_have_calls_time_energy_and_power(void **state)
{
	struct fixture *f = *state;
	const char *text;

	make_plain(f);
	test_event(&f->made, ES_EVENT_TAG_START, 2 * TEST_S, 0, "solve");
	test_event(&f->made, ES_EVENT_TAG_STOP, 5 * TEST_S, 0, "solve");
	test_end(&f->made, 10 * TEST_S, 0);
	text = strstr(table(f), "  solve ");

	assert_non_null(text);
	assert_says(text, " 1   3.000000      300.000");
	assert_says(text, "100.00  interpolated\n");
	assert_says(text, "  (untagged)                     7.000000                   700.000\n");
}

/* In columns of the terminal, where a letter of several bytes has one. */
static size_t columns_of(const char *line)
{
	size_t n = 0;

	for (; *line && *line != '\n'; line++)
		n += ((unsigned char)*line & 0xc0) != 0x80;
	return n;
}

static void rows_of_regions_fit_100_columns(void **state)
{
	struct fixture *f = *state;
	const char *header, *region;

	make_plain(f);
	test_event(&f->made, ES_EVENT_TAG_START, 2 * TEST_S, 0,
		   "a region with quite a long name of its own");
	test_event(&f->made, ES_EVENT_TAG_STOP, 5 * TEST_S, 0,
		   "a region with quite a long name of its own");
	test_end(&f->made, 10 * TEST_S, 0);
	header = strstr(table(f), "  region ");

	assert_non_null(header);
	region = strchr(header, '\n') + 1;
	assert_true(columns_of(region) <= 100);
	assert_int_equal(columns_of(header) + strlen("interpolated") - strlen("method"),
			 columns_of(region));
	assert_says(header, "± (J)");
}

static void rows_have_no_blanks_at_their_ends(void **state)
{
	struct fixture *f = *state;

	(void)test_domain(&f->made, "powercap", ES_DOMAIN_DRAM, 0, -1); /* it has no limit */
	for (unsigned i = 0; i <= 10; i++)
		test_reading(&f->made, i * TEST_S, 0, 100 * TEST_J * i);
	test_end(&f->made, 10 * TEST_S, 0);

	assert_null(strstr(table(f), " \n"));
}

static void without_tags_there_is_no_table_of_regions(void **state)
{
	struct fixture *f = *state;

	make_plain(f);
	test_event(&f->made, ES_EVENT_COMMAND_START, 0, 1, "");
	test_end(&f->made, 10 * TEST_S, 0);

	assert_null(strstr(table(f), "calls"));
}

static void failures_sleep_and_survivors_are_told(void **state)
{
	struct fixture *f = *state;

	make_plain(f);
	test_event(&f->made, ES_EVENT_READ_FAILED, 0, 0, "2 reads failed, last: gone");
	test_event(&f->made, ES_EVENT_SUSPEND, 0, 5 * TEST_S, "");
	test_event(&f->made, ES_EVENT_CLOCK_STEP, 0, -3600 * TEST_S, "");
	test_event(&f->made, ES_EVENT_SURVIVOR, 0, 99, "daemon");
	test_event(&f->made, ES_EVENT_MISSED, 0, 4, "");
	test_end(&f->made, 10 * TEST_S, 20000000);

	assert_says(row(f, "failed"), "powercap/package-0: 2 reads failed, last: gone");
	assert_says(row(f, "suspended"), "slept for 5 s");
	assert_says(row(f, "clock"), "-3600.000 s");
	assert_says(row(f, "still runs"), "daemon (99)");
	assert_says(row(f, "sampling"), "4 missed");
	assert_says(row(f, "own cost"), "0.0200 s of CPU time");
}

static void a_recording_without_its_end_is_told(void **state)
{
	struct fixture *f = *state;

	make_plain(f);

	assert_says(row(f, "broken off"), "up to its last frame");
	assert_string_equal(row(f, "own cost"), "");
}

/* Names come from files that anybody may have made. */
static void names_cannot_command_the_terminal(void **state)
{
	struct fixture *f = *state;

	(void)snprintf(f->made.meta.nodes[0].name, 32, "n\x1b[31m");
	make_plain(f);
	test_event(&f->made, ES_EVENT_TAG_START, 2 * TEST_S, 0, "a\x1b[2J");
	test_end(&f->made, 10 * TEST_S, 0);

	assert_null(strchr(table(f), '\x1b'));
	assert_says(table(f), "a?[2J");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_domain_has_its_kind_energy_power_and_load),
		TEST(measured_energy_says_so_and_what_its_error_covers),
		TEST(an_estimate_says_so_with_its_percentage),
		TEST(a_bound_of_nothing_is_in_joules),
		TEST(a_total_with_a_filled_gap_says_both_kinds),
		TEST(nothing_known_is_na_not_zero),
		TEST(what_is_around_the_parts_is_shown),
		TEST(further_meters_of_the_node_are_told),
		TEST(a_meter_below_its_parts_is_told),
		TEST(a_rack_is_told_and_not_added),
		TEST(the_factor_of_carbon_is_named),
		TEST(regions_have_calls_time_energy_and_power),
		TEST(rows_of_regions_fit_100_columns),
		TEST(rows_have_no_blanks_at_their_ends),
		TEST(without_tags_there_is_no_table_of_regions),
		TEST(failures_sleep_and_survivors_are_told),
		TEST(a_recording_without_its_end_is_told),
		TEST(names_cannot_command_the_terminal),
	};

	return cmocka_run_group_tests_name("format/table", tests, NULL, NULL);
}
