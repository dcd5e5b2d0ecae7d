/*
 * test_cli_sheet.c - tables of measurements: their groups and units
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/sheet.h"
#include "cli/wholefile.h"

static void parse(const char *text, struct es_sheet *sheet)
{
	*sheet = (struct es_sheet){ .n = 0 };
	assert_int_equal(es_sheet_parse("t.csv", strdup(text), strlen(text), sheet, NULL), 0);
}

static void rows_with_the_same_words_are_a_group(void **state)
{
	static const char text[] = "gpu,\"a,b\",batch,t\n"
				   "v,x,16,1\nr,x,8,2\nv,x,8,3\nv,x,16,4\nr,y,128,5\nv,,8.0,6\n";
	static const char *const names[] = { "r / 8", "r / 128", "v / 8", "v / 8.0", "v / 16" };
	static const size_t rows[] = { 1, 4, 2, 5, 0, 3 };
	int columns[ES_SHEET_GROUP_COLUMNS_MAX];
	struct es_sheet_groups groups;
	struct es_sheet sheet;
	size_t n = 0;

	(void)state;
	parse(text, &sheet);
	assert_int_equal(es_sheet_find_list(&sheet, "group", "gpu,batch", 8, columns, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(es_sheet_group(&sheet, columns, n, &groups), 0);

	assert_int_equal(groups.n, ES_ARRAY_SIZE(names));
	for (size_t i = 0; i < groups.n; i++)
		assert_string_equal(groups.names[i], names[i]);
	assert_memory_equal(groups.rows, rows, sizeof(rows));
	assert_int_equal(groups.first[5], 6);
	assert_int_equal(groups.first[4], 4);
	es_sheet_groups_finish(&groups);
	/* None: one group of all, in the order of the table. */
	assert_int_equal(es_sheet_group(&sheet, columns, 0, &groups), 0);
	assert_int_equal(groups.n, 1);
	assert_string_equal(groups.names[0], "");
	for (size_t i = 0; i < sheet.n; i++)
		assert_int_equal(groups.rows[i], i);
	es_sheet_groups_finish(&groups);
	es_sheet_finish(&sheet);
}

static void lists_of_columns_are_taken_apart(void **state)
{
	int columns[2];
	struct es_error err = { .code = 0 };
	struct es_sheet sheet;
	size_t n = 0;

	(void)state;
	parse("gpu,\"a,b\",batch,t\nv,x,16,1\n", &sheet);
	assert_int_equal(es_sheet_find_list(&sheet, "group", "a,b", 2, columns, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(columns[0], 1);
	assert_int_equal(es_sheet_find_list(&sheet, "group", "gpu,batsh", 2, columns, &n, &err),
			 -ENOENT);
	assert_non_null(strstr(err.text, "did you mean 'batch'"));
	assert_int_equal(es_sheet_find_list(&sheet, "group", "a,b", 2, columns, &n, &err), -EINVAL);
	assert_non_null(strstr(err.text, "twice"));
	n = 0;
	assert_int_equal(es_sheet_find_list(&sheet, "group", "gpu,batch,t", 2, columns, &n, &err),
			 -E2BIG);
	es_sheet_finish(&sheet);
}

static void units_are_read_from_names(void **state)
{
	static const struct {
		const char *name;
		double time, energy;
	} cases[] = {
		{ "time_ms", 1e-3, 1 },	      { "Time[s]", 1, 1 },
		{ "Time [min]", 60, 1 },      { "Energy[Wh]", 1, 3600 },
		{ "energy_kJ", 1, 1e3 },      { "ms", 1, 1 },
		{ "Energy (kWh)", 1, 3.6e6 }, { "time us", 1e-6, 1 },
		{ "time_ms_mean", 1e-3, 1 },  { "time_ms_min", 1e-3, 1 },
		{ "time_min", 60, 1 },	      { "energy_kJ_total", 1, 1e3 },
		{ "time_mean", 1, 1 },	      { "mean", 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(cases); i++) {
		assert_true(fabs(es_sheet_time_unit(cases[i].name) / cases[i].time - 1) < 1e-12);
		assert_true(fabs(es_sheet_energy_unit(cases[i].name) / cases[i].energy - 1) <
			    1e-12);
	}
}

static void only_whole_regular_files_are_read(void **state)
{
	char folder[] = "/tmp/es-test-XXXXXX", path[64];
	struct es_error err = { .code = 0 };
	size_t n = 0;
	char *text;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/f", folder);
	assert_int_equal(es_file_read(path, 1 << 20, &text, &n, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(es_file_read(path, 1 << 20, &text, &n, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no regular file of at most 1 MiB"));
	assert_int_equal(unlink(path), 0);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fputs("a,b\n", file) < 0, 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(es_file_read(path, 3, &text, &n, &err), -EINVAL);
	assert_int_equal(es_file_read(path, 4, &text, &n, &err), 0);
	assert_int_equal(n, 4);
	assert_string_equal(text, "a,b\n");
	free(text);
	assert_int_equal(es_file_read(folder, 1 << 20, &text, &n, &err), -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_with_the_same_words_are_a_group),
		cmocka_unit_test(lists_of_columns_are_taken_apart),
		cmocka_unit_test(units_are_read_from_names),
		cmocka_unit_test(only_whole_regular_files_are_read),
	};

	return cmocka_run_group_tests_name("cli/sheet", tests, NULL, NULL);
}
