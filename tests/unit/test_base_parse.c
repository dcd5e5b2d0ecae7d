/*
 * test_base_parse.c - numbers and quantities, exactly or not at all
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"

static void whole_numbers_are_read_whole(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t v;
	} vectors[] = {
		{ "0", 0, 0 },
		{ "007", 0, 7 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "", -EBADMSG, 0 },
		{ "-1", -EBADMSG, 0 },
		{ "+1", -EBADMSG, 0 },
		{ " 1", -EBADMSG, 0 },
		{ "1 ", -EBADMSG, 0 },
		{ "1\n", -EBADMSG, 0 },
		{ "0x10", -EBADMSG, 0 },
		{ "1.0", -EBADMSG, 0 },
		{ "1e3", -EBADMSG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		uint64_t v = 42;

		assert_int_equal(es_parse_u64(vectors[i].text, &v), vectors[i].r);
		assert_true(v == (vectors[i].r ? 42 : vectors[i].v));
	}
}

static void signed_numbers_reach_both_ends(void **state)
{
	static const struct {
		const char *text;
		int r;
		int64_t v;
	} vectors[] = {
		{ "0", 0, 0 },
		{ "-0", 0, 0 },
		{ "-1", 0, -1 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "-9223372036854775808", 0, INT64_MIN },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "-9223372036854775809", -ERANGE, 0 },
		{ "", -EBADMSG, 0 },
		{ "-", -EBADMSG, 0 },
		{ "--1", -EBADMSG, 0 },
		{ "- 1", -EBADMSG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		int64_t v = 42;

		assert_int_equal(es_parse_i64(vectors[i].text, &v), vectors[i].r);
		assert_true(v == (vectors[i].r ? 42 : vectors[i].v));
	}
}

static void sysfs_values_end_with_a_newline(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t v;
	} vectors[] = {
		{ "0\n", 0, 0 },
		{ "262143328850\n", 0, 262143328850 },
		{ "5", -EBADMSG, 0 }, /* 57 cut off? */
		{ "18446744073709551615\n", 0, UINT64_MAX },
		{ "", -ENODATA, 0 },
		{ "\n", -ENODATA, 0 },
		{ "garbage\n", -EBADMSG, 0 },
		{ "-1\n", -EBADMSG, 0 },
		{ "1x\n", -EBADMSG, 0 },
		{ "1 2\n", -EBADMSG, 0 },
		{ "18446744073709551616\n", -ERANGE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		uint64_t v = 42;

		assert_int_equal(es_parse_u64_sysfs(vectors[i].text, strlen(vectors[i].text), &v),
				 vectors[i].r);
		assert_true(v == (vectors[i].r ? 42 : vectors[i].v));
	}
}

static void a_sysfs_value_needs_no_nul(void **state)
{
	uint64_t v;

	(void)state;
	assert_int_equal(es_parse_u64_sysfs("123\n5", 4, &v), 0);
	assert_int_equal(v, 123);
}

static void decimal_numbers_are_finite_and_nothing_else(void **state)
{
	static const struct {
		const char *text;
		int r;
		double v;
	} vectors[] = {
		{ "0", 0, 0 },
		{ "1.3", 0, 1.3 },
		{ "-2.5e-3", 0, -0.0025 },
		{ "+4", 0, 4 },
		{ ".5", 0, 0.5 },
		{ "1e308", 0, 1e308 },
		{ "1e309", -ERANGE, 0 },
		{ "inf", -EBADMSG, 0 },
		{ "nan", -EBADMSG, 0 },
		{ "0x1p3", -EBADMSG, 0 },
		{ "", -EBADMSG, 0 },
		{ " 1", -EBADMSG, 0 },
		{ "1 ", -EBADMSG, 0 },
		{ "1,5", -EBADMSG, 0 },
		{ "e", -EBADMSG, 0 },
		{ "1e", -EBADMSG, 0 },
		{ "--1", -EBADMSG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		double v = 42;

		assert_int_equal(es_parse_double(vectors[i].text, &v), vectors[i].r);
		assert_true(v == (vectors[i].r ? 42 : vectors[i].v));
	}
}

struct quantity {
	const char *text;
	int r;
	int64_t v;
};

static void durations_are_exact_to_the_nanosecond(void **state)
{
	static const struct quantity vectors[] = {
		{ "100ms", 0, 100000000 },
		{ "2s", 0, 2000000000 },
		{ "2 s", 0, 2000000000 },
		{ "0.5s", 0, 500000000 },
		{ ".5s", 0, 500000000 },
		{ "1.000000001s", 0, 1000000001 },
		{ "1.0000000010s", 0, 1000000001 },
		{ "7us", 0, 7000 },
		{ "7\xc2\xb5s", 0, 7000 },
		{ "3ns", 0, 3 },
		{ "1m", 0, 60000000000 },
		{ "1.5min", 0, 90000000000 },
		{ "1h", 0, 3600000000000 },
		{ "0.25h", 0, 900000000000 },
		{ "1d", 0, 86400000000000 },
		{ "0", 0, 0 },
		{ "0.0", 0, 0 },
		{ "0s", 0, 0 },
		{ "00010ms", 0, 10000000 },
		{ "106751d", 0, 9223286400000000000 },
		{ "106752d", -ERANGE, 0 },
		{ "1.0000000001s", -ERANGE, 0 },
		{ "0.1ns", -ERANGE, 0 },
		{ "0.01ns", -ERANGE, 0 },
		{ "0.000000000001s", -ERANGE, 0 },
		{ "0.00000000000000000001h", -ERANGE, 0 },
		{ "99999999999999999999s", -ERANGE, 0 },
		{ "100", -EBADMSG, 0 },
		{ "ms", -EBADMSG, 0 },
		{ "", -EBADMSG, 0 },
		{ ".s", -EBADMSG, 0 },
		{ "1.s", -EBADMSG, 0 },
		{ "-1s", -EBADMSG, 0 },
		{ "1e3s", -EBADMSG, 0 },
		{ "1S", -EBADMSG, 0 },
		{ "1  s", -EBADMSG, 0 },
		{ "1s ", -EBADMSG, 0 },
		{ "350W", -EBADMSG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		int64_t v = 42;

		assert_int_equal(es_parse_duration_ns(vectors[i].text, &v), vectors[i].r);
		assert_true(v == (vectors[i].r ? 42 : vectors[i].v));
	}
}

static void powers_frequencies_and_sizes_have_their_units(void **state)
{
	static const struct {
		int (*parse)(const char *text, uint64_t *ret);
		struct quantity q;
	} vectors[] = {
		{ es_parse_power_mw, { "350W", 0, 350000 } },
		{ es_parse_power_mw, { "0.5 kW", 0, 500000 } },
		{ es_parse_power_mw, { "1mW", 0, 1 } },
		{ es_parse_power_mw, { "2MW", 0, 2000000000 } },
		{ es_parse_power_mw, { "0.0001W", -ERANGE, 0 } },
		{ es_parse_power_mw, { "5s", -EBADMSG, 0 } },
		{ es_parse_freq_khz, { "2.4GHz", 0, 2400000 } },
		{ es_parse_freq_khz, { "800MHz", 0, 800000 } },
		{ es_parse_freq_khz, { "1 kHz", 0, 1 } },
		{ es_parse_freq_khz, { "2000Hz", 0, 2 } },
		{ es_parse_freq_khz, { "2000 Hz", 0, 2 } },
		{ es_parse_freq_khz, { "1Hz", -ERANGE, 0 } },
		{ es_parse_freq_khz, { "0.0000001GHz", -ERANGE, 0 } },
		{ es_parse_freq_khz, { "Hz", -EBADMSG, 0 } },
		{ es_parse_size_bytes, { "0", 0, 0 } },
		{ es_parse_size_bytes, { "5B", 0, 5 } },
		{ es_parse_size_bytes, { "1kB", 0, 1000 } },
		{ es_parse_size_bytes, { "1.5KiB", 0, 1536 } },
		{ es_parse_size_bytes, { "0.5GiB", 0, 536870912 } },
		{ es_parse_size_bytes, { "0.125 MiB", 0, 131072 } },
		{ es_parse_size_bytes, { "2GB", 0, 2000000000 } },
		{ es_parse_size_bytes, { "0.005KiB", -ERANGE, 0 } },
		{ es_parse_size_bytes, { "0.1KiB", -ERANGE, 0 } },
		{ es_parse_size_bytes, { "20000000000GiB", -ERANGE, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		uint64_t v = 42;

		assert_int_equal(vectors[i].parse(vectors[i].q.text, &v), vectors[i].q.r);
		assert_true(v == (vectors[i].q.r ? 42 : (uint64_t)vectors[i].q.v));
	}
}

static void shares_are_percent_or_fractions(void **state)
{
	static const struct quantity vectors[] = {
		{ "5%", 0, 50000 },
		{ "0.05", 0, 50000 },
		{ "-4.97%", 0, -49700 },
		{ "1", 0, 1000000 },
		{ "0", 0, 0 },
		{ "0.0001%", 0, 1 },
		{ "0.00001%", -ERANGE, 0 },
		{ "5 %", 0, 50000 },
		{ "%", -EBADMSG, 0 },
		{ "5ppm", -EBADMSG, 0 },
		{ "5", -EBADMSG, 0 },
		{ "-1.5", -EBADMSG, 0 },
		{ "200%", 0, 2000000 },
		{ "", -EBADMSG, 0 },
		{ "--5%", -EBADMSG, 0 },
		{ "99999999999999%", 0, 999999999999990000 },
		{ "99999999999999999%", -ERANGE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		int64_t v = 42;

		assert_int_equal(es_parse_share_ppm(vectors[i].text, &v), vectors[i].r);
		assert_true(v == (vectors[i].r ? 42 : vectors[i].v));
	}
}

static void durations_are_shown_for_people(void **state)
{
	static const struct {
		int64_t dur_ns;
		const char *text;
	} vectors[] = {
		{ 0, "0 µs" },
		{ 1500, "1.5 µs" },
		{ 100 * ES_NS_PER_MS, "100 ms" },
		{ 2500 * ES_NS_PER_MS, "2.5 s" },
		{ 59 * ES_NS_PER_S, "59 s" },
		{ 60 * ES_NS_PER_S, "1 min 00 s" },
		{ 1350 * ES_NS_PER_S, "22 min 30 s" },
		{ 3600 * ES_NS_PER_S, "1 h" },
		{ 81036 * ES_NS_PER_S, "22 h 30 min" },
		{ INT64_MAX, "2562047 h 47 min" },
	};
	char text[ES_QUANTITY_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++)
		assert_string_equal(es_duration_text(vectors[i].dur_ns, text), vectors[i].text);
}

static void numbers_of_the_job_line_have_its_decimals(void **state)
{
	static const struct {
		double value;
		const char *text;
	} vectors[] = {
		{ 0, "0.00" },
		{ 10.5812, "10.58" },
		{ 687.78, "687.78" },
		{ 1, "1.00" },
		{ 0.5, "0.500" },
		{ 0.0123456, "0.0123" },
		{ 0.001, "0.00100" },
		{ 0.000123456, "0.000123" },
		{ -0.0123456, "-0.0123" },
		{ 1e-30, "0.000000000000000" },
		{ 123456789.5, "123456789.50" },
		{ 1e300, "1e+300" },
		{ (double)NAN, "n/a" },
		{ (double)INFINITY, "n/a" },
	};
	char text[ES_QUANTITY_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++)
		assert_string_equal(es_number_text(vectors[i].value, text), vectors[i].text);
}

static void millionths_are_exact_and_tell_where_the_number_ends(void **state)
{
	static const struct {
		const char *text;
		int r;
		int64_t v;
		size_t used;
	} vectors[] = {
		{ "0", 0, 0, 1 },
		{ "1200 steps", 0, 1200000000, 4 },
		{ "0.000001", 0, 1, 8 },
		{ "0.0000005", 0, 1, 9 },
		{ "0.00000049999999999999999999999999", 0, 0, 34 },
		{ "-0.5,", 0, -500000, 4 },
		{ "+3", 0, 3000000, 2 },
		{ ".5", 0, 500000, 2 },
		{ "5.", 0, 5000000, 2 },
		{ "1.5e+06", 0, 1500000000000, 7 },
		{ "15E-1", 0, 1500000, 5 },
		{ "12e", 0, 12000000, 2 },
		{ "12e+", 0, 12000000, 2 },
		{ "12 eV", 0, 12000000, 2 },
		{ "1.2.3", 0, 1200000, 3 },
		{ "0e999999999", 0, 0, 11 },
		{ "1e-999999999", 0, 0, 12 },
		{ "123456789.123456789012345678901234567890", 0, 123456789123457, 40 },
		{ "9223372036854.775807", 0, INT64_MAX, 20 },
		{ "9223372036854.775808", -ERANGE, 0, 0 },
		{ "99999999999999999999999999", -ERANGE, 0, 0 },
		{ "1e13", -ERANGE, 0, 0 },
		{ "1e999999999", -ERANGE, 0, 0 },
		{ "", -EBADMSG, 0, 0 },
		{ ".", -EBADMSG, 0, 0 },
		{ "-", -EBADMSG, 0, 0 },
		{ "e5", -EBADMSG, 0, 0 },
		{ " 1", -EBADMSG, 0, 0 },
		{ "NaN", -EBADMSG, 0, 0 },
		{ "inf", -EBADMSG, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		int64_t v = 42;
		size_t used = 43;
		int r = es_parse_micro(vectors[i].text, strlen(vectors[i].text), &v, &used);

		if (r != vectors[i].r || v != (r ? 42 : vectors[i].v) ||
		    used != (r ? 43 : vectors[i].used))
			fail_msg("'%s': %d, %lld, %zu", vectors[i].text, r, (long long)v, used);
	}
}

static void millionths_need_no_nul(void **state)
{
	const char digits[] = { '1', '2', '3', '4' };
	size_t used;
	int64_t v;

	(void)state;
	assert_int_equal(es_parse_micro(digits, 2, &v, &used), 0);
	assert_int_equal(v, 12000000);
	assert_int_equal(used, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers_are_read_whole),
		cmocka_unit_test(signed_numbers_reach_both_ends),
		cmocka_unit_test(sysfs_values_end_with_a_newline),
		cmocka_unit_test(a_sysfs_value_needs_no_nul),
		cmocka_unit_test(decimal_numbers_are_finite_and_nothing_else),
		cmocka_unit_test(millionths_are_exact_and_tell_where_the_number_ends),
		cmocka_unit_test(millionths_need_no_nul),
		cmocka_unit_test(durations_are_exact_to_the_nanosecond),
		cmocka_unit_test(powers_frequencies_and_sizes_have_their_units),
		cmocka_unit_test(shares_are_percent_or_fractions),
		cmocka_unit_test(durations_are_shown_for_people),
		cmocka_unit_test(numbers_of_the_job_line_have_its_decimals),
	};

	return cmocka_run_group_tests_name("base/parse", tests, NULL, NULL);
}
