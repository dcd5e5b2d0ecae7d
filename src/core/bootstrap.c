/*
 * bootstrap.c - intervals from means of resampled values, bias-corrected and accelerated (BCa)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/bootstrap.h"

#include <math.h>

#include "core/draw.h"
#include "core/stats.h"

void es_bootstrap_means(const double *values, size_t n, uint64_t *state, double *ret, size_t n_ret)
{
	for (size_t i = 0; i < n_ret; i++) {
		double sum = 0;

		for (size_t k = 0; k + 1 < n; k += 2) { /* two draws by one number: half the time */
			uint64_t bits = es_draw_bits(state);

			sum += values[es_draw_of((uint32_t)bits, n)];
			sum += values[es_draw_of((uint32_t)(bits >> 32), n)];
		}
		if (n % 2)
			sum += values[es_draw(state, n)];
		ret[i] = sum / (double)n;
	}
}

double es_bca_acceleration(const double *values, size_t n, double mean)
{
	double squares = 0, cubes = 0, spread;

	for (size_t i = 0; i < n; i++) {
		double d = (values[i] - mean) / (double)n;

		squares += d * d;
		cubes += d * d * d;
	}
	spread = pow(squares, 1.5);
	return spread > 0 ? cubes / (6 * spread) : 0;
}

struct es_bca es_bca_of(const double *resampled, size_t n, double estimate, double acceleration)
{
	double below = 0, same = 1e-12 * fabs(estimate); /* sums of equal values in another order */

	for (size_t i = 0; i < n; i++) {
		if (fabs(resampled[i] - estimate) <= same)
			below += 0.5;
		else
			below += resampled[i] < estimate;
	}
	below = fmin(fmax(below, 0.5), (double)n - 0.5);
	return (struct es_bca){ es_normal_quantile(below / (double)n), acceleration };
}

/* The value that would stand at @at if @values were sorted (Hoare's selection): all before it are no greater, all after no smaller. */
static double select_value(double *values, size_t n, size_t at)
{
	size_t low = 0, high = n - 1;

	while (low < high) {
		double pivot = values[low + (high - low) / 2];
		size_t i = low, j = high;

		for (;;) {
			while (values[i] < pivot)
				i++;
			while (values[j] > pivot)
				j--;
			if (i >= j)
				break;
			double swapped = values[i];

			values[i++] = values[j];
			values[j--] = swapped;
		}
		if (at <= j)
			high = j;
		else
			low = j + 1;
	}
	return values[at];
}

double es_bca_end(const struct es_bca *bca, double *resampled, size_t n, double z)
{
	double shifted = bca->bias + z, scale = 1 - bca->acceleration * shifted, level, at;

	if (scale > 0)
		level = es_normal_cdf(bca->bias + shifted / scale);
	else
		level = shifted > 0;
	at = floor(level * ((double)n + 1));
	at = fmin(fmax(at, 1), (double)n);
	return select_value(resampled, n, (size_t)at - 1);
}
