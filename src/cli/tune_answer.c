/*
 * tune_answer.c - the best of measured settings, against a reference
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
#include "cli/tune.h"

#define CLIPPED 0.02 /* relative: a clock further off than that is not the one asked for */
#define COARSE 0.005 /* of the least energy: finer steps hide nothing that matters */
#define WHOLE 1e-4 /* how near to a multiple */
#define STEPS_MIN 3U

bool es_tune_has_saving(const struct es_tune_answer *answer)
{
	return answer->chosen != answer->reference;
}

struct es_tune_changes es_tune_changes(const struct es_tune_answer *answer, size_t i)
{
	const struct es_opt_point *point = &answer->points[i],
				  *reference = &answer->points[answer->reference];

	return (struct es_tune_changes){
		es_opt_change(point->time, reference->time),
		es_opt_change(point->energy, reference->energy),
		es_opt_change(es_opt_cost(point, ES_OPT_EDP), es_opt_cost(reference, ES_OPT_EDP)),
		es_opt_change(es_opt_cost(point, ES_OPT_ED2P), es_opt_cost(reference, ES_OPT_ED2P)),
	};
}

static bool is_named(const struct es_tune *tune, const char *cell, double value)
{
	double wanted;

	return strcmp(cell, tune->reference) == 0 ||
	       (tune->has_numbers && es_tune_number(tune->reference, &wanted) &&
		es_tune_same(value, wanted));
}

static size_t fastest(const struct es_tune_answer *answer)
{
	size_t best = 0;

	for (size_t i = 1; i < answer->n; i++) {
		const struct es_opt_point *least = &answer->points[best],
					  *this = &answer->points[i];

		if (this->time < least->time ||
		    (!(this->time > least->time) && this->energy < least->energy))
			best = i;
	}
	return best;
}

/* The words max and min, where no setting is called so. */
static bool find_end(const struct es_tune *tune, const struct es_tune_answer *answer, size_t *ret)
{
	bool is_max = strcmp(tune->reference, "max") == 0;

	if (!tune->has_numbers || (!is_max && strcmp(tune->reference, "min") != 0))
		return false;
	*ret = 0;
	for (size_t i = 1; i < answer->n; i++)
		if (is_max ? answer->rows[i].value > answer->rows[*ret].value
			   : answer->rows[i].value < answer->rows[*ret].value)
			*ret = i;
	return true;
}

static int find_reference(const struct es_tune *tune, struct es_tune_answer *answer,
			  struct es_error *err)
{
	const char *in = answer->group ? " in group '" : "",
		   *group = answer->group ? answer->group : "", *end = answer->group ? "'" : "";
	char all[300] = "";
	size_t used = 0;

	answer->reference = fastest(answer);
	if (!tune->reference)
		return 0;
	for (size_t i = 0; i < answer->n; i++) {
		int n;

		if (is_named(tune, answer->rows[i].cell, answer->rows[i].value)) {
			answer->reference = i;
			return 0;
		}
		n = snprintf(all + used, sizeof(all) - used, "%s%.40s", used ? ", " : "",
			     answer->rows[i].cell);
		used += n > 0 && (size_t)n < sizeof(all) - used ? (size_t)n : 0;
		all[used] = '\0';
	}
	for (size_t i = 0; i < answer->n_left; i++)
		if (is_named(tune, answer->left[i].cell, answer->left[i].value))
			return es_error_say(err, -EINVAL,
					    "--reference '%.60s'%s%.80s%s misses the quality",
					    tune->reference, in, group, end);
	if (find_end(tune, answer, &answer->reference))
		return 0;
	return es_error_say(
		err, -ENOENT,
		"--reference '%.60s' is not in column '%.60s' of '%.200s'%s%.80s%s; there is %s",
		tune->reference, tune->setting, answer->table->path, in, group, end, all);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Meters that count tenths of a watt-hour make steps, and hide what is smaller. */
static int find_step(struct es_tune_answer *answer)
{
	es_cleanup(es_freep) double *energies = calloc(answer->n, sizeof(*energies));
	double step = INFINITY;
	size_t n_steps = 0;

	if (!energies)
		return -ENOMEM;
	for (size_t i = 0; i < answer->n; i++)
		energies[i] = answer->points[i].energy;
	qsort(energies, answer->n, sizeof(*energies), by_value);
	for (size_t i = 1; i < answer->n; i++)
		if (energies[i] - energies[i - 1] > WHOLE * energies[0]) {
			step = fmin(step, energies[i] - energies[i - 1]);
			n_steps++;
		}
	if (n_steps < STEPS_MIN || !(step > COARSE * energies[0]))
		return 0;
	for (size_t i = 0; i < answer->n; i++)
		if (fabs(energies[i] / step - round(energies[i] / step)) > WHOLE * 100)
			return 0;
	answer->step_j = step;
	return 0;
}

static int judge(const struct es_tune_answer *answer, bool is_energy, struct es_judgement *ret)
{
	const struct es_tune_row *rows[2] = { &answer->rows[answer->reference],
					      &answer->rows[answer->chosen] };
	const struct es_judge_wish wish = { .seed = 1 };
	es_cleanup(es_freep) double *a = calloc(rows[0]->n_runs, sizeof(*a));
	es_cleanup(es_freep) double *b = calloc(rows[1]->n_runs, sizeof(*b));

	if (!a || !b)
		return -ENOMEM;
	for (size_t i = 0; i < rows[0]->n_runs; i++)
		a[i] = is_energy ? answer->runs[rows[0]->first_run + i].energy
				 : answer->runs[rows[0]->first_run + i].time;
	for (size_t i = 0; i < rows[1]->n_runs; i++)
		b[i] = is_energy ? answer->runs[rows[1]->first_run + i].energy
				 : answer->runs[rows[1]->first_run + i].time;
	return es_judge(a, rows[0]->n_runs, b, rows[1]->n_runs, &wish, ret);
}

/* Of repeated runs: how sure the changes are. */
static int judge_choice(struct es_tune_answer *answer)
{
	int r;

	if (!es_tune_has_saving(answer) || answer->rows[answer->chosen].n_runs < 2 ||
	    answer->rows[answer->reference].n_runs < 2)
		return 0;
	r = judge(answer, false, &answer->time);
	if (r == 0)
		r = judge(answer, true, &answer->energy);
	answer->has_judgement = r == 0 && answer->time.has_interval && answer->energy.has_interval;
	return r;
}

int es_tune_answer(const struct es_tune *tune, struct es_tune_answer *answer, struct es_error *err)
{
	int r = find_reference(tune, answer, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < answer->n; i++) {
		struct es_tune_row *row = &answer->rows[i];

		row->is_clipped = tune->has_numbers && row->reached > 0 &&
				  fabs(row->reached / row->value - 1) > CLIPPED;
	}
	answer->chosen = es_opt_choose(answer->points, answer->n, answer->reference, &tune->wish);
	for (unsigned i = 0; i < ES_OPT_N_OBJECTIVES; i++) {
		const struct es_opt_wish any = { i, INFINITY };

		answer->best[i] = es_opt_choose(answer->points, answer->n, answer->reference, &any);
	}
	r = es_opt_front(answer->points, answer->n, answer->front, &answer->n_front);
	if (r == 0)
		r = es_tune_clip(tune, answer);
	es_tune_caps(tune, answer);
	if (r == 0)
		r = es_tune_model(tune, answer);
	if (r == 0)
		r = find_step(answer);
	if (r == 0)
		r = judge_choice(answer);
	if (r == 0 && tune->has_plan)
		r = es_tune_replay(tune, answer);
	return r < 0 ? es_error_set(err, r, "cannot compare the settings") : 0;
}
