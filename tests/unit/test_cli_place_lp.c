/*
 * test_cli_place_lp.c - GLPK's bound and its rounding, against all placements, own prices, and without GLPK
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/place_lp.h"
#include "opt/place_private.h"
#include "support/random.h"

#define N_MAX 500U
#define M_MAX 10U
#define INSTANCES 400U
#define KWH INT64_C(1000000000)
#define HOUR INT64_C(3600000000)

struct made {
	struct es_place_problem problem;
	int64_t energy[N_MAX * M_MAX], time[N_MAX * M_MAX], room[M_MAX];
	uint8_t why[N_MAX * M_MAX];
};

static uint64_t below(uint64_t *state, uint64_t n)
{
	return test_random_below(state, n);
}

static struct made *make(size_t n, size_t m)
{
	struct made *made = calloc(1, sizeof(*made));

	assert_non_null(made);
	made->problem = (struct es_place_problem){ n,	      m,	  made->energy, made->time,
						   made->why, made->room, true };
	return made;
}

static void limit(struct made *made)
{
	const struct es_place_limits limits = { NULL, NULL, -1, NULL };

	es_place_limit(&made->problem, &limits, made->why);
}

static struct made *small(uint64_t *state)
{
	size_t n = 2 + below(state, 6), m = 2 + below(state, 3);
	struct made *made = make(n, m);

	for (size_t cell = 0; cell < n * m; cell++) {
		made->energy[cell] = below(state, 8) ? (int64_t)(1 + below(state, 30)) * KWH : 0;
		made->time[cell] = (int64_t)(1 + below(state, 12)) * HOUR;
	}
	for (size_t j = 0; j < m; j++)
		made->room[j] = below(state, 6) ? (int64_t)below(state, 26) * HOUR
						: ES_PLACE_ENDLESS;
	limit(made);
	return made;
}

/* Each has room for all but a few: what GLPK divides is at the edges. */
static struct made *large(uint64_t seed)
{
	struct made *made = make(N_MAX, M_MAX);

	for (size_t i = 0; i < N_MAX; i++) {
		uint64_t size = 20 + below(&seed, 400);

		for (size_t j = 0; j < M_MAX; j++) {
			made->time[i * M_MAX + j] =
				HOUR / 100 * (int64_t)(size * (80 + below(&seed, 60)) / 100);
			made->energy[i * M_MAX + j] =
				KWH / 1000 *
				(int64_t)(size * (300 + 40 * j + below(&seed, 300)) / 100 + 1);
		}
	}
	for (size_t j = 0; j < M_MAX; j++)
		made->room[j] = (int64_t)N_MAX * 220 * HOUR / 100 / (int64_t)M_MAX;
	limit(made);
	return made;
}

static bool has_somewhere(const struct made *made)
{
	for (size_t i = 0; i < made->problem.n; i++) {
		bool is_open = false;

		for (size_t j = 0; j < made->problem.m; j++)
			is_open = is_open || es_place_is_open(&made->problem, i, j);
		if (!is_open)
			return false;
	}
	return true;
}

static int64_t cheapest_of_all(const struct made *made, size_t i, int64_t *used)
{
	const struct es_place_problem *p = &made->problem;
	int64_t cheapest = -1;

	if (i == p->n)
		return 0;
	for (size_t j = 0; j < p->m; j++) {
		int64_t rest, takes = made->time[i * p->m + j];

		if (!made->energy[i * p->m + j] ||
		    (made->room[j] != ES_PLACE_ENDLESS && used[j] + takes > made->room[j]))
			continue;
		used[j] += takes;
		rest = cheapest_of_all(made, i + 1, used);
		used[j] -= takes;
		if (rest >= 0 && (cheapest < 0 || rest + made->energy[i * p->m + j] < cheapest))
			cheapest = rest + made->energy[i * p->m + j];
	}
	return cheapest;
}

static double own_bound(const struct made *made)
{
	uint32_t at[N_MAX] = { 0 };
	struct es_place_prices prices = { .least = -1 };
	int64_t best_nkwh = -1;

	assert_int_equal(es_place_price(&made->problem, &prices, at, &best_nkwh), 0);
	return prices.least;
}

static void assert_between(const struct made *made, const struct es_place_lp *lp, int64_t best)
{
	const struct es_place_hint hint = { lp->price, lp->at };
	struct es_place place = { .at = NULL };
	struct es_place_prices prices = { .least = -1 };
	uint32_t at[N_MAX] = { 0 };
	int64_t none = -1;
	struct es_place_lack lack = { .n_only = 0 };

	assert_false(lp->is_cut);
	assert_int_equal(es_place_price_hint(&made->problem, &hint, &prices, at, &none), 0);
	/* Its prices give the bound that it says, no placement is below it, and ours is none better. */
	assert_true(fabs(prices.least - lp->least_nkwh) <= 1e-4 * (double)KWH);
	assert_true(own_bound(made) <= lp->least_nkwh + 1e-4 * (double)KWH);
	assert_true(lp->n_split <= made->problem.m);
	if (best < 0)
		return;
	assert_true(prices.least - prices.doubt <= (double)best);
	assert_int_equal(es_place_resume(&made->problem, &hint, &place, &lack), 0);
	assert_int_equal(place.energy_nkwh, best);
	assert_int_equal(place.bound_nkwh, best);
	assert_int_equal(place.greedy_nkwh, -1);
	assert_int_equal(place.bound, ES_PLACE_BOUND_EXACT);
	es_place_finish(&place);
}

static void its_bound_lies_between_our_own_and_the_best_of_all(void **state)
{
	unsigned n_placed = 0, n_ruled_out = 0;
	uint64_t random = 11;

	(void)state;
	for (unsigned k = 0; k < INSTANCES; k++) {
		es_cleanup(es_freep) struct made *made = small(&random);
		int64_t used[M_MAX] = { 0 }, best;
		struct es_place_lp lp;
		struct es_error err;
		int r;

		if (!has_somewhere(made))
			continue;
		best = cheapest_of_all(made, 0, used);
		r = es_place_lp_solve(&made->problem, NULL, &lp, &err);
		n_placed += best >= 0;
		n_ruled_out += r == -ENOSPC;
		if (r == -ENOSPC) {
			assert_int_equal(best, -1);
			continue;
		}
		assert_int_equal(r, 0);
		assert_between(made, &lp, best);
		es_place_lp_finish(&lp);
	}
	assert_true(n_placed > INSTANCES / 4 && n_ruled_out > INSTANCES / 20);
}

static void a_search_without_end_goes_on_from_it(void **state)
{
	es_cleanup(es_freep) struct made *made = large(3);
	struct es_place_lack lack;
	struct es_place place;
	struct es_place_lp lp;
	struct es_error err;
	struct es_place_hint hint;
	int64_t bound, energy, used[M_MAX] = { 0 };

	(void)state;
	assert_int_equal(es_place_solve(&made->problem, &place, &lack), 0);
	assert_int_equal(place.bound, ES_PLACE_BOUND_PRICES);
	bound = place.bound_nkwh;
	energy = place.energy_nkwh;
	assert_int_equal(es_place_lp_solve(&made->problem, NULL, &lp, &err), 0);
	hint = (struct es_place_hint){ lp.price, lp.at };
	assert_int_equal(es_place_resume(&made->problem, &hint, &place, &lack), 0);
	assert_true(place.bound_nkwh >= bound && place.energy_nkwh <= energy);
	assert_true(place.bound_nkwh <= place.energy_nkwh);
	assert_int_equal(es_place_sum(&made->problem, place.at), place.energy_nkwh);
	for (size_t i = 0; i < N_MAX; i++)
		used[place.at[i]] += made->time[i * M_MAX + place.at[i]];
	for (size_t j = 0; j < M_MAX; j++)
		assert_true(used[j] <= made->room[j]);
	es_place_lp_finish(&lp);
	es_place_finish(&place);
}

static void without_glpk_it_is_said_what_to_install(void **state)
{
	es_cleanup(es_freep) struct made *made = large(3);
	struct es_place_lp lp;
	struct es_error err;

	(void)state;
	assert_int_equal(es_place_lp_solve(&made->problem, "libnowhere.so.40", &lp, &err), -ENOENT);
	assert_non_null(strstr(err.text, "GLPK is not installed: apt install libglpk40"));
	/* A library that is another one. */
	assert_int_equal(es_place_lp_solve(&made->problem, "libm.so.6", &lp, &err), -ENOSYS);
	assert_non_null(strstr(err.text, "glp_"));
}

static void more_cells_than_it_is_asked_for_are_told(void **state)
{
	const size_t n = ES_PLACE_LP_CELLS_MAX + 1;
	es_cleanup(es_freep) int64_t *cells = calloc(n, sizeof(*cells));
	es_cleanup(es_freep) uint8_t *why = calloc(n, 1);
	const int64_t room[] = { HOUR };
	struct es_place_problem problem = { n, 1, cells, cells, why, room, true };
	struct es_place_lp lp;
	struct es_error err;

	(void)state;
	assert_non_null(cells);
	assert_non_null(why);
	assert_int_equal(es_place_lp_solve(&problem, NULL, &lp, &err), -E2BIG);
	assert_non_null(strstr(err.text, "60001 open cells"));
}

static void what_is_no_hint_is_refused(void **state)
{
	uint64_t random = 4;
	es_cleanup(es_freep) struct made *made = small(&random);
	double price[M_MAX] = { 0 };
	uint32_t at[N_MAX] = { 0 };
	const struct es_place_hint hint = { price, at };
	struct es_place place = { .at = NULL };
	struct es_place_lack lack;

	(void)state;
	at[0] = (uint32_t)made->problem.m;
	assert_int_equal(es_place_resume(&made->problem, &hint, &place, &lack), -EINVAL);
	at[0] = 0;
	made->why[0] = ES_PLACE_FORBIDDEN;
	assert_int_equal(es_place_resume(&made->problem, &hint, &place, &lack), -EINVAL);
	price[0] = -1;
	memset(made->why, 0, sizeof(made->why));
	assert_int_equal(es_place_resume(&made->problem, &hint, &place, &lack), -EINVAL);
	assert_null(place.at);
}

static bool has_glpk(void)
{
	es_cleanup(es_freep) struct made *made = large(3);
	struct es_place_lp lp = { .at = NULL };
	int r = es_place_lp_solve(&made->problem, NULL, &lp, NULL);

	es_place_lp_finish(&lp);
	return r != -ENOENT;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_glpk_it_is_said_what_to_install),
		cmocka_unit_test(more_cells_than_it_is_asked_for_are_told),
		cmocka_unit_test(what_is_no_hint_is_refused),
		cmocka_unit_test(its_bound_lies_between_our_own_and_the_best_of_all),
		cmocka_unit_test(a_search_without_end_goes_on_from_it),
	};

	if (!has_glpk()) {
		(void)puts("1..0 # SKIP libglpk40 is not installed");
		return 0;
	}
	return cmocka_run_group_tests_name("cli/place_lp", tests, NULL, NULL);
}
