/*
 * daemon/client.h - one connection
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_CLIENT_H
#define ES_DAEMON_CLIENT_H

#include "daemon/daemon.h"
#include "daemon/rights.h"
#include "ipc/packet.h"
#include "ipc/page.h"

/** enum es_client_list - an answer of many packets; each is made when there is room for it */
enum es_client_list {
	ES_CLIENT_LIST_NONE,
	ES_CLIENT_LIST_DOMAINS,
	ES_CLIENT_LIST_JOBS,
	ES_CLIENT_LIST_TOTALS,
};

struct es_client {
	struct es_daemon *daemon;
	struct es_client *next, **link; /* of the server's list */
	uint64_t serial; /* never given to another one */
	uv_poll_t poll;
	int fd;
	struct es_peer peer;
	struct es_rights rights;
	bool is_closing, is_throttled, ends_after; /* the last: close it once the answer is out */
	int64_t tokens, filled_ns; /* of messages, in thousandths; monotonic clock */
	int64_t stuck_ns; /* since when it does not read; 0: it does */

	uint8_t *held; /* an answer that did not go out yet, owned; NULL: none */
	size_t n_held;
	int held_fd;
	enum es_client_list list;
	size_t list_at, list_sent;
	uint32_t list_number;
	struct es_local_job_is *totals; /* [n_totals] of the list, owned */
	size_t n_totals;
	bool is_working; /* a worker looks something up for it */

	struct es_page *page;
	uint64_t page_epoch, page_serial;
	enum es_local_view page_view;
	size_t page_n;
	int64_t period_ns; /* granted */
	int64_t slot; /* in which the page was written last */
	int64_t written_ns; /* boot clock of the sweep that it has; 0: none */
	uint64_t share_uj; /* of a share: the node then */
	bool waits_sweep;
	int64_t wish_ns; /* monotonic clock: a sweep that began later fulfils it */
	uint32_t wish_number;
};

struct es_client *es_client_create(struct es_daemon *daemon, int fd, const struct es_peer *peer);
/** es_client_drop - no more of it; its memory goes when the loop has gone round */
void es_client_drop(struct es_client *client);
/** es_client_tick - once a second: drop it where it reads nothing, hear it again where it was throttled */
void es_client_tick(struct es_client *client, int64_t now_mono_ns);

/** es_client_resume - a worker (is_working) is done with it; it may be gone afterwards */
void es_client_resume(struct es_client *client);

/** es_client_send - a packet, now or when there is room; @pass_fd: taken over, -1: none */
void es_client_send(struct es_client *client, const uint8_t *data, size_t n, int pass_fd);
/** es_client_answer - an ES_IPC_ANSWER */
void es_client_answer(struct es_client *client, uint32_t number, enum es_ipc_verdict verdict,
		      int64_t t_ns, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/** es_client_begin_list - packets made by es_answer_next() follow */
void es_client_begin_list(struct es_client *client, enum es_client_list list, uint32_t number);

/**
 * es_client_wish - have the meters read out of turn for it, where it may: a user no more often than it may see them
 * Returns the monotonic time from which on a sweep is one that it waits for, be it that one or the next in turn.
 */
int64_t es_client_wish(struct es_client *client);

/** es_answer - a packet of a client, and what is said to it; by daemon/answer.c */
void es_answer(struct es_client *client, const uint8_t *packet, size_t n);
/** es_answer_next - the next packet of its list into @out; its bytes, 0: that was the last one */
int es_answer_next(struct es_client *client, uint8_t *out, size_t size);

/** es_ends_add - a JOB_END, carried out with the sweep that it asks for; by daemon/ends.c */
void es_ends_add(struct es_client *client, uint32_t number, const struct es_local_end *end);

/** es_answer_totals - ask a worker for what all nodes say of a job; by daemon/totals.c */
void es_answer_totals(struct es_client *client, uint32_t number, const char *id);

/** es_pages_… - by daemon/pages.c: a page is made for WATCH, written with each sweep that is due, and goes */
void es_pages_watch(struct es_client *client, uint32_t number, int64_t period_ns);
void es_pages_sweep(struct es_client *client, const struct es_sweep *sweep);
void es_pages_drop(struct es_client *client);
/** es_pages_open_gates - before the readers: whether those who may not see all sweeps are shown this one */
void es_pages_open_gates(struct es_server *server, const struct es_sweep *sweep);
/** es_pages_close_gates - what they showed is of other domains */
void es_pages_close_gates(struct es_server *server);
/** es_pages_shown_ns - boot clock of the last sweep that this client may see; 0: none yet */
int64_t es_pages_shown_ns(const struct es_client *client);
/** es_pages_told - what this client is told of running jobs; NULL: what is known now */
const struct es_told *es_pages_told(const struct es_client *client);
/** es_pages_n - how many domains this client sees */
size_t es_pages_n(const struct es_client *client);
/** es_pages_domain - the @i-th of them, as it is told */
void es_pages_domain(const struct es_client *client, size_t i, struct es_local_domain *ret);

#endif
