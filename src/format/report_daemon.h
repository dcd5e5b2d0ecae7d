/*
 * report_daemon.h - that the readings came through this node's daemon, and how often it gives them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REPORT_DAEMON_H
#define ES_FORMAT_REPORT_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/** struct es_report_daemon - the event ES_EVENT_DAEMON; zero: no daemon was used */
struct es_report_daemon {
	bool is_used;
	bool is_share; /* what is attributed to the user's job, and not the node */
	char version[32];
	char job[64]; /* the job whose part it is; "": none */
	int64_t period_ns; /* as granted; the event's value */
	int64_t asked_ns; /* 0: as granted */
};

/** es_report_daemon_text - the text of the event; 0 or -ENAMETOOLONG */
int es_report_daemon_text(const struct es_report_daemon *daemon, char *text, size_t size);
/** es_report_daemon_parse - from the event; *ret is left as it is where the text is none that we know */
void es_report_daemon_parse(const char *text, int64_t value, struct es_report_daemon *ret);

/** es_report_daemon_words - "through energyscopiumd 0.1.0, at most 10 Hz: what is attributed to job 7" */
void es_report_daemon_words(const struct es_report_daemon *daemon, char *ret, size_t size);
/** es_report_daemon_rows - what the table says of it; appended to @out */
void es_report_daemon_rows(const struct es_report_daemon *daemon, struct es_buf *out);

struct es_json;
/** es_report_daemon_members - "daemon": null, or version, view, period_ms, job */
void es_report_daemon_members(const struct es_report_daemon *daemon, struct es_json *json);

#endif
