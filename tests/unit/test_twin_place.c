/*
 * test_twin_place.c - which folders a twin may be mounted at
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test.h"

static char folder[] = "/tmp/es-place-XXXXXX";

static int set_up(void **state)
{
	char *made;

	(void)strcpy(folder + strlen(folder) - 6, "XXXXXX");
	made = mkdtemp(folder);
	*state = made;
	return made ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void a_missing_folder_is_made_with_those_above_it(void **state)
{
	char path[128], want[128];
	struct es_twin_place place;
	struct es_error err = { .code = 0 };
	struct stat st;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/a/b/", folder);
	(void)snprintf(want, sizeof(want), "%s/a/b", folder);

	assert_int_equal(es_twin_place_open(path, &place, &err), 0);
	assert_string_equal(place.path, want);
	assert_int_equal(stat(want, &st), 0);
	assert_true(S_ISDIR(st.st_mode));

	es_twin_place_close(&place);
	assert_int_equal(place.fd, -1);
	assert_int_equal(rmdir(want), 0);
	(void)snprintf(want, sizeof(want), "%s/a", folder);
	assert_int_equal(rmdir(want), 0);
}

static void what_is_in_the_way_is_told(void **state)
{
	char path[128], below[160];
	struct es_twin_place place = { .fd = -2 };
	struct es_error err = { .code = 0 };
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);

	assert_int_equal(es_twin_place_open(folder, &place, &err), -ENOTEMPTY);
	assert_non_null(strstr(err.text, "'file'"));
	assert_int_equal(es_twin_place_open(path, &place, &err), -ENOTDIR);
	assert_non_null(strstr(err.text, "no folder"));
	(void)snprintf(below, sizeof(below), "%s/a", path);
	assert_int_equal(es_twin_place_open(below, &place, &err), -ENOTDIR);
	assert_int_equal(es_twin_place_open("/proc", &place, &err), -EBUSY);
	assert_non_null(strstr(err.text, "proc"));
	/* Nothing was had. */
	assert_int_equal(place.fd, -2);

	assert_int_equal(unlink(path), 0);
}

static void one_at_a_time_has_a_folder(void **state)
{
	struct es_twin_place first, second;
	struct es_error err = { .code = 0 };

	(void)state;
	assert_int_equal(es_twin_place_open(folder, &first, &err), 0);
	assert_int_equal(es_twin_place_open(folder, &second, &err), -EBUSY);
	assert_non_null(strstr(err.text, "another twin"));

	es_twin_place_close(&first);
	assert_int_equal(es_twin_place_open(folder, &second, &err), 0);
	es_twin_place_close(&second);
}

static void users_share_where_the_file_says_so(void **state)
{
	(void)state;
	assert_true(es_twin_fuse_allows_others("user_allow_other"));
	assert_true(es_twin_fuse_allows_others("# words\nmount_max = 7\n  user_allow_other \r\n"));
	assert_false(es_twin_fuse_allows_others(""));
	assert_false(es_twin_fuse_allows_others("\n\n"));
	assert_false(es_twin_fuse_allows_others("#user_allow_other\n"));
	assert_false(es_twin_fuse_allows_others("user_allow_others\n"));
	assert_false(es_twin_fuse_allows_others("user_allow_other = no\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_missing_folder_is_made_with_those_above_it),
		TEST(what_is_in_the_way_is_told),
		TEST(one_at_a_time_has_a_folder),
		TEST(users_share_where_the_file_says_so),
	};

	return cmocka_run_group_tests_name("twin/place", tests, NULL, NULL);
}
