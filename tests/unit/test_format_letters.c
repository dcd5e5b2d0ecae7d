/*
 * test_format_letters.c - names in the cells of a table
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "format/letters.h"

static void a_cell_is_as_wide_as_its_column(void **state)
{
	static const struct {
		const char *name, *shown;
	} vectors[] = {
		{ "solve", "solve   " },
		{ "12345678", "12345678" },
		{ "123456789", "1234567…" },
		{ "\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9     " },
		{ "\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac    " },
		{ "\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5",
		  "\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5… " },
		{ "e\xcc\x81", "e\xcc\x81       " },
		{ "\xe2\x9a\xa1", "\xe2\x9a\xa1      " },
		{ "", "        " },
		{ "a\xe2\x80\xae"
		  "b\033\xff",
		  "a?b??   " },
	};

	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct es_buf out;

		es_buf_init(&out, 256);
		es_letters_cell(&out, vectors[i].name, 8, true);
		assert_int_equal(es_buf_u8(&out, 0), 0);
		assert_string_equal((const char *)out.data, vectors[i].shown);
		es_buf_finish(&out);
	}
	(void)state;
}

static void a_name_within_a_line_is_only_cut(void **state)
{
	struct es_buf out;

	es_buf_init(&out, 256);
	es_letters_cell(&out, "solve", 8, false);
	es_letters_cell(&out, "|solver of all", 8, false);
	assert_int_equal(es_buf_u8(&out, 0), 0);
	assert_string_equal((const char *)out.data, "solve|solver…");
	es_buf_finish(&out);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cell_is_as_wide_as_its_column),
		cmocka_unit_test(a_name_within_a_line_is_only_cut),
	};

	return cmocka_run_group_tests_name("format/letters", tests, NULL, NULL);
}
