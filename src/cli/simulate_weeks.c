/*
 * simulate_weeks.c - policies compared week by week: sums of each, and intervals from resampled weeks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>

#include "base/parse.h"
#include "cli/simulate_compare.h"

#define SEED 1 /* of the resampled weeks: the same bytes again */
#define MS_PER_S 1000
#define WEEK_MS (INT64_C(1000) * ES_WEEK_S)

static bool is_of_jobs(enum es_policies_measure measure)
{
	return measure == ES_POLICIES_WAIT || measure == ES_POLICIES_SLOWDOWN;
}

static bool is_known(const struct es_policies *compare, enum es_policies_measure measure)
{
	for (size_t i = 0; i < compare->n; i++) {
		const struct es_simulate *sim = &compare->sims[i];

		if ((!is_of_jobs(measure) && !sim->power.is_known) ||
		    (measure == ES_POLICIES_GRAMS && !sim->has_grams) ||
		    (measure == ES_POLICIES_COST && !sim->has_cost))
			return false;
	}
	return true;
}

static int make_weeks(struct es_policies *compare)
{
	int64_t first_s = compare->sims[0].totals.first_submit_s, last_s = first_s;

	for (size_t i = 0; i < compare->n; i++)
		if (compare->sims[i].totals.last_end_s > last_s)
			last_s = compare->sims[i].totals.last_end_s;
	compare->n_weeks = (size_t)(last_s / ES_WEEK_S) + 1;
	if (compare->n_weeks > ES_WEEKS_MAX)
		return -E2BIG;
	compare->jobs = calloc(compare->n_weeks, sizeof(double));
	compare->shares = calloc(compare->n_weeks, sizeof(double));
	if (!compare->jobs || !compare->shares)
		return -ENOMEM;
	for (size_t week = 0; week < compare->n_weeks; week++) {
		int64_t from_s = (int64_t)week * ES_WEEK_S, to_s = from_s + ES_WEEK_S;

		from_s = from_s > first_s ? from_s : first_s;
		to_s = to_s < last_s ? to_s : last_s;
		if (to_s > from_s)
			compare->shares[week] = (double)(to_s - from_s) / ES_WEEK_S;
	}
	for (size_t i = 0; i < compare->n; i++)
		for (size_t m = 0; m < ES_POLICIES_N_MEASURES; m++) {
			compare->sums[i][m] = calloc(compare->n_weeks, sizeof(double));
			if (!compare->sums[i][m])
				return -ENOMEM;
		}
	return 0;
}

static void sum_jobs(struct es_policies *compare, size_t i)
{
	const struct es_simulate_course *course = &compare->sims[i].course;

	for (size_t k = 0; k < course->n_starts; k++) {
		const struct es_simulate_start *job = &course->starts[k];
		size_t week = (size_t)(job->submit_s / ES_WEEK_S);
		double run_s = (double)(job->end_s - job->start_s);
		double waited_s = (double)(job->start_s - job->submit_s);
		double slower =
			(waited_s + run_s) / (run_s > ES_SIM_SHORT_S ? run_s : ES_SIM_SHORT_S);

		compare->jobs[week] += i == 0;
		compare->sums[i][ES_POLICIES_WAIT][week] += waited_s;
		compare->sums[i][ES_POLICIES_SLOWDOWN][week] += slower > 1 ? slower : 1;
	}
}

/* What is drawn at one power within one week. */
static void sum_level(struct es_policies *compare, size_t i, double watts, int64_t from_ms,
		      int64_t to_ms)
{
	const struct es_simulate *sim = &compare->sims[i];
	size_t week = (size_t)(from_ms / WEEK_MS);
	double joules = watts * (double)(to_ms - from_ms) / MS_PER_S;
	/* A part of a second is told as of that second. */
	int64_t from_s = from_ms / MS_PER_S, to_s = (to_ms + MS_PER_S - 1) / MS_PER_S;

	compare->sums[i][ES_POLICIES_ENERGY][week] += joules / ES_J_PER_KWH;
	if (watts > compare->sums[i][ES_POLICIES_PEAK][week])
		compare->sums[i][ES_POLICIES_PEAK][week] = watts;
	if (sim->has_grams)
		compare->sums[i][ES_POLICIES_GRAMS][week] +=
			es_simulate_rates_of(&sim->carbon.rates, joules, from_s, to_s);
	if (sim->has_cost)
		compare->sums[i][ES_POLICIES_COST][week] +=
			es_simulate_rates_of(&sim->price.rates, joules, from_s, to_s);
}

static void sum_machine(struct es_policies *compare, size_t i)
{
	const struct es_simulate_course *course = &compare->sims[i].course;
	int64_t mw = 0, at_ms = 0;

	for (size_t k = 0; k < course->n_changes; k++) {
		const struct es_simulate_change *change = &course->changes[k];

		while (at_ms < change->t_ms) {
			int64_t to_ms = (at_ms / WEEK_MS + 1) * WEEK_MS;

			to_ms = to_ms < change->t_ms ? to_ms : change->t_ms;
			if (mw > 0)
				sum_level(compare, i, (double)mw / 1e3, at_ms, to_ms);
			at_ms = to_ms;
		}
		mw += change->by.jobs_mw + change->by.rest_mw;
	}
}

static int differ(struct es_policies *compare, size_t i, enum es_policies_measure measure,
		  struct es_week *weeks)
{
	struct es_policies_change *change = &compare->changes[i][measure];
	const double *a = compare->sums[0][measure], *b = compare->sums[i][measure];
	double n = 0, sum_a = 0, sum_b = 0;
	int r;

	change->is_known = is_known(compare, measure);
	if (!change->is_known)
		return 0;
	for (size_t week = 0; week < compare->n_weeks; week++) {
		bool is_used = compare->shares[week] > 0;

		weeks[week] = (struct es_week){ .n = is_of_jobs(measure) ? compare->jobs[week]
						     : measure == ES_POLICIES_PEAK
							     ? is_used
							     : compare->shares[week],
						.a = a[week],
						.b = b[week] };
		n += weeks[week].n;
		sum_a += a[week];
		sum_b += b[week];
	}
	r = es_weeks_compare(weeks, compare->n_weeks, SEED, &change->by);
	if (r == -ENODATA) { /* no time passes */
		change->is_known = false;
		return 0;
	}
	change->has_interval = r == 0;
	change->reference = sum_a / n;
	change->value = sum_b / n;
	return r < 0 ? r : 0;
}

int es_policies_weeks(struct es_policies *compare)
{
	struct es_week *weeks;
	int r = make_weeks(compare);

	if (r < 0)
		return r;
	weeks = calloc(compare->n_weeks, sizeof(*weeks));
	if (!weeks)
		return -ENOMEM;
	for (size_t i = 0; i < compare->n; i++) {
		sum_jobs(compare, i);
		sum_machine(compare, i);
	}
	for (size_t i = 1; i < compare->n && r == 0; i++)
		for (int m = 0; m < ES_POLICIES_N_MEASURES && r == 0; m++)
			r = differ(compare, i, (enum es_policies_measure)m, weeks);
	free(weeks);
	return r;
}

void es_policies_finish(struct es_policies *compare)
{
	for (size_t i = 0; i < ES_POLICIES_MAX; i++) {
		es_simulate_finish(&compare->sims[i]);
		for (size_t m = 0; m < ES_POLICIES_N_MEASURES; m++)
			free(compare->sums[i][m]);
	}
	free(compare->jobs);
	free(compare->shares);
	*compare = (struct es_policies){ .n = 0 };
}
