/*
 * test_cli_job.c - which job this is, by the environments of schedulers
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
#include "cli/job.h"
#include "support/tree.h"

struct fixture {
	char dir[64];
	struct es_root root;
	struct es_meta meta;
	struct es_error err;
};

static const char *const variables[] = {
	"SLURM_JOB_ID",
	"SLURM_STEP_ID",
	"SLURM_CPUS_ON_NODE",
	"SLURM_CLUSTER_NAME",
	"PBS_JOBID",
	"SLURM_JOB_ACCOUNT",
	"PBS_NCPUS",
	"SLURM_JOB_PARTITION",
	"NCPUS",
	"OAR_JOB_ID",
	"LSB_JOBID",
	"LSB_DJOB_NUMPROC",
	"FLUX_JOB_ID",
	"SLURM_JOB_CPUS_PER_NODE",
	"SLURM_GPUS_ON_NODE",
	"PBS_NGPUS",
	"SLURM_JOB_GPUS",
	"CUDA_VISIBLE_DEVICES",
	"ROCR_VISIBLE_DEVICES",
	"HIP_VISIBLE_DEVICES",
	"GPU_DEVICE_ORDINAL",
	"ZE_AFFINITY_MASK",
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	for (size_t i = 0; i < ES_ARRAY_SIZE(variables); i++)
		assert_int_equal(unsetenv(variables[i]), 0);
	assert_int_equal(setenv("USER", "ada", 1), 0);
	assert_int_equal(es_tree_temp(f->dir), 0);
	assert_int_equal(es_tree_write(f->dir, "proc/sys/kernel/hostname", "n231\n", 0444), 0);
	assert_int_equal(es_tree_write(f->dir, "sys/devices/system/cpu/online", "0-7\n", 0444), 0);
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	es_meta_init(&f->meta);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_meta_finish(&f->meta);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void set(const char *name, const char *value)
{
	assert_int_equal(setenv(name, value, 1), 0);
}

static void put(const struct fixture *f, const char *path, const char *text)
{
	assert_int_equal(es_tree_write(f->dir, path, text, 0444), 0);
}

static void describe_as(struct fixture *f, const char *name)
{
	char *command[] = { (char *)"solver", (char *)"--secret=7", NULL };

	es_meta_finish(&f->meta);
	if (es_job_describe(&f->root, name, command, false, &f->meta, &f->err) < 0)
		fail_msg("%s", f->err.text);
}

static void each_schedulers_id_names_the_job(void **state)
{
	static const struct {
		const char *variable, *id;
	} vectors[] = {
		{ "FLUX_JOB_ID", "f2oLkQ" },	{ "LSB_JOBID", "815" },
		{ "OAR_JOB_ID", "42" },		{ "PBS_JOBID", "7[3].server" },
		{ "SLURM_JOB_ID", "10166268" },
	};
	struct fixture *f = *state;

	/* Each wins over those before it. */
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		set(vectors[i].variable, vectors[i].id);
		describe_as(f, NULL);
		assert_string_equal(f->meta.job, vectors[i].id);
		assert_string_equal(f->meta.step, "");
	}
}

static void an_empty_variable_is_none(void **state)
{
	struct fixture *f = *state;

	set("SLURM_JOB_ID", "");
	set("OAR_JOB_ID", "42");
	describe_as(f, NULL);
	assert_string_equal(f->meta.job, "42");
}

static void a_step_of_slurm_is_part_of_the_name(void **state)
{
	static const struct {
		const char *step, *job, *kept;
	} vectors[] = {
		{ "3", "10166268.3", "3" },
		{ "4294967290", "10166268", "" }, /* an interactive shell of salloc */
		{ "", "10166268", "" },
		{ "../x", "10166268", "" },
		{ "12345678901234567", "10166268", "" },
	};
	struct fixture *f = *state;

	set("SLURM_JOB_ID", "10166268");
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		set("SLURM_STEP_ID", vectors[i].step);
		describe_as(f, NULL);
		assert_string_equal(f->meta.job, vectors[i].job);
		assert_string_equal(f->meta.step, vectors[i].kept);
	}
}

static void a_step_belongs_to_slurm_alone(void **state)
{
	struct fixture *f = *state;

	set("SLURM_JOB_ID", "");
	set("SLURM_STEP_ID", "3");
	set("PBS_JOBID", "7.server");
	describe_as(f, NULL);
	assert_string_equal(f->meta.job, "7.server");
	assert_string_equal(f->meta.step, "");
}

static void a_name_on_the_command_line_wins(void **state)
{
	struct fixture *f = *state;

	set("SLURM_JOB_ID", "10166268");
	set("SLURM_STEP_ID", "3");
	describe_as(f, "mine");

	assert_string_equal(f->meta.job, "mine");
}

/* yyyymmddHHMMSS-PID */
static void without_a_scheduler_time_and_process_name_it(void **state)
{
	struct fixture *f = *state;
	char pid[32];

	describe_as(f, NULL);
	(void)snprintf(pid, sizeof(pid), "-%d", (int)getpid());

	assert_int_equal(strspn(f->meta.job, "0123456789"), 14);
	assert_string_equal(f->meta.job + 14, pid);
}

static void names_that_could_not_be_a_file_are_refused(void **state)
{
	static const char *const bad[] = { "",	  ".",	  "..",	      ".hidden",
					   "a/b", "a\nb", "a\x1b[2J", "a\x7f" };
	struct fixture *f = *state;
	char name[256];

	for (size_t i = 0; i < ES_ARRAY_SIZE(bad); i++) {
		assert_int_equal(es_job_check_name(bad[i], &f->err), -EINVAL);
		assert_null(strchr(f->err.text, '\x1b'));
		assert_int_equal(es_job_describe(&f->root, bad[i], NULL, false, &f->meta, &f->err),
				 -EINVAL);
	}
	memset(name, 'x', sizeof(name));
	name[201] = '\0';
	assert_int_equal(es_job_check_name(name, &f->err), -EINVAL);
	name[200] = '\0';
	assert_int_equal(es_job_check_name(name, &f->err), 0);
	assert_int_equal(es_job_check_name("10166268.3", &f->err), 0);
	assert_int_equal(es_job_check_name("\xc6\x92 2oLkQ", &f->err), 0); /* as Flux writes them */
}

/* An environment is from outside, too. */
static void an_id_of_a_scheduler_is_checked_like_a_name(void **state)
{
	struct fixture *f = *state;

	set("PBS_JOBID", "../../etc/passwd");
	assert_int_equal(es_job_describe(&f->root, NULL, NULL, false, &f->meta, &f->err), -EINVAL);
}

static void cpus_are_those_the_scheduler_gave_else_those_we_may_use(void **state)
{
	struct fixture *f = *state;

	describe_as(f, "j");
	assert_int_equal(f->meta.n_cpus, 8);
	set("NCPUS", "3"); /* anybody's, outside of PBS */
	describe_as(f, "j");
	assert_int_equal(f->meta.n_cpus, 8);
	set("PBS_JOBID", "7");
	describe_as(f, "j");
	assert_int_equal(f->meta.n_cpus, 3);
	set("PBS_NCPUS", "4");
	describe_as(f, "j");
	assert_int_equal(f->meta.n_cpus, 4);
	set("SLURM_JOB_ID", "7");
	set("SLURM_CPUS_ON_NODE", "5");
	describe_as(f, "j");
	assert_int_equal(f->meta.n_cpus, 5);
	set("SLURM_CPUS_ON_NODE", "0");
	describe_as(f, "j");
	assert_int_equal(f->meta.n_cpus, 8);
	set("SLURM_CPUS_ON_NODE", "many");
	describe_as(f, "j");
	assert_int_equal(f->meta.n_cpus, 8);
}

static void gpus_are_those_that_somebody_gave(void **state)
{
	static const struct {
		const char *name, *value;
		int64_t n;
	} rows[] = {
		{ "CUDA_VISIBLE_DEVICES", "0,1,3", 3 },
		{ "CUDA_VISIBLE_DEVICES", "", 0 },
		{ "CUDA_VISIBLE_DEVICES", "NoDevFiles", 0 },
		{ "CUDA_VISIBLE_DEVICES", "-1", 0 },
		{ "CUDA_VISIBLE_DEVICES", "0,-1,1", 1 }, /* CUDA sees none behind a wrong one */
		{ "CUDA_VISIBLE_DEVICES", "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6", 1 },
		{ "CUDA_VISIBLE_DEVICES", "0,", 1 },
		{ "ROCR_VISIBLE_DEVICES", "0,1", 2 },
		{ "SLURM_JOB_GPUS", "4,5,6,7", 4 },
		{ "SLURM_GPUS_ON_NODE", "8", 8 },
		{ "SLURM_GPUS_ON_NODE", "many", -1 },
		{ "PBS_NGPUS", "2", 2 },
	};

	(void)state;
	assert_int_equal(es_job_gpus(), -1);
	for (size_t i = 0; i < ES_ARRAY_SIZE(rows); i++) {
		set(rows[i].name, rows[i].value);
		assert_int_equal(es_job_gpus(), rows[i].n);
		assert_int_equal(unsetenv(rows[i].name), 0);
	}
	/* The scheduler knows better than a list that the user may have shortened. */
	set("CUDA_VISIBLE_DEVICES", "0");
	set("SLURM_GPUS_ON_NODE", "4");
	assert_int_equal(es_job_gpus(), 4);
}

static void only_the_first_word_of_the_command_is_kept(void **state)
{
	char *command[] = { (char *)"solver", (char *)"-n", (char *)"3", NULL };
	struct fixture *f = *state;

	describe_as(f, "j");
	assert_string_equal(f->meta.command, "solver");

	es_meta_finish(&f->meta);
	assert_int_equal(es_job_describe(&f->root, "j", command, true, &f->meta, &f->err), 0);
	assert_string_equal(f->meta.command, "solver -n 3");
}

static void a_long_command_is_kept_in_whole_words(void **state)
{
	struct fixture *f = *state;
	char word[ES_PATH_MAX_BYTES];
	char *command[] = { (char *)"solver", word, (char *)"last", NULL };

	memset(word, 'x', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(es_job_describe(&f->root, "j", command, true, &f->meta, &f->err), 0);
	assert_string_equal(f->meta.command, "solver");
}

static void who_and_where_are_kept(void **state)
{
	struct fixture *f = *state;

	set("SLURM_CLUSTER_NAME", "plafrim");
	set("SLURM_JOB_ACCOUNT", "p1");
	set("SLURM_JOB_PARTITION", "routage");
	put(f, "proc/cpuinfo",
	    "vendor_id\t: GenuineIntel\nmodel name\t: Xeon\nflags\t\t: fpu hypervisor\n");
	put(f, "etc/timezone", "Europe/Paris\n");
	put(f, "usr/share/zoneinfo/zone.tab", "FR\t+4852+00220\tEurope/Paris\n");
	describe_as(f, "j");

	assert_string_equal(f->meta.user, "ada");
	assert_string_equal(f->meta.cluster, "plafrim");
	assert_string_equal(f->meta.account, "p1");
	assert_string_equal(f->meta.partition, "routage");
	assert_int_equal(f->meta.n_nodes, 1);
	assert_string_equal(f->meta.nodes[0].name, "n231");
	assert_string_equal(f->meta.nodes[0].cpu_model, "Xeon");
	assert_int_equal(f->meta.nodes[0].n_cpus, 8);
	assert_string_equal(f->meta.country, "FR");
	assert_int_equal(f->meta.virt, ES_VIRT_VM);
	assert_string_equal(f->meta.tool, "energyscopium " ES_VERSION);
}

static void a_container_counts_more_than_the_vm_around_it(void **state)
{
	struct fixture *f = *state;

	put(f, "proc/cpuinfo", "vendor_id\t: x\nflags\t\t: hypervisor\n");
	put(f, ".dockerenv", "");
	describe_as(f, "j");
	assert_int_equal(f->meta.virt, ES_VIRT_CONTAINER);
}

static void a_node_without_a_name_is_localhost(void **state)
{
	struct fixture *f = *state;

	put(f, "proc/sys/kernel/hostname", "\n");
	describe_as(f, "j");
	assert_string_equal(f->meta.nodes[0].name, "localhost");
}

static void the_three_clocks_are_of_one_moment(void **state)
{
	struct fixture *f = *state;
	int64_t boot_ns = es_clock_boot_ns(), unix_ns = es_clock_unix_ns();

	describe_as(f, "j");

	assert_true(f->meta.start_boot_ns >= boot_ns &&
		    f->meta.start_boot_ns < boot_ns + 5 * ES_NS_PER_S);
	assert_true(f->meta.start_unix_ns >= unix_ns &&
		    f->meta.start_unix_ns < unix_ns + 5 * ES_NS_PER_S);
	assert_true(f->meta.start_mono_ns > 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_schedulers_id_names_the_job),
		TEST(an_empty_variable_is_none),
		TEST(a_step_of_slurm_is_part_of_the_name),
		TEST(a_step_belongs_to_slurm_alone),
		TEST(a_name_on_the_command_line_wins),
		TEST(without_a_scheduler_time_and_process_name_it),
		TEST(names_that_could_not_be_a_file_are_refused),
		TEST(an_id_of_a_scheduler_is_checked_like_a_name),
		TEST(cpus_are_those_the_scheduler_gave_else_those_we_may_use),
		TEST(gpus_are_those_that_somebody_gave),
		TEST(only_the_first_word_of_the_command_is_kept),
		TEST(a_long_command_is_kept_in_whole_words),
		TEST(who_and_where_are_kept),
		TEST(a_container_counts_more_than_the_vm_around_it),
		TEST(a_node_without_a_name_is_localhost),
		TEST(the_three_clocks_are_of_one_moment),
	};

	return cmocka_run_group_tests_name("cli/job", tests, NULL, NULL);
}
