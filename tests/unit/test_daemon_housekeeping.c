/*
 * test_daemon_housekeeping.c - CPUs that no job has for itself
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/housekeeping.h"
#include "daemon/rights.h"
#include "support/tree.h"

#define CPU "sys/devices/system/cpu/"

static void expect_set(const cpu_set_t *set, const char *list)
{
	cpu_set_t want;

	assert_int_equal(es_cpulist_set(list, &want), 0);
	assert_true(CPU_EQUAL(set, &want));
}

static void lists_are_those_of_the_kernel(void **state)
{
	static const char *const wrong[] = { "x",   "1-",    "-1",     "3-1", "1,,2",
					     "1 2", "1-2-3", "(null)", "1;2" };
	cpu_set_t set;

	(void)state;
	assert_int_equal(es_cpulist_set("0-2,5,7-7", &set), 0);
	assert_int_equal(CPU_COUNT(&set), 5);
	assert_true(CPU_ISSET(5, &set) && CPU_ISSET(7, &set) && !CPU_ISSET(3, &set));
	assert_int_equal(es_cpulist_set("", &set), 0);
	assert_int_equal(CPU_COUNT(&set), 0);
	assert_int_equal(es_cpulist_set("0-99999999999999", &set), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(es_cpulist_set(wrong[i], &set), -EBADMSG);
}

static void isolated_cpus_are_left_to_jobs(void **state)
{
	static const struct {
		const char *nohz, *isolated, *allowed, *want;
		int first;
	} cases[] = {
		{ "(null)\n", "\n", "0-7", "0-7", 0 }, { "1-7\n", "\n", "0-7", "0", 0 },
		{ "\n", "0-3\n", "0-7", "4-7", 4 },    { "0-1\n", "2-3\n", "0-7", "4-7", 4 },
		{ "0-7\n", "0-7\n", "0-7", "0-7", 0 }, /* then anywhere */
		{ "\n", "\n", "6,7", "6,7", 6 }, /* as a scheduler keeps them */
		{ "6\n", "\n", "6,7", "7", 7 },
	};
	struct es_root root;
	char dir[64];

	(void)state;
	assert_int_equal(es_tree_temp(dir), 0);
	assert_int_equal(es_root_open(dir, -1, &root, NULL), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cpu_set_t allowed, set;

		assert_int_equal(es_tree_write(dir, CPU "nohz_full", cases[i].nohz, 0644), 0);
		assert_int_equal(es_tree_write(dir, CPU "isolated", cases[i].isolated, 0644), 0);
		assert_int_equal(es_cpulist_set(cases[i].allowed, &allowed), 0);
		es_housekeeping_find(&root, &allowed, &set);
		expect_set(&set, cases[i].want);
		assert_int_equal(es_housekeeping_first(&set), cases[i].first);
	}
	es_root_close(&root);
	es_tree_remove(dir);
}

/* With jobs: tests/e2e/test_daemon.py, which can be several users. */
static void views_follow_from_who_asks(void **state)
{
	const struct es_peer admin = { .uid = 5, .has_uid = true, .is_admin = true };
	const struct es_peer user = { .uid = 1000, .has_uid = true };
	struct es_daemon_config config = { .serve = ES_SERVE_JOBS };
	struct es_rights rights;

	(void)state;
	es_rights_judge(&admin, NULL, &config, &rights);
	assert_int_equal(rights.view, ES_LOCAL_VIEW_NODE);
	assert_int_equal(rights.least_period_ns, 1000000);
	es_rights_judge(&user, NULL, &config, &rights);
	assert_int_equal(rights.view, ES_LOCAL_VIEW_NOTHING);
	assert_true(rights.words[0] != '\0');
	config.has_fast_readings = true;
	es_rights_judge(&user, NULL, &config, &rights);
	assert_int_equal(rights.view, ES_LOCAL_VIEW_NOTHING);
	config.serve = ES_SERVE_EVERYBODY;
	es_rights_judge(&user, NULL, &config, &rights);
	assert_int_equal(rights.view, ES_LOCAL_VIEW_NODE);
	assert_int_equal(rights.least_period_ns, 1000000);
	config.has_fast_readings = false;
	es_rights_judge(&user, NULL, &config, &rights);
	assert_int_equal(rights.view, ES_LOCAL_VIEW_NODE);
	assert_int_equal(rights.least_period_ns, 100000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_those_of_the_kernel),
		cmocka_unit_test(isolated_cpus_are_left_to_jobs),
		cmocka_unit_test(views_follow_from_who_asks),
	};

	return cmocka_run_group_tests_name("daemon/housekeeping", tests, NULL, NULL);
}
