/*
 * mount_rights.c - owners and modes of files that were changed, as sysfs keeps them until the next boot
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>

#include "twin/mount_private.h"

#define BITS 07777U

/* With the lock held; NULL: as it was made. */
static struct es_twin_rights *changed(const struct es_twin_mount *mount,
				      const struct es_twin_entry *entry)
{
	for (size_t i = 0; i < mount->n_changed; i++)
		if (mount->changed[i].number == es_twin_entry_number(entry))
			return &mount->changed[i];
	return NULL;
}

static struct es_twin_rights as_made(const struct es_twin_mount *mount,
				     const struct es_twin_entry *entry)
{
	return (struct es_twin_rights){ .number = es_twin_entry_number(entry),
					.mode = es_twin_entry_mode(entry),
					.uid = mount->uid,
					.gid = mount->gid };
}

void es_twin_rights(struct es_twin_mount *mount, const struct es_twin_entry *entry,
		    struct es_twin_rights *ret)
{
	const struct es_twin_rights *rights;

	(void)pthread_mutex_lock(&mount->lock);
	rights = changed(mount, entry);
	*ret = rights ? *rights : as_made(mount, entry);
	(void)pthread_mutex_unlock(&mount->lock);
}

/* With the lock held. NULL: no memory, or too many. */
static struct es_twin_rights *to_change(struct es_twin_mount *mount,
					const struct es_twin_entry *entry)
{
	struct es_twin_rights *rights = changed(mount, entry);

	if (rights)
		return rights;
	if (mount->n_changed == mount->cap_changed) {
		size_t cap = mount->cap_changed ? 2 * mount->cap_changed : 64;
		struct es_twin_rights *grown =
			cap > ES_TWIN_RIGHTS_MAX
				? NULL
				: reallocarray(mount->changed, cap, sizeof(*grown));

		if (!grown)
			return NULL;
		mount->changed = grown;
		mount->cap_changed = cap;
	}
	rights = &mount->changed[mount->n_changed++];
	*rights = as_made(mount, entry);
	return rights;
}

/* What is not to change is -1, as with chown(2). */
static int change(const char *path, struct fuse_file_info *info, unsigned mode, uid_t uid,
		  gid_t gid)
{
	struct es_twin_mount *mount = es_twin_mount_self();
	const struct es_twin_entry *entry = info ? es_twin_mount_opened(info)
						 : es_twin_mount_find(path);
	struct es_twin_rights *rights;

	if (!entry)
		return -ENOENT;
	if (es_twin_entry_type(entry) == ES_TWIN_IS_REAL)
		return -EROFS;
	(void)pthread_mutex_lock(&mount->lock);
	rights = to_change(mount, entry);
	if (rights) {
		rights->mode = mode == ~0U ? rights->mode : mode & BITS;
		rights->uid = uid == (uid_t)-1 ? rights->uid : uid;
		rights->gid = gid == (gid_t)-1 ? rights->gid : gid;
	}
	(void)pthread_mutex_unlock(&mount->lock);
	return rights ? 0 : -ENOMEM;
}

int es_twin_mount_chmod(const char *path, mode_t mode, struct fuse_file_info *info)
{
	return change(path, info, mode & BITS, (uid_t)-1, (gid_t)-1);
}

int es_twin_mount_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *info)
{
	return change(path, info, ~0U, uid, gid);
}
