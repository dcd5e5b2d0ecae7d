/*
 * launch.c - which parallel launcher started this process, by its environment
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/launch.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "sys/process.h"

/* Above SLURM_MAX_NORMAL_STEP_ID (slurm.h) are Slurm's own steps: batch script, interactive shell. */
#define SLURM_NORMAL_STEP_MAX 0xfffffff0U
#define ANCESTORS_MAX 64
#define ENVIRON_MAX_BYTES (1U << 20)

/** struct dialect - the variables of one launcher; NULL: it has none */
struct dialect {
	const char *launcher, *rank, *ranks, *local_rank, *local_ranks, *nodes, *id;
	const char *needs; /* must be set, too */
};

/*
 * From the innermost to the outermost: Hydra (MPICH, Intel MPI) and Open MPI start their daemons by srun, so that
 * their ranks have Slurm's variables as well, those of the daemon. srun --mpi=pmi2 and pmix set PMI_RANK and
 * PMIX_RANK beside its own.
 */
static const struct dialect dialects[] = {
	{ .launcher = "Open MPI",
	  .rank = "OMPI_COMM_WORLD_RANK",
	  .ranks = "OMPI_COMM_WORLD_SIZE",
	  .local_rank = "OMPI_COMM_WORLD_LOCAL_RANK",
	  .local_ranks = "OMPI_COMM_WORLD_LOCAL_SIZE",
	  .nodes = "OMPI_MCA_orte_num_nodes",
	  .id = "PMIX_NAMESPACE" },
	{ .launcher = "PALS",
	  .rank = "PALS_RANKID",
	  .local_rank = "PALS_LOCAL_RANKID",
	  .ranks = "PMI_SIZE",
	  .local_ranks = "PMI_LOCAL_SIZE",
	  .id = "PALS_APID" },
	{ .launcher = "MVAPICH",
	  .rank = "MV2_COMM_WORLD_RANK",
	  .ranks = "MV2_COMM_WORLD_SIZE",
	  .local_rank = "MV2_COMM_WORLD_LOCAL_RANK",
	  .local_ranks = "MV2_COMM_WORLD_LOCAL_SIZE" },
	{ .launcher = "Hydra",
	  .rank = "PMI_RANK",
	  .ranks = "PMI_SIZE",
	  .local_rank = "MPI_LOCALRANKID",
	  .local_ranks = "MPI_LOCALNRANKS",
	  .needs = "MPI_LOCALRANKID" },
	{ .launcher = "Flux",
	  .rank = "FLUX_TASK_RANK",
	  .ranks = "FLUX_JOB_SIZE",
	  .local_rank = "FLUX_TASK_LOCAL_ID",
	  .nodes = "FLUX_JOB_NNODES",
	  .id = "FLUX_JOB_ID" },
	{ .launcher = "Slurm",
	  .rank = "SLURM_PROCID",
	  .ranks = "SLURM_STEP_NUM_TASKS",
	  .local_rank = "SLURM_LOCALID",
	  .nodes = "SLURM_STEP_NUM_NODES",
	  .needs = "SLURM_STEP_ID" },
	{ .launcher = "PMIx", .rank = "PMIX_RANK", .id = "PMIX_NAMESPACE" },
	{ .launcher = "PMI", .rank = "PMI_RANK", .ranks = "PMI_SIZE" },
};

static const char *value_of(char *const *env, const char *name)
{
	size_t n = name ? strlen(name) : 0;

	for (size_t i = 0; n && env && env[i]; i++)
		if (strncmp(env[i], name, n) == 0 && env[i][n] == '=' && env[i][n + 1] != '\0')
			return env[i] + n + 1;
	return NULL;
}

static int64_t number_of(char *const *env, const char *name)
{
	const char *text = value_of(env, name);
	uint64_t number;

	return text && es_parse_u64(text, &number) == 0 && number <= INT32_MAX ? (int64_t)number
									       : -1;
}

/* Tasks on node @node in a list such as "2(x3),1": two on each of three nodes, one on the fourth; -1: not said. */
static int64_t tasks_on_node(const char *list, int64_t node)
{
	while (list && *list && node >= 0) {
		char *end;
		unsigned long tasks = strtoul(list, &end, 10), repeats = 1;

		if (end == list || tasks > INT32_MAX)
			return -1;
		if (end[0] == '(' && end[1] == 'x') {
			list = end + 2;
			repeats = strtoul(list, &end, 10);
			if (end == list || *end != ')' || repeats > INT32_MAX)
				return -1;
			end++;
		}
		if (node < (int64_t)repeats)
			return (int64_t)tasks;
		node -= (int64_t)repeats;
		if (*end != ',')
			return -1;
		list = end + 1;
	}
	return -1;
}

static bool is_normal_step(char *const *env)
{
	uint64_t step;
	const char *text = value_of(env, "SLURM_STEP_ID");

	return text && value_of(env, "SLURM_JOB_ID") && es_parse_u64(text, &step) == 0 &&
	       step <= SLURM_NORMAL_STEP_MAX;
}

static void complete_slurm(char *const *env, struct es_launch *launch)
{
	const char *tasks = value_of(env, "SLURM_STEP_TASKS_PER_NODE");

	launch->is_slurm_step = true;
	launch->node = number_of(env, "SLURM_NODEID");
	launch->local_ranks = tasks_on_node(tasks, launch->node);
	if (snprintf(launch->id, sizeof(launch->id), "%s.%s", value_of(env, "SLURM_JOB_ID"),
		     value_of(env, "SLURM_STEP_ID")) >= (int)sizeof(launch->id))
		launch->id[0] = '\0';
}

void es_launch_find(char *const *env, struct es_launch *ret)
{
	struct es_launch launch = { .launcher = NULL };

	for (size_t i = 0; i < ES_ARRAY_SIZE(dialects) && !launch.launcher; i++) {
		const struct dialect *dialect = &dialects[i];
		bool is_slurm = strcmp(dialect->launcher, "Slurm") == 0;
		const char *id = value_of(env, dialect->id);

		if (number_of(env, dialect->rank) < 0 ||
		    (dialect->needs && !value_of(env, dialect->needs)) ||
		    (is_slurm && !is_normal_step(env)))
			continue;
		launch = (struct es_launch){
			.launcher = dialect->launcher,
			.rank_variable = dialect->rank,
			.rank = number_of(env, dialect->rank),
			.ranks = number_of(env, dialect->ranks),
			.local_rank = number_of(env, dialect->local_rank),
			.local_ranks = number_of(env, dialect->local_ranks),
			.nodes = number_of(env, dialect->nodes),
			.node = -1,
		};
		if (id && strlen(id) < sizeof(launch.id))
			memcpy(launch.id, id, strlen(id) + 1);
		if (is_slurm)
			complete_slurm(env, &launch);
	}
	if (launch.nodes < 0 && launch.ranks > 0 && launch.local_ranks == launch.ranks)
		launch.nodes = 1;
	if (launch.local_ranks < 0 && (launch.nodes == 1 || launch.ranks == 1))
		launch.local_ranks = launch.ranks;
	*ret = launch;
}

uint64_t es_process_start_ticks(pid_t pid, pid_t *ret_parent)
{
	char path[64], text[1024];
	struct es_process process;
	ssize_t n;
	es_cleanup(es_closep) int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	if (es_process_parse_stat(text, &process) < 0 || es_process_is_over(&process))
		return 0;
	if (ret_parent)
		*ret_parent = process.parent;
	return process.start_ticks;
}

/* Whether process @pid was started with our rank in its environment. What may not be read is not ours. */
static bool has_our_rank(const struct es_launch *launch, pid_t pid)
{
	char path[64], entry[128];
	es_cleanup(es_fclosep) FILE *file = NULL;
	es_cleanup(es_freep) char *line = NULL;
	size_t size = 0, seen = 0;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	(void)snprintf(entry, sizeof(entry), "%s=%lld", launch->rank_variable,
		       (long long)launch->rank);
	file = fopen(path, "re");
	while (file && seen < ENVIRON_MAX_BYTES && (n = getdelim(&line, &size, '\0', file)) > 0) {
		seen += (size_t)n;
		if (strcmp(line, entry) == 0)
			return true;
	}
	return false;
}

pid_t es_launch_parent(const struct es_launch *launch, uint64_t *ret_start_ticks)
{
	pid_t pid = getppid(), parent = 1;

	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		uint64_t start = es_process_start_ticks(pid, &parent);

		if (start == 0)
			break;
		if (!has_our_rank(launch, pid)) {
			*ret_start_ticks = start;
			return pid;
		}
		pid = parent;
	}
	*ret_start_ticks = 0;
	return 1;
}

uint32_t es_launch_cpus(const struct es_launch *launch)
{
	uint64_t start;
	pid_t pid = es_launch_parent(launch, &start);
	cpu_set_t set;

	if (pid <= 1 || sched_getaffinity(pid, sizeof(set), &set) < 0)
		return 0;
	return (uint32_t)CPU_COUNT(&set);
}
