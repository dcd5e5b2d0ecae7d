/*
 * test_format_line.c - the job line, byte for byte
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

#define GOLDEN                                                                               \
	"energyscopium jobid<10166268> nodes<['n231', 'n313']> ncpus <64> "                  \
	"duration(hour)<22.51> estimated energy(kWh)<10.58> with adding cooling (PUE=1.3): " \
	"(kWh)<13.76> and (gCO2 in FR)<687.78>"

struct fixture {
	struct es_meta meta;
	struct es_report report;
	struct es_buf out;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	es_meta_init(&f->meta);
	es_buf_init(&f->out, 1U << 20);
	f->report.meta = &f->meta;
	f->report.options = test_options();
	f->report.has_start = true;
	f->report.start_ns = 5000;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_meta_finish(&f->meta);
	es_buf_finish(&f->out);
	free(f);
	return 0;
}

static const char *line(struct fixture *f, bool is_short)
{
	es_buf_reset(&f->out);
	assert_int_equal(es_report_line(&f->report, is_short, &f->out), 0);
	assert_int_equal(es_buf_u8(&f->out, '\0'), 0);
	return (const char *)f->out.data;
}

/* The golden job: 38,092,320 J are 10.5812 kWh; 1.3 of it 13.75556 kWh; 50 g each 687.778 g. */
static void set_golden(struct fixture *f)
{
	(void)snprintf(f->meta.job, sizeof(f->meta.job), "10166268");
	assert_int_equal(es_meta_add_node(&f->meta, "n231"), 0);
	assert_int_equal(es_meta_add_node(&f->meta, "n313"), 0);
	f->meta.n_cpus = 64;
	f->report.stop_ns = f->report.start_ns + 81036 * TEST_S;
	assert_int_equal(
		es_carbon_factor_named("carbon_model_2024", "FR", &f->report.options.carbon), 0);
	f->report.has_energy = f->report.has_carbon = true;
	f->report.node_j = 38092320.0;
	f->report.facility_j = f->report.node_j * 1.3;
	f->report.gco2 = f->report.facility_j / 3600000.0 * 50.0;
}

static void the_golden_line_comes_out_byte_for_byte(void **state)
{
	struct fixture *f = *state;

	set_golden(f);

	assert_string_equal(line(f, false), GOLDEN);
	assert_string_equal(line(f, true), GOLDEN);
}

/* Each node's meter shows 19,046,160 J over 81,036 s, read every 36 s. */
static void the_golden_line_comes_out_of_a_recording_of_two_nodes(void **state)
{
	struct fixture *f = *state;
	struct test_recording made;
	struct es_report_options options = test_options();

	test_recording_init(&made, 36 * TEST_S);
	(void)snprintf(made.meta.job, sizeof(made.meta.job), "10166268");
	(void)snprintf(made.meta.nodes[0].name, sizeof(made.meta.nodes[0].name), "n231");
	made.meta.n_cpus = 64;
	test_domain(&made, "wattmeter", ES_DOMAIN_NODE, -1, -1)->range =
		(struct es_counter_range){ .unit_nj = 1000 };
	assert_int_equal(es_meta_add_node(&made.meta, "n313"), 0);
	test_domain(&made, "wattmeter", ES_DOMAIN_NODE, -1, -1)->range =
		(struct es_counter_range){ .unit_nj = 1000 };
	for (uint64_t i = 0; i <= 2251; i++)
		test_sweep(&made, (int64_t)i * 36 * TEST_S,
			   (uint64_t[]){ 7 + 19046160 * TEST_J * i / 2251,
					 19046160 * TEST_J * i / 2251 });
	test_end(&made, 81036 * TEST_S, 0);
	assert_int_equal(es_carbon_factor_named("carbon_model_2024", "FR", &options.carbon), 0);
	test_report(&made, &options);

	assert_int_equal(es_report_line(&made.report, false, &f->out), 0);
	assert_int_equal(es_buf_u8(&f->out, '\0'), 0);
	assert_string_equal((const char *)f->out.data, GOLDEN);
	test_recording_finish(&made);
}

static void what_is_not_known_is_na_never_zero(void **state)
{
	struct fixture *f = *state;

	(void)snprintf(f->meta.job, sizeof(f->meta.job), "7");
	assert_int_equal(es_meta_add_node(&f->meta, "a"), 0);
	f->report.has_start = false;

	assert_string_equal(
		line(f, false),
		"energyscopium jobid<7> nodes<['a']> ncpus <n/a> duration(hour)<n/a> "
		"estimated energy(kWh)<n/a> with adding cooling (PUE=1.3): (kWh)<n/a> and (gCO2 in n/a)<n/a>");
}

static void nothing_used_is_zero_not_na(void **state)
{
	struct fixture *f = *state;

	set_golden(f);
	f->report.stop_ns = f->report.start_ns;
	f->report.node_j = f->report.facility_j = f->report.gco2 = 0;

	assert_non_null(strstr(line(f, false), "duration(hour)<0.00> estimated energy(kWh)<0.00>"));
	assert_non_null(strstr(line(f, false), "(kWh)<0.00> and (gCO2 in FR)<0.00>"));
}

/* max(2, 2 - floor(log10 x)) decimals: 0.0123 -> floor(log10) = -2 -> 4. */
static void small_numbers_keep_three_digits(void **state)
{
	static const struct {
		double kwh;
		const char *text;
	} vectors[] = {
		{ 1.0, "(kWh)<1.00> with" },
		{ 0.5, "(kWh)<0.500> with" },
		{ 0.1, "(kWh)<0.100> with" },
		{ 0.0123, "(kWh)<0.0123> with" },
		{ 0.000123456, "(kWh)<0.000123> with" },
		{ 12345.678, "(kWh)<12345.68> with" },
		{ 9.999, "(kWh)<10.00> with" },
	};
	struct fixture *f = *state;

	set_golden(f);
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		f->report.node_j = vectors[i].kwh * 3600000.0;
		if (!strstr(line(f, false), vectors[i].text))
			fail_msg("no '%s' in '%s'", vectors[i].text, line(f, false));
	}
}

static void pue_is_printed_as_short_as_it_is(void **state)
{
	static const struct {
		double pue;
		const char *text;
	} vectors[] = {
		{ 1.0, "(PUE=1):" },	 { 1.3, "(PUE=1.3):" },
		{ 1.25, "(PUE=1.25):" }, { 1.123456, "(PUE=1.12346):" },
		{ 10.0, "(PUE=10):" },
	};
	struct fixture *f = *state;

	set_golden(f);
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		f->report.options.pue = vectors[i].pue;
		assert_non_null(strstr(line(f, false), vectors[i].text));
	}
}

static void add_nodes(struct fixture *f, unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "n%03u", i);
		assert_int_equal(es_meta_add_node(&f->meta, name), 0);
	}
}

static void many_nodes_fold_only_in_the_short_line(void **state)
{
	struct fixture *f = *state;

	add_nodes(f, 1, 512);

	assert_non_null(strstr(line(f, true), " nodes<['n[001-512]']> "));
	assert_non_null(strstr(line(f, false), " nodes<['n001', 'n002', 'n003', "));
	assert_non_null(strstr(line(f, false), ", 'n512']> "));
}

static void sixty_four_nodes_are_not_many(void **state)
{
	struct fixture *f = *state;

	add_nodes(f, 1, 64);
	assert_null(strchr(strstr(line(f, true), "nodes<[") + 7, '['));

	add_nodes(f, 65, 65);
	assert_non_null(strstr(line(f, true), "nodes<['n[001-065]']>"));
}

static void only_numbers_that_follow_each_other_fold(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(es_meta_add_node(&f->meta, "login"), 0);
	add_nodes(f, 1, 3);
	assert_int_equal(es_meta_add_node(&f->meta, "n10"), 0);
	add_nodes(f, 11, 12);
	add_nodes(f, 20, 80);
	assert_int_equal(es_meta_add_node(&f->meta, "gpu081"), 0);

	assert_non_null(strstr(
		line(f, true),
		"nodes<['login', 'n[001-003]', 'n10', 'n011', 'n012', 'n[020-080]', 'gpu081']>"));
}

static void names_are_quoted_as_python_does(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(es_meta_add_node(&f->meta, "a'b\\c\x1b[2J"), 0);

	assert_non_null(strstr(line(f, false), "nodes<['a\\'b\\\\c\\x1b[2J']>"));
}

/* A recording comes from somewhere: its job's name must not command the terminal. */
static void a_jobs_name_cannot_command_the_terminal(void **state)
{
	struct fixture *f = *state;

	(void)snprintf(f->meta.job, sizeof(f->meta.job), "7\x1b[2J\n8");
	assert_int_equal(es_meta_add_node(&f->meta, "a"), 0);

	assert_non_null(strstr(line(f, false), "jobid<7?[2J?8>"));
}

static void no_nodes_are_an_empty_list(void **state)
{
	struct fixture *f = *state;

	assert_non_null(strstr(line(f, false), "nodes<[]>"));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_golden_line_comes_out_byte_for_byte),
		TEST(the_golden_line_comes_out_of_a_recording_of_two_nodes),
		TEST(what_is_not_known_is_na_never_zero),
		TEST(nothing_used_is_zero_not_na),
		TEST(small_numbers_keep_three_digits),
		TEST(pue_is_printed_as_short_as_it_is),
		TEST(many_nodes_fold_only_in_the_short_line),
		TEST(sixty_four_nodes_are_not_many),
		TEST(only_numbers_that_follow_each_other_fold),
		TEST(names_are_quoted_as_python_does),
		TEST(a_jobs_name_cannot_command_the_terminal),
		TEST(no_nodes_are_an_empty_list),
	};

	return cmocka_run_group_tests_name("format/line", tests, NULL, NULL);
}
