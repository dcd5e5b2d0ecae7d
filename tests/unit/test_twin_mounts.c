/*
 * test_twin_mounts.c - what is mounted at a path
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/test.h"

static const char text[] =
	"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
	"90 22 0:51 / /mnt/a\\040b rw,nosuid,nodev,relatime - fuse.energyscopium-twin spr2s rw,user_id=1000,group_id=0\n"
	"this line is none\n"
	"91 22 0:52 / /mnt/c rw - fuse.energyscopium-twin x rw,user_id=0,group_id=0\n"
	"92 91 0:53 / /mnt/c rw shared:3 master:1 - tmpfs tmpfs rw\n"
	"94 22 0:55 / /mnt/liar rw - fuse.energyscopium-twin a,user_id=0 rw,user_id=1000,group_id=0\n"
	"93 22 0:54 / /mnt/cut";

static struct es_twin_mounted look(const char *path)
{
	struct es_twin_mounted mounted;

	es_twin_mounted_parse(text, path, &mounted);
	return mounted;
}

static void a_twin_is_known_by_its_type_and_its_owner(void **state)
{
	struct es_twin_mounted mounted = look("/mnt/a b");

	(void)state;
	assert_true(mounted.is_mount);
	assert_true(mounted.is_twin);
	assert_int_equal(mounted.id, 90);
	assert_int_equal(mounted.major, 0);
	assert_int_equal(mounted.minor, 51);
	assert_true(mounted.has_owner);
	assert_int_equal(mounted.owner, 1000);
	/* Its source is what any user likes. */
	assert_int_equal(look("/mnt/liar").owner, 1000);
}

static void what_is_mounted_last_counts(void **state)
{
	struct es_twin_mounted mounted = look("/mnt/c");

	(void)state;
	assert_true(mounted.is_mount);
	assert_false(mounted.is_twin);
	assert_false(mounted.has_owner);
	assert_string_equal(mounted.type, "tmpfs");
}

static void folders_in_and_above_a_mount_are_none(void **state)
{
	static const char *const paths[] = { "/mnt",	     "/mnt/a",	 "/mnt/a b/sys",
					     "/mnt/a\\040b", "/mnt/cut", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_false(look(paths[i]).is_mount);
}

/* In a chroot the root is no mount, but what is read about mounts is in one. */
static void this_machine_has_its_processes_mounted(void **state)
{
	struct es_twin_mounted mounted;

	(void)state;
	assert_int_equal(es_twin_mounted("/proc", &mounted), 0);
	assert_true(mounted.is_mount);
	assert_false(mounted.is_twin);
}

static void paths_become_absolute(void **state)
{
	char folder[] = "/tmp/es-mounts-XXXXXX", link[64], path[ES_PATH_MAX_BYTES];

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(symlink("../usr", link), 0);

	assert_int_equal(es_twin_mount_resolve(link, path), -ENOENT);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink(folder, link), 0);
	assert_int_equal(es_twin_mount_resolve(link, path), 0);
	assert_string_equal(path, folder);

	assert_int_equal(unlink(link), 0);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(es_twin_mount_resolve(folder, path), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_twin_is_known_by_its_type_and_its_owner),
		cmocka_unit_test(what_is_mounted_last_counts),
		cmocka_unit_test(folders_in_and_above_a_mount_are_none),
		cmocka_unit_test(this_machine_has_its_processes_mounted),
		cmocka_unit_test(paths_become_absolute),
	};

	return cmocka_run_group_tests_name("twin/mounts", tests, NULL, NULL);
}
