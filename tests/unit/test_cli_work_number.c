/*
 * test_cli_work_number.c - the number that a file says
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/work_number.h"

static void a_file_says_one_number_or_its_last_line_does(void **state)
{
	static const struct {
		const char *text;
		int r;
		int64_t whole, end; /* as the whole file; as the end of a longer one */
	} vectors[] = {
		{ "12", 0, 12, -ENODATA },
		{ "  12.0 \n\n", 0, 12, -ENODATA },
		{ "1\n2\n3\n", 0, 3, 3 },
		{ "1\n2\n34", 0, 2, 2 },
		{ "1\n2\nlast words\n", 0, 2, 2 },
		{ "1\n2,a\n", 0, 2, 2 },
		{ "1\n2; a\r\n", 0, 2, 2 },
		{ "1\n  7 steps\n", 0, 7, 7 },
		{ "1\n2026-11-22 x\n", 0, 1, -ENODATA },
		{ "1\n12:30 x\n", 0, 1, -ENODATA },
		{ "1\n3D\n", 0, 1, -ENODATA },
		{ "12 steps", -ENODATA, 0, -ENODATA },
		{ "12 steps\n", 0, 12, -ENODATA },
		{ "", -ENODATA, 0, -ENODATA },
		{ "\n\n", -ENODATA, 0, -ENODATA },
		{ "words\n", -ENODATA, 0, -ENODATA },
		{ "1\n-5\n", -ERANGE, 0, -ERANGE },
		{ "1e99", -ERANGE, 0, -ENODATA },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		size_t n = strlen(vectors[i].text);
		char *copy = malloc(n + 1);
		int64_t v = -1;
		int r;

		assert_non_null(copy);
		memcpy(copy + 1, vectors[i].text, n);
		r = es_work_number(copy + 1, n, true, &v);
		if (r != vectors[i].r || (r == 0 && v != vectors[i].whole * 1000000))
			fail_msg("'%s': %d, %lld", vectors[i].text, r, (long long)v);
		r = es_work_number(copy + 1, n, false, &v);
		if (r != (vectors[i].end < 0 ? vectors[i].end : 0) ||
		    (r == 0 && v != vectors[i].end * 1000000))
			fail_msg("end of '%s': %d, %lld", vectors[i].text, r, (long long)v);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_says_one_number_or_its_last_line_does),
	};

	return cmocka_run_group_tests_name("cli/work_number", tests, NULL, NULL);
}
