/*
 * test_format_import_bad.c - imports of what is nothing, broken, or meant to do harm
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/esmaker.h"
#include "support/imported.h"
#include "support/random.h"

static void what_is_not_recognised_gets_a_list_of_what_is(void **state)
{
	struct es_imported *imported = *state;

	es_imported_put_text(imported, "a", "hello\n");
	es_imported_put_text(imported, "b", "{\"a\": 1}");
	es_imported_put_text(imported, "c", "time,power\n1,2\n");

	assert_int_equal(es_imported_run(imported, NULL), -ENODATA);
	assert_non_null(
		strstr(imported->err.text, "nothing in it (3 files of text) is recognised"));
	assert_non_null(strstr(imported->err.text, "ClusterCockpit"));
	assert_int_equal(imported->result.n, 0);
}

static void totals_alone_say_what_is_missing(void **state)
{
	struct es_imported *imported = *state;

	es_imported_put_text(
		imported, "estat",
		"{\"date\": \"x\", \"pgm\": \"energy_scope@inria\", \"from_appli\": {\"jobid\": \"1\"}, \"arch\": {}}");

	assert_int_equal(es_imported_run(imported, NULL), -ENODATA);
	assert_non_null(strstr(imported->err.text, "totals only (estat, einfo)"));
}

static void one_broken_job_leaves_the_others_alone(void **state)
{
	struct es_imported *imported = *state;

	es_imported_put_text(imported, "a.csv", "time,domain,power_w\nx,y,z\n");
	es_imported_put_text(imported, "b.csv", "time,domain,power_w\n1,node,5\n2,node,5\n");

	assert_int_equal(es_imported_run(imported, NULL), 0);
	assert_int_equal(imported->result.n, 1);
	assert_true(es_imported_has_warning(imported, "none of its 1 lines"));
}

static void a_folder_that_cannot_be_written_is_said(void **state)
{
	struct es_imported *imported = *state;

	es_imported_put_text(imported, "b.csv", "time,domain,power_w\n1,node,5\n2,node,5\n");
	imported->options.out_dir = "/proc/nowhere/out";

	assert_true(es_imported_run(imported, NULL) < 0);
	assert_non_null(strstr(imported->err.text, "/proc/nowhere/out"));
}

static void several_jobs_of_one_name_get_numbers(void **state)
{
	struct es_imported *imported = *state;

	es_imported_put_text(imported, "a/x.csv", "time,domain,power_w\n1,node,5\n2,node,5\n");
	es_imported_put_text(imported, "b/x.csv", "time,domain,power_w\n1,node,5\n2,node,5\n");

	assert_int_equal(es_imported_run(imported, NULL), 0);
	assert_int_equal(imported->result.n, 2);
	assert_non_null(strstr(imported->result.recordings[0], "/x.esr"));
	assert_non_null(strstr(imported->result.recordings[1], "/x-2.esr"));
}

/* Bytes changed, cut out and doubled at random in valid files: no crash, no reading past the end, an answer each time. */
static void mangled_files_are_survived(void **state)
{
	static const char *const profiles[] = {
		"{\"schema\": \"energyscopium.eprofile/1\", \"eprofile_period(ms)\": 100, \"tags\": {\"a\": {\"start(sec)\": 0}}, \"devices\": "
		"{\"n/package-0\": [1, 1, 2, null, 3]}, \"energyscopium\": {\"period_ns\": 100000000, \"domains\": [{\"device\": \"n/package-0\", "
		"\"energy_uj\": 600000}]}}",
		"{\"eprofile_period(ms)\": 500, \"tags\": {}, \"etotal(W)\": [120, 120, 130.5, 140], \"ecpu(W)\": [100, 100, 110.5, 120]}",
		"time,domain,energy_j\n1,package-0,5\n2,\"dram-0\",6\n3,n/gpu-0,7\n",
	};
	struct es_imported *imported = *state;
	struct es_maker maker = { .n_packages = 2, .n_gpus = 2, .n_sweeps = 6 };
	uint64_t random = 99;

	es_maker_run(&maker);
	imported->options.may_replace = true;
	for (unsigned round = 0; round < 300; round++) {
		const char *from = round % 4 == 3 ? (const char *)maker.raw.data
						  : profiles[round % 4];
		size_t n = round % 4 == 3 ? maker.raw.len : strlen(from);
		char *copy = malloc(n);

		assert_non_null(copy);
		memcpy(copy, from, n);
		for (unsigned k = 0; k <= test_random_below(&random, 4); k++) {
			size_t at = test_random_below(&random, n),
			       to = test_random_below(&random, n);

			if (test_random_below(&random, 2))
				copy[at] = "0123456789{}[]\",:-.eE\n\xff"[test_random_below(&random,
											    23)];
			else
				memmove(copy + at, copy + to, (n - (at > to ? at : to)) / 2);
		}
		es_imported_put(imported, "x", copy, n - test_random_below(&random, n / 4));
		es_imported_put(imported, "discovery", maker.discovery.data, maker.discovery.len);
		(void)es_imported_run(imported, NULL);
		assert_true(imported->r == 0 || imported->err.text[0]);
		for (size_t i = 0; imported->r == 0 && i < imported->result.n; i++)
			es_imported_open(imported, i);
		free(copy);
	}
	es_buf_finish(&maker.raw);
	es_buf_finish(&maker.discovery);
}

#define BAD_TEST(name) \
	cmocka_unit_test_setup_teardown(name, es_imported_setup, es_imported_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		BAD_TEST(what_is_not_recognised_gets_a_list_of_what_is),
		BAD_TEST(totals_alone_say_what_is_missing),
		BAD_TEST(one_broken_job_leaves_the_others_alone),
		BAD_TEST(a_folder_that_cannot_be_written_is_said),
		BAD_TEST(several_jobs_of_one_name_get_numbers),
		BAD_TEST(mangled_files_are_survived),
	};

	return cmocka_run_group_tests_name("format/import_bad", tests, NULL, NULL);
}
