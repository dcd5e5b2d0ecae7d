/*
 * pareto_take.c - the points of a front: rows of a table, or runs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/pareto.h"

#define SEED 1U /* of resampling: the same answer for the same runs */

enum column {
	TIME,
	ENERGY,
	LABEL,
	TIME_CI,
	ENERGY_CI,
	N_COLUMNS
};

static const struct es_opt_range unknown = { -INFINITY, INFINITY, -INFINITY, INFINITY };

static int find(struct es_pareto *pareto, struct es_error *err)
{
	const struct {
		const char *option, *name;
		enum column column;
	} wanted[] = {
		{ "time", pareto->time, TIME },
		{ "energy", pareto->energy, ENERGY },
		{ "label", pareto->label, LABEL },
		{ "time-ci", pareto->time_ci, TIME_CI },
		{ "energy-ci", pareto->energy_ci, ENERGY_CI },
	};
	size_t used = 0;
	int r = 0;

	for (size_t i = 0; i < N_COLUMNS; i++)
		pareto->columns[i] = -1;
	for (size_t i = 0; r == 0 && i < ES_ARRAY_SIZE(wanted); i++)
		if (wanted[i].name)
			r = es_sheet_find(&pareto->rows, wanted[i].option, wanted[i].name,
					  &pareto->columns[wanted[i].column], err);
	for (size_t i = 0; r == 0 && i < pareto->group.n; i++)
		r = es_sheet_find_list(&pareto->rows, "group", pareto->group.texts[i],
				       ES_SHEET_GROUP_COLUMNS_MAX, pareto->group_columns,
				       &pareto->n_group_columns, err);
	if (r == 0 && pareto->columns[TIME] == pareto->columns[ENERGY])
		r = es_error_say(err, -EINVAL, "--time and --energy are the same column '%s'",
				 pareto->time);
	for (size_t i = 0; r == 0 && i < pareto->n_group_columns; i++) {
		int n = snprintf(pareto->group_name + used, sizeof(pareto->group_name) - used,
				 "%s%.60s", i ? " / " : "",
				 pareto->rows.names[pareto->group_columns[i]]);

		used += n > 0 && (size_t)n < sizeof(pareto->group_name) - used ? (size_t)n : 0;
	}
	return r;
}

/* Unless it is said: the first other column of words, else the first other one. */
static int label_of(const struct es_pareto *pareto)
{
	int label = pareto->columns[LABEL];
	bool is_word = label >= 0;

	for (int i = 0; i < pareto->rows.n_columns && !is_word; i++) {
		bool is_other = true;
		double value;

		for (size_t k = 0; k < pareto->n_group_columns; k++)
			is_other &= i != pareto->group_columns[k];
		for (size_t k = 0; k < N_COLUMNS; k++)
			is_other &= i != pareto->columns[k];
		if (!is_other || !pareto->rows.names[i][0])
			continue;
		is_word = es_parse_double(es_sheet_cell(&pareto->rows, 0, i), &value) < 0;
		label = is_word || label < 0 ? i : label;
	}
	return label;
}

/* A half width: 0 or more; an empty cell says that it is not known. */
static int take_half(const struct es_sheet *rows, size_t row, int column, double *ret,
		     struct es_error *err)
{
	const char *text = es_sheet_cell(rows, row, column);

	if (!text[0]) {
		*ret = INFINITY;
		return 0;
	}
	if (es_parse_double(text, ret) < 0 || !(*ret >= 0))
		return es_error_say(
			err, -EBADMSG,
			"'%.300s':%zu: column '%.60s': '%.60s' is no half width of an interval",
			rows->file, rows->lines[row], rows->names[column], text);
	return 0;
}

static int take_range(struct es_pareto *pareto, struct es_pareto_point *point, struct es_error *err)
{
	double halves[2] = { INFINITY, INFINITY };
	int r = 0;

	for (int i = 0; r == 0 && i < 2; i++)
		if (pareto->columns[TIME_CI + i] >= 0)
			r = take_half(&pareto->rows, point->row, pareto->columns[TIME_CI + i],
				      &halves[i], err);
	/* A column that is not there is taken for exact, if the other one is. */
	for (int i = 0; i < 2; i++)
		if (pareto->columns[TIME_CI + i] < 0 && pareto->columns[TIME_CI + 1 - i] >= 0)
			halves[i] = 0;
	point->range =
		(struct es_opt_range){ point->at.time - halves[0], point->at.time + halves[0],
				       point->at.energy - halves[1], point->at.energy + halves[1] };
	point->has_range = isfinite(halves[0]) && isfinite(halves[1]);
	return r;
}

static int add_rows(struct es_pareto *pareto, double *const *values, struct es_error *err)
{
	int label = label_of(pareto), r = 0;

	pareto->points = calloc(pareto->rows.n, sizeof(*pareto->points));
	if (!pareto->points)
		return es_error_set(err, -ENOMEM, "cannot keep the rows");
	pareto->n = pareto->rows.n;
	for (size_t i = 0; r == 0 && i < pareto->n; i++) {
		struct es_pareto_point *point = &pareto->points[i];

		*point = (struct es_pareto_point){
			.at = { values[0][i], values[1][i] },
			.row = i,
			.name = label >= 0 ? es_sheet_cell(&pareto->rows, i, label) : ""
		};
		r = take_range(pareto, point, err);
	}
	return r;
}

static int set_intervals(struct es_pareto_point *point, const double *times, size_t n_times,
			 const double *energies, size_t n_energies, struct es_error *err)
{
	int r = es_interval_of(times, n_times, SEED, &point->time);

	if (r == 0)
		r = es_interval_of(energies, n_energies, SEED, &point->energy);
	if (r < 0)
		return es_error_set(err, r, "cannot find the intervals of '%.100s'", point->name);
	point->at = (struct es_opt_point){ point->time.mean, point->energy.mean };
	point->range = unknown;
	point->has_range = point->time.method != ES_INTERVAL_NONE &&
			   point->energy.method != ES_INTERVAL_NONE;
	if (point->has_range)
		point->range = (struct es_opt_range){ point->time.low, point->time.high,
						      point->energy.low, point->energy.high };
	return 0;
}

/* Rows that have the same label within a group. */
static int add_repeats(struct es_pareto *pareto, double *const *values, struct es_error *err)
{
	struct es_sheet_groups *split = &pareto->configurations;
	es_cleanup(es_freep) double *times = calloc(pareto->rows.n, sizeof(*times));
	es_cleanup(es_freep) double *energies = calloc(pareto->rows.n, sizeof(*energies));
	int columns[ES_SHEET_GROUP_COLUMNS_MAX + 1], r = 0;

	memcpy(columns, pareto->group_columns, sizeof(pareto->group_columns));
	columns[pareto->n_group_columns] = pareto->columns[LABEL];
	if (!times || !energies ||
	    es_sheet_group(&pareto->rows, columns, pareto->n_group_columns + 1, split) < 0)
		return es_error_set(err, -ENOMEM, "cannot keep the rows");
	pareto->points = calloc(split->n + 1, sizeof(*pareto->points));
	if (!pareto->points)
		return es_error_set(err, -ENOMEM, "cannot keep the rows");
	pareto->n = split->n;
	for (size_t i = 0; r == 0 && i < split->n; i++) {
		const size_t *rows = &split->rows[split->first[i]];
		size_t n = split->first[i + 1] - split->first[i];

		for (size_t k = 0; k < n; k++) {
			times[k] = values[0][rows[k]];
			energies[k] = values[1][rows[k]];
		}
		pareto->points[i].row = rows[0];
		pareto->points[i].name =
			es_sheet_cell(&pareto->rows, rows[0], pareto->columns[LABEL]);
		r = set_intervals(&pareto->points[i], times, n, energies, n, err);
	}
	return r;
}

static int set_groups(struct es_pareto *pareto, struct es_error *err)
{
	struct es_sheet_groups *split = &pareto->split;
	es_cleanup(es_freep) size_t *group_of = calloc(pareto->rows.n, sizeof(*group_of));

	if (!group_of || es_sheet_group(&pareto->rows, pareto->group_columns,
					pareto->n_group_columns, split) < 0)
		return es_error_set(err, -ENOMEM, "cannot find the groups");
	for (size_t i = 0; i < split->n; i++)
		for (size_t k = split->first[i]; k < split->first[i + 1]; k++)
			group_of[split->rows[k]] = i;
	for (size_t i = 0; i < pareto->n; i++)
		pareto->points[i].group = group_of[pareto->points[i].row];
	pareto->groups = calloc(split->n + 1, sizeof(*pareto->groups));
	if (!pareto->groups)
		return es_error_set(err, -ENOMEM, "cannot find the groups");
	pareto->n_groups = split->n;
	for (size_t i = 0; i < split->n; i++)
		pareto->groups[i].group = split->names[i];
	return 0;
}

static int take_table(struct es_pareto *pareto, struct es_error *err)
{
	double *values[2] = { NULL, NULL };
	int r = es_sheet_read(pareto->paths[0], &pareto->rows, err);

	if (r == 0)
		r = find(pareto, err);
	if (r < 0)
		return r;
	r = es_sheet_positive(&pareto->rows, pareto->columns, ES_ARRAY_SIZE(values), values, err);
	if (es_sheet_complain(&pareto->rows, ES_PARETO, pareto->is_strict) < 0 && r == 0)
		r = -EBADMSG;
	if (r == 0)
		r = es_sheet_refuse_estimates(&pareto->rows, err);
	pareto->is_rows = !pareto->has_repeats;
	if (r == 0)
		r = pareto->has_repeats ? add_repeats(pareto, values, err)
					: add_rows(pareto, values, err);
	if (r == 0 && pareto->n_group_columns)
		r = set_groups(pareto, err);
	free(values[0]);
	free(values[1]);
	return r;
}

static int add_configuration(struct es_pareto *pareto, size_t group, struct es_error *err)
{
	struct es_pareto_point *point = &pareto->points[pareto->n];
	es_cleanup(es_freep) double *times = NULL;
	es_cleanup(es_freep) double *energies = NULL;
	const char *why = "";
	size_t n_times, n_energies;

	if (!es_trials_can_compare_energy(&pareto->trials, group, &why)) {
		(void)es_complain(ES_PARETO, 0, "'%s' is left out: %s",
				  pareto->trials.groups[group], why);
		return 0;
	}
	if (es_trials_values(&pareto->trials, group, ES_TRIAL_TIME, &times, &n_times) < 0 ||
	    es_trials_values(&pareto->trials, group, ES_TRIAL_ENERGY, &energies, &n_energies) < 0)
		return es_error_set(err, -ENOMEM, "cannot keep the runs");
	if (n_times == 0 || n_energies == 0) {
		(void)es_complain(ES_PARETO, 0, "'%s' is left out: its time is not known",
				  pareto->trials.groups[group]);
		return 0;
	}
	point->name = pareto->trials.groups[group];
	pareto->n++;
	return set_intervals(point, times, n_times, energies, n_energies, err);
}

static int take_runs(struct es_pareto *pareto, struct es_error *err)
{
	const struct es_trials_ask ask = { .command = ES_PARETO, .is_strict = pareto->is_strict };
	size_t n_timed = 0;
	int r;

	pareto->chain.command = ES_PARETO;
	r = es_chain_load(&pareto->chain, err);
	for (size_t i = 0; r == 0 && i < pareto->n_paths; i++)
		r = es_trials_read(&pareto->trials, pareto->paths[i], NULL, &ask, &pareto->chain,
				   err);
	if (r < 0)
		return r;
	pareto->points = calloc(pareto->trials.n_groups + 1, sizeof(*pareto->points));
	if (!pareto->points)
		return es_error_set(err, -ENOMEM, "cannot keep the runs");
	for (size_t i = 0; r == 0 && i < pareto->trials.n_groups; i++)
		r = add_configuration(pareto, i, err);
	for (size_t i = 0; i < pareto->trials.n; i++)
		n_timed += pareto->trials.trials[i].has_time;
	if (r == 0 && n_timed == 0 && pareto->trials.has_table)
		return es_error_say(err, -EINVAL,
				    "of a table the columns are wanted: --time COL --energy COL");
	if (r == 0 && pareto->n == 0)
		r = es_error_say(
			err, -ENODATA,
			"energy: no meter here can see this difference: there is no front");
	pareto->time = "time_s";
	pareto->energy = "energy_j";
	return r;
}

int es_pareto_take(struct es_pareto *pareto, struct es_error *err)
{
	int r = pareto->time ? take_table(pareto, err) : take_runs(pareto, err);

	for (size_t i = 0; r == 0 && i < pareto->n; i++)
		pareto->has_ranges |= pareto->points[i].has_range;
	return r;
}
