/*
 * test_format_csvread.c - reading CSV line by line
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "format/csvread.h"

/* The records as "line:a|b|c;", an error as "line!". */
static void read_all(const char *text, char *ret, size_t size)
{
	char copy[4096], *fields[ES_CSV_FIELDS_MAX];
	struct es_csv csv;
	int n;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	es_csv_init(&csv, copy, strlen(copy));
	ret[0] = '\0';
	while ((n = es_csv_next(&csv, fields)) != 0) {
		size_t at = strlen(ret);

		(void)snprintf(ret + at, size - at, "%zu%s", csv.line, n < 0 ? "!" : ":");
		for (int i = 0; i < n; i++) {
			at = strlen(ret);
			(void)snprintf(ret + at, size - at, "%s%s", fields[i],
				       i + 1 < n ? "|" : ";");
		}
	}
}

static void records_come_out_as_they_were_meant(void **state)
{
	static const struct {
		const char *text, *records;
	} cases[] = {
		{ "", "" },
		{ "a,b\n1,2\n", "1:a|b;2:1|2;" },
		{ "a,b\r\n1,2\r\n", "1:a|b;2:1|2;" },
		{ "a,b\n1,2", "1:a|b;2:1|2;" },
		{ "\xef\xbb\xbf"
		  "a,b\n",
		  "1:a|b;" },
		{ "a,,\n,\n", "1:a||;2:|;" },
		{ "\n\n  \na\n", "4:a;" },
		{ " a , b c ,\td\n", "1:a|b c|d;" },
		{ "\"a,b\",\"c\"\"d\" , \"\"\n", "1:a,b|c\"d|;" },
		{ "\"open\nnext,1\n", "1!2:next|1;" },
		{ "a\"b,1\nnext\n", "1!2:next;" },
		{ "\"a\"b,1\nnext\n", "1!2:next;" },
		{ "\"a", "1!" },
		{ "a\rb\n", "1:a\rb;" },
	};
	char ret[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		read_all(cases[i].text, ret, sizeof(ret));
		assert_string_equal(ret, cases[i].records);
	}
}

static void too_many_fields_are_an_error_of_their_line(void **state)
{
	char text[256], ret[512];

	(void)state;
	memset(text, ',', 100);
	memcpy(text + 100, "\nnext\n", 7);
	read_all(text, ret, sizeof(ret));
	assert_string_equal(ret, "1!2:next;");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_out_as_they_were_meant),
		cmocka_unit_test(too_many_fields_are_an_error_of_their_line),
	};

	return cmocka_run_group_tests_name("format/csvread", tests, NULL, NULL);
}
