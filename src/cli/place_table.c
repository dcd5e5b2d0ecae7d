/*
 * place_table.c - tables of configurations by classes of servers, as energyscopium place reads them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/place_table.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/text.h"
#include "opt/place.h"

#define NKWH_PER_KWH 1e9
#define US_PER_HOUR 3.6e9
#define NAMES_SHOWN 6U

struct reading {
	struct es_sheet *sheet;
	bool is_time;
	struct es_place_table *table;
	struct es_error *err;
};

void es_place_names_finish(struct es_place_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->texts[i]);
	free(names->texts);
	*names = (struct es_place_names){ .n = 0 };
}

size_t es_place_names_find(const struct es_place_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->texts[i], name) == 0)
			return i;
	return SIZE_MAX;
}

char *es_place_names_near(const struct es_place_names *names, const char *name,
			  char ret[static ES_NAME_MAX_BYTES * 2])
{
	size_t size = ES_NAME_MAX_BYTES * 2, least = SIZE_MAX, nearest = 0, used;

	for (size_t i = 0; i < names->n; i++) {
		size_t distance = es_text_distance(name, names->texts[i]);

		if (distance < least) {
			least = distance;
			nearest = i;
		}
	}
	if (least != SIZE_MAX && es_text_is_near(least, strlen(names->texts[nearest]))) {
		(void)snprintf(ret, size, "; did you mean '%.200s'?", names->texts[nearest]);
		return ret;
	}
	used = (size_t)snprintf(ret, size, "; there are");
	for (size_t i = 0; i < names->n && i < NAMES_SHOWN; i++)
		used += (size_t)snprintf(ret + used, size - used, "%s '%.40s'", i ? "," : "",
					 names->texts[i]);
	if (names->n > NAMES_SHOWN)
		(void)snprintf(ret + used, size - used, " and %zu more", names->n - NAMES_SHOWN);
	return ret;
}

/* Names are keys of JSON and stand in tables. */
static const char *fault_of(const char *name)
{
	size_t n = strlen(name);

	if (n == 0)
		return "is empty; a name is wanted";
	if (n >= ES_NAME_MAX_BYTES)
		return "is too long for a name";
	for (size_t i = 0; i < n;) {
		size_t length = es_utf8_length(name + i, n - i);

		if (length == 0)
			return "is no valid UTF-8";
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f ||
		    (length == 2 && (unsigned char)name[i] == 0xc2 &&
		     (unsigned char)name[i + 1] < 0xa0))
			return "has control characters in it";
		i += length;
	}
	return NULL;
}

int es_place_names_add(struct es_place_names *names, const char *name, size_t max,
		       const char **ret_fault)
{
	char **texts;

	*ret_fault = fault_of(name);
	if (*ret_fault)
		return -EINVAL;
	if (names->n == max)
		return -E2BIG;
	texts = reallocarray(names->texts, names->n + 1, sizeof(*texts));
	if (texts)
		names->texts = texts;
	if (!texts || !(texts[names->n] = strdup(name)))
		return -ENOMEM;
	names->n++;
	return 0;
}

static int add_name(const struct reading *reading, size_t line, struct es_place_names *names,
		    const char *what, const char *name, size_t max)
{
	const char *fault;
	int r = es_place_names_add(names, name, max, &fault);

	if (r == -EINVAL)
		return es_error_say(reading->err, -EBADMSG, "'%.300s' line %zu: %s '%.60s' %s",
				    reading->sheet->file, line, what, name, fault);
	if (r == -E2BIG)
		return es_error_say(reading->err, r, "'%.300s' line %zu: more than %zu",
				    reading->sheet->file, line, max);
	return r < 0 ? es_error_set(reading->err, r, "cannot keep '%.300s'", reading->sheet->file)
		     : 0;
}

static int read_head(const struct reading *reading)
{
	const struct es_sheet *sheet = reading->sheet;
	int r = 0;

	if (sheet->n_columns < 2)
		return es_error_say(reading->err, -EBADMSG,
				    "'%.300s': no column of a server class; wanted are the "
				    "configuration's name first, then a column for each class",
				    sheet->file);
	for (int c = 1; c < sheet->n_columns && r == 0; c++)
		r = add_name(reading, 1, &reading->table->classes, "server class", sheet->names[c],
			     ES_PLACE_CLASSES_MAX);
	return r;
}

enum cell {
	CELL_FINE,
	CELL_GARBAGE, /* no number: the line is left out */
	CELL_WRONG, /* a number that no measurement has: nothing is guessed */
};

static enum cell parse_cell(const char *text, bool is_time, int64_t *ret, const char **ret_why)
{
	const char *digits = text + (text[0] == '-' || text[0] == '+');
	double value, scaled;
	int64_t dur_ns;
	int r = es_parse_double(text, &value);

	if (r < 0 && is_time && es_parse_duration_ns(text, &dur_ns) == 0) {
		scaled = (double)dur_ns / 1e3;
	} else if (r < 0) {
		bool is_nan = strncasecmp(digits, "nan", 3) == 0 ||
			      strncasecmp(digits, "inf", 3) == 0;

		*ret_why = is_nan    ? "is no measurement"
			   : is_time ? "is no time (hours, or with a unit as in 90min)"
			   : es_sheet_has_decimal_comma(text)
				   ? "is no number: decimals follow a point"
				   : "is no number";
		return is_nan || r == -ERANGE ? CELL_WRONG : CELL_GARBAGE;
	} else {
		scaled = value * (is_time ? US_PER_HOUR : NKWH_PER_KWH);
	}
	*ret_why = !(scaled > 0) ? "is not above zero; leave the cell empty where it cannot run"
		   : scaled > (double)(is_time ? ES_PLACE_TIME_MAX_US : ES_PLACE_ENERGY_MAX_NKWH)
			   ? (is_time ? "is more than 100000 h" : "is more than 400000 kWh")
		   : llround(scaled) > 0 ? NULL
		   : is_time		 ? "is less than a µs"
					 : "is less than a millionth of a Wh";
	if (*ret_why)
		return CELL_WRONG;
	*ret = llround(scaled);
	return CELL_FINE;
}

/* 1: taken; 0: left out; or negative errno. */
static int read_cells(const struct reading *reading, size_t row, int64_t *cells)
{
	struct es_sheet *sheet = reading->sheet;
	const char *name = es_sheet_cell(sheet, row, 0);

	for (int c = 1; c < sheet->n_columns; c++) {
		const char *text = es_sheet_cell(sheet, row, c), *why;

		cells[c - 1] = 0;
		if (text[0] == '\0')
			continue;
		switch (parse_cell(text, reading->is_time, &cells[c - 1], &why)) {
		case CELL_FINE:
			break;
		case CELL_GARBAGE:
			es_sheet_leave_out(sheet, sheet->lines[row],
					   "column '%.40s' of '%.40s': '%.40s' %s", sheet->names[c],
					   name, text, why);
			return 0;
		case CELL_WRONG:
			return es_error_say(
				reading->err, -EBADMSG,
				"'%.300s' line %zu: column '%.60s' of '%.60s': '%.60s' %s",
				sheet->file, sheet->lines[row], sheet->names[c], name, text, why);
		}
	}
	return 1;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_twice(const struct reading *reading)
{
	const struct es_place_names *names = &reading->table->configurations;
	es_cleanup(es_freep) char **sorted = calloc(names->n, sizeof(*sorted));

	if (!sorted)
		return es_error_set(reading->err, -ENOMEM, "cannot keep '%.300s'",
				    reading->sheet->file);
	memcpy(sorted, names->texts, names->n * sizeof(*sorted));
	qsort(sorted, names->n, sizeof(*sorted), by_text);
	for (size_t i = 1; i < names->n; i++)
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			return es_error_say(reading->err, -EBADMSG,
					    "'%.300s': configuration '%.60s' has more than one row",
					    reading->sheet->file, sorted[i]);
	return 0;
}

static int read_rows(const struct reading *reading)
{
	struct es_place_table *table = reading->table;
	struct es_sheet *sheet = reading->sheet;
	size_t m = table->classes.n;

	table->cells = calloc(sheet->n + 1, m * sizeof(*table->cells));
	if (!table->cells)
		return es_error_set(reading->err, -ENOMEM, "cannot keep '%.300s'", sheet->file);
	for (size_t row = 0; row < sheet->n; row++) {
		int r = read_cells(reading, row, table->cells + table->configurations.n * m);

		if (r > 0)
			r = add_name(reading, sheet->lines[row], &table->configurations,
				     "configuration", es_sheet_cell(sheet, row, 0),
				     ES_PLACE_CONFIGURATIONS_MAX);
		if (r < 0)
			return r;
	}
	if (table->configurations.n == 0)
		return es_error_say(reading->err, -ENODATA, "'%.300s': no row below the header%s",
				    sheet->file, sheet->n_bad ? " that can be used" : "");
	return check_twice(reading);
}

int es_place_table_take(struct es_sheet *sheet, bool is_time, struct es_place_table *ret,
			struct es_error *err)
{
	struct es_place_table table = { .cells = NULL };
	const struct reading reading = {
		.sheet = sheet, .is_time = is_time, .table = &table, .err = err
	};
	int r = read_head(&reading);

	if (r == 0)
		r = read_rows(&reading);
	if (r < 0)
		es_place_table_finish(&table);
	else
		*ret = table;
	return r;
}

int es_place_table_load(const char *path, const char *command, bool is_strict, bool is_time,
			struct es_place_table *ret, struct es_error *err)
{
	struct es_sheet sheet = { .has_remarks_first = true };
	int r = es_sheet_read(path, &sheet, err);

	if (r == -E2BIG && !sheet.names)
		r = es_error_say(err, r, "'%.300s': more than %u columns of classes", path,
				 ES_PLACE_CLASSES_MAX);
	if (r == 0)
		r = es_place_table_take(&sheet, is_time, ret, err);
	if ((r == 0 || r == -ENODATA) && es_sheet_complain(&sheet, command, is_strict) < 0 &&
	    r == 0) {
		es_place_table_finish(ret);
		r = es_error_say(err, -EBADMSG, "'%.300s' is left alone", path);
	}
	es_sheet_finish(&sheet);
	return r;
}

void es_place_table_finish(struct es_place_table *table)
{
	es_place_names_finish(&table->configurations);
	es_place_names_finish(&table->classes);
	free(table->cells);
	table->cells = NULL;
}
