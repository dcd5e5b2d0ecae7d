/*
 * place.h - a folder for a twin to be mounted at, and whether this machine lets it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_PLACE_H
#define ES_TWIN_PLACE_H

#include <stdbool.h>

#include "base/error.h"

/** struct es_twin_place - es_twin_place_close() it when nothing is mounted there any more */
struct es_twin_place {
	char path[ES_PATH_MAX_BYTES]; /* absolute, no links in it */
	int fd; /* of the folder below the mount, locked: no other twin comes here */
};

/**
 * es_twin_place_open - make the folder where it is missing, clear away the mount of a dead twin, and have it for ourselves
 *
 * Returns 0; -EEXIST: a twin is up there; -EBUSY: something else is mounted, or another twin just begins; -ENOTDIR; -ENOTEMPTY;
 * -EACCES; errors of mkdir and open. @err has words with what to do.
 */
int es_twin_place_open(const char *path, struct es_twin_place *ret, struct es_error *err);
void es_twin_place_close(struct es_twin_place *place);

/** es_twin_fuse_check - whether this user can mount through FUSE here; 0 or negative errno, with the fix in words */
int es_twin_fuse_check(bool allows_others, struct es_error *err);
/** es_twin_fuse_allows_others - the text of /etc/fuse.conf lets users share what they mount */
bool es_twin_fuse_allows_others(const char *conf);

#endif
