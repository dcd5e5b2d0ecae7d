/*
 * test_twin_tree.c - the files of a simulated node in memory
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"
#include "twin/host.h"

static int show_number(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       struct es_buf *out)
{
	(void)handle;
	return es_buf_printf(out, "%u %lld\n", file->a, (long long)t_ns);
}

static const struct es_twin_file_ops number_ops = { .show = show_number };

static struct es_twin_tree *new_tree(void)
{
	struct es_twin_tree *tree = NULL;

	assert_int_equal(es_twin_tree_create(NULL, &tree), 0);
	return tree;
}

static void finds_what_was_made(void **state)
{
	struct es_twin_tree *tree = new_tree();
	const struct es_twin_entry *entry;
	const struct es_twin_file *file;
	struct es_buf out;

	(void)state;
	es_twin_tree_file(tree, 0400, "sys/devices/a/energy_uj", &number_ops,
			  &(struct es_twin_file){ .a = 42 });
	es_twin_tree_text(tree, 0444, "sys/devices/a/name", "package-%d\n", 0);
	assert_int_equal(es_twin_tree_error(tree, NULL), 0);
	entry = es_twin_tree_find(tree, "sys/devices/a/energy_uj");
	assert_non_null(entry);
	assert_int_equal(es_twin_entry_type(entry), ES_TWIN_IS_FILE);
	assert_int_equal(es_twin_entry_mode(entry), 0400);
	file = es_twin_entry_file(entry);
	es_buf_init(&out, 4096);
	assert_int_equal(es_twin_entry_ops(entry)->show(file, NULL, 7, &out), 0);
	assert_int_equal(es_buf_u8(&out, 0), 0);
	assert_string_equal((const char *)out.data, "42 7\n");
	es_buf_reset(&out);
	entry = es_twin_tree_find(tree, "/sys//devices/a/name");
	assert_non_null(entry);
	assert_int_equal(es_twin_entry_ops(entry)->show(es_twin_entry_file(entry), NULL, 0, &out),
			 0);
	assert_int_equal(es_buf_u8(&out, 0), 0);
	assert_string_equal((const char *)out.data, "package-0\n");
	es_buf_finish(&out);
	assert_null(es_twin_tree_find(tree, "sys/devices/b"));
	assert_null(es_twin_tree_find(tree, "sys/devices/a/name/more"));
	assert_null(es_twin_tree_find(tree, "sys/devices/a/nam"));
	assert_int_equal(es_twin_entry_type(es_twin_tree_find(tree, "")), ES_TWIN_IS_DIR);
	es_twin_tree_destroy(tree);
}

static void lists_in_order_with_numbers_of_their_own(void **state)
{
	struct es_twin_tree *tree = new_tree();
	const struct es_twin_entry *dir;
	char name[16];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "d/f%u", i);
		es_twin_tree_text(tree, 0444, name, "%s", "");
	}
	es_twin_tree_dir(tree, "d/empty");
	es_twin_tree_dir(tree, "d/empty");
	dir = es_twin_tree_find(tree, "d");
	for (unsigned i = 0; i < 100; i++) {
		const struct es_twin_entry *entry = es_twin_entry_child(dir, i);

		(void)snprintf(name, sizeof(name), "f%u", i);
		assert_string_equal(es_twin_entry_name(entry), name);
		assert_true(es_twin_entry_number(entry) > es_twin_entry_number(dir) + i);
	}
	assert_string_equal(es_twin_entry_name(es_twin_entry_child(dir, 100)), "empty");
	assert_null(es_twin_entry_child(dir, 101));
	es_twin_tree_destroy(tree);
}

static void links_lead_where_sysfs_has_them(void **state)
{
	static const struct {
		const char *path, *target, *want;
	} cases[] = {
		{ "sys/class/powercap/intel-rapl:0",
		  "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0",
		  "../../devices/virtual/powercap/intel-rapl/intel-rapl:0" },
		{ "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/device",
		  "sys/devices/virtual/powercap/intel-rapl", "../../intel-rapl" },
		{ "a/b", "a/c", "c" },
		{ "x", "y/z", "y/z" },
	};
	struct es_twin_tree *tree = new_tree();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct es_twin_entry *entry;

		es_twin_tree_link(tree, cases[i].path, cases[i].target);
		entry = es_twin_tree_find(tree, cases[i].path);
		assert_non_null(entry);
		assert_int_equal(es_twin_entry_type(entry), ES_TWIN_IS_LINK);
		assert_string_equal(es_twin_entry_target(entry), cases[i].want);
	}
	es_twin_tree_destroy(tree);
}

static void tells_the_first_mistake(void **state)
{
	struct es_twin_tree *tree = new_tree();
	const char *path = NULL;

	(void)state;
	es_twin_tree_text(tree, 0444, "a/b", "x");
	es_twin_tree_text(tree, 0444, "a/b", "y");
	es_twin_tree_text(tree, 0444, "c", "z");
	assert_int_equal(es_twin_tree_error(tree, &path), -EEXIST);
	assert_string_equal(path, "a/b");
	assert_null(es_twin_tree_find(tree, "c"));
	es_twin_tree_destroy(tree);
	tree = new_tree();
	es_twin_tree_text(tree, 0444, "a/b", "x");
	es_twin_tree_text(tree, 0444, "a/b/c", "y");
	assert_int_equal(es_twin_tree_error(tree, &path), -ENOTDIR);
	es_twin_tree_destroy(tree);
}

/* Where a link in folder @dir leads to, as a path of the tree. */
static void follow(const char *dir, const char *target, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s", dir);
	for (; strncmp(target, "../", 3) == 0; target += 3) {
		char *slash = strrchr(ret, '/');

		*(slash ? slash : ret) = '\0';
	}
	(void)snprintf(ret + strlen(ret), size - strlen(ret), "/%s", target);
}

static unsigned check_links(const struct es_twin_tree *tree, const struct es_twin_entry *dir,
			    const char *path)
{
	const struct es_twin_entry *entry;
	char to[4096];
	unsigned n = 0;

	for (size_t i = 0; (entry = es_twin_entry_child(dir, i)); i++) {
		(void)snprintf(to, sizeof(to), "%s%s%s", path, *path ? "/" : "",
			       es_twin_entry_name(entry));
		if (es_twin_entry_type(entry) == ES_TWIN_IS_DIR) {
			char *below = strdup(to);

			assert_non_null(below);
			n += check_links(tree, entry, below);
			free(below);
		}
		if (es_twin_entry_type(entry) != ES_TWIN_IS_LINK)
			continue;
		n++;
		follow(path, es_twin_entry_target(entry), to, sizeof(to));
		if (!es_twin_tree_find(tree, to))
			fail_msg("%s/%s leads nowhere: %s", path, es_twin_entry_name(entry), to);
	}
	return n;
}

/* The kernel has none that do, and tools that follow all of them stumble. */
static void no_link_leads_nowhere(void **state)
{
	size_t n = 0;
	const struct es_twin_kind *const *kinds = es_twin_kinds(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct es_twin_options options = { .is_quiet = true, .n_history = 4 };
		struct es_twin_host *host = NULL;
		struct es_error err = { .code = 0 };

		if (es_twin_host_create(kinds[i], &options, "node", "", &host, &err) < 0)
			fail_msg("%s", err.text);
		assert_true(check_links(host->tree, es_twin_tree_find(host->tree, ""), "") > 0);
		es_twin_host_destroy(host);
	}
	assert_true(n > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_made),
		cmocka_unit_test(lists_in_order_with_numbers_of_their_own),
		cmocka_unit_test(links_lead_where_sysfs_has_them),
		cmocka_unit_test(tells_the_first_mistake),
		cmocka_unit_test(no_link_leads_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
