/*
 * squash.c - es-squash: a file system that gives root no rights, as NFS with root_squash does
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * usage: es-squash FOLDER MOUNT: shows FOLDER at MOUNT. Each file is made and opened with the caller's uid and gid; who is root may
 * neither look nor open. As there, what is open already may be written by whoever holds it. One request at a time.
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static int below(void)
{
	return (int)(intptr_t)fuse_get_context()->private_data;
}

/* The kernel tells the uid that it checks files with, which slurmstepd sets before it opens a job's output. */
static int begin(void)
{
	const struct fuse_context *caller = fuse_get_context();

	if (caller->uid == 0)
		return -EACCES;
	(void)setfsgid(caller->gid);
	(void)setfsuid(caller->uid);
	return 0;
}

static int end(int result)
{
	const int r = result < 0 ? -errno : 0;

	(void)setfsuid(0);
	(void)setfsgid(0);
	return r;
}

static const char *relative(const char *path)
{
	return path[1] ? path + 1 : ".";
}

static int squash_getattr(const char *path, struct stat *ret, struct fuse_file_info *info)
{
	int r = info ? 0 : begin();

	if (r < 0)
		return r;
	if (info)
		return fstat((int)info->fh, ret) < 0 ? -errno : 0;
	return end(fstatat(below(), relative(path), ret, AT_SYMLINK_NOFOLLOW));
}

static int squash_open(const char *path, struct fuse_file_info *info)
{
	int r = begin();
	int fd;

	if (r < 0)
		return r;
	fd = openat(below(), relative(path), info->flags | O_NOFOLLOW | O_CLOEXEC);
	r = end(fd);
	if (r == 0)
		info->fh = (uint64_t)fd;
	return r;
}

static int squash_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
	int r = begin();
	int fd;

	if (r < 0)
		return r;
	fd = openat(below(), relative(path), info->flags | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode);
	r = end(fd);
	if (r == 0)
		info->fh = (uint64_t)fd;
	return r;
}

static int squash_read(const char *path, char *out, size_t n, off_t at, struct fuse_file_info *info)
{
	const ssize_t got = pread((int)info->fh, out, n, at);

	(void)path;
	return got < 0 ? -errno : (int)got;
}

static int squash_write(const char *path, const char *data, size_t n, off_t at,
			struct fuse_file_info *info)
{
	const ssize_t written = pwrite((int)info->fh, data, n, at);

	(void)path;
	return written < 0 ? -errno : (int)written;
}

static int squash_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
	int fd, r;

	if (info)
		return ftruncate((int)info->fh, size) < 0 ? -errno : 0;
	r = begin();
	if (r < 0)
		return r;
	fd = openat(below(), relative(path), O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	r = end(fd);
	if (r == 0 && ftruncate(fd, size) < 0)
		r = -errno;
	es_closep(&fd);
	return r;
}

static int squash_release(const char *path, struct fuse_file_info *info)
{
	(void)path;
	(void)close((int)info->fh);
	return 0;
}

static const struct fuse_operations operations = {
	.getattr = squash_getattr,
	.open = squash_open,
	.create = squash_create,
	.read = squash_read,
	.write = squash_write,
	.truncate = squash_truncate,
	.release = squash_release,
};

int main(int argc, char *argv[])
{
	char *arguments[] = { argv[0],
			      (char[]){ "-f" },
			      (char[]){ "-s" },
			      (char[]){ "-o" },
			      (char[]){ "allow_other,attr_timeout=0,entry_timeout=0" },
			      argv[2],
			      NULL };
	int fd;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: es-squash FOLDER MOUNT\n");
		return 2;
	}
	fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	(void)umask(0);
	return fuse_main((int)ES_ARRAY_SIZE(arguments) - 1, arguments, &operations,
			 (void *)(intptr_t)fd);
}
