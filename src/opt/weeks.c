/*
 * weeks.c - what two schedules of the same jobs differ by, with an interval from resampled weeks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Source: percentile bootstrap over blocks, B. Efron, R. Tibshirani, "An Introduction to the Bootstrap" (1993), 13.3;
 * levels as in T. Hesterberg, Am. Stat. 69 (2015), 371-386, section 4.1.1 (expanded percentile interval).
 */
#include "opt/weeks.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "core/stats.h"

#include "core/draw.h"

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double share_of(const struct es_week *sum)
{
	if (sum->a > 0)
		return (sum->b - sum->a) / sum->a;
	return sum->b > 0 ? INFINITY : 0;
}

static struct es_week resample(const struct es_week *weeks, size_t n, uint64_t *state)
{
	struct es_week sum = { .n = 0 };

	while (sum.n <=
	       0) { /* where some weeks have no jobs a draw may have none at all: another one */
		for (size_t i = 0; i < n; i++) {
			const struct es_week *week = &weeks[es_draw(state, n)];

			sum.n += week->n;
			sum.a += week->a;
			sum.b += week->b;
		}
	}
	return sum;
}

/* How many of the resampled values lie below the interval of @n weeks, and above it. */
static size_t outside(size_t n)
{
	double t = es_t_quantile(0.025, (double)(n - 1));
	double level = es_normal_cdf(t * sqrt((double)n / (double)(n - 1)));
	size_t count = (size_t)(level * ES_WEEKS_RESAMPLES);

	return count > 0 ? count : 1;
}

static void cut(double *values, size_t n_outside, double *ret_low, double *ret_high)
{
	qsort(values, ES_WEEKS_RESAMPLES, sizeof(*values), by_value);
	*ret_low = values[n_outside - 1];
	*ret_high = values[ES_WEEKS_RESAMPLES - n_outside];
}

int es_weeks_compare(const struct es_week *weeks, size_t n, uint64_t seed,
		     struct es_weeks_difference *ret)
{
	struct es_week sum = { .n = 0 };
	double *values, *shares;
	size_t n_full = 0;

	if (n > ES_WEEKS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < n; i++) {
		sum.n += weeks[i].n;
		sum.a += weeks[i].a;
		sum.b += weeks[i].b;
		n_full += weeks[i].n > 0;
	}
	if (n_full == 0)
		return -ENODATA;
	ret->value = ret->low = ret->high = (sum.b - sum.a) / sum.n;
	ret->share = ret->share_low = ret->share_high = share_of(&sum);
	if (n_full < ES_WEEKS_LEAST)
		return 1;
	values = calloc(2 * ES_WEEKS_RESAMPLES, sizeof(*values));
	if (!values)
		return -ENOMEM;
	shares = &values[ES_WEEKS_RESAMPLES];
	for (size_t i = 0; i < ES_WEEKS_RESAMPLES; i++) {
		struct es_week drawn = resample(weeks, n, &seed);

		values[i] = (drawn.b - drawn.a) / drawn.n;
		shares[i] = share_of(&drawn);
	}
	cut(values, outside(n_full), &ret->low, &ret->high);
	cut(shares, outside(n_full), &ret->share_low, &ret->share_high);
	free(values);
	return 0;
}
