/*
 * test_core_domain.c - names of domains, what contains what, what is the same
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/domain.h"

static struct es_domain make(enum es_domain_type type, int32_t package, int32_t die)
{
	struct es_domain domain;

	es_domain_init(&domain, "test", type, package, die);
	return domain;
}

static void names_and_ids_follow_type_and_place(void **state)
{
	static const struct {
		enum es_domain_type type;
		int32_t package, die;
		const char *id;
	} names[] = {
		{ ES_DOMAIN_PACKAGE, 0, -1, "test/package-0" },
		{ ES_DOMAIN_DIE, 1, 2, "test/package-1-die-2" },
		{ ES_DOMAIN_DRAM, 3, -1, "test/dram-3" },
		{ ES_DOMAIN_DRAM, 0, 1, "test/dram-0-die-1" },
		{ ES_DOMAIN_PSYS, -1, -1, "test/psys" },
		{ ES_DOMAIN_NODE, -1, -1, "test/node" },
		{ ES_DOMAIN_CORE, 0, -1, "test/core-0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_string_equal(make(names[i].type, names[i].package, names[i].die).id,
				    names[i].id);
}

static void packages_contain_their_cores_and_not_their_memory(void **state)
{
	struct es_domain package = make(ES_DOMAIN_PACKAGE, 0, -1),
			 other = make(ES_DOMAIN_PACKAGE, 1, -1);
	struct es_domain core = make(ES_DOMAIN_CORE, 0, -1), dram = make(ES_DOMAIN_DRAM, 0, -1);
	struct es_domain die = make(ES_DOMAIN_DIE, 0, 1), die_core = make(ES_DOMAIN_CORE, 0, 1);

	(void)state;
	assert_true(es_domain_contains(&package, &core));
	assert_true(es_domain_contains(&package, &die));
	assert_true(es_domain_contains(&die, &die_core));
	assert_false(es_domain_contains(&die, &core));
	assert_false(es_domain_contains(&other, &core));
	assert_false(es_domain_contains(&package, &dram));
	assert_false(es_domain_contains(&core, &package));
	assert_false(es_domain_contains(&package, &package));
}

static void platform_and_node_contain_what_is_on_the_board(void **state)
{
	struct es_domain psys = make(ES_DOMAIN_PSYS, -1, -1), node = make(ES_DOMAIN_NODE, -1, -1);
	struct es_domain dram = make(ES_DOMAIN_DRAM, 1, -1), gpu = make(ES_DOMAIN_GPU, -1, -1);
	struct es_domain elsewhere = make(ES_DOMAIN_DRAM, 1, -1);

	(void)state;
	elsewhere.node = 1;
	assert_true(es_domain_contains(&psys, &dram));
	assert_false(es_domain_contains(&psys, &gpu));
	assert_true(es_domain_contains(&node, &psys));
	assert_true(es_domain_contains(&node, &gpu));
	assert_false(es_domain_contains(&node, &elsewhere));
}

static void the_same_part_from_two_sources_is_a_twin(void **state)
{
	struct es_domain a = make(ES_DOMAIN_PACKAGE, 0, -1), b = make(ES_DOMAIN_PACKAGE, 0, -1);
	struct es_domain c = make(ES_DOMAIN_PACKAGE, 1, -1);

	(void)state;
	assert_true(es_domain_is_twin(&a, &b));
	assert_false(es_domain_is_twin(&a, &c));
	b.node = 7;
	assert_false(es_domain_is_twin(&a, &b));
}

static void platform_meters_are_twins_by_name_only(void **state)
{
	struct es_domain a = make(ES_DOMAIN_PSYS, -1, -1), b = make(ES_DOMAIN_PSYS, -1, -1);

	(void)state;
	assert_true(es_domain_is_twin(&a, &b));
	(void)strcpy(b.name, "psys-1");
	assert_false(es_domain_is_twin(&a, &b));
}

static void words_lead_back_to_types_and_kinds(void **state)
{
	enum es_domain_type type;
	enum es_kind kind;

	(void)state;
	for (int i = 0; i < ES_N_DOMAIN_TYPES; i++) {
		assert_int_equal(es_domain_type_from_name(
					 es_domain_type_name((enum es_domain_type)i), &type),
				 0);
		assert_int_equal(type, i);
		assert_true(es_peak_default_mw((enum es_domain_type)i) > 0);
	}
	for (int i = 0; i < ES_N_KINDS; i++) {
		assert_int_equal(es_kind_from_name(es_kind_name((enum es_kind)i), &kind), 0);
		assert_int_equal(kind, i);
	}
	assert_int_equal(es_domain_type_from_name("socket", &type), -ENOENT);
}

static void all_packages_together_contain_each_of_them(void **state)
{
	struct es_domain all = make(ES_DOMAIN_PACKAGE, -1, -1),
			 one = make(ES_DOMAIN_PACKAGE, 1, -1);
	struct es_domain die = make(ES_DOMAIN_DIE, 1, 0), core = make(ES_DOMAIN_CORE, 0, -1);
	struct es_domain memory = make(ES_DOMAIN_DRAM, -1, -1), dram = make(ES_DOMAIN_DRAM, 1, -1);

	(void)state;
	assert_true(es_domain_contains(&all, &one) && es_domain_contains(&all, &die));
	assert_true(es_domain_contains(&all, &core));
	assert_false(es_domain_contains(&one, &all));
	assert_true(es_domain_contains(&memory, &dram));
	assert_false(es_domain_contains(&dram, &memory));
	assert_false(es_domain_contains(&all, &dram));
	assert_false(es_domain_is_twin(&all, &one));
}

static void gpus_are_known_by_their_place_on_the_bus(void **state)
{
	struct es_domain a = make(ES_DOMAIN_GPU, 0, -1), b = make(ES_DOMAIN_GPU, 5, -1),
			 counted = make(ES_DOMAIN_GPU, 0, -1), chip = make(ES_DOMAIN_GPU, 0, 0);

	(void)state;
	assert_true(es_domain_is_twin(&a, &counted)); /* neither says where it is */
	(void)snprintf(a.pci, sizeof(a.pci), "0000:17:00.0");
	(void)snprintf(b.pci, sizeof(b.pci), "0000:17:00.0");
	(void)snprintf(b.source, sizeof(b.source), "other");
	(void)snprintf(counted.source, sizeof(counted.source), "board");
	assert_true(es_domain_is_twin(&a, &b)); /* whatever number each gives it */
	assert_false(es_domain_may_overlap(&a, &b));
	assert_false(es_domain_is_twin(&a, &counted));
	assert_true(es_domain_may_overlap(&a, &counted) && es_domain_may_overlap(&counted, &a));
	(void)snprintf(b.pci, sizeof(b.pci), "0000:18:00.0");
	b.package = 0;
	assert_false(es_domain_is_twin(&a, &b));
	(void)snprintf(chip.pci, sizeof(chip.pci), "0000:17:00.0");
	assert_true(es_domain_contains(&a, &chip));
	assert_false(es_domain_contains(&chip, &a) || es_domain_contains(&b, &chip));
	assert_false(es_domain_is_twin(&a, &chip));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_ids_follow_type_and_place),
		cmocka_unit_test(packages_contain_their_cores_and_not_their_memory),
		cmocka_unit_test(platform_and_node_contain_what_is_on_the_board),
		cmocka_unit_test(the_same_part_from_two_sources_is_a_twin),
		cmocka_unit_test(platform_meters_are_twins_by_name_only),
		cmocka_unit_test(all_packages_together_contain_each_of_them),
		cmocka_unit_test(gpus_are_known_by_their_place_on_the_bus),
		cmocka_unit_test(words_lead_back_to_types_and_kinds),
	};

	return cmocka_run_group_tests_name("core/domain", tests, NULL, NULL);
}
