/*
 * bits.h - bits into and out of bytes, the lowest first
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BLOCK_BITS_H
#define ES_BLOCK_BITS_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

struct es_bit_writer {
	struct es_buf *out; /* borrowed */
	uint64_t word;
	unsigned n_bits; /* below 32 between calls */
};

static inline void es_bit_writer_init(struct es_bit_writer *bits, struct es_buf *out)
{
	*bits = (struct es_bit_writer){ .out = out };
}

/** es_bits_put - the lowest @n <= 32 bits of @v, which has no others */
static inline void es_bits_put(struct es_bit_writer *bits, uint64_t v, unsigned n)
{
	bits->word |= v << bits->n_bits;
	bits->n_bits += n;
	if (bits->n_bits >= 32) {
		(void)es_buf_le32(bits->out, (uint32_t)bits->word);
		bits->word >>= 32;
		bits->n_bits -= 32;
	}
}

/** es_bits_put_long - likewise, @n <= 64 */
static inline void es_bits_put_long(struct es_bit_writer *bits, uint64_t v, unsigned n)
{
	if (n > 32) {
		es_bits_put(bits, v & 0xffffffffU, 32);
		v >>= 32;
		n -= 32;
	}
	es_bits_put(bits, v, n);
}

/** es_bit_writer_end - fill up to a whole byte; 0 or the buffer's error */
static inline int es_bit_writer_end(struct es_bit_writer *bits)
{
	for (; bits->n_bits > 0; bits->n_bits = bits->n_bits > 8 ? bits->n_bits - 8 : 0) {
		(void)es_buf_u8(bits->out, (uint8_t)bits->word);
		bits->word >>= 8;
	}
	return bits->out->error;
}

/*
 * Past the end a reader gives zeros; es_bit_reader_end() then tells. So loops have nothing to check for each value:
 * their length is bounded by who calls.
 */
struct es_bit_reader {
	const uint8_t *p, *end; /* borrowed */
	uint64_t word; /* zeros above n_bits */
	unsigned n_bits;
	size_t n_missing; /* bits given that were not there */
};

static inline void es_bit_reader_init(struct es_bit_reader *bits, const uint8_t *data, size_t n)
{
	*bits = (struct es_bit_reader){ .p = data, .end = data + n };
}

/** es_bits_fill - have at least 56 bits at hand */
static inline void es_bits_fill(struct es_bit_reader *bits)
{
	if (bits->end - bits->p >= 8) {
		unsigned n_bytes = (63 - bits->n_bits) / 8;
		uint64_t word = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		memcpy(&word, bits->p, 8);
#else
		for (unsigned i = 0; i < 8; i++)
			word |= (uint64_t)bits->p[i] << (8 * i);
#endif
		word &= (UINT64_C(1) << (8 * n_bytes)) - 1; /* at most 7 bytes */
		bits->word |= word << bits->n_bits;
		bits->p += n_bytes;
		bits->n_bits += 8 * n_bytes;
		return;
	}
	while (bits->n_bits <= 55) {
		if (bits->p < bits->end)
			bits->word |= (uint64_t)*bits->p++ << bits->n_bits;
		else
			bits->n_missing += 8;
		bits->n_bits += 8;
	}
}

/** es_bits_take - the next @n bits, of those at hand after es_bits_fill() */
static inline uint64_t es_bits_take(struct es_bit_reader *bits, unsigned n)
{
	uint64_t v = bits->word & ((UINT64_C(1) << n) - 1);

	bits->word >>= n;
	bits->n_bits -= n;
	return v;
}

/** es_bits_get - the next @n <= 56 bits */
static inline uint64_t es_bits_get(struct es_bit_reader *bits, unsigned n)
{
	if (bits->n_bits < n)
		es_bits_fill(bits);
	return es_bits_take(bits, n);
}

/** es_bits_get_long - likewise, @n <= 64 */
static inline uint64_t es_bits_get_long(struct es_bit_reader *bits, unsigned n)
{
	uint64_t low;

	if (n <= 56)
		return es_bits_get(bits, n);
	low = es_bits_get(bits, 32);
	return low | es_bits_get(bits, n - 32) << 32;
}

/** es_bit_reader_end - 0, or -EBADMSG: more bits were read than there are */
static inline int es_bit_reader_end(const struct es_bit_reader *bits)
{
	return bits->n_missing > bits->n_bits ? -EBADMSG : 0;
}

#endif
