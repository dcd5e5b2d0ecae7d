/*
 * compare_remarks.c - what must be said beside the numbers, lest they say more than they know
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/compare.h"

/* One that is empty is not known, and goes with all. */
static bool differ(const char *a, const char *b)
{
	return a[0] && b[0] && strcmp(a, b) != 0;
}

/* The first run that counts whose text differs from that of the first; NULL: none. */
static const struct es_trial *find_other(const struct es_trials *trials, size_t offset,
					 const struct es_trial **ret_first)
{
	const struct es_trial *first = NULL;

	for (size_t i = 0; i < trials->n; i++) {
		const struct es_trial *trial = &trials->trials[i];
		const char *text = (const char *)trial + offset;

		if (trial->is_failed || text[0] == '\0')
			continue;
		if (!first)
			first = trial;
		else if (differ((const char *)first + offset, text)) {
			*ret_first = first;
			return trial;
		}
	}
	return NULL;
}

bool es_compare_same_cover(const struct es_trials *trials)
{
	const struct es_trial *first;

	return !find_other(trials, offsetof(struct es_trial, cover), &first);
}

bool es_compare_is_one_machine(const struct es_trials *trials, size_t a, size_t b)
{
	for (size_t i = 0; i < trials->n; i++) {
		const struct es_trial *x = &trials->trials[i];

		for (size_t k = 0; x->group == a && !x->is_failed && k < trials->n; k++) {
			const struct es_trial *y = &trials->trials[k];

			if (y->group == b && !y->is_failed && !differ(x->node, y->node) &&
			    !differ(x->command, y->command))
				return true;
		}
	}
	return false;
}

static int remark_joules(const struct es_trials *trials, struct es_compare_result *result)
{
	const struct es_trial *first = NULL, *other;
	int r = 0;

	other = find_other(trials, offsetof(struct es_trial, kind), &first);
	if (other)
		r = es_compare_remark(
			result, "kinds",
			"joules of different kinds are held against each other: %s (%.60s) and %s (%.60s)",
			first->kind, first->name, other->kind, other->name);
	other = find_other(trials, offsetof(struct es_trial, cover), &first);
	if (r == 0 && other)
		r = es_compare_remark(
			result, "covers",
			"joules of different parts of the machine: '%.100s' (%.60s) and '%.100s' (%.60s)%s",
			first->cover, first->name, other->cover, other->name,
			result->metric == ES_TRIAL_TIME ? ": time is compared" : "");
	for (size_t i = 0; r == 0 && i < trials->n; i++) {
		const struct es_trial *trial = &trials->trials[i];

		if (trial->is_failed || !trial->lacks || !trial->has_energy)
			continue;
		r = es_compare_remark(result, "partial",
				      "the joules of '%.60s' (%.60s) are not all that it used: %s",
				      trial->name, trials->groups[trial->group], trial->lacks);
		break;
	}
	other = find_other(trials, offsetof(struct es_trial, node), &first);
	if (r == 0 && other && result->metric != ES_TRIAL_TIME)
		r = es_compare_remark(
			result, "nodes",
			"runs on different nodes (%.60s, %.60s): like processors differ too; compare the runs of each node by themselves",
			first->node, other->node);
	other = find_other(trials, offsetof(struct es_trial, factor_id), &first);
	if (r == 0 && other)
		r = es_compare_remark(
			result, "factors",
			"grams of CO2 are not compared: they are by different factors (%.60s, %.60s)",
			first->factor_id, other->factor_id);
	return r;
}

/* Why energy does not decide though nobody chose another metric. */
static int remark_metric(const struct es_compare *compare, struct es_compare_result *result)
{
	if (compare->has_metric)
		return 0;
	for (size_t i = 0; i < result->n_groups; i++)
		if (result->groups[i].why_no_energy && !result->groups[i].is_left_out)
			return es_compare_remark(
				result, "no_energy",
				"energy: no meter here can see this difference; '%.100s': %s",
				result->groups[i].name, result->groups[i].why_no_energy);
	return 0;
}

/* First and last start of a group's runs; false where one is not known, or there are fewer than two. */
static bool times_of(const struct es_trials *trials, size_t group, int64_t *ret_first,
		     int64_t *ret_last)
{
	size_t n = 0;

	for (size_t i = 0; i < trials->n; i++) {
		const struct es_trial *trial = &trials->trials[i];

		if (trial->group != group || trial->is_failed)
			continue;
		if (!trial->start_unix_ns)
			return false;
		if (n == 0 || trial->start_unix_ns < *ret_first)
			*ret_first = trial->start_unix_ns;
		if (n == 0 || trial->start_unix_ns > *ret_last)
			*ret_last = trial->start_unix_ns;
		n++;
	}
	return n > 1;
}

static int remark_order(const struct es_trials *trials, struct es_compare_result *result)
{
	for (size_t i = 0; i < result->n_pairs; i++) {
		int64_t a_first = 0, a_last = 0, b_first = 0, b_last = 0;

		if (!times_of(trials, result->reference, &a_first, &a_last) ||
		    !times_of(trials, result->pairs[i].group, &b_first, &b_last) ||
		    (a_last >= b_first && b_last >= a_first))
			continue;
		return es_compare_remark(
			result, "not_interleaved",
			"all runs of '%.60s' were %s those of '%.60s': a machine that draws more or less by the hour looks like a difference; run them by turns",
			result->groups[result->reference].name,
			a_last < b_first ? "before" : "after",
			result->groups[result->pairs[i].group].name);
	}
	return 0;
}

static int remark_far_off(const struct es_compare *compare, const struct es_trials *trials,
			  struct es_compare_result *result)
{
	char names[200] = "";
	size_t used = 0, n = 0, n_named = 0;
	char more[40] = "";

	if (trials != &compare->trials)
		return 0;
	for (size_t i = 0; i < trials->n; i++) {
		int wrote;

		if (!compare->is_far_off[i])
			continue;
		n++;
		wrote = snprintf(names + used, sizeof(names) - used, "%s%.60s (%.40s)",
				 used ? ", " : "", trials->trials[i].name,
				 trials->groups[trials->trials[i].group]);
		if (wrote > 0 && (size_t)wrote < sizeof(names) - used) {
			used += (size_t)wrote;
			n_named++;
		}
		names[used] = '\0';
	}
	if (n == 0)
		return 0;
	if (n > n_named)
		(void)snprintf(more, sizeof(more), " and %zu more", n - n_named);
	return es_compare_remark(result, "far_off", "%zu run%s far from the others of %s: %s%s; %s",
				 n, n == 1 ? " is" : "s are", n == 1 ? "its group" : "their groups",
				 names, more,
				 compare->drops_outliers ? "left out (--outliers drop)"
							 : "kept (--outliers drop leaves out)");
}

static int remark_counts(const struct es_compare *compare, const struct es_trials *trials,
			 struct es_compare_result *result)
{
	bool is_whole = trials == &compare->trials;
	size_t n_single = 0, n_doubtful = 0;
	int r = 0;

	for (size_t i = 0; i < result->n_groups; i++)
		n_single += !result->groups[i].is_left_out &&
			    result->groups[i].of[result->metric].n == 1;
	if (n_single && result->n_groups > 1 && is_whole)
		r = es_compare_remark(
			result, "single_runs",
			"one run shows no spread, so nothing can be decided; measure several of each by turns: energyscopium run --repeat 5 --vs …");
	if (r == 0 && trials->n_twice && is_whole)
		r = es_compare_remark(
			result, "twice",
			"%zu file%s given again (a recording and its eprofile are one run): counted once",
			trials->n_twice, trials->n_twice == 1 ? " was" : "s were");
	if (r == 0 && trials->n_shared && is_whole)
		r = es_compare_remark(
			result, "shared",
			"%zu run%s in more than one group: held against %s, a group looks more like another than it is",
			trials->n_shared, trials->n_shared == 1 ? " is" : "s are",
			trials->n_shared == 1 ? "itself" : "themselves");
	for (size_t i = 0; i < result->n_pairs; i++) {
		const struct es_compare_pair *pair = &result->pairs[i];
		enum es_verdict verdict = pair->of[result->metric].verdict;

		n_doubtful += (verdict == ES_VERDICT_LOWER || verdict == ES_VERDICT_HIGHER) &&
			      pair->p_holm > 0.05;
	}
	if (r == 0 && n_doubtful)
		r = es_compare_remark(
			result, "many",
			"%zu comparisons at once: one in 20 finds a difference that is not there, and %zu of those found may be such (p by Holm's rule above 0.05)",
			result->n_pairs, n_doubtful);
	return r;
}

static int remark_above(const struct es_compare *compare, const struct es_trials *trials,
			struct es_compare_result *result)
{
	if (result->metric == ES_TRIAL_ABOVE)
		return es_compare_remark(
			result, "above",
			"energy above idle decides, as was asked: it tells code from code, and is no cost: who waits for the slower one pays for the idle machine as well");
	for (size_t i = 0; trials == &compare->trials && i < result->n_pairs; i++)
		if (result->pairs[i].has[ES_TRIAL_ABOVE] &&
		    es_compare_is_one_machine(trials, result->reference, result->pairs[i].group))
			return es_compare_remark(
				result, "above_not_judged",
				"energy above idle is shown, and decides nothing: on one machine a slower run costs the idle power for longer");
	return 0;
}

/* A change that is smaller than what the meters leave open of each run. */
static int remark_bounds(struct es_compare_result *result)
{
	for (size_t i = 0; i < result->n_pairs; i++) {
		const struct es_compare_pair *pair = &result->pairs[i];
		const struct es_compare_group *group = &result->groups[pair->group];
		double change = pair->of[ES_TRIAL_ENERGY].change;

		if (!pair->has[ES_TRIAL_ENERGY] || !pair->of[ES_TRIAL_ENERGY].has_change ||
		    result->metric == ES_TRIAL_TIME)
			continue;
		if (group->bound_share > (change < 0 ? -change : change))
			return es_compare_remark(
				result, "bounds",
				"'%.100s': the joules of each run are known to ±%.2g %% only, which is more than the change; what errs the same way in all runs cancels, the rest does not",
				group->name, 100 * group->bound_share);
	}
	return 0;
}

int es_compare_remarks(const struct es_compare *compare, const struct es_trials *trials,
		       struct es_compare_result *result)
{
	int r = remark_metric(compare, result);

	if (r == 0)
		r = remark_joules(trials, result);
	if (r == 0 && trials == &compare->trials)
		r = remark_order(trials, result);
	if (r == 0)
		r = remark_far_off(compare, trials, result);
	if (r == 0)
		r = remark_counts(compare, trials, result);
	if (r == 0)
		r = remark_above(compare, trials, result);
	return r < 0 ? r : remark_bounds(result);
}
