/*
 * mount.c - the files of a node that is up, shown through FUSE
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <fuse3/fuse_lowlevel.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "twin/mounts.h"

#define TEXT_MAX (512U << 20) /* of one file: a history */
#define BLOCK 4096 /* st_size of an attribute, as sysfs has it */
#define THREADS_MAX 64U /* readers that wait for a slow meter hold one each */

struct es_twin_mount {
	struct es_twin_host *host;
	struct fuse *fuse;
	struct timespec start; /* of all files */
	uid_t uid;
	gid_t gid;
	bool is_mounted;
	void (*ready)(void *arg);
	void *arg;
	pthread_mutex_t lock; /* guards is_ending */
	pthread_cond_t ended; /* is_ending became true */
	bool is_ending;
};

/* An open file. */
struct handle {
	const struct es_twin_entry *entry;
	pthread_mutex_t lock; /* guards the text; taken before the host's */
	struct es_buf text; /* what was read at offset 0 last */
	bool has_text;
	unsigned n_lost; /* of its meter, when it was opened */
	void *own; /* what the file's maker keeps for it */
	int fd; /* of a real file; else -1 */
};

static struct es_twin_mount *self(void)
{
	return fuse_get_context()->private_data;
}

static struct handle *handle_of(const struct fuse_file_info *info)
{
	return (struct handle *)(uintptr_t)info->fh;
}

/* Its meter's files are gone for now. With the host's lock held. */
static bool is_gone(const struct es_twin_entry *entry)
{
	const struct es_twin_meter *meter = es_twin_entry_file(entry)->meter;

	return meter && meter->is_gone;
}

/* What is at @path; NULL: nothing, or it is gone. */
static const struct es_twin_entry *find(const char *path)
{
	struct es_twin_host *host = self()->host;
	const struct es_twin_entry *entry = es_twin_tree_find(host->tree, path);

	if (!entry || !es_twin_entry_file(entry)->meter)
		return entry;
	(void)es_twin_host_lock(host);
	if (is_gone(entry))
		entry = NULL;
	es_twin_host_unlock(host);
	return entry;
}

static void *mount_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
	struct es_twin_mount *mount = self();

	(void)connection;
	config->use_ino = 1;
	/* What a file shows changes by itself, and files come and go. */
	config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
	if (mount->ready)
		mount->ready(mount->arg);
	return mount;
}

static int64_t size_of(const struct es_twin_entry *entry)
{
	struct stat st;

	switch (es_twin_entry_type(entry)) {
	case ES_TWIN_IS_LINK:
		return (int64_t)strlen(es_twin_entry_target(entry));
	case ES_TWIN_IS_REAL:
		return stat(es_twin_entry_target(entry), &st) == 0 ? st.st_size : 0;
	case ES_TWIN_IS_FILE:
		return es_twin_entry_ops(entry)->size ? es_twin_entry_ops(entry)->size : BLOCK;
	case ES_TWIN_IS_DIR:
		break;
	}
	return 0;
}

static void describe(const struct es_twin_mount *mount, const struct es_twin_entry *entry,
		     struct stat *ret)
{
	static const mode_t types[] = {
		[ES_TWIN_IS_DIR] = S_IFDIR,
		[ES_TWIN_IS_LINK] = S_IFLNK,
		[ES_TWIN_IS_FILE] = S_IFREG,
		[ES_TWIN_IS_REAL] = S_IFREG,
	};

	*ret = (struct stat){
		.st_ino = es_twin_entry_number(entry),
		.st_mode = types[es_twin_entry_type(entry)] | es_twin_entry_mode(entry),
		.st_nlink = 1,
		.st_uid = mount->uid,
		.st_gid = mount->gid,
		.st_size = size_of(entry),
		.st_blksize = BLOCK,
		.st_atim = mount->start,
		.st_mtim = mount->start,
		.st_ctim = mount->start,
	};
	if (es_twin_entry_type(entry) != ES_TWIN_IS_DIR)
		return;
	ret->st_nlink = 2;
	for (size_t i = 0; es_twin_entry_child(entry, i); i++)
		ret->st_nlink += es_twin_entry_type(es_twin_entry_child(entry, i)) ==
				 ES_TWIN_IS_DIR;
}

static int mount_getattr(const char *path, struct stat *st, struct fuse_file_info *info)
{
	const struct es_twin_entry *entry = info ? handle_of(info)->entry : find(path);

	if (!entry)
		return -ENOENT;
	describe(self(), entry, st);
	return 0;
}

static int mount_readlink(const char *path, char *target, size_t size)
{
	const struct es_twin_entry *entry = find(path);

	if (!entry)
		return -ENOENT;
	if (es_twin_entry_type(entry) != ES_TWIN_IS_LINK)
		return -EINVAL;
	(void)snprintf(target, size, "%s", es_twin_entry_target(entry));
	return 0;
}

static int mount_readdir(const char *path, void *list, fuse_fill_dir_t fill, off_t offset,
			 struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
	struct es_twin_mount *mount = self();
	const struct es_twin_entry *dir = find(path);

	(void)offset;
	(void)info;
	(void)flags;
	if (!dir)
		return -ENOENT;
	(void)fill(list, ".", NULL, 0, 0);
	(void)fill(list, "..", NULL, 0, 0);
	(void)es_twin_host_lock(mount->host);
	for (size_t i = 0; es_twin_entry_child(dir, i); i++) {
		const struct es_twin_entry *entry = es_twin_entry_child(dir, i);
		struct stat st;

		if (is_gone(entry))
			continue;
		describe(mount, entry, &st);
		(void)fill(list, es_twin_entry_name(entry), &st, 0, 0);
	}
	es_twin_host_unlock(mount->host);
	return 0;
}

static struct handle *handle_new(const struct es_twin_entry *entry)
{
	struct handle *handle = calloc(1, sizeof(*handle));

	if (!handle)
		return NULL;
	handle->entry = entry;
	handle->fd = -1;
	(void)pthread_mutex_init(&handle->lock, NULL);
	es_buf_init(&handle->text, TEXT_MAX);
	return handle;
}

static void handle_free(struct handle *handle)
{
	if (handle->fd >= 0)
		(void)close(handle->fd);
	es_buf_finish(&handle->text);
	(void)pthread_mutex_destroy(&handle->lock);
	free(handle);
}

/* sysfs lets nobody open what has no such right at all, not even root (KERNFS_ROOT_EXTRA_OPEN_PERM_CHECK). */
static bool is_refused(const struct es_twin_entry *entry, int flags)
{
	unsigned mode = es_twin_entry_mode(entry);
	int access = flags & O_ACCMODE;

	return es_twin_entry_type(entry) == ES_TWIN_IS_FILE &&
	       ((access != O_WRONLY && !(mode & 0444)) || (access != O_RDONLY && !(mode & 0222)));
}

static int open_entry(struct es_twin_host *host, struct handle *handle)
{
	const struct es_twin_file *file = es_twin_entry_file(handle->entry);
	const struct es_twin_file_ops *ops = es_twin_entry_ops(handle->entry);
	int64_t t_ns = es_twin_host_lock(host);
	int r = 0;

	if (is_gone(handle->entry))
		r = -ENOENT;
	if (file->meter)
		handle->n_lost = file->meter->n_lost;
	if (r == 0 && ops->open)
		r = ops->open(file, t_ns, &handle->own);
	es_twin_host_unlock(host);
	return r;
}

static int mount_open(const char *path, struct fuse_file_info *info)
{
	const struct es_twin_entry *entry = find(path);
	struct handle *handle;
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
	if (es_twin_entry_type(entry) == ES_TWIN_IS_REAL) {
		/* Cached by the kernel, so that it can be mapped: libraries are opened from here. */
		handle->fd = open(es_twin_entry_target(entry), O_RDONLY | O_CLOEXEC);
		r = handle->fd < 0 ? -errno : 0;
		info->keep_cache = 1;
	} else {
		r = open_entry(self()->host, handle);
		info->direct_io = 1;
	}
	if (r < 0) {
		handle_free(handle);
		return r;
	}
	info->fh = (uint64_t)(uintptr_t)handle;
	return 0;
}

static int mount_release(const char *path, struct fuse_file_info *info)
{
	struct handle *handle = handle_of(info);
	struct es_twin_host *host = self()->host;
	const struct es_twin_file_ops *ops = es_twin_entry_ops(handle->entry);

	(void)path;
	if (handle->fd < 0 && ops->release) {
		int64_t t_ns = es_twin_host_lock(host);

		ops->release(es_twin_entry_file(handle->entry), t_ns, handle->own);
		es_twin_host_unlock(host);
	}
	handle_free(handle);
	return 0;
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
static int check_meter(const struct handle *handle)
{
	const struct es_twin_meter *meter = es_twin_entry_file(handle->entry)->meter;

	if (!meter)
		return 0;
	if (meter->is_gone || meter->n_lost != handle->n_lost)
		return -ENODEV;
	return meter->error;
}

/* Take the host's lock for this file; 0, or the errno of its meter's fault, and the lock is not held. */
static int enter(struct es_twin_mount *mount, const struct handle *handle, int64_t *ret_ns)
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

static int read_bytes(struct es_twin_mount *mount, const struct handle *handle, char *data,
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
static int make_text(struct es_twin_mount *mount, struct handle *handle)
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
	handle->has_text = r == 0;
	return r;
}

/* Made anew at offset 0, and when there is none yet; what comes behind is of the same text. */
static int read_text(struct es_twin_mount *mount, struct handle *handle, char *data, size_t size,
		     off_t offset)
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

static int mount_read(const char *path, char *data, size_t size, off_t offset,
		      struct fuse_file_info *info)
{
	struct handle *handle = handle_of(info);
	ssize_t n;

	(void)path;
	if (handle->fd >= 0) {
		n = pread(handle->fd, data, size, offset);
		return n < 0 ? -errno : (int)n;
	}
	if (es_twin_entry_ops(handle->entry)->read_at)
		return read_bytes(self(), handle, data, size, offset);
	return read_text(self(), handle, data, size, offset);
}

/* All that one write(2) hands over is the new value, wherever it is written to: as sysfs has it. */
static int store_text(struct es_twin_mount *mount, const struct handle *handle, const char *data,
		      size_t size)
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
	r = enter(mount, handle, &t_ns);
	if (r < 0)
		return r;
	r = ops->store ? ops->store(es_twin_entry_file(handle->entry), handle->own, t_ns, text)
		       : -EIO;
	es_twin_host_unlock(mount->host);
	return r < 0 ? r : (int)size;
}

static int mount_write(const char *path, const char *data, size_t size, off_t offset,
		       struct fuse_file_info *info)
{
	struct es_twin_mount *mount = self();
	struct handle *handle = handle_of(info);
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

/* A shell's ">" cuts the file before it writes: to no effect. */
static int mount_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
	const struct es_twin_entry *entry = info ? handle_of(info)->entry : find(path);

	(void)size;
	if (!entry)
		return -ENOENT;
	return es_twin_entry_type(entry) == ES_TWIN_IS_REAL ? -EROFS : 0;
}

/*
 * What sysfs has no operation for. open(2) with O_CREAT of what is not there is -EACCES, all others -EPERM.
 */
static int refuse_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
	(void)path;
	(void)mode;
	(void)info;
	return -EACCES;
}

static int refuse_mknod(const char *path, mode_t mode, dev_t device)
{
	(void)path;
	(void)mode;
	(void)device;
	return -EPERM;
}

static int refuse_mkdir(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return -EPERM;
}

static int refuse_one(const char *path)
{
	(void)path;
	return -EPERM;
}

static int refuse_two(const char *from, const char *to)
{
	(void)from;
	(void)to;
	return -EPERM;
}

static int refuse_rename(const char *from, const char *to, unsigned flags)
{
	(void)from;
	(void)to;
	(void)flags;
	return -EPERM;
}

static int refuse_chmod(const char *path, mode_t mode, struct fuse_file_info *info)
{
	(void)path;
	(void)mode;
	(void)info;
	return -EPERM;
}

static int refuse_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *info)
{
	(void)path;
	(void)uid;
	(void)gid;
	(void)info;
	return -EPERM;
}

/* touch(1): times are all the same. */
static int ignore_times(const char *path, const struct timespec times[2],
			struct fuse_file_info *info)
{
	(void)path;
	(void)times;
	(void)info;
	return 0;
}

static const struct fuse_operations operations = {
	.init = mount_init,
	.getattr = mount_getattr,
	.readlink = mount_readlink,
	.readdir = mount_readdir,
	.open = mount_open,
	.release = mount_release,
	.read = mount_read,
	.write = mount_write,
	.truncate = mount_truncate,
	.create = refuse_create,
	.mknod = refuse_mknod,
	.mkdir = refuse_mkdir,
	.unlink = refuse_one,
	.rmdir = refuse_one,
	.symlink = refuse_two,
	.link = refuse_two,
	.rename = refuse_rename,
	.chmod = refuse_chmod,
	.chown = refuse_chown,
	.utimens = ignore_times,
};

static struct es_twin_mount *mount_new(struct es_twin_host *host,
				       const struct es_twin_mount_options *options)
{
	struct es_twin_mount *mount = calloc(1, sizeof(*mount));
	pthread_condattr_t attributes;

	if (!mount)
		return NULL;
	mount->host = host;
	mount->uid = geteuid();
	mount->gid = getegid();
	mount->ready = options->ready;
	mount->arg = options->arg;
	(void)clock_gettime(CLOCK_REALTIME, &mount->start);
	(void)pthread_mutex_init(&mount->lock, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&mount->ended, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	return mount;
}

int es_twin_mount_open(struct es_twin_host *host, const struct es_twin_mount_options *options,
		       struct es_twin_mount **ret, struct es_error *err)
{
	struct es_twin_mount *mount = mount_new(host, options);
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	char words[512];
	int r = -EIO;

	if (!mount)
		return es_error_set(err, -ENOMEM, "cannot mount at '%s'", options->path);
	(void)snprintf(words, sizeof(words), "fsname=%s,subtype=%s,default_permissions%s",
		       host->kind->name, ES_TWIN_SUBTYPE,
		       options->allows_others ? ",allow_other" : "");
	if (fuse_opt_add_arg(&args, ES_TWIN_SUBTYPE) == 0 && fuse_opt_add_arg(&args, "-o") == 0 &&
	    fuse_opt_add_arg(&args, words) == 0)
		mount->fuse = fuse_new(&args, &operations, sizeof(operations), mount);
	fuse_opt_free_args(&args);
	if (mount->fuse && fuse_mount(mount->fuse, options->path) == 0) {
		mount->is_mounted = true;
		*ret = mount;
		return 0;
	}
	es_twin_mount_close(mount);
	return es_error_say(err, r, "cannot mount at '%s'", options->path);
}

int es_twin_mount_serve(struct es_twin_mount *mount)
{
	int r;

#if FUSE_USE_VERSION >= 312
	struct fuse_loop_config *config = fuse_loop_cfg_create();

	if (!config)
		return -ENOMEM;
	fuse_loop_cfg_set_max_threads(config, THREADS_MAX);
	r = fuse_loop_mt(mount->fuse, config);
	fuse_loop_cfg_destroy(config);
#else
	struct fuse_loop_config config = { .max_idle_threads = 10 };

	r = fuse_loop_mt(mount->fuse, &config);
#endif
	/* Positive: a signal ended it. */
	return r < 0 ? r : 0;
}

void es_twin_mount_stop(struct es_twin_mount *mount, pthread_t server)
{
	(void)pthread_mutex_lock(&mount->lock);
	mount->is_ending = true;
	(void)pthread_cond_broadcast(&mount->ended);
	(void)pthread_mutex_unlock(&mount->lock);
	fuse_exit(mount->fuse);
	(void)pthread_kill(server, SIGUSR1);
}

void es_twin_mount_close(struct es_twin_mount *mount)
{
	if (!mount)
		return;
	if (mount->is_mounted)
		fuse_unmount(mount->fuse);
	if (mount->fuse)
		fuse_destroy(mount->fuse);
	(void)pthread_cond_destroy(&mount->ended);
	(void)pthread_mutex_destroy(&mount->lock);
	free(mount);
}
