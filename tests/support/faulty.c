/*
 * faulty.c - es-faulty: a file system that shows a tree of files, and fails as it is told
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * What lies below moves on while reads of it go wrong, so that the truth is known. Rules (support/rules.h) are written
 * into the file ".faults" at its top, at any time; reading that tells how often each struck.
 */
#define FUSE_USE_VERSION 31
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "support/hsmp_file.h"
#include "support/rules.h"

#define CONTROL "/.faults"
#define HSMP "/dev/hsmp"
#define SCRIPT_MAX 16384

struct faulty {
	int fd; /* of the tree below */
	pthread_mutex_t lock; /* guards rules */
	struct es_rules rules;
};

/* An open file: what lies below, and which of its lives it was opened in. */
struct handle {
	int fd;
	int64_t generation;
};

static struct faulty *self(void)
{
	return fuse_get_context()->private_data;
}

/* Relative to the tree: fuse gives "/" and "/sys/…". */
static const char *below(const char *path)
{
	return path[1] ? path + 1 : ".";
}

static int64_t generation_of(struct faulty *faulty, const char *path)
{
	int64_t generation;

	(void)pthread_mutex_lock(&faulty->lock);
	generation = es_rules_generation(&faulty->rules, below(path), es_clock_mono_ns());
	(void)pthread_mutex_unlock(&faulty->lock);
	return generation;
}

static bool is_denied(struct faulty *faulty, const char *path)
{
	bool denies;

	(void)pthread_mutex_lock(&faulty->lock);
	denies = es_rules_denies(&faulty->rules, below(path), es_clock_mono_ns());
	(void)pthread_mutex_unlock(&faulty->lock);
	return denies;
}

static void *faulty_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
	(void)connection;
	config->use_ino = 1;
	config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
	config->direct_io = 1;
	return self();
}

static int faulty_getattr(const char *path, struct stat *st, struct fuse_file_info *info)
{
	int64_t generation;

	(void)info;
	if (strcmp(path, CONTROL) == 0) {
		*st = (struct stat){ .st_mode = S_IFREG | 0600, .st_nlink = 1 };
		return 0;
	}
	generation = generation_of(self(), path);
	if (generation < 0)
		return (int)generation;
	if (fstatat(self()->fd, below(path), st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	st->st_ino += (ino_t)generation << 40;
	if (is_denied(self(), path))
		st->st_mode &= ~(mode_t)0777;
	return 0;
}

static int faulty_readlink(const char *path, char *target, size_t size)
{
	ssize_t n = readlinkat(self()->fd, below(path), target, size - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return 0;
}

static int faulty_readdir(const char *path, void *list, fuse_fill_dir_t fill, off_t offset,
			  struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
	int fd = openat(self()->fd, below(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	(void)offset;
	(void)info;
	(void)flags;
	if (!dir)
		return -errno;
	for (struct dirent *entry; (entry = readdir(dir));) {
		const struct stat st = { .st_ino = entry->d_ino,
					 .st_mode = (mode_t)entry->d_type << 12 };
		char full[4096];

		(void)snprintf(full, sizeof(full), "%s/%s", path[1] ? path : "", entry->d_name);
		if (generation_of(self(), full) >= 0)
			(void)fill(list, entry->d_name, &st, 0, 0);
	}
	(void)closedir(dir);
	return 0;
}

static int faulty_open(const char *path, struct fuse_file_info *info)
{
	int64_t generation = strcmp(path, CONTROL) == 0 ? 0 : generation_of(self(), path);
	struct handle *handle;

	info->direct_io = 1;
	if (generation < 0)
		return (int)generation;
	if (is_denied(self(), path))
		return -EACCES;
	handle = calloc(1, sizeof(*handle));
	if (!handle)
		return -ENOMEM;
	*handle = (struct handle){ .fd = -1, .generation = generation };
	if (strcmp(path, CONTROL) != 0)
		handle->fd = openat(self()->fd, below(path), O_RDONLY | O_CLOEXEC);
	if (handle->fd < 0 && strcmp(path, CONTROL) != 0) {
		int r = -errno;

		free(handle);
		return r;
	}
	info->fh = (uint64_t)(uintptr_t)handle;
	return 0;
}

static int faulty_release(const char *path, struct fuse_file_info *info)
{
	struct handle *handle = (struct handle *)(uintptr_t)info->fh;

	(void)path;
	if (handle->fd >= 0)
		(void)close(handle->fd);
	free(handle);
	return 0;
}

/* The counter's range, from its neighbour below. */
static uint64_t range_of(struct faulty *faulty, const char *path)
{
	char sibling[4096], text[64];
	const char *slash = strrchr(path, '/');
	es_cleanup(es_closep) int fd = -1;
	uint64_t range_uj = 0;
	ssize_t n;

	(void)snprintf(sibling, sizeof(sibling), "%.*s/max_energy_range_uj", (int)(slash - path),
		       path);
	fd = openat(faulty->fd, below(sibling), O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	if (n > 0)
		(void)es_parse_u64_sysfs(text, (size_t)n, &range_uj);
	return range_uj;
}

static int read_control(struct faulty *faulty, char *data, size_t size, off_t offset)
{
	char text[SCRIPT_MAX];
	size_t n;

	(void)pthread_mutex_lock(&faulty->lock);
	n = es_rules_tell(&faulty->rules, text, sizeof(text));
	(void)pthread_mutex_unlock(&faulty->lock);
	if (offset >= (off_t)n)
		return 0;
	n -= (size_t)offset;
	n = n < size ? n : size;
	memcpy(data, text + offset, n);
	return (int)n;
}

static int faulty_read(const char *path, char *data, size_t size, off_t offset,
		       struct fuse_file_info *info)
{
	const struct handle *handle = (const struct handle *)(uintptr_t)info->fh;
	struct faulty *faulty = self();
	int64_t n, delay_ns = 0;
	char *text;

	if (strcmp(path, CONTROL) == 0)
		return read_control(faulty, data, size, offset);
	if (generation_of(faulty, path) != handle->generation)
		return -ENODEV;
	if (offset > 0) {
		n = pread(handle->fd, data, size, offset);
		return n < 0 ? -errno : (int)n;
	}
	text = malloc(ES_RULE_TEXT_MAX);
	if (!text)
		return -ENOMEM;
	n = pread(handle->fd, text, size < ES_RULE_TEXT_MAX ? size : ES_RULE_TEXT_MAX, 0);
	if (n < 0) {
		n = -errno;
	} else {
		uint64_t range_uj = range_of(faulty, path);

		(void)pthread_mutex_lock(&faulty->lock);
		n = es_rules_read(&faulty->rules, below(path), es_clock_mono_ns(), range_uj, text,
				  (size_t)n, &delay_ns);
		(void)pthread_mutex_unlock(&faulty->lock);
	}
	if (delay_ns > 0) {
		const struct timespec pause = { .tv_sec = delay_ns / ES_NS_PER_S,
						.tv_nsec = delay_ns % ES_NS_PER_S };

		(void)nanosleep(&pause, NULL);
	}
	n = n > (int64_t)size ? (int64_t)size : n;
	if (n > 0)
		memcpy(data, text, (size_t)n);
	free(text);
	return (int)n;
}

static int faulty_write(const char *path, const char *data, size_t size, off_t offset,
			struct fuse_file_info *info)
{
	struct faulty *faulty = self();
	char text[SCRIPT_MAX];
	int r;

	(void)info;
	if (strcmp(path, CONTROL) != 0)
		return -EROFS;
	if (offset > 0 || size >= sizeof(text))
		return -EFBIG;
	memcpy(text, data, size);
	text[size] = '\0';
	(void)pthread_mutex_lock(&faulty->lock);
	r = es_rules_parse(&faulty->rules, text);
	(void)pthread_mutex_unlock(&faulty->lock);
	return r < 0 ? -EINVAL : (int)size;
}

/* A file of the tree that stands for a device answers as its driver would; the rules of reads hold for it as well. */
static int faulty_ioctl(const char *path, int request, void *arg, struct fuse_file_info *info,
			unsigned flags, void *data)
{
	const struct handle *handle = (const struct handle *)(uintptr_t)info->fh;
	struct faulty *faulty = self();
	char text[ES_RULE_TEXT_MAX] = "1\n";
	int64_t n, delay_ns = 0;

	(void)arg;
	(void)flags;
	if (strcmp(path, HSMP) != 0)
		return -ENOTTY;
	if (generation_of(faulty, path) != handle->generation)
		return -ENODEV;
	(void)pthread_mutex_lock(&faulty->lock);
	n = es_rules_read(&faulty->rules, below(path), es_clock_mono_ns(), 0, text, 2, &delay_ns);
	(void)pthread_mutex_unlock(&faulty->lock);
	return n < 0 ? (int)n : hsmp_file_answer(handle->fd, (unsigned)request, data);
}

static int faulty_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
	(void)size;
	(void)info;
	return strcmp(path, CONTROL) == 0 ? 0 : -EROFS;
}

static const struct fuse_operations operations = {
	.init = faulty_init,
	.getattr = faulty_getattr,
	.readlink = faulty_readlink,
	.readdir = faulty_readdir,
	.open = faulty_open,
	.release = faulty_release,
	.read = faulty_read,
	.write = faulty_write,
	.truncate = faulty_truncate,
	.ioctl = faulty_ioctl,
};

static int usage(void)
{
	(void)fputs(
		"usage: es-faulty TREE MOUNT [SEED]\n"
		"Shows TREE at MOUNT until it is ended; rules are written into MOUNT/.faults.\n",
		stderr);
	return 2;
}

int main(int argc, char **argv)
{
	char foreground[] = "-f", *fuse_argv[] = { argv[0], NULL, foreground, NULL };
	struct faulty *faulty;
	int status;

	if (argc < 3 || argc > 4)
		return usage();
	/* Whoever made the mount is to see it go. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	faulty = calloc(1, sizeof(*faulty));
	if (!faulty || (argc > 3 && es_parse_u64(argv[3], &faulty->rules.seed) < 0)) {
		free(faulty);
		return usage();
	}
	(void)pthread_mutex_init(&faulty->lock, NULL);
	faulty->fd = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (faulty->fd < 0) {
		(void)fprintf(stderr, "es-faulty: '%s': %s\n", argv[1], strerror(errno));
		free(faulty);
		return 1;
	}
	fuse_argv[1] = argv[2];
	status = fuse_main(3, fuse_argv, &operations, faulty);
	(void)close(faulty->fd);
	free(faulty);
	return status;
}
