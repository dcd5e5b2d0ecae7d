/*
 * control.h - the folder where recordings in the background are found
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_CONTROL_H
#define ES_CLI_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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

/** struct es_control_recording - what a recording says of itself; or what is known of one whose process was killed */
struct es_control_recording {
	pid_t pid;
	bool is_alive;
	char job[ES_NAME_MAX_BYTES]; /* "": not known any more */
	char recording[ES_IPC_TEXT_MAX_BYTES]; /* "": likewise */
	int64_t start_unix_ns; /* while alive */
	char socket[ES_IPC_PATH_MAX_BYTES];
};

/**
 * es_control_ask - who listens at a socket
 * Returns 0, with is_alive false where its process was killed; -ENOENT: it ended meanwhile; other negative errno: it
 * is there and does not answer.
 */
int es_control_ask(const struct es_control_socket *socket, struct es_control_recording *ret);

/**
 * es_control_run_socket - a path for the socket of a run in a control folder, which is made and swept of what killed runs left
 * @i: which folder, from 0; @ret: room for ES_IPC_PATH_MAX_BYTES
 * Returns 0; -ENOENT: there are no more folders; -EPERM: it cannot be trusted; errors of mkdir.
 */
int es_control_run_socket(unsigned i, char *ret, struct es_error *err);

/** struct es_control - a place in the control folder; es_control_close() it */
struct es_control {
	int folder_fd;
	char folder[ES_IPC_PATH_MAX_BYTES], socket[ES_IPC_PATH_MAX_BYTES];
	bool keeps_link; /* the next start is to tell where the recording is */
};

/** es_control_clean_fn - told of a recording that ended without cleaning up after itself, in words */
typedef void (*es_control_clean_fn)(const char *words);

/**
 * es_control_open - find the folder, clean it up, make sure that nobody records @job; the folder stays locked
 * @ret: folder and socket set; listen at the socket, then es_control_publish()
 *
 * Returns 0; -EEXIST: a recording of that name runs; -EPERM: the folder cannot be trusted; -EBUSY: somebody holds
 * its lock for long; errors of mkdir.
 */
int es_control_open(const char *job, es_control_clean_fn tell, struct es_control *ret,
		    struct es_error *err);

/** es_control_publish - we listen: note where the recording is, and unlock; 0 or negative errno */
int es_control_publish(struct es_control *control, const char *recording);

/** es_control_moved - the recording was saved at @path in the end: the next start is to say so */
void es_control_moved(struct es_control *control, const char *path);
void es_control_close(struct es_control *control);

/**
 * es_control_connect - to who hears tags: ENERGYSCOPIUM_SOCKET if set, else the one recording in the background
 * @wait_ns: at most so long. Returns 0, or negative errno with why, and what to do, in @err.
 */
int es_control_connect(int64_t wait_ns, int *ret_fd, struct es_error *err);

#endif
