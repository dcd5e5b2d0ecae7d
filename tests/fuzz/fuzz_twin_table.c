/*
 * fuzz_twin_table.c - any bytes as a table of measurements
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <string.h>

#include "cli/twin_table.h"
#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_twin_reading reading = { .kind = es_twin_kind_find("taurus", NULL) };
	struct es_twin_table table = { .n = 0 };
	struct es_error err = { .code = 0 };
	char *text = malloc(n + 1);
	int r;

	if (!text)
		return 0;
	if (n)
		memcpy(text, data, n);
	text[n] = '\0';
	r = es_twin_table_read(&reading, "table", text, n, &table, &err);
	fuzz_require(r == 0 || err.text[0] != '\0');
	fuzz_require(r < 0 || table.n > 0);
	for (size_t i = 0; r == 0 && i < table.n; i++) {
		const struct es_twin_measured *program = &table.programs[i];

		fuzz_require(program->n > 0 && strlen(program->name) < sizeof(program->name));
		for (size_t k = 0; k < program->n; k++)
			fuzz_require(program->rows[k].setting >= 0 && program->rows[k].time_s > 0 &&
				     program->rows[k].energy_j > 0);
	}
	es_twin_table_finish(&table);
	free(text);
	return 0;
}
