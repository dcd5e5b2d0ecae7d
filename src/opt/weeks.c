/*
 * weeks.c - what two schedules of the same jobs differ by, with an interval from resampled weeks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Source: percentile bootstrap over blocks, B. Efron, R. Tibshirani, "An Introduction to the Bootstrap" (1993), 13.3.
 */
#include "opt/weeks.h"

#include <errno.h>
#include <stdlib.h>

#include "core/draw.h"

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double resample(const struct es_week *weeks, size_t n, uint64_t *state)
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
	return (sum.b - sum.a) / sum.n;
}

int es_weeks_compare(const struct es_week *weeks, size_t n, uint64_t seed,
		     struct es_weeks_difference *ret)
{
	struct es_week sum = { .n = 0 };
	double *values;
	size_t n_full = 0;

	for (size_t i = 0; i < n; i++) {
		sum.n += weeks[i].n;
		sum.a += weeks[i].a;
		sum.b += weeks[i].b;
		n_full += weeks[i].n > 0;
	}
	if (n_full == 0)
		return -ENODATA;
	ret->value = ret->low = ret->high = (sum.b - sum.a) / sum.n;
	if (n_full < ES_WEEKS_LEAST)
		return 1;
	values = calloc(ES_WEEKS_RESAMPLES, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < ES_WEEKS_RESAMPLES; i++)
		values[i] = resample(weeks, n, &seed);
	qsort(values, ES_WEEKS_RESAMPLES, sizeof(*values), by_value);
	ret->low = values[ES_WEEKS_RESAMPLES / 40 - 1];
	ret->high = values[ES_WEEKS_RESAMPLES - ES_WEEKS_RESAMPLES / 40];
	free(values);
	return 0;
}
