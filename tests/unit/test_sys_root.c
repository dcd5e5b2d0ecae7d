/*
 * test_sys_root.c - reads below a root: links stay inside, rights are judged, nothing blocks
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

#include "support/tree.h"
#include "sys/root.h"

struct fixture {
	char dir[64];
	struct es_root root;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	assert_int_equal(es_tree_write(f->dir, "tree/sys/value", "42\n", 0444), 0);
	assert_int_equal(es_tree_write(f->dir, "tree/sys/secret", "7\n", 0400), 0);
	assert_int_equal(es_tree_write(f->dir, "outside", "99\n", 0444), 0);
	(void)strcat(f->dir, "/tree");
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_root_close(&f->root);
	*strrchr(f->dir, '/') = '\0';
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void put_link(const struct fixture *f, const char *name, const char *to)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(symlink(to, path), 0);
}

static void links_cannot_lead_out_of_a_tree(void **state)
{
	struct fixture *f = *state;
	uint64_t v = 0;
	char outside[128];

	(void)snprintf(outside, sizeof(outside), "%.40s/../outside", f->dir);
	put_link(f, "sys/up", "../../outside");
	put_link(f, "sys/absolute", outside);
	put_link(f, "sys/etc", "/etc");

	assert_int_equal(es_root_read_u64(&f->root, "sys/up", &v), -ENOENT);
	assert_int_equal(es_root_read_u64(&f->root, "sys/absolute", &v), -ENOENT);
	assert_int_equal(es_root_read_u64(&f->root, "../outside", &v), -ENOENT);
	assert_false(es_root_exists(&f->root, "sys/etc/passwd"));
}

static void links_inside_a_tree_are_followed_absolute_ones_too(void **state)
{
	struct fixture *f = *state;
	uint64_t v = 0;

	put_link(f, "sys/near", "value");
	put_link(f, "sys/far", "/sys/value");

	assert_int_equal(es_root_read_u64(&f->root, "sys/near", &v), 0);
	assert_int_equal(v, 42);
	assert_int_equal(es_root_read_u64(&f->root, "/sys/far", &v), 0);
	assert_int_equal(v, 42);
}

static void rights_of_another_user_are_judged_by_mode_bits(void **state)
{
	struct fixture *f = *state;
	struct es_root other, owner, god;
	int64_t uid = (int64_t)getuid() + 12345;
	char text[16];
	uint64_t v = 0;

	assert_int_equal(es_root_open(f->dir, uid, &other, NULL), 0);
	assert_int_equal(es_root_open(f->dir, getuid(), &owner, NULL), 0);
	assert_int_equal(es_root_open(f->dir, 0, &god, NULL), 0);

	assert_int_equal(es_root_read_u64(&other, "sys/secret", &v), -EACCES);
	assert_int_equal(es_root_openat(&other, "sys/secret", O_RDONLY), -EACCES);
	assert_int_equal(es_root_read(&other, "sys/value", text, sizeof(text)), 3);
	assert_true(es_root_exists(&other, "sys/secret"));
	assert_int_equal(es_root_read_u64(&owner, "sys/secret", &v), 0);
	assert_int_equal(es_root_read_u64(&god, "sys/secret", &v), 0);
	es_root_close(&other);
	es_root_close(&owner);
	es_root_close(&god);
}

static void a_users_group_is_taken_from_the_trees_passwd(void **state)
{
	struct fixture *f = *state;
	int64_t uid = (int64_t)getuid() + 12345;
	struct es_root root;
	char passwd[128];
	uint64_t v = 0;

	assert_int_equal(es_tree_write(f->dir, "sys/grouped", "5\n", 0440), 0);
	(void)snprintf(passwd, sizeof(passwd),
		       "root:x:0:0:root:/root:/bin/sh\nada:x:%lld:%u:Ada:/home/ada:/bin/sh\n",
		       (long long)uid, (unsigned)getgid());
	assert_int_equal(es_tree_write(f->dir, "etc/passwd", passwd, 0644), 0);

	assert_int_equal(es_root_open(f->dir, uid, &root, NULL), 0);
	assert_int_equal(root.gid, getgid());
	assert_int_equal(es_root_read_u64(&root, "sys/grouped", &v), 0);
	es_root_close(&root);
	assert_int_equal(es_root_open(f->dir, uid + 1, &root, NULL), 0);
	assert_int_equal(root.gid, uid + 1);
	assert_int_equal(es_root_read_u64(&root, "sys/grouped", &v), -EACCES);
	es_root_close(&root);
}

static void a_fifo_in_the_place_of_a_file_does_not_block(void **state)
{
	struct fixture *f = *state;
	char path[128], text[16], *all = NULL;

	(void)snprintf(path, sizeof(path), "%s/sys/fifo", f->dir);
	assert_int_equal(mkfifo(path, 0644), 0);

	assert_true(es_root_read(&f->root, "sys/fifo", text, sizeof(text)) < 0);
	assert_true(es_root_read_file(&f->root, "sys/fifo", 100, &all) <= 0);
	free(all);
}

static void what_does_not_fit_or_is_no_number_is_an_error(void **state)
{
	struct fixture *f = *state;
	char text[4], *all = NULL;
	uint64_t v = 1;

	assert_int_equal(es_tree_write(f->dir, "sys/empty", "", 0444), 0);
	assert_int_equal(es_tree_write(f->dir, "sys/word", "twelve\n", 0444), 0);
	assert_int_equal(es_tree_write(f->dir, "sys/long", "99999999999999999999999\n", 0444), 0);
	assert_int_equal(es_tree_write(f->dir, "sys/four", "1234", 0444), 0);

	assert_int_equal(es_root_read_u64(&f->root, "sys/empty", &v), -ENODATA);
	assert_int_equal(es_root_read_u64(&f->root, "sys/word", &v), -EBADMSG);
	assert_int_equal(es_root_read_u64(&f->root, "sys/long", &v), -ERANGE);
	assert_int_equal(es_root_read_u64(&f->root, "sys/none", &v), -ENOENT);
	assert_int_equal(es_root_read_u64(&f->root, "sys", &v), -EISDIR);
	assert_int_equal(es_root_read(&f->root, "sys/four", text, sizeof(text)), -EMSGSIZE);
	assert_int_equal(es_root_read_file(&f->root, "sys/four", 3, &all), -EMSGSIZE);
	assert_null(all);
	assert_int_equal(es_root_read_file(&f->root, "sys/four", 4, &all), 4);
	assert_string_equal(all, "1234");
	assert_int_equal(v, 1);
	free(all);
}

static void the_newline_at_the_end_of_a_line_is_left_out(void **state)
{
	struct fixture *f = *state;
	char text[16];

	assert_int_equal(es_root_read_line(&f->root, "sys/value", text, sizeof(text)), 2);
	assert_string_equal(text, "42");
}

static void files_larger_than_a_page_are_read_whole(void **state)
{
	struct fixture *f = *state;
	char big[20001], *all = NULL;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(es_tree_write(f->dir, "proc/big", big, 0444), 0);

	assert_int_equal(es_root_read_file(&f->root, "proc/big", 1 << 20, &all), 20000);
	assert_string_equal(all, big);
	free(all);
}

static void a_missing_tree_is_an_error_with_its_path(void **state)
{
	struct es_error err = { .code = 0 };
	struct es_root root;

	(void)state;
	assert_int_equal(es_root_open("/nonexistent-tree", -1, &root, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent-tree"));
}

static void the_machine_is_the_root_directory(void **state)
{
	struct es_root root;
	char text[64];

	(void)state;
	assert_int_equal(es_root_open("/", -1, &root, NULL), 0);
	assert_true(root.is_machine);
	assert_true(es_root_read(&root, "proc/sys/kernel/ostype", text, sizeof(text)) > 0);
	assert_string_equal(text, "Linux\n");
	es_root_close(&root);
}

static void directories_are_listed_below_the_root(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;
	int r = 0;
	DIR *dir = es_root_opendir(&f->root, "sys", &r);

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	assert_int_equal(n, 4); /* . .. value secret */
	(void)closedir(dir);
	assert_null(es_root_opendir(&f->root, "sys/value", &r));
	assert_int_equal(r, -ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(links_cannot_lead_out_of_a_tree, set_up, tear_down),
		cmocka_unit_test_setup_teardown(links_inside_a_tree_are_followed_absolute_ones_too,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(rights_of_another_user_are_judged_by_mode_bits,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_users_group_is_taken_from_the_trees_passwd,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_fifo_in_the_place_of_a_file_does_not_block,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_does_not_fit_or_is_no_number_is_an_error,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_newline_at_the_end_of_a_line_is_left_out,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(files_larger_than_a_page_are_read_whole, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(directories_are_listed_below_the_root, set_up,
						tear_down),
		cmocka_unit_test(a_missing_tree_is_an_error_with_its_path),
		cmocka_unit_test(the_machine_is_the_root_directory),
	};

	return cmocka_run_group_tests_name("sys/root", tests, NULL, NULL);
}
