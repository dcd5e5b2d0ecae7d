/*
 * test_format_profile.c - power over time: bins, the eprofile, CSV
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "format/csvread.h"
#include "format/profile.h"
#include "support/recordings.h"

struct fixture {
	struct test_recording made;
	struct es_report_options report_options;
	struct es_profile_options options;
	struct es_profile profile;
	json_t *json;
	char *csv_text;
	struct es_csv csv;
	char *fields[ES_CSV_FIELDS_MAX];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	test_recording_init(&f->made, TEST_S);
	f->report_options = test_options();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->profile.report)
		es_profile_finish(&f->profile);
	json_decref(f->json);
	free(f->csv_text);
	test_recording_finish(&f->made);
	free(f);
	return 0;
}

static void build(struct fixture *f)
{
	struct es_error err = { .code = 0 };

	test_report(&f->made, &f->report_options);
	if (f->profile.report)
		es_profile_finish(&f->profile);
	if (es_profile_build(f->made.recording, &f->made.report, &f->options, &f->profile, &err) <
	    0)
		fail_msg("%s", err.text);
}

static const json_t *eprofile(struct fixture *f)
{
	struct es_buf out;
	json_error_t error;

	build(f);
	es_buf_init(&out, 1U << 26);
	assert_int_equal(es_eprofile_write(&f->profile, &f->options, es_json_sink_buf, &out), 0);
	json_decref(f->json);
	f->json = json_loadb((const char *)out.data, out.len, JSON_REJECT_DUPLICATES, &error);
	es_buf_finish(&out);
	if (!f->json)
		fail_msg("line %d: %s", error.line, error.text);
	return f->json;
}

static const json_t *member(const json_t *json, const char *key)
{
	const json_t *value = json_object_get(json, key);

	if (!value)
		fail_msg("no member %s", key);
	return value;
}

static double item(const json_t *array, size_t i)
{
	const json_t *value = json_array_get(array, i);

	if (!json_is_number(value))
		fail_msg("item %zu is no number", i);
	return json_number_value(value);
}

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.12g is not %.12g", value, expected);
}

/* Package 0 with 10 W more each second, from 10 W on; memory with 5 W; @n seconds. */
static void make_rising(struct fixture *f, unsigned n)
{
	uint64_t package_uj = 0;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_DRAM, 0, -1);
	for (unsigned i = 0; i <= n; i++) {
		package_uj += 10 * TEST_J * i;
		test_sweep(&f->made, i * TEST_S, (uint64_t[]){ package_uj, 5 * TEST_J * i });
	}
	test_event(&f->made, ES_EVENT_COMMAND_START, 500 * TEST_MS, 1, "");
	test_event(&f->made, ES_EVENT_COMMAND_STOP, 2500 * TEST_MS, 0, "");
	test_end(&f->made, n * TEST_S, 0);
}

static void bins_are_planned_periods(void **state)
{
	struct fixture *f = *state;

	make_rising(f, 4);
	build(f);

	assert_int_equal(f->profile.bin_ns, TEST_S);
	assert_int_equal(f->profile.n_bins, 4);
	assert_int_equal(f->profile.series[0].energy_uj[2], 30 * TEST_J);
}

static void there_is_a_sample_more_than_bins_and_the_first_is_repeated(void **state)
{
	static const double expected[] = { 15, 15, 25, 35, 45 };
	struct fixture *f = *state;
	const json_t *json, *total, *cpu, *dram;

	make_rising(f, 4);
	json = eprofile(f);
	total = member(json, "etotal(W)");
	cpu = member(json, "ecpu(W)");
	dram = member(json, "edram(W)");

	assert_string_equal(json_string_value(member(json, "schema")), "energyscopium.eprofile/1");
	assert_near(json_number_value(member(json, "eprofile_period(ms)")), 1000, 0);
	assert_int_equal(json_integer_value(member(json, "nb_sample")), 5);
	assert_string_equal(json_string_value(member(json, "kind")), "measured");
	assert_int_equal(json_array_size(total), 5);
	assert_int_equal(json_array_size(cpu), 5);
	for (size_t i = 0; i < 5; i++) {
		assert_near(item(total, i), expected[i], 0);
		assert_near(item(cpu, i), expected[i] - 5, 0);
		assert_near(item(dram, i), 5, 0);
	}
	assert_null(json_object_get(json, "egpu(W)"));
	assert_null(json_object_get(json, "enode(W)"));
}

static void each_device_has_its_own_curve(void **state)
{
	struct fixture *f = *state;
	const json_t *devices;

	make_rising(f, 4);
	devices = member(eprofile(f), "devices");

	assert_int_equal(json_object_size(devices), 2);
	assert_near(item(member(devices, "n1/package-0"), 4), 40, 0);
	assert_near(item(member(devices, "n1/dram-0"), 4), 5, 0);
	assert_int_equal(json_array_size(member(devices, "n1/dram-0")), 5);
}

/* es_appli_total from 0.5 s to 2.5 s: 5 + 20 + 15 J of the package, 10 J of memory. */
static void tags_have_exactly_the_keys_of_the_original_and_utc(void **state)
{
	static const char *const keys[] = { "start",	  "stop",      "start(utc)", "stop(utc)",
					    "start(sec)", "stop(sec)", "joule(J)" };
	struct fixture *f = *state;
	const json_t *tags, *total, *command;

	make_rising(f, 4);
	tags = member(eprofile(f), "tags");
	total = member(tags, "es_total");
	command = member(tags, "es_appli_total");

	assert_int_equal(json_object_size(tags), 2);
	assert_int_equal(json_object_size(total), ES_ARRAY_SIZE(keys));
	for (size_t i = 0; i < ES_ARRAY_SIZE(keys); i++)
		(void)member(total, keys[i]);
	assert_near(json_number_value(member(total, "start(sec)")), 0, 0);
	assert_near(json_number_value(member(total, "stop(sec)")), 4, 0);
	assert_near(json_number_value(member(total, "joule(J)")), 120, 0);
	assert_near(json_number_value(member(command, "start(sec)")), 0.5, 0);
	assert_near(json_number_value(member(command, "stop(sec)")), 2.5, 0);
	assert_near(json_number_value(member(command, "joule(J)")), 50, 0);
	/* Local time is UTC + 2 here. */
	assert_string_equal(json_string_value(member(total, "start")), "2026-03-13T14:00:00");
	assert_string_equal(json_string_value(member(total, "stop")), "2026-03-13T14:00:04");
	assert_string_equal(json_string_value(member(command, "start(utc)")),
			    "2026-03-13T12:00:00.500Z");
}

/* A meter of powers that says nothing between 3 s and 7 s. */
static void gaps_are_null_in_every_curve_they_are_part_of(void **state)
{
	struct fixture *f = *state;
	struct es_domain *domain;
	const json_t *json, *total;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	domain = test_domain(&f->made, "nvml", ES_DOMAIN_GPU, -1, -1);
	domain->is_power = true;
	domain->kind = ES_KIND_INTEGRATED;
	for (unsigned i = 0; i <= 10; i++)
		test_sweep(&f->made, i * TEST_S,
			   (uint64_t[]){ 100 * TEST_J * i,
					 i <= 3 || i >= 7 ? 200000 : TEST_NO_READING });
	test_end(&f->made, 10 * TEST_S, 0);
	json = eprofile(f);
	total = member(json, "etotal(W)");

	for (size_t i = 0; i <= 10; i++) {
		bool is_gap = i > 3 && i <= 7;

		assert_int_equal(json_is_null(json_array_get(total, i)), is_gap);
		assert_int_equal(json_is_null(json_array_get(member(json, "egpu(W)"), i)), is_gap);
		assert_near(item(member(json, "ecpu(W)"), i), 100, 0);
		if (!is_gap)
			assert_near(item(total, i), 300, 0);
	}
	assert_string_equal(json_string_value(member(json, "kind")), "mixed");
}

/* 2.5 s: the last bin has half a second of 20 W. */
static void the_last_bin_may_be_shorter_and_shows_its_own_power(void **state)
{
	struct fixture *f = *state;
	const json_t *total;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_reading(&f->made, 0, 0, 0);
	test_reading(&f->made, TEST_S, 0, 30 * TEST_J);
	test_reading(&f->made, 2 * TEST_S, 0, 60 * TEST_J);
	test_reading(&f->made, 2500 * TEST_MS, 0, 70 * TEST_J);
	test_end(&f->made, 2500 * TEST_MS, 0);
	total = member(eprofile(f), "etotal(W)");

	assert_int_equal(json_array_size(total), 4);
	assert_near(item(total, 2), 30, 0);
	assert_near(item(total, 3), 20, 0);
}

static uint64_t domain_uj(const json_t *json, size_t i)
{
	return (uint64_t)json_integer_value(member(
		json_array_get(member(member(json, "energyscopium"), "domains"), i), "energy_uj"));
}

/* 25 s each ms are 25,000 periods: bins double in length until they fit: 4 of them in each of 6,250. */
static void a_long_run_is_averaged_to_ten_thousand_points_and_energies_stay(void **state)
{
	struct fixture *f = *state;
	uint64_t value = 0;
	const json_t *json;

	f->made.meta.period_ns = TEST_MS;
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 25000; i++) {
		test_reading(&f->made, i * TEST_MS, 0, value);
		value += 100000 + i % 7;
	}
	test_end(&f->made, 25 * TEST_S, 0);

	json = eprofile(f);
	assert_int_equal(f->profile.bin_ns, 4 * TEST_MS);
	assert_int_equal(json_integer_value(member(json, "nb_sample")), 6251);
	assert_int_equal(json_array_size(member(json, "etotal(W)")), 6251);
	assert_near(json_number_value(member(json, "eprofile_period(ms)")), 4, 0);
	assert_int_equal(domain_uj(json, 0), f->made.report.fine_uj);

	f->options.is_full = true;
	json = eprofile(f);
	assert_int_equal(json_integer_value(member(json, "nb_sample")), 25001);
	assert_int_equal(domain_uj(json, 0), f->made.report.fine_uj);
}

/* A run makes its eprofile from bins that were gathered in the report's own walk. */
static void bins_gathered_with_the_report_are_those_of_a_walk(void **state)
{
	struct fixture *f = *state;
	uint64_t value = 0;
	json_t *walked;

	f->made.meta.period_ns = TEST_MS;
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_DRAM, 0, -1);
	for (unsigned i = 0; i <= 21000; i++) {
		value += 100000 + i % 7;
		/* A reset of one of them, and a hole of both. */
		if (i >= 12000 && i < 12050)
			continue;
		test_reading(&f->made, i * TEST_MS, 0, i == 5000 ? (value = 77) : value);
		test_reading(&f->made, i * TEST_MS + TEST_MS / 10, 1, (uint64_t)i * 30000);
	}
	test_end(&f->made, 21 * TEST_S, 0);

	walked = json_deep_copy(eprofile(f));
	assert_false(f->profile.are_borrowed);
	f->report_options.has_profile = true;

	assert_true(json_equal(eprofile(f), walked));
	assert_true(f->profile.are_borrowed);
	json_decref(walked);
}

static void a_window_is_never_taken_from_gathered_bins(void **state)
{
	struct fixture *f = *state;

	f->report_options.has_profile = true;
	make_rising(f, 10);
	f->options.from_ns = TEST_START_NS + 3 * TEST_S;

	build(f);
	assert_false(f->profile.are_borrowed);
	assert_int_equal(f->profile.n_bins, 7);
}

static void just_what_fits_is_not_averaged(void **state)
{
	struct fixture *f = *state;

	f->made.meta.period_ns = TEST_MS;
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 9999; i++)
		test_reading(&f->made, i * TEST_MS, 0, i * 100000ULL);
	test_end(&f->made, 10 * TEST_S, 0);
	build(f);
	assert_int_equal(f->profile.n_bins, 9999);

	es_profile_finish(&f->profile);
	test_recording_finish(&f->made);
	test_recording_init(&f->made, TEST_MS);
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 10000; i++)
		test_reading(&f->made, i * TEST_MS, 0, i * 100000ULL);
	test_end(&f->made, 10 * TEST_S, 0);
	build(f);
	assert_int_equal(f->profile.n_bins, 5000);
}

static void layout_2022_nests_the_profile(void **state)
{
	struct fixture *f = *state;
	const json_t *inner;

	make_rising(f, 4);
	f->options.has_layout_2022 = true;
	inner = member(member(eprofile(f), "data"), "data");

	assert_int_equal(json_array_size(member(inner, "etotal(W)")), 5);
	(void)member(inner, "tags");
	(void)member(inner, "devices");
	assert_int_equal(json_integer_value(member(inner, "nb_sample")), 5);
	assert_null(json_object_get(f->json, "etotal(W)"));
}

static void node_power_is_there_where_a_wider_meter_is(void **state)
{
	struct fixture *f = *state;
	const json_t *json;

	test_domain(&f->made, "powercap", ES_DOMAIN_PSYS, -1, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 4; i++)
		test_sweep(&f->made, i * TEST_S,
			   (uint64_t[]){ 150 * TEST_J * i, 100 * TEST_J * i });
	test_end(&f->made, 4 * TEST_S, 0);
	json = eprofile(f);

	assert_near(item(member(json, "enode(W)"), 2), 150, 0);
	assert_near(item(member(json, "etotal(W)"), 2), 100, 0);
}

static void domains_are_chosen_by_name_or_id(void **state)
{
	static const char *const names[] = { "dram-0", "powercap/package-0", "nothing" };
	struct fixture *f = *state;
	const json_t *devices;

	make_rising(f, 4);
	f->options.domains = names;
	f->options.n_domains = 1;
	devices = member(eprofile(f), "devices");
	assert_int_equal(json_object_size(devices), 1);
	(void)member(devices, "n1/dram-0");

	f->options.domains = names + 1;
	f->options.n_domains = 2;
	devices = member(eprofile(f), "devices");
	assert_int_equal(json_object_size(devices), 1);
	(void)member(devices, "n1/package-0");
}

/* From 1.5 s to 3.5 s: half of 20 J, 30 J, half of 40 J. */
static void a_window_is_cut_out_in_proportion(void **state)
{
	struct fixture *f = *state;

	make_rising(f, 4);
	f->options.from_ns = TEST_START_NS + 1500 * TEST_MS;
	f->options.to_ns = TEST_START_NS + 3500 * TEST_MS;
	build(f);

	assert_int_equal(f->profile.n_bins, 2);
	assert_int_equal(f->profile.series[0].energy_uj[0] + f->profile.series[0].energy_uj[1],
			 60 * TEST_J);
	assert_int_equal(f->profile.series[0].energy_uj[0], 25 * TEST_J);
	assert_int_equal(es_series_covered_ns(&f->profile.series[0], 1), TEST_S);
}

static void no_readings_there_are_an_error(void **state)
{
	struct fixture *f = *state;
	struct es_profile profile;
	struct es_error err = { .code = 0 };

	make_rising(f, 4);
	test_report(&f->made, &f->report_options);
	f->options.from_ns = TEST_START_NS + 100 * TEST_S;
	assert_int_equal(es_profile_build(f->made.recording, &f->made.report, &f->options, &profile,
					  &err),
			 -ENODATA);
	assert_string_equal(err.text, "no readings in that time");
}

/* What stood still is in no curve: it is not 0 W. */
static void what_is_not_known_is_not_drawn(void **state)
{
	struct fixture *f = *state;
	const json_t *json;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_estimate(&f->made);
	for (unsigned i = 0; i <= 4; i++)
		test_sweep_busy(&f->made, i * TEST_S, (uint64_t[]){ 7, 20 * TEST_J * i }, 0);
	test_end(&f->made, 4 * TEST_S, 0);
	json = eprofile(f);

	assert_int_equal(json_object_size(member(json, "devices")), 1);
	assert_near(item(member(json, "etotal(W)"), 1), 20, 0);
	assert_string_equal(json_string_value(member(json, "kind")), "estimated");
}

static void write_csv(struct fixture *f)
{
	char path[] = "/tmp/es-csv-XXXXXX";
	es_cleanup(es_closep) int fd = mkstemp(path);
	off_t n;

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	test_report(&f->made, &f->report_options);
	assert_int_equal(es_profile_csv(f->made.recording, &f->made.report, &f->options, fd), 0);
	n = lseek(fd, 0, SEEK_END);
	free(f->csv_text);
	f->csv_text = calloc(1, (size_t)n + 1);
	assert_non_null(f->csv_text);
	assert_int_equal(pread(fd, f->csv_text, (size_t)n, 0), n);
	es_csv_init(&f->csv, f->csv_text, (size_t)n);
}

static void assert_row(struct fixture *f, const char *time, const char *domain, const char *power,
		       const char *energy)
{
	assert_int_equal(es_csv_next(&f->csv, f->fields), 5);
	assert_string_equal(f->fields[0], time);
	assert_string_equal(f->fields[1], f->made.meta.nodes[0].name);
	assert_string_equal(f->fields[2], domain);
	assert_string_equal(f->fields[3], power);
	assert_string_equal(f->fields[4], energy);
}

#define AT(s) "2026-03-13T14:00:" s "+02:00"

static void csv_tells_each_sample_and_where_the_counter_began(void **state)
{
	struct fixture *f = *state;

	make_rising(f, 2);
	write_csv(f);

	assert_int_equal(strncmp(f->csv_text, "time,node,domain,power_w,energy_j\n", 34), 0);
	assert_int_equal(es_csv_next(&f->csv, f->fields), 5);
	assert_row(f, AT("00.000000"), "package-0", "", "0");
	assert_row(f, AT("01.000000"), "package-0", "10", "10");
	assert_row(f, AT("00.000000"), "dram-0", "", "0");
	assert_row(f, AT("01.000000"), "dram-0", "5", "5");
	assert_row(f, AT("02.000000"), "package-0", "20", "30");
	assert_row(f, AT("02.000000"), "dram-0", "5", "10");
	assert_true(es_csv_next(&f->csv, f->fields) <= 0);
}

static void csv_quotes_names_that_need_it(void **state)
{
	struct fixture *f = *state;

	(void)snprintf(f->made.meta.nodes[0].name, 32, "n \"1\", x");
	make_rising(f, 2);
	write_csv(f);

	assert_non_null(strstr(f->csv_text, ",\"n \"\"1\"\", x\",package-0,10,10\n"));
	assert_int_equal(es_csv_next(&f->csv, f->fields), 5);
	assert_row(f, AT("00.000000"), "package-0", "", "0");
}

/* A reset between 2 s and 3 s: what happened in it is not known, and the sum goes on behind it. */
static void csv_leaves_gaps_empty(void **state)
{
	static const uint64_t values[] = { 5000, 5100, 5200, 10, 110 };
	struct fixture *f = *state;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i < 5; i++)
		test_reading(&f->made, i * TEST_S, 0, values[i] * TEST_J);
	test_end(&f->made, 4 * TEST_S, 0);
	write_csv(f);

	assert_int_equal(es_csv_next(&f->csv, f->fields), 5);
	assert_row(f, AT("00.000000"), "package-0", "", "0");
	assert_row(f, AT("01.000000"), "package-0", "100", "100");
	assert_row(f, AT("02.000000"), "package-0", "100", "200");
	assert_row(f, AT("03.000000"), "package-0", "", "");
	assert_row(f, AT("04.000000"), "package-0", "100", "300");
}

static void csv_shows_the_window_and_domains_asked_for(void **state)
{
	static const char *const names[] = { "dram-0" };
	struct fixture *f = *state;

	make_rising(f, 4);
	f->options.domains = names;
	f->options.n_domains = 1;
	f->options.from_ns = TEST_START_NS + TEST_S;
	f->options.to_ns = TEST_START_NS + 3 * TEST_S;
	write_csv(f);

	assert_int_equal(es_csv_next(&f->csv, f->fields), 5);
	assert_row(f, AT("01.000000"), "dram-0", "", "0");
	assert_row(f, AT("02.000000"), "dram-0", "5", "5");
	assert_row(f, AT("03.000000"), "dram-0", "5", "10");
	assert_true(es_csv_next(&f->csv, f->fields) <= 0);
}

static void csv_that_cannot_be_written_is_an_error(void **state)
{
	struct fixture *f = *state;
	es_cleanup(es_closep) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return; /* not on this system */
	make_rising(f, 4);
	test_report(&f->made, &f->report_options);
	assert_int_equal(es_profile_csv(f->made.recording, &f->made.report, &f->options, fd),
			 -ENOSPC);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(bins_are_planned_periods),
		TEST(there_is_a_sample_more_than_bins_and_the_first_is_repeated),
		TEST(each_device_has_its_own_curve),
		TEST(tags_have_exactly_the_keys_of_the_original_and_utc),
		TEST(gaps_are_null_in_every_curve_they_are_part_of),
		TEST(the_last_bin_may_be_shorter_and_shows_its_own_power),
		TEST(a_long_run_is_averaged_to_ten_thousand_points_and_energies_stay),
		TEST(bins_gathered_with_the_report_are_those_of_a_walk),
		TEST(a_window_is_never_taken_from_gathered_bins),
		TEST(just_what_fits_is_not_averaged),
		TEST(layout_2022_nests_the_profile),
		TEST(node_power_is_there_where_a_wider_meter_is),
		TEST(domains_are_chosen_by_name_or_id),
		TEST(a_window_is_cut_out_in_proportion),
		TEST(no_readings_there_are_an_error),
		TEST(what_is_not_known_is_not_drawn),
		TEST(csv_tells_each_sample_and_where_the_counter_began),
		TEST(csv_quotes_names_that_need_it),
		TEST(csv_leaves_gaps_empty),
		TEST(csv_shows_the_window_and_domains_asked_for),
		TEST(csv_that_cannot_be_written_is_an_error),
	};

	(void)setenv("TZ", "EET-2", 1);
	tzset();
	return cmocka_run_group_tests_name("format/profile", tests, NULL, NULL);
}
