/*
 * place_search.c - placing by time: branch and bound, in a fixed number of steps
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Depth first; what is below a node is bounded by the prices: all that was chosen at its price, all else at its least.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "opt/place_private.h"

#define STEPS 20000000U

struct choice {
	double priced;
	uint32_t class;
};

/* A configuration, and the classes that are still worth a look, cheapest first. */
struct rank {
	double regret; /* what its second choice costs more */
	size_t configuration;
	size_t first, n; /* of choices */
};

struct search {
	const struct es_place_problem *problem;
	const struct es_place_prices *prices;
	struct choice *choices; /* [n * m] */
	struct rank *ranks; /* [n] */
	double *rest; /* [n + 1] the least that ranks from here on cost */
	double *paid; /* [n + 1] what ranks before this cost, at prices */
	size_t *taken; /* [n] choice of each rank, from 0 */
	uint32_t *at;
	int64_t *best_nkwh;
	int64_t used[ES_PLACE_CLASSES_MAX];
};

static int by_price(const void *a, const void *b)
{
	const struct choice *x = a, *y = b;

	if (x->priced < y->priced || x->priced > y->priced)
		return x->priced < y->priced ? -1 : 1;
	return (x->class > y->class) - (x->class < y->class);
}

static int by_regret(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->regret > y->regret || x->regret < y->regret)
		return x->regret > y->regret ? -1 : 1;
	return (x->configuration > y->configuration) - (x->configuration < y->configuration);
}

/* Energies are whole numbers: what is bounded above one less than the best cannot be better. */
static bool is_hopeless(const struct search *search, double bound)
{
	return *search->best_nkwh >= 0 &&
	       bound - search->prices->doubt > (double)(*search->best_nkwh - 1);
}

static void rank_one(struct search *search, size_t i, size_t *n_choices)
{
	const struct es_place_problem *problem = search->problem;
	struct choice *choices = search->choices + *n_choices;
	struct rank *rank = &search->ranks[i];
	size_t n = 0, kept = 0;

	for (size_t j = 0; j < problem->m; j++)
		if (es_place_is_open(problem, i, j))
			choices[n++] =
				(struct choice){ es_place_priced(problem, search->prices, i, j),
						 (uint32_t)j };
	qsort(choices, n, sizeof(*choices), by_price);
	while (kept < n && !is_hopeless(search, search->prices->least + choices[kept].priced -
							choices[0].priced))
		kept++;
	*rank = (struct rank){ .configuration = i, .first = *n_choices, .n = kept };
	rank->regret = n > 1 ? choices[1].priced - choices[0].priced : 1e300;
	*n_choices += n;
}

static void prepare(struct search *search)
{
	size_t n = search->problem->n, n_choices = 0;

	for (size_t i = 0; i < n; i++)
		rank_one(search, i, &n_choices);
	qsort(search->ranks, n, sizeof(*search->ranks), by_regret);
	search->rest[n] = -search->prices->of_room;
	for (size_t k = n; k-- > 0;)
		search->rest[k] =
			search->rest[k + 1] + search->choices[search->ranks[k].first].priced;
}

static void keep(struct search *search)
{
	int64_t sum = 0;

	for (size_t k = 0; k < search->problem->n; k++) {
		const struct rank *rank = &search->ranks[k];

		sum += search->problem
			       ->energy_nkwh[rank->configuration * search->problem->m +
					     search->choices[rank->first + search->taken[k]].class];
	}
	if (*search->best_nkwh >= 0 && sum >= *search->best_nkwh)
		return;
	*search->best_nkwh = sum;
	for (size_t k = 0; k < search->problem->n; k++) {
		const struct rank *rank = &search->ranks[k];

		search->at[rank->configuration] =
			search->choices[rank->first + search->taken[k]].class;
	}
}

static void use(struct search *search, size_t k, int64_t sign)
{
	const struct rank *rank = &search->ranks[k];
	size_t class = search->choices[rank->first + search->taken[k]].class;

	search->used[class] += sign * es_place_takes(search->problem, rank->configuration, class);
}

/* The next choice of rank @k, from @taken on, that fits and is worth it; false: none. */
static bool take(struct search *search, size_t k)
{
	const struct rank *rank = &search->ranks[k];

	for (; search->taken[k] < rank->n; search->taken[k]++) {
		const struct choice *choice = &search->choices[rank->first + search->taken[k]];

		if (is_hopeless(search, search->paid[k] + choice->priced + search->rest[k + 1]))
			return false; /* those behind it are dearer */
		if (es_place_fits(search->problem, search->used, rank->configuration,
				  choice->class)) {
			search->paid[k + 1] = search->paid[k] + choice->priced;
			use(search, k, 1);
			return true;
		}
	}
	return false;
}

static bool walk(struct search *search)
{
	size_t n = search->problem->n, k = 0;

	search->taken[0] = 0;
	for (unsigned steps = 0; steps < STEPS; steps++) {
		bool is_in = take(search, k);

		if (is_in && k + 1 < n) {
			search->taken[++k] = 0;
			continue;
		}
		if (is_in) {
			keep(search);
			steps += (unsigned)n; /* that looked at all of them */
			use(search, k, -1);
			search->taken[k]++;
			continue;
		}
		if (k == 0)
			return true;
		use(search, --k, -1);
		search->taken[k]++;
	}
	return false;
}

int es_place_search(const struct es_place_problem *problem, const struct es_place_prices *prices,
		    uint32_t *at, int64_t *best_nkwh, bool *ret_is_whole)
{
	es_cleanup(es_freep) struct choice *choices = NULL;
	es_cleanup(es_freep) struct rank *ranks = calloc(problem->n, sizeof(*ranks));
	es_cleanup(es_freep) double *rest = calloc(problem->n + 1, sizeof(*rest));
	es_cleanup(es_freep) double *paid = calloc(problem->n + 1, sizeof(*paid));
	es_cleanup(es_freep) size_t *taken = calloc(problem->n, sizeof(*taken));
	struct search search = { .problem = problem, .prices = prices, .at = at };

	choices = calloc(problem->n * problem->m, sizeof(*choices));
	if (!choices || !ranks || !rest || !paid || !taken)
		return -ENOMEM;
	search.choices = choices;
	search.ranks = ranks;
	search.rest = rest;
	search.paid = paid;
	search.taken = taken;
	search.best_nkwh = best_nkwh;
	prepare(&search);
	*ret_is_whole = walk(&search);
	return 0;
}
