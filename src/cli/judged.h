/*
 * judged.h - the words for one set of runs held against another
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_JUDGED_H
#define ES_CLI_JUDGED_H

#include "base/buf.h"
#include "base/json.h"
#include "cli/trials.h"
#include "core/judge.h"

/** ES_JUDGED_NO_ENERGY - what stands where joules may not be compared */
#define ES_JUDGED_NO_ENERGY "no meter here can see this difference"

/** struct es_judged - group @b of some trials against group @a of them, by one metric */
struct es_judged {
	enum es_trial_metric metric;
	bool is_known; /* there is a value of both that may be compared */
	const char *why_not; /* where it is not; borrowed, static */
	struct es_judgement judgement;
};

/**
 * es_judged_of - judge group @b against group @a by the runs that did not fail; the limit of @wish is one of time
 * Returns 0, also where nothing is known, or -ENOMEM.
 */
int es_judged_of(const struct es_trials *trials, size_t a, size_t b, enum es_trial_metric metric,
		 const struct es_judge_wish *wish, struct es_judged *ret);

/** es_judged_verdict - "faster", "slower", "less", "more", "same", "undecided" */
const char *es_judged_verdict(enum es_trial_metric metric, enum es_verdict verdict);

/** es_judged_more_runs - how many more of each would tell; 0: none, or it is not known */
size_t es_judged_more_runs(const struct es_judged *judged);

/** es_judged_put_heading, es_judged_put - a table of changes: its heading, and a row; appended to @out */
void es_judged_put_heading(const char *title, struct es_buf *out);
void es_judged_put(const char *label, const struct es_judged *judged,
		   const struct es_judge_wish *wish, struct es_buf *out);

/** es_judged_members - verdict, change, change_ci, p, runs_needed … into an open object; nulls where nothing is known */
void es_judged_members(const struct es_judged *judged, const struct es_judge_wish *wish,
		       struct es_json *json);

#endif
