/*
 * test_cli_explore_spec.c - grids, variables and limits of a study's specification
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explore_spec.h"

static const char example[] = "axes:\n"
			      "  flags: [-O0, -O3]\n"
			      "  layout: {a: {ranks: 1, tasks: 2}, b: {ranks: 2, tasks: 1}}\n"
			      "exclude: [{flags: -O0, layout: b}]\n"
			      "run: x ${flags} ${ranks}x${tasks} $HOME $${HOME} ${layout}\n";

static void read_spec(const char *text, struct es_explore_spec *ret)
{
	struct es_problems problems;

	es_problems_init(&problems, "spec");
	assert_int_equal(es_explore_spec_parse(text, strlen(text), &problems, ret), 0);
	es_problems_finish(&problems);
}

static char *digest(const char *text, char ret[static ES_SHA256_TEXT_BYTES])
{
	struct es_explore_spec spec;
	struct es_sha256 sha;

	read_spec(text, &spec);
	es_sha256_init(&sha);
	es_explore_spec_digest(&spec, &sha);
	es_explore_spec_finish(&spec);
	return es_sha256_text(&sha, ret);
}

static void the_grid_is_all_that_is_not_excluded(void **state)
{
	static const char *const labels[] = { "flags=-O0, layout=a", "flags=-O3, layout=a",
					      "flags=-O3, layout=b" };
	struct es_explore_configuration *grid;
	struct es_problems problems;
	struct es_explore_spec spec;
	struct es_buf label;
	size_t n;

	(void)state;
	read_spec(example, &spec);
	es_problems_init(&problems, "spec");
	es_buf_init(&label, 1000);
	assert_int_equal(es_explore_grid(&spec, &problems, &grid, &n), 0);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++) {
		es_buf_reset(&label);
		assert_int_equal(es_explore_label(&spec, &grid[i], &label), 0);
		(void)es_buf_u8(&label, '\0');
		assert_string_equal((const char *)label.data, labels[i]);
	}
	es_buf_finish(&label);
	free(grid);
	es_problems_finish(&problems);
	es_explore_spec_finish(&spec);
}

/* Two groups of axes, each as large as is allowed: a mistake, and no room for both. */
static void axes_given_twice_are_a_mistake_and_no_more(void **state)
{
	struct es_problems problems;
	struct es_explore_spec spec;
	struct es_buf text;

	(void)state;
	es_buf_init(&text, 2000);
	for (char letter = 'a'; letter < 'c'; letter++) {
		(void)es_buf_str(&text, "axes:\n");
		for (unsigned i = 0; i < ES_EXPLORE_AXES_MAX; i++)
			(void)es_buf_printf(&text, "  %c%u: [1]\n", letter, i);
	}
	(void)es_buf_str(&text, "run: x\n");
	assert_int_equal(text.error, 0);
	es_problems_init(&problems, "spec");
	assert_int_equal(es_explore_spec_parse(text.data, text.len, &problems, &spec), -EINVAL);
	assert_int_equal(spec.n_axes, ES_EXPLORE_AXES_MAX);
	es_explore_spec_finish(&spec);
	es_problems_finish(&problems);
	es_buf_finish(&text);
}

static void variables_are_put_in_and_the_shells_are_left(void **state)
{
	const struct es_explore_configuration at = { .values = { 1, 1 } };
	const struct es_explore_places places = { .out = "/o" };
	struct es_explore_spec spec;
	struct es_buf line;

	(void)state;
	read_spec(example, &spec);
	es_buf_init(&line, 100);
	assert_int_equal(es_explore_fill(&spec, &at, &places, spec.run.text, &line), 0);
	assert_string_equal((const char *)line.data, "x -O3 2x1 $HOME ${HOME} b");
	es_buf_reset(&line);
	/* What is not known yet is left for later. */
	assert_int_equal(es_explore_fill(&spec, &at, &places, "${out}${run_dir}", &line), 0);
	assert_string_equal((const char *)line.data, "/o${run_dir}");
	es_buf_finish(&line);
	es_buf_init(&line, 10);
	assert_int_equal(es_explore_fill(&spec, &at, &places, spec.run.text, &line), -EMSGSIZE);
	es_buf_finish(&line);
	es_explore_spec_finish(&spec);
}

static void the_digest_is_of_what_is_measured(void **state)
{
	static const struct {
		const char *text;
		bool is_same;
	} cases[] = {
		{ "run: x ${a}\naxes: {a: [1, 2]}\n", true },
		{ "# remark\naxes:\n  a:\n  - 1\n  - '2'\nrun: x ${a}\nrepeat: 9\nreference: {a: 2}\n"
		  "timeout: 1s\nslowdown: 3%\nname: y\nwarmup: 0\n",
		  true },
		{ "axes: {a: [1, 3]}\nrun: x ${a}\n", false },
		{ "axes: {a: [2, 1]}\nrun: x ${a}\n", false },
		{ "axes: {a: [1, 2]}\nrun: x  ${a}\n", false },
		{ "axes: {a: [1, 2]}\nrun: x ${a}\nperiod: 1s\n", false },
		{ "axes: {a: [1, 2]}\nrun: x ${a}\nenvironment: {B: c}\n", false },
		{ "axes: {a: [1, 2]}\nrun: x ${a}\ncheck: z\n", false },
		{ "axes: {a: [1, 2]}\nrun: x ${a}\noutputs: [z]\n", false },
	};
	char first[ES_SHA256_TEXT_BYTES], other[ES_SHA256_TEXT_BYTES];

	(void)state;
	(void)digest("axes: {a: [1, 2]}\nrun: x ${a}\n", first);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(strcmp(digest(cases[i].text, other), first) == 0,
				 cases[i].is_same);
}

static void limits_of_quality_hold_as_they_say(void **state)
{
	static const struct {
		const char *limit;
		bool below, at, above; /* holds */
	} cases[] = {
		{ ">= 0.5", false, true, true },
		{ "> 0.5", false, false, true },
		{ "<=0.5", true, true, false },
		{ "<   0.5", true, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct es_explore_spec spec;
		char text[200];

		(void)snprintf(text, sizeof(text),
			       "axes: {a: [1]}\nrun: x ${a}\n"
			       "quality: {command: y, limit: \"%s\"}\n",
			       cases[i].limit);
		read_spec(text, &spec);
		assert_int_equal(es_quality_holds(&spec.limit, 0.4), cases[i].below);
		assert_int_equal(es_quality_holds(&spec.limit, 0.5), cases[i].at);
		assert_int_equal(es_quality_holds(&spec.limit, 0.6), cases[i].above);
		es_explore_spec_finish(&spec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_grid_is_all_that_is_not_excluded),
		cmocka_unit_test(axes_given_twice_are_a_mistake_and_no_more),
		cmocka_unit_test(variables_are_put_in_and_the_shells_are_left),
		cmocka_unit_test(the_digest_is_of_what_is_measured),
		cmocka_unit_test(limits_of_quality_hold_as_they_say),
	};

	return cmocka_run_group_tests_name("cli/explore_spec", tests, NULL, NULL);
}
