/*
 * test_core_owners.c - whose time it is, against the definition tried call by call
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/owners.h"
#include "support/random.h"

#define CALLS_MAX 64

struct fixture {
	struct es_call calls[CALLS_MAX];
	struct es_call_edge edges[2 * CALLS_MAX];
	size_t n_calls, n_edges;
	struct es_owners owners;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_owners_finish(&f->owners);
	free(f);
	return 0;
}

/* Edges are given in order; a call is its region's only one here. */
static void edge(struct fixture *f, int64_t t_ns, uint32_t region, bool is_stop)
{
	uint32_t call = 0;

	if (!is_stop) {
		call = (uint32_t)f->n_calls++;
		f->calls[call] =
			(struct es_call){ .region = region, .start_ns = t_ns, .takes_time = true };
	} else {
		while (f->calls[call].region != region)
			call++;
		f->calls[call].stop_ns = t_ns;
		f->calls[call].stop_edge = (uint32_t)f->n_edges;
	}
	f->edges[f->n_edges++] =
		(struct es_call_edge){ .t_ns = t_ns, .call = call, .is_stop = is_stop };
}

static int build(struct fixture *f)
{
	return es_owners_build(f->calls, f->n_calls, f->edges, f->n_edges, CALLS_MAX, &f->owners);
}

/* A bit for each region that owns the time right after @t_ns. */
static uint64_t owners_after(const struct es_owners *owners, int64_t t_ns)
{
	uint64_t bits = 0;
	size_t i = 0;

	while (i + 1 < owners->n && owners->t_ns[i + 1] <= t_ns)
		i++;
	for (uint32_t k = owners->first[owners->state[i]]; k < owners->first[owners->state[i] + 1];
	     k++)
		bits |= UINT64_C(1) << owners->regions[k];
	return bits;
}

static void without_calls_all_is_untagged(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(build(f), 0);

	assert_int_equal(f->owners.n, 1);
	assert_int_equal(owners_after(&f->owners, 0), 0);
}

static void the_innermost_has_the_time(void **state)
{
	struct fixture *f = *state;

	edge(f, 10, 0, false);
	edge(f, 20, 1, false);
	edge(f, 30, 1, true);
	edge(f, 40, 0, true);
	assert_int_equal(build(f), 0);

	assert_int_equal(owners_after(&f->owners, 9), 0);
	assert_int_equal(owners_after(&f->owners, 10), 1 << 0);
	assert_int_equal(owners_after(&f->owners, 20), 1 << 1);
	assert_int_equal(owners_after(&f->owners, 30), 1 << 0);
	assert_int_equal(owners_after(&f->owners, 40), 0);
	assert_int_equal(f->owners.n, 5);
	assert_int_equal(f->owners.n_states, 3);
}

static void what_overlaps_without_nesting_is_shared(void **state)
{
	struct fixture *f = *state;

	edge(f, 10, 5, false);
	edge(f, 20, 2, false);
	edge(f, 30, 5, true);
	edge(f, 40, 2, true);
	assert_int_equal(build(f), 0);

	assert_int_equal(owners_after(&f->owners, 10), 1 << 5);
	assert_int_equal(owners_after(&f->owners, 20), 1 << 5 | 1 << 2);
	assert_int_equal(owners_after(&f->owners, 30), 1 << 2);
	/* The regions of a set ascend. */
	assert_int_equal(f->owners.regions[f->owners.first[f->owners.state[2]]], 2);
}

/* The same times: who began last and stopped first was inside; who stopped last was beside. */
static void equal_times_are_told_by_the_order_of_edges(void **state)
{
	struct fixture *f = *state;

	edge(f, 10, 0, false);
	edge(f, 10, 1, false);
	edge(f, 20, 1, true);
	edge(f, 20, 0, true);
	edge(f, 30, 2, false);
	edge(f, 30, 3, false);
	edge(f, 40, 2, true);
	edge(f, 40, 3, true);
	assert_int_equal(build(f), 0);

	assert_int_equal(owners_after(&f->owners, 10), 1 << 1);
	assert_int_equal(owners_after(&f->owners, 30), 1 << 2 | 1 << 3);
}

static void a_call_of_no_length_owns_nothing(void **state)
{
	struct fixture *f = *state;

	edge(f, 10, 0, false);
	edge(f, 15, 1, false);
	edge(f, 15, 1, true);
	edge(f, 20, 0, true);
	assert_int_equal(build(f), 0);

	assert_int_equal(f->owners.n, 3);
}

static void a_call_that_takes_no_time_changes_nothing(void **state)
{
	struct fixture *f = *state;

	edge(f, 10, 0, false);
	edge(f, 15, 1, false);
	edge(f, 18, 1, true);
	edge(f, 20, 0, true);
	f->calls[1].takes_time = false;
	assert_int_equal(build(f), 0);

	assert_int_equal(owners_after(&f->owners, 16), 1 << 0);
	assert_int_equal(f->owners.n, 3);
}

/* 1 runs inside of 0 and by itself: two states of one owner where 0 is short, one where it is not. */
static void what_runs_inside_a_short_call_is_told_apart(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 2; i++) {
		f->n_calls = 0;
		f->n_edges = 0;
		edge(f, 10, 0, false);
		edge(f, 20, 1, false);
		edge(f, 30, 1, true);
		edge(f, 40, 0, true);
		f->calls[0].is_short = i == 0;
		f->calls[f->n_calls] = (struct es_call){ .region = 1,
							 .start_ns = 50,
							 .stop_ns = 60,
							 .stop_edge = 5,
							 .takes_time = true };
		f->edges[4] = (struct es_call_edge){ .t_ns = 50, .call = 2 };
		f->edges[5] = (struct es_call_edge){ .t_ns = 60, .call = 2, .is_stop = true };
		f->n_calls++;
		f->n_edges = 6;
		assert_int_equal(build(f), 0);
		assert_int_equal(f->owners.n_states, i == 0 ? 4 : 3);
		assert_int_equal(owners_after(&f->owners, 20), 1 << 1);
		assert_int_equal(owners_after(&f->owners, 50), 1 << 1);
		es_owners_finish(&f->owners);
	}
}

/* By the definition: open, and no open call that began later stops earlier. */
static uint64_t owners_by_definition(const struct fixture *f, size_t n_edges)
{
	uint64_t bits = 0;
	size_t start[CALLS_MAX] = { 0 };

	for (size_t e = 0; e < n_edges; e++)
		if (!f->edges[e].is_stop)
			start[f->edges[e].call] = e + 1;
	for (size_t a = 0; a < f->n_calls; a++) {
		bool is_owner = start[a] && f->calls[a].stop_edge >= n_edges;

		for (size_t b = 0; b < f->n_calls && is_owner; b++)
			if (start[b] > start[a] && f->calls[b].stop_edge >= n_edges &&
			    f->calls[b].stop_edge < f->calls[a].stop_edge)
				is_owner = false;
		if (is_owner)
			bits |= UINT64_C(1) << f->calls[a].region;
	}
	return bits;
}

static void random_calls_follow_the_definition(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = 20261122;

	for (unsigned round = 0; round < 2000; round++) {
		unsigned n = 1 + (unsigned)test_random_below(&seed, CALLS_MAX);
		bool is_open[CALLS_MAX] = { false }, was_open[CALLS_MAX] = { false };
		int64_t t_ns = 0;

		f->n_calls = 0;
		f->n_edges = 0;
		while (f->n_edges < 2 * (size_t)n) {
			uint32_t region = (uint32_t)test_random_below(&seed, n);

			if (was_open[region] && !is_open[region])
				continue;
			/* Some rounds nest more, some overlap more. */
			if (is_open[region] && test_random_below(&seed, 1 + round % 5))
				continue;
			t_ns += (int64_t)test_random_below(&seed, 3);
			edge(f, t_ns, region, is_open[region]);
			is_open[region] = !is_open[region];
			was_open[region] = true;
		}
		/* Which ones are short changes states, never owners. */
		for (size_t c = 0; c < f->n_calls; c++)
			f->calls[c].is_short = test_random_below(&seed, 3) == 0;
		assert_int_equal(build(f), 0);
		for (size_t e = 1; e <= f->n_edges; e++)
			if (e == f->n_edges || f->edges[e].t_ns != f->edges[e - 1].t_ns)
				assert_int_equal(owners_after(&f->owners, f->edges[e - 1].t_ns),
						 owners_by_definition(f, e));
		es_owners_finish(&f->owners);
	}
}

/* Chains of @width that overlap, @n calls in all, each inside of one that lasts; the sweep must not look at all of them each time. */
static void time_is_linear_in_the_calls(void **state)
{
	const uint32_t n = 1U << 18;
	struct es_call *calls = calloc(n, sizeof(*calls));
	struct es_call_edge *edges = calloc(2 * (size_t)n, sizeof(*edges));
	struct es_owners owners;
	size_t n_edges = 0;

	(void)state;
	assert_true(calls && edges);
	for (uint32_t c = 0; c < n / 2; c++) {
		calls[c] = (struct es_call){ .region = c, .takes_time = true };
		edges[n_edges++] = (struct es_call_edge){ .t_ns = c, .call = c };
	}
	for (uint32_t c = n / 2; c < n; c++) {
		calls[c] = (struct es_call){ .region = n / 2, .takes_time = true };
		edges[n_edges++] = (struct es_call_edge){ .t_ns = 2 * (int64_t)c, .call = c };
		calls[c].stop_edge = (uint32_t)n_edges;
		edges[n_edges++] = (struct es_call_edge){ .t_ns = 2 * (int64_t)c + 1,
							  .call = c,
							  .is_stop = true };
	}
	for (uint32_t c = n / 2; c-- > 0;) {
		calls[c].stop_edge = (uint32_t)n_edges;
		edges[n_edges++] =
			(struct es_call_edge){ .t_ns = 4 * (int64_t)n, .call = c, .is_stop = true };
	}
	assert_int_equal(es_owners_build(calls, n, edges, n_edges, n, &owners), 0);
	assert_int_equal(owners.n, (size_t)n / 2 + n + 2);
	es_owners_finish(&owners);
	free(calls);
	free(edges);
}

static void too_many_at_one_time_are_refused(void **state)
{
	const uint32_t n = ES_OWNERS_MAX + 1;
	struct es_call calls[ES_OWNERS_MAX + 1];
	struct es_call_edge edges[2 * (ES_OWNERS_MAX + 1)];
	struct es_owners owners;

	(void)state;
	for (uint32_t c = 0; c < n; c++) {
		calls[c] = (struct es_call){ .region = c, .stop_edge = n + c, .takes_time = true };
		edges[c] = (struct es_call_edge){ .t_ns = c, .call = c };
		edges[n + c] = (struct es_call_edge){ .t_ns = n + c, .call = c, .is_stop = true };
	}
	assert_int_equal(es_owners_build(calls, n, edges, 2 * (size_t)n, n, &owners), -E2BIG);
	es_owners_finish(&owners);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(without_calls_all_is_untagged),
		TEST(the_innermost_has_the_time),
		TEST(what_overlaps_without_nesting_is_shared),
		TEST(equal_times_are_told_by_the_order_of_edges),
		TEST(a_call_of_no_length_owns_nothing),
		TEST(a_call_that_takes_no_time_changes_nothing),
		TEST(what_runs_inside_a_short_call_is_told_apart),
		TEST(random_calls_follow_the_definition),
		cmocka_unit_test(time_is_linear_in_the_calls),
		cmocka_unit_test(too_many_at_one_time_are_refused),
	};
#undef TEST

	return cmocka_run_group_tests_name("core/owners", tests, NULL, NULL);
}
