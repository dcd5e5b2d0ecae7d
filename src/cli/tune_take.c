/*
 * tune_take.c - measured settings out of tables
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
#include "cli/tune.h"

#define SAME 1e-9 /* relative: two ways to write one number */
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz%"
#define UNIT_MAX_BYTES 6U
#define NUMBER_MAX_BYTES 64U

enum column {
	SETTING,
	TIME,
	ENERGY,
	REACHED,
	QUALITY,
	N_COLUMNS
};

struct columns {
	int at[N_COLUMNS]; /* -1: none */
	int groups[ES_SHEET_GROUP_COLUMNS_MAX];
	size_t n_groups;
};

/* What is read of each row of a table. */
struct cells {
	struct columns columns;
	double *values[3]; /* time, energy, reached */
	double *qualities; /* NaN: not known */
};

/* A row that belongs to a setting. */
struct item {
	const char *cell;
	double value;
	bool has_numbers;
	size_t row;
};

/* Letters behind a number: 2.20GHz, 250 W. Its bytes; 0: none. */
static size_t unit_bytes(const char *text)
{
	size_t n = strlen(text), start = n;

	while (start > 0 && strchr(LETTERS, text[start - 1]))
		start--;
	while (start > 0 && text[start - 1] == ' ')
		start--;
	return start > 0 && n - start <= UNIT_MAX_BYTES ? n - start : 0;
}

static bool parse(const char *text, double *ret)
{
	char number[NUMBER_MAX_BYTES];
	size_t unit = unit_bytes(text), n = strlen(text) - unit;

	if (es_parse_double(text, ret) == 0)
		return true;
	if (unit == 0 || n >= sizeof(number))
		return false;
	memcpy(number, text, n);
	number[n] = '\0';
	return es_parse_double(number, ret) == 0;
}

bool es_tune_number(const char *text, double *ret)
{
	const char *digits = text;

	if (parse(text, ret))
		return true;
	for (const char *p = text; *p; p++)
		if (strchr("_=: ", *p))
			digits = p + 1;
	return digits > text && parse(digits, ret);
}

/* 900 MHz and 1.2 GHz are no two numbers in order. */
static bool has_unit_of(const char *a, const char *b)
{
	double number;
	size_t n = es_parse_double(a, &number) == 0 ? 0 : unit_bytes(a),
	       m = es_parse_double(b, &number) == 0 ? 0 : unit_bytes(b);

	return n == m && strcmp(a + strlen(a) - n, b + strlen(b) - m) == 0;
}

bool es_tune_same(double a, double b)
{
	return fabs(a - b) <= SAME * fmax(fabs(a), fabs(b));
}

bool es_tune_has_groups(const struct es_tune *tune)
{
	return tune->group.n > 0 || tune->paths.n > 1;
}

/* Clocks beside the requested ones are named so by those who read them (Kernel Tuner: core_MHz). */
static void find_reached(const struct es_tune *tune, const struct es_sheet *rows,
			 struct columns *columns)
{
	static const char *const known[] = { "core_MHz", "reached_MHz", "effective_MHz" };

	for (int i = 0; i < rows->n_columns; i++)
		for (size_t k = 0; k < ES_ARRAY_SIZE(known); k++)
			if (columns->at[REACHED] < 0 && i != columns->at[SETTING] &&
			    strcasestr(tune->setting, "mhz") &&
			    strcasecmp(rows->names[i], known[k]) == 0)
				columns->at[REACHED] = i;
}

static int find(const struct es_tune *tune, const struct es_sheet *rows, struct columns *columns,
		struct es_error *err)
{
	const struct {
		const char *option, *name;
		enum column column;
	} wanted[] = {
		{ "setting", tune->setting, SETTING },
		{ "time", tune->time, TIME },
		{ "speed", tune->speed, TIME },
		{ "energy", tune->energy, ENERGY },
		{ "power", tune->power, ENERGY },
		{ "reached", tune->reached, REACHED },
		{ "quality", tune->quality.what, QUALITY },
	};
	int r = 0;

	*columns = (struct columns){ .n_groups = 0 };
	for (int i = 0; i < N_COLUMNS; i++)
		columns->at[i] = -1;
	for (size_t i = 0; r == 0 && i < ES_ARRAY_SIZE(wanted); i++)
		if (wanted[i].name)
			r = es_sheet_find(rows, wanted[i].option, wanted[i].name,
					  &columns->at[wanted[i].column], err);
	for (size_t i = 0; r == 0 && i < tune->group.n; i++)
		r = es_sheet_find_list(rows, "group", tune->group.texts[i],
				       ES_SHEET_GROUP_COLUMNS_MAX, columns->groups,
				       &columns->n_groups, err);
	if (r == 0 && columns->at[TIME] == columns->at[ENERGY])
		r = es_error_say(err, -EINVAL, "time and energy are the same column");
	if (r == 0)
		find_reached(tune, rows, columns);
	return r;
}

/* In s and J; by a speed the time of one unit of work, with a power its energy. */
static struct es_opt_point point_of(const struct es_tune *tune, double time, double energy)
{
	struct es_opt_point point = { time, energy };

	if (tune->speed)
		point.time = 1 / time;
	else
		point.time *= es_sheet_time_unit(tune->time);
	if (tune->power)
		point.energy *= es_sheet_power_unit(tune->power) * point.time;
	else
		point.energy *= es_sheet_energy_unit(tune->energy);
	return point;
}

static int by_setting(const struct item *x, const struct item *y)
{
	if (x->has_numbers && !es_tune_same(x->value, y->value))
		return x->value < y->value ? -1 : 1;
	return x->has_numbers ? 0 : strcmp(x->cell, y->cell);
}

static int by_setting_and_row(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = by_setting(x, y);

	return order ? order : (x->row > y->row) - (x->row < y->row);
}

static int by_row(const void *a, const void *b)
{
	const struct es_tune_row *x = a, *y = b;

	return (x->row > y->row) - (x->row < y->row);
}

static int complain_of_two(const struct es_tune_answer *answer, const struct item *items,
			   struct es_error *err)
{
	return es_error_say(
		err, -EBADMSG,
		"'%.200s': lines %zu and %zu are both for setting '%.60s'%s%.80s%s; --group COL tells apart what belongs to "
		"different programs or machines, --repeats takes them as runs of it",
		answer->table->path, answer->table->rows.lines[items[0].row],
		answer->table->rows.lines[items[1].row], items[1].cell,
		answer->group ? " in group '" : "", answer->group ? answer->group : "",
		answer->group ? "'" : "");
}

/* A setting with one run that misses the quality is left out: who runs it again may get that one. */
static void hold_quality(const struct es_tune *tune, const struct cells *cells,
			 const struct item *items, size_t n, struct es_tune_answer *answer,
			 bool *ret_holds)
{
	struct es_tune_left left = { .cell = items[0].cell, .value = items[0].value };

	*ret_holds = true;
	for (size_t i = 0; tune->quality.what && i < n; i++) {
		double quality = cells->qualities[items[i].row];
		bool holds = !isnan(quality) && es_quality_holds(&tune->quality, quality);

		if (holds || !*ret_holds)
			continue;
		*ret_holds = false;
		left.has_quality = !isnan(quality);
		left.quality = quality;
	}
	if (!*ret_holds)
		answer->left[answer->n_left++] = left;
}

static void add_setting(const struct es_tune *tune, const struct cells *cells,
			const struct item *items, size_t n, size_t first_run,
			struct es_tune_answer *answer)
{
	struct es_tune_row *row = &answer->rows[answer->n++];

	*row = (struct es_tune_row){ .cell = items[0].cell,
				     .value = items[0].value,
				     .row = items[0].row,
				     .first_run = first_run,
				     .n_runs = n };
	for (size_t i = 0; i < n; i++) {
		answer->runs[first_run + i] = point_of(tune, cells->values[0][items[i].row],
						       cells->values[1][items[i].row]);
		if (cells->columns.at[REACHED] >= 0)
			row->reached += cells->values[2][items[i].row] / (double)n;
	}
}

static void set_points(struct es_tune_answer *answer)
{
	for (size_t i = 0; i < answer->n; i++) {
		const struct es_tune_row *row = &answer->rows[i];

		for (size_t k = row->first_run; k < row->first_run + row->n_runs; k++) {
			answer->points[i].time += answer->runs[k].time / (double)row->n_runs;
			answer->points[i].energy += answer->runs[k].energy / (double)row->n_runs;
		}
	}
}

static int fill_answer(const struct es_tune *tune, const struct cells *cells, const size_t *rows,
		       size_t n, struct es_tune_answer *answer, struct es_error *err)
{
	es_cleanup(es_freep) struct item *items = calloc(n, sizeof(*items));
	const struct item *twice =
		NULL; /* the first of a setting that is there again, the earliest */
	size_t n_runs = 0;

	answer->rows = calloc(n, sizeof(*answer->rows));
	answer->points = calloc(n, sizeof(*answer->points));
	answer->runs = calloc(n, sizeof(*answer->runs));
	answer->left = calloc(n, sizeof(*answer->left));
	answer->front = calloc(n, sizeof(*answer->front));
	if (!items || !answer->rows || !answer->points || !answer->runs || !answer->left ||
	    !answer->front)
		return es_error_set(err, -ENOMEM, "cannot keep the rows");
	for (size_t i = 0; i < n; i++) {
		items[i] = (struct item){ .cell = es_sheet_cell(&answer->table->rows, rows[i],
								cells->columns.at[SETTING]),
					  .has_numbers = tune->has_numbers,
					  .row = rows[i] };
		if (tune->has_numbers)
			(void)es_tune_number(items[i].cell, &items[i].value);
	}
	qsort(items, n, sizeof(*items), by_setting_and_row);
	for (size_t first = 0, end; first < n; first = end) {
		bool holds;

		for (end = first + 1; end < n && by_setting(&items[first], &items[end]) == 0;)
			end++;
		if (end > first + 1 && (!twice || items[first + 1].row < twice[1].row))
			twice = &items[first];
		hold_quality(tune, cells, &items[first], end - first, answer, &holds);
		if (!holds)
			continue;
		add_setting(tune, cells, &items[first], end - first, n_runs, answer);
		n_runs += end - first;
	}
	if (twice && !tune->has_repeats)
		return complain_of_two(answer, twice, err);
	qsort(answer->rows, answer->n, sizeof(*answer->rows), by_row);
	set_points(answer);
	return 0;
}

/* The file's name without its ending, the words of the group, or both. */
static char *name_of(const struct es_tune *tune, const struct es_tune_table *table,
		     const char *group)
{
	const char *slash = strrchr(table->path, '/'), *base = slash ? slash + 1 : table->path;
	const char *dot = strrchr(base, '.');
	int length = dot && dot > base ? (int)(dot - base) : (int)strlen(base);
	char *name = NULL;
	int n;

	if (tune->paths.n < 2)
		return strdup(group);
	n = asprintf(&name, "%.*s%s%s", length, base, tune->group.n ? " / " : "", group);
	return n < 0 ? NULL : name;
}

static int add_answer(struct es_tune *tune, const struct es_tune_table *table,
		      const struct cells *cells, size_t group, struct es_error *err)
{
	const struct es_sheet_groups *split = &table->split;
	struct es_tune_answer *more =
		reallocarray(tune->answers, tune->n_answers + 1, sizeof(*more));
	struct es_tune_answer *answer;
	int r;

	if (!more)
		return es_error_set(err, -ENOMEM, "cannot keep the rows");
	tune->answers = more;
	answer = &more[tune->n_answers++];
	*answer = (struct es_tune_answer){ .table = table };
	if (es_tune_has_groups(tune)) {
		answer->group = name_of(tune, table, split->names[group]);
		if (!answer->group)
			return es_error_set(err, -ENOMEM, "cannot keep the rows");
	}
	r = fill_answer(tune, cells, &split->rows[split->first[group]],
			split->first[group + 1] - split->first[group], answer, err);
	return r;
}

static int wrong_quality(const struct es_sheet *rows, size_t row, int column, struct es_error *err)
{
	return es_error_say(err, -EBADMSG, "'%.300s':%zu: column '%.60s': '%.60s' is no number",
			    rows->file, rows->lines[row], rows->names[column],
			    es_sheet_cell(rows, row, column));
}

/* An empty cell says that it is not known, and misses every limit. */
static int take_qualities(const struct es_sheet *rows, struct cells *cells, struct es_error *err)
{
	int column = cells->columns.at[QUALITY];

	cells->qualities = calloc(rows->n, sizeof(*cells->qualities));
	if (!cells->qualities)
		return es_error_set(err, -ENOMEM, "cannot read '%s'", rows->file);
	for (size_t i = 0; column >= 0 && i < rows->n; i++) {
		const char *text = es_sheet_cell(rows, i, column);

		cells->qualities[i] = NAN;
		if (text[0] && es_parse_double(text, &cells->qualities[i]) < 0)
			return wrong_quality(rows, i, column, err);
	}
	return 0;
}

static int take_table(struct es_tune *tune, struct es_tune_table *table, struct cells *cells,
		      struct es_error *err)
{
	struct es_sheet *rows = &table->rows;
	const int *at = cells->columns.at;
	double number;
	int r = es_sheet_read(table->path, rows, err);

	if (r == 0)
		r = find(tune, rows, &cells->columns, err);
	if (r < 0)
		return r;
	es_sheet_filled(rows, at[SETTING]);
	r = es_sheet_positive(rows, (const int[]){ at[TIME], at[ENERGY], at[REACHED] },
			      ES_ARRAY_SIZE(cells->values), cells->values, err);
	if (es_sheet_complain(rows, ES_TUNE, tune->is_strict) < 0 && r == 0)
		r = -EBADMSG;
	if (r == 0)
		r = es_sheet_refuse_estimates(rows, err);
	if (r == 0)
		r = take_qualities(rows, cells, err);
	if (r == 0 &&
	    es_sheet_group(rows, cells->columns.groups, cells->columns.n_groups, &table->split) < 0)
		r = es_error_set(err, -ENOMEM, "cannot keep the rows");
	for (size_t i = 0; r == 0 && i < rows->n; i++)
		tune->has_numbers &=
			es_tune_number(es_sheet_cell(rows, i, at[SETTING]), &number) &&
			has_unit_of(es_sheet_cell(&tune->tables[0].rows, 0, at[SETTING]),
				    es_sheet_cell(rows, i, at[SETTING]));
	return r;
}

int es_tune_take(struct es_tune *tune, struct es_error *err)
{
	es_cleanup(es_freep) struct cells *cells = calloc(tune->paths.n, sizeof(*cells));
	int r = 0;

	tune->tables = calloc(tune->paths.n, sizeof(*tune->tables));
	if (!cells || !tune->tables)
		return es_error_set(err, -ENOMEM, "cannot read the tables");
	tune->has_numbers = true;
	for (size_t i = 0; r == 0 && i < tune->paths.n; i++) {
		tune->tables[i].path = tune->paths.texts[i];
		r = take_table(tune, &tune->tables[i], &cells[i], err);
	}
	for (size_t i = 0; r == 0 && i < tune->paths.n; i++)
		for (size_t k = 0; r == 0 && k < tune->tables[i].split.n; k++)
			r = add_answer(tune, &tune->tables[i], &cells[i], k, err);
	for (size_t i = 0; i < tune->paths.n; i++) {
		for (size_t k = 0; k < ES_ARRAY_SIZE(cells[i].values); k++)
			free(cells[i].values[k]);
		free(cells[i].qualities);
	}
	return r;
}
