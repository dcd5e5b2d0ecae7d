/*
 * test_base_conf_memory.c - configuration when memory runs out at any point
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/conf.h"
#include "support/failing_malloc.h"

static const struct es_conf_key schema[] = {
	{ .key = "zone", .type = ES_CONF_TEXT, .default_text = "FR", .doc = "A place." },
	{ .key = "limits.period", .type = ES_CONF_DURATION, .default_text = "1s", .doc = "A time." },
};

/* 0 where all went as it should, else -ENOMEM; anything else is a failure of the test. */
static int use_conf(const char *text)
{
	struct es_conf *conf = NULL;
	const char *zone;
	int r = es_conf_create(schema, ES_ARRAY_SIZE(schema), &conf);

	if (r < 0) {
		assert_int_equal(r, -ENOMEM);
		assert_null(conf);
		return r;
	}
	r = es_conf_load(conf, "f.yaml", text, strlen(text));
	assert_true(r == 0 || r == -ENOMEM || r == -EINVAL);
	if (r == -ENOMEM) {
		/* What was before is still there. */
		assert_int_equal(es_conf_text(conf, "zone", &zone), 0);
		assert_string_equal(zone, "FR");
	}
	if (r == 0)
		r = es_conf_set(conf, "zone", "IT", "here");
	assert_int_equal(es_conf_text(conf, "zone", &zone), 0);
	es_conf_destroy(conf);
	return r;
}

static void any_allocation_may_fail(const char *text, int otherwise)
{
	unsigned long n = 1;

	for (;; n++) {
		long n_live = failing_malloc_live();
		int r;

		failing_malloc_at(n);
		r = use_conf(text);
		if (!failing_malloc_hit()) {
			failing_malloc_at(0);
			assert_int_equal(r, otherwise);
			break;
		}
		failing_malloc_at(0);
		/* Some are tried again by the C library (asprintf() shrinks its result). */
		assert_true(r == -ENOMEM || r == otherwise);
		assert_int_equal(failing_malloc_live(), n_live);
	}
	assert_true(n > 5);
}

static void a_right_file_survives_each_failing_allocation(void **state)
{
	(void)state;
	any_allocation_may_fail("zone: DE\nlimits:\n  period: 5s\n", 0);
}

static void a_wrong_file_survives_each_failing_allocation(void **state)
{
	(void)state;
	any_allocation_may_fail("zoen: DE\nzone: [a, {b: c}]\nlimits: 5\nzone: 'open", -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_file_survives_each_failing_allocation),
		cmocka_unit_test(a_wrong_file_survives_each_failing_allocation),
	};

	if (!failing_malloc_works()) {
		printf("1..0 # SKIP a sanitizer's allocator cannot be made to fail\n");
		return 0;
	}
	return cmocka_run_group_tests_name("base/conf memory", tests, NULL, NULL);
}
