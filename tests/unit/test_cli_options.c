/*
 * test_cli_options.c - options out of argv, and what is said where they are wrong
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/command.h"

#define ARGS_MAX 16

struct fixture {
	bool is_quiet;
	const char *zone;
	struct es_text_list domains;
	struct es_optional_text json;
	struct es_option options[5];
	struct es_usage usage;
	char *argv[ARGS_MAX];
	int argc, first;
	char said[4096]; /* on stderr, or on stdout for --help */
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->options[0] = (struct es_option){ .help = "group", .kind = ES_OPTION_HEADING };
	f->options[1] = (struct es_option){
		"quiet", NULL, "say less", ES_OPTION_FLAG, &f->is_quiet,
	};
	f->options[2] = (struct es_option){ "zone", "ZONE", "where", ES_OPTION_TEXT, &f->zone };
	f->options[3] = (struct es_option){
		"domain", "NAME", "only this\nor these", ES_OPTION_LIST, &f->domains,
	};
	f->options[4] = (struct es_option){
		"json", "FILE", "as JSON", ES_OPTION_OPTIONAL, &f->json,
	};
	f->usage = (struct es_usage){ .command = "test",
				      .synopsis = "[OPTION]… -- CMD",
				      .text = "Tests.",
				      .options = f->options,
				      .n_options = 5 };
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_text_list_finish(&f->domains);
	free(f);
	return 0;
}

/* What goes to @stream meanwhile lands in f->said: cmocka's own output shares stdout. */
static int parse_into(struct fixture *f, FILE *stream)
{
	FILE *caught = tmpfile();
	int kept, status;
	ssize_t n;

	assert_non_null(caught);
	(void)fflush(stream);
	kept = dup(fileno(stream));
	assert_true(kept >= 0);
	assert_true(dup2(fileno(caught), fileno(stream)) >= 0);
	status = es_options_parse(&f->usage, f->argc, f->argv, &f->first);
	(void)fflush(stream);
	assert_true(dup2(kept, fileno(stream)) >= 0);
	(void)close(kept);
	n = pread(fileno(caught), f->said, sizeof(f->said) - 1, 0);
	(void)fclose(caught);
	f->said[n > 0 ? n : 0] = '\0';
	return status;
}

static int parse(struct fixture *f, const char *const *args)
{
	f->argc = 0;
	f->argv[f->argc++] = (char *)"test";
	for (; *args; args++)
		f->argv[f->argc++] = (char *)*args;
	f->argv[f->argc] = NULL;
	return parse_into(f, stderr);
}

#define PARSE(f, ...) parse(f, (const char *const[]){ __VA_ARGS__, NULL })

static void options_are_taken_and_operands_left(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(PARSE(f, "--quiet", "--zone", "FR", "--domain=a", "--domain", "b", "op"),
			 -1);

	assert_true(f->is_quiet);
	assert_string_equal(f->zone, "FR");
	assert_int_equal(f->domains.n, 2);
	assert_string_equal(f->domains.texts[0], "a");
	assert_string_equal(f->domains.texts[1], "b");
	assert_false(f->json.is_given);
	assert_int_equal(f->first, 7);
	assert_string_equal(f->argv[f->first], "op");
	assert_string_equal(f->said, "");
}

static void json_goes_with_and_without_a_file(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(PARSE(f, "--json", "op"), -1);
	assert_true(f->json.is_given);
	assert_null(f->json.text);
	assert_string_equal(f->argv[f->first], "op"); /* not the file */

	assert_int_equal(PARSE(f, "--json=out.json", "op"), -1);
	assert_string_equal(f->json.text, "out.json");
}

static void operands_may_stand_before_options(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(PARSE(f, "op", "--quiet"), -1);

	assert_true(f->is_quiet);
	assert_int_equal(f->first, 2);
	assert_string_equal(f->argv[f->first], "op");
}

static void where_the_first_operand_ends_the_options_the_rest_is_a_commands(void **state)
{
	struct fixture *f = *state;

	f->usage.stops_at_operand = true;
	assert_int_equal(PARSE(f, "--zone", "FR", "ls", "--quiet", "--nonsense"), -1);

	assert_false(f->is_quiet);
	assert_int_equal(f->first, 3);
	assert_string_equal(f->argv[f->first], "ls");
}

static void two_dashes_end_the_options(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(PARSE(f, "--quiet", "--", "--zone", "-x"), -1);

	assert_null(f->zone);
	assert_int_equal(f->first, 3);
	assert_string_equal(f->argv[f->first], "--zone");
}

static void wrong_usage_is_named_and_exits_2(void **state)
{
	static const struct {
		const char *args[4];
		const char *said;
	} vectors[] = {
		{ { "--nonsense" }, "unknown option '--nonsense'" },
		{ { "--nonsense=3" }, "unknown option '--nonsense=3'" },
		{ { "op", "-x" }, "unknown option '-x'" },
		{ { "op", "-xy" }, "unknown option '-x'" },
		{ { "--quiet", "-qz" }, "unknown option '-q'" },
		{ { "--zone" }, "an argument is missing after '--zone'" },
		{ { "--quiet", "--domain" }, "an argument is missing after '--domain'" },
		{ { "--quiet=yes" }, "no argument goes with '--quiet=yes'" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		char expected[256];

		assert_int_equal(parse(f, vectors[i].args), ES_EXIT_USAGE);
		(void)snprintf(expected, sizeof(expected),
			       "energyscopium test: %s; see 'energyscopium test --help'\n",
			       vectors[i].said);
		assert_string_equal(f->said, expected);
	}
}

static void help_goes_to_stdout_and_exits_0(void **state)
{
	struct fixture *f = *state;

	f->argv[0] = (char *)"test";
	f->argv[1] = (char *)"--help";
	f->argc = 2;
	assert_int_equal(parse_into(f, stdout), ES_EXIT_OK);

	assert_non_null(strstr(f->said, "usage: energyscopium test [OPTION]… -- CMD\n"));
	assert_non_null(strstr(f->said, "\ngroup\n"));
	assert_non_null(strstr(f->said, "  --quiet "));
	assert_non_null(strstr(f->said, "  --zone ZONE "));
	assert_non_null(strstr(f->said, "  --json[=FILE] "));
	assert_non_null(strstr(f->said, "  --help "));
	/* Further lines of a help stand below the first one. */
	assert_non_null(strstr(f->said, "only this\n                              or these\n"));
}

static void parsing_twice_begins_anew(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(PARSE(f, "a", "b", "--quiet"), -1);
	assert_int_equal(PARSE(f, "--zone", "US", "c"), -1);

	assert_string_equal(f->zone, "US");
	assert_string_equal(f->argv[f->first], "c");
}

static void a_complaint_names_the_program_and_the_command(void **state)
{
	FILE *caught = tmpfile();
	int kept = dup(STDERR_FILENO);
	char text[128] = "";

	(void)state;
	assert_true(caught && kept >= 0 && dup2(fileno(caught), STDERR_FILENO) >= 0);
	assert_int_equal(es_complain("run", ES_EXIT_FAILURE, "%s: %d", "what", 7), 1);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	(void)close(kept);

	assert_true(pread(fileno(caught), text, sizeof(text) - 1, 0) > 0);
	(void)fclose(caught);
	assert_string_equal(text, "energyscopium run: what: 7\n");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(options_are_taken_and_operands_left),
		TEST(json_goes_with_and_without_a_file),
		TEST(operands_may_stand_before_options),
		TEST(where_the_first_operand_ends_the_options_the_rest_is_a_commands),
		TEST(two_dashes_end_the_options),
		TEST(wrong_usage_is_named_and_exits_2),
		TEST(help_goes_to_stdout_and_exits_0),
		TEST(parsing_twice_begins_anew),
		cmocka_unit_test(a_complaint_names_the_program_and_the_command),
	};

	return cmocka_run_group_tests_name("cli/options", tests, NULL, NULL);
}
