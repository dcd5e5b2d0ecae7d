/*
 * place.c - which configuration runs on which class of servers, for the least energy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "opt/place.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "opt/place_private.h"

static int64_t best_time(const struct es_place_problem *problem, size_t i)
{
	int64_t best = INT64_MAX;

	for (size_t j = 0; j < problem->m; j++)
		if (problem->energy_nkwh[i * problem->m + j] > 0 &&
		    problem->time_us[i * problem->m + j] < best)
			best = problem->time_us[i * problem->m + j];
	return best;
}

/* The share is a decimal: what is right at the limit is within it. */
bool es_place_is_slow(int64_t time_us, int64_t best_us, int64_t slowdown_ppm)
{
	return slowdown_ppm >= 0 &&
	       (double)(time_us - best_us) >
		       (double)best_us * ((double)slowdown_ppm / 1e6) * (1 + 1e-12);
}

void es_place_limit(const struct es_place_problem *problem, const struct es_place_limits *limits,
		    uint8_t *ret_why)
{
	for (size_t i = 0; i < problem->n; i++) {
		int64_t best_us = limits->best_us    ? limits->best_us[i]
				  : problem->time_us ? best_time(problem, i)
						     : 0;
		int64_t deadline_us = limits->deadline_us ? limits->deadline_us[i] : 0;

		for (size_t j = 0; j < problem->m; j++) {
			size_t cell = i * problem->m + j;
			int64_t time_us = problem->time_us ? problem->time_us[cell] : 0;
			enum es_place_why why = ES_PLACE_OPEN;

			if (problem->energy_nkwh[cell] <= 0)
				why = ES_PLACE_UNKNOWN;
			else if (limits->is_forbidden && limits->is_forbidden[cell])
				why = ES_PLACE_FORBIDDEN;
			else if (problem->time_us &&
				 es_place_is_slow(time_us, best_us, limits->slowdown_ppm))
				why = ES_PLACE_SLOW;
			else if (deadline_us > 0 && time_us > deadline_us)
				why = ES_PLACE_LATE;
			else if ((problem->is_by_time ? time_us : 1) > problem->room[j])
				why = ES_PLACE_LARGE;
			ret_why[cell] = (uint8_t)why;
		}
	}
}

int64_t es_place_sum(const struct es_place_problem *problem, const uint32_t *at)
{
	int64_t sum = 0;

	for (size_t i = 0; i < problem->n; i++)
		sum += problem->energy_nkwh[i * problem->m + at[i]];
	return sum;
}

static int64_t greedy(const struct es_place_problem *problem, uint32_t *at)
{
	int64_t used[ES_PLACE_CLASSES_MAX] = { 0 };

	for (size_t i = 0; i < problem->n; i++) {
		const int64_t *energy_nkwh = problem->energy_nkwh + i * problem->m;
		size_t to = problem->m;

		for (size_t j = 0; j < problem->m; j++)
			if (es_place_is_open(problem, i, j) && es_place_fits(problem, used, i, j) &&
			    (to == problem->m || energy_nkwh[j] < energy_nkwh[to]))
				to = j;
		if (to == problem->m)
			return -1;
		at[i] = (uint32_t)to;
		used[to] += es_place_takes(problem, i, to);
	}
	return es_place_sum(problem, at);
}

static bool has_somewhere(const struct es_place_problem *problem, size_t i)
{
	for (size_t j = 0; j < problem->m; j++)
		if (es_place_is_open(problem, i, j))
			return true;
	return false;
}

/* Energies are whole numbers, and none is below 0. */
static double bound_of(const struct es_place_prices *prices)
{
	return fmax(ceil(prices->least - prices->doubt), 0);
}

static void take_bound(struct es_place *place, enum es_place_bound from, double bound)
{
	place->bound = ES_PLACE_BOUND_EXACT;
	place->bound_nkwh = place->energy_nkwh;
	if (!(bound < (double)place->energy_nkwh))
		return;
	place->bound = from;
	place->bound_nkwh = (int64_t)bound;
}

static int by_time(const struct es_place_problem *problem, struct es_place *place,
		   struct es_place_lack *lack)
{
	struct es_place_prices prices = { .least = -1 };
	int64_t best_nkwh = place->greedy_nkwh;
	bool is_whole = false;
	int r = es_place_price(problem, &prices, place->at, &best_nkwh);

	if (r == 0)
		r = es_place_search(problem, &prices, place->at, &best_nkwh, &is_whole);
	if (r < 0)
		return r;
	if (best_nkwh < 0) {
		es_place_explain(problem, lack);
		lack->is_certain = lack->is_certain || is_whole ||
				   prices.least - prices.doubt > prices.most;
		return -ENOSPC;
	}
	place->energy_nkwh = place->bound_nkwh = best_nkwh;
	place->method = is_whole ? ES_PLACE_BY_SEARCH : ES_PLACE_BY_BOUND;
	if (!is_whole)
		take_bound(place, ES_PLACE_BOUND_PRICES, bound_of(&prices));
	return 0;
}

int es_place_solve(const struct es_place_problem *problem, struct es_place *ret,
		   struct es_place_lack *ret_lack)
{
	struct es_place place = { .method = ES_PLACE_BY_FLOW };
	struct es_place_lack lack = { .is_certain = true, .configuration = SIZE_MAX };
	es_cleanup(es_freep) uint32_t *at = NULL;
	int r = 0;

	if (problem->n == 0 || problem->n > ES_PLACE_CONFIGURATIONS_MAX || problem->m == 0 ||
	    problem->m > ES_PLACE_CLASSES_MAX || (problem->is_by_time && !problem->time_us))
		return -EINVAL;
	for (size_t i = 0; i < problem->n; i++) {
		if (!has_somewhere(problem, i)) {
			lack.configuration = i;
			*ret_lack = lack;
			return -ENOSPC;
		}
	}
	at = calloc(problem->n, sizeof(*at));
	if (!at)
		return -ENOMEM;
	place.at = at;
	place.greedy_nkwh = greedy(problem, at);
	if (problem->is_by_time) {
		r = by_time(problem, &place, &lack);
	} else {
		r = es_place_flow(problem, at, &lack);
		if (r == 0)
			place.energy_nkwh = place.bound_nkwh = es_place_sum(problem, at);
	}
	if (r == -ENOSPC)
		*ret_lack = lack;
	if (r < 0)
		return r;
	place.at = es_steal_ptr(at);
	*ret = place;
	return 0;
}

static bool is_usable(const struct es_place_problem *problem, const struct es_place_hint *hint)
{
	for (size_t j = 0; j < problem->m; j++)
		if (!isfinite(hint->price[j]) || hint->price[j] < 0)
			return false;
	for (size_t i = 0; i < problem->n; i++)
		if (hint->at[i] >= problem->m || !es_place_is_open(problem, i, hint->at[i]))
			return false;
	return true;
}

static void take_better(struct es_place *place, const struct es_place_prices *prices,
			int64_t best_nkwh, bool is_whole)
{
	enum es_place_bound from = place->bound;
	double own = (double)place->bound_nkwh, bound = bound_of(prices);
	bool is_cheaper = !place->at || best_nkwh < place->energy_nkwh;

	if (!place->at || bound > own) {
		from = ES_PLACE_BOUND_HINT;
		own = bound;
	}
	if (!place->at)
		place->greedy_nkwh = -1;
	place->energy_nkwh = best_nkwh;
	if (is_cheaper)
		place->method = ES_PLACE_BY_HINT;
	if (is_whole) {
		place->method = ES_PLACE_BY_SEARCH;
		own = (double)best_nkwh;
	}
	take_bound(place, from, own);
}

int es_place_resume(const struct es_place_problem *problem, const struct es_place_hint *hint,
		    struct es_place *place, struct es_place_lack *lack)
{
	es_cleanup(es_freep) uint32_t *at = calloc(problem->n, sizeof(*at));
	struct es_place_prices prices = { .least = -1 };
	int64_t best_nkwh = place->at ? place->energy_nkwh : -1;
	bool is_whole = false;
	int r;

	if (!problem->is_by_time || !is_usable(problem, hint))
		return -EINVAL;
	if (!at)
		return -ENOMEM;
	if (place->at)
		memcpy(at, place->at, problem->n * sizeof(*at));
	r = es_place_price_hint(problem, hint, &prices, at, &best_nkwh);
	if (r == 0)
		r = es_place_search(problem, &prices, at, &best_nkwh, &is_whole);
	if (r < 0)
		return r;
	if (best_nkwh < 0) {
		lack->is_certain = lack->is_certain || is_whole ||
				   prices.least - prices.doubt > prices.most;
		return -ENOSPC;
	}
	take_better(place, &prices, best_nkwh, is_whole);
	free(place->at);
	place->at = es_steal_ptr(at);
	return 0;
}

void es_place_finish(struct es_place *place)
{
	free(place->at);
	place->at = NULL;
}
