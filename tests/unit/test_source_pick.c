/*
 * test_source_pick.c - the one number that is meant, out of JSON, tables and lines
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/json.h"
#include "source/pick.h"

#define T0_NS INT64_C(1700000000000000000) /* 2023-11-14T22:13:20Z */

static int pick(struct es_pick_words words, const char *text, struct es_picked *ret)
{
	struct es_pick how;
	struct es_error err = { .code = 0 };
	int r = es_pick_init(&words, &how, &err);

	assert_int_equal(r, 0);
	r = es_pick(&how, text, strlen(text), ret, &err);
	assert_true((r < 0) == (err.text[0] != '\0'));
	return r;
}

static void check(struct es_pick_words words, const char *text, double value)
{
	struct es_picked picked = { .value = -1 };

	assert_int_equal(pick(words, text, &picked), 0);
	assert_true(picked.value >= value && picked.value <= value);
}

static void refused(struct es_pick_words words, const char *text, int error)
{
	struct es_picked picked;

	if (pick(words, text, &picked) != error)
		fail_msg("'%s' is not refused with %d", text, error);
}

static void pointers_lead_through_json(void **state)
{
	static const struct {
		const char *pointer, *text;
		double value;
	} rows[] = {
		{ "/watts", "{\"watts\": 312.5}", 312.5 },
		{ "/watts", "{\"watts\": \"312.5\"}", 312.5 },
		{ "/a/1/b", "{\"a\": [7, {\"b\": 3}]}", 3 },
		{ "/0", "[5]", 5 },
		{ "/a~1b/m~0n", "{\"a/b\": {\"m~n\": 1}}", 1 },
		{ "/ /", "{\" \": {\"\": 2}}", 2 },
		{ "/01", "{\"01\": 9}", 9 },
		{ "/x", "{\"x\": 4, \"big\": 99999999999999999999}", 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check((struct es_pick_words){ .fragment = rows[i].pointer }, rows[i].text,
		      rows[i].value);
}

static void what_is_not_there_is_not_zero(void **state)
{
	static const struct {
		const char *pointer, *text;
		int error;
	} rows[] = {
		{ "/watts", "{\"watts\": null}", -ENODATA },
		{ "/watts", "{}", -ENODATA },
		{ "/1", "[5]", -ENODATA },
		{ "/00", "[5]", -ENODATA },
		{ "/a/b", "{\"a\": 5}", -ENODATA },
		{ "/~2", "{\"~2\": 5}", -ENODATA },
		{ "/watts", "{\"watts\": true}", -EBADMSG },
		{ "/watts", "{\"watts\": \"\"}", -EBADMSG },
		{ "/watts", "{\"watts\": \"nan\"}", -EBADMSG },
		{ "/watts", "{\"watts\": \"12 W\"}", -EBADMSG },
		{ "/watts", "{\"watts\": {}}", -EBADMSG },
		{ "/watts", "{\"watts\": 3, \"watts\": 4}", -EBADMSG },
		{ "/watts", "{\"watts\": 31", -EBADMSG },
		{ "/watts", "{\"watts\": 1e999}", -EBADMSG },
		{ "/watts", "<html>", -EBADMSG },
		{ "/watts", "", -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused((struct es_pick_words){ .fragment = rows[i].pointer }, rows[i].text,
			rows[i].error);
}

static void deep_nesting_ends(void **state)
{
	size_t n = 200000;
	char *text = malloc(n + 1);

	(void)state;
	assert_non_null(text);
	memset(text, '[', n);
	text[n] = '\0';
	refused((struct es_pick_words){ .fragment = "/0" }, text, -EBADMSG);
	free(text);
}

static void times_come_in_many_forms(void **state)
{
	static const char *const times[] = { "1700000000",
					     "1700000000000",
					     "1700000000000000",
					     "1700000000000000000",
					     "\"1700000000\"",
					     "\"2023-11-14T22:13:20Z\"",
					     "\"2023-11-14T23:13:20+01:00\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct es_picked picked;
		char text[128];

		(void)snprintf(text, sizeof(text), "{\"w\": 1, \"t\": %s}", times[i]);
		assert_int_equal(pick((struct es_pick_words){ .fragment = "/w", .time = "/t" },
				      text, &picked),
				 0);
		assert_true(picked.has_time);
		assert_int_equal(picked.t_unix_ns, T0_NS);
	}
	refused((struct es_pick_words){ .fragment = "/w", .time = "/t" }, "{\"w\": 1}", -ENODATA);
	refused((struct es_pick_words){ .fragment = "/w", .time = "/t" },
		"{\"w\": 1, \"t\": \"soon\"}", -EBADMSG);
	refused((struct es_pick_words){ .fragment = "/w", .time = "/t" },
		"{\"w\": 1, \"t\": \"2230-01-01T00:00:00Z\"}", -EBADMSG);
	refused((struct es_pick_words){ .fragment = "/w", .time = "/t" }, "{\"w\": 1, \"t\": -5}",
		-EBADMSG);
}

/* As Kwollect of Grid'5000 answers. */
static const char kwollect[] =
	"[{\"timestamp\": \"2023-11-14T22:13:18Z\", \"device_id\": \"n-1\", \"metric_id\": "
	"\"wattmetre_power_watt\", \"value\": 101.5, \"labels\": {}},"
	"{\"timestamp\": \"2023-11-14T22:13:20Z\", \"device_id\": \"n-1\", \"metric_id\": "
	"\"wattmetre_power_watt\", \"value\": 103.5, \"labels\": {}},"
	"{\"timestamp\": \"2023-11-14T22:13:22Z\", \"device_id\": \"n-1\", \"metric_id\": "
	"\"bmc_ambient_temp_celsius\", \"value\": 23, \"labels\": {}},"
	"{\"timestamp\": \"2023-11-14T22:13:19Z\", \"device_id\": \"n-1\", \"metric_id\": "
	"\"wattmetre_power_watt\", \"value\": 102.5, \"labels\": {}}]";

static void the_newest_element_that_is_meant_is_taken(void **state)
{
	struct es_pick_words words = { .fragment = "/value",
				       .time = "/timestamp",
				       .where = "metric_id:wattmetre_power_watt,device_id:n-1" };
	struct es_picked picked;

	(void)state;
	assert_int_equal(pick(words, kwollect, &picked), 0);
	assert_true(picked.value > 103 && picked.value < 104);
	assert_int_equal(picked.t_unix_ns, T0_NS);
	words.where = "metric_id:nothing";
	refused(words, kwollect, -ENODATA);
	refused(words, "[]", -ENODATA);
	refused(words, "{}", -EBADMSG);
	words.where = "metric_id:wattmetre_power_watt";
	words.time = NULL;
	refused(words, kwollect, -EBADMSG); /* which of three? */
	words = (struct es_pick_words){ .fragment = "/v", .list = "/data/all", .where = "port:2" };
	check(words, "{\"data\": {\"all\": [{\"port\": 1, \"v\": 1}, {\"port\": 2, \"v\": 9}]}}",
	      9);
}

static void cells_of_the_last_whole_line(void **state)
{
	const struct es_pick_words power = { .column = "power_w", .time = "time" };
	const struct es_pick_words second = { .column = "2" };
	struct es_picked picked;

	(void)state;
	assert_int_equal(pick(power, "time,power_w\n1700000000,41.5\n1700000001,4", &picked), 0);
	assert_true(picked.value > 41.4 && picked.value < 41.6);
	assert_int_equal(picked.t_unix_ns, T0_NS);
	check((struct es_pick_words){ .column = "power_w" },
	      "# time; \"power_w\" \n1;2\n3; 4.5 \n\n", 4.5);
	check(second, "1\t7\n2\t8\n", 8);
	check(second, "1   7\n", 7);
	refused(power, "time,power_w\n", -ENODATA);
	refused(power, "time,power_w\n1700000000,41", -ENODATA);
	refused(power, "time,power_w\n1700000000,\n", -ENODATA);
	refused(power, "time,power_w\n1700000000\n", -EBADMSG);
	refused(power, "time,power_w,power_w\n1,2,3\n", -EBADMSG);
	refused(power, "time,power\n1,2\n", -EBADMSG);
	refused(power, "time,power_w\n1700000000,4;5\n", -EBADMSG);
	refused(second, "", -ENODATA);
	refused((struct es_pick_words){ .column = "0" }, "1,2\n3,4\n", -EBADMSG);
}

/* Half a million columns: looked through once, not once for each of them, which would take hours. */
static void however_many_columns_take_no_time(void **state)
{
	const size_t n = ES_ANSWER_MAX_BYTES;
	char *text = malloc(n + 1);

	(void)state;
	assert_non_null(text);
	memset(text, ',', n);
	text[n / 2] = text[n - 1] = '\n';
	text[n - 2] = '7';
	text[n] = '\0';
	refused((struct es_pick_words){ .column = "watts" }, text, -EBADMSG);
	/* There is one now, two before the last: nothing is in it. */
	memcpy(text + n / 2 - 5, "watts", 5);
	refused((struct es_pick_words){ .column = "watts" }, text, -ENODATA);
	free(text);
}

static void values_behind_keys(void **state)
{
	const struct es_pick_words watts = { .key = "watts" };

	(void)state;
	check(watts, "watts 5\n", 5);
	check(watts, "x: 1\nwatts: 6\ny: 2\n", 6);
	check(watts, "watts=7\n", 7);
	check(watts, "watts 5\nwatts 8\n", 8);
	refused(watts, "watts 5", -ENODATA); /* being written */
	refused(watts, "wattseconds 5\n", -ENODATA);
	refused(watts, "watts\n", -ENODATA);
	refused(watts, "watts: five\n", -EBADMSG);
}

static void nothing_but_a_number(void **state)
{
	const struct es_pick_words words = { .fragment = "" };

	(void)state;
	check(words, "412.25\n", 412.25);
	check(words, "  412", 412);
	refused(words, "", -ENODATA);
	refused(words, "412 W\n", -EBADMSG);
	refused(words, "1 2", -EBADMSG);
}

static void what_does_not_go_together_is_refused(void **state)
{
	static const struct es_pick_words bad[] = {
		{ .fragment = "watts" },
		{ .fragment = "/w", .column = "x" },
		{ .column = "x", .key = "y" },
		{ .column = "x", .where = "a:b" },
		{ .time = "/t" },
		{ .fragment = "/w", .time = "t" },
		{ .fragment = "/w", .where = "a" },
		{ .fragment = "/w", .where = ":b" },
		{ .fragment = "/w", .list = "x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct es_pick how;
		struct es_error err = { .code = 0 };

		assert_int_equal(es_pick_init(&bad[i], &how, &err), -EINVAL);
		assert_true(err.text[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pointers_lead_through_json),
		cmocka_unit_test(what_is_not_there_is_not_zero),
		cmocka_unit_test(deep_nesting_ends),
		cmocka_unit_test(times_come_in_many_forms),
		cmocka_unit_test(the_newest_element_that_is_meant_is_taken),
		cmocka_unit_test(cells_of_the_last_whole_line),
		cmocka_unit_test(however_many_columns_take_no_time),
		cmocka_unit_test(values_behind_keys),
		cmocka_unit_test(nothing_but_a_number),
		cmocka_unit_test(what_does_not_go_together_is_refused),
	};

	return cmocka_run_group_tests_name("source/pick", tests, NULL, NULL);
}
