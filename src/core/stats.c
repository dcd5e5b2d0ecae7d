/*
 * stats.c - mean, spread and interval of repeated measurements
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/stats.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "core/bootstrap.h"

static bool all_equal(const double *values, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (values[i] != values[0])
			return false;
	return true;
}

struct es_stats es_stats_of(const double *values, size_t n)
{
	struct es_stats stats = { .n = n, .has_spread = n > 1 };
	double sum = 0, squares = 0;

	for (size_t i = 0; i < n; i++)
		sum += values[i];
	stats.mean = n ? sum / (double)n : 0;
	if (n > 0 && all_equal(values, n)) /* the sum is rounded: the mean would be beside them */
		stats.mean = values[0];
	for (size_t i = 0; i < n; i++)
		squares += (values[i] - stats.mean) * (values[i] - stats.mean);
	if (!stats.has_spread)
		return stats;
	stats.sd = sqrt(squares / (double)(n - 1));
	stats.ci = es_t_quantile_975(n - 1) * stats.sd / sqrt((double)n);
	return stats;
}

const char *es_interval_method_name(enum es_interval_method method)
{
	static const char *const names[] = {
		[ES_INTERVAL_NONE] = "none",
		[ES_INTERVAL_T] = "t",
		[ES_INTERVAL_BCA] = "BCa",
		[ES_INTERVAL_FIELLER] = "Fieller",
	};

	return names[method];
}

static int resampled_interval(const double *values, size_t n, uint64_t seed,
			      struct es_interval *interval)
{
	double z = es_t_quantile(0.975, (double)(n - 1)) * sqrt((double)n / (double)(n - 1));
	es_cleanup(es_freep) double *means = calloc(ES_STATS_RESAMPLES, sizeof(*means));
	struct es_bca bca;

	if (!means)
		return -ENOMEM;
	es_bootstrap_means(values, n, &seed, means, ES_STATS_RESAMPLES);
	bca = es_bca_of(means, ES_STATS_RESAMPLES, interval->mean,
			es_bca_acceleration(values, n, interval->mean));
	interval->low = es_bca_end(&bca, means, ES_STATS_RESAMPLES, -z);
	interval->high = es_bca_end(&bca, means, ES_STATS_RESAMPLES, z);
	interval->method = ES_INTERVAL_BCA;
	return 0;
}

int es_interval_of(const double *values, size_t n, uint64_t seed, struct es_interval *ret)
{
	struct es_stats stats = es_stats_of(values, n);
	struct es_interval interval = { .n = n, .mean = stats.mean, .sd = stats.sd };
	int r = 0;

	for (size_t i = 0; i < n; i++)
		if (!(fabs(values[i]) <= ES_STATS_LARGEST))
			return -ERANGE;
	if (stats.has_spread && (n < ES_STATS_BOOTSTRAP_MIN || stats.sd <= 0)) {
		interval.low = stats.mean - stats.ci;
		interval.high = stats.mean + stats.ci;
		interval.method = ES_INTERVAL_T;
	} else if (stats.has_spread) {
		r = resampled_interval(values, n, seed, &interval);
	}
	if (r == 0)
		*ret = interval;
	return r;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_value);
	return values[(n - 1) / 2] + (values[n / 2] - values[(n - 1) / 2]) / 2;
}

int es_far_off(const double *values, size_t n, bool *ret)
{
	es_cleanup(es_freep) double *sorted = calloc(n ? n : 1, sizeof(*sorted));
	double middle, spread;
	int n_far = 0;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		sorted[i] = values[i];
		ret[i] = false;
	}
	if (n < ES_STATS_FAR_OFF_MIN)
		return 0;
	middle = median(sorted, n);
	for (size_t i = 0; i < n; i++)
		sorted[i] = fabs(values[i] - middle);
	spread = median(sorted, n);
	for (size_t i = 0; i < n && spread > 0; i++) {
		ret[i] = 0.6745 * fabs(values[i] - middle) / spread > 3.5;
		n_far += ret[i];
	}
	return n_far;
}
