/*
 * front.c - the points that no other is better than
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "opt/front.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define SAME 1e-12 /* of the chord's length: below it a bend is rounding */

struct entry {
	struct es_opt_point point;
	size_t index;
};

static int compare(double a, double b)
{
	return (a > b) - (a < b);
}

static int by_time(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = compare(x->point.time, y->point.time);

	if (order == 0)
		order = compare(x->point.energy, y->point.energy);
	return order ? order : (x->index > y->index) - (x->index < y->index);
}

int es_opt_front(const struct es_opt_point *points, size_t n, size_t *ret_front, size_t *ret_n)
{
	es_cleanup(es_freep) struct entry *entries = calloc(n + 1, sizeof(*entries));
	struct es_opt_point last = { INFINITY, INFINITY };
	size_t used = 0;

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		entries[i] = (struct entry){ points[i], i };
	qsort(entries, n, sizeof(*entries), by_time);
	for (size_t i = 0; i < n; i++) {
		const struct es_opt_point *point = &entries[i].point;
		bool is_equal = compare(point->time, last.time) == 0 &&
				compare(point->energy, last.energy) == 0;

		if (!is_equal && !(point->energy < last.energy))
			continue;
		last = *point;
		ret_front[used++] = entries[i].index;
	}
	*ret_n = used;
	return 0;
}

size_t es_opt_knee(const struct es_opt_point *points, const size_t *front, size_t n,
		   double *ret_depth)
{
	const struct es_opt_point *first = &points[front[0]], *last = &points[front[n - 1]];
	double time = last->time - first->time, energy = first->energy - last->energy;
	size_t knee = front[0];

	*ret_depth = 0;
	for (size_t i = 1; i + 1 < n && time > 0 && energy > 0; i++) {
		const struct es_opt_point *point = &points[front[i]];
		double x = (point->time - first->time) / time,
		       y = (point->energy - last->energy) / energy;
		double depth = (1 - x - y) * M_SQRT1_2; /* the chord is x + y = 1 */

		if (depth > *ret_depth + SAME) {
			*ret_depth = depth;
			knee = front[i];
		}
	}
	return knee;
}

struct end {
	double time_high, energy_high;
};

static int by_time_high(const void *a, const void *b)
{
	const struct end *x = a, *y = b;

	return compare(x->time_high, y->time_high);
}

/* How many of the ends lie at or before a time; before it where @is_strict. */
static size_t count_before(const struct end *ends, size_t n, double time, bool is_strict)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ends[middle].time_high < time ||
		    (!is_strict && !(ends[middle].time_high > time)))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int es_opt_dominated_surely(const struct es_opt_range *ranges, size_t n, bool *ret)
{
	es_cleanup(es_freep) struct end *ends = calloc(n + 1, sizeof(*ends));

	if (!ends)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		ends[i] = (struct end){ ranges[i].time_high, ranges[i].energy_high };
	qsort(ends, n, sizeof(*ends), by_time_high);
	/* Of each end the least energy so far. */
	for (size_t i = 1; i < n; i++)
		ends[i].energy_high = fmin(ends[i].energy_high, ends[i - 1].energy_high);
	for (size_t i = 0; i < n; i++) {
		size_t before = count_before(ends, n, ranges[i].time_low, true);
		size_t at = count_before(ends, n, ranges[i].time_low, false);

		ret[i] = (before > 0 && ends[before - 1].energy_high <= ranges[i].energy_low) ||
			 (at > 0 && ends[at - 1].energy_high < ranges[i].energy_low);
	}
	return 0;
}
