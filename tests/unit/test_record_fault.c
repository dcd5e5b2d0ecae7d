/*
 * test_record_fault.c - failures of readings as events, there and back, and what is none
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "record/fault.h"

static void a_fault_comes_back_as_it_was_written(void **state)
{
	static const char *const known[] = { "EIO", "ENODATA", "SLOW", "E4095" };

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct es_fault fault = {
			.domain = i, .n = 7 + i, .first_ns = 100, .last_ns = 200, .longest_ns = 3
		};
		struct es_fault back;
		struct es_event event;

		(void)snprintf(fault.code, sizeof(fault.code), "%s", known[i]);
		es_fault_put(&fault, &event);
		assert_int_equal(es_fault_get(&event, &back), 0);
		assert_int_equal(back.domain, i);
		assert_int_equal(back.n, fault.n);
		assert_string_equal(back.code, fault.code);
		assert_true(back.first_ns == 100 && back.last_ns == 200 && back.longest_ns == 3);
		assert_true(strstr(event.text, es_fault_words(fault.code)) != NULL);
	}
}

static void codes_have_names_or_numbers(void **state)
{
	char code[ES_FAULT_CODE_BYTES];

	(void)state;
	assert_string_equal(es_fault_code(-EIO, code), "EIO");
	assert_string_equal(es_fault_code(EACCES, code), "EACCES");
	assert_string_equal(es_fault_code(-4095, code), "E4095");
	assert_string_equal(es_fault_words("EIO"), strerror(EIO));
	assert_string_equal(es_fault_words("E32"), strerror(32));
	assert_non_null(es_fault_words("nonsense"));
	assert_non_null(es_fault_words("E99999999999999999999"));
}

static void what_is_no_fault_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"EIO",
		"EIO count=1",
		"EIO count=1 first_ns=5",
		"EIO count=0 first_ns=5 longest_ns=0",
		"EIO count=-1 first_ns=5 longest_ns=0",
		"EIO count=99999999999999999999 first_ns=5 longest_ns=0",
		"EIO count=1 first_ns=500 longest_ns=0", /* after the last */
		"EIO count=1x first_ns=5 longest_ns=0",
		"eio count=1 first_ns=5 longest_ns=0",
		"E\x1b[31m count=1 first_ns=5 longest_ns=0",
		"ETHISISFARTOOLONG count=1 first_ns=5 longest_ns=0",
		"EIO count=1 first_ns=5 longest_ns=9223372036854775807",
	};
	struct es_event event = { .type = ES_EVENT_FAULT, .t_ns = 100, .value = 0 };
	struct es_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		(void)snprintf(event.text, sizeof(event.text), "%s", texts[i]);
		if (es_fault_get(&event, &fault) != -EBADMSG)
			fail_msg("'%s' was taken", texts[i]);
	}
	(void)snprintf(event.text, sizeof(event.text), "EIO count=1 first_ns=5 longest_ns=0");
	assert_int_equal(es_fault_get(&event, &fault), 0);
	event.value = -1;
	assert_int_equal(es_fault_get(&event, &fault), -EBADMSG);
	event.value = 0;
	event.type = ES_EVENT_NOTE;
	assert_int_equal(es_fault_get(&event, &fault), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_comes_back_as_it_was_written),
		cmocka_unit_test(codes_have_names_or_numbers),
		cmocka_unit_test(what_is_no_fault_is_refused),
	};

	return cmocka_run_group_tests_name("record/fault", tests, NULL, NULL);
}
