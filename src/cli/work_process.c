/*
 * work_process.c - starting the processes that follow a command's work
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/child.h"
#include "cli/work_watch.h"

/* An ioctl that our oldest headers lack; the kernel's floor has it. */
#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

static int by_number(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* A watcher that outlives the measuring process keeps open what it needs, and nothing else. */
static void close_all_but(int *keep, size_t n)
{
	unsigned next = 0;

	qsort(keep, n, sizeof(*keep), by_number);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < 0)
			continue;
		if (keep[i] > 0)
			es_close_between(next, (unsigned)keep[i] - 1);
		next = (unsigned)keep[i] + 1;
	}
	es_close_between(next, ~0U);
}

static _Noreturn void become_watcher(struct es_work_watch *watch)
{
	/* What ends the command from the terminal leaves us to pass on its last words; we end when it has. */
	static const int ignored[] = { SIGINT,	SIGQUIT, SIGTERM, SIGHUP,
				       SIGALRM, SIGUSR1, SIGUSR2, SIGPIPE };
	static void (*const mains[])(struct es_work_watch *) = {
		[ES_WORK_STDOUT] = es_work_stream_main,
		[ES_WORK_STDERR] = es_work_stream_main,
		[ES_WORK_FILE] = es_work_file_main,
		[ES_WORK_URL] = es_work_url_main,
	};
	int keep[] = { watch->in_fd, watch->out_fd, watch->report_fd };

	for (size_t i = 0; i < ES_ARRAY_SIZE(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)prctl(PR_SET_NAME, "es-work");
	close_all_but(keep, ES_ARRAY_SIZE(keep));
	/* What a library says to standard error is not to end in a socket that took its number. */
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", O_RDWR | O_CLOEXEC);
	for (size_t i = 0; i < watch->n; i++)
		watch->tellers[i].fd = watch->report_fd;
	mains[watch->kind](watch);
	_exit(0);
}

/*
 * A command that writes to a terminal gets one: it then buffers and colours as it would without us. Its bytes come out
 * as they go in; the real terminal behind does the rest.
 */
static int open_terminal(struct es_work_process *process, struct es_error *err)
{
	es_cleanup(es_closep) int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	es_cleanup(es_closep) int slave = -1;
	struct termios termios;
	struct winsize size;

	if (master < 0 || unlockpt(master) < 0 || fcntl(master, F_SETFL, O_NONBLOCK) < 0)
		return es_error_set(err, -errno, "no pseudo-terminal for the command's output");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return es_error_set(err, -errno, "no pseudo-terminal for the command's output");
	if (tcgetattr(process->watch.out_fd, &termios) == 0 || tcgetattr(slave, &termios) == 0) {
		termios.c_oflag &= ~(tcflag_t)OPOST;
		(void)tcsetattr(slave, TCSANOW, &termios);
	}
	if (ioctl(process->watch.out_fd, TIOCGWINSZ, &size) == 0)
		(void)ioctl(slave, TIOCSWINSZ, &size);
	process->watch.in_fd = es_steal_fd(&master);
	process->command_fd = es_steal_fd(&slave);
	return 0;
}

static int open_pipe(struct es_work_process *process, struct es_error *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return es_error_set(err, -errno, "no pipe for the command's output");
	/* The two ends are opened apart: the command's waits as pipes do. */
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	process->watch.in_fd = fds[0];
	process->command_fd = fds[1];
	return 0;
}

static int open_stream(struct es_work_process *process, struct es_error *err)
{
	bool is_error = process->watch.kind == ES_WORK_STDERR;
	int flags;

	process->watch.out_fd = is_error ? STDERR_FILENO : STDOUT_FILENO;
	/* Held by us from the start (main.c): it was closed. */
	flags = fcntl(process->watch.out_fd, F_GETFD);
	if (flags < 0 || flags & FD_CLOEXEC)
		return es_error_say(err, -EBADF,
				    "--work: standard %s is closed: there will be nothing to count",
				    is_error ? "error" : "output");
	process->watch.is_terminal = isatty(process->watch.out_fd);
	return process->watch.is_terminal ? open_terminal(process, err) : open_pipe(process, err);
}

int es_work_process_start(struct es_work_process *process, struct es_error *err)
{
	struct es_work_watch *watch = &process->watch;
	int sockets[2] = { -1, -1 }, r = 0;

	process->fd = process->command_fd = watch->in_fd = watch->out_fd = -1;
	if (watch->kind == ES_WORK_STDOUT || watch->kind == ES_WORK_STDERR)
		r = open_stream(process, err);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		r = es_error_set(err, -errno, "--work: no socket");
	watch->report_fd = sockets[1];
	process->pid = r == 0 ? fork() : -1;
	if (process->pid == 0)
		become_watcher(watch);
	if (r == 0 && process->pid < 0)
		r = es_error_set(err, -errno, "--work: no process to count it");
	es_closep(&sockets[1]);
	es_closep(&watch->in_fd);
	watch->in_fd = -1;
	if (r < 0) {
		es_closep(&sockets[0]);
		es_closep(&process->command_fd);
		process->command_fd = -1;
		return r;
	}
	process->fd = sockets[0];
	return 0;
}
