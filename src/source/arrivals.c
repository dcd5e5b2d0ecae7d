/*
 * source/arrivals.c - how often messages come, and when one is overdue
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/arrivals.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define UNKNOWN_STALE_NS (60 * ES_NS_PER_S)
#define OVERDUE 3

void es_arrivals_init(struct es_arrivals *arrivals, int64_t interval_ns, int64_t stale_ns,
		      int64_t now_ns)
{
	*arrivals = (struct es_arrivals){ .interval_ns = interval_ns,
					  .stale_ns = stale_ns,
					  .last_ns = now_ns };
}

void es_arrivals_add(struct es_arrivals *arrivals, int64_t t_ns)
{
	int64_t space_ns = t_ns - arrivals->last_ns;

	/* A silence is no interval: it would make the next one seem usual. */
	if (arrivals->has_last && space_ns >= 0 && !es_arrivals_are_stale(arrivals, t_ns))
		arrivals->spaces_ns[arrivals->n++ % ES_ARRIVALS_KEPT] = space_ns;
	arrivals->has_last = true;
	arrivals->last_ns = t_ns;
}

static int by_length(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

int64_t es_arrivals_usual_ns(const struct es_arrivals *arrivals)
{
	size_t n = arrivals->n < ES_ARRIVALS_KEPT ? arrivals->n : ES_ARRIVALS_KEPT;
	int64_t spaces_ns[ES_ARRIVALS_KEPT];

	if (arrivals->interval_ns)
		return arrivals->interval_ns;
	if (n == 0)
		return 0;
	memcpy(spaces_ns, arrivals->spaces_ns, n * sizeof(*spaces_ns));
	qsort(spaces_ns, n, sizeof(*spaces_ns), by_length);
	return spaces_ns[n / 2];
}

int64_t es_arrivals_limit_ns(const struct es_arrivals *arrivals)
{
	int64_t usual_ns = es_arrivals_usual_ns(arrivals);

	if (arrivals->stale_ns)
		return arrivals->stale_ns;
	if (!usual_ns)
		return UNKNOWN_STALE_NS;
	/* Messages in bursts say nothing about when the next one is due. */
	return usual_ns * OVERDUE > ES_NS_PER_S ? usual_ns * OVERDUE : ES_NS_PER_S;
}

bool es_arrivals_holds(const struct es_arrivals *arrivals, int64_t now_ns)
{
	return arrivals->has_last &&
	       now_ns - arrivals->last_ns <= es_arrivals_limit_ns(arrivals) / 2;
}

bool es_arrivals_are_stale(const struct es_arrivals *arrivals, int64_t now_ns)
{
	return now_ns - arrivals->last_ns > es_arrivals_limit_ns(arrivals);
}
