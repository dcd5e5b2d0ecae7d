/*
 * test_sys_grouptime.c - CPU time of cgroups by package, and whether they are still there
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
#include "sys/grouptime.h"

#define V1 "sys/fs/cgroup/cpu,cpuacct"
#define V2 "sys/fs/cgroup"

struct place {
	char dir[64];
	struct es_root root;
	struct es_groups *groups;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	assert_int_equal(es_tree_temp(place->dir), 0);
	assert_int_equal(es_root_open(place->dir, -1, &place->root, NULL), 0);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	es_groups_close(place->groups);
	es_root_close(&place->root);
	es_tree_remove(place->dir);
	free(place);
	return 0;
}

static void put(const struct place *place, const char *path, const char *text)
{
	assert_int_equal(es_tree_write(place->dir, path, text, 0644), 0);
}

/* Packages 0 and 2 of two CPUs each, whose numbers alternate; CPU 5 is offline. */
static void put_cpus(const struct place *place)
{
	put(place, "sys/devices/system/cpu/online", "0-3\n");
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		char path[128];

		(void)snprintf(path, sizeof(path),
			       "sys/devices/system/cpu/cpu%u/topology/physical_package_id", cpu);
		put(place, path, cpu % 2 ? "2\n" : "0\n");
	}
}

static void open_groups(struct place *place)
{
	assert_int_equal(es_groups_open(&place->root, &place->groups), 0);
}

static void cpus_are_counted_by_their_package(void **state)
{
	struct place *place = *state;
	uint32_t in[3];

	put_cpus(place);
	open_groups(place);
	assert_int_equal(es_groups_n_packages(place->groups), 3);
	assert_int_equal(es_groups_cpus_in(place->groups, 0), 2);
	assert_int_equal(es_groups_cpus_in(place->groups, 1), 0);
	assert_int_equal(es_groups_cpus_in(place->groups, 2), 2);
	assert_int_equal(es_groups_cpus_in(place->groups, 99), 0);
	assert_int_equal(es_groups_count_cpus(place->groups, "0-2", in), 3);
	assert_int_equal(in[0], 2);
	assert_int_equal(in[2], 1);
	assert_int_equal(es_groups_count_cpus(place->groups, "x", in), -EBADMSG);
	assert_int_equal(es_groups_count_cpus(place->groups, "0-2,77", in), 3);
}

static void a_machine_without_cgroups_has_none(void **state)
{
	struct place *place = *state;
	struct es_grouptime *time;
	int64_t busy_ns[1];

	open_groups(place);
	assert_int_equal(es_groups_n_packages(place->groups), 1);
	assert_int_equal(es_grouptime_open(place->groups, "/x", &time), -ENOENT);
	assert_int_equal(es_groups_ino(place->groups, "/x"), 0);
	assert_int_equal(es_groups_busy(place->groups, busy_ns), -ENOENT);
	assert_int_equal(es_groups_walk(place->groups, NULL, NULL), 0);
}

static void v1_tells_by_cpu(void **state)
{
	static const char *const wrong[] = { "", "x\n", "1 2 -3 4\n",
					     "1 99999999999999999999 3 4\n" };
	struct place *place = *state;
	struct es_grouptime *time;
	int64_t ns[3];

	put_cpus(place);
	put(place, V1 "/cpuacct.usage_percpu", "10 20 30 40 \n");
	put(place, V1 "/a/cpuacct.usage_percpu", "1 2 3 4 0 7 \n");
	open_groups(place);
	assert_int_equal(es_grouptime_open(place->groups, "/a", &time), 0);
	assert_int_equal(es_grouptime_read(time, ns), 0);
	assert_true(es_grouptime_is_exact(time));
	/* What a CPU used that is offline by now is not lost. */
	assert_int_equal(ns[0], 1 + 3 + 7);
	assert_int_equal(ns[1], 0);
	assert_int_equal(ns[2], 2 + 4);
	assert_int_equal(es_groups_busy(place->groups, ns), 0);
	assert_int_equal(ns[0], 40);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		put(place, V1 "/a/cpuacct.usage_percpu", wrong[i]);
		assert_true(es_grouptime_read(time, ns) < 0);
		assert_int_equal(ns[0], 40);
	}
	es_grouptime_close(time);
}

static void v2_is_shared_out_and_nothing_is_lost(void **state)
{
	struct place *place = *state;
	struct es_grouptime *time;
	int64_t ns[3];

	put_cpus(place);
	put(place, V2 "/cgroup.controllers", "cpu cpuset\n");
	put(place, V2 "/a/cpu.stat", "usage_usec 7\nuser_usec 3\n");
	put(place, V2 "/a/cpuset.cpus.effective", "0-2\n");
	put(place, "proc/stat",
	    "cpu  9 9 9 9 9 9 9\ncpu0 1 2 3 1000 1000 4 5 6\ncpu1 1 0 0 0\ncpu3 2 0 0 0 0 0 0\nintr 1\n");
	open_groups(place);
	assert_int_equal(es_grouptime_open(place->groups, "/a", &time), 0);
	assert_int_equal(es_grouptime_read(time, ns), 0);
	assert_false(es_grouptime_is_exact(time));
	assert_int_equal(ns[0], 4666);
	assert_int_equal(ns[1], 0);
	assert_int_equal(ns[2], 2334);
	put(place, V2 "/a/cpuset.cpus.effective", "1,3\n");
	assert_true(es_grouptime_learn(time));
	assert_false(es_grouptime_learn(time));
	assert_int_equal(es_grouptime_read(time, ns), 0);
	assert_int_equal(ns[0], 0);
	assert_int_equal(ns[2], 7000);
	put(place, V2 "/a/cpu.stat", "nr_usage_usec 7\n");
	assert_int_equal(es_grouptime_read(time, ns), -EBADMSG);
	es_grouptime_close(time);
	/* Ticks of 10 ms, neither idle nor waiting nor stolen. */
	assert_int_equal(es_groups_busy(place->groups, ns), 0);
	assert_int_equal(ns[0], 15 * (1000000000 / sysconf(_SC_CLK_TCK)));
	assert_int_equal(ns[2], 3 * (1000000000 / sysconf(_SC_CLK_TCK)));
}

static void without_a_cpuset_all_cpus_share(void **state)
{
	struct place *place = *state;
	struct es_grouptime *time;
	int64_t ns[3];
	uint32_t in[3];
	bool is_all;

	put_cpus(place);
	put(place, V2 "/unified/cgroup.controllers", "\n");
	put(place, V2 "/unified/a/cpu.stat", "usage_usec 1000\n");
	open_groups(place);
	assert_int_equal(es_grouptime_open(place->groups, "/a", &time), 0);
	assert_int_equal(es_grouptime_read(time, ns), 0);
	assert_int_equal(ns[0], 500000);
	assert_int_equal(ns[2], 500000);
	assert_int_equal(es_grouptime_cpus(time, in, &is_all), -ENODATA);
	es_grouptime_close(time);
}

static void a_cgroup_without_a_counter_is_there_all_the_same(void **state)
{
	struct place *place = *state;
	struct es_grouptime *time;
	int64_t ns[1];

	put(place, "sys/fs/cgroup/freezer/a/freezer.state", "FROZEN\n");
	open_groups(place);
	assert_int_equal(es_grouptime_open(place->groups, "/a", &time), 0);
	assert_int_equal(es_grouptime_read(time, ns), -ENODATA);
	assert_int_equal(es_grouptime_look(time), ES_GROUP_THERE);
	assert_true(es_grouptime_is_frozen(time));
	put(place, "sys/fs/cgroup/freezer/a/freezer.state", "THAWED\n");
	assert_false(es_grouptime_is_frozen(time));
	es_grouptime_close(time);
	assert_int_equal(es_grouptime_open(place->groups, "/b", &time), -ENOENT);
	assert_int_equal(es_grouptime_open(place->groups, "/a/../a", &time), -ENOENT);
	assert_int_equal(es_grouptime_open(place->groups, "/a/b/..", &time), -ENOENT);
	assert_int_equal(es_grouptime_open(place->groups, "a", &time), -ENOENT);
}

static void v2_says_what_is_frozen(void **state)
{
	struct place *place = *state;
	struct es_grouptime *time;

	put(place, V2 "/cgroup.controllers", "\n");
	put(place, V2 "/a/cgroup.events", "populated 1\nfrozen 1\n");
	open_groups(place);
	assert_int_equal(es_grouptime_open(place->groups, "/a", &time), 0);
	assert_true(es_grouptime_is_frozen(time));
	put(place, V2 "/a/cgroup.events", "populated 1\nfrozen 0\n");
	assert_false(es_grouptime_is_frozen(time));
	es_grouptime_close(time);
}

static void a_renamed_one_is_known_by_its_number(void **state)
{
	struct place *place = *state;
	struct es_grouptime *time;
	char from[256], to[256];
	int64_t ns[1];

	put(place, V1 "/cpuacct.usage_percpu", "1\n");
	put(place, V1 "/a/b/cpuacct.usage_percpu", "5\n");
	put(place, V1 "/a/other/cpuacct.usage_percpu", "7\n");
	open_groups(place);
	assert_int_equal(es_grouptime_open(place->groups, "/a/b", &time), 0);
	(void)snprintf(from, sizeof(from), "%s/" V1 "/a/b", place->dir);
	(void)snprintf(to, sizeof(to), "%s/" V1 "/a/c", place->dir);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(es_grouptime_look(time), ES_GROUP_RENAMED);
	assert_string_equal(es_grouptime_path(time), "/a/c");
	assert_int_equal(es_grouptime_look(time), ES_GROUP_THERE);
	assert_int_equal(es_grouptime_read(time, ns), 0);
	assert_int_equal(ns[0], 5);
	/* Another one takes the place before the old one goes: not the same any more. */
	put(place, V1 "/a/new/cpuacct.usage_percpu", "1\n");
	(void)snprintf(from, sizeof(from), "%s/" V1 "/a/away", place->dir);
	assert_int_equal(rename(to, from), 0);
	(void)snprintf(from, sizeof(from), "%s/" V1 "/a/new", place->dir);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(es_grouptime_look(time), ES_GROUP_REPLACED);
	es_grouptime_close(time);
}

static void the_user_is_who_runs_there(void **state)
{
	struct place *place = *state;
	char owned[128];
	uid_t uid;

	put(place, V2 "/cgroup.controllers", "\n");
	put(place, V2 "/job/cgroup.procs", "");
	put(place, V2 "/job/step/slurm/cgroup.procs", "11\n");
	put(place, V2 "/job/step/user/cgroup.procs", "12\n13\n");
	put(place, V2 "/empty/cgroup.procs", "");
	open_groups(place);
	for (int pid = 11; pid <= 12; pid++) {
		char path[64], text[256];

		(void)snprintf(path, sizeof(path), "proc/%d/stat", pid);
		(void)snprintf(text, sizeof(text),
			       "%d (x) S 1 1 1 0 -1 0 0 0 0 0 1 2 3 4 20 0 1 0 100 0 0\n", pid);
		put(place, path, text);
	}
	/* A process's folder is its user's; who is not root gives no folder away, and so owns both. */
	(void)snprintf(owned, sizeof(owned), "%s/proc/12", place->dir);
	if (geteuid() == 0)
		assert_int_equal(chown(owned, 77, 77), 0);
	assert_int_equal(es_groups_user(place->groups, "/job", &uid), 0);
	assert_int_equal(uid, geteuid() == 0 ? 77 : geteuid());
	assert_int_equal(es_groups_user(place->groups, "/empty", &uid), -ENOENT);
	assert_int_equal(es_groups_user(place->groups, "/none", &uid), -ENOENT);
}

static void kubernetes_asks_by_weight(void **state)
{
	struct place *place = *state;
	struct es_grouptime *time;

	put(place, V2 "/cgroup.controllers", "\n");
	put(place, V2 "/pod/cpu.weight", "39\n");
	put(place, V2 "/besteffort/cpu.weight", "1\n");
	open_groups(place);
	assert_int_equal(es_grouptime_open(place->groups, "/pod", &time), 0);
	/* 1 CPU: 1024 shares, weight 39, which stands for 998 shares. */
	assert_in_range(es_grouptime_asked_mcpu(time), 960, 1040);
	es_grouptime_close(time);
	assert_int_equal(es_grouptime_open(place->groups, "/besteffort", &time), 0);
	assert_int_equal(es_grouptime_asked_mcpu(time), 0);
	es_grouptime_close(time);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cpus_are_counted_by_their_package),
		TEST(a_machine_without_cgroups_has_none),
		TEST(v1_tells_by_cpu),
		TEST(v2_is_shared_out_and_nothing_is_lost),
		TEST(without_a_cpuset_all_cpus_share),
		TEST(a_cgroup_without_a_counter_is_there_all_the_same),
		TEST(v2_says_what_is_frozen),
		TEST(a_renamed_one_is_known_by_its_number),
		TEST(the_user_is_who_runs_there),
		TEST(kubernetes_asks_by_weight),
	};

	return cmocka_run_group_tests_name("sys/grouptime", tests, NULL, NULL);
}
