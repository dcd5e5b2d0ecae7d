/*
 * sheet.c - tables of measurements from others: rows with named columns
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/sheet.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/wholefile.h"
#include "format/csvread.h"

#define FIRST_ROWS 256U
/* Nothing that was measured is beyond these, and powers and products of what is within stay numbers. */
#define LEAST 1e-30
#define MOST 1e30

void es_sheet_leave_out(struct es_sheet *rows, size_t line, const char *fmt, ...)
{
	size_t at = rows->n_bad;
	va_list args;

	/* The first by line: cells are looked at after lines, so a later one may be known earlier. */
	while (at > 0 && (at > ES_SHEET_BAD_SHOWN || rows->bad[at - 1].line > line))
		at--;
	rows->n_bad++;
	if (at >= ES_SHEET_BAD_SHOWN)
		return;
	memmove(&rows->bad[at + 1], &rows->bad[at],
		(ES_SHEET_BAD_SHOWN - 1 - at) * sizeof(rows->bad[0]));
	rows->bad[at].line = line;
	va_start(args, fmt);
	(void)vsnprintf(rows->bad[at].why, sizeof(rows->bad[at].why), fmt, args);
	va_end(args);
	es_text_make_safe(rows->bad[at].why, false);
}

static int take_header(struct es_sheet *rows, char *const *fields, int n, struct es_error *err)
{
	rows->names = calloc((size_t)n, sizeof(*rows->names));
	if (!rows->names)
		return es_error_set(err, -ENOMEM, "cannot read '%s'", rows->file);
	rows->n_columns = n;
	/* Some begin with "#Procs": a remark and the header at once. */
	for (int i = 0; i < n; i++)
		rows->names[i] = fields[i] + (i == 0 && fields[i][0] == '#');
	for (int i = 0; i < n; i++)
		for (int k = 0; k < i; k++)
			if (rows->names[i][0] && strcmp(rows->names[i], rows->names[k]) == 0)
				return es_error_say(err, -EBADMSG,
						    "'%.300s': two columns are named '%.60s'",
						    rows->file, rows->names[i]);
	return 0;
}

static int add_row(struct es_sheet *rows, size_t *cap, size_t line, char *const *fields)
{
	size_t width = (size_t)rows->n_columns;

	if (rows->n == ES_SHEET_MAX)
		return -E2BIG;
	if (rows->n == *cap) {
		size_t more = *cap ? *cap * 2 : FIRST_ROWS;
		char **cells = reallocarray(rows->cells, more, width * sizeof(*cells));
		size_t *lines;

		if (!cells)
			return -ENOMEM;
		rows->cells = cells;
		lines = reallocarray(rows->lines, more, sizeof(*lines));
		if (!lines)
			return -ENOMEM;
		rows->lines = lines;
		*cap = more;
	}
	memcpy(&rows->cells[rows->n * width], fields, width * sizeof(*fields));
	rows->lines[rows->n++] = line;
	return 0;
}

static char separator_of(const char *text, size_t n)
{
	const char *end = memchr(text, '\n', n);
	size_t head = end ? (size_t)(end - text) : n;

	if (memchr(text, ',', head))
		return ',';
	return memchr(text, ';', head) ? ';' : memchr(text, '\t', head) ? '\t' : ',';
}

static void skip_remarks(struct es_csv *csv)
{
	while (csv->p < csv->end && strchr("#\n\r", *csv->p)) {
		char *newline = memchr(csv->p, '\n', (size_t)(csv->end - csv->p));

		csv->p = newline ? newline + 1 : csv->end;
		csv->next_line++;
	}
}

int es_sheet_parse(const char *name, char *text, size_t n, struct es_sheet *rows,
		   struct es_error *err)
{
	char *fields[ES_CSV_FIELDS_MAX];
	struct es_csv csv;
	size_t cap = 0;
	int got, r = 0;

	rows->file = name;
	rows->text = text;
	if (memchr(text, '\0', n))
		return es_error_say(err, -EBADMSG, "'%.300s' is no text", name);
	es_csv_init(&csv, text, n);
	if (rows->has_remarks_first)
		skip_remarks(&csv);
	csv.separator = separator_of(csv.p, (size_t)(csv.end - csv.p));
	while (r == 0 && (got = es_csv_next(&csv, fields)) != 0) {
		if (!rows->names && got < 0)
			return es_error_set(err, got, "'%.300s': the header", name);
		if (!rows->names)
			r = take_header(rows, fields, got, err);
		else if (got == -E2BIG)
			es_sheet_leave_out(rows, csv.line, "more than %u fields",
					   ES_CSV_FIELDS_MAX);
		else if (got < 0)
			es_sheet_leave_out(rows, csv.line,
					   "a quote that is not closed, or in the wrong place");
		else if (fields[0][0] == '#')
			continue;
		else if (got != rows->n_columns)
			es_sheet_leave_out(rows, csv.line, "%d fields where the header has %d", got,
					   rows->n_columns);
		else if ((r = add_row(rows, &cap, csv.line, fields)) < 0)
			return es_error_set(err, r, "'%.300s':%zu", name, csv.line);
	}
	if (r == 0 && !rows->names)
		return es_error_say(err, -EBADMSG, "'%.300s' is empty", name);
	return r;
}

int es_sheet_read(const char *path, struct es_sheet *rows, struct es_error *err)
{
	size_t n;
	char *text;
	int r = es_file_read(path, ES_SHEET_FILE_MAX_BYTES, &text, &n, err);

	return r < 0 ? r : es_sheet_parse(path, text, n, rows, err);
}

void es_sheet_finish(struct es_sheet *rows)
{
	free(rows->names);
	free(rows->cells);
	free(rows->lines);
	free(rows->text);
	*rows = (struct es_sheet){ .n = 0 };
}

const char *es_sheet_cell(const struct es_sheet *rows, size_t row, int column)
{
	return rows->cells[row * (size_t)rows->n_columns + (size_t)column];
}

int es_sheet_find(const struct es_sheet *rows, const char *option, const char *name, int *ret,
		  struct es_error *err)
{
	size_t least = SIZE_MAX;
	const char *nearest = "";
	char all[400] = "";
	size_t used = 0;

	for (int i = 0; i < rows->n_columns; i++) {
		size_t distance = es_text_distance(name, rows->names[i]);
		int n;

		if (rows->names[i][0] && strcmp(rows->names[i], name) == 0) {
			*ret = i;
			return 0;
		}
		if (strcasecmp(rows->names[i], name) == 0)
			distance = 0;
		if (rows->names[i][0] && distance < least) {
			least = distance;
			nearest = rows->names[i];
		}
		n = snprintf(all + used, sizeof(all) - used, "%s%s", used ? ", " : "",
			     rows->names[i]);
		used += n > 0 && (size_t)n < sizeof(all) - used ? (size_t)n : 0;
		all[used] = '\0';
	}
	if (nearest[0] && es_text_is_near(least, strlen(nearest)))
		return es_error_say(err, -ENOENT,
				    "'%.200s' has no column '%.60s' (--%s); did you mean '%.60s'?",
				    rows->file, name, option, nearest);
	return es_error_say(err, -ENOENT,
			    "'%.200s' has no column '%.60s' (--%s); it has %s; nearest is '%.60s'",
			    rows->file, name, option, all, nearest);
}

static int wrong(const struct es_sheet *rows, size_t row, int column, const char *why,
		 struct es_error *err)
{
	return es_error_say(err, -EBADMSG, "'%.300s':%zu: column '%.60s': '%.60s' %s", rows->file,
			    rows->lines[row], rows->names[column], es_sheet_cell(rows, row, column),
			    why);
}

/* "1,5", as spreadsheets of half the world write it */
bool es_sheet_has_decimal_comma(const char *text)
{
	size_t n = strspn(text, "+-0123456789");

	return n > 0 && text[n] == ',' && text[n + 1] &&
	       text[n + 1 + strspn(text + n + 1, "0123456789")] == '\0';
}

/* 1: a number; 0: it is none, and counted; or negative errno. */
static int take_number(struct es_sheet *rows, size_t row, int column, double *ret,
		       struct es_error *err)
{
	const char *text = es_sheet_cell(rows, row, column),
		   *digits = text + (text[0] == '-' || text[0] == '+');
	int r = es_parse_double(text, ret);

	if (strncasecmp(digits, "nan", 3) == 0 || strncasecmp(digits, "inf", 3) == 0)
		return wrong(rows, row, column, "is no measurement", err);
	if (r == -ERANGE)
		return wrong(rows, row, column, "is out of range", err);
	if (r < 0) {
		es_sheet_leave_out(rows, rows->lines[row], "column '%.40s': '%.40s' is no number%s",
				   rows->names[column], text,
				   es_sheet_has_decimal_comma(text) ? ": decimals follow a point"
								    : "");
		return 0;
	}
	if (*ret <= 0)
		return wrong(rows, row, column, "is not above 0", err);
	if (*ret < LEAST || *ret > MOST)
		return wrong(rows, row, column, "is out of range", err);
	return 1;
}

/* Row @row becomes row @n, not behind it. */
static void keep_row(struct es_sheet *rows, size_t row, size_t n)
{
	size_t width = (size_t)rows->n_columns;

	memmove(&rows->cells[n * width], &rows->cells[row * width], width * sizeof(*rows->cells));
	rows->lines[n] = rows->lines[row];
}

void es_sheet_filled(struct es_sheet *rows, int column)
{
	size_t n = 0;

	for (size_t row = 0; row < rows->n; row++)
		if (es_sheet_cell(rows, row, column)[0])
			keep_row(rows, row, n++);
		else
			es_sheet_leave_out(rows, rows->lines[row], "column '%.40s' is empty",
					   rows->names[column]);
	rows->n = n;
}

static int take_numbers(struct es_sheet *rows, const int *columns, size_t n_columns, double **ret,
			struct es_error *err)
{
	size_t n = 0;

	for (size_t row = 0; row < rows->n; row++) {
		int r = 1;

		for (size_t i = 0; r > 0 && i < n_columns; i++)
			if (columns[i] >= 0)
				r = take_number(rows, row, columns[i], &ret[i][n], err);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		keep_row(rows, row, n++);
	}
	rows->n = n;
	return 0;
}

int es_sheet_positive(struct es_sheet *rows, const int *columns, size_t n_columns, double **ret,
		      struct es_error *err)
{
	int r = 0;

	for (size_t i = 0; i < n_columns; i++) {
		ret[i] = calloc(rows->n + 1, sizeof(**ret));
		if (!ret[i])
			r = -ENOMEM;
	}
	if (r < 0)
		(void)es_error_set(err, r, "cannot read '%s'", rows->file);
	else
		r = take_numbers(rows, columns, n_columns, ret, err);
	if (r == 0 && rows->n == 0)
		r = es_error_say(err, -ENODATA, "'%.300s' has no rows%s", rows->file,
				 rows->n_bad ? " that can be used" : "");
	for (size_t i = 0; r < 0 && i < n_columns; i++) {
		free(ret[i]);
		ret[i] = NULL;
	}
	return r;
}

int es_sheet_refuse_estimates(const struct es_sheet *rows, struct es_error *err)
{
	for (int i = 0; i < rows->n_columns; i++) {
		if (strcmp(rows->names[i], "kind") != 0)
			continue;
		for (size_t row = 0; row < rows->n; row++)
			if (strcmp(es_sheet_cell(rows, row, i), "estimated") == 0)
				return es_error_say(
					err, -ENODATA,
					"energy: no meter here can see this difference: '%.300s':%zu is an estimate from CPU time (column 'kind'), which grows with time",
					rows->file, rows->lines[row]);
	}
	return 0;
}

int es_sheet_complain(const struct es_sheet *rows, const char *command, bool is_strict)
{
	if (rows->n_bad == 0)
		return 0;
	for (size_t i = 0; i < rows->n_bad && i < ES_SHEET_BAD_SHOWN; i++)
		(void)es_complain(command, ES_EXIT_FAILURE, "'%s':%zu: %s", rows->file,
				  rows->bad[i].line, rows->bad[i].why);
	(void)es_complain(command, ES_EXIT_FAILURE, "'%s': %zu %s no %s, %s", rows->file,
			  rows->n_bad, rows->n_bad == 1 ? "line is" : "lines are",
			  rows->n_bad == 1 ? "row" : "rows",
			  is_strict ? "nothing is done (--strict)" : "left out");
	return is_strict ? -EBADMSG : 0;
}

void es_sheet_json(const struct es_sheet *rows, size_t row, const char *key, struct es_json *json)
{
	es_json_object(json, key);
	for (int i = 0; i < rows->n_columns; i++) {
		const char *text = es_sheet_cell(rows, row, i);
		double value;

		if (!rows->names[i][0])
			continue;
		if (es_parse_double(text, &value) == 0)
			es_json_double(json, rows->names[i], value);
		else
			es_json_string(json, rows->names[i], text[0] ? text : NULL);
	}
	es_json_object_end(json);
}

struct unit {
	const char *name;
	double in_base;
};

/* The word before @end, behind a '_', '[', '(', '/' or blank; NULL: there is none before the first. */
static const char *word_before(const char *name, size_t end, size_t *ret_n)
{
	size_t start;

	while (end > 0 && strchr("])}_ ", name[end - 1]))
		end--;
	for (start = end; start > 0 && !strchr("_[({ /", name[start - 1]);)
		start--;
	*ret_n = end - start;
	return start > 0 ? name + start : NULL;
}

static const struct unit *find_unit(const char *word, size_t n, const struct unit *units,
				    size_t n_units)
{
	for (size_t i = 0; word && i < n_units; i++)
		if (strlen(units[i].name) == n && strncmp(units[i].name, word, n) == 0)
			return &units[i];
	return NULL;
}

/* The last word, or the one before what a statistic is called: time_ms_mean. */
static double unit_of(const char *name, const struct unit *units, size_t n_units)
{
	static const char *const statistics[] = { "mean", "avg", "average", "median", "min",
						  "max",  "sum", "total",   "best" };
	size_t n;
	const char *word = word_before(name, strlen(name), &n);
	const struct unit *unit = find_unit(word, n, units, n_units), *before = NULL;

	for (size_t i = 0; word && i < ES_ARRAY_SIZE(statistics); i++) {
		if (strlen(statistics[i]) != n || strncmp(statistics[i], word, n) != 0)
			continue;
		word = word_before(name, (size_t)(word - name), &n);
		before = find_unit(word, n, units, n_units);
		break;
	}
	unit = before ? before : unit;
	return unit ? unit->in_base : 1;
}

double es_sheet_time_unit(const char *name)
{
	static const struct unit units[] = {
		{ "ns", 1e-9 }, { "us", 1e-6 }, { "µs", 1e-6 },	   { "ms", 1e-3 },
		{ "min", 60 },	{ "h", 3600 },	{ "hours", 3600 },
	};

	return unit_of(name, units, ES_ARRAY_SIZE(units));
}

double es_sheet_energy_unit(const char *name)
{
	static const struct unit units[] = {
		{ "uJ", 1e-6 }, { "uj", 1e-6 },	  { "mJ", 1e-3 },   { "mj", 1e-3 },
		{ "kJ", 1e3 },	{ "kj", 1e3 },	  { "MJ", 1e6 },    { "Wh", 3600 },
		{ "wh", 3600 }, { "kWh", 3.6e6 }, { "kwh", 3.6e6 },
	};

	return unit_of(name, units, ES_ARRAY_SIZE(units));
}

double es_sheet_power_unit(const char *name)
{
	static const struct unit units[] = {
		{ "uW", 1e-6 }, { "mW", 1e-3 }, { "mw", 1e-3 },
		{ "kW", 1e3 },	{ "kw", 1e3 },	{ "MW", 1e6 },
	};

	return unit_of(name, units, ES_ARRAY_SIZE(units));
}
