/*
 * test_base_clock.c - times into words and back, in any time zone
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* POSIX rules, so that no tzdata is needed. */
#define PARIS "CET-1CEST,M3.5.0,M10.5.0/3"
#define ST_JOHNS "NST3:30NDT,M3.2.0,M11.1.0"

static void set_zone(const char *rule)
{
	setenv("TZ", rule, 1);
	tzset();
}

static void clocks_go_forwards(void **state)
{
	int64_t boot_ns = es_clock_boot_ns(), mono_ns = es_clock_mono_ns();

	(void)state;
	assert_true(boot_ns >= mono_ns - ES_NS_PER_MS);
	assert_true(es_clock_boot_ns() >= boot_ns);
	assert_true(es_clock_mono_ns() >= mono_ns);
	assert_true(es_clock_unix_ns() > INT64_C(1700000000) * ES_NS_PER_S);
}

static void times_are_written_with_their_offset(void **state)
{
	static const struct {
		const char *zone;
		int64_t t_ns;
		const char *local, *utc, *seconds;
	} vectors[] = {
		{ PARIS, 0, "1970-01-01T01:00:00.000+01:00", "1970-01-01T00:00:00.000Z",
		  "1970-01-01T01:00:00" },
		{ PARIS, 1678748390123456789, "2023-03-13T23:59:50.123+01:00",
		  "2023-03-13T22:59:50.123Z", "2023-03-13T23:59:50" },
		{ PARIS, 1689336000000000000, "2023-07-14T14:00:00.000+02:00",
		  "2023-07-14T12:00:00.000Z", "2023-07-14T14:00:00" },
		{ ST_JOHNS, 1673697600999999999, "2023-01-14T08:30:00.999-03:30",
		  "2023-01-14T12:00:00.999Z", "2023-01-14T08:30:00" },
		{ "UTC0", -1, "1969-12-31T23:59:59.999+00:00", "1969-12-31T23:59:59.999Z",
		  "1969-12-31T23:59:59" },
		{ "UTC0", INT64_MAX, "2262-04-11T23:47:16.854+00:00", "2262-04-11T23:47:16.854Z",
		  "2262-04-11T23:47:16" },
		{ "UTC0", INT64_MIN, "1677-09-21T00:12:43.145+00:00", "1677-09-21T00:12:43.145Z",
		  "1677-09-21T00:12:43" },
	};
	char text[ES_TIME_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		set_zone(vectors[i].zone);
		assert_string_equal(es_time_rfc3339(vectors[i].t_ns, text), vectors[i].local);
		assert_string_equal(es_time_rfc3339_utc(vectors[i].t_ns, text), vectors[i].utc);
		assert_string_equal(es_time_local_seconds(vectors[i].t_ns, text),
				    vectors[i].seconds);
	}
}

static void times_are_read_as_people_and_tools_write_them(void **state)
{
	static const struct {
		const char *text;
		int64_t t_ns;
	} vectors[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2023-03-13T23:59:50.123+01:00", 1678748390123000000 },
		{ "2023-03-13T23:59:50", 1678748390000000000 },
		{ "2023/03/13 23:59:50", 1678748390000000000 },
		{ "2023-03-13t22:59:50z", 1678748390000000000 },
		{ "2023-03-13T22:59:50,5Z", 1678748390500000000 },
		{ "2023-03-13T22:59:50.123456789Z", 1678748390123456789 },
		{ "2023-03-13T22:59:50.1234567891234Z", 1678748390123456789 },
		{ "2023-03-13T19:29:50-0330", 1678748390000000000 },
		{ "2023-03-14T04:59:50+06", 1678748390000000000 },
		{ "2023-07-14T14:00:00", 1689336000000000000 },
		{ "2024-02-29T00:00:00Z", 1709164800000000000 },
		{ "2000-02-29T00:00:00Z", 951782400000000000 },
		{ "2023-12-31T24:00:00Z", 1704067200000000000 },
		{ "2016-12-31T23:59:60Z", 1483228800000000000 },
		{ "1969-12-31T23:59:59Z", -1000000000 },
		{ "@0", 0 },
		{ "@1678748390", 1678748390000000000 },
		{ "@1678748390.25", 1678748390250000000 },
		{ "@9223372029", 9223372029000000000 },
	};

	(void)state;
	set_zone(PARIS);
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		int64_t t_ns = 1;

		assert_int_equal(es_time_parse(vectors[i].text, &t_ns), 0);
		assert_true(t_ns == vectors[i].t_ns);
	}
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"now",
		"2023",
		"2023-03-13",
		"2023-03-13T",
		"2023-03-13T23:59",
		"2023-3-13T23:59:50",
		"2023-13-13T23:59:50",
		"2023-00-13T23:59:50",
		"2023-02-29T00:00:00",
		"2023-04-31T00:00:00",
		"1900-02-29T00:00:00",
		"2023-03-32T00:00:00",
		"2023-03-00T00:00:00",
		"2023-03-13T25:00:00",
		"2023-03-13T24:00:01",
		"2023-03-13T24:00:00.1",
		"2023-03-13T23:60:00",
		"2023-03-13T23:59:61",
		"2023-03-13T23:59:50.",
		"2023-03-13T23:59:50 ",
		"2023-03-13T23:59:50+1",
		"2023-03-13T23:59:50+24:00",
		"2023-03-13T23:59:50+01:0",
		"2023-03-13T23:59:50+01:60",
		"2023-03-13T23:59:50Zx",
		"1899-01-01T00:00:00Z",
		"2261-01-01T00:00:00Z",
		" 2023-03-13T23:59:50",
		"2023-03-13  23:59:50",
		"+2023-03-13T23:59:50",
		"@",
		"@-1",
		"@1x",
		"@1.",
		"@9999999999",
		"@99999999999999999999",
	};
	int64_t t_ns = 42;

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(texts); i++)
		assert_int_equal(es_time_parse(texts[i], &t_ns), -EBADMSG);
	assert_int_equal(t_ns, 42);
}

static void what_is_written_reads_back(void **state)
{
	static const char *const zones[] = { "UTC0", PARIS, ST_JOHNS };
	char text[ES_TIME_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(zones); i++) {
		set_zone(zones[i]);
		for (int64_t t_ns = 0; t_ns < INT64_C(1800000000) * ES_NS_PER_S;
		     t_ns += INT64_C(7654321123) * ES_NS_PER_MS) {
			int64_t back_ns;

			assert_int_equal(es_time_parse(es_time_rfc3339(t_ns, text), &back_ns), 0);
			assert_true(back_ns == t_ns);
			assert_int_equal(es_time_parse(es_time_rfc3339_utc(t_ns, text), &back_ns),
					 0);
			assert_true(back_ns == t_ns);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clocks_go_forwards),
		cmocka_unit_test(times_are_written_with_their_offset),
		cmocka_unit_test(times_are_read_as_people_and_tools_write_them),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(what_is_written_reads_back),
	};

	return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
