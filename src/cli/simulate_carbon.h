/*
 * simulate_carbon.h - carbon intensities over time for a replayed trace
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SIMULATE_CARBON_H
#define ES_CLI_SIMULATE_CARBON_H

#include "cli/simulate_rates.h"
#include "format/carbon_file.h"

/** struct es_simulate_carbon - zero-initialise, es_simulate_carbon_finish() it */
struct es_simulate_carbon {
	struct es_carbon_file file;
	struct es_simulate_rates rates; /* grams */
};

/** es_simulate_carbon_read - the one series of a file, of @zone (NULL: the file has only one); 0 or negative errno with words */
int es_simulate_carbon_read(struct es_simulate_carbon *carbon, const char *path, const char *zone,
			    struct es_error *err);
void es_simulate_carbon_finish(struct es_simulate_carbon *carbon);

#endif
