/*
 * source/http.c - a number that a web server shows: JSON, a table, a line, or nothing else
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "source/remote.h"
#include "source/source.h"
#include "source/textmeter.h"
#include "source/web.h"

#define PERIOD_NS ES_NS_PER_S
#define STALE_NS (600 * ES_NS_PER_S) /* without a time of its own a steady load may look so */
#define FOR_SERVER "server."

struct http {
	struct es_web web;
	struct es_text_meter meter;
	char path[2048]; /* and query, encoded */
};

static const char *const own[] = { ES_WEB_PARAMS, ES_TEXT_PARAMS, NULL };

/* What is not ours is the server's. What is nearly ours is more likely a slip: it is refused, unless "server." is before it. */
static const char *find_slip(const char *key)
{
	const char *shared;

	for (size_t i = 0; own[i]; i++)
		if (es_text_distance(own[i], key) == 1)
			return own[i];
	for (size_t i = 0; (shared = es_meter_url_shared(i)); i++)
		if (es_text_distance(shared, key) == 1)
			return shared;
	return NULL;
}

static int add_param(const char *key, const char *value, const struct es_meter_url *url, char *path,
		     size_t size, struct es_error *err)
{
	bool is_marked = strncmp(key, FOR_SERVER, strlen(FOR_SERVER)) == 0;
	const char *mark = strchr(path, '?') ? "&" : "?";
	size_t n = strlen(path);
	const char *slip;

	if (!is_marked && es_meter_url_is_shared(key))
		return 0;
	for (size_t i = 0; own[i] && !is_marked; i++)
		if (strcmp(own[i], key) == 0)
			return 0;
	slip = is_marked ? NULL : find_slip(key);
	if (slip)
		return es_error_say(err, -EINVAL,
				    "meter '%.200s': did you mean '%s' by '%.32s'? For the server "
				    "write " FOR_SERVER "%.32s",
				    url->text, slip, key, key);
	if (n + 1 >= size)
		return es_error_say(err, -EINVAL, "meter '%.200s': too long", url->text);
	memcpy(path + n, mark, 2);
	if (es_web_encode(key + (is_marked ? strlen(FOR_SERVER) : 0), path, size) < 0 ||
	    strlen(path) + 1 >= size)
		return es_error_say(err, -EINVAL, "meter '%.200s': too long", url->text);
	memcpy(path + strlen(path), "=", 2);
	return es_web_encode(value, path, size) < 0
		       ? es_error_say(err, -EINVAL, "meter '%.200s': too long", url->text)
		       : 0;
}

/* The path, its parts encoded again. */
static int make_path(struct http *http, const struct es_meter_url *url, struct es_error *err)
{
	size_t n = 0;

	for (const char *p = url->path[0] ? url->path : "/"; *p; p++) {
		char one[2] = { *p, '\0' };

		if (n + 4 >= sizeof(http->path))
			return es_error_say(err, -EINVAL, "meter '%.200s': too long", url->text);
		if (strchr("/:@!$&'()*+,;=", *p)) {
			http->path[n++] = *p;
			http->path[n] = '\0';
		} else {
			(void)es_web_encode(one, http->path, sizeof(http->path));
			n = strlen(http->path);
		}
	}
	for (size_t i = 0; i < url->n_params; i++) {
		const char *value, *key = es_meter_url_key(url, i, &value);
		int r = add_param(key, value, url, http->path, sizeof(http->path), err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int fetch(struct http *http, struct es_remote *remote, struct es_reading *ret,
		 struct es_error *err)
{
	const char *body;
	size_t n;
	int r = es_web_get(&http->web, http->path, remote, err);

	if (r < 0)
		return r;
	body = es_fetch_body(http->web.fetch, &n);
	(void)es_text_meter_take(&http->meter, es_remote_url(remote), body, n, ret, err);
	return 0;
}

static int http_connect(void *arg, struct es_remote *remote, struct es_error *err)
{
	struct http *http = arg;
	struct es_reading reading = { .t_ns = 0 };
	struct es_domain domain;
	const struct es_fresh before = http->meter.fresh;
	int r = es_web_connect(&http->web, es_remote_url(remote), err);

	http->meter.fresh.has_last = false;
	if (r == 0)
		r = fetch(http, remote, &reading, err);
	if (r == 0)
		r = reading.error;
	/* It is wanted by read, where it is newer than what that had before. */
	http->meter.fresh = before;
	if (r < 0)
		return r;
	es_meter_domain(es_remote_url(remote), es_source_http.name, &domain);
	domain.hold_ns = es_text_meter_hold(
		http->web.stale_ns,
		es_remote_url(remote)->period_ns ? es_remote_url(remote)->period_ns : PERIOD_NS,
		http->meter.pick.time[0]);
	(void)snprintf(domain.reason, sizeof(domain.reason), "%s", es_web_warn(&http->web));
	return es_remote_add(remote, &domain);
}

static int http_read(void *arg, struct es_remote *remote, struct es_reading *ret, size_t n)
{
	struct http *http = arg;
	int r;

	es_web_hurry(&http->web);
	r = n < 1 ? 0 : fetch(http, remote, ret, NULL);
	/* Too busy now is no reason to begin anew. */
	if (r == -EBUSY) {
		ret->error = r;
		return 0;
	}
	return r;
}

static void http_disconnect(void *arg)
{
	struct http *http = arg;

	es_web_disconnect(&http->web);
}

static void http_destroy(void *arg)
{
	struct http *http = arg;

	es_web_finish(&http->web);
	free(http);
}

static const struct es_remote_ops remote_ops = {
	.thread = "es-http",
	.period_ns = PERIOD_NS,
	.denied_ns = ES_REMOTE_DENIED_NS,
	.connect = http_connect,
	.read = http_read,
	.disconnect = http_disconnect,
	.destroy = http_destroy,
};

static int http_open_at(const struct es_root *root, const struct es_meter_url *url,
			struct es_source **ret, struct es_error *err)
{
	bool is_https = strcmp(url->scheme, "https") == 0;
	struct http *http = calloc(1, sizeof(*http));
	int r;

	if (!http)
		return es_error_set(err, -ENOMEM, "http");
	r = es_web_init(&http->web, url, is_https, is_https ? 443 : 80, STALE_NS, err);
	if (r == 0)
		r = es_text_meter_init(&http->meter, url, http->web.stale_ns, err);
	if (r == 0)
		r = make_path(http, url, err);
	if (r < 0) {
		http_destroy(http);
		return r;
	}
	return es_remote_open(root, url, &es_source_http, &remote_ops, http, ret, err);
}

const struct es_source_ops es_source_http = {
	.name = "http",
	.schemes = "http https",
	.open_at = http_open_at,
	.settle = es_remote_settle,
	.end = es_remote_end,
	.plan = es_remote_plan,
	.ask = es_remote_ask,
	.wait = es_remote_wait,
	.read = es_remote_read,
	.close = es_remote_close,
};
