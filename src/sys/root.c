/*
 * sys/root.c - reads below a root descriptor: this machine, or a tree that stands for one
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/root.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hot.h"
#include "base/parse.h"

/* <linux/openat2.h> is younger than the oldest headers we build with; the call and its struct are fixed. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define RESOLVE_MAGICLINKS_NOT 0x02U
#define RESOLVE_BELOW_ROOT 0x10U /* RESOLVE_IN_ROOT: links and ".." stay inside, as if chrooted */

struct open_how_v0 {
	uint64_t flags, mode, resolve;
};

static int open_in_tree(int root_fd, const char *path, int flags)
{
	struct open_how_v0 how = {
		.flags = (uint64_t)flags,
		.resolve = RESOLVE_BELOW_ROOT | RESOLVE_MAGICLINKS_NOT,
	};
	long fd;

	/* A rename or mount elsewhere at the same moment makes the kernel give up a walk with "..": try again. */
	for (int i = 0; i < 16; i++) {
		fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			break;
	}
	return -errno;
}

static int open_plain(int root_fd, const char *path, int flags)
{
	int fd = openat(root_fd, path, flags);

	return fd >= 0 ? fd : -errno;
}

/* What open(2) would say to the judged user about the file behind @fd, by its mode bits. */
static int judge_rights(const struct es_root *root, int fd)
{
	struct stat st;
	mode_t bit;

	if (!root->judges_rights || root->uid == 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid == root->uid)
		bit = S_IRUSR;
	else if (st.st_gid == root->gid)
		bit = S_IRGRP;
	else
		bit = S_IROTH;
	return st.st_mode & bit ? 0 : -EACCES;
}

int es_root_openat(const struct es_root *root, const char *path, int flags)
{
	es_cleanup(es_closep) int fd = -1;
	int r;

	while (*path == '/')
		path++;
	if (*path == '\0')
		path = ".";
	flags |= O_CLOEXEC;
	/* A FIFO or a terminal in the place of a file must not make us wait, nor become our terminal. */
	if (!(flags & O_PATH))
		flags |= O_NONBLOCK | O_NOCTTY;
	fd = root->is_machine ? open_plain(root->fd, path, flags)
			      : open_in_tree(root->fd, path, flags);
	if (fd < 0)
		return fd;
	r = flags & O_PATH ? 0 : judge_rights(root, fd);
	return r < 0 ? r : es_steal_fd(&fd);
}

/* The first group of a user, from etc/passwd below the root: name:password:uid:gid:… */
static int find_gid(const struct es_root *root, uid_t uid, gid_t *ret)
{
	es_cleanup(es_freep) char *passwd = NULL;
	ssize_t n = es_root_read_file(root, "etc/passwd", ES_CONF_FILE_MAX_BYTES, &passwd);

	if (n < 0)
		return (int)n;
	for (const char *line = passwd; line && *line;
	     line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		const char *field = strchr(line, ':');
		char *end;
		unsigned long id, gid;

		field = field ? strchr(field + 1, ':') : NULL;
		if (!field)
			break;
		id = strtoul(field + 1, &end, 10);
		if (*end != ':' || id != uid)
			continue;
		gid = strtoul(end + 1, &end, 10);
		if (*end != ':')
			continue;
		*ret = (gid_t)gid;
		return 0;
	}
	return -ENOENT;
}

static int set_judge(struct es_root *root, int64_t as_uid, struct es_error *err)
{
	if (as_uid < 0)
		return 0;
	if (as_uid >= UINT32_MAX)
		return es_error_say(err, -EINVAL, "user id %lld is out of range",
				    (long long)as_uid);
	if (root->is_machine && geteuid() != 0 && (uint64_t)as_uid != geteuid())
		return es_error_say(err, -EPERM,
				    "only root can judge another user's rights on this machine");
	root->gid = (gid_t)as_uid;
	/* A user without an entry has the group of the same number, as useradd would give. */
	(void)find_gid(root, (uid_t)as_uid, &root->gid);
	root->uid = (uid_t)as_uid;
	root->judges_rights = true;
	return 0;
}

int es_root_open(const char *path, int64_t as_uid, struct es_root *ret, struct es_error *err)
{
	bool is_machine = !path || strcmp(path, "/") == 0;
	struct es_root root = { .is_machine = is_machine };
	int r;

	root.fd = open_plain(AT_FDCWD, is_machine ? "/" : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root.fd < 0)
		return es_error_set(err, root.fd, "cannot open '%s'", is_machine ? "/" : path);
	if (!is_machine) {
		int fd = open_in_tree(root.fd, ".", O_PATH | O_CLOEXEC);

		if (fd < 0) {
			es_root_close(&root);
			return es_error_set(err, fd,
					    "cannot look below '%s' only (openat2 of Linux 5.6)",
					    path);
		}
		(void)close(fd);
	}
	r = set_judge(&root, as_uid, err);
	if (r < 0) {
		es_root_close(&root);
		return r;
	}
	*ret = root;
	return 0;
}

void es_root_close(struct es_root *root)
{
	es_closep(&root->fd);
	root->fd = -1;
}

int es_root_dup(const struct es_root *root, struct es_root *ret)
{
	int fd = fcntl(root->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	*ret = *root;
	ret->fd = fd;
	return 0;
}

DIR *es_root_opendir(const struct es_root *root, const char *path, int *ret_r)
{
	int fd = es_root_openat(root, path, O_RDONLY | O_DIRECTORY);
	DIR *dir;

	if (fd < 0) {
		*ret_r = fd;
		return NULL;
	}
	dir = fdopendir(fd);
	if (!dir) {
		*ret_r = -errno;
		(void)close(fd);
	}
	return dir;
}

bool es_root_exists(const struct es_root *root, const char *path)
{
	es_cleanup(es_closep) int fd = es_root_openat(root, path, O_PATH);

	return fd >= 0;
}

es_hot ssize_t es_root_pread(const struct es_root *root, int fd, char *data, size_t size)
{
	ssize_t n = root->file_read ? root->file_read(root->file_arg, fd, data, size)
				    : pread(fd, data, size, 0);

	return n < 0 ? -errno : n;
}

ssize_t es_root_read(const struct es_root *root, const char *path, char *data, size_t size)
{
	es_cleanup(es_closep) int fd = es_root_openat(root, path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = pread(fd, data, size, 0);
	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -EMSGSIZE;
	data[n] = '\0';
	return n;
}

ssize_t es_root_read_line(const struct es_root *root, const char *path, char *data, size_t size)
{
	ssize_t n = es_root_read(root, path, data, size);

	if (n > 0 && data[n - 1] == '\n')
		data[--n] = '\0';
	return n;
}

int es_root_read_u64(const struct es_root *root, const char *path, uint64_t *ret)
{
	char text[64];
	ssize_t n = es_root_read(root, path, text, sizeof(text));

	if (n == -EMSGSIZE)
		return -EBADMSG;
	return n < 0 ? (int)n : es_parse_u64_sysfs(text, (size_t)n, ret);
}

ssize_t es_root_read_file(const struct es_root *root, const char *path, size_t max, char **ret)
{
	es_cleanup(es_closep) int fd = es_root_openat(root, path, O_RDONLY);
	es_cleanup(es_freep) char *data = NULL;
	size_t len = 0, room = 0;

	if (fd < 0)
		return fd;
	for (;;) {
		ssize_t n;

		if (len + 1 >= room) {
			size_t more = room ? room * 2 : 4096;
			char *grown;

			more = more > max + 2 ? max + 2 : more;
			if (more <= room)
				return -EMSGSIZE;
			grown = realloc(data, more);
			if (!grown)
				return -ENOMEM;
			data = grown;
			room = more;
		}
		n = read(fd, data + len, room - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len > max)
		return -EMSGSIZE;
	data[len] = '\0';
	*ret = es_steal_ptr(data);
	return (ssize_t)len;
}
