/*
 * test_source_kept.c - times of a meter's own clock placed on ours
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>

#include "base/clock.h"
#include "source/kept.h"

#define MS ES_NS_PER_MS
#define S ES_NS_PER_S

static void the_freshest_value_tells_the_difference_of_the_clocks(void **state)
{
	struct es_stamps stamps = { .has_any = false };

	(void)state;
	/* Read 60, 5 and 80 ms after they were taken: from the second on that is known to 5 ms. */
	assert_int_equal(es_stamps_place(&stamps, 1000 * S, 50 * S), 50 * S);
	assert_int_equal(es_stamps_place(&stamps, 1000 * S + 155 * MS, 50 * S + 100 * MS),
			 50 * S + 100 * MS);
	assert_int_equal(es_stamps_place(&stamps, 1000 * S + 200 * MS, 50 * S + 220 * MS),
			 50 * S + 145 * MS);
}

static void the_same_time_again_is_nothing_new(void **state)
{
	struct es_stamps stamps = { .has_any = false };

	(void)state;
	assert_true(es_stamps_place(&stamps, 7, S) > 0);
	assert_int_equal(es_stamps_place(&stamps, 7, 2 * S), -EAGAIN);
}

static void times_go_forward_and_are_never_ahead_of_the_read(void **state)
{
	struct es_stamps stamps = { .has_any = false };
	/* A clock that drifts, then one that is set back, then one that leaps ahead. */
	int64_t meter_ns = 5000 * S, last_ns = 0;

	(void)state;
	for (int64_t i = 1; i < 4000; i++) {
		int64_t t_ns = i * 100 * MS, placed_ns;

		meter_ns += 100 * MS + (i % 7 - 3) * MS - 50000;
		if (i == 1500)
			meter_ns -= 3600 * S;
		if (i == 3000)
			meter_ns += 7200 * S;
		placed_ns = es_stamps_place(&stamps, meter_ns, t_ns);
		assert_true(placed_ns > last_ns && placed_ns <= t_ns);
		/* The drift is 0.5 ms/s: what two minutes of it make, and what the values jitter by. */
		assert_true(t_ns - placed_ns < 90 * MS);
		last_ns = placed_ns;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_freshest_value_tells_the_difference_of_the_clocks),
		cmocka_unit_test(the_same_time_again_is_nothing_new),
		cmocka_unit_test(times_go_forward_and_are_never_ahead_of_the_read),
	};

	return cmocka_run_group_tests_name("source/kept", tests, NULL, NULL);
}
