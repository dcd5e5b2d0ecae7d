/*
 * search.c - which setting to measure next, where measurements are noisy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "opt/search.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define GOLDEN 0.61803398874989485
#define NARROW 2U /* settings left and right of one: all are measured */

int es_opt_search_init(struct es_opt_search *search, size_t n, unsigned repeats)
{
	struct es_opt_measured *measured;

	if (n == 0)
		return -EINVAL;
	measured = calloc(n, sizeof(*measured));
	if (!measured)
		return -ENOMEM;
	*search = (struct es_opt_search){ .n = n, .repeats = repeats, .measured = measured };
	return 0;
}

void es_opt_search_finish(struct es_opt_search *search)
{
	free(search->measured);
	*search = (struct es_opt_search){ .n = 0 };
}

static bool is_wanted(const struct es_opt_search *search, size_t i, unsigned times, size_t *ret)
{
	if (search->measured[i].n >= times)
		return false;
	*ret = i;
	return true;
}

static double mean(const struct es_opt_measured *measured)
{
	return measured->n ? measured->sum / measured->n : INFINITY;
}

/* The cheapest by mean but for @other. */
static size_t cheapest(const struct es_opt_search *search, size_t other)
{
	size_t best = search->n;

	for (size_t i = 0; i < search->n; i++)
		if (i != other && search->measured[i].n &&
		    (best == search->n ||
		     mean(&search->measured[i]) < mean(&search->measured[best])))
			best = i;
	return best;
}

static bool next_finalist(const struct es_opt_search *search, size_t *ret)
{
	size_t first = cheapest(search, search->n), second = cheapest(search, first);

	if (is_wanted(search, first, 1 + search->repeats, ret))
		return true;
	return second < search->n && is_wanted(search, second, 1 + search->repeats, ret);
}

/* The same way each time, as far as it is known. */
bool es_opt_search_next(const struct es_opt_search *search, size_t *ret)
{
	size_t low = 0, high = search->n - 1;

	while (high - low > NARROW) {
		size_t step = (size_t)(GOLDEN * (double)(high - low) + 0.5), a = high - step,
		       b = low + step;

		if (a == b)
			b++;
		if (is_wanted(search, a, 1, ret) || is_wanted(search, b, 1, ret))
			return true;
		if (search->measured[a].first <= search->measured[b].first)
			high = b;
		else
			low = a;
	}
	for (size_t i = low; i <= high; i++)
		if (is_wanted(search, i, 1, ret))
			return true;
	return next_finalist(search, ret);
}

void es_opt_search_tell(struct es_opt_search *search, size_t i, double cost)
{
	struct es_opt_measured *measured = &search->measured[i];

	if (measured->n == 0)
		measured->first = cost;
	measured->sum += cost;
	measured->n++;
}

size_t es_opt_search_best(const struct es_opt_search *search)
{
	size_t best = search->n;

	for (size_t i = 0; i < search->n; i++)
		if (search->measured[i].n > search->repeats &&
		    (best == search->n ||
		     mean(&search->measured[i]) < mean(&search->measured[best])))
			best = i;
	return best < search->n ? best : cheapest(search, search->n);
}
