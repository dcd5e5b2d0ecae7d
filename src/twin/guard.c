/*
 * guard.c - a process that takes a twin's mount away when the twin dies, however it does
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * A mount whose server was killed stays and answers ENOTCONN for ever; somebody has to be left who takes it away. It opens nothing
 * of the mount, and above all not its FUSE device: that would keep readers waiting.
 */
#include "twin/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "twin/mounts.h"

#define PATIENCE_S 5 /* for a server that was told to end */

void es_twin_be_silent(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)dup2(fd, STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

static void watched(sigset_t *ret)
{
	(void)sigemptyset(ret);
	(void)sigaddset(ret, SIGCHLD);
	(void)sigaddset(ret, SIGTERM);
	(void)sigaddset(ret, SIGINT);
	(void)sigaddset(ret, SIGHUP);
}

void es_twin_guard_signals(void)
{
	sigset_t set;

	watched(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

static bool wait_up(const struct es_twin_guard *guard)
{
	char byte;
	ssize_t n;

	do
		n = read(guard->up_fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static void tell_up(const struct es_twin_guard *guard)
{
	if (guard->ready_fd >= 0) {
		(void)!write(guard->ready_fd, "up\n", 3);
		(void)close(guard->ready_fd);
	}
	if (!guard->stays_in_foreground)
		es_twin_be_silent();
}

/* Signals that ask to end are handed on; one that does not obey is killed. */
static int wait_end(pid_t server)
{
	const struct timespec patience = { .tv_sec = PATIENCE_S };
	sigset_t set;
	bool is_ending = false;
	int status = 0;

	watched(&set);
	while (waitpid(server, &status, WNOHANG) == 0) {
		int number = sigtimedwait(&set, NULL, is_ending ? &patience : NULL);

		if (number == SIGCHLD)
			continue;
		if (number > 0 && !is_ending) {
			(void)kill(server, SIGTERM);
			is_ending = true;
		} else if (number < 0 && errno == EAGAIN) {
			(void)kill(server, SIGKILL);
		}
	}
	return status;
}

int es_twin_guard(const struct es_twin_guard *guard)
{
	struct es_twin_mounted mounted;
	int status;

	if (wait_up(guard))
		tell_up(guard);
	status = wait_end(guard->server);
	/* Nobody else's: the folder below it is locked as long as we are here. */
	if (es_twin_mounted(guard->path, &mounted) == 0 && mounted.is_twin)
		(void)es_twin_unmount(guard->path);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	(void)fprintf(stderr, "energyscopium-twin: killed by signal %d (%s); its mount is gone\n",
		      WTERMSIG(status), strsignal(WTERMSIG(status)));
	return 1;
}
