/*
 * test_cli_attach.c - a process followed to its end, also where the kernel cannot tell of it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/attach.h"
#include "record/recording.h"
#include "support/small_recording.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#define EVENTS_MAX 8

struct fixture {
	char path[48], number[16];
	pid_t child;
	struct es_meta meta;
	struct es_recorder *recorder;
	struct es_attach *attach;
	struct es_event events[EVENTS_MAX];
	size_t n_events;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->path, sizeof(f->path), "/tmp/es-attach-%d.esr", (int)getpid());
	assert_int_equal(test_meta(&f->meta), 0);
	assert_int_equal(es_recorder_create(f->path, true, &f->meta, &f->recorder, NULL), 0);
	f->child = fork();
	if (f->child == 0) {
		(void)pause();
		_exit(0);
	}
	(void)snprintf(f->number, sizeof(f->number), "%d", (int)f->child);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)kill(f->child, SIGKILL);
	(void)waitpid(f->child, NULL, 0);
	es_attach_destroy(f->attach);
	es_recorder_close(f->recorder);
	es_meta_finish(&f->meta);
	(void)unlink(f->path);
	free(f);
	return 0;
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

static const struct es_event *event_of(const struct fixture *f, uint32_t type)
{
	for (size_t i = 0; i < f->n_events; i++)
		if (f->events[i].type == type)
			return &f->events[i];
	return NULL;
}

/* As the measuring loop does, until it is over or @for_ns have passed. */
static void follow(struct fixture *f, int64_t for_ns)
{
	struct es_measure_hook *hook = es_attach_hook(f->attach);
	int64_t until_ns = es_clock_mono_ns() + for_ns;

	while (!hook->over_ns && es_clock_mono_ns() < until_ns) {
		struct pollfd pollfd = { .fd = hook->fd, .events = hook->events };

		(void)poll(&pollfd, 1, 1);
		if (pollfd.revents || es_clock_mono_ns() >= hook->next_ns)
			hook->handle(hook, f->recorder, pollfd.revents);
	}
}

static void check_followed_to_its_end(struct fixture *f)
{
	struct es_measure_hook *hook = es_attach_hook(f->attach);
	int64_t before_ns;

	hook->begin(hook, f->recorder);
	follow(f, 100 * ES_NS_PER_MS);
	assert_true(hook->over_ns == 0);
	before_ns = es_clock_boot_ns();
	assert_int_equal(kill(f->child, SIGKILL), 0);
	follow(f, 20 * ES_NS_PER_S);
	assert_true(hook->over_ns >= before_ns);
	hook->finish(hook, f->recorder, hook->over_ns);

	read_back(f);
	assert_non_null(event_of(f, ES_EVENT_COMMAND_START));
	assert_int_equal(event_of(f, ES_EVENT_ATTACHED)->value, f->child);
	assert_int_equal(event_of(f, ES_EVENT_COMMAND_STOP)->value, -1);
	assert_true(event_of(f, ES_EVENT_COMMAND_STOP)->t_ns == hook->over_ns);
	assert_non_null(event_of(f, ES_EVENT_CHILD_CPU));
	assert_null(event_of(f, ES_EVENT_SURVIVOR));
}

static void its_end_is_told_by_the_kernel(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(es_attach_create(f->number, &f->attach, NULL), 0);
	check_followed_to_its_end(f);
}

/* From here on this process is on a kernel without pidfd. */
static bool take_pidfd_away(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0 /* number of the call */),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = 4, .filter = filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void without_pidfd_it_is_looked_for(void **state)
{
	struct fixture *f = *state;
	struct es_measure_hook *hook;

	if (!take_pidfd_away())
		return;
	assert_int_equal(es_attach_create(f->number, &f->attach, NULL), 0);
	hook = es_attach_hook(f->attach);
	assert_int_equal(hook->fd, -1);
	check_followed_to_its_end(f);
}

static void one_that_goes_on_is_named(void **state)
{
	struct fixture *f = *state;
	struct es_measure_hook *hook;

	assert_int_equal(es_attach_create(f->number, &f->attach, NULL), 0);
	hook = es_attach_hook(f->attach);
	hook->begin(hook, f->recorder);
	hook->finish(hook, f->recorder, es_clock_boot_ns());
	read_back(f);
	assert_int_equal(event_of(f, ES_EVENT_SURVIVOR)->value, f->child);
	assert_null(event_of(f, ES_EVENT_COMMAND_STOP));
}

static void its_arguments_are_known(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(es_attach_create(f->number, &f->attach, NULL), 0);
	assert_non_null(strstr(es_attach_command(f->attach)[0], "test_cli_attach"));
	assert_null(es_attach_command(f->attach)[1]);
}

static void what_is_no_process_is_refused(void **state)
{
	static const struct {
		const char *text;
		int code;
	} vectors[] = { { "", -EINVAL },	   { "x", -EINVAL },  { "-1", -EINVAL },
			{ "0", -EINVAL },	   { "1", -EINVAL },  { "2147483647", -ESRCH },
			{ "2147483648", -EINVAL }, { " 12", -EINVAL } };
	struct fixture *f = *state;
	struct es_error err;

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		err.text[0] = '\0';
		assert_int_equal(es_attach_create(vectors[i].text, &f->attach, &err),
				 vectors[i].code);
		assert_true(err.text[0] != '\0');
	}
	(void)snprintf(f->number, sizeof(f->number), "%d", (int)getpid());
	assert_int_equal(es_attach_create(f->number, &f->attach, &err), -EINVAL);
	/* Ended, and not asked for its status yet. */
	assert_int_equal(kill(f->child, SIGKILL), 0);
	(void)snprintf(f->number, sizeof(f->number), "%d", (int)f->child);
	while (es_attach_create(f->number, &f->attach, &err) == 0) {
		es_attach_destroy(f->attach);
		f->attach = NULL;
	}
	assert_int_equal(err.code, -ESRCH);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(its_end_is_told_by_the_kernel),  TEST(one_that_goes_on_is_named),
		TEST(its_arguments_are_known),	      TEST(what_is_no_process_is_refused),
		TEST(without_pidfd_it_is_looked_for), /* the last: it has none from there on */
	};

	return cmocka_run_group_tests_name("cli/attach", tests, NULL, NULL);
}
