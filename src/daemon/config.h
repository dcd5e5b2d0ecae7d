/*
 * daemon/config.h - what a site sets for the daemon
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_CONFIG_H
#define ES_DAEMON_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/limits.h"
#include "core/cover.h"
#include "daemon/log.h"
#include "source/url.h"

#define ES_DAEMON_CONFIG "/etc/energyscopium/energyscopiumd.yaml"

/** enum es_serve - who sees the node's meters without having a job on it */
enum es_serve {
	ES_SERVE_JOBS, /* nobody */
	ES_SERVE_EVERYBODY, /* anybody, at the rate of a job that has the node for itself */
};

/** struct es_daemon_config - plain but for the meters; es_daemon_config_finish() it */
struct es_daemon_config {
	int64_t period_ns;
	char socket[ES_PATH_MAX_BYTES];
	char group[ES_NAME_MAX_BYTES]; /* whose members see the node at any rate; "": nobody */
	enum es_serve serve;
	bool has_fast_readings;
	char spool[ES_PATH_MAX_BYTES]; /* "": no recordings */
	uint64_t quota_bytes;
	int64_t keep_ns;
	bool keeps_node;
	char shared[ES_PATH_MAX_BYTES]; /* "": none */
	char node_name[ES_NAME_MAX_BYTES]; /* "": the host's */
	char cluster[64]; /* "": not known */
	uint64_t idle_mw; /* 0: as seen */
	int64_t scan_period_ns; /* 0: never */
	int housekeeping_cpu; /* or ES_HOUSEKEEPING_… */
	enum es_psys_policy psys;
	enum es_log_level log_level;
	struct es_meter_url *meters; /* owned */
	size_t n_meters;
};

/** es_daemon_schema - the table that the manual is made from, too */
const struct es_conf_key *es_daemon_schema(size_t *ret_n_keys);

/**
 * es_daemon_config_load - the configuration in @path
 * @path: NULL: ES_DAEMON_CONFIG, which need not be there
 * @err: as many of all that is wrong as fit, a line each
 * @ret_problems: all of it, owned by caller, free(); may be NULL
 * Returns 0, -EINVAL, -ENOMEM. Nothing is set on failure.
 */
int es_daemon_config_load(const char *path, struct es_daemon_config *ret, char **ret_problems,
			  struct es_error *err);
/** es_daemon_config_parse - the same from bytes that anybody may have written; @name: for messages */
int es_daemon_config_parse(const char *name, const void *data, size_t n,
			   struct es_daemon_config *ret, char **ret_problems, struct es_error *err);
void es_daemon_config_finish(struct es_daemon_config *config);

#endif
