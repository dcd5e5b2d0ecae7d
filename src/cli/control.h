/*
 * control.h - the folder where recordings in the background are found
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_CONTROL_H
#define ES_CLI_CONTROL_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "ipc/address.h"

/** struct es_control_socket - a socket in a control folder, named after the process that made it */
struct es_control_socket {
	pid_t pid;
	char path[ES_IPC_PATH_MAX_BYTES];
};

#define ES_CONTROL_SOCKETS_MAX 64U

/**
 * es_control_list - the sockets in the control folders, those of killed processes among them
 * @ret: [ES_CONTROL_SOCKETS_MAX]
 *
 * Returns how many; with @err set where a folder is there and cannot be trusted.
 */
size_t es_control_list(struct es_control_socket *ret, struct es_error *err);

/**
 * es_control_connect - to who hears tags: ENERGYSCOPIUM_SOCKET if set, else the one recording in the background
 * @wait_ns: at most so long. Returns 0, or negative errno with why, and what to do, in @err.
 */
int es_control_connect(int64_t wait_ns, int *ret_fd, struct es_error *err);

#endif
