/*
 * line.c - a job's line, from the daemon's words to the end of the job's output
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "slurm/line.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define WORD "energyscopium "
#define CPU_MAX_S 10U

int es_slurm_take_output(const char *path, struct es_slurm_output *ret, struct es_error *err)
{
	es_cleanup(es_closep) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char text[ES_SLURM_OUTPUT_MAX_BYTES];
	struct stat status;
	ssize_t n;
	int r;

	if (fd < 0)
		return es_error_set(err, -errno, "cannot open '%s'", path);
	if (fstat(fd, &status) < 0)
		return es_error_set(err, -errno, "cannot look at '%s'", path);
	if (!S_ISREG(status.st_mode) || status.st_uid != geteuid())
		return es_error_say(err, -EPERM, "'%s' is somebody else's", path);
	(void)unlink(path);
	n = read(fd, text, sizeof(text));
	if (n < 0)
		return es_error_set(err, -errno, "cannot read '%s'", path);
	if (n == 0)
		return es_error_say(err, -ENODATA, "the job's output is no file");
	r = es_slurm_output_get(text, (size_t)n, ret);
	return r < 0 ? es_error_set(err, r, "'%s' is not what the plug-in writes", path) : 0;
}

int es_slurm_become_user(const struct es_slurm_output *output, struct es_error *err)
{
	const uid_t uid = output->uid;
	const gid_t gid = output->gid;

	if (geteuid() != 0) {
		if (getuid() == uid && geteuid() == uid)
			return 0;
		return es_error_set(err, -EPERM, "cannot become uid %" PRIu32, (uint32_t)uid);
	}
	if (setgroups(output->n_groups, output->groups) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return es_error_set(err, -errno, "cannot become uid %" PRIu32, (uint32_t)uid);
	if (uid != 0 && (setuid(0) == 0 || geteuid() != uid))
		return es_error_say(err, -EPERM, "rights of root would not go");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return es_error_set(err, -errno, "cannot give up rights for good");
	return 0;
}

/*
 * It runs as the job's user outside of the job's cgroup, where that user could take hold of it (ptrace): it starts nothing else, and
 * computes for some seconds at most, whatever becomes of it.
 */
static _Noreturn void become_program(const char *program, char *const argv[],
				     char *const environment[], int out)
{
	const struct rlimit none = { .rlim_cur = 0 };
	const struct rlimit cpu = { .rlim_cur = CPU_MAX_S, .rlim_max = CPU_MAX_S };

	if (dup2(out, STDOUT_FILENO) >= 0 && setrlimit(RLIMIT_NPROC, &none) == 0 &&
	    setrlimit(RLIMIT_CPU, &cpu) == 0)
		(void)execve(program, argv, environment);
	_exit(127);
}

static int start(const char *program, const char *socket, uint32_t job, const char *wait, int out,
		 pid_t *ret)
{
	char id[16], daemon[ES_PATH_MAX_BYTES];
	char *argv[] = {
		(char *)program,
		(char[]){ "job" },
		(char[]){ "line" },
		id,
		(char[]){ "--wait" },
		(char *)wait,
		NULL,
	};
	char *environment[] = { daemon, (char[]){ "PATH=/usr/bin:/bin" }, NULL };

	(void)snprintf(id, sizeof(id), "%" PRIu32, job);
	if ((size_t)snprintf(daemon, sizeof(daemon), "ENERGYSCOPIUM_DAEMON=%s", socket) >=
	    sizeof(daemon))
		return -ENAMETOOLONG;
	if (access(program, X_OK) < 0)
		return -errno;
	*ret = fork();
	if (*ret < 0)
		return -errno;
	if (*ret == 0)
		become_program(program, argv, environment, out);
	return 0;
}

/* All of it up to @size; -EMSGSIZE: more than that. */
static int read_all(int fd, int64_t until_ns, char *ret, size_t size, size_t *ret_n)
{
	size_t n = 0;

	for (;;) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		int64_t left_ns = until_ns - es_clock_mono_ns();
		ssize_t got;
		int r;

		if (left_ns <= 0)
			return -ETIMEDOUT;
		r = poll(&poll_fd, 1, (int)(left_ns / 1000000 + 1));
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r <= 0)
			continue;
		if (n == size)
			return -EMSGSIZE;
		got = read(fd, ret + n, size - n);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0) {
			*ret_n = n;
			return 0;
		}
		n += got > 0 ? (size_t)got : 0;
	}
}

/* Only complete lines of ours, and nothing that a terminal would obey. */
static size_t keep_lines(char *text, size_t n)
{
	size_t kept = 0;

	for (size_t at = 0; at < n;) {
		const char *end = memchr(text + at, '\n', n - at);
		size_t n_line;
		bool is_ours;

		if (!end)
			break;
		n_line = (size_t)(end - text) - at + 1;
		is_ours = n_line > strlen(WORD) && !memcmp(text + at, WORD, strlen(WORD));
		for (size_t i = 0; is_ours && i + 1 < n_line; i++)
			is_ours = (unsigned char)text[at + i] >= 0x20 && text[at + i] != 0x7f;
		if (is_ours) {
			memmove(text + kept, text + at, n_line);
			kept += n_line;
		}
		at += n_line;
	}
	return kept;
}

int es_slurm_ask_line(const char *program, const char *socket, uint32_t job, const char *wait,
		      int64_t until_ns, char *ret, size_t size, size_t *ret_n, struct es_error *err)
{
	es_cleanup(es_closep) int in = -1;
	int pipes[2], r;
	pid_t pid = -1;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return es_error_set(err, -errno, "no pipe");
	in = pipes[0];
	r = start(program, socket, job, wait, pipes[1], &pid);
	(void)close(pipes[1]);
	if (r < 0)
		return es_error_set(err, r, "cannot run '%s'", program);
	r = read_all(in, until_ns, ret, size, ret_n);
	if (r < 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (r < 0)
		return es_error_set(err, r, "'%s job line %" PRIu32 "'", program, job);
	*ret_n = keep_lines(ret, *ret_n);
	if (*ret_n == 0)
		return es_error_say(err, -ENODATA, "'%s job line %" PRIu32 "' has no line of it",
				    program, job);
	return 0;
}
