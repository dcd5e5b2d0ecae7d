/*
 * test_daemon_jobs_journal.c - entries are whole or not there, wherever it was killed
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/jobs.h"
#include "daemon/jobs_journal.h"
#include "support/tree.h"

struct place {
	char dir[64], path[128];
	char seen[512]; /* type and text of each entry */
	int refuse; /* this type is none of ours */
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	assert_int_equal(es_tree_temp(place->dir), 0);
	(void)snprintf(place->path, sizeof(place->path), "%s/journal", place->dir);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	es_tree_remove(place->dir);
	free(place);
	return 0;
}

static int see(void *arg, uint8_t type, const uint8_t *data, size_t n)
{
	struct place *place = arg;
	size_t used = strlen(place->seen);

	if (type == place->refuse)
		return -EBADMSG;
	(void)snprintf(place->seen + used, sizeof(place->seen) - used, "%u:%.*s ", type, (int)n,
		       (const char *)data);
	return 0;
}

static struct es_journal *open_it(struct place *place, struct es_error *err)
{
	struct es_journal *journal = NULL;

	place->seen[0] = '\0';
	*err = (struct es_error){ .code = 0 };
	assert_int_equal(es_journal_open(place->path, see, place, &journal, err), 0);
	return journal;
}

/* 0: there is no such file */
static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > 0 ? st.st_size : 0;
}

static void entries_come_back_in_order(void **state)
{
	struct place *place = *state;
	struct es_error err;
	struct es_journal *journal = open_it(place, &err);

	assert_int_equal(es_journal_append(journal, 1, "one", 3), 0);
	assert_int_equal(es_journal_append(journal, 2, "", 0), 0);
	assert_int_equal(es_journal_append(journal, 255, "three", 5), 0);
	es_journal_close(journal);
	journal = open_it(place, &err);
	assert_string_equal(place->seen, "1:one 2: 255:three ");
	assert_string_equal(err.text, "");
	assert_int_equal(es_journal_bytes(journal), size_of(place->path));
	es_journal_close(journal);
}

/* What a kill or a full disk leaves: each length there can be, and a wrong bit at each place. */
static void a_tail_that_is_torn_is_cut_off(void **state)
{
	struct place *place = *state;
	struct es_error err;
	struct es_journal *journal = open_it(place, &err);
	off_t first, all;
	char *copy;
	int fd;

	assert_int_equal(es_journal_append(journal, 1, "one", 3), 0);
	first = size_of(place->path);
	assert_int_equal(es_journal_append(journal, 2, "two two", 7), 0);
	all = size_of(place->path);
	es_journal_close(journal);
	copy = malloc((size_t)all);
	fd = open(place->path, O_RDWR | O_CLOEXEC);
	assert_non_null(copy);
	assert_int_equal(pread(fd, copy, (size_t)all, 0), all);
	for (off_t n = 0; n < all; n++) {
		assert_int_equal(pwrite(fd, copy, (size_t)all, 0), all);
		assert_int_equal(ftruncate(fd, n), 0);
		journal = open_it(place, &err);
		assert_string_equal(place->seen, n >= first ? "1:one " : "");
		/* Half a magic is of one that was killed as it was made; whole entries are silent. */
		assert_int_equal(err.text[0] != '\0', n > 8 && n != first);
		assert_int_equal(es_journal_append(journal, 3, "new", 3), 0);
		es_journal_close(journal);
		journal = open_it(place, &err);
		assert_string_equal(place->seen, n >= first ? "1:one 3:new " : "3:new ");
		es_journal_close(journal);
	}
	for (off_t n = first; n < all; n++) {
		char wrong = (char)(copy[n] ^ 0x10);

		assert_int_equal(pwrite(fd, copy, (size_t)all, 0), all);
		assert_int_equal(ftruncate(fd, all), 0);
		assert_int_equal(pwrite(fd, &wrong, 1, n), 1);
		journal = open_it(place, &err);
		assert_string_equal(place->seen, "1:one ");
		assert_non_null(strstr(err.text, "cut off"));
		assert_int_equal(err.code, 0);
		assert_int_equal(size_of(place->path), first);
		es_journal_close(journal);
	}
	free(copy);
	(void)close(fd);
}

static void what_is_no_journal_is_kept_aside(void **state)
{
	struct place *place = *state;
	struct es_error err;
	struct es_journal *journal;
	char bad[160];
	FILE *file = fopen(place->path, "we");

	assert_non_null(file);
	assert_true(fputs("a letter to a friend\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	journal = open_it(place, &err);
	assert_non_null(strstr(err.text, "no journal of jobs"));
	(void)snprintf(bad, sizeof(bad), "%s.bad", place->path);
	assert_int_equal(size_of(bad), 21);
	assert_int_equal(es_journal_append(journal, 1, "one", 3), 0);
	es_journal_close(journal);
	es_journal_close(open_it(place, &err));
	assert_string_equal(place->seen, "1:one ");
}

static void an_entry_that_is_none_of_ours_ends_it(void **state)
{
	struct place *place = *state;
	struct es_error err;
	struct es_journal *journal = open_it(place, &err);

	assert_int_equal(es_journal_append(journal, 1, "one", 3), 0);
	assert_int_equal(es_journal_append(journal, 9, "bad", 3), 0);
	assert_int_equal(es_journal_append(journal, 2, "two", 3), 0);
	es_journal_close(journal);
	place->refuse = 9;
	es_journal_close(open_it(place, &err));
	assert_string_equal(place->seen, "1:one ");
	assert_non_null(strstr(err.text, "cut off"));
}

static void it_is_written_anew_at_once(void **state)
{
	struct place *place = *state;
	struct es_error err;
	struct es_journal *journal = open_it(place, &err);
	char new_path[160];

	for (int i = 0; i < 100; i++)
		assert_int_equal(es_journal_append(journal, 1, "old", 3), 0);
	assert_int_equal(es_journal_begin_anew(journal), 0);
	assert_int_equal(es_journal_append(journal, 2, "new", 3), 0);
	/* Killed here, the old one is what there is. */
	assert_true(size_of(place->path) > 1000);
	assert_int_equal(es_journal_end_anew(journal), 0);
	assert_int_equal(es_journal_append(journal, 3, "more", 4), 0);
	es_journal_close(journal);
	es_journal_close(open_it(place, &err));
	assert_string_equal(place->seen, "2:new 3:more ");
	(void)snprintf(new_path, sizeof(new_path), "%s.new", place->path);
	assert_int_equal(access(new_path, F_OK), -1);
}

static void two_do_not_write_to_one(void **state)
{
	struct place *place = *state;
	struct es_error err;
	struct es_journal *journal = open_it(place, &err), *other = NULL;

	assert_int_equal(es_journal_open(place->path, see, place, &other, &err), -EBUSY);
	assert_int_equal(es_journal_append(journal, 1, "x", ES_JOURNAL_ENTRY_MAX_BYTES + 1),
			 -EMSGSIZE);
	es_journal_close(journal);
}

/* Jobs after a kill at each byte of what one begin and one end wrote: none, one, or none again; never anything else. */
static void jobs_outlive_a_kill_at_any_byte(void **state)
{
	struct place *place = *state;
	struct es_root root;
	struct es_jobs_options options = { .root = &root, .journal = place->path, .boot_id = "b" };
	struct es_jobs *jobs;
	const struct es_local_job job = { .id = "12", .has_uid = true, .uid = 5 };
	const struct es_local_end over = { .id = "12" };
	off_t begun, all;
	char *copy;
	FILE *file;

	assert_int_equal(es_root_open(place->dir, -1, &root, NULL), 0);
	assert_int_equal(es_jobs_create(&options, 1, 1, &jobs, NULL), 0);
	assert_int_equal(es_jobs_begin(jobs, &job, 0, 2, 2, NULL), 0);
	begun = size_of(place->path);
	assert_int_equal(es_jobs_end(jobs, &over, 0, 3, 3, NULL), 0);
	all = size_of(place->path);
	es_jobs_destroy(jobs);
	copy = malloc((size_t)all);
	file = fopen(place->path, "re");
	assert_true(copy && file && fread(copy, 1, (size_t)all, file) == (size_t)all);
	assert_int_equal(fclose(file), 0);
	for (off_t n = 0; n <= all; n++) {
		file = fopen(place->path, "we");
		assert_true(file && fwrite(copy, 1, (size_t)n, file) == (size_t)n);
		assert_int_equal(fclose(file), 0);
		assert_int_equal(es_jobs_create(&options, 4, 4, &jobs, NULL), 0);
		assert_int_equal(es_jobs_find(jobs, "12") != NULL, n >= begun && n < all);
		es_jobs_destroy(jobs);
	}
	free(copy);
	es_root_close(&root);
}

/* A disk that takes no byte more, as a limit on files. */
static struct rlimit fill_disk(rlim_t bytes)
{
	struct rlimit old, full;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	full = (struct rlimit){ .rlim_cur = bytes, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	return old;
}

static size_t count_jobs(const struct es_jobs *jobs)
{
	size_t n = 0;

	while (es_jobs_at(jobs, n))
		n++;
	return n;
}

static void begin_some(struct es_jobs *jobs, int first, int n)
{
	for (int i = first; i < first + n; i++) {
		struct es_local_job job = { .has_uid = true, .uid = 5 };

		(void)snprintf(job.id, sizeof(job.id), "%d", i);
		assert_int_equal(es_jobs_begin(jobs, &job, 0, 2, 2, NULL), 0);
	}
}

static void a_full_disk_takes_no_job_away(void **state)
{
	struct place *place = *state;
	struct es_root root;
	struct es_jobs_options options = { .root = &root, .journal = place->path, .boot_id = "b" };
	struct es_jobs *jobs;
	struct rlimit old;

	assert_int_equal(es_root_open(place->dir, -1, &root, NULL), 0);
	assert_int_equal(es_jobs_create(&options, 1, 1, &jobs, NULL), 0);
	begin_some(jobs, 0, 30);
	es_jobs_destroy(jobs);
	/* There is room for some of them, and no longer for all. */
	old = fill_disk((rlim_t)size_of(place->path) / 2);
	assert_int_equal(es_jobs_create(&options, 3, 3, &jobs, NULL), 0);
	assert_int_equal(count_jobs(jobs), 30);
	es_jobs_destroy(jobs);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(es_jobs_create(&options, 4, 4, &jobs, NULL), 0);
	assert_int_equal(count_jobs(jobs), 30);
	es_jobs_destroy(jobs);
	es_root_close(&root);
}

/* The disk was full when the machine came up, so that what was before is in the file still. */
static void jobs_of_this_boot_are_told_from_those_before(void **state)
{
	struct place *place = *state;
	struct es_root root;
	struct es_jobs_options options = { .root = &root, .journal = place->path, .boot_id = "b" };
	struct es_jobs *jobs;
	struct rlimit old;

	assert_int_equal(es_root_open(place->dir, -1, &root, NULL), 0);
	assert_int_equal(es_jobs_create(&options, 1, 1, &jobs, NULL), 0);
	begin_some(jobs, 0, 3);
	es_jobs_destroy(jobs);
	old = fill_disk(4);
	options.boot_id = "c";
	assert_int_equal(es_jobs_create(&options, 1, 1, &jobs, NULL), 0);
	assert_int_equal(count_jobs(jobs), 0);
	begin_some(jobs, 10, 1);
	assert_non_null(es_jobs_problem(jobs));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	begin_some(jobs, 11, 2);
	assert_null(es_jobs_problem(jobs));
	es_jobs_destroy(jobs);
	assert_int_equal(es_jobs_create(&options, 4, 4, &jobs, NULL), 0);
	assert_int_equal(count_jobs(jobs), 3);
	assert_non_null(es_jobs_find(jobs, "10"));
	/* What began and ended in the meantime is written later, too, without news. */
	old = fill_disk(4);
	begin_some(jobs, 20, 1);
	assert_int_equal(es_jobs_end(jobs, &(struct es_local_end){ .id = "11" }, 0, 5, 5, NULL), 0);
	assert_int_equal(es_jobs_scan(jobs, 5, 5), 0);
	assert_non_null(es_jobs_problem(jobs));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(es_jobs_scan(jobs, 6, 6), 0);
	assert_null(es_jobs_problem(jobs));
	es_jobs_destroy(jobs);
	assert_int_equal(es_jobs_create(&options, 7, 7, &jobs, NULL), 0);
	assert_int_equal(count_jobs(jobs), 3);
	assert_null(es_jobs_find(jobs, "11"));
	assert_non_null(es_jobs_find(jobs, "20"));
	es_jobs_destroy(jobs);
	es_root_close(&root);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(entries_come_back_in_order),
		TEST(a_tail_that_is_torn_is_cut_off),
		TEST(what_is_no_journal_is_kept_aside),
		TEST(an_entry_that_is_none_of_ours_ends_it),
		TEST(it_is_written_anew_at_once),
		TEST(two_do_not_write_to_one),
		TEST(jobs_outlive_a_kill_at_any_byte),
		TEST(a_full_disk_takes_no_job_away),
		TEST(jobs_of_this_boot_are_told_from_those_before),
	};

	return cmocka_run_group_tests_name("daemon/jobs_journal", tests, NULL, NULL);
}
