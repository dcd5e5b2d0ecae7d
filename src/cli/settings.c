/*
 * settings.c - what a user set for this machine: zone, PUE, period, and where each was said
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/meters.h"
#include "core/grid.h"
#include "wire/local.h"

#define FILE_NAME "energyscopium/energyscopium.yaml"

static const char *const psys_choices[] = {
	[ES_PSYS_AUTO] = "auto",
	[ES_PSYS_IGNORE] = "ignore",
	[ES_PSYS_TRUST] = "trust",
	NULL,
};

static const struct es_conf_key schema[] = {
	{
		.key = "activity",
		.type = ES_CONF_BOOL,
		.default_text = "yes",
		.doc = "Whether events of processor and memory are counted beside energy.",
	},
	{
		.key = "carbon_file",
		.type = ES_CONF_TEXT,
		.lo = 1,
		.hi = ES_PATH_MAX_BYTES - 1,
		.doc = "File with carbon intensities over time, in place of one factor.",
	},
	{
		.key = "carbon_kind",
		.type = ES_CONF_CHOICE,
		.choices = es_footprint_kinds,
		.doc = "Which figures of carbon_file are meant, where it has both.",
	},
	{
		.key = "carbon_scope",
		.type = ES_CONF_CHOICE,
		.choices = es_footprint_scopes,
		.doc = "Which figures of carbon_file are meant, where it has both.",
	},
	{
		.key = "daemon",
		.type = ES_CONF_TEXT,
		.lo = 1,
		.hi = 107, /* a socket's path: unix(7) */
		.default_words = ES_LOCAL_SOCKET ", where it is",
		.doc = "Socket of this node's daemon, or none.",
	},
	{
		.key = "embodied_kg",
		.type = ES_CONF_NUMBER,
		.lo = 0,
		.hi = 1000000,
		.doc = "What making one node caused, kilograms of CO2 equivalent.",
	},
	{
		.key = "lifetime_years",
		.type = ES_CONF_NUMBER,
		.lo = 1,
		.hi = 50,
		.default_text = "4",
		.doc = "How long a node is used.",
	},
	{
		.key = "market_g_per_kwh",
		.type = ES_CONF_NUMBER,
		.lo = 0,
		.hi = 10000,
		.doc = "Carbon intensity by contract (market-based GHG Scope 2), shown beside.",
	},
	{
		.key = "meters",
		.type = ES_CONF_LIST,
		.lo = 1,
		.hi = ES_METER_URL_MAX_BYTES - 1,
		.doc = "Meters that cannot be found by themselves, each by its URL; see energyscopium-meters(7).",
	},
	{
		.key = "out",
		.type = ES_CONF_TEXT,
		.lo = 1,
		.hi = ES_PATH_MAX_BYTES - 1,
		.default_text = "energyscopium-out",
		.doc = "Directory for recordings and eprofiles.",
	},
	{
		.key = "period",
		.type = ES_CONF_DURATION,
		.lo = ES_PERIOD_MIN_NS,
		.hi = ES_PERIOD_MAX_NS,
		.default_text = "100ms",
		.doc = "Planned time between two readings of the meters.",
	},
	{
		.key = "price",
		.type = ES_CONF_TEXT,
		.lo = 1,
		.doc = "Price of a kWh with its currency, like 0.25:EUR, or 0.25:EUR:TARIFF.",
	},
	{
		.key = "psys",
		.type = ES_CONF_CHOICE,
		.choices = psys_choices,
		.default_text = "auto",
		.doc = "Whether the platform's own meter (psys) stands for the node.",
	},
	{
		.key = "pue",
		.type = ES_CONF_NUMBER,
		.lo = 1,
		.hi = 10,
		.default_words =
			"1 on battery machines, in virtual machines and containers, 1.3 elsewhere",
		.doc = "Energy of the facility for each joule of its machines.",
	},
	{
		.key = "zone",
		.type = ES_CONF_TEXT,
		.lo = 1,
		.default_words = "the country of the time zone",
		.doc = "Country whose electricity is used: code or name, EU or WORLD.",
	},
};

const struct es_conf_key *es_settings_schema(size_t *ret_n_keys)
{
	*ret_n_keys = ES_ARRAY_SIZE(schema);
	return schema;
}

/* Words for a zone that the table does not have. */
static int refuse_zone(const char *text, struct es_error *err)
{
	const struct es_grid_factor *near = es_grid_nearest(text);

	if (!near)
		return es_error_say(err, -EINVAL, "zone '%.64s' is not known", text);
	return es_error_say(err, -EINVAL, "zone '%.64s' is not known; did you mean '%s' (%s)?",
			    text, near->zone, near->name);
}

static int put_zone(struct es_settings *settings, const char *text, struct es_error *err)
{
	const struct es_grid_factor *factor = es_grid_find(text);

	if (!factor)
		return refuse_zone(text, err);
	(void)snprintf(settings->zone, sizeof(settings->zone), "%s", factor->zone);
	return 0;
}

/* Where a setting and its origin go; NULL: there is no such key. */
static char *origin_of(struct es_settings *settings, const char *key)
{
	const struct {
		const char *key;
		char *origin;
	} places[] = {
		{ "activity", settings->activity_origin }, { "daemon", settings->daemon_origin },
		{ "meters", settings->meters_origin },	   { "out", settings->out_origin },
		{ "period", settings->period_origin },	   { "psys", settings->psys_origin },
		{ "pue", settings->pue_origin },	   { "zone", settings->zone_origin },
	};

	for (size_t i = 0; i < ES_ARRAY_SIZE(places); i++)
		if (strcmp(places[i].key, key) == 0)
			return places[i].origin;
	return es_footprint_origin(&settings->footprint, key);
}

static int put_meters(struct es_settings *settings, const char *text, struct es_error *err)
{
	int r = es_meters_check(text, err);

	if (r < 0)
		return r;
	if (strlen(text) >= sizeof(settings->meters))
		return es_error_say(err, -EINVAL, "'meters' has more than %u bytes in all",
				    ES_METERS_TEXT_MAX_BYTES - 1);
	(void)snprintf(settings->meters, sizeof(settings->meters), "%s", text);
	return 0;
}

static int put_value(struct es_settings *settings, const struct es_conf_key *key, const char *text,
		     const char *origin, struct es_error *err)
{
	struct es_conf_value value;
	int r = es_conf_check(key, text, &value, err);

	if (r < 0)
		return r;
	if (strcmp(key->key, "zone") == 0) {
		r = put_zone(settings, text, err);
		if (r < 0)
			return r;
	} else if (strcmp(key->key, "pue") == 0) {
		settings->pue = value.number;
		settings->has_pue = true;
	} else if (strcmp(key->key, "period") == 0) {
		settings->period_ns = value.integer;
	} else if (strcmp(key->key, "out") == 0) {
		(void)snprintf(settings->out, sizeof(settings->out), "%s", text);
	} else if (strcmp(key->key, "meters") == 0) {
		r = put_meters(settings, text, err);
		if (r < 0)
			return r;
	} else if (strcmp(key->key, "daemon") == 0) {
		(void)snprintf(settings->daemon, sizeof(settings->daemon), "%s", text);
	} else if (strcmp(key->key, "activity") == 0) {
		settings->has_no_activity = !value.is_true;
	} else if (strcmp(key->key, "psys") == 0) {
		settings->psys = (enum es_psys_policy)value.integer;
	} else {
		r = es_footprint_put(&settings->footprint, key->key, text, &value, err);
		if (r < 0)
			return r;
	}
	(void)snprintf(origin_of(settings, key->key), ES_ORIGIN_MAX_BYTES, "%s", origin);
	return 0;
}

int es_settings_option(struct es_settings *settings, const char *key, const char *text,
		       struct es_error *err)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(schema); i++) {
		char origin[64];

		if (strcmp(schema[i].key, key) != 0)
			continue;
		(void)snprintf(origin, sizeof(origin), "option --%s", key);
		return put_value(settings, &schema[i], text, origin, err);
	}
	return es_error_say(err, -EINVAL, "there is no setting '%s'", key);
}

static int no_memory(struct es_error *err)
{
	return es_error_set(err, -ENOMEM, "cannot read the configuration");
}

static int load_files(const struct es_settings_places *places, struct es_conf *conf)
{
	const char *const paths[] = { places->system, places->user };

	if (places->config) {
		int r = es_conf_load_file(conf, places->config);

		if (r == -ENOENT || r == -ENOTDIR)
			(void)es_conf_problem(conf, NULL,
					      "environment ENERGYSCOPIUM_CONFIG: '%s' is not there",
					      places->config);
		return r == -ENOMEM ? r : 0;
	}
	for (size_t i = 0; i < ES_ARRAY_SIZE(paths); i++)
		if (paths[i] && es_conf_load_file(conf, paths[i]) == -ENOMEM)
			return -ENOMEM;
	return 0;
}

static int load_environment(const struct es_settings_places *places, struct es_conf *conf)
{
	const struct {
		const char *key, *text, *origin;
	} variables[] = {
		{ "zone", places->zone, "environment ENERGYSCOPIUM_ZONE" },
		{ "pue", places->pue, "environment ENERGYSCOPIUM_PUE" },
		{ "daemon", places->daemon, "environment ENERGYSCOPIUM_DAEMON" },
	};

	for (size_t i = 0; i < ES_ARRAY_SIZE(variables); i++)
		if (variables[i].text && es_conf_set(conf, variables[i].key, variables[i].text,
						     variables[i].origin) == -ENOMEM)
			return -ENOMEM;
	return 0;
}

/* What conf holds was checked by type; the zone is left to check. */
/* Every mistake of a list of meters, not the first one alone. */
static bool are_meters_right(struct es_conf *conf, const char *text)
{
	bool are_right = true;

	for (const char *p = text; *p; p += *p == '\n') {
		size_t n = strcspn(p, "\n");
		struct es_error why = { .code = 0 };
		es_cleanup(es_freep) char *line = strndup(p, n);

		if (line && es_meters_check(line, &why) < 0) {
			(void)es_conf_problem(conf, "meters", "%s", why.text);
			are_right = false;
		}
		p += n;
	}
	return are_right;
}

static void take_values(struct es_conf *conf, struct es_settings *settings)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(schema); i++) {
		struct es_error why = { .code = 0 };
		const char *text;

		(void)snprintf(origin_of(settings, schema[i].key), ES_ORIGIN_MAX_BYTES, "default");
		if (es_conf_text(conf, schema[i].key, &text) < 0 ||
		    (strcmp(schema[i].key, "meters") == 0 && !are_meters_right(conf, text)))
			continue;
		if (put_value(settings, &schema[i], text, es_conf_origin(conf, schema[i].key),
			      &why) < 0)
			(void)es_conf_problem(conf, schema[i].key, "%s", why.text);
	}
}

int es_settings_load_from(const struct es_settings_places *places, struct es_settings *ret,
			  struct es_error *err)
{
	struct es_settings *settings = calloc(1, sizeof(*settings));
	struct es_conf *conf = NULL;
	int r = -ENOMEM;

	if (settings)
		r = es_conf_create(schema, ES_ARRAY_SIZE(schema), &conf);
	if (r == 0)
		r = load_files(places, conf);
	if (r == 0)
		r = load_environment(places, conf);
	if (r < 0) {
		(void)no_memory(err);
	} else {
		take_values(conf, settings);
		r = es_conf_fail(conf, err);
	}
	if (r == 0)
		*ret = *settings;
	es_conf_destroy(conf);
	free(settings);
	return r;
}

/* A variable that is set and not empty. */
static const char *variable(const char *name)
{
	const char *text = getenv(name);

	return text && *text ? text : NULL;
}

int es_settings_load(struct es_settings *ret, struct es_error *err)
{
	const char *base = variable("XDG_CONFIG_HOME"), *home = variable("HOME");
	struct es_settings_places places = {
		.config = variable("ENERGYSCOPIUM_CONFIG"),
		.system = "/etc/" FILE_NAME,
		.zone = variable("ENERGYSCOPIUM_ZONE"),
		.pue = variable("ENERGYSCOPIUM_PUE"),
		.daemon = variable("ENERGYSCOPIUM_DAEMON"),
	};
	es_cleanup(es_freep) char *user = NULL;
	int r = 0;

	/* Source: XDG Base Directory Specification 0.8: a relative path is to be ignored. */
	if (base && base[0] == '/')
		r = asprintf(&user, "%s/" FILE_NAME, base);
	else if (home && home[0] == '/')
		r = asprintf(&user, "%s/.config/" FILE_NAME, home);
	if (r < 0) {
		user = NULL;
		return no_memory(err);
	}
	places.user = user;
	return es_settings_load_from(&places, ret, err);
}
