/*
 * place_price.c - placing by time: a bound by prices, and placements rounded from it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * With a price on each µs of a class every configuration chooses alone, and what they pay less what all room would cost
 * is below the energy of any placement (a Lagrangian relaxation of room). The best prices give the same bound as the
 * relaxed linear program: each class costs nothing or is used up. Prices go along the excess, in steps after Polyak.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "opt/place_private.h"

#define ROUNDS 1500U
#define PATIENCE 25U /* rounds without a better bound until steps get shorter */
#define STEP_LEAST 1e-4
#define CELLS 600000000U /* looked at over all rounds, but for the first few */
#define ROUNDS_LEAST 100U
#define LOOKS 100000000U /* at configurations, over all repairs: seconds at most */

struct pricing {
	const struct es_place_problem *problem;
	struct es_place_prices *prices; /* the best */
	struct es_place_prices now;
	uint32_t *at, *best_at;
	int64_t used[ES_PLACE_CLASSES_MAX];
	int64_t *best_nkwh;
	uint64_t looks; /* left */
};

static void count_used(struct pricing *p)
{
	memset(p->used, 0, sizeof(p->used));
	for (size_t i = 0; i < p->problem->n; i++)
		p->used[p->at[i]] += es_place_takes(p->problem, i, p->at[i]);
}

/* Each configuration alone, at these prices. */
static void choose(struct pricing *p)
{
	const struct es_place_problem *problem = p->problem;
	double sum = 0, room = 0;

	for (size_t i = 0; i < problem->n; i++) {
		double least = INFINITY;

		for (size_t j = 0; j < problem->m; j++) {
			double priced;

			if (!es_place_is_open(problem, i, j))
				continue;
			priced = es_place_priced(problem, &p->now, i, j);
			if (priced < least) {
				least = priced;
				p->at[i] = (uint32_t)j;
			}
		}
		sum += least;
	}
	for (size_t j = 0; j < problem->m; j++)
		if (problem->room[j] != ES_PLACE_ENDLESS)
			room += p->now.of_us[j] * (double)problem->room[j];
	p->now.of_room = room;
	p->now.least = sum - room;
	p->now.doubt = (sum + room) * 4e-16 * (double)(problem->n + problem->m);
	count_used(p);
}

/* The one that is cheapest to take out of class @a, by what it costs for each µs; false: none can go. */
static bool move_one(struct pricing *p, size_t a)
{
	const struct es_place_problem *problem = p->problem;
	size_t who = problem->n, to = 0;
	double least = INFINITY;

	for (size_t i = 0; i < problem->n; i++) {
		const int64_t *energy_nkwh = problem->energy_nkwh + i * problem->m;

		if (p->at[i] != a)
			continue;
		for (size_t j = 0; j < problem->m; j++) {
			double cost;

			if (j == a || !es_place_is_open(problem, i, j) ||
			    !es_place_fits(problem, p->used, i, j))
				continue;
			/* What takes more than is too much gains no more than that. */
			cost = (double)(energy_nkwh[j] - energy_nkwh[a]) /
			       fmin((double)es_place_takes(problem, i, a),
				    (double)(p->used[a] - problem->room[a]));
			if (cost < least) {
				least = cost;
				who = i;
				to = j;
			}
		}
	}
	p->looks -= p->looks < problem->n * 2 ? p->looks : problem->n * 2;
	if (who == problem->n)
		return false;
	p->used[a] -= es_place_takes(problem, who, a);
	p->used[to] += es_place_takes(problem, who, to);
	p->at[who] = (uint32_t)to;
	return true;
}

static bool repair(struct pricing *p)
{
	for (size_t a = 0; a < p->problem->m; a++)
		while (p->used[a] > p->problem->room[a])
			if (p->looks == 0 || !move_one(p, a))
				return false;
	return true;
}

static bool shift(struct pricing *p, size_t i)
{
	const struct es_place_problem *problem = p->problem;
	const int64_t *energy_nkwh = problem->energy_nkwh + i * problem->m;
	size_t a = p->at[i], to = a;

	for (size_t j = 0; j < problem->m; j++)
		if (es_place_is_open(problem, i, j) && energy_nkwh[j] < energy_nkwh[to] &&
		    es_place_fits(problem, p->used, i, j))
			to = j;
	if (to == a)
		return false;
	p->used[a] -= es_place_takes(problem, i, a);
	p->used[to] += es_place_takes(problem, i, to);
	p->at[i] = (uint32_t)to;
	return true;
}

static bool has_room_for(const struct pricing *p, size_t j, size_t in, size_t out)
{
	return p->problem->room[j] == ES_PLACE_ENDLESS ||
	       p->used[j] - es_place_takes(p->problem, out, j) +
			       es_place_takes(p->problem, in, j) <=
		       p->problem->room[j];
}

/* Two change places. */
static bool swap(struct pricing *p, size_t i, size_t k)
{
	const struct es_place_problem *problem = p->problem;
	const int64_t *x = problem->energy_nkwh + i * problem->m;
	const int64_t *y = problem->energy_nkwh + k * problem->m;
	size_t a = p->at[i], b = p->at[k];

	if (a == b || x[b] + y[a] >= x[a] + y[b] || !es_place_is_open(problem, i, b) ||
	    !es_place_is_open(problem, k, a) || !has_room_for(p, a, k, i) ||
	    !has_room_for(p, b, i, k))
		return false;
	p->used[a] += es_place_takes(problem, k, a) - es_place_takes(problem, i, a);
	p->used[b] += es_place_takes(problem, i, b) - es_place_takes(problem, k, b);
	p->at[i] = (uint32_t)b;
	p->at[k] = (uint32_t)a;
	return true;
}

static void improve(struct pricing *p)
{
	bool is_better = true;

	while (is_better && p->looks > 0) {
		is_better = false;
		p->looks -= p->looks < p->problem->n ? p->looks : p->problem->n;
		for (size_t i = 0; i < p->problem->n; i++)
			is_better = shift(p, i) || is_better;
		for (size_t i = 0; i < p->problem->n && p->looks > 0; i++) {
			for (size_t k = 0; k < i; k++)
				is_better = swap(p, i, k) || is_better;
			p->looks -= p->looks < i + 1 ? p->looks : i + 1;
		}
	}
}

static void round_off(struct pricing *p)
{
	int64_t sum;

	if (p->looks == 0 || !repair(p))
		return;
	improve(p);
	sum = es_place_sum(p->problem, p->at);
	if (*p->best_nkwh >= 0 && sum >= *p->best_nkwh)
		return;
	*p->best_nkwh = sum;
	memcpy(p->best_at, p->at, p->problem->n * sizeof(*p->at));
}

/* Towards the excess, in shares of each class's room; false: every class that costs is used up, the prices are best. */
static bool step(struct pricing *p, double length, const int64_t *used)
{
	const struct es_place_problem *problem = p->problem;
	double target = *p->best_nkwh >= 0 ? (double)*p->best_nkwh : p->now.most, square = 0, along;
	double excess[ES_PLACE_CLASSES_MAX] = { 0 };

	for (size_t j = 0; j < problem->m; j++) {
		if (problem->room[j] == ES_PLACE_ENDLESS || problem->room[j] == 0)
			continue;
		excess[j] = (double)used[j] / (double)problem->room[j] - 1;
		if (excess[j] < 0 && !(p->now.of_us[j] > 0))
			excess[j] = 0;
		square += excess[j] * excess[j];
	}
	if (!(square > 0) || !(target > p->now.least))
		return false;
	along = length * (target - p->now.least) / square;
	for (size_t j = 0; j < problem->m; j++)
		if (excess[j] != 0)
			p->now.of_us[j] = fmax(
				p->now.of_us[j] + along * excess[j] / (double)problem->room[j], 0);
	return true;
}

static void descend(struct pricing *p)
{
	size_t rounds = CELLS / (p->problem->n * p->problem->m);
	double length = 1;
	unsigned idle = 0;

	rounds = rounds < ROUNDS_LEAST ? ROUNDS_LEAST : rounds < ROUNDS ? rounds : ROUNDS;
	for (size_t round = 0; round < rounds && length > STEP_LEAST; round++) {
		int64_t used[ES_PLACE_CLASSES_MAX];
		bool is_better;

		choose(p);
		memcpy(used, p->used, sizeof(used));
		is_better = p->prices->least < 0 || p->now.least > p->prices->least;
		if (is_better)
			*p->prices = p->now;
		if (is_better || round % 16 == 0)
			round_off(p);
		idle = is_better ? 0 : idle + 1;
		if (idle == PATIENCE) {
			length /= 2;
			idle = 0;
			memcpy(p->now.of_us, p->prices->of_us, sizeof(p->now.of_us));
			choose(p);
			memcpy(used, p->used, sizeof(used));
		}
		if (!step(p, length, used))
			return;
	}
}

/* What no placement takes more than. */
static double most_of_all(const struct es_place_problem *problem)
{
	double sum = 0;

	for (size_t i = 0; i < problem->n; i++) {
		int64_t most = 0;

		for (size_t j = 0; j < problem->m; j++)
			if (es_place_is_open(problem, i, j) &&
			    problem->energy_nkwh[i * problem->m + j] > most)
				most = problem->energy_nkwh[i * problem->m + j];
		sum += (double)most;
	}
	return sum;
}

static void round_off_from(struct pricing *p, const uint32_t *at)
{
	memcpy(p->at, at, p->problem->n * sizeof(*at));
	count_used(p);
	round_off(p);
}

int es_place_price(const struct es_place_problem *problem, struct es_place_prices *prices,
		   uint32_t *at, int64_t *best_nkwh)
{
	es_cleanup(es_freep) uint32_t *now = calloc(problem->n, sizeof(*now));
	struct pricing p = { .problem = problem,
			     .prices = prices,
			     .now = { .most = most_of_all(problem) },
			     .at = now,
			     .best_at = at,
			     .best_nkwh = best_nkwh,
			     .looks = LOOKS };

	if (!now)
		return -ENOMEM;
	if (*best_nkwh >= 0)
		round_off_from(&p, at);
	descend(&p);
	return 0;
}

int es_place_price_hint(const struct es_place_problem *problem, const struct es_place_hint *hint,
			struct es_place_prices *prices, uint32_t *at, int64_t *best_nkwh)
{
	es_cleanup(es_freep) uint32_t *now = calloc(problem->n, sizeof(*now));
	struct pricing p = { .problem = problem,
			     .prices = prices,
			     .now = { .most = most_of_all(problem) },
			     .at = now,
			     .best_at = at,
			     .best_nkwh = best_nkwh,
			     .looks = LOOKS };

	if (!now)
		return -ENOMEM;
	memcpy(p.now.of_us, hint->price, problem->m * sizeof(*hint->price));
	choose(&p);
	*prices = p.now;
	round_off(&p);
	round_off_from(&p, hint->at);
	return 0;
}
