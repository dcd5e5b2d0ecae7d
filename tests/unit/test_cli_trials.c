/*
 * test_cli_trials.c - runs in groups, out of recordings, eprofiles and tables
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/trials.h"
#include "support/recordings.h"
#include "support/tree.h"

struct fixture {
	char dir[64], path[256];
	struct es_chain chain;
	struct es_trials trials;
	struct es_trials_ask ask;
	struct es_error err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	f->ask.command = "compare";
	(void)snprintf(f->chain.settings.out, sizeof(f->chain.settings.out), "%s/none", f->dir);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_trials_finish(&f->trials);
	es_chain_finish(&f->chain);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static const char *path_of(struct fixture *f, const char *name)
{
	(void)snprintf(f->path, sizeof(f->path), "%s/%s", f->dir, name);
	return f->path;
}

enum {
	PLAIN,
	FAILED,
	ESTIMATED,
	TAGGED,
};

/* 100 W for 10 s, of which the command took 8 s; in a file of this name. */
static void record(struct fixture *f, const char *name, int how, unsigned number)
{
	struct test_recording made;

	(void)es_tree_write(f->dir, name, "", 0600); /* its folder */
	test_recording_init(&made, TEST_S);
	(void)snprintf(made.meta.job, sizeof(made.meta.job), "j%u", number);
	(void)snprintf(made.meta.command, sizeof(made.meta.command), "./bench");
	made.meta.start_unix_ns += number * 100 * TEST_S;
	if (how == ESTIMATED)
		(void)test_estimate(&made);
	else
		(void)test_domain(&made, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	test_event(&made, ES_EVENT_COMMAND_START, 1 * TEST_S, 1, "");
	for (unsigned i = 0; i <= 10; i++) {
		const uint64_t value = 100 * TEST_J * i;

		if (how == TAGGED && (i == 2 || i == 6))
			test_event(&made, i == 2 ? ES_EVENT_TAG_START : ES_EVENT_TAG_STOP,
				   i * TEST_S, 0, "solve");
		test_sweep_busy(&made, i * TEST_S, &value, i * TEST_S);
	}
	test_event(&made, ES_EVENT_COMMAND_STOP, 9 * TEST_S, how == FAILED ? 3 : 0, "");
	test_end(&made, 10 * TEST_S, 0);
	es_recorder_close(made.recorder);
	made.recorder = NULL;
	assert_int_equal(es_tree_copy(made.path, path_of(f, name)), 0);
	test_recording_finish(&made);
}

static void read_it(struct fixture *f, const char *name, const char *group)
{
	if (es_trials_read(&f->trials, path_of(f, name), group, &f->ask, &f->chain, &f->err) < 0)
		fail_msg("%s", f->err.text);
}

static void refused(struct fixture *f, const char *name, int code, const char *words)
{
	int r = es_trials_read(&f->trials, path_of(f, name), NULL, &f->ask, &f->chain, &f->err);

	if (r != code || !strstr(f->err.text, words))
		fail_msg("%d, '%s'; want %d, '%s'", r, f->err.text, code, words);
}

static void assert_near(double got, double want)
{
	if (!(fabs(got - want) <= 1e-9 * fabs(want) + 1e-12))
		fail_msg("got %.17g, want %.17g", got, want);
}

static void a_recording_is_a_run(void **state)
{
	struct fixture *f = *state;
	const struct es_trial *trial;
	double value;

	record(f, "A-1.esr", PLAIN, 1);
	read_it(f, "A-1.esr", NULL);

	assert_int_equal(f->trials.n, 1);
	assert_string_equal(f->trials.groups[0], "A");
	trial = &f->trials.trials[0];
	assert_string_equal(trial->name, "j1");
	assert_string_equal(trial->node, "n1");
	assert_string_equal(trial->command, "./bench");
	assert_string_equal(trial->kind, "measured");
	assert_string_equal(trial->cover, "package-0");
	assert_true(trial->path && strstr(trial->path, "A-1.esr"));
	assert_int_equal(trial->start_unix_ns, TEST_START_UNIX_NS + 100 * TEST_S);
	assert_false(trial->is_failed || trial->is_proportional || trial->has_above);
	assert_true(es_trial_value(trial, ES_TRIAL_ENERGY, &value));
	assert_near(value, 1000);
	assert_true(es_trial_value(trial, ES_TRIAL_TIME, &value));
	assert_near(value, 8);
	assert_true(es_trial_value(trial, ES_TRIAL_EDP, &value));
	assert_near(value, 8000);
	assert_true(es_trial_value(trial, ES_TRIAL_ED2P, &value));
	assert_near(value, 64000);
	assert_false(es_trial_value(trial, ES_TRIAL_ABOVE, &value));
}

static void an_estimate_from_cpu_time_is_never_compared(void **state)
{
	struct fixture *f = *state;
	const char *why = "";
	double value, *values;
	size_t n;

	record(f, "A-1.esr", ESTIMATED, 1);
	read_it(f, "A-1.esr", NULL);

	assert_true(f->trials.trials[0].has_energy && f->trials.trials[0].is_proportional);
	assert_string_equal(f->trials.trials[0].kind, "estimated");
	for (int i = 0; i < ES_TRIAL_N_METRICS; i++)
		assert_int_equal(es_trial_value(&f->trials.trials[0], (enum es_trial_metric)i,
						&value),
				 i == ES_TRIAL_TIME);
	assert_false(es_trials_can_compare_energy(&f->trials, 0, &why));
	assert_non_null(strstr(why, "estimate from CPU time"));
	assert_int_equal(es_trials_values(&f->trials, 0, ES_TRIAL_ENERGY, &values, &n), 0);
	assert_true(n == 0 && values == NULL);
}

static void runs_that_failed_are_counted_and_left_out(void **state)
{
	struct fixture *f = *state;
	double *values;
	size_t n;

	record(f, "A-1.esr", PLAIN, 1);
	record(f, "A-2.esr", FAILED, 2);
	read_it(f, "A-1.esr", NULL);
	read_it(f, "A-2.esr", NULL);

	assert_int_equal(f->trials.n, 2);
	assert_true(f->trials.trials[1].is_failed);
	assert_int_equal(es_trials_values(&f->trials, 0, ES_TRIAL_ENERGY, &values, &n), 0);
	assert_int_equal(n, 1);
	assert_near(values[0], 1000);
	free(values);
}

static void names_make_groups(void **state)
{
	struct fixture *f = *state;

	record(f, "A-1.esr", PLAIN, 1);
	record(f, "A-12.esr", PLAIN, 2);
	record(f, "gcc-12_3.esr", PLAIN, 3);
	record(f, "B.esr", PLAIN, 4);
	record(f, "42.esr", PLAIN, 5);
	record(f, "other/A-1.esr", PLAIN, 6);
	read_it(f, "A-1.esr", NULL);
	read_it(f, "A-12.esr", NULL);
	read_it(f, "gcc-12_3.esr", NULL);
	read_it(f, "B.esr", NULL);
	read_it(f, "42.esr", NULL);
	read_it(f, "other/A-1.esr", NULL);

	assert_int_equal(f->trials.n_groups, 5);
	assert_string_equal(f->trials.groups[0], "A");
	assert_string_equal(f->trials.groups[1], "gcc-12");
	assert_string_equal(f->trials.groups[2], "B");
	assert_string_equal(f->trials.groups[3], "42");
	/* The same name elsewhere is another one. */
	assert_non_null(strstr(f->trials.groups[4], "other/A"));
	assert_int_equal(f->trials.trials[5].group, 4);
}

static void a_folder_holds_the_runs_in_it(void **state)
{
	struct fixture *f = *state;

	record(f, "out/A-10.esr", PLAIN, 10);
	record(f, "out/A-2.esr", PLAIN, 2);
	(void)es_tree_write(f->dir, "out/A-2.txt", "hello", 0600);
	read_it(f, "out", "mine");

	assert_int_equal(f->trials.n, 2);
	assert_string_equal(f->trials.groups[0], "mine");
	assert_string_equal(f->trials.trials[0].name, "j2");
	assert_string_equal(f->trials.trials[1].name, "j10");
	(void)es_tree_write(f->dir, "empty/sub/x", "hello", 0600);
	refused(f, "empty", -ENODATA, "empty");
}

static void a_run_counts_once(void **state)
{
	struct fixture *f = *state;
	const struct es_profile_options options = { .is_full = false };
	struct es_outcome outcome;

	record(f, "A-1.esr", PLAIN, 1);
	assert_int_equal(es_outcome_open(path_of(f, "A-1.esr"), NULL, &f->chain, &outcome, &f->err),
			 0);
	assert_int_equal(es_write_eprofile(&outcome, &options, path_of(f, "A-1.eprofile.json"),
					   false, &f->err),
			 0);
	es_outcome_finish(&outcome);
	read_it(f, "A-1.esr", NULL);
	read_it(f, "A-1.esr", NULL);
	read_it(f, "A-1.eprofile.json", NULL);

	assert_int_equal(f->trials.n, 1);
	assert_int_equal(f->trials.n_twice, 2);
	/* In another group it is another run, with the same numbers. */
	read_it(f, "A-1.eprofile.json", "B");
	assert_int_equal(f->trials.n, 2);
	assert_near(f->trials.trials[1].energy_j, 1000);
	assert_near(f->trials.trials[1].time_s, 8);
	assert_string_equal(f->trials.trials[1].kind, "measured");
}

static void a_region_is_part_of_a_run(void **state)
{
	struct fixture *f = *state;

	record(f, "A-1.esr", TAGGED, 1);
	f->ask.region = "solve";
	read_it(f, "A-1.esr", NULL);
	assert_near(f->trials.trials[0].time_s, 4);
	assert_near(f->trials.trials[0].energy_j, 400);
	assert_false(f->trials.trials[0].has_above);
	f->ask.region = "slove";
	refused(f, "A-1.esr", -ENOENT, "has no region 'slove'; did you mean 'solve'?");
}

static void all_regions_are_kept_where_they_are_asked_for(void **state)
{
	struct fixture *f = *state;
	struct es_trials part;

	f->ask.has_regions = true;
	record(f, "A-1.esr", TAGGED, 1);
	record(f, "A-2.esr", PLAIN, 2);
	record(f, "B-1.esr", TAGGED, 3);
	read_it(f, "A-1.esr", NULL);
	read_it(f, "A-2.esr", NULL);
	read_it(f, "B-1.esr", NULL);
	assert_int_equal(f->trials.trials[0].n_regions, 1);
	assert_int_equal(f->trials.trials[1].n_regions, 0);

	assert_int_equal(es_trials_region(&f->trials, "solve", &part), 0);

	assert_int_equal(part.n_groups, 2);
	assert_int_equal(part.n, 2);
	assert_int_equal(part.trials[1].group, 1);
	assert_near(part.trials[1].energy_j, 400);
	assert_near(part.trials[1].time_s, 4);
	es_trials_finish(&part);
}

static void what_is_no_run_is_refused(void **state)
{
	struct fixture *f = *state;

	(void)es_tree_write(f->dir, "x.esr", "hello", 0600);
	refused(f, "x.esr", -EBADMSG, "x.esr");
	refused(f, "nothing.esr", -ENOENT, "nothing.esr");
	(void)es_tree_write(f->dir, "x.json", "{}", 0600);
	refused(f, "x.json", -ENOENT, "x.json");
	(void)es_tree_write(f->dir, "x.csv", "", 0600);
	refused(f, "x.csv", -EBADMSG, "is empty");
	assert_int_equal(f->trials.n, 0);
}

static void rows_of_a_table_are_runs(void **state)
{
	struct fixture *f = *state;
	const struct es_trial *trials;

	(void)es_tree_write(f->dir, "t.csv",
			    "clock,time_ms,Energy[Wh],acc,node,kind,exit_status\n"
			    "2.0,1500,0.5,0.95,n7,measured,0\n"
			    "1.2,2000,0.25,,n7,estimated,\n"
			    "2.0,oops,0.5,0.9,n7,measured,0\n"
			    "2.0,1600,0.5,0.9,n7,measured,1\n",
			    0600);
	f->ask.time = "time_ms";
	f->ask.energy = "Energy[Wh]";
	f->ask.group = "clock";
	f->ask.quality = "acc";
	read_it(f, "t.csv", NULL);

	trials = f->trials.trials;
	assert_int_equal(f->trials.n, 3);
	assert_int_equal(f->trials.n_unread, 1);
	assert_true(f->trials.has_table && !f->trials.has_file);
	assert_int_equal(f->trials.n_groups, 2);
	assert_string_equal(f->trials.groups[1], "1.2");
	assert_near(trials[0].time_s, 1.5);
	assert_near(trials[0].energy_j, 1800);
	assert_true(trials[0].has_quality);
	assert_near(trials[0].quality, 0.95);
	assert_string_equal(trials[0].name, "line 2");
	assert_string_equal(trials[0].node, "n7");
	assert_true(trials[1].is_proportional && !trials[1].has_quality);
	assert_true(trials[2].is_failed && !trials[0].is_failed && !trials[1].is_failed);
	f->ask.group = "node,clock";
	read_it(f, "t.csv", NULL);
	assert_string_equal(f->trials.groups[3], "n7 / 1.2");
}

static void tables_of_our_own_names_need_no_telling(void **state)
{
	struct fixture *f = *state;

	(void)es_tree_write(f->dir, "B-2.csv", "duration_s;energy_j\n2;30\n3;40\n", 0600);
	read_it(f, "B-2.csv", NULL);
	assert_int_equal(f->trials.n, 2);
	assert_string_equal(f->trials.groups[0], "B");
	assert_near(f->trials.trials[1].energy_j, 40);
	(void)es_tree_write(f->dir, "t.csv", "duration_s\n2\n3\n", 0600);
	read_it(f, "t.csv", "times");
	assert_false(f->trials.trials[2].has_energy);
	assert_string_equal(f->trials.groups[1], "times");
}

static void bad_tables_are_refused(void **state)
{
	struct fixture *f = *state;

	(void)es_tree_write(f->dir, "t.csv", "t,e\n1,2\n", 0600);
	refused(f, "t.csv", -ENOENT, "--time COL");
	f->ask.time = "tt";
	refused(f, "t.csv", -ENOENT, "nearest is 't'");
	f->ask.time = "t";
	f->ask.energy = "t";
	refused(f, "t.csv", -EINVAL, "the same column");
	f->ask.energy = "e";
	f->ask.group = "node";
	refused(f, "t.csv", -ENOENT, "(--group)");
	(void)es_tree_write(f->dir, "t.csv", "t,e,node\n1,2,\n", 0600);
	refused(f, "t.csv", -EBADMSG, ":2: column 'node' is empty");
	f->ask.group = NULL;
	(void)es_tree_write(f->dir, "t.csv", "t,e\n1,-2\n", 0600);
	refused(f, "t.csv", -EBADMSG, ":2: column 'e': '-2' is not above 0");
	(void)es_tree_write(f->dir, "t.csv", "t,e\n1,2\nnan,2\n", 0600);
	refused(f, "t.csv", -EBADMSG, ":3: column 't': 'nan' is no measurement");
	(void)es_tree_write(f->dir, "t.csv", "t,e,q\n1,2,nan\n", 0600);
	f->ask.quality = "q";
	refused(f, "t.csv", -EBADMSG, "'nan' is no measurement");
	(void)es_tree_write(f->dir, "t.csv", "t,e,q\n1,2,good\n", 0600);
	refused(f, "t.csv", -EBADMSG, "'good' is no number");
	f->ask.quality = NULL;
	(void)es_tree_write(f->dir, "t.csv", "t,e\n", 0600);
	refused(f, "t.csv", -ENODATA, "has no rows");
	f->ask.region = "solve";
	refused(f, "t.csv", -ENOENT, "has no regions");
	assert_int_equal(f->trials.n, 0);
}

static void a_bad_row_is_an_error_where_it_is_asked(void **state)
{
	struct fixture *f = *state;

	(void)es_tree_write(f->dir, "t.csv", "duration_s,energy_j\n1,2\nx,3\n", 0600);
	f->ask.is_strict = true;
	refused(f, "t.csv", -EBADMSG, "t.csv");
	assert_int_equal(f->trials.n, 0);
	f->ask.is_strict = false;
	read_it(f, "t.csv", NULL);
	assert_int_equal(f->trials.n, 1);
}

static void metrics_have_names(void **state)
{
	enum es_trial_metric metric;

	(void)state;
	for (int i = 0; i < ES_TRIAL_N_METRICS; i++) {
		const char *name = es_trial_metric_name((enum es_trial_metric)i);

		assert_int_equal(es_trial_metric_find(name, &metric), 0);
		assert_int_equal(metric, i);
	}
	assert_int_equal(es_trial_metric_find("power", &metric), -ENOENT);
	assert_string_equal(es_trial_metric_unit(ES_TRIAL_EDP), "J s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_recording_is_a_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_estimate_from_cpu_time_is_never_compared, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(runs_that_failed_are_counted_and_left_out, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(names_make_groups, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_folder_holds_the_runs_in_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_run_counts_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_region_is_part_of_a_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_regions_are_kept_where_they_are_asked_for,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_run_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rows_of_a_table_are_runs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tables_of_our_own_names_need_no_telling, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(bad_tables_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_bad_row_is_an_error_where_it_is_asked, set_up,
						tear_down),
		cmocka_unit_test(metrics_have_names),
	};

	return cmocka_run_group_tests_name("cli/trials", tests, NULL, NULL);
}
