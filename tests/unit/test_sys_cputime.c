/*
 * test_sys_cputime.c - CPU time of a machine and of a cgroup
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "support/tree.h"
#include "sys/cputime.h"

struct fixture {
	char dir[64];
	struct es_root root;
	struct es_cputime cputime;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/es-cputime-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	f->cputime.fd = -1;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_cputime_close(&f->cputime);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void put(const struct fixture *f, const char *path, const char *text)
{
	assert_int_equal(es_tree_write(f->dir, path, text, 0644), 0);
}

static int64_t read_ns(const struct fixture *f)
{
	int64_t busy_ns = -1;

	assert_int_equal(es_cputime_read(&f->cputime, &busy_ns), 0);
	return busy_ns;
}

/* user 100, nice 20, system 30, irq 4, softirq 5: 159 ticks; idle, iowait, steal and guest are not ours. */
static void busy_is_user_nice_system_and_interrupts(void **state)
{
	struct fixture *f = *state;
	int64_t tick_ns = ES_NS_PER_S / sysconf(_SC_CLK_TCK);

	put(f, "proc/stat", "cpu  100 20 30 9000 800 4 5 70 60 50\ncpu0 1 2 3 4 5 6 7 8 9 10\n");
	assert_int_equal(es_cputime_open(&f->root, false, &f->cputime), 0);

	assert_int_equal(f->cputime.from, ES_CPUTIME_PROC_STAT);
	assert_int_equal(read_ns(f), 159 * tick_ns);
}

static void the_descriptor_is_kept_and_read_anew(void **state)
{
	struct fixture *f = *state;
	int64_t tick_ns = ES_NS_PER_S / sysconf(_SC_CLK_TCK);

	put(f, "proc/stat", "cpu  10 0 0 0 0 0 0\n");
	assert_int_equal(es_cputime_open(&f->root, false, &f->cputime), 0);
	assert_int_equal(read_ns(f), 10 * tick_ns);

	put(f, "proc/stat", "cpu  25 0 0 0 0 0 0\n");
	assert_int_equal(read_ns(f), 25 * tick_ns);
}

static void what_is_no_number_is_an_error_not_zero(void **state)
{
	static const char *const bad[] = { "", "\n", "cpu\n", "cpu  1 2\n", "intr 1 2 3 4 5\n" };
	struct fixture *f = *state;

	put(f, "proc/stat", "cpu  10 0 0 0\n");
	assert_int_equal(es_cputime_open(&f->root, false, &f->cputime), 0);
	for (size_t i = 0; i < ES_ARRAY_SIZE(bad); i++) {
		int64_t busy_ns = 42;

		put(f, "proc/stat", bad[i]);
		assert_true(es_cputime_read(&f->cputime, &busy_ns) < 0);
		assert_int_equal(busy_ns, 42);
	}
}

static void without_proc_stat_there_is_none(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(es_cputime_open(&f->root, true, &f->cputime), -ENOENT);
}

static void our_cgroup_of_version_2_counts_microseconds(void **state)
{
	struct fixture *f = *state;

	put(f, "proc/stat", "cpu  10 0 0 0\n");
	put(f, "proc/self/cgroup", "0::/user.slice/job.scope\n");
	put(f, "sys/fs/cgroup/user.slice/job.scope/cpu.stat",
	    "usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\n");
	put(f, "sys/fs/cgroup/cpu.stat", "usage_usec 999\n");
	assert_int_equal(es_cputime_open(&f->root, true, &f->cputime), 0);

	assert_int_equal(f->cputime.from, ES_CPUTIME_CGROUP_V2);
	assert_int_equal(read_ns(f), 1234567000);
}

/* A cgroup namespace, or the host's path shown inside of a container. */
static void a_path_that_is_not_here_means_the_mounts_top(void **state)
{
	struct fixture *f = *state;

	put(f, "proc/self/cgroup", "0::/docker/0123456789abcdef\n");
	put(f, "sys/fs/cgroup/cpu.stat", "usage_usec 55\n");
	assert_int_equal(es_cputime_open(&f->root, true, &f->cputime), 0);

	assert_int_equal(read_ns(f), 55000);
}

static void our_cgroup_of_version_1_counts_nanoseconds(void **state)
{
	static const char *const mounts[] = { "sys/fs/cgroup/cpu,cpuacct",
					      "sys/fs/cgroup/cpuacct" };
	struct fixture *f = *state;

	put(f, "proc/self/cgroup",
	    "12:cpuset:/other\n4:cpu,cpuacct:/slurm/job_7\n1:name=systemd:/x\n0::/\n");
	for (size_t i = 0; i < ES_ARRAY_SIZE(mounts); i++) {
		char path[256];

		(void)snprintf(path, sizeof(path), "%s/slurm/job_7/cpuacct.usage", mounts[i]);
		put(f, path, "987654321\n");
		assert_int_equal(es_cputime_open(&f->root, true, &f->cputime), 0);
		assert_int_equal(f->cputime.from, ES_CPUTIME_CGROUP_V1);
		assert_int_equal(read_ns(f), 987654321);
		es_cputime_close(&f->cputime);
		(void)snprintf(path, sizeof(path), "%s/%s/slurm/job_7/cpuacct.usage", f->dir,
			       mounts[i]);
		assert_int_equal(unlink(path), 0);
	}
}

static void a_cgroup_that_cannot_be_read_leaves_the_machine(void **state)
{
	struct fixture *f = *state;

	put(f, "proc/stat", "cpu  10 0 0 0\n");
	put(f, "proc/self/cgroup", "0::/nowhere\n");
	assert_int_equal(es_cputime_open(&f->root, true, &f->cputime), 0);

	assert_int_equal(f->cputime.from, ES_CPUTIME_PROC_STAT);
}

static void a_number_too_large_is_an_error(void **state)
{
	struct fixture *f = *state;
	int64_t busy_ns;

	put(f, "proc/self/cgroup", "0::/\n");
	put(f, "sys/fs/cgroup/cpu.stat", "usage_usec 18446744073709551615\n");
	assert_int_equal(es_cputime_open(&f->root, true, &f->cputime), 0);

	assert_int_equal(es_cputime_read(&f->cputime, &busy_ns), -EBADMSG);
}

static void this_machine_counts_forward(void **state)
{
	struct es_cputime cputime;
	struct es_root root;
	int64_t a_ns, b_ns;

	(void)state;
	assert_int_equal(es_root_open(NULL, -1, &root, NULL), 0);
	assert_int_equal(es_cputime_open(&root, false, &cputime), 0);
	assert_int_equal(es_cputime_read(&cputime, &a_ns), 0);
	assert_int_equal(es_cputime_read(&cputime, &b_ns), 0);
	assert_true(b_ns >= a_ns && a_ns > 0);
	es_cputime_close(&cputime);
	es_root_close(&root);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(busy_is_user_nice_system_and_interrupts),
		TEST(the_descriptor_is_kept_and_read_anew),
		TEST(what_is_no_number_is_an_error_not_zero),
		TEST(without_proc_stat_there_is_none),
		TEST(our_cgroup_of_version_2_counts_microseconds),
		TEST(a_path_that_is_not_here_means_the_mounts_top),
		TEST(our_cgroup_of_version_1_counts_nanoseconds),
		TEST(a_cgroup_that_cannot_be_read_leaves_the_machine),
		TEST(a_number_too_large_is_an_error),
		cmocka_unit_test(this_machine_counts_forward),
	};

	return cmocka_run_group_tests_name("sys/cputime", tests, NULL, NULL);
}
