/*
 * mount.c - the files of a node that is up, shown through FUSE
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/mount.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "twin/mount_private.h"
#include "twin/mounts.h"

#define BLOCK 4096 /* st_size of an attribute, as sysfs has it */
#define THREADS_MAX 64U /* readers that wait for a slow meter hold one each */

struct es_twin_mount *es_twin_mount_self(void)
{
	return fuse_get_context()->private_data;
}

bool es_twin_mount_is_gone(const struct es_twin_entry *entry)
{
	const struct es_twin_meter *meter = es_twin_entry_file(entry)->meter;

	return meter && meter->is_gone;
}

const struct es_twin_entry *es_twin_mount_find(const char *path)
{
	struct es_twin_host *host = es_twin_mount_self()->host;
	const struct es_twin_entry *entry = es_twin_tree_find(host->tree, path);

	if (!entry || !es_twin_entry_file(entry)->meter)
		return entry;
	(void)es_twin_host_lock(host);
	if (es_twin_mount_is_gone(entry))
		entry = NULL;
	es_twin_host_unlock(host);
	return entry;
}

static void *mount_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
	struct es_twin_mount *mount = es_twin_mount_self();

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

static void describe(struct es_twin_mount *mount, const struct es_twin_entry *entry,
		     struct stat *ret)
{
	static const mode_t types[] = {
		[ES_TWIN_IS_DIR] = S_IFDIR,
		[ES_TWIN_IS_LINK] = S_IFLNK,
		[ES_TWIN_IS_FILE] = S_IFREG,
		[ES_TWIN_IS_REAL] = S_IFREG,
	};

	struct es_twin_rights rights;

	es_twin_rights(mount, entry, &rights);
	*ret = (struct stat){
		.st_ino = es_twin_entry_number(entry),
		.st_mode = types[es_twin_entry_type(entry)] | rights.mode,
		.st_nlink = 1,
		.st_uid = rights.uid,
		.st_gid = rights.gid,
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
	const struct es_twin_entry *entry = info ? es_twin_mount_opened(info)
						 : es_twin_mount_find(path);

	if (!entry)
		return -ENOENT;
	describe(es_twin_mount_self(), entry, st);
	return 0;
}

static int mount_readlink(const char *path, char *target, size_t size)
{
	const struct es_twin_entry *entry = es_twin_mount_find(path);

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
	struct es_twin_mount *mount = es_twin_mount_self();
	const struct es_twin_entry *dir = es_twin_mount_find(path);

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

		if (es_twin_mount_is_gone(entry))
			continue;
		describe(mount, entry, &st);
		(void)fill(list, es_twin_entry_name(entry), &st, 0, 0);
	}
	es_twin_host_unlock(mount->host);
	return 0;
}

/* A shell's ">" cuts the file before it writes: to no effect. */
static int mount_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
	const struct es_twin_entry *entry = info ? es_twin_mount_opened(info)
						 : es_twin_mount_find(path);

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
	.open = es_twin_mount_open_file,
	.release = es_twin_mount_release,
	.read = es_twin_mount_read,
	.write = es_twin_mount_write,
	.truncate = mount_truncate,
	.create = refuse_create,
	.mknod = refuse_mknod,
	.mkdir = refuse_mkdir,
	.unlink = refuse_one,
	.rmdir = refuse_one,
	.symlink = refuse_two,
	.link = refuse_two,
	.rename = refuse_rename,
	.chmod = es_twin_mount_chmod,
	.chown = es_twin_mount_chown,
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
	es_twin_mount_release_all(mount);
	free(mount->changed);
	(void)pthread_cond_destroy(&mount->ended);
	(void)pthread_mutex_destroy(&mount->lock);
	free(mount);
}
