/*
 * source/prometheus.c - a query to a Prometheus, or to what speaks like one
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * The time in an answer is that of the evaluation, and a value may be minutes old by then. timestamp(QUERY) tells when
 * it was scraped; asked for first, it also saves asking for a value that is known.
 */
#include "source/prometheus.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "source/fresh.h"
#include "source/json.h"
#include "source/remote.h"
#include "source/source.h"
#include "source/textmeter.h"
#include "source/web.h"

#define PERIOD_NS (5 * ES_NS_PER_S)
#define STALE_NS (120 * ES_NS_PER_S) /* two scrapes, where they are a minute apart */
#define SERIES_NAMED 3U
#define W_MW 1e3

struct prometheus {
	struct es_web web;
	struct es_fresh fresh;
	bool has_times; /* timestamp() of the query can be had */
	char value_path[ES_WEB_URL_BYTES - 512], time_path[ES_WEB_URL_BYTES - 512];
};

static int take_pair(json_t *pair, struct es_prometheus_sample *ret, struct es_error *err)
{
	const char *text = json_string_value(json_array_get(pair, 1));
	const json_t *time = json_array_get(pair, 0);
	double t;

	if (!text || !json_is_number(time) || json_array_size(pair) != 2)
		return es_error_say(err, -EBADMSG, "its answer has no value and time");
	t = json_number_value(time) * 1e9;
	if (!(t >= 0) || t >= (double)ES_TIME_MAX_NS)
		return es_error_say(err, -EBADMSG, "its answer has a time that cannot be");
	ret->t_unix_ns = (int64_t)t;
	if (strcmp(text, "NaN") == 0)
		return es_error_say(err, -ENODATA, "the value is NaN");
	if (es_parse_double(text, &ret->value) < 0)
		return es_error_say(err, -EBADMSG, "the value '%.40s' is no number", text);
	return 0;
}

static bool all_have(json_t *result, const char *key, const char *value)
{
	for (size_t i = 0; i < json_array_size(result); i++) {
		json_t *metric = json_object_get(json_array_get(result, i), "metric");
		const char *other = json_string_value(json_object_get(metric, key));

		if (!other || strcmp(other, value) != 0)
			return false;
	}
	return true;
}

/* The labels by which a series differs from the others. */
static void name_one(json_t *result, size_t i, char *names, size_t size)
{
	json_t *metric = json_object_get(json_array_get(result, i), "metric"), *value;
	size_t n = strlen(names);
	const char *key, *mark = "{";

	(void)snprintf(names + n, size - n, "%s", n ? " and " : "");
	json_object_foreach(metric, key, value)
	{
		const char *text = json_string_value(value);

		if (!text || all_have(result, key, text))
			continue;
		n = strlen(names);
		(void)snprintf(names + n, size - n, "%s%.32s=\"%.48s\"", mark, key, text);
		mark = ",";
	}
	n = strlen(names);
	(void)snprintf(names + n, size - n, "%s", *mark == '{' ? "{}" : "}");
}

/* Which series came, so that the query can be narrowed. */
static int refuse_many(json_t *result, struct es_error *err)
{
	char names[512] = "";

	for (size_t i = 0; i < json_array_size(result) && i < SERIES_NAMED; i++)
		name_one(result, i, names, sizeof(names));
	return es_error_say(err, -EBADMSG, "%zu series answer, narrow the query to one of %s%s",
			    json_array_size(result), names,
			    json_array_size(result) > SERIES_NAMED ? ", …" : "");
}

int es_prometheus_parse(const char *text, size_t n, struct es_prometheus_sample *ret,
			struct es_error *err)
{
	es_cleanup(es_json_decrefp) json_t *json = NULL;
	struct es_prometheus_sample sample = { .value = 0 };
	const char *status, *type;
	json_t *data, *result;
	int r = es_json_load(text, n, &json, err);

	if (r < 0)
		return r;
	status = es_json_text(json_object_get(json, "status"));
	if (status && strcmp(status, "error") == 0) {
		const char *why = es_json_text(json_object_get(json, "error"));

		return es_error_say(err, -EINVAL, "it refuses the query: %.300s", why ? why : "?");
	}
	data = json_object_get(json, "data");
	type = es_json_text(json_object_get(data, "resultType"));
	result = json_object_get(data, "result");
	if (!status || strcmp(status, "success") != 0 || !type || !json_is_array(result))
		return es_error_say(err, -EBADMSG, "its answer is none of /api/v1/query");
	if (strcmp(type, "scalar") == 0)
		r = take_pair(result, &sample, err);
	else if (strcmp(type, "vector") != 0)
		r = es_error_say(err, -EBADMSG, "the query gives a %.20s, not one value", type);
	else if (json_array_size(result) == 0)
		r = es_error_say(err, -ENODATA, "no series answers the query");
	else if (json_array_size(result) > 1)
		r = refuse_many(result, err);
	else
		r = take_pair(json_object_get(json_array_get(result, 0), "value"), &sample, err);
	if (r == 0)
		*ret = sample;
	return r;
}

/* Ask; the words of a refusal are in the body of a 400 or 422. */
static int ask(struct prometheus *prometheus, const char *path, struct es_remote *remote,
	       struct es_prometheus_sample *ret, struct es_error *err)
{
	const struct es_http_request request = { .url = path };
	int status = es_web_ask(&prometheus->web, request, NULL, 0, remote, err);
	const char *body;
	size_t n;

	if (status < 0)
		return status;
	if (status != 200 && status != 400 && status != 422)
		return es_web_refused(&prometheus->web, status, remote, err);
	body = es_fetch_body(prometheus->web.fetch, &n);
	return es_prometheus_parse(body, n, ret, err);
}

/* Whether the server cannot be asked, not that it told of no value. */
static bool is_lost(int error)
{
	static const int told[] = { 0,	    -ENODATA,	-EINVAL, -EBADMSG,
				    -EBUSY, -ECANCELED, -ESTALE, -ERANGE };

	for (size_t i = 0; i < ES_ARRAY_SIZE(told); i++)
		if (error == told[i])
			return false;
	return true;
}

/* The value as it was at the evaluation that told its time. */
static int read_value(struct prometheus *prometheus, struct es_remote *remote,
		      struct es_reading *ret, struct es_error *err)
{
	const struct es_fresh before = prometheus->fresh;
	struct es_prometheus_sample time, value;
	char path[ES_WEB_URL_BYTES - 400];
	double t_ns;
	int r = 0;

	(void)snprintf(path, sizeof(path), "%s", prometheus->value_path);
	if (prometheus->has_times) {
		r = ask(prometheus, prometheus->time_path, remote, &time, err);
		if (r < 0)
			return r;
		t_ns = time.value * 1e9;
		if (!(t_ns >= 0) || t_ns >= (double)ES_TIME_MAX_NS)
			return es_error_say(err, -EBADMSG, "its answer has a time that cannot be");
		r = es_text_meter_stale(es_fresh_age(&prometheus->fresh, (int64_t)t_ns,
						     time.t_unix_ns - (int64_t)t_ns, es_now(),
						     &ret->t_ns),
					prometheus->fresh.stale_ns, err);
		if (r < 0)
			return r;
		(void)snprintf(path, sizeof(path), "%s&time=%lld.%03lld", prometheus->value_path,
			       (long long)(time.t_unix_ns / ES_NS_PER_S),
			       (long long)(time.t_unix_ns % ES_NS_PER_S / ES_NS_PER_MS));
	}
	r = ask(prometheus, path, remote, &value, err);
	/* The value of that time is still wanted. */
	if (r < 0) {
		prometheus->fresh = before;
		return r;
	}
	r = es_meter_value(es_remote_url(remote), value.value, W_MW, &ret->value);
	return r < 0 ? es_error_say(err, r, "%g is not what a meter shows", value.value) : 0;
}

static int prometheus_connect(void *arg, struct es_remote *remote, struct es_error *err)
{
	struct prometheus *prometheus = arg;
	struct es_prometheus_sample sample;
	struct es_reading reading = { .t_ns = 0 };
	struct es_domain domain;
	const struct es_fresh before = prometheus->fresh;
	int r = es_web_connect(&prometheus->web, es_remote_url(remote), err);

	if (r == 0)
		r = ask(prometheus, prometheus->value_path, remote, &sample, err);
	if (r < 0)
		return r;
	r = ask(prometheus, prometheus->time_path, remote, &sample, err);
	if (is_lost(r) || r == -EBUSY)
		return r;
	/* A scalar has no time, and that is refused. */
	prometheus->has_times = r == 0;
	prometheus->fresh.has_last = false;
	r = read_value(prometheus, remote, &reading, err);
	/* It is wanted by read, where it is newer than what that had before. */
	prometheus->fresh = before;
	if (r < 0)
		return r;
	es_meter_domain(es_remote_url(remote), es_source_prometheus.name, &domain);
	domain.hold_ns = es_text_meter_hold(
		prometheus->web.stale_ns,
		es_remote_url(remote)->period_ns ? es_remote_url(remote)->period_ns : PERIOD_NS,
		prometheus->has_times);
	(void)snprintf(domain.reason, sizeof(domain.reason), "%s", es_web_warn(&prometheus->web));
	return es_remote_add(remote, &domain);
}

static int prometheus_read(void *arg, struct es_remote *remote, struct es_reading *ret, size_t n)
{
	struct prometheus *prometheus = arg;
	int r;

	es_web_hurry(&prometheus->web);
	r = n > 0 ? read_value(prometheus, remote, ret, NULL) : 0;
	if (is_lost(r))
		return r;
	ret->error = r;
	return 0;
}

static void prometheus_disconnect(void *arg)
{
	struct prometheus *prometheus = arg;

	es_web_disconnect(&prometheus->web);
}

static void prometheus_destroy(void *arg)
{
	struct prometheus *prometheus = arg;

	es_web_finish(&prometheus->web);
	free(prometheus);
}

static const struct es_remote_ops remote_ops = {
	.thread = "es-prometheus",
	.period_ns = PERIOD_NS,
	.denied_ns = ES_REMOTE_DENIED_NS,
	.connect = prometheus_connect,
	.read = prometheus_read,
	.disconnect = prometheus_disconnect,
	.destroy = prometheus_destroy,
};

static int make_paths(struct prometheus *prometheus, const struct es_meter_url *url,
		      const char *query, struct es_error *err)
{
	size_t size = sizeof(prometheus->value_path), n = strlen(url->path);
	char timed[ES_METER_URL_MAX_BYTES + 16];

	if (strpbrk(url->path, "?#%&\" "))
		return es_error_say(err, -EINVAL, "meter '%.200s': its path is not plain",
				    url->text);
	while (n > 0 && url->path[n - 1] == '/')
		n--;
	(void)snprintf(timed, sizeof(timed), "timestamp(%s)", query);
	(void)snprintf(prometheus->value_path, size, "%.*s/api/v1/query?query=", (int)n, url->path);
	(void)snprintf(prometheus->time_path, size, "%.*s/api/v1/query?query=", (int)n, url->path);
	if (es_web_encode(query, prometheus->value_path, size) < 0 ||
	    es_web_encode(timed, prometheus->time_path, size) < 0)
		return es_error_say(err, -EINVAL, "meter '%.200s': query= is too long", url->text);
	return 0;
}

static int prometheus_open_at(const struct es_root *root, const struct es_meter_url *url,
			      struct es_source **ret, struct es_error *err)
{
	static const char *const own[] = { ES_WEB_PARAMS, "query", "scheme", NULL };
	const char *query = es_meter_url_param(url, "query");
	const char *scheme = es_meter_url_param(url, "scheme");
	bool is_https = scheme && strcmp(scheme, "https") == 0;
	struct prometheus *prometheus;
	int r = es_meter_url_check(url, own, err);

	if (r == 0 && (!query || !*query))
		r = es_error_say(err, -EINVAL, "meter '%.200s': it has no query=", url->text);
	if (r == 0 && scheme && !is_https && strcmp(scheme, "http") != 0)
		r = es_error_say(err, -EINVAL, "meter '%.200s': scheme= is http or https",
				 url->text);
	if (r < 0)
		return r;
	prometheus = calloc(1, sizeof(*prometheus));
	if (!prometheus)
		return es_error_set(err, -ENOMEM, "prometheus");
	r = es_web_init(&prometheus->web, url, is_https, 9090, STALE_NS, err);
	prometheus->fresh.stale_ns = prometheus->web.stale_ns;
	if (r == 0)
		r = make_paths(prometheus, url, query, err);
	if (r < 0) {
		prometheus_destroy(prometheus);
		return r;
	}
	return es_remote_open(root, url, &es_source_prometheus, &remote_ops, prometheus, ret, err);
}

const struct es_source_ops es_source_prometheus = {
	.name = "prometheus",
	.schemes = "prometheus",
	.open_at = prometheus_open_at,
	.settle = es_remote_settle,
	.end = es_remote_end,
	.plan = es_remote_plan,
	.ask = es_remote_ask,
	.wait = es_remote_wait,
	.read = es_remote_read,
	.close = es_remote_close,
};
