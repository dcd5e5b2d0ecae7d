/*
 * test_slurm_about.c - unit tests for slurm/about.c
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "slurm/about.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "support/test.h"

/* An environment: NAME=VALUE …, NULL. */
static int get(void *arg, const char *name, char *ret, size_t size)
{
	for (const char *const *entry = arg; *entry; entry++) {
		const size_t n = strlen(name);

		if (strncmp(*entry, name, n) != 0 || (*entry)[n] != '=')
			continue;
		if (strlen(*entry + n + 1) >= size)
			return -ENAMETOOLONG;
		memcpy(ret, *entry + n + 1, strlen(*entry + n + 1) + 1);
		return 0;
	}
	return -ENOENT;
}

static void a_prolog_is_believed(void **state)
{
	static const char *const environment[] = {
		"SLURM_JOB_NUM_NODES=2",     "SLURM_NODELIST=n[1-2]",
		"SLURM_CLUSTER_NAME=loop",   "SLURM_JOB_ACCOUNT=eng-1",
		"SLURM_JOB_PARTITION=main",  "SLURM_JOB_GPUS=0,3",
		"SLURM_JOB_RESTART_COUNT=2", NULL
	};
	struct es_local_job job = { .n_cpus = 0 };

	(void)state;
	es_slurm_about_job(get, (void *)environment, true, &job);

	assert_int_equal(job.n_nodes, 2);
	assert_string_equal(job.nodes, "n[1-2]");
	assert_string_equal(job.cluster, "loop");
	assert_string_equal(job.account, "eng-1");
	assert_string_equal(job.partition, "main");
	assert_true(job.has_gpus);
	assert_string_equal(job.gpus, "0,3");
	assert_int_equal(job.restarts, 2);
}

static void a_users_environment_is_no_claim_on_gpus(void **state)
{
	static const char *const environment[] = {
		"SLURM_JOB_GPUS=0,1,2,3",  "SLURM_JOB_RESTART_COUNT=7",
		"SLURM_JOB_NAME=x\x1b[2J", "SLURM_JOB_ACCOUNT=a b",
		"SLURM_JOB_NUM_NODES=-1",  "SLURM_JOB_NODELIST=n7",
		"SLURM_NODELIST=n8",	   NULL
	};
	struct es_local_job job = { .n_cpus = 0 };

	(void)state;
	es_slurm_about_job(get, (void *)environment, false, &job);

	assert_false(job.has_gpus);
	assert_string_equal(job.gpus, "");
	assert_int_equal(job.restarts, 0);
	assert_string_equal(job.name, "");
	assert_string_equal(job.account, "");
	assert_int_equal(job.n_nodes, 0);
	assert_string_equal(job.nodes, "n7");
}

static void cpus_are_those_of_the_node(void **state)
{
	static const struct {
		const char *list;
		uint32_t index, cpus;
	} cases[] = {
		{ "4", 0, 4 },
		{ "4", 1, 0 },
		{ "4(x2),8", 0, 4 },
		{ "4(x2),8", 1, 4 },
		{ "4(x2),8", 2, 8 },
		{ "4(x2),8", 3, 0 },
		{ "", 0, 0 },
		{ "x", 0, 0 },
		{ "4(x2", 0, 0 },
		{ "4(y2)", 0, 0 },
		{ "-4", 0, 0 },
		{ "4;8", 1, 0 },
		{ "1(x99999999),2", 0, 1 },
		{ "4,,8", 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(cases); i++)
		assert_int_equal(es_slurm_cpus_at(cases[i].list, cases[i].index), cases[i].cpus);
}

static void a_cgroup_is_the_jobs(void **state)
{
	static const struct {
		const char *text;
		uint32_t job;
		const char *cgroup; /* NULL: none */
	} cases[] = {
		{ "6:freezer:/slurm_n1/uid_5/job_1\n", 1, "/slurm_n1/uid_5/job_1" },
		{ "2:cpu:/\n6:freezer:/slurm/uid_5/job_1/step_0/task_0\n", 1,
		  "/slurm/uid_5/job_1" },
		{ "0::/system.slice/slurmstepd.scope/job_71/step_batch/slurm\n", 71,
		  "/system.slice/slurmstepd.scope/job_71" },
		{ "6:freezer:/slurm/uid_5/job_71\n", 7, NULL },
		{ "6:freezer:/slurm/uid_5/job_71/x\n4:memory:/slurm/uid_5/job_7\n", 7,
		  "/slurm/uid_5/job_7" },
		{ "6:freezer:/job_71/job_7", 7, "/job_71/job_7" },
		{ "0::/\n", 7, NULL },
		{ "", 7, NULL },
		{ "nonsense", 7, NULL },
	};
	char cgroup[64];

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(cases); i++) {
		int r = es_slurm_cgroup_of(cases[i].text, cases[i].job, cgroup, sizeof(cgroup));

		assert_int_equal(r, cases[i].cgroup ? 0 : -ENOENT);
		if (cases[i].cgroup)
			assert_string_equal(cgroup, cases[i].cgroup);
	}
	assert_int_equal(es_slurm_cgroup_of(cases[2].text, 71, cgroup, 10), -ENOENT);
}

static void steps_have_slurms_names(void **state)
{
	char name[16];

	(void)state;
	es_slurm_step_name(0, name, sizeof(name));
	assert_string_equal(name, "0");
	es_slurm_step_name(0xfffffffbU, name, sizeof(name));
	assert_string_equal(name, "batch");
	es_slurm_step_name(0xfffffffcU, name, sizeof(name));
	assert_string_equal(name, "extern");
}

static void parts_are_all_or_none(void **state)
{
	static const char *const two[] = { "SLURM_HET_SIZE=2", "SLURM_JOB_ID_HET_GROUP_0=10",
					   "SLURM_JOB_ID_HET_GROUP_1=11", NULL };
	static const char *const torn[] = { "SLURM_HET_SIZE=2", "SLURM_JOB_ID_HET_GROUP_0=10",
					    NULL };
	static const char *const many[] = { "SLURM_HET_SIZE=4000000000", NULL };
	uint32_t jobs[2];

	(void)state;
	assert_int_equal(es_slurm_parts_of(get, (void *)two, jobs, 2), 2);
	assert_int_equal(jobs[1], 11);
	assert_int_equal(es_slurm_parts_of(get, (void *)two, jobs, 1), 0);
	assert_int_equal(es_slurm_parts_of(get, (void *)torn, jobs, 2), 0);
	assert_int_equal(es_slurm_parts_of(get, (void *)many, jobs, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prolog_is_believed),
		cmocka_unit_test(a_users_environment_is_no_claim_on_gpus),
		cmocka_unit_test(cpus_are_those_of_the_node),
		cmocka_unit_test(a_cgroup_is_the_jobs),
		cmocka_unit_test(steps_have_slurms_names),
		cmocka_unit_test(parts_are_all_or_none),
	};

	return cmocka_run_group_tests_name("slurm/about", tests, NULL, NULL);
}
