/*
 * test_block_block.c - columns of integers into blocks and back, and blocks that are broken
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "block/block.h"
#include "support/random.h"

__extension__ typedef unsigned __int128 test_u128;

#define ROWS_MAX 5000U

/* Decodes all of it; -EBADMSG or the number of columns. */
static int read_all(const void *data, size_t n)
{
	struct es_block_info info;
	struct es_block block;
	int n_columns = 0, r;

	if (es_block_open(&block, data, n) < 0)
		return -EBADMSG;
	while ((r = es_block_next(&block, &info)) > 0) {
		int64_t *values = malloc(block.n_rows * sizeof(*values));
		uint8_t *present = malloc(block.n_rows);

		assert_non_null(values);
		assert_non_null(present);
		r = es_block_decode(&block, &info, values, present);
		free(values);
		free(present);
		if (r < 0)
			break;
		n_columns++;
	}
	return r < 0 ? r : n_columns;
}

static void expect_column(struct es_block *block, const struct es_block_column *column,
			  size_t n_rows)
{
	static int64_t values[ROWS_MAX];
	static uint8_t present[ROWS_MAX];
	struct es_block_info info;
	size_t n_present = 0;

	assert_int_equal(es_block_next(block, &info), 1);
	assert_int_equal(info.id, column->id);
	assert_int_equal(es_block_decode(block, &info, values, present), 0);
	for (size_t row = 0; row < n_rows; row++) {
		bool is_there = !column->present || column->present[row];

		assert_int_equal(present[row], is_there);
		assert_true(values[row] == (is_there ? column->values[row] : 0));
		n_present += is_there;
	}
	assert_int_equal(info.n_present, n_present);
}

static size_t columns_come_back(const struct es_block_column *columns, size_t n_columns,
				size_t n_rows)
{
	struct es_block_info info;
	struct es_block block;
	struct es_buf out;
	size_t n;

	es_buf_init(&out, 1 << 22);
	assert_int_equal(es_block_encode(columns, n_columns, n_rows, &out), 0);
	assert_int_equal(es_block_open(&block, out.data, out.len), 0);
	assert_int_equal(block.n_rows, n_rows);
	assert_int_equal(block.n_columns, n_columns);
	for (size_t i = 0; i < n_columns; i++)
		expect_column(&block, &columns[i], n_rows);
	assert_int_equal(es_block_next(&block, &info), 0);
	n = out.len;
	es_buf_finish(&out);
	return n;
}

enum shape {
	SHAPE_CONSTANT,
	SHAPE_ANY,
	SHAPE_EXTREMES,
	SHAPE_COUNTER,
	SHAPE_LINE,
	SHAPE_POWER,
	SHAPE_SPARSE,
	N_SHAPES,
};

static int64_t shaped_value(enum shape shape, size_t row, int64_t last, uint64_t *seed)
{
	static const int64_t extremes[] = { INT64_MIN, INT64_MIN + 1, -1,	0,
					    1,	       INT64_MAX - 1, INT64_MAX };

	switch (shape) {
	case SHAPE_CONSTANT:
		return 123456789;
	case SHAPE_ANY:
		return (int64_t)test_random_long(seed) * (test_random(seed) & 1 ? 1 : -1);
	case SHAPE_EXTREMES:
		return extremes[test_random_below(seed, ES_ARRAY_SIZE(extremes))];
	case SHAPE_COUNTER:
		return last + 250000000 + (int64_t)test_random_below(seed, 5000000);
	case SHAPE_LINE:
		return 1000000 + (int64_t)row * 1000000;
	case SHAPE_POWER:
		return 250000 + (int64_t)test_random_below(seed, 30000);
	case SHAPE_SPARSE:
		return last + (test_random_below(seed, 30) == 0 ? 1000000 : 0);
	case N_SHAPES:
		break;
	}
	return 0;
}

static void fill_column(enum shape shape, size_t n_rows, uint64_t *seed, int64_t *values)
{
	int64_t last = 0;

	for (size_t row = 0; row < n_rows; row++)
		values[row] = last = shaped_value(shape, row, last, seed);
}

static void columns_of_any_shape_and_length_come_back(void **state)
{
	static const size_t sizes[] = { 1,  2,	3,   4,	   10,	 63,   64,   65,
					66, 67, 128, 1023, 1025, 1026, 1027, 5000 };
	static int64_t values[N_SHAPES][ROWS_MAX];
	struct es_block_column columns[N_SHAPES];
	uint64_t seed = 41;

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(sizes); i++) {
		for (unsigned shape = 0; shape < N_SHAPES; shape++) {
			fill_column((enum shape)shape, sizes[i], &seed, values[shape]);
			columns[shape] = (struct es_block_column){ .id = shape * 1000003,
								   .values = values[shape] };
		}
		(void)columns_come_back(columns, N_SHAPES, sizes[i]);
	}
}

static void holes_anywhere_come_back(void **state)
{
	static int64_t values[N_SHAPES][ROWS_MAX];
	static uint8_t present[N_SHAPES][ROWS_MAX];
	struct es_block_column columns[N_SHAPES];
	uint64_t seed = 43;

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		size_t n_rows = 1 + test_random_below(&seed, round < 50 ? 200 : ROWS_MAX);
		uint64_t of_100 = round % 4 == 0   ? 0
				  : round % 4 == 1 ? 100
						   : test_random_below(&seed, 100);

		for (unsigned shape = 0; shape < N_SHAPES; shape++) {
			fill_column((enum shape)shape, n_rows, &seed, values[shape]);
			for (size_t row = 0; row < n_rows; row++)
				present[shape][row] = test_random_below(&seed, 100) < of_100;
			columns[shape] = (struct es_block_column){
				.id = UINT32_MAX - shape,
				.unit_num = 1000,
				.unit_den = 1,
				.values = values[shape],
				.present = present[shape],
			};
		}
		(void)columns_come_back(columns, N_SHAPES, n_rows);
	}
}

static void values_of_a_unit_come_back_and_take_fewer_bytes(void **state)
{
	static const struct {
		uint32_t num, den;
	} units[] = {
		{ 61035, 1000 },   { 15258, 1000 },
		{ 1000, 1 },	   { 1000000, 1 },
		{ 1, 1000 },	   { 7, 3 },
		{ 3, 7 },	   { UINT32_MAX, 1 },
		{ 1, UINT32_MAX }, { UINT32_MAX, UINT32_MAX - 1 },
		{ 65359, 4273 },   { UINT32_MAX - 1, UINT32_MAX },
		{ 5, 5 },
	};
	static int64_t values[1000];
	uint64_t seed = 47;

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(units); i++) {
		struct es_block_column column = { .id = 1, .values = values };
		uint64_t count = test_random_below(&seed, 1000000);
		size_t n_plain, n_counted;

		for (size_t row = 0; row < 1000; row++) {
			count += 100000 + test_random_below(&seed, 1000);
			values[row] = (int64_t)((test_u128)count * units[i].num / units[i].den);
		}
		n_plain = columns_come_back(&column, 1, 1000);
		column.unit_num = units[i].num;
		column.unit_den = units[i].den;
		n_counted = columns_come_back(&column, 1, 1000);
		if (units[i].num / units[i].den > 1)
			assert_true(n_counted < n_plain);
	}
}

static void counters_of_perf_are_known_by_their_values(void **state)
{
	int64_t values[1000];
	struct es_block_column column = { .values = values };
	size_t n_odd, n_counted;
	uint64_t seed = 48;

	(void)state;
	for (uint64_t den = 256; den <= 1024; den *= 4) {
		uint64_t count = 1000000007;

		for (size_t row = 0; row < 1000; row++) {
			count += 400000 + test_random_below(&seed, 1000);
			values[row] = (int64_t)(count * 15625 / den);
		}
		n_counted = columns_come_back(&column, 1, 1000);
		values[999]++;
		n_odd = columns_come_back(&column, 1, 1000);
		/* 5 and 3 bits for each value, and more */
		assert_true(n_counted + (den == 256 ? 625U : 375U) < n_odd);
	}
}

static void values_that_do_not_fit_their_unit_come_back_as_they_are(void **state)
{
	static const int64_t wrong[] = { 1, -1, -61, 60, 62, INT64_MAX, INT64_MIN, 123456788 };
	int64_t values[40];

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(wrong); i++) {
		struct es_block_column column = { .unit_num = 61035,
						  .unit_den = 1000,
						  .values = values };

		for (size_t row = 0; row < 40; row++)
			values[row] = (int64_t)row * 61035;
		values[20] = wrong[i];
		(void)columns_come_back(&column, 1, 40);
	}
}

static void counts_of_the_largest_values_come_back(void **state)
{
	int64_t values[64];

	(void)state;
	for (uint32_t num = 1; num < 4; num++)
		for (uint32_t den = 1; den < 4; den++) {
			struct es_block_column column = { .unit_num = num,
							  .unit_den = den,
							  .values = values };

			for (int64_t row = 0; row < 64; row++)
				values[row] = INT64_MAX - row;
			(void)columns_come_back(&column, 1, 64);
			for (int64_t row = 0; row < 64; row++)
				values[row] = (INT64_MAX - row) / num * num;
			(void)columns_come_back(&column, 1, 64);
		}
}

static void small_blocks_have_little_besides_their_values(void **state)
{
	int64_t values[10];
	struct es_block_column column = {
		.id = 5, .unit_num = 61035, .unit_den = 1000, .values = values
	};

	(void)state;
	for (int64_t row = 0; row < 10; row++)
		values[row] = (int64_t)((test_u128)(1000000000 + row * 409600) * 61035 / 1000);

	/* 3 bytes of the block, 3 of the column, 5 + 3 of the first two counts, 1 of differences that are all 0 */
	assert_int_equal(columns_come_back(&column, 1, 10), 15);
}

static void a_block_has_rows_and_is_not_too_large(void **state)
{
	int64_t value = 0;
	struct es_block_column column = { .values = &value };
	struct es_buf out;

	(void)state;
	es_buf_init(&out, 1 << 20);
	assert_int_equal(es_block_encode(&column, 1, 0, &out), -EINVAL);
	assert_int_equal(es_block_encode(&column, 1, ES_BLOCK_ROWS_MAX + 1, &out), -EINVAL);
	assert_int_equal(es_block_encode(&column, ES_BLOCK_COLUMNS_MAX + 1, 1, &out), -EINVAL);
	assert_int_equal(out.len, 0);
	assert_int_equal(es_block_encode(NULL, 0, 1, &out), 0);
	assert_int_equal(read_all(out.data, out.len), 0);
	es_buf_finish(&out);
}

static void a_buffer_that_is_full_is_told(void **state)
{
	static int64_t values[200];
	static uint8_t present[200];
	struct es_block_column column = { .values = values, .present = present };
	uint64_t seed = 53;
	size_t max = 0;
	int r;

	(void)state;
	fill_column(SHAPE_POWER, 200, &seed, values);
	for (size_t row = 0; row < 200; row++)
		present[row] = row % 3 > 0;
	do {
		struct es_buf out;

		es_buf_init(&out, max);
		r = es_block_encode(&column, 1, 200, &out);
		assert_true(r == 0 || r == -EMSGSIZE);
		assert_true(out.len <= max);
		es_buf_finish(&out);
		max++;
	} while (r < 0);
	assert_true(max > 100);
}

/* Several columns: Rice and ANS, holes, a unit of its own. */
static void make_block(struct es_buf *out)
{
	static int64_t values[4][300];
	static uint8_t present[300];
	const struct es_block_column columns[] = {
		{ .id = 0, .unit_num = 1000, .unit_den = 1, .values = values[0] },
		{ .id = 1,
		  .unit_num = 61035,
		  .unit_den = 1000,
		  .values = values[1],
		  .present = present },
		{ .id = 2, .unit_num = 65359, .unit_den = 4273, .values = values[2] },
		{ .id = 300, .values = values[3], .present = present },
	};
	uint64_t seed = 59;

	fill_column(SHAPE_LINE, 300, &seed, values[0]);
	fill_column(SHAPE_POWER, 300, &seed, values[1]);
	for (size_t row = 0; row < 300; row++) {
		values[2][row] = (int64_t)((row * 1000 + 7) * 65359 / 4273);
		present[row] = row % 7 > 0;
	}
	fill_column(SHAPE_ANY, 300, &seed, values[3]);
	assert_int_equal(es_block_encode(columns, ES_ARRAY_SIZE(columns), 300, out), 0);
}

static void a_block_that_is_cut_off_is_refused(void **state)
{
	struct es_buf out;

	(void)state;
	es_buf_init(&out, 1 << 20);
	make_block(&out);
	assert_int_equal(read_all(out.data, out.len), 4);
	for (size_t n = 0; n < out.len; n++) {
		/* A copy of just this size, so that sanitizers see each byte read behind it. */
		uint8_t *copy = malloc(n + 1);

		assert_non_null(copy);
		memcpy(copy + 1, out.data, n);
		assert_int_equal(read_all(copy + 1, n), -EBADMSG);
		free(copy);
	}
	assert_int_equal(es_buf_u8(&out, 0), 0);
	assert_int_equal(read_all(out.data, out.len), -EBADMSG);
	es_buf_finish(&out);
}

static void flipped_bits_are_refused_or_read_without_harm(void **state)
{
	struct es_buf out;
	uint64_t seed = 61;

	(void)state;
	es_buf_init(&out, 1 << 20);
	make_block(&out);
	for (size_t bit = 0; bit < out.len * 8; bit++) {
		out.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_true(read_all(out.data, out.len) >= -EBADMSG);
		out.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	for (unsigned round = 0; round < 5000; round++) {
		uint8_t kept[4];
		size_t at[4];

		for (unsigned i = 0; i < 4; i++) {
			at[i] = test_random_below(&seed, out.len);
			kept[i] = out.data[at[i]];
			out.data[at[i]] = (uint8_t)test_random(&seed);
		}
		assert_true(read_all(out.data, out.len) >= -EBADMSG);
		for (unsigned i = 4; i-- > 0;)
			out.data[at[i]] = kept[i];
	}
	es_buf_finish(&out);
}

static void headers_that_promise_too_much_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} headers[] = {
		{ "", 0 },
		{ "\x02\x01\x00", 3 }, /* another version */
		{ "\x01\x00\x00", 3 }, /* no row */
		{ "\x01\x81\x80\x04\x00", 5 }, /* 65537 rows */
		{ "\x01\x01\x81\x80\x01", 5 }, /* 16385 columns */
		{ "\x01\x01\x01", 3 }, /* the column is missing */
		{ "\x01\x01\x01\x00\x03\x00", 6 }, /* order 3 */
		{ "\x01\x01\x01\x00\x40\x00", 6 }, /* a flag of the future */
		{ "\x01\x01\x01\x00\x38\x00\x01\x00", 8 }, /* unit 0/1 */
		{ "\x01\x01\x01\x00\x38\x01\x00\x00", 8 }, /* unit 1/0 */
		{ "\x01\x01\x01\x80\x80\x80\x80\x10\x00\x00", 10 }, /* id 2^32 */
		{ "\x01\x01\x01\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		  15 }, /* payload 2^64 - 1 */
		{ "\x01\x01\x01\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
		  15 }, /* more than 64 bits */
		{ "\x01\x01\x00\x00", 4 }, /* a byte too many */
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(headers); i++)
		assert_int_equal(read_all(headers[i].bytes, headers[i].n), -EBADMSG);
}

static void counts_beyond_any_value_are_refused(void **state)
{
	/* one row, order 0, unit (2^32 - 1)/1, one Rice run: parameter 63, quotient 0, 63 bits set: -2^62 or 2^62 */
	static const uint8_t block[] = { 1, 1,	  1,	7,    0x38, 0xff, 0xff, 0xff, 0xff, 0x0f, 1,
					 9, 0x3f, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f };
	uint8_t large[sizeof(block)];

	(void)state;
	memcpy(large, block, sizeof(block));
	assert_int_equal(read_all(block, sizeof(block)), -EBADMSG);
	large[13] = 0xfc; /* the lowest bit clear: positive */
	assert_int_equal(read_all(large, sizeof(large)), -EBADMSG);
	large[4] = 0; /* the same without a unit is a value */
	memmove(large + 5, large + 11, 10);
	assert_int_equal(read_all(large, 15), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_of_any_shape_and_length_come_back),
		cmocka_unit_test(holes_anywhere_come_back),
		cmocka_unit_test(values_of_a_unit_come_back_and_take_fewer_bytes),
		cmocka_unit_test(counters_of_perf_are_known_by_their_values),
		cmocka_unit_test(values_that_do_not_fit_their_unit_come_back_as_they_are),
		cmocka_unit_test(counts_of_the_largest_values_come_back),
		cmocka_unit_test(small_blocks_have_little_besides_their_values),
		cmocka_unit_test(a_block_has_rows_and_is_not_too_large),
		cmocka_unit_test(a_buffer_that_is_full_is_told),
		cmocka_unit_test(a_block_that_is_cut_off_is_refused),
		cmocka_unit_test(flipped_bits_are_refused_or_read_without_harm),
		cmocka_unit_test(headers_that_promise_too_much_are_refused),
		cmocka_unit_test(counts_beyond_any_value_are_refused),
	};

	return cmocka_run_group_tests_name("block/block", tests, NULL, NULL);
}
