/*
 * detach.c - start a program that outlives who starts it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "slurm/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DESCRIPTORS_MAX 65536U

static void close_all(void)
{
	struct rlimit limit = { .rlim_cur = DESCRIPTORS_MAX };

#ifdef SYS_close_range
	if (syscall(SYS_close_range, 0U, ~0U, 0U) == 0)
		return;
#endif
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur > DESCRIPTORS_MAX)
		limit.rlim_cur = DESCRIPTORS_MAX;
	for (int fd = 0; fd < (int)limit.rlim_cur; fd++)
		(void)close(fd);
}

/* Signals as a new program expects them: Slurm blocks some, and ignores others. */
static void reset_signals(void)
{
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < SIGRTMIN; i++)
		(void)sigaction(i, &usual, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Between fork and exec: calls that are safe there only. */
static _Noreturn void become(const char *path, char *const argv[])
{
	char *const environment[] = { (char[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" }, NULL };

	reset_signals();
	close_all();
	/* 0, 1 and 2 */
	if (open("/dev/null", O_RDWR) == 0 && dup(0) == 1 && dup(0) == 2 && chdir("/") == 0)
		(void)execve(path, argv, environment);
	_exit(127);
}

int es_slurm_start(const char *path, char *const argv[])
{
	int status;
	pid_t child, got;

	if (access(path, X_OK) < 0)
		return -errno;
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0) {
		/* Nobody waits for the grandchild: it is the first process's to reap. */
		pid_t grandchild = setsid() < 0 ? -1 : fork();

		if (grandchild == 0)
			become(path, argv);
		_exit(grandchild < 0 ? 1 : 0);
	}
	do
		got = waitpid(child, &status, 0);
	while (got < 0 && errno == EINTR);
	return got == child && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}
