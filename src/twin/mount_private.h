/*
 * mount_private.h - what the parts of a mount share: who serves it, its open files, changed rights
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_MOUNT_PRIVATE_H
#define ES_TWIN_MOUNT_PRIVATE_H

#include <fuse3/fuse.h>
#include <pthread.h>
#include <sys/types.h>
#include <time.h>

#include "twin/host.h"

#define ES_TWIN_RIGHTS_MAX 65536U

/** struct es_twin_rights - of a file: who may do what */
struct es_twin_rights {
	uint64_t number; /* of the entry */
	unsigned mode; /* its bits of rights */
	uid_t uid;
	gid_t gid;
};

struct es_twin_mount {
	struct es_twin_host *host;
	struct fuse *fuse;
	struct timespec start; /* of all files */
	uid_t uid; /* who mounted it: owner of all files that nobody gave away */
	gid_t gid;
	bool is_mounted;
	void (*ready)(void *arg);
	void *arg;
	pthread_mutex_t lock; /* guards what is below */
	pthread_cond_t ended; /* is_ending became true */
	bool is_ending;
	struct es_twin_rights *changed; /* owned; by chmod and chown */
	size_t n_changed, cap_changed;
	struct es_twin_handle *opened; /* all open files */
	size_t n_opened;
	size_t n_large_bytes; /* of their large texts */
};

/** es_twin_mount_self - of the request that this thread answers */
struct es_twin_mount *es_twin_mount_self(void);
/** es_twin_mount_is_gone - its meter's files are, for now; with the host's lock held */
bool es_twin_mount_is_gone(const struct es_twin_entry *entry);
/** es_twin_mount_find - what is at @path; NULL: nothing, or it is gone */
const struct es_twin_entry *es_twin_mount_find(const char *path);

/* mount_rights.c: as udev rules and administrators change them; the kernel has checked who may. */
void es_twin_rights(struct es_twin_mount *mount, const struct es_twin_entry *entry,
		    struct es_twin_rights *ret);
int es_twin_mount_chmod(const char *path, mode_t mode, struct fuse_file_info *info);
int es_twin_mount_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *info);

/* mount_file.c: open files. */
const struct es_twin_entry *es_twin_mount_opened(const struct fuse_file_info *info);
int es_twin_mount_open_file(const char *path, struct fuse_file_info *info);
int es_twin_mount_release(const char *path, struct fuse_file_info *info);
int es_twin_mount_read(const char *path, char *data, size_t size, off_t offset,
		       struct fuse_file_info *info);
int es_twin_mount_write(const char *path, const char *data, size_t size, off_t offset,
			struct fuse_file_info *info);
/** es_twin_mount_release_all - what was still open when it ended; nothing is served any more */
void es_twin_mount_release_all(struct es_twin_mount *mount);

#endif
