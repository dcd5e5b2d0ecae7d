/*
 * test_ipc_message.c - messages into bytes and back, and bytes that are none
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "ipc/message.h"

static size_t encode(const struct es_ipc_message *message, uint8_t *bytes)
{
	size_t n = es_ipc_encode(message, bytes);

	assert_true(n <= ES_IPC_MESSAGE_MAX_BYTES);
	return n;
}

static void a_message_comes_back(void **state)
{
	static const struct es_ipc_message messages[] = {
		{ .type = ES_IPC_TAG_START,
		  .number = 1,
		  .t_ns = 123456789012345,
		  .name = "phase \xc3\xa9" },
		{ .type = ES_IPC_TAG_STOP,
		  .number = UINT32_MAX,
		  .t_ns = INT64_MIN,
		  .value = INT64_MAX },
		{ .type = ES_IPC_ANSWER, .value = ES_IPC_MOVED, .text = "words" },
		{ .type = ES_IPC_STATUS_IS, .value = 4711, .name = "job", .text = "/a/path" },
	};
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(messages); i++) {
		struct es_ipc_message back;
		size_t n = encode(&messages[i], bytes);

		assert_int_equal(es_ipc_decode(bytes, n, &back), 0);
		assert_int_equal(back.type, messages[i].type);
		assert_int_equal(back.number, messages[i].number);
		assert_true(back.t_ns == messages[i].t_ns && back.value == messages[i].value);
		assert_string_equal(back.name, messages[i].name);
		assert_string_equal(back.text, messages[i].text);
	}
}

static void its_bytes_are_those_that_are_documented(void **state)
{
	static const uint8_t want[] = { 'E', 'S', 'I', 'P', 1, 0, 2, 0, 24,  0,	  0,   0,  7, 0,
					0,   0,	  8,   7,   6, 5, 4, 3, 2,   1,	  9,   0,  0, 0,
					0,   0,	  0,   0,   3, 0, 1, 0, 'a', 'b', 'c', 'w' };
	const struct es_ipc_message message = { .type = ES_IPC_TAG_STOP,
						.number = 7,
						.t_ns = 0x0102030405060708,
						.value = 9,
						.name = "abc",
						.text = "w" };
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];

	(void)state;
	assert_int_equal(encode(&message, bytes), sizeof(want));
	assert_memory_equal(bytes, want, sizeof(want));
}

static void the_longest_message_fits(void **state)
{
	static struct es_ipc_message message = { .type = ES_IPC_STATUS_IS }, back;
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];
	size_t n;

	(void)state;
	memset(message.name, 'n', sizeof(message.name) - 1);
	memset(message.text, 't', sizeof(message.text) - 1);
	n = encode(&message, bytes);
	assert_int_equal(es_ipc_decode(bytes, n, &back), 0);
	assert_string_equal(back.name, message.name);
	assert_string_equal(back.text, message.text);
}

static void what_is_cut_off_is_refused_at_every_byte(void **state)
{
	const struct es_ipc_message message = { .type = ES_IPC_TAG_START, .name = "name" };
	struct es_ipc_message back = { .type = 99 };
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];
	size_t n = encode(&message, bytes);

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(es_ipc_decode(bytes, i, &back), -EBADMSG);
	assert_int_equal(back.type, 99);
}

/* A newer program may say more behind the text. */
static void fields_behind_the_known_ones_are_passed_over(void **state)
{
	const struct es_ipc_message message = { .type = ES_IPC_TAG_START, .name = "name" };
	struct es_ipc_message back;
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];
	size_t n = encode(&message, bytes);

	(void)state;
	bytes[n] = 1;
	assert_int_equal(es_ipc_decode(bytes, n + 1, &back),
			 -EBADMSG); /* not counted in the length */
	bytes[8]++;
	assert_int_equal(es_ipc_decode(bytes, n + 1, &back), 0);
	assert_string_equal(back.name, "name");
}

static void what_is_of_another_kind_is_told_apart(void **state)
{
	const struct es_ipc_message message = { .type = ES_IPC_TAG_START,
						.number = 42,
						.name = "x" };
	static uint8_t large[ES_IPC_MESSAGE_MAX_BYTES + 1];
	struct es_ipc_message back = { .type = 0 };
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];
	size_t n = encode(&message, bytes);

	(void)state;
	bytes[4] = 2;
	assert_int_equal(es_ipc_decode(bytes, n, &back), -EPROTONOSUPPORT);
	assert_int_equal(back.number, 42);
	bytes[4] = 1;
	back.number = 0;
	for (unsigned type = 0; type < 256; type++) {
		bool is_known = (type >= 1 && type <= 6) || type == 128 || type == 129;

		bytes[6] = (uint8_t)type;
		assert_int_equal(es_ipc_decode(bytes, n, &back), is_known ? 0 : -EOPNOTSUPP);
		assert_int_equal(back.number, 42);
	}
	bytes[6] = 1;
	bytes[0] = 'X';
	assert_int_equal(es_ipc_decode(bytes, n, &back), -EBADMSG);

	memcpy(large, bytes, n);
	large[0] = 'E';
	assert_int_equal(es_ipc_decode(large, sizeof(large), &back), -EMSGSIZE);
	large[9] = 0xff;
	assert_int_equal(es_ipc_decode(large, n, &back), -EMSGSIZE);
}

static void lengths_that_do_not_fit_and_nul_bytes_are_refused(void **state)
{
	const struct es_ipc_message message = { .type = ES_IPC_TAG_START, .name = "name" };
	struct es_ipc_message back;
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];
	size_t n = encode(&message, bytes);

	(void)state;
	bytes[32] = 5; /* a name longer than what is there */
	assert_int_equal(es_ipc_decode(bytes, n, &back), -EBADMSG);
	bytes[32] = 4;
	bytes[35] = 0xff; /* a text */
	assert_int_equal(es_ipc_decode(bytes, n, &back), -EBADMSG);
	bytes[35] = 0;
	bytes[37] = 0;
	assert_int_equal(es_ipc_decode(bytes, n, &back), -EBADMSG);
	/* 256 bytes of name are there, and one too many */
	memset(bytes + 36, 'n', 256);
	bytes[32] = 0;
	bytes[33] = 1;
	bytes[8] = 20;
	bytes[9] = 1;
	assert_int_equal(es_ipc_decode(bytes, 36 + 256, &back), -EBADMSG);
}

static void a_name_is_text_that_no_terminal_obeys(void **state)
{
	static const char *const good[] = { "a",    "two words", "\xc3\xa9t\xc3\xa9",  "es_totals",
					    "es_x", "\"'$\\",	 "\xf0\x9f\x94\xa5 x", "-" };
	static const char *const bad[] = { "",	      "es_total", "es_appli_total", "a\nb",
					   "\x1b[2J", "\x7f",	  "a\xc2\x85",	    "\xff",
					   "\xc3",    "\xc0\xaf", "\xed\xa0\x80",   "a\tb" };
	char longest[ES_NAME_MAX_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(good); i++)
		assert_null(es_ipc_name_problem(good[i]));
	for (size_t i = 0; i < ES_ARRAY_SIZE(bad); i++)
		assert_non_null(es_ipc_name_problem(bad[i]));
	memset(longest, 'x', sizeof(longest));
	longest[255] = '\0';
	assert_null(es_ipc_name_problem(longest));
	longest[255] = 'x';
	longest[256] = '\0';
	assert_non_null(es_ipc_name_problem(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_comes_back),
		cmocka_unit_test(its_bytes_are_those_that_are_documented),
		cmocka_unit_test(the_longest_message_fits),
		cmocka_unit_test(what_is_cut_off_is_refused_at_every_byte),
		cmocka_unit_test(fields_behind_the_known_ones_are_passed_over),
		cmocka_unit_test(what_is_of_another_kind_is_told_apart),
		cmocka_unit_test(lengths_that_do_not_fit_and_nul_bytes_are_refused),
		cmocka_unit_test(a_name_is_text_that_no_terminal_obeys),
	};

	return cmocka_run_group_tests_name("ipc/message", tests, NULL, NULL);
}
