/*
 * explore_process.c - the commands of a study: each in a group of its own, ended with all it started
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/child.h"
#include "cli/explore.h"

#define GRACE_NS (10 * ES_NS_PER_S) /* between asking a command to end and ending it */
#define CANNOT_START 127
#define ORPHAN_LOOKS 200 /* a second in all: what does not end by then is stuck in the kernel */

struct waiting {
	pid_t pid;
	sigset_t watched; /* those that are not ignored */
	int64_t deadline_ns; /* monotonic; INT64_MAX: none */
	bool was_asked; /* to end: the deadline is the last */
	struct es_explore_ended *ended;
};

static void redirect(const char *path, int flags, int to)
{
	int fd = open(path, flags, 0666);

	if (fd < 0 || dup2(fd, to) < 0)
		_exit(CANNOT_START);
	if (fd != to)
		(void)close(fd);
}

void es_explore_signals_begin(struct es_explore_signals *ret)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	siginfo_t info;

	(void)sigemptyset(&ret->watched);
	(void)sigaddset(&ret->watched, SIGCHLD);
	/* nohup and shells' background jobs ignore some of them: so do we. */
	for (size_t i = 0; i < ES_ARRAY_SIZE(signals); i++) {
		struct sigaction action;

		if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			(void)sigaddset(&ret->watched, signals[i]);
	}
	/* Ignored, it would take our children's status away. */
	(void)sigaction(SIGCHLD, &usual, &ret->old_child);
	(void)sigprocmask(SIG_BLOCK, &ret->watched, &ret->old_mask);
	/*
	 * What leaves its group (setsid, daemons of MPI) comes to us when its parent ends. Not where who called us by exec had
	 * children: they are none of ours, and could not be told apart.
	 */
	ret->is_reaper = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 &&
			 errno == ECHILD && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
}

void es_explore_signals_end(const struct es_explore_signals *signals)
{
	if (signals->is_reaper)
		(void)prctl(PR_SET_CHILD_SUBREAPER, 0);
	(void)sigaction(SIGCHLD, &signals->old_child, NULL);
	(void)sigprocmask(SIG_SETMASK, &signals->old_mask, NULL);
}

int es_explore_signals_stop(const struct es_explore_signals *signals)
{
	const struct timespec now = { .tv_sec = 0 };
	int signal;

	do
		signal = sigtimedwait(&signals->watched, NULL, &now);
	while (signal == SIGCHLD);
	return signal > 0 ? signal : 0;
}

static _Noreturn void become(const struct es_explore_process *process, pid_t parent)
{
	int how = O_WRONLY | O_CREAT | (process->log_goes_on ? O_APPEND : O_TRUNC);

	(void)setpgid(0, 0);
	/* Whoever kills us ends what we started, too: it would disturb the next measurement. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(CANNOT_START);
	redirect("/dev/null", O_RDONLY, STDIN_FILENO);
	redirect(process->log, how, STDERR_FILENO);
	if (process->out)
		redirect(process->out, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
	else if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		_exit(CANNOT_START);
	if (process->folder && chdir(process->folder) < 0)
		_exit(CANNOT_START);
	es_explore_signals_end(&process->study->signals);
	(void)execvp(process->argv[0], process->argv);
	_exit(CANNOT_START);
}

static void ask_to_end(struct waiting *waiting, int signal)
{
	(void)kill(-waiting->pid, signal);
	waiting->was_asked = true;
	waiting->deadline_ns = es_clock_mono_ns() + GRACE_NS;
}

static void on_time(struct waiting *waiting)
{
	if (waiting->was_asked) {
		(void)kill(-waiting->pid, SIGKILL);
		waiting->deadline_ns = INT64_MAX;
		return;
	}
	waiting->ended->is_timed_out = true;
	ask_to_end(waiting, SIGTERM);
}

/* Those that a kernel without CONFIG_PROC_CHILDREN does not tell go on. */
static void end_children(void)
{
	es_cleanup(es_fclosep) FILE *file = fopen("/proc/thread-self/children", "re");
	int pid;

	while (file && fscanf(file, "%d", &pid) == 1)
		if (pid > 1)
			(void)kill(pid, SIGKILL);
}

/* When the one we waited for has ended, our children are what it left in other groups; theirs come to us in turn. */
static void end_orphans(void)
{
	const struct timespec nap = { .tv_nsec = 5 * ES_NS_PER_MS };
	pid_t pid;

	for (int i = 0; i < ORPHAN_LOOKS; i++) {
		end_children();
		do
			pid = waitpid(-1, NULL, WNOHANG);
		while (pid > 0);
		if (pid < 0)
			return;
		(void)nanosleep(&nap, NULL);
	}
}

static int await(struct waiting *waiting)
{
	int status;

	for (;;) {
		siginfo_t info = { .si_pid = 0 };
		int64_t left_ns = waiting->deadline_ns == INT64_MAX
					  ? 3600 * ES_NS_PER_S
					  : waiting->deadline_ns - es_clock_mono_ns();
		struct timespec left = { .tv_sec = 0 };
		int signal;

		if (left_ns > 0)
			left = (struct timespec){ .tv_sec = left_ns / ES_NS_PER_S,
						  .tv_nsec = left_ns % ES_NS_PER_S };
		signal = sigtimedwait(&waiting->watched, NULL, &left);
		if (signal > 0 && signal != SIGCHLD) {
			waiting->ended->stop_signal = signal;
			ask_to_end(waiting, signal == SIGHUP ? SIGTERM : signal);
		}
		(void)waitid(P_PID, (id_t)waiting->pid, &info, WEXITED | WNOHANG | WNOWAIT);
		if (info.si_pid == waiting->pid) {
			/* What it left running would disturb the next one. Until it is reaped nobody else's group has its number. */
			(void)kill(-waiting->pid, SIGKILL);
			if (waitpid(waiting->pid, &status, 0) == waiting->pid)
				return es_child_exit_status(status);
		}
		if (signal < 0 && errno == EAGAIN && waiting->deadline_ns != INT64_MAX &&
		    es_clock_mono_ns() >= waiting->deadline_ns)
			on_time(waiting);
	}
}

int es_explore_process_run(const struct es_explore_process *process, struct es_explore_ended *ret)
{
	struct waiting waiting = { .watched = process->study->signals.watched,
				   .deadline_ns = INT64_MAX,
				   .ended = ret };
	int64_t start_ns = es_clock_mono_ns();
	pid_t parent = getpid();

	*ret = (struct es_explore_ended){ .status = 0 };
	waiting.pid = fork();
	if (waiting.pid < 0)
		return -errno;
	if (waiting.pid == 0)
		become(process, parent);
	(void)setpgid(waiting.pid, waiting.pid);
	es_explore_journal_process(process->study, waiting.pid);
	if (process->timeout_ns)
		waiting.deadline_ns = start_ns + process->timeout_ns;
	ret->status = await(&waiting);
	ret->wall_ns = es_clock_mono_ns() - start_ns;
	if (process->study->signals.is_reaper)
		end_orphans();
	return 0;
}
