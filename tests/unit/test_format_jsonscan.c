/*
 * test_format_jsonscan.c - reading JSON token by token
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "format/jsonscan.h"

/* All tokens as letters, up to the end or the error. */
static int tokens(const char *text, char *ret)
{
	static const char letters[] = ".{}[]ksntf0";
	struct es_scan scan;
	int token;

	es_scan_init(&scan, text, strlen(text));
	while ((token = es_scan_next(&scan)) > 0)
		*ret++ = letters[token];
	*ret = '\0';
	return token;
}

static void valid_texts_give_their_tokens(void **state)
{
	static const struct {
		const char *text, *tokens;
	} valid[] = {
		{ "1", "n" },
		{ " -0.5e+10 ", "n" },
		{ "\"a\\\"b\"", "s" },
		{ "[]", "[]" },
		{ "{}", "{}" },
		{ "[1, \"x\",true ,false,null]", "[nstf0]" },
		{ "{\"a\": {\"b\": []}, \"c\": 1}", "{k{k[]}kn}" },
		{ "\xef\xbb\xbf[1]", "[n]" },
	};
	char ret[64];

	(void)state;
	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
		assert_int_equal(tokens(valid[i].text, ret), ES_SCAN_END);
		assert_string_equal(ret, valid[i].tokens);
	}
}

static void what_is_no_json_is_refused(void **state)
{
	static const char *const wrong[] = {
		"]",	     "}",	   "[1 2]",   "[1,]",	  "[,1]", "{1:2}",
		"{\"a\" 1}", "{\"a\":1,}", "{\"a\"}", "{\"a\":}", "[1}",  "{\"a\":1]",
		"tru e",     "nul!",	   "[01x]",   "[1.]",	  "[1e]", "[-]",
		"1 1",	     "[\"\n\"]",   "[+1]",    "[.5]",
	};
	char ret[64];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (tokens(wrong[i], ret) != -EBADMSG)
			fail_msg("'%s' passed for JSON", wrong[i]);
}

static void a_text_that_ends_too_early_is_told_from_a_wrong_one(void **state)
{
	static const char whole[] = "{\"a\": [1, -2.5e3, \"x\\\"y\", true, null], \"b\": {}}";
	char ret[64], part[sizeof(whole)];

	(void)state;
	for (size_t n = 0; n + 1 < sizeof(whole); n++) {
		memcpy(part, whole, n);
		part[n] = '\0';
		assert_int_equal(tokens(part, ret), -ENODATA);
	}
	assert_int_equal(tokens(whole, ret), ES_SCAN_END);
}

static void nesting_has_a_limit(void **state)
{
	char text[200], ret[400];

	(void)state;
	memset(text, '[', sizeof(text));
	memset(text + 64, ']', 64);
	text[128] = '\0';
	assert_int_equal(tokens(text, ret), ES_SCAN_END);
	memset(text, '[', 65);
	assert_int_equal(tokens(text, ret), -EBADMSG);
}

static void numbers_keep_all_their_bits(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t v;
	} numbers[] = {
		{ "0", 0, 0 },
		{ "11531480297493304832", 0, UINT64_C(11531480297493304832) },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "-1", -EBADMSG, 0 },
		{ "1.0", -EBADMSG, 0 },
		{ "1e3", -EBADMSG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct es_scan scan;
		uint64_t v = 0;

		es_scan_init(&scan, numbers[i].text, strlen(numbers[i].text));
		assert_int_equal(es_scan_next(&scan), ES_SCAN_NUMBER);
		assert_int_equal(es_scan_u64(&scan, &v), numbers[i].r);
		assert_true(v == numbers[i].v);
	}
}

static void strings_are_unescaped(void **state)
{
	static const char text[] = "\"a\\n\\u00e9\\u20ac\\ud83d\\ude00\\/\"";
	static const char *const wrong[] = { "\"\\u0000\"", "\"\\ud83d\"", "\"\\ude00\"", "\"\\x\"",
					     "\"\\u12\"" };
	struct es_scan scan;
	char ret[32];

	(void)state;
	es_scan_init(&scan, text, strlen(text));
	assert_int_equal(es_scan_next(&scan), ES_SCAN_STRING);
	assert_int_equal(es_scan_copy(&scan, ret, sizeof(ret)), 0);
	assert_string_equal(ret, "a\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80/");
	assert_int_equal(es_scan_copy(&scan, ret, 5), -E2BIG);
	assert_string_equal(ret, "");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		es_scan_init(&scan, wrong[i], strlen(wrong[i]));
		assert_int_equal(es_scan_next(&scan), ES_SCAN_STRING);
		assert_int_equal(es_scan_copy(&scan, ret, sizeof(ret)), -EBADMSG);
	}
}

static void values_can_be_skipped(void **state)
{
	static const char text[] = "{\"a\": {\"x\": [1, {\"y\": 2}]}, \"b\": 3}";
	struct es_scan scan;

	(void)state;
	es_scan_init(&scan, text, strlen(text));
	assert_int_equal(es_scan_next(&scan), ES_SCAN_OBJECT);
	assert_int_equal(es_scan_next(&scan), ES_SCAN_KEY);
	assert_true(es_scan_is(&scan, "a"));
	assert_int_equal(es_scan_skip_value(&scan), 0);
	assert_int_equal(es_scan_next(&scan), ES_SCAN_KEY);
	assert_true(es_scan_is(&scan, "b"));
	assert_int_equal(es_scan_skip_value(&scan), 0);
	assert_int_equal(es_scan_next(&scan), ES_SCAN_OBJECT_END);
	assert_int_equal(es_scan_next(&scan), ES_SCAN_END);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_texts_give_their_tokens),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(a_text_that_ends_too_early_is_told_from_a_wrong_one),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(numbers_keep_all_their_bits),
		cmocka_unit_test(strings_are_unescaped),
		cmocka_unit_test(values_can_be_skipped),
	};

	return cmocka_run_group_tests_name("format/jsonscan", tests, NULL, NULL);
}
