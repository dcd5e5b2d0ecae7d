/*
 * ans.h - coding whole numbers near their entropy, by a table made for the column
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BLOCK_ANS_H
#define ES_BLOCK_ANS_H

#include <stddef.h>
#include <stdint.h>

#include "block/bits.h"

/*
 * Tabled asymmetric numeral systems. Source: J. Duda, "Asymmetric numeral systems", arXiv:1311.2540 (2013); the
 * spread of symbols over states is that of Y. Collet's FSE.
 *
 * A number is a symbol and extra bits: numbers below 16 are symbols themselves, each octave above has four, and the
 * extra bits say which number it is. Symbols are coded by a table of 2^log states; its frequencies go before.
 */
#define ES_ANS_SYMBOLS 256U
#define ES_ANS_LOG_MIN 5U
#define ES_ANS_LOG_MAX 11U
#define ES_ANS_CHUNK \
	1024U /* values coded from one start state; the coder goes through them backwards */

struct es_ans_histogram {
	uint32_t count[ES_ANS_SYMBOLS];
	uint64_t n, extra_bits;
};

/** es_ans_count - add @n values to a histogram that was zeroed at first */
void es_ans_count(struct es_ans_histogram *histogram, const uint64_t *values, size_t n);

/** struct es_ans_model - how often each symbol comes, out of 2^log */
struct es_ans_model {
	unsigned log, last; /* largest symbol that comes at all */
	uint16_t frequency[ES_ANS_SYMBOLS];
};

/** es_ans_fit - the model for a histogram of at least one value */
void es_ans_fit(const struct es_ans_histogram *histogram, struct es_ans_model *ret);
/** es_ans_bits - bits that the model and the values of @histogram will take, to about a percent */
uint64_t es_ans_bits(const struct es_ans_model *model, const struct es_ans_histogram *histogram);

struct es_ans_encoder {
	unsigned log;
	uint16_t next_state[1U << ES_ANS_LOG_MAX]; /* minus 2^log */
	struct {
		int32_t find;
		uint32_t bits;
	} symbol[ES_ANS_SYMBOLS];
};

/** es_ans_put_model - the model, and tables to encode by it */
void es_ans_put_model(struct es_bit_writer *bits, const struct es_ans_model *model,
		      struct es_ans_encoder *ret);
/** es_ans_put - at most ES_ANS_CHUNK values, whose symbols the model has */
void es_ans_put(struct es_bit_writer *bits, const struct es_ans_encoder *encoder,
		const uint64_t *values, size_t n);

struct es_ans_decoder {
	unsigned log;
	struct es_ans_state {
		uint16_t base;
		uint8_t symbol, n_bits;
	} state[1U << ES_ANS_LOG_MAX];
};

/** es_ans_get_model - read a model and make its table; 0 or -EBADMSG */
int es_ans_get_model(struct es_bit_reader *bits, struct es_ans_decoder *ret);
/** es_ans_get - values as es_ans_put() had them; es_bit_reader_end() tells whether all bits were there */
void es_ans_get(struct es_bit_reader *bits, const struct es_ans_decoder *decoder, uint64_t *values,
		size_t n);

#endif
