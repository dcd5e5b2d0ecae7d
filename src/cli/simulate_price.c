/*
 * simulate_price.c - prices of electricity over time for a replayed trace
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/simulate_price.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "format/carbon_parse.h"

#define KWH_PER_MWH 1000.0

struct columns {
	int start, stop, price; /* -1: there is none */
	bool is_utc; /* times without zone are */
	double kwh; /* that a price is for */
};

/* "eur" of "price_eur_per_mwh" and "Price (EUR/MWhe)", where @unit is its "mwh"; false: there is no such thing. */
static bool take_currency(const char *name, const char *unit, char ret[static 4])
{
	const char *p = unit;
	bool is_per = false;

	for (; p > name && strchr(" _/", p[-1]); p--)
		is_per = is_per || p[-1] == '/';
	if (!is_per && p - name >= 3 && strncasecmp(p - 3, "per", 3) == 0) {
		is_per = true;
		for (p -= 3; p > name && strchr(" _", p[-1]); p--)
			;
	}
	if (!is_per || p - name < 3 || (p - name > 3 && isalpha((unsigned char)p[-4])))
		return false;
	for (int i = 0; i < 3; i++) {
		if (!isalpha((unsigned char)p[i - 3]))
			return false;
		ret[i] = (char)toupper((unsigned char)p[i - 3]);
	}
	ret[3] = '\0';
	return true;
}

/* A column of prices: its name has the currency and what they are for. */
static bool is_price(const char *name, char ret_currency[static 4], double *ret_kwh)
{
	for (const char *p = name; *p; p++) {
		if (strncasecmp(p, "kwh", 3) != 0 && strncasecmp(p, "mwh", 3) != 0)
			continue;
		*ret_kwh = tolower((unsigned char)*p) == 'm' ? KWH_PER_MWH : 1;
		if (take_currency(name, p, ret_currency))
			return true;
	}
	return false;
}

static int find_price(struct es_simulate_price *price, const struct es_sheet *rows,
		      struct columns *columns, struct es_error *err)
{
	int again = -1;

	for (int i = 0; i < rows->n_columns; i++) {
		char currency[4];
		double kwh;

		if (!is_price(rows->names[i], currency, &kwh))
			continue;
		again = columns->price >= 0 && again < 0 ? i : again;
		if (columns->price >= 0)
			continue;
		columns->price = i;
		columns->kwh = kwh;
		memcpy(price->currency, currency, sizeof(price->currency));
	}
	if (again >= 0)
		return es_error_say(
			err, -EBADMSG,
			"'%.300s': '%.60s' and '%.60s' are both prices: which of them counts?",
			rows->file, rows->names[columns->price], rows->names[again]);
	if (columns->price >= 0)
		return 0;
	for (int i = 0; i < rows->n_columns; i++)
		if (strcasestr(rows->names[i], "price"))
			return es_error_say(
				err, -ENOENT,
				"'%.300s': column '%.60s' does not name its currency and what it is for, as 'price_eur_per_mwh' does",
				rows->file, rows->names[i]);
	return es_sheet_find(rows, "price-file", "price_eur_per_mwh", &columns->price, err);
}

static int find_columns(struct es_simulate_price *price, const struct es_sheet *rows,
			struct columns *ret, struct es_error *err)
{
	static const char *const starts[] = { "start",		"time",	    "datetime",
					      "datetime (utc)", "time_utc", "start_utc" };
	static const char *const stops[] = { "stop", "end" };

	*ret = (struct columns){ .start = -1, .stop = -1, .price = -1 };
	for (int i = 0; i < rows->n_columns; i++) {
		for (size_t j = 0; j < ES_ARRAY_SIZE(starts) && ret->start < 0; j++)
			if (strcasecmp(rows->names[i], starts[j]) == 0) {
				ret->start = i;
				ret->is_utc = j >= 3;
			}
		for (size_t j = 0; j < ES_ARRAY_SIZE(stops) && ret->stop < 0; j++)
			if (strcasecmp(rows->names[i], stops[j]) == 0)
				ret->stop = i;
	}
	if (ret->start < 0)
		return es_sheet_find(rows, "price-file", "time", &ret->start, err);
	return find_price(price, rows, ret, err);
}

static int wrong(const struct es_sheet *rows, size_t row, int column, const char *why,
		 struct es_error *err)
{
	return es_error_say(err, -EBADMSG, "'%.300s' line %zu: %.60s '%.60s': %s", rows->file,
			    rows->lines[row], rows->names[column], es_sheet_cell(rows, row, column),
			    why);
}

static int take_time(const struct es_sheet *rows, size_t row, int column, bool is_utc,
		     int64_t *ret_ns, struct es_error *err)
{
	int r = es_carbon_time(es_sheet_cell(rows, row, column), is_utc, ret_ns);

	if (r == -EINVAL)
		return wrong(rows, row, column, "a time without zone: end it with Z or +01:00",
			     err);
	if (r < 0 || *ret_ns > ES_TIME_MAX_NS || *ret_ns < -ES_TIME_MAX_NS)
		return wrong(rows, row, column, "no time", err);
	return 0;
}

/* 1: a price; 0: the field is empty, it is missing; or -EBADMSG. */
static int take_row(const struct es_sheet *rows, size_t row, const struct columns *columns,
		    struct es_slot *ret, struct es_error *err)
{
	const char *text = es_sheet_cell(rows, row, columns->price);
	double value;
	int r;

	*ret = (struct es_slot){ .stop_ns = ES_SLOT_OPEN, .place = (uint32_t)rows->lines[row] };
	r = take_time(rows, row, columns->start, columns->is_utc, &ret->start_ns, err);
	if (r == 0 && columns->stop >= 0)
		r = take_time(rows, row, columns->stop, columns->is_utc, &ret->stop_ns, err);
	if (r < 0 || text[0] == '\0')
		return r;
	if (ret->stop_ns != ES_SLOT_OPEN && ret->stop_ns <= ret->start_ns)
		return wrong(rows, row, columns->stop, "not after its start", err);
	if (es_parse_double(text, &value) < 0 ||
	    !(fabs(value / columns->kwh) <= ES_SIMULATE_PRICE_MAX))
		return wrong(rows, row, columns->price, "no price", err);
	ret->g_per_kwh = value / columns->kwh;
	return 1;
}

int es_simulate_price_take(struct es_simulate_price *price, const struct es_sheet *rows,
			   struct es_error *err)
{
	struct es_intensity *series = &price->series;
	struct es_slot clash[2];
	struct columns columns;
	int r = find_columns(price, rows, &columns, err);

	if (r < 0)
		return r;
	/* Not by es_intensity_add(): prices may be below 0. */
	series->slots = calloc(rows->n + 1, sizeof(*series->slots));
	series->cap = rows->n + 1;
	if (!series->slots)
		return es_error_set(err, -ENOMEM, "'%.300s'", rows->file);
	for (size_t row = 0; row < rows->n; row++) {
		r = take_row(rows, row, &columns, &series->slots[series->n], err);
		if (r < 0)
			return r;
		series->n += (size_t)r;
	}
	if (series->n == 0)
		return es_error_say(err, -ENODATA, "'%.300s': there is no line with a price",
				    rows->file);
	r = es_intensity_prepare(series, clash);
	if (r == -EEXIST)
		return es_error_say(err, r,
				    "'%.300s': lines %u and %u have two prices for one time",
				    rows->file, clash[0].place, clash[1].place);
	if (r == -ENODATA)
		return es_error_say(err, r,
				    "'%.300s' line %u: until when? A column 'stop' is wanted",
				    rows->file, clash[0].place);
	r = r < 0 ? r : es_simulate_rates_set(&price->rates, series);
	return r < 0 ? es_error_set(err, r, "'%.300s'", rows->file) : 0;
}

int es_simulate_price_read(struct es_simulate_price *price, const char *command, const char *path,
			   bool is_strict, struct es_error *err)
{
	struct es_sheet rows = { .n = 0 };
	int r = es_sheet_read(path, &rows, err);

	if (r == 0 && es_sheet_complain(&rows, command, is_strict) < 0)
		r = es_error_say(err, -EBADMSG,
				 "'%s': lines that are no rows are refused (--strict)", path);
	if (r == 0)
		r = es_simulate_price_take(price, &rows, err);
	es_sheet_finish(&rows);
	return r;
}

void es_simulate_price_finish(struct es_simulate_price *price)
{
	es_simulate_rates_finish(&price->rates);
	es_intensity_finish(&price->series);
}
