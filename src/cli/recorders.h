/*
 * recorders.h - who records on this machine, of this user; root finds those of all users
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_RECORDERS_H
#define ES_CLI_RECORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "ipc/address.h"

/** struct es_recorder_at - a socket at which a process may listen that records, be it a run or in the background */
struct es_recorder_at {
	pid_t pid;
	uid_t uid; /* who owns its folder, and must be who listens */
	char path[ES_IPC_PATH_MAX_BYTES];
};

#define ES_RECORDERS_MAX 4096U
#define ES_RECORDERS_OF_ONE_MAX 512U /* in one folder: no user crowds out the others */

/**
 * es_recorders_list - those whose sockets lie in the users' control folders; killed ones among them
 * @ret: [ES_RECORDERS_MAX]. Returns how many. Folders that do not belong to whom they are named after are passed over.
 * @ret_is_cut: there are more
 */
size_t es_recorders_list(struct es_recorder_at *ret, bool *ret_is_cut);

#endif
