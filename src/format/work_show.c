/*
 * work_show.c - work done, in the report's JSON and table
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format/letters.h"
#include "format/regions.h"
#include "format/work.h"

#define NAME_COLUMNS 24U
#define REGIONS_SHOWN 8U /* in the table; JSON has all */

static void put_work(const struct es_work *work, struct es_json *json)
{
	if (work->is_known)
		es_json_double(json, "amount", work->amount);
	else
		es_json_null(json, "amount");
	es_json_string(json, "unit", work->unit);
	if (work->is_known)
		es_json_double(json, "uncertainty_amount", work->amount_bound);
	else
		es_json_null(json, "uncertainty_amount");
	if (work->has_j_per_unit) {
		es_json_double(json, "j_per_unit", work->j_per_unit);
		es_json_double(json, "uncertainty_j_per_unit", work->uncertainty_j_per_unit);
	} else {
		es_json_null(json, "j_per_unit");
		es_json_null(json, "uncertainty_j_per_unit");
	}
}

void es_work_json(const struct es_report *report, struct es_json *json)
{
	es_json_array(json, "work");
	for (size_t i = 0; i < report->n_works; i++) {
		const struct es_report_work *work = &report->works[i];

		es_json_object(json, NULL);
		put_work(&work->total, json);
		es_json_string(json, "remark", work->remark[0] ? work->remark : NULL);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

void es_work_json_region(const struct es_report *report, size_t region, struct es_json *json)
{
	if (report->n_works == 0) {
		es_json_null(json, "work");
		return;
	}
	es_json_object(json, "work");
	put_work(&report->works[0].by_region[region], json);
	es_json_object_end(json);
	if (report->n_works == 1)
		return;
	es_json_array(json, "works");
	for (size_t i = 0; i < report->n_works; i++) {
		es_json_object(json, NULL);
		put_work(&report->works[i].by_region[region], json);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

char *es_work_amount_text(double amount, char text[static ES_WORK_TEXT_BYTES])
{
	char digits[ES_WORK_TEXT_BYTES];
	size_t n, n_whole, at = 0;

	/* Amounts are below 10^13: their millionths fit 64 bits. */
	if (!(amount >= 0 && amount < 1e13)) {
		(void)snprintf(text, ES_WORK_TEXT_BYTES, "n/a");
		return text;
	}
	(void)snprintf(digits, sizeof(digits), "%.*f",
		       amount < 1      ? 6
		       : amount < 1000 ? 2
				       : 0,
		       amount);
	n = strlen(digits);
	n_whole = strcspn(digits, ".");
	while (n > n_whole && (digits[n - 1] == '0' || digits[n - 1] == '.'))
		n--;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && i < n_whole && (n_whole - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	return text;
}

char *es_work_energy_text(double energy_j, char text[static ES_WORK_TEXT_BYTES])
{
	static const struct {
		double factor, from_j;
		const char *name;
	} units[] = { { 1e-9, 0, "nJ" },   { 1e-6, 0.9995e-6, "µJ" }, { 1e-3, 0.9995e-3, "mJ" },
		      { 1, 0.09995, "J" }, { 1e3, 9995, "kJ" },	      { 1e6, 9.995e6, "MJ" } };
	size_t unit = 0;
	double value, size;
	int decimals;

	while (unit + 1 < sizeof(units) / sizeof(units[0]) && energy_j >= units[unit + 1].from_j)
		unit++;
	value = energy_j / units[unit].factor;
	size = fabs(value);
	decimals = size < 0.9995 ? 3 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
	(void)snprintf(text, ES_WORK_TEXT_BYTES, "%.*f %s", decimals, value, units[unit].name);
	return text;
}

static bool ends_with(const char *word, size_t n, const char *end)
{
	size_t n_end = strlen(end);

	return n > n_end && memcmp(word + n - n_end, end, n_end) == 0;
}

/* English is not followed into every corner: short words, and those that end in ss, us or is, are taken for singulars. */
char *es_work_singular(const char *unit, char text[static ES_WORK_WORD_BYTES])
{
	size_t n = (size_t)snprintf(text, ES_WORK_WORD_BYTES, "%.*s", (int)ES_WORK_WORD_BYTES - 1,
				    unit);

	if (n >= ES_WORK_WORD_BYTES || n < 4 || text[n - 1] != 's')
		return text;
	if (n > 5 && ends_with(text, n, "ies")) {
		text[n - 3] = 'y';
		text[n - 2] = '\0';
	} else if (ends_with(text, n, "ches") || ends_with(text, n, "shes") ||
		   ends_with(text, n, "sses") || ends_with(text, n, "xes")) {
		text[n - 2] = '\0';
	} else if (!ends_with(text, n, "ss") && !ends_with(text, n, "us") &&
		   !ends_with(text, n, "is")) {
		text[n - 1] = '\0';
	}
	return text;
}

/* "1,200 steps, 0.520 J ±12.0 mJ per step" */
static void put_figures(const struct es_work *work, struct es_buf *out)
{
	char amount[ES_WORK_TEXT_BYTES], energy[ES_WORK_TEXT_BYTES], bound[ES_WORK_TEXT_BYTES],
		one[ES_WORK_WORD_BYTES];

	(void)es_buf_printf(out, "%s %s", es_work_amount_text(work->amount, amount), work->unit);
	if (work->amount_bound >= 0.005 * work->amount && work->amount_bound > 0)
		(void)es_buf_printf(out, " ±%s", es_work_amount_text(work->amount_bound, amount));
	if (work->has_j_per_unit)
		(void)es_buf_printf(out, ", %s ±%s per %s",
				    es_work_energy_text(work->j_per_unit, energy),
				    es_work_energy_text(work->uncertainty_j_per_unit, bound),
				    es_work_singular(work->unit, one));
}

static void put_total(const struct es_report_work *work, struct es_buf *out)
{
	(void)es_buf_printf(out, "  %-10s ", "work");
	if (!work->total.is_known) {
		(void)es_buf_printf(out, "%s: %s\n", work->total.unit,
				    work->remark[0] ? work->remark : "nothing was counted");
		return;
	}
	put_figures(&work->total, out);
	if (work->remark[0])
		(void)es_buf_printf(out, " (%s)", work->remark);
	(void)es_buf_str(out, "\n");
}

void es_work_table(const struct es_report *report, struct es_buf *out)
{
	for (size_t w = 0; w < report->n_works; w++) {
		const struct es_report_work *work = &report->works[w];
		size_t n_shown = 0;

		put_total(work, out);
		for (size_t i = 0; i < report->n_regions && n_shown < REGIONS_SHOWN; i++) {
			if (es_region_is_automatic(report->regions[i].name) ||
			    !work->by_region[i].is_known || !(work->by_region[i].amount > 0))
				continue;
			n_shown++;
			(void)es_buf_printf(out, "  %-10s in ", "");
			es_letters_cell(out, report->regions[i].name, NAME_COLUMNS, false);
			(void)es_buf_str(out, ": ");
			put_figures(&work->by_region[i], out);
			(void)es_buf_str(out, "\n");
		}
	}
}
