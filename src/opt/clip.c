/*
 * clip.c - settings that change nothing any more
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "opt/clip.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "opt/model.h"

#define SAME 0.015
#define OFF 0.02

struct entry {
	double clock;
	struct es_opt_point point;
	size_t index;
};

static int by_clock(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->clock > y->clock) - (x->clock < y->clock);
}

static bool is_alike(const struct es_opt_point *a, const struct es_opt_point *b)
{
	double time = a->time / b->time, power = a->energy / a->time / (b->energy / b->time);

	return fabs(time - 1) <= SAME && fabs(power - 1) <= SAME;
}

/* How many of the highest are like the highest one. */
static size_t count_alike(const struct entry *entries, size_t n)
{
	size_t alike = 1;

	while (alike < n && is_alike(&entries[n - 1 - alike].point, &entries[n - 1].point))
		alike++;
	return alike;
}

/* At which clock the settings below would take as long; 0: not known. */
static int find_reached(const struct entry *entries, size_t n, double time, double *ret)
{
	es_cleanup(es_freep) double *clocks = calloc(n + 1, sizeof(*clocks));
	es_cleanup(es_freep) struct es_opt_point *points = calloc(n + 1, sizeof(*points));
	struct es_opt_model model;
	int r;

	*ret = 0;
	if (!clocks || !points)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		clocks[i] = entries[i].clock;
		points[i] = entries[i].point;
	}
	r = es_opt_model_fit(clocks, points, n, &model);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	/* Times that the clock does not change say nothing of it. */
	if (time > model.time.fixed && model.time.scaled > model.time.fixed)
		*ret = model.top * model.time.scaled /
		       (time - (model.time.is_overlapping ? 0 : model.time.fixed));
	return 0;
}

int es_opt_clip(const double *clocks, const struct es_opt_point *points, size_t n,
		double *ret_reached)
{
	es_cleanup(es_freep) struct entry *entries = calloc(n + 1, sizeof(*entries));
	double time = 0, reached;
	size_t alike;
	int r, n_clipped = 0;

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		entries[i] = (struct entry){ clocks[i], points[i], i };
		ret_reached[i] = 0;
	}
	qsort(entries, n, sizeof(*entries), by_clock);
	alike = n > 0 ? count_alike(entries, n) : 0;
	if (alike < 2)
		return 0;
	for (size_t i = n - alike; i < n; i++)
		time += entries[i].point.time / (double)alike;
	r = find_reached(entries, n - alike, time, &reached);
	if (r < 0)
		return r;
	for (size_t i = n - alike; i < n && reached > 0; i++) {
		if (!(entries[i].clock > reached * (1 + OFF)))
			continue;
		ret_reached[entries[i].index] = reached;
		n_clipped++;
	}
	return n_clipped;
}
