/*
 * test_cli_work_spec.c - --work as it is written
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/work_spec.h"

struct given {
	const char *works[6], *totals[3], *froms[3];
};

static struct es_text_list list_of(const char *const *texts, size_t max)
{
	struct es_text_list list = { .texts = (const char **)texts };

	while (list.n < max && texts[list.n])
		list.n++;
	return list;
}

static int parse(const struct given *given, struct es_work_specs *ret, struct es_error *err)
{
	struct es_text_list works = list_of(given->works, 6), totals = list_of(given->totals, 3),
			    froms = list_of(given->froms, 3);

	return es_work_specs_parse(&works, &totals, &froms, ret, err);
}

static void kinds_and_units_are_told_apart(void **state)
{
	const struct given given = { .works = { "steps=regex:a=(b:c)", "regex@stderr:(x)",
						"files=file:/tmp/a=b",
						"tokens=url:http://h:8/m#t{a=\"x\"}" },
				     .totals = { "steps=1.5e3", "files=7" },
				     .froms = { "steps=first", "tokens=10" } };
	static struct es_work_specs specs;

	(void)state;
	assert_int_equal(parse(&given, &specs, NULL), 0);
	assert_int_equal(specs.n, 4);
	assert_int_equal(specs.specs[0].kind, ES_WORK_STDOUT);
	assert_string_equal(specs.specs[0].unit, "steps");
	assert_string_equal(specs.specs[0].pattern, "a=(b:c)");
	assert_true(specs.specs[0].has_total && specs.specs[0].total_micro == 1500000000);
	assert_true(specs.specs[0].has_from && specs.specs[0].from == ES_WORK_FROM_FIRST);
	assert_int_equal(specs.specs[1].kind, ES_WORK_STDERR);
	assert_string_equal(specs.specs[1].unit, "units");
	assert_false(specs.specs[1].has_total || specs.specs[1].has_from);
	assert_int_equal(specs.specs[2].kind, ES_WORK_FILE);
	assert_string_equal(specs.specs[2].pattern, "/tmp/a=b");
	assert_int_equal(specs.specs[3].kind, ES_WORK_URL);
	assert_string_equal(specs.specs[3].url, "http://h:8/m");
	assert_string_equal(specs.specs[3].query.name, "t");
	assert_int_equal(specs.specs[3].query.n_labels, 1);
	assert_int_equal(specs.specs[3].from_micro, 10000000);
}

static void one_work_needs_no_unit(void **state)
{
	const struct given given = { .works = { "ns=regex:(x)" },
				     .totals = { "100" },
				     .froms = { "5" } };
	static struct es_work_specs specs;

	(void)state;
	assert_int_equal(parse(&given, &specs, NULL), 0);
	assert_int_equal(specs.specs[0].total_micro, 100000000);
	assert_int_equal(specs.specs[0].from_micro, 5000000);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		struct given given;
		const char *word;
	} vectors[] = {
		{ { .works = { "steps" } }, "'steps'" },
		{ { .works = { "steps=" } }, "'steps='" },
		{ { .works = { "steps=regexp:(x)" } }, "regexp" },
		{ { .works = { "=regex:(x)" } }, "unit" },
		{ { .works = { " =regex:(x)" } }, "no word" },
		{ { .works = { "a\tb=regex:(x)" } }, "no word" },
		{ { .works = { "0123456789012345678901234567890123456789012345678901234567890123="
			       "regex:(x)" } },
		  "63 bytes" },
		{ { .works = { "file:" } }, "behind the colon" },
		{ { .works = { "url:http://h/m" } }, "#NAME" },
		{ { .works = { "url:http://h/m#" } }, "#NAME" },
		{ { .works = { "url:ftp://h/m#a" } }, "ftp://" },
		{ { .works = { "url:http://h/m#a{" } }, "metric" },
		{ { .works = { "a=regex:(x)", "a=file:x" } }, "already" },
		{ { .totals = { "5" } }, "no --work" },
		{ { .works = { "regex:(x)" }, .totals = { "-5" } }, "--work-total '-5'" },
		{ { .works = { "regex:(x)" }, .totals = { "0" } }, "more than 0" },
		{ { .works = { "regex:(x)" }, .totals = { "5x" } }, "--work-total '5x'" },
		{ { .works = { "regex:(x)" }, .froms = { "last" } }, "--work-from 'last'" },
		{ { .works = { "a=regex:(x)", "b=regex:(x)" }, .totals = { "5" } }, "UNIT=NUMBER" },
		{ { .works = { "a=file:1", "b=file:1", "c=file:1", "d=file:1", "e=file:1" } },
		  "at most" },
	};
	static struct es_work_specs specs;

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct es_error err = { .code = 0 };
		int r = parse(&vectors[i].given, &specs, &err);

		if ((r != -EINVAL && r != -E2BIG) || !strstr(err.text, vectors[i].word))
			fail_msg("%zu: %d, %s", i, r, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_and_units_are_told_apart),
		cmocka_unit_test(one_work_needs_no_unit),
		cmocka_unit_test(what_is_wrong_is_named),
	};

	return cmocka_run_group_tests_name("cli/work_spec", tests, NULL, NULL);
}
