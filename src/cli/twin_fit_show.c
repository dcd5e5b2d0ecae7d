/*
 * twin_fit_show.c - what energyscopium twin fit found, for people and programs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "cli/twin_fit.h"

#define SCHEMA "energyscopium.twin-fit/1"
#define PERCENT 100.0

static double off(double simulated, double measured)
{
	return simulated / measured - 1;
}

static bool fits(const struct es_twin_fitting *fitting, size_t i)
{
	return !fitting->fitted[i].error &&
	       fitting->fitted[i].n_within == fitting->table.programs[i].n;
}

static void setting_text(double setting, char text[static ES_QUANTITY_TEXT_BYTES])
{
	if (setting > 0)
		(void)snprintf(text, ES_QUANTITY_TEXT_BYTES, "%g", setting);
	else
		(void)snprintf(text, ES_QUANTITY_TEXT_BYTES, "top");
}

static void rows_text(const struct es_twin_fitting *fitting, size_t i, struct es_buf *out)
{
	const struct es_twin_measured *program = &fitting->table.programs[i];
	const struct es_twin_fitted *fitted = &fitting->fitted[i];

	(void)es_buf_printf(out, "  %9s %12s %12s %8s %12s %12s %8s\n",
			    es_twin_knob_unit(fitting->table.knob), "time s", "simulated", "error",
			    "energy J", "simulated", "error");
	for (size_t k = 0; k < program->n; k++) {
		const struct es_twin_row *row = &program->rows[k];
		const struct es_twin_outcome *outcome = &fitted->outcomes[k];
		char setting[ES_QUANTITY_TEXT_BYTES];

		setting_text(row->setting, setting);
		(void)es_buf_printf(out,
				    "  %9s %12.6g %12.6g %+7.1f%% %12.6g %12.6g %+7.1f%%%s%s\n",
				    setting, row->time_s, outcome->time_s,
				    PERCENT * off(outcome->time_s, row->time_s), row->energy_j,
				    outcome->energy_j,
				    PERCENT * off(outcome->energy_j, row->energy_j),
				    outcome->is_clipped ? "  clipped" : "",
				    es_twin_fit_is_near(fitting, row, outcome) ? "" : "  off");
	}
}

static void what_if_text(const struct es_twin_fitting *fitting, size_t i, struct es_buf *out)
{
	for (size_t k = 0; k < fitting->n_at; k++) {
		const struct es_twin_outcome *outcome = &fitting->fitted[i].what_if[k];

		(void)es_buf_printf(out, "  %9g %12s %12.6g %8s %12s %12.6g%s\n", fitting->at[k],
				    "-", outcome->time_s, "", "-", outcome->energy_j,
				    outcome->is_clipped ? "           clipped" : "");
	}
}

/* The program as it is at its last row, the highest setting. */
static void phases_text(const struct es_twin_fitting *fitting, size_t i, const char *indent,
			struct es_buf *out)
{
	const struct es_twin_measured *program = &fitting->table.programs[i];
	struct es_twin_phase phases[ES_TWIN_FIT_PHASES];
	char text[ES_TWIN_PHASE_TEXT_BYTES];
	size_t n = es_twin_fit_phases(fitting->kind, fitting->table.knob,
				      fitting->fitted[i].fit.parameters,
				      program->rows[program->n - 1].setting, phases);

	for (size_t k = 0; k < n; k++)
		(void)es_buf_printf(out, "%s%s\n", indent,
				    es_twin_phase_print(&phases[k], text, sizeof(text)));
}

static void program_text(const struct es_twin_fitting *fitting, size_t i, struct es_buf *out)
{
	const struct es_twin_fitted *fitted = &fitting->fitted[i];
	const struct es_twin_fit *fit = &fitted->fit;

	(void)es_buf_printf(out, "\n%s\n", fitting->table.programs[i].name);
	if (fitted->error) {
		(void)es_buf_printf(out, "  not fitted: %s\n", fitted->why);
		return;
	}
	rows_text(fitting, i, out);
	what_if_text(fitting, i, out);
	(void)es_buf_printf(
		out,
		"  largest error: time %.1f %%, energy %.1f %%; mean: time %.1f %%, energy %.1f %%\n"
		"  parameters:",
		PERCENT * fit->time_error_max, PERCENT * fit->energy_error_max,
		PERCENT * fit->time_error_mean, PERCENT * fit->energy_error_mean);
	for (size_t k = 0; k < ES_TWIN_FIT_PARAMETERS; k++)
		(void)es_buf_printf(out, " %s=%.4g", es_twin_parameter_name(fitting->table.knob, k),
				    fit->parameters[k]);
	(void)es_buf_str(out, "\n  for 'twin play':\n");
	phases_text(fitting, i, "    ", out);
}

static void program_line(const struct es_twin_fitting *fitting, size_t i, struct es_buf *out)
{
	const struct es_twin_fitted *fitted = &fitting->fitted[i];
	const struct es_twin_fit *fit = &fitted->fit;

	if (fitted->error) {
		(void)es_buf_printf(out, "%7s %7s %7s %7s  %s: %s\n", "-", "-", "-", "-",
				    fitting->table.programs[i].name, fitted->why);
		return;
	}
	(void)es_buf_printf(out, "%6.1f%% %6.1f%% %3zu/%-3zu %6.1f%%  %s\n",
			    PERCENT * fit->time_error_max, PERCENT * fit->energy_error_max,
			    fitted->n_within, fitting->table.programs[i].n, PERCENT * fit->scatter,
			    fitting->table.programs[i].name);
}

struct totals {
	size_t n_fit, n_rows, n_within, n_scattered;
};

static struct totals total(const struct es_twin_fitting *fitting)
{
	struct totals totals = { .n_fit = 0 };

	for (size_t i = 0; i < fitting->table.n; i++) {
		totals.n_fit += fits(fitting, i);
		totals.n_rows += fitting->table.programs[i].n;
		totals.n_within += fitting->fitted[i].n_within;
		totals.n_scattered += !fits(fitting, i) &&
				      fitting->fitted[i].fit.scatter > fitting->within;
	}
	return totals;
}

/* Which rows of which programs are off. */
static void misfits_text(const struct es_twin_fitting *fitting, struct es_buf *out)
{
	for (size_t i = 0; i < fitting->table.n; i++) {
		const struct es_twin_measured *program = &fitting->table.programs[i];
		const char *comma = "";

		if (fits(fitting, i) || fitting->fitted[i].error)
			continue;
		(void)es_buf_printf(out, "  %s: off at ", program->name);
		for (size_t k = 0; k < program->n; k++) {
			char setting[ES_QUANTITY_TEXT_BYTES];

			if (es_twin_fit_is_near(fitting, &program->rows[k],
						&fitting->fitted[i].outcomes[k]))
				continue;
			setting_text(program->rows[k].setting, setting);
			(void)es_buf_printf(out, "%s%s", comma, setting);
			comma = ", ";
		}
		(void)es_buf_printf(out, " %s", es_twin_knob_unit(fitting->table.knob));
		if (fitting->fitted[i].fit.scatter > fitting->within)
			(void)es_buf_printf(
				out, "; its times scatter by %.1f %%: more did not make it faster",
				PERCENT * fitting->fitted[i].fit.scatter);
		(void)es_buf_str(out, "\n");
	}
}

void es_twin_fit_text(const struct es_twin_fitting *fitting, bool is_brief, struct es_buf *out)
{
	const struct es_twin_table *table = &fitting->table;
	struct totals totals = total(fitting);

	(void)es_buf_printf(out, "%s: %s; energy of the %s by %s, %zu programs, %zu rows\n",
			    fitting->kind->name, table->shape, es_twin_scope_name(table->scope),
			    es_twin_knob_name(table->knob), table->n, totals.n_rows);
	if (table->idle_w > 0)
		(void)es_buf_printf(out, "idle: measured %.1f W, simulated %.1f W\n", table->idle_w,
				    fitting->idle_w);
	if (is_brief)
		(void)es_buf_printf(out, "\n%7s %7s %7s %7s  %s\n", "time", "energy", "rows",
				    "scatter", "program");
	for (size_t i = 0; i < table->n; i++) {
		if (is_brief)
			program_line(fitting, i, out);
		else
			program_text(fitting, i, out);
	}
	(void)es_buf_printf(
		out, "\nwithin %g %% in time and energy: %zu of %zu programs, %zu of %zu rows\n",
		PERCENT * fitting->within, totals.n_fit, table->n, totals.n_within, totals.n_rows);
	if (totals.n_fit < table->n) {
		(void)es_buf_str(out, "not fitting:\n");
		misfits_text(fitting, out);
	}
}

/* Names come from a table: quoted where a comma or a quote is in them. */
static void csv_word(const char *word, struct es_buf *out)
{
	if (!strpbrk(word, ",\"")) {
		(void)es_buf_str(out, word);
		return;
	}
	(void)es_buf_u8(out, '"');
	for (const char *p = word; *p; p++) {
		if (*p == '"')
			(void)es_buf_u8(out, '"');
		(void)es_buf_u8(out, (uint8_t)*p);
	}
	(void)es_buf_u8(out, '"');
}

void es_twin_fit_csv(const struct es_twin_fitting *fitting, struct es_buf *out)
{
	(void)es_buf_printf(
		out, "program,%s,time_s,simulated_time_s,energy_j,simulated_energy_j,clipped\n",
		es_twin_knob_name(fitting->table.knob));
	for (size_t i = 0; i < fitting->table.n; i++) {
		const struct es_twin_measured *program = &fitting->table.programs[i];

		for (size_t k = 0; !fitting->fitted[i].error && k < program->n; k++) {
			const struct es_twin_outcome *outcome = &fitting->fitted[i].outcomes[k];

			csv_word(program->name, out);
			(void)es_buf_printf(out, ",%g,%.9g,%.9g,%.9g,%.9g,%d\n",
					    program->rows[k].setting, program->rows[k].time_s,
					    outcome->time_s, program->rows[k].energy_j,
					    outcome->energy_j, outcome->is_clipped);
		}
	}
}

static void row_json(const struct es_twin_fitting *fitting, const struct es_twin_row *row,
		     const struct es_twin_outcome *outcome, struct es_json *json)
{
	es_json_object(json, NULL);
	if (row->setting > 0)
		es_json_double(json, es_twin_knob_name(fitting->table.knob), row->setting);
	else
		es_json_null(json, es_twin_knob_name(fitting->table.knob));
	es_json_double(json, "time_s", row->time_s);
	es_json_double(json, "simulated_time_s", outcome->time_s);
	es_json_double(json, "energy_j", row->energy_j);
	es_json_double(json, "simulated_energy_j", outcome->energy_j);
	es_json_bool(json, "clipped", outcome->is_clipped);
	es_json_bool(json, "fits", es_twin_fit_is_near(fitting, row, outcome));
	es_json_object_end(json);
}

static void what_if_json(const struct es_twin_fitting *fitting, size_t i, struct es_json *json)
{
	es_json_array(json, "what_if");
	for (size_t k = 0; k < fitting->n_at; k++) {
		const struct es_twin_outcome *outcome = &fitting->fitted[i].what_if[k];

		es_json_object(json, NULL);
		es_json_double(json, es_twin_knob_name(fitting->table.knob), fitting->at[k]);
		es_json_double(json, "simulated_time_s", outcome->time_s);
		es_json_double(json, "simulated_energy_j", outcome->energy_j);
		es_json_bool(json, "clipped", outcome->is_clipped);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

static void phases_json(const struct es_twin_fitting *fitting, size_t i, struct es_json *json)
{
	const struct es_twin_measured *program = &fitting->table.programs[i];
	struct es_twin_phase phases[ES_TWIN_FIT_PHASES];
	char text[ES_TWIN_PHASE_TEXT_BYTES];
	size_t n = es_twin_fit_phases(fitting->kind, fitting->table.knob,
				      fitting->fitted[i].fit.parameters,
				      program->rows[program->n - 1].setting, phases);

	es_json_array(json, "phases");
	for (size_t k = 0; k < n; k++)
		es_json_string(json, NULL, es_twin_phase_print(&phases[k], text, sizeof(text)));
	es_json_array_end(json);
}

static void program_json(const struct es_twin_fitting *fitting, size_t i, struct es_json *json)
{
	const struct es_twin_measured *program = &fitting->table.programs[i];
	const struct es_twin_fitted *fitted = &fitting->fitted[i];

	es_json_object(json, NULL);
	es_json_string(json, "name", program->name);
	es_json_string(json, "error", fitted->error ? fitted->why : NULL);
	if (!fitted->error) {
		es_json_bool(json, "fits", fits(fitting, i));
		es_json_u64(json, "rows_within", fitted->n_within);
		es_json_double(json, "time_error_max", fitted->fit.time_error_max);
		es_json_double(json, "time_error_mean", fitted->fit.time_error_mean);
		es_json_double(json, "energy_error_max", fitted->fit.energy_error_max);
		es_json_double(json, "energy_error_mean", fitted->fit.energy_error_mean);
		es_json_double(json, "scatter", fitted->fit.scatter);
		es_json_object(json, "parameters");
		for (size_t k = 0; k < ES_TWIN_FIT_PARAMETERS; k++)
			es_json_double(json, es_twin_parameter_name(fitting->table.knob, k),
				       fitted->fit.parameters[k]);
		es_json_object_end(json);
		phases_json(fitting, i, json);
		es_json_array(json, "rows");
		for (size_t k = 0; k < program->n; k++)
			row_json(fitting, &program->rows[k], &fitted->outcomes[k], json);
		es_json_array_end(json);
		what_if_json(fitting, i, json);
	}
	es_json_object_end(json);
}

int es_twin_fit_json(const struct es_twin_fitting *fitting, struct es_buf *out)
{
	struct totals totals = total(fitting);
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", SCHEMA);
	es_json_string(&json, "kind", fitting->kind->name);
	es_json_string(&json, "table", fitting->table.shape);
	es_json_string(&json, "knob", es_twin_knob_name(fitting->table.knob));
	es_json_string(&json, "of", es_twin_scope_name(fitting->table.scope));
	es_json_double(&json, "within", fitting->within);
	if (fitting->table.idle_w > 0) {
		es_json_double(&json, "idle_w", fitting->table.idle_w);
		es_json_double(&json, "simulated_idle_w", fitting->idle_w);
	}
	es_json_u64(&json, "n_programs", fitting->table.n);
	es_json_u64(&json, "n_programs_fit", totals.n_fit);
	es_json_u64(&json, "n_rows", totals.n_rows);
	es_json_u64(&json, "n_rows_fit", totals.n_within);
	es_json_array(&json, "programs");
	for (size_t i = 0; i < fitting->table.n; i++)
		program_json(fitting, i, &json);
	es_json_array_end(&json);
	es_json_object_end(&json);
	(void)es_json_end(&json);
	(void)es_buf_u8(out, '\n');
	return out->error;
}
