/*
 * test_cli_output.c - recordings found, eprofiles written whole or not at all
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output.h"
#include "support/recordings.h"
#include "support/tree.h"

struct fixture {
	char dir[64], path[128];
	struct test_recording made;
	struct es_chain chain;
	struct es_outcome outcome;
	struct es_profile_options options;
	struct es_error err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	(void)snprintf(f->path, sizeof(f->path), "%s/j1.eprofile.json", f->dir);
	test_recording_init(&f->made, TEST_S);
	test_domain(&f->made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i <= 4; i++)
		test_reading(&f->made, i * TEST_S, 0, 100 * TEST_J * i);
	test_end(&f->made, 4 * TEST_S, 0);
	(void)snprintf(f->chain.settings.out, sizeof(f->chain.settings.out), "%s", f->made.dir);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_outcome_finish(&f->outcome);
	test_recording_finish(&f->made);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void open_outcome(struct fixture *f)
{
	if (es_outcome_open(f->made.path, NULL, &f->chain, &f->outcome, &f->err) < 0)
		fail_msg("%s", f->err.text);
}

static unsigned count_files(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		n += entry->d_name[0] != '.';
	(void)closedir(dir);
	return n;
}

static void an_outcome_is_a_recording_and_its_report(void **state)
{
	struct fixture *f = *state;

	open_outcome(f);

	assert_int_equal(f->outcome.report.total_uj, 400 * TEST_J);
	assert_true(f->outcome.report.options.pue == 1.3);
}

static void what_is_no_recording_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(es_tree_write(f->dir, "x.esr", "hello", 0600), 0);
	(void)snprintf(f->path, sizeof(f->path), "%s/x.esr", f->dir);
	assert_int_equal(es_outcome_open(f->path, NULL, &f->chain, &f->outcome, &f->err), -EBADMSG);
	assert_non_null(strstr(f->err.text, "no recording"));
	assert_int_equal(es_outcome_open("/nowhere/x.esr", NULL, &f->chain, &f->outcome, &f->err),
			 -ENOENT);
}

static void an_eprofile_is_private_and_alone(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	open_outcome(f);
	assert_int_equal(es_write_eprofile(&f->outcome, &f->options, f->path, false, &f->err), 0);

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(st.st_size > 100);
	assert_int_equal(count_files(f->dir), 1); /* nothing temporary is left */
}

static void an_existing_eprofile_is_replaced_only_where_asked(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	open_outcome(f);
	assert_int_equal(es_tree_write(f->dir, "j1.eprofile.json", "mine", 0600), 0);
	assert_int_equal(es_write_eprofile(&f->outcome, &f->options, f->path, false, &f->err),
			 -EEXIST);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(count_files(f->dir), 1);

	assert_int_equal(es_write_eprofile(&f->outcome, &f->options, f->path, true, &f->err), 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_true(st.st_size > 100);
	assert_int_equal(count_files(f->dir), 1);
}

static void an_eprofile_that_cannot_be_written_leaves_nothing(void **state)
{
	struct fixture *f = *state;

	open_outcome(f);
	f->options.from_ns = TEST_START_NS + 100 * TEST_S;
	assert_int_equal(es_write_eprofile(&f->outcome, &f->options, f->path, false, &f->err),
			 -ENODATA);
	assert_int_equal(es_write_eprofile(&f->outcome,
					   &(struct es_profile_options){ .n_domains = 0 },
					   "/nowhere/j1.json", false, &f->err),
			 -ENOENT);
	assert_non_null(strstr(f->err.text, "/nowhere/j1.json"));
	assert_int_equal(count_files(f->dir), 0);
}

static void a_recording_is_found_by_path_and_by_job(void **state)
{
	struct fixture *f = *state;
	char found[ES_PATH_MAX_BYTES];

	assert_int_equal(es_find_recording(f->made.path, &f->chain.settings, found, &f->err), 0);
	assert_string_equal(found, f->made.path);
	assert_int_equal(es_find_recording("j1", &f->chain.settings, found, &f->err), 0);
	assert_string_equal(found, f->made.path);
}

static void a_job_that_is_nowhere_names_both_places(void **state)
{
	struct fixture *f = *state;
	char found[ES_PATH_MAX_BYTES], text[ES_PATH_MAX_BYTES];

	assert_int_equal(es_find_recording("j2", &f->chain.settings, found, &f->err), -ENOENT);
	(void)snprintf(text, sizeof(text),
		       "'j2': no such file, and no job of that name in '%.200s'", f->made.dir);
	assert_string_equal(f->err.text, text);

	assert_int_equal(es_find_recording(".", &f->chain.settings, found, &f->err), -EISDIR);
	assert_non_null(strstr(f->err.text, "'.': this is a folder"));
	assert_int_equal(es_find_recording("a\nb", &f->chain.settings, found, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "'a?b': no such file"));

	/* What looks like a path is one: opening it tells why it cannot be. */
	assert_int_equal(es_find_recording("no/such", &f->chain.settings, found, &f->err), 0);
	assert_string_equal(found, "no/such");
}

static void folders_are_made_with_their_parents(void **state)
{
	struct fixture *f = *state;
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/a/b//c/", f->dir);
	assert_int_equal(es_make_directories(path, &f->err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(es_make_directories(path, &f->err), 0); /* again */
}

static void a_file_in_the_way_is_told(void **state)
{
	struct fixture *f = *state;
	char path[128];

	assert_int_equal(es_tree_write(f->dir, "a", "", 0600), 0);
	(void)snprintf(path, sizeof(path), "%s/a", f->dir);
	assert_int_equal(es_make_directories(path, &f->err), -ENOTDIR);
	(void)snprintf(path, sizeof(path), "%s/a/b", f->dir);
	assert_int_equal(es_make_directories(path, &f->err), -ENOTDIR);
	assert_non_null(strstr(f->err.text, path));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_outcome_is_a_recording_and_its_report),
		TEST(what_is_no_recording_is_refused),
		TEST(an_eprofile_is_private_and_alone),
		TEST(an_existing_eprofile_is_replaced_only_where_asked),
		TEST(an_eprofile_that_cannot_be_written_leaves_nothing),
		TEST(a_recording_is_found_by_path_and_by_job),
		TEST(a_job_that_is_nowhere_names_both_places),
		TEST(folders_are_made_with_their_parents),
		TEST(a_file_in_the_way_is_told),
	};

	return cmocka_run_group_tests_name("cli/output", tests, NULL, NULL);
}
