/*
 * address.h - where local sockets are
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_IPC_ADDRESS_H
#define ES_IPC_ADDRESS_H

#include <stddef.h>
#include <sys/un.h>

#include "base/error.h"

/* A command below a run finds its socket by this variable of the environment. */
#define ES_IPC_VARIABLE "ENERGYSCOPIUM_SOCKET"

#define ES_IPC_PATH_MAX_BYTES sizeof(((struct sockaddr_un *)0)->sun_path)

/** es_ipc_address - the address of a socket at @path; 0 or -ENAMETOOLONG: the kernel takes 107 bytes */
int es_ipc_address(const char *path, struct sockaddr_un *ret);

/**
 * es_ipc_make_folder - a new folder of mode 0700 that nobody else has
 * @i: 0: in $XDG_RUNTIME_DIR, 1: in $TMPDIR, 2: in /tmp
 * @ret: the folder's path, short enough for a socket of up to 16 bytes in it
 *
 * Returns 0; -ENOENT: there is no such variable; -ENAMETOOLONG; errors of mkdtemp.
 */
int es_ipc_make_folder(unsigned i, char ret[static ES_IPC_PATH_MAX_BYTES]);
#define ES_IPC_N_FOLDERS 3U

/* A folder to be used in place of all below, by this variable of the environment. */
#define ES_IPC_FOLDER_VARIABLE "ENERGYSCOPIUM_RUNTIME_DIR"

/**
 * es_ipc_control_folder - where sockets are found without a variable of their own
 * @i: 0: /tmp/energyscopium-UID, 1: $XDG_RUNTIME_DIR/energyscopium, which is gone once its user has logged out
 *
 * Who may listen there is the user alone: es_ipc_check_folder() it. Returns 0; -ENOENT: there is no such variable;
 * -ENAMETOOLONG.
 */
int es_ipc_control_folder(unsigned i, char ret[static ES_IPC_PATH_MAX_BYTES]);
#define ES_IPC_N_CONTROL_FOLDERS 2U

/**
 * es_ipc_check_folder - open a control folder that belongs to this user, and in which nobody else may do anything
 * Somebody may have made it before us, in /tmp. Returns a descriptor, owned by caller; -ENOENT; -EPERM: it is
 * somebody else's or others may write to it; errors of open.
 */
int es_ipc_check_folder(const char *path, struct es_error *err);

#endif
