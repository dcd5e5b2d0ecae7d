/*
 * fuzz_place_table.c - any bytes as a table of configurations by classes, and its cheapest placement
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <string.h>

#include "cli/place_table.h"
#include "fuzz/target.h"
#include "opt/place.h"

static void place(const struct es_place_table *table)
{
	const struct es_place_limits limits = { NULL, NULL, -1 };
	size_t n = table->configurations.n, m = table->classes.n;
	int64_t room[ES_PLACE_CLASSES_MAX];
	uint8_t *why = calloc(n * m, 1);
	struct es_place_problem problem = { n, m, table->cells, NULL, why, room, false };
	struct es_place_lack lack;
	struct es_place found;

	for (size_t j = 0; j < m; j++)
		room[j] = j % 3 ? (int64_t)(n / m + 1) : ES_PLACE_ENDLESS;
	if (why) {
		es_place_limit(&problem, &limits, why);
		if (es_place_solve(&problem, &found, &lack) == 0) {
			fuzz_require(found.energy_nkwh > 0);
			for (size_t i = 0; i < n; i++)
				fuzz_require(table->cells[i * m + found.at[i]] > 0);
			es_place_finish(&found);
		}
	}
	free(why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_place_table table = { .cells = NULL };
	struct es_error err = { .code = 0 };
	char *text = malloc(n + 1);
	int r;

	if (!text || n == 0) {
		free(text);
		return 0;
	}
	memcpy(text, data + 1, n - 1);
	text[n - 1] = '\0';
	r = es_place_table_read("table", text, n - 1, data[0] & 1, &table, &err);
	fuzz_require(r == 0 || err.text[0] != '\0');
	for (size_t c = 0; r == 0 && c < table.configurations.n * table.classes.n; c++)
		fuzz_require(table.cells[c] >= 0 && table.cells[c] <= ES_PLACE_ENERGY_MAX_NKWH);
	if (r == 0 && table.configurations.n <= 64)
		place(&table);
	es_place_table_finish(&table);
	free(text);
	return 0;
}
