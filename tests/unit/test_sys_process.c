/*
 * test_sys_process.c - processes below /proc, and the CPU time of a tree of them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/tree.h"
#include "sys/process.h"

struct fixture {
	char dir[64];
	struct es_root root;
	struct es_process_tree *tree;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/es-process-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_process_tree_destroy(f->tree);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void line_of(char *text, size_t size, int pid, const char *name, char state,
		    unsigned own_ticks, unsigned waited_ticks, unsigned start)
{
	(void)snprintf(
		text, size,
		"%d (%s) %c 1 2 3 0 -1 4194304 10 20 30 40 %u %u %u %u 20 0 1 0 %u 1000 100 18446744073709551615\n",
		pid, name, state, own_ticks - own_ticks / 3, own_ticks / 3,
		waited_ticks - waited_ticks / 2, waited_ticks / 2, start);
}

/* A process with one thread, and the children that this has started. */
static void put(const struct fixture *f, int pid, unsigned own_ticks, unsigned waited_ticks,
		const char *children)
{
	char path[64], text[512];

	(void)snprintf(path, sizeof(path), "proc/%d/stat", pid);
	line_of(text, sizeof(text), pid, "name", 'S', own_ticks, waited_ticks, 100);
	assert_int_equal(es_tree_write(f->dir, path, text, 0644), 0);
	(void)snprintf(path, sizeof(path), "proc/%d/task/%d/children", pid, pid);
	assert_int_equal(es_tree_write(f->dir, path, children, 0644), 0);
}

static void look(struct fixture *f)
{
	int r;

	do
		r = es_process_tree_step(f->tree);
	while (r == 0);
	assert_int_equal(r, 1);
}

static int64_t used_ticks(const struct fixture *f)
{
	return es_process_tree_cpu_ns(f->tree) / (ES_NS_PER_S / sysconf(_SC_CLK_TCK));
}

static void a_line_is_read_whatever_the_name_holds(void **state)
{
	static const char *const names[] = { "sh", "a b", "x) R 1 2 3", "((", "", ") Z 9" };
	struct es_process process;
	char text[512];

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		line_of(text, sizeof(text), 4711, names[i], 'D', 30, 7, 12345);
		assert_int_equal(es_process_parse_stat(text, &process), 0);
		assert_string_equal(process.name, names[i]);
		assert_int_equal(process.pid, 4711);
		assert_int_equal(process.state, 'D');
		assert_int_equal(process.parent, 1);
		assert_int_equal(process.own_ticks, 30);
		assert_int_equal(process.waited_ticks, 7);
		assert_int_equal(process.start_ticks, 12345);
	}
}

static void numbers_that_overflow_do_no_harm(void **state)
{
	static const char text[] =
		"7 (x) S 1 1 1 0 0 0 0 0 0 0 18446744073709551615 18446744073709551615 "
		"9223372036854775807 9223372036854775807 0 0 1 0 5";
	struct es_process process;

	(void)state;
	assert_int_equal(es_process_parse_stat(text, &process), 0);
	assert_int_equal(process.start_ticks, 5);
}

static void what_is_no_line_is_refused(void **state)
{
	static const char *const texts[] = {
		"",	     "12",	     "12 (x",
		"x (y) R 1", "12 (x) R 1 2", "0 (x) R",
		")(",	     "-1 (x) R 1",   "12 (x) R 1 2 3 4 5 6 7 8 9 10 u 1 2 3 4 5 6 7 8"
	};
	struct es_process process;

	(void)state;
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(es_process_parse_stat(texts[i], &process), -EBADMSG);
}

static void a_number_that_was_given_again_is_another_process(void **state)
{
	struct fixture *f = *state;
	struct es_process process;
	char text[512];

	assert_int_equal(es_process_read(&f->root, 7, &process), -ESRCH);
	put(f, 7, 10, 0, "");
	assert_int_equal(es_process_read(&f->root, 7, &process), 0);
	assert_int_equal(process.leader, 7);
	assert_false(es_process_has_ended(&f->root, &process));

	line_of(text, sizeof(text), 7, "name", 'Z', 10, 0, 100);
	assert_int_equal(es_tree_write(f->dir, "proc/7/stat", text, 0644), 0);
	assert_true(es_process_has_ended(&f->root, &process));
	line_of(text, sizeof(text), 7, "name", 'S', 10, 0, 101);
	assert_int_equal(es_tree_write(f->dir, "proc/7/stat", text, 0644), 0);
	assert_true(es_process_has_ended(&f->root, &process));
	process.pid = 8;
	assert_true(es_process_has_ended(&f->root, &process));
}

static void a_thread_has_a_leader(void **state)
{
	struct fixture *f = *state;
	struct es_process process;

	put(f, 8, 1, 0, "");
	assert_int_equal(
		es_tree_write(f->dir, "proc/8/status", "Name:\tx\nTgid:\t5\nPid:\t8\n", 0644), 0);
	assert_int_equal(es_process_read(&f->root, 8, &process), 0);
	assert_int_equal(process.leader, 5);
}

static void all_that_descends_from_it_counts(void **state)
{
	struct fixture *f = *state;
	struct es_process process;

	put(f, 10, 100, 50, "11 12 ");
	put(f, 11, 10, 0, "13 ");
	put(f, 12, 20, 5, "");
	put(f, 13, 1, 0, "99 "); /* which is gone */
	assert_int_equal(es_process_read(&f->root, 10, &process), 0);
	assert_int_equal(es_process_tree_create(&f->root, &process, &f->tree), 0);
	look(f);
	assert_int_equal(used_ticks(f), 0); /* what was before does not count */

	put(f, 10, 101, 50, "11 12 ");
	put(f, 13, 3, 0, "");
	look(f);
	assert_int_equal(used_ticks(f), 3);
	/* 12 ended with 30 ticks more and was waited for; 14 is new. */
	put(f, 10, 101, 50 + 25 + 30, "11 14 ");
	put(f, 14, 4, 0, "");
	look(f);
	assert_int_equal(used_ticks(f), 3 + 30 + 4);
	/* 11 and 13 went over to another parent: the sum falls, what was used does not. */
	put(f, 10, 110, 105, "14 ");
	look(f);
	assert_int_equal(used_ticks(f), 37);
	put(f, 10, 115, 105, "14 ");
	look(f);
	assert_int_equal(used_ticks(f), 42);

	put(f, 10, 120, 115, "");
	assert_int_equal(es_process_tree_last(f->tree), 0);
	assert_int_equal(used_ticks(f), 57);
	es_tree_remove(f->dir);
	assert_int_equal(es_process_tree_last(f->tree), -ESRCH);
}

static void a_large_tree_is_looked_at_in_steps(void **state)
{
	struct fixture *f = *state;
	struct es_process process;
	char children[2048] = "";
	int n_steps = 0;

	for (int pid = 1000; pid < 1100; pid++) {
		put(f, pid, 1, 0, "");
		(void)snprintf(children + strlen(children), sizeof(children) - strlen(children),
			       "%d ", pid);
	}
	put(f, 10, 1, 0, children);
	assert_int_equal(es_process_read(&f->root, 10, &process), 0);
	assert_int_equal(es_process_tree_create(&f->root, &process, &f->tree), 0);
	look(f);
	put(f, 1099, 6, 0, "");
	while (es_process_tree_step(f->tree) == 0)
		n_steps++;
	assert_true(n_steps > 20);
	assert_int_equal(used_ticks(f), 5);
}

static void this_machine_has_this_process(void **state)
{
	struct fixture *f = *state;
	struct es_process process;
	struct es_root root;
	pid_t pid = fork();

	(void)f;
	if (pid == 0)
		_exit(0);
	assert_int_equal(es_root_open(NULL, -1, &root, NULL), 0);
	assert_int_equal(es_process_read(&root, getpid(), &process), 0);
	assert_int_equal(process.leader, getpid());
	assert_int_equal(process.uid, geteuid());
	assert_false(es_process_has_ended(&root, &process));
	/* A child that ended and was not waited for has ended all the same. */
	assert_int_equal(es_process_read(&root, pid, &process), 0);
	while (!es_process_has_ended(&root, &process))
		(void)usleep(1000);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(es_process_has_ended(&root, &process));
	es_root_close(&root);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_line_is_read_whatever_the_name_holds),
		TEST(numbers_that_overflow_do_no_harm),
		TEST(what_is_no_line_is_refused),
		TEST(a_number_that_was_given_again_is_another_process),
		TEST(a_thread_has_a_leader),
		TEST(all_that_descends_from_it_counts),
		TEST(a_large_tree_is_looked_at_in_steps),
		TEST(this_machine_has_this_process),
	};

	return cmocka_run_group_tests_name("sys/process", tests, NULL, NULL);
}
