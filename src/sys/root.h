/*
 * sys/root.h - reads below a root descriptor: this machine, or a tree that stands for one
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_ROOT_H
#define ES_SYS_ROOT_H

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct perf_event_attr;
struct es_msr_batch;
struct es_perf_target;

/**
 * struct es_root - where "/" is
 *
 * Paths are relative, without a leading slash ("sys/class/powercap"). In a tree, symbolic links (absolute ones too)
 * cannot lead outside of it, and what is no file (perf, ioctl devices, vendor libraries) is not this machine's. MSRs can
 * be in a tree: sys/msr.h.
 */
struct es_root {
	int fd;
	bool is_machine; /* "/" itself: perf and friends exist */
	bool judges_rights; /* rights are taken from mode bits for @uid, @gid instead of asking the kernel */
	uid_t uid;
	gid_t gid;
	/* Seam for tests: perf_event_open(2), and read(2) on what it returned; negative errno on failure. NULL: the calls. */
	int (*perf_open)(void *arg, const struct perf_event_attr *attr, int cpu, int group_fd);
	ssize_t (*perf_read)(void *arg, int fd, void *data, size_t n);
	/* The same for events that are not those of a CPU: es_perf_open_on(). */
	int (*perf_open_on)(void *arg, const struct perf_event_attr *attr,
			    const struct es_perf_target *target, int group_fd);
	void *perf_arg;
	/* Seam for tests: open(2) and pread(2) of MSR devices, ioctl(2) of the batch device; negative errno on failure. NULL: the calls. */
	int (*msr_open)(void *arg, const char *path);
	int (*msr_read)(void *arg, int fd, uint32_t reg, uint64_t *ret);
	int (*msr_batch)(void *arg, int fd, struct es_msr_batch *batch);
	void *msr_arg;
	/* Seam for tests: pread(2) from the start of a kept descriptor, with errno. NULL: the call. */
	ssize_t (*file_read)(void *arg, int fd, void *data, size_t n);
	void *file_arg;
	/* Seam for tests: ioctl(2) of a kept descriptor; negative errno on failure. NULL: the call. */
	int (*device_ioctl)(void *arg, int fd, unsigned long request, void *data);
	void *device_arg;
};

/**
 * es_root_open - open "/" (@path NULL or "/") or a tree
 * @as_uid: judge rights for this user from mode bits; -1: no. On the machine itself only a process that may read
 *          everything can judge for another.
 * Returns 0; -ENOSYS: a tree, and the kernel is older than 5.6 (no openat2); errors of open.
 */
int es_root_open(const char *path, int64_t as_uid, struct es_root *ret, struct es_error *err);
void es_root_close(struct es_root *root);

/** es_root_openat - open @path below the root, O_CLOEXEC; a descriptor or negative errno (-EACCES also by judged rights) */
int es_root_openat(const struct es_root *root, const char *path, int flags);
/** es_root_pread - the first @size bytes behind a kept descriptor; their number or negative errno */
ssize_t es_root_pread(const struct es_root *root, int fd, char *data, size_t size);
/** es_root_dup - the same root with a descriptor of its own, es_root_close() it; 0 or negative errno */
int es_root_dup(const struct es_root *root, struct es_root *ret);
/** es_root_opendir - a directory stream, owned by caller; NULL and *ret_r on failure */
DIR *es_root_opendir(const struct es_root *root, const char *path, int *ret_r);
/** es_root_exists - whether @path exists (rights aside) */
bool es_root_exists(const struct es_root *root, const char *path);

/**
 * es_root_read - a small file's content, NUL-terminated
 * Returns its length; -EMSGSIZE where it does not fit; errors of open and read (-EACCES, -ENOENT, -ENODATA, -EIO …).
 */
ssize_t es_root_read(const struct es_root *root, const char *path, char *data, size_t size);
/** es_root_read_line - the same without the newline at its end */
ssize_t es_root_read_line(const struct es_root *root, const char *path, char *data, size_t size);
/** es_root_read_u64 - a decimal number; -ENODATA, -EBADMSG, -ERANGE, and errors of es_root_read() */
int es_root_read_u64(const struct es_root *root, const char *path, uint64_t *ret);
/** es_root_read_file - a whole file up to @max bytes, NUL-terminated; owned by caller, free(); length or negative errno */
ssize_t es_root_read_file(const struct es_root *root, const char *path, size_t max, char **ret);

#endif
