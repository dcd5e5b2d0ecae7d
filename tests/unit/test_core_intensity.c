/*
 * test_core_intensity.c - slots in order, forecasts behind what came true, and energy laid over them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "core/intensity.h"

#define MIN_NS (60 * INT64_C(1000000000))
#define T0_NS (1700000000 * INT64_C(1000000000))
#define KWH_UJ UINT64_C(3600000000000)

struct fixture {
	struct es_intensity series;
	struct es_slot clash[2];
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	assert_non_null(*state);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_intensity_finish(&f->series);
	free(f);
	return 0;
}

/* Minutes from T0; @stop 0: open. */
static void add(struct fixture *f, int start, int stop, double g, enum es_slot_basis basis)
{
	const struct es_slot slot = { .start_ns = T0_NS + start * MIN_NS,
				      .stop_ns = stop ? T0_NS + stop * MIN_NS : ES_SLOT_OPEN,
				      .g_per_kwh = g,
				      .basis = (uint8_t)basis,
				      .place = (uint32_t)f->series.n + 1 };

	assert_int_equal(es_intensity_add(&f->series, &slot), 0);
}

static int prepare(struct fixture *f)
{
	return es_intensity_prepare(&f->series, f->clash);
}

static void assert_slot(const struct fixture *f, size_t i, int start, int stop, double g)
{
	assert_true(i < f->series.n);
	assert_int_equal((f->series.slots[i].start_ns - T0_NS) / MIN_NS, start);
	assert_int_equal((f->series.slots[i].stop_ns - T0_NS) / MIN_NS, stop);
	assert_true(fabs(f->series.slots[i].g_per_kwh - g) < 1e-12);
}

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.15g is not %.15g", value, expected);
}

static void lay(struct fixture *f, struct es_piece *pieces, size_t n, double pue,
		struct es_footing *ret)
{
	es_intensity_lay(&f->series, pieces, n, pue, ret);
}

static struct es_piece piece(int start, int stop, uint64_t energy_uj)
{
	return (struct es_piece){ .start_ns = T0_NS + start * MIN_NS,
				  .stop_ns = T0_NS + stop * MIN_NS,
				  .energy_uj = energy_uj };
}

static void slots_come_in_any_order(void **state)
{
	struct fixture *f = *state;

	add(f, 30, 60, 3, ES_SLOT_ACTUAL);
	add(f, 0, 15, 1, ES_SLOT_ACTUAL);
	add(f, 15, 30, 2, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), 0);

	assert_int_equal(f->series.n, 3);
	assert_slot(f, 0, 0, 15, 1);
	assert_slot(f, 1, 15, 30, 2);
	assert_slot(f, 2, 30, 60, 3);
}

static void an_open_slot_ends_where_the_next_one_starts(void **state)
{
	struct fixture *f = *state;

	/* Hours, then quarters, then hours again. */
	static const int starts[] = { 0, 60, 120, 135, 150, 165, 180, 240, 300 };
	static const int stops[] = { 60, 120, 135, 150, 165, 180, 240, 300, 360 };

	for (size_t i = 0; i < 9; i++)
		add(f, starts[i], 0, (double)i, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), 0);

	for (size_t i = 0; i < 9; i++)
		assert_slot(f, i, starts[i], stops[i], (double)i);
}

static void a_figure_that_is_missing_leaves_a_hole(void **state)
{
	struct fixture *f = *state;
	static const int starts[] = { 0, 15, 30, 60, 75 };

	for (size_t i = 0; i < 5; i++)
		add(f, starts[i], 0, 10, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), 0);

	assert_slot(f, 2, 30, 45, 10);
	assert_slot(f, 3, 60, 75, 10);
	assert_slot(f, 4, 75, 90, 10);
	assert_null(es_intensity_at(&f->series, T0_NS + 45 * MIN_NS, T0_NS + 60 * MIN_NS));
}

static void estimates_among_actual_figures_share_their_hours(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0, 10, ES_SLOT_ACTUAL);
	add(f, 60, 0, 11, ES_SLOT_ESTIMATED);
	add(f, 120, 0, 12, ES_SLOT_ACTUAL);
	add(f, 120, 0, 13, ES_SLOT_ESTIMATED);
	add(f, 120, 0, 99, ES_SLOT_FORECAST);
	add(f, 180, 0, 14, ES_SLOT_ESTIMATED);
	assert_int_equal(prepare(f), 0);

	assert_int_equal(f->series.n, 4);
	assert_slot(f, 0, 0, 60, 10);
	assert_slot(f, 1, 60, 120, 11);
	assert_slot(f, 2, 120, 180, 12);
	assert_slot(f, 3, 180, 240, 14);
	assert_int_equal(f->series.n_replaced, 2);
}

static void months_and_days_of_25_hours_are_no_holes(void **state)
{
	struct fixture *f = *state;
	static const int days[] = { 0, 31, 59, 90, 120 };

	for (size_t i = 0; i < 5; i++)
		add(f, days[i] * 1440, 0, 10, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), 0);

	for (size_t i = 0; i < 4; i++)
		assert_slot(f, i, days[i] * 1440, days[i + 1] * 1440, 10);
}

static void the_longest_slot_and_the_lonely_one_are_what_the_source_says(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0, 10, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), -ENODATA);

	es_intensity_finish(&f->series);
	f->series.alone_ns = 15 * MIN_NS;
	add(f, 0, 0, 10, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), 0);
	assert_slot(f, 0, 0, 15, 10);

	es_intensity_finish(&f->series);
	f->series.longest_ns = 30 * MIN_NS;
	add(f, 0, 0, 10, ES_SLOT_ACTUAL);
	add(f, 120, 0, 20, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), 0);
	assert_slot(f, 0, 0, 30, 10);
	assert_slot(f, 1, 120, 150, 20);
}

static void overlaps_that_differ_are_an_error_and_repetitions_are_not(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 15, 1, ES_SLOT_ACTUAL);
	add(f, 0, 15, 1, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), 0);
	assert_int_equal(f->series.n, 1);
	assert_int_equal(f->series.n_repeated, 1);

	es_intensity_finish(&f->series);
	add(f, 0, 15, 1, ES_SLOT_ACTUAL);
	add(f, 0, 15, 2, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), -EEXIST);
	assert_int_equal(f->clash[0].place, 1);
	assert_int_equal(f->clash[1].place, 2);

	es_intensity_finish(&f->series);
	add(f, 0, 16, 1, ES_SLOT_ACTUAL);
	add(f, 15, 30, 1, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), -EEXIST);
}

static void what_came_true_wins_over_estimates_and_forecasts(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 60, 100, ES_SLOT_FORECAST);
	add(f, 60, 120, 200, ES_SLOT_FORECAST);
	add(f, 120, 180, 300, ES_SLOT_FORECAST);
	add(f, 15, 30, 1, ES_SLOT_ACTUAL);
	add(f, 60, 120, 2, ES_SLOT_ACTUAL);
	add(f, 30, 75, 3, ES_SLOT_ESTIMATED);
	assert_int_equal(prepare(f), 0);

	assert_int_equal(f->series.n, 5);
	assert_slot(f, 0, 0, 15, 100);
	assert_slot(f, 1, 15, 30, 1);
	assert_slot(f, 2, 30, 60, 3);
	assert_slot(f, 3, 60, 120, 2);
	assert_slot(f, 4, 120, 180, 300);
	assert_int_equal(f->series.n_replaced, 1);
}

static void one_long_forecast_is_cut_by_many_short_truths(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 1000, 7, ES_SLOT_FORECAST);
	for (int i = 0; i < 100; i++)
		add(f, 10 * i + 5, 10 * i + 6, 1, ES_SLOT_ACTUAL);
	for (int i = 0; i < 100; i++)
		add(f, 10 * i, 10 * i + 2, 2, ES_SLOT_ESTIMATED);
	assert_int_equal(prepare(f), 0);

	assert_int_equal(f->series.n, 400);
	for (size_t i = 0; i + 1 < f->series.n; i++)
		assert_int_equal(f->series.slots[i].stop_ns, f->series.slots[i + 1].start_ns);
}

static void what_is_no_intensity_is_refused(void **state)
{
	struct fixture *f = *state;
	static const double wrong[] = { -1, 10001, (double)NAN, (double)INFINITY };
	struct es_slot slot = { .start_ns = T0_NS, .stop_ns = ES_SLOT_OPEN };

	for (size_t i = 0; i < 4; i++) {
		slot.g_per_kwh = wrong[i];
		assert_int_equal(es_intensity_add(&f->series, &slot), -EINVAL);
	}
	slot.g_per_kwh = 0;
	slot.stop_ns = T0_NS;
	assert_int_equal(es_intensity_add(&f->series, &slot), -EINVAL);
	slot.stop_ns = T0_NS + 1;
	assert_int_equal(es_intensity_add(&f->series, &slot), 0);
	slot.stop_ns = INT64_MAX;
	assert_int_equal(es_intensity_add(&f->series, &slot), -EINVAL);
}

static void times_as_far_apart_as_can_be_do_no_harm(void **state)
{
	struct fixture *f = *state;
	struct es_slot slot = { .start_ns = ES_TIME_MAX_NS, .stop_ns = ES_SLOT_OPEN };
	int64_t year_ns = 366 * 1440 * MIN_NS;

	assert_int_equal(es_intensity_add(&f->series, &slot), 0);
	slot.start_ns = -ES_TIME_MAX_NS;
	assert_int_equal(es_intensity_add(&f->series, &slot), 0);
	assert_int_equal(prepare(f), 0);

	assert_int_equal(f->series.slots[0].stop_ns, -ES_TIME_MAX_NS + year_ns);
	assert_int_equal(f->series.slots[1].stop_ns, ES_TIME_MAX_NS + year_ns);
	slot.start_ns = ES_TIME_MAX_NS + 1;
	assert_int_equal(es_intensity_add(&f->series, &slot), -EINVAL);
}

static void times_are_the_edges_once_each(void **state)
{
	struct fixture *f = *state;
	int64_t *times;
	size_t n;

	add(f, 0, 15, 1, ES_SLOT_ACTUAL);
	add(f, 15, 30, 2, ES_SLOT_ACTUAL);
	add(f, 45, 60, 3, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), 0);
	assert_int_equal(es_intensity_times(&f->series, T0_NS, &times, &n), 0);

	assert_int_equal(n, 4);
	assert_int_equal(times[0], T0_NS + 15 * MIN_NS);
	assert_int_equal(times[3], T0_NS + 60 * MIN_NS);
	free(times);
}

static void grams_are_energy_times_intensity_slot_by_slot(void **state)
{
	struct fixture *f = *state;
	struct es_piece pieces[] = { piece(10, 15, KWH_UJ), piece(15, 30, 2 * KWH_UJ),
				     piece(30, 33, KWH_UJ / 2) };
	struct es_footing footing;

	add(f, 0, 15, 100, ES_SLOT_ACTUAL);
	add(f, 15, 30, 200, ES_SLOT_FORECAST);
	add(f, 30, 45, 400, ES_SLOT_ESTIMATED);
	assert_int_equal(prepare(f), 0);
	lay(f, pieces, 3, 1.5, &footing);

	assert_near(pieces[0].gco2, 150, 1e-9);
	assert_near(pieces[1].gco2, 600, 1e-9);
	assert_near(pieces[2].gco2, 300, 1e-9);
	assert_true(footing.has_gco2);
	assert_near(footing.gco2, 1050, 1e-9);
	assert_near(footing.g_per_kwh, 200, 1e-9);
	assert_near(footing.coverage, 1, 0);
	assert_near(footing.forecast_share, 15.0 / 23, 1e-12);
	assert_near(footing.estimated_share, 3.0 / 23, 1e-12);
	assert_true(footing.has_uncertainty);
	assert_near(footing.uncertainty_g, 0, 0);
}

static void missing_time_takes_the_mean_of_what_the_job_has_and_says_so(void **state)
{
	struct fixture *f = *state;
	struct es_piece pieces[] = { piece(0, 15, KWH_UJ), piece(15, 30, KWH_UJ),
				     piece(30, 40, 3 * KWH_UJ) };
	struct es_footing footing;
	/* s of 100 and 300 with Bessel's correction is 141.42; two figures in the job, one degree of freedom. */
	double half = 12.7062 * sqrt(20000.0) * sqrt(1.5) * 3.0;

	add(f, 0, 15, 100, ES_SLOT_ACTUAL);
	add(f, 15, 30, 300, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), 0);
	lay(f, pieces, 3, 1, &footing);

	assert_false(pieces[2].has_figure);
	assert_true(footing.has_gco2);
	assert_near(footing.coverage, 0.75, 1e-12);
	assert_near(footing.filled_g, 600, 1e-9);
	assert_near(footing.gco2, 1000, 1e-9);
	assert_near(footing.g_per_kwh, 200, 1e-9);
	assert_true(footing.has_uncertainty);
	assert_near(footing.uncertainty_g, half, 0.01);
}

static void a_single_figure_has_no_spread_but_its_day_has(void **state)
{
	struct fixture *f = *state;
	struct es_piece pieces[] = { piece(0, 15, KWH_UJ), piece(15, 20, KWH_UJ) };
	struct es_footing footing;

	add(f, 0, 15, 100, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), 0);
	lay(f, pieces, 2, 1, &footing);
	assert_true(footing.has_gco2);
	assert_false(footing.has_uncertainty);

	add(f, -60, -45, 120, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), 0);
	lay(f, pieces, 2, 1, &footing);
	assert_true(footing.has_uncertainty);
	assert_near(footing.gco2, 200, 1e-9);
	assert_near(footing.uncertainty_g, 12.7062 * sqrt(200.0) * sqrt(2.0), 0.001);

	/* Two days before is another time. */
	es_intensity_finish(&f->series);
	add(f, 0, 15, 100, ES_SLOT_ACTUAL);
	add(f, -2880, -2865, 120, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), 0);
	lay(f, pieces, 2, 1, &footing);
	assert_false(footing.has_uncertainty);
}

static void with_less_than_half_known_nothing_is_said(void **state)
{
	struct fixture *f = *state;
	struct es_piece pieces[] = { piece(0, 14, KWH_UJ), piece(14, 30, KWH_UJ) };
	struct es_footing footing;

	add(f, 0, 14, 100, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), 0);
	lay(f, pieces, 2, 1, &footing);
	assert_true(footing.has_coverage);
	assert_false(footing.has_gco2);

	pieces[1].stop_ns = T0_NS + 28 * MIN_NS; /* just half */
	lay(f, pieces, 2, 1, &footing);
	assert_true(footing.has_gco2);
}

static void without_energy_the_mean_is_by_time(void **state)
{
	struct fixture *f = *state;
	struct es_piece pieces[] = { piece(0, 15, 0), piece(15, 20, 0) };
	struct es_footing footing;

	add(f, 0, 15, 100, ES_SLOT_ACTUAL);
	add(f, 15, 30, 200, ES_SLOT_ACTUAL);
	assert_int_equal(prepare(f), 0);
	lay(f, pieces, 2, 1, &footing);

	assert_true(footing.has_gco2);
	assert_near(footing.gco2, 0, 0);
	assert_near(footing.g_per_kwh, 125, 1e-9);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(slots_come_in_any_order),
		TEST(an_open_slot_ends_where_the_next_one_starts),
		TEST(a_figure_that_is_missing_leaves_a_hole),
		TEST(estimates_among_actual_figures_share_their_hours),
		TEST(months_and_days_of_25_hours_are_no_holes),
		TEST(the_longest_slot_and_the_lonely_one_are_what_the_source_says),
		TEST(overlaps_that_differ_are_an_error_and_repetitions_are_not),
		TEST(what_came_true_wins_over_estimates_and_forecasts),
		TEST(one_long_forecast_is_cut_by_many_short_truths),
		TEST(what_is_no_intensity_is_refused),
		TEST(times_as_far_apart_as_can_be_do_no_harm),
		TEST(times_are_the_edges_once_each),
		TEST(grams_are_energy_times_intensity_slot_by_slot),
		TEST(missing_time_takes_the_mean_of_what_the_job_has_and_says_so),
		TEST(a_single_figure_has_no_spread_but_its_day_has),
		TEST(with_less_than_half_known_nothing_is_said),
		TEST(without_energy_the_mean_is_by_time),
	};

	return cmocka_run_group_tests_name("core/intensity", tests, NULL, NULL);
}
