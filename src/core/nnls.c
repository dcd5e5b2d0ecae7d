/*
 * core/nnls.c - least squares with nothing negative, and symmetric eigenvalues, for small matrices
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/nnls.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define SWEEPS_MAX 60
#define TOLERANCE 1e-12 /* of the largest gradient: below it is rounding */

/* By Cholesky, of the rows and columns that are free; the others of @x become 0. */
static int solve_free(const double *a, const double *b, size_t n, const bool *is_free, double *x)
{
	double l[ES_NNLS_MAX][ES_NNLS_MAX];
	size_t at[ES_NNLS_MAX], m = 0;

	for (size_t i = 0; i < n; i++) {
		x[i] = 0;
		if (is_free[i])
			at[m++] = i;
	}
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j <= i; j++) {
			double sum = a[at[i] * n + at[j]];

			for (size_t k = 0; k < j; k++)
				sum -= l[i][k] * l[j][k];
			if (i == j && !(sum > 0))
				return -EDOM;
			l[i][j] = i == j ? sqrt(sum) : sum / l[j][j];
		}
	}
	for (size_t i = 0; i < m; i++) {
		double sum = b[at[i]];

		for (size_t k = 0; k < i; k++)
			sum -= l[i][k] * x[at[k]];
		x[at[i]] = sum / l[i][i];
	}
	for (size_t i = m; i-- > 0;) {
		double sum = x[at[i]];

		for (size_t k = i + 1; k < m; k++)
			sum -= l[k][i] * x[at[k]];
		x[at[i]] = sum / l[i][i];
	}
	return 0;
}

/* From @x towards @want, as far as nothing becomes negative; what gets to 0 is no longer free. */
static void step(double *x, const double *want, bool *is_free, size_t n)
{
	double alpha = 1;
	size_t first = n;

	for (size_t i = 0; i < n; i++)
		if (is_free[i] && want[i] <= 0 && x[i] <= alpha * (x[i] - want[i])) {
			alpha = want[i] < x[i] ? x[i] / (x[i] - want[i]) : 0;
			first = i;
		}
	for (size_t i = 0; i < n; i++) {
		if (!is_free[i])
			continue;
		x[i] += alpha * (want[i] - x[i]);
		if (i == first || x[i] <= 0) {
			x[i] = 0;
			is_free[i] = false;
		}
	}
}

static bool is_positive(const double *x, const bool *is_free, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_free[i] && x[i] <= 0)
			return false;
	return true;
}

/* The one that lowers the sum fastest; @n where none does. */
static size_t steepest(const double *a, const double *b, const double *x, const bool *is_free,
		       size_t n)
{
	double best = 0;
	size_t found = n;

	for (size_t i = 0; i < n; i++)
		best = fmax(best, fabs(b[i]) * TOLERANCE);
	for (size_t i = 0; i < n; i++) {
		double gradient = b[i];

		for (size_t k = 0; k < n && !is_free[i]; k++)
			gradient -= a[i * n + k] * x[k];
		if (!is_free[i] && gradient > best) {
			best = gradient;
			found = i;
		}
	}
	return found;
}

int es_solve_positive(const double *a, const double *b, size_t n, double *ret_x)
{
	bool is_free[ES_NNLS_MAX] = { false };

	for (size_t i = 0; i < n; i++)
		is_free[i] = true;
	return solve_free(a, b, n, is_free, ret_x);
}

int es_nnls(const double *a, const double *b, size_t n, double *ret_x)
{
	double x[ES_NNLS_MAX] = { 0 }, want[ES_NNLS_MAX];
	bool is_free[ES_NNLS_MAX] = { false };
	int r = es_solve_positive(a, b, n, want);

	/* Mostly nothing is negative anyhow. */
	for (size_t i = 0; i < n; i++)
		is_free[i] = true;
	if (r < 0)
		return r;
	if (is_positive(want, is_free, n)) {
		memcpy(ret_x, want, n * sizeof(*ret_x));
		return 0;
	}
	memset(is_free, 0, sizeof(is_free));
	for (unsigned round = 0; round < 4 * ES_NNLS_MAX; round++) {
		size_t next = steepest(a, b, x, is_free, n);

		if (next == n)
			break;
		is_free[next] = true;
		r = solve_free(a, b, n, is_free, want);
		while (r == 0 && !is_positive(want, is_free, n)) {
			step(x, want, is_free, n);
			r = solve_free(a, b, n, is_free, want);
		}
		if (r < 0)
			return r;
		memcpy(x, want, n * sizeof(*x));
	}
	memcpy(ret_x, x, n * sizeof(*ret_x));
	return 0;
}

static void rotate(double *a, double *vectors, size_t n, size_t p, size_t q)
{
	double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
	double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
	double c = 1 / sqrt(t * t + 1), s = t * c;

	for (size_t k = 0; k < n; k++) {
		double kp = a[k * n + p], kq = a[k * n + q];

		a[k * n + p] = c * kp - s * kq;
		a[k * n + q] = s * kp + c * kq;
	}
	for (size_t k = 0; k < n; k++) {
		double pk = a[p * n + k], qk = a[q * n + k];

		a[p * n + k] = c * pk - s * qk;
		a[q * n + k] = s * pk + c * qk;
	}
	for (size_t k = 0; k < n; k++) {
		double kp = vectors[k * n + p], kq = vectors[k * n + q];

		vectors[k * n + p] = c * kp - s * kq;
		vectors[k * n + q] = s * kp + c * kq;
	}
}

void es_eigen(double *a, size_t n, double *ret_values, double *ret_vectors)
{
	for (size_t i = 0; i < n * n; i++)
		ret_vectors[i] = i % (n + 1) == 0;
	for (unsigned sweep = 0; sweep < SWEEPS_MAX; sweep++) {
		double off = 0, all = 0;

		for (size_t i = 0; i < n * n; i++) {
			all += a[i] * a[i];
			off += i % (n + 1) ? a[i] * a[i] : 0;
		}
		if (off <= 1e-30 * all)
			break;
		for (size_t p = 0; p < n; p++)
			for (size_t q = p + 1; q < n; q++)
				if (fabs(a[p * n + q]) > 1e-300)
					rotate(a, ret_vectors, n, p, q);
	}
	for (size_t i = 0; i < n; i++)
		ret_values[i] = a[i * n + i];
}
