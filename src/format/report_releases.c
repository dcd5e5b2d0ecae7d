/*
 * report_releases.c - times in which a recording had let devices go, which is why there are gaps
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/report_releases.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "format/report.h"

static struct es_report_release *last_of(struct es_report *report)
{
	size_t n = report->n_releases;

	return n > 0 && n <= ES_REPORT_RELEASES_MAX ? &report->releases[n - 1] : NULL;
}

void es_report_note_release(struct es_report *report, const struct es_event *event)
{
	struct es_report_release *last = last_of(report);
	const char *who = strchr(event->text, ' ');

	if (event->value < 0) {
		if (last && last->stop_ns == INT64_MAX)
			last->stop_ns = event->t_ns;
		return;
	}
	if (report->n_releases++ >= ES_REPORT_RELEASES_MAX)
		return;
	last = last_of(report);
	*last = (struct es_report_release){ .start_ns = event->t_ns,
					    .stop_ns = INT64_MAX,
					    .asked_ns = event->value };
	(void)snprintf(last->who, sizeof(last->who), "%.31s", who ? who + 1 : "");
}

/* "released by uid 0 for 10 min" */
static void say(const struct es_report_release *release,
		char ret[static ES_REPORT_RELEASE_TEXT_BYTES])
{
	char asked[ES_QUANTITY_TEXT_BYTES] = "", *seconds;

	if (release->asked_ns)
		(void)es_duration_text(release->asked_ns, asked);
	seconds = strstr(asked, " 00 s");
	if (seconds)
		*seconds = '\0';
	(void)snprintf(ret, ES_REPORT_RELEASE_TEXT_BYTES, "released %s%s%s", release->who,
		       asked[0] ? " for " : "", asked);
}

const char *es_report_gap_reason(const struct es_report *report, const struct es_report_gap *gap,
				 char ret[static ES_REPORT_RELEASE_TEXT_BYTES])
{
	for (size_t i = 0; i < report->n_releases && i < ES_REPORT_RELEASES_MAX; i++) {
		const struct es_report_release *release = &report->releases[i];

		if (gap->start_ns >= release->stop_ns || gap->stop_ns <= release->start_ns)
			continue;
		say(release, ret);
		return ret;
	}
	return NULL;
}

/* What lies outside of the part that is reported on is none of it. */
static bool is_told(const struct es_report *report, const struct es_report_release *release)
{
	const struct es_report_options *options = &report->options;

	return (!options->to_ns || release->start_ns <= options->to_ns) &&
	       (!options->from_ns || release->stop_ns >= options->from_ns);
}

static void put_row(const struct es_report *report, const struct es_report_release *release,
		    const char *title, struct es_buf *out)
{
	char text[ES_REPORT_RELEASE_TEXT_BYTES], lasted[ES_QUANTITY_TEXT_BYTES],
		at[ES_QUANTITY_TEXT_BYTES];
	int64_t start_ns = release->start_ns > report->start_ns ? release->start_ns
								: report->start_ns;
	int64_t stop_ns = release->stop_ns < report->stop_ns ? release->stop_ns : report->stop_ns;
	bool has_end = stop_ns >= start_ns;

	say(release, text);
	/* Where there is nothing but GPUs the last reading is older than that. */
	(void)es_buf_printf(out, "  %-10s GPUs, at +%s %s%s: %s\n", title,
			    es_duration_text(start_ns - report->start_ns, at),
			    has_end ? "for " : "until the end",
			    has_end ? es_duration_text(stop_ns - start_ns, lasted) : "", text);
}

void es_report_release_rows(const struct es_report *report, struct es_buf *out)
{
	const char *title = "let go";

	for (size_t i = 0; i < report->n_releases && i < ES_REPORT_RELEASES_MAX; i++) {
		if (!is_told(report, &report->releases[i]))
			continue;
		put_row(report, &report->releases[i], title, out);
		title = "";
	}
}
