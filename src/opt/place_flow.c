/*
 * place_flow.c - placing by the number of configurations: a flow of least cost, by shortest augmenting paths
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Configurations come in one by one. After each, the placement of those in so far is the cheapest there is; so the next
 * one goes along the shortest path into a class with room: into a full class, out of which another moves on. A path
 * goes through classes, not configurations: between two classes only the cheapest mover counts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "opt/place_private.h"

#define FAR INT64_MAX

struct flow {
	const struct es_place_problem *problem;
	uint32_t *at;
	int64_t used[ES_PLACE_CLASSES_MAX];
	bool is_stale[ES_PLACE_CLASSES_MAX]; /* its movers are not known */
	int64_t step[ES_PLACE_CLASSES_MAX]
		    [ES_PLACE_CLASSES_MAX]; /* nkWh more when its cheapest mover moves */
	uint32_t mover[ES_PLACE_CLASSES_MAX][ES_PLACE_CLASSES_MAX];
	int64_t far[ES_PLACE_CLASSES_MAX];
	size_t from[ES_PLACE_CLASSES_MAX]; /* [class]; the number of classes: the newcomer itself */
};

static bool is_full(const struct flow *flow, size_t j)
{
	return flow->problem->room[j] != ES_PLACE_ENDLESS &&
	       flow->used[j] >= flow->problem->room[j];
}

static void find_movers(struct flow *flow, size_t a, size_t n)
{
	const struct es_place_problem *problem = flow->problem;

	for (size_t j = 0; j < problem->m; j++)
		flow->step[a][j] = FAR;
	for (size_t i = 0; i < n; i++) {
		const int64_t *energy_nkwh = problem->energy_nkwh + i * problem->m;

		if (flow->at[i] != a)
			continue;
		for (size_t j = 0; j < problem->m; j++) {
			if (j == a || !es_place_is_open(problem, i, j) ||
			    energy_nkwh[j] - energy_nkwh[a] >= flow->step[a][j])
				continue;
			flow->step[a][j] = energy_nkwh[j] - energy_nkwh[a];
			flow->mover[a][j] = (uint32_t)i;
		}
	}
	flow->is_stale[a] = false;
}

/* One round of Bellman and Ford: steps may be negative, rounds of them never are. */
static bool shorten(struct flow *flow, size_t n)
{
	size_t m = flow->problem->m;
	bool is_shorter = false;

	for (size_t a = 0; a < m; a++) {
		if (flow->far[a] == FAR || !is_full(flow, a))
			continue; /* where there is room the path ends */
		if (flow->is_stale[a])
			find_movers(flow, a, n);
		for (size_t j = 0; j < m; j++) {
			if (flow->step[a][j] == FAR ||
			    flow->far[a] + flow->step[a][j] >= flow->far[j])
				continue;
			flow->far[j] = flow->far[a] + flow->step[a][j];
			flow->from[j] = a;
			is_shorter = true;
		}
	}
	return is_shorter;
}

static size_t find_path(struct flow *flow, size_t i)
{
	const struct es_place_problem *problem = flow->problem;
	size_t m = problem->m, cheapest = m, end = m;

	for (size_t j = 0; j < m; j++) {
		bool is_open = es_place_is_open(problem, i, j);

		flow->far[j] = is_open ? problem->energy_nkwh[i * m + j] : FAR;
		flow->from[j] = m;
		if (is_open && (cheapest == m || flow->far[j] < flow->far[cheapest]))
			cheapest = j;
	}
	/* No way on from a class is negative, since the placement is the cheapest: nothing is shorter than this. */
	if (!is_full(flow, cheapest))
		return cheapest;
	for (size_t round = 0; round < m && shorten(flow, i); round++)
		;
	for (size_t j = 0; j < m; j++)
		if (flow->far[j] != FAR && !is_full(flow, j) &&
		    (end == m || flow->far[j] < flow->far[end]))
			end = j;
	return end;
}

static void walk(struct flow *flow, size_t i, size_t end)
{
	size_t m = flow->problem->m, j = end;

	flow->used[end]++;
	while (flow->from[j] != m) {
		size_t a = flow->from[j];

		flow->at[flow->mover[a][j]] = (uint32_t)j;
		flow->is_stale[j] = true;
		j = a;
	}
	flow->at[i] = (uint32_t)j;
	flow->is_stale[j] = true;
}

/* What the newcomer could reach is full, and all that is in there can go nowhere else. */
static void tell(const struct flow *flow, struct es_place_lack *lack)
{
	const struct es_place_problem *problem = flow->problem;

	for (size_t j = 0; j < problem->m; j++) {
		lack->classes[j] = flow->far[j] != FAR;
		if (lack->classes[j])
			lack->room += problem->room[j];
	}
	for (size_t i = 0; i < problem->n; i++) {
		bool is_only = true;

		for (size_t j = 0; j < problem->m && is_only; j++)
			is_only = lack->classes[j] || !es_place_is_open(problem, i, j);
		lack->n_only += is_only;
	}
	lack->need = (int64_t)lack->n_only;
}

int es_place_flow(const struct es_place_problem *problem, uint32_t *at, struct es_place_lack *lack)
{
	es_cleanup(es_freep) struct flow *flow = calloc(1, sizeof(*flow));

	if (!flow)
		return -ENOMEM;
	flow->problem = problem;
	flow->at = at;
	for (size_t j = 0; j < problem->m; j++)
		flow->is_stale[j] = true;
	for (size_t i = 0; i < problem->n; i++) {
		size_t end = find_path(flow, i);

		if (end == problem->m) {
			tell(flow, lack);
			return -ENOSPC;
		}
		walk(flow, i, end);
	}
	return 0;
}
