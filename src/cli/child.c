/*
 * child.c - a command that waits at a gate until its first reading is taken
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "cli/inherited.h"

/* Our oldest headers lack it. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define OLD_KERNEL_FDS 65536U

static const int passed_on[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM };

void es_child_signals(sigset_t *ret)
{
	(void)sigemptyset(ret);
	(void)sigaddset(ret, SIGCHLD);
	for (size_t i = 0; i < ES_ARRAY_SIZE(passed_on); i++)
		(void)sigaddset(ret, passed_on[i]);
}

/* What the child says: the time just before exec, and, where that failed, once more with why. */
struct word {
	int64_t t_ns;
	int error;
};

/* In the child: wait for the gate, then become the command. */
static _Noreturn void become(char *const *argv, int gate_fd, int error_fd, const sigset_t *old_mask,
			     const struct es_child *child)
{
	char byte;
	struct word word = { .error = 0 };
	ssize_t n;

	do
		n = read(gate_fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(125); /* the parent gave up */
	(void)sigaction(SIGPIPE, &child->old_pipe, NULL);
	(void)sigaction(SIGXFSZ, &child->old_xfsz, NULL);
	(void)sigaction(SIGCHLD, &child->old_child, NULL);
	(void)sigprocmask(SIG_SETMASK, old_mask, NULL);
	word.t_ns = es_clock_boot_ns();
	if (write(error_fd, &word, sizeof(word)) != sizeof(word))
		_exit(125);
	(void)execvp(argv[0], argv);
	word.error = errno;
	n = write(error_fd, &word, sizeof(word));
	_exit(n == sizeof(word) ? 127 : 125);
}

/* Before the gate: whatever the command is to get must be there when it opens. */
static void redirect(const struct es_child_options *options)
{
	if (!options)
		return;
	if (options->stdout_fd >= 0 && dup2(options->stdout_fd, STDOUT_FILENO) < 0)
		_exit(125);
	if (options->stderr_fd >= 0 && dup2(options->stderr_fd, STDERR_FILENO) < 0)
		_exit(125);
	if (options->inherited)
		es_inherited_keep(options->inherited);
}

/*
 * Neither a reader of our messages that goes away nor a limit to the size of files must end the measurement. And
 * whoever ignores SIGCHLD, as some that start us do, is never told that a child has ended.
 */
static void set_signals(struct es_child *child)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN },
			       usual = { .sa_handler = SIG_DFL };

	(void)sigaction(SIGPIPE, &ignore, &child->old_pipe);
	(void)sigaction(SIGXFSZ, &ignore, &child->old_xfsz);
	(void)sigaction(SIGCHLD, &usual, &child->old_child);
}

int es_child_start(char *const *argv, const struct es_child_options *options, struct es_child *ret)
{
	int gate[2] = { -1, -1 }, error[2] = { -1, -1 };
	sigset_t set, old_mask;
	struct es_child child = { .pid = -1 };
	int r;

	es_child_signals(&set);
	if (pipe2(gate, O_CLOEXEC) < 0 || pipe2(error, O_CLOEXEC | O_NONBLOCK) < 0 ||
	    sigprocmask(SIG_BLOCK, &set, &old_mask) < 0) {
		r = -errno;
		goto fail;
	}
	set_signals(&child);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	child.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (child.signal_fd < 0) {
		r = -errno;
		goto fail;
	}
	child.pid = fork();
	if (child.pid < 0) {
		r = -errno;
		(void)close(child.signal_fd);
		goto fail;
	}
	if (child.pid == 0) {
		(void)close(gate[1]);
		(void)close(error[0]);
		redirect(options);
		become(argv, gate[0], error[1], &old_mask, &child);
	}
	(void)close(gate[0]);
	(void)close(error[1]);
	child.gate_fd = gate[1];
	child.error_fd = error[0];
	*ret = child;
	return 0;
fail:
	for (int i = 0; i < 2; i++) {
		es_closep(&gate[i]);
		es_closep(&error[i]);
	}
	return r;
}

int es_child_none(struct es_child *ret)
{
	struct es_child child = { .pid = -1, .gate_fd = -1, .error_fd = -1 };
	sigset_t set;

	es_child_signals(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	set_signals(&child);
	child.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (child.signal_fd < 0)
		return -errno;
	*ret = child;
	return 0;
}

int es_child_release(struct es_child *child)
{
	if (write(child->gate_fd, "", 1) != 1)
		return -errno;
	(void)close(es_steal_fd(&child->gate_fd));
	return 0;
}

int es_child_started(struct es_child *child)
{
	struct word word;
	ssize_t n;

	if (child->error_fd < 0)
		return 1;
	do {
		word.error = 0;
		n = read(child->error_fd, &word, sizeof(word));
		if (n == sizeof(word))
			child->exec_ns = word.t_ns;
	} while ((n < 0 && errno == EINTR) || (n == sizeof(word) && word.error == 0));
	if (n < 0 && errno == EAGAIN)
		return 0;
	(void)close(es_steal_fd(&child->error_fd));
	if (n != sizeof(word))
		return 1; /* closed by exec */
	(void)waitpid(child->pid, NULL, 0);
	child->pid = -1;
	return -word.error;
}

void es_child_cancel(struct es_child *child)
{
	if (child->pid <= 0 || child->has_ended)
		return;
	es_closep(&child->gate_fd); /* it reads the end, and ends */
	child->gate_fd = -1;
	(void)waitpid(child->pid, NULL, 0);
	child->pid = -1;
}

static bool is_request_to_stop(uint32_t signal)
{
	return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
}

static int reap(struct es_child *child, int *ret_status)
{
	int status, ended = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != child->pid)
			continue;
		*ret_status = status;
		child->has_ended = true;
		ended = 1;
	}
	return ended;
}

int es_child_handle(struct es_child *child, int *ret_status)
{
	struct signalfd_siginfo info;
	int ended = 0;

	while (read(child->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (is_request_to_stop(info.ssi_signo))
			child->was_asked_to_stop = true;
		if (info.ssi_signo == SIGCHLD)
			ended = reap(child, ret_status) || ended;
		else if (info.ssi_code <= 0 && !child->has_ended && child->pid > 0)
			/* Sent by a process. What the terminal sends goes to the command's process group by itself. */
			(void)kill(child->pid, (int)info.ssi_signo);
	}
	return ended;
}

int es_child_exit_status(int status)
{
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

static void name_of(pid_t pid, char *name, size_t size)
{
	char path[64];
	ssize_t n;
	es_cleanup(es_closep) int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, name, size - 1);
	name[n > 0 ? n : 0] = '\0';
	name[strcspn(name, "\n")] = '\0';
}

void es_child_survivors(const struct es_child *child, es_child_survivor_fn tell, void *arg)
{
	char path[64], list[ES_SYSFS_FILE_MAX_BYTES], name[64];
	es_cleanup(es_closep) int fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, list, sizeof(list) - 1);
	if (n <= 0)
		return;
	list[n] = '\0';
	for (char *p = list, *end; *p; p = end) {
		long pid = strtol(p, &end, 10);

		if (end == p)
			break;
		if (pid <= 0 || pid == child->pid)
			continue;
		name_of((pid_t)pid, name, sizeof(name));
		tell(arg, (pid_t)pid, name);
	}
}

void es_child_finish(struct es_child *child)
{
	es_child_cancel(child);
	es_closep(&child->gate_fd);
	es_closep(&child->error_fd);
	es_closep(&child->signal_fd);
}

void es_close_between(unsigned first, unsigned last)
{
	if (first > last || syscall(SYS_close_range, first, last, 0U) == 0)
		return;
	for (unsigned fd = first; fd <= last && fd < OLD_KERNEL_FDS; fd++)
		(void)close((int)fd);
}
