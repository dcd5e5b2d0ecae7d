/*
 * test_core_footprint.c - embodied share, SCI, price; factors by type of generation, codes of areas
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "core/footprint.h"
#include "core/generation.h"
#include "core/grid.h"

static void embodied_share_is_the_specifications_check_value(void **state)
{
	(void)state;
	/* ISO/IEC 21031:2024: 1000 kg over 4 years, used 1 h: 28.5 g */
	assert_true(fabs(es_embodied_g(1000, 4, 1, 3600, 1) - 1e6 / (4 * 365 * 24)) < 1e-9);
	assert_true(fabs(es_embodied_g(1000, 4, 1, 3600, 1) - 28.54) < 0.005);
	/* ARCHER2: 692 kg over 6 years are 0.013 kg for a node-hour. */
	assert_true(fabs(es_embodied_g(692, 6, 1, 3600, 1) - 13.17) < 0.01);
	assert_true(fabs(es_embodied_g(1000, 4, 3, 3600, 0.5) - 1.5 * 28.5388) < 1e-3);
}

static void sci_divides_by_work_that_was_done(void **state)
{
	double sci;

	(void)state;
	assert_true(es_sci_g_per_unit(30, 12, 6, &sci));
	assert_true(fabs(sci - 7) < 1e-12);
	assert_false(es_sci_g_per_unit(30, 12, 0, &sci));
	assert_false(es_sci_g_per_unit(30, 12, -1, &sci));
	assert_false(es_sci_g_per_unit((double)NAN, 12, 1, &sci));
}

static void a_price_is_exact_to_a_millionth(void **state)
{
	int64_t micro;

	(void)state;
	assert_true(es_price_micro(3600000.0, 250000, &micro));
	assert_int_equal(micro, 250000);
	assert_true(es_price_micro(1234567.0, 1234567, &micro));
	assert_int_equal(micro, 423377); /* 0.342935277… kWh at 1.234567 */
	assert_false(es_price_micro(1e20, 1000000000000, &micro));
	assert_false(es_price_micro((double)NAN, 1, &micro));
}

static void factors_are_the_medians_of_the_table(void **state)
{
	static const struct {
		const char *psr;
		uint32_t g;
	} medians[] = { { "B01", 230 }, { "B02", 820 }, { "B04", 490 }, { "B05", 820 },
			{ "B06", 840 }, { "B09", 38 },	{ "B11", 24 },	{ "B12", 24 },
			{ "B13", 17 },	{ "B14", 12 },	{ "B16", 48 },	{ "B18", 12 },
			{ "B19", 11 } };

	(void)state;
	for (size_t i = 0; i < sizeof(medians) / sizeof(medians[0]); i++) {
		const struct es_generation *g = es_generation_find(medians[i].psr);

		assert_non_null(g);
		assert_int_equal(g->role, ES_GENERATION_SOURCE);
		assert_int_equal(g->mg_per_kwh, medians[i].g * 1000);
	}
	assert_int_equal(es_generation_find("B10")->role, ES_GENERATION_STORAGE);
	assert_int_equal(es_generation_find("B17")->role, ES_GENERATION_UNKNOWN);
	assert_null(es_generation_find("B99"));
	assert_null(es_generation_find(""));
}

static unsigned value_of(char c)
{
	return c == '-' ? 36 : c >= 'A' ? (unsigned)(c - 'A' + 10) : (unsigned)(c - '0');
}

/* ENTSO-E, "The Energy Identification Coding scheme reference manual": weights 16 to 2, 36 - (sum - 1) mod 37. */
static void codes_of_areas_have_their_check_character(void **state)
{
	const struct es_eic *row;
	size_t i = 0;

	(void)state;
	for (; (row = es_eic_at(i)); i++) {
		unsigned sum = 0;

		assert_int_equal(strlen(row->eic), 16);
		for (unsigned k = 0; k < 15; k++)
			sum += value_of(row->eic[k]) * (16 - k);
		if (value_of(row->eic[15]) != 36 - (sum - 1) % 37)
			fail_msg("%s has another check character", row->eic);
		if (strchr(row->zone, '-') == NULL)
			assert_non_null(es_grid_find(row->zone));
	}
	assert_true(i > 30);
	assert_string_equal(es_eic_zone("10YFR-RTE------C"), "FR");
	assert_null(es_eic_zone("10YXX----------X"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(embodied_share_is_the_specifications_check_value),
		cmocka_unit_test(sci_divides_by_work_that_was_done),
		cmocka_unit_test(a_price_is_exact_to_a_millionth),
		cmocka_unit_test(factors_are_the_medians_of_the_table),
		cmocka_unit_test(codes_of_areas_have_their_check_character),
	};

	return cmocka_run_group_tests_name("core/footprint", tests, NULL, NULL);
}
