/*
 * test_source_field.c - what URLs of SNMP and Modbus meters name, and when messages are overdue
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "source/arrivals.h"
#include "source/modbus.h"
#include "source/snmp_models.h"

#define S ES_NS_PER_S

static void outlets_of_known_units_are_the_objects_of_their_mibs(void **state)
{
	static const struct {
		const char *model, *outlet;
		bool is_energy;
		const char *value, *digits; /* of the first one */
		double unit;
	} cases[] = {
		{ "apc-rpdu2", "7", false, "1.3.6.1.4.1.318.1.1.26.9.4.3.1.7.7", NULL, 1e3 },
		{ "apc-rpdu2", "7", true, "1.3.6.1.4.1.318.1.1.26.9.4.3.1.11.7", NULL, 3.6e11 },
		{ "eaton-epdu", "7", false, "1.3.6.1.4.1.534.6.6.7.6.5.1.3.0.7", NULL, 1e3 },
		{ "eaton-epdu", "1.7", true, "1.3.6.1.4.1.534.6.6.7.6.5.1.4.1.7", NULL, 3.6e9 },
		{ "raritan-px2", "7", false, "1.3.6.1.4.1.13742.6.5.4.3.1.4.1.7.5",
		  "1.3.6.1.4.1.13742.6.3.5.4.1.7.1.7.5", 1e3 },
		{ "raritan-px2", "2.7", true, "1.3.6.1.4.1.13742.6.5.4.3.1.4.2.7.8",
		  "1.3.6.1.4.1.13742.6.3.5.4.1.7.2.7.8", 3.6e9 },
		{ "servertech-sentry4", "7", false, "1.3.6.1.4.1.1718.4.1.8.3.1.7.1.1.7", NULL,
		  1e3 },
		{ "servertech-sentry4", "2.1.7", true, "1.3.6.1.4.1.1718.4.1.8.3.1.14.2.1.7", NULL,
		  3.6e9 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(cases); i++) {
		const struct es_snmp_model *model = es_snmp_model_find(cases[i].model, NULL);
		struct es_snmp_outlets outlets;
		char text[128];

		assert_non_null(model);
		assert_int_equal(es_snmp_model_outlets(model, cases[i].outlet, cases[i].is_energy,
						       &outlets, NULL),
				 0);
		assert_int_equal(outlets.n, 1);
		assert_true(outlets.unit == cases[i].unit);
		assert_string_equal(es_snmp_oid_text(&outlets.values[0], text, sizeof(text)),
				    cases[i].value);
		assert_int_equal(outlets.has_digits, cases[i].digits != NULL);
		if (cases[i].digits)
			assert_string_equal(es_snmp_oid_text(&outlets.digits[0], text,
							     sizeof(text)),
					    cases[i].digits);
	}
}

static void wrong_outlets_and_models_are_refused(void **state)
{
	static const char *const wrong[] = {
		"",   "x",	     "7+",
		"+7", "1.7",	     "-7",
		"7 ", "99999999999", "7777777777777777777777777777777777777"
	};
	const struct es_snmp_model *model = es_snmp_model_find("apc-rpdu2", NULL);
	struct es_snmp_outlets outlets;
	struct es_error err = { .code = 0 };
	char many[256] = "1";

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(wrong); i++)
		assert_int_equal(es_snmp_model_outlets(model, wrong[i], false, &outlets, &err),
				 -EINVAL);
	for (size_t i = 1; i < ES_SNMP_VALUES_MAX; i++)
		(void)strcat(many, "+1");
	assert_int_equal(es_snmp_model_outlets(model, many, false, &outlets, &err), 0);
	(void)strcat(many, "+1");
	assert_int_equal(es_snmp_model_outlets(model, many, false, &outlets, &err), -EINVAL);
	assert_null(es_snmp_model_find("apc", &err));
	assert_non_null(strstr(err.text, "eaton-epdu"));
}

static void registers_are_sorted_and_must_not_overlap(void **state)
{
	uint16_t at[4];

	(void)state;
	assert_int_equal(es_modbus_registers_parse("44+40+42", 2, at, 4), 3);
	assert_int_equal(at[0], 40);
	assert_int_equal(at[2], 44);
	assert_int_equal(es_modbus_registers_parse("0", 1, at, 4), 1);
	assert_int_equal(es_modbus_registers_parse("65535", 1, at, 4), 1);
	assert_int_equal(es_modbus_registers_parse("65535", 2, at, 4), -ERANGE);
	assert_int_equal(es_modbus_registers_parse("40+41", 2, at, 4), -EINVAL);
	assert_int_equal(es_modbus_registers_parse("40+40", 1, at, 4), -EINVAL);
	assert_int_equal(es_modbus_registers_parse("1+2+3+4+5", 1, at, 4), -E2BIG);
	assert_int_equal(es_modbus_registers_parse("", 1, at, 4), -EBADMSG);
	assert_int_equal(es_modbus_registers_parse("4x", 1, at, 4), -EBADMSG);
	assert_int_equal(es_modbus_registers_parse("4+", 1, at, 4), -EBADMSG);
	assert_int_equal(es_modbus_registers_parse("-4", 1, at, 4), -EBADMSG);
	assert_int_equal(es_modbus_registers_parse("00000004", 1, at, 4), -EBADMSG);
}

static void one_request_takes_what_follows_without_a_hole(void **state)
{
	const uint16_t registers[] = { 40, 42, 44, 50, 52 };
	uint16_t wide[64];

	(void)state;
	assert_int_equal(es_modbus_block(registers, 5, 2), 3);
	assert_int_equal(es_modbus_block(registers + 3, 2, 2), 2);
	assert_int_equal(es_modbus_block(registers, 1, 2), 1);
	for (size_t i = 0; i < ES_ARRAY_SIZE(wide); i++)
		wide[i] = (uint16_t)(4 * i);
	/* 125 registers fit into a request: 31 values of four. */
	assert_int_equal(es_modbus_block(wide, ES_ARRAY_SIZE(wide), 4), 31);
}

static void a_message_is_overdue_after_three_usual_intervals(void **state)
{
	struct es_arrivals arrivals;

	(void)state;
	es_arrivals_init(&arrivals, 0, 0, 100 * S);
	assert_int_equal(es_arrivals_usual_ns(&arrivals), 0);
	assert_false(es_arrivals_holds(&arrivals, 101 * S));
	/* Not known yet: a minute. */
	assert_false(es_arrivals_are_stale(&arrivals, 160 * S));
	assert_true(es_arrivals_are_stale(&arrivals, 161 * S));
	for (int64_t t = 200; t <= 240; t += 10)
		es_arrivals_add(&arrivals, t * S);
	assert_int_equal(es_arrivals_usual_ns(&arrivals), 10 * S);
	assert_true(es_arrivals_holds(&arrivals, 255 * S));
	assert_false(es_arrivals_holds(&arrivals, 256 * S));
	assert_false(es_arrivals_are_stale(&arrivals, 270 * S));
	assert_true(es_arrivals_are_stale(&arrivals, 271 * S));
	/* The silence itself is no interval. */
	es_arrivals_add(&arrivals, 400 * S);
	assert_int_equal(es_arrivals_usual_ns(&arrivals), 10 * S);
	/* But a new pace becomes the usual one. */
	for (int64_t t = 420; t <= 600; t += 20)
		es_arrivals_add(&arrivals, t * S);
	assert_int_equal(es_arrivals_usual_ns(&arrivals), 20 * S);
}

static void what_the_user_says_of_messages_holds(void **state)
{
	struct es_arrivals arrivals;

	(void)state;
	es_arrivals_init(&arrivals, 30 * S, 0, 0);
	es_arrivals_add(&arrivals, 1 * S);
	es_arrivals_add(&arrivals, 2 * S);
	assert_int_equal(es_arrivals_usual_ns(&arrivals), 30 * S);
	assert_int_equal(es_arrivals_limit_ns(&arrivals), 90 * S);
	es_arrivals_init(&arrivals, 30 * S, 40 * S, 0);
	assert_false(es_arrivals_are_stale(&arrivals, 40 * S));
	assert_true(es_arrivals_are_stale(&arrivals, 41 * S));
	/* Messages in bursts: never less than a second. */
	es_arrivals_init(&arrivals, ES_NS_PER_MS, 0, 0);
	assert_int_equal(es_arrivals_limit_ns(&arrivals), S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outlets_of_known_units_are_the_objects_of_their_mibs),
		cmocka_unit_test(wrong_outlets_and_models_are_refused),
		cmocka_unit_test(registers_are_sorted_and_must_not_overlap),
		cmocka_unit_test(one_request_takes_what_follows_without_a_hole),
		cmocka_unit_test(a_message_is_overdue_after_three_usual_intervals),
		cmocka_unit_test(what_the_user_says_of_messages_holds),
	};

	return cmocka_run_group_tests_name("source/field", tests, NULL, NULL);
}
