/*
 * test_source_ipmi_names.c - what sensors of BMCs measure, as their names tell
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "source/ipmi_names.h"

static struct es_sdr_sensor sensor(const char *name, uint8_t entity, uint8_t instance)
{
	struct es_sdr_sensor it = { .owner = 0x20, .entity = entity, .instance = instance };

	(void)snprintf(it.name, sizeof(it.name), "%s", name);
	return it;
}

static void names_of_whole_nodes_are_known(void **state)
{
	static const char *const yes[] = { "Sys Power",	     "Total_Power",	"Pwr Consumption",
					   "Power Meter",    "Power",		"SYS_POWER",
					   "PW Consumption", "Sys Total Power", "HSC Input Power",
					   "System Power" };
	static const char *const no[] = { "CPU1 Power",
					  "PS1 Input Power",
					  "Memory Power",
					  "Fan Power",
					  "GPU Power",
					  "Power Limit",
					  "",
					  "?",
					  "12V Sys Power" };

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (es_ipmi_total_rank(yes[i]) == 0)
			fail_msg("'%s'", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_int_equal(es_ipmi_total_rank(no[i]), 0);
	assert_true(es_ipmi_total_rank("System Power") < es_ipmi_total_rank("Power"));
}

static void inputs_of_supplies_have_their_numbers(void **state)
{
	static const struct {
		const char *name;
		uint8_t entity, instance;
		int supply;
	} rows[] = {
		{ "PS1 Input Power", 10, 1, 1 },
		{ "PSU2_PIN", 10, 5, 2 }, /* the name knows better */
		{ "PSU 3 Power", 7, 1, 3 },
		{ "Power Supply 4", 10, 1, 4 },
		{ "Input", 10, 2, 2 },
		{ "PS1 Output Power", 10, 1, -1 },
		{ "PSU1_POUT", 10, 1, -1 },
		{ "Total_Power", 10, 1, -1 }, /* all of them, whatever its entity */
		{ "CPU1 Power", 3, 1, -1 },
		{ "PSX", 7, 1, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct es_sdr_sensor it = sensor(rows[i].name, rows[i].entity, rows[i].instance);

		if (es_ipmi_supply(&it) != rows[i].supply)
			fail_msg("'%s': %d", rows[i].name, es_ipmi_supply(&it));
	}
}

static void a_name_is_exact_before_it_is_a_pattern(void **state)
{
	const struct es_sdr_sensor all[] = {
		sensor("PS1 Power", 10, 1), sensor("PS[12] Power", 10, 2),
		sensor("PS2 Power", 10, 2), sensor("Power Meter", 7, 1), sensor("Sys Power", 7, 1)
	};
	size_t chosen[5];

	(void)state;
	assert_int_equal(es_ipmi_choose(all, 5, "PS[12] Power", chosen), 1);
	assert_int_equal(chosen[0], 1);
	assert_int_equal(es_ipmi_choose(all, 5, "sys power", chosen), 1);
	assert_int_equal(chosen[0], 4);
	assert_int_equal(es_ipmi_choose(all, 5, "ps[123]*", chosen), 2);
	assert_true(chosen[0] == 0 && chosen[1] == 2);
	assert_int_equal(es_ipmi_choose(all, 5, "*", chosen), 5);
	assert_int_equal(es_ipmi_choose(all, 5, "", chosen), 1);
	assert_int_equal(chosen[0], 4); /* surer than "Power Meter" */
	assert_int_equal(es_ipmi_choose(all, 3, "", chosen), 0);
	assert_int_equal(es_ipmi_choose(all, 5, "nix", chosen), 0);
}

static void only_one_is_the_node_and_all_names_differ(void **state)
{
	struct es_sdr_sensor chosen[] = {
		sensor("Total_Power", 7, 1),
		sensor("PS1 Input", 10, 1),
		sensor("PS1 Pin", 10, 1),
		sensor("System Power", 7, 1),
		sensor("\xC3\xA4/\"..\\%n", 7, 1),
		sensor("", 7, 1),
		sensor("CPU power", 3, 1),
		sensor("CPU-Power", 3, 1),
		sensor("node", 3, 1),
		sensor("psu 1 out", 3, 1),
	};
	const size_t n = sizeof(chosen) / sizeof(chosen[0]);
	struct es_domain domains[sizeof(chosen) / sizeof(chosen[0])];
	size_t n_nodes = 0;

	(void)state;
	for (size_t i = 0; i < n; i++)
		chosen[i].number = (uint8_t)i;
	for (size_t i = 0; i < n; i++) {
		es_domain_init(&domains[i], "ipmi-sensor", ES_DOMAIN_NODE, -1, -1);
		es_ipmi_place(chosen, n, i, "ipmi-sensor", &domains[i]);
		n_nodes += domains[i].type == ES_DOMAIN_NODE;
		assert_int_equal(domains[i].is_partial, domains[i].type != ES_DOMAIN_NODE);
		assert_null(strpbrk(domains[i].name, "/\"\\ %"));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(domains[i].id, domains[j].id);
	}
	assert_int_equal(n_nodes, 1);
	assert_int_equal(domains[3].type, ES_DOMAIN_NODE);
	assert_string_equal(domains[0].name, "total-power");
	assert_string_equal(domains[1].name, "psu-1");
	assert_string_equal(domains[2].name, "ps1-pin");
	assert_string_equal(domains[6].name, "cpu-power");
	assert_string_equal(domains[7].name, "cpu-power-sensor-0-7");
}

static void two_of_one_name_stay_two_when_the_table_changes(void **state)
{
	struct es_sdr_sensor chosen[] = { sensor("PS Power", 10, 1), sensor("PS Power", 10, 2) };
	struct es_sdr_sensor all[] = { sensor("Fan", 29, 1), sensor("PS Power", 10, 2),
				       sensor("PS Power", 10, 1) };
	bool is_gone[2] = { false };

	(void)state;
	for (uint8_t i = 0; i < 3; i++)
		all[i].number = i;
	es_ipmi_find_again(chosen, is_gone, 2, all, 3);
	assert_false(is_gone[0] || is_gone[1]);
	assert_int_not_equal(chosen[0].number, chosen[1].number);
	es_ipmi_find_again(chosen, is_gone, 2, all, 2);
	assert_false(is_gone[0]);
	assert_true(is_gone[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_whole_nodes_are_known),
		cmocka_unit_test(inputs_of_supplies_have_their_numbers),
		cmocka_unit_test(a_name_is_exact_before_it_is_a_pattern),
		cmocka_unit_test(two_of_one_name_stay_two_when_the_table_changes),
		cmocka_unit_test(only_one_is_the_node_and_all_names_differ),
	};

	return cmocka_run_group_tests_name("source/ipmi_names", tests, NULL, NULL);
}
