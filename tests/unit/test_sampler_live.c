/*
 * test_sampler_live.c - turns on whole seconds of the wall clock, whatever happens to it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sampler/live.h"
#include "support/tree.h"

#define MS ES_NS_PER_MS
#define S ES_NS_PER_S
#define UNIX_NS (1773403200 * S)

struct fixture {
	char dir[64];
	struct es_tree tree;
	struct es_root root;
	struct es_sampler *sampler;
	struct es_live live;
	size_t package; /* of the sampler's domains */
	int zone;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct es_domain *domains;
	size_t n;

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	assert_int_equal(es_tree_create(f->dir, "skx2s", &f->tree), 0);
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	assert_int_equal(es_sampler_create(&f->root, NULL, &f->sampler, NULL), 0);
	assert_int_equal(es_live_init(&f->live, f->sampler, S), 0);
	domains = es_sampler_domains(f->sampler, &n);
	while (strcmp(domains[f->package].id, "powercap/package-0") != 0)
		f->package++;
	f->zone = es_tree_find(&f->tree, "package-0");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_live_finish(&f->live);
	es_sampler_destroy(f->sampler);
	es_tree_close(&f->tree);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void turns_lie_on_whole_seconds(void **state)
{
	static const struct {
		int64_t into_ns, wait_ns;
	} cases[] = {
		{ 0, S }, /* this one has been served */
		{ 1, S - 1 },
		{ 300 * MS, 700 * MS },
		{ 900 * MS, 100 * MS },
		{ S - 20 * MS,
		  S + 20 * MS }, /* so near that it is the one just served, by a clock that runs apart */
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		es_live_align(&f->live, UNIX_NS + cases[i].into_ns, 5 * S);
		assert_int_equal(f->live.next_ns, 5 * S + cases[i].wait_ns);
		assert_int_equal(f->live.turn_unix_ns,
				 UNIX_NS + cases[i].into_ns + cases[i].wait_ns);
		assert_int_equal(f->live.turn_unix_ns % S, 0);
	}
	es_live_align(&f->live, -300 * MS, 5 * S); /* a clock that was never set */
	assert_int_equal(f->live.next_ns, 5 * S + 300 * MS);
}

static void a_step_of_the_clock_costs_one_uneven_turn(void **state)
{
	static const int64_t steps[] = { 3600 * S, -3600 * S, 400 * MS, -400 * MS,
					 86400 * 365 * S };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int64_t mono_ns = 7 * S, unix_ns = UNIX_NS + steps[i];

		es_live_align(&f->live, unix_ns, mono_ns);
		assert_true(f->live.next_ns > mono_ns);
		assert_true(f->live.next_ns <= mono_ns + S + S / 16);
		assert_int_equal(f->live.turn_unix_ns % S, 0);
	}
}

static void only_sources_whose_turn_it_is_are_read(void **state)
{
	struct fixture *f = *state;
	uint64_t before;

	es_live_align(&f->live, UNIX_NS, S);
	es_live_turn(&f->live, 2 * S);
	assert_int_equal(f->live.readings[f->package].error, 0);
	before = f->live.readings[f->package].value;
	assert_int_equal(es_tree_advance(&f->tree, (size_t)f->zone, 1000000), 0);
	es_live_turn(&f->live, 2 * S); /* the same turn */
	assert_int_equal(f->live.readings[f->package].value, before);
	es_live_align(&f->live, UNIX_NS + S, 2 * S);
	es_live_turn(&f->live, 3 * S);
	assert_true(f->live.readings[f->package].value > before);
}

static void out_of_turn_all_are_read(void **state)
{
	struct fixture *f = *state;
	uint64_t before;

	es_live_align(&f->live, UNIX_NS, S);
	es_live_turn(&f->live, 2 * S);
	before = f->live.readings[f->package].value;
	assert_int_equal(es_tree_advance(&f->tree, (size_t)f->zone, 1000000), 0);
	es_live_now(&f->live, 2 * S + 500 * MS, 0);
	assert_true(f->live.readings[f->package].value > before);
}

static void another_period_holds_from_the_next_turn(void **state)
{
	struct fixture *f = *state;

	es_live_plan(&f->live, MS);
	es_live_align(&f->live, UNIX_NS + 300 * MS + 100000, S);
	assert_int_equal(f->live.next_ns, S + 900000);
	es_live_plan(&f->live, 10 * S);
	es_live_align(&f->live, UNIX_NS + 3 * S, S);
	assert_true(f->live.next_ns <= 8 * S);
	assert_true(f->live.period_ns <= 10 * S);
}

static void what_was_never_read_is_no_reading(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(f->live.readings[f->package].error, -ENODATA);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(turns_lie_on_whole_seconds),
		TEST(a_step_of_the_clock_costs_one_uneven_turn),
		TEST(only_sources_whose_turn_it_is_are_read),
		TEST(out_of_turn_all_are_read),
		TEST(another_period_holds_from_the_next_turn),
		TEST(what_was_never_read_is_no_reading),
	};

	return cmocka_run_group_tests_name("sampler/live", tests, NULL, NULL);
}
