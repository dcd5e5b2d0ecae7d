/*
 * fuzz_cray.c - any bytes as a file of pm_counters
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdio.h>
#include <string.h>

#include "fuzz/target.h"
#include "source/cray.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_cray_value value = { .number = 0 }, again = { .number = 0 };
	char text[128];
	int r = es_cray_parse((const char *)data, n, &value), length;

	fuzz_require(r <= 0);
	if (r < 0)
		return 0;
	fuzz_require(value.t_us >= 0 && value.t_us <= INT64_MAX / 1000);
	/* What it says, written as the newest software does, says the same. */
	if (!value.has_time || !value.unit)
		return 0;
	length = snprintf(text, sizeof(text), "%llu %c %lld us\n", (unsigned long long)value.number,
			  value.unit, (long long)value.t_us);
	fuzz_require(length > 0 && es_cray_parse(text, (size_t)length, &again) == 0);
	fuzz_require(again.number == value.number && again.unit == value.unit &&
		     again.t_us == value.t_us);
	return 0;
}
