/*
 * test_block_rice.c - bits into and out of bytes, and Rice coding of runs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "block/rice.h"
#include "support/random.h"

static void bits_of_any_length_come_back(void **state)
{
	struct es_bit_writer writer;
	struct es_bit_reader reader;
	uint64_t seed = 1, again = 1;
	struct es_buf out;

	(void)state;
	es_buf_init(&out, 1 << 20);
	es_bit_writer_init(&writer, &out);
	for (unsigned i = 0; i < 5000; i++) {
		unsigned n = (unsigned)test_random_below(&seed, 65);

		es_bits_put_long(&writer, n ? test_random(&seed) >> (64 - n) : 0, n);
	}
	assert_int_equal(es_bit_writer_end(&writer), 0);

	es_bit_reader_init(&reader, out.data, out.len);
	for (unsigned i = 0; i < 5000; i++) {
		unsigned n = (unsigned)test_random_below(&again, 65);

		assert_true(es_bits_get_long(&reader, n) ==
			    (n ? test_random(&again) >> (64 - n) : 0));
	}
	assert_int_equal(es_bit_reader_end(&reader), 0);
	es_buf_finish(&out);
}

static void reading_past_the_end_gives_zeros_and_is_told(void **state)
{
	static const uint8_t bytes[] = { 0xff, 0xff, 0xff };

	(void)state;
	for (unsigned n = 0; n <= 64; n++) {
		struct es_bit_reader reader;
		uint64_t v;

		es_bit_reader_init(&reader, bytes, sizeof(bytes));
		v = es_bits_get_long(&reader, n);
		assert_true(v == (n > 24 ? 0xffffffU : (UINT64_C(1) << n) - 1));
		assert_int_equal(es_bit_reader_end(&reader), n > 24 ? -EBADMSG : 0);
	}
}

static void a_run_round_trips(const uint64_t *values, size_t n)
{
	uint64_t back[ES_RICE_RUN];
	struct es_bit_writer writer;
	struct es_bit_reader reader;
	struct es_buf out;

	es_buf_init(&out, 1 << 16);
	es_bit_writer_init(&writer, &out);
	es_rice_put(&writer, values, n);
	assert_int_equal(es_bit_writer_end(&writer), 0);
	assert_int_equal(out.len, (es_rice_bits(values, n, es_rice_parameter(values, n)) + 7) / 8);

	es_bit_reader_init(&reader, out.data, out.len);
	assert_int_equal(es_rice_get(&reader, back, n), 0);
	assert_int_equal(es_bit_reader_end(&reader), 0);
	assert_memory_equal(values, back, n * sizeof(*values));

	/* Without its last byte it is not whole. */
	es_bit_reader_init(&reader, out.data, out.len - 1);
	assert_true(es_rice_get(&reader, back, n) < 0 || es_bit_reader_end(&reader) < 0);
	es_buf_finish(&out);
}

static void runs_of_any_numbers_come_back(void **state)
{
	uint64_t values[ES_RICE_RUN], seed = 3;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		size_t n = 1 + test_random_below(&seed, ES_RICE_RUN);
		unsigned bits = (unsigned)test_random_below(&seed, 64);

		for (size_t i = 0; i < n; i++)
			values[i] = test_random(&seed) >> bits;
		if (round % 3 == 0)
			values[test_random_below(&seed, n)] = UINT64_MAX;
		a_run_round_trips(values, n);
	}
}

static void zeros_take_the_parameter_alone(void **state)
{
	uint64_t values[ES_RICE_RUN] = { 0 };

	(void)state;
	assert_int_equal(es_rice_parameter(values, ES_RICE_RUN), 64);
	assert_int_equal(es_rice_bits(values, ES_RICE_RUN, 64), 7);
	a_run_round_trips(values, ES_RICE_RUN);
}

static void no_other_parameter_takes_fewer_bits(void **state)
{
	uint64_t values[ES_RICE_RUN], seed = 5;

	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		unsigned bits = (unsigned)test_random_below(&seed, 60);
		uint64_t best = UINT64_MAX;

		for (size_t i = 0; i < ES_RICE_RUN; i++)
			values[i] = test_random(&seed) >> bits >> test_random_below(&seed, 4);
		/* One giant among small ones must not spoil the run. */
		if (round % 2)
			values[5] = UINT64_MAX >> 1;
		for (unsigned p = 0; p < 64; p++)
			if (es_rice_bits(values, ES_RICE_RUN, p) < best)
				best = es_rice_bits(values, ES_RICE_RUN, p);
		assert_int_equal(es_rice_bits(values, ES_RICE_RUN,
					      es_rice_parameter(values, ES_RICE_RUN)),
				 best);
	}
}

static void a_parameter_that_is_none_is_refused(void **state)
{
	struct es_bit_reader reader;
	uint64_t values[1];

	(void)state;
	for (uint8_t parameter = 65; parameter < 128; parameter++) {
		es_bit_reader_init(&reader, &parameter, 1);
		assert_int_equal(es_rice_get(&reader, values, 1), -EBADMSG);
	}
}

static void any_bytes_are_read_without_harm(void **state)
{
	uint64_t values[ES_RICE_RUN], seed = 11;
	uint8_t bytes[64];

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		size_t n = test_random_below(&seed, sizeof(bytes));
		struct es_bit_reader reader;

		for (size_t i = 0; i < n; i++)
			bytes[i] = round % 4 ? (uint8_t)test_random(&seed) : 0xff;
		if (n > 0)
			bytes[0] &= 0x3f;
		es_bit_reader_init(&reader, bytes, n);
		(void)es_rice_get(&reader, values, ES_RICE_RUN);
		(void)es_bit_reader_end(&reader);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bits_of_any_length_come_back),
		cmocka_unit_test(reading_past_the_end_gives_zeros_and_is_told),
		cmocka_unit_test(runs_of_any_numbers_come_back),
		cmocka_unit_test(zeros_take_the_parameter_alone),
		cmocka_unit_test(no_other_parameter_takes_fewer_bits),
		cmocka_unit_test(a_parameter_that_is_none_is_refused),
		cmocka_unit_test(any_bytes_are_read_without_harm),
	};

	return cmocka_run_group_tests_name("block/rice", tests, NULL, NULL);
}
