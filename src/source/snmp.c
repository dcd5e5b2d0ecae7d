/*
 * source/snmp.c - outlets of power distribution units, and whatever else shows power or energy by SNMP
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "net/snmp.h"
#include "source/remote.h"
#include "source/snmp_models.h"

#define DIGITS_MAX 9
#define PERIOD_MIN_NS (100 * ES_NS_PER_MS)
#define MW_PER_W 1e3

struct snmp_meter {
	struct es_meter_url url; /* with the unit of the model */
	struct es_credentials credentials;
	int version;
	struct es_snmp_outlets
		outlets; /* @values are what is asked for, also where no model is named */
	bool has_model;
	double scale[ES_SNMP_VALUES_MAX]; /* of each value, by its digits */
	struct es_snmp *session;
};

static const char *const params[] = {
	"version", "community", "level",  "auth",  "priv",
	"context", "model",	"outlet", "shows", NULL,
};

static const char *param(const struct es_meter_url *url, const char *key, const char *otherwise)
{
	const char *value = es_meter_url_param(url, key);

	return value ? value : otherwise;
}

static void fill_options(const struct snmp_meter *meter, struct es_snmp_options *ret)
{
	const struct es_meter_url *url = &meter->url;
	const char *secret = meter->credentials.password;

	*ret = (struct es_snmp_options){
		.host = url->host,
		.port = url->port,
		.version = meter->version,
		/* A community is a password, though one that is sent as it is: so it may come from the file, too. */
		.community = param(url, "community", secret[0] ? secret : "public"),
		.user = meter->credentials.user,
		.level = param(url, "level", "authPriv"),
		.auth = param(url, "auth", "SHA"),
		.auth_secret = secret,
		.priv = param(url, "priv", "AES"),
		.priv_secret = meter->credentials.more,
		.context = param(url, "context", ""),
		.timeout_ns = url->timeout_ns,
	};
}

/* What cannot be so: told before anything is sent. */
static int refuse(const struct es_meter_url *url, struct es_error *err, const char *why)
{
	return es_error_say(err, -EINVAL, "meter '%.200s': %s", url->text, why);
}

static int take_version(struct snmp_meter *meter, struct es_error *err)
{
	static const char *const names[] = { "1", "2c", "3" };
	const char *version = param(&meter->url, "version", "2c");

	for (size_t i = 0; i < ES_ARRAY_SIZE(names); i++)
		if (strcmp(version, names[i]) == 0) {
			meter->version = (int)i + 1;
			return 0;
		}
	return refuse(&meter->url, err, "version= is none of 1, 2c, 3");
}

/* The outlets of a known unit. */
static int take_model(struct snmp_meter *meter, const char *name, struct es_error *err)
{
	struct es_meter_url *url = &meter->url;
	const char *outlet = es_meter_url_param(url, "outlet");
	const char *shows = param(url, "shows", "power");
	const struct es_snmp_model *model;
	struct es_error why = { .code = 0 };
	bool is_energy = strcmp(shows, "energy") == 0;

	if (url->has_unit)
		return refuse(url, err, "model= knows the unit: leave out unit= and scale=");
	if (!is_energy && strcmp(shows, "power") != 0)
		return refuse(url, err, "shows= is none of power, energy");
	if (!outlet || (url->path[0] && url->path[1]))
		return refuse(url, err, "model= needs outlet=NUMBER, and no object's number");
	model = es_snmp_model_find(name, &why);
	if (!model || es_snmp_model_outlets(model, outlet, is_energy, &meter->outlets, &why) < 0)
		return refuse(url, err, why.text);
	meter->has_model = true;
	url->is_energy = is_energy;
	url->has_unit = true;
	url->unit = meter->outlets.unit;
	return 0;
}

static int take_objects(struct snmp_meter *meter, struct es_error *err)
{
	const struct es_meter_url *url = &meter->url;
	int r = url->path[0] ? es_snmp_oids_parse(url->path + 1, meter->outlets.values,
						  ES_SNMP_VALUES_MAX)
			     : -EBADMSG;

	if (es_meter_url_param(url, "outlet") || es_meter_url_param(url, "shows"))
		return refuse(url, err, "outlet= and shows= need model=");
	if (r == -E2BIG)
		return refuse(url, err, "more than 48 objects, or 64 numbers in one");
	if (r < 0)
		return refuse(url, err,
			      "its objects are numbers with dots between them, as in "
			      "1.3.6.1.4.1.318.1.1.26.9.4.3.1.7.1, several with '+' between them");
	meter->outlets.n = (size_t)r;
	return 0;
}

static int take_url(struct snmp_meter *meter, struct es_error *err)
{
	const char *model = es_meter_url_param(&meter->url, "model");
	struct es_error why = { .code = 0 };
	struct es_snmp_options options;
	int r = es_meter_url_check(&meter->url, params, err);

	if (r == 0 && !meter->url.host[0])
		r = refuse(&meter->url, err, "no host");
	if (r == 0)
		r = take_version(meter, err);
	if (r == 0)
		r = model ? take_model(meter, model, err) : take_objects(meter, err);
	if (r == 0) {
		r = es_meter_url_credentials(&meter->url, &meter->credentials, err);
		r = r == -ENOENT && !es_meter_url_param(&meter->url, "credentials") ? 0 : r;
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < meter->outlets.n; i++)
		meter->scale[i] = 1;
	fill_options(meter, &options);
	r = es_snmp_options_check(&options, &why);
	return r < 0 ? refuse(&meter->url, err, why.text) : 0;
}

static int say_value(const struct es_snmp_oid *oid, const struct es_snmp_value *value, int error,
		     struct es_error *err)
{
	char text[160];

	(void)es_snmp_oid_text(oid, text, sizeof(text));
	if (error == -ENOENT)
		return es_error_say(err, error, "it has no object %s (%s)", text, value->type_name);
	if (error == -ENODATA)
		return es_error_say(err, error, "%s: it says that it has no value", text);
	return es_error_say(err, error, "object %s is no number: %s", text, value->type_name);
}

/* How many digits of each value stand behind the point: they do not change while the unit runs. */
static int read_digits(struct snmp_meter *meter, struct es_error *err)
{
	struct es_snmp_outlets *outlets = &meter->outlets;
	struct es_snmp_value values[ES_SNMP_VALUES_MAX];
	int r = es_snmp_get(meter->session, outlets->digits, outlets->n, values, err);

	for (size_t i = 0; i < outlets->n && r == 0; i++) {
		double digits;

		r = es_snmp_number(&values[i], &digits);
		if (r == 0 && (digits < 0 || digits > DIGITS_MAX || digits != floor(digits)))
			r = -EBADMSG;
		if (r < 0)
			return say_value(&outlets->digits[i], &values[i], r, err);
		meter->scale[i] = pow(10, -digits);
	}
	return r;
}

/*
 * The sum of all values, from one answer. Without one of them there is no sum. A counter that wraps is known by its
 * remainder; so is the sum of some that wrap alike.
 */
static int add_up(const struct snmp_meter *meter, const struct es_snmp_value *values, uint64_t *ret,
		  struct es_error *err)
{
	const struct es_meter_url *url = &meter->url;
	uint64_t sum = 0;

	for (size_t i = 0; i < meter->outlets.n; i++) {
		uint64_t one = 0;
		double number;
		int r = es_snmp_number(&values[i], &number);

		if (r == 0 && meter->has_model && number < 0)
			r = -ENODATA;
		if (r < 0)
			return say_value(&meter->outlets.values[i], &values[i], r, err);
		r = es_meter_value(url, number * meter->scale[i], MW_PER_W, &one);
		if (r < 0 || __builtin_add_overflow(sum, one, &sum))
			return es_error_say(err, -ERANGE,
					    "what it shows, %g, is below zero or beyond any meter",
					    number);
	}
	if (url->range_uj && meter->outlets.n > 1)
		sum %= url->range_uj + (uint64_t)url->unit;
	*ret = sum;
	return 0;
}

static int take(struct snmp_meter *meter, uint64_t *ret, struct es_error *err)
{
	struct es_snmp_value values[ES_SNMP_VALUES_MAX];
	int r = es_snmp_get(meter->session, meter->outlets.values, meter->outlets.n, values, err);

	/* Above all the answer; what it holds is another matter. */
	return r < 0 ? r : add_up(meter, values, ret, err);
}

static void say_fix(const struct snmp_meter *meter, struct es_remote *remote, int error)
{
	char oid[128], fix[ES_NAME_MAX_BYTES];

	if (error == -ENOENT && !meter->session) {
		es_remote_say_fix(remote, "sudo apt-get install libsnmp40");
	} else if (error == -EACCES && meter->version == 3) {
		es_remote_say_fix(
			remote, "set user, password and privacy in the file of "
				"credentials=, and level=, auth= and priv= as the agent has them");
	} else if (error == -EACCES) {
		es_remote_say_fix(
			remote,
			"community=NAME as the agent has it, and this host in its list of managers");
	} else if (error == -ENOENT) {
		(void)es_snmp_oid_text(&meter->outlets.values[0], oid, sizeof(oid));
		(void)snprintf(fix, sizeof(fix), "look which objects it has: snmpwalk %.64s %s",
			       meter->url.host, oid);
		es_remote_say_fix(remote, fix);
	}
}

static int snmp_connect(void *arg, struct es_remote *remote, struct es_error *err)
{
	struct snmp_meter *meter = arg;
	struct es_snmp_options options;
	uint64_t value;
	int r;

	fill_options(meter, &options);
	r = es_snmp_open(&options, &meter->session, err);
	if (r == 0 && meter->outlets.has_digits)
		r = read_digits(meter, err);
	/* An object that is not there, or no number, is told now, with its reason. */
	if (r == 0)
		r = take(meter, &value, err);
	if (r < 0)
		say_fix(meter, remote, r);
	return r;
}

static int snmp_read(void *arg, struct es_remote *remote, struct es_reading *ret, size_t n)
{
	struct snmp_meter *meter = arg;
	struct es_snmp_value values[ES_SNMP_VALUES_MAX];
	int r = es_snmp_get(meter->session, meter->outlets.values, meter->outlets.n, values, NULL);

	(void)remote;
	/* It said that something is wrong: that is an answer, and the session is as good as before. */
	if (r == -EACCES || r == -EPROTO || r == -ENOENT || r == -EMSGSIZE)
		ret[0].error = r;
	else if (r < 0)
		return r;
	else
		ret[0].error = add_up(meter, values, &ret[0].value, NULL);
	for (size_t i = 1; i < n; i++)
		ret[i].error = -ENODATA;
	return 0;
}

static void snmp_disconnect(void *arg)
{
	struct snmp_meter *meter = arg;

	es_snmp_close(meter->session);
	meter->session = NULL;
}

static void snmp_destroy(void *arg)
{
	struct snmp_meter *meter = arg;

	es_credentials_finish(&meter->credentials);
	free(meter);
}

static const struct es_remote_ops remote_ops = {
	.thread = "es-snmp",
	.period_ns = ES_NS_PER_S,
	.period_min_ns = PERIOD_MIN_NS,
	.connect = snmp_connect,
	.read = snmp_read,
	.disconnect = snmp_disconnect,
	.destroy = snmp_destroy,
};

static int snmp_open_at(const struct es_root *root, const struct es_meter_url *url,
			struct es_source **ret, struct es_error *err)
{
	struct snmp_meter *meter = calloc(1, sizeof(*meter));
	struct es_meter_url known;
	int r;

	if (!meter)
		return es_error_set(err, -ENOMEM, "snmp");
	meter->url = *url;
	r = take_url(meter, err);
	if (r < 0) {
		snmp_destroy(meter);
		return r;
	}
	known = meter->url;
	return es_remote_open(root, &known, &es_source_snmp, &remote_ops, meter, ret, err);
}

const struct es_source_ops es_source_snmp = {
	.name = "snmp",
	.schemes = "snmp",
	.open_at = snmp_open_at,
	.settle = es_remote_settle,
	.end = es_remote_end,
	.plan = es_remote_plan,
	.ask = es_remote_ask,
	.wait = es_remote_wait,
	.read = es_remote_read,
	.close = es_remote_close,
};
