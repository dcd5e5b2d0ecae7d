/*
 * daemonlink.h - finding this node's daemon, and the first words with it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_DAEMONLINK_H
#define ES_CLI_DAEMONLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ipc/message.h"
#include "ipc/packet.h"
#include "wire/local.h"

#define ES_DAEMONLINK_NONE "none" /* as a path: no daemon is to be used */
#define ES_DAEMONLINK_VARIABLE "ENERGYSCOPIUM_DAEMON"

/* The option of commands that use the daemon; @target: const char * */
#define ES_DAEMON_OPTION(target)                                                             \
	{                                                                                    \
		"daemon", "SOCKET",                                                          \
			"socket of this node's daemon, or 'none' (default\n" ES_LOCAL_SOCKET \
			", where it is)",                                                    \
			ES_OPTION_TEXT, (target)                                             \
	}

/**
 * es_daemonlink_path - where the daemon is looked for
 * @named: by an option; NULL: by ENERGYSCOPIUM_DAEMON, else by 'daemon' of the configuration, else the path that it has by default
 * @ret_is_chosen: somebody named it: then it is an error that it is not there
 * Returns 0; -ENOENT: none is wanted; -ENAMETOOLONG; -EINVAL: the configuration is wrong.
 */
int es_daemonlink_path(const char *named, char *ret, size_t size, bool *ret_is_chosen,
		       struct es_error *err);

/**
 * es_daemonlink_open - a connection to the daemon, which has told who it is and what it shows
 * @named: as above
 * @wait_ns: at most so long, for all of it
 * @ret_fd: owned by caller
 * @ret: what it says; may be NULL
 *
 * Returns 0; -ENOENT, -ECONNREFUSED: none runs, or none is wanted; -EPERM: who listens could be anybody; -EPROTO:
 * it speaks something else; -ETIMEDOUT; with why, and what to do, in @err.
 */
int es_daemonlink_open(const char *named, int64_t wait_ns, int *ret_fd,
		       struct es_local_welcome *ret, struct es_error *err);

/** struct es_daemonlink_answer - a packet that came back; about 8 KiB */
struct es_daemonlink_answer {
	struct es_packet_head head;
	size_t n; /* bytes of the body */
	uint8_t packet[ES_IPC_MESSAGE_MAX_BYTES];
};

/** es_daemonlink_body - what is behind the header; has answer->n bytes */
static inline const void *es_daemonlink_body(const struct es_daemonlink_answer *answer)
{
	return answer->packet + ES_IPC_HEADER_BYTES;
}

/**
 * es_daemonlink_ask - send a packet, wait for its answer; refusals become errors with the daemon's words
 * @n: as es_local_put_…() returned it: negative is an error here too
 * @until_ns: monotonic clock
 * @type: of the answer that is wanted; ES_IPC_ANSWER: a verdict OK or MOVED is 0 (ES_IPC_PENDING: -EINPROGRESS)
 * @ret: filled in also where a verdict says no; @ret_fd: a descriptor that came along, owned by caller; NULL: closed
 *
 * Returns 0; -EACCES: denied; -EPROTO: an answer of another type; -EINVAL: any other verdict; -EOPNOTSUPP: it does not know such
 * a question; -ETIMEDOUT, -EPIPE.
 */
int es_daemonlink_ask(int fd, const uint8_t *packet, int n, int64_t until_ns, uint16_t type,
		      struct es_daemonlink_answer *ret, int *ret_fd, struct es_error *err);

/** es_daemonlink_next - the next packet of a list: 1: one of @type; 0: it is over (ES_LOCAL_LAST); or negative errno as above */
int es_daemonlink_next(int fd, uint32_t number, int64_t until_ns, uint16_t type,
		       struct es_daemonlink_answer *ret, struct es_error *err);

/** es_daemonlink_judge - what an answer that has come means: 0, or as es_daemonlink_ask() */
int es_daemonlink_judge(const struct es_daemonlink_answer *answer, uint16_t type,
			struct es_error *err);

#endif
