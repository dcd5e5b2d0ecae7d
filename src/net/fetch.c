/*
 * net/fetch.c - HTTP requests one after the other, for a thread that may wait
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "net/fetch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"

#define MORE_NS ES_NS_PER_S /* libcurl keeps its own timeout; if it does not, we do */

struct es_fetch {
	struct es_http *http;
	int64_t timeout_ns;
	struct es_buf body;
	struct es_fetch_header *headers;
	size_t n_headers;
	struct es_http_answer answer;
	bool is_done;
};

int es_fetch_create(struct es_http_library *library, const struct es_http_options *options,
		    struct es_fetch **ret, struct es_error *err)
{
	struct es_fetch *fetch = calloc(1, sizeof(*fetch));
	int r;

	if (!fetch)
		return es_error_set(err, -ENOMEM, "HTTP client");
	r = es_http_create(library, options, &fetch->http, err);
	if (r < 0) {
		free(fetch);
		return r;
	}
	fetch->timeout_ns = (int64_t)options->timeout_ms * ES_NS_PER_MS;
	es_buf_init(&fetch->body, options->max_bytes + 1);
	*ret = fetch;
	return 0;
}

void es_fetch_destroy(struct es_fetch *fetch)
{
	if (!fetch)
		return;
	es_http_destroy(fetch->http);
	es_buf_finish(&fetch->body);
	free(fetch);
}

static void on_data(void *arg, const char *data, size_t n)
{
	struct es_fetch *fetch = arg;

	(void)es_buf_append(&fetch->body, data, n);
}

static void on_header(void *arg, const char *name, size_t n_name, const char *value, size_t n_value)
{
	struct es_fetch *fetch = arg;

	for (size_t i = 0; i < fetch->n_headers; i++) {
		struct es_fetch_header *header = &fetch->headers[i];

		if (strlen(header->name) != n_name ||
		    strncasecmp(header->name, name, n_name) != 0 ||
		    n_value >= sizeof(header->value))
			continue;
		memcpy(header->value, value, n_value);
		header->value[n_value] = '\0';
	}
}

static void on_done(void *arg, const struct es_http_answer *answer)
{
	struct es_fetch *fetch = arg;

	fetch->answer = *answer;
	fetch->is_done = true;
}

static void wait_until_done(struct es_fetch *fetch)
{
	int64_t until_ns = es_clock_mono_ns() + fetch->timeout_ns + MORE_NS;

	while (!fetch->is_done) {
		struct pollfd pollfd = { .fd = es_http_fd(fetch->http), .events = POLLIN };
		int64_t next_ns = es_http_next_ns(fetch->http), now_ns = es_clock_mono_ns(),
			wait_ns;

		if (now_ns >= until_ns)
			break;
		wait_ns = (next_ns < until_ns ? next_ns : until_ns) - now_ns;
		(void)poll(&pollfd, 1, wait_ns <= 0 ? 0 : (int)(wait_ns / ES_NS_PER_MS) + 1);
		es_http_handle(fetch->http);
	}
	if (!fetch->is_done) {
		es_http_cancel(fetch->http);
		fetch->answer =
			(struct es_http_answer){ .error = -ETIMEDOUT, .text = "no answer in time" };
	}
}

int es_fetch(struct es_fetch *fetch, const struct es_http_request *request,
	     struct es_fetch_header *headers, size_t n_headers, struct es_error *err)
{
	struct es_http_request own = *request;
	int r;

	own.on_header = on_header;
	fetch->headers = headers;
	fetch->n_headers = n_headers;
	fetch->is_done = false;
	for (size_t i = 0; i < n_headers; i++)
		headers[i].value[0] = '\0';
	es_buf_reset(&fetch->body);
	r = es_http_begin(fetch->http, &own, on_data, on_done, fetch);
	if (r < 0)
		return es_error_set(err, r, "HTTP request");
	wait_until_done(fetch);
	if (es_buf_u8(&fetch->body, 0) < 0 && fetch->body.error == -ENOMEM)
		return es_error_set(err, -ENOMEM, "HTTP answer");
	/* A refusal whose page breaks off is a refusal all the same. */
	if (fetch->answer.error == 0 || fetch->answer.status >= 400)
		return (int)fetch->answer.status;
	return es_error_say(err, fetch->answer.error, "%s", fetch->answer.text);
}

const char *es_fetch_body(const struct es_fetch *fetch, size_t *ret_n)
{
	if (ret_n)
		*ret_n = fetch->body.len ? fetch->body.len - 1 : 0;
	return fetch->body.len ? (const char *)fetch->body.data : "";
}
