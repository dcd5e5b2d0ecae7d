/*
 * test_core_curve.c - power curves of servers: which one stands for a processor, what it says
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "core/curve.h"

static void processors_get_the_curve_of_their_generation(void **state)
{
	static const struct {
		const char *vendor_id;
		unsigned family, model, stepping;
		const char *key;
		bool is_client, is_exact;
	} known[] = {
		{ "GenuineIntel", 6, 23, 10, "intel-penryn", false, true },
		{ "GenuineIntel", 6, 45, 7, "intel-sandy-bridge", false, true },
		{ "GenuineIntel", 6, 63, 2, "intel-haswell", false, true },
		{ "GenuineIntel", 6, 79, 1, "intel-broadwell", false, true },
		{ "GenuineIntel", 6, 85, 4, "intel-skylake", false, true },
		{ "GenuineIntel", 6, 85, 7, "intel-cascade-lake", false, true },
		{ "GenuineIntel", 6, 85, 11, "intel-cooper-lake", false, true },
		{ "GenuineIntel", 6, 106, 6, "intel-ice-lake", false, true },
		{ "GenuineIntel", 6, 143, 8, "intel-sapphire-rapids", false, true },
		{ "GenuineIntel", 6, 207, 2, "intel-emerald-rapids", false, true },
		{ "GenuineIntel", 6, 173, 1, "intel-granite-rapids", false, true },
		{ "GenuineIntel", 6, 175, 3, "intel-sierra-forest", false, true },
		{ "GenuineIntel", 6, 158, 9, "intel-kaby-lake", true, true },
		{ "GenuineIntel", 6, 158, 13, "intel-coffee-lake", true, true },
		{ "GenuineIntel", 6, 140, 1, "client-any", true, false },
		{ "GenuineIntel", 6, 86, 3, "intel-broadwell-d", false, false },
		{ "AuthenticAMD", 16, 9, 1, "amd-k10", false, true },
		{ "AuthenticAMD", 21, 2, 0, "amd-piledriver", false, true },
		{ "AuthenticAMD", 23, 1, 1, "amd-am5", true, false },
		{ "AuthenticAMD", 23, 1, 2, "amd-naples", false, true },
		{ "AuthenticAMD", 23, 49, 0, "amd-rome", false, true },
		{ "AuthenticAMD", 25, 1, 1, "amd-milan", false, true },
		{ "AuthenticAMD", 25, 17, 1, "amd-genoa", false, true },
		{ "AuthenticAMD", 25, 160, 2, "amd-bergamo", false, true },
		{ "AuthenticAMD", 25, 97, 2, "amd-am5", true, true },
		{ "AuthenticAMD", 26, 2, 1, "amd-turin", false, true },
		{ "AuthenticAMD", 26, 17, 0, "amd-turin-dense", false, true },
		{ "HygonGenuine", 24, 1, 1, "hygon-dhyana", false, false },
		{ "0x41", 8, 0xd0c, 1, "arm-altra", false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct es_power_curve *curve = NULL;
		bool is_client = !known[i].is_client;
		bool is_exact = !known[i].is_exact;

		assert_int_equal(es_curve_find(known[i].vendor_id, known[i].family, known[i].model,
					       known[i].stepping, &curve, &is_client, &is_exact),
				 0);
		assert_string_equal(curve->key, known[i].key);
		assert_int_equal(is_client, known[i].is_client);
		assert_int_equal(is_exact, known[i].is_exact);
	}
}

static void unknown_processors_fall_back_to_vendor_then_any(void **state)
{
	static const struct {
		const char *vendor_id;
		unsigned family, model;
		const char *key;
	} unknown[] = {
		{ "GenuineIntel", 19, 1, "intel-any" },
		{ "GenuineIntel", 6, 6, "intel-any" },
		{ "AuthenticAMD", 15, 9999, "amd-any" },
		{ "AuthenticAMD", 99, 0, "amd-any" },
		{ "HygonGenuine", 24, 9, "amd-any" },
		{ "CentaurHauls", 6, 85, "any" },
		{ "0x48", 8, 0xd01, "any" },
		{ "", 0, 0, "any" },
		{ NULL, 6, 85, "any" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		const struct es_power_curve *curve = NULL;
		bool is_client = true;
		bool is_exact = true;

		assert_int_equal(es_curve_find(unknown[i].vendor_id, unknown[i].family,
					       unknown[i].model, 0, &curve, &is_client, &is_exact),
				 0);
		assert_string_equal(curve->key, unknown[i].key);
		assert_false(is_client);
		assert_false(is_exact);
	}
}

static void every_named_processor_has_a_curve_wide_enough_for_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < es_cpu_generation_count(); i++) {
		const struct es_cpu_generation *g = es_cpu_generation_at(i);
		const struct es_power_curve *curve = es_curve_get(g->key);

		assert_non_null(curve);
		assert_true(g->model_first <= g->model_last &&
			    g->stepping_first <= g->stepping_last);
		if (g->is_client || !g->is_exact)
			assert_true(curve->is_doubled);
	}
	assert_null(es_cpu_generation_at(es_cpu_generation_count()));
}

/* A later row that an earlier one hides would never be used: a slip in the table. */
static void no_row_of_the_processor_table_is_hidden_by_another(void **state)
{
	(void)state;
	for (size_t i = 0; i < es_cpu_generation_count(); i++) {
		const struct es_cpu_generation *a = es_cpu_generation_at(i);

		for (size_t j = i + 1; j < es_cpu_generation_count(); j++) {
			const struct es_cpu_generation *b = es_cpu_generation_at(j);
			bool overlaps = !strcmp(a->vendor_id, b->vendor_id) &&
					a->family == b->family && a->model_first <= b->model_last &&
					b->model_first <= a->model_last &&
					a->stepping_first <= b->stepping_last &&
					b->stepping_first <= a->stepping_last;

			assert_false(overlaps);
		}
	}
}

static void every_curve_is_plausible(void **state)
{
	(void)state;
	for (size_t i = 0; i < es_curve_count(); i++) {
		const struct es_power_curve *c = es_curve_at(i);

		assert_true(*c->key && *c->name);
		assert_true(c->n_servers >= 1);
		assert_true(c->year_first >= 2007 && c->year_first <= c->year_last &&
			    c->year_last <= 2026);
		assert_true(c->idle_mw_per_thread > 100 &&
			    c->idle_mw_per_thread < c->full_mw_per_thread);
		assert_true(c->full_mw_per_thread > 1000 && c->full_mw_per_thread < 100000);
		assert_true(c->idle_spread_ppm >= 200000 && c->full_spread_ppm >= 200000);
		assert_true(c->full_sized_spread_ppm >= 200000);
		assert_true(c->threads_per_package >= 1 && c->threads_per_package <= 1024);
		assert_ptr_equal(es_curve_get(c->key), c);
	}
	assert_null(es_curve_at(es_curve_count()));
	assert_null(es_curve_get("pdp-11"));
}

static void a_genoa_server_draws_a_few_watts_per_thread(void **state)
{
	const struct es_power_curve *c = es_curve_get("amd-genoa");

	(void)state;
	assert_non_null(c);
	assert_in_range(c->full_mw_per_thread, 1500, 3000);
	assert_in_range(c->idle_mw_per_thread, 200, 600);
}

static void the_typical_size_gives_the_sized_figures(void **state)
{
	(void)state;
	for (size_t i = 0; i < es_curve_count(); i++) {
		const struct es_power_curve *c = es_curve_at(i);
		struct es_power_curve sized;

		assert_int_equal(es_curve_for_size(c, c->threads_per_package, &sized), 0);
		assert_in_range(sized.idle_mw_per_thread, c->idle_sized_mw - 1,
				c->idle_sized_mw + 1);
		assert_in_range(sized.full_mw_per_thread, c->full_sized_mw - 1,
				c->full_sized_mw + 1);
		assert_int_equal(sized.idle_spread_ppm, c->idle_sized_spread_ppm);
		assert_int_equal(sized.full_spread_ppm, c->full_sized_spread_ppm);
		assert_string_equal(sized.key, c->key);
	}
}

static void smaller_packages_draw_more_per_thread_and_less_in_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < es_curve_count(); i++) {
		const struct es_power_curve *c = es_curve_at(i);
		struct es_power_curve last = { .full_mw_per_thread = UINT32_MAX,
					       .idle_mw_per_thread = UINT32_MAX };
		uint64_t last_total_mw = 0;

		for (unsigned size = 1; size <= 8 * c->threads_per_package + 10; size++) {
			struct es_power_curve sized;
			uint64_t total_mw;

			assert_int_equal(es_curve_for_size(c, size, &sized), 0);
			total_mw = (uint64_t)sized.full_mw_per_thread * size;
			assert_true(sized.idle_mw_per_thread > 0);
			assert_true(sized.idle_mw_per_thread <= sized.full_mw_per_thread);
			assert_true(sized.full_mw_per_thread <= last.full_mw_per_thread);
			assert_true(sized.idle_mw_per_thread <= last.idle_mw_per_thread);
			/* half a milliwatt of rounding on each thread */
			assert_true(total_mw + size >= last_total_mw);
			last = sized;
			last_total_mw = total_mw;
		}
	}
}

static void size_scales_by_powers_of_1_and_two_thirds(void **state)
{
	static const struct es_power_curve c = {
		.threads_per_package = 64,
		.idle_sized_mw = 1000,
		.full_sized_mw = 8000,
	};
	struct es_power_curve sized;

	(void)state;
	assert_int_equal(es_curve_for_size(&c, 8, &sized), 0);
	assert_int_equal(sized.idle_mw_per_thread, 8000);
	assert_int_equal(sized.full_mw_per_thread, 32000);
	assert_int_equal(es_curve_for_size(&c, 512, &sized), 0);
	assert_int_equal(sized.idle_mw_per_thread, 125);
	assert_int_equal(sized.full_mw_per_thread, 2000);
	assert_int_equal(es_curve_for_size(&c, 32, &sized), 0);
	assert_int_equal(sized.idle_mw_per_thread, 2000);
	assert_in_range(sized.full_mw_per_thread, 12699, 12700); /* 8 W x 2^(2/3) = 12.6992 W */
}

static void sizes_beyond_the_data_are_held_at_its_edge(void **state)
{
	const struct es_power_curve *c = es_curve_get("intel-skylake");
	struct es_power_curve edge, beyond;

	(void)state;
	assert_non_null(c);
	assert_int_equal(es_curve_for_size(c, c->threads_per_package * 8, &edge), 0);
	assert_int_equal(es_curve_for_size(c, UINT32_MAX, &beyond), 0);
	assert_int_equal(beyond.full_mw_per_thread, edge.full_mw_per_thread);
	assert_int_equal(es_curve_for_size(c, 1, &beyond), 0);
	assert_true(beyond.full_mw_per_thread <= 4 * c->full_sized_mw + 1);
	assert_int_equal(es_curve_for_size(c, 0, &beyond), -EINVAL);
}

/*
 * Wall power under full load, from: dloghin/multicores-time-energy (one E5-2630 v4), and the model of
 * Grid'5000 taurus (two E5-2630) in oar-team/batsim.
 */
static void full_load_of_servers_outside_the_benchmark_lies_in_the_interval(void **state)
{
	static const struct {
		const char *key;
		unsigned threads_per_package, packages;
		uint64_t full_mw;
	} measured[] = {
		{ "intel-broadwell", 20, 1, 134757 },
		{ "intel-sandy-bridge", 12, 2, 190738 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(measured) / sizeof(measured[0]); i++) {
		struct es_power_curve sized;
		uint64_t full_mw, half_mw;

		assert_int_equal(es_curve_for_size(es_curve_get(measured[i].key),
						   measured[i].threads_per_package, &sized),
				 0);
		full_mw = (uint64_t)sized.full_mw_per_thread * measured[i].threads_per_package *
			  measured[i].packages;
		half_mw = full_mw * sized.full_spread_ppm / 1000000;
		assert_in_range(measured[i].full_mw, full_mw - half_mw, full_mw + half_mw);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(processors_get_the_curve_of_their_generation),
		cmocka_unit_test(unknown_processors_fall_back_to_vendor_then_any),
		cmocka_unit_test(every_named_processor_has_a_curve_wide_enough_for_it),
		cmocka_unit_test(no_row_of_the_processor_table_is_hidden_by_another),
		cmocka_unit_test(every_curve_is_plausible),
		cmocka_unit_test(a_genoa_server_draws_a_few_watts_per_thread),
		cmocka_unit_test(the_typical_size_gives_the_sized_figures),
		cmocka_unit_test(smaller_packages_draw_more_per_thread_and_less_in_all),
		cmocka_unit_test(size_scales_by_powers_of_1_and_two_thirds),
		cmocka_unit_test(sizes_beyond_the_data_are_held_at_its_edge),
		cmocka_unit_test(full_load_of_servers_outside_the_benchmark_lies_in_the_interval),
	};

	return cmocka_run_group_tests_name("core/curve", tests, NULL, NULL);
}
