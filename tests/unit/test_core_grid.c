/*
 * test_core_grid.c - the table of grid intensities: values, codes, names, suggestions
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <ctype.h>
#include <string.h>

#include "core/grid.h"

static void known_zones_have_the_published_values(void **state)
{
	static const struct {
		const char *zone;
		uint32_t mg_per_kwh;
		int year;
	} known[] = {
		{ "FR", 44180, 2024 },	{ "DE", 342060, 2024 }, { "US", 383550, 2024 },
		{ "PL", 614980, 2024 }, { "SE", 35890, 2024 },	{ "WORLD", 472940, 2024 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct es_grid_factor *f = es_grid_find(known[i].zone);

		assert_non_null(f);
		assert_string_equal(f->zone, known[i].zone);
		assert_int_equal(f->mg_per_kwh, known[i].mg_per_kwh);
		assert_int_equal(f->year, known[i].year);
		assert_non_null(strstr(f->source, "Ember"));
	}
}

static void a_zone_is_found_by_codes_and_names_in_any_case(void **state)
{
	static const char *const spellings[] = {
		"GB", "gb", "GBR", "gbr", "United Kingdom", "united kingdom", "Britain (UK)",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		const struct es_grid_factor *f = es_grid_find(spellings[i]);

		assert_non_null(f);
		assert_string_equal(f->zone, "GB");
	}
	assert_string_equal(es_grid_find("world")->zone, "WORLD");
	assert_string_equal(es_grid_find("Kosovo")->zone, "XK");
	assert_string_equal(es_grid_find("Türkiye")->zone, "TR");
}

static void what_is_no_zone_is_not_found(void **state)
{
	(void)state;
	assert_null(es_grid_find(NULL));
	assert_null(es_grid_find(""));
	assert_null(es_grid_find(" "));
	assert_null(es_grid_find("ZZ"));
	assert_null(es_grid_find("F"));
	assert_null(es_grid_find("FRAN"));
	assert_null(es_grid_find("FR "));
}

static void an_impossible_zero_was_left_out_of_the_table(void **state)
{
	(void)state;
	/* The source says 0 g/kWh for this one: no life-cycle figure is 0, so it is unknown. */
	assert_null(es_grid_find("CF"));
}

static void every_row_is_complete_and_found_by_its_own_codes(void **state)
{
	(void)state;
	assert_true(es_grid_count() >= 205);
	for (size_t i = 0; i < es_grid_count(); i++) {
		const struct es_grid_factor *f = es_grid_at(i);
		size_t n = strlen(f->zone);

		assert_true(n == 2 || !strcmp(f->zone, "WORLD"));
		for (size_t c = 0; c < n; c++)
			assert_true(isupper((unsigned char)f->zone[c]));
		assert_true(strlen(f->iso3) == 3 || !strcmp(f->zone, "EU") ||
			    !strcmp(f->zone, "WORLD"));
		assert_true(*f->name && *f->source);
		assert_true(f->mg_per_kwh >= 10000 && f->mg_per_kwh <= 1500000);
		assert_true(f->year >= 2020 && f->year <= 2025);
		assert_ptr_equal(es_grid_find(f->zone), f);
		assert_ptr_equal(es_grid_find(f->name), f);
		if (*f->iso3)
			assert_ptr_equal(es_grid_find(f->iso3), f);
	}
	assert_null(es_grid_at(es_grid_count()));
	assert_null(es_grid_at(SIZE_MAX));
}

static void a_misspelling_gets_the_likely_zone(void **state)
{
	static const struct {
		const char *text;
		const char *zone;
	} near[] = {
		{ "Frnace", "FR" },	   { "france ", "FR" }, { "Germny", "DE" },
		{ "GER", "DE" },	   { "UK", "GB" },	{ "Switz", "CH" },
		{ "Polland", "PL" },	   { "Turky", "TR" },	{ "wrold", "WORLD" },
		{ "Untied States", "US" }, { "Korea", "KP" },	{ "Netherland", "NL" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++) {
		const struct es_grid_factor *f = es_grid_nearest(near[i].text);

		if (!f)
			fail_msg("nothing near '%s'", near[i].text);
		else
			assert_string_equal(f->zone, near[i].zone);
	}
}

static void nonsense_gets_no_suggestion(void **state)
{
	char longest[200];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_null(es_grid_nearest(NULL));
	assert_null(es_grid_nearest(""));
	assert_null(es_grid_nearest("Q"));
	assert_null(es_grid_nearest("ZZ"));
	assert_null(es_grid_nearest("qwertzuiop"));
	assert_null(es_grid_nearest("\xff\xfe\xfd\xfc\xfb"));
	assert_null(es_grid_nearest(longest));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_zones_have_the_published_values),
		cmocka_unit_test(a_zone_is_found_by_codes_and_names_in_any_case),
		cmocka_unit_test(what_is_no_zone_is_not_found),
		cmocka_unit_test(an_impossible_zero_was_left_out_of_the_table),
		cmocka_unit_test(every_row_is_complete_and_found_by_its_own_codes),
		cmocka_unit_test(a_misspelling_gets_the_likely_zone),
		cmocka_unit_test(nonsense_gets_no_suggestion),
	};

	return cmocka_run_group_tests_name("core/grid", tests, NULL, NULL);
}
