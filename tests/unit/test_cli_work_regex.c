/*
 * test_cli_work_regex.c - patterns that find amounts, and those that do not
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/work_regex.h"

static int find(const char *pattern, const char *line, size_t n, int64_t *ret)
{
	struct es_work_regex *regex;
	struct es_error err = { .code = 0 };
	char *copy = malloc(n + 1); /* just its size and a byte */
	int r;

	assert_non_null(copy);
	memcpy(copy + 1, line, n);
	if (es_work_regex_create(pattern, NULL, &regex, &err) < 0)
		fail_msg("%s", err.text);
	*ret = -1;
	r = es_work_regex_find(regex, copy + 1, n, ret);
	es_work_regex_destroy(regex);
	free(copy);
	return r;
}

static void the_group_is_the_amount(void **state)
{
	static const struct {
		const char *pattern, *line;
		int r;
		int64_t micro;
	} vectors[] = {
		{ "^Step +(\\d+)", "Step   1200: ok", 1, 1200000000 },
		{ "^Step +(\\d+)", "step 1200", 0, -1 },
		{ "^Step +(\\d+)", " Step 1200", 0, -1 },
		{ "(?i)^step +(\\d+)", "STEP 12", 1, 12000000 },
		{ "(?i:s)tep (\\d+)", "Step 12", 1, 12000000 },
		{ "(?i)\xe9tape (\\d+)", "\xe9TAPE 3", 1, 3000000 },
		{ "t=(\\S+) ns", "t=1.5e-3 ns", 1, 1500 },
		{ "(\\d+)(?:/\\d+)?$", "[##  ] 20/40", 1, 20000000 },
		{ "(\\d+)/\\d+", "[##  ] 20/40", 1, 20000000 },
		{ "(\\d+)", "1 then 2", 1, 1000000 },
		{ "n=(.*)$", "n=abc 1", -EBADMSG, -1 },
		{ "n=(.*)$", "n=12 ", -EBADMSG, -1 },
		{ "n=(.*)$", "n=-12", -EBADMSG, -1 },
		{ "n=(.*)$", "n=1e99", -EBADMSG, -1 },
		{ "a|b=(\\d+)", "a 1", -EBADMSG, -1 },
		{ "(?:(\\d+)|none)", "none 7", -EBADMSG, -1 },
		{ "(?=(\\d+))", "x42", 1, 42000000 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		int64_t micro;
		int r = find(vectors[i].pattern, vectors[i].line, strlen(vectors[i].line), &micro);

		if (r != vectors[i].r || micro != vectors[i].micro)
			fail_msg("'%s' in '%s': %d, %lld", vectors[i].pattern, vectors[i].line, r,
				 (long long)micro);
	}
}

static void bytes_of_any_value_are_matched(void **state)
{
	int64_t micro;

	(void)state;
	assert_int_equal(find("^\\x00Step.(\\d+)",
			      "\0Step\xff"
			      "5\0",
			      8, &micro),
			 1);
	assert_int_equal(micro, 5000000);
	assert_int_equal(find("(\\d+)", "", 0, &micro), 0);
}

static void wrong_patterns_are_told_with_their_place(void **state)
{
	static const struct {
		const char *pattern, *word;
	} vectors[] = {
		{ "^Step (\\d+", "at character 11: missing closing parenthesis" },
		{ "(\\d+)[", "at character 7" },
		{ "*(\\d)", "at character 1" },
		{ "^Step \\d+", "0 groups" },
		{ "(a)(\\d+)", "2 groups" },
		{ "(*UTF)(\\d+)", "UTF" },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct es_work_regex *regex = NULL;
		struct es_error err = { .code = 0 };

		assert_int_equal(es_work_regex_create(vectors[i].pattern, NULL, &regex, &err),
				 -EINVAL);
		if (!strstr(err.text, vectors[i].word) || !strstr(err.text, vectors[i].pattern))
			fail_msg("'%s': %s", vectors[i].pattern, err.text);
		assert_null(regex);
	}
}

static void a_search_without_end_is_given_up(void **state)
{
	char line[3000];
	int64_t micro;

	(void)state;
	memset(line, 'a', sizeof(line));
	line[sizeof(line) - 1] = '1';
	assert_int_equal(find("^(?:a+)+[bc](\\d)", line, sizeof(line), &micro), -E2BIG);
	assert_int_equal(micro, -1);
}

static void a_missing_library_is_named_with_its_package(void **state)
{
	struct es_work_regex *regex;
	struct es_error err = { .code = 0 };

	(void)state;
	assert_int_equal(es_work_regex_create("(.)", "libnowhere.so.7", &regex, &err), -ENOENT);
	assert_non_null(strstr(err.text, "libnowhere.so.7"));
	assert_non_null(strstr(err.text, "libpcre2-8-0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_group_is_the_amount),
		cmocka_unit_test(bytes_of_any_value_are_matched),
		cmocka_unit_test(wrong_patterns_are_told_with_their_place),
		cmocka_unit_test(a_search_without_end_is_given_up),
		cmocka_unit_test(a_missing_library_is_named_with_its_package),
	};
	struct es_work_regex *regex;

	if (es_work_regex_create("(.)", NULL, &regex, NULL) < 0) {
		printf("1..0 # SKIP libpcre2-8 is not here\n");
		return 0;
	}
	es_work_regex_destroy(regex);
	return cmocka_run_group_tests_name("cli/work_regex", tests, NULL, NULL);
}
