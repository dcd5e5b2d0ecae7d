/*
 * test_sampler_deadline.c - deadlines that do not drift, and those missed
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include "base/cleanup.h"
#include "sampler/deadline.h"

static void deadlines_stay_on_the_grid_however_late_each_is_served(void **state)
{
	static const int64_t late_ns[] = { 0, 1, 37, 99, 50, 3 };
	struct es_deadline deadline;

	(void)state;
	es_deadline_init(&deadline, 1000, 100);

	for (size_t i = 0; i < ES_ARRAY_SIZE(late_ns); i++) {
		assert_int_equal(deadline.next_ns, 1100 + 100 * (int64_t)i);
		assert_int_equal(es_deadline_pass(&deadline, deadline.next_ns + late_ns[i]), 0);
	}
}

static void whole_periods_passed_are_missed(void **state)
{
	static const struct {
		int64_t now_ns, missed, next_ns;
	} vectors[] = {
		{ 1100, 0, 1200 }, { 1199, 0, 1200 }, { 1200, 1, 1300 },
		{ 1250, 1, 1300 }, { 1300, 2, 1400 }, { 101099, 999, 101100 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct es_deadline deadline;

		es_deadline_init(&deadline, 1000, 100);
		assert_int_equal(es_deadline_pass(&deadline, vectors[i].now_ns), vectors[i].missed);
		assert_int_equal(deadline.next_ns, vectors[i].next_ns);
	}
}

static void the_next_deadline_always_lies_ahead(void **state)
{
	struct es_deadline deadline;

	(void)state;
	es_deadline_init(&deadline, 0, 7);
	for (int64_t now_ns = 7; now_ns < 5000; now_ns += 11) {
		if (now_ns < deadline.next_ns)
			continue;
		(void)es_deadline_pass(&deadline, now_ns);
		assert_true(deadline.next_ns > now_ns);
		assert_true(deadline.next_ns <= now_ns + 7);
		assert_int_equal(deadline.next_ns % 7, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deadlines_stay_on_the_grid_however_late_each_is_served),
		cmocka_unit_test(whole_periods_passed_are_missed),
		cmocka_unit_test(the_next_deadline_always_lies_ahead),
	};

	return cmocka_run_group_tests_name("sampler/deadline", tests, NULL, NULL);
}
