/*
 * attach.c - a process that runs already, followed to its end
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/attach.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/text.h"
#include "record/event.h"
#include "sys/process.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#define ARGUMENTS_MAX_BYTES 65536U
#define LOOK_NS (20 * ES_NS_PER_MS) /* for its end, where the kernel cannot tell of it */
/* Between two sums of CPU time; more where one takes long, so that it never costs more than half a percent of a CPU. */
#define ROUND_NS (200 * ES_NS_PER_MS)
#define ROUND_COST 200
#define STEP_NS (2 * ES_NS_PER_MS) /* between two steps of one sum */

struct es_attach {
	struct es_measure_hook hook;
	struct es_root root;
	struct es_process process;
	int pid_fd; /* -1: looked for every LOOK_NS */
	struct es_process_tree *tree;
	int64_t next_step_ns, next_look_ns; /* monotonic */
	int64_t round_ns; /* taken by the steps of this round */
	bool has_cpu; /* one round at least */
	char *arguments, **command;
};

static int put_event(struct es_recorder *recorder, uint32_t type, int64_t t_ns, int64_t value,
		     const char *text)
{
	struct es_event event = { .type = type, .t_ns = t_ns, .value = value };

	(void)snprintf(event.text, sizeof(event.text), "%s", text);
	return es_recorder_event(recorder, &event);
}

static bool has_ended(const struct es_attach *attach)
{
	struct pollfd pollfd = { .fd = attach->pid_fd, .events = POLLIN };

	if (attach->pid_fd >= 0)
		return poll(&pollfd, 1, 0) > 0;
	return es_process_has_ended(&attach->root, &attach->process);
}

static void plan(struct es_attach *attach)
{
	struct es_measure_hook *hook = &attach->hook;

	hook->next_ns = attach->next_step_ns;
	if (attach->pid_fd < 0 && attach->next_look_ns < hook->next_ns)
		hook->next_ns = attach->next_look_ns;
}

static void sum_cpu(struct es_attach *attach, int64_t now_ns)
{
	int r = es_process_tree_step(attach->tree);
	int64_t wait_ns;

	attach->has_cpu = attach->has_cpu || r == 1;
	attach->round_ns += es_clock_mono_ns() - now_ns;
	attach->next_step_ns = now_ns + STEP_NS;
	if (r == 0)
		return;
	/* Done; or too many processes, or no memory: then the next round may do. */
	wait_ns = attach->round_ns * ROUND_COST;
	attach->next_step_ns = now_ns + (wait_ns > ROUND_NS ? wait_ns : ROUND_NS);
	attach->round_ns = 0;
}

static void on_begin(struct es_measure_hook *hook, struct es_recorder *recorder)
{
	struct es_attach *attach = hook->arg;
	int64_t now_ns = es_clock_boot_ns();
	/* A failure shows again at the end, where it is told. */
	(void)put_event(recorder, ES_EVENT_COMMAND_START, now_ns, attach->process.pid, "");
	(void)put_event(recorder, ES_EVENT_ATTACHED, now_ns, attach->process.pid,
			attach->process.name);
	attach->next_step_ns = attach->next_look_ns = es_clock_mono_ns();
	plan(attach);
}

static void on_ready(struct es_measure_hook *hook, struct es_recorder *recorder, short revents)
{
	struct es_attach *attach = hook->arg;
	int64_t stop_ns = es_clock_boot_ns(), now_ns = es_clock_mono_ns();

	(void)recorder;
	if (revents || (attach->pid_fd < 0 && now_ns >= attach->next_look_ns)) {
		attach->next_look_ns = now_ns + LOOK_NS;
		if (has_ended(attach)) {
			hook->over_ns = stop_ns;
			hook->fd = -1;
			hook->next_ns = INT64_MAX;
			/* What it used last is only there until its parent has asked for its status. */
			(void)es_process_tree_last(attach->tree);
			return;
		}
	}
	if (now_ns >= attach->next_step_ns)
		sum_cpu(attach, now_ns);
	plan(attach);
}

/* How it ended only its parent knows: -1. One that goes on is named like what a command leaves behind. */
static void on_end(struct es_measure_hook *hook, struct es_recorder *recorder, int64_t stop_ns)
{
	struct es_attach *attach = hook->arg;
	int64_t now_ns = es_clock_boot_ns();

	if (hook->over_ns)
		(void)put_event(recorder, ES_EVENT_COMMAND_STOP, stop_ns, -1, "");
	else
		(void)put_event(recorder, ES_EVENT_SURVIVOR, now_ns, attach->process.pid,
				attach->process.name);
	for (int r = 0, i = 0; !hook->over_ns && r == 0 && i < 1000; i++) {
		r = es_process_tree_step(attach->tree);
		attach->has_cpu = attach->has_cpu || r == 1;
	}
	if (attach->has_cpu)
		(void)put_event(recorder, ES_EVENT_CHILD_CPU, now_ns,
				es_process_tree_cpu_ns(attach->tree), "");
}

/* The bytes of /proc/PID/cmdline are arguments, each with a NUL behind it; a process may have overwritten them. */
static int read_command(struct es_attach *attach)
{
	char path[64];
	ssize_t n;
	size_t n_arguments = 0;

	(void)snprintf(path, sizeof(path), "proc/%d/cmdline", (int)attach->process.pid);
	n = es_root_read_file(&attach->root, path, ARGUMENTS_MAX_BYTES, &attach->arguments);
	if (n <= 0 || attach->arguments[0] == '\0') {
		free(attach->arguments);
		attach->arguments = strdup(attach->process.name);
		n = attach->arguments ? (ssize_t)strlen(attach->arguments) : -ENOMEM;
	}
	if (n < 0)
		return (int)n;
	for (ssize_t i = 0; i <= n; i++)
		n_arguments += i == n || attach->arguments[i] == '\0';
	attach->command = calloc(n_arguments + 1, sizeof(*attach->command));
	if (!attach->command)
		return -ENOMEM;
	n_arguments = 0;
	for (char *p = attach->arguments; p < attach->arguments + n; p += strlen(p) + 1)
		attach->command[n_arguments++] = p;
	return 0;
}

/* Nothing below /proc: it does not exist, or it is another user's and hidden (mount option hidepid). */
static int refuse_unseen(pid_t pid, struct es_error *err)
{
	if (kill(pid, 0) < 0 && errno == ESRCH)
		return es_error_say(err, -ESRCH, "--attach %d: there is no such process", (int)pid);
	return es_error_say(
		err, -EACCES,
		"--attach %d: it belongs to another user and is hidden here (hidepid); its user or root can",
		(int)pid);
}

static int check_process(const struct es_process *process, struct es_error *err)
{
	if (process->leader != process->pid)
		return es_error_say(
			err, -EINVAL,
			"--attach %d: that is a thread of process %d; attach to this one",
			(int)process->pid, (int)process->leader);
	if (es_process_is_over(process))
		return es_error_say(
			err, -ESRCH,
			"--attach %d: '%s' has ended already, and its parent has not asked for its status yet",
			(int)process->pid, process->name);
	return 0;
}

/* First hold it, then look at it: so what is seen is what is held, though numbers are used again. */
static int find_process(struct es_attach *attach, pid_t pid, struct es_error *err)
{
	int r;

	attach->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0U);
	if (attach->pid_fd < 0 && errno == ESRCH)
		return refuse_unseen(pid, err);
	r = es_process_read(&attach->root, pid, &attach->process);
	if (r == -ESRCH || r == -EACCES || r == -EPERM)
		return refuse_unseen(pid, err);
	if (r < 0)
		return es_error_set(err, r, "--attach %d", (int)pid);
	r = check_process(&attach->process, err);
	if (r < 0)
		return r;
	if (has_ended(attach))
		return es_error_say(err, -ESRCH, "--attach %d: '%s' has just ended", (int)pid,
				    attach->process.name);
	return 0;
}

int es_attach_parse(const char *text, pid_t *ret, struct es_error *err)
{
	int64_t pid;
	char safe[101];

	if (es_parse_i64(text, &pid) < 0 || pid <= 0 || pid > INT_MAX) {
		(void)snprintf(safe, sizeof(safe), "%s", text);
		es_text_make_safe(safe, false);
		return es_error_say(err, -EINVAL, "--attach '%s': not the number of a process",
				    safe);
	}
	*ret = (pid_t)pid;
	return 0;
}

static int choose_pid(const char *text, pid_t *ret, struct es_error *err)
{
	pid_t pid = 0;
	int r = es_attach_parse(text, &pid, err);

	if (r < 0)
		return r;
	if (pid == 1)
		return es_error_say(
			err, -EINVAL,
			"--attach 1: that process ends with its machine or container, and we with it; "
			"'energyscopium record start' measures until it is told to stop");
	if (pid == getpid())
		return es_error_say(err, -EINVAL, "--attach %d: that is this process itself",
				    (int)pid);
	*ret = pid;
	return 0;
}

int es_attach_create(const char *text, struct es_attach **ret, struct es_error *err)
{
	struct es_attach *attach;
	pid_t pid = 0;
	int r = choose_pid(text, &pid, err);

	if (r < 0)
		return r;
	attach = calloc(1, sizeof(*attach));
	if (!attach)
		return es_error_set(err, -ENOMEM, "--attach %d", (int)pid);
	attach->pid_fd = attach->root.fd = -1;
	r = es_root_open(NULL, -1, &attach->root, err);
	if (r == 0)
		r = find_process(attach, pid, err);
	if (r < 0)
		goto fail;
	r = read_command(attach);
	if (r == 0)
		r = es_process_tree_create(&attach->root, &attach->process, &attach->tree);
	if (r < 0) {
		(void)es_error_set(err, r, "--attach %d", (int)pid);
		goto fail;
	}
	attach->hook = (struct es_measure_hook){ .fd = attach->pid_fd,
						 .events = POLLIN,
						 .next_ns = INT64_MAX,
						 .handle = on_ready,
						 .finish = on_end,
						 .begin = on_begin,
						 .arg = attach };
	*ret = attach;
	return 0;
fail:
	es_attach_destroy(attach);
	return r;
}

void es_attach_destroy(struct es_attach *attach)
{
	if (!attach)
		return;
	es_process_tree_destroy(attach->tree);
	es_closep(&attach->pid_fd);
	es_root_close(&attach->root);
	free(attach->arguments);
	free(attach->command);
	free(attach);
}

pid_t es_attach_pid(const struct es_attach *attach)
{
	return attach->process.pid;
}

char *const *es_attach_command(const struct es_attach *attach)
{
	return attach->command;
}

struct es_measure_hook *es_attach_hook(struct es_attach *attach)
{
	return &attach->hook;
}
