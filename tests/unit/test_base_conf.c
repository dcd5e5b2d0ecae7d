/*
 * test_base_conf.c - configuration files: values, origins, and every mistake at once
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/conf.h"

static const char *const colours[] = { "red", "green", "blue", NULL };

static const struct es_conf_key schema[] = {
	{ .key = "zone", .type = ES_CONF_TEXT, .lo = 1, .doc = "A place." },
	{ .key = "pue", .type = ES_CONF_NUMBER, .lo = 1, .hi = 10, .doc = "A ratio." },
	{ .key = "is_quick", .type = ES_CONF_BOOL, .default_text = "no", .doc = "Speed." },
	{ .key = "count", .type = ES_CONF_INTEGER, .lo = -5, .hi = 5, .doc = "A count." },
	{ .key = "any", .type = ES_CONF_INTEGER, .doc = "Any number." },
	{ .key = "period",
	  .type = ES_CONF_DURATION,
	  .lo = 1000000,
	  .hi = 3600000000000,
	  .default_text = "100ms",
	  .doc = "A time." },
	{ .key = "cap", .type = ES_CONF_POWER, .lo = 1000, .hi = 500000, .doc = "A limit." },
	{ .key = "share", .type = ES_CONF_SHARE, .lo = 0, .hi = 1000000, .doc = "A part." },
	{ .key = "colour", .type = ES_CONF_CHOICE, .choices = colours, .doc = "A colour." },
	{ .key = "short", .type = ES_CONF_TEXT, .hi = 4, .doc = "At most 4 bytes." },
	{ .key = "list", .type = ES_CONF_LIST, .lo = 1, .hi = 8, .doc = "Several texts." },
	{ .key = "limits.power", .type = ES_CONF_POWER, .doc = "In a group." },
	{ .key = "limits.of.time", .type = ES_CONF_DURATION, .doc = "In a group of a group." },
};

static struct es_conf *new_conf(void)
{
	struct es_conf *conf;

	assert_int_equal(es_conf_create(schema, ES_ARRAY_SIZE(schema), &conf), 0);
	return conf;
}

static int load(struct es_conf *conf, const char *text)
{
	return es_conf_load(conf, "f.yaml", text, strlen(text));
}

static void every_type_is_read(void **state)
{
	static const char text[] = "---\n"
				   "zone: NO   # not false\n"
				   "pue: 1.25\n"
				   "is_quick: yes\n"
				   "count: -3\n"
				   "period: 2.5s\n"
				   "cap: 350W\n"
				   "share: 5%\n"
				   "colour: \"blue\"\n"
				   "list:\n"
				   "  - a#b:c\n"
				   "  - \"d: e\"\n"
				   "limits:\n"
				   "  power: 1.2 kW\n"
				   "  of:\n"
				   "    time: 3 min\n"
				   "...\n";
	struct es_conf *conf = new_conf();
	const char *zone, *list;
	double pue;
	bool is_quick;
	int64_t v;

	(void)state;
	assert_int_equal(load(conf, text), 0);

	assert_int_equal(es_conf_text(conf, "zone", &zone), 0);
	assert_string_equal(zone, "NO");
	assert_int_equal(es_conf_number(conf, "pue", &pue), 0);
	assert_true(pue == 1.25);
	assert_int_equal(es_conf_bool(conf, "is_quick", &is_quick), 0);
	assert_true(is_quick);
	assert_int_equal(es_conf_integer(conf, "count", &v), 0);
	assert_int_equal(v, -3);
	assert_int_equal(es_conf_integer(conf, "period", &v), 0);
	assert_true(v == 2500000000);
	assert_int_equal(es_conf_integer(conf, "cap", &v), 0);
	assert_int_equal(v, 350000);
	assert_int_equal(es_conf_integer(conf, "share", &v), 0);
	assert_int_equal(v, 50000);
	assert_int_equal(es_conf_integer(conf, "colour", &v), 0);
	assert_int_equal(v, 2);
	assert_int_equal(es_conf_text(conf, "list", &list), 0);
	assert_string_equal(list, "a#b:c\nd: e");
	assert_int_equal(es_conf_integer(conf, "limits.power", &v), 0);
	assert_int_equal(v, 1200000);
	assert_int_equal(es_conf_integer(conf, "limits.of.time", &v), 0);
	assert_true(v == 180000000000);
	es_conf_destroy(conf);
}

static void values_tell_where_they_come_from(void **state)
{
	struct es_conf *conf = new_conf();
	int64_t period_ns;

	(void)state;
	assert_string_equal(es_conf_origin(conf, "period"), "default");
	assert_null(es_conf_origin(conf, "zone"));
	assert_null(es_conf_origin(conf, "nothing"));

	assert_int_equal(load(conf, "\n# a comment\nzone: FR\nperiod: 1s\n"), 0);
	assert_string_equal(es_conf_origin(conf, "zone"), "configuration f.yaml:3");
	assert_string_equal(es_conf_origin(conf, "period"), "configuration f.yaml:4");

	assert_int_equal(es_conf_load(conf, "g.yaml", "period: 2s", 10), 0);
	assert_string_equal(es_conf_origin(conf, "zone"), "configuration f.yaml:3");
	assert_string_equal(es_conf_origin(conf, "period"), "configuration g.yaml:1");

	assert_int_equal(es_conf_set(conf, "period", "5s", "environment PERIOD"), 0);
	assert_string_equal(es_conf_origin(conf, "period"), "environment PERIOD");
	assert_int_equal(es_conf_integer(conf, "period", &period_ns), 0);
	assert_true(period_ns == 5000000000);
	es_conf_destroy(conf);
}

static void a_value_is_had_by_its_key_and_type_only(void **state)
{
	struct es_conf *conf = new_conf();
	const char *text;
	int64_t v = 7;
	double number;
	bool is_true;

	(void)state;
	assert_int_equal(es_conf_text(conf, "zone", &text), -ENODATA);
	assert_int_equal(es_conf_integer(conf, "cap", &v), -ENODATA);
	assert_int_equal(es_conf_integer(conf, "zone", &v), -EINVAL);
	assert_int_equal(es_conf_integer(conf, "pue", &v), -EINVAL);
	assert_int_equal(es_conf_number(conf, "period", &number), -EINVAL);
	assert_int_equal(es_conf_bool(conf, "period", &is_true), -EINVAL);
	assert_int_equal(es_conf_text(conf, "nothing", &text), -EINVAL);
	assert_int_equal(es_conf_set(conf, "nothing", "1", "here"), -ENOENT);
	assert_int_equal(v, 7);
	assert_int_equal(es_conf_text(conf, "period", &text), 0);
	assert_string_equal(text, "100ms");
	es_conf_destroy(conf);
}

static void nothing_written_changes_nothing(void **state)
{
	static const char *const empty[] = { "",      "\n",	      "# only a comment\n",
					     "---\n", "--- ~\n",      "null\n",
					     "{}\n",  "\xef\xbb\xbf", "\xef\xbb\xbf# mark\n" };

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(empty); i++) {
		struct es_conf *conf = new_conf();

		assert_int_equal(load(conf, empty[i]), 0);
		assert_string_equal(es_conf_origin(conf, "period"), "default");
		es_conf_destroy(conf);
	}
}

static void each_mistake_is_told_with_its_line(void **state)
{
	static const struct {
		const char *text, *says;
	} mistakes[] = {
		{ "zzz: 1", "f.yaml:1: key 'zzz' is not known" },
		{ "zoen: FR", "f.yaml:1: key 'zoen' is not known; did you mean 'zone'?" },
		{ "\nlimits:\n  pover: 1W",
		  "f.yaml:3: key 'limits.pover' is not known; did you mean 'limits.power'?" },
		{ "zone:", "f.yaml:1: key 'zone' has no value" },
		{ "zone: ~", "f.yaml:1: key 'zone' has no value" },
		{ "zone: ''", "f.yaml:1: 'zone' is empty" },
		{ "zone: \"a\\0b\"", "f.yaml:1: 'zone' has a NUL byte in it" },
		{ "zone: \"a\\e[1mb\"", "f.yaml:1: 'zone' has a control character in it" },
		{ "short: abcde", "f.yaml:1: 'short' has 5 bytes, at most 4 are allowed" },
		{ "pue: 0.5", "f.yaml:1: 'pue' is '0.5', must be 1 to 10" },
		{ "pue: much", "f.yaml:1: 'pue' is 'much', must be a number" },
		{ "pue: nan", "f.yaml:1: 'pue' is 'nan', must be a number" },
		{ "pue: 1e999", "f.yaml:1: 'pue' is '1e999', must be 1 to 10" },
		{ "is_quick: 1", "f.yaml:1: 'is_quick' is '1', must be yes or no" },
		{ "count: 6", "f.yaml:1: 'count' is '6', must be -5 to 5" },
		{ "count: 1.5", "f.yaml:1: 'count' is '1.5', must be a whole number" },
		{ "any: 99999999999999999999",
		  "f.yaml:1: 'any' is '99999999999999999999', must be a whole number that is not so "
		  "large or so precise" },
		{ "period: 0.5ms", "f.yaml:1: 'period' is '0.5ms', must be 1 ms to 1 h" },
		{ "period: 100",
		  "f.yaml:1: 'period' is '100', must be a time with its unit, like 100ms or 2s" },
		{ "cap: 900mW", "f.yaml:1: 'cap' is '900mW', must be 1 W to 500 W" },
		{ "cap: 5GHz",
		  "f.yaml:1: 'cap' is '5GHz', must be a power with its unit, like 350W" },
		{ "share: 101%", "f.yaml:1: 'share' is '101%', must be 0 % to 100 %" },
		{ "share: some", "f.yaml:1: 'share' is 'some', must be a share, like 5%" },
		{ "colour: pink", "f.yaml:1: 'colour' is 'pink', must be red, green or blue" },
		{ "zone: FR\nzone: DE", "f.yaml:2: key 'zone' was given on line 1 already" },
		{ "limits:\n  power: 1W\nlimits:\n  power: 2W",
		  "f.yaml:4: key 'limits.power' was given on line 2 already" },
		{ "zone: [FR, DE]", "f.yaml:1: 'zone' takes one value, not a list" },
		{ "zone:\n  - FR", "f.yaml:2: 'zone' takes one value, not a list" },
		{ "zone: {a: {b: c}}", "f.yaml:1: 'zone' takes one value, not a group" },
		{ "list: {a: b}", "f.yaml:1: 'list' takes one value, not a group" },
		{ "list:\n  - a: b\n  - ok",
		  "f.yaml:2: 'list' takes a list of texts: here is a group ('key: value'; quote the "
		  "text) in it" },
		{ "list: [[a]]", "f.yaml:1: 'list' takes a list of texts: here is a list in it" },
		{ "list: [a, '']",
		  "f.yaml:1: 'list' has a text in its list that is empty or has several lines" },
		{ "list: [a, ~]",
		  "f.yaml:1: 'list' has a text in its list that is empty or has several lines" },
		{ "list: [a, 123456789]", "f.yaml:1: 'list' has 9 bytes, at most 8 are allowed" },
		{ "list: [a]\nlist: [b]", "f.yaml:2: key 'list' was given on line 1 already" },
		{ "limits: 5", "f.yaml:1: 'limits' is a group of keys, not a value" },
		{ "limits: [5]", "f.yaml:1: 'limits' is a group of keys, not a list" },
		{ "[zone]", "f.yaml:1: expected 'key: value' here" },
		{ "just words", "f.yaml:1: expected 'key: value' here" },
		{ "? [a]\n: b", "f.yaml:1: expected 'key: value' here" },
		{ "zone: &a FR",
		  "f.yaml:1: anchors (&), aliases (*) and tags (!) are not used here; quote the "
		  "value if it begins so" },
		{ "zone: !!str FR",
		  "f.yaml:1: anchors (&), aliases (*) and tags (!) are not used here; quote the "
		  "value if it begins so" },
		{ "limits: &a\n  power: 1W",
		  "f.yaml:1: anchors (&), aliases (*) and tags (!) are not used here; quote the "
		  "value if it begins so" },
		{ "zone: FR\n---\npue: 1",
		  "f.yaml:2: a second document begins here; one is allowed" },
		{ "zone: FR\n\xff", "f.yaml:2: this is not UTF-8 text" },
		{ "zone: \xc3", "f.yaml:1: this is not UTF-8 text" },
		{ "zone: 'FR", "f.yaml:1: found unexpected end of stream" },
		{ "zone: FR\n\tpue: 1",
		  "f.yaml:2: found a tab character that violates indentation" },
		{ "zzz: {a: [1, {b: [2]}]}\ncount: 9",
		  "f.yaml:1: key 'zzz' is not known\nf.yaml:2: 'count' is '9', must be -5 to 5" },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(mistakes); i++) {
		struct es_conf *conf = new_conf();
		struct es_error err = { .code = 0 };

		assert_int_equal(load(conf, mistakes[i].text), -EINVAL);
		assert_string_equal(es_conf_problems(conf), mistakes[i].says);
		assert_int_equal(es_conf_fail(conf, &err), -EINVAL);
		assert_string_equal(err.text, mistakes[i].says);
		es_conf_destroy(conf);
	}
}

static void all_mistakes_of_all_files_are_told_at_once(void **state)
{
	struct es_conf *conf = new_conf();
	struct es_error err = { .code = 0 };

	(void)state;
	assert_int_equal(load(conf, "zoen: FR\npue: 0\nperiod: 1s\ncolour: pink\n"), -EINVAL);
	assert_int_equal(es_conf_load(conf, "g.yaml", "cap: 1", 6), -EINVAL);
	assert_int_equal(es_conf_set(conf, "pue", "11", "environment PUE"), -EINVAL);
	assert_int_equal(es_conf_problem(conf, "period", "is %s", "odd"), -EINVAL);
	assert_int_equal(es_conf_problem(conf, NULL, "by itself"), -EINVAL);

	assert_int_equal(es_conf_n_problems(conf), 7);
	assert_int_equal(es_conf_fail(conf, &err), -EINVAL);
	assert_string_equal(err.text,
			    "f.yaml:1: key 'zoen' is not known; did you mean 'zone'?\n"
			    "f.yaml:2: 'pue' is '0', must be 1 to 10\n"
			    "f.yaml:4: 'colour' is 'pink', must be red, green or blue\n"
			    "g.yaml:1: 'cap' is '1', must be a power with its unit, like 350W\n"
			    "environment PUE: 'pue' is '11', must be 1 to 10\n"
			    "default: is odd\n"
			    "by itself");
	es_conf_destroy(conf);
}

static void a_file_with_a_mistake_gives_no_value(void **state)
{
	struct es_conf *conf = new_conf();
	const char *zone;

	(void)state;
	assert_int_equal(load(conf, "zone: FR\npue: 0\n"), -EINVAL);

	assert_int_equal(es_conf_text(conf, "zone", &zone), -ENODATA);
	assert_int_equal(es_conf_problem(conf, "zone", "odd"), -EINVAL);
	es_conf_destroy(conf);
}

static void an_origin_of_a_later_problem_is_its_line(void **state)
{
	struct es_conf *conf = new_conf();

	(void)state;
	assert_int_equal(load(conf, "zone: Nowhere\n"), 0);
	assert_int_equal(es_conf_fail(conf, NULL), 0);
	(void)es_conf_problem(conf, "zone", "no such place");

	assert_string_equal(es_conf_problems(conf), "f.yaml:1: no such place");
	es_conf_destroy(conf);
}

static void many_mistakes_are_counted(void **state)
{
	struct es_conf *conf = new_conf();
	struct es_error err = { .code = 0 };
	char text[20000];
	size_t n = 0, n_lines = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "what_is_%u: 1\n", i);
	assert_int_equal(load(conf, text), -EINVAL);
	assert_int_equal(es_conf_n_problems(conf), 1000);
	assert_int_equal(es_conf_fail(conf, &err), -EINVAL);

	for (const char *p = err.text; *p; p++)
		n_lines += *p == '\n';
	snprintf(text, sizeof(text), "\nand %zu more", 1000 - n_lines);
	assert_non_null(strstr(err.text, text));
	assert_true(strlen(es_conf_problems(conf)) < ES_CONF_PROBLEMS_MAX_BYTES);
	es_conf_destroy(conf);
}

static void words_from_outside_cannot_command_a_terminal(void **state)
{
	struct es_conf *conf = new_conf();

	(void)state;
	assert_int_equal(load(conf, "\"\\e[2J\\nfine\": 1\n"), -EINVAL);

	assert_string_equal(es_conf_problems(conf), "f.yaml:1: key '?[2J?fine' is not known");
	es_conf_destroy(conf);
}

static void deep_nesting_is_refused_soon(void **state)
{
	struct es_conf *conf = new_conf();
	char text[100000];
	size_t n = 0;

	(void)state;
	n += (size_t)snprintf(text, sizeof(text), "zone: ");
	memset(text + n, '[', sizeof(text) - n - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(load(conf, text), -EINVAL);
	assert_non_null(strstr(es_conf_problems(conf), "nested too deeply"));
	es_conf_destroy(conf);
}

static void a_key_of_any_length_is_refused(void **state)
{
	struct es_conf *conf = new_conf();
	char text[2000];

	(void)state;
	for (size_t n = 250; n < 260; n++) {
		memset(text, 'k', n);
		snprintf(text + n, sizeof(text) - n, ":\n  k: 1\n");
		assert_int_equal(load(conf, text), -EINVAL);
		snprintf(text, sizeof(text), "limits:\n  %0*d: 1\n", (int)n - 10, 0);
		assert_int_equal(load(conf, text), -EINVAL);
	}
	es_conf_destroy(conf);
}

static void a_file_is_read_or_the_reason_told(void **state)
{
	char folder[] = "/tmp/es-conf-XXXXXX", path[64], other[64], says[160];
	struct es_conf *conf = new_conf();
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.yaml", folder);
	snprintf(other, sizeof(other), "%s/fifo", folder);
	assert_int_equal(es_conf_load_file(conf, path), -ENOENT);
	assert_int_equal(es_conf_n_problems(conf), 0);

	f = fopen(path, "w");
	assert_non_null(f);
	fputs("zone: FR\n", f);
	fclose(f);
	assert_int_equal(es_conf_load_file(conf, path), 0);
	snprintf(says, sizeof(says), "configuration %s:1", path);
	assert_string_equal(es_conf_origin(conf, "zone"), says);

	assert_int_equal(es_conf_load_file(conf, folder), -EINVAL);
	snprintf(says, sizeof(says), "%s: cannot be read: Is a directory", folder);
	assert_string_equal(es_conf_problems(conf), says);
	assert_int_equal(mkfifo(other, 0600), 0);
	assert_int_equal(es_conf_load_file(conf, other), -EINVAL);

	f = fopen(path, "w");
	assert_non_null(f);
	for (unsigned i = 0; i <= ES_CONF_FILE_MAX_BYTES; i++)
		fputc('#', f);
	fclose(f);
	assert_int_equal(es_conf_load_file(conf, path), -EINVAL);
	assert_non_null(strstr(es_conf_problems(conf), "larger than 1048576 bytes"));
	unlink(path);
	unlink(other);
	rmdir(folder);
	es_conf_destroy(conf);
}

static void a_wrong_default_is_refused(void **state)
{
	static const struct es_conf_key wrong[] = {
		{ .key = "a", .type = ES_CONF_DURATION, .default_text = "5", .doc = "" },
	};
	struct es_conf *conf;

	(void)state;
	assert_int_equal(es_conf_create(wrong, 1, &conf), -EINVAL);
	es_conf_destroy(NULL);
}

static void help_names_each_key_with_range_and_default(void **state)
{
	struct es_buf text, man;

	(void)state;
	es_buf_init(&text, 1 << 16);
	es_buf_init(&man, 1 << 16);
	assert_int_equal(es_conf_describe(&schema[5], 1, &text), 0);
	assert_int_equal(es_conf_describe_man(&schema[8], 1, &man), 0);
	assert_int_equal(es_buf_u8(&text, 0), 0);
	assert_int_equal(es_buf_u8(&man, 0), 0);

	assert_string_equal(
		(char *)text.data,
		"period\n    A time.\n    Takes a time with its unit, like 100ms or 2s; "
		"1 ms to 1 h. Default: 100ms.\n\n");
	assert_string_equal((char *)man.data,
			    ".TP\n.B colour\nA colour.\nTakes red, green or blue.\n");
	es_buf_finish(&text);
	es_buf_finish(&man);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_read),
		cmocka_unit_test(values_tell_where_they_come_from),
		cmocka_unit_test(a_value_is_had_by_its_key_and_type_only),
		cmocka_unit_test(nothing_written_changes_nothing),
		cmocka_unit_test(each_mistake_is_told_with_its_line),
		cmocka_unit_test(all_mistakes_of_all_files_are_told_at_once),
		cmocka_unit_test(a_file_with_a_mistake_gives_no_value),
		cmocka_unit_test(an_origin_of_a_later_problem_is_its_line),
		cmocka_unit_test(many_mistakes_are_counted),
		cmocka_unit_test(words_from_outside_cannot_command_a_terminal),
		cmocka_unit_test(deep_nesting_is_refused_soon),
		cmocka_unit_test(a_key_of_any_length_is_refused),
		cmocka_unit_test(a_file_is_read_or_the_reason_told),
		cmocka_unit_test(a_wrong_default_is_refused),
		cmocka_unit_test(help_names_each_key_with_range_and_default),
	};

	return cmocka_run_group_tests_name("base/conf", tests, NULL, NULL);
}
