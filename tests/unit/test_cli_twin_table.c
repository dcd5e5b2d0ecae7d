/*
 * test_cli_twin_table.c - tables of measured times and energies: those of others by their headers, ours by names, bad ones in words
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/twin_table.h"

static void assert_near(double value, double truth, double bound)
{
	if (!(fabs(value - truth) <= bound))
		fail_msg("%.12g is not %.12g", value, truth);
}

static void finish_table(struct es_twin_table *table)
{
	es_twin_table_finish(table);
}

static int read_as(const char *text, const char *columns, const char *scope, const char *kind,
		   struct es_twin_table *table, struct es_error *err)
{
	struct es_twin_reading reading = { .columns = columns, .scope = scope };
	char copy[2048];
	size_t n = strlen(text);

	if (kind)
		reading.kind = es_twin_kind_find(kind, NULL);
	assert_true(n < sizeof(copy));
	memcpy(copy, text, n + 1);
	return es_twin_table_read(&reading, "a/some-program.csv", copy, n, table, err);
}

static void take(const char *text, const char *kind, struct es_twin_table *table)
{
	struct es_error err = { .code = 0 };

	if (read_as(text, NULL, NULL, kind, table, &err) < 0)
		fail_msg("%s", err.text);
}

static void assert_row(const struct es_twin_row *row, double setting, double time_s,
		       double energy_j)
{
	assert_near(row->setting, setting, 1e-9);
	assert_near(row->time_s, time_s, 1e-9);
	assert_near(row->energy_j, energy_j, 1e-9);
}

static void a_table_of_kernel_tuner_is_known(void **state)
{
	es_cleanup(finish_table) struct es_twin_table table = { .n = 0 };

	(void)state;
	take("requested_MHz,core_MHz,time_ms,power_W,energy_J\n"
	     "585,585.000,230,52.0,99\n405,405.000,332,44.0,99\n",
	     NULL, &table);

	assert_int_equal(table.knob, ES_TWIN_BY_GPU_MHZ);
	assert_int_equal(table.scope, ES_TWIN_OF_GPU);
	assert_int_equal(table.n, 1);
	assert_string_equal(table.programs[0].name, "some-program");
	assert_int_equal(table.programs[0].n, 2);
	assert_row(&table.programs[0].rows[0], 405, 0.332, 0.332 * 44);
	assert_row(&table.programs[0].rows[1], 585, 0.23, 0.23 * 52);
}

static void programs_of_a_zeus_trace_are_told_apart(void **state)
{
	es_cleanup(finish_table) struct es_twin_table table = { .n = 0 };

	(void)state;
	take("dataset,network,batch_size,optimizer,power_limit,time_per_epoch,average_power\n"
	     "cifar100,shufflenetv2,8,adam,100,10,90\n"
	     "cifar100,shufflenetv2,16,adam,100,6,95\n"
	     "cifar100,shufflenetv2,8,adam,125,9,91\n",
	     NULL, &table);

	assert_int_equal(table.knob, ES_TWIN_BY_GPU_W);
	assert_int_equal(table.n, 2);
	assert_string_equal(table.programs[0].name, "cifar100 shufflenetv2 8 adam");
	assert_int_equal(table.programs[0].n, 2);
	assert_row(&table.programs[0].rows[1], 125, 9, 9 * 91);
	assert_int_equal(table.programs[1].n, 1);
}

static void a_zeus_profile_has_its_limit_in_a_name(void **state)
{
	es_cleanup(finish_table) struct es_twin_table table = { .n = 0 };

	(void)state;
	take("start_time,window_name,elapsed_time,gpu0_energy\n"
	     "13585781.01,__GlobalPowerLimitOptimizer_300,24.5,6224.5\n",
	     NULL, &table);

	assert_row(&table.programs[0].rows[0], 300, 24.5, 6224.5);
}

static void p_states_are_clocks_of_the_kind(void **state)
{
	es_cleanup(finish_table) struct es_twin_table table = { .n = 0 };

	(void)state;
	take("pstate,relative_speed_pct,idle_W,full_W,energy_per_work\n"
	     "0,100.0,95.0,190.0,190\n1,80.0,95.0,171.0,1\n12,50.0,95.0,126,1\n"
	     "# switch off: 6.1 s\n",
	     "taurus", &table);

	assert_int_equal(table.knob, ES_TWIN_BY_CORE_MHZ);
	assert_int_equal(table.scope, ES_TWIN_OF_NODE);
	assert_near(table.idle_w, 95, 1e-9);
	assert_row(&table.programs[0].rows[0], 1200, 2, 252);
	assert_row(&table.programs[0].rows[1], 2300, 1.25, 1.25 * 171);
	assert_row(&table.programs[0].rows[2], 0, 1, 190); /* turbo: as delivered */
}

static void semicolons_and_a_header_that_is_a_comment_are_read(void **state)
{
	es_cleanup(finish_table) struct es_twin_table table = { .n = 0 };

	(void)state;
	take("#Procs;Cores;Freq;Time[s];Energy[Wh];Energy[J];AvgPower[W];\n"
	     "1;1;2.20GHz;205.4;4.66;16776.0;80;\n1;2;2.20GHz;108.0;2.6;9360.0;90;\n",
	     NULL, &table);

	assert_int_equal(table.knob, ES_TWIN_BY_THREADS);
	assert_row(&table.programs[0].rows[0], 1, 205.4, 205.4 * 80);
	assert_row(&table.programs[0].rows[1], 2, 108, 108 * 90);
}

static void our_own_names_are_read_and_others_given(void **state)
{
	es_cleanup(finish_table) struct es_twin_table table = { .n = 0 }, other = { .n = 0 };
	struct es_error err = { .code = 0 };

	(void)state;
	take("program,core_mhz,time_s,energy_j\nsolve,2400,10,1000\n", NULL, &table);
	assert_int_equal(read_as("name,clock,ms,J\nfft,1410,250,70\n",
				 "program=name,mhz=clock,time_ms=ms,energy_j=J", "gpu", NULL,
				 &other, &err),
			 0);

	assert_int_equal(table.knob, ES_TWIN_BY_CORE_MHZ);
	assert_string_equal(table.programs[0].name, "solve");
	assert_row(&table.programs[0].rows[0], 2400, 10, 1000);
	assert_int_equal(other.knob, ES_TWIN_BY_GPU_MHZ);
	assert_row(&other.programs[0].rows[0], 1410, 0.25, 70);
}

static void bad_tables_are_refused_with_line_and_column(void **state)
{
	static const struct {
		const char *text, *columns, *scope, *kind, *words;
		int error;
	} bad[] = {
		{ "core_mhz,time_s,power_w\n1000,1,50\n2000,fast,50\n", NULL, NULL, NULL,
		  "a/some-program.csv:3: column 'time_s': 'fast' is no number", -EBADMSG },
		{ "core_mhz,time_s,power_w\n1000,-1,50\n", NULL, NULL, NULL,
		  "a/some-program.csv:2: column 'time_s': '-1' is out of range", -EBADMSG },
		{ "core_mhz,time_s,power_w\n1000,1\n", NULL, NULL, NULL,
		  "a/some-program.csv:2: the line ends before column 'power_w'", -EBADMSG },
		{ "core_mhz,time_s\n1000,1\n", NULL, NULL, NULL,
		  "a/some-program.csv:1: no column for the energy (energy_j or power_w); --columns NAME=COLUMN,… says which "
		  "it is ('energyscopium twin fit --help')",
		  -EBADMSG },
		{ "threads,time_s,power_w\n1.5,1,50\n", NULL, NULL, NULL,
		  "a/some-program.csv:2: column 'threads': '1.5' is no number of threads",
		  -EBADMSG },
		{ "core_mhz,mhz,time_s,power_w\n", NULL, NULL, NULL,
		  "a/some-program.csv:1: columns 'core_mhz' and 'mhz' say the same", -EBADMSG },
		{ "core_mhz,time_s,power_w\n", NULL, NULL, NULL, "a/some-program.csv: no rows",
		  -EBADMSG },
		{ "", NULL, NULL, NULL, "a/some-program.csv: no rows", -EBADMSG },
		{ "pstate,relative_speed_pct,idle_W,full_W\n13,100.0,95.0,190.0\n", NULL, NULL,
		  "taurus",
		  "a/some-program.csv:2: column 'pstate': '13' is a P-state that the kind has not",
		  -EBADMSG },
		{ "core_mhz,time_s,power_w\n1,1,1\n", "watt=power_w", NULL, NULL,
		  "--columns: 'watt=power_w' is not NAME=COLUMN with a NAME of core_mhz, package_limit_w, gpu_mhz, "
		  "gpu_limit_w, threads, time_s, time_ms, energy_j, power_w, idle_w, program",
		  -EINVAL },
		{ "core_mhz,time_s,power_w\n1,1,1\n", NULL, "rack", NULL,
		  "--of: 'rack' is none of node, package, gpu", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(bad); i++) {
		es_cleanup(finish_table) struct es_twin_table table = { .n = 0 };
		struct es_error err = { .code = 0 };
		int r = read_as(bad[i].text, bad[i].columns, bad[i].scope, bad[i].kind, &table,
				&err);

		assert_string_equal(err.text, bad[i].words);
		assert_int_equal(r, bad[i].error);
	}
}

static void tables_of_different_things_are_not_mixed(void **state)
{
	es_cleanup(finish_table) struct es_twin_table table = { .n = 0 };
	struct es_error err = { .code = 0 };

	(void)state;
	take("core_mhz,time_s,power_w\n1000,1,50\n", NULL, &table);
	assert_int_equal(read_as("threads,time_s,power_w\n1,1,50\n", NULL, NULL, NULL, &table,
				 &err),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_of_kernel_tuner_is_known),
		cmocka_unit_test(programs_of_a_zeus_trace_are_told_apart),
		cmocka_unit_test(a_zeus_profile_has_its_limit_in_a_name),
		cmocka_unit_test(p_states_are_clocks_of_the_kind),
		cmocka_unit_test(semicolons_and_a_header_that_is_a_comment_are_read),
		cmocka_unit_test(our_own_names_are_read_and_others_given),
		cmocka_unit_test(bad_tables_are_refused_with_line_and_column),
		cmocka_unit_test(tables_of_different_things_are_not_mixed),
	};

	return cmocka_run_group_tests_name("cli/twin_table", tests, NULL, NULL);
}
