/*
 * test_format_report_releases.c - what a report says of times in which devices were let go
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "format/report.h"
#include "format/report_releases.h"

#define S ES_NS_PER_S

static struct es_report *make(int64_t start_ns, int64_t stop_ns)
{
	struct es_report *report = calloc(1, sizeof(*report));

	assert_non_null(report);
	report->start_ns = start_ns;
	report->stop_ns = stop_ns;
	return report;
}

static void note(struct es_report *report, int64_t t_ns, int64_t value)
{
	const struct es_event event = {
		.type = ES_EVENT_RELEASED, .t_ns = t_ns, .value = value, .text = "gpu by uid 0"
	};

	es_report_note_release(report, &event);
}

static void check_rows(struct es_report *report, const char *expected)
{
	struct es_buf out;

	es_buf_init(&out, 1U << 16);
	es_report_release_rows(report, &out);
	assert_int_equal(es_buf_u8(&out, 0), 0);
	assert_string_equal((const char *)out.data, expected);
	es_buf_finish(&out);
	free(report);
}

static void each_one_has_its_time(void **state)
{
	struct es_report *report = make(100 * S, 200 * S);

	(void)state;
	note(report, 110 * S, 0);
	note(report, 115 * S, ES_EVENT_RELEASED_OVER);
	note(report, 190 * S, 0);
	check_rows(report, "  let go     GPUs, at +10 s for 5 s: released by uid 0\n"
			   "             GPUs, at +1 min 30 s for 10 s: released by uid 0\n");
}

static void after_the_last_reading_it_lasts_until_the_end(void **state)
{
	struct es_report *report = make(100 * S, 105 * S);

	(void)state;
	note(report, 106 * S, 0);
	check_rows(report, "  let go     GPUs, at +6 s until the end: released by uid 0\n");
}

static void a_part_tells_of_its_own_ones(void **state)
{
	struct es_report *report = make(150 * S, 170 * S);

	(void)state;
	report->options.from_ns = 150 * S;
	report->options.to_ns = 170 * S;
	note(report, 110 * S, 0);
	note(report, 115 * S, ES_EVENT_RELEASED_OVER);
	note(report, 140 * S, 0);
	note(report, 160 * S, ES_EVENT_RELEASED_OVER);
	note(report, 190 * S, 0);
	check_rows(report, "  let go     GPUs, at +0 µs for 10 s: released by uid 0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_one_has_its_time),
		cmocka_unit_test(after_the_last_reading_it_lasts_until_the_end),
		cmocka_unit_test(a_part_tells_of_its_own_ones),
	};

	return cmocka_run_group_tests_name("format/report_releases", tests, NULL, NULL);
}
