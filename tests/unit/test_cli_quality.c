/*
 * test_cli_quality.c - limits that results must keep, and the numbers that commands print
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "cli/quality.h"

static void limits_are_understood(void **state)
{
	static const struct {
		const char *limit;
		enum es_quality_than than;
		double value;
		bool holds_below, holds_at, holds_above;
	} vectors[] = {
		{ ">= 0.943", ES_QUALITY_AT_LEAST, 0.943, false, true, true },
		{ " <=1e-6", ES_QUALITY_AT_MOST, 1e-6, true, true, false },
		{ ">5", ES_QUALITY_ABOVE, 5, false, false, true },
		{ "<  -2", ES_QUALITY_BELOW, -2, true, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct es_quality quality;

		assert_int_equal(es_quality_parse("acc", vectors[i].limit, &quality, NULL), 0);
		assert_string_equal(quality.what, "acc");
		assert_int_equal(quality.than, vectors[i].than);
		assert_true(quality.limit == vectors[i].value);
		assert_int_equal(es_quality_holds(&quality, vectors[i].value - 1),
				 vectors[i].holds_below);
		assert_int_equal(es_quality_holds(&quality, vectors[i].value), vectors[i].holds_at);
		assert_int_equal(es_quality_holds(&quality, vectors[i].value + 1),
				 vectors[i].holds_above);
	}
}

static void what_is_no_limit_is_refused(void **state)
{
	static const char *const limits[] = { "",      "0.9",	 "= 0.9",  ">=",     ">= high",
					      "> 5 x", ">= nan", "=> 0.9", "above 3" };
	struct es_quality quality;
	struct es_error err = { .code = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (es_quality_parse("acc", limits[i], &quality, &err) != -EINVAL)
			fail_msg("'%s' was taken", limits[i]);
		assert_non_null(strstr(err.text, "--quality"));
	}
	assert_int_equal(es_quality_parse("", ">= 1", &quality, &err), -EINVAL);
}

static void the_last_number_is_found(void **state)
{
	static const struct {
		const char *text;
		double value;
	} vectors[] = {
		{ "0.95", 0.95 },
		{ "accuracy: 0.943\n", 0.943 },
		{ "epoch 3 loss=-1.5e-3,", -1.5e-3 },
		{ "top1 0.7, top5 ok", 0.7 },
		{ "97.5%", 97.5 },
		{ "It is 12.", 12 },
		{ "v2 result 7\nEnd", 7 },
	};
	double value;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		if (es_quality_last_number(vectors[i].text, strlen(vectors[i].text), &value) < 0)
			fail_msg("'%s' has none", vectors[i].text);
		if (value != vectors[i].value)
			fail_msg("'%s': %g", vectors[i].text, value);
	}
	assert_int_equal(es_quality_last_number("none + e - . v2", 15, &value), -ENODATA);
	assert_int_equal(es_quality_last_number("", 0, &value), -ENODATA);
	assert_int_equal(es_quality_last_number("1\0002", 3, &value), 0);
	assert_true(value == 2);
}

static void a_command_is_given_the_path(void **state)
{
	struct es_quality quality = { .what = "echo size 3 of" };
	struct es_error err = { .code = 0 };
	double value;

	(void)state;
	assert_int_equal(es_quality_run(&quality, "/a b/$(7)", &value, &err), 0);
	assert_true(value == 7); /* nothing in it is run */
	quality.what = "exit 4;";
	assert_int_equal(es_quality_run(&quality, "x", &value, &err), -ENODATA);
	assert_non_null(strstr(err.text, "status 4"));
	quality.what = "kill -9 $$;";
	assert_int_equal(es_quality_run(&quality, "x", &value, &err), -ENODATA);
	assert_non_null(strstr(err.text, "signal 9"));
	quality.what = "echo none of";
	assert_int_equal(es_quality_run(&quality, "them", &value, &err), -ENODATA);
	quality.what = "/nowhere/at/all";
	assert_int_equal(es_quality_run(&quality, "x", &value, &err), -ENOENT);
	/* More than is kept: its end counts. */
	quality.what = "head -c 300000 /dev/zero | tr '\\0' ' '; echo 5 #";
	assert_int_equal(es_quality_run(&quality, "x", &value, &err), 0);
	assert_true(value == 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_understood),
		cmocka_unit_test(what_is_no_limit_is_refused),
		cmocka_unit_test(the_last_number_is_found),
		cmocka_unit_test(a_command_is_given_the_path),
	};

	return cmocka_run_group_tests_name("cli/quality", tests, NULL, NULL);
}
