/*
 * fuzz_simulate_price.c - any bytes as a table of prices over time
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <string.h>

#include "cli/simulate_price.h"
#include "fuzz/target.h"

/* Slots in order, each a price, and sums that belong to them. */
static void check(const struct es_simulate_price *price)
{
	const struct es_intensity *series = &price->series;

	fuzz_require(series->n > 0 && strlen(price->currency) == 3 && price->rates.is_known);
	for (size_t i = 0; i < series->n; i++) {
		const struct es_slot *slot = &series->slots[i];

		fuzz_require(fabs(slot->g_per_kwh) <= ES_SIMULATE_PRICE_MAX);
		fuzz_require(slot->stop_ns > slot->start_ns);
		fuzz_require(i == 0 || slot->start_ns >= series->slots[i - 1].stop_ns);
	}
	fuzz_require(isfinite(es_simulate_rates_lay(&price->rates, 0, 86400)));
	fuzz_require(es_simulate_rates_hold(&price->rates, 0, 3600, 86400) <= 86400);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_simulate_price price = { .currency = "" };
	struct es_sheet rows = { .n = 0 };
	struct es_error err = { .code = 0 };
	char *text = malloc(n + 1);
	int r;

	if (!text)
		return 0;
	if (n)
		memcpy(text, data, n);
	text[n] = '\0';
	r = es_sheet_parse("table", text, n, &rows, &err);
	if (r == 0)
		r = es_simulate_price_take(&price, &rows, &err);
	fuzz_require(r == 0 || err.text[0] != '\0');
	if (r == 0)
		check(&price);
	es_simulate_price_finish(&price);
	es_sheet_finish(&rows);
	return 0;
}
