/*
 * test_record_rows.c - sweeps of readings into blocks and back
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "block/block.h"
#include "record/rows.h"
#include "support/random.h"

#define N_DOMAINS 3U

static struct es_domain domains[N_DOMAINS];

static int make_domains(void **state)
{
	(void)state;
	es_domain_init(&domains[0], "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	domains[0].range = (struct es_counter_range){ .unit_nj = 61035, .modulus_nj = 0 };
	es_domain_init(&domains[1], "ipmi", ES_DOMAIN_NODE, -1, -1);
	domains[1].is_power = true;
	es_domain_init(&domains[2], "estimate", ES_DOMAIN_NODE, -1, -1);
	domains[2].has_activity = true;
	return 0;
}

static int64_t to_us(int64_t t_ns)
{
	return (t_ns + 500) / 1000 * 1000;
}

static void readings_come_back_to_the_microsecond(void **state)
{
	const int64_t start_ns = 86400123456789;
	struct es_rows rows, back;
	uint64_t seed = 3, again = 3;
	struct es_buf out;

	(void)state;
	assert_int_equal(es_rows_init(&rows, domains, N_DOMAINS, 50), 0);
	assert_int_equal(es_rows_init(&back, domains, N_DOMAINS, 1), 0);
	es_buf_init(&out, 1 << 20);
	for (int64_t row = 0; row < 50; row++) {
		assert_true(es_rows_add(&rows, start_ns + row * 100000777));
		for (size_t i = 0; i < N_DOMAINS; i++)
			if (test_random_below(&seed, 5) > 0)
				es_rows_set(&rows, i,
					    start_ns + row * 100000777 + (int64_t)i * 33333,
					    (uint64_t)row * 25000000 + i, row * 1000 + 7);
	}
	assert_false(es_rows_add(&rows, start_ns));
	assert_int_equal(es_rows_encode(&rows, &out), 0);
	assert_int_equal(es_rows_decode(&back, out.data, out.len), 0);

	assert_int_equal(back.n_rows, 50);
	for (int64_t row = 0; row < 50; row++) {
		assert_true(back.sweep_ns[row] == to_us(start_ns + row * 100000777));
		for (size_t i = 0; i < N_DOMAINS; i++) {
			size_t cell = i * back.cap_rows + (size_t)row;

			assert_int_equal(back.present[cell], test_random_below(&again, 5) > 0);
			if (!back.present[cell])
				continue;
			assert_true(back.values[cell] == row * 25000000 + (int64_t)i);
			assert_true(back.sweep_ns[row] + back.offsets_ns[cell] ==
				    to_us(start_ns + row * 100000777 + (int64_t)i * 33333));
			assert_true(back.activities_ns[cell] == (i == 2 ? row * 1000 + 7 : 0));
		}
	}
	es_rows_finish(&rows);
	es_rows_finish(&back);
	es_buf_finish(&out);
}

static size_t columns_of(const struct es_buf *block)
{
	struct es_block_info info;
	struct es_block opened;
	size_t n = 0;

	assert_int_equal(es_block_open(&opened, block->data, block->len), 0);
	while (es_block_next(&opened, &info) > 0)
		n++;
	return n;
}

/* Times of the sweeps, and for each domain its values; the offsets of one of them only. */
static void what_is_read_at_the_time_of_the_sweep_takes_no_column_for_that(void **state)
{
	struct es_rows rows, back;
	struct es_buf out;

	(void)state;
	assert_int_equal(es_rows_init(&rows, domains, 2, 50), 0);
	assert_int_equal(es_rows_init(&back, domains, 2, 50), 0);
	back.offsets_ns[0] = 77; /* of an older block */
	es_buf_init(&out, 1 << 20);
	for (int64_t row = 0; row < 50; row++) {
		int64_t t_ns = row * 1000000000;

		assert_true(es_rows_add(&rows, t_ns));
		es_rows_set(&rows, 0, t_ns, (uint64_t)row * 61035, 0);
		es_rows_set(&rows, 1, row == 49 ? t_ns + 5000 : t_ns, 1000, 0);
	}
	assert_int_equal(es_rows_encode(&rows, &out), 0);
	assert_int_equal(es_rows_decode(&back, out.data, out.len), 0);

	assert_int_equal(columns_of(&out), 4);
	for (size_t row = 0; row < 50; row++) {
		assert_int_equal(back.present[row], 1);
		assert_int_equal(back.offsets_ns[row], 0);
		assert_int_equal(back.offsets_ns[back.cap_rows + row], row == 49 ? 5000 : 0);
	}
	es_buf_finish(&out);
	es_rows_finish(&rows);
	es_rows_finish(&back);
}

static void no_rows_take_no_bytes(void **state)
{
	struct es_rows rows;
	struct es_buf out;

	(void)state;
	assert_int_equal(es_rows_init(&rows, domains, N_DOMAINS, 5), 0);
	es_buf_init(&out, 1000);
	assert_int_equal(es_rows_encode(&rows, &out), 0);
	assert_int_equal(out.len, 0);
	assert_true(es_rows_add(&rows, 1));
	es_rows_clear(&rows);
	assert_int_equal(es_rows_encode(&rows, &out), 0);
	assert_int_equal(out.len, 0);
	es_rows_finish(&rows);
	es_buf_finish(&out);
}

static void sweeps_without_readings_and_tables_without_domains_come_back(void **state)
{
	struct es_rows rows, none;
	struct es_buf out;

	(void)state;
	assert_int_equal(es_rows_init(&rows, domains, N_DOMAINS, 2), 0);
	assert_int_equal(es_rows_init(&none, NULL, 0, 2), 0);
	es_buf_init(&out, 1000);
	assert_true(es_rows_add(&rows, -5000));
	assert_true(es_rows_add(&rows, 5000));
	assert_int_equal(es_rows_encode(&rows, &out), 0);
	es_rows_clear(&rows);
	assert_int_equal(es_rows_decode(&rows, out.data, out.len), 0);
	assert_int_equal(rows.n_rows, 2);
	assert_int_equal(rows.sweep_ns[0], -5000);
	assert_int_equal(rows.present[0], 0);
	assert_int_equal(es_rows_decode(&none, out.data, out.len), 0);
	assert_int_equal(none.n_rows, 2);
	es_rows_finish(&rows);
	es_rows_finish(&none);
	es_buf_finish(&out);
}

static void nothing_of_an_older_block_is_left(void **state)
{
	struct es_buf full, empty;
	struct es_rows rows;

	(void)state;
	assert_int_equal(es_rows_init(&rows, domains, N_DOMAINS, 4), 0);
	es_buf_init(&full, 1000);
	es_buf_init(&empty, 1000);
	assert_true(es_rows_add(&rows, 1000));
	assert_int_equal(es_rows_encode(&rows, &empty), 0);
	es_rows_clear(&rows);
	assert_true(es_rows_add(&rows, 1000));
	for (size_t i = 0; i < N_DOMAINS; i++)
		es_rows_set(&rows, i, 7000, 9, 9);
	assert_int_equal(es_rows_encode(&rows, &full), 0);

	assert_int_equal(es_rows_decode(&rows, full.data, full.len), 0);
	assert_int_equal(rows.present[2 * rows.cap_rows], 1);
	assert_int_equal(es_rows_decode(&rows, empty.data, empty.len), 0);
	for (size_t i = 0; i < N_DOMAINS; i++) {
		assert_int_equal(rows.present[i * rows.cap_rows], 0);
		assert_int_equal(rows.offsets_ns[i * rows.cap_rows], 0);
		assert_int_equal(rows.activities_ns[i * rows.cap_rows], 0);
	}
	es_rows_finish(&rows);
	es_buf_finish(&full);
	es_buf_finish(&empty);
}

static void what_could_not_be_read_back_is_not_taken(void **state)
{
	struct es_rows rows;
	struct es_buf out;

	(void)state;
	assert_int_equal(es_rows_init(&rows, domains, N_DOMAINS, 4), 0);
	es_buf_init(&out, 1000);
	assert_true(es_rows_add(&rows, 1000));
	es_rows_set(&rows, 0, 1000, (uint64_t)INT64_MAX + 1, 0);
	es_rows_set(&rows, 1, 1000, 5, -1);
	es_rows_set(&rows, 2, INT64_MAX, 5, 0);
	es_rows_set(&rows, 2, INT64_MIN, 5, 0);
	for (size_t i = 0; i < N_DOMAINS; i++)
		assert_int_equal(rows.present[i * rows.cap_rows], 0);
	es_rows_set(&rows, 0, 1000, (uint64_t)INT64_MAX, 0);
	assert_int_equal(rows.present[0], 1);
	assert_int_equal(es_rows_encode(&rows, &out), 0);
	assert_int_equal(es_rows_decode(&rows, out.data, out.len), 0);
	assert_true(rows.values[0] == INT64_MAX);

	es_rows_clear(&rows);
	assert_true(es_rows_add(&rows, INT64_MAX));
	assert_int_equal(es_rows_encode(&rows, &out), -ERANGE);
	es_rows_finish(&rows);
	es_buf_finish(&out);
}

static void tables_have_limits(void **state)
{
	struct es_rows rows;

	(void)state;
	assert_int_equal(es_rows_init(&rows, domains, N_DOMAINS, 0), -EINVAL);
	assert_int_equal(es_rows_init(&rows, domains, N_DOMAINS, ES_BLOCK_ROWS_MAX + 1), -EINVAL);
	assert_int_equal(es_rows_init(&rows, domains, ES_DOMAINS_MAX + 1, 1), -EINVAL);
	assert_int_equal(es_rows_init(&rows, domains, ES_DOMAINS_MAX, 2000), -EINVAL);
}

/* A block of two rows made by hand: column 0 and another. */
static int decode_columns(const struct es_block_column *columns, size_t n_columns)
{
	struct es_rows rows;
	struct es_buf out;
	int r;

	es_buf_init(&out, 1000);
	assert_int_equal(es_block_encode(columns, n_columns, 2, &out), 0);
	assert_int_equal(es_rows_init(&rows, domains, N_DOMAINS, 1), 0);
	r = es_rows_decode(&rows, out.data, out.len);
	assert_int_equal(rows.n_rows, r < 0 ? 0 : 2);
	es_rows_finish(&rows);
	es_buf_finish(&out);
	return r;
}

static void columns_that_cannot_be_are_refused(void **state)
{
	static const int64_t times[] = { 1000, 2000 }, values[] = { 5, 6 }, negative[] = { 5, -6 };
	static const int64_t extreme[] = { INT64_MIN, INT64_MAX };
	static const uint8_t hole[] = { 1, 0 };
	const struct es_block_column time = { .id = 0, .values = times };
	const struct es_block_column value = { .id = 1, .values = values };
	const struct es_block_column beside = { .id = 2, .values = values };
	const struct {
		struct es_block_column columns[3];
		size_t n;
		int r;
	} vectors[] = {
		{ { time, value, beside }, 3, 0 },
		{ { time, value }, 2, 0 },
		{ { value, beside, time }, 3, 0 },
		{ { value }, 1, -EBADMSG }, /* no times */
		{ { { .id = 0, .values = times, .present = hole } }, 1, -EBADMSG },
		{ { { .id = 0, .values = extreme } }, 1, -EBADMSG },
		{ { time, { .id = 1, .values = negative } }, 2, -EBADMSG },
		{ { time, beside }, 2, -EBADMSG }, /* beside nothing */
		{ { time, value, { .id = 2, .values = extreme } }, 3, -EBADMSG },
		{ { time, value, { .id = 2, .values = values, .present = hole } }, 3, -EBADMSG },
		{ { time, value, { .id = 3, .values = negative } }, 3, -EBADMSG },
		{ { time, { .id = 10, .values = values } }, 2, -EBADMSG }, /* domain 3 of 3 */
		{ { time, { .id = UINT32_MAX, .values = values } }, 2, -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++)
		assert_int_equal(decode_columns(vectors[i].columns, vectors[i].n), vectors[i].r);
}

static void a_small_block_cannot_ask_for_all_memory(void **state)
{
	static struct es_domain many[ES_DOMAINS_MAX];
	/* 65,536 rows by 4,096 domains would be 8 GB. */
	static const uint8_t block[] = { 1, 0x80, 0x80, 4, 0 };
	struct es_rows rows;

	(void)state;
	for (size_t i = 0; i < ES_DOMAINS_MAX; i++)
		many[i] = domains[0];
	assert_int_equal(es_rows_init(&rows, many, ES_DOMAINS_MAX, 1), 0);
	assert_int_equal(es_rows_decode(&rows, block, sizeof(block)), -EBADMSG);
	es_rows_finish(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readings_come_back_to_the_microsecond),
		cmocka_unit_test(what_is_read_at_the_time_of_the_sweep_takes_no_column_for_that),
		cmocka_unit_test(no_rows_take_no_bytes),
		cmocka_unit_test(sweeps_without_readings_and_tables_without_domains_come_back),
		cmocka_unit_test(nothing_of_an_older_block_is_left),
		cmocka_unit_test(what_could_not_be_read_back_is_not_taken),
		cmocka_unit_test(tables_have_limits),
		cmocka_unit_test(columns_that_cannot_be_are_refused),
		cmocka_unit_test(a_small_block_cannot_ask_for_all_memory),
	};

	return cmocka_run_group_tests_name("record/rows", tests, make_domains, NULL);
}
