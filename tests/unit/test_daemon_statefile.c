/*
 * test_daemon_statefile.c - what outlives a kill, whatever moment it comes at
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/statefile.h"
#include "support/tree.h"

struct fixture {
	char dir[64];
	struct es_state_file file;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	assert_int_equal(es_state_file_open(f->dir, &f->file, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_state_file_close(&f->file);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void expect_content(const char *dir, const char *content)
{
	struct es_state_file file;
	struct es_buf out;

	assert_int_equal(es_state_file_open(dir, &file, NULL), 0);
	es_buf_init(&out, 1U << 20);
	if (content) {
		assert_int_equal(es_state_file_read(&file, &out), 0);
		assert_int_equal(out.len, strlen(content));
		assert_memory_equal(out.data, content, strlen(content));
	} else {
		assert_int_equal(es_state_file_read(&file, &out), -ENOENT);
		assert_int_equal(out.len, 0);
	}
	es_buf_finish(&out);
	es_state_file_close(&file);
}

static void write_text(struct fixture *f, const char *text)
{
	assert_int_equal(es_state_file_write(&f->file, text, strlen(text)), 0);
}

/* The file that was written last. */
static int open_newer(const struct fixture *f, int flags)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/state.%d", f->dir, (int)(f->file.number % 2));
	fd = open(path, flags | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void the_newest_is_read(void **state)
{
	struct fixture *f = *state;

	expect_content(f->dir, NULL);
	write_text(f, "one");
	expect_content(f->dir, "one");
	write_text(f, "two, which is longer");
	expect_content(f->dir, "two, which is longer");
	write_text(f, "3");
	expect_content(f->dir, "3");
	write_text(f, "");
	expect_content(f->dir, "");
}

static void a_torn_one_leaves_the_one_before(void **state)
{
	struct fixture *f = *state;

	write_text(f, "the first");
	write_text(f, "the second");
	for (off_t n = 29; n >= 0; n--) {
		es_cleanup(es_closep) int fd = open_newer(f, O_RDWR);

		assert_int_equal(ftruncate(fd, n), 0);
		expect_content(f->dir, "the first");
	}
}

static void any_flipped_bit_is_seen(void **state)
{
	struct fixture *f = *state;
	es_cleanup(es_closep) int fd = -1;

	write_text(f, "the first");
	write_text(f, "the second");
	fd = open_newer(f, O_RDWR);
	for (off_t at = 0; at < 30; at++) {
		uint8_t byte, other;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		other = byte ^ 0x10;
		assert_int_equal(pwrite(fd, &other, 1, at), 1);
		expect_content(f->dir, "the first");
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	expect_content(f->dir, "the second");
}

static void it_goes_on_behind_what_was_read(void **state)
{
	struct fixture *f = *state;
	struct es_state_file file;
	struct es_buf out;

	write_text(f, "1");
	write_text(f, "2");
	assert_int_equal(es_state_file_open(f->dir, &file, NULL), 0);
	es_buf_init(&out, 100);
	assert_int_equal(es_state_file_read(&file, &out), 0);
	assert_int_equal(es_state_file_write(&file, "3", 1), 0);
	es_buf_finish(&out);
	es_state_file_close(&file);
	expect_content(f->dir, "3");
}

static void what_lies_in_the_way_is_said(void **state)
{
	struct fixture *f = *state;
	struct es_state_file file;
	struct es_error err = { .code = 0 };

	assert_int_equal(es_state_file_open("/no/such/folder", &file, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/no/such/folder/state.0"));
	assert_int_equal(es_state_file_write(&f->file, "", ES_STATE_FILE_MAX_BYTES + 1), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_newest_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_torn_one_leaves_the_one_before, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(any_flipped_bit_is_seen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_goes_on_behind_what_was_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_lies_in_the_way_is_said, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("daemon/statefile", tests, NULL, NULL);
}
