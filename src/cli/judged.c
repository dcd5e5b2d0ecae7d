/*
 * judged.c - the words for one set of runs held against another
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/judged.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "base/cleanup.h"

int es_judged_of(const struct es_trials *trials, size_t a, size_t b, enum es_trial_metric metric,
		 const struct es_judge_wish *wish, struct es_judged *ret)
{
	es_cleanup(es_freep) double *of_a = NULL, *of_b = NULL;
	struct es_judge_wish own = *wish;
	size_t n_a, n_b;
	const char *why = NULL;
	int r = es_trials_values(trials, a, metric, &of_a, &n_a);

	*ret = (struct es_judged){ .metric = metric };
	own.has_limit = wish->has_limit && metric == ES_TRIAL_TIME;
	if (r == 0)
		r = es_trials_values(trials, b, metric, &of_b, &n_b);
	if (r < 0)
		return r;
	if (n_a && n_b) {
		r = es_judge(of_a, n_a, of_b, n_b, &own, &ret->judgement);
		ret->is_known = r == 0;
		ret->why_not = r == -ERANGE ? "not numbers of a size to calculate with" : NULL;
		return r == -ERANGE ? 0 : r;
	}
	ret->why_not = n_a || n_b ? "not known of both" : "not known";
	if (metric != ES_TRIAL_TIME && (!es_trials_can_compare_energy(trials, a, &why) ||
					!es_trials_can_compare_energy(trials, b, &why)))
		ret->why_not = ES_JUDGED_NO_ENERGY;
	return 0;
}

const char *es_judged_verdict(enum es_trial_metric metric, enum es_verdict verdict)
{
	bool is_time = metric == ES_TRIAL_TIME;

	switch (verdict) {
	case ES_VERDICT_LOWER:
		return is_time ? "faster" : "less";
	case ES_VERDICT_HIGHER:
		return is_time ? "slower" : "more";
	case ES_VERDICT_SAME:
		return "same";
	case ES_VERDICT_UNDECIDED:
		break;
	}
	return "undecided";
}

size_t es_judged_more_runs(const struct es_judged *judged)
{
	const struct es_judgement *judgement = &judged->judgement;
	size_t n = judgement->a.n < judgement->b.n ? judgement->a.n : judgement->b.n;

	if (!judged->is_known || judgement->verdict != ES_VERDICT_UNDECIDED ||
	    judgement->runs_needed == SIZE_MAX || judgement->runs_needed <= n)
		return 0;
	return judgement->runs_needed - n;
}

void es_judged_put_heading(const char *title, struct es_buf *out)
{
	(void)es_buf_printf(out, "  %-26s %10s %21s %10s  %s\n", title, "change", "95 % interval",
			    "p", "verdict");
}

/* "+1.23 %"; an end that is nowhere is said to be open. */
static const char *percent(double share, char text[static 24])
{
	if (isfinite(share))
		(void)snprintf(text, 24, "%+.2f %%", 100 * share);
	else
		(void)snprintf(text, 24, "open");
	return text;
}

static const char *p_text(const struct es_judgement *judgement, char text[static 24])
{
	if (!judgement->has_test)
		(void)snprintf(text, 24, "n/a");
	else if (judgement->p < 0.0001)
		(void)snprintf(text, 24, "<0.0001");
	else
		(void)snprintf(text, 24, "%.4f", judgement->p);
	return text;
}

static void put_limit(const struct es_judgement *judgement, const struct es_judge_wish *wish,
		      struct es_buf *out)
{
	static const char *const words[] = {
		[ES_LIMIT_SHOWN] = "shown",
		[ES_LIMIT_BROKEN] = "shown to be wrong",
		[ES_LIMIT_OPEN] = "not shown",
	};
	char bound[24];

	if (judgement->limit == ES_LIMIT_NOT_ASKED)
		return;
	(void)es_buf_printf(out, "    slower by no more than %.4g %%: %s", 100 * wish->limit,
			    words[judgement->limit]);
	if (judgement->has_interval && judgement->limit != ES_LIMIT_BROKEN)
		(void)es_buf_printf(out, " (with 95 %% less than %s)",
				    percent(judgement->limit_high, bound));
	(void)es_buf_printf(out, "\n");
}

void es_judged_put(const char *label, const struct es_judged *judged,
		   const struct es_judge_wish *wish, struct es_buf *out)
{
	const struct es_judgement *judgement = &judged->judgement;
	size_t n_more = es_judged_more_runs(judged);
	char change[24] = "n/a", low[24], high[24], p[24], interval[56] = "n/a";

	if (!judged->is_known) {
		(void)es_buf_printf(out, "  %s: %s\n", label, judged->why_not);
		return;
	}
	if (judgement->has_change)
		(void)percent(judgement->change, change);
	if (judgement->has_interval)
		(void)snprintf(interval, sizeof(interval), "%s %s",
			       percent(judgement->change_low, low),
			       percent(judgement->change_high, high));
	(void)es_buf_printf(out, "  %-26s %10s %21s %10s  %s", label, change, interval,
			    p_text(judgement, p),
			    es_judged_verdict(judged->metric, judgement->verdict));
	if (!judgement->has_test)
		(void)es_buf_printf(out, ": two runs of each at least");
	else if (n_more)
		(void)es_buf_printf(out, ": needs %zu more run%s of each", n_more,
				    n_more > 1 ? "s" : "");
	(void)es_buf_printf(out, "\n");
	if (judged->metric == ES_TRIAL_TIME)
		put_limit(judgement, wish, out);
}

static void put_limit_member(const struct es_judgement *judgement, const struct es_judge_wish *wish,
			     struct es_json *json)
{
	static const char *const words[] = {
		[ES_LIMIT_NOT_ASKED] = NULL,
		[ES_LIMIT_SHOWN] = "shown",
		[ES_LIMIT_BROKEN] = "broken",
		[ES_LIMIT_OPEN] = "open",
	};

	if (judgement->limit == ES_LIMIT_NOT_ASKED)
		return;
	es_json_object(json, "limit");
	es_json_double(json, "change", wish->limit);
	es_json_string(json, "verdict", words[judgement->limit]);
	es_json_double(json, "change_high", judgement->has_interval ? judgement->limit_high : NAN);
	es_json_object_end(json);
}

void es_judged_members(const struct es_judged *judged, const struct es_judge_wish *wish,
		       struct es_json *json)
{
	const struct es_judgement *judgement = &judged->judgement;
	bool is_known = judged->is_known, has_interval = is_known && judgement->has_interval;

	es_json_string(json, "verdict",
		       is_known ? es_judged_verdict(judged->metric, judgement->verdict) : NULL);
	if (!is_known)
		es_json_string(json, "reason", judged->why_not);
	es_json_double(json, "change", is_known && judgement->has_change ? judgement->change : NAN);
	if (has_interval) {
		es_json_array_inline(json, "change_ci");
		es_json_double(json, NULL, judgement->change_low);
		es_json_double(json, NULL, judgement->change_high);
		es_json_array_end(json);
	} else {
		es_json_null(json, "change_ci");
	}
	es_json_string(json, "method",
		       has_interval ? es_interval_method_name(judgement->method) : NULL);
	es_json_double(json, "p", is_known && judgement->has_test ? judgement->p : NAN);
	if (is_known && judgement->runs_needed && judgement->runs_needed != SIZE_MAX)
		es_json_u64(json, "runs_needed", judgement->runs_needed);
	else
		es_json_null(json, "runs_needed");
	if (is_known)
		put_limit_member(judgement, wish, json);
}
