/*
 * test_opt_place.c - placements against all that there are, and what is said where there is none
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "opt/place.h"
#include "support/random.h"

#define N_MAX 500U
#define M_MAX 10U
#define INSTANCES 1000U
#define KWH INT64_C(1000000000)
#define HOUR INT64_C(3600000000)

struct made {
	struct es_place_problem problem;
	int64_t energy[N_MAX * M_MAX], time[N_MAX * M_MAX], room[M_MAX];
	int64_t deadline[N_MAX];
	bool is_forbidden[N_MAX * M_MAX];
	uint8_t why[N_MAX * M_MAX];
};

static uint64_t below(uint64_t *state, uint64_t n)
{
	return test_random_below(state, n);
}

static void limit(struct made *made, int64_t slowdown_ppm)
{
	const struct es_place_limits limits = { made->is_forbidden, made->deadline, slowdown_ppm,
						NULL };

	es_place_limit(&made->problem, &limits, made->why);
}

static struct made *make(size_t n, size_t m, bool is_by_time)
{
	struct made *made = calloc(1, sizeof(*made));

	assert_non_null(made);
	made->problem = (struct es_place_problem){ n,	      m,	  made->energy, made->time,
						   made->why, made->room, is_by_time };
	return made;
}

/* Small numbers, so that equals and tight rooms are frequent. */
static struct made *random_instance(uint64_t *state, bool is_by_time)
{
	size_t n = 1 + below(state, 7), m = 1 + below(state, 4);
	struct made *made = make(n, m, is_by_time);

	for (size_t cell = 0; cell < n * m; cell++) {
		bool is_there = below(state, 6) > 0;

		made->energy[cell] = is_there ? (int64_t)(1 + below(state, 12)) : 0;
		made->time[cell] = is_there ? (int64_t)(1 + below(state, 9)) : 0;
		made->is_forbidden[cell] = below(state, 12) == 0;
	}
	for (size_t i = 0; i < n; i++)
		made->deadline[i] = below(state, 5) ? 0 : (int64_t)(3 + below(state, 6));
	for (size_t j = 0; j < m; j++)
		made->room[j] = below(state, 8) == 0 ? ES_PLACE_ENDLESS
						     : (int64_t)below(state, is_by_time ? 20 : 5);
	limit(made, below(state, 3) ? -1 : (int64_t)below(state, 1000000));
	return made;
}

/* Written apart from what is tested: what may run where, and all placements one after another. */
static bool may(const struct made *made, size_t i, size_t j, int64_t slowdown_ppm)
{
	const struct es_place_problem *p = &made->problem;
	int64_t best = INT64_MAX, time = made->time[i * p->m + j];

	for (size_t k = 0; k < p->m; k++)
		if (made->energy[i * p->m + k] && made->time[i * p->m + k] < best)
			best = made->time[i * p->m + k];
	return made->energy[i * p->m + j] && !made->is_forbidden[i * p->m + j] &&
	       (slowdown_ppm < 0 || (time - best) * 1000000 <= best * slowdown_ppm) &&
	       (!made->deadline[i] || time <= made->deadline[i]);
}

static int64_t cheapest_of_all(const struct made *made, size_t i, int64_t *used, int64_t slowdown)
{
	const struct es_place_problem *p = &made->problem;
	int64_t cheapest = -1;

	if (i == p->n)
		return 0;
	for (size_t j = 0; j < p->m; j++) {
		int64_t takes = p->is_by_time ? made->time[i * p->m + j] : 1, rest;

		if (!may(made, i, j, slowdown) ||
		    (made->room[j] != ES_PLACE_ENDLESS && used[j] + takes > made->room[j]))
			continue;
		used[j] += takes;
		rest = cheapest_of_all(made, i + 1, used, slowdown);
		used[j] -= takes;
		if (rest >= 0 && (cheapest < 0 || rest + made->energy[i * p->m + j] < cheapest))
			cheapest = rest + made->energy[i * p->m + j];
	}
	return cheapest;
}

static void assert_valid(const struct made *made, const struct es_place *place)
{
	const struct es_place_problem *p = &made->problem;
	int64_t used[M_MAX] = { 0 }, sum = 0;

	for (size_t i = 0; i < p->n; i++) {
		size_t j = place->at[i];

		assert_true(j < p->m);
		assert_int_equal(made->why[i * p->m + j], ES_PLACE_OPEN);
		used[j] += p->is_by_time ? made->time[i * p->m + j] : 1;
		sum += made->energy[i * p->m + j];
	}
	for (size_t j = 0; j < p->m; j++)
		assert_true(made->room[j] == ES_PLACE_ENDLESS || used[j] <= made->room[j]);
	assert_int_equal(sum, place->energy_nkwh);
	assert_true(place->bound_nkwh <= sum);
	assert_true(place->greedy_nkwh == -1 || place->greedy_nkwh >= sum);
}

/* The classes that are named are too small for those that can run only there. */
static void assert_lacks(const struct made *made, const struct es_place_lack *lack)
{
	const struct es_place_problem *p = &made->problem;
	int64_t room = 0, need = 0;
	size_t n_only = 0;

	assert_true(lack->is_certain);
	for (size_t i = 0; i < p->n; i++) {
		int64_t least = INT64_MAX;
		bool is_only = true;

		for (size_t j = 0; j < p->m; j++) {
			int64_t takes = p->is_by_time ? made->time[i * p->m + j] : 1;

			if (made->why[i * p->m + j] != ES_PLACE_OPEN)
				continue;
			is_only = is_only && lack->classes[j];
			least = takes < least ? takes : least;
		}
		if (lack->configuration == i)
			assert_int_equal(least, INT64_MAX);
		need += is_only && least < INT64_MAX ? least : 0;
		n_only += is_only;
	}
	if (lack->configuration != SIZE_MAX || (p->is_by_time && lack->n_only == 0))
		return;
	for (size_t j = 0; j < p->m; j++)
		room += lack->classes[j] ? made->room[j] : 0;
	assert_int_equal(lack->n_only, n_only);
	assert_int_equal(lack->need, need);
	assert_int_equal(lack->room, room);
	assert_true(need > room);
}

static void hold_against_all(bool is_by_time, uint64_t seed)
{
	uint64_t state = seed;
	size_t n_placed = 0;

	for (unsigned k = 0; k < INSTANCES; k++) {
		es_cleanup(es_freep) struct made *made = random_instance(&state, is_by_time);
		int64_t used[M_MAX] = { 0 }, slowdown = below(&state, 2) ? -1 : 250000, want;
		struct es_place place = { .at = NULL };
		struct es_place_lack lack = { .n_only = 0 };
		int r;

		limit(made, slowdown);
		want = cheapest_of_all(made, 0, used, slowdown);
		r = es_place_solve(&made->problem, &place, &lack);
		if (want < 0) {
			assert_int_equal(r, -ENOSPC);
			assert_lacks(made, &lack);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(place.energy_nkwh, want);
		assert_int_equal(place.bound_nkwh, want);
		assert_valid(made, &place);
		es_place_finish(&place);
		n_placed++;
	}
	assert_in_range(n_placed, INSTANCES / 4, INSTANCES - INSTANCES / 10);
}

static void rooms_of_configurations_are_filled_as_well_as_can_be(void **state)
{
	(void)state;
	hold_against_all(false, 1);
}

static void rooms_of_time_are_filled_as_well_as_can_be(void **state)
{
	(void)state;
	hold_against_all(true, 2);
}

/* Nearly all room is taken; times and energies go together, as they do. */
static struct made *large(size_t n, size_t m, bool is_by_time, uint64_t seed)
{
	struct made *made = make(n, m, is_by_time);

	for (size_t i = 0; i < n; i++) {
		uint64_t size = 20 + below(&seed, 400);

		for (size_t j = 0; j < m; j++) {
			made->time[i * m + j] =
				HOUR / 100 * (int64_t)(size * (80 + below(&seed, 60)) / 100);
			made->energy[i * m + j] =
				KWH / 1000 *
				(int64_t)(size * (300 + 40 * j + below(&seed, 300)) / 100 + 1);
		}
	}
	for (size_t j = 0; j < m; j++)
		made->room[j] = is_by_time ? (int64_t)n * 220 * HOUR / 100 / (int64_t)m
					   : (int64_t)(n / m + (j < n % m));
	limit(made, -1);
	return made;
}

static void many_are_placed_with_a_narrow_gap(void **state)
{
	es_cleanup(es_freep) struct made *made = large(500, 10, true, 3);
	struct es_place_lack lack;
	struct es_place place, again;

	(void)state;
	assert_int_equal(es_place_solve(&made->problem, &place, &lack), 0);
	assert_valid(made, &place);
	assert_true(place.bound_nkwh > 0);
	assert_true((double)(place.energy_nkwh - place.bound_nkwh) <
		    0.005 * (double)place.energy_nkwh);
	assert_int_equal(es_place_solve(&made->problem, &again, &lack), 0);
	assert_memory_equal(place.at, again.at, 500 * sizeof(*place.at));
	es_place_finish(&place);
	es_place_finish(&again);
}

/* No pair can change places, and none can move, for less. */
static void many_by_number_cannot_be_bettered_by_a_swap(void **state)
{
	es_cleanup(es_freep) struct made *made = large(500, 10, false, 4);
	const int64_t *e = made->energy;
	struct es_place_lack lack;
	struct es_place place;

	(void)state;
	assert_int_equal(es_place_solve(&made->problem, &place, &lack), 0);
	assert_valid(made, &place);
	assert_int_equal(place.method, ES_PLACE_BY_FLOW);
	for (size_t i = 0; i < 500; i++)
		for (size_t k = 0; k < i; k++)
			assert_true(e[i * 10 + place.at[i]] + e[k * 10 + place.at[k]] <=
				    e[i * 10 + place.at[k]] + e[k * 10 + place.at[i]]);
	es_place_finish(&place);
}

static void what_may_not_run_where_is_known_by_reason(void **state)
{
	es_cleanup(es_freep) struct made *made = make(1, 6, true);
	const int64_t times[] = { 100, 100, 105, 106, 104, 103 };

	(void)state;
	for (size_t j = 0; j < 6; j++) {
		made->energy[j] = j != 0;
		made->time[j] = times[j];
		made->room[j] = j == 5 ? 102 : ES_PLACE_ENDLESS;
	}
	made->is_forbidden[1] = true;
	made->deadline[0] = 104;
	limit(made, 50000);
	assert_int_equal(made->why[0], ES_PLACE_UNKNOWN);
	assert_int_equal(made->why[1], ES_PLACE_FORBIDDEN);
	assert_int_equal(made->why[2], ES_PLACE_LATE); /* 5 % slower is within 5 % */
	assert_int_equal(made->why[3], ES_PLACE_SLOW);
	assert_int_equal(made->why[4], ES_PLACE_OPEN);
	assert_int_equal(made->why[5], ES_PLACE_LARGE);
}

/* Where nothing else decides it is the class named first, each time. */
static void among_equals_the_first_is_taken(void **state)
{
	(void)state;
	for (int is_by_time = 0; is_by_time < 2; is_by_time++) {
		es_cleanup(es_freep) struct made *made = make(6, 4, is_by_time);
		struct es_place_lack lack;
		struct es_place place, again;

		for (size_t cell = 0; cell < 24; cell++) {
			made->energy[cell] = cell % 4 == 0 ? 2 * KWH : KWH;
			made->time[cell] = HOUR;
		}
		for (size_t j = 0; j < 4; j++)
			made->room[j] = ES_PLACE_ENDLESS;
		limit(made, -1);
		assert_int_equal(es_place_solve(&made->problem, &place, &lack), 0);
		for (size_t i = 0; i < 6; i++)
			assert_int_equal(place.at[i], 1);
		es_place_finish(&place);
		/* With room for three, which three is all the same, but it is always these. */
		made->room[1] = is_by_time ? 3 * HOUR : 3;
		limit(made, -1);
		assert_int_equal(es_place_solve(&made->problem, &place, &lack), 0);
		assert_int_equal(es_place_solve(&made->problem, &again, &lack), 0);
		assert_int_equal(place.energy_nkwh, 6 * KWH);
		assert_memory_equal(place.at, again.at, 6 * sizeof(*place.at));
		es_place_finish(&place);
		es_place_finish(&again);
	}
}

/* Measured at several settings, the best time may be that of one that is not in the table. */
static void a_best_time_from_elsewhere_counts(void **state)
{
	es_cleanup(es_freep) struct made *made = make(1, 2, false);
	const int64_t best_us[] = { 100 };
	const struct es_place_limits limits = { NULL, NULL, 50000, best_us };

	(void)state;
	made->energy[0] = made->energy[1] = KWH;
	made->time[0] = 105;
	made->time[1] = 106;
	made->room[0] = made->room[1] = ES_PLACE_ENDLESS;
	es_place_limit(&made->problem, &limits, made->why);
	assert_int_equal(made->why[0], ES_PLACE_OPEN);
	assert_int_equal(made->why[1], ES_PLACE_SLOW);
}

/* Both fit anywhere by the sum of times, but one is too long for what the other leaves. */
static void what_no_sum_forbids_is_known_by_trying_all(void **state)
{
	es_cleanup(es_freep) struct made *made = make(3, 2, true);
	struct es_place_lack lack;
	struct es_place place;

	(void)state;
	for (size_t cell = 0; cell < 6; cell++) {
		made->energy[cell] = KWH;
		made->time[cell] = 6 * HOUR;
	}
	made->room[0] = made->room[1] = 10 * HOUR;
	limit(made, -1);
	assert_int_equal(es_place_solve(&made->problem, &place, &lack), -ENOSPC);
	assert_true(lack.is_certain);
	assert_int_equal(lack.n_only, 0);
	assert_true(lack.classes[0] && lack.classes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rooms_of_configurations_are_filled_as_well_as_can_be),
		cmocka_unit_test(rooms_of_time_are_filled_as_well_as_can_be),
		cmocka_unit_test(many_are_placed_with_a_narrow_gap),
		cmocka_unit_test(many_by_number_cannot_be_bettered_by_a_swap),
		cmocka_unit_test(what_may_not_run_where_is_known_by_reason),
		cmocka_unit_test(among_equals_the_first_is_taken),
		cmocka_unit_test(a_best_time_from_elsewhere_counts),
		cmocka_unit_test(what_no_sum_forbids_is_known_by_trying_all),
	};

	return cmocka_run_group_tests_name("opt/place", tests, NULL, NULL);
}
