/*
 * test_wire_pack.c - numbers and texts into bytes and back, and what does not fit
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "wire/pack.h"

static void pack_all(struct es_packer *packer)
{
	es_pack_u8(packer, 0xab);
	es_pack_u16(packer, 0x1234);
	es_pack_u32(packer, 0xdeadbeef);
	es_pack_u64(packer, 0x0123456789abcdef);
	es_pack_i64(packer, -2);
	es_pack_text(packer, "hi");
}

static const uint8_t all[] = { 0xab, 0x34, 0x12, 0xef, 0xbe, 0xad, 0xde, 0xef, 0xcd,
			       0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0xfe, 0xff, 0xff,
			       0xff, 0xff, 0xff, 0xff, 0xff, 2,	   0,	 'h',  'i' };

static void what_is_packed_is_little_endian(void **state)
{
	uint8_t out[64];
	struct es_packer packer = { .out = out, .size = sizeof(out) };

	(void)state;
	pack_all(&packer);
	assert_int_equal(packer.error, 0);
	assert_int_equal(packer.n, sizeof(all));
	assert_memory_equal(out, all, sizeof(all));
}

static void what_does_not_fit_is_never_written(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(all); size++) {
		uint8_t out[sizeof(all) + 1];
		struct es_packer packer = { .out = out, .size = size };

		memset(out, 0x77, sizeof(out));
		pack_all(&packer);
		assert_int_equal(packer.error, -EMSGSIZE);
		for (size_t i = size; i < sizeof(out); i++)
			assert_int_equal(out[i], 0x77);
	}
}

static void what_is_packed_is_unpacked(void **state)
{
	struct es_unpacker unpacker = { .in = all, .size = sizeof(all) };
	char text[3];

	(void)state;
	assert_int_equal(es_unpack_u8(&unpacker), 0xab);
	assert_int_equal(es_unpack_u16(&unpacker), 0x1234);
	assert_int_equal(es_unpack_u32(&unpacker), 0xdeadbeef);
	assert_int_equal(es_unpack_u64(&unpacker), 0x0123456789abcdef);
	assert_int_equal(es_unpack_i64(&unpacker), -2);
	es_unpack_text(&unpacker, text, sizeof(text));
	assert_string_equal(text, "hi");
	assert_int_equal(unpacker.error, 0);
	assert_int_equal(es_unpack_u8(&unpacker), 0);
	assert_int_equal(unpacker.error, -EBADMSG);
}

/* The first error stays, and nothing is made of what follows. */
static void after_an_error_all_is_zero(void **state)
{
	static const uint8_t bytes[] = { 9, 0, 'x', 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct es_unpacker unpacker = { .in = bytes, .size = 3 };
	char text[16] = "before";

	(void)state;
	es_unpack_text(&unpacker, text, sizeof(text));
	assert_int_equal(unpacker.error, -EBADMSG);
	assert_string_equal(text, "");
	assert_int_equal(es_unpack_u8(&unpacker), 0);
	assert_int_equal(es_unpack_u64(&unpacker), 0);
	es_unpack_text(&unpacker, text, sizeof(text));
	assert_string_equal(text, "");
}

static void texts_with_control_characters_are_refused(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		const uint8_t bytes[] = { 1, 0, (uint8_t)c };
		struct es_unpacker unpacker = { .in = bytes, .size = sizeof(bytes) };
		char text[2];

		es_unpack_text(&unpacker, text, sizeof(text));
		assert_int_equal(unpacker.error, c < 0x20 || c == 0x7f ? -EBADMSG : 0);
	}
}

static void a_text_needs_room_for_its_end(void **state)
{
	struct es_unpacker unpacker = { .in = all + 23, .size = 4 };
	char text[2];

	(void)state;
	es_unpack_text(&unpacker, text, sizeof(text));
	assert_int_equal(unpacker.error, -EBADMSG);
}

static void a_text_too_long_for_its_length_is_not_packed(void **state)
{
	static char text[UINT16_MAX + 2];
	static uint8_t out[UINT16_MAX + 16];
	struct es_packer packer = { .out = out, .size = sizeof(out) };

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	es_pack_text(&packer, text);
	assert_int_equal(packer.error, -EINVAL);
	packer = (struct es_packer){ .out = out, .size = sizeof(out) };
	text[UINT16_MAX] = '\0';
	es_pack_text(&packer, text);
	assert_int_equal(packer.error, 0);
	assert_int_equal(packer.n, UINT16_MAX + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_is_little_endian),
		cmocka_unit_test(what_does_not_fit_is_never_written),
		cmocka_unit_test(what_is_packed_is_unpacked),
		cmocka_unit_test(after_an_error_all_is_zero),
		cmocka_unit_test(texts_with_control_characters_are_refused),
		cmocka_unit_test(a_text_needs_room_for_its_end),
		cmocka_unit_test(a_text_too_long_for_its_length_is_not_packed),
	};

	return cmocka_run_group_tests_name("wire/pack", tests, NULL, NULL);
}
