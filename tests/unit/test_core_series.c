/*
 * test_core_series.c - energy in bins, exact to the microjoule
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <string.h>

#include "base/cleanup.h"
#include "core/series.h"
#include "support/random.h"

static void add(struct es_series *series, int64_t t0_ns, int64_t t1_ns, uint64_t energy_uj)
{
	struct es_sample sample = { .t0_ns = t0_ns, .t1_ns = t1_ns, .energy_uj = energy_uj };

	es_series_add(series, &sample);
}

static void add_gap(struct es_series *series, int64_t t0_ns, int64_t t1_ns)
{
	struct es_sample gap = { .t0_ns = t0_ns, .t1_ns = t1_ns, .is_gap = true };

	es_series_add(series, &gap);
}

static uint64_t sum_uj(const struct es_series *series)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < series->n_bins; i++)
		sum += series->energy_uj[i];
	return sum;
}

static void bins_cover_the_whole_time_and_the_last_may_be_shorter(void **state)
{
	static const struct {
		int64_t t0_ns, t1_ns, bin_ns;
		size_t n_bins;
	} vectors[] = {
		{ 0, 100, 10, 10 }, { 5, 105, 10, 10 }, { 0, 101, 10, 11 },
		{ 0, 99, 10, 10 },  { 0, 1, 10, 1 },	{ -50, 50, 25, 4 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct es_series series;

		assert_int_equal(es_series_init(&series, vectors[i].t0_ns, vectors[i].t1_ns,
						vectors[i].bin_ns),
				 0);
		assert_int_equal(series.n_bins, vectors[i].n_bins);
		es_series_finish(&series);
	}
}

static void a_sample_inside_a_bin_stays_in_it(void **state)
{
	struct es_series series;

	(void)state;
	assert_int_equal(es_series_init(&series, 100, 140, 10), 0);

	add(&series, 112, 118, 7);

	assert_int_equal(series.energy_uj[0], 0);
	assert_int_equal(series.energy_uj[1], 7);
	assert_int_equal(es_series_covered_ns(&series, 1), 6);
	es_series_finish(&series);
}

static void a_sample_that_ends_on_an_edge_belongs_before_it(void **state)
{
	struct es_series series;

	(void)state;
	assert_int_equal(es_series_init(&series, 0, 30, 10), 0);

	add(&series, 0, 10, 5);
	add(&series, 10, 20, 6);

	assert_int_equal(series.energy_uj[0], 5);
	assert_int_equal(series.energy_uj[1], 6);
	assert_int_equal(series.energy_uj[2], 0);
	es_series_finish(&series);
}

/* 100 µJ over 25 ns from 5 to 30: 4 µJ a ns: 20, 40, 40. */
static void a_sample_over_several_bins_is_spread_by_time(void **state)
{
	struct es_series series;

	(void)state;
	assert_int_equal(es_series_init(&series, 0, 40, 10), 0);

	add(&series, 5, 30, 100);

	assert_int_equal(series.energy_uj[0], 20);
	assert_int_equal(series.energy_uj[1], 40);
	assert_int_equal(series.energy_uj[2], 40);
	assert_int_equal(series.energy_uj[3], 0);
	assert_int_equal(es_series_covered_ns(&series, 0), 5);
	assert_int_equal(es_series_covered_ns(&series, 1), 10);
	es_series_finish(&series);
}

/* 10 µJ over 3 bins: 3, 3 and what is left: 4. */
static void what_does_not_divide_is_not_lost(void **state)
{
	struct es_series series;

	(void)state;
	assert_int_equal(es_series_init(&series, 0, 30, 10), 0);

	add(&series, 0, 30, 10);

	assert_int_equal(series.energy_uj[0], 3);
	assert_int_equal(series.energy_uj[1], 3);
	assert_int_equal(series.energy_uj[2], 4);
	es_series_finish(&series);
}

static void energy_outside_goes_to_the_nearest_bin(void **state)
{
	struct es_series series;

	(void)state;
	assert_int_equal(es_series_init(&series, 100, 120, 10), 0);

	add(&series, 50, 60, 3);
	add(&series, 200, 210, 5);

	assert_int_equal(series.energy_uj[0], 3);
	assert_int_equal(series.energy_uj[1], 5);
	assert_int_equal(es_series_covered_ns(&series, 0), 0);
	assert_int_equal(es_series_covered_ns(&series, 1), 0);
	es_series_finish(&series);
}

static void sums_stay_exact_whatever_the_samples(void **state)
{
	uint64_t seed = 20260313;

	(void)state;
	for (int round = 0; round < 200; round++) {
		int64_t end_ns = (int64_t)test_random_below(&seed, 100000) + 1,
			bin_ns = (int64_t)test_random_below(&seed, 5000) + 1, t_ns = 0;
		int64_t covered_ns = 0;
		struct es_series series;
		uint64_t total = 0;

		assert_int_equal(es_series_init(&series, 0, end_ns, bin_ns), 0);
		while (t_ns < end_ns) {
			int64_t t1_ns = t_ns + (int64_t)test_random_below(&seed, 9000) + 1;
			uint64_t energy_uj = test_random_below(&seed, 1000000007);

			t1_ns = t1_ns < end_ns ? t1_ns : end_ns;
			if (test_random_below(&seed, 7) == 0) {
				add_gap(&series, t_ns, t1_ns);
			} else {
				add(&series, t_ns, t1_ns, energy_uj);
				total += energy_uj;
				covered_ns += t1_ns - t_ns;
			}
			t_ns = t1_ns;
		}

		assert_int_equal(sum_uj(&series), total);
		for (size_t i = 0; i < series.n_bins; i++)
			covered_ns -= es_series_covered_ns(&series, i);
		assert_int_equal(covered_ns, 0);
		es_series_finish(&series);
	}
}

/* 2^63 µJ over 2^62 ns: products of both need more than 64 bits. */
static void long_times_and_large_energies_do_not_overflow(void **state)
{
	struct es_series series;
	int64_t half_ns = INT64_C(1) << 61;

	(void)state;
	assert_int_equal(es_series_init(&series, 0, 2 * half_ns, half_ns), 0);

	add(&series, 0, 2 * half_ns, UINT64_C(1) << 63);

	assert_true(series.energy_uj[0] == UINT64_C(1) << 62);
	assert_true(series.energy_uj[1] == UINT64_C(1) << 62);
	es_series_finish(&series);
}

/* 2 J in 5 ms of a 10 ms bin are 400 W while it was known; 4.9 ms are less than half. */
static void power_is_over_the_time_covered_and_unknown_below_half(void **state)
{
	struct es_series series;
	uint64_t power_mw = 77;

	(void)state;
	assert_int_equal(es_series_init(&series, 0, 30000000, 10000000), 0);
	add(&series, 0, 5000000, 2000000);
	add_gap(&series, 5000000, 10000000);
	add(&series, 10000000, 14900000, 2000000);

	assert_true(es_series_power_mw(&series, 0, &power_mw));
	assert_int_equal(power_mw, 400000);
	assert_false(es_series_power_mw(&series, 1, &power_mw));
	assert_false(es_series_power_mw(&series, 2, &power_mw));
	assert_int_equal(power_mw, 400000); /* not written on failure */
	es_series_finish(&series);
}

/* The last bin is 2 ms long: covered 1 ms is half of it. */
static void half_of_a_shorter_last_bin_is_half_of_its_own_length(void **state)
{
	struct es_series series;
	uint64_t power_mw;

	(void)state;
	assert_int_equal(es_series_init(&series, 0, 12000000, 10000000), 0);
	add(&series, 10000000, 11000000, 50000);

	assert_true(es_series_power_mw(&series, 1, &power_mw));
	assert_int_equal(power_mw, 50000);
	es_series_finish(&series);
}

/* 300 µJ over 30 ns; the edge lies 10 ns inside: 100 before it, 200 behind. */
static void an_edge_inside_a_sample_takes_its_part(void **state)
{
	struct es_edge edge = { .t_ns = 20 };
	struct es_sample before = { .t0_ns = 0, .t1_ns = 10, .energy_uj = 7 };
	struct es_sample across = { .t0_ns = 10, .t1_ns = 40, .energy_uj = 300 };
	struct es_sample behind = { .t0_ns = 40, .t1_ns = 50, .energy_uj = 1000 };

	(void)state;
	es_edge_add(&edge, &before);
	es_edge_add(&edge, &across);
	es_edge_add(&edge, &behind);

	assert_int_equal(edge.energy_uj, 107);
	assert_int_equal(edge.bound_uj, 200); /* all of it could be behind, or 200 more before */
}

static void an_edge_on_a_reading_is_exact(void **state)
{
	struct es_edge edge = { .t_ns = 10 };
	struct es_sample before = { .t0_ns = 0, .t1_ns = 10, .energy_uj = 7 };
	struct es_sample behind = { .t0_ns = 10, .t1_ns = 40, .energy_uj = 300 };

	(void)state;
	es_edge_add(&edge, &before);
	es_edge_add(&edge, &behind);

	assert_int_equal(edge.energy_uj, 7);
	assert_int_equal(edge.bound_uj, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bins_cover_the_whole_time_and_the_last_may_be_shorter),
		cmocka_unit_test(a_sample_inside_a_bin_stays_in_it),
		cmocka_unit_test(a_sample_that_ends_on_an_edge_belongs_before_it),
		cmocka_unit_test(a_sample_over_several_bins_is_spread_by_time),
		cmocka_unit_test(what_does_not_divide_is_not_lost),
		cmocka_unit_test(energy_outside_goes_to_the_nearest_bin),
		cmocka_unit_test(sums_stay_exact_whatever_the_samples),
		cmocka_unit_test(long_times_and_large_energies_do_not_overflow),
		cmocka_unit_test(power_is_over_the_time_covered_and_unknown_below_half),
		cmocka_unit_test(half_of_a_shorter_last_bin_is_half_of_its_own_length),
		cmocka_unit_test(an_edge_inside_a_sample_takes_its_part),
		cmocka_unit_test(an_edge_on_a_reading_is_exact),
	};

	return cmocka_run_group_tests_name("core/series", tests, NULL, NULL);
}
