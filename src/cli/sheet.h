/*
 * sheet.h - tables of measurements from others: rows with named columns
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SHEET_H
#define ES_CLI_SHEET_H

#include "base/error.h"
#include "base/json.h"

#define ES_SHEET_FILE_MAX_BYTES (256U << 20)
#define ES_SHEET_MAX 4000000U
#define ES_SHEET_BAD_SHOWN 5U

/** struct es_sheet_bad - a line that was left out */
struct es_sheet_bad {
	size_t line;
	char why[160];
};

/** struct es_sheet - init with zeros, free with es_sheet_finish(); texts lie in @text */
struct es_sheet {
	const char *file; /* borrowed */
	bool has_remarks_first; /* set before: lines that begin with '#' are remarks before the header too */
	char *text;
	char **names; /* [n_columns] */
	int n_columns;
	char **cells; /* [n * n_columns] */
	size_t *lines; /* [n] */
	size_t n;
	size_t n_bad;
	struct es_sheet_bad bad[ES_SHEET_BAD_SHOWN]; /* the first */
};

/**
 * es_sheet_read - a file with a header and rows as long as it; separators ',' ';' and tab, as the header has them
 *
 * Lines behind the header that begin with '#' are remarks. A line that is no row is counted and left out. Returns 0;
 * -EBADMSG: no header, a column named twice; negative errno with words in @err.
 */
int es_sheet_read(const char *path, struct es_sheet *rows, struct es_error *err);
/** es_sheet_parse - the same of @n bytes and the NUL behind them; takes ownership of @text, which malloc() made */
int es_sheet_parse(const char *name, char *text, size_t n, struct es_sheet *rows,
		   struct es_error *err);
void es_sheet_finish(struct es_sheet *rows);
/** es_sheet_leave_out - count line @line as one that is no row, and keep why of the first few */
void es_sheet_leave_out(struct es_sheet *rows, size_t line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** es_sheet_find - the column that @option names; 0, or -ENOENT with the nearest name or all of them */
int es_sheet_find(const struct es_sheet *rows, const char *option, const char *name, int *ret,
		  struct es_error *err);
const char *es_sheet_cell(const struct es_sheet *rows, size_t row, int column);

/** es_sheet_has_decimal_comma - such as 24,5: it is no number, but it is known what was meant */
bool es_sheet_has_decimal_comma(const char *text);

/** es_sheet_filled - leaves rows out, and counts them, whose cell in @column is empty */
void es_sheet_filled(struct es_sheet *rows, int column);

/**
 * es_sheet_positive - numbers above 0 of some columns, for each row
 * @columns: [@n_columns]; -1: none; @ret: [n_columns] arrays, owned by caller, each to be freed; rows without a number
 * are left out of @rows and counted
 *
 * Returns 0; -EBADMSG with file, line and column: 0, less, nan, infinite, or beyond what can be (1e-30 to 1e30); -ENODATA: no row is left; -ENOMEM.
 */
int es_sheet_positive(struct es_sheet *rows, const int *columns, size_t n_columns, double **ret,
		      struct es_error *err);

/**
 * es_sheet_refuse_estimates - no joules of it are estimates from CPU time, by a column named "kind"
 * Returns 0, or -ENODATA with words: they grow with time, whatever the setting does.
 */
int es_sheet_refuse_estimates(const struct es_sheet *rows, struct es_error *err);

/** es_sheet_complain - tells the lines that were left out; where @is_strict returns -EBADMSG if there are any, else 0 */
int es_sheet_complain(const struct es_sheet *rows, const char *command, bool is_strict);

/** es_sheet_json - a row as an object: numbers where the cell is one, else words */
void es_sheet_json(const struct es_sheet *rows, size_t row, const char *key, struct es_json *json);

/** struct es_sheet_groups - rows that have the same words in some columns; zeros before, es_sheet_groups_finish() it */
struct es_sheet_groups {
	size_t *rows; /* [of the sheet] owned: group by group, in the order of the table within each */
	size_t *first; /* [n + 1] owned: where in @rows each begins */
	char **names; /* [n] owned: its words, " / " between them */
	size_t n;
};

/**
 * es_sheet_group - split the rows by @n_columns columns; none: all are one group, named ""
 * Groups are in the order of their words, of their numbers where words are numbers. Returns 0 or -ENOMEM.
 */
int es_sheet_group(const struct es_sheet *rows, const int *columns, size_t n_columns,
		   struct es_sheet_groups *ret);
void es_sheet_groups_finish(struct es_sheet_groups *groups);

/**
 * es_sheet_find_list - the columns that @list names: as it is, else its parts between commas
 * @ret: [@n_max]; *@ret_n grows. Returns 0; -ENOENT as es_sheet_find(); -E2BIG, -EINVAL (twice the same) with words; -ENOMEM.
 */
int es_sheet_find_list(const struct es_sheet *rows, const char *option, const char *list,
		       size_t n_max, int *ret, size_t *ret_n, struct es_error *err);
#define ES_SHEET_GROUP_COLUMNS_MAX 8U

/** es_sheet_time_unit - in seconds, joules or watts, by how its name ends (time_ms, Energy[Wh], power (mW)); 1 where it says none */
double es_sheet_time_unit(const char *name);
double es_sheet_energy_unit(const char *name);
double es_sheet_power_unit(const char *name);

#endif
