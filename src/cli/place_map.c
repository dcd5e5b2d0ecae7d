/*
 * place_map.c - the matrix of a placement: which rows are shown, and how far each cell is above the row's best
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/place_map.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define MOST_LEAST 0.05
#define MOST_MOST 2.0 /* beyond three times the best all is the same */

struct ranked {
	int64_t regret_nkwh;
	size_t i;
};

static int by_regret(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->regret_nkwh != y->regret_nkwh)
		return x->regret_nkwh > y->regret_nkwh ? -1 : 1;
	return (x->i > y->i) - (x->i < y->i);
}

static int take_largest(struct es_place_map *map)
{
	size_t n = map->placing->problem.n;
	es_cleanup(es_freep) struct ranked *ranked = calloc(n, sizeof(*ranked));

	if (!ranked)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		ranked[i] = (struct ranked){ es_placing_regret(map->placing, i), i };
	qsort(ranked, n, sizeof(*ranked), by_regret);
	map->n_rows = ES_PLACE_MAP_LARGEST;
	map->n_others = n - map->n_rows;
	for (size_t k = 0; k < map->n_rows; k++)
		map->rows[k] = ranked[k].i;
	return 0;
}

/* So that a fifth of it is a plain number. */
static double round_up(double value)
{
	double power = pow(10, floor(log10(value))), times = ceil(value / power - 1e-9);

	return power * (times > 6 ? 10 : times);
}

static bool is_open(const struct es_place_map *map, size_t i, size_t j)
{
	const struct es_place_problem *problem = &map->placing->problem;

	return problem->why[i * problem->m + j] == ES_PLACE_OPEN;
}

int es_place_map_init(struct es_place_map *map, const struct es_placing *placing)
{
	const struct es_place_problem *problem = &placing->problem;
	int r = 0;

	*map = (struct es_place_map){ .placing = placing, .most = MOST_LEAST };
	if (problem->n > ES_PLACE_MAP_ROWS_MAX) {
		r = take_largest(map);
	} else {
		map->n_rows = problem->n;
		for (size_t k = 0; k < problem->n; k++)
			map->rows[k] = k;
	}
	for (size_t k = 0; k < map->n_rows; k++)
		for (size_t j = 0; j < problem->m; j++)
			if (is_open(map, map->rows[k], j))
				map->most =
					fmax(map->most, es_place_map_above(map, map->rows[k], j));
	map->is_cut = map->most > MOST_MOST;
	map->most = fmin(round_up(map->most), MOST_MOST);
	return r;
}

int64_t es_place_map_least(const struct es_place_map *map, size_t i)
{
	const struct es_placing *placing = map->placing;

	return placing->problem.energy_nkwh[i * placing->problem.m + es_placing_best(placing, i)];
}

double es_place_map_above(const struct es_place_map *map, size_t i, size_t j)
{
	const struct es_place_problem *problem = &map->placing->problem;

	return (double)problem->energy_nkwh[i * problem->m + j] /
		       (double)es_place_map_least(map, i) -
	       1;
}

bool es_place_map_is_tie(const struct es_place_map *map, size_t i, size_t j)
{
	const struct es_placing *placing = map->placing;

	for (size_t k = 0; k < placing->n_ties; k++)
		if (placing->ties[k].at == i && placing->ties[k].to == j)
			return true;
	return false;
}

char es_place_map_letter(enum es_place_why why)
{
	static const char letters[] = {
		[ES_PLACE_OPEN] = ' ', [ES_PLACE_UNKNOWN] = '-', [ES_PLACE_FORBIDDEN] = 'f',
		[ES_PLACE_SLOW] = 's', [ES_PLACE_LATE] = 'l',	 [ES_PLACE_LARGE] = 'r',
	};

	return letters[why];
}

const char *es_place_map_reason(enum es_place_why why)
{
	static const char *const reasons[] = {
		[ES_PLACE_OPEN] = "open",
		[ES_PLACE_UNKNOWN] = "no energy known",
		[ES_PLACE_FORBIDDEN] = "forbidden",
		[ES_PLACE_SLOW] = "too slow",
		[ES_PLACE_LATE] = "after the deadline",
		[ES_PLACE_LARGE] = "more than the room",
	};

	return reasons[why];
}
