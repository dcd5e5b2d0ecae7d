/*
 * test_format_import_csv.c - readings in CSV
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "support/imported.h"

static void import_text(struct es_imported *imported, const char *text)
{
	es_imported_put_text(imported, "run 7.csv", text);
	es_imported_run(imported, NULL);
}

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.9f is not %.9f +- %g", value, expected, tolerance);
}

static void powers_are_integrated(void **state)
{
	struct es_imported *imported = *state;
	const struct es_domain *domain;

	import_text(imported,
		    "time,domain,power_w\n0,package-0,100\n1,package-0,200.5\n2,package-0,100\n");
	es_imported_open(imported, 0);
	domain = &imported->meta->domains[0];

	assert_string_equal(imported->meta->job, "run 7");
	assert_int_equal(domain->type, ES_DOMAIN_PACKAGE);
	assert_int_equal(domain->package, 0);
	assert_true(domain->is_power);
	assert_int_equal(domain->kind, ES_KIND_INTEGRATED);
	assert_near(es_imported_j(imported, "package-0"), 300.5, 1e-6);
	assert_int_equal(imported->meta->period_ns, 1000000000);
	assert_true(es_imported_has_warning(imported, "do not say when it started"));
}

static void energies_are_counters(void **state)
{
	struct es_imported *imported = *state;

	import_text(
		imported,
		"energy_j,domain,time\r\n1000.000001,dram-1,2023-03-13T23:59:50Z\r\n1012.500002,dram-1,2023-03-13T23:59:51.5Z\r\n");
	es_imported_open(imported, 0);

	assert_int_equal(imported->meta->domains[0].type, ES_DOMAIN_DRAM);
	assert_int_equal(imported->meta->domains[0].kind, ES_KIND_MEASURED);
	assert_int_equal(imported->tracks[0].energy_uj, 12500001);
	assert_int_equal(imported->tracks[0].covered_ns, 1500000000);
	assert_int_equal(imported->meta->start_unix_ns, INT64_C(1678751990000000000));
}

static void both_columns_nodes_quotes_and_marks_are_taken(void **state)
{
	struct es_imported *imported = *state;

	import_text(
		imported,
		"\xef\xbb\xbf\"time\", domain ,power_w,energy_j,comment\n"
		"1700000000.0,n1/gpu-2,300,,x\n1700000000.0,\"n2/psys\",,5,\n1700000000.5,n1/gpu-2,300,,\n1700000000.5,n2/psys,,105,\n"
		"1700000001,n1/gpu-2,NaN,,\n1700000001,n1/wattmeter 3,1,,\n");
	es_imported_open(imported, 0);

	assert_int_equal(imported->meta->n_nodes, 2);
	assert_near(es_imported_j(imported, "n1/gpu-2"), 150, 1e-9);
	assert_near(es_imported_j(imported, "n2/psys"), 100, 1e-9);
	assert_int_equal(
		imported->meta->domains[es_imported_domain(imported, "n1/wattmeter 3")].type,
		ES_DOMAIN_OTHER);
	assert_true(es_imported_has_warning(imported, "column 'comment'"));
	assert_int_equal(imported->meta->start_unix_ns, INT64_C(1700000000000000000));
}

static void times_out_of_order_are_sorted(void **state)
{
	struct es_imported *imported = *state;

	import_text(imported, "time,domain,energy_j\n3,node,30\n1,node,10\n2,node,20\n2,node,25\n");
	es_imported_open(imported, 0);

	assert_int_equal(imported->tracks[0].n_readings, 3);
	assert_int_equal(imported->tracks[0].energy_uj, 20000000);
	assert_true(es_imported_has_warning(imported, "not in order of time"));
}

static void bad_lines_are_counted_and_the_first_are_named(void **state)
{
	struct es_imported *imported = *state;

	import_text(
		imported,
		"time,domain,power_w\n0,node,100\nx,node,1\n1,,1\n1,node,-5\n1\n1,node,abc\n1,\"no\"de,1\n1,a/,5\n1,node,100\n");
	es_imported_open(imported, 0);

	assert_near(es_imported_j(imported, "node"), 100, 1e-9);
	assert_true(es_imported_has_warning(imported, "line 3: no time"));
	assert_true(es_imported_has_warning(imported, "line 4: no domain"));
	assert_true(es_imported_has_warning(imported, "line 5: power_w is no power"));
	assert_true(es_imported_has_warning(imported, "line 6: too few fields"));
	assert_false(es_imported_has_warning(imported, "line 8"));
	assert_true(es_imported_has_warning(imported, "7 of 9 lines cannot be read"));
}

static void a_file_of_bad_lines_is_refused(void **state)
{
	struct es_imported *imported = *state;

	import_text(imported, "time,domain,power_w\nx,y,z\n");

	assert_int_equal(imported->r, -EBADMSG);
	assert_non_null(strstr(imported->err.text, "none of its 1 lines can be read"));
}

static void numbers_at_the_edge_do_no_harm(void **state)
{
	struct es_imported *imported = *state;

	import_text(
		imported,
		"time,domain,energy_j\n-9e9,node,1\n9e9,node,2\n1e300,node,2\n99999999999999999999,node,3\n1,node,1e30\n2,node,1e999\n");

	assert_true(imported->r == 0 || imported->r == -EBADMSG);
}

#define CSV_TEST(name) \
	cmocka_unit_test_setup_teardown(name, es_imported_setup, es_imported_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CSV_TEST(powers_are_integrated),
		CSV_TEST(energies_are_counters),
		CSV_TEST(both_columns_nodes_quotes_and_marks_are_taken),
		CSV_TEST(times_out_of_order_are_sorted),
		CSV_TEST(bad_lines_are_counted_and_the_first_are_named),
		CSV_TEST(a_file_of_bad_lines_is_refused),
		CSV_TEST(numbers_at_the_edge_do_no_harm),
	};

	return cmocka_run_group_tests_name("format/import_csv", tests, NULL, NULL);
}
