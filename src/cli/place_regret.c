/*
 * place_regret.c - energyscopium place: what a placement costs each configuration, and choices that noise could turn
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "cli/place.h"

#define SWAPS_MAX 3000U /* configurations among which pairs are tried */

size_t es_placing_best(const struct es_placing *placing, size_t i)
{
	const struct es_place_problem *problem = &placing->problem;
	const int64_t *energy_nkwh = problem->energy_nkwh + i * problem->m;
	size_t best = placing->place.at[i];

	for (size_t j = 0; j < problem->m; j++)
		if (problem->why[i * problem->m + j] == ES_PLACE_OPEN &&
		    energy_nkwh[j] < energy_nkwh[best])
			best = j;
	return best;
}

int64_t es_placing_regret(const struct es_placing *placing, size_t i)
{
	const int64_t *energy_nkwh = placing->problem.energy_nkwh + i * placing->problem.m;

	return energy_nkwh[placing->place.at[i]] - energy_nkwh[es_placing_best(placing, i)];
}

int64_t es_placing_alone(const struct es_placing *placing)
{
	int64_t sum = 0;

	for (size_t i = 0; i < placing->problem.n; i++)
		sum += placing->problem
			       .energy_nkwh[i * placing->problem.m + es_placing_best(placing, i)];
	return sum;
}

struct rooms {
	const struct es_placing *placing;
	int64_t used[ES_PLACE_CLASSES_MAX];
};

static int64_t takes(const struct es_place_problem *problem, size_t i, size_t j)
{
	return problem->is_by_time ? problem->time_us[i * problem->m + j] : 1;
}

static bool is_open(const struct es_place_problem *problem, size_t i, size_t j)
{
	return problem->why[i * problem->m + j] == ES_PLACE_OPEN;
}

/* Class @j when @in comes and @out (SIZE_MAX: none) goes. */
static bool fits(const struct rooms *rooms, size_t j, size_t in, size_t out)
{
	const struct es_place_problem *problem = &rooms->placing->problem;
	int64_t used = rooms->used[j] - (out == SIZE_MAX ? 0 : takes(problem, out, j));

	return problem->room[j] == ES_PLACE_ENDLESS ||
	       takes(problem, in, j) <= problem->room[j] - used;
}

/* Half the width of a cell's interval, squared; false: it has none. */
static bool add_noise(const struct es_placing *placing, size_t i, size_t j, double *sum)
{
	const struct es_interval *interval =
		&placing->cells[i * placing->problem.m + j].energy_nkwh;
	double half;

	if (interval->method == ES_INTERVAL_NONE)
		return false;
	half = fmax(interval->high - interval->mean, interval->mean - interval->low);
	*sum += half * half;
	return true;
}

/* @i goes to @j, and @with (SIZE_MAX: nobody) comes to where it was. False: the difference is told by the measurements. */
static bool is_tie(const struct es_placing *placing, size_t i, size_t j, size_t with,
		   struct es_place_tie *ret)
{
	const struct es_place_problem *problem = &placing->problem;
	const int64_t *e = problem->energy_nkwh;
	size_t m = problem->m, from = placing->place.at[i];
	int64_t more = e[i * m + j] - e[i * m + from];
	double square = 0;

	if (with != SIZE_MAX)
		more += e[with * m + from] - e[with * m + j];
	if (!add_noise(placing, i, from, &square) || !add_noise(placing, i, j, &square) ||
	    (with != SIZE_MAX &&
	     (!add_noise(placing, with, from, &square) || !add_noise(placing, with, j, &square))))
		return false;
	*ret = (struct es_place_tie){ i, j, with, more, sqrt(square) };
	return fabs((double)more) <= ret->noise_nkwh;
}

static void take_nearer(const struct es_place_tie *tie, struct es_place_tie *best)
{
	if (best->at == SIZE_MAX || llabs(tie->more_nkwh) < llabs(best->more_nkwh))
		*best = *tie;
}

/* Of all that @i could do, alone or with one that is named after it, what is nearest in energy. */
static void find_tie(const struct rooms *rooms, size_t i, struct es_place_tie *best)
{
	const struct es_placing *placing = rooms->placing;
	const struct es_place_problem *problem = &placing->problem;
	size_t from = placing->place.at[i];
	struct es_place_tie tie;

	for (size_t j = 0; j < problem->m; j++)
		if (j != from && is_open(problem, i, j) && fits(rooms, j, i, SIZE_MAX) &&
		    is_tie(placing, i, j, SIZE_MAX, &tie))
			take_nearer(&tie, best);
	for (size_t k = i + 1; k < problem->n && problem->n <= SWAPS_MAX; k++) {
		size_t j = placing->place.at[k];

		if (j != from && is_open(problem, i, j) && is_open(problem, k, from) &&
		    fits(rooms, j, i, k) && fits(rooms, from, k, i) &&
		    is_tie(placing, i, j, k, &tie))
			take_nearer(&tie, best);
	}
}

int es_placing_find_ties(struct es_placing *placing)
{
	const struct es_place_problem *problem = &placing->problem;
	struct rooms rooms = { .placing = placing };

	if (!placing->cells)
		return 0;
	placing->ties = calloc(problem->n, sizeof(*placing->ties));
	if (!placing->ties)
		return -ENOMEM;
	for (size_t i = 0; i < problem->n; i++)
		rooms.used[placing->place.at[i]] += takes(problem, i, placing->place.at[i]);
	for (size_t i = 0; i < problem->n; i++) {
		struct es_place_tie best = { .at = SIZE_MAX };

		find_tie(&rooms, i, &best);
		if (best.at != SIZE_MAX)
			placing->ties[placing->n_ties++] = best;
	}
	return 0;
}
