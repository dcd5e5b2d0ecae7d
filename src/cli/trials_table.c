/*
 * trials_table.c - runs out of the rows of a table
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
#include "base/text.h"
#include "cli/sheet.h"
#include "cli/trials_private.h"
#include "core/domain.h"

enum column {
	COLUMN_TIME, /* these two are numbers above 0 */
	COLUMN_ENERGY,
	COLUMN_QUALITY,
	COLUMN_NODE,
	COLUMN_COMMAND,
	COLUMN_KIND,
	COLUMN_STATUS,
	COLUMNS,
};

#define NUMBERS 2

struct table {
	const struct es_trials_reading *reading;
	struct es_sheet sheet;
	int columns[COLUMNS]; /* -1: none */
	int groups[ES_SHEET_GROUP_COLUMNS_MAX]; /* [n_groups] rows with the same words in them are one group */
	size_t n_groups;
	double *values[NUMBERS]; /* [sheet.n] owned */
};

/* -1 where the table has none of that name. */
static int find_quietly(const struct es_sheet *sheet, const char *name)
{
	for (int i = 0; i < sheet->n_columns; i++)
		if (strcmp(sheet->names[i], name) == 0)
			return i;
	return -1;
}

static int find_asked(struct table *table, enum column column, const char *option, const char *name,
		      struct es_error *err)
{
	return name ? es_sheet_find(&table->sheet, option, name, &table->columns[column], err) : 0;
}

static int find_columns(struct table *table, struct es_error *err)
{
	const struct es_trials_ask *ask = table->reading->ask;
	int *columns = table->columns, r;

	for (int i = 0; i < COLUMNS; i++)
		columns[i] = -1;
	r = find_asked(table, COLUMN_TIME, "time", ask->time, err);
	if (r == 0)
		r = find_asked(table, COLUMN_ENERGY, "energy", ask->energy, err);
	if (r == 0)
		r = find_asked(table, COLUMN_QUALITY, "quality", ask->quality, err);
	if (r == 0 && !table->reading->group && ask->group)
		r = es_sheet_find_list(&table->sheet, "group", ask->group,
				       ES_ARRAY_SIZE(table->groups), table->groups,
				       &table->n_groups, err);
	if (r < 0)
		return r;
	if (!ask->time)
		columns[COLUMN_TIME] = find_quietly(&table->sheet, "duration_s");
	if (!ask->energy)
		columns[COLUMN_ENERGY] = find_quietly(&table->sheet, "energy_j");
	columns[COLUMN_NODE] = find_quietly(&table->sheet, "node");
	columns[COLUMN_COMMAND] = find_quietly(&table->sheet, "command");
	columns[COLUMN_KIND] = find_quietly(&table->sheet, "kind");
	columns[COLUMN_STATUS] = find_quietly(&table->sheet, "exit_status");
	if (columns[COLUMN_TIME] < 0 && columns[COLUMN_ENERGY] < 0)
		return es_error_say(
			err, -ENOENT,
			"'%.200s' has neither a column 'duration_s' nor 'energy_j': say which ones hold times and energies (--time COL, --energy COL)",
			table->sheet.file);
	if (columns[COLUMN_TIME] == columns[COLUMN_ENERGY])
		return es_error_say(err, -EINVAL, "--time and --energy are the same column '%.60s'",
				    ask->time);
	return 0;
}

static int bad_cell(const struct table *table, size_t row, enum column column, const char *why,
		    struct es_error *err)
{
	return es_error_say(err, -EBADMSG, "'%.300s':%zu: column '%.60s': '%.60s' %s",
			    table->sheet.file, table->sheet.lines[row],
			    table->sheet.names[table->columns[column]],
			    es_sheet_cell(&table->sheet, row, table->columns[column]), why);
}

static const char *cell(const struct table *table, size_t row, enum column column)
{
	return table->columns[column] < 0
		       ? ""
		       : es_sheet_cell(&table->sheet, row, table->columns[column]);
}

/* An empty cell says nothing; nan says something that is no number. */
static int take_quality(const struct table *table, size_t row, struct es_trial *trial,
			struct es_error *err)
{
	const char *text = cell(table, row, COLUMN_QUALITY),
		   *digits = text + (text[0] == '-' || text[0] == '+');

	if (strncasecmp(digits, "nan", 3) == 0 || strncasecmp(digits, "inf", 3) == 0)
		return bad_cell(table, row, COLUMN_QUALITY, "is no measurement", err);
	trial->has_quality = es_parse_double(text, &trial->quality) == 0;
	if (!trial->has_quality && text[0])
		return bad_cell(table, row, COLUMN_QUALITY, "is no number", err);
	return 0;
}

static int take_words(const struct table *table, size_t row, struct es_trial *trial,
		      struct es_error *err)
{
	const char *status = cell(table, row, COLUMN_STATUS);
	enum es_kind kind;
	int64_t number;

	(void)snprintf(trial->name, sizeof(trial->name), "line %zu", table->sheet.lines[row]);
	(void)snprintf(trial->node, sizeof(trial->node), "%s", cell(table, row, COLUMN_NODE));
	(void)snprintf(trial->command, sizeof(trial->command), "%s",
		       cell(table, row, COLUMN_COMMAND));
	es_text_make_safe(trial->node, false);
	if (es_kind_from_name(cell(table, row, COLUMN_KIND), &kind) == 0) {
		(void)snprintf(trial->kind, sizeof(trial->kind), "%s", es_kind_name(kind));
		trial->is_proportional = kind == ES_KIND_ESTIMATED;
	}
	if (status[0] && es_parse_i64(status, &number) < 0)
		return bad_cell(table, row, COLUMN_STATUS, "is no exit status", err);
	trial->is_failed = status[0] && number != 0;
	return 0;
}

static int row_group(const struct table *table, size_t row, struct es_error *err)
{
	const struct es_trials_reading *reading = table->reading;
	const struct es_sheet *sheet = &table->sheet;
	char name[ES_NAME_MAX_BYTES] = "";
	size_t used = 0;
	int r;

	if (table->n_groups == 0)
		return es_trials_group_of(reading, reading->path, err);
	for (size_t i = 0; i < table->n_groups; i++) {
		const char *text = es_sheet_cell(sheet, row, table->groups[i]);
		int n = snprintf(name + used, sizeof(name) - used, "%s%s", i ? " / " : "", text);

		if (text[0] == '\0' || n < 0 || (size_t)n >= sizeof(name) - used)
			return es_error_say(err, -EBADMSG, "'%.300s':%zu: column '%.60s' %s",
					    sheet->file, sheet->lines[row],
					    sheet->names[table->groups[i]],
					    text[0] ? "is too long for a name"
						    : "is empty: the row has no group");
		used += (size_t)n;
	}
	es_text_make_safe(name, false);
	r = es_trials_group(reading->trials, name);
	if (r == -E2BIG)
		return es_error_say(err, r, "'%.300s': more than %u groups by '%.60s'",
				    reading->path, ES_TRIAL_GROUPS_MAX, reading->ask->group);
	return r < 0 ? es_error_set(err, r, "cannot keep '%.300s'", reading->path) : r;
}

static int take_row(const struct table *table, size_t row, struct es_error *err)
{
	const int *columns = table->columns;
	struct es_trial trial = { .has_time = columns[COLUMN_TIME] >= 0,
				  .has_energy = columns[COLUMN_ENERGY] >= 0 };
	int r = row_group(table, row, err);

	if (r < 0)
		return r;
	trial.group = (size_t)r;
	if (trial.has_time)
		trial.time_s = table->values[COLUMN_TIME][row] *
			       es_sheet_time_unit(table->sheet.names[columns[COLUMN_TIME]]);
	if (trial.has_energy)
		trial.energy_j = table->values[COLUMN_ENERGY][row] *
				 es_sheet_energy_unit(table->sheet.names[columns[COLUMN_ENERGY]]);
	r = take_words(table, row, &trial, err);
	if (r == 0 && columns[COLUMN_QUALITY] >= 0)
		r = take_quality(table, row, &trial, err);
	return r < 0 ? r : es_trials_add(table->reading->trials, &trial, err);
}

int es_trials_take_table(const struct es_trials_reading *reading, struct es_error *err)
{
	struct table table = { .reading = reading };
	int r;

	if (reading->ask->region || reading->ask->has_regions)
		return es_error_say(err, -ENOENT, "'%.300s' is a table: it has no regions",
				    reading->path);
	r = es_sheet_read(reading->path, &table.sheet, err);
	if (r == 0)
		r = find_columns(&table, err);
	if (r == 0)
		r = es_sheet_positive(&table.sheet, table.columns, NUMBERS, table.values, err);
	if (r == 0 || r == -ENODATA) {
		int told = es_sheet_complain(&table.sheet, reading->ask->command,
					     reading->ask->is_strict);

		if (told < 0 && r == 0)
			r = es_error_say(err, told, "'%.300s' is left alone", reading->path);
	}
	for (size_t row = 0; r == 0 && row < table.sheet.n; row++)
		r = take_row(&table, row, err);
	if (r == 0)
		reading->trials->n_unread += table.sheet.n_bad;
	free(table.values[COLUMN_TIME]);
	free(table.values[COLUMN_ENERGY]);
	es_sheet_finish(&table.sheet);
	return r;
}
