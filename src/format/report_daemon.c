/*
 * report_daemon.c - that the readings came through this node's daemon, and how often it gives them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/report_daemon.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"

#define LONGEST_NS (366 * 86400 * ES_NS_PER_S)

static const char view_node[] = "node", view_share[] = "share";

int es_report_daemon_text(const struct es_report_daemon *daemon, char *text, size_t size)
{
	int n = snprintf(text, size, "%s version=%s asked=%lld job=%s",
			 daemon->is_share ? view_share : view_node, daemon->version,
			 (long long)daemon->asked_ns, daemon->job);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* What is behind "KEY=" up to the next blank. */
static void copy_value(const char *text, const char *key, char *ret, size_t size)
{
	const char *p = strstr(text, key);

	ret[0] = '\0';
	if (!p)
		return;
	p += strlen(key);
	if (strcspn(p, " ") < size)
		(void)snprintf(ret, size, "%.*s", (int)strcspn(p, " "), p);
}

void es_report_daemon_parse(const char *text, int64_t value, struct es_report_daemon *ret)
{
	struct es_report_daemon daemon = { .is_used = true, .period_ns = value };
	size_t n = strcspn(text, " ");
	char asked[24];

	daemon.is_share = n == strlen(view_share) && strncmp(text, view_share, n) == 0;
	if (!daemon.is_share && (n != strlen(view_node) || strncmp(text, view_node, n) != 0))
		return;
	if (value <= 0 || value > LONGEST_NS)
		return;
	copy_value(text, " version=", daemon.version, sizeof(daemon.version));
	copy_value(text, " job=", daemon.job, sizeof(daemon.job));
	copy_value(text, " asked=", asked, sizeof(asked));
	if (es_parse_i64(asked, &daemon.asked_ns) < 0 || daemon.asked_ns < 0 ||
	    daemon.asked_ns > LONGEST_NS)
		daemon.asked_ns = 0;
	*ret = daemon;
}

/* "10 Hz", "every 2 s" */
static void put_rate(int64_t period_ns, char ret[static ES_QUANTITY_TEXT_BYTES + 8])
{
	char text[ES_QUANTITY_TEXT_BYTES];

	if (period_ns <= ES_NS_PER_S && ES_NS_PER_S % period_ns == 0)
		(void)snprintf(ret, ES_QUANTITY_TEXT_BYTES + 8, "at most %lld Hz",
			       (long long)(ES_NS_PER_S / period_ns));
	else
		(void)snprintf(ret, ES_QUANTITY_TEXT_BYTES + 8, "every %s",
			       es_duration_text(period_ns, text));
}

void es_report_daemon_words(const struct es_report_daemon *daemon, char *ret, size_t size)
{
	char rate[ES_QUANTITY_TEXT_BYTES + 8], asked[ES_QUANTITY_TEXT_BYTES];

	put_rate(daemon->period_ns, rate);
	(void)snprintf(
		ret, size, "through energyscopiumd %s, %s%s%s%s%s%s%s%s", daemon->version, rate,
		daemon->asked_ns && daemon->asked_ns < daemon->period_ns ? " (asked for: " : "",
		daemon->asked_ns && daemon->asked_ns < daemon->period_ns
			? es_duration_text(daemon->asked_ns, asked)
			: "",
		daemon->asked_ns && daemon->asked_ns < daemon->period_ns ? ")" : "",
		daemon->is_share ? ": what is attributed to "
		: daemon->job[0] ? ": the node, which is of "
				 : "",
		daemon->job[0]	   ? "job "
		: daemon->is_share ? "this user's job"
				   : "",
		daemon->job, daemon->job[0] && !daemon->is_share ? " alone" : "");
}

void es_report_daemon_rows(const struct es_report_daemon *daemon, struct es_buf *out)
{
	char text[320];

	if (!daemon->is_used)
		return;
	es_report_daemon_words(daemon, text, sizeof(text));
	(void)es_buf_printf(out, "  %-10s %s\n", "readings", text);
}

void es_report_daemon_members(const struct es_report_daemon *daemon, struct es_json *json)
{
	if (!daemon->is_used) {
		es_json_null(json, "daemon");
		return;
	}
	es_json_object(json, "daemon");
	es_json_string(json, "version", daemon->version);
	es_json_string(json, "view", daemon->is_share ? view_share : view_node);
	es_json_decimal(json, "period_ms", daemon->period_ns, 6);
	es_json_string(json, "job", daemon->job[0] ? daemon->job : NULL);
	es_json_object_end(json);
}
