/*
 * daemon/loop.c - the main thread: sweeps come in, readers are served, signals obeyed
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "daemon/daemon.h"
#include "daemon/housekeeping.h"
#include "daemon/notify.h"
#include "daemon/reload.h"
#include "daemon/tell.h"

#define TICK_NS (ES_NS_PER_S * 9 / 10)
#define TIMER_MS 2000
#define CLOCK_STEP_NS (ES_NS_PER_S / 2) /* what no slewing does between two sweeps */
#define LOOK_NS (30 * ES_NS_PER_S)
#define STUCK_NS \
	(10 * ES_NS_PER_S) /* a thread that did not go round for so long, beyond its period */
#define DRAIN_MS 2000
#define FILES_MAX 8192U

void es_daemon_plan(struct es_daemon *daemon)
{
	int64_t period_ns = es_server_period_ns(&daemon->server);

	if (period_ns > daemon->config.period_ns)
		period_ns = daemon->config.period_ns;
	if (daemon->sampling)
		es_sampling_period(daemon->sampling, period_ns);
}

static void tell_status(struct es_daemon *daemon, const char *more)
{
	char text[512], period[ES_QUANTITY_TEXT_BYTES];

	(void)snprintf(text, sizeof(text), "%sSTATUS=%zu meters every %s, %zu jobs, %zu readers",
		       more, es_tell_count(daemon->node),
		       es_duration_text(daemon->config.period_ns, period),
		       es_chain_count_jobs(&daemon->chain), es_server_n_watching(&daemon->server));
	(void)es_notify(text);
}

/* Only while both threads go round: else the service manager starts us anew. */
static void tell_watchdog(struct es_daemon *daemon, int64_t now_ns)
{
	struct es_sampling_stats stats;

	if (!daemon->watchdog_ns || now_ns - daemon->told_ns < daemon->watchdog_ns / 3)
		return;
	es_sampling_stats(daemon->sampling, &stats);
	if (now_ns - stats.alive_ns > 2 * stats.period_ns + daemon->watchdog_ns / 2) {
		es_log_say_seldom(&daemon->log, &daemon->late, ES_LOG_ERROR,
				  "a meter does not return from being read: nothing is measured");
		return;
	}
	daemon->told_ns = now_ns;
	tell_status(daemon, "WATCHDOG=1\n");
}

static void tick(struct es_daemon *daemon, int64_t now_ns)
{
	daemon->ticked_ns = now_ns;
	es_chain_tick(&daemon->chain, now_ns);
	es_ends_due(daemon, 0);
	es_release_tick(daemon, now_ns);
	if (daemon->chain.has_news) {
		daemon->chain.has_news = false;
		es_server_rights(&daemon->server);
	}
	es_server_tick(&daemon->server, now_ns);
	if (now_ns - daemon->look_ns > LOOK_NS) {
		daemon->look_ns = now_ns;
		es_reload_look(daemon);
	}
	tell_watchdog(daemon, now_ns);
}

static void on_timer(uv_timer_t *timer)
{
	struct es_daemon *daemon = timer->data;
	int64_t now_ns = es_clock_mono_ns();

	if (now_ns - daemon->ticked_ns >= TICK_NS)
		tick(daemon, now_ns);
}

static void look_at_clock(struct es_daemon *daemon, const struct es_sweep *sweep)
{
	int64_t ahead_ns = sweep->unix_ns - sweep->boot_ns;
	int64_t step_ns = ahead_ns - daemon->wall_ahead_ns;
	char text[ES_QUANTITY_TEXT_BYTES];

	if (daemon->n_sweeps > 0 && (step_ns > CLOCK_STEP_NS || step_ns < -CLOCK_STEP_NS))
		es_log_say_seldom(&daemon->log, &daemon->clock, ES_LOG_NOTICE,
				  "the wall clock was set %s by %s: times of jobs follow it",
				  step_ns > 0 ? "forward" : "back",
				  es_duration_text(step_ns > 0 ? step_ns : -step_ns, text));
	daemon->wall_ahead_ns = ahead_ns;
}

static void look_at_meters(struct es_daemon *daemon, const struct es_sweep *sweep)
{
	enum es_node_news news = es_node_feed(daemon->node, sweep, daemon->config.psys);

	if (news == ES_NODE_SAME)
		return;
	for (size_t i = 0; i < daemon->node->n; i++) {
		const struct es_domain *domain = &daemon->node->domains[i];

		if (domain->state == ES_STATE_DEAD || domain->state == ES_STATE_ABSENT)
			es_log_say_seldom(&daemon->log, &daemon->late, ES_LOG_WARNING, "%s: %s",
					  domain->id, domain->reason);
	}
	if (news == ES_NODE_COVERS) {
		es_log_say_seldom(
			&daemon->log, &daemon->covers, ES_LOG_WARNING,
			"other meters would stand for the node than those chosen: they will, once no job runs");
		daemon->has_new_devices = true;
	}
}

void es_daemon_take_sweeps(struct es_daemon *daemon)
{
	struct es_ring *ring = es_sampling_ring(daemon->sampling);
	const struct es_sweep *sweep;

	while ((sweep = es_ring_peek(ring))) {
		look_at_clock(daemon, sweep);
		if (daemon->n_sweeps > 0)
			daemon->n_lost += sweep->sequence - daemon->last_sequence - 1;
		daemon->last_sequence = sweep->sequence;
		daemon->n_sweeps++;
		look_at_meters(daemon, sweep);
		es_chain_feed(&daemon->chain, sweep);
		es_ends_due(daemon, sweep->mono_ns);
		if (daemon->chain.has_news) {
			daemon->chain.has_news = false;
			es_server_rights(&daemon->server);
		}
		es_server_sweep(&daemon->server, sweep);
		es_ring_take(ring);
	}
}

static void on_woken(uv_async_t *async)
{
	struct es_daemon *daemon = async->data;
	int64_t now_ns;

	if (!daemon->sampling || daemon->stops)
		return;
	es_daemon_take_sweeps(daemon);
	now_ns = es_clock_mono_ns();
	if (now_ns - daemon->ticked_ns >= TICK_NS)
		tick(daemon, now_ns);
}

static void wake(void *arg)
{
	struct es_daemon *daemon = arg;

	(void)uv_async_send(&daemon->woken);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct es_daemon *daemon = handle->data;

	if (number == SIGHUP) {
		es_reload(daemon);
		return;
	}
	daemon->stops = true;
	uv_stop(&daemon->loop);
}

/* On CPUs that no job has for itself; the threads made from here on inherit it. */
static int settle_cpus(struct es_daemon *daemon)
{
	int wanted = daemon->config.housekeeping_cpu;
	struct es_root machine = { .fd = -1 };
	cpu_set_t allowed, left;

	if (wanted == ES_HOUSEKEEPING_NONE)
		return -1;
	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return -1;
	if (wanted >= 0) {
		if (wanted < CPU_SETSIZE && CPU_ISSET((size_t)wanted, &allowed))
			return wanted;
		es_log_say(
			&daemon->log, ES_LOG_WARNING,
			"housekeeping_cpu %d: this process may not run there; another one is taken",
			wanted);
	}
	if (es_root_open(NULL, -1, &machine, NULL) < 0)
		return -1;
	es_housekeeping_find(&machine, &allowed, &left);
	es_root_close(&machine);
	(void)sched_setaffinity(0, sizeof(left), &left);
	return es_housekeeping_first(&left);
}

int es_daemon_start_sampling(struct es_daemon *daemon, struct es_error *err)
{
	const struct es_sampling_options options = {
		.sampler = daemon->node->sampler,
		.domains = daemon->node->of_sampler,
		.n_domains = daemon->node->n,
		.period_ns = daemon->config.period_ns,
		.first_sequence = daemon->last_sequence + 1,
		.cpu = settle_cpus(daemon),
		.wake = wake,
		.arg = daemon,
	};

	return es_sampling_start(&options, &daemon->sampling, err);
}

/* Where there is room for as many readers as are let in. */
static void raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= FILES_MAX)
		return;
	limit.rlim_cur = limit.rlim_max < FILES_MAX ? limit.rlim_max : FILES_MAX;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_loop(struct es_daemon *daemon, struct es_error *err)
{
	uv_signal_t *const signals[] = { &daemon->terminate, &daemon->interrupt, &daemon->reload };
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	int r = uv_loop_init(&daemon->loop);

	if (r == 0)
		r = uv_async_init(&daemon->loop, &daemon->woken, on_woken);
	if (r == 0)
		r = uv_timer_init(&daemon->loop, &daemon->timer);
	daemon->woken.data = daemon->timer.data = daemon;
	if (r == 0)
		r = uv_timer_start(&daemon->timer, on_timer, TIMER_MS, TIMER_MS);
	for (size_t i = 0; i < ES_ARRAY_SIZE(signals) && r == 0; i++) {
		r = uv_signal_init(&daemon->loop, signals[i]);
		signals[i]->data = daemon;
		if (r == 0)
			r = uv_signal_start(signals[i], on_signal, numbers[i]);
	}
	return r < 0 ? es_error_set(err, r, "cannot begin") : 0;
}

static int open_all(struct es_daemon *daemon, struct es_error *err)
{
	int r = open_loop(daemon, err);

	if (r < 0)
		return r;
	daemon->node = calloc(1, sizeof(*daemon->node));
	if (!daemon->node)
		return es_error_set(err, -ENOMEM, "cannot begin");
	/* First the socket: whether another one listens is known before anything of its is touched. */
	r = es_server_open(&daemon->server, daemon, err);
	if (r == 0)
		r = es_node_open(&daemon->config, daemon->places.root,
				 (uint64_t)daemon->start_unix_ns, daemon->node, err);
	if (r == 0)
		r = es_chain_open(&daemon->chain, daemon, err);
	if (r == 0)
		r = es_daemon_start_sampling(daemon, err);
	return r;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* What is under way has a moment to end; a folder that hangs cannot hold us. False: something is left. */
static bool drain_loop(struct es_daemon *daemon)
{
	int64_t until_ns = es_clock_mono_ns() + DRAIN_MS * ES_NS_PER_MS;

	uv_walk(&daemon->loop, close_handle, NULL);
	while (uv_run(&daemon->loop, UV_RUN_NOWAIT) && es_clock_mono_ns() < until_ns)
		(void)usleep(1000);
	return uv_loop_close(&daemon->loop) == 0;
}

static void close_all(struct es_daemon *daemon)
{
	/* A last sweep goes through the chain before it ends; who watches sees it, too. */
	if (daemon->sampling) {
		es_sampling_stop(daemon->sampling);
		es_daemon_take_sweeps(daemon);
		es_ends_finish(daemon);
		es_sampling_destroy(daemon->sampling);
		daemon->sampling = NULL;
	}
	es_server_close(&daemon->server);
	if (!drain_loop(daemon)) {
		es_log_say(&daemon->log, ES_LOG_WARNING,
			   "something under way does not end: it is left behind");
		_exit(0);
	}
	es_chain_close(&daemon->chain);
	if (daemon->node)
		es_node_finish(daemon->node);
	free(daemon->node);
	daemon->node = NULL;
}

static void tell_begin(struct es_daemon *daemon)
{
	char period[ES_QUANTITY_TEXT_BYTES];

	es_log_say(&daemon->log, ES_LOG_NOTICE,
		   "version %s on node '%s': %zu meters every %s, socket '%s'", ES_VERSION,
		   daemon->node->name, es_tell_count(daemon->node),
		   es_duration_text(daemon->config.period_ns, period), daemon->server.path);
	es_tell_meters(&daemon->log, daemon->node);
	if (daemon->config.has_fast_readings)
		es_log_say(&daemon->log, ES_LOG_NOTICE,
			   "fast_readings: jobs may read at any rate (CVE-2020-8694)");
}

int es_daemon_run(struct es_daemon *daemon)
{
	struct es_error err = { .code = 0 };

	daemon->start_mono_ns = es_clock_mono_ns();
	daemon->start_boot_ns = es_clock_boot_ns();
	daemon->start_unix_ns = es_clock_unix_ns();
	daemon->look_ns = daemon->start_mono_ns;
	daemon->watchdog_ns = es_notify_watchdog_ns();
	daemon->chain.root.fd = -1;
	daemon->server.fd = daemon->server.reserve_fd = -1;
	(void)signal(SIGPIPE, SIG_IGN);
	raise_files();
	if (open_all(daemon, &err) < 0) {
		es_log_say(&daemon->log, ES_LOG_ERROR, "%s", err.text);
		close_all(daemon);
		return 1;
	}
	tell_begin(daemon);
	tell_status(daemon, "READY=1\n");
	(void)uv_run(&daemon->loop, UV_RUN_DEFAULT);
	(void)es_notify("STOPPING=1");
	es_log_say(&daemon->log, ES_LOG_NOTICE, "ends, as told");
	close_all(daemon);
	return 0;
}
