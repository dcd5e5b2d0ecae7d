/*
 * source/daemon_link.h - the connection to the daemon of this node: made, lost, made again
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * All but what has an @until_ns never waits, so that a sweep may call it: questions are sent at once, and what is there
 * of their answers is taken with each call.
 */
#ifndef ES_SOURCE_DAEMON_LINK_H
#define ES_SOURCE_DAEMON_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ipc/address.h"
#include "ipc/page.h"
#include "wire/local.h"

/** struct es_daemon_link - zeroed with fd -1: not connected */
struct es_daemon_link {
	char path[ES_IPC_PATH_MAX_BYTES];
	int64_t wanted_ns; /* between readings */
	int fd; /* -1: not connected */
	bool is_up; /* what follows holds: the answers to all questions of the beginning are there */
	struct es_local_welcome welcome;
	struct es_local_domain *domains; /* owned; of the daemon's list, in the order of the page */
	size_t n_domains, cap_domains;
	struct es_local_page page;
	struct es_page_view *view; /* owned; NULL: none yet */

	uint32_t number; /* of the last question */
	int64_t since_ns; /* monotonic clock: when it was last connected, or tried */
	uint32_t sweep_number, let_go_number; /* of questions that wait for an answer, 0: none */
	bool has_let_go; /* the daemon said so */
	bool is_kept; /* it said that it will not, and nobody was told yet */
	struct es_error *err; /* of whoever makes the connection; borrowed for one call */
};

/**
 * es_daemon_link_open - connect, and wait until all is known
 * @link: path and wanted_ns are set. es_daemon_link_close() it whatever is returned.
 * @until_ns: monotonic clock
 *
 * Returns 0; -ENOENT, -ECONNREFUSED: no daemon listens; -EACCES: this user sees nothing, with the daemon's words;
 * -EPROTONOSUPPORT, -EBADMSG: it speaks otherwise; -ETIMEDOUT.
 */
int es_daemon_link_open(struct es_daemon_link *link, int64_t until_ns, struct es_error *err);

/**
 * es_daemon_link_mend - a step towards a connection that works, where there may be none; never waits
 * Returns 1: it was made anew, the list and the page are others; 0: as before; negative errno: there is none yet.
 */
int es_daemon_link_mend(struct es_daemon_link *link, int64_t now_mono_ns);

/** es_daemon_link_sweep - have the meters read now, and wait until the page shows it: 0, -ETIMEDOUT, or -EPIPE: it must be mended */
int es_daemon_link_sweep(struct es_daemon_link *link, int64_t until_ns);

/**
 * es_daemon_link_release, es_daemon_link_take - ask the daemon to let go of GPUs, and to have them again; never wait
 * release may be called again, to ask: 0; -EINPROGRESS; -EBUSY: it will not, or cannot.
 */
int es_daemon_link_release(struct es_daemon_link *link);
void es_daemon_link_take(struct es_daemon_link *link);

/** es_daemon_link_drop - what it gave is of no use: it is made anew by the next es_daemon_link_mend() */
void es_daemon_link_drop(struct es_daemon_link *link);
void es_daemon_link_close(struct es_daemon_link *link);

#endif
