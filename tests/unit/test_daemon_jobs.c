/*
 * test_daemon_jobs.c - who may begin and end jobs, whose CPU time is whose, and what is known again after a kill
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

#include "base/clock.h"
#include "daemon/jobs.h"
#include "support/tree.h"

#define S ES_NS_PER_S
#define ACCT "sys/fs/cgroup/cpuacct"
#define CPUSET "sys/fs/cgroup/cpuset"
#define UNIFIED "sys/fs/cgroup/unified"

struct node {
	struct es_root root;
	char dir[64], journal[128];
	char told[4096]; /* what es_jobs_fn heard, a word each */
	struct es_jobs *jobs;
	struct es_error err;
	unsigned n_syncs;
};

static void hear(void *arg, enum es_jobs_news news, struct es_job *job, const char *step,
		 int64_t t_ns)
{
	static const char *const names[] = {
		[ES_JOBS_BEGUN] = "begun",     [ES_JOBS_CHANGED] = "changed",
		[ES_JOBS_STEP_BEGUN] = "step", [ES_JOBS_STEP_ENDED] = "unstep",
		[ES_JOBS_ENDED] = "ended",
	};
	struct node *node = arg;
	size_t n = strlen(node->told);

	(void)snprintf(node->told + n, sizeof(node->told) - n, "%s%s:%s%s%s@%lld", n ? " " : "",
		       names[news], job->about.id, *step ? "." : "", step, (long long)(t_ns / S));
}

static void sync_later(void *arg, int fd)
{
	struct node *node = arg;

	assert_true(fd >= 0);
	node->n_syncs++;
}

/* What was heard since the last time. */
static const char *heard(struct node *node)
{
	static char copy[sizeof(node->told)];

	memcpy(copy, node->told, sizeof(copy));
	node->told[0] = '\0';
	return copy;
}

static void put(const struct node *node, const char *path, const char *text)
{
	assert_int_equal(es_tree_write(node->dir, path, text, 0644), 0);
}

static void remove_group(const struct node *node, const char *tree, const char *path)
{
	char command[512];

	(void)snprintf(command, sizeof(command), "rm -rf '%s/%s%s'", node->dir, tree, path);
	assert_int_equal(system(command), 0);
}

/* cpuacct of v1: ns on CPUs 0-1 (package 0) and 2-3 (package 1) */
static void put_usage(const struct node *node, const char *group, long c0, long c1, long c2,
		      long c3)
{
	char path[512], text[256];

	(void)snprintf(path, sizeof(path), ACCT "%s/cpuacct.usage_percpu", group);
	(void)snprintf(text, sizeof(text), "%ld %ld %ld %ld \n", c0, c1, c2, c3);
	put(node, path, text);
}

static void put_cpus(const struct node *node, const char *group, const char *list)
{
	char path[512];

	(void)snprintf(path, sizeof(path), CPUSET "%s/cpuset.cpus", group);
	put(node, path, list);
}

static void start(struct node *node, const char *boot_id)
{
	const struct es_jobs_options options = {
		.root = &node->root,
		.journal = node->journal,
		.boot_id = boot_id,
		.tell = hear,
		.arg = node,
		.sync = sync_later,
	};

	node->err = (struct es_error){ .code = 0 };
	assert_int_equal(es_jobs_create(&options, 100 * S, 5000 * S, &node->jobs, &node->err), 0);
}

static void kill_it(struct node *node)
{
	es_jobs_destroy(node->jobs);
	node->jobs = NULL;
}

/* Two packages of two CPUs, v1 and v2 beside each other. */
static int set_up(void **state)
{
	struct node *node = calloc(1, sizeof(*node));

	assert_non_null(node);
	assert_int_equal(es_tree_temp(node->dir), 0);
	assert_int_equal(es_root_open(node->dir, -1, &node->root, NULL), 0);
	(void)snprintf(node->journal, sizeof(node->journal), "%s/journal", node->dir);
	put(node, "sys/devices/system/cpu/online", "0-3\n");
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		char path[128];

		(void)snprintf(path, sizeof(path),
			       "sys/devices/system/cpu/cpu%u/topology/physical_package_id", cpu);
		put(node, path, cpu < 2 ? "0\n" : "1\n");
	}
	put_usage(node, "", 1000, 1000, 500, 500);
	put_cpus(node, "", "0-3\n");
	put(node, UNIFIED "/cgroup.controllers", "\n");
	start(node, "boot-1");
	*state = node;
	return 0;
}

static int tear_down(void **state)
{
	struct node *node = *state;

	es_jobs_destroy(node->jobs);
	es_root_close(&node->root);
	es_tree_remove(node->dir);
	free(node);
	return 0;
}

static struct es_local_job job_of(const char *id, int64_t uid)
{
	struct es_local_job job = { .n_nodes = 0 };

	(void)snprintf(job.id, sizeof(job.id), "%s", id);
	job.has_uid = uid >= 0;
	job.uid = uid >= 0 ? (uint32_t)uid : 0;
	return job;
}

static int begin(struct node *node, const struct es_local_job *job, uid_t peer, int64_t t_s)
{
	node->err = (struct es_error){ .code = 0 };
	return es_jobs_begin(node->jobs, job, peer, t_s * S, (4900 + t_s) * S, &node->err);
}

static int end(struct node *node, const char *id, uid_t peer, int64_t t_s)
{
	struct es_local_end over = { .has_status = true, .status = 256 };

	(void)snprintf(over.id, sizeof(over.id), "%s", id);
	node->err = (struct es_error){ .code = 0 };
	return es_jobs_end(node->jobs, &over, peer, t_s * S, (4900 + t_s) * S, &node->err);
}

static void scan(struct node *node, int64_t t_s)
{
	assert_int_equal(es_jobs_scan(node->jobs, t_s * S, (4900 + t_s) * S), 0);
}

static void a_job_is_begun_added_to_and_ended(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("12", 5);
	struct es_job *job;

	assert_int_equal(begin(node, &told, 0, 101), 0);
	(void)snprintf(told.cpus, sizeof(told.cpus), "0-1");
	(void)snprintf(told.name, sizeof(told.name), "a job");
	told.flags = ES_LOCAL_SHARED;
	assert_int_equal(begin(node, &told, 0, 102), 1);
	assert_int_equal(begin(node, &told, 0, 103), 1);
	(void)snprintf(told.step, sizeof(told.step), "0");
	told.t_ns = 103 * S;
	assert_int_equal(begin(node, &told, 0, 104), 0);
	assert_int_equal(begin(node, &told, 0, 104), 1);
	job = es_jobs_find(node->jobs, "12");
	assert_non_null(job);
	assert_ptr_equal(es_jobs_at(node->jobs, 0), job);
	assert_null(es_jobs_at(node->jobs, 1));
	assert_string_equal(job->about.name, "a job");
	assert_int_equal(job->start_ns, 101 * S);
	assert_int_equal(job->start_unix_ns, 5001 * S);
	assert_int_equal(job->allocated_ppm[0], 1000000);
	assert_int_equal(job->allocated_ppm[1], 0);
	assert_false(es_jobs_is_exclusive(node->jobs, job));
	es_jobs_read_time(node->jobs);
	assert_int_equal(job->cpu_ns[0], -1);
	assert_int_equal(es_jobs_busy_ns(node->jobs, 0), 2000);
	assert_int_equal(es_jobs_busy_ns(node->jobs, 1), 1000);
	assert_int_equal(es_jobs_busy_ns(node->jobs, 2), -1);

	assert_int_equal(end(node, "12", 0, 110), 0);

	assert_null(es_jobs_find(node->jobs, "12"));
	assert_int_equal(end(node, "12", 0, 111), -ENOENT);
	assert_string_equal(heard(node), "begun:12@101 changed:12@102 step:12.0@103 "
					 "unstep:12.0@110 ended:12@110");
	assert_true(node->n_syncs >= 2);
}

static void times_told_lie_between_begin_and_now(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("12", -1);
	struct es_local_end over = { .id = "12", .t_ns = 50 * S };

	told.t_ns = 90 * S;
	assert_int_equal(begin(node, &told, 0, 100), 0);
	assert_int_equal(es_jobs_find(node->jobs, "12")->start_unix_ns, 4990 * S);
	assert_int_equal(es_jobs_end(node->jobs, &over, 0, 101 * S, 5001 * S, NULL), 0);
	assert_string_equal(heard(node), "begun:12@90 ended:12@90");

	told.t_ns = 500 * S;
	assert_int_equal(begin(node, &told, 0, 102), 0);
	over.t_ns = 600 * S;
	assert_int_equal(es_jobs_end(node->jobs, &over, 0, 103 * S, 5003 * S, NULL), 0);
	assert_string_equal(heard(node), "begun:12@102 ended:12@103");
}

static void users_begin_and_end_their_own(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("mine", -1);

	assert_int_equal(begin(node, &told, 1000, 101), 0);
	assert_true(es_jobs_find(node->jobs, "mine")->about.has_uid);
	assert_int_equal(es_jobs_find(node->jobs, "mine")->about.uid, 1000);
	assert_int_equal(begin(node, &told, 1000, 102), 1);
	assert_int_equal(begin(node, &told, 1001, 102), -EPERM);
	assert_non_null(strstr(node->err.text, "another user's"));
	assert_int_equal(end(node, "mine", 1001, 103), -EPERM);
	(void)snprintf(told.step, sizeof(told.step), "one");
	assert_int_equal(begin(node, &told, 1000, 103), 0);
	assert_int_equal(end(node, "mine", 1000, 104), 0);
	assert_string_equal(heard(node),
			    "begun:mine@101 step:mine.one@103 unstep:mine.one@104 ended:mine@104");
}

static void users_claim_nothing_that_is_roots_to_give(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("mine", 1001);

	assert_int_equal(begin(node, &told, 1000, 101), -EPERM);
	told = job_of("mine", -1);
	told.flags = ES_LOCAL_EXCLUSIVE;
	assert_int_equal(begin(node, &told, 1000, 101), -EPERM);
	assert_non_null(strstr(node->err.text, "only root"));
	told.flags = 0;
	told.has_gpus = true;
	assert_int_equal(begin(node, &told, 1000, 101), -EPERM);
	told.has_gpus = false;
	told.n_cpus = 1;
	assert_int_equal(begin(node, &told, 1000, 101), -EPERM);
	told.n_cpus = 0;
	put_usage(node, "/slurm/uid_5/job_12", 0, 0, 0, 0);
	(void)snprintf(told.cgroup, sizeof(told.cgroup), "/slurm/uid_5/job_12");
	assert_int_equal(begin(node, &told, 70000, 101), -EPERM);
	assert_non_null(strstr(node->err.text, "not this user's"));
	(void)snprintf(told.cgroup, sizeof(told.cgroup), "/user.slice/user-1001.slice/x");
	assert_int_equal(begin(node, &told, 1000, 101), -EPERM);
	assert_string_equal(heard(node), "");
	assert_null(es_jobs_at(node->jobs, 0));

	put_usage(node, "/user.slice/user-1000.slice/session-1.scope", 7, 0, 0, 0);
	(void)snprintf(told.cgroup, sizeof(told.cgroup),
		       "/user.slice/user-1000.slice/session-1.scope");
	assert_int_equal(begin(node, &told, 1000, 101), 0);
}

/* Who has the node sees its meters. */
static void no_users_word_makes_a_node_its_own(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("mine", -1), slurms = job_of("12", 5);

	put_usage(node, "/user.slice/user-1000.slice/x", 0, 0, 0, 0);
	put_cpus(node, "/user.slice/user-1000.slice/x", "0-3\n");
	(void)snprintf(told.scheduler, sizeof(told.scheduler), "slurm");
	(void)snprintf(told.cgroup, sizeof(told.cgroup), "/user.slice/user-1000.slice/x");
	assert_int_equal(begin(node, &told, 1000, 101), 0);
	assert_int_equal(es_jobs_find(node->jobs, "mine")->n_cgroups, 1);
	assert_false(es_jobs_is_exclusive(node->jobs, es_jobs_find(node->jobs, "mine")));
	assert_int_equal(end(node, "mine", 1000, 102), 0);

	put_usage(node, "/slurm/uid_5/job_12", 0, 0, 0, 0);
	put_cpus(node, "/slurm/uid_5/job_12", "0-3\n");
	(void)snprintf(slurms.cgroup, sizeof(slurms.cgroup), "/slurm/uid_5/job_12");
	assert_int_equal(begin(node, &slurms, 0, 103), 0);
	assert_true(es_jobs_is_exclusive(node->jobs, es_jobs_find(node->jobs, "12")));
	assert_int_equal(begin(node, &(struct es_local_job){ .id = "13" }, 0, 104), 0);
	assert_false(es_jobs_is_exclusive(node->jobs, es_jobs_find(node->jobs, "12")));
}

static void users_leave_room_for_others(void **state)
{
	struct node *node = *state;
	struct es_local_job told;
	int r = 0;

	for (unsigned i = 0; i < 100 && r == 0; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "%u", i);
		told = job_of(id, -1);
		r = begin(node, &told, 1000, 101);
	}
	assert_int_equal(r, -E2BIG);
	assert_non_null(strstr(node->err.text, "this user has begun"));
	told = job_of("other", -1);
	assert_int_equal(begin(node, &told, 1001, 101), 0);
}

static void ids_that_are_none_are_refused_with_words(void **state)
{
	static const char *const ids[] = { "", "a/b", "../x", "a b", "-1", "\x1b[2J" };
	struct node *node = *state;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct es_local_job told = job_of(ids[i], -1);

		assert_int_equal(begin(node, &told, 0, 101), -EINVAL);
		assert_true(node->err.text[0] && !strchr(node->err.text, '\x1b'));
		told = job_of("12", -1);
		(void)snprintf(told.step, sizeof(told.step), "%s", ids[i]);
		if (ids[i][0])
			assert_int_equal(begin(node, &told, 0, 101), -EINVAL);
	}
	assert_null(es_jobs_at(node->jobs, 0));
}

static void a_forged_id_gives_way_to_the_schedulers_job(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("12", -1), slurms = job_of("12", 2000);

	assert_int_equal(begin(node, &told, 1000, 101), 0);
	assert_int_equal(begin(node, &slurms, 0, 102), 0);
	assert_int_equal(es_jobs_find(node->jobs, "12")->about.uid, 2000);
	assert_int_equal(begin(node, &told, 1000, 103), -EPERM);
	assert_int_equal(end(node, "12", 1000, 103), -EPERM);
	/* Not even the owner ends it: its energy would be nobody's. */
	assert_int_equal(end(node, "12", 2000, 103), -EPERM);
	assert_string_equal(heard(node), "begun:12@101 ended:12@102 begun:12@102");
	slurms.uid = 2001;
	assert_int_equal(begin(node, &slurms, 0, 104), -EEXIST);
	assert_non_null(strstr(node->err.text, "2000"));
}

/* What a user says of a number is not what the scheduler's job of that number, and of the same user, is then. */
static void who_guesses_its_own_next_number_gains_nothing(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("13", -1), slurms = job_of("13", 1000);

	(void)snprintf(told.account, sizeof(told.account), "others");
	told.flags = ES_LOCAL_SHARED;
	assert_int_equal(begin(node, &told, 1000, 101), 0);
	(void)snprintf(slurms.account, sizeof(slurms.account), "own");
	slurms.flags = ES_LOCAL_EXCLUSIVE;
	assert_int_equal(begin(node, &slurms, 0, 102), 0);
	assert_string_equal(heard(node), "begun:13@101 ended:13@102 begun:13@102");
	assert_string_equal(es_jobs_find(node->jobs, "13")->about.account, "own");
	assert_true(es_jobs_is_exclusive(node->jobs, es_jobs_find(node->jobs, "13")));
}

#define OWN "/user.slice/user-1000.slice/user@1000.service"

/* In their own slices users make cgroups of any name. */
static void a_cgroup_of_a_user_is_no_word_of_roots(void **state)
{
	struct node *node = *state;
	struct es_local_job told, slurms = job_of("12", 2000);

	(void)snprintf(slurms.scheduler, sizeof(slurms.scheduler), "slurm");
	put_usage(node, OWN "/apptainer-12.scope", 0, 0, 0, 0);
	put_usage(node, OWN "/shell-0-13.service", 0, 0, 0, 0);
	put_cpus(node, OWN "/shell-0-13.service", "0-3\n");
	scan(node, 101);
	assert_int_equal(es_jobs_find(node->jobs, "13")->about.uid, 1000);
	assert_int_equal(begin(node, &slurms, 0, 102), 0);
	assert_int_equal(es_jobs_find(node->jobs, "12")->about.uid, 2000);
	scan(node, 103);
	assert_int_equal(es_jobs_find(node->jobs, "12")->n_cgroups, 0);
	assert_int_equal(end(node, "12", 0, 104), 0);
	/* It is alone, and has all CPUs: so it says. */
	assert_false(es_jobs_is_exclusive(node->jobs, es_jobs_find(node->jobs, "13")));
	/* Nor does it end another user's job. */
	assert_int_equal(begin(node, &(struct es_local_job){ .id = "14" }, 2000, 105), 0);
	put_usage(node, OWN "/shell-0-14.service", 0, 0, 0, 0);
	scan(node, 106);
	assert_int_equal(es_jobs_find(node->jobs, "14")->about.uid, 2000);
	/* And they are not more than a user may begin. */
	for (int i = 100; i < 200; i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), OWN "/apptainer-%d.scope", i);
		put_usage(node, path, 0, 0, 0, 0);
	}
	scan(node, 107);
	told = job_of("200", -1);
	assert_int_equal(begin(node, &told, 1000, 108), -E2BIG);
	assert_null(es_jobs_at(node->jobs, 40));
}

/* Slurm gives the folders of steps to their users: who took one for a job of its own would hide Slurm's. */
static void a_step_of_slurm_is_no_users_job(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("mine", -1);
	uid_t user = geteuid() ? geteuid() : 1000;
	char path[512];

	put_usage(node, "/slurm/uid_1000/job_15/step_0", 0, 0, 0, 0);
	(void)snprintf(path, sizeof(path), "%s/" ACCT "/slurm/uid_1000/job_15/step_0", node->dir);
	assert_int_equal(chown(path, user, (gid_t)-1), 0);
	(void)snprintf(told.cgroup, sizeof(told.cgroup), "/slurm/uid_1000/job_15/step_0");
	assert_int_equal(begin(node, &told, user, 101), -EPERM);
	assert_non_null(strstr(node->err.text, "job 15 by slurm"));
	scan(node, 102);
	assert_int_equal(es_jobs_find(node->jobs, "15")->n_cgroups, 1);
}

/* A container's process number, by chance that of a job. */
static void a_jobs_number_is_not_a_containers(void **state)
{
	struct node *node = *state;
	struct es_local_job slurms = job_of("12", 0);

	put_usage(node, "/apptainer/12", 0, 0, 0, 0);
	scan(node, 101);
	assert_string_equal(es_jobs_find(node->jobs, "12")->about.scheduler, "apptainer");
	(void)snprintf(slurms.scheduler, sizeof(slurms.scheduler), "slurm");
	assert_int_equal(begin(node, &slurms, 0, 102), 0);
	assert_string_equal(es_jobs_find(node->jobs, "12")->about.scheduler, "slurm");
	assert_int_equal(es_jobs_find(node->jobs, "12")->n_cgroups, 0);
}

static void a_requeued_job_is_another_one(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("12", 5);
	uint64_t serial;

	assert_int_equal(begin(node, &told, 0, 101), 0);
	serial = es_jobs_find(node->jobs, "12")->serial;
	told.restarts = 1;
	assert_int_equal(begin(node, &told, 0, 102), 0);
	assert_true(es_jobs_find(node->jobs, "12")->serial > serial);
	assert_true(es_jobs_find(node->jobs, "12")->about.flags & ES_LOCAL_RESTARTED);
	told.restarts = 0;
	assert_int_equal(begin(node, &told, 0, 103), -EEXIST);
	assert_string_equal(heard(node), "begun:12@101 ended:12@102 begun:12@102");
}

static void an_exclusive_job_shows_that_an_end_was_missed(void **state)
{
	struct node *node = *state;
	struct es_local_job old = job_of("11", 5), other = job_of("12", 5);

	old.flags = ES_LOCAL_EXCLUSIVE;
	assert_int_equal(begin(node, &old, 0, 101), 0);
	assert_true(es_jobs_is_exclusive(node->jobs, es_jobs_find(node->jobs, "11")));
	other.flags = ES_LOCAL_EXCLUSIVE;
	assert_int_equal(begin(node, &other, 0, 105), 0);
	assert_string_equal(heard(node), "begun:11@101 ended:11@105 begun:12@105");
}

static void cpu_time_is_counted_per_package_from_the_begin_on(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("12", 5);
	struct es_job *job;

	put_usage(node, "/slurm/uid_5/job_12", 100, 200, 300, 400);
	put_cpus(node, "/slurm/uid_5/job_12", "1-2\n");
	(void)snprintf(told.cgroup, sizeof(told.cgroup), "/slurm/uid_5/job_12");
	(void)snprintf(told.scheduler, sizeof(told.scheduler), "slurm");
	assert_int_equal(begin(node, &told, 0, 101), 0);
	job = es_jobs_find(node->jobs, "12");
	assert_int_equal(job->n_cgroups, 1);
	assert_int_equal(job->cpu_ns[0], 0);
	assert_int_equal(job->allocated_ppm[0], 500000);
	assert_int_equal(job->allocated_ppm[1], 500000);

	put_usage(node, "/slurm/uid_5/job_12", 1100, 200, 300, 450);
	es_jobs_read_time(node->jobs);

	assert_int_equal(job->cpu_ns[0], 1000);
	assert_int_equal(job->cpu_ns[1], 50);
	/* A counter that cannot be read stands still. */
	put_usage(node, "/slurm/uid_5/job_12", 1, 2, 3, 4);
	es_jobs_read_time(node->jobs);
	assert_int_equal(job->cpu_ns[0], 1000);
}

static void the_sum_of_v2_is_shared_out_by_cpus(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("12", 5);
	struct es_job *job;

#define GROUP UNIFIED "/system.slice/slurmstepd.scope/job_12"
	put(node, GROUP "/cpu.stat", "usage_usec 0\nuser_usec 0\n");
	put(node, GROUP "/cpuset.cpus.effective", "1-3\n");
	(void)snprintf(told.cgroup, sizeof(told.cgroup), "/system.slice/slurmstepd.scope/job_12");
	assert_int_equal(begin(node, &told, 0, 101), 0);
	job = es_jobs_find(node->jobs, "12");
	put(node, GROUP "/cpu.stat", "usage_usec 1000\nuser_usec 900\n");
	es_jobs_read_time(node->jobs);
	assert_int_equal(job->cpu_ns[0], 333333);
	assert_int_equal(job->cpu_ns[1], 666667);

	/* Other CPUs from now on: what was before stays. */
	put(node, GROUP "/cpuset.cpus.effective", "0-1\n");
	scan(node, 105);
	put(node, GROUP "/cpu.stat", "usage_usec 2000\nuser_usec 900\n");
	es_jobs_read_time(node->jobs);
	assert_int_equal(job->cpu_ns[0], 1333333);
	assert_int_equal(job->cpu_ns[1], 666667);
	assert_int_equal(job->allocated_ppm[0], 1000000);
	assert_int_equal(job->allocated_ppm[1], 0);
#undef GROUP
}

static void a_missed_begin_is_found(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("12", 5);
	struct es_job *job;

	put_usage(node, "/slurm/uid_5/job_12", 100, 0, 0, 0);
	put_usage(node, "/slurm/uid_5/job_12/step_0", 100, 0, 0, 0);
	put_cpus(node, "/slurm/uid_5/job_12", "0-1\n");
	scan(node, 105);
	job = es_jobs_find(node->jobs, "12");
	assert_non_null(job);
	assert_string_equal(job->about.scheduler, "slurm");
	assert_true(job->about.has_uid && job->about.uid == 5);
	assert_true(job->about.flags & ES_LOCAL_REPAIRED);
	assert_int_equal(job->n_cgroups, 1);
	assert_string_equal(job->cgroups[0], "/slurm/uid_5/job_12");
	assert_int_equal(job->cpu_ns[0], 0);
	scan(node, 110);
	assert_string_equal(heard(node), "begun:12@105");

	/* The begin was late, not missed. */
	assert_int_equal(begin(node, &told, 0, 111), 1);
	assert_false(job->about.flags & ES_LOCAL_REPAIRED);
	remove_group(node, ACCT, "/slurm/uid_5/job_12");
	remove_group(node, CPUSET, "/slurm/uid_5/job_12");
	/* Slurm takes the folder away between steps. */
	scan(node, 115);
	assert_ptr_equal(es_jobs_find(node->jobs, "12"), job);
	scan(node, 1000);
	assert_null(es_jobs_find(node->jobs, "12"));
	assert_string_equal(heard(node), "changed:12@111 changed:12@115 ended:12@1000");
}

static void a_missed_end_is_found_and_a_new_folder_is_the_same_job(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("12", 5);
	struct es_job *job;

	(void)snprintf(told.scheduler, sizeof(told.scheduler), "slurm");
	assert_int_equal(begin(node, &told, 0, 101), 0);
	job = es_jobs_find(node->jobs, "12");
	scan(node, 102);
	put_usage(node, "/slurm/uid_5/job_12", 100, 0, 0, 0);
	scan(node, 105);
	/* It is new since the last look: all in it is the job's. */
	assert_int_equal(job->cpu_ns[0], 100);
	remove_group(node, ACCT, "/slurm/uid_5/job_12");
	scan(node, 110);
	assert_int_equal(job->n_cgroups, 0);
	put_usage(node, "/slurm/uid_5/job_12", 30, 0, 0, 0);
	scan(node, 115);
	es_jobs_read_time(node->jobs);
	assert_int_equal(job->n_cgroups, 1);
	assert_int_equal(job->cpu_ns[0], 130);

	put_usage(node, "/docker/0123456789abcdef", 0, 0, 0, 0);
	scan(node, 120);
	assert_non_null(es_jobs_find(node->jobs, "0123456789ab"));
	remove_group(node, ACCT, "/docker/0123456789abcdef");
	scan(node, 125);
	assert_null(es_jobs_find(node->jobs, "0123456789ab"));
	assert_non_null(es_jobs_find(node->jobs, "12"));
}

static void a_job_is_over_with_its_script(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("12", 5), other;

	put_usage(node, "/slurm/uid_5/job_12", 100, 0, 0, 0);
	put_usage(node, "/slurm/uid_5/job_13", 100, 0, 0, 0);
	(void)snprintf(told.scheduler, sizeof(told.scheduler), "slurm");
	(void)snprintf(told.cgroup, sizeof(told.cgroup), "/slurm/uid_5/job_12");
	other = told;
	(void)snprintf(other.id, sizeof(other.id), "13");
	(void)snprintf(other.cgroup, sizeof(other.cgroup), "/slurm/uid_5/job_13");
	(void)snprintf(told.step, sizeof(told.step), "batch");
	(void)snprintf(other.step, sizeof(other.step), "0");
	assert_int_equal(begin(node, &told, 0, 101), 0);
	assert_int_equal(begin(node, &other, 0, 101), 0);

	/* Both ends are told while the daemon does not run; a step's may not be that of its job. */
	kill_it(node);
	remove_group(node, ACCT, "/slurm/uid_5");
	start(node, "boot-1");
	(void)heard(node);
	scan(node, 205);
	scan(node, 210);
	assert_null(es_jobs_find(node->jobs, "12"));
	assert_non_null(es_jobs_find(node->jobs, "13"));
	assert_non_null(strstr(heard(node), "unstep:12.batch@2"));
}

#define FREEZER "sys/fs/cgroup/freezer"

static void a_counter_that_comes_later_is_found(void **state)
{
	struct node *node = *state;
	struct es_job *job;

	/* Found by its freezer, or by a folder whose files are not there yet: nothing counts its CPU time. */
	kill_it(node);
	put(node, FREEZER "/slurm/uid_5/job_12/freezer.state", "THAWED\n");
	put(node, ACCT "/slurm/uid_5/job_13/tasks", "");
	start(node, "boot-1");
	scan(node, 105);
	job = es_jobs_find(node->jobs, "12");
	assert_non_null(job);
	assert_int_equal(job->cpu_ns[0], -1);
	assert_int_equal(es_jobs_find(node->jobs, "13")->cpu_ns[0], -1);

	put_usage(node, "/slurm/uid_5/job_12", 100, 0, 0, 7);
	put_usage(node, "/slurm/uid_5/job_13", 30, 0, 0, 0);
	es_jobs_seek(node->jobs, 106 * S, 5006 * S);
	es_jobs_read_time(node->jobs);
	assert_int_equal(job->n_cgroups, 1);
	assert_int_equal(job->cpu_ns[0], 100);
	assert_int_equal(job->cpu_ns[1], 7);
	assert_int_equal(es_jobs_find(node->jobs, "13")->cpu_ns[0], 30);

	/* A step's end takes the counter away and leaves the freezer; the next one has a counter of its own. */
	remove_group(node, ACCT, "/slurm/uid_5/job_12");
	scan(node, 110);
	es_jobs_read_time(node->jobs);
	assert_int_equal(job->cpu_ns[0], 100);
	put(node, ACCT "/in/the/number/of/the/last/one", "");
	put_usage(node, "/slurm/uid_5/job_12", 20, 0, 0, 0);
	scan(node, 115);
	es_jobs_read_time(node->jobs);
	assert_int_equal(job->cpu_ns[0], 120);
	assert_int_equal(job->cpu_ns[1], 7);
}

static void a_cgroup_that_comes_after_its_job_is_found(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("12", 5);
	struct es_job *job;

	(void)snprintf(told.cgroup, sizeof(told.cgroup), "/site/job_12");
	assert_int_equal(begin(node, &told, 0, 101), 0);
	job = es_jobs_find(node->jobs, "12");
	es_jobs_seek(node->jobs, 102 * S, 5002 * S);
	assert_int_equal(job->n_cgroups, 0);
	put_usage(node, "/site/job_12", 40, 0, 0, 0);
	es_jobs_seek(node->jobs, 103 * S, 5003 * S);
	es_jobs_read_time(node->jobs);
	assert_int_equal(job->n_cgroups, 1);
	assert_int_equal(job->cpu_ns[0], 40);
}

static void the_element_of_an_array_that_lsf_tells_of_has_its_cgroup(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("5[3]", 5);
	const struct es_job *job;

	(void)snprintf(told.scheduler, sizeof(told.scheduler), "lsf");
	assert_int_equal(begin(node, &told, 0, 101), 0);
	put_usage(node, "/lsf/c1/job.5[3].77.1700000000", 60, 0, 0, 0);
	put_usage(node, "/lsf/c1/job.5[4].78.1700000000", 70, 0, 0, 0);
	scan(node, 105);
	job = es_jobs_find(node->jobs, "5[3]");
	assert_int_equal(job->n_cgroups, 1);
	assert_string_equal(job->cgroups[0], "/lsf/c1/job.5[3].77.1700000000");
	assert_int_equal(job->cpu_ns[0], 60);
	assert_non_null(es_jobs_find(node->jobs, "5[4]"));
	assert_null(es_jobs_find(node->jobs, "5"));
}

/* v2's sum and v1's counters tell of the same time, whichever comes first. */
static void no_time_is_counted_twice(void **state)
{
	struct node *node = *state;

	put(node, UNIFIED "/system.slice/slurmstepd.scope/job_12/cpu.stat", "usage_usec 0\n");
	put_usage(node, "/slurm/uid_5/job_13", 0, 0, 0, 0);
	scan(node, 105);
	put(node, UNIFIED "/system.slice/slurmstepd.scope/job_12/cpu.stat", "usage_usec 1000\n");
	put_usage(node, "/slurm/uid_5/job_13", 500000, 0, 500000, 0);
	es_jobs_read_time(node->jobs);
	put_usage(node, "/slurm/uid_5/job_12", 500000, 0, 500000, 0);
	put(node, UNIFIED "/system.slice/slurmstepd.scope/job_13/cpu.stat", "usage_usec 1000\n");
	scan(node, 110);
	es_jobs_read_time(node->jobs);
	for (int i = 12; i <= 13; i++) {
		char id[8];
		const struct es_job *job;

		(void)snprintf(id, sizeof(id), "%d", i);
		job = es_jobs_find(node->jobs, id);
		assert_int_equal(job->n_cgroups, 2);
		assert_int_equal(job->cpu_ns[0], 500000);
		assert_int_equal(job->cpu_ns[1], 500000);
	}
	put_usage(node, "/slurm/uid_5/job_12", 500000, 10, 500000, 0);
	es_jobs_read_time(node->jobs);
	assert_int_equal(es_jobs_find(node->jobs, "12")->cpu_ns[0], 500010);
}

/* Both kinds of counters tell of the same time: neither a restart nor the end of one of them counts it again. */
static void no_time_is_counted_again_after_a_kill(void **state)
{
	struct node *node = *state;

	put(node, UNIFIED "/system.slice/slurmstepd.scope/job_12/cpu.stat", "usage_usec 0\n");
	scan(node, 105);
	put_usage(node, "/slurm/uid_5/job_12", 0, 0, 0, 0);
	scan(node, 110);
	assert_int_equal(es_jobs_find(node->jobs, "12")->n_cgroups, 2);
	put(node, UNIFIED "/system.slice/slurmstepd.scope/job_12/cpu.stat", "usage_usec 1000\n");
	put_usage(node, "/slurm/uid_5/job_12", 500000, 0, 500000, 0);
	es_jobs_read_time(node->jobs);
	assert_int_equal(es_jobs_find(node->jobs, "12")->cpu_ns[0], 500000);
	kill_it(node);
	start(node, "boot-1");
	assert_int_equal(es_jobs_find(node->jobs, "12")->n_cgroups, 2);
	es_jobs_read_time(node->jobs);
	assert_int_equal(es_jobs_find(node->jobs, "12")->cpu_ns[0], 500000);
	put(node, UNIFIED "/system.slice/slurmstepd.scope/job_12/cpu.stat", "usage_usec 3000\n");
	put_usage(node, "/slurm/uid_5/job_12", 1500000, 0, 1500000, 0);
	es_jobs_read_time(node->jobs);
	remove_group(node, ACCT, "/slurm/uid_5/job_12");
	scan(node, 115);
	es_jobs_read_time(node->jobs);
	assert_int_equal(es_jobs_find(node->jobs, "12")->n_cgroups, 1);
	assert_int_equal(es_jobs_find(node->jobs, "12")->cpu_ns[0], 1500000);
	put(node, UNIFIED "/system.slice/slurmstepd.scope/job_12/cpu.stat", "usage_usec 3002\n");
	es_jobs_read_time(node->jobs);
	assert_int_equal(es_jobs_find(node->jobs, "12")->cpu_ns[0], 1501000);
}

static void an_ended_jobs_folder_is_no_new_job(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("12", 5);

	put_usage(node, "/slurm/uid_5/job_12", 100, 0, 0, 0);
	scan(node, 101);
	assert_int_equal(end(node, "12", 0, 102), 0);
	scan(node, 103);
	assert_null(es_jobs_find(node->jobs, "12"));
	/* Neither after a restart. */
	kill_it(node);
	start(node, "boot-1");
	scan(node, 104);
	assert_null(es_jobs_find(node->jobs, "12"));
	/* Requeued: the same path, told of; then found where another folder has it. */
	assert_int_equal(begin(node, &told, 0, 105), 0);
	assert_int_equal(end(node, "12", 0, 106), 0);
	remove_group(node, ACCT, "/slurm/uid_5/job_12");
	scan(node, 107);
	put_usage(node, "/slurm/uid_5/job_12/x", 100, 0, 0, 0);
	put_usage(node, "/slurm/uid_5/job_12", 100, 0, 0, 0);
	scan(node, 108);
	assert_non_null(es_jobs_find(node->jobs, "12"));
}

static void a_renamed_cgroup_is_found_again(void **state)
{
	struct node *node = *state;
	char from[256], to[256];
	struct es_job *job;

	put_usage(node, "/slurm/uid_5/job_12", 100, 0, 0, 0);
	scan(node, 101);
	job = es_jobs_find(node->jobs, "12");
	(void)snprintf(from, sizeof(from), "%s/" ACCT "/slurm/uid_5/job_12", node->dir);
	(void)snprintf(to, sizeof(to), "%s/" ACCT "/slurm/uid_5/old", node->dir);
	assert_int_equal(rename(from, to), 0);
	scan(node, 102);
	assert_ptr_equal(es_jobs_find(node->jobs, "12"), job);
	assert_string_equal(job->cgroups[0], "/slurm/uid_5/old");
	put_usage(node, "/slurm/uid_5/old", 300, 0, 0, 0);
	es_jobs_read_time(node->jobs);
	assert_int_equal(job->cpu_ns[0], 200);
}

static void only_the_own_slurmds_jobs_are_found(void **state)
{
	struct node *node = *state;
	struct es_jobs_options options = { .root = &node->root, .node_name = "n1" };
	struct es_jobs *jobs;

	put_usage(node, "/slurm_n1/uid_5/job_1", 0, 0, 0, 0);
	put_usage(node, "/slurm_n2/uid_5/job_2", 0, 0, 0, 0);
	assert_int_equal(es_jobs_create(&options, S, S, &jobs, NULL), 0);
	assert_int_equal(es_jobs_scan(jobs, 2 * S, 2 * S), 0);
	assert_non_null(es_jobs_find(jobs, "1"));
	assert_null(es_jobs_find(jobs, "2"));
	es_jobs_destroy(jobs);
}

static void no_cgroup_is_two_jobs(void **state)
{
	struct node *node = *state;
	struct es_local_job one = job_of("one", -1), two = job_of("two", -1);

	put_usage(node, "/a/b", 0, 0, 0, 0);
	put_usage(node, "/a/bc", 0, 0, 0, 0);
	(void)snprintf(one.cgroup, sizeof(one.cgroup), "/a/b");
	(void)snprintf(two.cgroup, sizeof(two.cgroup), "/a");
	assert_int_equal(begin(node, &one, 0, 101), 0);
	assert_int_equal(begin(node, &two, 0, 102), 0);
	assert_non_null(strstr(node->err.text, "one"));
	assert_int_equal(node->err.code, 0);
	assert_int_equal(es_jobs_find(node->jobs, "two")->n_cgroups, 0);
	(void)snprintf(two.cgroup, sizeof(two.cgroup), "/a/bc");
	assert_int_equal(begin(node, &two, 0, 103), 1);
	assert_int_equal(es_jobs_find(node->jobs, "two")->n_cgroups, 1);
}

static void a_process_is_its_cgroups(void **state)
{
	struct node *node = *state;

	put_usage(node, "/slurm/uid_5/job_1", 0, 0, 0, 0);
	put_usage(node, "/slurm/uid_5/job_12", 0, 0, 0, 0);
	scan(node, 101);
	put(node, "proc/7/cgroup",
	    "5:cpuacct:/slurm/uid_5/job_12/step_0\n1:name=systemd:/\n0::/x\n");
	put(node, "proc/8/cgroup", "5:cpuacct:/slurm/uid_5\n0::/\n");
	put(node, "proc/9/cgroup", "0::/../../slurm/uid_5/job_1/step_0\n");
	put(node, "proc/10/cgroup", "0::/../job_1\n");
	put(node, "proc/11/cgroup", "0::/../slurm/uid_6/job_1\n");
	put(node, "proc/12/cgroup", "0::/..\n");
	assert_string_equal(es_jobs_of_pid(node->jobs, 7)->about.id, "12");
	assert_null(es_jobs_of_pid(node->jobs, 8));
	assert_string_equal(es_jobs_of_pid(node->jobs, 9)->about.id, "1");
	assert_string_equal(es_jobs_of_pid(node->jobs, 10)->about.id, "1");
	assert_null(es_jobs_of_pid(node->jobs, 11));
	assert_null(es_jobs_of_pid(node->jobs, 12));
	assert_null(es_jobs_of_pid(node->jobs, 0));
	assert_null(es_jobs_of_pid(node->jobs, -1));
	assert_null(es_jobs_of_pid(node->jobs, 4711));
}

static void a_process_may_stand_for_its_cgroup(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("script", -1);

	put_usage(node, "/oar/u_1", 5, 0, 0, 0);
	put(node, "proc/7/cgroup", "5:cpuacct:/oar/u_1\n0::/x\n");
	put(node, "proc/8/cgroup", "5:cpuacct:/\n0::/\n");
	told.pid = 7;
	assert_int_equal(begin(node, &told, 0, 101), 0);
	assert_string_equal(es_jobs_find(node->jobs, "script")->cgroups[0], "/oar/u_1");
	told = job_of("other", -1);
	told.pid = 8;
	assert_int_equal(begin(node, &told, 0, 101), 0);
	assert_non_null(strstr(node->err.text, "no cgroup of its own"));
}

static void after_a_kill_it_goes_on(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("12", 5);
	struct es_job *job;
	uint64_t serial;

	put_usage(node, "/slurm/uid_5/job_12", 100, 0, 0, 0);
	(void)snprintf(told.cgroup, sizeof(told.cgroup), "/slurm/uid_5/job_12");
	assert_int_equal(begin(node, &told, 0, 101), 0);
	(void)snprintf(told.step, sizeof(told.step), "0");
	assert_int_equal(begin(node, &told, 0, 102), 0);
	assert_int_equal(begin(node, &(struct es_local_job){ .id = "gone" }, 0, 102), 0);
	assert_int_equal(end(node, "gone", 0, 103), 0);
	put_usage(node, "/slurm/uid_5/job_12", 150, 0, 0, 0);
	es_jobs_read_time(node->jobs);
	serial = es_jobs_find(node->jobs, "12")->serial;
	(void)heard(node);
	kill_it(node);

	put_usage(node, "/slurm/uid_5/job_12", 400, 0, 7, 0);
	start(node, "boot-1");

	assert_string_equal(heard(node), "begun:12@101");
	job = es_jobs_find(node->jobs, "12");
	assert_non_null(job);
	assert_null(es_jobs_find(node->jobs, "gone"));
	assert_int_equal(job->serial, serial);
	assert_int_equal(job->about.uid, 5);
	assert_int_equal(job->start_unix_ns, 5001 * S);
	es_jobs_read_time(node->jobs);
	assert_int_equal(job->cpu_ns[0], 300);
	assert_int_equal(job->cpu_ns[1], 7);
	/* The step is still open, and the next serial is none that was used. */
	assert_int_equal(begin(node, &told, 0, 110), 1);
	assert_int_equal(begin(node, &(struct es_local_job){ .id = "new" }, 0, 111), 0);
	assert_true(es_jobs_find(node->jobs, "new")->serial > serial + 1);
}

static void jobs_of_another_boot_are_over(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("12", 5);

	assert_int_equal(begin(node, &told, 0, 101), 0);
	(void)heard(node);
	kill_it(node);
	start(node, "boot-2");
	assert_string_equal(heard(node), "ended:12@0");
	assert_null(es_jobs_at(node->jobs, 0));
	kill_it(node);
	start(node, "boot-2");
	assert_string_equal(heard(node), "");
}

static void the_journal_stays_small(void **state)
{
	struct node *node = *state;
	struct es_local_job told = job_of("12", 5);
	struct stat st;

	assert_int_equal(begin(node, &told, 0, 101), 0);
	for (int i = 0; i < 20000; i++) {
		struct es_local_job other = job_of("short", -1);

		assert_int_equal(begin(node, &other, 0, 102), 0);
		assert_int_equal(end(node, "short", 0, 103), 0);
		node->told[0] = '\0';
	}
	assert_int_equal(stat(node->journal, &st), 0);
	assert_true(st.st_size < 2 << 20);
	kill_it(node);
	start(node, "boot-1");
	assert_string_equal(heard(node), "begun:12@101");
	assert_null(es_jobs_problem(node->jobs));
}

static void there_is_an_end_to_how_many(void **state)
{
	struct node *node = *state;
	struct es_local_job told;

	for (unsigned i = 0; i < ES_JOBS_MAX; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "%u", i);
		told = job_of(id, -1);
		assert_int_equal(begin(node, &told, 0, 101), 0);
		node->told[0] = '\0';
	}
	told = job_of("more", -1);
	assert_int_equal(begin(node, &told, 0, 102), -E2BIG);
	assert_int_equal(end(node, "77", 0, 103), 0);
	assert_int_equal(begin(node, &told, 0, 104), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_job_is_begun_added_to_and_ended),
		TEST(times_told_lie_between_begin_and_now),
		TEST(users_begin_and_end_their_own),
		TEST(users_claim_nothing_that_is_roots_to_give),
		TEST(no_users_word_makes_a_node_its_own),
		TEST(users_leave_room_for_others),
		TEST(ids_that_are_none_are_refused_with_words),
		TEST(a_forged_id_gives_way_to_the_schedulers_job),
		TEST(no_time_is_counted_again_after_a_kill),
		TEST(who_guesses_its_own_next_number_gains_nothing),
		TEST(a_cgroup_of_a_user_is_no_word_of_roots),
		TEST(a_step_of_slurm_is_no_users_job),
		TEST(a_jobs_number_is_not_a_containers),
		TEST(a_requeued_job_is_another_one),
		TEST(an_exclusive_job_shows_that_an_end_was_missed),
		TEST(cpu_time_is_counted_per_package_from_the_begin_on),
		TEST(the_sum_of_v2_is_shared_out_by_cpus),
		TEST(a_missed_begin_is_found),
		TEST(a_job_is_over_with_its_script),
		TEST(a_missed_end_is_found_and_a_new_folder_is_the_same_job),
		TEST(a_counter_that_comes_later_is_found),
		TEST(a_cgroup_that_comes_after_its_job_is_found),
		TEST(the_element_of_an_array_that_lsf_tells_of_has_its_cgroup),
		TEST(no_time_is_counted_twice),
		TEST(an_ended_jobs_folder_is_no_new_job),
		TEST(a_renamed_cgroup_is_found_again),
		TEST(only_the_own_slurmds_jobs_are_found),
		TEST(no_cgroup_is_two_jobs),
		TEST(a_process_is_its_cgroups),
		TEST(a_process_may_stand_for_its_cgroup),
		TEST(after_a_kill_it_goes_on),
		TEST(jobs_of_another_boot_are_over),
		TEST(the_journal_stays_small),
		TEST(there_is_an_end_to_how_many),
	};

	return cmocka_run_group_tests_name("daemon/jobs", tests, NULL, NULL);
}
