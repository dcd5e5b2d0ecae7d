/*
 * carbon_csv.c - carbon intensities in CSV: start[,stop],g_per_kwh[,zone,kind,scope,source,basis]
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/text.h"
#include "format/carbon_parse.h"
#include "format/csvread.h"

#define VALUES_MAX 4 /* columns of figures: direct and life cycle side by side */
#define COMMENT_MAX_BYTES 256

enum column {
	COLUMN_START,
	COLUMN_STOP,
	COLUMN_ZONE,
	COLUMN_KIND,
	COLUMN_SCOPE,
	COLUMN_SOURCE,
	COLUMN_BASIS,
	COLUMN_IS_ESTIMATED,
	N_COLUMNS,
};

/* A column's usual names; those of Electricity Maps' exports among them. */
static const struct {
	const char *name;
	enum column column;
	bool is_utc;
} names[] = {
	{ "start", COLUMN_START, false },
	{ "time", COLUMN_START, false },
	{ "datetime", COLUMN_START, false },
	{ "iso_time", COLUMN_START, false },
	{ "date_heure", COLUMN_START, false },
	{ "datetime (utc)", COLUMN_START, true },
	{ "stop", COLUMN_STOP, false },
	{ "end", COLUMN_STOP, false },
	{ "zone", COLUMN_ZONE, false },
	{ "zone id", COLUMN_ZONE, false },
	{ "kind", COLUMN_KIND, false },
	{ "scope", COLUMN_SCOPE, false },
	{ "source", COLUMN_SOURCE, false },
	{ "basis", COLUMN_BASIS, false },
	{ "data estimated", COLUMN_IS_ESTIMATED, false },
};

struct value_column {
	int at;
	bool has_scope;
	enum es_factor_scope scope;
};

struct table {
	struct es_carbon_file *file;
	struct es_csv csv;
	struct es_carbon_nature nature; /* what comments say holds for all lines */
	bool is_utc;
	int columns[N_COLUMNS]; /* -1: not there */
	struct value_column values[VALUES_MAX];
	size_t n_values;
	struct es_error *err;
};

static int bad(const struct table *table, const char *what, const char *text)
{
	return es_carbon_bad(table->file, -EBADMSG, NULL, table->csv.line, table->err, "%s '%.80s'",
			     what, text);
}

static int set_zone(const struct table *table, struct es_carbon_nature *nature, const char *text)
{
	return es_carbon_zone(text, nature->zone) < 0 ? bad(table, "no zone has such a name:", text)
						      : 0;
}

static int set_source(const struct table *table, struct es_carbon_nature *nature, const char *text)
{
	if (strlen(text) >= sizeof(nature->source))
		return bad(table, "a source's name of more than 95 bytes:", text);
	(void)snprintf(nature->source, sizeof(nature->source), "%s", text);
	es_text_make_safe(nature->source, false);
	return 0;
}

static int set_kind(const struct table *table, struct es_carbon_nature *nature, const char *text)
{
	if (text[0] && es_factor_kind_parse(text, &nature->kind) < 0)
		return bad(table, "kind is average, marginal or market, not", text);
	return 0;
}

static int set_scope(const struct table *table, struct es_carbon_nature *nature, const char *text)
{
	if (text[0] && es_factor_scope_parse(text, &nature->scope) < 0)
		return bad(table, "scope is lifecycle or direct, not", text);
	return 0;
}

/* "key: value" behind the '#'; what is no such thing is a remark. */
static int take_comment(struct table *table, char *text)
{
	struct es_carbon_nature *nature = &table->nature;
	char *colon = strchr(text, ':'), *value, *end;

	if (!colon)
		return 0;
	*colon = '\0';
	for (value = colon + 1; isspace((unsigned char)*value); value++)
		;
	for (end = value + strlen(value); end > value && isspace((unsigned char)end[-1]); end--)
		end[-1] = '\0';
	if (strcasecmp(text, "zone") == 0)
		return set_zone(table, nature, value);
	if (strcasecmp(text, "source") == 0)
		return set_source(table, nature, value);
	if (strcasecmp(text, "kind") == 0)
		return set_kind(table, nature, value);
	if (strcasecmp(text, "scope") == 0)
		return set_scope(table, nature, value);
	if (strcasecmp(text, "timezone") == 0) {
		table->is_utc = strcasecmp(value, "UTC") == 0;
		return table->is_utc ? 0 : bad(table, "timezone is UTC or not said, not", value);
	}
	if (strcasecmp(text, "resolution") == 0) {
		if (es_parse_duration_ns(value, &nature->longest_ns) < 0 || nature->longest_ns <= 0)
			return bad(table, "resolution is a time like 15min or 1h, not", value);
		nature->alone_ns = nature->longest_ns;
	}
	return 0;
}

/* Lines that begin with '#', wherever they stand. */
static int skip_comments(struct table *table)
{
	struct es_csv *csv = &table->csv;

	while (csv->p < csv->end && *csv->p == '#') {
		char *newline = memchr(csv->p, '\n', (size_t)(csv->end - csv->p));
		char *end = newline ? newline : csv->end, *from = csv->p + 1;
		char text[COMMENT_MAX_BYTES];
		size_t n;
		int r = 0;

		while (from < end && (*from == ' ' || *from == '\t'))
			from++;
		n = (size_t)(end - from);
		csv->line = csv->next_line;
		if (n < sizeof(text)) {
			memcpy(text, from, n);
			text[n] = '\0';
			r = take_comment(table, text);
		}
		if (r < 0)
			return r;
		csv->p = newline ? newline + 1 : csv->end;
		csv->next_line++;
	}
	return 0;
}

static int next_record(struct table *table, char *fields[static ES_CSV_FIELDS_MAX])
{
	int r = skip_comments(table);

	if (r < 0)
		return r;
	r = es_csv_next(&table->csv, fields);
	if (r < 0)
		return es_carbon_bad(table->file, -EBADMSG, NULL, table->csv.line, table->err, "%s",
				     r == -E2BIG ? "too many fields" : "quotes that do not match");
	return r;
}

/* A column of figures: its name says the unit, and perhaps the scope. */
static bool is_value(const char *name, struct value_column *ret)
{
	static const char *const plain[] = { "g_per_kwh", "gco2_per_kwh", "carbon_intensity",
					     "taux_co2" };

	for (size_t i = 0; i < ES_ARRAY_SIZE(plain); i++)
		if (strcasecmp(name, plain[i]) == 0)
			return true;
	if (strncasecmp(name, "Carbon intensity gCO", 20) != 0)
		return false;
	ret->has_scope = true;
	if (strcasestr(name, "(direct)"))
		ret->scope = ES_FACTOR_DIRECT;
	else if (strcasestr(name, "(life cycle)") || strcasestr(name, "(lifecycle)"))
		ret->scope = ES_FACTOR_LIFECYCLE;
	else
		ret->has_scope = false;
	return true;
}

static bool take_header(struct table *table, char *const *fields, int n)
{
	for (int i = 0; i < n; i++) {
		struct value_column value = { .at = i };

		for (size_t j = 0; j < ES_ARRAY_SIZE(names); j++) {
			if (strcasecmp(fields[i], names[j].name) != 0 ||
			    table->columns[names[j].column] >= 0)
				continue;
			table->columns[names[j].column] = i;
			table->is_utc = table->is_utc || names[j].is_utc;
		}
		if (table->n_values < VALUES_MAX && is_value(fields[i], &value))
			table->values[table->n_values++] = value;
	}
	return table->columns[COLUMN_START] >= 0 && table->n_values > 0;
}

/* Without a header: start and figure, or start, stop and figure. */
static bool is_bare(struct table *table, char *const *fields, int n)
{
	int64_t t_ns;
	double v;

	if ((n != 2 && n != 3) || es_carbon_time(fields[0], table->is_utc, &t_ns) == -EBADMSG ||
	    es_parse_double(fields[n - 1], &v) < 0 ||
	    (n == 3 && es_carbon_time(fields[1], table->is_utc, &t_ns) == -EBADMSG))
		return false;
	table->columns[COLUMN_START] = 0;
	table->columns[COLUMN_STOP] = n == 3 ? 1 : -1;
	table->values[0].at = n - 1;
	table->n_values = 1;
	return true;
}

static int take_time(const struct table *table, const char *text, int64_t *ret)
{
	int r = es_carbon_time(text, table->is_utc, ret);

	if (r == -EINVAL)
		return bad(
			table,
			"end it with Z or +01:00, or say '# timezone: UTC': a time without zone,",
			text);
	return r < 0 ? bad(table, "no time:", text) : 0;
}

static int take_basis(const struct table *table, const char *text, struct es_slot *slot)
{
	if (text[0] == '\0')
		return 0;
	for (int i = 0; i < ES_N_SLOT_BASES; i++) {
		if (strcasecmp(text, es_slot_basis_name((enum es_slot_basis)i)) == 0) {
			slot->basis = (uint8_t)i;
			return 0;
		}
	}
	return bad(table, "basis is actual, estimated or forecast, not", text);
}

/* What a line says of its figures beside the figures. */
static int take_nature(const struct table *table, char *const *fields,
		       struct es_carbon_nature *nature, struct es_slot *slot)
{
	const int *at = table->columns;
	int r = 0;

	if (at[COLUMN_ZONE] >= 0)
		r = set_zone(table, nature, fields[at[COLUMN_ZONE]]);
	if (r == 0 && at[COLUMN_KIND] >= 0)
		r = set_kind(table, nature, fields[at[COLUMN_KIND]]);
	if (r == 0 && at[COLUMN_SCOPE] >= 0)
		r = set_scope(table, nature, fields[at[COLUMN_SCOPE]]);
	if (r == 0 && at[COLUMN_SOURCE] >= 0 && fields[at[COLUMN_SOURCE]][0])
		r = set_source(table, nature, fields[at[COLUMN_SOURCE]]);
	if (r == 0 && at[COLUMN_BASIS] >= 0)
		r = take_basis(table, fields[at[COLUMN_BASIS]], slot);
	if (r == 0 && at[COLUMN_IS_ESTIMATED] >= 0 &&
	    strcasecmp(fields[at[COLUMN_IS_ESTIMATED]], "true") == 0)
		slot->basis = ES_SLOT_ESTIMATED;
	return r;
}

static int take_line(struct table *table, char *const *fields, int n)
{
	struct es_carbon_nature nature = table->nature;
	struct es_slot slot = { .stop_ns = ES_SLOT_OPEN, .place = (uint32_t)table->csv.line };
	int r;

	for (int c = 0; c < N_COLUMNS; c++)
		if (table->columns[c] >= n)
			return es_carbon_bad(table->file, -EBADMSG, NULL, table->csv.line,
					     table->err, "only %d fields", n);
	r = take_time(table, fields[table->columns[COLUMN_START]], &slot.start_ns);
	if (r == 0 && table->columns[COLUMN_STOP] >= 0)
		r = take_time(table, fields[table->columns[COLUMN_STOP]], &slot.stop_ns);
	if (r == 0)
		r = take_nature(table, fields, &nature, &slot);
	for (size_t i = 0; r == 0 && i < table->n_values; i++) {
		const struct value_column *value = &table->values[i];

		if (value->at >= n)
			return es_carbon_bad(table->file, -EBADMSG, NULL, table->csv.line,
					     table->err, "only %d fields", n);
		/* An empty field is a figure that is missing. */
		if (fields[value->at][0] == '\0')
			continue;
		if (es_parse_double(fields[value->at], &slot.g_per_kwh) < 0)
			return bad(table, "no number:", fields[value->at]);
		if (value->has_scope)
			nature.scope = value->scope;
		r = es_carbon_put(table->file, &nature, &slot, table->err);
	}
	return r;
}

/* A file that names no source is its own: its name without folder and ending. */
static void name_source(struct table *table)
{
	const char *name = table->file->parts[table->file->n_parts - 1].name;
	const char *slash = strrchr(name, '/');
	char *dot;

	(void)snprintf(table->nature.source, sizeof(table->nature.source), "%.*s",
		       (int)sizeof(table->nature.source) - 1, slash ? slash + 1 : name);
	dot = strchr(table->nature.source, '.');
	if (dot && dot != table->nature.source)
		*dot = '\0';
	es_text_make_safe(table->nature.source, false);
}

int es_carbon_read_csv(struct es_carbon_file *file, char *data, size_t n, struct es_error *err)
{
	struct table table = { .file = file, .err = err };
	char *fields[ES_CSV_FIELDS_MAX];
	int r;

	for (int c = 0; c < N_COLUMNS; c++)
		table.columns[c] = -1;
	name_source(&table);
	es_csv_init(&table.csv, data, n);
	r = next_record(&table, fields);
	/* Before it is known to be ours, what does not fit only says that it is not. */
	if (r == 0)
		return 1;
	if (r < 0)
		return r;
	if (is_bare(&table, fields, r)) {
		r = take_line(&table, fields, r);
		if (r < 0)
			return r;
	} else if (!take_header(&table, fields, r)) {
		return 1;
	}
	while ((r = next_record(&table, fields)) > 0) {
		r = take_line(&table, fields, r);
		if (r < 0)
			return r;
	}
	return r;
}
