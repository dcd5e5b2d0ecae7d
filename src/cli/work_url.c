/*
 * work_url.c - the watcher of a metric that a server gives out
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/work_watch.h"
#include "net/http.h"
#include "net/metrics.h"

#define ASK_NS ES_NS_PER_S
#define CONNECT_MS 2000
#define TIMEOUT_MS 5000
#define ANSWER_MAX_BYTES (64U << 20)
/* For how long the end waits for a last answer. */
#define LAST_NS (250 * ES_NS_PER_MS)

struct url {
	struct es_work_watch *watch;
	struct es_http *http;
	struct es_metrics metrics;
	bool is_asking;
	int64_t asked_ns; /* of the request, boot clock */
	uint64_t n_failed;
	char problem[128]; /* of the last answer; "": none */
};

static void on_data(void *arg, const char *data, size_t n)
{
	struct url *url = arg;

	es_metrics_feed(&url->metrics, data, n);
}

static void take_value(struct url *url)
{
	struct es_work_teller *teller = &url->watch->tellers[0];
	const char *name = url->watch->specs[0]->query.name;
	int64_t micro, t_ns = es_clock_boot_ns();
	int r = es_metrics_end(&url->metrics, &micro);

	/* The value is of some moment between question and answer. */
	t_ns = url->asked_ns + (t_ns - url->asked_ns) / 2;
	if (r == 0)
		r = es_work_teller_value(teller, micro, t_ns);
	if (r == 0) {
		/* Also where it did not change: up to here it is known. */
		teller->t_ns = t_ns;
		url->problem[0] = '\0';
	} else if (r == -ENOENT) {
		(void)snprintf(url->problem, sizeof(url->problem),
			       "the answer has no metric '%.60s' with such labels", name);
	} else {
		(void)snprintf(url->problem, sizeof(url->problem),
			       "metric '%.60s' has no number that can be counted", name);
	}
}

static void on_done(void *arg, const struct es_http_answer *answer)
{
	struct url *url = arg;

	url->is_asking = false;
	if (answer->error)
		(void)snprintf(url->problem, sizeof(url->problem), "%.120s", answer->text);
	else if (answer->status != 200)
		(void)snprintf(url->problem, sizeof(url->problem),
			       "the server answered with status %ld", answer->status);
	else
		take_value(url);
	url->n_failed += url->problem[0] != '\0';
}

static void ask(struct url *url)
{
	const struct es_work_spec *spec = url->watch->specs[0];

	es_metrics_begin(&url->metrics, &spec->query);
	url->asked_ns = es_clock_boot_ns();
	url->is_asking = es_http_get(url->http, spec->url, on_data, on_done, url) == 0;
}

static int wait_ms(const struct url *url, int64_t next_ns)
{
	int64_t http_ns = es_http_next_ns(url->http), now_ns = es_clock_mono_ns();

	next_ns = http_ns < next_ns ? http_ns : next_ns;
	return next_ns > now_ns ? (int)((next_ns - now_ns) / ES_NS_PER_MS) + 1 : 0;
}

/* Until the command ends, or nobody listens any more. */
static void follow(struct url *url)
{
	struct pollfd fds[2] = { { .fd = es_http_fd(url->http), .events = POLLIN },
				 { .fd = url->watch->report_fd, .events = POLLIN } };
	int64_t next_ns = es_clock_mono_ns();

	while (!fds[1].revents) {
		int64_t now_ns = es_clock_mono_ns();

		if (now_ns >= next_ns) {
			/* A server that takes longer than a second is asked again when it has answered. */
			if (!url->is_asking)
				ask(url);
			next_ns += ASK_NS * (1 + (now_ns - next_ns) / ASK_NS);
		}
		(void)poll(fds, 2, wait_ms(url, next_ns));
		es_http_handle(url->http);
		(void)es_work_teller_flush(&url->watch->tellers[0], es_clock_mono_ns());
	}
}

/* What the server says now is the amount at the command's end, if it says it soon. */
static void ask_last(struct url *url)
{
	struct pollfd pollfd = { .fd = es_http_fd(url->http), .events = POLLIN };
	int64_t end_ns = es_clock_mono_ns() + LAST_NS;

	/* What is under way is not broken off: that may have to wait for a name server. */
	for (bool is_asked = false; es_clock_mono_ns() < end_ns;) {
		if (!url->is_asking && is_asked)
			break;
		if (!url->is_asking) {
			ask(url);
			is_asked = true;
		}
		(void)poll(&pollfd, 1, wait_ms(url, end_ns));
		es_http_handle(url->http);
	}
}

static void put_remark(const struct url *url, char *text, size_t size)
{
	text[0] = '\0';
	if (!url->watch->tellers[0].count.has_value)
		(void)snprintf(text, size, "%s",
			       url->problem[0] ? url->problem : "the server did not answer");
	else if (url->n_failed)
		(void)snprintf(text, size, "%llu questions without an answer%s%.100s",
			       (unsigned long long)url->n_failed, url->problem[0] ? ": " : "",
			       url->problem);
}

void es_work_url_main(struct es_work_watch *watch)
{
	const struct es_http_options options = { .connect_timeout_ms = CONNECT_MS,
						 .timeout_ms = TIMEOUT_MS,
						 .max_bytes = ANSWER_MAX_BYTES };
	struct url *url = calloc(1, sizeof(*url));
	char remark[ES_WORK_REMARK_MAX_BYTES];

	if (!url)
		return;
	url->watch = watch;
	if (es_http_create(watch->http, &options, &url->http, NULL) == 0) {
		follow(url);
		(void)es_work_watch_wait(watch, 0);
		ask_last(url);
	}
	put_remark(url, remark, sizeof(remark));
	(void)es_work_teller_say(&watch->tellers[0], false, true, remark);
	/* The last word comes first: to end a client may have to wait for a name server. */
	es_http_destroy(url->http);
	free(url);
}
