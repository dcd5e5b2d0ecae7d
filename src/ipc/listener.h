/*
 * listener.h - the side of a local socket that answers, without ever waiting for anybody
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_IPC_LISTENER_H
#define ES_IPC_LISTENER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "ipc/message.h"

struct es_ipc_listener;

/** struct es_ipc_peer - who asks, as the kernel knows it */
struct es_ipc_peer {
	pid_t pid;
	uid_t uid;
};

/**
 * es_ipc_handle_fn - answer a message
 * @answer: an ES_IPC_ANSWER of ES_IPC_OK to begin with; type 0: no answer now, es_ipc_listener_tell() comes later
 */
typedef void (*es_ipc_handle_fn)(void *arg, const struct es_ipc_peer *peer,
				 const struct es_ipc_message *message,
				 struct es_ipc_message *answer);

/**
 * es_ipc_listen - a SOCK_SEQPACKET socket at @path, mode 0600
 * @handle: called from es_ipc_listener_serve() for each message of this user or of root; others are turned away
 * @ret: owned by caller, es_ipc_listener_close() it
 *
 * Returns 0; -EADDRINUSE: the path exists; -ENAMETOOLONG; errors of socket and bind.
 */
int es_ipc_listen(const char *path, es_ipc_handle_fn handle, void *arg,
		  struct es_ipc_listener **ret, struct es_error *err);

/** es_ipc_listener_fd - a descriptor that is readable when there is something to serve; borrowed */
int es_ipc_listener_fd(const struct es_ipc_listener *listener);

/** es_ipc_listener_next_ns - when to serve though nothing is readable, monotonic clock; INT64_MAX: at no time */
int64_t es_ipc_listener_next_ns(const struct es_ipc_listener *listener);

/**
 * es_ipc_listener_serve - a few of the messages that are there; takes microseconds whoever sends whatever
 *
 * Who sends what is no message, or reads no answers, is dropped. With ES_IPC_CLIENTS_MAX clients others wait until
 * one leaves or has been silent for a second. Returns how many descriptors had something.
 */
int es_ipc_listener_serve(struct es_ipc_listener *listener, int64_t now_mono_ns);

/** es_ipc_listener_tell - the answer that clients have been waiting for */
void es_ipc_listener_tell(struct es_ipc_listener *listener, const struct es_ipc_message *answer);

/** es_ipc_listener_close - and the socket's path is gone; NULL is fine */
void es_ipc_listener_close(struct es_ipc_listener *listener);

#endif
