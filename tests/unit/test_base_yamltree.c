/*
 * test_base_yamltree.c - YAML as a tree: values, lines, and what is refused
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/yamltree.h"

static int parse(const char *text, struct es_problems *problems, struct es_yaml **ret)
{
	*ret = NULL;
	es_problems_init(problems, "file");
	return es_yaml_parse(text, strlen(text), problems, ret);
}

static void a_tree_has_keys_values_and_lines(void **state)
{
	struct es_problems problems;
	struct es_yaml *yaml;
	const struct es_yaml_node *node;

	(void)state;
	assert_int_equal(parse("a: 1\nb:\n  - x\n  - \"~\"\n  - ~\nc: {d: e}\n", &problems, &yaml),
			 0);

	node = es_yaml_top(yaml)->first;
	assert_int_equal(es_yaml_top(yaml)->n, 3);
	assert_string_equal(node->key, "a");
	assert_string_equal(node->text, "1");
	node = node->next;
	assert_int_equal(node->type, ES_YAML_LIST);
	assert_int_equal(node->key_line, 2);
	assert_int_equal(node->n, 3);
	assert_string_equal(node->first->next->text, "~");
	assert_int_equal(node->first->next->line, 4);
	assert_false(node->first->next->is_null);
	assert_true(node->first->next->next->is_null);
	assert_null(node->first->key);
	node = node->next;
	assert_int_equal(node->type, ES_YAML_GROUP);
	assert_string_equal(node->first->key, "d");
	assert_string_equal(node->first->text, "e");
	assert_null(node->next);
	es_yaml_destroy(yaml);
	es_problems_finish(&problems);
}

static void a_key_given_twice_is_told_and_the_tree_is_whole(void **state)
{
	struct es_problems problems;
	struct es_yaml *yaml;

	(void)state;
	assert_int_equal(parse("a: 1\nb: 2\na: 3\n", &problems, &yaml), 0);
	assert_int_equal(problems.n, 1);
	assert_memory_equal(problems.lines.data, "file:3: key 'a' was given on line 1 already\n",
			    44);
	assert_int_equal(es_yaml_top(yaml)->n, 3);
	es_yaml_destroy(yaml);
	es_problems_finish(&problems);
}

static void what_is_no_tree_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "file: nothing in it" },
		{ "- a\n", "file:1: expected 'key: value' here" },
		{ "text\n", "file:1: expected 'key: value' here" },
		{ "a: 1\n---\nb: 2\n", "file:2: a second document" },
		{ "a: &x 1\n", "file:1: anchors (&)" },
		{ "a: 1\nb: *x\n", "file:2: anchors (&)" },
		{ "a: !!str 1\n", "file:1: anchors (&)" },
		{ "a: \"\\0\"\n", "file:1: there is a NUL byte" },
		{ "a: 1\n\"\": 2\n", "file:2: this is no key" },
		{ "a: [\n", "file:2: " },
		{ "a: 1\nb: \xff\n", "file:2: this is not UTF-8" },
		{ "a: [[[[[[[[1]]]]]]]]\n", "file:1: nested too deeply" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct es_problems problems;
		struct es_yaml *yaml;

		assert_int_equal(parse(cases[i].text, &problems, &yaml), -EINVAL);
		assert_null(yaml);
		assert_int_equal(problems.n, 1);
		assert_memory_equal(problems.lines.data, cases[i].words, strlen(cases[i].words));
		es_problems_finish(&problems);
	}
}

static void more_than_is_allowed_is_refused(void **state)
{
	struct es_problems problems;
	struct es_buf text;
	struct es_yaml *yaml = NULL;

	(void)state;
	es_buf_init(&text, ES_YAML_FILE_MAX_BYTES * 2);
	(void)es_buf_str(&text, "a: [");
	for (size_t i = 0; i <= ES_YAML_CHILDREN_MAX; i++)
		(void)es_buf_str(&text, "1,");
	(void)es_buf_str(&text, "]\n");
	es_problems_init(&problems, "file");
	assert_int_equal(es_yaml_parse(text.data, text.len, &problems, &yaml), -EINVAL);
	assert_int_equal(problems.n, 1);
	while (text.len <= ES_YAML_FILE_MAX_BYTES)
		(void)es_buf_str(&text, "# a long remark\n");
	assert_int_equal(es_yaml_parse(text.data, text.len, &problems, &yaml), -EINVAL);
	assert_int_equal(problems.n, 2);
	es_buf_finish(&text);
	es_problems_finish(&problems);
}

static void a_byte_order_mark_is_no_part_of_it(void **state)
{
	struct es_problems problems;
	struct es_yaml *yaml;

	(void)state;
	assert_int_equal(parse("\xef\xbb\xbf"
			       "a: 1\n",
			       &problems, &yaml),
			 0);
	assert_string_equal(es_yaml_top(yaml)->first->key, "a");
	es_yaml_destroy(yaml);
	es_problems_finish(&problems);
}

static void problems_without_room_are_counted_and_harmless(void **state)
{
	struct es_problems problems;

	(void)state;
	es_problems_init(&problems, "a\033b");
	for (size_t i = 0; i < 20000; i++)
		es_problem(&problems, 7, "x\ty");
	assert_int_equal(problems.n, 20000);
	assert_true(problems.n_hidden > 0);
	assert_true(problems.lines.len <= ES_PROBLEMS_MAX_BYTES);
	assert_memory_equal(problems.lines.data, "a?b:7: x?y\n", 11);
	es_problems_finish(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_has_keys_values_and_lines),
		cmocka_unit_test(a_key_given_twice_is_told_and_the_tree_is_whole),
		cmocka_unit_test(what_is_no_tree_is_refused_with_its_line),
		cmocka_unit_test(more_than_is_allowed_is_refused),
		cmocka_unit_test(a_byte_order_mark_is_no_part_of_it),
		cmocka_unit_test(problems_without_room_are_counted_and_harmless),
	};

	return cmocka_run_group_tests_name("base/yamltree", tests, NULL, NULL);
}
