/*
 * test_cli_hidden.c - which runtime hides which meters, on trees
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/hidden.h"
#include "support/tree.h"

#define ZONES "sys/devices/virtual/powercap"

struct fixture {
	char dir[64];
	struct es_root root;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	assert_int_equal(es_tree_write(f->dir, "proc/sys/kernel/hostname", "n1\n", 0444), 0);
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void put(const struct fixture *f, const char *path, const char *text)
{
	assert_int_equal(es_tree_write(f->dir, path, text, 0444), 0);
}

/* The class with a link to a zone, as sysfs has it. */
static void link_zone(const struct fixture *f)
{
	char path[256];

	put(f, "sys/class/powercap/uevent", "");
	(void)snprintf(path, sizeof(path), "%s/sys/class/powercap/uevent", f->dir);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/sys/class/powercap/intel-rapl:0", f->dir);
	assert_int_equal(symlink("../../devices/virtual/powercap/intel-rapl/intel-rapl:0", path),
			 0);
}

static struct es_hidden find(const struct fixture *f)
{
	struct es_hidden hidden;

	es_hidden_find(&f->root, &hidden);
	return hidden;
}

static void each_runtime_is_known_by_what_it_leaves(void **state)
{
	static const struct {
		const char *path, *text;
		enum es_runtime runtime;
		const char *fix;
	} vectors[] = {
		{ "run/systemd/container", "lxc\n", ES_RUNTIME_OTHER, "/host/sys" },
		{ ".singularity.d/runscript", "", ES_RUNTIME_APPTAINER,
		  "apptainer exec --bind /sys" },
		{ ".dockerenv", "", ES_RUNTIME_DOCKER, "systempaths=unconfined" },
		{ "run/.containerenv", "", ES_RUNTIME_PODMAN, "unmask=ALL" },
		{ "run/secrets/kubernetes.io/x", "", ES_RUNTIME_KUBERNETES, "hostPath" },
	};
	struct fixture *f = *state;

	link_zone(f);
	/* Each wins over those before it. */
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct es_hidden hidden;

		put(f, vectors[i].path, vectors[i].text);
		hidden = find(f);
		assert_int_equal(hidden.runtime, vectors[i].runtime);
		assert_int_equal(hidden.how, ES_HIDDEN_MASKED);
		assert_non_null(strstr(hidden.reason, "hides /sys/devices/virtual/powercap"));
		if (!strstr(hidden.fix, vectors[i].fix))
			fail_msg("no '%s' in '%s'", vectors[i].fix, hidden.fix);
		assert_true(strlen(hidden.fix) < sizeof(hidden.fix) - 1); /* not cut */
	}
}

static void zones_that_can_be_seen_are_not_hidden(void **state)
{
	struct fixture *f = *state;

	put(f, ".dockerenv", "");
	link_zone(f);
	put(f, ZONES "/intel-rapl/intel-rapl:0/name", "package-0\n");
	assert_int_equal(find(f).how, ES_HIDDEN_NOT);
	assert_string_equal(find(f).reason, "");
	assert_string_equal(find(f).fix, "");
}

/* Some kernels have no class: the runtime cannot hide what is not there. */
static void without_the_class_nothing_is_hidden(void **state)
{
	struct fixture *f = *state;

	put(f, ".dockerenv", "");
	put(f, "sys/class/net/x", "");
	assert_int_equal(find(f).how, ES_HIDDEN_NOT);
}

static void an_empty_class_below_a_mount_is_masked(void **state)
{
	struct fixture *f = *state;

	put(f, ".dockerenv", "");
	link_zone(f);
	{
		char path[256];

		(void)snprintf(path, sizeof(path), "%s/sys/class/powercap/intel-rapl:0", f->dir);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(find(f).how, ES_HIDDEN_NOT);
	put(f, "proc/self/mountinfo",
	    "1 0 0:1 / / rw - overlay overlay rw\n"
	    "2 1 0:2 / /sys/devices/virtual/powercap ro - tmpfs tmpfs ro\n");
	assert_int_equal(find(f).how, ES_HIDDEN_MASKED);
}

static void no_sysfs_is_told_in_a_container_only(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f).how, ES_HIDDEN_NOT); /* a tree that lacks it */
	put(f, ".dockerenv", "");
	assert_int_equal(find(f).how, ES_HIDDEN_NO_SYS);
	assert_string_equal(find(f).reason, "docker shows no /sys");
}

static void a_user_namespace_is_seen(void **state)
{
	struct fixture *f = *state;

	assert_false(find(f).is_user_namespace); /* not known */
	put(f, "proc/self/uid_map", "         0          0 4294967295\n");
	assert_false(find(f).is_user_namespace);
	assert_int_equal(chmod(f->dir, 0755), 0);
	put(f, "proc/self/uid_map", "         0     100000      65536\n");
	assert_true(find(f).is_user_namespace);
}

static void outside_of_containers_there_is_no_runtime(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f).runtime, ES_RUNTIME_NONE);
	assert_null(es_runtime_name(ES_RUNTIME_NONE));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_runtime_is_known_by_what_it_leaves),
		TEST(zones_that_can_be_seen_are_not_hidden),
		TEST(without_the_class_nothing_is_hidden),
		TEST(an_empty_class_below_a_mount_is_masked),
		TEST(no_sysfs_is_told_in_a_container_only),
		TEST(a_user_namespace_is_seen),
		TEST(outside_of_containers_there_is_no_runtime),
	};

	return cmocka_run_group_tests_name("cli/hidden", tests, NULL, NULL);
}
