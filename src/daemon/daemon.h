/*
 * daemon/daemon.h - what the files of the daemon's main thread share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_DAEMON_H
#define ES_DAEMON_DAEMON_H

#include <uv.h>

#include "daemon/chain.h"
#include "daemon/config.h"
#include "daemon/ends.h"
#include "daemon/log.h"
#include "daemon/node.h"
#include "daemon/sampling.h"
#include "daemon/serve.h"
#include "ipc/message.h"

/** struct es_daemon_places - where things are, from the command line; borrowed */
struct es_daemon_places {
	const char *config; /* NULL: the usual place */
	const char *root, *jobs_root; /* NULL: this machine; the same as root */
	const char *socket; /* NULL: as configured */
};

/** struct es_daemon - all of it; lives on the heap as long as the process */
struct es_daemon {
	struct es_daemon_places places;
	struct es_daemon_config config;
	struct es_log log;
	uv_loop_t loop;
	uv_signal_t terminate, interrupt, reload;
	uv_async_t woken; /* by the sampling thread: there are sweeps */
	uv_timer_t timer; /* goes on when no sweep comes */
	struct es_node *node; /* owned; its sampler is the thread's while that runs */
	struct es_sampling *sampling;
	struct es_chain chain;
	struct es_server server;
	struct es_ends ends;
	unsigned n_lookups; /* of totals, under way */
	int64_t start_mono_ns, start_boot_ns, start_unix_ns;
	int64_t ticked_ns; /* monotonic clock: what is done once a second was done then */
	int64_t watchdog_ns; /* how often the service manager wants to hear; 0: never */
	int64_t told_ns; /* when it was told last */
	int64_t released_until_ns; /* monotonic clock: GPUs are had again then; 0: they are not let go, INT64_MAX: until told */
	uint64_t n_sweeps, last_sequence,
		n_lost; /* taken by this thread; numbers that are missing */
	int64_t wall_ahead_ns; /* wall clock less boot clock, at the last sweep */
	int64_t look_ns; /* monotonic clock: when new devices are looked for */
	bool is_opening; /* meters are opened anew, aside */
	bool has_new_devices; /* and will be, once no job runs */
	bool stops;
	struct es_log_limit late, clock, covers, waits;
};

/** es_daemon_period - how often the meters are read, by what the readers want */
void es_daemon_plan(struct es_daemon *daemon);
/** es_ends_due - what waited for a sweep that began at @sweep_mono_ns is carried out; es_ends_finish(): all of it */
void es_ends_due(struct es_daemon *daemon, int64_t sweep_mono_ns);
void es_ends_finish(struct es_daemon *daemon);
/** es_ends_hasten - the next run of a job that was queued again begins: the end of the one before is not to be its own */
void es_ends_hasten(struct es_daemon *daemon, const struct es_local_job *begun);

/** es_daemon_start_sampling - the thread begins to read the node's meters; es_daemon_take_sweeps(): what it has read */
int es_daemon_start_sampling(struct es_daemon *daemon, struct es_error *err);
void es_daemon_take_sweeps(struct es_daemon *daemon);

/** es_daemon_run - until SIGTERM; the program's exit status */
int es_daemon_run(struct es_daemon *daemon);

/** es_state_write - the daemon's state as JSON; @has_book: for who may see the node's energies at any rate. 0 or negative errno */
int es_state_write(struct es_daemon *daemon, bool has_book, struct es_buf *out);

/** es_release_ask, es_release_over - GPUs let go for others, as cli/release.h has it; the words and verdict of an answer */
void es_release_ask(struct es_daemon *daemon, const struct es_ipc_message *message,
		    struct es_ipc_message *answer);
void es_release_tick(struct es_daemon *daemon, int64_t now_mono_ns);

#endif
