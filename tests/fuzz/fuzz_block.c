/*
 * fuzz_block.c - any bytes as a block; what decodes must come back the same when encoded again
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <string.h>

#include "block/block.h"
#include "fuzz/target.h"

#define ROWS_MAX 4096U /* larger blocks only take longer */

struct table {
	int64_t values[ROWS_MAX], again[ROWS_MAX];
	uint8_t present[ROWS_MAX], present_again[ROWS_MAX];
};

static void encode_again(struct table *table, const struct es_block_info *info, size_t n_rows)
{
	const struct es_block_column column = {
		.id = info->id,
		.unit_num = info->unit_num,
		.unit_den = info->unit_den,
		.values = table->values,
		.present = table->present,
	};
	struct es_block_info info_again;
	struct es_block block;
	struct es_buf out;

	es_buf_init(&out, 1U << 20);
	fuzz_require(es_block_encode(&column, 1, n_rows, &out) == 0);
	fuzz_require(es_block_open(&block, out.data, out.len) == 0);
	fuzz_require(es_block_next(&block, &info_again) == 1);
	fuzz_require(info_again.id == info->id && info_again.n_present == info->n_present);
	fuzz_require(es_block_decode(&block, &info_again, table->again, table->present_again) == 0);
	fuzz_require(memcmp(table->again, table->values, n_rows * sizeof(table->values[0])) == 0);
	fuzz_require(memcmp(table->present_again, table->present, n_rows) == 0);
	fuzz_require(es_block_next(&block, &info_again) == 0);
	es_buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_block_info info;
	struct es_block block;
	struct table *table;

	if (es_block_open(&block, data, n) < 0 || block.n_rows > ROWS_MAX)
		return 0;
	table = malloc(sizeof(*table));
	while (table && es_block_next(&block, &info) > 0)
		if (es_block_decode(&block, &info, table->values, table->present) == 0)
			encode_again(table, &info, block.n_rows);
	free(table);
	return 0;
}
