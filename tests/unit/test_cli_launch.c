/*
 * test_cli_launch.c - who launched us, by the environments that launchers give
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/launch.h"

static struct es_launch find(const char *const *env)
{
	struct es_launch launch;

	es_launch_find((char *const *)(uintptr_t)env, &launch);
	return launch;
}

static void a_plain_process_was_launched_by_nobody(void **state)
{
	static const char *const env[] = { "PATH=/bin", "OMPI_COMM_WORLD_RANK=", "PMI_RANK=x",
					   "SLURM_PROCID=0", NULL };

	(void)state;
	assert_null(find(env).launcher);
	es_launch_find(NULL, &(struct es_launch){ .rank = 0 });
}

/* As mpirun of Open MPI 4.1.4 sets them. */
static void open_mpi_tells_rank_size_node_and_id(void **state)
{
	static const char *const env[] = { "OMPI_COMM_WORLD_RANK=5",
					   "OMPI_COMM_WORLD_SIZE=64",
					   "OMPI_COMM_WORLD_LOCAL_RANK=1",
					   "OMPI_COMM_WORLD_LOCAL_SIZE=32",
					   "OMPI_MCA_orte_num_nodes=2",
					   "PMIX_NAMESPACE=420216833",
					   "PMIX_RANK=5",
					   NULL };
	struct es_launch launch = find(env);

	(void)state;
	assert_string_equal(launch.launcher, "Open MPI");
	assert_int_equal(launch.rank, 5);
	assert_int_equal(launch.ranks, 64);
	assert_int_equal(launch.local_rank, 1);
	assert_int_equal(launch.local_ranks, 32);
	assert_int_equal(launch.nodes, 2);
	assert_string_equal(launch.id, "420216833");
	assert_false(launch.is_slurm_step);
}

static void mpirun_inside_of_srun_is_mpirun(void **state)
{
	static const char *const env[] = { "SLURM_JOB_ID=7",	      "SLURM_STEP_ID=0",
					   "SLURM_PROCID=1",	      "OMPI_COMM_WORLD_RANK=9",
					   "OMPI_COMM_WORLD_SIZE=16", NULL };

	(void)state;
	assert_string_equal(find(env).launcher, "Open MPI");
	assert_int_equal(find(env).rank, 9);
}

static void all_ranks_here_means_one_node(void **state)
{
	static const char *const env[] = { "PMI_RANK=1", "PMI_SIZE=4", "MPI_LOCALRANKID=1",
					   "MPI_LOCALNRANKS=4", NULL };

	(void)state;
	assert_string_equal(find(env).launcher, "Hydra");
	assert_int_equal(find(env).nodes, 1);
	assert_int_equal(find(env).local_ranks, 4);
	assert_string_equal(find(env).id, "");
}

static void a_step_of_slurm_tells_tasks_by_node(void **state)
{
	static const struct {
		const char *list, *node;
		int64_t tasks;
	} vectors[] = {
		{ "SLURM_STEP_TASKS_PER_NODE=2(x3),1", "SLURM_NODEID=0", 2 },
		{ "SLURM_STEP_TASKS_PER_NODE=2(x3),1", "SLURM_NODEID=2", 2 },
		{ "SLURM_STEP_TASKS_PER_NODE=2(x3),1", "SLURM_NODEID=3", 1 },
		{ "SLURM_STEP_TASKS_PER_NODE=2(x3),1", "SLURM_NODEID=4", -1 },
		{ "SLURM_STEP_TASKS_PER_NODE=16", "SLURM_NODEID=0", 16 },
		{ "SLURM_STEP_TASKS_PER_NODE=16,4", "SLURM_NODEID=1", 4 },
		{ "SLURM_STEP_TASKS_PER_NODE=", "SLURM_NODEID=0", -1 },
		{ "SLURM_STEP_TASKS_PER_NODE=2(x", "SLURM_NODEID=0", -1 },
		{ "SLURM_STEP_TASKS_PER_NODE=2(x0)", "SLURM_NODEID=0", -1 },
		{ "SLURM_STEP_TASKS_PER_NODE=many", "SLURM_NODEID=0", -1 },
		{ "SLURM_STEP_TASKS_PER_NODE=2;3", "SLURM_NODEID=1", -1 },
		{ "SLURM_STEP_TASKS_PER_NODE=2(x3),1", "SLURM_NODEID=", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const char *const env[] = {
			"SLURM_JOB_ID=10166268", "SLURM_STEP_ID=3",	   "SLURM_PROCID=2",
			"SLURM_LOCALID=0",	 "SLURM_STEP_NUM_TASKS=7", "SLURM_STEP_NUM_NODES=4",
			vectors[i].list,	 vectors[i].node,	   NULL
		};
		struct es_launch launch = find(env);

		assert_string_equal(launch.launcher, "Slurm");
		assert_true(launch.is_slurm_step);
		assert_string_equal(launch.id, "10166268.3");
		assert_int_equal(launch.nodes, 4);
		assert_int_equal(launch.local_ranks, vectors[i].tasks);
	}
}

/* slurm.h: 4294967291 is the batch script, ...290 an interactive shell. */
static void a_batch_script_is_not_launched(void **state)
{
	static const char *const steps[] = { "SLURM_STEP_ID=4294967291", "SLURM_STEP_ID=4294967290",
					     "SLURM_STEP_ID=", "SLURM_STEP_ID=-1", "OTHER=1" };

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const char *const env[] = { "SLURM_JOB_ID=7", "SLURM_PROCID=0", steps[i], NULL };

		assert_null(find(env).launcher);
	}
}

static void pmi_of_srun_is_srun(void **state)
{
	static const char *const env[] = { "SLURM_JOB_ID=7", "SLURM_STEP_ID=0", "SLURM_PROCID=3",
					   "PMI_RANK=3",     "PMIX_RANK=3",	NULL };

	(void)state;
	assert_string_equal(find(env).launcher, "Slurm");
}

static void a_single_rank_is_alone_on_its_node(void **state)
{
	static const char *const env[] = { "PMIX_RANK=0", "PMIX_NAMESPACE=ns/1", NULL };
	static const char *const one[] = { "PMI_RANK=0", "PMI_SIZE=1", NULL };

	(void)state;
	assert_string_equal(find(env).launcher, "PMIx");
	assert_int_equal(find(env).local_ranks, -1);
	assert_int_equal(find(env).nodes, -1);
	assert_int_equal(find(one).local_ranks, 1);
}

static void an_id_that_is_too_long_is_none(void **state)
{
	char id[ES_NAME_MAX_BYTES + 20] = "PMIX_NAMESPACE=";
	const char *const env[] = { "PMIX_RANK=0", id, NULL };

	(void)state;
	memset(id + strlen(id), 'x', sizeof(id) - strlen(id) - 1);
	id[sizeof(id) - 1] = '\0';
	assert_string_equal(find(env).id, "");
}

static void numbers_that_are_none_are_not_known(void **state)
{
	static const char *const env[] = { "OMPI_COMM_WORLD_RANK=5",
					   "OMPI_COMM_WORLD_SIZE=99999999999",
					   "OMPI_COMM_WORLD_LOCAL_RANK=-1",
					   "OMPI_COMM_WORLD_LOCAL_SIZE= 4", NULL };

	(void)state;
	assert_int_equal(find(env).ranks, -1);
	assert_int_equal(find(env).local_rank, -1);
	assert_int_equal(find(env).local_ranks, -1);
	assert_int_equal(find(env).nodes, -1);
}

static void a_process_that_has_ended_has_no_start(void **state)
{
	pid_t parent = 0, pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_true(pid > 0);
	while (es_process_start_ticks(pid, NULL) != 0) /* until it is a zombie */
		(void)usleep(1000);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(es_process_start_ticks(pid, NULL), 0);
	assert_true(es_process_start_ticks(getpid(), &parent) > 0);
	assert_int_equal(parent, getppid());
}

static void the_launcher_is_the_nearest_ancestor_without_our_rank(void **state)
{
	struct es_launch launch = { .launcher = "PMI", .rank_variable = "ES_TEST_RANK", .rank = 3 };
	uint64_t start = 0;

	(void)state;
	assert_int_equal(es_launch_parent(&launch, &start), getppid());
	assert_true(start > 0);
	assert_true(es_launch_cpus(&launch) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_process_was_launched_by_nobody),
		cmocka_unit_test(open_mpi_tells_rank_size_node_and_id),
		cmocka_unit_test(mpirun_inside_of_srun_is_mpirun),
		cmocka_unit_test(all_ranks_here_means_one_node),
		cmocka_unit_test(a_step_of_slurm_tells_tasks_by_node),
		cmocka_unit_test(a_batch_script_is_not_launched),
		cmocka_unit_test(pmi_of_srun_is_srun),
		cmocka_unit_test(a_single_rank_is_alone_on_its_node),
		cmocka_unit_test(an_id_that_is_too_long_is_none),
		cmocka_unit_test(numbers_that_are_none_are_not_known),
		cmocka_unit_test(a_process_that_has_ended_has_no_start),
		cmocka_unit_test(the_launcher_is_the_nearest_ancestor_without_our_rank),
	};

	return cmocka_run_group_tests_name("cli/launch", tests, NULL, NULL);
}
