/*
 * compare_judge.c - intervals of groups, their changes against the first, and the front
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/compare.h"
#include "opt/front.h"

#define FEW_RUNS 2U /* fewer show no spread */

const char *es_compare_word(enum es_trial_metric metric, enum es_verdict verdict)
{
	switch (verdict) {
	case ES_VERDICT_LOWER:
		return metric == ES_TRIAL_TIME ? "faster" : "less";
	case ES_VERDICT_HIGHER:
		return metric == ES_TRIAL_TIME ? "slower" : "more";
	case ES_VERDICT_SAME:
		return "same";
	case ES_VERDICT_UNDECIDED:
		break;
	}
	return "undecided";
}

const char *es_compare_limit_word(enum es_judge_limit limit)
{
	switch (limit) {
	case ES_LIMIT_SHOWN:
		return "shown";
	case ES_LIMIT_BROKEN:
		return "broken";
	case ES_LIMIT_OPEN:
		return "open";
	case ES_LIMIT_NOT_ASKED:
		break;
	}
	return "not asked";
}

const char *es_compare_label(enum es_trial_metric metric)
{
	return metric == ES_TRIAL_ABOVE ? "above idle" : es_trial_metric_name(metric);
}

int es_compare_remark(struct es_compare_result *result, const char *code, const char *fmt, ...)
{
	struct es_compare_remark *remarks = reallocarray(result->remarks, result->n_remarks + 1,
							 sizeof(*remarks)),
				 *remark;
	va_list args;

	if (!remarks)
		return -ENOMEM;
	result->remarks = remarks;
	remark = &remarks[result->n_remarks++];
	remark->code = code;
	va_start(args, fmt);
	(void)vsnprintf(remark->text, sizeof(remark->text), fmt, args);
	va_end(args);
	return 0;
}

void es_compare_result_finish(struct es_compare_result *result)
{
	free(result->groups);
	free(result->pairs);
	free(result->front);
	free(result->remarks);
	*result = (struct es_compare_result){ .n_groups = 0 };
}

/* Grams are those of one factor, or none. */
static bool have_one_factor(const struct es_trials *trials)
{
	const char *factor = NULL;

	for (size_t i = 0; i < trials->n; i++) {
		const struct es_trial *trial = &trials->trials[i];

		if (trial->is_failed || !trial->has_gco2)
			continue;
		if (factor && strcmp(factor, trial->factor_id) != 0)
			return false;
		factor = trial->factor_id;
	}
	return factor != NULL;
}

/* What @metric is of the runs of a group that count; ES_TRIAL_N_METRICS: their grams. */
static int values_of(const struct es_trials *trials, const struct es_trials_order *order,
		     size_t group, enum es_trial_metric metric, double **ret_values, size_t *ret_n)
{
	size_t from = order->first[group], to = order->first[group + 1], n = 0;
	double *values = calloc(to - from + 1, sizeof(*values));

	if (!values)
		return -ENOMEM;
	for (size_t i = from; i < to; i++) {
		const struct es_trial *trial = &trials->trials[order->runs[i]];
		double energy_j;

		if (trial->is_failed)
			continue;
		if (metric != ES_TRIAL_N_METRICS)
			n += es_trial_value(trial, metric, &values[n]);
		else if (trial->has_gco2 && es_trial_value(trial, ES_TRIAL_ENERGY, &energy_j))
			values[n++] = trial->gco2;
	}
	*ret_values = values;
	*ret_n = n;
	return 0;
}

static void take_bound(const struct es_trials *trials, const struct es_trials_order *order,
		       size_t group, struct es_compare_group *ret)
{
	double sum = 0;
	size_t n = 0;

	for (size_t i = order->first[group]; i < order->first[group + 1]; i++) {
		const struct es_trial *trial = &trials->trials[order->runs[i]];
		double energy_j;

		if (trial->is_failed || !(trial->energy_bound_j > 0) ||
		    !es_trial_value(trial, ES_TRIAL_ENERGY, &energy_j) || !(energy_j > 0))
			continue;
		sum += trial->energy_bound_j / energy_j;
		n++;
	}
	ret->bound_share = n ? sum / (double)n : 0;
}

/* Products are looked at only where one decides: their intervals cost as much as the others. */
static bool is_wanted(const struct es_compare *compare, enum es_trial_metric metric)
{
	return (metric != ES_TRIAL_EDP && metric != ES_TRIAL_ED2P) ||
	       (compare->has_metric && compare->metric == metric);
}

static int take_intervals(const struct es_compare *compare, const struct es_trials *trials,
			  const struct es_trials_order *order, size_t group, bool has_factor,
			  struct es_compare_group *ret)
{
	int r = 0;

	for (int m = 0; r == 0 && m <= ES_TRIAL_N_METRICS; m++) {
		bool is_grams = m == ES_TRIAL_N_METRICS;
		es_cleanup(es_freep) double *values = NULL;
		size_t n = 0;

		if (is_grams ? !has_factor : !is_wanted(compare, (enum es_trial_metric)m))
			continue;
		r = values_of(trials, order, group, (enum es_trial_metric)m, &values, &n);
		if (r == 0 && n)
			r = es_interval_of(values, n, compare->wish.seed,
					   is_grams ? &ret->gco2 : &ret->of[m]);
		ret->has_gco2 = is_grams && n > 0;
	}
	return r;
}

static void take_fates(const struct es_trials *trials, const struct es_trials_order *order,
		       size_t group, const enum es_compare_fate *fates,
		       struct es_compare_group *ret)
{
	for (size_t i = order->first[group]; i < order->first[group + 1]; i++) {
		size_t run = order->runs[i];

		ret->fates[fates			   ? fates[run]
			   : trials->trials[run].is_failed ? ES_FATE_FAILED
							   : ES_FATE_COUNTS]++;
	}
	if (ret->fates[ES_FATE_COUNTS] == 0) {
		ret->is_left_out = true;
		ret->why_left_out = ret->fates[ES_FATE_UNFIT]	 ? "no run of it keeps the quality"
				    : ret->fates[ES_FATE_FAILED] ? "all runs of it failed"
								 : "no run of it is left";
	} else if (ret->fates[ES_FATE_UNFIT] && ret->fates[ES_FATE_COUNTS] < FEW_RUNS) {
		ret->is_left_out = true;
		ret->why_left_out = "only one run of it keeps the quality";
	}
}

static int take_groups(const struct es_compare *compare, const struct es_trials *trials,
		       const struct es_trials_order *order, const enum es_compare_fate *fates,
		       struct es_compare_result *ret)
{
	bool has_factor = have_one_factor(trials);
	int r = 0;

	for (size_t i = 0; r == 0 && i < trials->n_groups; i++) {
		struct es_compare_group *group = &ret->groups[i];

		group->name = trials->groups[i];
		take_fates(trials, order, i, fates, group);
		take_bound(trials, order, i, group);
		(void)es_trials_can_compare_energy(trials, i, &group->why_no_energy);
		r = take_intervals(compare, trials, order, i, has_factor, group);
		if (compare->reference && strcmp(group->name, compare->reference) == 0)
			ret->reference = i;
	}
	return r;
}

/* The first that takes part and has no value of the metric; NULL: all have one. */
static const struct es_compare_group *find_lacking(const struct es_compare_result *result,
						   enum es_trial_metric metric)
{
	for (size_t i = 0; i < result->n_groups; i++)
		if (!result->groups[i].is_left_out && result->groups[i].of[metric].n == 0)
			return &result->groups[i];
	return NULL;
}

static int say_lacking(enum es_trial_metric metric, const struct es_compare_group *group,
		       struct es_error *err)
{
	if (metric == ES_TRIAL_TIME)
		return es_error_say(err, -ENODATA, "--metric time: no times of '%.100s' are known",
				    group->name);
	if (metric == ES_TRIAL_ABOVE && !group->why_no_energy)
		return es_error_say(
			err, -ENODATA,
			"--metric above: no idle power was measured around the runs of '%.100s' (run --repeat or --baseline measures it)",
			group->name);
	return es_error_say(err, -ENODATA,
			    "--metric %s: no meter here can see this difference; '%.100s': %s",
			    es_trial_metric_name(metric), group->name,
			    group->why_no_energy ? group->why_no_energy : "it is not known");
}

/* Where nobody says: energy, if its joules are of one sort in all groups; else time. */
static int choose_metric(const struct es_compare *compare, const struct es_trials *trials,
			 struct es_compare_result *result, struct es_error *err)
{
	const struct es_compare_group *lacks;

	result->metric = compare->has_metric ? compare->metric : ES_TRIAL_ENERGY;
	lacks = find_lacking(result, result->metric);
	if (compare->has_metric)
		return lacks ? say_lacking(result->metric, lacks, err) : 0;
	if (!lacks && es_compare_same_cover(trials))
		return 0;
	result->metric = ES_TRIAL_TIME;
	lacks = find_lacking(result, ES_TRIAL_TIME);
	return lacks ? es_error_say(
			       err, -ENODATA,
			       "nothing can be compared: '%.100s' has no times, and energies are not known of all groups in the same way",
			       lacks->name)
		     : 0;
}

static int judge_pair(const struct es_compare *compare, const struct es_trials *trials,
		      const struct es_trials_order *order, size_t reference,
		      struct es_compare_pair *pair)
{
	int r = 0;

	for (int m = 0; r == 0 && m < ES_TRIAL_N_METRICS; m++) {
		es_cleanup(es_freep) double *a = NULL, *b = NULL;
		struct es_judge_wish wish = compare->wish;
		size_t n_a = 0, n_b = 0;

		if (!is_wanted(compare, (enum es_trial_metric)m))
			continue;
		/* The limit is one of time. */
		wish.has_limit = wish.has_limit && m == ES_TRIAL_TIME;
		r = values_of(trials, order, reference, (enum es_trial_metric)m, &a, &n_a);
		if (r == 0)
			r = values_of(trials, order, pair->group, (enum es_trial_metric)m, &b,
				      &n_b);
		if (r == 0 && n_a && n_b) {
			r = es_judge(a, n_a, b, n_b, &wish, &pair->of[m]);
			pair->has[m] = r == 0;
		}
	}
	return r;
}

/* S. Holm (1979), Scand. J. Stat. 6, 65-70: the smallest of n times n, the next times n - 1, never falling. */
static void adjust(struct es_compare_result *result)
{
	double least = 0, last = -1;
	size_t n = 0;

	for (size_t i = 0; i < result->n_pairs; i++) {
		struct es_compare_pair *pair = &result->pairs[i];

		pair->p_holm = -1;
		n += pair->has[result->metric] && pair->of[result->metric].has_interval;
	}
	for (size_t left = n; left > 0; left--) {
		struct es_compare_pair *best = NULL;

		for (size_t i = 0; i < result->n_pairs; i++) {
			struct es_compare_pair *pair = &result->pairs[i];
			const struct es_judgement *of = &pair->of[result->metric];

			if (pair->p_holm < 0 && pair->has[result->metric] && of->has_interval &&
			    (!best || of->p < best->of[result->metric].p))
				best = pair;
		}
		if (!best)
			return;
		last = best->of[result->metric].p * (double)left;
		least = fmin(fmax(least, last), 1.0);
		best->p_holm = least;
	}
}

static int judge_pairs(const struct es_compare *compare, const struct es_trials *trials,
		       const struct es_trials_order *order, struct es_compare_result *result)
{
	int r = 0;

	result->pairs = calloc(result->n_groups + 1, sizeof(*result->pairs));
	if (!result->pairs)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < result->n_groups; i++) {
		struct es_compare_pair *pair = &result->pairs[result->n_pairs];

		if (i == result->reference || result->groups[i].is_left_out)
			continue;
		pair->group = i;
		r = judge_pair(compare, trials, order, result->reference, pair);
		result->n_pairs++;
	}
	if (r == 0)
		adjust(result);
	return r;
}

static bool lies_below(const struct es_interval *a, const struct es_interval *b)
{
	return a->method != ES_INTERVAL_NONE && b->method != ES_INTERVAL_NONE && a->high < b->low;
}

/* Who is better in both; surely where the intervals of both lie apart. */
static void find_better(struct es_compare_result *result, struct es_compare_group *group)
{
	for (size_t i = 0; i < result->n_groups && !group->is_surely; i++) {
		const struct es_compare_group *other = &result->groups[i];
		const struct es_interval *time = &other->of[ES_TRIAL_TIME],
					 *energy = &other->of[ES_TRIAL_ENERGY];

		if (!other->is_in_plane || other == group ||
		    time->mean > group->of[ES_TRIAL_TIME].mean ||
		    energy->mean > group->of[ES_TRIAL_ENERGY].mean)
			continue;
		group->is_surely = lies_below(time, &group->of[ES_TRIAL_TIME]) &&
				   lies_below(energy, &group->of[ES_TRIAL_ENERGY]);
		if (group->is_surely || other->is_front)
			group->by = i;
	}
}

static int find_front(struct es_compare_result *result)
{
	es_cleanup(es_freep) struct es_opt_point *points =
		calloc(result->n_groups + 1, sizeof(*points));
	es_cleanup(es_freep) size_t *which = calloc(result->n_groups + 1, sizeof(*which));
	size_t n = 0;
	int r;

	result->front = calloc(result->n_groups + 1, sizeof(*result->front));
	if (!points || !which || !result->front)
		return -ENOMEM;
	for (size_t i = 0; i < result->n_groups; i++) {
		struct es_compare_group *group = &result->groups[i];
		const struct es_interval *of = group->of;

		group->is_in_plane = !group->is_left_out && of[ES_TRIAL_TIME].n &&
				     of[ES_TRIAL_ENERGY].n && of[ES_TRIAL_TIME].mean > 0 &&
				     of[ES_TRIAL_ENERGY].mean > 0;
		if (!group->is_in_plane)
			continue;
		points[n] =
			(struct es_opt_point){ of[ES_TRIAL_TIME].mean, of[ES_TRIAL_ENERGY].mean };
		which[n++] = i;
	}
	if (n == 0)
		return 0;
	r = es_opt_front(points, n, result->front, &result->n_front);
	for (size_t i = 0; r == 0 && i < result->n_front; i++) {
		result->front[i] = which[result->front[i]];
		result->groups[result->front[i]].is_front = true;
	}
	for (size_t i = 0; r == 0 && i < result->n_groups; i++)
		if (result->groups[i].is_in_plane && !result->groups[i].is_front)
			find_better(result, &result->groups[i]);
	return r;
}

static int check_above(const struct es_trials *trials, const struct es_compare_result *result,
		       struct es_error *err)
{
	for (size_t i = 0; i < result->n_groups && result->metric == ES_TRIAL_ABOVE; i++)
		if (i != result->reference && !result->groups[i].is_left_out &&
		    es_compare_is_one_machine(trials, result->reference, i))
			return es_error_say(
				err, -EINVAL,
				"--metric above: '%.60s' and '%.60s' are the same program on the same node, as far as is known; a slower run holds the node for longer, and its idle energy is part of what that costs: compare the energy",
				result->groups[result->reference].name, result->groups[i].name);
	return 0;
}

static int judge_sorted(const struct es_compare *compare, const struct es_trials *trials,
			const struct es_trials_order *order, const enum es_compare_fate *fates,
			struct es_compare_result *ret, struct es_error *err)
{
	int r = take_groups(compare, trials, order, fates, ret);

	if (r < 0)
		return es_error_set(err, r, "cannot compare");
	if (ret->n_groups && ret->groups[ret->reference].is_left_out)
		return es_error_say(err, -ENODATA,
				    "nothing to compare with: '%.100s' is left out: %s",
				    ret->groups[ret->reference].name,
				    ret->groups[ret->reference].why_left_out);
	r = choose_metric(compare, trials, ret, err);
	if (r == 0)
		r = check_above(trials, ret, err);
	if (r < 0)
		return r;
	r = judge_pairs(compare, trials, order, ret);
	if (r == 0)
		r = find_front(ret);
	if (r == 0)
		r = es_compare_remarks(compare, trials, ret);
	return r < 0 ? es_error_set(err, r, "cannot compare") : 0;
}

int es_compare_judge(const struct es_compare *compare, const struct es_trials *trials,
		     const enum es_compare_fate *fates, struct es_compare_result *ret,
		     struct es_error *err)
{
	struct es_trials_order order = { .runs = NULL };
	int r = es_trials_sort(trials, &order);

	ret->n_groups = trials->n_groups;
	ret->groups = calloc(trials->n_groups + 1, sizeof(*ret->groups));
	if (r < 0 || !ret->groups) {
		ret->n_groups = 0;
		r = es_error_set(err, -ENOMEM, "cannot compare");
	} else {
		r = judge_sorted(compare, trials, &order, fates, ret, err);
	}
	es_trials_order_finish(&order);
	return r;
}
