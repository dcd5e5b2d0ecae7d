/*
 * test_format_import_data.c - imports of measurements that others published, where those are at hand
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/imported.h"

static void assert_near(double value, double expected, double tolerance)
{
	if (fabs(value - expected) > tolerance)
		fail_msg("%.6f is not %.6f +- %g", value, expected, tolerance);
}

static void the_raw_dump_of_2022_gives_the_published_joules(void **state)
{
	struct es_imported *imported = *state;
	char path[512];
	double total_j = 0;

	assert_true(es_imported_data("energyscope/cpu_run_12_0", path, sizeof(path)));
	es_imported_run(imported, path);
	es_imported_open(imported, 0);

	assert_int_equal(imported->result.n, 1);
	assert_near(es_imported_j(imported, "gemini-1/package-0"), 40379.55, 0.01);
	assert_near(es_imported_j(imported, "gemini-1/package-1"), 38997.58, 0.01);
	assert_near(es_imported_j(imported, "gemini-1/dram-0"), 8413.62, 0.01);
	assert_near(es_imported_j(imported, "gemini-1/dram-1"), 8618.85, 0.01);
	assert_int_equal(imported->meta->n_domains, 4);
	for (size_t d = 0; d < 4; d++) {
		total_j += (double)imported->tracks[d].energy_uj / 1e6;
		assert_near((double)imported->tracks[d].covered_ns / 1e9, 514.10, 0.01);
		/* No reading had to be left out, though the run was loaded. */
		assert_int_equal(imported->tracks[d].n_readings, 916);
		assert_int_equal(imported->tracks[d].n_rejected + imported->tracks[d].n_resets, 0);
		assert_true(imported->max_mw[d] < 150000);
	}
	assert_near(total_j, 96409.6, 0.01);
}

static void the_raw_dump_of_2022_tells_what_it_was(void **state)
{
	struct es_imported *imported = *state;
	const struct es_meta *meta;
	char path[512];

	assert_true(es_imported_data("energyscope/cpu_run_12_0", path, sizeof(path)));
	es_imported_run(imported, path);
	es_imported_open(imported, 0);
	meta = imported->meta;

	assert_string_equal(meta->tool, "Energy Scope 2022 (es_read_rt.py@inria)");
	assert_string_equal(meta->job, "20221108030822");
	assert_string_equal(meta->nodes[0].name, "gemini-1");
	assert_string_equal(meta->nodes[0].cpu_model, "Intel(R)Xeon(R)CPUE5-2698v4@2.20GHz");
	assert_int_equal(meta->nodes[0].n_packages, 2);
	assert_int_equal(meta->n_cpus, 40);
	assert_int_equal(meta->n_gpus, 0);
	assert_int_equal(meta->period_ns, 500000000);
	assert_int_equal(meta->domains[0].limit_mw, 135000);
	assert_string_equal(meta->domains[0].limit_kind, "tdp");
	assert_non_null(strstr(meta->command, "script_final.sh"));
	assert_int_equal(imported->n_events, 3);
	assert_int_equal(imported->events[0].type, ES_EVENT_COMMAND_START);
	assert_near((double)imported->events[0].t_ns / 1e9, 2.252614, 1e-6);
	assert_int_equal(imported->events[1].type, ES_EVENT_COMMAND_STOP);
	assert_near((double)imported->events[1].t_ns / 1e9, 510.252614, 1e-6);
	assert_int_equal(imported->events[2].type, ES_EVENT_END);
}

static void the_finished_eprofile_of_2022_adds_up(void **state)
{
	struct es_imported *imported = *state;
	char path[512];
	double total_j = 0;

	assert_true(
		es_imported_data("energyscope/cpu_run_12_0/eprofile.json.gz", path, sizeof(path)));
	es_imported_run(imported, path);
	es_imported_open(imported, 0);

	assert_int_equal(imported->meta->n_domains, 4);
	for (size_t d = 0; d < 4; d++)
		total_j += (double)imported->tracks[d].energy_uj / 1e6;
	/* Its own es_total is a trapezoid over whole seconds: 96393.581. */
	assert_near(total_j, 96393.6, 20);
	assert_near((double)imported->tracks[0].covered_ns / 1e9, 514.0, 1e-9);
	assert_false(es_imported_has_warning(imported, "cannot be true"));
	assert_string_equal(imported->meta->job, "20221108030822");
	assert_int_equal(imported->meta->n_cpus, 40);
}

static void a_cluster_job_of_32_nodes_is_imported_whole(void **state)
{
	struct es_imported *imported = *state;
	char path[512];
	double sum_w = 0;

	assert_true(es_imported_data("clustercockpit", path, sizeof(path)));
	es_imported_run(imported, path);
	es_imported_open(imported, 0);

	assert_int_equal(imported->meta->n_nodes, 32);
	assert_int_equal(imported->meta->n_domains, 32);
	assert_string_equal(imported->meta->job, "1403244");
	assert_string_equal(imported->meta->cluster, "emmy");
	assert_string_equal(imported->meta->user, "emmyUser6");
	assert_int_equal(imported->meta->start_unix_ns / 1000000000, 1608923076);
	assert_string_equal(imported->meta->domains[0].name, "packages");
	for (size_t d = 0; d < 32; d++)
		sum_w += (double)imported->tracks[d].energy_uj * 1e3 /
			 (double)imported->tracks[d].covered_ns;
	/* Its statistics say 228.07 W a node, over other moments than ours. */
	assert_near(sum_w / 32, 228.07, 10);
	assert_true(es_imported_has_warning(imported, "values of power are missing"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_raw_dump_of_2022_gives_the_published_joules,
						es_imported_setup, es_imported_teardown),
		cmocka_unit_test_setup_teardown(the_raw_dump_of_2022_tells_what_it_was,
						es_imported_setup, es_imported_teardown),
		cmocka_unit_test_setup_teardown(the_finished_eprofile_of_2022_adds_up,
						es_imported_setup, es_imported_teardown),
		cmocka_unit_test_setup_teardown(a_cluster_job_of_32_nodes_is_imported_whole,
						es_imported_setup, es_imported_teardown),
	};
	char path[512];

	if (!es_imported_data("energyscope/cpu_run_12_0", path, sizeof(path)) ||
	    !es_imported_data("clustercockpit", path, sizeof(path))) {
		(void)printf("1..0 # SKIP no ../shared/data beside the source\n");
		return 0;
	}
	return cmocka_run_group_tests_name("format/import_data", tests, NULL, NULL);
}
