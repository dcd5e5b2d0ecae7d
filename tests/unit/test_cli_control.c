/*
 * test_cli_control.c - the folder of recordings in the background: names, locks, what killed processes leave
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/control.h"
#include "cli/tags.h"
#include "ipc/client.h"
#include "support/tree.h"

#define JOB_A "a"

struct fixture {
	char dir[32], folder[64];
	pid_t other;
};

static char last_words[4096];
static unsigned n_words;

static void tell(const char *words)
{
	n_words++;
	(void)snprintf(last_words, sizeof(last_words), "%s", words);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/es-control-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->folder, sizeof(f->folder), "%s/runtime", f->dir);
	assert_int_equal(setenv(ES_IPC_FOLDER_VARIABLE, f->folder, 1), 0);
	assert_int_equal(unsetenv(ES_IPC_VARIABLE), 0);
	n_words = 0;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->other > 0) {
		(void)kill(f->other, SIGKILL);
		(void)waitpid(f->other, NULL, 0);
	}
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

/* A process that listens for recording @job until it is killed, or told to end. */
static pid_t record_elsewhere(const char *job, const char *recording)
{
	const struct es_tags_about about = { .job = job,
					     .recording = recording,
					     .start_unix_ns = 7 };
	struct es_control control;
	struct es_tags *tags;
	struct es_measure_hook *hook;
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (es_control_open(job, tell, &control, NULL) < 0 ||
		    es_tags_create(0, &tags) < 0 ||
		    es_tags_listen_in_background(tags, control.socket, &about, NULL) < 0 ||
		    es_control_publish(&control, recording) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		hook = es_tags_hook(tags);
		while (!hook->over_ns) {
			hook->handle(hook, NULL, 1);
			(void)usleep(1000);
		}
		(void)es_tags_tell_end(tags, ES_IPC_OK, recording);
		es_tags_destroy(tags);
		es_control_moved(&control, "/saved/elsewhere.esr");
		es_control_close(&control);
		_exit(0);
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return pid;
}

static void kill_it(struct fixture *f)
{
	assert_int_equal(kill(f->other, SIGKILL), 0);
	assert_int_equal(waitpid(f->other, NULL, 0), f->other);
	f->other = 0;
}

static size_t list(struct es_control_recording *ret)
{
	struct es_control_socket sockets[ES_CONTROL_SOCKETS_MAX];
	struct es_error err = { .code = 0 };
	size_t n = es_control_list(sockets, &err);

	assert_int_equal(err.code, 0);
	if (n)
		assert_int_equal(es_control_ask(&sockets[0], ret), 0);
	return n;
}

static void without_a_folder_there_are_none(void **state)
{
	struct es_control_recording recording;
	struct es_error err = { .code = 0 };
	int fd = -1;

	(void)state;
	assert_int_equal(list(&recording), 0);
	assert_int_equal(es_control_connect(ES_NS_PER_S, &fd, &err), -ENOENT);
	assert_int_equal(fd, -1);
}

static void a_recording_is_found_and_its_name_is_taken(void **state)
{
	static struct es_control_recording recording;
	struct fixture *f = *state;
	struct es_error err = { .code = 0 };
	struct es_control control;
	struct stat st;
	int fd;

	f->other = record_elsewhere(JOB_A, "/some/where/a.esr");
	assert_int_equal(stat(f->folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(list(&recording), 1);
	assert_true(recording.is_alive);
	assert_int_equal(recording.pid, f->other);
	assert_string_equal(recording.job, JOB_A);
	assert_string_equal(recording.recording, "/some/where/a.esr");
	assert_int_equal(recording.start_unix_ns, 7);
	assert_int_equal(es_control_connect(ES_NS_PER_S, &fd, &err), 0);
	(void)close(fd);

	assert_int_equal(es_control_open(JOB_A, tell, &control, &err), -EEXIST);
	assert_non_null(strstr(err.text, "record stop 'a'"));
	assert_int_equal(es_control_open("b", tell, &control, &err), 0);
	es_control_close(&control);
	assert_int_equal(n_words, 0);
}

static void two_recordings_are_one_too_many_for_a_tag(void **state)
{
	struct fixture *f = *state;
	pid_t another = record_elsewhere("b", "/b.esr");
	struct es_error err = { .code = 0 };
	int fd = -1;

	f->other = record_elsewhere(JOB_A, "/a.esr");
	assert_int_equal(es_control_connect(ES_NS_PER_S, &fd, &err), -ENOTUNIQ);
	assert_non_null(strstr(err.text, ES_IPC_VARIABLE));
	assert_int_equal(kill(another, SIGKILL), 0);
	assert_int_equal(waitpid(another, NULL, 0), another);
	assert_int_equal(es_control_connect(ES_NS_PER_S, &fd, &err), 0);
	(void)close(fd);
}

static void what_a_killed_one_left_is_told_and_removed(void **state)
{
	static struct es_control_recording recording;
	struct fixture *f = *state;
	struct es_control control;

	f->other = record_elsewhere(JOB_A, "/some/where/a.esr");
	kill_it(f);
	assert_int_equal(list(&recording), 1);
	assert_false(recording.is_alive);
	assert_string_equal(recording.recording, "/some/where/a.esr");

	assert_int_equal(es_control_open(JOB_A, tell, &control, NULL), 0);
	assert_int_equal(n_words, 1);
	assert_non_null(strstr(last_words, "/some/where/a.esr"));
	es_control_close(&control);
	assert_int_equal(list(&recording), 0);
	assert_int_equal(rmdir(f->folder), 0); /* nothing is left in it */
}

static void where_a_recording_went_in_the_end_is_told_once(void **state)
{
	struct fixture *f = *state;
	struct es_control control;
	struct es_error err = { .code = 0 };
	const struct es_ipc_message end = { .type = ES_IPC_END, .number = 1 };
	struct es_ipc_message answer;
	int fd;

	f->other = record_elsewhere(JOB_A, "/some/where/a.esr");
	assert_int_equal(es_control_connect(ES_NS_PER_S, &fd, &err), 0);
	assert_int_equal(es_ipc_send(fd, &end), 0);
	assert_int_equal(es_ipc_receive(fd, es_clock_mono_ns() + 20 * ES_NS_PER_S, &answer), 0);
	assert_string_equal(answer.text, "/some/where/a.esr");
	(void)close(fd);
	assert_int_equal(waitpid(f->other, NULL, 0), f->other);
	f->other = 0;

	assert_int_equal(es_control_open(JOB_A, tell, &control, NULL), 0);
	assert_int_equal(n_words, 1);
	assert_non_null(strstr(last_words, "/saved/elsewhere.esr"));
	es_control_close(&control);
	assert_int_equal(es_control_open(JOB_A, tell, &control, NULL), 0);
	assert_int_equal(n_words, 1);
	es_control_close(&control);
}

static void names_that_are_none_of_ours_are_left_alone(void **state)
{
	static struct es_control_recording recording;
	struct fixture *f = *state;
	struct es_control control;

	assert_int_equal(mkdir(f->folder, 0700), 0);
	assert_int_equal(es_tree_write(f->folder, "ranks-12.lock", "", 0600), 0);
	assert_int_equal(es_tree_write(f->folder, "x12", "", 0600), 0);
	assert_int_equal(es_tree_write(f->folder, "12.esr.bak", "", 0600), 0);
	assert_int_equal(es_tree_write(f->folder, "99999999999999999999", "", 0600), 0);
	assert_int_equal(list(&recording), 0);
	assert_int_equal(es_control_open(JOB_A, tell, &control, NULL), 0);
	es_control_close(&control);
	assert_int_equal(n_words, 0);
	assert_int_equal(es_tree_write(f->folder, "12", "no socket", 0600), 0);
	assert_int_equal(list(&recording), 1);
	assert_false(recording.is_alive);
}

static void a_folder_that_others_may_use_is_refused(void **state)
{
	struct fixture *f = *state;
	struct es_control control;
	struct es_error err = { .code = 0 };
	int fd;

	assert_int_equal(mkdir(f->folder, 0700), 0);
	assert_int_equal(chmod(f->folder, 0777), 0);
	assert_int_equal(es_control_open(JOB_A, tell, &control, &err), -EPERM);
	assert_non_null(strstr(err.text, f->folder));
	assert_int_equal(es_control_connect(ES_NS_PER_S, &fd, &err), -EPERM);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(without_a_folder_there_are_none),
		TEST(a_recording_is_found_and_its_name_is_taken),
		TEST(two_recordings_are_one_too_many_for_a_tag),
		TEST(what_a_killed_one_left_is_told_and_removed),
		TEST(where_a_recording_went_in_the_end_is_told_once),
		TEST(names_that_are_none_of_ours_are_left_alone),
		TEST(a_folder_that_others_may_use_is_refused),
	};

	return cmocka_run_group_tests_name("cli/control", tests, NULL, NULL);
}
