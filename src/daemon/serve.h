/*
 * daemon/serve.h - the socket, and who is at it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_SERVE_H
#define ES_DAEMON_SERVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "base/error.h"
#include "daemon/log.h"
#include "daemon/pace.h"
#include "daemon/parting.h"
#include "daemon/sweep.h"
#include "daemon/told.h"
#include "ipc/page.h"

struct es_daemon;
struct es_client;

/**
 * struct es_gate - the sweeps that are shown to those who may not see all of them
 *
 * One gate for all readers of a kind: who connects many times, or asks for a sweep through many connections, sees no more
 * sweeps than by one.
 */
struct es_gate {
	int64_t period_ns;
	int64_t slot, shown_ns; /* boot clock of the sweep shown last; 0: none */
	struct es_page_copy head;
	struct es_page_value *values; /* [n] then, owned */
	size_t n;
	struct es_told told; /* of jobs, then */
};

enum es_gate_kind {
	ES_GATE_EXCLUSIVE,
	ES_GATE_SHARED,
	ES_N_GATES,
};

/** struct es_server - the listening side */
struct es_server {
	struct es_daemon *daemon;
	int fd, reserve_fd; /* the latter is given up to turn somebody away when there are no others */
	char path[128];
	bool is_bound, is_paused;
	gid_t group; /* (gid_t)-1: none */
	uv_poll_t poll;
	uv_timer_t later; /* when paused */
	struct es_gate gates[ES_N_GATES];
	struct es_client *clients; /* a list */
	size_t n_clients;
	struct es_partings partings; /* connections that count until they are closed */
	uint64_t serial; /* of the client that came last */
	uint64_t n_served, n_messages, n_refused, n_dropped;
	struct es_paces comes, pages, wishes,
		begins; /* of users: connections, pages, sweeps out of turn, jobs */
	struct es_log_limit full, broken, crowded;
};

int es_server_open(struct es_server *server, struct es_daemon *daemon, struct es_error *err);
/** es_server_close - and all clients; nothing happens in it any more once the loop has gone round */
void es_server_close(struct es_server *server);

/** es_server_sweep - a sweep is there: pages are written, and who waited for it is told */
void es_server_sweep(struct es_server *server, const struct es_sweep *sweep);
/** es_server_rights - jobs began or ended, or the configuration is another: who may see less sees less from now on */
void es_server_rights(struct es_server *server);
/** es_server_epoch - the list of domains is another one: pages of the old one end */
void es_server_epoch(struct es_server *server);
/** es_server_tick - who reads nothing is dropped */
void es_server_tick(struct es_server *server, int64_t now_mono_ns);
/** es_server_period_ns - the shortest period that a reader was granted; INT64_MAX: nobody watches */
int64_t es_server_period_ns(const struct es_server *server);
/** es_server_n_watching - how many have a page */
size_t es_server_n_watching(const struct es_server *server);

#endif
