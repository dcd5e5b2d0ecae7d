/*
 * test_daemon_sampling.c - the thread that reads the meters does as it is told, and never waits for who takes its sweeps
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/sampling.h"
#include "support/tree.h"

#define MS ES_NS_PER_MS
#define PATIENCE_S 20 /* of a busy machine */

struct fixture {
	char dir[64];
	struct es_tree tree;
	struct es_root root;
	struct es_sampler *sampler;
	struct es_sampling *sampling;
	size_t domains[ES_TREE_ZONES_MAX];
	size_t n;
	sem_t woken;
};

static void wake(void *arg)
{
	(void)sem_post(arg);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct es_sampling_options options;
	size_t n;

	assert_non_null(f);
	assert_int_equal(sem_init(&f->woken, 0, 0), 0);
	assert_int_equal(es_tree_temp(f->dir), 0);
	assert_int_equal(es_tree_create(f->dir, "skx2s", &f->tree), 0);
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	assert_int_equal(es_sampler_create(&f->root, NULL, &f->sampler, NULL), 0);
	(void)es_sampler_domains(f->sampler, &n);
	for (size_t i = 0; i < n; i++)
		if (es_sampler_is_listed(f->sampler, i))
			f->domains[f->n++] = i;
	options = (struct es_sampling_options){
		.sampler = f->sampler,
		.domains = f->domains,
		.n_domains = f->n,
		.period_ns = 60 * ES_NS_PER_S,
		.first_sequence = 100,
		.cpu = 100000, /* it is not there: anywhere, then */
		.wake = wake,
		.arg = &f->woken,
	};
	assert_int_equal(es_sampling_start(&options, &f->sampling, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_sampling_stop(f->sampling);
	es_sampling_destroy(f->sampling);
	es_sampler_destroy(f->sampler);
	es_tree_close(&f->tree);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	(void)sem_destroy(&f->woken);
	free(f);
	return 0;
}

/* The next sweep; its number is the one after @last, where that is given. */
static struct es_sweep next(struct fixture *f, uint64_t last)
{
	struct timespec until;
	const struct es_sweep *sweep;
	struct es_sweep copy;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	while (!(sweep = es_ring_peek(es_sampling_ring(f->sampling))))
		assert_int_equal(sem_timedwait(&f->woken, &until), 0);
	copy = *sweep;
	assert_int_equal(copy.n, f->n);
	assert_int_equal(copy.readings[0].error, 0);
	if (last)
		assert_int_equal(copy.sequence, last + 1);
	es_ring_take(es_sampling_ring(f->sampling));
	return copy;
}

static void it_begins_and_ends_with_a_sweep(void **state)
{
	struct fixture *f = *state;
	struct es_sweep first = next(f, 0), last;
	int64_t told_ns = es_clock_mono_ns();

	assert_int_equal(first.sequence, 100);
	es_sampling_stop(f->sampling);
	last = next(f, 100);
	assert_true(last.mono_ns >= told_ns);
	assert_null(es_ring_peek(es_sampling_ring(f->sampling)));
	es_sampling_stop(f->sampling); /* once more does nothing */
}

static void a_sweep_out_of_turn_begins_after_the_wish(void **state)
{
	struct fixture *f = *state;
	uint64_t last = next(f, 0).sequence;

	for (int i = 0; i < 5; i++) {
		int64_t wish_ns = es_sampling_wish(f->sampling);
		struct es_sweep sweep = next(f, last);

		last = sweep.sequence;
		assert_true(sweep.mono_ns >= wish_ns);
	}
}

static void another_period_is_kept_from_now_on(void **state)
{
	struct fixture *f = *state;
	struct es_sampling_stats stats;
	uint64_t last = next(f, 0).sequence;

	es_sampling_period(f->sampling, 2 * MS);
	for (int i = 0; i < 20; i++)
		last = next(f, last).sequence;
	es_sampling_stats(f->sampling, &stats);
	assert_int_equal(stats.period_ns, 2 * MS);
	assert_true(stats.n_sweeps >= 20);
	es_sampling_period(f->sampling, 60 * ES_NS_PER_S);
	while (stats.period_ns == 2 * MS) {
		(void)usleep(1000);
		es_sampling_stats(f->sampling, &stats);
	}
}

/* Readers come and go, each with a period of its own: whoever does so all the time holds up nobody. */
static void plans_without_end_keep_no_sweep_away(void **state)
{
	struct fixture *f = *state;
	uint64_t last = next(f, 0).sequence;
	int64_t until_ns = es_clock_mono_ns() + PATIENCE_S * ES_NS_PER_S;
	unsigned n = 0;

	for (int64_t i = 0; n < 20 && es_clock_mono_ns() < until_ns; i++) {
		es_sampling_period(f->sampling, (100 + i % 2) * MS);
		(void)usleep(500);
		while (es_ring_peek(es_sampling_ring(f->sampling))) {
			last = next(f, last).sequence;
			n++;
		}
	}
	assert_true(n >= 20);
}

static void who_takes_nothing_holds_up_nobody(void **state)
{
	struct fixture *f = *state;
	struct es_sampling_stats stats = { .n_dropped = 0 };
	uint64_t last, sequence, hole = 0;

	es_sampling_period(f->sampling, MS);
	while (stats.n_dropped < 5) {
		(void)usleep(1000);
		es_sampling_stats(f->sampling, &stats);
	}
	es_sampling_period(f->sampling, 60 * ES_NS_PER_S);
	/* The oldest are there, and what is missing shows in the numbers. */
	last = next(f, 0).sequence;
	assert_int_equal(last, 100);
	/* One more may come when there is room again, before the period has changed. */
	while (es_ring_peek(es_sampling_ring(f->sampling))) {
		sequence = next(f, 0).sequence;
		hole = sequence - last > hole ? sequence - last : hole;
		last = sequence;
	}
	(void)es_sampling_wish(f->sampling);
	sequence = next(f, 0).sequence;
	hole = sequence - last > hole ? sequence - last : hole;
	assert_true(hole > 5);
}

static void letting_go_is_done_by_the_thread(void **state)
{
	struct fixture *f = *state;
	int64_t until_ns = es_clock_mono_ns() + PATIENCE_S * ES_NS_PER_S;
	int r;

	while ((r = es_sampling_release(f->sampling)) == -EINPROGRESS &&
	       es_clock_mono_ns() < until_ns)
		(void)usleep(1000);
	assert_int_equal(r, -EOPNOTSUPP); /* there are no GPUs here */
	es_sampling_take(f->sampling);
	(void)es_sampling_wish(f->sampling);
	(void)next(f, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_begins_and_ends_with_a_sweep),
		TEST(a_sweep_out_of_turn_begins_after_the_wish),
		TEST(another_period_is_kept_from_now_on),
		TEST(plans_without_end_keep_no_sweep_away),
		TEST(who_takes_nothing_holds_up_nobody),
		TEST(letting_go_is_done_by_the_thread),
	};

	return cmocka_run_group_tests_name("daemon/sampling", tests, NULL, NULL);
}
