/*
 * test_cli_child.c - a command behind its gate: started, signalled, ended, and what it leaves behind
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/child.h"
#include "cli/inherited.h"

#define PATIENCE_MS 20000

struct fixture {
	char path[64];
	struct es_child child;
	bool is_started;
	pid_t survivor;
	char survivor_name[64];
	unsigned n_survivors;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	sigset_t none;

	assert_non_null(f);
	(void)snprintf(f->path, sizeof(f->path), "/tmp/es-child-%d", (int)getpid());
	(void)unlink(f->path);
	/* A start blocks signals for good: each test begins as a program does. */
	(void)sigemptyset(&none);
	assert_int_equal(sigprocmask(SIG_SETMASK, &none, NULL), 0);
	assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->is_started)
		es_child_finish(&f->child);
	(void)unlink(f->path);
	free(f);
	return 0;
}

static void start(struct fixture *f, const char *script)
{
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)script, NULL };

	assert_int_equal(es_child_start(argv, NULL, &f->child), 0);
	f->is_started = true;
}

static int started(struct fixture *f)
{
	for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 10) {
		struct pollfd pollfd = { .fd = f->child.error_fd, .events = POLLIN };
		int r = es_child_started(&f->child);

		if (r != 0)
			return r;
		(void)poll(&pollfd, 1, 10);
	}
	fail_msg("not started");
	return 0;
}

static int status_of(struct fixture *f)
{
	int status;

	for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 10) {
		struct pollfd pollfd = { .fd = f->child.signal_fd, .events = POLLIN };

		if (es_child_handle(&f->child, &status))
			return es_child_exit_status(status);
		(void)poll(&pollfd, 1, 10);
	}
	fail_msg("not ended");
	return -1;
}

static int run(struct fixture *f, const char *script)
{
	start(f, script);
	assert_int_equal(es_child_release(&f->child), 0);
	assert_int_equal(started(f), 1);
	return status_of(f);
}

static void its_exit_status_is_told_as_a_shell_does(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "exit 7"), 7);
	es_child_finish(&f->child);
	assert_int_equal(run(f, "kill -KILL $$"), 128 + SIGKILL);
	es_child_finish(&f->child);
	assert_int_equal(run(f, "true"), 0);
}

static void nothing_runs_before_the_gate_opens(void **state)
{
	struct fixture *f = *state;
	char script[128];
	struct stat st;

	(void)snprintf(script, sizeof(script), ": > %s", f->path);
	start(f, script);
	(void)usleep(30000);
	assert_int_equal(stat(f->path, &st), -1);
	assert_int_equal(es_child_started(&f->child), 0);

	assert_int_equal(es_child_release(&f->child), 0);
	assert_int_equal(status_of(f), 0);
	assert_int_equal(stat(f->path, &st), 0);
}

static void a_cancelled_command_never_runs(void **state)
{
	struct fixture *f = *state;
	char script[128];
	struct stat st;

	(void)snprintf(script, sizeof(script), ": > %s", f->path);
	start(f, script);
	es_child_cancel(&f->child);

	assert_int_equal(f->child.pid, -1);
	assert_int_equal(stat(f->path, &st), -1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static void why_it_could_not_start_is_told(void **state)
{
	struct fixture *f = *state;
	char *missing[] = { (char *)"/nowhere/command", NULL };
	char *denied[] = { (char *)"/etc/passwd", NULL };

	assert_int_equal(es_child_start(missing, NULL, &f->child), 0);
	f->is_started = true;
	assert_int_equal(es_child_release(&f->child), 0);
	assert_int_equal(started(f), -ENOENT);
	es_child_finish(&f->child);

	assert_int_equal(es_child_start(denied, NULL, &f->child), 0);
	assert_int_equal(es_child_release(&f->child), 0);
	assert_int_equal(started(f), -EACCES);
}

static void signals_sent_to_us_are_passed_on(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGUSR1 };
	struct fixture *f = *state;

	for (size_t i = 0; i < 3; i++) {
		start(f, "exec sleep 60");
		assert_int_equal(es_child_release(&f->child), 0);
		assert_int_equal(started(f), 1);
		assert_int_equal(kill(getpid(), signals[i]), 0);
		assert_int_equal(status_of(f), 128 + signals[i]);
		(void)tear_down(state);
		(void)set_up(state);
		f = *state;
	}
}

/* A command finds signals as it would without us. */
static void the_command_gets_the_signals_we_were_started_with(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "kill -PIPE $$; exit 3"), 128 + SIGPIPE);
	(void)tear_down(state);
	(void)set_up(state);
	f = *state;
	assert_int_equal(run(f, "kill -TERM $$; exit 3"), 128 + SIGTERM);
}

/* Some that start us ignore it: then no child's end is ever told. */
static void an_ignored_end_of_children_is_heard_all_the_same(void **state)
{
	char *grep[] = { (char *)"grep", (char *)"-q", (char *)"^SigIgn:.*[13579bdf]....$",
			 (char *)"/proc/self/status", NULL };
	struct fixture *f = *state;
	struct sigaction action;

	assert_true(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	assert_int_equal(run(f, "exit 7"), 7);
	es_child_finish(&f->child);
	/* The command finds it as it was: signal 17 is the lowest bit of the fifth digit. */
	assert_true(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	assert_int_equal(es_child_start(grep, NULL, &f->child), 0);
	assert_int_equal(es_child_release(&f->child), 0);
	assert_int_equal(started(f), 1);
	assert_int_equal(status_of(f), 0);
	assert_int_equal(sigaction(SIGCHLD, NULL, &action), 0);
	assert_true(action.sa_handler == SIG_DFL);
}

static void on_survivor(void *arg, pid_t pid, const char *name)
{
	struct fixture *f = arg;

	f->n_survivors++;
	f->survivor = pid;
	(void)snprintf(f->survivor_name, sizeof(f->survivor_name), "%s", name);
}

static void what_outlives_the_command_is_named(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "sleep 60 >/dev/null 2>&1 & exit 0"), 0);
	es_child_survivors(&f->child, on_survivor, f);

	assert_int_equal(f->n_survivors, 1);
	assert_true(f->survivor > 1);
	assert_int_equal(kill(f->survivor, SIGKILL), 0);
	assert_int_equal(waitpid(f->survivor, NULL, 0), f->survivor);
	/* Its name is the program's, or still the shell's where that had no time to become it. */
	assert_true(strcmp(f->survivor_name, "sleep") == 0 || strcmp(f->survivor_name, "sh") == 0);
}

static void a_command_without_survivors_has_none(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "true"), 0);
	es_child_survivors(&f->child, on_survivor, f);
	assert_int_equal(f->n_survivors, 0);
}

/* A grandchild that ends is reaped, and is not taken for the command. */
static void orphans_that_end_are_not_the_command(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "(sleep 0.02 >/dev/null 2>&1 & exit 5); sleep 0.2; exit 9"), 9);
	es_child_survivors(&f->child, on_survivor, f);
	assert_int_equal(f->n_survivors, 0);
}

static void a_command_writes_to_the_descriptors_it_is_given(void **state)
{
	struct fixture *f = *state;
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)"echo out; echo err >&2", NULL };
	struct es_child_options options;
	char text[16];
	int out[2], err[2];

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	options = (struct es_child_options){ .stdout_fd = out[1], .stderr_fd = err[1] };
	assert_int_equal(es_child_start(argv, &options, &f->child), 0);
	f->is_started = true;
	(void)close(out[1]);
	(void)close(err[1]);
	assert_int_equal(es_child_release(&f->child), 0);
	assert_int_equal(status_of(f), 0);

	assert_int_equal(read(out[0], text, sizeof(text)), 4);
	assert_memory_equal(text, "out\n", 4);
	assert_int_equal(read(err[0], text, sizeof(text)), 4);
	assert_memory_equal(text, "err\n", 4);
	(void)close(out[0]);
	(void)close(err[0]);
}

/* What a library opens is not closed on exec by itself: a connection to a meter, with our rights on it. */
static void a_command_gets_what_was_open_before_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	int before = open("/dev/null", O_RDONLY), later, last;
	struct es_inherited inherited;
	struct es_child_options options = { .stdout_fd = -1,
					    .stderr_fd = -1,
					    .inherited = &inherited };
	char script[160], *argv[] = { (char *)"/bin/sh", (char *)"-c", script, NULL };

	assert_true(before > 2);
	es_inherited_take(&inherited);
	assert_true(inherited.is_known);
	later = open("/dev/null", O_RDONLY);
	last = fcntl(later, F_DUPFD, 200);
	(void)snprintf(script, sizeof(script),
		       "cd /proc/self/fd && test -e %d && ! test -e %d && ! test -e %d", before,
		       later, last);
	assert_int_equal(es_child_start(argv, &options, &f->child), 0);
	f->is_started = true;
	assert_int_equal(es_child_release(&f->child), 0);
	assert_int_equal(status_of(f), 0);
	/* Ours stay as they were. */
	assert_int_equal(fcntl(later, F_GETFD), 0);
	(void)close(before);
	(void)close(later);
	(void)close(last);
	es_inherited_finish(&inherited);
}

static void a_command_that_closes_all_descriptors_is_followed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "exec 0<&- 1>&- 2>&- 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exit 4"),
			 4);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(its_exit_status_is_told_as_a_shell_does),
		TEST(nothing_runs_before_the_gate_opens),
		TEST(a_cancelled_command_never_runs),
		TEST(why_it_could_not_start_is_told),
		TEST(signals_sent_to_us_are_passed_on),
		TEST(the_command_gets_the_signals_we_were_started_with),
		TEST(an_ignored_end_of_children_is_heard_all_the_same),
		TEST(what_outlives_the_command_is_named),
		TEST(a_command_without_survivors_has_none),
		TEST(orphans_that_end_are_not_the_command),
		TEST(a_command_writes_to_the_descriptors_it_is_given),
		TEST(a_command_gets_what_was_open_before_and_nothing_else),
		TEST(a_command_that_closes_all_descriptors_is_followed),
	};

	return cmocka_run_group_tests_name("cli/child", tests, NULL, NULL);
}
