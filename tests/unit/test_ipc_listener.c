/*
 * test_ipc_listener.c - clients of a local socket: good, odd, hostile, many
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "ipc/address.h"
#include "ipc/client.h"
#include "ipc/listener.h"

struct fixture {
	char folder[32], path[48];
	struct es_ipc_listener *listener;
	unsigned n_heard;
	char last_name[ES_NAME_MAX_BYTES];
	struct es_ipc_peer peer;
	bool answers_later;
	int64_t now_ns;
};

static void on_message(void *arg, const struct es_ipc_peer *peer,
		       const struct es_ipc_message *message, struct es_ipc_message *answer)
{
	struct fixture *f = arg;

	f->n_heard++;
	f->peer = *peer;
	memcpy(f->last_name, message->name, sizeof(f->last_name));
	answer->t_ns = message->t_ns + 1;
	if (f->answers_later)
		answer->type = 0;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/es-ipc-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	(void)snprintf(f->path, sizeof(f->path), "%s/s", f->folder);
	assert_int_equal(es_ipc_listen(f->path, on_message, f, &f->listener, NULL), 0);
	f->now_ns = 1000 * ES_NS_PER_S;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_ipc_listener_close(f->listener);
	assert_int_equal(access(f->path, F_OK), -1); /* it cleans up */
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

static void serve(struct fixture *f)
{
	while (es_ipc_listener_serve(f->listener, f->now_ns) > 0)
		;
}

static int join(struct fixture *f)
{
	int fd;

	assert_int_equal(es_ipc_connect(f->path, ES_NS_PER_S, &fd), 0);
	serve(f);
	return fd;
}

static int receive(int fd, struct es_ipc_message *ret)
{
	return es_ipc_receive(fd, 0, ret);
}

static void say(int fd, uint32_t number, const char *name)
{
	struct es_ipc_message message = { .type = ES_IPC_TAG_START, .number = number, .t_ns = 5 };

	(void)snprintf(message.name, sizeof(message.name), "%s", name);
	assert_int_equal(es_ipc_send(fd, &message), 0);
}

static void a_message_is_heard_and_answered(void **state)
{
	struct fixture *f = *state;
	struct es_ipc_message answer;
	int fd = join(f);

	assert_int_equal(receive(fd, &answer), -ETIMEDOUT);
	say(fd, 77, "hello");
	serve(f);

	assert_int_equal(receive(fd, &answer), 0);
	assert_int_equal(answer.type, ES_IPC_ANSWER);
	assert_int_equal(answer.value, ES_IPC_OK);
	assert_int_equal(answer.number, 77);
	assert_int_equal(answer.t_ns, 6);
	assert_string_equal(f->last_name, "hello");
	assert_int_equal(f->peer.pid, getpid());
	assert_int_equal(f->peer.uid, geteuid());
	(void)close(fd);
}

static void its_file_is_for_its_user_only(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_path_in_use_or_too_long_is_refused(void **state)
{
	struct fixture *f = *state;
	struct es_ipc_listener *another = NULL;
	struct es_error err = { .code = 0 };
	char path[200];

	assert_int_equal(es_ipc_listen(f->path, on_message, f, &another, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, f->path));
	assert_int_equal(access(f->path, F_OK), 0); /* that of the first */
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(es_ipc_listen(path, on_message, f, &another, &err), -ENAMETOOLONG);
	assert_null(another);
}

/* Sends @n bytes, and expects this answer and then the end. */
static void check_refused(struct fixture *f, const void *bytes, size_t n, int64_t verdict)
{
	struct es_ipc_message answer;
	int fd = join(f);

	assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), n);
	serve(f);
	assert_int_equal(receive(fd, &answer), 0);
	assert_int_equal(answer.value, verdict);
	assert_true(answer.text[0] != '\0');
	assert_int_equal(receive(fd, &answer), -EPIPE);
	assert_int_equal(f->n_heard, 0);
	(void)close(fd);
}

static void what_is_no_message_is_answered_and_dropped(void **state)
{
	static const uint8_t version[16] = { 'E', 'S', 'I', 'P', 9, 0, 1, 0, 0, 0, 0, 0, 3 };
	static const uint8_t type[16] = { 'E', 'S', 'I', 'P', 1, 0, 77, 0, 0, 0, 0, 0, 3 };
	static uint8_t large[60000];
	struct fixture *f = *state;

	check_refused(f, "garbage", 7, ES_IPC_BAD_MESSAGE);
	check_refused(f, version, sizeof(version), ES_IPC_BAD_VERSION);
	check_refused(f, type, sizeof(type), ES_IPC_BAD_TYPE);
	check_refused(f, large, sizeof(large), ES_IPC_BAD_MESSAGE);
	memcpy(large, version, 4);
	large[4] = 1;
	large[6] = 1;
	check_refused(f, large, ES_IPC_MESSAGE_MAX_BYTES + 1, ES_IPC_BAD_MESSAGE);
	check_refused(f, large, 20, ES_IPC_BAD_MESSAGE);
}

static void an_empty_packet_is_an_end(void **state)
{
	struct fixture *f = *state;
	struct es_ipc_message answer;
	int fd = join(f);

	assert_int_equal(send(fd, "", 0, MSG_NOSIGNAL), 0);
	serve(f);
	assert_int_equal(receive(fd, &answer), -EPIPE);
	(void)close(fd);
}

/* What its buffer holds is answered; then it is dropped and others go on. */
static void who_floods_and_never_reads_is_dropped(void **state)
{
	struct es_ipc_message message = { .type = ES_IPC_TAG_START, .name = "flood" }, answer;
	struct fixture *f = *state;
	int flood = join(f), good = join(f), r = 0;
	unsigned n = 0;

	for (; n < 100000 && r == 0; n++) {
		r = es_ipc_send(flood, &message);
		assert_true(es_ipc_listener_serve(f->listener, f->now_ns) <= 8);
	}
	assert_true(r == -EPIPE || r == -ECONNRESET);
	assert_true(n < 100000);
	say(good, 1, "good");
	serve(f);
	assert_int_equal(receive(good, &answer), 0);
	assert_string_equal(f->last_name, "good");
	(void)close(flood);
	(void)close(good);
}

static void who_flooded_is_served_in_turn_with_others(void **state)
{
	struct fixture *f = *state;
	struct es_ipc_message answer;
	int flood = join(f), good = join(f);

	for (uint32_t i = 0; i < 50; i++)
		say(flood, i, "flood");
	say(good, 1, "good");
	assert_true(es_ipc_listener_serve(f->listener, f->now_ns) > 0);
	assert_true(es_ipc_listener_serve(f->listener, f->now_ns) > 0);

	assert_int_equal(receive(good, &answer), 0);
	assert_true(f->n_heard < 10);
	(void)close(flood);
	(void)close(good);
}

static void more_clients_than_there_are_places_wait_until_one_is_silent(void **state)
{
	int fds[ES_IPC_CLIENTS_MAX + 1];
	struct fixture *f = *state;
	struct es_ipc_message answer;

	for (size_t i = 0; i < ES_IPC_CLIENTS_MAX; i++) {
		fds[i] = join(f);
		f->now_ns += 1000;
	}
	say(fds[0], 1, "busy");
	serve(f);
	assert_int_equal(es_ipc_listener_next_ns(f->listener), INT64_MAX);
	fds[ES_IPC_CLIENTS_MAX] = join(f);
	say(fds[ES_IPC_CLIENTS_MAX], 2, "late");
	serve(f);
	assert_string_equal(f->last_name, "busy");
	assert_true(es_ipc_listener_next_ns(f->listener) > f->now_ns);
	assert_int_equal(es_ipc_listener_serve(f->listener, f->now_ns), 0); /* it does not spin */

	f->now_ns = es_ipc_listener_next_ns(f->listener);
	serve(f);
	assert_string_equal(f->last_name, "late");
	assert_int_equal(receive(fds[1], &answer), -EPIPE); /* silent for longest */
	assert_int_equal(receive(fds[0], &answer), 0);
	assert_int_equal(receive(fds[2], &answer), -ETIMEDOUT);

	for (size_t i = 0; i <= ES_IPC_CLIENTS_MAX; i++)
		(void)close(fds[i]);
	serve(f);
}

static void a_place_that_is_left_is_given_to_who_waits(void **state)
{
	int fds[ES_IPC_CLIENTS_MAX], late;
	struct fixture *f = *state;

	for (size_t i = 0; i < ES_IPC_CLIENTS_MAX; i++)
		fds[i] = join(f);
	late = join(f);
	say(late, 2, "late");
	serve(f);
	assert_int_equal(f->n_heard, 0);
	(void)close(fds[100]);
	serve(f);
	assert_int_equal(f->n_heard, 1);

	for (size_t i = 0; i < ES_IPC_CLIENTS_MAX; i++)
		if (i != 100)
			(void)close(fds[i]);
	(void)close(late);
	serve(f);
}

static void an_answer_may_come_later(void **state)
{
	const struct es_ipc_message words = { .type = ES_IPC_ANSWER, .text = "done" };
	struct fixture *f = *state;
	struct es_ipc_message answer;
	int patient = join(f), another = join(f);

	f->answers_later = true;
	say(patient, 12, "x");
	serve(f);
	assert_int_equal(receive(patient, &answer), -ETIMEDOUT);
	es_ipc_listener_tell(f->listener, &words);

	assert_int_equal(receive(patient, &answer), 0);
	assert_int_equal(answer.number, 12);
	assert_string_equal(answer.text, "done");
	assert_int_equal(receive(another, &answer), -ETIMEDOUT);
	es_ipc_listener_tell(f->listener, &words); /* once */
	assert_int_equal(receive(patient, &answer), -ETIMEDOUT);
	(void)close(patient);
	(void)close(another);
}

/* Does @act as another user in a process of its own; false where only root could. */
static bool as_stranger(struct fixture *f, int (*act)(struct fixture *f), int *ret)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		return false;
	/* Somebody opened what we had closed. */
	assert_int_equal(chmod(f->folder, 0755), 0);
	assert_int_equal(chmod(f->path, 0666), 0);
	pid = fork();
	if (pid == 0)
		_exit(setuid(54321) < 0 ? 99 : act(f));
	do {
		serve(f);
		(void)usleep(1000);
	} while (waitpid(pid, &status, WNOHANG) == 0);
	*ret = WEXITSTATUS(status);
	return true;
}

static int expect_denial(struct fixture *f)
{
	struct es_ipc_message answer;
	int fd, r = es_ipc_connect(f->path, ES_NS_PER_S, &fd);

	if (r < 0)
		return 1;
	say(fd, 1, "stranger");
	r = es_ipc_receive(fd, es_clock_mono_ns() + 20 * ES_NS_PER_S, &answer);
	return r == 0 && answer.value == ES_IPC_DENIED ? 42 : 2;
}

static int expect_trust(struct fixture *f)
{
	int fd;

	return es_ipc_connect(f->path, ES_NS_PER_S, &fd) == 0 ? 42 : 2;
}

/* Listens as another user, and waits to be killed. */
static _Noreturn void listen_as_stranger(const char *path, int ready_fd)
{
	struct es_ipc_listener *listener;

	if (setuid(54321) == 0 && es_ipc_listen(path, on_message, NULL, &listener, NULL) == 0 &&
	    write(ready_fd, "", 1) == 1)
		(void)pause();
	_exit(1);
}

static void who_listens_as_another_user_is_not_believed(void **state)
{
	struct fixture *f = *state;
	int ready[2], fd, status;
	char path[64], byte;
	pid_t pid, asks;

	if (geteuid() != 0)
		return;
	(void)snprintf(path, sizeof(path), "%s.stranger", f->folder);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0)
		listen_as_stranger(path, ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(es_ipc_connect(path, ES_NS_PER_S, &fd), -EPERM);
	asks = fork();
	if (asks == 0)
		_exit(setuid(54321) == 0 && es_ipc_connect(path, ES_NS_PER_S, &fd) == 0 ? 42 : 1);
	assert_int_equal(waitpid(asks, &status, 0), asks);
	assert_int_equal(WEXITSTATUS(status), 42); /* its own user does */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(unlink(path), 0);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

static void another_user_is_turned_away(void **state)
{
	struct fixture *f = *state;
	int status;

	if (as_stranger(f, expect_denial, &status))
		assert_int_equal(status, 42);
	assert_int_equal(f->n_heard, 0);
}

static void root_is_trusted_by_everybody(void **state)
{
	struct fixture *f = *state;
	int status;

	if (as_stranger(f, expect_trust, &status))
		assert_int_equal(status, 42);
}

static void nobody_there_is_told_at_once(void **state)
{
	struct fixture *f = *state;
	int fd = -1;

	assert_int_equal(es_ipc_connect("/nonexistent/socket", ES_NS_PER_S, &fd), -ENOENT);
	es_ipc_listener_close(f->listener);
	f->listener = NULL;
	assert_int_equal(es_ipc_connect(f->path, ES_NS_PER_S, &fd), -ENOENT);
	assert_int_equal(fd, -1);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_message_is_heard_and_answered),
		TEST(its_file_is_for_its_user_only),
		TEST(a_path_in_use_or_too_long_is_refused),
		TEST(what_is_no_message_is_answered_and_dropped),
		TEST(an_empty_packet_is_an_end),
		TEST(who_floods_and_never_reads_is_dropped),
		TEST(who_flooded_is_served_in_turn_with_others),
		TEST(more_clients_than_there_are_places_wait_until_one_is_silent),
		TEST(a_place_that_is_left_is_given_to_who_waits),
		TEST(an_answer_may_come_later),
		TEST(another_user_is_turned_away),
		TEST(root_is_trusted_by_everybody),
		TEST(who_listens_as_another_user_is_not_believed),
		TEST(nobody_there_is_told_at_once),
	};

	return cmocka_run_group_tests_name("ipc/listener", tests, NULL, NULL);
}
