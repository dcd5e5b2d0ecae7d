/*
 * twin_fit.c - energyscopium twin fit: hold a kind of node against measured times and energies
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/twin_fit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/picture.h"
#include "cli/twin.h"
#include "cli/wholefile.h"
#include "twin/node.h"

#define COMMAND "twin fit"
#define WITHIN 0.05
#define OUT_MAX_BYTES (64U << 20)

struct wishes {
	const char *kind, *columns, *scope, *program, *within, *at;
	bool is_brief, wants_json;
	const char *csv;
};

static int read_table(const struct wishes *wishes, const char *path,
		      struct es_twin_fitting *fitting, struct es_error *err)
{
	struct es_twin_reading reading = { .kind = fitting->kind,
					   .columns = wishes->columns,
					   .scope = wishes->scope };
	es_cleanup(es_freep) char *text = NULL;
	size_t n = 0;
	int r = es_file_read(path, ES_TWIN_TABLE_MAX_BYTES, &text, &n, err);

	return r < 0 ? r : es_twin_table_read(&reading, path, text, n, &fitting->table, err);
}

bool es_twin_fit_is_near(const struct es_twin_fitting *fitting, const struct es_twin_row *row,
			 const struct es_twin_outcome *outcome)
{
	return fabs(outcome->time_s / row->time_s - 1) <= fitting->within &&
	       fabs(outcome->energy_j / row->energy_j - 1) <= fitting->within;
}

/* Keeps the programs whose name has @part in it. */
static int pick(struct es_twin_table *table, const char *part, struct es_error *err)
{
	size_t n = 0;

	for (size_t i = 0; i < table->n; i++) {
		if (strstr(table->programs[i].name, part))
			table->programs[n++] = table->programs[i];
		else
			free(table->programs[i].rows);
	}
	table->n = n;
	return n ? 0 : es_error_say(err, -ENOENT, "no program's name has '%.80s' in it", part);
}

static int fit_one(const struct es_twin_solver *solver, const struct es_twin_fitting *fitting,
		   size_t i)
{
	const struct es_twin_measured *program = &fitting->table.programs[i];
	struct es_twin_fitted *fitted = &fitting->fitted[i];
	struct es_error err = { .code = 0 };

	fitted->outcomes = calloc(program->n, sizeof(*fitted->outcomes));
	fitted->what_if = calloc(fitting->n_at + 1, sizeof(*fitted->what_if));
	if (!fitted->outcomes || !fitted->what_if)
		return -ENOMEM;
	fitted->error = es_twin_fit(solver, fitting->kind, fitting->table.knob,
				    fitting->table.scope, program->rows, program->n, &fitted->fit,
				    fitted->outcomes, &err);
	if (fitted->error == -ENOMEM)
		return -ENOMEM;
	(void)snprintf(fitted->why, sizeof(fitted->why), "%s", err.text);
	for (size_t k = 0; !fitted->error && k < program->n; k++)
		fitted->n_within +=
			es_twin_fit_is_near(fitting, &program->rows[k], &fitted->outcomes[k]);
	for (size_t k = 0; !fitted->error && k < fitting->n_at; k++) {
		int r = es_twin_fit_row(fitting->kind, fitting->table.knob, fitting->table.scope,
					fitted->fit.parameters, fitting->at[k], &fitted->what_if[k],
					NULL);

		if (r < 0)
			return r;
	}
	return 0;
}

/* A setting that the kind has not is known before anything is fitted. */
static int check_at(const struct es_twin_fitting *fitting, struct es_error *err)
{
	static const double any[ES_TWIN_FIT_PARAMETERS] = { 1, 1, 1, 1, 1 };
	struct es_error why = { .code = 0 };
	struct es_twin_outcome outcome;

	for (size_t k = 0; k < fitting->n_at; k++) {
		int r = es_twin_fit_row(fitting->kind, fitting->table.knob, fitting->table.scope,
					any, fitting->at[k], &outcome, &why);

		if (r < 0)
			return es_error_say(err, r, "--at %g: %s", fitting->at[k], why.text);
	}
	return 0;
}

static int fit_all(struct es_twin_fitting *fitting, struct es_error *err)
{
	struct es_twin_solver solver = { .calls = NULL };
	struct es_twin_settings settings = { .core_max_khz = 0 };
	struct es_twin_steady steady;
	struct es_twin_phase idle;
	int r = es_twin_fit_check(fitting->kind, fitting->table.knob, fitting->table.scope, err);

	if (r == 0)
		r = check_at(fitting, err);
	if (r == 0)
		r = es_twin_solver_open(&solver, err);
	if (r < 0)
		return r;
	/* At least one: analyzers do not see that a table without programs was refused. */
	fitting->fitted = calloc(fitting->table.n + 1, sizeof(*fitting->fitted));
	r = fitting->fitted ? 0 : -ENOMEM;
	for (size_t i = 0; i < fitting->table.n && r == 0; i++)
		r = fit_one(&solver, fitting, i);
	es_twin_solver_close(&solver);
	if (r < 0)
		return es_error_set(err, r, "cannot fit");
	es_twin_phase_init(&idle);
	idle.idle_ns = 1000000000;
	r = es_twin_steady(fitting->kind, &settings, &idle, &steady, err);
	if (r == 0)
		fitting->idle_w = (double)steady.node_uw / 1e6;
	return r;
}

static int show(const struct wishes *wishes, const struct es_twin_fitting *fitting)
{
	struct es_error err = { .code = 0 };
	int status = ES_EXIT_OK, r = 0;
	struct es_buf out;

	es_buf_init(&out, OUT_MAX_BYTES);
	if (wishes->csv) {
		es_twin_fit_csv(fitting, &out);
		r = out.error ? es_error_set(&err, out.error, "cannot write '%s'", wishes->csv)
			      : es_write_whole(wishes->csv, &out, &err);
		if (r < 0)
			status = es_complain(COMMAND, ES_EXIT_FAILURE, "%s", err.text);
		es_buf_reset(&out);
	}
	if (status == ES_EXIT_OK && wishes->wants_json)
		r = es_twin_fit_json(fitting, &out);
	else if (status == ES_EXIT_OK && !(wishes->csv && strcmp(wishes->csv, "-") == 0))
		es_twin_fit_text(fitting, wishes->is_brief, &out);
	if (r < 0 && status == ES_EXIT_OK)
		status = es_complain(COMMAND, ES_EXIT_FAILURE, "cannot write: %s", es_strerror(r));
	if (status == ES_EXIT_OK)
		status = es_put_out(COMMAND, &out);
	es_buf_finish(&out);
	return status;
}

/* "110,130": settings above zero. */
static int take_at(const char *text, struct es_twin_fitting *fitting)
{
	es_cleanup(es_freep) char *copy = strdup(text);
	char *save = NULL;

	if (!copy)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "%s", es_strerror(-ENOMEM));
	for (const char *word = strtok_r(copy, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		double value;

		if (es_parse_double(word, &value) < 0 || !(value > 0) || value > 1e6)
			return es_complain(COMMAND, ES_EXIT_USAGE,
					   "--at: '%s' is no clock, limit or number of threads",
					   word);
		if (fitting->n_at == ES_TWIN_FIT_AT_MAX)
			return es_complain(COMMAND, ES_EXIT_USAGE, "--at: more than %u settings",
					   ES_TWIN_FIT_AT_MAX);
		fitting->at[fitting->n_at++] = value;
	}
	return -1;
}

static int check(const struct wishes *wishes, struct es_twin_fitting *fitting)
{
	const char *nearest = NULL;
	int64_t ppm = 0;

	if (!wishes->kind)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--kind is missing; 'energyscopium twin kinds' lists them");
	fitting->kind = es_twin_kind_find(wishes->kind, &nearest);
	if (!fitting->kind && nearest)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "'%s' is no kind of node; did you mean '%s'?", wishes->kind,
				   nearest);
	if (!fitting->kind)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "'%s' is no kind of node; 'energyscopium twin kinds' lists them",
				   wishes->kind);
	fitting->within = WITHIN;
	if (wishes->within) {
		if (es_parse_share_ppm(wishes->within, &ppm) < 0 || ppm <= 0)
			return es_complain(COMMAND, ES_EXIT_USAGE,
					   "--within: '%s' is no share above 0 (5%%)",
					   wishes->within);
		fitting->within = (double)ppm / 1e6;
	}
	return wishes->at ? take_at(wishes->at, fitting) : -1;
}

static void finish(struct es_twin_fitting *fitting)
{
	for (size_t i = 0; fitting->fitted && i < fitting->table.n; i++) {
		free(fitting->fitted[i].outcomes);
		free(fitting->fitted[i].what_if);
	}
	free(fitting->fitted);
	es_twin_table_finish(&fitting->table);
}

static int work(const struct wishes *wishes, struct es_twin_fitting *fitting, char **paths, int n)
{
	struct es_error err = { .code = 0 };
	int r = 0;

	for (int i = 0; i < n && r == 0; i++)
		r = read_table(wishes, paths[i], fitting, &err);
	if (r == 0 && wishes->program)
		r = pick(&fitting->table, wishes->program, &err);
	if (r == 0)
		r = fit_all(fitting, &err);
	if (r < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "%s", err.text);
	return show(wishes, fitting);
}

int es_twin_cmd_fit(int argc, char **argv)
{
	struct wishes wishes = { .kind = NULL };
	const struct es_option options[] = {
		{ "kind", "KIND", "the node that was measured (twin kinds lists them)",
		  ES_OPTION_TEXT, &wishes.kind },
		{ "of", "PART", "whose energy it is: node, package or gpu", ES_OPTION_TEXT,
		  &wishes.scope },
		{ "columns", "NAME=COLUMN,…", "what our columns are called there", ES_OPTION_TEXT,
		  &wishes.columns },
		{ "program", "WORD", "only programs with that in their name", ES_OPTION_TEXT,
		  &wishes.program },
		{ "at", "X,…", "what it would take at settings that were not measured",
		  ES_OPTION_TEXT, &wishes.at },
		{ "within", "SHARE", "errors up to which a row fits (default 5%)", ES_OPTION_TEXT,
		  &wishes.within },
		{ "brief", NULL, "one line for each program", ES_OPTION_FLAG, &wishes.is_brief },
		{ "csv", "FILE", "all rows as CSV, too; '-': only that", ES_OPTION_TEXT,
		  &wishes.csv },
		{ "json", NULL, "print energyscopium.twin-fit/1", ES_OPTION_FLAG,
		  &wishes.wants_json },
	};
	const struct es_usage usage = {
		.command = COMMAND,
		.synopsis = "--kind KIND [OPTION]… TABLE.csv…",
		.text = "Holds a kind of node against measurements: rows of a clock, a power limit or a number of\n"
			"threads with the time and the energy (or mean power) of a program. At most 5 parameters of\n"
			"each program are chosen so that the twin comes nearest; each row is shown beside what the\n"
			"twin makes of it, and what is further off than 5 % is named. The last lines are the\n"
			"program as 'twin play' takes it: what would it take at another clock, on another kind?\n\n"
			"Columns: core_mhz, package_limit_w, gpu_mhz, gpu_limit_w or threads; time_s or time_ms;\n"
			"energy_j or power_w; program. Tables of Kernel Tuner, Zeus (traces, profiles), Batsim's\n"
			"P-states and wall meters by threads are known by their headers.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	struct es_twin_fitting fitting = { .kind = NULL };
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	if (first == argc)
		return es_complain(COMMAND, ES_EXIT_USAGE, "a table is missing");
	status = check(&wishes, &fitting);
	if (status < 0)
		status = work(&wishes, &fitting, argv + first, argc - first);
	finish(&fitting);
	return status;
}
