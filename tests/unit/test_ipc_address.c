/*
 * test_ipc_address.c - folders for sockets, also where somebody was there before
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/address.h"

static void a_path_that_the_kernel_does_not_take_is_refused(void **state)
{
	struct sockaddr_un address;
	char path[ES_IPC_PATH_MAX_BYTES + 1];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 2] = '\0';
	assert_int_equal(es_ipc_address(path, &address), 0);
	assert_string_equal(address.sun_path, path);
	path[sizeof(path) - 2] = 'x';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(es_ipc_address(path, &address), -ENAMETOOLONG);
}

static void a_folder_of_its_own_is_private(void **state)
{
	char path[ES_IPC_PATH_MAX_BYTES], another[ES_IPC_PATH_MAX_BYTES];
	struct stat st;

	(void)state;
	assert_int_equal(es_ipc_make_folder(2, path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(es_ipc_make_folder(2, another), 0);
	assert_string_not_equal(path, another);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(another), 0);
}

static void variables_that_do_not_help_are_passed_over(void **state)
{
	char path[ES_IPC_PATH_MAX_BYTES], text[200];

	(void)state;
	assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
	assert_int_equal(es_ipc_make_folder(0, path), -ENOENT);
	assert_int_equal(es_ipc_control_folder(1, path), -ENOENT);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "relative", 1), 0);
	assert_int_equal(es_ipc_make_folder(0, path), -ENOENT);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "/nonexistent", 1), 0);
	assert_int_equal(es_ipc_make_folder(0, path), -ENOENT);
	memset(text, 'x', sizeof(text));
	text[0] = '/';
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(setenv("TMPDIR", text, 1), 0);
	assert_int_equal(es_ipc_make_folder(1, path), -ENAMETOOLONG);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", text, 1), 0);
	assert_int_equal(es_ipc_control_folder(1, path), -ENAMETOOLONG);
	assert_int_equal(es_ipc_control_folder(0, path), 0);
	assert_int_equal(strncmp(path, "/tmp/energyscopium-", 19), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "/run/user/7", 1), 0);
	assert_int_equal(es_ipc_control_folder(1, path), 0);
	assert_string_equal(path, "/run/user/7/energyscopium");

	assert_int_equal(setenv(ES_IPC_FOLDER_VARIABLE, "/given", 1), 0);
	assert_int_equal(es_ipc_control_folder(0, path), 0);
	assert_string_equal(path, "/given");
	assert_int_equal(es_ipc_control_folder(1, path), -ENOENT);
	assert_int_equal(unsetenv(ES_IPC_FOLDER_VARIABLE), 0);
}

static void a_folder_that_others_made_or_may_use_is_refused(void **state)
{
	char path[] = "/tmp/es-ipc-XXXXXX", link[sizeof(path) + 8];
	struct es_error err = { .code = 0 };
	int fd;

	(void)state;
	assert_non_null(mkdtemp(path));
	fd = es_ipc_check_folder(path, &err);
	assert_true(fd >= 0);
	(void)close(fd);

	assert_int_equal(chmod(path, 0770), 0);
	assert_int_equal(es_ipc_check_folder(path, &err), -EPERM);
	assert_non_null(strstr(err.text, "chmod 700"));
	assert_int_equal(chmod(path, 0700), 0);
	(void)snprintf(link, sizeof(link), "%s.link", path);
	assert_int_equal(symlink(path, link), 0);
	assert_true(es_ipc_check_folder(link, &err) < 0);
	assert_int_equal(unlink(link), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 54321, 54321), 0);
		assert_int_equal(es_ipc_check_folder(path, &err), -EPERM);
		assert_non_null(strstr(err.text, "54321"));
	}
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(es_ipc_check_folder(path, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_that_the_kernel_does_not_take_is_refused),
		cmocka_unit_test(a_folder_of_its_own_is_private),
		cmocka_unit_test(variables_that_do_not_help_are_passed_over),
		cmocka_unit_test(a_folder_that_others_made_or_may_use_is_refused),
	};

	return cmocka_run_group_tests_name("ipc/address", tests, NULL, NULL);
}
