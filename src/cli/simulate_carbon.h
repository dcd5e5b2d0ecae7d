/*
 * simulate_carbon.h - grams of what a replayed trace draws, by carbon intensities over time
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SIMULATE_CARBON_H
#define ES_CLI_SIMULATE_CARBON_H

#include "format/carbon_file.h"

/** struct es_simulate_carbon - zero-initialise, es_simulate_carbon_finish() it */
struct es_simulate_carbon {
	bool is_known; /* else nothing is asked of it */
	int64_t unix_start_s; /* of the trace's second 0 */
	struct es_carbon_file file;
	const struct es_intensity *series; /* borrowed from @file */
	/* [series->n + 1] owned, of the slots before each: g/kWh x s, the same as forecast, seconds */
	double *sums_gs, *forecast_gs, *sums_s;
};

/** es_simulate_carbon_read - the one series of a file, of @zone (NULL: the file has only one); 0 or negative errno with words */
int es_simulate_carbon_read(struct es_simulate_carbon *carbon, const char *path, const char *zone,
			    struct es_error *err);
void es_simulate_carbon_finish(struct es_simulate_carbon *carbon);
/** es_simulate_carbon_check - 0 where all of the trace's seconds from @from_s to @to_s have figures; else -ENODATA with words */
int es_simulate_carbon_check(const struct es_simulate_carbon *carbon, int64_t from_s, int64_t to_s,
			     struct es_error *err);
/** es_simulate_carbon_lay - g/kWh x s between two times of the trace that were checked */
double es_simulate_carbon_lay(const struct es_simulate_carbon *carbon, int64_t from_s,
			      int64_t to_s);
/** es_simulate_carbon_at - g/kWh at such a time */
double es_simulate_carbon_at(const struct es_simulate_carbon *carbon, int64_t at_s);

/**
 * es_simulate_carbon_forecast - from now on starts are chosen by figures that are wrong
 * @error: standard deviation of each slot's relative error; drawn from @seed
 */
void es_simulate_carbon_forecast(struct es_simulate_carbon *carbon, double error, uint64_t seed);
/**
 * es_simulate_carbon_hold - how long to hold a job back for the least forecast intensity while it runs
 * @length_s: it is expected to run; @window_s: it may be held back no longer
 * The shortest of those that are as good; 0 where figures are missing.
 */
int64_t es_simulate_carbon_hold(const struct es_simulate_carbon *carbon, int64_t submit_s,
				int64_t length_s, int64_t window_s);

#endif
