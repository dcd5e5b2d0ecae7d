/*
 * test_format_axis.c - ticks and numbers of a picture's axes
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "format/axis.h"

#define S ES_NS_PER_S

static void ticks_of_power_are_round_and_the_highest_value_fits(void **state)
{
	static const struct {
		uint64_t max_mw;
		unsigned n;
		uint64_t step_mw, top_mw;
		const char *unit, *tick;
	} vectors[] = {
		{ 549000, 6, 100000, 559000, "W", "100" },
		{ 495000, 5, 100000, 500000, "W", "100" },
		{ 100000, 5, 20000, 100000, "W", "20" },
		{ 0, 5, 200, 1000, "W", "0.2" },
		{ 37, 4, 10, 38, "mW", "10" },
		{ 13500000, 6, 5000000, 14000000, "kW", "5" },
		{ 9000000, 6, 2000000, 9200000, "W", "2000" },
		{ UINT64_C(42000000000), 4, UINT64_C(20000000000), UINT64_C(44000000000), "MW",
		  "20" },
	};
	struct es_power_axis axis;
	char text[ES_AXIS_TEXT_BYTES];

	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		es_power_axis_choose(vectors[i].max_mw, vectors[i].n, &axis);
		assert_int_equal(axis.step_mw, vectors[i].step_mw);
		assert_int_equal(axis.top_mw, vectors[i].top_mw);
		assert_string_equal(axis.unit, vectors[i].unit);
		assert_string_equal(es_power_axis_text(&axis, axis.step_mw, text), vectors[i].tick);
	}
	(void)state;
}

static void a_power_beyond_all_measure_still_gives_an_axis(void **state)
{
	struct es_power_axis axis;

	es_power_axis_choose(UINT64_MAX, 0, &axis);

	assert_true(axis.step_mw > 0);
	assert_true(axis.top_mw >= axis.step_mw);
	(void)state;
}

static void ticks_of_time_are_those_of_clocks(void **state)
{
	static const struct {
		int64_t dur_ns;
		unsigned n;
		int64_t step_ns;
		const char *unit, *tick;
	} vectors[] = {
		{ 60 * S, 8, 10 * S, "s", "10" },
		{ S, 8, S / 5, "s", "0.2" },
		{ 86400 * S, 8, 10800 * S, "h", "3" },
		{ 600 * S, 8, 120 * S, "min", "2" },
		{ 30 * 60 * S, 7, 300 * S, "min", "5" },
		{ 95 * S, 8, 15 * S, "s", "15" },
		{ 40000000, 8, 5000000, "ms", "5" },
		{ 9000, 3, 5000, "µs", "5" },
		{ 10 * 86400 * S, 8, 172800 * S, "d", "2" },
		{ 1, 8, 1, "µs", "0.001" },
		{ 7200 * S, 9, 900 * S, "h", "0.25" },
	};
	struct es_time_axis axis;
	char text[ES_AXIS_TEXT_BYTES];

	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		es_time_axis_choose(vectors[i].dur_ns, vectors[i].n, &axis);
		assert_int_equal(axis.step_ns, vectors[i].step_ns);
		assert_string_equal(axis.unit, vectors[i].unit);
		assert_string_equal(es_time_axis_text(&axis, axis.step_ns, text), vectors[i].tick);
	}
	(void)state;
}

static void there_are_never_more_ticks_than_wanted(void **state)
{
	struct es_time_axis axis;

	for (int64_t dur_ns = 1; dur_ns < INT64_MAX / 20; dur_ns = dur_ns * 17 / 10 + 1) {
		es_time_axis_choose(dur_ns, 8, &axis);
		assert_true(dur_ns / axis.step_ns <= 8);
	}
	es_time_axis_choose(INT64_MAX / 2, 8, &axis);
	assert_true(axis.step_ns > 0);
	(void)state;
}

static void the_clock_is_as_fine_as_the_steps(void **state)
{
	struct es_time_axis axis = { .step_ns = 10 * S };
	char text[ES_AXIS_TEXT_BYTES];
	int64_t noon_ns = INT64_C(1773403205) * S; /* 2026-03-13T12:00:05Z */

	assert_string_equal(es_time_axis_clock(&axis, noon_ns, text), "12:00:05");
	axis.step_ns = 3600 * S;
	assert_string_equal(es_time_axis_clock(&axis, noon_ns, text), "12:00");
	axis.step_ns = 86400 * S;
	assert_string_equal(es_time_axis_clock(&axis, noon_ns, text), "13 Mar");
	axis.step_ns = S / 10;
	assert_string_equal(es_time_axis_clock(&axis, noon_ns, text), "");
	(void)state;
}

static void energies_and_powers_have_units_people_can_hold(void **state)
{
	static const struct {
		double energy_j;
		const char *text;
	} energies[] = {
		{ 0, "0 J" },	      { 0.0123, "12.3 mJ" }, { 1.5, "1.50 J" },
		{ 23.04, "23.0 J" },  { 813, "813 J" },	     { 1469, "1.47 kJ" },
		{ 22600, "22.6 kJ" }, { 999.6, "1.00 kJ" },  { 32.6e6, "32.6 MJ" },
	};
	static const struct {
		uint64_t power_mw;
		const char *text;
	} powers[] = {
		{ 0, "0 W" },	     { 45, "45 mW" },	    { 1500, "1.50 W" },
		{ 168000, "168 W" }, { 1479000, "1479 W" }, { 10500000, "10.5 kW" },
	};
	char text[ES_AXIS_TEXT_BYTES];

	for (size_t i = 0; i < ES_ARRAY_SIZE(energies); i++)
		assert_string_equal(es_energy_text(energies[i].energy_j, text), energies[i].text);
	for (size_t i = 0; i < ES_ARRAY_SIZE(powers); i++)
		assert_string_equal(es_watt_text(powers[i].power_mw, text), powers[i].text);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_of_power_are_round_and_the_highest_value_fits),
		cmocka_unit_test(a_power_beyond_all_measure_still_gives_an_axis),
		cmocka_unit_test(ticks_of_time_are_those_of_clocks),
		cmocka_unit_test(there_are_never_more_ticks_than_wanted),
		cmocka_unit_test(the_clock_is_as_fine_as_the_steps),
		cmocka_unit_test(energies_and_powers_have_units_people_can_hold),
	};

	(void)setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("format/axis", tests, NULL, NULL);
}
