/*
 * mounts.c - what is mounted at a path: a twin, a dead one, something else
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define MOUNTINFO_MAX (16U << 20)

/* A field of the line, as the kernel escapes it (\040 for a blank), is @path. */
static bool is_path(const char *field, size_t n, const char *path)
{
	size_t i = 0;

	for (; i < n && *path; path++) {
		unsigned char byte = (unsigned char)field[i];

		if (byte == '\\' && n - i >= 4) {
			byte = (unsigned char)((field[i + 1] - '0') << 6 |
					       (field[i + 2] - '0') << 3 | (field[i + 3] - '0'));
			i += 3;
		}
		if (byte != (unsigned char)*path)
			return false;
		i++;
	}
	return i == n && *path == '\0';
}

/* Behind the separator: type, source, options of the file system. */
static void parse_type(const char *at, const char *end, struct es_twin_mounted *ret)
{
	static const char owner_key[] = ",user_id=";
	size_t n = strcspn(at, " \n"), n_kept = n < sizeof(ret->type) ? n : sizeof(ret->type) - 1;
	const char *owner, *options;
	unsigned long uid;

	memcpy(ret->type, at, n_kept);
	ret->type[n_kept] = '\0';
	ret->is_twin = strcmp(ret->type, "fuse." ES_TWIN_SUBTYPE) == 0;
	/* Not in the source: that is whatever who mounted it made of it. */
	options = at + n < end ? memchr(at + n + 1, ' ', (size_t)(end - at) - n - 1) : NULL;
	owner = options ? memmem(options, (size_t)(end - options), owner_key, sizeof(owner_key) - 1)
			: NULL;
	if (!owner)
		return;
	uid = strtoul(owner + sizeof(owner_key) - 1, NULL, 10);
	ret->has_owner = true;
	ret->owner = (uid_t)uid;
}

static void parse_line(const char *line, const char *end, const char *path,
		       struct es_twin_mounted *ret)
{
	struct es_twin_mounted found = { .is_mount = true };
	const char *root, *point, *separator;
	int used = 0;

	if (sscanf(line, "%u %*u %u:%u %n", &found.id, &found.major, &found.minor, &used) != 3 ||
	    used == 0)
		return;
	root = line + used;
	point = memchr(root, ' ', root < end ? (size_t)(end - root) : 0);
	if (!point)
		return;
	point++;
	if (!is_path(point, strcspn(point, " \n"), path))
		return;
	separator = memmem(point, (size_t)(end - point), " - ", 3);
	if (!separator)
		return;
	parse_type(separator + 3, end, &found);
	*ret = found;
}

void es_twin_mounted_parse(const char *text, const char *path, struct es_twin_mounted *ret)
{
	*ret = (struct es_twin_mounted){ .is_mount = false };
	/* A later line is mounted over an earlier one. */
	while (*text) {
		const char *end = strchrnul(text, '\n');

		parse_line(text, end, path, ret);
		text = *end ? end + 1 : end;
	}
}

int es_twin_mounted(const char *path, struct es_twin_mounted *ret)
{
	es_cleanup(es_closep) int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	struct es_buf text;
	ssize_t n = 1;
	int r;

	if (fd < 0)
		return -errno;
	es_buf_init(&text, MOUNTINFO_MAX);
	while (n > 0 && es_buf_reserve(&text, 65536) == 0) {
		n = read(fd, text.data + text.len, text.cap - text.len);
		if (n > 0)
			text.len += (size_t)n;
	}
	r = n < 0 ? -errno : es_buf_u8(&text, 0);
	if (r == 0)
		es_twin_mounted_parse((const char *)text.data, path, ret);
	es_buf_finish(&text);
	return r;
}

int es_twin_mount_resolve(const char *path, char ret[static ES_PATH_MAX_BYTES])
{
	es_cleanup(es_freep) char *whole = realpath(path, NULL), *above = NULL, *copy = NULL;
	const char *name;
	char *slash;
	int n, r = -errno;

	if (whole) {
		n = snprintf(ret, ES_PATH_MAX_BYTES, "%s", whole);
		return n >= (int)ES_PATH_MAX_BYTES ? -ENAMETOOLONG : 0;
	}
	/* A dead mount, or another user's, cannot be looked at: its folder can. */
	if (r != -ENOTCONN && r != -EACCES && r != -ECONNABORTED)
		return r;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--)
		copy[len - 1] = '\0';
	slash = strrchr(copy, '/');
	name = slash ? slash + 1 : copy;
	if (strcmp(name, "..") == 0 || strcmp(name, ".") == 0)
		return r;
	if (slash)
		*slash = '\0';
	above = realpath(!slash ? "." : slash == copy ? "/" : copy, NULL);
	if (!above)
		return r;
	n = snprintf(ret, ES_PATH_MAX_BYTES, "%s/%s", strcmp(above, "/") == 0 ? "" : above, name);
	return n >= (int)ES_PATH_MAX_BYTES ? -ENAMETOOLONG : 0;
}

/* The number of the mount that @fd lies in, as mountinfo has it. */
static int mount_id(int fd, unsigned *ret)
{
	char path[64], text[512];
	es_cleanup(es_closep) int info = -1;
	const char *line;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	n = info >= 0 ? read(info, text, sizeof(text) - 1) : -1;
	if (n < 0)
		return -errno;
	text[n] = '\0';
	line = strstr(text, "mnt_id:");
	return line && sscanf(line, "mnt_id: %u", ret) == 1 ? 0 : -ENODATA;
}

/*
 * What lies at a path may be replaced between a look and an unmount, by whoever may write above it: so the mount is held, looked
 * at, and that very one is taken away.
 */
static int unmount_held(const char *path, const struct es_twin_mounted *mounted)
{
	es_cleanup(es_closep) int fd = open(path, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	char held[64];
	unsigned id = 0;
	int r = fd < 0 ? -errno : mount_id(fd, &id);

	if (r < 0)
		return r;
	if (id != mounted->id)
		return -EBUSY;
	(void)snprintf(held, sizeof(held), "/proc/self/fd/%d", fd);
	return umount2(held, MNT_DETACH) < 0 ? -errno : 0;
}

int es_twin_unmount(const char *path)
{
	const char *argv[] = { "fusermount3", "-u", "-z", "-q", "--", path, NULL };
	posix_spawn_file_actions_t actions;
	struct es_twin_mounted mounted = { .is_twin = false };
	int r = es_twin_mounted(path, &mounted), status = 0;
	pid_t pid;

	if (r < 0)
		return r;
	if (!mounted.is_twin)
		return -EINVAL;
	r = unmount_held(path, &mounted);
	if (r != -EPERM)
		return r;
	r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	(void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	r = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return -r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}
