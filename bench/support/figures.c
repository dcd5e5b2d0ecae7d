/*
 * figures.c - a handful of repeated measurements in one line
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/figures.h"

#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"

void es_bench_add(struct es_bench_figures *figures, double value)
{
	if (figures->n < ES_BENCH_FIGURES_MAX)
		figures->values[figures->n++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double es_bench_quantile(const struct es_bench_figures *figures, double q)
{
	struct es_bench_figures sorted = *figures;
	double at;
	size_t i;

	if (sorted.n == 0)
		return NAN;
	qsort(sorted.values, sorted.n, sizeof(*sorted.values), compare);
	at = q * (double)(sorted.n - 1);
	i = (size_t)at;
	if (i + 1 >= sorted.n)
		return sorted.values[sorted.n - 1];
	return sorted.values[i] + (at - (double)i) * (sorted.values[i + 1] - sorted.values[i]);
}

double es_bench_mean(const struct es_bench_figures *figures, double *ret_half)
{
	/* Student's t, two-sided 95 %, by degrees of freedom from 1 */
	static const double t[] = { 12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23 };
	double sum = 0, squares = 0, mean, n = (double)figures->n;

	for (size_t i = 0; i < figures->n; i++)
		sum += figures->values[i];
	mean = sum / n;
	for (size_t i = 0; i < figures->n; i++)
		squares += (figures->values[i] - mean) * (figures->values[i] - mean);
	*ret_half = INFINITY;
	if (figures->n > 1)
		*ret_half = (figures->n - 2 < ES_ARRAY_SIZE(t) ? t[figures->n - 2] : 2.0) *
			    sqrt(squares / (n - 1) / n);
	return figures->n ? mean : NAN;
}

const char *es_bench_verdict(bool is_kept)
{
	return is_kept ? "PASS" : "OVER THE BAR";
}
