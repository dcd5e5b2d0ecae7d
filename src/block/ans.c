/*
 * ans.c - coding whole numbers near their entropy, by a table made for the column
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "block/ans.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/hot.h"

#define DIRECT 16U /* numbers below are symbols themselves */
#define LOG_BITS 4U
#define SYMBOL_BITS 8U

es_hot static unsigned log2_floor(uint64_t v)
{
	return 63U - (unsigned)__builtin_clzll(v);
}

es_hot static unsigned symbol_of(uint64_t v, unsigned *ret_n_extra)
{
	unsigned octave;

	if (v < DIRECT) {
		*ret_n_extra = 0;
		return (unsigned)v;
	}
	octave = log2_floor(v);
	*ret_n_extra = octave - 2;
	return DIRECT + (octave - 4) * 4 + (unsigned)(v >> (octave - 2) & 3);
}

es_hot void es_ans_count(struct es_ans_histogram *histogram, const uint64_t *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned n_extra;

		histogram->count[symbol_of(values[i], &n_extra)]++;
		histogram->extra_bits += n_extra;
	}
	histogram->n += n;
}

es_hot static unsigned most_frequent(const struct es_ans_model *model)
{
	unsigned best = 0;

	for (unsigned s = 1; s <= model->last; s++)
		if (model->frequency[s] > model->frequency[best])
			best = s;
	return best;
}

es_hot void es_ans_fit(const struct es_ans_histogram *histogram, struct es_ans_model *ret)
{
	uint64_t n = histogram->n;
	unsigned n_symbols = 0;
	int32_t left;

	*ret = (struct es_ans_model){ .log = log2_floor(n | 1) };
	for (unsigned s = 0; s < ES_ANS_SYMBOLS; s++) {
		n_symbols += histogram->count[s] > 0;
		ret->last = histogram->count[s] > 0 ? s : ret->last;
	}
	/* As fine as the counts are, and room for the frequent ones beside the rare. */
	if (ret->log > ES_ANS_LOG_MAX)
		ret->log = ES_ANS_LOG_MAX;
	while (ret->log < ES_ANS_LOG_MIN ||
	       (ret->log < ES_ANS_LOG_MAX && n_symbols * 4 > 1U << ret->log))
		ret->log++;
	left = 1 << ret->log;
	for (unsigned s = 0; s <= ret->last; s++) {
		uint64_t share = (((uint64_t)histogram->count[s] << ret->log) + n / 2) / n;

		if (histogram->count[s] > 0)
			ret->frequency[s] = (uint16_t)(share > 0 ? share : 1);
		left -= ret->frequency[s];
	}
	/* Rounding is made up for where a step changes least. */
	for (; left != 0; left += left > 0 ? -1 : 1) {
		unsigned s = most_frequent(ret);

		ret->frequency[s] = (uint16_t)(ret->frequency[s] + (left > 0 ? 1 : -1));
	}
}

/* log2 in 1/256, by a line within each octave: at most 0.09 too small. */
es_hot static uint64_t log2_q8(uint32_t v)
{
	unsigned octave = log2_floor(v);

	return ((uint64_t)octave << 8) + ((((uint64_t)v << 8) >> octave) - 256);
}

es_hot static unsigned gamma_bits(uint32_t v)
{
	return 2 * log2_floor(v) + 1;
}

es_hot uint64_t es_ans_bits(const struct es_ans_model *model,
			    const struct es_ans_histogram *histogram)
{
	uint64_t bits_q8 = 0, bits = LOG_BITS + SYMBOL_BITS + histogram->extra_bits;

	for (unsigned s = 0; s <= model->last; s++) {
		bits += gamma_bits(model->frequency[s] + 1U);
		if (histogram->count[s] > 0)
			bits_q8 += histogram->count[s] *
				   (((uint64_t)model->log << 8) - log2_q8(model->frequency[s]));
	}
	bits += (histogram->n + ES_ANS_CHUNK - 1) / ES_ANS_CHUNK * model->log;
	return bits + (bits_q8 >> 8);
}

/* Elias' gamma code of @v > 0: as many ones as bits follow the first, a zero, those bits. */
es_hot static void put_gamma(struct es_bit_writer *bits, uint32_t v)
{
	unsigned n = log2_floor(v);

	es_bits_put(bits, (UINT64_C(1) << n) - 1, n + 1);
	es_bits_put(bits, v - (1U << n), n);
}

static uint32_t get_gamma(struct es_bit_reader *bits)
{
	unsigned n = 0;

	while (n <= ES_ANS_LOG_MAX && es_bits_get(bits, 1))
		n++;
	return (1U << n) + (uint32_t)es_bits_get(bits, n);
}

/* Which symbol each state stands for: those of a symbol lie far apart. */
es_hot static void spread(const struct es_ans_model *model,
			  uint8_t symbols[static 1U << ES_ANS_LOG_MAX])
{
	unsigned size = 1U << model->log, step = (size >> 1) + (size >> 3) + 3, at = 0;

	for (unsigned s = 0; s <= model->last; s++)
		for (unsigned i = 0; i < model->frequency[s]; i++) {
			symbols[at] = (uint8_t)s;
			at = (at + step) & (size - 1);
		}
}

es_hot static void make_encoder(const struct es_ans_model *model, struct es_ans_encoder *encoder)
{
	uint8_t symbols[1U << ES_ANS_LOG_MAX];
	uint16_t from[ES_ANS_SYMBOLS];
	unsigned size = 1U << model->log, sum = 0;

	encoder->log = model->log;
	for (unsigned s = 0; s <= model->last; s++) {
		unsigned f = model->frequency[s], n_bits;

		from[s] = (uint16_t)sum;
		if (f == 0)
			continue;
		/* States at least threshold give n_bits, those below one less. */
		n_bits = model->log - (f > 1 ? log2_floor(f - 1) : 0);
		encoder->symbol[s].bits = (n_bits << 16) - (f << n_bits);
		encoder->symbol[s].find = (int32_t)sum - (int32_t)f;
		sum += f;
	}
	spread(model, symbols);
	for (unsigned state = 0; state < size; state++)
		encoder->next_state[from[symbols[state]]++] = (uint16_t)(size + state);
}

es_hot void es_ans_put_model(struct es_bit_writer *bits, const struct es_ans_model *model,
			     struct es_ans_encoder *ret)
{
	es_bits_put(bits, model->log, LOG_BITS);
	es_bits_put(bits, model->last, SYMBOL_BITS);
	for (unsigned s = 0; s <= model->last; s++)
		put_gamma(bits, model->frequency[s] + 1U);
	make_encoder(model, ret);
}

es_hot void es_ans_put(struct es_bit_writer *bits, const struct es_ans_encoder *encoder,
		       const uint64_t *values, size_t n)
{
	struct {
		uint16_t bits;
		uint8_t n_bits;
	} steps[ES_ANS_CHUNK];
	uint32_t state = 1U << encoder->log;
	unsigned n_extra;

	/* The decoder goes forwards, so we go backwards, and write what we find in its order. */
	for (size_t i = n; i-- > 0;) {
		unsigned s = symbol_of(values[i], &n_extra);
		unsigned n_bits = (state + encoder->symbol[s].bits) >> 16;

		steps[i].n_bits = (uint8_t)n_bits;
		steps[i].bits = (uint16_t)(state & ((1U << n_bits) - 1));
		state = encoder->next_state[(int32_t)(state >> n_bits) + encoder->symbol[s].find];
	}
	es_bits_put(bits, state - (1U << encoder->log), encoder->log);
	for (size_t i = 0; i < n; i++) {
		(void)symbol_of(values[i], &n_extra);
		if (n_extra > 0)
			es_bits_put_long(bits, values[i] & ((UINT64_C(1) << n_extra) - 1), n_extra);
		es_bits_put(bits, steps[i].bits, steps[i].n_bits);
	}
}

static void make_decoder(const struct es_ans_model *model, struct es_ans_decoder *decoder)
{
	uint8_t symbols[1U << ES_ANS_LOG_MAX];
	uint16_t next[ES_ANS_SYMBOLS];
	unsigned size = 1U << model->log;

	decoder->log = model->log;
	memcpy(next, model->frequency, sizeof(next));
	spread(model, symbols);
	for (unsigned i = 0; i < size; i++) {
		unsigned x = next[symbols[i]]++, n_bits = model->log - log2_floor(x);

		decoder->state[i] = (struct es_ans_state){
			.symbol = symbols[i],
			.n_bits = (uint8_t)n_bits,
			.base = (uint16_t)((x << n_bits) - size),
		};
	}
}

int es_ans_get_model(struct es_bit_reader *bits, struct es_ans_decoder *ret)
{
	struct es_ans_model model = { .log = (unsigned)es_bits_get(bits, LOG_BITS) };
	uint32_t sum = 0;

	model.last = (unsigned)es_bits_get(bits, SYMBOL_BITS);
	if (model.log < ES_ANS_LOG_MIN || model.log > ES_ANS_LOG_MAX)
		return -EBADMSG;
	for (unsigned s = 0; s <= model.last; s++) {
		uint32_t frequency = get_gamma(bits) - 1;

		sum += frequency;
		if (sum > 1U << model.log)
			return -EBADMSG;
		model.frequency[s] = (uint16_t)frequency;
	}
	if (sum != 1U << model.log)
		return -EBADMSG;
	make_decoder(&model, ret);
	return 0;
}

void es_ans_get(struct es_bit_reader *bits, const struct es_ans_decoder *decoder, uint64_t *values,
		size_t n)
{
	unsigned state = (unsigned)es_bits_get(bits, decoder->log);

	for (size_t i = 0; i < n; i++) {
		struct es_ans_state at = decoder->state[state];
		uint64_t v = at.symbol;

		if (v >= DIRECT) {
			unsigned n_extra = at.symbol / 4U - 2;

			v = (4 + (v & 3)) << n_extra | es_bits_get_long(bits, n_extra);
		}
		values[i] = v;
		state = at.base + (unsigned)es_bits_get(bits, at.n_bits);
	}
}
