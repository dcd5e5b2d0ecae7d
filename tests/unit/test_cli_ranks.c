/*
 * test_cli_ranks.c - one rank of a node measures, late ones find it, nobody waits for ever
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/ranks.h"
#include "support/tree.h"

struct fixture {
	char dir[64];
	const char *folders[3];
	struct es_launch launch;
	struct es_ranks ranks;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	f->folders[0] = f->dir;
	f->launch = (struct es_launch){ .launcher = "Open MPI",
					.rank_variable = "ES_TEST_RANK",
					.ranks = 3,
					.local_rank = 0,
					.local_ranks = 3,
					.nodes = 1,
					.id = "ns/1@x" };
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_ranks_leave(&f->ranks);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static enum es_rank_role join(struct fixture *f, int64_t rank, struct es_ranks *ret)
{
	struct es_launch launch = f->launch;

	launch.rank = launch.local_rank = rank;
	es_ranks_join(&launch, f->folders, 0, ret);
	es_ranks_wait(ret);
	if (ret->role == ES_RANK_MEASURES && ret->list_fd >= 0)
		ret->wait.started(&ret->wait); /* the first readings are taken */
	return ret->role;
}

/* A rank that is another process; with @lives it stays until it is killed. */
static pid_t join_elsewhere(struct fixture *f, int64_t rank, bool lives, enum es_rank_role *ret)
{
	int ends[2];
	char role = 0;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		struct es_ranks ranks;

		role = (char)join(f, rank, &ranks);
		if (write(ends[1], &role, 1) != 1)
			_exit(1);
		while (lives)
			(void)pause();
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(read(ends[0], &role, 1), 1);
	*ret = (enum es_rank_role)role;
	(void)close(ends[0]);
	(void)close(ends[1]);
	return pid;
}

static void finish(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* What the measuring loop does, as long as it takes. */
static void wait_until_over(struct es_ranks *ranks)
{
	for (int i = 0; i < 20000 && !ranks->wait.is_over(&ranks->wait); i++)
		(void)usleep(1000);
	assert_true(ranks->wait.is_over(&ranks->wait));
}

static void the_first_measures_the_others_only_run(void **state)
{
	struct fixture *f = *state;
	enum es_rank_role role;
	pid_t pid;

	assert_int_equal(join(f, 2, &f->ranks), ES_RANK_MEASURES);
	assert_int_equal(f->ranks.problem.code, 0);
	pid = join_elsewhere(f, 0, false, &role);
	assert_int_equal(role, ES_RANK_ONLY_RUNS);
	finish(pid);
	pid = join_elsewhere(f, 1, false, &role);
	assert_int_equal(role, ES_RANK_ONLY_RUNS);
	finish(pid);
}

static void it_goes_on_until_all_have_ended(void **state)
{
	struct fixture *f = *state;
	enum es_rank_role role;
	pid_t first, second;

	assert_int_equal(join(f, 0, &f->ranks), ES_RANK_MEASURES);
	first = join_elsewhere(f, 1, true, &role);
	second = join_elsewhere(f, 2, true, &role);
	assert_false(f->ranks.wait.is_over(&f->ranks.wait));
	finish(first);
	assert_false(f->ranks.wait.is_over(&f->ranks.wait));
	finish(second);
	assert_true(f->ranks.wait.is_over(&f->ranks.wait));
	assert_true(f->ranks.wait.end_ns > 0);
}

static void a_rank_that_was_not_seen_is_waited_for_a_while(void **state)
{
	struct fixture *f = *state;
	enum es_rank_role role;
	pid_t pid;

	assert_int_equal(join(f, 0, &f->ranks), ES_RANK_MEASURES);
	assert_false(f->ranks.wait.is_over(&f->ranks.wait));
	pid = join_elsewhere(f, 1, true, &role);
	assert_int_equal(role, ES_RANK_ONLY_RUNS);
	assert_false(f->ranks.wait.is_over(&f->ranks.wait));
	finish(pid);
	wait_until_over(&f->ranks); /* rank 2 never comes */
}

static void a_rank_that_comes_when_all_is_over_starts_no_second_recording(void **state)
{
	struct fixture *f = *state;
	enum es_rank_role role;
	pid_t pid;

	assert_int_equal(join(f, 0, &f->ranks), ES_RANK_MEASURES);
	es_ranks_leave(&f->ranks);
	pid = join_elsewhere(f, 1, false, &role);
	assert_int_equal(role, ES_RANK_ONLY_RUNS);
	finish(pid);
}

static void the_next_command_of_a_rank_is_measured_anew(void **state)
{
	struct fixture *f = *state;
	enum es_rank_role role;
	pid_t pid;

	assert_int_equal(join(f, 0, &f->ranks), ES_RANK_MEASURES);
	pid = join_elsewhere(f, 1, false, &role);
	finish(pid);
	es_ranks_leave(&f->ranks);
	pid = join_elsewhere(f, 1, true, &role);
	assert_int_equal(role, ES_RANK_MEASURES);
	assert_int_equal(join(f, 0, &f->ranks), ES_RANK_ONLY_RUNS);
	finish(pid);
}

/* run A & run B, in one shell that a launcher started. */
static void a_second_command_of_the_same_rank_is_on_its_own(void **state)
{
	struct fixture *f = *state;
	struct es_ranks again;

	assert_int_equal(join(f, 0, &f->ranks), ES_RANK_MEASURES);
	assert_int_equal(join(f, 0, &again), ES_RANK_MEASURES);
	assert_int_equal(again.lock_fd, -1);
	assert_int_equal(again.list_fd, -1);
	es_ranks_leave(&again);
}

/* The list of an earlier launch is still there when the lock is taken: its first entry is nobody who lives. */
static void what_is_left_of_an_earlier_launch_is_not_taken_for_ourselves(void **state)
{
	struct fixture *f = *state;
	enum es_rank_role role;
	struct es_ranks again;
	struct es_rank_entry entry;

	finish(join_elsewhere(f, 1, true, &role));
	assert_int_equal(role, ES_RANK_MEASURES);
	assert_int_equal(join(f, 1, &f->ranks), ES_RANK_MEASURES);
	assert_int_equal(pread(f->ranks.list_fd, &entry, sizeof(entry), 0), sizeof(entry));
	entry.start_ticks++; /* its process number is another's now */
	assert_int_equal(ftruncate(f->ranks.list_fd, 0), 0);
	assert_int_equal(write(f->ranks.list_fd, &entry, sizeof(entry)), sizeof(entry));
	assert_int_equal(join(f, 1, &again), ES_RANK_ONLY_RUNS);
	es_ranks_leave(&again);
}

static void launches_do_not_meet(void **state)
{
	struct fixture *f = *state;
	struct es_ranks other;

	assert_int_equal(join(f, 0, &f->ranks), ES_RANK_MEASURES);
	(void)snprintf(f->launch.id, sizeof(f->launch.id), "ns/2");
	assert_int_equal(join(f, 1, &other), ES_RANK_MEASURES);
	es_ranks_leave(&other);
}

static void a_killed_measurer_leaves_no_lock(void **state)
{
	struct fixture *f = *state;
	enum es_rank_role role;
	pid_t pid = join_elsewhere(f, 0, true, &role);

	assert_int_equal(role, ES_RANK_MEASURES);
	finish(pid);
	assert_int_equal(join(f, 0, &f->ranks), ES_RANK_MEASURES);
}

/* Somebody made a folder of our name before us, or opened ours to others. */
static void a_folder_that_others_may_enter_is_not_used(void **state)
{
	struct fixture *f = *state;
	char path[128], second[80];

	(void)snprintf(path, sizeof(path), "%s/energyscopium-%u", f->dir, (unsigned)geteuid());
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 0770), 0);
	assert_int_equal(join(f, 1, &f->ranks), ES_RANK_ONLY_RUNS);
	assert_int_equal(f->ranks.problem.code, -EPERM);
	es_ranks_leave(&f->ranks);
	assert_int_equal(join(f, 0, &f->ranks), ES_RANK_MEASURES);
	assert_int_equal(f->ranks.problem.code, -EPERM);
	assert_int_equal(f->ranks.list_fd, -1);
	es_ranks_leave(&f->ranks);

	(void)snprintf(second, sizeof(second), "%s/second", f->dir);
	assert_int_equal(mkdir(second, 0700), 0);
	f->folders[1] = second;
	assert_int_equal(join(f, 0, &f->ranks), ES_RANK_MEASURES);
	assert_int_equal(f->ranks.problem.code, 0);
}

static void a_link_in_place_of_the_folder_is_not_followed(void **state)
{
	struct fixture *f = *state;
	char path[128], target[128];

	(void)snprintf(path, sizeof(path), "%s/energyscopium-%u", f->dir, (unsigned)geteuid());
	(void)snprintf(target, sizeof(target), "%s/target", f->dir);
	assert_int_equal(mkdir(target, 0700), 0);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(join(f, 0, &f->ranks), ES_RANK_MEASURES);
	assert_int_not_equal(f->ranks.problem.code, 0);
}

static void a_single_rank_needs_no_lock(void **state)
{
	struct fixture *f = *state;

	f->folders[0] = "/nonexistent";
	f->launch.local_ranks = 1;
	assert_int_equal(join(f, 0, &f->ranks), ES_RANK_MEASURES);
	assert_int_equal(f->ranks.problem.code, 0);
}

static void nothing_is_left_when_all_have_come(void **state)
{
	struct fixture *f = *state;
	char path[128];
	enum es_rank_role role;

	assert_int_equal(join(f, 0, &f->ranks), ES_RANK_MEASURES);
	finish(join_elsewhere(f, 1, false, &role));
	finish(join_elsewhere(f, 2, false, &role));
	wait_until_over(&f->ranks);
	es_ranks_leave(&f->ranks);
	(void)snprintf(path, sizeof(path), "%s/energyscopium-%u", f->dir, (unsigned)geteuid());
	assert_int_equal(rmdir(path), 0);
}

/* Of two old launches one goes on, one was killed. */
static void what_old_launches_left_is_swept_away(void **state)
{
	struct fixture *f = *state;
	const struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	enum es_rank_role role;
	char path[256];
	size_t n = 0;
	DIR *dir;
	pid_t pid;

	assert_int_equal(join(f, 0, &f->ranks), ES_RANK_MEASURES); /* goes on */
	(void)snprintf(f->launch.id, sizeof(f->launch.id), "killed");
	finish(join_elsewhere(f, 0, true, &role));
	(void)snprintf(path, sizeof(path), "%s/energyscopium-%u", f->dir, (unsigned)geteuid());
	dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			assert_int_equal(utimensat(dirfd(dir), entry->d_name, old, 0), 0);
	(void)snprintf(f->launch.id, sizeof(f->launch.id), "new");
	pid = join_elsewhere(f, 0, true, &role);
	assert_int_equal(role, ES_RANK_MEASURES);
	rewinddir(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		n += entry->d_name[0] != '.';
	(void)closedir(dir);
	assert_int_equal(n, 4); /* lock and list of the first and of the new one */
	finish(pid);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_first_measures_the_others_only_run),
		TEST(it_goes_on_until_all_have_ended),
		TEST(a_rank_that_was_not_seen_is_waited_for_a_while),
		TEST(a_rank_that_comes_when_all_is_over_starts_no_second_recording),
		TEST(the_next_command_of_a_rank_is_measured_anew),
		TEST(a_second_command_of_the_same_rank_is_on_its_own),
		TEST(what_is_left_of_an_earlier_launch_is_not_taken_for_ourselves),
		TEST(launches_do_not_meet),
		TEST(a_killed_measurer_leaves_no_lock),
		TEST(a_folder_that_others_may_enter_is_not_used),
		TEST(a_link_in_place_of_the_folder_is_not_followed),
		TEST(a_single_rank_needs_no_lock),
		TEST(nothing_is_left_when_all_have_come),
		TEST(what_old_launches_left_is_swept_away),
	};

	return cmocka_run_group_tests_name("cli/ranks", tests, NULL, NULL);
}
