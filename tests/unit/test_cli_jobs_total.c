/*
 * test_cli_jobs_total.c - the line of a job from what daemons say of it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/jobs_total.h"

#define J UINT64_C(1000000)
#define S INT64_C(1000000000)

struct told {
	char config[32];
	struct es_local_job_is *jobs;
	struct es_chain chain;
	struct es_jobs_total total;
};

static void fill(struct es_local_job_is *job, const char *node, uint64_t energy_uj)
{
	snprintf(job->job.id, sizeof(job->job.id), "10166268");
	snprintf(job->node, sizeof(job->node), "%s", node);
	snprintf(job->kind, sizeof(job->kind), "measured");
	job->job.n_cpus = 32;
	job->job.n_nodes = 2;
	job->start_unix_ns = 1773403200 * S;
	job->dur_ns = 81036 * S;
	job->has_energy = true;
	job->energy_uj = energy_uj;
	job->machine.has_node_meter = true;
}

static int make_told(void **state)
{
	struct told *told = calloc(1, sizeof(*told));
	int fd;

	assert_non_null(told);
	snprintf(told->config, sizeof(told->config), "/tmp/es-jobs-XXXXXX");
	fd = mkstemp(told->config);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "# nothing\n", 10), 10);
	close(fd);
	setenv("ENERGYSCOPIUM_CONFIG", told->config, 1);
	told->jobs = calloc(2, sizeof(*told->jobs));
	assert_non_null(told->jobs);
	fill(&told->jobs[0], "n231", 19046160 * J);
	fill(&told->jobs[1], "n313", 19046160 * J);
	told->chain.zone = "FR";
	told->chain.pue = "1.3";
	told->chain.carbon = "carbon_model_2024";
	*state = told;
	return 0;
}

static int drop_told(void **state)
{
	struct told *told = *state;

	es_jobs_total_finish(&told->total);
	es_chain_finish(&told->chain);
	unlink(told->config);
	free(told->jobs);
	free(told);
	return 0;
}

static const struct es_report *report(struct told *told, size_t n)
{
	struct es_error err = { .code = 0 };

	if (es_chain_load(&told->chain, &err) < 0 ||
	    es_jobs_total_make(told->jobs, n, &told->chain, &told->total, &err) < 0)
		fail_msg("%s", err.text);
	return &told->total.outcome.report;
}

/* 10.5812 kWh on two nodes for 81,036 s, to the byte. */
static void the_line_is_that_of_a_report(void **state)
{
	static const char golden[] =
		"energyscopium jobid<10166268> nodes<['n231', 'n313']> ncpus <64> duration(hour)<22.51> "
		"estimated energy(kWh)<10.58> with adding cooling (PUE=1.3): (kWh)<13.76> and (gCO2 in FR)<687.78>";
	struct told *told = *state;
	struct es_buf out;

	es_buf_init(&out, 4096);
	assert_int_equal(es_report_line(report(told, 2), false, &out), 0);
	assert_int_equal(es_buf_u8(&out, 0), 0);
	assert_string_equal((char *)out.data, golden);
	es_buf_finish(&out);
}

static void a_node_without_energy_is_named_and_not_zero(void **state)
{
	struct told *told = *state;
	const struct es_report *made;

	told->jobs[1].has_energy = false;
	made = report(told, 2);
	assert_int_equal(made->meta->n_nodes, 2);
	assert_true(made->has_energy);
	assert_int_equal(made->total_uj, 19046160 * J);

	es_jobs_total_finish(&told->total);
	told->jobs[0].has_energy = false;
	assert_false(report(told, 2)->has_energy);
}

/* Parts stand for a node that has no meter of its own: a calibration of these parts can be applied. */
static void parts_are_told_where_they_are_the_node(void **state)
{
	static const char *const names[] = { "package-0", "package-1", "dram-0", "gpu-0" };
	struct told *told = *state;
	const struct es_report *made;

	told->jobs[0].machine.has_node_meter = false;
	told->jobs[0].n_parts = 4;
	for (size_t i = 0; i < 4; i++) {
		struct es_local_part *part = &told->jobs[0].parts[i];

		snprintf(part->domain, sizeof(part->domain), "%s", names[i]);
		snprintf(part->kind, sizeof(part->kind), "measured");
		snprintf(part->rule, sizeof(part->rule), "exclusive");
		part->dynamic_uj = 19046160 * J / 4;
	}
	made = report(told, 1);
	assert_int_equal(made->meta->n_domains, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(made->domains[i].name, names[i]);
		assert_true(made->domains[i].is_chosen_total);
	}
	assert_int_equal(made->domains[1].package, 1);
	assert_int_equal(made->domains[3].type, ES_DOMAIN_GPU);
	assert_int_equal(made->total_uj, 19046160 * J);

	/* A list that lacks some is not the node. */
	es_jobs_total_finish(&told->total);
	told->jobs[0].n_parts = 3;
	made = report(told, 1);
	assert_int_equal(made->meta->n_domains, 1);
	assert_int_equal(made->total_uj, 19046160 * J);
}

static void what_is_said_to_be_unsure_is(void **state)
{
	struct told *told = *state;
	const struct es_report *made;

	told->jobs[0].uncertainty_uj = 190461 * J;
	told->jobs[1].uncertainty_uj = 190461 * J;
	snprintf(told->jobs[1].kind, sizeof(told->jobs[1].kind), "attributed");
	made = report(told, 2);
	assert_true(made->uncertainty_j > 380800 && made->uncertainty_j < 380950);
	assert_string_equal(es_report_kind(made), "mixed");
}

/* Less than a sweep long. */
static void a_job_of_no_length_has_its_energy(void **state)
{
	struct told *told = *state;

	told->jobs[0].dur_ns = 0;
	told->jobs[0].energy_uj = 7 * J;
	assert_int_equal(report(told, 1)->total_uj, 7 * J);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_line_is_that_of_a_report, make_told, drop_told),
		cmocka_unit_test_setup_teardown(a_node_without_energy_is_named_and_not_zero,
						make_told, drop_told),
		cmocka_unit_test_setup_teardown(parts_are_told_where_they_are_the_node, make_told,
						drop_told),
		cmocka_unit_test_setup_teardown(what_is_said_to_be_unsure_is, make_told, drop_told),
		cmocka_unit_test_setup_teardown(a_job_of_no_length_has_its_energy, make_told,
						drop_told),
	};

	return cmocka_run_group_tests_name("cli/jobs_total", tests, NULL, NULL);
}
