/*
 * place_source.c - energyscopium place: energies from a matrix, from a table with a row for each run, or from recordings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "cli/place.h"

#define COMMAND "place"

static int read_matrix(struct es_placing *placing, struct es_error *err)
{
	return es_place_table_load(placing->paths[0], COMMAND, placing->is_strict, false,
				   &placing->energies, err);
}

static int read_rows(struct es_placing *placing, struct es_error *err)
{
	struct es_place_runs *runs = &placing->runs;
	struct es_place_columns columns = placing->columns;
	int r = es_sheet_read(placing->paths[0], &runs->sheet, err);

	columns.time = placing->time;
	if (r == 0)
		r = es_place_runs_table(&runs->sheet, &columns, runs, err);
	if ((r == 0 || r == -ENODATA) &&
	    es_sheet_complain(&runs->sheet, COMMAND, placing->is_strict) < 0 && r == 0)
		r = es_error_say(err, -EBADMSG, "'%.300s' is left alone", placing->paths[0]);
	return r;
}

static int read_recordings(struct es_placing *placing, struct es_error *err)
{
	const struct es_trials_ask ask = { .command = COMMAND, .is_strict = placing->is_strict };
	struct es_chain chain = { .command = COMMAND };
	int r = es_chain_load(&chain, err);

	for (size_t i = 0; i < placing->n_paths && r == 0; i++) {
		r = es_trials_read(&placing->runs.trials, placing->paths[i], NULL, &ask, &chain,
				   err);
		if (r == 0 && placing->runs.trials.has_table)
			r = es_error_say(
				err, -EINVAL,
				"'%.300s' is a table, no recording: give it without --runs, with "
				"--configuration, --class and --energy",
				placing->paths[i]);
	}
	es_chain_finish(&chain);
	if (r == 0)
		r = es_place_runs_trials(&placing->runs, placing->is_by_node, err);
	return r;
}

/* What is left out or to be doubted is told before the answer. */
static int tell(const struct es_placing *placing, struct es_error *err)
{
	const struct es_place_runs *runs = &placing->runs;

	if (runs->wide && placing->horizon_us > 0)
		return es_error_say(
			err, -EINVAL,
			"run '%.60s' was on several nodes, or does not say on which one: its "
			"node-hours are not known, so that --horizon cannot count them",
			runs->wide);
	if (runs->n_failed + runs->n_lacking > 0 && placing->is_strict)
		return es_error_say(
			err, -EBADMSG,
			"%zu runs failed, %zu lack their energy or time; nothing is placed "
			"(--strict)",
			runs->n_failed, runs->n_lacking);
	if (runs->n_failed + runs->n_lacking > 0)
		(void)es_complain(COMMAND, 0, "left out: %zu runs failed, %zu lack energy or time",
				  runs->n_failed, runs->n_lacking);
	if (runs->warning[0])
		(void)es_complain(COMMAND, 0, "%s", runs->warning);
	return 0;
}

int es_placing_read_energies(struct es_placing *placing)
{
	struct es_error err = { .code = 0 };
	bool is_matrix = !placing->is_runs && !placing->columns.configuration;
	int r = placing->is_runs ? read_recordings(placing, &err)
		: is_matrix	 ? read_matrix(placing, &err)
				 : read_rows(placing, &err);

	if (r == 0 && placing->is_runs)
		r = tell(placing, &err);
	if (r == 0 && !is_matrix)
		r = es_place_runs_name(&placing->runs, &placing->energies.configurations,
				       &placing->energies.classes, &err);
	return r < 0 ? es_complain(COMMAND, ES_EXIT_FAILURE, "%s", err.text) : -1;
}

int es_placing_take_runs(struct es_placing *placing)
{
	size_t n = placing->problem.n, m = placing->problem.m;
	const struct es_place_wish wish = { placing->deadline_us, placing->limits.slowdown_ppm };
	int r = -ENOMEM;

	placing->energies.cells = calloc(n * m, sizeof(*placing->energies.cells));
	placing->cells = calloc(n * m, sizeof(*placing->cells));
	placing->best_us = calloc(n, sizeof(*placing->best_us));
	if (placing->runs.has_times)
		placing->times.cells = calloc(n * m, sizeof(*placing->times.cells));
	if (placing->energies.cells && placing->cells && placing->best_us &&
	    (placing->times.cells || !placing->runs.has_times))
		r = es_place_runs_choose(&placing->runs, m, &wish, placing->cells,
					 placing->best_us);
	if (r < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "cannot make means: %s",
				   es_strerror(r));
	for (size_t cell = 0; cell < n * m; cell++) {
		if (placing->cells[cell].n == 0)
			continue;
		placing->energies.cells[cell] = llround(placing->cells[cell].energy_nkwh.mean);
		if (placing->runs.has_times)
			placing->times.cells[cell] = llround(fmax(placing->cells[cell].time_us, 1));
	}
	if (placing->runs.has_times)
		placing->limits.best_us = placing->best_us;
	return -1;
}
