/*
 * test_sys_cpus.c - CPUs and their places: holes, dies, CPUs that went away, thousands of them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/tree.h"
#include "sys/cpus.h"

#define CPU "sys/devices/system/cpu"

struct fixture {
	char dir[64];
	struct es_root root;
	struct es_cpus cpus;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_cpus_finish(&f->cpus);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void put(const struct fixture *f, const char *path, const char *text)
{
	assert_int_equal(es_tree_write(f->dir, path, text, 0644), 0);
}

static void put_id(const struct fixture *f, unsigned cpu, const char *what, const char *text)
{
	char path[128];

	(void)snprintf(path, sizeof(path), CPU "/cpu%u/topology/%s", cpu, what);
	put(f, path, text);
}

static void cpus_come_in_the_order_of_their_places(void **state)
{
	static const struct {
		unsigned cpu;
		const char *package, *die, *core;
	} given[] = { { 0, "0\n", "0\n", "0\n" },
		      { 1, "1\n", "0\n", "0\n" },
		      { 2, "0\n", "1\n", "4\n" },
		      { 3, "0\n", "0\n", "0\n" } };
	static const uint32_t order[] = { 0, 3, 2, 1 };
	struct fixture *f = *state;

	put(f, CPU "/online", "0-3\n");
	for (size_t i = 0; i < 4; i++) {
		put_id(f, given[i].cpu, "physical_package_id", given[i].package);
		put_id(f, given[i].cpu, "die_id", given[i].die);
		put_id(f, given[i].cpu, "core_id", given[i].core);
	}
	assert_int_equal(es_cpus_read(&f->root, true, &f->cpus), 0);

	assert_int_equal(f->cpus.n, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(f->cpus.cpu[i].cpu, order[i]);
	assert_int_equal(f->cpus.cpu[2].die, 1);
	assert_int_equal(f->cpus.cpu[2].core, 4);
	es_cpus_finish(&f->cpus);
	assert_int_equal(es_cpus_read(&f->root, false, &f->cpus), 0);
	assert_int_equal(f->cpus.cpu[1].cpu, 3);
	assert_int_equal(f->cpus.cpu[1].core, 3);
}

static void lists_of_siblings_tell_the_places_of_others(void **state)
{
	struct fixture *f = *state;

	put(f, CPU "/online", "0-7,20000\n");
	put_id(f, 0, "physical_package_id", "1\n");
	put_id(f, 0, "die_id", "2\n");
	put_id(f, 0, "die_cpus_list", "0-2,5\n");
	/* A kernel that knows no dies tells packages. */
	put_id(f, 3, "physical_package_id", "0\n");
	put_id(f, 3, "core_siblings_list", "3,4\n");
	/* What is no list tells nothing; what it names and is not online is not there. */
	put_id(f, 6, "physical_package_id", "0\n");
	put_id(f, 6, "core_siblings_list", "6,9-8,x\n");
	put_id(f, 20000, "physical_package_id", "0\n");
	put_id(f, 20000, "core_siblings_list", "20000,99\n");
	assert_int_equal(es_cpus_read(&f->root, false, &f->cpus), 0);

	assert_int_equal(f->cpus.n, 8);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(f->cpus.cpu[i].package, 0);
	assert_int_equal(f->cpus.cpu[3].cpu, 20000);
	for (size_t i = 4; i < 8; i++) {
		assert_int_equal(f->cpus.cpu[i].package, 1);
		assert_int_equal(f->cpus.cpu[i].die, 2);
	}
	assert_int_equal(f->cpus.cpu[7].cpu, 5);
	assert_int_equal(f->cpus.cpu[7].core, 5);
}

static void numbers_have_holes_and_a_cpu_without_a_place_is_gone(void **state)
{
	struct fixture *f = *state;

	put(f, CPU "/online", "0,7,4095\n");
	put_id(f, 0, "physical_package_id", "0\n");
	put_id(f, 4095, "physical_package_id", "3\n");
	assert_int_equal(es_cpus_read(&f->root, true, &f->cpus), 0);

	assert_int_equal(f->cpus.n, 2);
	assert_int_equal(f->cpus.cpu[1].cpu, 4095);
	assert_int_equal(f->cpus.cpu[1].package, 3);
	/* What the kernel does not tell: one die, and every CPU a core. */
	assert_int_equal(f->cpus.cpu[1].die, 0);
	assert_int_equal(f->cpus.cpu[1].core, 4095);
}

static void a_hypervisor_that_knows_no_packages_has_one(void **state)
{
	struct fixture *f = *state;

	put(f, CPU "/online", "0-1\n");
	put_id(f, 0, "physical_package_id", "-1\n");
	put_id(f, 1, "physical_package_id", "rubbish\n");
	assert_int_equal(es_cpus_read(&f->root, true, &f->cpus), 0);

	assert_int_equal(f->cpus.n, 2);
	assert_int_equal(f->cpus.cpu[0].package, 0);
	assert_int_equal(f->cpus.cpu[1].package, 0);
}

static void four_thousand_cpus_with_holes_are_all_seen(void **state)
{
	struct fixture *f = *state;
	char *list = malloc(4096 * 6);
	size_t n = 0;

	assert_non_null(list);
	/* Every second CPU is there: the list is longer than a page. */
	for (unsigned cpu = 0; cpu < 4096; cpu += 2) {
		char package[16];

		n += (size_t)snprintf(list + n, 8, "%s%u", cpu ? "," : "", cpu);
		(void)snprintf(package, sizeof(package), "%u\n", cpu / 512);
		put_id(f, cpu, "physical_package_id", package);
	}
	put(f, CPU "/online", list);
	free(list);
	assert_int_equal(es_cpus_read(&f->root, true, &f->cpus), 0);

	assert_int_equal(f->cpus.n, 2048);
	assert_int_equal(f->cpus.cpu[2047].cpu, 4094);
	assert_int_equal(f->cpus.cpu[2047].package, 7);
}

static void what_is_no_list_is_an_error(void **state)
{
	static const struct {
		const char *text;
		int error;
	} lists[] = { { "\n", -ENODEV },
		      { "", -ENODEV },
		      { "0-x\n", -EBADMSG },
		      { "3-1\n", -EBADMSG },
		      { "99999999\n", -EBADMSG },
		      { "5\n", -ENODEV },
		      { "0-65535,0-65535\n", -E2BIG } };
	struct fixture *f = *state;

	assert_int_equal(es_cpus_read(&f->root, true, &f->cpus), -ENOENT);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		put(f, CPU "/online", lists[i].text);
		assert_int_equal(es_cpus_read(&f->root, true, &f->cpus), lists[i].error);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(cpus_come_in_the_order_of_their_places),
		T(lists_of_siblings_tell_the_places_of_others),
		T(numbers_have_holes_and_a_cpu_without_a_place_is_gone),
		T(a_hypervisor_that_knows_no_packages_has_one),
		T(four_thousand_cpus_with_holes_are_all_seen),
		T(what_is_no_list_is_an_error),
	};
#undef T

	return cmocka_run_group_tests_name("sys/cpus", tests, NULL, NULL);
}
