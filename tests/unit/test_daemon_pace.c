/*
 * test_daemon_pace.c - so much at once, so much on average, and each user by itself
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include "base/clock.h"
#include "daemon/pace.h"

#define S ES_NS_PER_S

static void so_many_at_once_then_one_each_period(void **state)
{
	struct es_pace pace = { .until_ns = 0 };

	(void)state;
	assert_true(es_pace_take(&pace, 100 * S, S, 2));
	assert_true(es_pace_take(&pace, 100 * S, S, 2));
	assert_false(es_pace_take(&pace, 100 * S, S, 2));
	assert_false(es_pace_take(&pace, 101 * S - 1, S, 2));
	assert_true(es_pace_take(&pace, 101 * S, S, 2));
	assert_false(es_pace_take(&pace, 101 * S, S, 2));
	assert_true(es_pace_take(&pace, 200 * S, S, 2));
	assert_true(es_pace_take(&pace, 200 * S, S, 2));
	assert_false(es_pace_take(&pace, 200 * S, S, 2));
}

/* Whatever is tried: never more than the time allows. */
static void nothing_is_gained_by_asking_more_often(void **state)
{
	struct es_pace pace = { .until_ns = 0 };
	unsigned n = 0;

	(void)state;
	for (int64_t t_ns = 0; t_ns < 10 * S; t_ns += S / 1000)
		n += es_pace_take(&pace, 5 * S + t_ns, S, 3);
	assert_int_equal(n, 12);
}

static void users_do_not_spend_each_others(void **state)
{
	struct es_paces paces = { .of = { { .uid = 0 } } };

	(void)state;
	assert_true(es_paces_take(&paces, 0, 5 * S, S, 1));
	assert_false(es_paces_take(&paces, 0, 5 * S, S, 1));
	assert_true(es_paces_take(&paces, 7, 5 * S, S, 1));
	assert_false(es_paces_take(&paces, 7, 5 * S, S, 1));
	assert_true(es_paces_take(&paces, 0, 6 * S, S, 1));
}

static void who_was_quiet_for_longest_makes_room(void **state)
{
	struct es_paces paces = { .of = { { .uid = 0 } } };

	(void)state;
	for (uid_t uid = 0; uid < ES_PACES_MAX; uid++)
		assert_true(es_paces_take(&paces, uid, 5 * S + uid, S, 1));
	assert_true(es_paces_take(&paces, 1000, 5 * S + ES_PACES_MAX, S, 1));
	assert_false(es_paces_take(&paces, 1, 5 * S + ES_PACES_MAX, S, 1));
	assert_false(es_paces_take(&paces, 1000, 5 * S + ES_PACES_MAX, S, 1));
	assert_true(es_paces_take(&paces, 0, 5 * S + ES_PACES_MAX, S, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_at_once_then_one_each_period),
		cmocka_unit_test(nothing_is_gained_by_asking_more_often),
		cmocka_unit_test(users_do_not_spend_each_others),
		cmocka_unit_test(who_was_quiet_for_longest_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
