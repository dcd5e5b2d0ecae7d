/*
 * test_source_activity_real.c - the running kernel counts a job's CPU time as the job's own usage says, however it is spread
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/signal.h"
#include "source/activity.h"
#include "support/tree.h"
#include "sys/cgroup.h"

#define BURN_MS 60
#define READINGS_MAX 256

static int64_t cpu_ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return t.tv_sec * ES_NS_PER_S + t.tv_nsec;
}

static void *burn(void *arg)
{
	int64_t end_ns = cpu_ns(CLOCK_THREAD_CPUTIME_ID) + BURN_MS * ES_NS_PER_MS;

	(void)arg;
	while (cpu_ns(CLOCK_THREAD_CPUTIME_ID) < end_ns)
		continue;
	return NULL;
}

/* What the command is: CPU time of its own, of a thread, of a child, and of a child's thread. */
static int work(void)
{
	pthread_t thread;
	pid_t child;

	if (pthread_create(&thread, NULL, burn, NULL) != 0)
		return 1;
	child = fork();
	if (child < 0)
		return 1;
	if (child == 0) {
		pthread_t of_child;

		if (pthread_create(&of_child, NULL, burn, NULL) != 0)
			_exit(1);
		(void)burn(NULL);
		(void)pthread_join(of_child, NULL);
		_exit(0);
	}
	(void)burn(NULL);
	(void)pthread_join(thread, NULL);
	return waitpid(child, NULL, 0) == child ? 0 : 1;
}

/** struct job - a process that waits at a pipe and becomes this program with the word "work" */
struct job {
	pid_t pid;
	int gate;
};

static void start(struct job *job)
{
	int gate[2];

	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	job->pid = fork();
	assert_true(job->pid >= 0);
	if (job->pid == 0) {
		char byte;

		(void)close(gate[1]);
		(void)burn(NULL); /* before its exec: not counted, where it is a command */
		if (read(gate[0], &byte, 1) != 1)
			_exit(125);
		(void)execl("/proc/self/exe", "job", "work", (char *)NULL);
		_exit(127);
	}
	(void)close(gate[0]);
	job->gate = gate[1];
}

/* Lets it run to its end. Returns its CPU time with that of all it waited for. */
static int64_t finish(struct job *job)
{
	struct rusage usage;
	int status;

	assert_int_equal(write(job->gate, "", 1), 1);
	(void)close(job->gate);
	assert_int_equal(wait4(job->pid, &status, 0, &usage), job->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * ES_NS_PER_S +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * ES_NS_PER_US;
}

static struct es_source *open_it(struct es_root *root, enum es_activity_whom whom)
{
	struct es_source *source;

	assert_int_equal(es_root_open(NULL, -1, root, NULL), 0);
	assert_int_equal(es_activity_open(root, whom, &source, NULL), 0);
	return source;
}

/* -1: there is no such signal; negative errno elsewhere fails the test. */
static int64_t task_clock_ns(struct es_source *source)
{
	struct es_reading readings[READINGS_MAX];

	es_activity_end(source);
	assert_int_equal(source->ops->read_signals(source, readings, READINGS_MAX), 0);
	for (size_t i = 0; i < source->n_signals; i++)
		if (strcmp(source->signals[i].id, "activity/job:task_clock") == 0) {
			assert_int_equal(readings[i].error, 0);
			return (int64_t)readings[i].value;
		}
	return -1;
}

static void check_near(int64_t counted_ns, int64_t used_ns)
{
	int64_t apart_ns = counted_ns > used_ns ? counted_ns - used_ns : used_ns - counted_ns;

	/* Both are CPU time: how busy the machine is does not matter. Exec, fork and exit are in one and not in the other. */
	if (apart_ns > used_ns / 20 + 5 * ES_NS_PER_MS)
		fail_msg("counted %lld µs, used %lld µs", (long long)counted_ns / 1000,
			 (long long)used_ns / 1000);
}

static void a_command_is_counted_over_exec_fork_and_threads(void **state)
{
	struct es_root root;
	struct es_source *source = open_it(&root, ES_ACTIVITY_COMMAND);
	int64_t used_ns;
	struct job job;

	(void)state;
	start(&job);
	assert_int_equal(es_activity_follow(source, job.pid), 0);
	assert_int_equal(task_clock_ns(source), 0);
	used_ns = finish(&job);

	assert_true(used_ns > 5 * BURN_MS * ES_NS_PER_MS);
	check_near(task_clock_ns(source), used_ns - BURN_MS * ES_NS_PER_MS);
	source->ops->close(source);
	es_root_close(&root);
}

static void what_runs_already_is_counted_from_then_on(void **state)
{
	struct es_root root;
	struct es_source *source = open_it(&root, ES_ACTIVITY_TREE);
	struct job job;
	int64_t used_ns, before_ns;

	(void)state;
	start(&job);
	(void)usleep(1000);
	assert_int_equal(es_activity_follow(source, job.pid), 0);
	before_ns = task_clock_ns(source);
	used_ns = finish(&job);

	assert_true(before_ns >= 0);
	/* Of what it burns before its exec a part may be over. */
	assert_true(task_clock_ns(source) > 4 * BURN_MS * ES_NS_PER_MS);
	assert_true(task_clock_ns(source) < used_ns + used_ns / 20 + 5 * ES_NS_PER_MS);
	source->ops->close(source);
	es_root_close(&root);
}

/* A job in a cgroup below @mount. */
static void try_cgroup(const char *mount)
{
	char folder[160], path[192], text[32];
	struct es_root root;
	struct es_source *source;
	int64_t used_ns;
	struct job job;
	int fd, n;

	(void)snprintf(folder, sizeof(folder), "%s/energyscopium-test-%d", mount, (int)getpid());
	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	assert_int_equal(mkdir(folder, 0755), 0);
	start(&job);
	n = snprintf(text, sizeof(text), "%d\n", (int)job.pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, (size_t)n), n);
	(void)close(fd);

	source = open_it(&root, ES_ACTIVITY_CGROUP);
	assert_int_equal(es_activity_follow(source, job.pid), 0);
	used_ns = finish(&job);

	/* A cgroup's task clock runs on each CPU that runs it: their sum is its CPU time. */
	assert_true(task_clock_ns(source) > 4 * BURN_MS * ES_NS_PER_MS);
	assert_true(task_clock_ns(source) < used_ns + used_ns / 20 + 5 * ES_NS_PER_MS);
	source->ops->close(source);
	es_root_close(&root);
	assert_int_equal(rmdir(folder), 0);
}

static void say_untried(const char *what, const char *why)
{
	(void)printf("# %s is not tried: %s\n", what, why);
}

static void a_cgroup_of_version_2_is_counted_over_all_in_it(void **state)
{
	char text[4096], path[128] = "/", folder[192];
	struct es_root root;

	(void)state;
	assert_int_equal(es_root_open(NULL, -1, &root, NULL), 0);
	if (es_root_read(&root, "proc/self/cgroup", text, sizeof(text)) <= 0 ||
	    es_cgroup_find(text, "perf_event", path, sizeof(path))) {
		say_untried("cgroup v2", "perf events belong to v1 here");
	} else if (es_root_read(&root, "proc/self/mountinfo", text, sizeof(text)) <= 0 ||
		   es_cgroup_mount(text, "", "/", path + 1, sizeof(path) - 1) < 0) {
		say_untried("cgroup v2", "it is not mounted");
	} else {
		(void)snprintf(folder, sizeof(folder), "%s/energyscopium-try-%d", path,
			       (int)getpid());
		if (mkdir(folder, 0755) < 0) {
			say_untried("cgroup v2", "no group can be made");
		} else {
			(void)rmdir(folder);
			try_cgroup(path);
		}
	}
	es_root_close(&root);
}

/*
 * In a mount namespace of our own: nobody else sees it. Only where v1 has the controller already: it would not go back to
 * v2 at once.
 */
static void a_cgroup_of_version_1_is_counted_over_all_in_it(void **state)
{
	char dir[64], text[4096], path[128];
	struct es_root root;
	bool is_v1;

	(void)state;
	assert_int_equal(es_root_open(NULL, -1, &root, NULL), 0);
	is_v1 = es_root_read(&root, "proc/self/cgroup", text, sizeof(text)) > 0 &&
		es_cgroup_find(text, "perf_event", path, sizeof(path));
	es_root_close(&root);
	assert_int_equal(es_tree_temp(dir), 0);
	if (!is_v1) {
		say_untried("cgroup v1", "perf events belong to v2 here");
	} else if (unshare(CLONE_NEWNS) < 0 ||
		   mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		say_untried("cgroup v1", "a mount namespace needs root");
	} else if (mount("none", dir, "cgroup", 0, "perf_event") < 0) {
		say_untried("cgroup v1", "perf_event cannot be mounted");
	} else {
		try_cgroup(dir);
		(void)umount(dir);
	}
	es_tree_remove(dir);
}

static bool can_count(void)
{
	struct es_root root;
	struct es_source *source = open_it(&root, ES_ACTIVITY_COMMAND);
	bool can = es_activity_follow(source, getpid()) == 0 && task_clock_ns(source) >= 0;

	source->ops->close(source);
	es_root_close(&root);
	return can;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_is_counted_over_exec_fork_and_threads),
		cmocka_unit_test(what_runs_already_is_counted_from_then_on),
		cmocka_unit_test(a_cgroup_of_version_2_is_counted_over_all_in_it),
		cmocka_unit_test(a_cgroup_of_version_1_is_counted_over_all_in_it),
	};

	if (argc == 2 && strcmp(argv[1], "work") == 0)
		return work();
	if (!can_count()) {
		(void)puts("1..0 # SKIP perf events are refused here");
		return 0;
	}
	return cmocka_run_group_tests_name("source/activity_real", tests, NULL, NULL);
}
