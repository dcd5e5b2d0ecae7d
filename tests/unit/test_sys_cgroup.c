/*
 * test_sys_cgroup.c - which folder stands for a process's cgroup
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/tree.h"
#include "sys/cgroup.h"

static const char v1_and_v2[] =
	"22 1 0:20 / / rw - ext4 /dev/sda1 rw\n"
	"30 22 0:25 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct\n"
	"31 22 0:26 / /sys/fs/cgroup/perf_event rw,nosuid shared:9 - cgroup cgroup rw,perf_event\n"
	"32 22 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

static void the_hierarchy_is_known_by_its_controller(void **state)
{
	char path[128];

	(void)state;
	assert_int_equal(
		es_cgroup_mount(v1_and_v2, "perf_event", "/slurm/job_7", path, sizeof(path)), 0);
	assert_string_equal(path, "sys/fs/cgroup/perf_event/slurm/job_7");
	assert_int_equal(es_cgroup_mount(v1_and_v2, "", "/a", path, sizeof(path)), 0);
	assert_string_equal(path, "sys/fs/cgroup/unified/a");
	assert_int_equal(es_cgroup_mount(v1_and_v2, "perf_event", "/", path, sizeof(path)), 0);
	assert_string_equal(path, "sys/fs/cgroup/perf_event");
	assert_int_equal(es_cgroup_mount(v1_and_v2, "perf", "/", path, sizeof(path)), -ENOENT);
	assert_int_equal(es_cgroup_mount(v1_and_v2, "perf_event", "/long", path, 8), -ENAMETOOLONG);
}

static void a_mount_may_show_a_part_of_the_hierarchy(void **state)
{
	static const char part[] =
		"31 22 0:26 /docker/ab\\040c /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
	char path[128];

	(void)state;
	assert_int_equal(es_cgroup_mount(part, "", "/docker/ab c/job", path, sizeof(path)), 0);
	assert_string_equal(path, "sys/fs/cgroup/job");
	assert_int_equal(es_cgroup_mount(part, "", "/docker/ab c", path, sizeof(path)), 0);
	assert_string_equal(path, "sys/fs/cgroup");
	assert_int_equal(es_cgroup_mount(part, "", "/docker/ab cd", path, sizeof(path)), -ENOENT);
	assert_int_equal(es_cgroup_mount(part, "", "/other", path, sizeof(path)), -ENOENT);
}

static void lines_that_are_none_are_passed_over(void **state)
{
	char path[128];

	(void)state;
	assert_int_equal(es_cgroup_mount("", "", "/", path, sizeof(path)), -ENOENT);
	assert_int_equal(es_cgroup_mount("\n - \n31 22\n1 2 3 4 - cgroup2\n", "", "/", path,
					 sizeof(path)),
			 -ENOENT);
}

static void the_first_version_comes_first(void **state)
{
	struct es_root root;
	char dir[64], cgroup[64];
	int fd;

	(void)state;
	assert_int_equal(es_tree_temp(dir), 0);
	assert_int_equal(es_root_open(dir, -1, &root, NULL), 0);
	assert_int_equal(es_tree_write(dir, "proc/self/mountinfo", v1_and_v2, 0644), 0);
	assert_int_equal(es_tree_write(dir, "proc/7/cgroup", "5:perf_event:/job\n0::/user.slice\n",
				       0644),
			 0);
	assert_int_equal(es_tree_write(dir, "proc/8/cgroup", "0::/user.slice\n", 0644), 0);
	assert_int_equal(es_tree_write(dir, "sys/fs/cgroup/perf_event/job/tasks", "", 0644), 0);
	assert_int_equal(es_tree_write(dir, "sys/fs/cgroup/unified/user.slice/x", "", 0644), 0);

	fd = es_cgroup_open_perf(&root, 7, cgroup, sizeof(cgroup));
	assert_true(fd >= 0);
	assert_string_equal(cgroup, "/job");
	assert_int_equal(faccessat(fd, "tasks", F_OK, 0), 0);
	(void)close(fd);
	fd = es_cgroup_open_perf(&root, 8, cgroup, sizeof(cgroup));
	assert_true(fd >= 0);
	assert_int_equal(faccessat(fd, "x", F_OK, 0), 0);
	(void)close(fd);
	assert_int_equal(es_cgroup_open_perf(&root, 9, cgroup, sizeof(cgroup)), -ESRCH);

	es_root_close(&root);
	es_tree_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hierarchy_is_known_by_its_controller),
		cmocka_unit_test(a_mount_may_show_a_part_of_the_hierarchy),
		cmocka_unit_test(lines_that_are_none_are_passed_over),
		cmocka_unit_test(the_first_version_comes_first),
	};

	return cmocka_run_group_tests_name("sys/cgroup", tests, NULL, NULL);
}
