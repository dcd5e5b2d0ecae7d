/*
 * fuzz_place_table.c - any bytes as tables of configurations and classes, and the cheapest placement of them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <string.h>

#include "cli/place_runs.h"
#include "cli/place_table.h"
#include "fuzz/target.h"
#include "opt/place.h"

#define ROWS_MAX 64U

static void place(size_t n, size_t m, const int64_t *energy_nkwh)
{
	const struct es_place_limits limits = { NULL, NULL, -1, NULL };
	int64_t room[ES_PLACE_CLASSES_MAX];
	uint8_t *why = calloc(n * m, 1);
	struct es_place_problem problem = { n, m, energy_nkwh, NULL, why, room, false };
	struct es_place_lack lack;
	struct es_place found;

	for (size_t j = 0; j < m; j++)
		room[j] = j % 3 ? (int64_t)(n / m + 1) : ES_PLACE_ENDLESS;
	if (why) {
		es_place_limit(&problem, &limits, why);
		if (es_place_solve(&problem, &found, &lack) == 0) {
			fuzz_require(found.energy_nkwh > 0);
			for (size_t i = 0; i < n; i++)
				fuzz_require(energy_nkwh[i * m + found.at[i]] > 0);
			es_place_finish(&found);
		}
	}
	free(why);
}

static void take_matrix(struct es_sheet *sheet, bool is_time)
{
	struct es_place_table table = { .cells = NULL };
	struct es_error err = { .code = 0 };
	int r = es_place_table_take(sheet, is_time, &table, &err);

	fuzz_require(r == 0 || err.text[0] != '\0');
	for (size_t c = 0; r == 0 && c < table.configurations.n * table.classes.n; c++)
		fuzz_require(table.cells[c] >= 0 && table.cells[c] <= ES_PLACE_ENERGY_MAX_NKWH);
	if (r == 0 && table.configurations.n <= ROWS_MAX)
		place(table.configurations.n, table.classes.n, table.cells);
	es_place_table_finish(&table);
}

static void choose(struct es_place_runs *runs, size_t n, size_t m)
{
	const struct es_place_wish wish = { NULL, 100000 };
	struct es_place_cell *cells = calloc(n * m, sizeof(*cells));
	int64_t *best_us = calloc(n, sizeof(*best_us));
	size_t n_runs = 0;

	if (cells && best_us && es_place_runs_choose(runs, m, &wish, cells, best_us) == 0) {
		for (size_t c = 0; c < n * m; c++) {
			n_runs += cells[c].n;
			fuzz_require(cells[c].n == 0 || cells[c].energy_nkwh.mean >= 1);
			fuzz_require(cells[c].n_settings <= runs->n);
		}
		fuzz_require(n_runs > 0 && n_runs <= runs->n);
	}
	free(cells);
	free(best_us);
}

/* A row for each run. */
static void take_rows(struct es_sheet *sheet, bool has_all)
{
	const struct es_place_columns columns = { "c", "k", "e", has_all ? "t" : NULL,
						  has_all ? "s" : NULL };
	struct es_place_names configurations = { .n = 0 }, classes = { .n = 0 };
	struct es_place_runs runs = { .n = 0 };
	struct es_error err = { .code = 0 };
	int r = es_place_runs_table(sheet, &columns, &runs, &err);

	if (r == 0)
		r = es_place_runs_name(&runs, &configurations, &classes, &err);
	fuzz_require(r == 0 || err.text[0] != '\0');
	if (r == 0 && configurations.n <= ROWS_MAX)
		choose(&runs, configurations.n, classes.n);
	es_place_names_finish(&configurations);
	es_place_names_finish(&classes);
	es_place_runs_finish(&runs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_sheet sheet = { .n = 0 };
	struct es_error err = { .code = 0 };
	char *text = malloc(n + 1);

	if (!text || n == 0) {
		free(text);
		return 0;
	}
	memcpy(text, data + 1, n - 1);
	text[n - 1] = '\0';
	sheet.has_remarks_first = data[0] & 4;
	if (es_sheet_parse("table", text, n - 1, &sheet, &err) < 0)
		fuzz_require(err.text[0] != '\0');
	else if (data[0] & 2)
		take_rows(&sheet, data[0] & 1);
	else
		take_matrix(&sheet, data[0] & 1);
	es_sheet_finish(&sheet);
	return 0;
}
