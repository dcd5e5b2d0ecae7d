/*
 * test_twin_sysfs.c - numbers as the kernel reads them, and what every device has
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/sysfs.h"

#include <errno.h>
#include <string.h>

#include "support/test.h"

static void reads_numbers_as_kstrtoull(void **state)
{
	static const struct {
		const char *text;
		unsigned base;
		uint64_t max;
		int error;
		uint64_t v;
	} rows[] = {
		{ "150000000", 10, UINT64_MAX, 0, 150000000 },
		{ "+5", 10, UINT64_MAX, 0, 5 },
		{ "", 10, UINT64_MAX, -EINVAL, 0 },
		{ " 5", 10, UINT64_MAX, -EINVAL, 0 },
		{ "5 ", 10, UINT64_MAX, -EINVAL, 0 },
		{ "5W", 10, UINT64_MAX, -EINVAL, 0 },
		{ "-5", 10, UINT64_MAX, -EINVAL, 0 },
		{ "0x10", 10, UINT64_MAX, -EINVAL, 0 },
		{ "0x10", 0, UINT64_MAX, 0, 16 },
		{ "0X", 0, UINT64_MAX, -EINVAL, 0 },
		{ "010", 0, UINT64_MAX, 0, 8 },
		{ "08", 0, UINT64_MAX, -EINVAL, 0 },
		{ "0", 0, UINT64_MAX, 0, 0 },
		{ "010", 10, UINT64_MAX, 0, 10 },
		{ "18446744073709551615", 10, UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", 10, UINT64_MAX, -ERANGE, 0 },
		{ "18446744073709551616x", 10, UINT64_MAX, -ERANGE, 0 },
		{ "4294967296", 10, UINT32_MAX, -ERANGE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t v = 0;

		assert_int_equal(es_twin_kstrtou64(rows[i].text, rows[i].base, rows[i].max, &v),
				 rows[i].error);
		assert_int_equal(v, rows[i].v);
	}
}

static void reads_yes_and_no_as_kstrtobool(void **state)
{
	bool v = false;

	(void)state;
	assert_int_equal(es_twin_kstrtobool("1", &v), 0);
	assert_true(v);
	assert_int_equal(es_twin_kstrtobool("off", &v), 0);
	assert_false(v);
	assert_int_equal(es_twin_kstrtobool("on", &v), 0);
	assert_true(v);
	assert_int_equal(es_twin_kstrtobool("No", &v), 0);
	assert_false(v);
	assert_int_equal(es_twin_kstrtobool("yes", &v), 0);
	assert_true(v);
	assert_int_equal(es_twin_kstrtobool("2", &v), -EINVAL);
	assert_int_equal(es_twin_kstrtobool("", &v), -EINVAL);
	assert_int_equal(es_twin_kstrtobool("ox", &v), -EINVAL);
}

static void scans_as_sscanf_of_the_kernel(void **state)
{
	char word[8];
	uint32_t v = 0;

	(void)state;
	assert_int_equal(es_twin_scan_u32("  42 x", &v), 0);
	assert_int_equal(v, 42);
	assert_int_equal(es_twin_scan_u32("-1", &v), -EINVAL);
	assert_int_equal(es_twin_scan_u32("x", &v), -EINVAL);
	assert_int_equal(es_twin_scan_u32("4294967297", &v), 0);
	assert_int_equal(v, 1);
	assert_int_equal(es_twin_scan_word(" ab cd", word, sizeof(word)), 0);
	assert_string_equal(word, "ab");
	assert_int_equal(es_twin_scan_word("performance", word, sizeof(word)), 0);
	assert_string_equal(word, "perform");
	assert_int_equal(es_twin_scan_word(" \t", word, sizeof(word)), -EINVAL);
}

static int show(const struct es_twin_tree *tree, const char *path, char *text, size_t size)
{
	const struct es_twin_entry *entry = es_twin_tree_find(tree, path);
	struct es_buf out;
	int r;

	assert_non_null(entry);
	es_buf_init(&out, size - 1);
	r = es_twin_entry_ops(entry)->show(es_twin_entry_file(entry), NULL, 0, &out);
	if (out.len)
		memcpy(text, out.data, out.len);
	text[out.len] = '\0';
	es_buf_finish(&out);
	return r;
}

static int store(const struct es_twin_tree *tree, const char *path, const char *text)
{
	const struct es_twin_entry *entry = es_twin_tree_find(tree, path);

	assert_non_null(entry);
	return es_twin_entry_ops(entry)->store(es_twin_entry_file(entry), NULL, 0, text);
}

static void gives_a_device_what_every_one_has(void **state)
{
	struct es_twin_tree *tree = NULL;
	char text[64];

	(void)state;
	assert_int_equal(es_twin_tree_create(NULL, &tree), 0);
	es_twin_make_device(tree, "sys/devices/x", "sys/class/y");
	assert_int_equal(es_twin_tree_error(tree, NULL), 0);
	assert_string_equal(
		es_twin_entry_target(es_twin_tree_find(tree, "sys/devices/x/subsystem")),
		"../../class/y");
	assert_int_equal(show(tree, "sys/devices/x/power/autosuspend_delay_ms", text, sizeof(text)),
			 -EIO);
	assert_int_equal(store(tree, "sys/devices/x/power/autosuspend_delay_ms", "1"), -EIO);
	assert_int_equal(show(tree, "sys/devices/x/power/control", text, sizeof(text)), 0);
	assert_string_equal(text, "auto\n");
	assert_int_equal(store(tree, "sys/devices/x/power/control", "off"), -EINVAL);
	assert_int_equal(store(tree, "sys/devices/x/power/control", "on"), 0);
	assert_int_equal(show(tree, "sys/devices/x/power/control", text, sizeof(text)), 0);
	assert_string_equal(text, "on\n");
	assert_int_equal(store(tree, "sys/devices/x/uevent", "change"), 0);
	assert_int_equal(store(tree, "sys/devices/x/uevent", "rename"), -EINVAL);
	es_twin_tree_destroy(tree);
}

static void spreads_what_differs_in_one_letter(void **state)
{
	uint64_t a = es_twin_hash("node/dram-0"), b = es_twin_hash("node/dram-1");

	(void)state;
	assert_int_equal(a, es_twin_hash("node/dram-0"));
	assert_in_range(__builtin_popcountll(a ^ b), 16, 48);
	assert_in_range(__builtin_popcount((unsigned)(a ^ b)), 8, 24);
}

static void refuses_paths_that_do_not_fit(void **state)
{
	struct es_twin_tree *tree = NULL;
	char name[400];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(es_twin_tree_create(NULL, &tree), 0);
	es_twin_put_text(tree, 0444, "sys", name, "1\n");
	assert_int_equal(es_twin_tree_error(tree, NULL), -ENAMETOOLONG);
	es_twin_tree_destroy(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_numbers_as_kstrtoull),
		cmocka_unit_test(reads_yes_and_no_as_kstrtobool),
		cmocka_unit_test(scans_as_sscanf_of_the_kernel),
		cmocka_unit_test(gives_a_device_what_every_one_has),
		cmocka_unit_test(spreads_what_differs_in_one_letter),
		cmocka_unit_test(refuses_paths_that_do_not_fit),
	};

	return cmocka_run_group_tests_name("twin/sysfs", tests, NULL, NULL);
}
