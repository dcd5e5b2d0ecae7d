/*
 * test_opt_search.c - which setting to measure next
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "opt/search.h"
#include "support/random.h"

#define N 10U
#define LAWS 40U
#define ROUNDS 200U
#define REPEATS 2U

/* Joules of Kernel Tuner's RTX A4000 by clock, and of Zeus' A40 by power limit: public tables, rounded. */
static const double a4000[] = { 14.610, 11.998, 10.186, 9.125, 8.428, 8.068, 9.086, 10.548 };
static const double a40[] = {
	8033.6, 7071.9, 5512.2, 4867.5, 5017.5, 5500.0, 5915.6, 6122.3, 6224.9
};

static double uniform(uint64_t *seed)
{
	return ((double)(test_random(seed) >> 11) + 0.5) / 0x1p53;
}

static double normal(uint64_t *seed)
{
	return sqrt(-2 * log(uniform(seed))) * cos(2 * M_PI * uniform(seed));
}

/* Energies from half the top clock on, of programs and machines of all sorts. */
static void make_law(uint64_t *seed, double costs[static N])
{
	double fixed = uniform(seed), base = 0.2 + uniform(seed), cubic = 0.3 + 2 * uniform(seed);

	for (size_t i = 0; i < N; i++) {
		double x = 0.5 + 0.5 * (double)i / (N - 1);

		costs[i] = (fixed + (1 - fixed) / x) * (base + cubic * x * x * x);
	}
}

struct result {
	double loss; /* relative, against the least cost */
	unsigned evaluations;
};

static struct result replay(const double *costs, size_t n, double noise, uint64_t *seed)
{
	struct result result = { 0 };
	struct es_opt_search search;
	double least = INFINITY;
	size_t i;

	assert_int_equal(es_opt_search_init(&search, n, REPEATS), 0);
	while (es_opt_search_next(&search, &i)) {
		assert_true(i < n);
		assert_true(++result.evaluations <= n * (1 + REPEATS));
		es_opt_search_tell(&search, i, costs[i] * (1 + noise * normal(seed)));
	}
	for (size_t k = 0; k < n; k++)
		least = fmin(least, costs[k]);
	result.loss = costs[es_opt_search_best(&search)] / least - 1;
	es_opt_search_finish(&search);
	return result;
}

static void without_noise_the_least_is_found_in_half_the_settings(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned law = 0; law < 500; law++) {
		double costs[N];
		struct result result;

		make_law(&seed, costs);
		result = replay(costs, N, 0, &seed);
		assert_true(result.loss < 1e-12);
		assert_true(result.evaluations <= 6 + 2 * REPEATS);
	}
	assert_true(replay(a4000, ES_ARRAY_SIZE(a4000), 0, &seed).loss < 1e-12);
	assert_true(replay(a40, ES_ARRAY_SIZE(a40), 0, &seed).loss < 1e-12);
}

/* Mean loss over laws and rounds; the same over the public tables. */
static double mean_loss(double noise)
{
	uint64_t seed = 11;
	double sum = 0;
	unsigned n = 0;

	for (unsigned law = 0; law < LAWS; law++) {
		double costs[N];

		make_law(&seed, costs);
		for (unsigned i = 0; i < ROUNDS; i++, n++)
			sum += replay(costs, N, noise, &seed).loss;
	}
	for (unsigned i = 0; i < LAWS * ROUNDS; i++, n += 2) {
		sum += replay(a4000, ES_ARRAY_SIZE(a4000), noise, &seed).loss;
		sum += replay(a40, ES_ARRAY_SIZE(a40), noise, &seed).loss;
	}
	return sum / n;
}

static void noise_costs_less_than_itself(void **state)
{
	(void)state;
	assert_true(mean_loss(0) < 1e-12);
	assert_true(mean_loss(0.01) < 0.003);
	assert_true(mean_loss(0.03) < 0.012);
}

static void few_settings_are_all_measured(void **state)
{
	const double costs[] = { 3, 2, 4 };
	uint64_t seed = 3;
	struct es_opt_search search;
	struct result result;

	(void)state;
	assert_int_equal(es_opt_search_init(&search, 0, 1), -EINVAL);
	for (size_t n = 1; n <= 3; n++) {
		result = replay(costs, n, 0, &seed);
		assert_true(result.loss < 1e-12);
		assert_int_equal(result.evaluations, n + (n > 1 ? 2 : 1) * REPEATS);
	}
}

/* The first measurement of the best was unlucky by 5 %; it is still among the finalists. */
static void finalists_are_chosen_by_their_means(void **state)
{
	struct es_opt_search search;
	size_t i;

	(void)state;
	assert_int_equal(es_opt_search_init(&search, 3, 4), 0);
	for (bool was_unlucky = false; es_opt_search_next(&search, &i);) {
		double cost = i == 1 ? 10 : i == 2 ? 10.2 : 12;

		es_opt_search_tell(&search, i, i == 1 && !was_unlucky ? 10.5 : cost);
		was_unlucky |= i == 1;
	}
	assert_int_equal(es_opt_search_best(&search), 1);
	assert_int_equal(search.measured[1].n, 5);
	assert_int_equal(search.measured[2].n, 5);
	assert_int_equal(search.measured[0].n, 1);
	es_opt_search_finish(&search);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_noise_the_least_is_found_in_half_the_settings),
		cmocka_unit_test(noise_costs_less_than_itself),
		cmocka_unit_test(few_settings_are_all_measured),
		cmocka_unit_test(finalists_are_chosen_by_their_means),
	};

	return cmocka_run_group_tests_name("opt/search", tests, NULL, NULL);
}
