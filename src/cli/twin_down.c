/*
 * twin_down.c - energyscopium twin down: end a twin, or clear away what a dead one left
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "cli/twin.h"

#define PATIENCE_NS (5 * ES_NS_PER_S) /* for one that was asked to end */
#define AGAIN_US 10000
#define END_TRIES 100U

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

static int ask_pid(const char *mount, pid_t *ret, struct es_error *err)
{
	struct es_buf text;
	uint64_t pid = 0;
	int r = es_twin_read(mount, "pid", &text, err);

	if (r == 0) {
		r = es_parse_u64_sysfs((const char *)text.data, text.len, &pid);
		if (r < 0 || pid < 2 || pid > INT32_MAX)
			r = es_error_say(err, -EBADMSG, "'%s': it does not tell its process",
					 mount);
	}
	es_buf_finish(&text);
	*ret = (pid_t)pid;
	return r;
}

/*
 * What a mount says is as good as who mounted it, and any user can mount something that looks like a twin: only a process of
 * theirs is ended on its word. -EPERM: it names another's; -ESRCH: there is none.
 */
static int find_process(const struct es_twin_at *at, pid_t pid, int *ret_fd)
{
	char path[32];
	struct stat st;
	/* Held, so that no other process can take its number between the look and the signal; -1 where the kernel has no such thing. */
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0 && errno == ESRCH)
		return -ESRCH;
	*ret_fd = fd;
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	if (stat(path, &st) < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	return at->mounted.has_owner && st.st_uid == at->mounted.owner ? 0 : -EPERM;
}

static int send_signal(int pid_fd, pid_t pid, int number)
{
	int r = pid_fd >= 0 ? (int)syscall(SYS_pidfd_send_signal, pid_fd, number, NULL, 0)
			    : kill(pid, number);

	return r < 0 ? -errno : 0;
}

/* The mount that was looked at is there no more; another may be in its place. */
static bool is_gone(const struct es_twin_at *at)
{
	struct es_twin_mounted now;

	return es_twin_mounted(at->mount, &now) == 0 &&
	       (!now.is_mount || now.id != at->mounted.id || now.minor != at->mounted.minor ||
		now.major != at->mounted.major);
}

static bool wait_gone(const struct es_twin_at *at, pid_t pid)
{
	int64_t until_ns = es_clock_mono_ns() + PATIENCE_NS;

	while (!is_gone(at)) {
		if (es_clock_mono_ns() > until_ns)
			return false;
		(void)usleep(AGAIN_US);
	}
	/* Nor its process, which may stay as a zombie where nobody waits for orphans. */
	for (unsigned i = 0; i < END_TRIES && kill(pid, 0) == 0; i++)
		(void)usleep(AGAIN_US);
	return true;
}

static int clear_away(const struct es_twin_at *at)
{
	int r = es_twin_unmount(at->mount);

	if (r < 0 && !is_gone(at))
		return es_complain("twin down", ES_EXIT_FAILURE, "cannot unmount '%s': %s",
				   at->mount, es_strerror(r));
	return ES_EXIT_OK;
}

static int end_process(const struct es_twin_at *at, pid_t pid)
{
	es_cleanup(es_closep) int pid_fd = -1;
	int r = find_process(at, pid, &pid_fd);

	if (r == -EPERM) {
		(void)es_complain(
			"twin down", ES_EXIT_FAILURE,
			"'%s' says that it is process %d, which is not of the user who mounted it: that is left alone, the mount is taken away",
			at->mount, (int)pid);
		(void)clear_away(at);
		return ES_EXIT_FAILURE;
	}
	if (r == 0)
		r = send_signal(pid_fd, pid, SIGTERM);
	if (r < 0 && r != -ESRCH)
		return es_complain("twin down", ES_EXIT_FAILURE,
				   "cannot end the twin at '%s' (process %d): %s", at->mount,
				   (int)pid, es_strerror(r));
	if (wait_gone(at, pid))
		return ES_EXIT_OK;
	if (r == 0)
		(void)send_signal(pid_fd, pid, SIGKILL);
	return clear_away(at);
}

static int end(const struct es_twin_at *at)
{
	struct es_error err = { .code = 0 };
	pid_t pid;
	int r = ask_pid(at->mount, &pid, &err);

	/* It may have ended between the look and the question. */
	if (r < 0 && is_gone(at))
		return ES_EXIT_OK;
	return r < 0 ? clear_away(at) : end_process(at, pid);
}

int es_twin_cmd_down(int argc, char **argv)
{
	const char *mount = NULL;
	const struct es_option options[] = { ES_TWIN_MOUNT_OPTION(&mount) };
	const struct es_usage usage = {
		.command = "twin down",
		.synopsis = "[--mount DIR]",
		.text = "Ends the twin: whoever still reads it gets errors, and its folder is empty again. Takes\n"
			"away the mount that a dead one left behind, too.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	struct es_error err = { .code = 0 };
	struct es_twin_at at;
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	if (first < argc)
		return es_complain("twin down", ES_EXIT_USAGE, "'%s' is one too many", argv[first]);
	status = es_twin_look(mount, &at, &err);
	if (status < 0)
		return es_complain("twin down", status == -EINVAL ? ES_EXIT_USAGE : ES_EXIT_FAILURE,
				   "%s", err.text);
	switch (at.state) {
	case ES_TWIN_UP:
		return end(&at);
	case ES_TWIN_DEAD:
		return clear_away(&at);
	case ES_TWIN_FOREIGN:
		/* Root can take it away all the same: it ends when it is mounted nowhere any more. */
		if (geteuid() == 0)
			return clear_away(&at);
		break;
	case ES_TWIN_NONE:
		break;
	}
	return es_complain("twin down", ES_EXIT_FAILURE, "%s", err.text);
}
