/*
 * test_format_import_esdump.c - registers in the original tool's dumps, and what they mean
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "format/import_escpu.h"

#define ROW(index, phy, address, value)                                                         \
	"{\"index\": " #index ", \"phy\": \"" phy "\", \"cpu\": \"0\", \"adr_str\": \"" address \
	"\", \"raw_value\": " #value "}"

static void read_discovery(const char *vendor, const char *family, const char *model,
			   const char *rows, struct es_dump *dump, struct es_esarch *arch)
{
	char text[2048];

	(void)snprintf(
		text, sizeof(text),
		"{\"pgm\": \"es_discover.py@inria\", \"arch\": {\"0\": {\"vendor_id\": \"%s\", \"modelname\": \"x@2.40GHz\", "
		"\"model\": \"%s\", \"cpufamily\": \"%s\", \"coreid\": {\"0\": [\"0\", \"8\"], \"1\": [\"1\"]}}}, \"data\": [%s]}",
		vendor, model, family, rows);
	*dump = (struct es_dump){ .n_phys = 0 };
	*arch = (struct es_esarch){ .n_cpus = 0 };
	assert_int_equal(es_dump_read(dump, text, strlen(text)), 0);
	assert_false(dump->is_cut);
	assert_true(dump->is_discovery);
	assert_int_equal(es_esarch_read(arch, text, strlen(text), dump), 0);
	assert_int_equal(arch->n_cpus, 1);
}

static void registers_of_an_intel_server_mean_what_the_manual_says(void **state)
{
	struct es_dump dump;
	struct es_esarch arch;
	uint64_t num, den;

	(void)state;
	read_discovery("GenuineIntel", "6", "79",
		       ROW(0, "0", "0x0ce", 11531480297493304832) "," ROW(
			       0, "0", "0x606", 658947) "," ROW(0, "0", "0x614", 13238601070412856),
		       &dump, &arch);

	assert_int_equal(es_escpu_tsc_khz(&arch.cpus[0]), 2200000);
	assert_int_equal(es_escpu_name_khz(&arch.cpus[0]), 2400000);
	assert_int_equal(es_escpu_tdp_mw(&arch.cpus[0]), 135000);
	assert_int_equal(arch.cpus[0].n_cpus, 3);
	assert_true(es_escpu_unit(&arch.cpus[0], ES_REG_PACKAGE_ENERGY, &num, &den));
	assert_true(num == 1000000 && den == 16384);
	assert_true(es_escpu_unit(&arch.cpus[0], ES_REG_DRAM_ENERGY, &num, &den));
	assert_true(num == 1000000 && den == 65359);
	es_dump_finish(&dump);
	es_esarch_finish(&arch);
}

static void dram_has_a_unit_of_its_own_on_some_servers_only(void **state)
{
	static const struct {
		const char *model;
		uint64_t den;
	} models[] = {
		{ "63", 65359 },  { "79", 65359 },  { "85", 65359 },  { "106", 65359 },
		{ "108", 65359 }, { "87", 65359 },  { "133", 65359 }, { "86", 65359 },
		{ "143", 16384 }, { "207", 16384 }, { "158", 16384 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		struct es_dump dump;
		struct es_esarch arch;
		uint64_t num, den;

		read_discovery("GenuineIntel", "6", models[i].model, ROW(0, "0", "0x606", 658947),
			       &dump, &arch);
		(void)es_escpu_unit(&arch.cpus[0], ES_REG_DRAM_ENERGY, &num, &den);
		assert_int_equal(den, models[i].den);
		es_dump_finish(&dump);
		es_esarch_finish(&arch);
	}
}

static void registers_of_amd_are_their_own(void **state)
{
	static const struct {
		const char *family, *rows;
		uint64_t khz;
	} cpus[] = {
		{ "23", ROW(0, "0", "0xC0010064", 9223372036854777944),
		  2200000 }, /* Fid 88, Did 8 */
		{ "25", ROW(0, "0", "0xC0010064", 9223372036854777980),
		  3100000 }, /* Fid 124, Did 8 */
		{ "26", ROW(0, "0", "0xC0010064", 9223372036854776316),
		  2540000 }, /* 508 times 5 MHz */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
		struct es_dump dump;
		struct es_esarch arch;
		uint64_t num, den;

		read_discovery("AuthenticAMD", cpus[i].family, "1", cpus[i].rows, &dump, &arch);
		assert_int_equal(es_escpu_tsc_khz(&arch.cpus[0]), cpus[i].khz);
		assert_false(es_escpu_unit(&arch.cpus[0], ES_REG_AMD_PACKAGE_ENERGY, &num, &den));
		assert_int_equal(den, 65536);
		assert_int_equal(es_escpu_tdp_mw(&arch.cpus[0]), 0);
		es_dump_finish(&dump);
		es_esarch_finish(&arch);
	}
}

static void rows_are_sorted_into_channels_and_sweeps(void **state)
{
	static const char text[] =
		"{\"pgm\": \"es_read_rt.py@inria\", \"data\": [" ROW(0, "0", "0x010", 5) "," ROW(
			0, "0", "0x611",
			6) "," ROW(0, "0", "0x19c",
				   1) "," ROW(0, "1", "0x010",
					      7) "," ROW(0, "1", "0x611",
							 8) "," ROW(0, "0", "0x010",
								    9) "," ROW(0, "0", "0x611",
									       10) "," ROW(3,
											   "gpu-nvidia-1",
											   "gpu-nvidia-mjoule",
											   18446744073709551615) "]}";
	struct es_dump dump = { .n_phys = 0 };

	(void)state;
	assert_int_equal(es_dump_read(&dump, text, strlen(text)), 0);

	assert_true(dump.is_raw);
	assert_int_equal(dump.n_rows, 8);
	assert_int_equal(dump.n_bad_rows, 0);
	assert_int_equal(dump.n_phys, 3);
	assert_int_equal(dump.n_stamps, 3);
	assert_int_equal(dump.n_sweeps, 3);
	assert_int_equal(dump.n_channels, 3);
	assert_int_equal(dump.channels[0].n, 2);
	assert_int_equal(dump.channels[0].rows[1].value, 10);
	assert_int_equal(dump.channels[0].rows[1].sweep, 1);
	assert_int_equal(dump.channels[0].rows[1].n_stamps, 3);
	assert_true(dump.channels[2].rows[0].value == UINT64_MAX);
	es_dump_finish(&dump);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_of_an_intel_server_mean_what_the_manual_says),
		cmocka_unit_test(dram_has_a_unit_of_its_own_on_some_servers_only),
		cmocka_unit_test(registers_of_amd_are_their_own),
		cmocka_unit_test(rows_are_sorted_into_channels_and_sweeps),
	};

	return cmocka_run_group_tests_name("format/import_esdump", tests, NULL, NULL);
}
