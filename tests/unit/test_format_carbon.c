/*
 * test_format_carbon.c - a report's carbon over time: energies at the edges, what is not known, contracts, machines
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "support/recordings.h"

#define J_PER_KWH 3600000.0

struct fixture {
	struct test_recording made;
	struct es_report_options options;
	struct es_intensity series, market;
	json_t *json;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	test_recording_init(&f->made, TEST_S);
	f->options = test_options();
	f->options.carbon = (struct es_carbon_factor){ .zone = "FR",
						       .kind = "average",
						       .scope = "direct",
						       .factor_id = "id",
						       .source = "a table",
						       .year = 2026 };
	f->options.footprint.intensity = &f->series;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	json_decref(f->json);
	test_recording_finish(&f->made);
	es_intensity_finish(&f->series);
	es_intensity_finish(&f->market);
	free(f);
	return 0;
}

/* In ns after the recording's start. */
static void add_slot(struct es_intensity *series, int64_t start_ns, int64_t stop_ns, double g)
{
	const struct es_slot slot = { .start_ns = TEST_START_UNIX_NS + start_ns,
				      .stop_ns = TEST_START_UNIX_NS + stop_ns,
				      .g_per_kwh = g };
	struct es_slot clash[2];

	assert_int_equal(es_intensity_add(series, &slot), 0);
	assert_int_equal(es_intensity_prepare(series, clash), 0);
}

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.15g is not %.15g", value, expected);
}

static const struct es_report *report(struct fixture *f)
{
	return test_report(&f->made, &f->options);
}

static const json_t *report_json(struct fixture *f)
{
	struct es_json json;
	struct es_buf out;

	es_buf_init(&out, 1U << 24);
	es_json_init(&json, es_json_sink_buf, &out, true);
	es_json_object(&json, NULL);
	es_report_members(&f->made.report, &json);
	es_json_object_end(&json);
	assert_int_equal(es_json_end(&json), 0);
	json_decref(f->json);
	f->json = json_loadb((const char *)out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	es_buf_finish(&out);
	assert_non_null(f->json);
	return json_object_get(f->json, "carbon");
}

static void assert_table(struct fixture *f, const char *words)
{
	struct es_buf out;

	es_buf_init(&out, 1U << 20);
	assert_int_equal(es_report_table(&f->made.report, &out), 0);
	assert_int_equal(es_buf_u8(&out, 0), 0);
	if (!strstr((const char *)out.data, words))
		fail_msg("'%s' is not in\n%s", words, (const char *)out.data);
	es_buf_finish(&out);
}

static uint64_t sum_uj(const struct es_report *r)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < r->carbon.n_pieces; i++)
		sum += r->carbon.pieces[i].energy_uj;
	return sum;
}

/* A package at 100 W for 5 s, at 300 W for 5 s; its dram at 10 W all the time. */
static void make_two_phases(struct fixture *f)
{
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_domain(&f->made, "powercap", ES_DOMAIN_DRAM, 0, -1);
	for (uint64_t i = 0; i <= 10; i++)
		test_sweep(&f->made, (int64_t)i * TEST_S,
			   (uint64_t[]){ 100 * TEST_J * i + (i > 5 ? 200 * TEST_J * (i - 5) : 0),
					 10 * TEST_J * i });
	test_end(&f->made, 10 * TEST_S, 0);
}

static void energy_is_cut_at_the_edges_of_slots(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;
	const json_t *carbon;

	/* Edges inside of samples: at 2.5 s and 7.25 s. */
	add_slot(&f->series, -3600 * TEST_S, 2500 * TEST_MS, 10);
	add_slot(&f->series, 2500 * TEST_MS, 7250 * TEST_MS, 50);
	add_slot(&f->series, 7250 * TEST_MS, 7200 * TEST_S, 20);
	make_two_phases(f);
	r = report(f);

	assert_true(r->carbon.has_slots);
	assert_int_equal(r->carbon.n_pieces, 3);
	assert_int_equal(r->carbon.pieces[0].energy_uj, 275 * TEST_J);
	assert_int_equal(r->carbon.pieces[1].energy_uj, (275 + 697) * TEST_J + TEST_J / 2);
	assert_int_equal(sum_uj(r), r->total_uj);
	assert_near(r->gco2, 1.3 / J_PER_KWH * (275 * 10.0 + 972.5 * 50 + 852.5 * 20), 1e-12);
	assert_near(r->gco2, r->facility_j / J_PER_KWH * r->options.carbon.g_per_kwh, 1e-12);
	assert_near(r->carbon.footing.coverage, 1, 0);
	carbon = report_json(f);
	assert_int_equal(json_array_size(json_object_get(carbon, "slots")), 3);
	assert_near(json_number_value(json_object_get(
			    json_array_get(json_object_get(carbon, "slots"), 1), "energy_j")),
		    972.5, 0);
	assert_near(json_number_value(json_object_get(carbon, "gco2")), r->gco2, 0);
	assert_near(json_number_value(json_object_get(carbon, "time_coverage")), 1, 0);
	assert_table(f, "3 figures for 100.0 % of the time\n");
	assert_table(f, "in FR, kind average, scope direct, a table 2026");
}

static void a_model_adds_its_share_to_each_slot(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	f->options.model = es_node_model_find("joule_model_202203");
	add_slot(&f->series, -TEST_S, 5 * TEST_S, 10);
	add_slot(&f->series, 5 * TEST_S, 20 * TEST_S, 30);
	make_two_phases(f);
	r = report(f);

	/* 2100 J and 60 W for 10 s. */
	assert_near(r->node_j, 2700, 1e-9);
	assert_int_equal(sum_uj(r), 2700 * TEST_J);
	assert_int_equal(r->carbon.pieces[0].energy_uj, (550 + 300) * TEST_J);
}

static void gaps_are_filled_in_the_slot_they_lie_in(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;
	struct es_domain *domain = test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);

	domain->is_power = true;
	domain->kind = ES_KIND_INTEGRATED;
	add_slot(&f->series, -TEST_S, 50 * TEST_S, 10);
	add_slot(&f->series, 50 * TEST_S, 200 * TEST_S, 30);
	for (int i = 0; i <= 100; i++)
		if (i <= 40 || i >= 60)
			test_sweep(&f->made, i * TEST_S, (uint64_t[]){ 100000 });
	test_end(&f->made, 100 * TEST_S, 0);
	r = report(f);

	assert_int_equal(r->carbon.n_pieces, 2);
	assert_int_equal(sum_uj(r), r->total_uj);
	assert_near(es_j_from_uj(r->carbon.pieces[0].energy_uj), 5000, 1);
}

static void time_without_a_figure_is_estimated_or_nothing_is_said(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;
	const json_t *carbon, *slot;

	add_slot(&f->series, -60 * TEST_S, 4 * TEST_S, 10);
	add_slot(&f->series, 6 * TEST_S, 60 * TEST_S, 30);
	make_two_phases(f);
	r = report(f);

	assert_true(r->has_carbon);
	assert_near(r->carbon.footing.coverage, 0.8, 1e-12);
	assert_true(r->carbon.has_uncertainty);
	assert_true(r->carbon.uncertainty_g > 0);
	carbon = report_json(f);
	slot = json_array_get(json_object_get(carbon, "slots"), 1);
	assert_true(json_is_null(json_object_get(slot, "g_per_kwh")));
	assert_true(json_is_null(json_object_get(slot, "gco2")));
	assert_near(json_number_value(json_object_get(slot, "energy_j")), 420, 1e-9);
	/* 4 s of 10 and 4 s of 30 g/kWh: 20. */
	assert_near(json_number_value(json_object_get(carbon, "filled_g")),
		    1.3 * 420 / J_PER_KWH * 20, 1e-12);
	assert_table(f, "2 figures for 80.0 % of the time; the rest at their mean:");
}

static void below_half_the_grams_are_not_known(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;
	const json_t *carbon;
	struct es_buf out;

	add_slot(&f->series, -60 * TEST_S, 4 * TEST_S, 10);
	make_two_phases(f);
	r = report(f);

	assert_false(r->has_carbon);
	carbon = report_json(f);
	assert_true(json_is_null(json_object_get(carbon, "gco2")));
	assert_true(json_is_null(json_object_get(carbon, "g_per_kwh")));
	assert_near(json_number_value(json_object_get(carbon, "time_coverage")), 0.4, 1e-12);
	assert_table(f, "carbon     n/a");
	es_buf_init(&out, 1U << 20);
	assert_int_equal(es_report_line(r, false, &out), 0);
	assert_int_equal(es_buf_u8(&out, 0), 0);
	assert_non_null(strstr((const char *)out.data, "(gCO2 in FR)<n/a>"));
	es_buf_finish(&out);
}

static void figures_of_another_time_say_when_theirs_is(void **state)
{
	struct fixture *f = *state;

	add_slot(&f->series, -7200 * TEST_S, -3600 * TEST_S, 10);
	make_two_phases(f);
	(void)report(f);

	assert_table(f, "no figure for the time of the job: the file's are from 2026-03-13T10:00");
}

static void contract_machine_and_price_stand_beside(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;
	const json_t *carbon, *price;

	f->options.footprint.has_market = true;
	f->options.footprint.market_g_per_kwh = 5;
	f->options.footprint.market_source = "option --market";
	f->options.footprint.has_embodied = true;
	f->options.footprint.embodied_kg = 1000;
	f->options.footprint.lifetime_years = 4;
	f->options.footprint.embodied_source = "option --embodied";
	f->options.footprint.has_price = true;
	f->options.footprint.price_micro_per_kwh = 250000;
	f->options.footprint.currency = "EUR";
	f->options.footprint.price_source = "option --price";
	f->made.meta.n_cpus = 2; /* of 4 */
	add_slot(&f->series, -60 * TEST_S, 60 * TEST_S, 10);
	make_two_phases(f);
	r = report(f);

	assert_near(r->gco2, r->facility_j / J_PER_KWH * 10, 1e-12);
	assert_near(r->carbon.market_gco2, r->facility_j / J_PER_KWH * 5, 1e-12);
	assert_near(r->carbon.embodied_g, 1e6 / (4 * 365 * 24) / 360 * 0.5, 1e-9);
	assert_true(r->carbon.has_sci);
	assert_near(r->carbon.sci_g_per_unit, r->gco2 + r->carbon.embodied_g, 1e-12);
	carbon = report_json(f);
	assert_near(json_number_value(json_object_get(carbon, "market_gco2")),
		    r->carbon.market_gco2, 0);
	assert_near(json_number_value(json_object_get(carbon, "embodied_g")), r->carbon.embodied_g,
		    0);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(carbon, "sci"), "unit")), "job");
	price = json_object_get(f->json, "price");
	/* 2730 J at the facility are 0.000758 kWh */
	assert_near(json_number_value(json_object_get(price, "amount")), 0.000190, 0);
	assert_string_equal(json_string_value(json_object_get(price, "currency")), "EUR");
	assert_true(json_is_null(json_object_get(price, "tariff")));
	assert_table(f, "by contract: 5 g/kWh");
	assert_table(f, "50.00 % of the CPUs");
	assert_table(f, "price      0.000190 EUR: 0.25 EUR/kWh (option --price)");
	/* Less than half a millionth is not 0. */
	f->made.report.options.footprint.price_micro_per_kwh = 100;
	f->made.report.carbon.price_micro = 0;
	assert_table(f, "price      0.0000000758 EUR: 0.0001 EUR/kWh");
}

static void a_contract_over_time_has_slots_of_its_own(void **state)
{
	struct fixture *f = *state;
	const struct es_report *r;

	f->options.footprint.market = &f->market;
	f->options.footprint.market_source = "a file";
	add_slot(&f->series, -60 * TEST_S, 60 * TEST_S, 10);
	add_slot(&f->market, -60 * TEST_S, 5 * TEST_S, 0);
	add_slot(&f->market, 5 * TEST_S, 60 * TEST_S, 100);
	make_two_phases(f);
	r = report(f);

	assert_true(r->carbon.has_market);
	assert_near(r->carbon.market_gco2, 1.3 * 1550 / J_PER_KWH * 100, 1e-12);
}

static void without_a_file_there_are_no_slots(void **state)
{
	struct fixture *f = *state;
	const json_t *carbon;

	f->options.footprint.intensity = NULL;
	f->options.carbon.g_per_kwh = 40;
	make_two_phases(f);
	(void)report(f);

	carbon = report_json(f);
	assert_true(json_is_null(json_object_get(carbon, "slots")));
	assert_true(json_is_null(json_object_get(carbon, "time_coverage")));
	assert_true(json_is_null(json_object_get(carbon, "embodied_g")));
	assert_true(json_is_null(json_object_get(carbon, "sci")));
	assert_near(json_number_value(json_object_get(carbon, "g_per_kwh")), 40, 0);
	assert_true(json_is_null(json_object_get(f->json, "price")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(energy_is_cut_at_the_edges_of_slots),
		TEST(a_model_adds_its_share_to_each_slot),
		TEST(gaps_are_filled_in_the_slot_they_lie_in),
		TEST(time_without_a_figure_is_estimated_or_nothing_is_said),
		TEST(below_half_the_grams_are_not_known),
		TEST(figures_of_another_time_say_when_theirs_is),
		TEST(contract_machine_and_price_stand_beside),
		TEST(a_contract_over_time_has_slots_of_its_own),
		TEST(without_a_file_there_are_no_slots),
	};

	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	return cmocka_run_group_tests_name("format/carbon", tests, NULL, NULL);
}
