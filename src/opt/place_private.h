/*
 * place_private.h - what the files of es_place_solve() share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_OPT_PLACE_PRIVATE_H
#define ES_OPT_PLACE_PRIVATE_H

#include "opt/place.h"

#define ES_PLACE_NOWHERE UINT32_MAX

/** struct es_place_prices - a bound by prices: each µs of a class costs, so that none wants more of it than there is */
struct es_place_prices {
	double of_us[ES_PLACE_CLASSES_MAX]; /* nkWh for each µs; never negative */
	double of_room; /* of all classes together */
	double least; /* what no placement is below; -1: not known yet */
	double most; /* no placement is above it: where the bound is, there is none */
	double doubt; /* how far rounding may be off */
};

static inline bool es_place_is_open(const struct es_place_problem *problem, size_t i, size_t j)
{
	return problem->why[i * problem->m + j] == ES_PLACE_OPEN;
}

static inline int64_t es_place_takes(const struct es_place_problem *problem, size_t i, size_t j)
{
	return problem->is_by_time ? problem->time_us[i * problem->m + j] : 1;
}

static inline bool es_place_fits(const struct es_place_problem *problem, const int64_t *used,
				 size_t i, size_t j)
{
	return problem->room[j] == ES_PLACE_ENDLESS ||
	       es_place_takes(problem, i, j) <= problem->room[j] - used[j];
}

static inline double es_place_priced(const struct es_place_problem *problem,
				     const struct es_place_prices *prices, size_t i, size_t j)
{
	size_t cell = i * problem->m + j;

	return (double)problem->energy_nkwh[cell] +
	       prices->of_us[j] * (double)problem->time_us[cell];
}

int64_t es_place_sum(const struct es_place_problem *problem, const uint32_t *at);

/** es_place_flow - room by configurations; 0, -ENOSPC with @lack, -ENOMEM */
int es_place_flow(const struct es_place_problem *problem, uint32_t *at, struct es_place_lack *lack);

/**
 * es_place_price - prices and roundings for room by time
 * @at: the cheapest placement so far and @best_nkwh its energy (-1: none), made better
 * Returns 0 or -ENOMEM.
 */
int es_place_price(const struct es_place_problem *problem, struct es_place_prices *prices,
		   uint32_t *at, int64_t *best_nkwh);

/** es_place_price_hint - the bound that the prices of @hint give, and roundings of its placement and of its prices' choice; as es_place_price() */
int es_place_price_hint(const struct es_place_problem *problem, const struct es_place_hint *hint,
			struct es_place_prices *prices, uint32_t *at, int64_t *best_nkwh);

/** es_place_search - branch and bound from there; @ret_is_whole: it came to its end. Returns 0 or -ENOMEM. */
int es_place_search(const struct es_place_problem *problem, const struct es_place_prices *prices,
		    uint32_t *at, int64_t *best_nkwh, bool *ret_is_whole);

/** es_place_explain - which classes are too small for those that may run only there */
void es_place_explain(const struct es_place_problem *problem, struct es_place_lack *lack);

#endif
