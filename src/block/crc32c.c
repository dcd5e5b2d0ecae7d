/*
 * crc32c.c - the checksum of frames and blocks
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "block/crc32c.h"

#include "base/hot.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <string.h>

es_hot __attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc,
								      const uint8_t *p, size_t n)
{
	uint64_t c = crc;

	for (; n >= 8; n -= 8, p += 8) {
		uint64_t word;

		memcpy(&word, p, 8);
		c = _mm_crc32_u64(c, word);
	}
	for (; n > 0; n--, p++)
		c = _mm_crc32_u8((uint32_t)c, *p);
	return (uint32_t)c;
}
#endif

static uint32_t crc32c_bitwise(uint32_t crc, const uint8_t *p, size_t n)
{
	for (; n > 0; n--, p++) {
		crc ^= *p;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0x82f63b78U & (0U - (crc & 1)));
	}
	return crc;
}

es_hot uint32_t es_crc32c(uint32_t crc, const void *data, size_t n)
{
	crc = ~crc;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc32c_sse42(crc, data, n);
#endif
	return ~crc32c_bitwise(crc, data, n);
}
