/*
 * daemon/reload.c - another configuration, and other meters, while it runs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/daemon.h"
#include "daemon/notify.h"
#include "daemon/tell.h"

/* Meters are opened and watched aside: that takes a second, or what a vendor's library takes. */
struct opening {
	uv_work_t work;
	struct es_daemon *daemon;
	struct es_daemon_config
		config; /* a copy, whose meters are borrowed: they are not replaced meanwhile */
	struct es_node *node; /* owned */
	struct es_error err;
	int r;
};

static void open_meters(uv_work_t *work)
{
	struct opening *opening = work->data;

	opening->r = es_node_open(&opening->config, opening->daemon->places.root,
				  (uint64_t)es_clock_unix_ns(), opening->node, &opening->err);
}

static bool is_same_list(const struct es_node *a, const struct es_node *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->domains[i].id, b->domains[i].id) != 0 ||
		    a->domains[i].is_chosen != b->domains[i].is_chosen ||
		    a->domains[i].is_chosen_total != b->domains[i].is_chosen_total)
			return false;
	return true;
}

/* The new meters in place of the old ones: a new epoch. */
static void replace_node(struct es_daemon *daemon, struct es_node *node)
{
	struct es_error err = { .code = 0 };
	struct es_node *old = daemon->node;
	int r;

	es_sampling_stop(daemon->sampling);
	es_daemon_take_sweeps(daemon);
	es_sampling_destroy(daemon->sampling);
	daemon->sampling = NULL;
	es_server_epoch(&daemon->server);
	daemon->node = node;
	r = es_chain_renew(&daemon->chain, &err);
	es_node_finish(old);
	free(old);
	if (r == 0)
		r = es_daemon_start_sampling(daemon, &err);
	if (r < 0) {
		es_log_say(&daemon->log, ES_LOG_ERROR, "%s: it cannot go on", err.text);
		exit(1); /* the service manager starts another one */
	}
	es_daemon_plan(daemon);
	es_log_say(&daemon->log, ES_LOG_NOTICE,
		   "meters are read anew: %zu of them; what running jobs had is told by their "
		   "recordings, and the book begins at zero",
		   es_tell_count(node));
	es_tell_meters(&daemon->log, node);
}

static void on_opened(uv_work_t *work, int status)
{
	struct opening *opening = work->data;
	struct es_daemon *daemon = opening->daemon;
	bool is_opened = status == 0 && opening->r == 0;

	daemon->is_opening = false;
	if (!is_opened)
		es_log_say(&daemon->log, ES_LOG_ERROR, "%s: the meters stay as they were",
			   opening->err.text);
	if (is_opened && !daemon->stops && !is_same_list(daemon->node, opening->node) &&
	    es_chain_count_jobs(&daemon->chain) == 0 && !daemon->released_until_ns) {
		replace_node(daemon, opening->node);
		opening->node = NULL;
		daemon->has_new_devices = false;
	} else if (is_opened && is_same_list(daemon->node, opening->node)) {
		/* What changed is no meter: it is not looked at again. */
		daemon->node->hash = opening->node->hash;
		es_tell_meters(&daemon->log, opening->node);
		daemon->has_new_devices = false;
	}
	if (opening->node && is_opened)
		es_node_finish(opening->node);
	free(opening->node);
	free(opening);
}

static void begin_opening(struct es_daemon *daemon)
{
	struct opening *opening;

	if (daemon->is_opening)
		return;
	opening = calloc(1, sizeof(*opening));
	if (!opening)
		return;
	*opening = (struct opening){ .daemon = daemon, .config = daemon->config };
	opening->work.data = opening;
	opening->node = calloc(1, sizeof(*opening->node));
	if (!opening->node ||
	    uv_queue_work(&daemon->loop, &opening->work, open_meters, on_opened) < 0) {
		free(opening->node);
		free(opening);
		return;
	}
	daemon->is_opening = true;
}

void es_reload_look(struct es_daemon *daemon)
{
	if (!daemon->has_new_devices && es_node_look(daemon->node)) {
		daemon->has_new_devices = true;
		es_log_say(&daemon->log, ES_LOG_NOTICE,
			   "the machine shows other devices: meters are opened anew%s",
			   es_chain_count_jobs(&daemon->chain) ? " once no job runs" : "");
	}
	if (!daemon->has_new_devices || es_chain_count_jobs(&daemon->chain))
		return;
	/* A driver that is taken away and put back shows other devices, and was let go for just that. */
	if (daemon->released_until_ns)
		es_log_say_seldom(&daemon->log, &daemon->waits, ES_LOG_NOTICE,
				  "meters are opened anew once GPUs are had again");
	else
		begin_opening(daemon);
}

static void tell_reloading(void)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
		       (long long)(es_clock_mono_ns() / 1000));
	(void)es_notify(text);
}

/* What is settled at the start. */
static void tell_what_waits(struct es_daemon *daemon, const struct es_daemon_config *config)
{
	const struct es_daemon_config *old = &daemon->config;
	const struct {
		const char *key;
		bool is_other;
	} keys[] = {
		{ "cluster", strcmp(old->cluster, config->cluster) != 0 },
		{ "group", strcmp(old->group, config->group) != 0 },
		{ "housekeeping_cpu", old->housekeeping_cpu != config->housekeeping_cpu },
		{ "idle_power", old->idle_mw != config->idle_mw },
		{ "keep", old->keep_ns != config->keep_ns },
		{ "node", strcmp(old->node_name, config->node_name) != 0 },
		{ "node_recording", old->keeps_node != config->keeps_node },
		{ "quota", old->quota_bytes != config->quota_bytes },
		{ "shared", strcmp(old->shared, config->shared) != 0 },
		{ "socket", strcmp(old->socket, config->socket) != 0 },
		{ "spool", strcmp(old->spool, config->spool) != 0 },
	};

	for (size_t i = 0; i < ES_ARRAY_SIZE(keys); i++)
		if (keys[i].is_other)
			es_log_say(&daemon->log, ES_LOG_WARNING,
				   "'%s' takes effect with the next start", keys[i].key);
}

static bool has_other_meters(const struct es_daemon_config *a, const struct es_daemon_config *b)
{
	if (a->n_meters != b->n_meters || a->psys != b->psys)
		return true;
	return a->n_meters && memcmp(a->meters, b->meters, a->n_meters * sizeof(*a->meters)) != 0;
}

/* What can be another one from now on; the rest stays as it was at the start. */
static void take_config(struct es_daemon *daemon, struct es_daemon_config *config)
{
	struct es_daemon_config *now = &daemon->config;
	bool has_others = has_other_meters(now, config);

	tell_what_waits(daemon, config);
	now->period_ns = config->period_ns;
	now->serve = config->serve;
	now->has_fast_readings = config->has_fast_readings;
	now->scan_period_ns = config->scan_period_ns;
	now->log_level = config->log_level;
	daemon->log.most = config->log_level;
	if (has_others && daemon->is_opening) {
		es_log_say(&daemon->log, ES_LOG_WARNING,
			   "'meters' are being opened: reload once more for the new ones");
	} else if (has_others) {
		free(now->meters);
		now->meters = es_steal_ptr(config->meters);
		now->n_meters = config->n_meters;
		now->psys = config->psys;
		daemon->has_new_devices = true;
		if (es_chain_count_jobs(&daemon->chain))
			es_log_say(&daemon->log, ES_LOG_NOTICE,
				   "other meters are opened once no job runs");
	}
	es_server_rights(&daemon->server);
	es_daemon_plan(daemon);
	es_reload_look(daemon); /* who plugged something in need not wait */
}

void es_reload(struct es_daemon *daemon)
{
	es_cleanup(es_freep) struct es_daemon_config *config = calloc(1, sizeof(*config));
	es_cleanup(es_freep) char *problems = NULL;
	struct es_error err = { .code = 0 };
	int r;

	tell_reloading();
	r = config ? es_daemon_config_load(daemon->places.config, config, &problems, &err)
		   : -ENOMEM;
	if (r < 0) {
		es_log_say(&daemon->log, ES_LOG_ERROR, "%s\nthe configuration goes on as it was",
			   problems ? problems : err.text);
	} else {
		take_config(daemon, config);
		es_daemon_config_finish(config);
		es_log_say(&daemon->log, ES_LOG_NOTICE, "the configuration was read anew");
	}
	(void)es_notify("READY=1");
}
