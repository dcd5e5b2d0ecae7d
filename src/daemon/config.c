/*
 * daemon/config.c - what a site sets for the daemon
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "daemon/housekeeping.h"
#include "source/source.h"
#include "wire/local.h"

#define QUOTA_MIN_BYTES 1000000U
#define CPUS_MAX 65536

static const char *const serve_choices[] = {
	[ES_SERVE_JOBS] = "jobs",
	[ES_SERVE_EVERYBODY] = "everybody",
	NULL,
};

static const char *const psys_choices[] = {
	[ES_PSYS_AUTO] = "auto",
	[ES_PSYS_IGNORE] = "ignore",
	[ES_PSYS_TRUST] = "trust",
	NULL,
};

static int check_quota(const char *text, struct es_error *err)
{
	uint64_t size_bytes;

	if (es_parse_size_bytes(text, &size_bytes) == 0 && size_bytes >= QUOTA_MIN_BYTES)
		return 0;
	return es_error_say(err, -EINVAL,
			    "'quota' is '%.64s', must be a size like 500MB, 1MB at least", text);
}

/* @ret: may be NULL */
static int take_cpu(const char *text, int *ret)
{
	uint64_t cpu;
	int value;

	if (strcmp(text, "auto") == 0)
		value = ES_HOUSEKEEPING_AUTO;
	else if (strcmp(text, "none") == 0)
		value = ES_HOUSEKEEPING_NONE;
	else if (es_parse_u64(text, &cpu) == 0 && cpu < CPUS_MAX)
		value = (int)cpu;
	else
		return -EINVAL;
	if (ret)
		*ret = value;
	return 0;
}

static int check_cpu(const char *text, struct es_error *err)
{
	if (take_cpu(text, NULL) == 0)
		return 0;
	return es_error_say(err, -EINVAL,
			    "'housekeeping_cpu' is '%.64s', must be auto, none or a CPU's number",
			    text);
}

static int check_path(const char *text, struct es_error *err)
{
	if (text[0] == '/')
		return 0;
	return es_error_say(err, -EINVAL, "'%.200s' must be a path that begins with /", text);
}

/* As "hostname -s" tells it. */
static void find_host(struct utsname *ret)
{
	if (uname(ret) < 0)
		ret->nodename[0] = '\0';
	ret->nodename[strcspn(ret->nodename, ".")] = '\0';
}

static int check_meter(const char *text, struct es_error *err)
{
	es_cleanup(es_freep) struct es_meter_url *url = calloc(1, sizeof(*url));
	struct utsname name;
	int r;

	if (!url)
		return es_error_set(err, -ENOMEM, "meter '%.200s'", text);
	find_host(&name);
	r = es_meter_url_parse(text, name.nodename, url, err);
	if (r == 0 && !es_registry_find(url->scheme))
		r = es_error_say(err, -EINVAL, "meter '%.200s': no meters are named '%s:'", text,
				 url->scheme);
	return r;
}

static const struct es_conf_key schema[] = {
	{
		.key = "cluster",
		.type = ES_CONF_TEXT,
		.lo = 1,
		.hi = 63,
		.doc = "Name of the cluster, in recordings of jobs that did not say it.",
	},
	{
		.key = "fast_readings",
		.type = ES_CONF_BOOL,
		.default_text = "no",
		.doc = "Whether jobs may read faster than 10 times a second (alone on the node) or once (sharing it); fast readings can leak what others compute (CVE-2020-8694).",
	},
	{
		.key = "group",
		.type = ES_CONF_TEXT,
		.lo = 1,
		.default_text = "energyscopium",
		.doc = "Group whose members see the meters of the node at any rate.",
	},
	{
		.key = "housekeeping_cpu",
		.check = check_cpu,
		.type = ES_CONF_TEXT,
		.lo = 1,
		.default_text = "auto",
		.doc = "CPU on which the meters are read: auto (the first that is not isolated), none (any), or its number.",
	},
	{
		.key = "idle_power",
		.type = ES_CONF_POWER,
		.lo = 0,
		.hi = 1000000000,
		.default_words = "as seen in the quietest minute",
		.doc = "What the node draws without work, to tell the idle part of shared jobs.",
	},
	{
		.key = "keep",
		.type = ES_CONF_DURATION,
		.lo = 0,
		.hi = 3650 * 86400 * ES_NS_PER_S,
		.default_text = "0",
		.doc = "Recordings of ended jobs go after this time; 0: only when the quota is full.",
	},
	{
		.key = "log_level",
		.type = ES_CONF_CHOICE,
		.choices = es_log_level_names,
		.default_text = "info",
		.doc = "How much is logged.",
	},
	{
		.key = "meters",
		.check = check_meter,
		.type = ES_CONF_LIST,
		.lo = 1,
		.hi = ES_METER_URL_MAX_BYTES - 1,
		.doc = "Meters that cannot be found by themselves, each by its URL; see energyscopium-meters(7).",
	},
	{
		.key = "node",
		.type = ES_CONF_TEXT,
		.lo = 1,
		.default_words = "the host's name up to its first dot",
		.doc = "Name of this node, as the scheduler has it.",
	},
	{
		.key = "node_recording",
		.type = ES_CONF_BOOL,
		.default_text = "no",
		.doc = "Whether the node itself is recorded, beside its jobs.",
	},
	{
		.key = "period",
		.type = ES_CONF_DURATION,
		.lo = ES_PERIOD_MIN_NS,
		.hi = ES_NS_PER_S * 60,
		.default_text = "1s",
		.doc = "Planned time between two readings of the meters.",
	},
	{
		.key = "psys",
		.type = ES_CONF_CHOICE,
		.choices = psys_choices,
		.default_text = "auto",
		.doc = "Whether the platform's own meter (psys) stands for the node.",
	},
	{
		.key = "quota",
		.check = check_quota,
		.type = ES_CONF_TEXT,
		.lo = 1,
		.default_text = "1GB",
		.doc = "Size that recordings may have together, like 500MB; the oldest of ended jobs go first.",
	},
	{
		.key = "scan_period",
		.type = ES_CONF_DURATION,
		.lo = 0,
		.hi = 3600 * ES_NS_PER_S,
		.default_text = "5s",
		.doc = "How often cgroups are looked through for jobs that nobody told of; 0: never.",
	},
	{
		.key = "serve",
		.type = ES_CONF_CHOICE,
		.choices = serve_choices,
		.default_text = "jobs",
		.doc = "Who sees the meters: users with a job here, or everybody (a workstation).",
	},
	{
		.key = "shared",
		.check = check_path,
		.type = ES_CONF_TEXT,
		.lo = 1,
		.hi = ES_PATH_MAX_BYTES - 1,
		.doc = "Folder that all nodes of the cluster share, for summaries of jobs on several nodes.",
	},
	{
		.key = "socket",
		.check = check_path,
		.type = ES_CONF_TEXT,
		.lo = 1,
		.hi = sizeof(((struct sockaddr_un *)0)->sun_path) - 1,
		.default_text = ES_LOCAL_SOCKET,
		.doc = "Path of the socket that users and jobs talk to.",
	},
	{
		.key = "spool",
		.check = check_path,
		.type = ES_CONF_TEXT,
		.lo = 1,
		.hi = ES_PATH_MAX_BYTES - 1,
		.default_text = "/var/lib/energyscopium",
		.doc = "Folder of recordings and of what outlives a restart.",
	},
};

const struct es_conf_key *es_daemon_schema(size_t *ret_n_keys)
{
	*ret_n_keys = ES_ARRAY_SIZE(schema);
	return schema;
}

static void copy_text(const struct es_conf *conf, const char *key, char *to, size_t size)
{
	const char *text;

	to[0] = '\0';
	if (es_conf_text(conf, key, &text) == 0 && strlen(text) < size)
		memcpy(to, text, strlen(text) + 1);
}

static int64_t integer_of(const struct es_conf *conf, const char *key)
{
	int64_t value = 0;

	(void)es_conf_integer(conf, key, &value);
	return value;
}

static bool bool_of(const struct es_conf *conf, const char *key)
{
	bool value = false;

	(void)es_conf_bool(conf, key, &value);
	return value;
}

/* What has a form that the schema's types do not know; it was checked. */
static void take_odd_values(const struct es_conf *conf, struct es_daemon_config *config)
{
	const char *text;

	if (es_conf_text(conf, "quota", &text) == 0)
		(void)es_parse_size_bytes(text, &config->quota_bytes);
	if (es_conf_text(conf, "housekeeping_cpu", &text) == 0)
		(void)take_cpu(text, &config->housekeeping_cpu);
}

static int take_meters(struct es_conf *conf, struct es_daemon_config *config)
{
	const char *text;
	struct utsname name;

	if (es_conf_text(conf, "meters", &text) < 0 || !*text)
		return 0;
	find_host(&name);
	config->meters = calloc(ES_METERS_MAX, sizeof(*config->meters));
	if (!config->meters)
		return -ENOMEM;
	for (const char *p = text; *p; p += *p == '\n') {
		char line[ES_METER_URL_MAX_BYTES];
		size_t n = strcspn(p, "\n");

		if (config->n_meters == ES_METERS_MAX)
			return es_conf_problem(conf, "meters", "more than %u meters are named",
					       ES_METERS_MAX);
		(void)snprintf(line, sizeof(line), "%.*s", (int)n, p);
		if (es_meter_url_parse(line, name.nodename, &config->meters[config->n_meters],
				       NULL) == 0)
			config->n_meters++;
		p += n;
	}
	return 0;
}

static int take(struct es_conf *conf, struct es_daemon_config *config)
{
	config->period_ns = integer_of(conf, "period");
	copy_text(conf, "socket", config->socket, sizeof(config->socket));
	copy_text(conf, "group", config->group, sizeof(config->group));
	config->serve = (enum es_serve)integer_of(conf, "serve");
	config->has_fast_readings = bool_of(conf, "fast_readings");
	copy_text(conf, "spool", config->spool, sizeof(config->spool));
	config->keep_ns = integer_of(conf, "keep");
	config->keeps_node = bool_of(conf, "node_recording");
	copy_text(conf, "shared", config->shared, sizeof(config->shared));
	copy_text(conf, "node", config->node_name, sizeof(config->node_name));
	copy_text(conf, "cluster", config->cluster, sizeof(config->cluster));
	config->idle_mw = (uint64_t)integer_of(conf, "idle_power");
	config->scan_period_ns = integer_of(conf, "scan_period");
	config->psys = (enum es_psys_policy)integer_of(conf, "psys");
	config->log_level = (enum es_log_level)integer_of(conf, "log_level");
	take_odd_values(conf, config);
	return take_meters(conf, config);
}

static int finish(struct es_conf *conf, struct es_daemon_config *ret, char **ret_problems,
		  struct es_error *err)
{
	struct es_daemon_config *config = calloc(1, sizeof(*config));
	int r = config ? take(conf, config) : -ENOMEM;

	if (r != -ENOMEM)
		r = es_conf_fail(conf, err);
	else
		(void)es_error_set(err, r, "cannot read the configuration");
	if (r == -EINVAL && ret_problems)
		*ret_problems = strdup(es_conf_problems(conf));
	if (r == 0)
		*ret = *config;
	else if (config)
		es_daemon_config_finish(config);
	free(config);
	return r;
}

int es_daemon_config_load(const char *path, struct es_daemon_config *ret, char **ret_problems,
			  struct es_error *err)
{
	struct es_conf *conf = NULL;
	int r = es_conf_create(schema, ES_ARRAY_SIZE(schema), &conf);

	if (ret_problems)
		*ret_problems = NULL;
	if (r == 0) {
		r = es_conf_load_file(conf, path ? path : ES_DAEMON_CONFIG);
		if (path && (r == -ENOENT || r == -ENOTDIR))
			(void)es_conf_problem(conf, NULL, "configuration '%s' is not there", path);
		r = r == -ENOMEM ? r : 0;
	}
	if (r == 0)
		r = finish(conf, ret, ret_problems, err);
	else
		(void)es_error_set(err, r, "cannot read the configuration");
	es_conf_destroy(conf);
	return r;
}

int es_daemon_config_parse(const char *name, const void *data, size_t n,
			   struct es_daemon_config *ret, char **ret_problems, struct es_error *err)
{
	struct es_conf *conf = NULL;
	int r = es_conf_create(schema, ES_ARRAY_SIZE(schema), &conf);

	if (ret_problems)
		*ret_problems = NULL;
	if (r == 0 && es_conf_load(conf, name, data, n) == -ENOMEM)
		r = -ENOMEM;
	if (r == 0)
		r = finish(conf, ret, ret_problems, err);
	es_conf_destroy(conf);
	return r;
}

void es_daemon_config_finish(struct es_daemon_config *config)
{
	free(config->meters);
	config->meters = NULL;
	config->n_meters = 0;
}
