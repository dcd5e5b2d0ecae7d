/*
 * test_core_nnls.c - the least sum with nothing negative, against trying every set of zeros
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "core/nnls.h"
#include "support/random.h"

#define N 5

static double uniform(uint64_t *seed)
{
	return (double)(test_random(seed) >> 11) / 0x1p52 - 1;
}

static double value_of(const double *a, const double *b, const double *x)
{
	double sum = 0;

	for (size_t i = 0; i < N; i++) {
		sum -= 2 * b[i] * x[i];
		for (size_t k = 0; k < N; k++)
			sum += x[i] * a[i * N + k] * x[k];
	}
	return sum;
}

/* Of all choices which ones are 0, the best that has nothing negative. */
static double best_value(const double *a, const double *b)
{
	double best = 0;

	for (unsigned set = 1; set < 1U << N; set++) {
		double part_a[N * N], part_b[N], x[N];
		int is_possible = 1;

		memcpy(part_a, a, sizeof(part_a));
		memcpy(part_b, b, sizeof(part_b));
		for (size_t i = 0; i < N; i++) {
			if (set & 1U << i)
				continue;
			for (size_t k = 0; k < N; k++)
				part_a[i * N + k] = part_a[k * N + i] = 0;
			part_a[i * N + i] = 1;
			part_b[i] = 0;
		}
		assert_int_equal(es_solve_positive(part_a, part_b, N, x), 0);
		for (size_t i = 0; i < N; i++)
			is_possible = is_possible && x[i] >= 0;
		if (is_possible)
			best = fmin(best, value_of(a, b, x));
	}
	return best;
}

static void make_positive(uint64_t *seed, double *a)
{
	double root[N * N];

	for (size_t i = 0; i < N * N; i++)
		root[i] = uniform(seed);
	for (size_t i = 0; i < N; i++)
		for (size_t k = 0; k < N; k++) {
			a[i * N + k] = i == k ? 0.01 : 0;
			for (size_t j = 0; j < N; j++)
				a[i * N + k] += root[i * N + j] * root[k * N + j];
		}
}

static void the_answer_is_the_best_of_all(void **state)
{
	uint64_t seed = 20261122;
	unsigned n_clamped = 0;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		double a[N * N], b[N], x[N];

		make_positive(&seed, a);
		for (size_t i = 0; i < N; i++)
			b[i] = uniform(&seed);
		assert_int_equal(es_nnls(a, b, N, x), 0);
		for (size_t i = 0; i < N; i++) {
			assert_true(x[i] >= 0);
			n_clamped += x[i] == 0;
		}
		assert_true(value_of(a, b, x) <= best_value(a, b) + 1e-9);
	}
	assert_in_range(n_clamped, 2000, 2000 * N - 2000);
}

static void what_is_not_positive_definite_is_refused(void **state)
{
	const double a[4] = { 1, 1, 1, 1 }, b[2] = { 1, 1 };
	double x[2];

	(void)state;
	assert_int_equal(es_nnls(a, b, 2, x), -EDOM);
}

static void eigenvectors_make_the_matrix_again(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		double a[N * N], copy[N * N], values[N], vectors[N * N];

		make_positive(&seed, a);
		memcpy(copy, a, sizeof(copy));
		es_eigen(copy, N, values, vectors);
		for (size_t i = 0; i < N; i++)
			for (size_t k = 0; k < N; k++) {
				double sum = 0, dot = 0;

				for (size_t v = 0; v < N; v++) {
					sum += vectors[i * N + v] * values[v] * vectors[k * N + v];
					dot += vectors[v * N + i] * vectors[v * N + k];
				}
				assert_true(fabs(sum - a[i * N + k]) < 1e-12);
				assert_true(fabs(dot - (i == k)) < 1e-12);
			}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_answer_is_the_best_of_all),
		cmocka_unit_test(what_is_not_positive_definite_is_refused),
		cmocka_unit_test(eigenvectors_make_the_matrix_again),
	};

	return cmocka_run_group_tests_name("core/nnls", tests, NULL, NULL);
}
