/*
 * test_format_region_bounds.c - true energies of random regions lie within the bounds that are stated
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/random.h"
#include "support/recordings.h"
#include "support/simulated.h"

#define ROUNDS 300
#define BOUNDS_MAX 8192

/* How well one kind of statement did. */
struct score {
	size_t n, n_inside;
	double relative[BOUNDS_MAX];
};

struct scores {
	struct score methods[2], groups;
	size_t n_inseparable;
};

static void note(struct score *score, double stated_j, double bound_j, double true_j)
{
	assert_true(score->n < BOUNDS_MAX);
	score->n_inside += fabs(stated_j - true_j) <= bound_j;
	score->relative[score->n++] = bound_j / fmax(true_j, 1e-3);
}

/* Steps and ramps of the whole machine, and noise. */
static void make_power(struct sim *sim)
{
	double level_w = 20 + 200 * sim_uniform(sim), noise = 0.3 * sim_uniform(sim),
	       step_s = 0.5 + 10 * sim_uniform(sim), ramp = 0, wave = 0;
	bool has_ramps = sim_uniform(sim) < 0.5;

	for (size_t i = 0; i < sim->n_cells; i++) {
		if (sim_uniform(sim) < SIM_CELL_NS / 1e9 / step_s) {
			level_w = 20 + 300 * sim_uniform(sim);
			ramp = has_ramps ? 40 * (sim_uniform(sim) - 0.5) : 0;
		}
		level_w = fmin(fmax(level_w + ramp * SIM_CELL_NS / 1e9, 10), 500);
		wave = 0.98 * wave + 0.2 * (sim_uniform(sim) - 0.5);
		sim->power_w[i] = level_w * (1 + noise * wave);
	}
}

/* Phases one after the other, again and again. */
static void make_loop(struct sim *sim, unsigned first, unsigned n, double length_ns)
{
	double share[4], jitter = 0.02 + 0.5 * sim_uniform(sim), power_w[4];
	int64_t t_ns = sim_between_ns(sim, 0, (double)sim->dur_ns / 3),
		end_ns = sim_between_ns(sim, (double)sim->dur_ns / 2, (double)sim->dur_ns);
	double gap_ns = sim_uniform(sim) < 0.5 ? 0 : length_ns * sim_uniform(sim);
	bool is_alike = sim_uniform(sim) < 0.3;

	for (unsigned i = 0; i < n; i++) {
		share[i] = 0.1 + sim_uniform(sim);
		power_w[i] = is_alike ? 0 : 250 * sim_uniform(sim);
	}
	while (t_ns < end_ns && sim->n_calls + n < SIM_CALLS_MAX / 2) {
		for (unsigned i = 0; i < n; i++) {
			double want_ns = share[i] * length_ns;
			int64_t stop_ns = t_ns + sim_between_ns(sim, want_ns * (1 - jitter),
								want_ns * (1 + jitter));

			sim_call(sim, first + i, t_ns, stop_ns);
			sim_add_power(sim, t_ns, stop_ns, power_w[i]);
			t_ns = stop_ns;
		}
		t_ns += sim_between_ns(sim, gap_ns / 2, gap_ns * 1.5) + SIM_CELL_NS;
	}
}

/* A few calls anywhere, over whatever else there is. */
static void make_few(struct sim *sim, unsigned region, unsigned n)
{
	double power_w = sim_uniform(sim) < 0.5 ? 0 : 100 * sim_uniform(sim);
	double slot_ns = (double)sim->dur_ns / n;

	for (unsigned i = 0; i < n; i++) {
		int64_t start_ns = sim_between_ns(sim, slot_ns * i, slot_ns * (i + 0.5)),
			stop_ns = sim_between_ns(sim, (double)start_ns, slot_ns * (i + 1));

		sim_call(sim, region, start_ns, stop_ns);
		sim_add_power(sim, start_ns, stop_ns, power_w);
	}
}

static void make_regions(struct sim *sim)
{
	double length_ns = 1e6 * exp(log(2000) * sim_uniform(sim));

	make_loop(sim, 0, 1 + (unsigned)(3 * sim_uniform(sim)), length_ns);
	if (sim_uniform(sim) < 0.4)
		make_loop(sim, 4, 1 + (unsigned)(2 * sim_uniform(sim)),
			  1e6 * exp(log(2000) * sim_uniform(sim)));
	make_few(sim, 8, 1 + (unsigned)(4 * sim_uniform(sim)));
	if (sim_uniform(sim) < 0.5)
		make_few(sim, 9, 1 + (unsigned)(12 * sim_uniform(sim)));
}

static void check_regions(const struct sim *sim, const struct es_report *report,
			  struct scores *scores)
{
	uint64_t sum_uj = report->untagged.is_known ? report->untagged.energy_uj : 0;
	double untagged_j = sim_joules(sim, sim->dur_ns);

	for (size_t i = 0; i < SIM_REGIONS_MAX; i++)
		untagged_j -= sim->own_j[i];
	for (size_t i = 0; i < report->n_regions; i++) {
		const struct es_report_region *region = &report->regions[i];
		unsigned number;

		sum_uj += region->has_exclusive ? region->exclusive_uj : 0;
		if (sscanf(region->name, "r%u", &number) != 1)
			continue;
		if (region->is_known)
			note(&scores->methods[region->method], (double)region->energy_uj / 1e6,
			     region->uncertainty_j, sim->region_j[number]);
		else
			scores->n_inseparable++;
	}
	for (size_t g = 0; g < report->n_groups; g++) {
		const struct es_report_group *group = &report->groups[g];
		double true_j = 0;

		sum_uj += group->energy_uj;
		for (size_t i = 0; i < group->n_regions; i++)
			true_j += sim->own_j[strtoul(report->regions[group->regions[i]].name + 1,
						     NULL, 10)];
		if (group->has_untagged)
			true_j += untagged_j;
		note(&scores->groups, (double)group->energy_uj / 1e6, group->uncertainty_j, true_j);
	}
	assert_int_equal(sum_uj, report->fine_uj);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* At least 95 % inside, and half of the bounds no wider than @limit of the energy. */
static void tell(const char *what, struct score *score, double limit)
{
	double median;

	assert_true(score->n > 0);
	qsort(score->relative, score->n, sizeof(*score->relative), by_value);
	median = score->relative[score->n / 2];
	print_message("# %s: %zu of %zu within their bounds, half of which are below %.2f %%\n",
		      what, score->n_inside, score->n, 100 * median);
	assert_true((double)score->n_inside >= 0.95 * (double)score->n);
	assert_true(median < limit);
}

static void true_energies_lie_within_the_bounds(void **state)
{
	static struct scores scores;
	const struct es_report_options options = test_options();
	size_t n_stated;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct test_recording made;
		struct sim sim;
		struct sim_meter meter = { .update_ns = TEST_MS, .part = 1 };

		sim_init(&sim, (10 + round % 5 * 10) * TEST_S, 77 + round);
		make_power(&sim);
		make_regions(&sim);
		sim_settle(&sim);
		meter.period_ns = (int64_t)(20e6 * exp(log(25) * sim_uniform(&sim))) / 1000 * 1000;
		meter.jitter_ns = (int64_t)(0.1 * sim_uniform(&sim) * (double)meter.period_ns) + 1;
		meter.phase_ns = (int64_t)(sim_uniform(&sim) * TEST_MS);
		test_recording_init(&made, meter.period_ns);
		(void)test_domain(&made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
		sim_record(&sim, &meter, &made);
		check_regions(&sim, test_report(&made, &options), &scores);
		test_recording_finish(&made);
		sim_finish(&sim);
	}
	tell("interpolated", &scores.methods[ES_REGION_INTERPOLATED], 0.1);
	tell("fitted", &scores.methods[ES_REGION_FITTED], 0.1);
	tell("groups", &scores.groups, 0.2);
	n_stated = scores.methods[ES_REGION_INTERPOLATED].n + scores.methods[ES_REGION_FITTED].n;
	print_message("# inseparable: %zu\n", scores.n_inseparable);
	assert_true(n_stated + scores.n_inseparable >= 1000);
	assert_true(3 * scores.n_inseparable < n_stated);
}

/* Starts and stops of up to @n_names names at any times, in any order, without any sense. */
static void tag_at_random(struct test_recording *made, uint64_t *seed, unsigned n_names)
{
	unsigned n = (unsigned)test_random_below(seed, 400);
	bool is_fine = test_random_below(seed, 2);
	int64_t t_ns = 0;

	for (unsigned i = 0; i < n; i++) {
		char name[16];

		t_ns = is_fine ? t_ns + (int64_t)test_random_below(seed, 100 * TEST_MS)
			       : (int64_t)test_random_below(seed, 24 * TEST_S) - 2 * TEST_S;
		if (test_random_below(seed, 8) == 0)
			t_ns = t_ns / (100 * TEST_MS) * (100 * TEST_MS);
		(void)snprintf(name, sizeof(name), "%s%u",
			       test_random_below(seed, 50) ? "n" : "es_",
			       (unsigned)test_random_below(seed, n_names));
		test_event(made,
			   test_random_below(seed, 2) ? ES_EVENT_TAG_START : ES_EVENT_TAG_STOP,
			   t_ns, 0, name);
	}
}

/* Two counters and a meter of powers, with readings left out, resets and values that cannot be. */
static void read_at_random(struct test_recording *made, uint64_t *seed)
{
	uint64_t value[3] = { 0, 1000 * TEST_J, 50000 };
	int64_t begins_ns = (int64_t)test_random_below(seed, 5 * TEST_S);

	for (int64_t t_ns = 0; t_ns < 20 * TEST_S; t_ns += 100 * TEST_MS) {
		uint64_t row[3];

		value[0] += test_random_below(seed, 40 * TEST_J);
		value[1] += test_random_below(seed, 3 * TEST_J);
		value[2] = 20000 + test_random_below(seed, 100000);
		if (test_random_below(seed, 60) == 0)
			value[test_random_below(seed, 2)] = test_random_below(seed, 10 * TEST_J);
		for (size_t i = 0; i < 3; i++)
			row[i] = test_random_below(seed, 12) == 0 ? TEST_NO_READING : value[i];
		if (t_ns < begins_ns)
			row[1] = TEST_NO_READING;
		if (test_random_below(seed, 90) == 0)
			row[0] = UINT64_C(1) << 60;
		test_sweep(made, t_ns, row);
	}
}

static void check_sane(const struct es_report *report)
{
	uint64_t sum_uj = report->untagged.energy_uj;
	int64_t sum_ns = report->untagged.is_known ? report->untagged.dur_ns : 0;

	for (size_t i = 0; i < report->n_regions; i++) {
		const struct es_report_region *region = &report->regions[i];
		uint64_t by_domain_uj = 0;

		assert_true(region->n_calls > 0 && region->dur_ns >= 0);
		assert_true(isfinite(region->uncertainty_j) && region->uncertainty_j >= 0);
		assert_true(region->energy_uj <= report->fine_uj);
		assert_true(region->exclusive_uj <= report->fine_uj);
		for (size_t d = 0; d < report->meta->n_domains && region->by_domain_uj; d++)
			by_domain_uj += region->by_domain_uj[d];
		if (region->is_known)
			assert_int_equal(by_domain_uj, region->energy_uj);
		sum_uj += region->exclusive_uj;
		if (region->group == ES_REPORT_NO_GROUP)
			sum_ns += region->exclusive_ns;
	}
	for (size_t g = 0; g < report->n_groups; g++) {
		sum_uj += report->groups[g].energy_uj;
		sum_ns += report->groups[g].dur_ns;
		assert_true(isfinite(report->groups[g].uncertainty_j));
	}
	assert_int_equal(sum_uj, report->fine_uj);
	assert_int_equal(sum_ns, report->stop_ns - report->start_ns);
}

static void the_book_closes_whatever_is_tagged(void **state)
{
	static const unsigned names[] = { 2, 5, 20, 70, 200 };
	const struct es_report_options options = test_options();
	uint64_t seed = 20261122;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct test_recording made;
		struct es_domain *power;

		test_recording_init(&made, 100 * TEST_MS);
		(void)test_domain(&made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
		(void)test_domain(&made, "powercap", ES_DOMAIN_DRAM, 0, -1);
		power = test_domain(&made, "nvml", ES_DOMAIN_GPU, -1, -1);
		power->is_power = true;
		power->kind = ES_KIND_INTEGRATED;
		tag_at_random(&made, &seed, names[round % 5]);
		read_at_random(&made, &seed);
		test_end(&made, 20 * TEST_S, 0);
		check_sane(test_report(&made, &options));
		test_recording_finish(&made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_book_closes_whatever_is_tagged),
		cmocka_unit_test(true_energies_lie_within_the_bounds),
	};

	return cmocka_run_group_tests_name("format/region_bounds", tests, NULL, NULL);
}
