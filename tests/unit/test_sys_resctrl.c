/*
 * test_sys_resctrl.c - memory traffic by resource control: groups, caches, and counters that are not there
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/tree.h"
#include "sys/resctrl.h"

#define TOP "sys/fs/resctrl/"
#define LATER_NS (11 * ES_NS_PER_S) /* when new groups are looked for */

struct fixture {
	char dir[64];
	struct es_root root;
	struct es_resctrl *resctrl;
	uint64_t bytes[ES_RESCTRL_DOMAINS_MAX];
	int errors[ES_RESCTRL_DOMAINS_MAX];
	int64_t now_ns;
};

static void put(const struct fixture *f, const char *group, unsigned cache, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), TOP "%smon_data/mon_L3_%02u/mbm_total_bytes", group,
		       cache);
	assert_int_equal(es_tree_write(f->dir, path, text, 0644), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	f->now_ns = es_clock_boot_ns();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_resctrl_close(f->resctrl);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void open_it(struct fixture *f)
{
	assert_int_equal(es_resctrl_open(&f->root, &f->resctrl, NULL), 0);
}

static void read_it(struct fixture *f)
{
	es_resctrl_read(f->resctrl, f->now_ns, f->bytes, f->errors);
}

static void traffic_is_the_sum_of_all_groups_since_the_open(void **state)
{
	struct fixture *f = *state;

	put(f, "", 0, "1000\n");
	put(f, "", 1, "2000\n");
	put(f, "batch/", 0, "500\n");
	put(f, "batch/", 1, "600\n");
	/* A group of monitoring is part of its group of control: it is not counted twice. */
	put(f, "batch/mon_groups/job1/", 0, "400\n");
	open_it(f);
	put(f, "", 0, "1010\n");
	put(f, "batch/", 0, "700\n");
	put(f, "batch/", 1, "601\n");
	read_it(f);

	assert_int_equal(es_resctrl_n_domains(f->resctrl), 2);
	assert_int_equal(es_resctrl_domain(f->resctrl, 1), 1);
	assert_int_equal(f->errors[0], 0);
	assert_int_equal(f->bytes[0], 10 + 200);
	assert_int_equal(f->bytes[1], 1);
}

static void a_group_that_is_made_meanwhile_counts_from_zero(void **state)
{
	struct fixture *f = *state;

	put(f, "", 0, "1000\n");
	open_it(f);
	put(f, "new/", 0, "300\n");
	read_it(f);
	assert_int_equal(f->bytes[0], 0); /* not yet looked for */

	f->now_ns += LATER_NS;
	read_it(f);
	put(f, "new/", 0, "310\n");
	read_it(f);

	assert_int_equal(f->bytes[0], 310);
}

static void a_group_that_is_gone_is_no_error_for_long(void **state)
{
	struct fixture *f = *state;
	char path[128];

	put(f, "", 0, "1000\n");
	put(f, "old/", 0, "50\n");
	open_it(f);
	(void)snprintf(path, sizeof(path), "%s/" TOP "old", f->dir);
	es_tree_remove(path);
	f->now_ns += LATER_NS;
	put(f, "", 0, "1003\n");
	read_it(f);

	assert_int_equal(f->errors[0], 0);
	assert_int_equal(f->bytes[0], 3);
}

static void a_step_back_is_no_wrap(void **state)
{
	struct fixture *f = *state;

	put(f, "", 0, "16000000\n");
	open_it(f);
	put(f, "", 0, "5\n");
	read_it(f);
	put(f, "", 0, "25\n");
	read_it(f);

	assert_int_equal(f->bytes[0], 20);
}

static void unavailable_for_a_moment_loses_nothing(void **state)
{
	struct fixture *f = *state;

	put(f, "", 0, "1000\n");
	open_it(f);
	put(f, "", 0, "Unavailable\n");
	read_it(f);
	assert_int_equal(f->errors[0], -ENODATA);

	put(f, "", 0, "1500\n");
	read_it(f);

	assert_int_equal(f->errors[0], 0);
	assert_int_equal(f->bytes[0], 500);
}

static void counters_that_are_nobodys_are_as_good_as_none(void **state)
{
	struct fixture *f = *state;
	struct es_error err = { .code = 0 };

	put(f, "", 0, "Unassigned\n");
	assert_int_equal(es_resctrl_open(&f->root, &f->resctrl, &err), -ENODEV);
	assert_non_null(strstr(err.text, "assigned"));

	put(f, "", 0, "Unavailable\n");
	assert_int_equal(es_resctrl_open(&f->root, &f->resctrl, &err), -ENODEV);
	assert_non_null(strstr(err.text, "unavailable"));
}

static void without_a_mount_that_is_said(void **state)
{
	struct fixture *f = *state;
	struct es_error err = { .code = 0 };

	assert_int_equal(es_resctrl_open(&f->root, &f->resctrl, &err), -ENODEV);
	assert_non_null(strstr(err.text, "not mounted"));

	assert_int_equal(es_tree_write(f->dir, TOP "info/L3/cbm_mask", "fff\n", 0644), 0);
	assert_int_equal(es_resctrl_open(&f->root, &f->resctrl, &err), -ENODEV);
	assert_non_null(strstr(err.text, "does not count"));
}

static void texts_are_numbers_or_known_words(void **state)
{
	static const struct {
		const char *text;
		int r;
	} texts[] = { { "0\n", 0 },
		      { "18446744073709551615\n", 0 },
		      { "Unavailable\n", -ENODATA },
		      { "Unassigned\n", -ENOLINK },
		      { "Error\n", -EIO },
		      { "", -EBADMSG },
		      { "12", -EBADMSG },
		      { "-1\n", -EBADMSG },
		      { "nan\n", -EBADMSG } };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		uint64_t v;

		assert_int_equal(es_resctrl_parse(texts[i].text, strlen(texts[i].text), &v),
				 texts[i].r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(traffic_is_the_sum_of_all_groups_since_the_open,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_group_that_is_made_meanwhile_counts_from_zero,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_group_that_is_gone_is_no_error_for_long, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_step_back_is_no_wrap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unavailable_for_a_moment_loses_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(counters_that_are_nobodys_are_as_good_as_none,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_mount_that_is_said, set_up, tear_down),
		cmocka_unit_test(texts_are_numbers_or_known_words),
	};

	return cmocka_run_group_tests_name("sys/resctrl", tests, NULL, NULL);
}
