/*
 * rice.c - Rice coding of runs of whole numbers: for columns too short for a table of their own
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "block/rice.h"

#include <errno.h>

#include "base/hot.h"

#define PARAMETER_BITS 7U
#define ALL_ZERO 64U
#define QUOTIENT_MAX 20U /* longer quotients are that many ones, then the 64 bits themselves */

es_hot static uint64_t value_bits(uint64_t v, unsigned parameter)
{
	uint64_t quotient = v >> parameter;

	return quotient < QUOTIENT_MAX ? quotient + 1 + parameter : QUOTIENT_MAX + 64;
}

es_hot uint64_t es_rice_bits(const uint64_t *values, size_t n, unsigned parameter)
{
	uint64_t bits = PARAMETER_BITS;

	for (size_t i = 0; parameter < ALL_ZERO && i < n; i++)
		bits += value_bits(values[i], parameter);
	return bits;
}

/* Down the slope of bits over parameters from @p; returns where it ends. */
es_hot static unsigned descend(const uint64_t *values, size_t n, unsigned p, uint64_t *ret_bits)
{
	uint64_t here = es_rice_bits(values, n, p), next;
	unsigned step_up;

	for (step_up = 0; step_up < 2; step_up++) {
		while (step_up ? p < 63 : p > 0) {
			next = es_rice_bits(values, n, step_up ? p + 1 : p - 1);
			if (next >= here)
				break;
			here = next;
			p = step_up ? p + 1 : p - 1;
		}
	}
	*ret_bits = here;
	return p;
}

es_hot static unsigned log2_floor(uint64_t v)
{
	return v ? 63U - (unsigned)__builtin_clzll(v) : 0;
}

es_hot unsigned es_rice_parameter(const uint64_t *values, size_t n)
{
	uint64_t sum = 0, bits, bits_typical;
	unsigned lengths = 0, p, typical;

	for (size_t i = 0; i < n; i++) {
		sum = sum + values[i] < sum ? UINT64_MAX : sum + values[i];
		lengths += log2_floor(values[i]);
	}
	if (sum == 0)
		return ALL_ZERO;
	/* Near log2 of the mean; where one giant makes the mean, near the mean of log2. */
	p = log2_floor(sum / n);
	typical = lengths / (unsigned)n;
	if (typical + 1 >= p)
		return descend(values, n, p > 0 ? p - 1 : 0, &bits);
	p = descend(values, n, p, &bits);
	typical = descend(values, n, typical, &bits_typical);
	return bits_typical < bits ? typical : p;
}

es_hot void es_rice_put(struct es_bit_writer *bits, const uint64_t *values, size_t n)
{
	unsigned parameter = es_rice_parameter(values, n);

	es_bits_put(bits, parameter, PARAMETER_BITS);
	for (size_t i = 0; parameter < ALL_ZERO && i < n; i++) {
		uint64_t quotient = values[i] >> parameter;

		if (quotient < QUOTIENT_MAX) {
			/* ones, then a zero */
			es_bits_put(bits, (UINT64_C(1) << quotient) - 1, (unsigned)quotient + 1);
			es_bits_put_long(bits, values[i] & ((UINT64_C(1) << parameter) - 1),
					 parameter);
		} else {
			es_bits_put(bits, (UINT64_C(1) << QUOTIENT_MAX) - 1, QUOTIENT_MAX);
			es_bits_put_long(bits, values[i], 64);
		}
	}
}

/* The zeros above the bits at hand end a quotient that is cut off; es_bit_reader_end() tells later. */
static unsigned get_quotient(struct es_bit_reader *bits)
{
	unsigned n;

	if (bits->n_bits < QUOTIENT_MAX)
		es_bits_fill(bits);
	n = (unsigned)__builtin_ctzll(~bits->word);
	if (n >= QUOTIENT_MAX) {
		(void)es_bits_take(bits, QUOTIENT_MAX);
		return QUOTIENT_MAX;
	}
	(void)es_bits_take(bits, n + 1);
	return n;
}

int es_rice_get(struct es_bit_reader *bits, uint64_t *values, size_t n)
{
	unsigned parameter = (unsigned)es_bits_get(bits, PARAMETER_BITS);

	if (parameter > ALL_ZERO)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		unsigned quotient;

		if (parameter == ALL_ZERO) {
			values[i] = 0;
			continue;
		}
		quotient = get_quotient(bits);
		if (quotient < QUOTIENT_MAX)
			values[i] = (uint64_t)quotient << parameter |
				    es_bits_get_long(bits, parameter);
		else
			values[i] = es_bits_get_long(bits, 64);
	}
	return 0;
}
