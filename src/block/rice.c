/*
 * rice.c - Rice coding of runs of small whole numbers
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "block/rice.h"

#include <errno.h>

#define PARAMETER_BITS 7U
#define ALL_ZERO 64U
#define QUOTIENT_MAX \
	20U /* longer quotients are written as that many ones, then the 64 bits themselves */

void es_bit_writer_init(struct es_bit_writer *bits, struct es_buf *out)
{
	*bits = (struct es_bit_writer){ .out = out };
}

/* @n <= 32 */
static void put_bits(struct es_bit_writer *bits, uint64_t v, unsigned n)
{
	bits->word |= v << bits->n_bits;
	bits->n_bits += n;
	if (bits->n_bits >= 32) {
		(void)es_buf_le32(bits->out, (uint32_t)bits->word);
		bits->word >>= 32;
		bits->n_bits -= 32;
	}
}

static void put_long(struct es_bit_writer *bits, uint64_t v, unsigned n)
{
	if (n > 32) {
		put_bits(bits, v & 0xffffffffU, 32);
		v >>= 32;
		n -= 32;
	}
	put_bits(bits, v, n);
}

int es_bit_writer_end(struct es_bit_writer *bits)
{
	for (; bits->n_bits > 0; bits->n_bits = bits->n_bits > 8 ? bits->n_bits - 8 : 0) {
		(void)es_buf_u8(bits->out, (uint8_t)bits->word);
		bits->word >>= 8;
	}
	return bits->out->error;
}

void es_bit_reader_init(struct es_bit_reader *bits, const uint8_t *data, size_t n)
{
	*bits = (struct es_bit_reader){ .p = data, .end = data + n };
}

static void fill(struct es_bit_reader *bits)
{
	while (bits->n_bits <= 56 && bits->p < bits->end) {
		bits->word |= (uint64_t)*bits->p++ << bits->n_bits;
		bits->n_bits += 8;
	}
}

/* @n <= 32 */
static int get_bits(struct es_bit_reader *bits, unsigned n, uint64_t *ret)
{
	if (bits->n_bits < n)
		fill(bits);
	if (bits->n_bits < n)
		return -EBADMSG;
	*ret = bits->word & ((UINT64_C(1) << n) - 1);
	bits->word >>= n;
	bits->n_bits -= n;
	return 0;
}

static int get_long(struct es_bit_reader *bits, unsigned n, uint64_t *ret)
{
	uint64_t low = 0, high = 0;

	if (n > 32) {
		if (get_bits(bits, 32, &low) < 0 || get_bits(bits, n - 32, &high) < 0)
			return -EBADMSG;
		*ret = low | high << 32;
		return 0;
	}
	return get_bits(bits, n, ret);
}

static uint64_t value_bits(uint64_t v, unsigned parameter)
{
	uint64_t quotient = v >> parameter;

	return quotient < QUOTIENT_MAX ? quotient + 1 + parameter : QUOTIENT_MAX + 64;
}

uint64_t es_rice_bits(const uint64_t *values, size_t n, unsigned parameter)
{
	uint64_t bits = PARAMETER_BITS;

	for (size_t i = 0; parameter < ALL_ZERO && i < n; i++)
		bits += value_bits(values[i], parameter);
	return bits;
}

unsigned es_rice_parameter(const uint64_t *values, size_t n)
{
	uint64_t sum = 0, best_bits = UINT64_MAX;
	unsigned guess = 0, best = 0;

	for (size_t i = 0; i < n; i++)
		sum = sum + values[i] < sum ? UINT64_MAX : sum + values[i];
	if (sum == 0)
		return ALL_ZERO;
	/* The best parameter lies near log2 of the mean. */
	while (guess < 63 && (sum / n) >> (guess + 1))
		guess++;
	for (unsigned p = guess > 2 ? guess - 2 : 0; p <= guess + 1 && p < 64; p++) {
		uint64_t bits = es_rice_bits(values, n, p);

		if (bits < best_bits) {
			best_bits = bits;
			best = p;
		}
	}
	return best;
}

void es_rice_put(struct es_bit_writer *bits, const uint64_t *values, size_t n)
{
	unsigned parameter = es_rice_parameter(values, n);

	put_bits(bits, parameter, PARAMETER_BITS);
	for (size_t i = 0; parameter < ALL_ZERO && i < n; i++) {
		uint64_t quotient = values[i] >> parameter;

		if (quotient < QUOTIENT_MAX) {
			/* ones, then a zero */
			put_bits(bits, (UINT64_C(1) << quotient) - 1, (unsigned)quotient + 1);
			put_long(bits, values[i] & ((UINT64_C(1) << parameter) - 1), parameter);
		} else {
			put_bits(bits, (UINT64_C(1) << QUOTIENT_MAX) - 1, QUOTIENT_MAX);
			put_long(bits, values[i], 64);
		}
	}
}

static int get_quotient(struct es_bit_reader *bits, unsigned *ret)
{
	unsigned n;

	if (bits->n_bits < QUOTIENT_MAX)
		fill(bits);
	n = ~bits->word ? (unsigned)__builtin_ctzll(~bits->word) : 64;
	if (n >= QUOTIENT_MAX) {
		if (bits->n_bits < QUOTIENT_MAX)
			return -EBADMSG;
		bits->word >>= QUOTIENT_MAX;
		bits->n_bits -= QUOTIENT_MAX;
		*ret = QUOTIENT_MAX;
		return 0;
	}
	if (bits->n_bits < n + 1)
		return -EBADMSG;
	bits->word >>= n + 1;
	bits->n_bits -= n + 1;
	*ret = n;
	return 0;
}

int es_rice_get(struct es_bit_reader *bits, uint64_t *values, size_t n)
{
	uint64_t parameter;

	if (get_bits(bits, PARAMETER_BITS, &parameter) < 0 || parameter > ALL_ZERO)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		unsigned quotient;
		uint64_t rest = 0;

		if (parameter == ALL_ZERO) {
			values[i] = 0;
			continue;
		}
		if (get_quotient(bits, &quotient) < 0)
			return -EBADMSG;
		if (get_long(bits, quotient < QUOTIENT_MAX ? (unsigned)parameter : 64, &rest) < 0)
			return -EBADMSG;
		values[i] = quotient < QUOTIENT_MAX ? (uint64_t)quotient << parameter | rest : rest;
	}
	return 0;
}
