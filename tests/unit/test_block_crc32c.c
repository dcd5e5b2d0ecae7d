/*
 * test_block_crc32c.c - the checksum of frames and blocks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <string.h>

#include "base/cleanup.h"
#include "block/crc32c.h"
#include "support/random.h"

static void published_vectors_come_out(void **state)
{
	/* RFC 3720 appendix B.4; the last is the check value of the CRC catalogue */
	uint8_t zeros[32] = { 0 }, ones[32], up[32], down[32];

	(void)state;
	for (unsigned i = 0; i < 32; i++) {
		ones[i] = 0xff;
		up[i] = (uint8_t)i;
		down[i] = (uint8_t)(31 - i);
	}
	assert_int_equal(es_crc32c(0, zeros, 32), 0x8a9136aa);
	assert_int_equal(es_crc32c(0, ones, 32), 0x62a8ab43);
	assert_int_equal(es_crc32c(0, up, 32), 0x46dd794e);
	assert_int_equal(es_crc32c(0, down, 32), 0x113fdb5c);
	assert_int_equal(es_crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(es_crc32c(0, "", 0), 0);
}

static uint32_t bit_by_bit(const uint8_t *p, size_t n)
{
	uint32_t crc = UINT32_MAX;

	for (; n > 0; n--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78U : crc >> 1;
	}
	return ~crc;
}

static void any_length_and_start_agrees_with_the_definition(void **state)
{
	uint64_t seed = 7;
	uint8_t data[80];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)test_random(&seed);
	for (size_t from = 0; from < 9; from++)
		for (size_t n = 0; from + n <= sizeof(data); n++)
			assert_int_equal(es_crc32c(0, data + from, n), bit_by_bit(data + from, n));
}

static void pieces_give_the_checksum_of_the_whole(void **state)
{
	static const char text[] = "a recording is written piece by piece";

	(void)state;
	for (size_t at = 0; at <= sizeof(text); at++)
		assert_int_equal(es_crc32c(es_crc32c(0, text, at), text + at, sizeof(text) - at),
				 es_crc32c(0, text, sizeof(text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors_come_out),
		cmocka_unit_test(any_length_and_start_agrees_with_the_definition),
		cmocka_unit_test(pieces_give_the_checksum_of_the_whole),
	};

	return cmocka_run_group_tests_name("block/crc32c", tests, NULL, NULL);
}
