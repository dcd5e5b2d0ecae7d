/*
 * report_shared.h - of a job on a node that it shares: by which rules its part was told
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REPORT_SHARED_H
#define ES_FORMAT_REPORT_SHARED_H

#include <stdbool.h>

#include "base/buf.h"
#include "record/event.h"

struct es_json;
struct es_report;

/** struct es_report_shared - what the events ES_EVENT_SHARED say, over the whole recording */
struct es_report_shared {
	unsigned rules; /* 1 << enum es_share_rule of each in force at some time */
	unsigned methods; /* 1 << enum es_idle_method */
};

/** es_report_shared_note - one such event; texts that we do not know are passed over */
void es_report_shared_note(struct es_report *report, const struct es_event *event);
/** es_report_is_shared - what is reported is a share by a rule */
bool es_report_is_shared(const struct es_report *report);
/** es_report_shared_rows - of the table: the rules, where idle power comes from, how many of the job's nodes these are, and what of it was not recorded; appended to @out */
void es_report_shared_rows(const struct es_report *report, struct es_buf *out);
/** es_report_shared_members - "exclusive", "unrecorded_s", "rules", "idle_method" of the job */
void es_report_shared_members(const struct es_report *report, struct es_json *json);

#endif
