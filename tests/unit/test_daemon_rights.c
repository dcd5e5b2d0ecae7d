/*
 * test_daemon_rights.c - who is at the other end of a socket, on kernels that tell less, and when a number is another process'
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/rights.h"
#include "support/tree.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#define GROUP 64299
#define PID 7

/* What this kernel is made to be. */
static bool knows_groups, knows_pid_fds;
static int pid_fd_error;
static pid_t pid_fd_of; /* 0: of this process */

int __real_getsockopt(int fd, int level, int name, void *ret, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int name, void *ret, socklen_t *size);

int __wrap_getsockopt(int fd, int level, int name, void *ret, socklen_t *size)
{
	if (level == SOL_SOCKET && name == SO_PEERCRED) {
		*(struct ucred *)ret = (struct ucred){ .pid = PID, .uid = 64211, .gid = 64211 };
		return 0;
	}
	if (level == SOL_SOCKET && name == SO_PEERGROUPS && !knows_groups) {
		errno = ENOPROTOOPT;
		return -1;
	}
	if (level == SOL_SOCKET && name == SO_PEERPIDFD) {
		errno = knows_pid_fds ? pid_fd_error : ENOPROTOOPT;
		if (errno)
			return -1;
		*(int *)ret = (int)syscall(SYS_pidfd_open, pid_fd_of ? pid_fd_of : getpid(), 0);
		return *(int *)ret < 0 ? -1 : 0;
	}
	return __real_getsockopt(fd, level, name, ret, size);
}

struct node {
	char dir[64];
	struct es_root root;
	struct es_jobs *jobs;
	int pair[2];
};

static void put_process(const struct node *node, unsigned start_ticks, const char *group)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
		       "%d (a b) S 1 7 7 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 1 0 %u 1 1\n", PID,
		       start_ticks);
	assert_int_equal(es_tree_write(node->dir, "proc/7/stat", text, 0644), 0);
	(void)snprintf(text, sizeof(text), "5:cpuacct:%s\n0::/\n", group);
	assert_int_equal(es_tree_write(node->dir, "proc/7/cgroup", text, 0644), 0);
}

static void begin(const struct node *node, const char *id, const char *group)
{
	struct es_local_job job = { .scheduler = "slurm", .uid = 64300, .has_uid = true };
	struct es_error err = { .code = 0 };
	char path[256];

	(void)snprintf(path, sizeof(path), "sys/fs/cgroup/cpuacct%s/cpuacct.usage_percpu", group);
	assert_int_equal(es_tree_write(node->dir, path, "0 0 0 0 \n", 0644), 0);
	(void)snprintf(job.id, sizeof(job.id), "%s", id);
	(void)snprintf(job.cgroup, sizeof(job.cgroup), "%s", group);
	assert_int_equal(es_jobs_begin(node->jobs, &job, 0, es_clock_boot_ns(), es_clock_unix_ns(),
				       &err),
			 0);
}

static int set_up(void **state)
{
	struct node *node = calloc(1, sizeof(*node));
	struct es_jobs_options options = { .boot_id = "x" };
	struct es_error err = { .code = 0 };

	assert_non_null(node);
	knows_groups = knows_pid_fds = true;
	pid_fd_error = 0;
	pid_fd_of = 0;
	assert_int_equal(es_tree_temp(node->dir), 0);
	assert_int_equal(es_tree_write(node->dir, "sys/devices/system/cpu/online", "0-3\n", 0644),
			 0);
	assert_int_equal(es_tree_write(node->dir, "sys/fs/cgroup/cpuacct/cpuacct.usage_percpu",
				       "0 0 0 0 \n", 0644),
			 0);
	assert_int_equal(es_root_open(node->dir, -1, &node->root, NULL), 0);
	options.root = &node->root;
	assert_int_equal(es_jobs_create(&options, es_clock_boot_ns(), es_clock_unix_ns(),
					&node->jobs, &err),
			 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, node->pair), 0);
	*state = node;
	return 0;
}

static int tear_down(void **state)
{
	struct node *node = *state;
	char command[128];

	es_jobs_destroy(node->jobs);
	es_root_close(&node->root);
	(void)close(node->pair[0]);
	(void)close(node->pair[1]);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", node->dir);
	assert_int_equal(system(command), 0);
	free(node);
	return 0;
}

static struct es_peer know(const struct node *node)
{
	struct es_peer peer;

	assert_int_equal(es_peer_know(node->pair[0], GROUP, &peer), 0);
	es_peer_pin(node->pair[0], node->jobs, &peer);
	return peer;
}

/* The room for groups is what others left in it: here, of all numbers, that of the daemon's group. */
static void who_tells_no_groups_is_in_none(void **state)
{
	gid_t *room[8];

	for (size_t i = 0; i < 8; i++) {
		room[i] = malloc(64 * sizeof(gid_t));
		assert_non_null(room[i]);
		for (size_t k = 0; k < 64; k++)
			((volatile gid_t *)room[i])[k] = GROUP;
	}
	for (size_t i = 0; i < 8; i++)
		free(room[i]);
	knows_groups = false;
	assert_false(know(*state).is_admin);
}

static void a_process_has_the_rights_of_its_job(void **state)
{
	struct node *node = *state;
	struct es_peer peer;

	begin(node, "12", "/slurm/uid_5/job_12");
	put_process(node, 100, "/slurm/uid_5/job_12");
	peer = know(node);
	assert_int_equal(peer.pid, PID);
	assert_string_equal(es_rights_job(&peer, node->jobs)->about.id, "12");
}

/* A connection outlives the process that made it; its number goes to a process of somebody else's job. */
static void a_number_used_again_gives_no_rights(void **state)
{
	struct node *node = *state;
	struct es_peer peer;

	begin(node, "12", "/slurm/uid_5/job_12");
	put_process(node, 100, "/elsewhere");
	peer = know(node);
	assert_null(es_rights_job(&peer, node->jobs));
	put_process(node, 200, "/slurm/uid_5/job_12");
	assert_null(es_rights_job(&peer, node->jobs));
}

/* It was gone before the daemon looked: the number already was another's then. */
static void who_is_gone_before_it_is_looked_at_is_nobody(void **state)
{
	struct node *node = *state;
	struct es_peer peer;

	begin(node, "12", "/slurm/uid_5/job_12");
	put_process(node, 200, "/slurm/uid_5/job_12");
	pid_fd_of = fork();
	assert_true(pid_fd_of >= 0);
	if (pid_fd_of == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid_fd_of, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	peer = know(node);
	assert_int_equal(peer.pid, 0);
	assert_null(es_rights_job(&peer, node->jobs));
	assert_int_equal(waitpid(pid_fd_of, NULL, 0), pid_fd_of);
	pid_fd_error = ESRCH; /* as kernels before 6.16 tell it of who was waited for */
	peer = know(node);
	assert_int_equal(peer.pid, 0);
}

/* Before Linux 6.5 only the time of its start is there. */
static void an_old_kernel_goes_by_the_start(void **state)
{
	struct node *node = *state;
	struct es_peer peer;

	knows_pid_fds = false;
	begin(node, "12", "/slurm/uid_5/job_12");
	put_process(node, 100, "/slurm/uid_5/job_12");
	peer = know(node);
	assert_string_equal(es_rights_job(&peer, node->jobs)->about.id, "12");
	put_process(node, 101, "/slurm/uid_5/job_12");
	assert_null(es_rights_job(&peer, node->jobs));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_tells_no_groups_is_in_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_process_has_the_rights_of_its_job, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_number_used_again_gives_no_rights, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(who_is_gone_before_it_is_looked_at_is_nobody,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_old_kernel_goes_by_the_start, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
