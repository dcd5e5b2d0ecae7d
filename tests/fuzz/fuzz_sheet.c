/*
 * fuzz_sheet.c - any bytes as a table with named columns
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "cli/sheet.h"
#include "fuzz/target.h"

/* Each row is in one group; groups are not empty. */
static void group(const struct es_sheet *rows)
{
	const int columns[] = { 0, rows->n_columns - 1 };
	struct es_sheet_groups groups;
	size_t sum = 0, seen = 0;

	if (es_sheet_group(rows, columns, rows->n_columns > 1 ? 2 : 1, &groups) < 0)
		return;
	fuzz_require(groups.n <= rows->n && groups.first[groups.n] == rows->n);
	for (size_t i = 0; i < groups.n; i++)
		fuzz_require(groups.first[i + 1] > groups.first[i] && groups.names[i]);
	for (size_t i = 0; i < rows->n; i++) {
		seen += groups.rows[i];
		sum += i;
	}
	fuzz_require(seen == sum);
	es_sheet_groups_finish(&groups);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_sheet rows = { .n = 0 };
	struct es_error err = { .code = 0 };
	double *values[2] = { NULL, NULL };
	char *text = malloc(n + 1);
	int columns[2] = { -1, -1 }, r;

	if (!text)
		return 0;
	if (n)
		memcpy(text, data, n);
	text[n] = '\0';
	r = es_sheet_parse("table", text, n, &rows, &err);
	fuzz_require(r == 0 || err.text[0] != '\0');
	if (r == 0 && es_sheet_find(&rows, "time", "t", &columns[0], &err) == 0 &&
	    es_sheet_find(&rows, "energy", "e", &columns[1], &err) == 0 &&
	    es_sheet_positive(&rows, columns, 2, values, &err) == 0) {
		fuzz_require(rows.n > 0);
		for (size_t i = 0; i < rows.n; i++)
			fuzz_require(values[0][i] > 0 && isfinite(values[0][i]) &&
				     values[1][i] > 0 && isfinite(values[1][i]));
	}
	if (rows.n_columns > 0)
		group(&rows);
	(void)es_sheet_refuse_estimates(&rows, NULL);
	for (size_t i = 1; i < rows.n_bad && i < ES_SHEET_BAD_SHOWN; i++)
		fuzz_require(rows.bad[i - 1].line <= rows.bad[i].line);
	free(values[0]);
	free(values[1]);
	es_sheet_finish(&rows);
	return 0;
}
