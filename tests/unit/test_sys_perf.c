/*
 * test_sys_perf.c - the texts by which sysfs describes perf events
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>

#include "sys/perf.h"

static int count_cpus(const char *list, unsigned *ret_last)
{
	unsigned left = 0, cpu = 0;
	int r, n = 0;

	while ((r = es_perf_next_cpu(&list, &left, &cpu)) > 0) {
		n++;
		*ret_last = cpu;
	}
	return r < 0 ? r : n;
}

static void lists_of_cpus_are_numbers_and_ranges(void **state)
{
	static const struct {
		const char *list;
		int n;
		unsigned last;
	} lists[] = {
		{ "0", 1, 0 },		{ "0,36", 2, 36 },
		{ "0-3,8", 5, 8 },	{ "0-1,36-37", 4, 37 },
		{ "", 0, 0 },		{ "a", -EBADMSG, 0 },
		{ "1-", -EBADMSG, 0 },	{ "3-1", -EBADMSG, 0 },
		{ "0 1", -EBADMSG, 0 }, { "70000", -EBADMSG, 0 },
		{ "-1", -EBADMSG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		unsigned last = 0;

		assert_int_equal(count_cpus(lists[i].list, &last), lists[i].n);
		assert_int_equal(last, lists[i].last);
	}
}

static void events_are_numbers_behind_a_word(void **state)
{
	uint64_t config = 0;

	(void)state;
	assert_int_equal(es_perf_parse_event("event=0x02", &config), 0);
	assert_int_equal(config, 2);
	assert_int_equal(es_perf_parse_event("event=0x02,umask=1", &config), -EBADMSG);
	assert_int_equal(es_perf_parse_event("config=2", &config), -EBADMSG);
	assert_int_equal(es_perf_parse_event("event=", &config), -EBADMSG);
	assert_int_equal(es_perf_parse_event("event=-1", &config), -EBADMSG);
}

static void the_kernels_scale_is_two_to_the_minus_thirty_two_exactly(void **state)
{
	struct es_perf_scale scale;

	(void)state;
	assert_int_equal(es_perf_parse_scale("2.3283064365386962890625e-10", &scale), 0);
	assert_true(scale.is_shift);
	assert_int_equal(scale.shift, 32);
	assert_int_equal(es_perf_scaled_micro(&scale, UINT64_C(1) << 32), 1000000);
	assert_int_equal(es_perf_scaled_micro(&scale, 4294), 0);
	assert_int_equal(es_perf_scaled_micro(&scale, 4295), 1);
	/* Doubles would have lost digits here. */
	assert_true(es_perf_scaled_micro(&scale, UINT64_C(0xffffffffffffffff)) ==
		    UINT64_C(4294967295999999));
}

static void other_scales_work_and_nonsense_is_refused(void **state)
{
	struct es_perf_scale scale;

	(void)state;
	assert_int_equal(es_perf_parse_scale("1e-6", &scale), 0);
	assert_false(scale.is_shift);
	assert_int_equal(es_perf_scaled_micro(&scale, 1000000), 1000000);
	assert_int_equal(es_perf_parse_scale("1", &scale), 0);
	assert_int_equal(es_perf_scaled_micro(&scale, 7), 7000000);
	assert_true(es_perf_scaled_micro(&scale, UINT64_MAX) == UINT64_MAX);
	assert_int_equal(es_perf_parse_scale("0", &scale), -ERANGE);
	assert_int_equal(es_perf_parse_scale("-1", &scale), -ERANGE);
	assert_int_equal(es_perf_parse_scale("1e9", &scale), -ERANGE);
	assert_int_equal(es_perf_parse_scale("", &scale), -EBADMSG);
	assert_int_equal(es_perf_parse_scale("1,5", &scale), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_cpus_are_numbers_and_ranges),
		cmocka_unit_test(events_are_numbers_behind_a_word),
		cmocka_unit_test(the_kernels_scale_is_two_to_the_minus_thirty_two_exactly),
		cmocka_unit_test(other_scales_work_and_nonsense_is_refused),
	};

	return cmocka_run_group_tests_name("sys/perf", tests, NULL, NULL);
}
