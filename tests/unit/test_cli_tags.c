/*
 * test_cli_tags.c - edges of tags as a recording judges them: names, stamps, order
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
#include "cli/tags.h"
#include "ipc/address.h"
#include "ipc/client.h"
#include "record/recording.h"
#include "support/tree.h"

#define START_NS (100 * ES_NS_PER_S)
#define NOW_NS (200 * ES_NS_PER_S)
#define EVENTS_MAX 8

struct fixture {
	char path[48], dir[32], folder[48];
	struct es_tags *tags;
	struct es_recorder *recorder;
	struct es_ipc_message answer;
	struct es_event events[EVENTS_MAX];
	size_t n_events;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct es_meta meta = { .start_boot_ns = START_NS, .job = "j" };

	assert_non_null(f);
	(void)snprintf(f->path, sizeof(f->path), "/tmp/es-tags-%d.esr", (int)getpid());
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/es-tags-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->folder, sizeof(f->folder), "%s/runtime", f->dir);
	assert_int_equal(setenv(ES_IPC_FOLDER_VARIABLE, f->folder, 1), 0);
	assert_int_equal(es_meta_add_node(&meta, "n"), 0);
	assert_int_equal(es_recorder_create(f->path, true, &meta, &f->recorder, NULL), 0);
	assert_int_equal(es_tags_create(START_NS, &f->tags), 0);
	es_meta_finish(&meta);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_tags_destroy(f->tags);
	es_recorder_close(f->recorder);
	(void)unlink(f->path);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static enum es_ipc_verdict mark(struct fixture *f, uint16_t type, const char *name, int64_t t_ns)
{
	struct es_ipc_message message = { .type = type, .t_ns = t_ns };

	(void)snprintf(message.name, sizeof(message.name), "%s", name);
	f->answer = (struct es_ipc_message){ .type = ES_IPC_ANSWER };
	es_tags_mark(f->tags, f->recorder, NOW_NS, &message, &f->answer);
	return (enum es_ipc_verdict)f->answer.value;
}

static enum es_ipc_verdict begin(struct fixture *f, const char *name, int64_t t_ns)
{
	return mark(f, ES_IPC_TAG_START, name, t_ns);
}

static enum es_ipc_verdict end(struct fixture *f, const char *name, int64_t t_ns)
{
	return mark(f, ES_IPC_TAG_STOP, name, t_ns);
}

static int on_event(void *arg, const struct es_event *event)
{
	struct fixture *f = arg;

	assert_true(f->n_events < EVENTS_MAX);
	f->events[f->n_events++] = *event;
	return 0;
}

static void read_back(struct fixture *f)
{
	static const struct es_visitor visitor = { .event = on_event };
	struct es_recording *recording;

	assert_int_equal(es_recording_open(f->path, NULL, &recording, NULL), 0);
	assert_int_equal(es_recording_walk(recording, &visitor, f), 0);
	es_recording_close(recording);
}

static void an_edge_is_recorded_with_the_stamp_of_who_set_it(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(begin(f, "a", START_NS), ES_IPC_OK);
	assert_int_equal(f->answer.t_ns, START_NS);
	assert_int_equal(end(f, "a", NOW_NS), ES_IPC_OK);
	read_back(f);
	assert_int_equal(f->n_events, 2);
	assert_int_equal(f->events[0].type, ES_EVENT_TAG_START);
	assert_int_equal(f->events[0].t_ns, START_NS);
	assert_string_equal(f->events[0].text, "a");
	assert_int_equal(f->events[1].type, ES_EVENT_TAG_STOP);
	assert_int_equal(f->events[1].t_ns, NOW_NS);
}

static void a_stamp_that_cannot_be_true_becomes_the_arrival(void **state)
{
	static const int64_t stamps_ns[] = { NOW_NS + 1, START_NS - 1, INT64_MAX, INT64_MIN, 0 };
	struct fixture *f = *state;

	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(begin(f, "a", stamps_ns[i]), ES_IPC_MOVED);
		assert_int_equal(f->answer.t_ns, NOW_NS);
		assert_true(f->answer.text[0] != '\0');
	}
	read_back(f);
	assert_int_equal(f->n_events, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(f->events[i].t_ns, NOW_NS);
}

static void a_stop_needs_its_start(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(end(f, "a", NOW_NS), ES_IPC_NOT_OPEN);
	assert_int_equal(begin(f, "a", NOW_NS), ES_IPC_OK);
	assert_int_equal(end(f, "b", NOW_NS), ES_IPC_NOT_OPEN);
	assert_int_equal(begin(f, "a", NOW_NS), ES_IPC_OK); /* nested */
	assert_int_equal(end(f, "a", NOW_NS), ES_IPC_OK);
	assert_int_equal(end(f, "a", NOW_NS), ES_IPC_OK);
	assert_int_equal(end(f, "a", NOW_NS), ES_IPC_NOT_OPEN);
	read_back(f);
	assert_int_equal(f->n_events, 4); /* what was refused is not there */
}

static void names_are_checked_here_too(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(begin(f, "es_total", NOW_NS), ES_IPC_BAD_NAME);
	assert_int_equal(begin(f, "", NOW_NS), ES_IPC_BAD_NAME);
	assert_int_equal(begin(f, "\x1b[2J", NOW_NS), ES_IPC_BAD_NAME);
	read_back(f);
	assert_int_equal(f->n_events, 0);
}

static void names_open_at_a_time_are_bounded_and_freed(void **state)
{
	struct fixture *f = *state;
	char name[32];

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < ES_TAGS_OPEN_MAX; i++) {
			(void)snprintf(name, sizeof(name), "n%u", i);
			assert_int_equal(begin(f, name, NOW_NS), ES_IPC_OK);
		}
		assert_int_equal(begin(f, "more", NOW_NS), ES_IPC_TOO_MANY);
		assert_int_equal(begin(f, "n7", NOW_NS), ES_IPC_OK); /* one that is open already */
		assert_int_equal(end(f, "n7", NOW_NS), ES_IPC_OK);
		for (unsigned i = 0; i < ES_TAGS_OPEN_MAX; i++) {
			(void)snprintf(name, sizeof(name), "n%u", i);
			assert_int_equal(end(f, name, NOW_NS), ES_IPC_OK);
		}
	}
}

/* A message sent to where the environment says arrives, and the socket is gone afterwards. */
static void check_found(struct fixture *f, char *path)
{
	struct es_measure_hook *hook = es_tags_hook(f->tags);
	struct es_ipc_message message = { .type = ES_IPC_TAG_START, .name = "x" }, answer;
	int fd;

	assert_int_equal(es_tags_listen_for_command(f->tags, NULL), 0);
	(void)snprintf(path, ES_IPC_PATH_MAX_BYTES, "%s", getenv(ES_IPC_VARIABLE));
	assert_int_equal(es_ipc_connect(path, ES_NS_PER_S, &fd), 0);
	assert_int_equal(es_ipc_send(fd, &message), 0);
	/* What was sent before the end counts, though the loop had no time for it. */
	hook->finish(hook, f->recorder, NOW_NS);
	assert_int_equal(es_ipc_receive(fd, 0, &answer), 0);
	assert_int_equal(answer.value, ES_IPC_MOVED); /* 1970 */
	(void)close(fd);
	es_tags_destroy(f->tags);
	f->tags = NULL;
	assert_int_equal(access(path, F_OK), -1);
}

static void a_command_finds_the_socket_in_its_environment(void **state)
{
	struct fixture *f = *state;
	char path[ES_IPC_PATH_MAX_BYTES];

	check_found(f, path);
	assert_int_equal(strncmp(path, f->folder, strlen(f->folder)), 0);
}

static void without_a_folder_of_ours_there_is_a_new_one(void **state)
{
	struct fixture *f = *state;
	char path[ES_IPC_PATH_MAX_BYTES];

	assert_int_equal(mkdir(f->folder, 0700), 0);
	assert_int_equal(chmod(f->folder, 0777), 0);
	check_found(f, path);
	assert_int_not_equal(strncmp(path, f->folder, strlen(f->folder)), 0);
	*strrchr(path, '/') = '\0';
	assert_int_equal(access(path, F_OK), -1);
}

static void what_a_killed_run_left_is_removed_by_the_next(void **state)
{
	struct fixture *f = *state;
	char left[ES_IPC_PATH_MAX_BYTES], other[ES_IPC_PATH_MAX_BYTES];
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (es_tags_listen_for_command(f->tags, NULL) == 0 && write(ready[1], "", 1) == 1)
			(void)pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	(void)snprintf(left, sizeof(left), "%s/run-%d", f->folder, (int)pid);
	(void)snprintf(other, sizeof(other), "%s/run-x", f->folder);
	assert_int_equal(es_tree_write(f->folder, "run-x", "", 0600), 0);
	assert_int_equal(access(left, F_OK), 0);

	/* It lives: its socket stays. */
	assert_int_equal(es_tags_listen_for_command(f->tags, NULL), 0);
	assert_int_equal(access(left, F_OK), 0);
	es_tags_destroy(f->tags);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(es_tags_create(START_NS, &f->tags), 0);
	assert_int_equal(es_tags_listen_for_command(f->tags, NULL), 0);
	assert_int_equal(access(left, F_OK), -1);
	assert_int_equal(access(other, F_OK), 0);
}

static void other_questions_are_answered(void **state)
{
	struct fixture *f = *state;
	struct es_measure_hook *hook = es_tags_hook(f->tags);
	struct es_ipc_message message = { .type = ES_IPC_END }, answer;
	int fd;

	assert_int_equal(es_tags_listen_for_command(f->tags, NULL), 0);
	assert_int_equal(es_ipc_connect(getenv(ES_IPC_VARIABLE), ES_NS_PER_S, &fd), 0);
	assert_int_equal(es_ipc_send(fd, &message), 0);
	hook->handle(hook, f->recorder, 1);
	hook->handle(hook, f->recorder, 1);
	assert_int_equal(es_ipc_receive(fd, 0, &answer), 0);
	assert_int_equal(answer.value, ES_IPC_BAD_TYPE);
	(void)close(fd);
}

static void who_floods_us_has_to_wait_now_and_then(void **state)
{
	struct fixture *f = *state;
	struct es_measure_hook *hook = es_tags_hook(f->tags);
	struct es_ipc_message message = { .type = ES_IPC_TAG_STOP, .name = "x" }, answer;
	int64_t start_ns = es_clock_mono_ns();
	unsigned n_waits = 0;
	int fd;

	assert_int_equal(es_tags_listen_for_command(f->tags, NULL), 0);
	assert_int_equal(es_ipc_connect(getenv(ES_IPC_VARIABLE), ES_NS_PER_S, &fd), 0);
	hook->handle(hook, f->recorder, 1);
	for (unsigned i = 0; i < 3000; i++) {
		assert_int_equal(es_ipc_send(fd, &message), 0);
		while (es_ipc_receive(fd, 0, &answer) == -ETIMEDOUT) {
			/* As the measuring loop does: never before its time, nor when it does not ask for it. */
			if (hook->fd < 0) {
				n_waits++;
				assert_true(hook->next_ns < INT64_MAX);
				while (es_clock_mono_ns() < hook->next_ns)
					;
			}
			hook->handle(hook, f->recorder, hook->fd < 0 ? 0 : 1);
		}
		assert_int_equal(answer.value, ES_IPC_NOT_OPEN);
	}
	/* On a machine so slow that there never were too many at a time nobody has to wait. */
	assert_true(n_waits > 0 || es_clock_mono_ns() - start_ns > 50 * ES_NS_PER_MS);
	(void)close(fd);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_edge_is_recorded_with_the_stamp_of_who_set_it),
		TEST(a_stamp_that_cannot_be_true_becomes_the_arrival),
		TEST(a_stop_needs_its_start),
		TEST(names_are_checked_here_too),
		TEST(names_open_at_a_time_are_bounded_and_freed),
		TEST(a_command_finds_the_socket_in_its_environment),
		TEST(without_a_folder_of_ours_there_is_a_new_one),
		TEST(what_a_killed_run_left_is_removed_by_the_next),
		TEST(other_questions_are_answered),
		TEST(who_floods_us_has_to_wait_now_and_then),
	};

	return cmocka_run_group_tests_name("cli/tags", tests, NULL, NULL);
}
