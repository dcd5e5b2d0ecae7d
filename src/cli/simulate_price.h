/*
 * simulate_price.h - prices of electricity over time for a replayed trace
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SIMULATE_PRICE_H
#define ES_CLI_SIMULATE_PRICE_H

#include "cli/sheet.h"
#include "cli/simulate_rates.h"

#define ES_SIMULATE_PRICE_MAX 1e6 /* for a kWh: more is no price */

/** struct es_simulate_price - zero-initialise, es_simulate_price_finish() it */
struct es_simulate_price {
	char currency[4]; /* as the header has it: EUR */
	struct es_intensity series; /* of prices for a kWh, which may be below 0 */
	struct es_simulate_rates rates; /* money */
};

/**
 * es_simulate_price_take - the prices of a table: a time (start, time, datetime) and a price, whose column names currency
 * and unit (price_eur_per_mwh, Price (EUR/MWh), eur/kWh); stop or end may be there too
 *
 * Returns 0; -EBADMSG, -EEXIST with the line; -ENOENT: a column is missing, with the nearest; -ENODATA; -ENOMEM.
 */
int es_simulate_price_take(struct es_simulate_price *price, const struct es_sheet *rows,
			   struct es_error *err);
/** es_simulate_price_read - the table of a file; lines that are no rows are told as @command's; as above */
int es_simulate_price_read(struct es_simulate_price *price, const char *command, const char *path,
			   bool is_strict, struct es_error *err);
void es_simulate_price_finish(struct es_simulate_price *price);

#endif
