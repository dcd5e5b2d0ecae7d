/*
 * report_releases.h - times in which a recording had let devices go, which is why there are gaps
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REPORT_RELEASES_H
#define ES_FORMAT_REPORT_RELEASES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "record/event.h"

#define ES_REPORT_RELEASES_MAX 16U /* told one by one; further ones are counted */
#define ES_REPORT_RELEASE_TEXT_BYTES 160U

/** struct es_report_release - one of them */
struct es_report_release {
	int64_t start_ns, stop_ns; /* boot clock; INT64_MAX: until the end */
	int64_t asked_ns; /* for how long; 0: until told */
	char who[32]; /* "by uid 0" */
};

struct es_report;
struct es_report_gap;

/** es_report_note_release - an ES_EVENT_RELEASED */
void es_report_note_release(struct es_report *report, const struct es_event *event);
/** es_report_gap_reason - why there is a gap, in words into @ret; NULL: nothing tells */
const char *es_report_gap_reason(const struct es_report *report, const struct es_report_gap *gap,
				 char ret[static ES_REPORT_RELEASE_TEXT_BYTES]);
/** es_report_release_rows - for the table; appended to @out */
void es_report_release_rows(const struct es_report *report, struct es_buf *out);

#endif
