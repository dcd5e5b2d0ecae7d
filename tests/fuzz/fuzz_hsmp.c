/*
 * fuzz_hsmp.c - any bytes as the metrics table of an MI300A socket
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "fuzz/target.h"
#include "source/hsmp_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_hsmp_table table = { .n_updates = 0 };
	int r = es_hsmp_table_parse(data, n, &table);

	fuzz_require(r <= 0);
	if (r < 0)
		return 0;
	fuzz_require(n == ES_HSMP_TABLE_BYTES && table.n_updates > 0);
	fuzz_require(table.time_ns > 0 && table.energy_steps != UINT64_MAX);
	return 0;
}
