/*
 * test_core_crosscheck.c - meters that overlap: units, factors, mirrors, stale and late ones
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crosscheck.h"

#define MAX 12
#define MS 1000000LL
#define DUR_MS 60000

/** struct machine - domains, and what each was seen to draw over a minute */
struct machine {
	struct es_domain domains[MAX];
	struct es_course courses[MAX];
	size_t n;
	struct es_cross cross;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct machine));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	struct machine *m = *state;

	for (size_t i = 0; i < m->n; i++)
		es_course_finish(&m->courses[i]);
	es_cross_finish(&m->cross);
	free(m);
	return 0;
}

static double load(int64_t t_ms)
{
	static const double levels[] = { 0, 1, 0.4, 0.8, 0.2, 0.6 };

	return t_ms < 0 ? 0 : levels[(t_ms / 4000) % 6];
}

/** struct meter - watts are base + swing * load, as they were @late_ms ago, averaged over @mean_ms */
struct meter {
	double base_w, swing_w;
	int64_t step_ms, late_ms, mean_ms;
	double scale;
};

static struct es_domain *add(struct machine *m, const char *source, enum es_domain_type type,
			     int32_t package, struct meter meter)
{
	struct es_domain *domain = &m->domains[m->n];
	struct es_course *course = &m->courses[m->n++];
	double scale = meter.scale > 0 ? meter.scale : 1;

	assert_true(m->n <= MAX);
	es_domain_init(domain, source, type, package, -1);
	domain->state = ES_STATE_OK;
	domain->kind = ES_KIND_MEASURED;
	domain->range.unit_nj = 61035;
	domain->update_period_ns = meter.step_ms > 100 ? meter.step_ms * MS : MS;
	for (int64_t t_ms = 0; t_ms < DUR_MS; t_ms += meter.step_ms) {
		double sum_j = 0;
		struct es_sample sample = { .t0_ns = t_ms * MS,
					    .t1_ns = (t_ms + meter.step_ms) * MS };

		for (int64_t i = 0; i < meter.step_ms; i += 10) {
			double mean = 0;
			int64_t n = meter.mean_ms ? meter.mean_ms / 100 : 1;

			for (int64_t k = 0; k < n; k++)
				mean += load(t_ms + i - meter.late_ms - k * 100) / (double)n;
			sum_j += 0.01 * scale * (meter.base_w + meter.swing_w * mean);
		}
		sample.energy_uj = (uint64_t)llround(sum_j * 1e6);
		es_course_add(course, &sample);
	}
	return domain;
}

static const struct es_cross_pair *check(struct machine *m, size_t x, size_t y)
{
	if (!m->cross.pairs)
		assert_int_equal(es_cross_check(m->domains, m->courses, m->n, &m->cross), 0);
	for (size_t i = 0; i < m->cross.n; i++)
		if (m->cross.pairs[i].y == y && m->cross.pairs[i].x[0] == x)
			return &m->cross.pairs[i];
	fail_msg("%zu and %zu were not held against each other", x, y);
	return NULL;
}

static void assert_code(const struct es_cross_pair *pair, enum es_cross_code code)
{
	if (pair->code != code)
		fail_msg("%s: %s (ratio %g ± %g, slope %g ± %g)", es_cross_code_name(pair->code),
			 pair->text, pair->fit.ratio, pair->fit.ratio_bound, pair->fit.slope,
			 pair->fit.slope_bound);
	assert_true(pair->text[0] != '\0');
}

static const struct meter package_meter = { 40, 160, 100, 0, 0, 1 };
static const struct meter dram_meter = { 4, 12, 100, 0, 0, 1 };

static void one_register_read_twice_agrees(void **state)
{
	struct machine *m = *state;

	add(m, "powercap", ES_DOMAIN_PACKAGE, 0, package_meter);
	add(m, "mmio", ES_DOMAIN_PACKAGE, 0, package_meter)->state = ES_STATE_DUPLICATE;

	assert_code(check(m, 0, 1), ES_CROSS_AGREE);
	assert_int_equal(m->cross.n, 1);
	assert_int_equal(m->cross.pairs[0].relation, ES_CROSS_SAME);
}

static void the_unit_of_server_memory_is_told_apart_by_a_quarter_of_a_percent(void **state)
{
	struct machine *m = *state;
	struct meter other = dram_meter;

	other.scale = 15300.0 * 65536 / 1e9;
	add(m, "perf", ES_DOMAIN_DRAM, 0, dram_meter);
	add(m, "powercap", ES_DOMAIN_DRAM, 0, other);

	assert_code(check(m, 0, 1), ES_CROSS_UNIT);
	assert_true(fabs(m->cross.pairs[0].fit.ratio - 1.0027) < 1e-4);
	assert_true(m->cross.pairs[0].fit.ratio_bound < 0.0005);
}

/* BDX-D: powercap takes the processor's unit for the memory. */
static void a_factor_of_four_is_a_wrong_unit_either_way(void **state)
{
	struct machine *m = *state;
	struct meter other = dram_meter, less = dram_meter;

	other.scale = 61035.0 / 15258.8;
	less.scale = 15300.0 / 61035.0;
	add(m, "perf", ES_DOMAIN_DRAM, 0, dram_meter);
	add(m, "powercap", ES_DOMAIN_DRAM, 0, other);
	add(m, "msr", ES_DOMAIN_DRAM, 0, less);

	assert_code(check(m, 0, 1), ES_CROSS_FACTOR);
	assert_non_null(strstr(check(m, 0, 1)->text, "factor 4"));
	assert_code(check(m, 0, 2), ES_CROSS_FACTOR);
	assert_true(es_cross_is_fault(ES_CROSS_FACTOR));
}

static void dies_that_show_one_counter_are_mirrors_and_others_are_not(void **state)
{
	static const struct meter other = { 41, 158, 100, 300, 0, 1 };
	struct machine *m = *state;

	for (int32_t die = 0; die < 3; die++) {
		struct es_domain *domain =
			add(m, "powercap", ES_DOMAIN_DIE, 0, die < 2 ? package_meter : other);

		domain->die = die;
		domain->may_mirror = true;
		(void)snprintf(domain->id, sizeof(domain->id), "powercap/die-%d", (int)die);
	}
	assert_code(check(m, 0, 1), ES_CROSS_MIRROR);
	assert_code(check(m, 0, 2), ES_CROSS_DISTINCT);
}

static void a_platform_meter_below_its_parts_does_not_hold_them(void **state)
{
	static const struct meter low = { 30, 120, 100, 0, 0, 1 };
	struct machine *m = *state;

	add(m, "powercap", ES_DOMAIN_PACKAGE, 0, package_meter);
	add(m, "powercap", ES_DOMAIN_DRAM, 0, dram_meter);
	add(m, "powercap", ES_DOMAIN_PSYS, -1, low);

	assert_code(check(m, 0, 2), ES_CROSS_LESS);
	assert_int_equal(check(m, 0, 2)->n_x, 2);
}

static void a_wattmeter_holds_its_parts_with_slope_and_offset(void **state)
{
	static const struct meter wall = { 1.2 * 44 + 90, 1.2 * 172, 1000, 0, 0, 1 };
	struct machine *m = *state;
	const struct es_cross_pair *pair;

	add(m, "powercap", ES_DOMAIN_PACKAGE, 0, package_meter);
	add(m, "powercap", ES_DOMAIN_DRAM, 0, dram_meter);
	add(m, "file", ES_DOMAIN_NODE, -1, wall)->is_power = true;

	pair = check(m, 0, 2);
	assert_code(pair, ES_CROSS_HOLDS);
	assert_true(pair->fit.has_line);
	assert_true(fabs(pair->fit.slope - 1.2) <= pair->fit.slope_bound + 0.01);
	assert_true(fabs(pair->fit.offset_w - 90) <= pair->fit.offset_bound_w + 1);
}

static void a_late_node_meter_is_late_by_so_much(void **state)
{
	static const struct meter late = { 150, 210, 1000, 3000, 0, 1 };
	struct machine *m = *state;
	const struct es_cross_pair *pair;

	add(m, "powercap", ES_DOMAIN_PACKAGE, 0, package_meter);
	add(m, "redfish", ES_DOMAIN_NODE, -1, late)->is_power = true;

	pair = check(m, 0, 1);
	assert_code(pair, ES_CROSS_LATE);
	assert_true(pair->lag.is_known && llabs(pair->lag.lag_ns - 3000 * MS) < 700 * MS);
}

static void a_node_meter_that_stands_is_stale(void **state)
{
	static const struct meter standing = { 230, 0, 1000, 0, 0, 1 };
	struct machine *m = *state;

	add(m, "powercap", ES_DOMAIN_PACKAGE, 0, package_meter);
	add(m, "dcmi", ES_DOMAIN_NODE, -1, standing)->is_power = true;

	assert_code(check(m, 0, 1), ES_CROSS_STALE);
	assert_non_null(strstr(check(m, 0, 1)->text, "dcmi/node"));
}

static void a_controller_that_averages_for_a_minute_rises_less(void **state)
{
	static const struct meter slow = { 150, 210, 1000, 0, 20000, 1 };
	struct machine *m = *state;
	const struct es_cross_pair *pair;

	add(m, "powercap", ES_DOMAIN_PACKAGE, 0, package_meter);
	add(m, "dcmi", ES_DOMAIN_NODE, -1, slow)->is_power = true;

	pair = check(m, 0, 1);
	assert_true(pair->code == ES_CROSS_RISES_LESS || pair->code == ES_CROSS_HOLDS);
	if (pair->code == ES_CROSS_HOLDS)
		assert_non_null(strstr(pair->text, "not separable"));
}

static void two_node_meters_eleven_percent_apart_differ(void **state)
{
	static const struct meter wall = { 150, 210, 1000, 0, 0, 1 },
				  bmc = { 150, 210, 1000, 0, 0, 0.89 };
	struct machine *m = *state;
	const struct es_cross_pair *pair;

	add(m, "file", ES_DOMAIN_NODE, -1, wall)->is_power = true;
	add(m, "dcmi", ES_DOMAIN_NODE, -1, bmc)->is_power = true;

	pair = check(m, 0, 1);
	assert_code(pair, ES_CROSS_DIFFER);
	assert_non_null(strstr(pair->text, "11.0 % less"));
	assert_true(fabs(pair->fit.ratio - 0.89) < 0.001);
}

static void without_a_load_it_says_that_nothing_can_be_separated(void **state)
{
	static const struct meter idle = { 44, 0.5, 100, 0, 0, 1 },
				  wall = { 130, 0.6, 1000, 0, 0, 1 };
	struct machine *m = *state;

	add(m, "powercap", ES_DOMAIN_PACKAGE, 0, idle);
	add(m, "file", ES_DOMAIN_NODE, -1, wall)->is_power = true;

	assert_code(check(m, 0, 1), ES_CROSS_HOLDS);
	assert_non_null(strstr(check(m, 0, 1)->text, "not separable"));
}

static void estimates_and_meters_without_readings_are_left_out(void **state)
{
	struct machine *m = *state;

	add(m, "powercap", ES_DOMAIN_PACKAGE, 0, package_meter);
	add(m, "estimate", ES_DOMAIN_NODE, -1, package_meter)->kind = ES_KIND_ESTIMATED;
	add(m, "dcmi", ES_DOMAIN_NODE, -1, package_meter);
	es_course_finish(&m->courses[2]);

	assert_int_equal(es_cross_check(m->domains, m->courses, m->n, &m->cross), 0);
	assert_int_equal(m->cross.n, 0);
}

int main(void)
{
#define CROSS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CROSS_TEST(one_register_read_twice_agrees),
		CROSS_TEST(the_unit_of_server_memory_is_told_apart_by_a_quarter_of_a_percent),
		CROSS_TEST(a_factor_of_four_is_a_wrong_unit_either_way),
		CROSS_TEST(dies_that_show_one_counter_are_mirrors_and_others_are_not),
		CROSS_TEST(a_platform_meter_below_its_parts_does_not_hold_them),
		CROSS_TEST(a_wattmeter_holds_its_parts_with_slope_and_offset),
		CROSS_TEST(a_late_node_meter_is_late_by_so_much),
		CROSS_TEST(a_node_meter_that_stands_is_stale),
		CROSS_TEST(a_controller_that_averages_for_a_minute_rises_less),
		CROSS_TEST(two_node_meters_eleven_percent_apart_differ),
		CROSS_TEST(without_a_load_it_says_that_nothing_can_be_separated),
		CROSS_TEST(estimates_and_meters_without_readings_are_left_out),
	};

	return cmocka_run_group_tests_name("core/crosscheck", tests, set_up, tear_down);
}
