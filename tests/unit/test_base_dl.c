/*
 * test_base_dl.c - libraries that are opened when they are used
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/dl.h"

static void functions_of_a_library_are_found(void **state)
{
	struct es_dl dl = { .handle = NULL };
	double (*power)(double, double) = NULL;
	void (*nothing)(void) = NULL;
	const struct es_dl_symbol symbols[] = { { "pow", &power, true },
						{ "es_no_such_function", &nothing, false } };

	(void)state;
	assert_int_equal(es_dl_open(&dl, "libm.so.6", symbols, 2, NULL), 0);
	assert_non_null(power);
	assert_true(power(2, 10) == 1024);
	assert_null(nothing);
	es_dl_close(&dl);
	assert_null(dl.handle);
	es_dl_close(&dl);
}

static void what_is_missing_is_named(void **state)
{
	struct es_dl dl = { .handle = NULL };
	void (*nothing)(void) = NULL;
	const struct es_dl_symbol symbols[] = { { "es_no_such_function", &nothing, true } };
	struct es_error err = { .code = 0 };

	(void)state;
	assert_int_equal(es_dl_open(&dl, "libnowhere.so.7", symbols, 1, &err), -ENOENT);
	assert_non_null(strstr(err.text, "libnowhere.so.7"));
	assert_int_equal(es_dl_open(&dl, "libm.so.6", symbols, 1, &err), -ENOSYS);
	assert_non_null(strstr(err.text, "es_no_such_function()"));
	assert_null(dl.handle);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_of_a_library_are_found),
		cmocka_unit_test(what_is_missing_is_named),
	};

	return cmocka_run_group_tests_name("base/dl", tests, NULL, NULL);
}
