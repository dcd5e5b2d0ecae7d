/*
 * mounts.h - what is mounted at a path: a twin, a dead one, something else
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_MOUNTS_H
#define ES_TWIN_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/limits.h"

#define ES_TWIN_SUBTYPE "energyscopium-twin" /* its file system is fuse.energyscopium-twin */

/** struct es_twin_mounted - the topmost mount at a path */
struct es_twin_mounted {
	bool is_mount; /* something is */
	bool is_twin;
	unsigned id, major, minor; /* of the mount; of its device */
	bool has_owner; /* of FUSE: who mounted it */
	uid_t owner;
	char type[ES_NAME_MAX_BYTES]; /* of its file system */
};

/** es_twin_mounted_parse - look @path (absolute, no links in it) up in a text like /proc/self/mountinfo; lines that are none are passed over */
void es_twin_mounted_parse(const char *text, const char *path, struct es_twin_mounted *ret);
/** es_twin_mounted - at @path, now; 0 or negative errno. Never touches what is mounted there. */
int es_twin_mounted(const char *path, struct es_twin_mounted *ret);
/** es_twin_mount_resolve - @path made absolute and free of links, also where a dead mount lies on it; 0 or negative errno */
int es_twin_mount_resolve(const char *path, char ret[static ES_PATH_MAX_BYTES]);
/**
 * es_twin_unmount - take the twin that is mounted topmost away from @path, lazily, though files in it are open
 *
 * Returns 0; -EINVAL: no twin is there; -EBUSY: another mount came meanwhile; -EPERM and other errors of umount2(2).
 */
int es_twin_unmount(const char *path);

#endif
