/*
 * stats.c - mean, spread and interval of repeated measurements
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/stats.h"

#include <math.h>

#include "base/cleanup.h"

double es_t_quantile_975(size_t df)
{
	static const double tabled[] = { 12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469,
					 2.3646,  2.3060, 2.2622, 2.2281, 2.2010, 2.1788,
					 2.1604,  2.1448, 2.1314, 2.1199, 2.1098, 2.1009,
					 2.0930,  2.0860, 2.0796, 2.0739, 2.0687, 2.0639,
					 2.0595,  2.0555, 2.0518, 2.0484, 2.0452, 2.0423 };
	const double x = 1.959963984540054; /* of the normal distribution */
	double v = (double)df;

	if (df <= ES_ARRAY_SIZE(tabled))
		return tabled[df ? df - 1 : 0];
	return x + (pow(x, 3) + x) / (4 * v) +
	       (5 * pow(x, 5) + 16 * pow(x, 3) + 3 * x) / (96 * v * v);
}

struct es_stats es_stats_of(const double *values, size_t n)
{
	struct es_stats stats = { .n = n, .has_spread = n > 1 };
	double sum = 0, squares = 0;

	for (size_t i = 0; i < n; i++)
		sum += values[i];
	stats.mean = n ? sum / (double)n : 0;
	for (size_t i = 0; i < n; i++)
		squares += (values[i] - stats.mean) * (values[i] - stats.mean);
	if (!stats.has_spread)
		return stats;
	stats.sd = sqrt(squares / (double)(n - 1));
	stats.ci = es_t_quantile_975(n - 1) * stats.sd / sqrt((double)n);
	return stats;
}
