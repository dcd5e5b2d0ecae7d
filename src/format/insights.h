/*
 * insights.h - what a report gives reason to look at, each with its evidence
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_INSIGHTS_H
#define ES_FORMAT_INSIGHTS_H

#include <stddef.h>

#include "base/buf.h"
#include "base/limits.h"

struct es_json;
struct es_report;

#define ES_INSIGHT_EVIDENCE_MAX 8U
#define ES_INSIGHTS_MAX 64U

/** struct es_insight - one of them; text is for people, evidence for programs */
struct es_insight {
	const char *code; /* of interfaces: "low_load", "idle_tail" …; static */
	char text[ES_NAME_MAX_BYTES];
	char subject[ES_NAME_MAX_BYTES]; /* node or domain it is about; "": the job */
	const char *subject_key; /* "node" or "domain"; static */
	struct {
		const char *key; /* with its unit; static */
		double value;
	} evidence[ES_INSIGHT_EVIDENCE_MAX];
	size_t n_evidence;
};

/**
 * es_insights_find - fill in @report's insights from all else it has
 *
 * One is given only where the evidence was recorded: silence is no praise. The thresholds stand in insights.c and in
 * energyscopium-report(1). Without memory there are none. At most ES_INSIGHTS_MAX.
 */
void es_insights_find(struct es_report *report);
void es_insights_finish(struct es_report *report);

/** es_insights_json - the member "insights" */
void es_insights_json(const struct es_report *report, struct es_json *json);
/** es_insights_table - a row for each */
void es_insights_table(const struct es_report *report, struct es_buf *out);

#endif
