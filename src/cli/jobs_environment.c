/*
 * jobs_environment.c - what a scheduler says of a job by variables of the environment
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Sources: sbatch(1), prolog_epilog.html of Slurm; oarsub(1) and prologue of OAR; qsub(1B) and the PBS hooks guide; LSF's environment
 * variable reference; flux-environment(7) and flux-config-job-manager(5), "perilog".
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/jobs.h"

#define NODEFILE_MAX_BYTES (1U << 20)
#define CPUS_MAX 16384U

/** struct scheduler - names of its variables; NULL: it has none */
struct scheduler {
	const char *name, *id,
		*index; /* index: of an array's element, where the id does not tell */
	const char *user, *uid;
	const char *job_name, *account, *queue, *cluster;
	const char *n_cpus, *cpus, *gpus;
	const char *nodes, *nodefile, *n_nodes, *node_index, *restarts;
};

/* The one that is nearest to the program comes first: Flux runs inside of others. */
static const struct scheduler schedulers[] = {
	{ .name = "flux",
	  .id = "FLUX_JOB_ID",
	  .uid = "FLUX_JOB_USERID",
	  .n_nodes = "FLUX_JOB_NNODES" },
	{ .name = "slurm",
	  .id = "SLURM_JOB_ID",
	  .user = "SLURM_JOB_USER",
	  .uid = "SLURM_JOB_UID",
	  .job_name = "SLURM_JOB_NAME",
	  .account = "SLURM_JOB_ACCOUNT",
	  .queue = "SLURM_JOB_PARTITION",
	  .cluster = "SLURM_CLUSTER_NAME",
	  .n_cpus = "SLURM_CPUS_ON_NODE",
	  .gpus = "SLURM_JOB_GPUS",
	  .nodes = "SLURM_JOB_NODELIST",
	  .n_nodes = "SLURM_JOB_NUM_NODES",
	  .node_index = "SLURM_NODEID",
	  .restarts = "SLURM_RESTART_COUNT" },
	{ .name = "oar",
	  .id = "OAR_JOB_ID",
	  .user = "OAR_USER",
	  .job_name = "OAR_JOB_NAME",
	  .account = "OAR_PROJECT_NAME",
	  .nodefile = "OAR_NODEFILE" },
	{ .name = "pbs",
	  .id = "PBS_JOBID",
	  .job_name = "PBS_JOBNAME",
	  .account = "PBS_ACCOUNT",
	  .queue = "PBS_QUEUE",
	  .n_cpus = "PBS_NCPUS",
	  .nodefile = "PBS_NODEFILE",
	  .node_index = "PBS_NODENUM" },
	{ .name = "lsf",
	  .id = "LSB_JOBID",
	  .index = "LSB_JOBINDEX",
	  .user = "LSFUSER",
	  .job_name = "LSB_JOBNAME",
	  .account = "LSB_PROJECT_NAME",
	  .queue = "LSB_QUEUE",
	  .cpus = "LSB_BIND_CPU_LIST",
	  .nodefile = "LSB_DJOB_HOSTFILE",
	  .restarts = NULL },
};

static const char *value_of(const char *name)
{
	const char *value = name ? getenv(name) : NULL;

	return value && *value ? value : NULL;
}

static uint32_t number_of(const char *name)
{
	const char *value = value_of(name);
	uint64_t number;

	return value && es_parse_u64(value, &number) == 0 && number <= UINT32_MAX ? (uint32_t)number
										  : 0;
}

/* What does not fit, or is no plain text, is not known: it is a name for people. */
static void copy(const char *name, char *to, size_t size)
{
	const char *value = value_of(name);

	if (!value || strlen(value) >= size)
		return;
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return;
	memcpy(to, value, strlen(value) + 1);
}

/* A name a line, as often as it has slots, those of a node one behind the other. */
static void read_nodefile(const char *path, struct es_local_job *job)
{
	es_cleanup(es_fclosep) FILE *file = path ? fopen(path, "re") : NULL;
	char line[ES_NAME_MAX_BYTES + 2], last[sizeof(line)] = "";
	uint32_t n_nodes = 0;
	size_t used = 0, n_read = 0;

	while (file && fgets(line, sizeof(line), file) && n_read < NODEFILE_MAX_BYTES) {
		n_read += strlen(line);
		line[strcspn(line, " \t\r\n")] = '\0';
		if (!line[0] || strcmp(line, last) == 0)
			continue;
		n_nodes++;
		memcpy(last, line, sizeof(last));
		if (used + strlen(line) + 2 > sizeof(job->nodes)) {
			used = sizeof(job->nodes); /* a part would be wrong; the count tells */
			continue;
		}
		used += (size_t)snprintf(job->nodes + used, sizeof(job->nodes) - used, "%s%s",
					 used ? "," : "", line);
	}
	if (used >= sizeof(job->nodes))
		job->nodes[0] = '\0';
	job->n_nodes = n_nodes;
}

int es_jobs_count_cpus(const char *list, uint32_t *ret)
{
	uint64_t n = 0;

	while (*list) {
		char *end;
		unsigned long from, to;

		if (!isdigit((unsigned char)*list))
			return -EINVAL;
		from = to = strtoul(list, &end, 10);
		if (*end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return -EINVAL;
			to = strtoul(end + 1, &end, 10);
		}
		if (to < from || to >= CPUS_MAX || (*end && *end != ',') ||
		    (*end == ',' && !end[1]))
			return -EINVAL;
		n += to - from + 1;
		list = *end ? end + 1 : end;
	}
	if (n == 0 || n > CPUS_MAX)
		return -EINVAL;
	*ret = (uint32_t)n;
	return 0;
}

/* "[001-004,9]": what is in it, and how many characters it takes; 0: it is none. */
static size_t count_numbers(const char *list, uint64_t *ret)
{
	char numbers[ES_LOCAL_NODES_MAX_BYTES];
	size_t n = strcspn(list, "]");
	uint32_t count;

	if (list[n] != ']' ||
	    snprintf(numbers, sizeof(numbers), "%.*s", (int)n - 1, list + 1) >=
		    (int)sizeof(numbers) ||
	    es_jobs_count_cpus(numbers, &count) < 0)
		return 0;
	*ret = count;
	return n + 1;
}

uint32_t es_jobs_count_nodes(const char *list)
{
	uint64_t n = 0, of_name = 0, numbers = 0;

	for (;; list++) {
		size_t n_taken = *list == '[' ? count_numbers(list, &numbers) : 0;

		if (*list == '\0' || *list == ',') {
			n += of_name;
			if (of_name == 0 || n > UINT32_MAX)
				return 0;
			if (*list == '\0')
				return (uint32_t)n;
			of_name = 0;
		} else if (n_taken && of_name <= UINT32_MAX) {
			of_name = (of_name ? of_name : 1) * numbers;
			list += n_taken - 1;
		} else if (*list == '[' || *list == ']' || of_name > UINT32_MAX) {
			return 0;
		} else {
			of_name = of_name ? of_name : 1;
		}
	}
}

/* "12[3].server" and "12" of an array's element 3, which LSF tells apart by two variables. */
static int take_id(const struct scheduler *scheduler, struct es_local_job *job,
		   struct es_error *err)
{
	const char *id = value_of(scheduler->id), *problem;
	uint32_t index = number_of(scheduler->index);
	int n;

	/* U+0192 begins an id of Flux; the same with a plain f means the same. */
	if (strncmp(id, "\xc6\x92", 2) == 0)
		n = snprintf(job->id, sizeof(job->id), "f%s", id + 2);
	else if (index)
		n = snprintf(job->id, sizeof(job->id), "%s[%u]", id, (unsigned)index);
	else
		n = snprintf(job->id, sizeof(job->id), "%s", id);
	problem = n >= (int)sizeof(job->id) ? "an id has at most 63 bytes"
					    : es_local_id_problem(job->id);
	if (problem)
		return es_error_say(err, -EINVAL, "environment %s='%.80s': %s", scheduler->id, id,
				    problem);
	return 0;
}

static void take_user(const struct scheduler *scheduler, struct es_local_job *job)
{
	uint32_t uid = number_of(scheduler->uid);

	if (value_of(scheduler->uid)) {
		job->has_uid = true;
		job->uid = uid;
	}
}

static void take_cpus(const struct scheduler *scheduler, struct es_local_job *job)
{
	uint32_t n;

	copy(scheduler->cpus, job->cpus, sizeof(job->cpus));
	if (job->cpus[0] && es_jobs_count_cpus(job->cpus, &n) < 0)
		job->cpus[0] = '\0';
	job->n_cpus = job->cpus[0] ? n : number_of(scheduler->n_cpus);
	if (value_of(scheduler->gpus)) {
		job->has_gpus = true;
		copy(scheduler->gpus, job->gpus, sizeof(job->gpus));
	}
}

int es_jobs_environment(bool is_root, struct es_local_job *ret, struct es_error *err)
{
	const struct scheduler *scheduler = NULL;
	struct es_local_job *job = ret;
	int r;

	for (size_t i = 0; i < ES_ARRAY_SIZE(schedulers) && !scheduler; i++)
		if (value_of(schedulers[i].id))
			scheduler = &schedulers[i];
	if (!scheduler)
		return 0;
	r = take_id(scheduler, job, err);
	if (r < 0)
		return r;
	(void)snprintf(job->scheduler, sizeof(job->scheduler), "%s", scheduler->name);
	copy(scheduler->job_name, job->name, sizeof(job->name));
	copy(scheduler->account, job->account, sizeof(job->account));
	copy(scheduler->queue, job->partition, sizeof(job->partition));
	copy(scheduler->cluster, job->cluster, sizeof(job->cluster));
	copy(scheduler->nodes, job->nodes, sizeof(job->nodes));
	job->n_nodes = number_of(scheduler->n_nodes);
	if (!job->nodes[0] && value_of(scheduler->nodefile)) {
		uint32_t told = job->n_nodes;

		read_nodefile(value_of(scheduler->nodefile), job);
		if (told)
			job->n_nodes = told;
	}
	job->node_index = number_of(scheduler->node_index);
	job->restarts = number_of(scheduler->restarts);
	if (!is_root)
		return 0;
	take_user(scheduler, job);
	take_cpus(scheduler, job);
	return 0;
}

void es_jobs_script_id(char *ret, size_t size)
{
	(void)snprintf(ret, size, "script-%d", (int)getppid());
}
