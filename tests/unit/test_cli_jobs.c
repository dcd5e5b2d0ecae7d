/*
 * test_cli_jobs.c - lists of CPUs and nodes as schedulers write them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdint.h>

#include "cli/jobs.h"

static void nodes_are_counted(void **state)
{
	static const struct {
		const char *list;
		uint32_t n;
	} lists[] = {
		{ "n1", 1 },
		{ "n1,n2", 2 },
		{ "n[1-4]", 4 },
		{ "gpu[001-004,9],login", 6 },
		{ "r[1-2]n[1-8]", 16 },
		{ "n[1-4].site.org,x", 5 },
		{ "[1-3]", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		assert_int_equal(es_jobs_count_nodes(lists[i].list), lists[i].n);
}

static void what_is_no_list_has_no_number(void **state)
{
	static const char *const lists[] = { "",	"n1,",
					     ",n1",	"n1,,n2",
					     "n[1-4",	"n1]",
					     "n[]",	"n[4-1]",
					     "n[a-b]",	"n[1-4]]",
					     "n[1-,2]", "n[[1]]",
					     "n[1-]",	"a[0-60000]b[0-60000]c[0-60000]" };

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		assert_int_equal(es_jobs_count_nodes(lists[i]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_are_counted),
		cmocka_unit_test(what_is_no_list_has_no_number),
	};

	return cmocka_run_group_tests_name("cli/jobs", tests, NULL, NULL);
}
