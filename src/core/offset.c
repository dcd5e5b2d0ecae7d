/*
 * offset.c - how far two clocks are apart, by steps of power that their nodes have in common
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/offset.h"

#include <math.h>

#define BINS_MIN 8U
#define LIKE_ENOUGH \
	0.5 /* of steps that are nothing but noise 60 lags reach 0.3 with some 200 bins */
#define OTHERS_MOST 0.7 /* of the best: a second lag as good says that the steps repeat */
#define NEAR_BINS 2 /* lags beside the best are alike because phases are longer than a bin */

static double step(const double *bins, size_t i)
{
	return bins[i + 1] - bins[i];
}

/* Of the steps of @a with those of @b @lag later, by all of both: few that overlap prove little. */
static double likeness(const double *a, const double *b, size_t n_steps, int64_t lag, double norm)
{
	size_t from = lag < 0 ? (size_t)-lag : 0, to = lag > 0 ? n_steps - (size_t)lag : n_steps;
	double sum = 0;

	for (size_t i = from; i < to; i++)
		sum += step(a, i) * step(b, (size_t)((int64_t)i + lag));
	return sum / norm;
}

static double power_of_steps(const double *bins, size_t n_steps)
{
	double sum = 0;

	for (size_t i = 0; i < n_steps; i++)
		sum += step(bins, i) * step(bins, i);
	return sum;
}

/* The top of the parabola through three neighbours, in bins from the middle one. */
static double top(double before, double best, double after)
{
	double bend = before - 2 * best + after;
	double at = bend < 0 ? 0.5 * (before - after) / bend : 0;

	return fabs(at) <= 1 ? at : 0;
}

bool es_offset_find(const double *a, const double *b, size_t n, int64_t bin_ns, size_t most_bins,
		    struct es_offset *ret)
{
	size_t n_steps = n > 0 ? n - 1 : 0;
	double norm, best = 0, second = 0;
	int64_t lag = 0, most;

	if (n < BINS_MIN)
		return false;
	norm = sqrt(power_of_steps(a, n_steps)) * sqrt(power_of_steps(b, n_steps));
	if (!(norm > 0))
		return false;
	most = (int64_t)(most_bins < n_steps - 1 ? most_bins : n_steps - 1);
	for (int64_t k = -most; k <= most; k++) {
		double like = likeness(a, b, n_steps, k, norm);

		if (like <= best)
			continue;
		best = like;
		lag = k;
	}
	for (int64_t k = -most; k <= most; k++)
		if (k < lag - NEAR_BINS || k > lag + NEAR_BINS)
			second = fmax(second, likeness(a, b, n_steps, k, norm));
	if (best < LIKE_ENOUGH || second > OTHERS_MOST * best)
		return false;
	*ret = (struct es_offset){ .bound_ns = bin_ns / 2, .likeness = fmin(best, 1.0) };
	ret->offset_ns = lag * bin_ns;
	if (lag > -most && lag < most)
		ret->offset_ns += (int64_t)(top(likeness(a, b, n_steps, lag - 1, norm), best,
						likeness(a, b, n_steps, lag + 1, norm)) *
					    (double)bin_ns);
	return true;
}
