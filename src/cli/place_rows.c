/*
 * place_rows.c - runs for energyscopium place out of a table with a row for each
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/place_runs.h"
#include "opt/place.h"

int es_place_run_check(const struct es_place_run *run, const char *file, struct es_error *err)
{
	const char *why = run->energy_nkwh > (double)ES_PLACE_ENERGY_MAX_NKWH
				  ? "an energy of more than 400000 kWh"
			  : run->energy_nkwh < 1 ? "an energy of less than a millionth of a Wh"
			  : run->time_us > (double)ES_PLACE_TIME_MAX_US
				  ? "a time of more than 100000 h"
				  : NULL;

	if (!why)
		return 0;
	if (run->line > 0)
		return es_error_say(err, -EBADMSG, "'%.300s' line %zu: %s", file, run->line, why);
	return es_error_say(err, -EBADMSG, "'%.300s': %s", file, why);
}

static int take_rows(struct es_sheet *sheet, const int *names, const int *numbers, double **values,
		     struct es_place_runs *runs, struct es_error *err)
{
	double j = es_sheet_energy_unit(sheet->names[numbers[0]]);
	double s = numbers[1] < 0 ? 0 : es_sheet_time_unit(sheet->names[numbers[1]]);
	int r = 0;

	runs->has_times = numbers[1] >= 0;
	runs->runs = calloc(sheet->n, sizeof(*runs->runs));
	if (!runs->runs)
		return es_error_set(err, -ENOMEM, "cannot keep '%.300s'", sheet->file);
	for (size_t row = 0; row < sheet->n && r == 0; row++) {
		struct es_place_run *run = &runs->runs[row];

		*run = (struct es_place_run){
			.configuration = es_sheet_cell(sheet, row, names[0]),
			.class = es_sheet_cell(sheet, row, names[1]),
			.setting = names[2] < 0 ? "" : es_sheet_cell(sheet, row, names[2]),
			.energy_nkwh = values[0][row] * j * ES_PLACE_NKWH_PER_J,
			.time_us = runs->has_times ? values[1][row] * s * ES_PLACE_US_PER_S : 0,
			.order = row,
			.line = sheet->lines[row],
		};
		runs->n++;
		r = es_place_run_check(run, sheet->file, err);
	}
	return r;
}

int es_place_runs_table(struct es_sheet *sheet, const struct es_place_columns *columns,
			struct es_place_runs *runs, struct es_error *err)
{
	const struct {
		const char *option, *name;
	} wanted[] = { { "configuration", columns->configuration },
		       { "class", columns->class },
		       { "setting", columns->setting },
		       { "energy", columns->energy },
		       { "time", columns->time } };
	int at[ES_ARRAY_SIZE(wanted)] = { -1, -1, -1, -1, -1 }, r = 0;
	double *values[2] = { NULL, NULL };

	for (size_t i = 0; i < ES_ARRAY_SIZE(wanted) && r == 0; i++)
		if (wanted[i].name)
			r = es_sheet_find(sheet, wanted[i].option, wanted[i].name, &at[i], err);
	for (size_t i = 0; i < ES_ARRAY_SIZE(wanted) && r == 0; i++)
		for (size_t k = 0; k < i && r == 0; k++)
			if (at[i] >= 0 && at[i] == at[k])
				r = es_error_say(err, -EINVAL,
						 "--%s and --%s are the same column '%.60s'",
						 wanted[k].option, wanted[i].option,
						 wanted[i].name);
	if (r == 0)
		r = es_sheet_positive(sheet, &at[3], 2, values, err);
	if (r == 0)
		r = take_rows(sheet, at, &at[3], values, runs, err);
	free(values[0]);
	free(values[1]);
	return r;
}
