/*
 * test_source_msr_tables.c - each kind of processor: its registers and their units
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "source/msr_tables.h"

#define INTEL "GenuineIntel"
#define AMD "AuthenticAMD"
#define HYGON "HygonGenuine"
#define UNITS_14 0xa0e03U /* 1/2^14 J, 1/8 W, 1/1024 s: Intel */
#define UNITS_16 0xa1003U /* 1/2^16 J: AMD */
#define UNITS_ATOM 0x505U /* 2^5 µJ, 2^5 mW: Silvermont */

static const struct {
	const char *name, *vendor;
	unsigned family, model;
	uint64_t unit_value;
	const char *sure, *maybe; /* maybe: beside the sure ones */
	uint64_t package_unit_nj, package_modulus_nj, dram_unit_nj, psys_unit_nj; /* 0: no such */
} processors[] = {
	{ "Sandy Bridge", INTEL, 6, 0x2a, 0xa1003, "package core uncore", "", 15259, 65536000000000,
	  0, 0 },
	{ "Ivy Bridge-EP", INTEL, 6, 0x3e, 0xa1003, "package core dram", "", 15259, 65536000000000,
	  15259, 0 },
	{ "Haswell", INTEL, 6, 0x3c, UNITS_14, "package core uncore", "dram", 61036,
	  262144000000000, 61036, 0 },
	{ "Haswell-EP", INTEL, 6, 0x3f, UNITS_14, "package dram", "core", 61036, 262144000000000,
	  15300, 0 },
	{ "Broadwell-EP", INTEL, 6, 0x4f, UNITS_14, "package dram", "core", 61036, 262144000000000,
	  15300, 0 },
	{ "Broadwell-D", INTEL, 6, 0x56, UNITS_14, "package dram", "core", 61036, 262144000000000,
	  15300, 0 },
	{ "Skylake-SP", INTEL, 6, 0x55, UNITS_14, "package dram", "core", 61036, 262144000000000,
	  15300, 0 },
	{ "Ice Lake-SP", INTEL, 6, 0x6a, UNITS_14, "package dram", "core psys", 61036,
	  262144000000000, 15300, 61036 },
	{ "Ice Lake-D", INTEL, 6, 0x6c, UNITS_14, "package dram", "core psys", 61036,
	  262144000000000, 15300, 61036 },
	{ "Knights Landing", INTEL, 6, 0x57, UNITS_14, "package dram", "", 61036, 262144000000000,
	  15300, 0 },
	{ "Knights Mill", INTEL, 6, 0x85, UNITS_14, "package dram", "", 61036, 262144000000000,
	  15300, 0 },
	{ "Sapphire Rapids", INTEL, 6, 0x8f, UNITS_14, "package dram psys", "core", 61036,
	  262144000000000, 61036, 1000000000 },
	{ "Emerald Rapids", INTEL, 6, 0xcf, UNITS_14, "package dram psys", "core", 61036,
	  262144000000000, 61036, 1000000000 },
	{ "Granite Rapids", INTEL, 6, 0xad, UNITS_14, "package dram", "", 61036, 262144000000000,
	  61036, 0 },
	{ "Sierra Forest", INTEL, 6, 0xaf, UNITS_14, "package dram", "psys", 61036, 262144000000000,
	  61036, 61036 },
	{ "Skylake", INTEL, 6, 0x5e, UNITS_14, "package core", "uncore dram psys", 61036,
	  262144000000000, 61036, 61036 },
	{ "Tiger Lake", INTEL, 6, 0x8c, UNITS_14, "package core", "uncore dram psys", 61036,
	  262144000000000, 61036, 61036 },
	{ "Alder Lake", INTEL, 6, 0x9a, UNITS_14, "package core", "uncore dram psys", 61036,
	  262144000000000, 61036, 61036 },
	{ "Lunar Lake", INTEL, 6, 0xbd, UNITS_14, "package core", "uncore dram psys", 61036,
	  262144000000000, 61036, 61036 },
	{ "Silvermont", INTEL, 6, 0x37, UNITS_ATOM, "package core", "uncore dram", 32000,
	  137438953472000, 32000, 0 },
	{ "Merrifield", INTEL, 6, 0x4a, UNITS_ATOM, "package core", "uncore dram", 32000,
	  137438953472000, 32000, 0 },
	{ "Airmont", INTEL, 6, 0x4c, UNITS_ATOM, "package core", "uncore dram", 32000,
	  137438953472000, 32000, 0 },
	{ "Moorefield", INTEL, 6, 0x5a, UNITS_ATOM, "package core", "uncore dram", 32000,
	  137438953472000, 32000, 0 },
	/* Intel's manual gives Avoton Silvermont's unit; the register was measured to count in 1/2^n J. */
	{ "Avoton", INTEL, 6, 0x4d, UNITS_14, "package core", "", 61036, 262144000000000, 0, 0 },
	{ "Goldmont", INTEL, 6, 0x5c, UNITS_14, "package", "core uncore dram", 61036,
	  262144000000000, 61036, 0 },
	{ "Denverton", INTEL, 6, 0x5f, UNITS_14, "package core dram", "uncore", 61036,
	  262144000000000, 61036, 0 },
	{ "Snow Ridge", INTEL, 6, 0x86, UNITS_14, "package", "", 61036, 262144000000000, 0, 0 },
	{ "an Intel of tomorrow", INTEL, 6, 0xfe, UNITS_14, "", "package core uncore dram psys",
	  61036, 262144000000000, 61036, 61036 },
	{ "an Intel of another family", INTEL, 19, 0x01, UNITS_14, "",
	  "package core uncore dram psys", 61036, 262144000000000, 61036, 61036 },
	{ "Zen", AMD, 0x17, 0x01, UNITS_16, "package", "core", 15259, 65536000000000, 0, 0 },
	{ "Zen 2", AMD, 0x17, 0x31, UNITS_16, "package", "core", 15259, 65536000000000, 0, 0 },
	{ "Zen 3", AMD, 0x19, 0x01, UNITS_16, "package", "core", 15259, 65536000000000, 0, 0 },
	{ "Zen 4", AMD, 0x19, 0x11, UNITS_16, "package", "core", 15259, 65536000000000, 0, 0 },
	{ "Zen 5", AMD, 0x1a, 0x02, UNITS_16, "package", "core", 15259, 65536000000000, 0, 0 },
	{ "Dhyana", HYGON, 0x18, 0x00, UNITS_16, "package", "core", 15259, 65536000000000, 0, 0 },
	{ "an AMD of tomorrow", AMD, 0x1b, 0x00, UNITS_16, "", "package core", 15259,
	  65536000000000, 0, 0 },
};

static void find(const char *vendor, unsigned family, unsigned model, struct es_msr_processor *ret)
{
	struct es_machine machine = { .cpu_family = family, .cpu_model_number = model };

	(void)snprintf(machine.cpu_vendor, sizeof(machine.cpu_vendor), "%s", vendor);
	assert_int_equal(es_msr_find_processor(&machine, ret), 0);
}

static void join(const struct es_msr_processor *processor, bool is_sure, char text[static 128])
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < processor->n_registers; i++)
		if (processor->registers[i].is_sure == is_sure)
			n += (size_t)snprintf(text + n, 128 - n, "%s%s", n ? " " : "",
					      es_domain_type_name(processor->registers[i].type));
}

static void check_unit(const char *name, const struct es_msr_processor *processor,
		       enum es_domain_type type, uint64_t unit_value, uint64_t unit_nj)
{
	struct es_msr_unit unit = es_msr_energy_unit(processor, type, unit_value);

	if (unit_nj && es_msr_range(&unit).unit_nj != unit_nj)
		fail_msg("%s: %s in %llu nJ", name, es_domain_type_name(type),
			 (unsigned long long)es_msr_range(&unit).unit_nj);
}

static void every_processor_has_its_registers_and_units(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(processors) / sizeof(processors[0]); i++) {
		struct es_msr_processor processor;
		struct es_msr_unit unit;
		char sure[128], maybe[128];

		find(processors[i].vendor, processors[i].family, processors[i].model, &processor);
		join(&processor, true, sure);
		join(&processor, false, maybe);
		if (strcmp(sure, processors[i].sure) != 0 ||
		    strcmp(maybe, processors[i].maybe) != 0)
			fail_msg("%s: sure '%s', maybe '%s'", processors[i].name, sure, maybe);
		assert_int_equal(processor.registers[0].type, ES_DOMAIN_PACKAGE);
		check_unit(processors[i].name, &processor, ES_DOMAIN_PACKAGE,
			   processors[i].unit_value, processors[i].package_unit_nj);
		check_unit(processors[i].name, &processor, ES_DOMAIN_DRAM, processors[i].unit_value,
			   processors[i].dram_unit_nj);
		check_unit(processors[i].name, &processor, ES_DOMAIN_PSYS, processors[i].unit_value,
			   processors[i].psys_unit_nj);
		unit = es_msr_energy_unit(&processor, ES_DOMAIN_PACKAGE, processors[i].unit_value);
		assert_true(es_msr_range(&unit).modulus_nj == processors[i].package_modulus_nj);
	}
}

static void registers_are_where_the_manuals_say(void **state)
{
	static const uint32_t intel[] = { 0x611, 0x639, 0x641, 0x619, 0x64d };
	struct es_msr_processor processor;

	(void)state;
	find(INTEL, 6, 0x9a, &processor);
	assert_int_equal(processor.unit_reg, 0x606);
	assert_int_equal(processor.limit_reg, 0x610);
	assert_int_equal(processor.info_reg, 0x614);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(processor.registers[i].reg, intel[i]);
	find(AMD, 0x19, 0x01, &processor);
	assert_true(processor.unit_reg == 0xc0010299);
	assert_true(processor.registers[0].reg == 0xc001029b);
	assert_true(processor.registers[1].reg == 0xc001029a);
	assert_true(processor.registers[1].is_per_core);
	assert_int_equal(processor.limit_reg, 0);
}

static void only_documented_models_may_have_wide_counters(void **state)
{
	static const struct {
		const char *vendor;
		unsigned family, model;
		bool may_be_64;
	} widths[] = {
		{ AMD, 0x17, 0x31, false }, { AMD, 0x19, 0x01, false },
		{ AMD, 0x19, 0x30, false }, { AMD, 0x19, 0x10, true },
		{ AMD, 0x19, 0x11, true },  { AMD, 0x19, 0x90, true },
		{ AMD, 0x19, 0xa0, true },  { AMD, 0x1a, 0x02, true },
		{ AMD, 0x1a, 0x10, true },  { AMD, 0x1a, 0x11, true },
		{ AMD, 0x1a, 0x44, false }, { HYGON, 0x18, 0x00, false },
		{ INTEL, 6, 0x8f, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		struct es_msr_processor processor;

		find(widths[i].vendor, widths[i].family, widths[i].model, &processor);
		assert_int_equal(processor.may_be_64, widths[i].may_be_64);
	}
}

static void other_processors_have_none_that_we_know(void **state)
{
	static const struct es_machine others[] = {
		{ .cpu_vendor = "AuthenticAMD", .cpu_family = 0x15, .cpu_model_number = 0x02 },
		{ .cpu_vendor = "GenuineIntel", .cpu_family = 5 },
		{ .cpu_vendor = "0x41", .cpu_family = 8 },
		{ .cpu_vendor = "" },
	};
	struct es_msr_processor processor;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(es_msr_find_processor(&others[i], &processor), -ENODEV);
}

static void counts_are_whole_microjoules_of_their_unit(void **state)
{
	struct es_msr_processor processor;
	struct es_msr_unit unit;

	(void)state;
	find(INTEL, 6, 0x55, &processor);
	unit = es_msr_energy_unit(&processor, ES_DOMAIN_PACKAGE, UNITS_14);
	assert_true(es_msr_energy_uj(&unit, 1) == 61);
	assert_true(es_msr_energy_uj(&unit, 16384) == 1000000);
	assert_true(es_msr_energy_uj(&unit, UINT32_MAX) == UINT64_C(262143999938));
	unit = es_msr_energy_unit(&processor, ES_DOMAIN_DRAM, UNITS_14);
	assert_true(es_msr_energy_uj(&unit, 10) == 153);
	find(INTEL, 6, 0x37, &processor);
	unit = es_msr_energy_unit(&processor, ES_DOMAIN_PACKAGE, UNITS_ATOM);
	assert_true(es_msr_energy_uj(&unit, 3) == 96);
	assert_true(es_msr_energy_uj(&unit, UINT64_MAX) == UINT64_MAX);
	/* 2^31 µJ a step: such a counter wraps beyond what a range can say. */
	unit = es_msr_energy_unit(&processor, ES_DOMAIN_PACKAGE, 0x1f00);
	assert_true(es_msr_range(&unit).modulus_nj == 0);
}

static void powers_are_in_the_units_of_the_register(void **state)
{
	struct es_msr_processor processor;

	(void)state;
	find(INTEL, 6, 0x55, &processor);
	assert_int_equal(es_msr_power_mw(&processor, UNITS_14, 165 * 8), 165000);
	assert_int_equal(es_msr_power_mw(&processor, UNITS_14, 1), 125);
	find(INTEL, 6, 0x37, &processor);
	assert_int_equal(es_msr_power_mw(&processor, UNITS_ATOM, 100), 3200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_processor_has_its_registers_and_units),
		cmocka_unit_test(registers_are_where_the_manuals_say),
		cmocka_unit_test(only_documented_models_may_have_wide_counters),
		cmocka_unit_test(other_processors_have_none_that_we_know),
		cmocka_unit_test(counts_are_whole_microjoules_of_their_unit),
		cmocka_unit_test(powers_are_in_the_units_of_the_register),
	};

	return cmocka_run_group_tests_name("source/msr_tables", tests, NULL, NULL);
}
