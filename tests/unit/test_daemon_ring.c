/*
 * test_daemon_ring.c - sweeps come in order and whole, or not at all
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <pthread.h>
#include <sched.h>

#include "daemon/ring.h"

#define N_DOMAINS 3
#define N_SWEEPS 20000

static bool put(struct es_ring *ring, uint64_t sequence)
{
	struct es_reading *readings;
	struct es_sweep *sweep = es_ring_begin(ring, &readings);

	if (!sweep)
		return false;
	sweep->sequence = sequence;
	for (size_t i = 0; i < N_DOMAINS; i++)
		readings[i] = (struct es_reading){ .value = sequence * 10 + i };
	es_ring_end(ring);
	return true;
}

static void check(const struct es_sweep *sweep, uint64_t sequence)
{
	assert_int_equal(sweep->sequence, sequence);
	assert_int_equal(sweep->n, N_DOMAINS);
	for (size_t i = 0; i < N_DOMAINS; i++)
		assert_int_equal(sweep->readings[i].value, sequence * 10 + i);
}

static void what_does_not_fit_is_not_taken(void **state)
{
	struct es_ring ring;
	uint64_t n = 0;

	(void)state;
	assert_int_equal(es_ring_init(&ring, N_DOMAINS), 0);
	assert_null(es_ring_peek(&ring));
	while (put(&ring, n + 1))
		n++;
	assert_true(n >= 8);
	for (uint64_t i = 1; i <= n; i++) {
		check(es_ring_peek(&ring), i);
		es_ring_take(&ring);
	}
	assert_null(es_ring_peek(&ring));
	assert_true(put(&ring, 77));
	check(es_ring_peek(&ring), 77);
	es_ring_finish(&ring);
}

static void a_ring_of_many_domains_has_room_for_a_few(void **state)
{
	struct es_ring ring;

	(void)state;
	assert_int_equal(es_ring_init(&ring, 4096), 0);
	assert_true(ring.n_slots >= 8);
	assert_true(ring.n_slots * 4096 * sizeof(struct es_reading) < (8U << 20));
	es_ring_finish(&ring);
}

static void *write_all(void *arg)
{
	for (uint64_t i = 1; i <= N_SWEEPS;)
		if (put(arg, i))
			i++;
		else
			(void)sched_yield();
	return NULL;
}

static void two_threads_need_no_lock(void **state)
{
	struct es_ring ring;
	pthread_t writer;

	(void)state;
	assert_int_equal(es_ring_init(&ring, N_DOMAINS), 0);
	assert_int_equal(pthread_create(&writer, NULL, write_all, &ring), 0);
	for (uint64_t i = 1; i <= N_SWEEPS;) {
		const struct es_sweep *sweep = es_ring_peek(&ring);

		if (!sweep) {
			(void)sched_yield();
			continue;
		}
		check(sweep, i++);
		es_ring_take(&ring);
	}
	assert_int_equal(pthread_join(writer, NULL), 0);
	es_ring_finish(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_fit_is_not_taken),
		cmocka_unit_test(a_ring_of_many_domains_has_room_for_a_few),
		cmocka_unit_test(two_threads_need_no_lock),
	};

	return cmocka_run_group_tests_name("daemon/ring", tests, NULL, NULL);
}
