/*
 * test_slurm_args.c - unit tests for slurm/args.c
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "slurm/args.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "support/test.h"
#include "wire/local.h"

static void nothing_said_is_the_usual(void **state)
{
	struct es_slurm_args args;

	(void)state;
	assert_int_equal(es_slurm_args_read(0, NULL, "n1", &args, NULL), 0);
	assert_string_equal(args.socket, ES_LOCAL_SOCKET);
	assert_false(args.is_own_socket);
	assert_true(args.has_line);
	assert_int_equal(args.wait_ns, 2000000000LL);
	assert_int_equal(args.comment, ES_SLURM_COMMENT_NONE);
}

static void all_can_be_said(void **state)
{
	char *argv[] = {
		(char[]){ "socket=/run/%n/100%%.sock" },
		(char[]){ "line=no" },
		(char[]){ "wait=500ms" },
		(char[]){ "comment=admin" },
		(char[]){ "state=/a" },
		(char[]){ "helpers=/b" },
		(char[]){ "program=/c" },
		(char[]){ "exclusive=yes" },
	};
	struct es_slurm_args args;

	(void)state;
	assert_int_equal(es_slurm_args_read(8, argv, "n1", &args, NULL), 0);
	assert_string_equal(args.socket, "/run/n1/100%.sock");
	assert_true(args.is_own_socket);
	assert_false(args.has_line);
	assert_true(args.is_exclusive);
	assert_int_equal(args.wait_ns, 500000000LL);
	assert_int_equal(args.comment, ES_SLURM_COMMENT_ADMIN);
	assert_string_equal(args.state, "/a");
	assert_string_equal(args.helpers, "/b");
	assert_string_equal(args.program, "/c");
}

static void what_is_wrong_is_named_and_changes_nothing(void **state)
{
	static const char *const wrong[] = {
		"socket=relative", "socket=/%x", "socket=/%",  "line=maybe", "wait=2", "wait=-1s",
		"wait=2h",	   "comment=x",	 "sockets=/a", "socket",     "",
	};
	char path[300] = "socket=/";
	struct es_slurm_args args;

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(wrong); i++) {
		char text[32], line[] = "line=no";
		char *argv[] = { text, line };
		struct es_error err = { .code = 0 };

		strcpy(text, wrong[i]);
		assert_int_equal(es_slurm_args_read(2, argv, "n1", &args, &err), -EINVAL);
		assert_non_null(strstr(err.text, wrong[i]));
		assert_string_equal(args.socket, ES_LOCAL_SOCKET);
		assert_int_equal(args.wait_ns, 2000000000LL);
		assert_false(args.has_line);
	}
	memset(path + 8, 'x', sizeof(path) - 9);
	assert_int_equal(es_slurm_args_read(1, (char *[]){ path }, "n1", &args, NULL), -EINVAL);
	assert_string_equal(args.socket, ES_LOCAL_SOCKET);
}

static void all_that_is_wrong_is_named_at_once(void **state)
{
	char first[] = "line=maybe", right[] = "line=no", second[] = "wait=2";
	char *argv[] = { first, right, second };
	char *many[ES_TEXT_MAX_BYTES];
	struct es_slurm_args args;
	struct es_error err = { .code = 0 };

	(void)state;
	assert_int_equal(es_slurm_args_read(3, argv, "n1", &args, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'line=maybe', 'wait=2'"));
	for (size_t i = 0; i < ES_ARRAY_SIZE(many); i++)
		many[i] = first;
	assert_int_equal(es_slurm_args_read(ES_ARRAY_SIZE(many), many, "n1", &args, &err), -EINVAL);
	assert_non_null(strstr(err.text, "socket=PATH"));
}

static void wishes_are_two(void **state)
{
	enum es_slurm_wish wish;

	(void)state;
	assert_int_equal(es_slurm_wish_read("off", &wish), 0);
	assert_int_equal(wish, ES_SLURM_WISH_OFF);
	assert_int_equal(es_slurm_wish_read("measure", &wish), 0);
	assert_int_equal(wish, ES_SLURM_WISH_MEASURE);
	assert_int_equal(es_slurm_wish_read(NULL, &wish), 0);
	assert_int_equal(wish, ES_SLURM_WISH_MEASURE);
	assert_int_equal(es_slurm_wish_read("offf", &wish), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_said_is_the_usual),
		cmocka_unit_test(all_can_be_said),
		cmocka_unit_test(what_is_wrong_is_named_and_changes_nothing),
		cmocka_unit_test(all_that_is_wrong_is_named_at_once),
		cmocka_unit_test(wishes_are_two),
	};

	return cmocka_run_group_tests_name("slurm/args", tests, NULL, NULL);
}
