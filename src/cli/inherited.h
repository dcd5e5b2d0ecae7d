/*
 * inherited.h - the descriptors that are the command's, not ours
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_INHERITED_H
#define ES_CLI_INHERITED_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct es_inherited - what whoever started us left open for the command: a shell's redirections, make's job server
 *
 * Libraries open sockets and files without asking for them to be closed on exec. A command that got them could speak in
 * our name to a meter that we have logged in to.
 */
struct es_inherited {
	int *fds; /* [n], rising, from 3 on; owned */
	size_t n;
	bool is_known; /* false: no list is to be had, and nothing is closed */
};

/** es_inherited_take - what is open now; before any library is. es_inherited_finish() it */
void es_inherited_take(struct es_inherited *ret);
void es_inherited_finish(struct es_inherited *inherited);

/** es_inherited_keep - all others are closed on exec from now on; for a forked child: allocates nothing */
void es_inherited_keep(const struct es_inherited *inherited);

#endif
