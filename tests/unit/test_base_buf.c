/*
 * test_base_buf.c - bytes that grow up to a limit, and reading them within theirs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "support/failing_malloc.h"

static void what_is_appended_comes_back_in_order(void **state)
{
	struct es_cursor cursor;
	struct es_buf buf;

	(void)state;
	es_buf_init(&buf, 1000);
	assert_int_equal(es_buf_u8(&buf, 0xfe), 0);
	assert_int_equal(es_buf_le16(&buf, 0x1234), 0);
	assert_int_equal(es_buf_le32(&buf, 0x89abcdef), 0);
	assert_int_equal(es_buf_le64(&buf, UINT64_C(0xfedcba9876543210)), 0);
	assert_int_equal(es_buf_str(&buf, "text"), 0);
	assert_int_equal(es_buf_printf(&buf, "%d-%s", 42, "x"), 0);
	assert_int_equal(es_buf_append(&buf, NULL, 0), 0);
	assert_int_equal(buf.len, 1 + 2 + 4 + 8 + 4 + 4);
	assert_memory_equal(buf.data, "\xfe\x34\x12\xef\xcd\xab\x89\x10\x32", 9);

	es_cursor_init(&cursor, buf.data, buf.len);
	assert_int_equal(es_cursor_u8(&cursor), 0xfe);
	assert_int_equal(es_cursor_le16(&cursor), 0x1234);
	assert_true(es_cursor_le32(&cursor) == 0x89abcdef);
	assert_true(es_cursor_le64(&cursor) == UINT64_C(0xfedcba9876543210));
	assert_memory_equal(es_cursor_bytes(&cursor, 8), "text42-x", 8);
	assert_int_equal(es_cursor_left(&cursor), 0);
	assert_int_equal(cursor.error, 0);
	es_buf_finish(&buf);
}

static void varints_of_any_length_come_back(void **state)
{
	struct es_cursor cursor;
	struct es_buf buf;

	(void)state;
	es_buf_init(&buf, 4096);
	for (unsigned bit = 0; bit < 64; bit++) {
		assert_int_equal(es_buf_varint(&buf, UINT64_C(1) << bit), 0);
		assert_int_equal(es_buf_varint(&buf, (UINT64_C(1) << bit) - 1), 0);
	}
	assert_int_equal(es_buf_varint(&buf, UINT64_MAX), 0);

	es_cursor_init(&cursor, buf.data, buf.len);
	for (unsigned bit = 0; bit < 64; bit++) {
		assert_true(es_cursor_varint(&cursor) == UINT64_C(1) << bit);
		assert_true(es_cursor_varint(&cursor) == (UINT64_C(1) << bit) - 1);
	}
	assert_true(es_cursor_varint(&cursor) == UINT64_MAX);
	assert_int_equal(es_cursor_left(&cursor), 0);
	es_buf_finish(&buf);
}

static void varints_that_are_cut_off_or_too_long_are_errors(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} vectors[] = {
		{ "", 0 },
		{ "\x80", 1 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct es_cursor cursor;

		es_cursor_init(&cursor, vectors[i].bytes, vectors[i].n);
		assert_int_equal(es_cursor_varint(&cursor), 0);
		assert_int_equal(cursor.error, -EBADMSG);
	}
}

static void reading_past_the_end_sticks(void **state)
{
	struct es_cursor cursor;

	(void)state;
	es_cursor_init(&cursor, "abc", 3);
	assert_int_equal(es_cursor_le32(&cursor), 0);
	assert_int_equal(cursor.error, -EBADMSG);
	assert_int_equal(es_cursor_u8(&cursor), 0);
	assert_null(es_cursor_bytes(&cursor, 0));
	es_cursor_init(&cursor, "abc", 3);
	assert_null(es_cursor_bytes(&cursor, SIZE_MAX));
	assert_int_equal(cursor.error, -EBADMSG);
}

static void nothing_is_kept_over_the_limit_and_the_error_sticks(void **state)
{
	struct es_buf buf;

	(void)state;
	es_buf_init(&buf, 4);
	assert_int_equal(es_buf_str(&buf, "abc"), 0);
	assert_int_equal(es_buf_le16(&buf, 1), -EMSGSIZE);
	assert_int_equal(es_buf_u8(&buf, 1), -EMSGSIZE);
	assert_int_equal(buf.len, 3);
	assert_int_equal(buf.error, -EMSGSIZE);

	es_buf_reset(&buf);
	assert_int_equal(es_buf_printf(&buf, "%s", "abcd"), 0);
	assert_int_equal(buf.len, 4);
	assert_int_equal(es_buf_printf(&buf, "%s", ""), 0);
	assert_int_equal(es_buf_printf(&buf, "x"), -EMSGSIZE);
	es_buf_finish(&buf);
	assert_true(es_buf_u8(&buf, 0) < 0);
	es_buf_finish(&buf);
}

static void an_empty_text_may_be_printed_first(void **state)
{
	struct es_buf buf;

	(void)state;
	es_buf_init(&buf, 10);
	assert_int_equal(es_buf_printf(&buf, "%s", ""), 0);
	assert_int_equal(buf.len, 0);
	es_buf_finish(&buf);
}

static void memory_that_cannot_be_had_is_an_error(void **state)
{
	struct es_buf buf;
	int r;

	(void)state;
	if (!failing_malloc_works())
		return;
	es_buf_init(&buf, 1 << 20);
	assert_int_equal(es_buf_u8(&buf, 7), 0);
	failing_malloc_at(1);
	r = es_buf_reserve(&buf, 1000);
	failing_malloc_at(0);
	assert_int_equal(r, -ENOMEM);
	assert_int_equal(es_buf_u8(&buf, 8), -ENOMEM);
	assert_int_equal(buf.len, 1);
	assert_int_equal(buf.data[0], 7);
	es_buf_finish(&buf);
}

static void a_reserved_buffer_stays_where_it_is(void **state)
{
	struct es_buf buf;
	const uint8_t *data;

	(void)state;
	es_buf_init(&buf, 1 << 20);
	assert_int_equal(es_buf_reserve(&buf, 5000), 0);
	data = buf.data;
	for (unsigned i = 0; i < 5000; i++)
		assert_int_equal(es_buf_u8(&buf, (uint8_t)i), 0);
	assert_ptr_equal(buf.data, data);
	es_buf_reset(&buf);
	assert_int_equal(buf.len, 0);
	assert_int_equal(es_buf_str(&buf, "x"), 0);
	assert_ptr_equal(buf.data, data);
	es_buf_finish(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_appended_comes_back_in_order),
		cmocka_unit_test(varints_of_any_length_come_back),
		cmocka_unit_test(varints_that_are_cut_off_or_too_long_are_errors),
		cmocka_unit_test(reading_past_the_end_sticks),
		cmocka_unit_test(nothing_is_kept_over_the_limit_and_the_error_sticks),
		cmocka_unit_test(an_empty_text_may_be_printed_first),
		cmocka_unit_test(memory_that_cannot_be_had_is_an_error),
		cmocka_unit_test(a_reserved_buffer_stays_where_it_is),
	};

	return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
