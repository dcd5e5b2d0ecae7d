/*
 * local_daemon.h - a small daemon on a thread, which shows the domains and values that a test gives it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_LOCAL_DAEMON_H
#define ES_TESTS_SUPPORT_LOCAL_DAEMON_H

#include <pthread.h>
#include <stdbool.h>

#include "ipc/page.h"
#include "wire/local.h"

#define LOCAL_DAEMON_DOMAINS 8U

/** struct local_daemon - set what it shows, then start it; change it only while it is locked, or not started */
struct local_daemon {
	char path[48];
	struct es_local_welcome welcome;
	struct es_local_domain domains[LOCAL_DAEMON_DOMAINS];
	struct es_page_value values[LOCAL_DAEMON_DOMAINS];
	size_t n;
	uint64_t epoch;
	int64_t period_ns;
	uint64_t sweep_uj; /* a sweep that is asked for adds so much to each energy */
	int64_t least_ns; /* one that comes sooner after the last one is answered, and not made */
	const char *refusal; /* to WATCH, in place of a page; NULL: none */
	bool is_silent; /* it reads, and says nothing */
	bool leaves_page; /* when it stops, as one that is killed leaves it */
	int64_t release_verdict;
	unsigned n_clients, n_sweeps, n_releases, n_takes; /* so far */

	pthread_mutex_t lock;
	pthread_t thread;
	int listen_fd, stop_fds[2];
	struct es_page *page, *left;
	int64_t swept_ns;
};

/** local_daemon_init - a node with two packages in a folder of its own; nothing listens yet */
void local_daemon_init(struct local_daemon *daemon);
void local_daemon_start(struct local_daemon *daemon);
/** local_daemon_stop - its socket is gone; may be started again */
void local_daemon_stop(struct local_daemon *daemon);
void local_daemon_finish(struct local_daemon *daemon);

/** local_daemon_write - a sweep at @t_ns, boot clock: each value's time is that */
void local_daemon_write(struct local_daemon *daemon, int64_t t_ns);
/** local_daemon_add - so much to the energy of each domain */
void local_daemon_add(struct local_daemon *daemon, uint64_t energy_uj);

#endif
