/*
 * stats.h - mean, spread and interval of repeated measurements
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_STATS_H
#define ES_CORE_STATS_H

#include <stdbool.h>
#include <stddef.h>

/** struct es_stats - what some values have in common */
struct es_stats {
	size_t n;
	double mean; /* where n > 0 */
	bool has_spread; /* two values at least */
	double sd; /* of the values: n - 1 in the denominator */
	double ci; /* half width of the 95 % interval of the mean, by Student's t */
};

/** es_stats_of - the statistics of @n finite values; one pass for the mean, one for the spread: no cancellation */
struct es_stats es_stats_of(const double *values, size_t n);

/**
 * es_t_quantile_975 - what Student's t with @df degrees of freedom exceeds in 2.5 % of cases
 * Tabled up to 30, by Cornish and Fisher's expansion above (error below 1e-4 there). @df: 1 or more.
 * Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5 and table 26.10.
 */
double es_t_quantile_975(size_t df);

#endif
