/*
 * test_core_watch.c - what was seen of each domain: moved, stood still, mirrored, dead
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/watch.h"

#define MS 1000000LL
#define S 1000000000LL
#define N_MAX 6

struct fixture {
	struct es_domain domains[N_MAX];
	size_t n;
	struct es_watch watch;
	struct es_evidence evidence[N_MAX];
	uint64_t seen_uj[N_MAX];
	unsigned n_gaps[N_MAX];
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_watch_finish(&f->watch);
	free(f);
	return 0;
}

static struct es_domain *add(struct fixture *f, const char *source, enum es_domain_type type,
			     int32_t package, int32_t die)
{
	struct es_domain *domain = &f->domains[f->n++];

	es_domain_init(domain, source, type, package, die);
	domain->range.unit_nj = 15258;
	domain->range.modulus_nj = UINT64_C(15258) << 32;
	domain->update_period_ns = MS;
	return domain;
}

static void on_sample(void *arg, size_t domain, const struct es_sample *sample)
{
	struct fixture *f = arg;

	f->seen_uj[domain] += sample->energy_uj;
	f->n_gaps[domain] += sample->is_gap;
}

static void begin(struct fixture *f)
{
	assert_int_equal(es_watch_init(&f->watch, f->domains, f->n, 100 * MS), 0);
	f->watch.on_sample = on_sample;
	f->watch.arg = f;
}

static void row(struct fixture *f, int64_t t_ns, const uint64_t *values, int64_t busy_ns)
{
	for (size_t i = 0; i < f->n; i++)
		es_watch_reading(&f->watch, i, t_ns, values[i], busy_ns);
	es_watch_row(&f->watch);
}

static void end(struct fixture *f, uint32_t n_cpus, uint32_t n_packages, bool is_probed)
{
	es_watch_end(&f->watch);
	es_watch_evidence(&f->watch, n_cpus, n_packages, is_probed, f->evidence);
}

static void energy_of_each_domain_is_the_sum_of_its_samples(void **state)
{
	struct fixture *f = *state;

	add(f, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	add(f, "powercap", ES_DOMAIN_DRAM, 0, -1);
	begin(f);

	row(f, 0, (uint64_t[]){ 1000, 500 }, 0);
	row(f, 100 * MS, (uint64_t[]){ 3000, 600 }, 0);
	row(f, 200 * MS, (uint64_t[]){ 8000, 750 }, 0);
	end(f, 4, 1, false);

	assert_true(f->evidence[0].was_watched && f->evidence[0].has_moved);
	assert_int_equal(f->evidence[0].energy_uj, 7000);
	assert_int_equal(f->evidence[1].energy_uj, 250);
	assert_int_equal(f->seen_uj[0], 7000);
	assert_int_equal(f->evidence[0].mirrors, -1);
	assert_false(f->evidence[0].is_unknown);
}

static void one_reading_is_no_evidence(void **state)
{
	struct fixture *f = *state;

	add(f, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	begin(f);

	row(f, 0, (uint64_t[]){ 1000 }, 0);
	end(f, 4, 1, false);

	assert_false(f->evidence[0].was_watched);
	assert_false(f->evidence[0].has_moved);
	assert_false(f->evidence[0].is_unknown);
}

/* A BMC that answered once only cannot stand for the node: its parts do. */
static void a_node_that_was_read_once_is_unknown_beside_others(void **state)
{
	struct fixture *f = *state;

	add(f, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	add(f, "dcmi", ES_DOMAIN_NODE, -1, -1)->is_power = true;
	begin(f);

	row(f, 0, (uint64_t[]){ 1000, 250000 }, 0);
	es_watch_reading(&f->watch, 0, 100 * MS, 3000, 0);
	es_watch_row(&f->watch);
	end(f, 4, 1, false);

	assert_false(f->evidence[0].is_unknown);
	assert_true(f->evidence[1].is_unknown);
}

/* 20 updates of 1 ms are less than the least time, 50 ms: only beyond that is standing still suspect. */
static void a_standing_counter_is_unknown_after_a_while_and_zero_before(void **state)
{
	static const struct {
		int64_t update_period_ns, dur_ns;
		bool is_unknown;
	} vectors[] = {
		{ MS, 3 * MS, false },	      { MS, 50 * MS, false },	   { MS, 51 * MS, true },
		{ 10 * MS, 200 * MS, false }, { 10 * MS, 201 * MS, true },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		f->n = 0;
		add(f, "powercap", ES_DOMAIN_PACKAGE, 0, -1)->update_period_ns =
			vectors[i].update_period_ns;
		begin(f);

		row(f, 0, (uint64_t[]){ 1000 }, 0);
		row(f, vectors[i].dur_ns, (uint64_t[]){ 1000 }, 0);
		end(f, 4, 1, false);

		assert_true(f->evidence[0].was_watched);
		assert_false(f->evidence[0].has_moved);
		assert_int_equal(f->evidence[0].is_unknown, vectors[i].is_unknown);
		es_watch_finish(&f->watch);
	}
}

static void constant_power_is_no_standing_counter(void **state)
{
	struct fixture *f = *state;

	add(f, "ipmi", ES_DOMAIN_NODE, -1, -1)->is_power = true;
	begin(f);

	for (int i = 0; i <= 20; i++)
		row(f, i * 100 * MS, (uint64_t[]){ 250000 }, 0);
	end(f, 4, 1, false);

	assert_false(f->evidence[0].is_unknown);
	assert_int_equal(f->evidence[0].energy_uj, 500 * 1000000ULL); /* 250 W for 2 s */
}

/* Planned every 100 ms: up to 175 ms apart nothing is missing. */
static void powers_too_far_apart_leave_a_gap(void **state)
{
	struct fixture *f = *state;

	add(f, "ipmi", ES_DOMAIN_NODE, -1, -1)->is_power = true;
	begin(f);

	row(f, 0, (uint64_t[]){ 100000 }, 0);
	row(f, 175 * MS, (uint64_t[]){ 100000 }, 0);
	assert_int_equal(f->n_gaps[0], 0);
	row(f, 351 * MS, (uint64_t[]){ 100000 }, 0);
	end(f, 4, 1, false);

	assert_int_equal(f->n_gaps[0], 1);
	assert_int_equal(f->evidence[0].energy_uj, 17500000);
}

/* A BMC that refreshes once a second is not late at 1.5 s, however short the planned period. */
static void powers_of_a_slow_meter_hold(void **state)
{
	struct fixture *f = *state;

	add(f, "prometheus", ES_DOMAIN_NODE, -1, -1)->is_power = true;
	f->domains[0].hold_ns = 1000 * MS;
	begin(f);
	row(f, 1000 * MS, (uint64_t[]){ 200000 }, 0);
	row(f, 2000 * MS, (uint64_t[]){ 200000 }, 0);
	assert_int_equal(f->n_gaps[0], 0);
	assert_int_equal(f->seen_uj[0], 200000000);
	row(f, 3001 * MS, (uint64_t[]){ 200000 }, 0);
	assert_int_equal(f->n_gaps[0], 1);
	end(f, 1, 1, false);
}

static void the_meters_own_pace_decides_where_it_is_slower(void **state)
{
	struct fixture *f = *state;
	struct es_domain *domain = add(f, "ipmi", ES_DOMAIN_NODE, -1, -1);

	domain->is_power = true;
	domain->update_period_ns = S;
	begin(f);

	row(f, 0, (uint64_t[]){ 100000 }, 0);
	row(f, 1500 * MS, (uint64_t[]){ 100000 }, 0);
	row(f, 3300 * MS, (uint64_t[]){ 100000 }, 0);
	end(f, 4, 1, false);

	assert_int_equal(f->n_gaps[0], 1);
	assert_int_equal(f->evidence[0].energy_uj, 150000000);
}

static void add_estimate(struct fixture *f)
{
	struct es_domain *domain = add(f, "estimate", ES_DOMAIN_NODE, -1, -1);

	domain->kind = ES_KIND_ESTIMATED;
	domain->has_activity = true;
}

/*
 * 2 packages of 2 CPUs for 2 s: the others can hold 4 s of CPU time; what is beyond ran on this package. Half a second
 * of it is proof.
 */
static void cpu_time_proves_a_busy_package_only_where_the_others_cannot_hold_it(void **state)
{
	static const struct {
		uint32_t n_cpus, n_packages;
		int64_t dur_ns, busy_ns;
		bool is_busy;
	} vectors[] = {
		{ 4, 2, 2 * S, 4 * S, false },
		{ 4, 2, 2 * S, 4499 * MS, false },
		{ 4, 2, 2 * S, 4500 * MS, true },
		{ 2, 1, 2 * S, 499 * MS, false },
		{ 2, 1, 2 * S, 500 * MS, true },
		{ 2, 1, 999 * MS, 999 * MS, false }, /* too short a time */
		{ 2, 0, 2 * S, 4 * S, false }, /* packages not known */
		{ 0, 0, 2 * S, 4 * S, false }, /* nothing known, or several nodes */
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		f->n = 0;
		add(f, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
		add(f, "powercap", ES_DOMAIN_DRAM, 0, -1);
		add_estimate(f);
		begin(f);

		row(f, 0, (uint64_t[]){ 0, 0, 0 }, 70 * S);
		row(f, vectors[i].dur_ns, (uint64_t[]){ 0, 0, 20000000 },
		    70 * S + vectors[i].busy_ns);
		end(f, vectors[i].n_cpus, vectors[i].n_packages, false);

		assert_int_equal(f->evidence[0].was_busy, vectors[i].is_busy);
		assert_false(f->evidence[1].was_busy); /* CPU time proves nothing about memory */
		es_watch_finish(&f->watch);
	}
}

static void busy_on_purpose_is_proof_for_every_cpu_domain(void **state)
{
	struct fixture *f = *state;

	add(f, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	add(f, "powercap", ES_DOMAIN_PSYS, -1, -1);
	add(f, "powercap", ES_DOMAIN_DRAM, 0, -1);
	add(f, "nvml", ES_DOMAIN_GPU, -1, -1);
	begin(f);

	row(f, 0, (uint64_t[]){ 0, 0, 0, 0 }, 0);
	row(f, S, (uint64_t[]){ 0, 0, 0, 0 }, 0);
	end(f, 4, 1, true);

	assert_true(f->evidence[0].was_busy);
	assert_true(f->evidence[1].was_busy);
	assert_false(f->evidence[2].was_busy);
	assert_false(f->evidence[3].was_busy);
}

static void dies_that_always_step_alike_are_mirrors(void **state)
{
	struct fixture *f = *state;

	add(f, "powercap", ES_DOMAIN_DIE, 0, 0);
	add(f, "powercap", ES_DOMAIN_DIE, 0, 1);
	add(f, "powercap", ES_DOMAIN_DIE, 1, 0);
	begin(f);

	/* The origins differ; the steps are the same to one unit of 15 µJ. */
	row(f, 0, (uint64_t[]){ 0, 7000000, 0 }, 0);
	row(f, 100 * MS, (uint64_t[]){ 5000000, 12000015, 5000000 }, 0);
	row(f, 200 * MS, (uint64_t[]){ 11000000, 18000000, 11000000 }, 0);
	row(f, 300 * MS, (uint64_t[]){ 15000000, 22000000, 15000000 }, 0);
	end(f, 4, 2, false);

	assert_int_equal(f->evidence[0].mirrors, -1);
	assert_int_equal(f->evidence[1].mirrors, 0);
	assert_int_equal(f->evidence[2].mirrors, -1); /* of another package */
}

static void dies_that_step_differently_are_two(void **state)
{
	struct fixture *f = *state;

	add(f, "powercap", ES_DOMAIN_DIE, 0, 0);
	add(f, "powercap", ES_DOMAIN_DIE, 0, 1);
	begin(f);

	row(f, 0, (uint64_t[]){ 0, 0 }, 0);
	row(f, 100 * MS, (uint64_t[]){ 5000000, 4000000 }, 0);
	row(f, 200 * MS, (uint64_t[]){ 11000000, 8000000 }, 0);
	row(f, 300 * MS, (uint64_t[]){ 15000000, 12000000 }, 0);
	end(f, 4, 1, false);

	assert_int_equal(f->evidence[1].mirrors, -1);
}

/* A short run has a reading at its start and one at its end: one step, and it is the same. */
static void one_equal_step_is_enough_to_see_a_mirror(void **state)
{
	struct fixture *f = *state;

	add(f, "powercap", ES_DOMAIN_DIE, 0, 0);
	add(f, "powercap", ES_DOMAIN_DIE, 0, 1);
	begin(f);

	row(f, 0, (uint64_t[]){ 0, 7000000 }, 0);
	row(f, 80 * MS, (uint64_t[]){ 5000000, 12000000 }, 0);
	end(f, 4, 1, false);

	assert_int_equal(f->evidence[1].mirrors, 0);
}

/*
 * Two reads lie 20 µs apart, the counter refreshes each ms: in one row of fifty the refresh falls between them. At
 * 100 W it is worth 100 mJ, which the next row takes back.
 */
static void a_refresh_between_two_reads_makes_no_second_die(void **state)
{
	struct fixture *f = *state;

	add(f, "powercap", ES_DOMAIN_DIE, 0, 0);
	add(f, "powercap", ES_DOMAIN_DIE, 0, 1);
	begin(f);

	for (unsigned i = 0; i <= 100; i++)
		row(f, i * 100 * MS,
		    (uint64_t[]){ i * 10000000ULL, i * 10000000ULL + (i % 50 == 25 ? 100000 : 0) },
		    0);
	end(f, 4, 1, false);

	assert_int_equal(f->evidence[1].mirrors, 0);
}

/* perf's die is listed but denied: it gives no reading, and powercap's dies are compared among themselves. */
static void dies_are_compared_within_one_source(void **state)
{
	struct fixture *f = *state;

	add(f, "perf", ES_DOMAIN_DIE, 0, 0)->state = ES_STATE_DENIED;
	add(f, "powercap", ES_DOMAIN_DIE, 0, 0);
	add(f, "powercap", ES_DOMAIN_DIE, 0, 1);
	begin(f);

	for (unsigned i = 0; i <= 5; i++) {
		es_watch_reading(&f->watch, 1, i * 100 * MS, i * 5000000ULL, 0);
		es_watch_reading(&f->watch, 2, i * 100 * MS, i * 5000000ULL, 0);
		es_watch_row(&f->watch);
	}
	end(f, 4, 1, false);

	assert_int_equal(f->evidence[2].mirrors, 1);
}

static void a_reset_at_the_very_end_is_told_as_a_gap(void **state)
{
	struct fixture *f = *state;

	add(f, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	begin(f);

	row(f, 0, (uint64_t[]){ 1000000000 }, 0);
	row(f, 100 * MS, (uint64_t[]){ 1010000000 }, 0);
	row(f, 200 * MS, (uint64_t[]){ 5 }, 0);
	end(f, 4, 1, false);

	assert_int_equal(f->n_gaps[0], 1);
	assert_int_equal(f->evidence[0].energy_uj, 10000000);
	assert_int_equal(f->watch.tracks[0].n_resets, 1);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(energy_of_each_domain_is_the_sum_of_its_samples),
		TEST(one_reading_is_no_evidence),
		TEST(a_node_that_was_read_once_is_unknown_beside_others),
		TEST(a_standing_counter_is_unknown_after_a_while_and_zero_before),
		TEST(constant_power_is_no_standing_counter),
		TEST(powers_too_far_apart_leave_a_gap),
		TEST(powers_of_a_slow_meter_hold),
		TEST(the_meters_own_pace_decides_where_it_is_slower),
		TEST(cpu_time_proves_a_busy_package_only_where_the_others_cannot_hold_it),
		TEST(busy_on_purpose_is_proof_for_every_cpu_domain),
		TEST(dies_that_always_step_alike_are_mirrors),
		TEST(dies_that_step_differently_are_two),
		TEST(one_equal_step_is_enough_to_see_a_mirror),
		TEST(a_refresh_between_two_reads_makes_no_second_die),
		TEST(dies_are_compared_within_one_source),
		TEST(a_reset_at_the_very_end_is_told_as_a_gap),
	};

	return cmocka_run_group_tests_name("core/watch", tests, NULL, NULL);
}
