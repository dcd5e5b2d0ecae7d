/*
 * test_core_share_rule.c - each rule has a name of its own, and is found by it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>

#include "core/share_rule.h"

static void rules_and_methods_are_found_by_their_names(void **state)
{
	(void)state;
	for (int i = 0; i < ES_N_SHARE_RULES; i++) {
		enum es_share_rule rule = ES_N_SHARE_RULES;

		assert_int_equal(es_share_rule_from_name(es_share_rule_name((enum es_share_rule)i),
							 &rule),
				 0);
		assert_int_equal(rule, i);
	}
	for (int i = 0; i < ES_N_IDLE_METHODS; i++) {
		enum es_idle_method method = ES_N_IDLE_METHODS;

		assert_int_equal(es_idle_method_from_name(
					 es_idle_method_name((enum es_idle_method)i), &method),
				 0);
		assert_int_equal(method, i);
	}
}

static void what_is_no_rule_is_not_found(void **state)
{
	enum es_idle_method method;
	enum es_share_rule rule;

	(void)state;
	assert_int_equal(es_share_rule_from_name("fair", &rule), -ENOENT);
	assert_int_equal(es_idle_method_from_name("", &method), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_and_methods_are_found_by_their_names),
		cmocka_unit_test(what_is_no_rule_is_not_found),
	};

	return cmocka_run_group_tests_name("core/share_rule", tests, NULL, NULL);
}
