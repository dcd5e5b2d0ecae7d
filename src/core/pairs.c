/*
 * core/pairs.c - two meters over the same time: their windows, and the lag between them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/pairs.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/parse.h"

#define CORRELATION_LEAST 0.7 /* less is chance, or noise */
#define WINDOWS_LEAST 6U
#define REFINE 8 /* parts of a step */

void es_pairs_finish(struct es_pairs *pairs)
{
	free(pairs->pairs);
	*pairs = (struct es_pairs){ .n = 0 };
}

static int add(struct es_pairs *pairs, double x_w, double y_w, uint32_t group)
{
	if (pairs->n == pairs->cap) {
		size_t cap = pairs->cap ? 2 * pairs->cap : 64;
		struct es_pair *larger = reallocarray(pairs->pairs, cap, sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		pairs->pairs = larger;
		pairs->cap = cap;
	}
	pairs->pairs[pairs->n++] = (struct es_pair){ .x_w = x_w, .y_w = y_w, .group = group };
	return 0;
}

int64_t es_pairs_span_ns(const struct es_pair_source *source, int64_t *ret_t0_ns)
{
	int64_t t0_ns = INT64_MIN, t1_ns = INT64_MAX;

	for (size_t i = 0; i <= source->n_x; i++) {
		const struct es_course *course = i < source->n_x ? source->x[i] : source->y;

		if (course->n < 2)
			return 0;
		if (course->knots[0].t_ns > t0_ns)
			t0_ns = course->knots[0].t_ns;
		if (course->knots[course->n - 1].t_ns < t1_ns)
			t1_ns = course->knots[course->n - 1].t_ns;
	}
	*ret_t0_ns = t0_ns;
	return t1_ns > t0_ns ? t1_ns - t0_ns : 0;
}

static bool sum_power_w(const struct es_pair_source *source, int64_t t0_ns, int64_t t1_ns,
			double *ret_w)
{
	double sum_w = 0, power_w;

	for (size_t i = 0; i < source->n_x; i++) {
		if (!es_course_power_w(source->x[i], t0_ns, t1_ns, &power_w))
			return false;
		sum_w += power_w;
	}
	*ret_w = sum_w;
	return source->n_x > 0;
}

/* The one with the fewest readings: between two of them it says nothing, so windows are cut where it was read. */
static const struct es_course *find_slowest(const struct es_pair_source *source)
{
	const struct es_course *slowest = source->y;

	for (size_t i = 0; i < source->n_x; i++)
		if (es_course_step_ns(source->x[i]) > es_course_step_ns(slowest))
			slowest = source->x[i];
	return slowest;
}

int es_pairs_gather(struct es_pairs *pairs, const struct es_pair_source *source, int64_t window_ns,
		    int64_t lag_ns, uint32_t group)
{
	const struct es_course *edges = find_slowest(source);
	int64_t first_ns, span_ns = es_pairs_span_ns(source, &first_ns), x_late_ns, y_late_ns;

	if (span_ns <= 0 || window_ns <= 0)
		return 0;
	if (span_ns / window_ns > ES_PAIRS_MAX)
		window_ns = span_ns / ES_PAIRS_MAX;
	x_late_ns = edges == source->y ? -lag_ns : 0;
	y_late_ns = edges == source->y ? 0 : lag_ns;
	for (size_t from = 0, to = 1; to < edges->n; to++) {
		int64_t t0_ns = edges->knots[from].t_ns, t1_ns = edges->knots[to].t_ns;
		double x_w, y_w;
		int r;

		if (edges->knots[to].is_after_gap)
			from = to;
		if (from == to || t1_ns - t0_ns < window_ns)
			continue;
		from = to;
		if (!sum_power_w(source, t0_ns + x_late_ns, t1_ns + x_late_ns, &x_w) ||
		    !es_course_power_w(source->y, t0_ns + y_late_ns, t1_ns + y_late_ns, &y_w))
			continue;
		r = add(pairs, x_w, y_w, group);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Pearson's, over all recordings, each from its own means: their levels may differ. -2: nothing to tell it from. */
static double correlation(const struct es_pairs *pairs)
{
	double sxx = 0, sxy = 0, syy = 0;
	size_t i = 0;

	while (i < pairs->n) {
		double mean_x = 0, mean_y = 0;
		size_t end = i;

		for (; end < pairs->n && pairs->pairs[end].group == pairs->pairs[i].group; end++) {
			mean_x += pairs->pairs[end].x_w;
			mean_y += pairs->pairs[end].y_w;
		}
		mean_x /= (double)(end - i);
		mean_y /= (double)(end - i);
		for (; i < end; i++) {
			double x = pairs->pairs[i].x_w - mean_x, y = pairs->pairs[i].y_w - mean_y;

			sxx += x * x;
			sxy += x * y;
			syy += y * y;
		}
	}
	return pairs->n >= ES_PAIRS_LEAST && sxx > 0 && syy > 0 ? sxy / sqrt(sxx * syy) : -2;
}

static int correlation_at(const struct es_pair_source *sources, size_t n, int64_t window_ns,
			  int64_t lag_ns, size_t n_least, double *ret)
{
	struct es_pairs pairs = { .n = 0 };
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = es_pairs_gather(&pairs, &sources[i], window_ns, lag_ns, (uint32_t)i);
	*ret = pairs.n >= n_least ? correlation(&pairs) : -2;
	es_pairs_finish(&pairs);
	return r;
}

/* How far from the best the unexplained part stays within what chance does: a likelihood interval of n windows. */
static int64_t lag_bound_ns(const double *r, size_t n, size_t best, int64_t step_ns, size_t windows)
{
	double unexplained = 1 - r[best] * r[best];
	double allowed = unexplained * (1 + 4.0 / (double)(windows > 4 ? windows : 4));
	size_t lo = best, hi = best;

	while (lo > 0 && r[lo - 1] > 0 && 1 - r[lo - 1] * r[lo - 1] <= allowed)
		lo--;
	while (hi + 1 < n && r[hi + 1] > 0 && 1 - r[hi + 1] * r[hi + 1] <= allowed)
		hi++;
	return ((int64_t)(hi - lo) + 1) * step_ns / 2;
}

/** struct search - what it takes to ask for the correlation at a lag */
struct search {
	const struct es_pair_source *sources;
	size_t n;
	int64_t window_ns, step_ns;
	size_t windows;
};

/* Half of the windows must be left at each lag: of a few any two meters go together. */
static int look(const struct search *search, int64_t lag_ns, double *ret)
{
	return correlation_at(search->sources, search->n, search->window_ns, lag_ns,
			      search->windows / 2 + 3, ret);
}

/* Between the neighbours of the best: windows cut at any time, so a part of a step is seen as well. */
static int refine(const struct search *search, int64_t around_ns, struct es_lag *ret)
{
	const int64_t step_ns = search->step_ns / REFINE > 0 ? search->step_ns / REFINE : 1;

	for (int64_t i = 1 - REFINE; i < REFINE; i++) {
		double correlation;
		int r = look(search, around_ns + i * step_ns, &correlation);

		if (r < 0)
			return r;
		if (correlation > ret->correlation) {
			ret->correlation = correlation;
			ret->lag_ns = around_ns + i * step_ns;
		}
	}
	return 0;
}

static int settle_lag(const struct search *search, const double *r, size_t n, struct es_lag *ret)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (r[i] > r[best])
			best = i;
	/* At an end of the range the best may lie beyond it. */
	ret->is_known = r[best] > CORRELATION_LEAST && best > 0 && best + 1 < n;
	if (!ret->is_known)
		return 0;
	ret->lag_ns = ((int64_t)best - (int64_t)(n / 2)) * search->step_ns;
	ret->bound_ns = lag_bound_ns(r, n, best, search->step_ns, search->windows);
	ret->correlation = r[best];
	return refine(search, ret->lag_ns, ret);
}

int es_pairs_find_lag(const struct es_pair_source *sources, size_t n, int64_t window_ns,
		      int64_t most_ns, struct es_lag *ret)
{
	struct search search = { .sources = sources,
				 .n = n,
				 .window_ns = window_ns,
				 .step_ns = window_ns / 4 > 0 ? window_ns / 4 : 1 };
	size_t n_side = (size_t)(most_ns / search.step_ns), n_lags;
	double *r;
	int status = 0;

	*ret = (struct es_lag){ .is_known = false };
	if (n_side > ES_PAIRS_LAGS_MAX / 2) {
		n_side = ES_PAIRS_LAGS_MAX / 2;
		search.step_ns = most_ns / (int64_t)n_side;
	}
	for (size_t i = 0; i < n; i++) {
		int64_t t0_ns;

		search.windows += (size_t)(es_pairs_span_ns(&sources[i], &t0_ns) / window_ns);
	}
	if (n_side == 0 || search.windows < WINDOWS_LEAST)
		return 0;
	n_lags = 2 * n_side + 1;
	r = calloc(n_lags, sizeof(*r));
	if (!r)
		return -ENOMEM;
	for (size_t i = 0; i < n_lags && status == 0; i++)
		status = look(&search, ((int64_t)i - (int64_t)n_side) * search.step_ns, &r[i]);
	if (status == 0)
		status = settle_lag(&search, r, n_lags, ret);
	free(r);
	return status;
}
