/*
 * source/url.h - a meter that a user names: redfish://bmc-17?credentials=FILE
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_URL_H
#define ES_SOURCE_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/domain.h"

#define ES_METER_URL_MAX_BYTES 1024U /* with the final NUL */
#define ES_METER_PARAMS_MAX 24U
#define ES_METERS_MAX 16U /* named at a time */
#define ES_SECRET_MAX_BYTES 256U

/**
 * struct es_meter_url - SCHEME://[HOST[:PORT]][/PATH][?KEY=VALUE[&KEY=VALUE]…][#FRAGMENT], percent-decoded
 *
 * "?…" and "#…" may change places; after "SCHEME:" the "//" may be missing where there is no host. "{host}" stands for
 * the node's name. No user or password: they are in a file (credentials=FILE), for command lines are seen by all.
 */
struct es_meter_url {
	char text[ES_METER_URL_MAX_BYTES]; /* as given, the node's name filled in */
	char scheme[24];
	char host[256]; /* "": none; an IPv6 address without its brackets */
	uint16_t port; /* 0: not given */
	char path[512]; /* with its leading "/"; "": none */
	char fragment[256];
	char params[ES_METER_URL_MAX_BYTES]; /* key NUL value NUL, n_params times */
	size_t n_params;
	/* What all kinds of meters share: */
	enum es_domain_type type; /* domain=, default node; with a number: one of its feeds */
	int32_t number; /* of the package, GPU …; -1: none */
	char name[64]; /* of the domain: name=, else as domain= has it */
	bool has_unit;
	bool is_energy; /* unit= is one of energy: values are a counter */
	double unit; /* mW or µJ in one of the unit= given, with scale= */
	int64_t period_ns; /* period=: to be read no more often; 0: as the kind has it */
	int64_t timeout_ns; /* timeout= */
	int64_t window_ns; /* window=: a power is a mean over so long; 0: not known */
	uint64_t range_uj; /* range=: largest value of a counter; 0: not known */
	uint32_t accuracy_ppm; /* accuracy=: half width of a 95 % interval; 0: not known */
};

/**
 * es_meter_url_parse - what @text names
 * @host_name: for {host}
 *
 * Returns 0, or -EINVAL with what is wrong where.
 */
int es_meter_url_parse(const char *text, const char *host_name, struct es_meter_url *ret,
		       struct es_error *err);

/** es_meter_url_param - the value of one of the kind's own parameters; NULL: not given; borrowed */
const char *es_meter_url_param(const struct es_meter_url *url, const char *key);
/** es_meter_url_key - the key of parameter @i < n_params, and its value; borrowed */
const char *es_meter_url_key(const struct es_meter_url *url, size_t i, const char **ret_value);
/** es_meter_url_is_shared - whether @key is one of those that all kinds have */
bool es_meter_url_is_shared(const char *key);
/** es_meter_url_shared - the @i-th of them; NULL: there are no more */
const char *es_meter_url_shared(size_t i);
/** es_meter_url_check - only shared parameters and those of @known (NULL-terminated) may be given; 0 or -EINVAL with the nearest */
int es_meter_url_check(const struct es_meter_url *url, const char *const *known,
		       struct es_error *err);

/** struct es_credentials - who we are there; wipe it with es_credentials_finish() */
struct es_credentials {
	char user[ES_SECRET_MAX_BYTES];
	char password[ES_SECRET_MAX_BYTES];
	char more[ES_SECRET_MAX_BYTES]; /* a second secret: SNMP's key for privacy */
};

/**
 * es_meter_url_credentials - read the file credentials=FILE
 *
 * Lines "user: NAME", "password: SECRET" and "privacy: SECRET", in any order, each optional; the file must be the
 * user's or root's, and nobody else may read it. Returns 0; -ENOENT: none was named; -EACCES, -EPERM (others may read
 * it), -EBADMSG with what is wrong.
 */
int es_meter_url_credentials(const struct es_meter_url *url, struct es_credentials *ret,
			     struct es_error *err);
void es_credentials_finish(struct es_credentials *credentials);

/**
 * es_meter_value - what the meter showed as mW, or as µJ where its unit is one of energy
 * @unit: mW or µJ in one of what the meter shows, where unit= and scale= were not given
 *
 * Returns 0; -EBADMSG: not finite; -ERANGE: negative, or beyond what any meter shows.
 */
int es_meter_value(const struct es_meter_url *url, double value, double unit, uint64_t *ret);

/**
 * es_meter_domain - the domain as the URL describes it, its readings powers unless unit= is one of energy
 * @source: name of the source
 */
void es_meter_domain(const struct es_meter_url *url, const char *source, struct es_domain *ret);

#endif
