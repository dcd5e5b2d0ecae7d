/*
 * client.h - the side of a local socket that asks, and never waits for long
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_IPC_CLIENT_H
#define ES_IPC_CLIENT_H

#include <stdint.h>
#include <sys/types.h>

#include "ipc/message.h"

/**
 * es_ipc_connect - a connection to who listens at @path
 * @wait_ns: at most so long
 * @ret_fd: owned by caller
 *
 * Returns 0; -ECONNREFUSED, -ENOENT: nobody listens; -EAGAIN: too many others wait; -EPERM: who listens is neither
 * this user nor root, and could be anybody; other errors of connect.
 */
int es_ipc_connect(const char *path, int64_t wait_ns, int *ret_fd);

/** es_ipc_connect_to - the same, where who listens is to be @uid, or root */
int es_ipc_connect_to(const char *path, uid_t uid, int64_t wait_ns, int *ret_fd);

/** es_ipc_connect_any - the same, whoever listens: at a path that the user named, or where only an administrator's programs can be */
int es_ipc_connect_any(const char *path, int64_t wait_ns, int *ret_fd);

/** es_ipc_send - a message; 0 or negative errno (-EPIPE: the other side left, -EAGAIN: it reads nothing) */
int es_ipc_send(int fd, const struct es_ipc_message *message);

/**
 * es_ipc_receive - the next message
 * @until_ns: monotonic clock; not waited for any longer
 *
 * Returns 0; -ETIMEDOUT; -EPIPE: the other side left; -EBADMSG and others of es_ipc_decode().
 */
int es_ipc_receive(int fd, int64_t until_ns, struct es_ipc_message *ret);

#endif
