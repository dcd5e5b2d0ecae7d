/*
 * mount_file.c - open files of a mount: texts that are made when they are read, values that are written whole
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "twin/mount_private.h"

#define TEXT_MAX (512U << 20) /* of one file: a history */
/* Anybody may open files and keep them open. */
#define HANDLES_MAX 16384U
#define LARGE_BYTES 65536U /* a text of more counts */
#define LARGE_MAX_BYTES (1U << 30) /* of all of them together */

/* An open file. */
struct es_twin_handle {
	const struct es_twin_entry *entry;
	pthread_mutex_t lock; /* guards the text; taken before the host's */
	struct es_buf text; /* what was read at offset 0 last */
	bool has_text;
	size_t n_counted; /* of the mount's n_large_bytes; with its lock held */
	unsigned n_lost; /* of its meter, when it was opened */
	void *own; /* what the file's maker keeps for it */
	int fd; /* of a real file; else -1 */
	struct es_twin_handle *next, *previous; /* in the mount's list */
};

static struct es_twin_handle *handle_of(const struct fuse_file_info *info)
{
	return (struct es_twin_handle *)(uintptr_t)info->fh;
}

const struct es_twin_entry *es_twin_mount_opened(const struct fuse_file_info *info)
{
	return handle_of(info)->entry;
}

static struct es_twin_handle *handle_new(const struct es_twin_entry *entry)
{
	struct es_twin_handle *handle = calloc(1, sizeof(*handle));

	if (!handle)
		return NULL;
	handle->entry = entry;
	handle->fd = -1;
	(void)pthread_mutex_init(&handle->lock, NULL);
	es_buf_init(&handle->text, TEXT_MAX);
	return handle;
}

static void handle_free(struct es_twin_handle *handle)
{
	if (handle->fd >= 0)
		(void)close(handle->fd);
	es_buf_finish(&handle->text);
	(void)pthread_mutex_destroy(&handle->lock);
	free(handle);
}

/* -ENFILE: too many are open. */
static int keep(struct es_twin_mount *mount, struct es_twin_handle *handle)
{
	int r = 0;

	(void)pthread_mutex_lock(&mount->lock);
	if (mount->n_opened < HANDLES_MAX) {
		mount->n_opened++;
		handle->next = mount->opened;
		if (handle->next)
			handle->next->previous = handle;
		mount->opened = handle;
	} else {
		r = -ENFILE;
	}
	(void)pthread_mutex_unlock(&mount->lock);
	return r;
}

static void drop(struct es_twin_mount *mount, struct es_twin_handle *handle)
{
	(void)pthread_mutex_lock(&mount->lock);
	if (handle->next)
		handle->next->previous = handle->previous;
	if (handle->previous)
		handle->previous->next = handle->next;
	else
		mount->opened = handle->next;
	mount->n_opened--;
	mount->n_large_bytes -= handle->n_counted;
	(void)pthread_mutex_unlock(&mount->lock);
}

/* With the handle's lock held. -ENOMEM: all open files together keep too much. */
static int count_text(struct es_twin_mount *mount, struct es_twin_handle *handle)
{
	size_t n = handle->text.cap > LARGE_BYTES ? handle->text.cap : 0;
	bool is_too_much;

	(void)pthread_mutex_lock(&mount->lock);
	mount->n_large_bytes -= handle->n_counted;
	is_too_much = n > LARGE_MAX_BYTES - mount->n_large_bytes;
	handle->n_counted = is_too_much ? 0 : n;
	mount->n_large_bytes += handle->n_counted;
	(void)pthread_mutex_unlock(&mount->lock);
	if (!is_too_much)
		return 0;
	es_buf_finish(&handle->text);
	es_buf_init(&handle->text, TEXT_MAX);
	return -ENOMEM;
}

/* sysfs lets nobody open what has no such right at all, not even root (KERNFS_ROOT_EXTRA_OPEN_PERM_CHECK). */
static bool is_refused(const struct es_twin_entry *entry, int flags)
{
	struct es_twin_rights rights;
	int access = flags & O_ACCMODE;

	if (es_twin_entry_type(entry) != ES_TWIN_IS_FILE)
		return false;
	es_twin_rights(es_twin_mount_self(), entry, &rights);
	return (access != O_WRONLY && !(rights.mode & 0444)) ||
	       (access != O_RDONLY && !(rights.mode & 0222));
}

static int open_entry(struct es_twin_host *host, struct es_twin_handle *handle)
{
	const struct es_twin_file *file = es_twin_entry_file(handle->entry);
	const struct es_twin_file_ops *ops = es_twin_entry_ops(handle->entry);
	int64_t t_ns = es_twin_host_lock(host);
	int r = 0;

	if (es_twin_mount_is_gone(handle->entry))
		r = -ENOENT;
	if (file->meter)
		handle->n_lost = file->meter->n_lost;
	if (r == 0 && ops->open)
		r = ops->open(file, t_ns, &handle->own);
	es_twin_host_unlock(host);
	return r;
}

int es_twin_mount_open_file(const char *path, struct fuse_file_info *info)
{
	const struct es_twin_entry *entry = es_twin_mount_find(path);
	struct es_twin_handle *handle;
	int r;

	if (!entry)
		return -ENOENT;
	if (is_refused(entry, info->flags))
		return -EACCES;
	if (es_twin_entry_type(entry) == ES_TWIN_IS_REAL && (info->flags & O_ACCMODE) != O_RDONLY)
		return -EROFS;
	handle = handle_new(entry);
	if (!handle)
		return -ENOMEM;
	r = keep(es_twin_mount_self(), handle);
	if (r < 0) {
		handle_free(handle);
		return r;
	}
	if (es_twin_entry_type(entry) == ES_TWIN_IS_REAL) {
		/* Cached by the kernel, so that it can be mapped: libraries are opened from here. */
		handle->fd = open(es_twin_entry_target(entry), O_RDONLY | O_CLOEXEC);
		r = handle->fd < 0 ? -errno : 0;
		info->keep_cache = 1;
	} else {
		r = open_entry(es_twin_mount_self()->host, handle);
		info->direct_io = 1;
	}
	if (r < 0) {
		drop(es_twin_mount_self(), handle);
		handle_free(handle);
		return r;
	}
	info->fh = (uint64_t)(uintptr_t)handle;
	return 0;
}

static void release(struct es_twin_mount *mount, struct es_twin_handle *handle)
{
	const struct es_twin_file_ops *ops = es_twin_entry_ops(handle->entry);

	drop(mount, handle);
	if (handle->fd < 0 && ops->release) {
		int64_t t_ns = es_twin_host_lock(mount->host);

		ops->release(es_twin_entry_file(handle->entry), t_ns, handle->own);
		es_twin_host_unlock(mount->host);
	}
	handle_free(handle);
}

int es_twin_mount_release(const char *path, struct fuse_file_info *info)
{
	(void)path;
	release(es_twin_mount_self(), handle_of(info));
	return 0;
}

void es_twin_mount_release_all(struct es_twin_mount *mount)
{
	while (mount->opened)
		release(mount, mount->opened);
}

/* Everybody else goes on meanwhile; when the twin ends nobody waits any longer. */
static void wait_ns(struct es_twin_mount *mount, int64_t dur_ns)
{
	struct timespec end;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += dur_ns / ES_NS_PER_S;
	(void)pthread_mutex_lock(&mount->lock);
	while (!mount->is_ending)
		if (pthread_cond_timedwait(&mount->ended, &mount->lock, &end) != 0)
			break;
	(void)pthread_mutex_unlock(&mount->lock);
}

/* With the host's lock held. */
static int check_meter(const struct es_twin_handle *handle)
{
	const struct es_twin_meter *meter = es_twin_entry_file(handle->entry)->meter;

	if (!meter)
		return 0;
	if (meter->is_gone || meter->n_lost != handle->n_lost)
		return -ENODEV;
	return meter->error;
}

/* Take the host's lock for this file; 0, or the errno of its meter's fault, and the lock is not held. */
static int enter(struct es_twin_mount *mount, const struct es_twin_handle *handle, int64_t *ret_ns)
{
	const struct es_twin_meter *meter = es_twin_entry_file(handle->entry)->meter;
	int64_t t_ns = es_twin_host_lock(mount->host);
	int r;

	if (meter && meter->is_slow && !meter->is_gone) {
		es_twin_host_unlock(mount->host);
		wait_ns(mount, ES_TWIN_SLOW_NS);
		t_ns = es_twin_host_lock(mount->host);
	}
	r = check_meter(handle);
	if (r < 0)
		es_twin_host_unlock(mount->host);
	*ret_ns = t_ns;
	return r;
}

static int read_bytes(struct es_twin_mount *mount, const struct es_twin_handle *handle, char *data,
		      size_t size, off_t offset)
{
	int64_t t_ns;
	ssize_t n = enter(mount, handle, &t_ns);

	if (n < 0)
		return (int)n;
	n = es_twin_entry_ops(handle->entry)
		    ->read_at(es_twin_entry_file(handle->entry), t_ns, offset, data, size);
	es_twin_host_unlock(mount->host);
	return (int)n;
}

/* With the handle's lock held. */
static int make_text(struct es_twin_mount *mount, struct es_twin_handle *handle)
{
	const struct es_twin_file_ops *ops = es_twin_entry_ops(handle->entry);
	int64_t t_ns;
	int r = enter(mount, handle, &t_ns);

	if (r < 0)
		return r;
	handle->has_text = false;
	es_buf_reset(&handle->text);
	r = ops->show
		    ? ops->show(es_twin_entry_file(handle->entry), handle->own, t_ns, &handle->text)
		    : -EIO;
	es_twin_host_unlock(mount->host);
	if (r == 0)
		r = handle->text.error;
	if (r == 0)
		r = count_text(mount, handle);
	handle->has_text = r == 0;
	return r;
}

/* Made anew at offset 0, and when there is none yet; what comes behind is of the same text. */
static int read_text(struct es_twin_mount *mount, struct es_twin_handle *handle, char *data,
		     size_t size, off_t offset)
{
	size_t n = 0;
	int r = 0;

	(void)pthread_mutex_lock(&handle->lock);
	if (offset == 0 || !handle->has_text)
		r = make_text(mount, handle);
	if (r == 0 && offset >= 0 && (uint64_t)offset < handle->text.len) {
		n = handle->text.len - (size_t)offset;
		n = n < size ? n : size;
		memcpy(data, handle->text.data + offset, n);
	}
	(void)pthread_mutex_unlock(&handle->lock);
	return r < 0 ? r : (int)n;
}

int es_twin_mount_read(const char *path, char *data, size_t size, off_t offset,
		       struct fuse_file_info *info)
{
	struct es_twin_handle *handle = handle_of(info);
	ssize_t n;

	(void)path;
	if (handle->fd >= 0) {
		n = pread(handle->fd, data, size, offset);
		return n < 0 ? -errno : (int)n;
	}
	if (es_twin_entry_ops(handle->entry)->read_at)
		return read_bytes(es_twin_mount_self(), handle, data, size, offset);
	return read_text(es_twin_mount_self(), handle, data, size, offset);
}

/* All that one write(2) hands over is the new value, wherever it is written to: as sysfs has it. */
static int store_text(struct es_twin_mount *mount, const struct es_twin_handle *handle,
		      const char *data, size_t size)
{
	const struct es_twin_file_ops *ops = es_twin_entry_ops(handle->entry);
	es_cleanup(es_freep) char *text = malloc(size + 1);
	int64_t t_ns;
	int r;

	if (!text)
		return -ENOMEM;
	memcpy(text, data, size);
	text[size] = '\0';
	if (size > 0 && text[size - 1] == '\n')
		text[size - 1] = '\0';
	/* The kernel's attributes end at a NUL. Of what is written to those that keep something nothing is left out in silence. */
	if (ops->open && memchr(data, '\0', size))
		return -EINVAL;
	r = enter(mount, handle, &t_ns);
	if (r < 0)
		return r;
	r = ops->store ? ops->store(es_twin_entry_file(handle->entry), handle->own, t_ns, text)
		       : -EIO;
	es_twin_host_unlock(mount->host);
	return r < 0 ? r : (int)size;
}

int es_twin_mount_write(const char *path, const char *data, size_t size, off_t offset,
			struct fuse_file_info *info)
{
	struct es_twin_mount *mount = es_twin_mount_self();
	struct es_twin_handle *handle = handle_of(info);
	const struct es_twin_file_ops *ops = es_twin_entry_ops(handle->entry);
	int64_t t_ns;
	ssize_t n;

	(void)path;
	if (handle->fd >= 0)
		return -EROFS;
	if (!ops->write_at)
		return store_text(mount, handle, data, size);
	n = enter(mount, handle, &t_ns);
	if (n < 0)
		return (int)n;
	n = ops->write_at(es_twin_entry_file(handle->entry), t_ns, offset, data, size);
	es_twin_host_unlock(mount->host);
	return (int)n;
}
