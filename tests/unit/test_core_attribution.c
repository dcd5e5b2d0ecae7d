/*
 * test_core_attribution.c - sums are exact, order does not matter, nothing overflows
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <string.h>

#include "core/attribution.h"
#include "core/share.h"
#include "support/random.h"

#define JOBS_MAX 40
#define ROUNDS 5000

struct shared {
	struct es_share_part part;
	struct es_share_claim claims[JOBS_MAX];
	size_t n;
	struct es_portion portions[JOBS_MAX];
	uint64_t idle_uj, rest_uj;
};

static void share(struct shared *s)
{
	es_share_out(&s->part, s->claims, s->n, s->portions, &s->idle_uj, &s->rest_uj);
}

static void assert_closed(const struct shared *s)
{
	uint64_t left = s->part.energy_uj;

	/* Taken away one by one: no sum can overflow, and nothing can be below 0. */
	assert_true(s->idle_uj <= left);
	left -= s->idle_uj;
	assert_true(s->rest_uj <= left);
	left -= s->rest_uj;
	for (size_t i = 0; i < s->n; i++) {
		assert_true(s->portions[i].idle_uj <= left);
		left -= s->portions[i].idle_uj;
		assert_true(s->portions[i].dynamic_uj <= left);
		left -= s->portions[i].dynamic_uj;
	}
	assert_int_equal(left, 0);
}

static void make_up(struct shared *s, uint64_t *seed, unsigned bits)
{
	uint64_t mask = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;

	memset(s, 0, sizeof(*s));
	s->n = test_random_below(seed, JOBS_MAX + 1);
	s->part = (struct es_share_part){ .energy_uj = test_random_long(seed) & mask,
					  .idle_uj = test_random_long(seed) & mask,
					  .used = test_random_long(seed) & mask,
					  .held = test_random_long(seed) & mask };
	for (size_t i = 0; i < s->n; i++)
		s->claims[i] = (struct es_share_claim){ .used = test_random_long(seed) & mask,
							.held = test_random_long(seed) & mask };
}

static void sums_are_exact_for_any_numbers(void **state)
{
	uint64_t seed = 1;
	struct shared s;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		make_up(&s, &seed, 64);
		share(&s);
		assert_closed(&s);
	}
}

static void extremes_neither_overflow_nor_divide_by_nothing(void **state)
{
	static const uint64_t values[] = { 0, 1, UINT64_MAX - 1, UINT64_MAX };
	struct shared s = { .n = JOBS_MAX };

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		s.part = (struct es_share_part){ .energy_uj = values[i & 3],
						 .idle_uj = values[i >> 2 & 3],
						 .used = values[i >> 4 & 3],
						 .held = values[i >> 6 & 3] };
		for (size_t j = 0; j < s.n; j++)
			s.claims[j] = (struct es_share_claim){ .used = values[(i + j) & 3],
							       .held = values[(i / 4 + j) & 3] };
		share(&s);
		assert_closed(&s);
	}
}

/* The definition: each share alone, in floating point wide enough. */
static void assert_near_exact(uint64_t share_uj, uint64_t whole_uj, uint64_t weight, uint64_t total)
{
	long double exact = total ? (long double)whole_uj * (long double)weight / (long double)total
				  : 0;

	assert_true((long double)share_uj <= exact + 1.0L);
	assert_true((long double)share_uj >= exact - 1.0L);
}

static void each_share_is_the_exact_one_to_a_unit(void **state)
{
	uint64_t seed = 2;
	struct shared s;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t used = 0, held = 0, idle_uj;

		make_up(&s, &seed, 40);
		for (size_t j = 0; j < s.n; j++) {
			used += s.claims[j].used;
			held += s.claims[j].held;
		}
		used = used > s.part.used ? used : s.part.used;
		held = held > s.part.held ? held : s.part.held;
		idle_uj = s.part.idle_uj < s.part.energy_uj ? s.part.idle_uj : s.part.energy_uj;

		share(&s);

		for (size_t j = 0; j < s.n; j++) {
			assert_near_exact(s.portions[j].idle_uj, idle_uj, s.claims[j].held, held);
			assert_near_exact(s.portions[j].dynamic_uj, s.part.energy_uj - idle_uj,
					  s.claims[j].used, used);
		}
	}
}

static void order_of_jobs_moves_a_unit_at_most(void **state)
{
	uint64_t seed = 3;
	struct shared s, t;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		make_up(&s, &seed, 40);
		t = s;
		for (size_t j = 0; j < s.n; j++)
			t.claims[j] = s.claims[s.n - 1 - j];

		share(&s);
		share(&t);

		assert_true(s.idle_uj - t.idle_uj + 1 <= 2);
		assert_true(s.rest_uj - t.rest_uj + 1 <= 2);
		for (size_t j = 0; j < s.n; j++) {
			const struct es_portion *other = &t.portions[s.n - 1 - j];

			assert_true(s.portions[j].dynamic_uj - other->dynamic_uj + 1 <= 2);
			assert_true(s.portions[j].idle_uj - other->idle_uj + 1 <= 2);
		}
	}
}

static void who_did_and_held_nothing_gets_nothing(void **state)
{
	struct shared s = {
		.part = { .energy_uj = 1000003, .idle_uj = 400001, .used = 7, .held = 3 },
		.claims = { { 0, 0 }, { 7, 0 }, { 0, 3 }, { 0, 0 } },
		.n = 4
	};

	(void)state;
	share(&s);

	assert_closed(&s);
	assert_int_equal(s.portions[0].dynamic_uj + s.portions[0].idle_uj, 0);
	assert_int_equal(s.portions[3].dynamic_uj + s.portions[3].idle_uj, 0);
	assert_int_equal(s.portions[1].dynamic_uj, 600002);
	assert_int_equal(s.portions[2].idle_uj, 400001);
	assert_int_equal(s.idle_uj + s.rest_uj, 0);
}

static void what_no_job_used_or_held_is_nobodys(void **state)
{
	struct shared s = { .part = { .energy_uj = 1000, .idle_uj = 400, .used = 100, .held = 4 },
			    .claims = { { 25, 1 }, { 50, 1 } },
			    .n = 2 };

	(void)state;
	share(&s);

	assert_int_equal(s.portions[0].dynamic_uj, 150);
	assert_int_equal(s.portions[1].dynamic_uj, 300);
	assert_int_equal(s.rest_uj, 150);
	assert_int_equal(s.portions[0].idle_uj, 100);
	assert_int_equal(s.idle_uj, 200);
}

static void a_job_alone_has_the_share_that_a_run_says_by_cpu_time(void **state)
{
	/* core/share.h, for a command on a machine that it has not for itself, is the same rule. */
	const struct es_share_of of = { .energy_j = 1.0,
					.dur_ns = 1000,
					.cpu_ns = 300,
					.busy_ns = 1200,
					.has_idle = true,
					.idle_w = 4e5,
					.n_allocated = 2,
					.n_cpus = 8 };
	struct shared s = {
		.part = { .energy_uj = 1000000, .idle_uj = 400000, .used = 1200, .held = 8 },
		.claims = { { 300, 2 } },
		.n = 1
	};
	struct es_share of_run;

	(void)state;
	assert_int_equal(es_share_by_cpu_time(&of, &of_run), 0);
	share(&s);

	assert_int_equal(s.portions[0].dynamic_uj + s.portions[0].idle_uj,
			 (uint64_t)(of_run.energy_j * 1e6 + 0.5));
}

static void part_of_is_exact_at_its_ends(void **state)
{
	(void)state;
	assert_int_equal(es_part_of(UINT64_MAX, 1, 1), UINT64_MAX);
	assert_int_equal(es_part_of(UINT64_MAX, UINT64_MAX, UINT64_MAX), UINT64_MAX);
	assert_int_equal(es_part_of(UINT64_MAX, UINT64_MAX - 1, UINT64_MAX), UINT64_MAX - 1);
	assert_int_equal(es_part_of(100, 5, 0), 0);
	assert_int_equal(es_part_of(100, 5, 3), 100);
	assert_int_equal(es_part_of(100, 1, 3), 33);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_exact_for_any_numbers),
		cmocka_unit_test(extremes_neither_overflow_nor_divide_by_nothing),
		cmocka_unit_test(each_share_is_the_exact_one_to_a_unit),
		cmocka_unit_test(order_of_jobs_moves_a_unit_at_most),
		cmocka_unit_test(who_did_and_held_nothing_gets_nothing),
		cmocka_unit_test(what_no_job_used_or_held_is_nobodys),
		cmocka_unit_test(a_job_alone_has_the_share_that_a_run_says_by_cpu_time),
		cmocka_unit_test(part_of_is_exact_at_its_ends),
	};

	return cmocka_run_group_tests_name("core/attribution", tests, NULL, NULL);
}
