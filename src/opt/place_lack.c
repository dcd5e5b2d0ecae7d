/*
 * place_lack.c - placing by time: which classes are too small for those that may run only there
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "opt/place_private.h"

#define LIMITED_MAX 10U /* so many classes in all their sets; of more, one by one */

static uint64_t open_classes(const struct es_place_problem *problem, size_t i)
{
	uint64_t set = 0;

	for (size_t j = 0; j < problem->m; j++)
		if (es_place_is_open(problem, i, j))
			set |= UINT64_C(1) << j;
	return set;
}

/* True where those that may run only in @set take more than it has, each where it takes the least. */
static bool is_short(const struct es_place_problem *problem, uint64_t set,
		     struct es_place_lack *lack)
{
	double room = 0; /* rooms may be as large as they like */

	lack->n_only = 0;
	lack->need = 0;
	for (size_t j = 0; j < problem->m; j++)
		if (set >> j & 1)
			room += (double)problem->room[j];
	for (size_t i = 0; i < problem->n; i++) {
		int64_t least_us = INT64_MAX;

		if (open_classes(problem, i) & ~set)
			continue;
		for (size_t j = 0; j < problem->m; j++)
			if (es_place_is_open(problem, i, j) &&
			    es_place_takes(problem, i, j) < least_us)
				least_us = es_place_takes(problem, i, j);
		lack->need += least_us;
		lack->n_only++;
	}
	if ((double)lack->need <= room)
		return false;
	lack->room = (int64_t)room;
	for (size_t j = 0; j < problem->m; j++)
		lack->classes[j] = set >> j & 1;
	return true;
}

static bool any_is_short(const struct es_place_problem *problem, const size_t *limited, size_t n,
			 struct es_place_lack *lack)
{
	for (size_t a = 0; a < n; a++)
		if (is_short(problem, UINT64_C(1) << limited[a], lack))
			return true;
	for (size_t of = 2; of <= n && n <= LIMITED_MAX; of++) {
		for (unsigned subset = 1; subset < 1U << n; subset++) {
			uint64_t set = 0;

			if ((size_t)__builtin_popcount(subset) != of)
				continue;
			for (size_t k = 0; k < n; k++)
				if (subset >> k & 1)
					set |= UINT64_C(1) << limited[k];
			if (is_short(problem, set, lack))
				return true;
		}
	}
	return false;
}

void es_place_explain(const struct es_place_problem *problem, struct es_place_lack *lack)
{
	size_t limited[ES_PLACE_CLASSES_MAX], n = 0;

	for (size_t j = 0; j < problem->m; j++)
		if (problem->room[j] != ES_PLACE_ENDLESS)
			limited[n++] = j;
	lack->is_certain = any_is_short(problem, limited, n, lack);
	if (lack->is_certain)
		return;
	lack->n_only = 0;
	for (size_t k = 0; k < n; k++)
		lack->classes[limited[k]] = true;
}
