/*
 * twin_exec.c - energyscopium twin exec: run a program that takes a twin for this machine
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Programs that know of no --root look below /sys and /proc. They get namespaces of their own, in which the twin's files lie
 * there; nobody else sees a difference, and all is gone when they end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/twin.h"

#define COMMAND "twin exec"
#define EXIT_NOT_FOUND 127
#define EXIT_NOT_RUN 126
#define LIBRARIES "usr/lib/x86_64-linux-gnu"

static int write_file(const char *path, const char *text)
{
	es_cleanup(es_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* In a user namespace everybody stays who they are. */
static int keep_names(uid_t uid, gid_t gid)
{
	char text[64];
	int r;

	(void)snprintf(text, sizeof(text), "%u %u 1\n", (unsigned)uid, (unsigned)uid);
	r = write_file("/proc/self/uid_map", text);
	if (r < 0)
		return r;
	/* A kernel before 3.19 has no such file, and asks for nothing. */
	(void)write_file("/proc/self/setgroups", "deny");
	(void)snprintf(text, sizeof(text), "%u %u 1\n", (unsigned)gid, (unsigned)gid);
	return write_file("/proc/self/gid_map", text);
}

/* Namespaces of mounts and of the host's name; for who may not have them, in a user namespace. */
static int leave(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int r = 0;

	if (unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS) < 0)
			return -errno;
		r = keep_names(uid, gid);
	}
	if (r == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		r = -errno;
	return r;
}

static int lay(const char *twin, const char *path)
{
	char from[ES_PATH_MAX_BYTES + 256];

	(void)snprintf(from, sizeof(from), "%s%s", twin, path);
	return mount(from, path, NULL, MS_BIND | MS_REC, NULL) < 0 ? -errno : 0;
}

/* Files right below proc, each alone: /proc/self and the like must stay. */
static int lay_proc(const char *twin, struct es_error *err)
{
	char path[ES_PATH_MAX_BYTES + 256];
	es_cleanup(es_closedirp) DIR *dir = NULL;

	(void)snprintf(path, sizeof(path), "%s/proc", twin);
	dir = opendir(path);
	if (!dir)
		return es_error_set(err, -errno, "cannot list '%s'", path);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		struct stat st;
		int r;

		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%.200s", entry->d_name);
		r = access(path, F_OK) == 0 ? lay(twin, path) : 0;
		if (r < 0)
			return es_error_set(err, r, "cannot put the twin's files over '%s'", path);
	}
	return 0;
}

/* All that a program may look at. What has no place on this machine (devices) is left out: a mount needs one. */
static int lay_all(const char *twin, struct es_error *err)
{
	int r = lay(twin, "/sys");

	if (r < 0)
		return es_error_set(err, r, "cannot put the twin's files over '/sys'");
	r = lay_proc(twin, err);
	if (r < 0)
		return r;
	r = access("/dev/cpu", F_OK) == 0 ? lay(twin, "/dev/cpu") : 0;
	return r < 0 && r != -ENOENT
		       ? es_error_set(err, r, "cannot put the twin's files over '/dev/cpu'")
		       : 0;
}

static void name_host(const char *mount)
{
	struct es_error err = { .code = 0 };
	struct es_buf name;

	/* Its name alone is no reason to fail. */
	if (es_twin_read(mount, "name", &name, &err) == 0)
		(void)sethostname((const char *)name.data, strcspn((const char *)name.data, "\n"));
	es_buf_finish(&name);
}

static int set_environment(const char *mount)
{
	const char *before = getenv("LD_LIBRARY_PATH");
	char path[2 * ES_PATH_MAX_BYTES];
	bool has_before = before && *before;

	if (snprintf(path, sizeof(path), "%s/" LIBRARIES "%s%s", mount, has_before ? ":" : "",
		     has_before ? before : "") >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return setenv("LD_LIBRARY_PATH", path, 1) < 0 || setenv("ENERGYSCOPIUM_TWIN", mount, 1) < 0
		       ? -errno
		       : 0;
}

static int exec_on(const char *mount, char **argv)
{
	struct es_error err = { .code = 0 };
	int r = leave();

	if (r == -EPERM || r == -EACCES || r == -ENOSYS || r == -ENOSPC)
		return es_complain(
			COMMAND, ES_EXIT_FAILURE,
			"no namespace for '%s' here: %s; as root it has one, or allow them with "
			"'sysctl kernel.unprivileged_userns_clone=1' or user.max_user_namespaces",
			argv[0], es_strerror(r));
	if (r < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "no namespace for '%s': %s", argv[0],
				   es_strerror(r));
	r = lay_all(mount, &err);
	if (r < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "%s: '%s' was not run", err.text,
				   argv[0]);
	name_host(mount);
	r = set_environment(mount);
	if (r < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "%s: '%s' was not run", es_strerror(r),
				   argv[0]);
	(void)execvp(argv[0], argv);
	r = errno;
	return es_complain(COMMAND, r == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN, "'%s': %s",
			   argv[0], es_strerror(r));
}

/* Its libraries become part of the program, so they have to come from who runs it, or from root. */
static int check_owner(const char *mount, const char *program)
{
	struct es_twin_mounted mounted = { .has_owner = false };
	int r = es_twin_mounted(mount, &mounted);

	if (r < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE,
				   "cannot tell what is mounted at '%s': %s", mount,
				   es_strerror(r));
	if (mounted.has_owner && (mounted.owner == geteuid() || mounted.owner == 0))
		return ES_EXIT_OK;
	return es_complain(
		COMMAND, ES_EXIT_FAILURE,
		"'%s': the twin of another user (uid %u), whose libraries '%s' would load: it was not run; run it as that user",
		mount, (unsigned)mounted.owner, program);
}

int es_twin_cmd_exec(int argc, char **argv)
{
	const char *given = NULL;
	const struct es_option options[] = { ES_TWIN_MOUNT_OPTION(&given) };
	const struct es_usage usage = {
		.command = COMMAND,
		.synopsis = "[--mount DIR] -- COMMAND [ARGUMENT]…",
		.text = "Runs a program that takes the twin for this machine: in namespaces of its own it finds\n"
			"the twin's files below /sys and /proc, its GPU libraries and its name. It ends with the\n"
			"program's status.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
		.stops_at_operand = true,
	};
	char mount[ES_PATH_MAX_BYTES];
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	if (first >= argc)
		return es_complain(COMMAND, ES_EXIT_USAGE, "a command is missing");
	status = es_twin_find(COMMAND, given, mount);
	if (status == ES_EXIT_OK)
		status = check_owner(mount, argv[first]);
	return status == ES_EXIT_OK ? exec_on(mount, argv + first) : status;
}
