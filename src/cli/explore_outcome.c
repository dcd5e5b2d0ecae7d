/*
 * explore_outcome.c - what came of a study: results, intervals, judgements, the front and the best
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/explore.h"
#include "opt/front.h"

/* A run whose recording cannot be read says nothing; the next call measures it again. */
static int read_run(struct es_explore *study, size_t member, size_t round, struct es_error *err)
{
	const struct es_trials_ask ask = { .command = ES_EXPLORE_COMMAND };
	struct es_explore_run *run = &study->members[member].runs[round - 1];
	char path[ES_PATH_MAX_BYTES];
	struct es_error why = { .code = 0 };
	size_t n_before = study->trials.n;
	int r = es_explore_recording(study, member, round, path);

	if (r == 0)
		r = es_trials_read(&study->trials, path, study->members[member].id, &ask,
				   &study->chain, &why);
	if (r == -ENOMEM)
		return es_error_set(err, r, "cannot keep the runs");
	if (r < 0 || study->trials.n == n_before) {
		(void)es_complain(ES_EXPLORE_COMMAND, 0, "%s, left out: explore again measures it",
				  r < 0 ? why.text : path);
		*run = (struct es_explore_run){ .trial = ES_EXPLORE_NONE };
		return study->is_report ? 0 : es_explore_journal_run(study, member, round, err);
	}
	run->trial = n_before;
	return 0;
}

static int read_member(struct es_explore *study, size_t i, struct es_error *err)
{
	struct es_explore_member *member = &study->members[i];
	int group = es_trials_group(&study->trials, member->id), r = 0;

	if (group < 0)
		return es_error_set(err, group, "cannot keep the runs");
	member->group = (size_t)group;
	for (size_t round = 1; r == 0 && round <= study->n_rounds; round++)
		if (member->runs[round - 1].is_done &&
		    member->runs[round - 1].result == ES_EXPLORE_OK)
			r = read_run(study, i, round, err);
	return r;
}

static const char *first_digest(const struct es_explore_member *member, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (member->runs[i].digest[0])
			return member->runs[i].digest;
	return "";
}

static void fail(struct es_explore_member *member, enum es_explore_result result, const char *why)
{
	if (member->result != ES_EXPLORE_OK && member->result != ES_EXPLORE_NOT_RUN)
		return; /* the first reason */
	member->result = result;
	(void)snprintf(member->reason, sizeof(member->reason), "%s", why);
	es_text_make_safe(member->reason, false); /* of the specification, or of the journal */
}

static void judge_outputs(const struct es_explore *study, struct es_explore_member *member)
{
	const struct es_explore_member *reference = &study->members[study->reference];
	const char *wanted = first_digest(reference, study->n_rounds);

	if (!study->spec.n_outputs || member->result != ES_EXPLORE_OK)
		return;
	if (!*wanted)
		fail(member, ES_EXPLORE_NOT_COMPARED, "the reference has no outputs to compare");
	for (size_t i = 0; i < study->n_rounds; i++)
		if (member->runs[i].digest[0] && strcmp(member->runs[i].digest, wanted) != 0)
			fail(member, ES_EXPLORE_DIFFERS,
			     member == reference
				     ? "its outputs are others in each run: a check or a quality fits better"
				     : "its outputs are not those of the reference");
}

/* Each run must keep it: a mean would hide the one that does not. */
static void judge_quality(const struct es_explore *study, struct es_explore_member *member)
{
	double sum = 0;
	size_t n = 0;
	char text[80];

	for (size_t i = 0; i < study->n_rounds; i++) {
		const struct es_explore_run *run = &member->runs[i];

		if (!run->has_quality)
			continue;
		sum += run->quality;
		n++;
		if (es_quality_holds(&study->spec.limit, run->quality))
			continue;
		(void)snprintf(text, sizeof(text), "round %zu: quality %.6g", i + 1, run->quality);
		fail(member, ES_EXPLORE_QUALITY_MISSED, text);
	}
	member->has_quality = n > 0;
	member->quality = n ? sum / (double)n : 0;
}

static void judge_result(const struct es_explore *study, struct es_explore_member *member)
{
	const struct es_explore_build *build =
		member->build == ES_EXPLORE_NONE ? NULL : &study->builds[member->build];
	char text[sizeof(member->reason)];

	member->result = ES_EXPLORE_NOT_RUN;
	if (build && build->is_failed)
		fail(member, ES_EXPLORE_BUILD_FAILED, build->reason);
	for (size_t i = 0; i < study->n_rounds; i++) {
		const struct es_explore_run *run = &member->runs[i];

		if (!run->is_done)
			continue;
		member->n_ok += run->result == ES_EXPLORE_OK;
		member->n_failed += run->result != ES_EXPLORE_OK;
		if (run->result == ES_EXPLORE_OK && member->result == ES_EXPLORE_NOT_RUN)
			member->result = ES_EXPLORE_OK;
		if (run->result == ES_EXPLORE_OK)
			continue;
		(void)snprintf(text, sizeof(text), "round %zu: %s", i + 1, run->reason);
		fail(member, run->result, text);
	}
	judge_outputs(study, member);
	if (study->spec.quality.text)
		judge_quality(study, member);
}

/* @is_known is set where the member has values; its change against the reference where that has some, too. */
static int judge_metric(const struct es_explore *study, const struct es_explore_member *member,
			enum es_trial_metric metric, bool *ret_is_known, struct es_judgement *ret)
{
	const struct es_judge_wish wish = {
		.seed = 1,
		.has_limit = metric == ES_TRIAL_TIME && isfinite(study->slowdown_share),
		.limit = isfinite(study->slowdown_share) ? study->slowdown_share : 0,
	};
	es_cleanup(es_freep) double *own = NULL, *others = NULL;
	size_t n = 0, n_others = 0;
	int r = es_trials_values(&study->trials, member->group, metric, &own, &n);

	*ret = (struct es_judgement){ .has_change = false };
	if (r == 0)
		r = es_trials_values(&study->trials, study->members[study->reference].group, metric,
				     &others, &n_others);
	if (r < 0 || n == 0)
		return r;
	*ret_is_known = true;
	if (n_others)
		return es_judge(others, n_others, own, n, &wish, ret);
	return es_interval_of(own, n, wish.seed, &ret->b);
}

/* Named, never left out: what made a run slow may be what is to be seen. */
static int find_far_off(const struct es_explore *study, const struct es_explore_member *member,
			enum es_trial_metric metric)
{
	es_cleanup(es_freep) double *values = calloc(study->n_rounds, sizeof(*values));
	es_cleanup(es_freep) size_t *rounds = calloc(study->n_rounds, sizeof(*rounds));
	es_cleanup(es_freep) bool *is_far = calloc(study->n_rounds, sizeof(*is_far));
	size_t n = 0;
	int r;

	if (!values || !rounds || !is_far)
		return -ENOMEM;
	for (size_t i = 0; i < study->n_rounds; i++)
		if (member->runs[i].trial != ES_EXPLORE_NONE &&
		    es_trial_value(&study->trials.trials[member->runs[i].trial], metric,
				   &values[n]))
			rounds[n++] = i;
	r = es_far_off(values, n, is_far);
	for (size_t i = 0; r > 0 && i < n; i++)
		member->runs[rounds[i]].is_far_off |= is_far[i];
	return r < 0 ? r : 0;
}

/* All or none: joules of which some may not be compared would compare nothing. */
static const char *why_no_energy(const struct es_explore *study)
{
	const char *why = "no run has told its energy";
	bool is_any = false;

	for (size_t i = 0; i < study->n; i++) {
		if (study->members[i].result != ES_EXPLORE_OK)
			continue;
		if (!es_trials_can_compare_energy(&study->trials, study->members[i].group, &why))
			return why;
		is_any = true;
	}
	return is_any ? NULL : why;
}

static bool is_eligible(const struct es_explore *study, size_t i)
{
	const struct es_explore_member *member = &study->members[i];

	return member->result == ES_EXPLORE_OK && member->has_time && member->time.b.mean > 0 &&
	       (study->no_energy || (member->has_energy && member->energy.b.mean > 0));
}

static int choose(struct es_explore *study)
{
	es_cleanup(es_freep) struct es_opt_point *points = calloc(study->n, sizeof(*points));
	es_cleanup(es_freep) size_t *who = calloc(study->n, sizeof(*who));
	size_t n = 0, reference = ES_EXPLORE_NONE, fastest = 0;
	double depth = 0;
	int r;

	study->front = calloc(study->n, sizeof(*study->front));
	if (!points || !who || !study->front)
		return -ENOMEM;
	for (size_t i = 0; i < study->n; i++) {
		const struct es_explore_member *member = &study->members[i];

		if (!is_eligible(study, i))
			continue;
		if (i == study->reference)
			reference = n;
		who[n] = i;
		points[n] = (struct es_opt_point){ member->time.b.mean,
						   study->no_energy ? 1 : member->energy.b.mean };
		if (points[n].time < points[fastest].time)
			fastest = n;
		n++;
	}
	if (n == 0)
		return 0;
	study->fastest = who[fastest];
	if (study->no_energy)
		return 0;
	r = es_opt_front(points, n, study->front, &study->n_front);
	if (r < 0)
		return r;
	study->knee = who[es_opt_knee(points, study->front, study->n_front, &depth)];
	if (!(depth > 0))
		study->knee = ES_EXPLORE_NONE;
	for (size_t i = 0; i < study->n_front; i++)
		study->front[i] = who[study->front[i]];
	for (int i = 0; i < ES_OPT_N_OBJECTIVES; i++) {
		const struct es_opt_wish any = { (enum es_opt_objective)i, INFINITY };

		study->best[i] = who[es_opt_choose(
			points, n, reference == ES_EXPLORE_NONE ? fastest : reference, &any)];
	}
	if (isfinite(study->slowdown_share) && reference != ES_EXPLORE_NONE) {
		const struct es_opt_wish limit = { ES_OPT_ENERGY, study->slowdown_share };

		study->within = who[es_opt_choose(points, n, reference, &limit)];
	}
	return 0;
}

int es_explore_conclude(struct es_explore *study, struct es_error *err)
{
	int r = 0;

	study->knee = study->within = study->fastest = ES_EXPLORE_NONE;
	for (int i = 0; i < ES_OPT_N_OBJECTIVES; i++)
		study->best[i] = ES_EXPLORE_NONE;
	for (size_t i = 0; r == 0 && i < study->n; i++)
		r = read_member(study, i, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < study->n; i++)
		judge_result(study, &study->members[i]);
	study->no_energy = why_no_energy(study);
	for (size_t i = 0; r == 0 && i < study->n; i++) {
		struct es_explore_member *member = &study->members[i];

		r = judge_metric(study, member, ES_TRIAL_TIME, &member->has_time, &member->time);
		if (r == 0)
			r = find_far_off(study, member, ES_TRIAL_TIME);
		if (r == 0 && !study->no_energy)
			r = find_far_off(study, member, ES_TRIAL_ENERGY);
		if (r == 0 && !study->no_energy)
			r = judge_metric(study, member, ES_TRIAL_ENERGY, &member->has_energy,
					 &member->energy);
	}
	if (r == 0)
		r = choose(study);
	return r < 0 ? es_error_set(err, r, "cannot compare the configurations") : 0;
}
