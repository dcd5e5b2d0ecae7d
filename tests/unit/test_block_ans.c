/*
 * test_block_ans.c - coding whole numbers near their entropy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "block/ans.h"
#include "support/random.h"

#define N_MAX 8192U

static size_t put_all(const uint64_t *values, size_t n, struct es_buf *out)
{
	struct es_ans_histogram histogram = { .n = 0 };
	struct es_ans_encoder encoder;
	struct es_ans_model model;
	struct es_bit_writer bits;
	uint64_t promised;

	es_ans_count(&histogram, values, n);
	es_ans_fit(&histogram, &model);
	promised = es_ans_bits(&model, &histogram);
	es_bit_writer_init(&bits, out);
	es_ans_put_model(&bits, &model, &encoder);
	for (size_t i = 0; i < n; i += ES_ANS_CHUNK)
		es_ans_put(&bits, &encoder, values + i,
			   n - i < ES_ANS_CHUNK ? n - i : ES_ANS_CHUNK);
	assert_int_equal(es_bit_writer_end(&bits), 0);
	/* What was said beforehand is nearly what it took. */
	assert_true(out->len * 8 < promised + promised / 8 + n / 8 + 32);
	assert_true(out->len * 8 + promised / 8 + n / 8 + 32 > promised);
	return out->len;
}

static int get_all(const uint8_t *data, size_t n_bytes, uint64_t *values, size_t n)
{
	struct es_ans_decoder decoder;
	struct es_bit_reader bits;

	es_bit_reader_init(&bits, data, n_bytes);
	if (es_ans_get_model(&bits, &decoder) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < n; i += ES_ANS_CHUNK)
		es_ans_get(&bits, &decoder, values + i,
			   n - i < ES_ANS_CHUNK ? n - i : ES_ANS_CHUNK);
	return es_bit_reader_end(&bits);
}

static void values_come_back(const uint64_t *values, size_t n)
{
	static uint64_t back[N_MAX];
	struct es_buf out;

	es_buf_init(&out, 1 << 20);
	(void)put_all(values, n, &out);
	assert_int_equal(get_all(out.data, out.len, back, n), 0);
	assert_memory_equal(values, back, n * sizeof(*values));
	es_buf_finish(&out);
}

enum kind {
	KIND_ZERO,
	KIND_LARGEST,
	KIND_ANY_LENGTH,
	KIND_LONG,
	KIND_RARELY_ONE,
	KIND_SHORT,
	N_KINDS
};

static uint64_t number_of(enum kind kind, uint64_t *seed)
{
	switch (kind) {
	case KIND_LARGEST:
		return UINT64_MAX;
	case KIND_ANY_LENGTH:
		return test_random_long(seed);
	case KIND_LONG:
		return test_random(seed);
	case KIND_RARELY_ONE:
		return test_random_below(seed, 50) == 0;
	case KIND_SHORT:
		return test_random_below(seed, 300);
	case KIND_ZERO:
	case N_KINDS:
		break;
	}
	return 0;
}

static void numbers_of_any_length_come_back(void **state)
{
	static uint64_t values[N_MAX];
	static const size_t sizes[] = { 1, 2, 3, 31, 100, 1023, 1024, 1025, 2048, N_MAX };
	uint64_t seed = 17;

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(sizes); i++)
		for (unsigned kind = 0; kind < N_KINDS; kind++) {
			for (size_t k = 0; k < sizes[i]; k++)
				values[k] = number_of((enum kind)kind, &seed);
			values_come_back(values, sizes[i]);
		}
}

static void each_edge_of_a_symbol_comes_back(void **state)
{
	uint64_t values[64 * 12];
	size_t n = 0;

	(void)state;
	for (unsigned octave = 0; octave < 64; octave++)
		for (unsigned quarter = 4; quarter < 8; quarter++) {
			uint64_t edge = octave >= 2 ? (uint64_t)quarter << (octave - 2) : quarter;

			values[n++] = edge - 1;
			values[n++] = edge;
			values[n++] = edge + 1;
		}
	values_come_back(values, n);
}

static void frequencies_always_fill_the_table(void **state)
{
	uint64_t seed = 23;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		struct es_ans_histogram histogram = { .n = 0 };
		unsigned n_symbols = 1 + (unsigned)test_random_below(&seed, ES_ANS_SYMBOLS);
		struct es_ans_model model;
		uint32_t sum = 0;

		for (unsigned i = 0; i < n_symbols; i++) {
			unsigned s = (unsigned)test_random_below(&seed, ES_ANS_SYMBOLS);

			histogram.count[s] += 1 + (uint32_t)(test_random_long(&seed) & 0xfff);
		}
		for (unsigned s = 0; s < ES_ANS_SYMBOLS; s++)
			histogram.n += histogram.count[s];
		es_ans_fit(&histogram, &model);

		assert_in_range(model.log, ES_ANS_LOG_MIN, ES_ANS_LOG_MAX);
		for (unsigned s = 0; s < ES_ANS_SYMBOLS; s++) {
			assert_int_equal(model.frequency[s] > 0, histogram.count[s] > 0);
			sum += model.frequency[s];
		}
		assert_int_equal(sum, 1U << model.log);
	}
}

static void it_takes_little_more_than_the_entropy(void **state)
{
	static uint64_t values[N_MAX];
	static const double rare[] = { 0.5, 0.1, 0.02 };
	uint64_t seed = 29;

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(rare); i++) {
		double p = rare[i], entropy = -p * log2(p / 4) - (1 - p) * log2(1 - p);
		struct es_buf out;

		/* 0, or rarely one of four */
		for (size_t k = 0; k < N_MAX; k++)
			values[k] = (double)test_random_below(&seed, 1000000) < p * 1e6
					    ? 1 + test_random_below(&seed, 4)
					    : 0;
		es_buf_init(&out, 1 << 20);
		assert_true((double)put_all(values, N_MAX, &out) * 8 <
			    entropy * N_MAX * 1.06 + 200);
		es_buf_finish(&out);
	}
}

static void a_model_that_does_not_fill_its_table_is_refused(void **state)
{
	static uint64_t values[N_MAX];
	uint64_t seed = 31;
	unsigned n_refused = 0;
	struct es_buf out;

	(void)state;
	for (size_t k = 0; k < 500; k++)
		values[k] = test_random_below(&seed, 12);
	es_buf_init(&out, 1 << 20);
	(void)put_all(values, 500, &out);
	for (size_t bit = 0; bit < out.len * 8; bit++) {
		out.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		n_refused += get_all(out.data, out.len, values, 500) < 0;
		out.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	assert_true(n_refused > 50);
	for (size_t n = 0; n < out.len; n++)
		assert_int_equal(get_all(out.data, n, values, 500), -EBADMSG);
	es_buf_finish(&out);
}

static void any_bytes_are_read_without_harm(void **state)
{
	static uint64_t values[N_MAX];
	uint64_t seed = 37;
	uint8_t bytes[256];

	(void)state;
	for (unsigned round = 0; round < 5000; round++) {
		size_t n = test_random_below(&seed, sizeof(bytes));

		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)test_random(&seed);
		(void)get_all(bytes, n, values, 1500);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_any_length_come_back),
		cmocka_unit_test(each_edge_of_a_symbol_comes_back),
		cmocka_unit_test(frequencies_always_fill_the_table),
		cmocka_unit_test(it_takes_little_more_than_the_entropy),
		cmocka_unit_test(a_model_that_does_not_fill_its_table_is_refused),
		cmocka_unit_test(any_bytes_are_read_without_harm),
	};

	return cmocka_run_group_tests_name("block/ans", tests, NULL, NULL);
}
