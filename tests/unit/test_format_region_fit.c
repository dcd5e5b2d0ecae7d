/*
 * test_format_region_fit.c - regions of many short calls: fitted, or said to be inseparable
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "core/series.h"
#include "support/recordings.h"
#include "support/simulated.h"

struct fixture {
	struct test_recording made;
	struct es_report_options options;
	struct sim sim;
	struct sim_meter meters[2];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	test_recording_init(&f->made, 100 * TEST_MS);
	f->options = test_options();
	f->meters[0] = (struct sim_meter){ .period_ns = 100 * TEST_MS,
					   .jitter_ns = TEST_MS,
					   .update_ns = TEST_MS,
					   .phase_ns = TEST_MS / 3,
					   .part = 1 };
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	test_recording_finish(&f->made);
	sim_finish(&f->sim);
	free(f);
	return 0;
}

/* Regions 0 and 1 in turn, of these watts, each @length_ns long give or take @jitter of it. */
static void alternate(struct fixture *f, int64_t dur_ns, int64_t length_ns, double jitter,
		      double first_w, double second_w)
{
	double low_ns = (double)length_ns * (1 - jitter),
	       high_ns = (double)length_ns * (1 + jitter);
	unsigned i = 0;

	sim_init(&f->sim, dur_ns, 4711);
	for (int64_t t_ns = 0, stop_ns; t_ns < dur_ns; t_ns = stop_ns, i++) {
		stop_ns = t_ns + sim_between_ns(&f->sim, low_ns, high_ns);
		sim_call(&f->sim, i % 2, t_ns, stop_ns);
		sim_add_power(&f->sim, t_ns, stop_ns, i % 2 ? second_w : first_w);
	}
}

static const struct es_report *report(struct fixture *f)
{
	if (f->made.meta.n_domains == 0)
		(void)test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	sim_settle(&f->sim);
	sim_record(&f->sim, f->meters, &f->made);
	return test_report(&f->made, &f->options);
}

static const struct es_report_region *region(const struct fixture *f, unsigned i)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "r%u", i);
	return test_region(&f->made.report, name);
}

static void assert_closed(const struct es_report *report)
{
	uint64_t sum_uj = report->untagged.is_known ? report->untagged.energy_uj : 0;

	for (size_t i = 0; i < report->n_regions; i++)
		sum_uj += report->regions[i].has_exclusive ? report->regions[i].exclusive_uj : 0;
	for (size_t i = 0; i < report->n_groups; i++)
		sum_uj += report->groups[i].energy_uj;
	assert_int_equal(sum_uj, report->fine_uj);
}

/* It has the stated method, a number near the truth, and the truth within its bound. */
static void assert_true_energy(const struct fixture *f, unsigned i, enum es_region_method method,
			       double tolerance)
{
	const struct es_report_region *r = region(f, i);
	double energy_j = (double)r->energy_uj / 1e6, true_j = f->sim.region_j[i];

	assert_int_equal(r->method, method);
	assert_true(r->is_known);
	if (!(fabs(energy_j - true_j) <= r->uncertainty_j))
		fail_msg("r%u: %.3f +- %.3f J is not %.3f J", i, energy_j, r->uncertainty_j,
			 true_j);
	if (!(fabs(energy_j - true_j) <= tolerance * f->sim.region_j[0]) ||
	    !(r->uncertainty_j <= 2 * tolerance * f->sim.region_j[0]))
		fail_msg("r%u: %.3f +- %.3f J is too far from %.3f J", i, energy_j,
			 r->uncertainty_j, true_j);
}

/* What interpolation alone says of both regions, in watts. */
static void interpolate(const struct fixture *f, double ret_w[static 2])
{
	double time_s[2] = { 0 };

	ret_w[0] = 0;
	ret_w[1] = 0;
	for (size_t i = 0; i < f->sim.n_calls; i++) {
		const struct sim_call *call = &f->sim.calls[i];

		for (int64_t t_ns = call->start_ns / (100 * TEST_MS) * (100 * TEST_MS);
		     t_ns < call->stop_ns; t_ns += 100 * TEST_MS) {
			struct es_sample sample = { .t0_ns = t_ns, .t1_ns = t_ns + 100 * TEST_MS };
			struct es_edge start = { .t_ns = call->start_ns },
				       stop = { .t_ns = call->stop_ns };

			sample.energy_uj = (uint64_t)((sim_joules(&f->sim, sample.t1_ns) -
						       sim_joules(&f->sim, sample.t0_ns)) *
						      1e6);
			es_edge_add(&start, &sample);
			es_edge_add(&stop, &sample);
			ret_w[call->region] += (double)(stop.energy_uj - start.energy_uj) / 1e6;
		}
		time_s[call->region] += (double)(call->stop_ns - call->start_ns) / 1e9;
	}
	ret_w[0] /= time_s[0];
	ret_w[1] /= time_s[1];
}

static void assert_watts(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.2f W is not %.2f W", value, expected);
}

static double mean_w(const struct es_report_region *r)
{
	return (double)r->energy_uj * 1e3 / (double)r->dur_ns;
}

static void check_phases(struct fixture *f, int64_t length_ns, double flat_w, double other_w)
{
	double flat[2];

	alternate(f, 60 * TEST_S, length_ns, 0.1, 300, 100);
	(void)report(f);
	interpolate(f, flat);

	assert_watts(flat[0], flat_w, 3);
	assert_watts(flat[1], other_w, 3);
	assert_true_energy(f, 0, ES_REGION_FITTED, 0.06);
	assert_true_energy(f, 1, ES_REGION_FITTED, 0.06);
	assert_watts(mean_w(region(f, 0)), 300, 12);
	assert_watts(mean_w(region(f, 1)), 100, 12);
	assert_closed(&f->made.report);
}

static void phases_of_5_ms_are_told_apart(void **state)
{
	check_phases(*state, 5 * TEST_MS, 200, 200);
}

static void phases_of_50_ms_are_told_apart(void **state)
{
	check_phases(*state, 50 * TEST_MS, 201, 199);
}

static void phases_of_500_ms_are_told_apart(void **state)
{
	check_phases(*state, 500 * TEST_MS, 287, 114);
}

/* Without jitter each window has ten of either: nothing tells which one draws more. */
static void phases_that_divide_the_windows_are_inseparable(void **state)
{
	struct fixture *f = *state;
	const struct es_report_group *group;
	struct es_buf table;

	alternate(f, 60 * TEST_S, 5 * TEST_MS, 0, 300, 100);
	f->meters[0].jitter_ns = 0;
	(void)report(f);

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(region(f, i)->method, ES_REGION_INSEPARABLE);
		assert_false(region(f, i)->is_known);
		assert_int_equal(region(f, i)->energy_uj, 0);
		assert_int_equal(region(f, i)->group, 0);
	}
	assert_int_equal(f->made.report.n_groups, 1);
	group = &f->made.report.groups[0];
	assert_int_equal(group->n_regions, 2);
	assert_false(group->has_untagged);
	assert_true(fabs((double)group->energy_uj / 1e6 - 12000) <= group->uncertainty_j);
	assert_true(group->uncertainty_j < 5);
	assert_closed(&f->made.report);
	es_buf_init(&table, 1U << 20);
	assert_int_equal(es_report_table(&f->made.report, &table), 0);
	assert_int_equal(es_buf_u8(&table, 0), 0);
	assert_non_null(strstr((const char *)table.data, "not separable from r1: 1"));
	assert_non_null(strstr((const char *)table.data, "not separable from r0: 1"));
	es_buf_finish(&table);
}

/* One region whose share never changes is not separable from what is untagged around it. */
static void a_constant_share_is_not_separable_from_what_is_untagged(void **state)
{
	struct fixture *f = *state;

	sim_init(&f->sim, 60 * TEST_S, 1);
	for (int64_t t_ns = 0; t_ns < 60 * TEST_S; t_ns += 10 * TEST_MS) {
		sim_call(&f->sim, 0, t_ns + TEST_MS, t_ns + 4 * TEST_MS);
		sim_add_power(&f->sim, t_ns, t_ns + 10 * TEST_MS, 100);
	}
	f->meters[0].jitter_ns = 0;
	(void)report(f);

	assert_int_equal(region(f, 0)->method, ES_REGION_INSEPARABLE);
	assert_true(f->made.report.groups[0].has_untagged);
	assert_false(f->made.report.untagged.is_known);
	assert_closed(&f->made.report);
}

/* Two that vary and one whose share is the same in each window: it may be anything, so the others may, too. */
static void one_constant_share_of_three_hides_the_others(void **state)
{
	struct fixture *f = *state;

	sim_init(&f->sim, 60 * TEST_S, 5);
	for (int64_t t_ns = 0; t_ns < 60 * TEST_S; t_ns += 100 * TEST_MS) {
		int64_t middle_ns = t_ns + sim_between_ns(&f->sim, 40e6, 90e6);

		sim_call(&f->sim, 2, t_ns, t_ns + 30 * TEST_MS);
		sim_call(&f->sim, 0, t_ns + 30 * TEST_MS, middle_ns);
		sim_call(&f->sim, 1, middle_ns, t_ns + 100 * TEST_MS);
		sim_add_power(&f->sim, t_ns, t_ns + 30 * TEST_MS, 150);
		sim_add_power(&f->sim, t_ns + 30 * TEST_MS, middle_ns, 300);
		sim_add_power(&f->sim, middle_ns, t_ns + 100 * TEST_MS, 100);
	}
	f->meters[0].jitter_ns = 0;
	f->meters[0].update_ns = 0;
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1)->update_period_ns = 0;
	(void)report(f);

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(region(f, i)->method, ES_REGION_INSEPARABLE);
	assert_int_equal(f->made.report.groups[0].n_regions, 3);
	assert_closed(&f->made.report);
}

/* Two threads whose loops overlap without nesting, in step with the readings: what they share is in the group, too. */
static void inseparable_regions_take_what_they_share_along(void **state)
{
	struct fixture *f = *state;

	sim_init(&f->sim, 60 * TEST_S, 2);
	sim_add_power(&f->sim, 0, 60 * TEST_S, 100);
	for (int64_t t_ns = 0; t_ns < 60 * TEST_S; t_ns += 20 * TEST_MS) {
		sim_call(&f->sim, 0, t_ns, t_ns + 12 * TEST_MS);
		sim_call(&f->sim, 1, t_ns + 8 * TEST_MS, t_ns + 20 * TEST_MS);
	}
	f->meters[0].jitter_ns = 0;
	(void)report(f);

	assert_int_equal(region(f, 0)->method, ES_REGION_INSEPARABLE);
	assert_int_equal(region(f, 1)->method, ES_REGION_INSEPARABLE);
	assert_int_equal(f->made.report.n_groups, 1);
	assert_int_equal(f->made.report.groups[0].n_regions, 2);
	assert_int_equal(f->made.report.groups[0].dur_ns, 60 * TEST_S);
	assert_closed(&f->made.report);
}

static void a_region_without_power_has_none(void **state)
{
	struct fixture *f = *state;

	alternate(f, 60 * TEST_S, 40 * TEST_MS, 0.3, 200, 0);
	(void)report(f);

	assert_true_energy(f, 0, ES_REGION_FITTED, 0.03);
	assert_true_energy(f, 1, ES_REGION_FITTED, 0.03);
	assert_closed(&f->made.report);
}

/* A long region around short ones: its own edges are interpolated, its own part is fitted with theirs. */
static void long_regions_stay_interpolated_beside_fitted_ones(void **state)
{
	struct fixture *f = *state;

	alternate(f, 60 * TEST_S, 20 * TEST_MS, 0.3, 300, 100);
	sim_call(&f->sim, 2, 10 * TEST_S, 50 * TEST_S);
	sim_call(&f->sim, 3, 55 * TEST_S, 55 * TEST_S);
	(void)report(f);

	assert_true_energy(f, 0, ES_REGION_FITTED, 0.03);
	assert_true_energy(f, 2, ES_REGION_INTERPOLATED, 0.03);
	assert_int_equal(region(f, 3)->energy_uj, 0);
	/* Only where a call crosses its edges do they share. */
	assert_in_range(region(f, 2)->exclusive_ns, 0, 20 * TEST_MS);
	assert_closed(&f->made.report);
}

/* Always both at once: each has the whole inside of it, and half of it for its own. */
static void two_that_always_run_together_share(void **state)
{
	struct fixture *f = *state;
	uint64_t together_uj;

	sim_init(&f->sim, 60 * TEST_S, 9);
	sim_add_power(&f->sim, 0, 60 * TEST_S, 50);
	for (int64_t t_ns = 0; t_ns < 59 * TEST_S; t_ns += 100 * TEST_MS) {
		int64_t start_ns = t_ns + sim_between_ns(&f->sim, 0, 40e6),
			stop_ns = start_ns + sim_between_ns(&f->sim, 10e6, 50e6);

		sim_call(&f->sim, 0, start_ns, stop_ns);
		sim_call(&f->sim, 1, start_ns, stop_ns);
		sim_add_power(&f->sim, start_ns, stop_ns, 200);
	}
	(void)report(f);

	assert_true_energy(f, 0, ES_REGION_FITTED, 0.05);
	assert_true_energy(f, 1, ES_REGION_FITTED, 0.05);
	together_uj = region(f, 0)->exclusive_uj + region(f, 1)->exclusive_uj;
	assert_in_range(region(f, 0)->exclusive_uj, together_uj / 2 - 1, together_uj / 2 + 1);
	assert_closed(&f->made.report);
}

static void a_region_over_everything_has_everything(void **state)
{
	struct fixture *f = *state;

	alternate(f, 30 * TEST_S, 20 * TEST_MS, 0.3, 300, 100);
	f->sim.n_calls = 0;
	sim_call(&f->sim, 0, 0, 30 * TEST_S);
	(void)report(f);

	assert_int_equal(region(f, 0)->energy_uj, f->made.report.fine_uj);
	assert_int_equal(region(f, 0)->exclusive_uj, f->made.report.fine_uj);
	assert_int_equal(f->made.report.untagged.energy_uj, 0);
}

/* Ten seconds without readings: the counter goes on; it wraps twice besides. */
static void holes_and_wraps_do_not_spoil_a_fit(void **state)
{
	struct fixture *f = *state;
	struct es_domain *domain = test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);

	domain->range.modulus_nj = UINT64_C(61035) << 26; /* 4096 J */
	f->meters[0].first_uj = 4000 * TEST_J;
	f->meters[0].hole_from_ns = 30 * TEST_S;
	f->meters[0].hole_to_ns = 40 * TEST_S;
	alternate(f, 60 * TEST_S, 20 * TEST_MS, 0.3, 150, 50);
	(void)report(f);

	assert_true(f->made.report.n_wraps >= 1);
	assert_true_energy(f, 0, ES_REGION_FITTED, 0.1);
	assert_true_energy(f, 1, ES_REGION_FITTED, 0.1);
	assert_closed(&f->made.report);
}

/* The package each 20 ms, the memory each second: each by its own windows. */
static void domains_are_fitted_by_their_own_windows(void **state)
{
	struct fixture *f = *state;

	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1)->read_period_ns = 20 * TEST_MS;
	test_domain(&f->made, "powercap", ES_DOMAIN_DRAM, 0, -1)->read_period_ns = TEST_S;
	f->meters[0].period_ns = 20 * TEST_MS;
	f->meters[0].part = 0.9;
	f->meters[1] = (struct sim_meter){ .period_ns = TEST_S, .part = 0.1 };
	alternate(f, 120 * TEST_S, 60 * TEST_MS, 0.3, 300, 100);
	(void)report(f);

	assert_true_energy(f, 0, ES_REGION_FITTED, 0.05);
	assert_true_energy(f, 1, ES_REGION_FITTED, 0.05);
	assert_true(region(f, 0)->by_domain_uj[0] > 8 * region(f, 0)->by_domain_uj[1]);
	assert_int_equal(region(f, 0)->by_domain_uj[0] + region(f, 0)->by_domain_uj[1],
			 region(f, 0)->energy_uj);
	assert_closed(&f->made.report);
}

/* The estimate's own interval comes on top: 20 % to 30 % of the energy. */
static void an_estimate_is_fitted_with_its_own_uncertainty(void **state)
{
	struct fixture *f = *state;

	(void)test_estimate(&f->made);
	alternate(f, 60 * TEST_S, 20 * TEST_MS, 0.3, 50, 10);
	(void)report(f);

	assert_int_equal(region(f, 0)->method, ES_REGION_FITTED);
	assert_watts(mean_w(region(f, 0)), 50, 3);
	assert_true(region(f, 0)->uncertainty_j > 0.2 * (double)region(f, 0)->energy_uj / 1e6);
	assert_closed(&f->made.report);
}

/* A few calls in a second: nothing to fit, and the bound says how little is known. */
static void a_short_recording_is_interpolated_with_its_bound(void **state)
{
	struct fixture *f = *state;

	alternate(f, TEST_S, 20 * TEST_MS, 0.3, 300, 100);
	(void)report(f);

	assert_int_equal(region(f, 0)->method, ES_REGION_INTERPOLATED);
	assert_true(fabs((double)region(f, 0)->energy_uj / 1e6 - f->sim.region_j[0]) <=
		    region(f, 0)->uncertainty_j);
	assert_closed(&f->made.report);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(phases_of_5_ms_are_told_apart),
		TEST(phases_of_50_ms_are_told_apart),
		TEST(phases_of_500_ms_are_told_apart),
		TEST(phases_that_divide_the_windows_are_inseparable),
		TEST(a_constant_share_is_not_separable_from_what_is_untagged),
		TEST(one_constant_share_of_three_hides_the_others),
		TEST(inseparable_regions_take_what_they_share_along),
		TEST(a_region_without_power_has_none),
		TEST(long_regions_stay_interpolated_beside_fitted_ones),
		TEST(two_that_always_run_together_share),
		TEST(a_region_over_everything_has_everything),
		TEST(holes_and_wraps_do_not_spoil_a_fit),
		TEST(domains_are_fitted_by_their_own_windows),
		TEST(an_estimate_is_fitted_with_its_own_uncertainty),
		TEST(a_short_recording_is_interpolated_with_its_bound),
	};
#undef TEST

	return cmocka_run_group_tests_name("format/region_fit", tests, NULL, NULL);
}
