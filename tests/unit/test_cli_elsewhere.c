/*
 * test_cli_elsewhere.c - which commands hand work to other machines, to how many, and what would measure them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/elsewhere.h"

#define WORDS_MAX 32

/* The one file there is. */
static char *read_hosts(const char *path)
{
	return strcmp(path, "/hosts") == 0
		       ? strdup("# ours\nn1.site slots=4\nn2 slots=4\n\nn3:2\nn1 slots=4\n")
		       : NULL;
}

static char *const *split(char *text, char *words[static WORDS_MAX])
{
	char *rest = NULL;
	size_t n = 0;

	for (char *word = strtok_r(text, " ", &rest); word && n < WORDS_MAX - 1;
	     word = strtok_r(NULL, " ", &rest))
		words[n++] = word;
	words[n] = NULL;
	return words;
}

/* Commands and environments as lines; no word of these has a blank. */
static struct es_elsewhere find(const char *command, const char *environment, char *advice,
				size_t size)
{
	char text[512], variables[512], *words[WORDS_MAX], *env[WORDS_MAX];
	struct es_elsewhere found;
	struct es_elsewhere_of of = { .hostname = "n1", .read_hosts = read_hosts };
	struct es_buf out;

	(void)snprintf(text, sizeof(text), "%s", command);
	(void)snprintf(variables, sizeof(variables), "%s", environment);
	of.argv = split(text, words);
	of.env = split(variables, env);
	es_elsewhere_find(&of, &found);
	es_buf_init(&out, 4096);
	es_elsewhere_advice(&of, &found, &out);
	(void)snprintf(advice, size, "%.*s", (int)out.len, out.data ? (const char *)out.data : "");
	es_buf_finish(&out);
	return found;
}

static void commands_are_told_apart(void **state)
{
	static const char slurm[] = "SLURM_JOB_ID=7 SLURM_NNODES=4 SLURMD_NODENAME=n1";
	static const struct {
		const char *command, *env;
		enum es_launch_how how;
		int64_t nodes;
		const char *advice;
	} vectors[] = {
		{ "./solver -n 4", "", ES_LAUNCH_NONE, -1, "" },
		{ "sh -c mpirun", slurm, ES_LAUNCH_NONE, -1, "" },
		{ "env", "", ES_LAUNCH_NONE, -1, "" },
		/* All ranks here. */
		{ "mpirun -n 4 ./app", "", ES_LAUNCH_NONE, -1, "" },
		{ "mpirun -n 4 -H n1:4 ./app", "", ES_LAUNCH_NONE, -1, "" },
		{ "mpirun -n 4 --host localhost ./app", "", ES_LAUNCH_NONE, -1, "" },
		{ "mpirun -n 4 ./app", "SLURM_JOB_ID=7 SLURM_NNODES=1 SLURMD_NODENAME=n1",
		  ES_LAUNCH_NONE, -1, "" },
		{ "orterun -n 4 ./app", "", ES_LAUNCH_NONE, -1, "" },
		{ "jsrun -n 4 ./app", "", ES_LAUNCH_AROUND, -1,
		  "put 'energyscopium run --' before the program that jsrun starts" },
		/* By the scheduler, hosts and files of hosts. */
		{ "mpirun -n 64 ./app x", slurm, ES_LAUNCH_AROUND, 4,
		  "mpirun -n 64 energyscopium run -- ./app x" },
		{ "/usr/bin/mpiexec -np 64 ./app", "PBS_JOBID=7 PBS_NODEFILE=/hosts",
		  ES_LAUNCH_AROUND, 3, "/usr/bin/mpiexec -np 64 energyscopium run -- ./app" },
		{ "mpirun -H n1:4,n2:4,n1 --mca btl tcp,self ./app", "", ES_LAUNCH_AROUND, 2,
		  "mpirun -H n1:4,n2:4,n1 --mca btl tcp,self energyscopium run -- ./app" },
		{ "mpirun -host n2,n3 ./app", "", ES_LAUNCH_ELSEWHERE, 2,
		  "mpirun -host n2,n3 energyscopium run -- ./app" },
		{ "mpirun --hostfile /hosts ./app", "", ES_LAUNCH_AROUND, 3,
		  "mpirun --hostfile /hosts energyscopium run -- ./app" },
		{ "mpirun --hostfile=/hosts ./app", slurm, ES_LAUNCH_AROUND, 3,
		  "mpirun --hostfile=/hosts energyscopium run -- ./app" },
		{ "mpirun --hostfile /absent ./app", "", ES_LAUNCH_AROUND, -1,
		  "mpirun --hostfile /absent energyscopium run -- ./app" },
		{ "mpirun ./app", "LSB_JOBID=3", ES_LAUNCH_AROUND, -1,
		  "mpirun energyscopium run -- ./app" },
		{ "mpirun -n 2 ./a : -n 2 ./b", slurm, ES_LAUNCH_AROUND, 4,
		  "put 'energyscopium run --' before the program that mpirun starts" },
		{ "mpirun --new-option 2 ./a", slurm, ES_LAUNCH_AROUND, 4,
		  "put 'energyscopium run --' before the program that mpirun starts" },
		{ "mpirun -n 2 energyscopium run -- ./a", slurm, ES_LAUNCH_AROUND, 4,
		  "each node measures itself" },
		/* Behind other programs. */
		{ "env -u A B=c nice -n 5 time -f %e mpirun -n 64 ./app", slurm, ES_LAUNCH_AROUND,
		  4, "env -u A B=c nice -n 5 time -f %e mpirun -n 64 energyscopium run -- ./app" },
		{ "timeout -k 5 60 srun -N2 ./app", slurm, ES_LAUNCH_AROUND, 2,
		  "timeout -k 5 60 srun -N2 energyscopium run -- ./app" },
		{ "taskset -c 0-3 ssh n9 uptime", "", ES_LAUNCH_ELSEWHERE, 1,
		  "taskset -c 0-3 ssh n9 energyscopium run -- uptime" },
		{ "timeout 5", "", ES_LAUNCH_NONE, -1, "" },
		/* srun is on all nodes of the job unless told otherwise; on a login node on none of ours. */
		{ "srun ./app", slurm, ES_LAUNCH_AROUND, 4, "srun energyscopium run -- ./app" },
		{ "srun --nodes=2-4 -n 8 ./app", slurm, ES_LAUNCH_AROUND, 2,
		  "srun --nodes=2-4 -n 8 energyscopium run -- ./app" },
		{ "srun -w n[001-003,7],m1 ./app", slurm, ES_LAUNCH_AROUND, 5,
		  "srun -w 'n[001-003,7],m1' energyscopium run -- ./app" },
		{ "srun -N1 ./app", slurm, ES_LAUNCH_AROUND, 1, "" },
		{ "srun -N 4 ./app", "", ES_LAUNCH_ELSEWHERE, 4,
		  "srun -N 4 energyscopium run -- ./app" },
		{ "srun ./app", "SLURM_JOB_ID=7 SLURM_NNODES=4", ES_LAUNCH_ELSEWHERE, 4,
		  "srun energyscopium run -- ./app" },
		{ "flux run -N2 ./app", "FLUX_JOB_ID=f1 FLUX_JOB_NNODES=4", ES_LAUNCH_AROUND, 2,
		  "flux run -N2 energyscopium run -- ./app" },
		{ "sbatch job.sh", "", ES_LAUNCH_ELSEWHERE, -1,
		  "put 'energyscopium run --' before the program that sbatch starts" },
		/* Other machines. */
		{ "ssh -p 22 -v n9 make -j4", "", ES_LAUNCH_ELSEWHERE, 1,
		  "ssh -p 22 -v n9 energyscopium run -- make -j4" },
		{ "ssh n9", "", ES_LAUNCH_ELSEWHERE, 1,
		  "put 'energyscopium run --' before the program that ssh starts" },
		{ "oarsh n9 ./app", "", ES_LAUNCH_ELSEWHERE, 1,
		  "oarsh n9 energyscopium run -- ./app" },
		{ "pdsh -w n[1-4] ./app", "", ES_LAUNCH_ELSEWHERE, 4,
		  "pdsh -w 'n[1-4]' energyscopium run -- ./app" },
		/* Containers. */
		{ "docker run --rm debian make", "", ES_LAUNCH_DAEMON, 1, "" },
		{ "docker run debian", "DOCKER_HOST=unix:///run/docker.sock", ES_LAUNCH_DAEMON, 1,
		  "" },
		{ "docker run debian", "DOCKER_HOST=tcp://n9:2375", ES_LAUNCH_ELSEWHERE, -1,
		  "put 'energyscopium run --' before the program that docker starts" },
		{ "docker -H ssh://n9 run debian", "", ES_LAUNCH_ELSEWHERE, -1,
		  "put 'energyscopium run --' before the program that docker starts" },
		{ "docker run debian", "DOCKER_CONTEXT=far", ES_LAUNCH_ELSEWHERE, -1,
		  "put 'energyscopium run --' before the program that docker starts" },
		{ "podman --remote run debian", "", ES_LAUNCH_ELSEWHERE, -1,
		  "put 'energyscopium run --' before the program that podman starts" },
		{ "podman run -H x debian", "", ES_LAUNCH_DAEMON, 1, "" },
		{ "kubectl exec pod -- make", "", ES_LAUNCH_ELSEWHERE, -1,
		  "run energyscopium on the node where the pod runs" },
		{ "apptainer exec image.sif make", "", ES_LAUNCH_NONE, -1, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		char advice[2048];
		struct es_elsewhere found =
			find(vectors[i].command, vectors[i].env, advice, sizeof(advice));

		if (found.how != vectors[i].how || found.nodes != vectors[i].nodes ||
		    strcmp(advice, vectors[i].advice) != 0)
			fail_msg("'%s' in '%s': how %d, %lld nodes, '%s'", vectors[i].command,
				 vectors[i].env, (int)found.how, (long long)found.nodes, advice);
	}
}

static void words_of_the_advice_are_quoted(void **state)
{
	char *argv[] = { (char *)"ssh", (char *)"n9", (char *)"it's $HOME", (char *)"", NULL };
	char *env[] = { NULL };
	struct es_elsewhere_of of = {
		.argv = argv, .env = env, .hostname = "", .read_hosts = read_hosts
	};
	struct es_elsewhere found;
	struct es_buf out;

	(void)state;
	es_elsewhere_find(&of, &found);
	es_buf_init(&out, 4096);
	es_elsewhere_advice(&of, &found, &out);
	assert_int_equal(es_buf_u8(&out, 0), 0);
	assert_string_equal((const char *)out.data,
			    "ssh n9 energyscopium run -- 'it'\\''s $HOME' ''");
	es_buf_finish(&out);
}

static void a_long_command_is_told_in_words(void **state)
{
	char word[2000];
	char *argv[] = { (char *)"ssh", (char *)"n9", word, NULL };
	char *env[] = { NULL };
	struct es_elsewhere_of of = {
		.argv = argv, .env = env, .hostname = "", .read_hosts = read_hosts
	};
	struct es_elsewhere found;
	struct es_buf out;

	(void)state;
	memset(word, 'x', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	es_elsewhere_find(&of, &found);
	es_buf_init(&out, 4096);
	es_elsewhere_advice(&of, &found, &out);
	assert_true(out.len < 100);
	es_buf_finish(&out);
}

static void hosts_are_counted_once(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		bool has_this;
	} vectors[] = {
		{ "", 0, false },
		{ "n1", 1, true },
		{ "n2,n3:4,n2.site", 2, false },
		{ "n1.site 4 all.q\nn2 4 all.q\n", 2, true },
		{ ",,\n,", 0, false },
		{ "#n1\n  n5\n", 1, false },
		{ "n1.a,n1.b", 2, true },
		{ "localhost", 1, true },
		{ "n4*16", 1, false },
	};
	bool has_this;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		size_t n = es_count_hosts(vectors[i].text, "n1", &has_this);

		if (n != vectors[i].n || has_this != vectors[i].has_this)
			fail_msg("'%s': %zu hosts, this one %d", vectors[i].text, n, has_this);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_told_apart),
		cmocka_unit_test(words_of_the_advice_are_quoted),
		cmocka_unit_test(a_long_command_is_told_in_words),
		cmocka_unit_test(hosts_are_counted_once),
	};

	return cmocka_run_group_tests_name("cli/elsewhere", tests, NULL, NULL);
}
