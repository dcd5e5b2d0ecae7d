/*
 * tune_plan.c - what a search on the live machine would have cost, and found: golden section replayed on a table
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/tune.h"
#include "core/draw.h"
#include "opt/search.h"

#define REPLAYS 1000U
#define FINALISTS 2U /* times more, each */
#define PERCENT 100.0
#define DEAR 1e3 /* times the reference's cost: of settings beyond the limit */

struct candidate {
	double value, cost;
	double time;
};

static double uniform(uint64_t *state)
{
	return ((double)(es_draw_bits(state) >> 11) + 0.5) / 0x1p53;
}

static double normal(uint64_t *state)
{
	double radius = sqrt(-2 * log(uniform(state)));

	return radius * cos(2 * M_PI * uniform(state));
}

static int by_value(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

static int by_time(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return (x->time > y->time) - (x->time < y->time);
}

/* In the order in which a search would go through them: by their numbers, words by their times. */
static void set_candidates(const struct es_tune *tune, const struct es_tune_answer *answer,
			   struct candidate *ret)
{
	const struct es_opt_point *reference = &answer->points[answer->reference];
	double limit = reference->time * (1 + tune->wish.slowdown) * (1 + 1e-12);

	for (size_t i = 0; i < answer->n; i++) {
		const struct es_opt_point *point = &answer->points[i];
		double cost = es_opt_cost(point, tune->wish.objective);

		/* The slower the dearer: the search is led back to where it may be. */
		if (point->time > limit)
			cost = DEAR * es_opt_cost(reference, tune->wish.objective) * point->time /
			       limit;
		ret[i] = (struct candidate){ answer->rows[i].value, cost, point->time };
	}
	qsort(ret, answer->n, sizeof(*ret), tune->has_numbers ? by_value : by_time);
}

/* @most: the reference's cost. A winner is held against it at last, and given up where it is dearer or too slow. */
static int replay(const struct candidate *candidates, size_t n, double noise, double most,
		  uint64_t *state, struct es_tune_plan *plan)
{
	struct es_opt_search search;
	double least = INFINITY, loss;
	size_t i, n_settings = 0;
	int r = es_opt_search_init(&search, n, FINALISTS);

	if (r < 0)
		return r;
	while (es_opt_search_next(&search, &i)) {
		/* Noise never makes a measurement 0. */
		double factor = fmax(1e-3, 1 + noise * normal(state));

		es_opt_search_tell(&search, i, candidates[i].cost * factor);
		plan->evaluations++;
	}
	for (size_t k = 0; k < n; k++) {
		least = fmin(least, candidates[k].cost);
		n_settings += search.measured[k].n > 0;
	}
	loss = fmin(candidates[es_opt_search_best(&search)].cost, most) / least - 1;
	plan->settings += (double)n_settings;
	plan->loss += loss;
	plan->loss_max = fmax(plan->loss_max, loss);
	plan->found += !(loss > 0);
	es_opt_search_finish(&search);
	return 0;
}

int es_tune_replay(const struct es_tune *tune, struct es_tune_answer *answer)
{
	es_cleanup(es_freep) struct candidate *candidates = calloc(answer->n, sizeof(*candidates));
	struct es_tune_plan plan = { .replays = tune->noise_share > 0 ? REPLAYS : 1,
				     .n = answer->n };
	double most = es_opt_cost(&answer->points[answer->reference], tune->wish.objective);
	uint64_t state = tune->seed_number;
	int r = 0;

	if (!candidates)
		return -ENOMEM;
	set_candidates(tune, answer, candidates);
	for (size_t i = 0; r == 0 && i < plan.replays; i++)
		r = replay(candidates, answer->n, tune->noise_share, most, &state, &plan);
	plan.evaluations /= (double)plan.replays;
	plan.settings /= (double)plan.replays;
	plan.loss /= (double)plan.replays;
	plan.found /= (double)plan.replays;
	answer->plan = plan;
	return r;
}

void es_tune_plan_text(const struct es_tune *tune, const struct es_tune_answer *answer,
		       struct es_buf *out)
{
	const struct es_tune_plan *plan = &answer->plan;

	if (!tune->has_plan)
		return;
	(void)es_buf_printf(
		out,
		"plan: golden section measures %.1f of %zu settings in %.1f runs, its two best %u times more; ",
		plan->settings, plan->n, plan->evaluations, FINALISTS);
	if (plan->replays > 1)
		(void)es_buf_printf(
			out,
			"at %g %% noise it ends at the best in %.0f %% of %zu replays, %.2f %% off on average, %.2f %% at most\n",
			PERCENT * tune->noise_share, PERCENT * plan->found, plan->replays,
			PERCENT * plan->loss, PERCENT * plan->loss_max);
	else
		(void)es_buf_printf(out, "without noise it ends %.2f %% off the best\n",
				    PERCENT * plan->loss);
}

void es_tune_plan_json(const struct es_tune *tune, const struct es_tune_answer *answer,
		       struct es_json *json)
{
	const struct es_tune_plan *plan = &answer->plan;

	if (!tune->has_plan)
		return;
	es_json_object(json, "plan");
	es_json_double(json, "noise", tune->noise_share);
	es_json_u64(json, "replays", plan->replays);
	es_json_u64(json, "settings", plan->n);
	es_json_double(json, "settings_measured", plan->settings);
	es_json_double(json, "evaluations", plan->evaluations);
	es_json_double(json, "loss", plan->loss);
	es_json_double(json, "loss_max", plan->loss_max);
	es_json_double(json, "found", plan->found);
	es_json_object_end(json);
}
