/*
 * test_core_edges.c - energy at noted times, whatever the order in which times and samples come
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include "base/cleanup.h"
#include "core/edges.h"
#include "support/random.h"

static int set_up(void **state)
{
	static struct es_edges edges;

	*state = &edges;
	return es_edges_init(&edges, 2);
}

static int tear_down(void **state)
{
	es_edges_finish(*state);
	return 0;
}

static void feed(struct es_edges *edges, size_t domain, int64_t t0_ns, int64_t t1_ns,
		 uint64_t energy_uj)
{
	const struct es_sample sample = { .t0_ns = t0_ns, .t1_ns = t1_ns, .energy_uj = energy_uj };

	es_edges_sample(edges, domain, &sample);
}

static void assert_edge(const struct es_edges *edges, size_t domain, int64_t t_ns,
			uint64_t energy_uj, uint64_t bound_uj)
{
	struct es_edge edge;

	assert_true(es_edges_at(edges, domain, t_ns, &edge));
	assert_int_equal(edge.energy_uj, energy_uj);
	assert_int_equal(edge.bound_uj, bound_uj);
}

static void a_time_ahead_is_filled_in_when_its_sample_comes(void **state)
{
	struct es_edges *edges = *state;

	es_edges_note(edges, 15);
	feed(edges, 0, 0, 10, 100);
	feed(edges, 0, 10, 20, 1000);
	feed(edges, 0, 20, 30, 10000);

	assert_edge(edges, 0, 15, 600, 500);
}

static void a_time_in_the_last_sample_is_filled_in_at_once(void **state)
{
	struct es_edges *edges = *state;

	feed(edges, 0, 0, 10, 100);
	feed(edges, 0, 10, 20, 1000);
	es_edges_note(edges, 12);
	feed(edges, 0, 20, 30, 10000);

	assert_edge(edges, 0, 12, 300, 800);
}

static void the_ends_are_known_without_a_note(void **state)
{
	struct es_edges *edges = *state;

	feed(edges, 0, 5, 10, 100);
	feed(edges, 0, 10, 20, 1000);

	assert_edge(edges, 0, 0, 0, 0);
	assert_edge(edges, 0, 5, 0, 0);
	assert_edge(edges, 0, 12, 300, 800);
	assert_edge(edges, 0, 20, 1100, 0);
	assert_edge(edges, 0, 99, 1100, 0);
}

static void a_time_on_an_edge_of_samples_has_no_bound(void **state)
{
	struct es_edges *edges = *state;

	es_edges_note(edges, 10);
	feed(edges, 0, 0, 10, 100);
	feed(edges, 0, 10, 20, 1000);
	feed(edges, 0, 20, 30, 10000);

	assert_edge(edges, 0, 10, 100, 0);
}

static void domains_are_filled_in_one_by_one(void **state)
{
	struct es_edges *edges = *state;

	feed(edges, 0, 0, 10, 100);
	feed(edges, 0, 10, 20, 1000);
	es_edges_note(edges, 15);
	feed(edges, 1, 1, 11, 10);
	feed(edges, 1, 11, 21, 10);
	feed(edges, 1, 21, 31, 10);
	feed(edges, 0, 20, 30, 7);

	assert_edge(edges, 0, 15, 600, 500);
	assert_edge(edges, 1, 15, 14, 6);
}

static void what_was_not_noted_is_not_known(void **state)
{
	struct es_edges *edges = *state;
	struct es_edge edge;

	feed(edges, 0, 0, 10, 100);
	feed(edges, 0, 10, 20, 1000);
	feed(edges, 0, 20, 30, 10000);

	assert_false(es_edges_at(edges, 0, 15, &edge));
	assert_false(es_edges_at(edges, 1, 15, &edge)); /* no samples */
}

static void a_note_that_comes_too_late_is_not_known(void **state)
{
	struct es_edges *edges = *state;
	struct es_edge edge;

	feed(edges, 0, 0, 10, 100);
	feed(edges, 0, 10, 20, 1000);
	feed(edges, 0, 20, 30, 10000);
	es_edges_note(edges, 15);
	feed(edges, 0, 30, 40, 1);

	assert_false(es_edges_at(edges, 0, 15, &edge));
}

static void notes_out_of_order_are_passed_over(void **state)
{
	struct es_edges *edges = *state;
	struct es_edge edge;

	es_edges_note(edges, 25);
	es_edges_note(edges, 15);
	feed(edges, 0, 0, 10, 100);
	feed(edges, 0, 10, 20, 1000);
	feed(edges, 0, 20, 30, 10000);
	feed(edges, 0, 30, 40, 1);

	assert_edge(edges, 0, 25, 6100, 5000);
	assert_false(es_edges_at(edges, 0, 15, &edge));
}

static void a_domain_with_a_gap_is_not_known(void **state)
{
	const struct es_sample gap = { .t0_ns = 10, .t1_ns = 20, .is_gap = true };
	struct es_edges *edges = *state;
	struct es_edge edge;

	es_edges_note(edges, 5);
	feed(edges, 0, 0, 10, 100);
	es_edges_sample(edges, 0, &gap);
	feed(edges, 0, 20, 30, 100);

	assert_false(es_edges_at(edges, 0, 5, &edge));
}

static void too_many_notes_are_passed_over(void **state)
{
	struct es_edges *edges = *state;
	struct es_edge edge;

	for (int64_t t_ns = 1; t_ns <= ES_EDGES_CELLS_MAX; t_ns++)
		es_edges_note(edges, t_ns);
	feed(edges, 0, 0, ES_EDGES_CELLS_MAX + 10, 100);
	feed(edges, 0, ES_EDGES_CELLS_MAX + 10, ES_EDGES_CELLS_MAX + 20, 100);

	assert_true(es_edges_at(edges, 0, 1, &edge));
	assert_false(es_edges_at(edges, 0, ES_EDGES_CELLS_MAX, &edge));
}

/* The same numbers as walking all samples for each time. */
static void any_order_gives_what_a_walk_gives(void **state)
{
	uint64_t seed = 20260314;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		struct es_edges edges;
		struct es_sample samples[50];
		int64_t t_ns = 0, noted_ns = 0;

		assert_int_equal(es_edges_init(&edges, 1), 0);
		for (size_t i = 0; i < ES_ARRAY_SIZE(samples); i++) {
			samples[i] = (struct es_sample){
				.t0_ns = t_ns,
				.t1_ns = t_ns + 1 + (int64_t)test_random_below(&seed, 100),
				.energy_uj = test_random_below(&seed, 1000000),
			};
			t_ns = samples[i].t1_ns;
			es_edges_sample(&edges, 0, &samples[i]);
			if (test_random_below(&seed, 3) == 0)
				es_edges_note(&edges,
					      t_ns - 50 + (int64_t)test_random_below(&seed, 200));
		}
		for (; noted_ns < t_ns + 10; noted_ns++) {
			struct es_edge edge, walked = { .t_ns = noted_ns };

			if (!es_edges_at(&edges, 0, noted_ns, &edge))
				continue;
			for (size_t i = 0; i < ES_ARRAY_SIZE(samples); i++)
				es_edge_add(&walked, &samples[i]);
			assert_int_equal(edge.energy_uj, walked.energy_uj);
			assert_int_equal(edge.bound_uj, walked.bound_uj);
		}
		es_edges_finish(&edges);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_time_ahead_is_filled_in_when_its_sample_comes),
		TEST(a_time_in_the_last_sample_is_filled_in_at_once),
		TEST(the_ends_are_known_without_a_note),
		TEST(a_time_on_an_edge_of_samples_has_no_bound),
		TEST(domains_are_filled_in_one_by_one),
		TEST(what_was_not_noted_is_not_known),
		TEST(a_note_that_comes_too_late_is_not_known),
		TEST(notes_out_of_order_are_passed_over),
		TEST(a_domain_with_a_gap_is_not_known),
		TEST(too_many_notes_are_passed_over),
		TEST(any_order_gives_what_a_walk_gives),
	};
#undef TEST

	return cmocka_run_group_tests_name("core/edges", tests, NULL, NULL);
}
