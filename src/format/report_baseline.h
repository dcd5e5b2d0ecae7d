/*
 * report_baseline.h - the command's energy above what the same meters showed while nothing was measured
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REPORT_BASELINE_H
#define ES_FORMAT_REPORT_BASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "record/event.h"

/** struct es_idle_power - of one domain, before and after the command */
struct es_idle_power {
	bool has_before, has_after;
	uint64_t before_mw, after_mw;
};

/** struct es_report_baseline - the events ES_EVENT_BASELINE; es_report_baseline_finish() it */
struct es_report_baseline {
	struct es_idle_power *domains; /* [n_domains] of the recording; NULL: no baseline in it */
	bool is_known; /* of every domain of the total */
	double power_w; /* mean of those known */
	bool has_before, has_after;
	double before_w, after_w;
	double above_j; /* measured energy minus power times duration: shown beside the energy, never in its place */
	bool has_uncertainty; /* both sides are known: what moved meanwhile is */
	double uncertainty_j; /* half the change from before to after over the whole time, and the meters' own */
};

struct es_report;

/** es_report_baseline_note - an event of the recording; 0 or -ENOMEM */
int es_report_baseline_note(struct es_report *report, const struct es_event *event);
/** es_report_baseline_sum - once the covers are chosen and summed */
void es_report_baseline_sum(struct es_report *report);
void es_report_baseline_finish(struct es_report_baseline *baseline);

/** es_report_baseline_rows - for the table; appended to @out */
void es_report_baseline_rows(const struct es_report *report, struct es_buf *out);
struct es_json;
/** es_report_baseline_members - "baseline" of the energy */
void es_report_baseline_members(const struct es_report *report, struct es_json *json);

/** es_report_baseline_text - the event's text for domain @id; its value is the mean power in mW. 0 or -ENAMETOOLONG */
int es_report_baseline_text(bool is_before, const char *id, char *text, size_t size);

#endif
