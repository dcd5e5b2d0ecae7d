/*
 * simulate_rates.h - what a kWh stands for over time, in grams or in money, laid over a replayed trace
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SIMULATE_RATES_H
#define ES_CLI_SIMULATE_RATES_H

#include "base/error.h"
#include "core/intensity.h"

/** struct es_simulate_rates - zero-initialise, es_simulate_rates_finish() it. A rate: g/kWh, or money/kWh, which may be below 0 */
struct es_simulate_rates {
	bool is_known; /* else nothing is asked of it */
	int64_t unix_start_s; /* of the trace's second 0 */
	const struct es_intensity *series; /* borrowed; its g_per_kwh are the rates */
	/* [series->n + 1] owned, of the slots before each: rate x s, the same as forecast, seconds */
	double *sums, *forecast, *sums_s;
	double rounding; /* sums that differ by less are the same */
};

/** es_simulate_rates_set - take the rates of a prepared series, which is to outlive them; 0 or -ENOMEM */
int es_simulate_rates_set(struct es_simulate_rates *rates, const struct es_intensity *series);
void es_simulate_rates_finish(struct es_simulate_rates *rates);
/** es_simulate_rates_check - 0 where all of the trace's seconds from @from_s to @to_s have figures; else -ENODATA with words */
int es_simulate_rates_check(const struct es_simulate_rates *rates, int64_t from_s, int64_t to_s,
			    struct es_error *err);
/** es_simulate_rates_lay - rate x s between two times of the trace that were checked */
double es_simulate_rates_lay(const struct es_simulate_rates *rates, int64_t from_s, int64_t to_s);
/** es_simulate_rates_at - the rate at such a time */
double es_simulate_rates_at(const struct es_simulate_rates *rates, int64_t at_s);
/** es_simulate_rates_of - what some joules come to that are drawn evenly between two such times, or all at once */
double es_simulate_rates_of(const struct es_simulate_rates *rates, double joules, int64_t from_s,
			    int64_t to_s);

/**
 * es_simulate_rates_forecast - from now on starts are chosen by figures that are wrong
 * @error: standard deviation of each slot's relative error; drawn from @seed
 *
 * Each figure is multiplied by a factor of its own, normally distributed about 1; one below 0 counts as 0.
 */
void es_simulate_rates_forecast(struct es_simulate_rates *rates, double error, uint64_t seed);
/**
 * es_simulate_rates_hold - how long to hold a job back for the least forecast rate while it runs
 * @length_s: it is expected to run; @window_s: it may be held back no longer
 * The shortest of those that are as good; 0 where figures are missing.
 */
int64_t es_simulate_rates_hold(const struct es_simulate_rates *rates, int64_t submit_s,
			       int64_t length_s, int64_t window_s);

#endif
