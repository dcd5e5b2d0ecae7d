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
#include <stdint.h>

#define ES_STATS_BOOTSTRAP_MIN 10U /* values; below, resampling tells too little */
#define ES_STATS_RESAMPLES 4000U
#define ES_STATS_FAR_OFF_MIN 5U /* values; with fewer, none is called far off */
#define ES_STATS_LARGEST 1e100 /* of a value's size: cubes of it stay finite */

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
 * @df: 1 or more.
 */
double es_t_quantile_975(size_t df);

/** es_t_cdf - the share of Student's t with @df degrees of freedom (above 0, need not be whole) that lies below @t */
double es_t_cdf(double t, double df);
/** es_t_quantile - what a share @p (above 0, below 1) lies below */
double es_t_quantile(double p, double df);
/** es_normal_cdf, es_normal_quantile - the same of the normal distribution */
double es_normal_cdf(double z);
double es_normal_quantile(double p);

/** enum es_interval_method - how an interval came about */
enum es_interval_method {
	ES_INTERVAL_NONE, /* one value tells no interval */
	ES_INTERVAL_T, /* Student's */
	ES_INTERVAL_BCA, /* resampled, bias-corrected and accelerated */
	ES_INTERVAL_FIELLER, /* of a ratio of two means */
};

/** es_interval_method_name - "t", "BCa", "Fieller", "none" */
const char *es_interval_method_name(enum es_interval_method method);

/** struct es_interval - of a mean, 95 % */
struct es_interval {
	size_t n;
	double mean; /* where n > 0 */
	double sd; /* where n > 1 */
	double low, high; /* where method is not NONE */
	enum es_interval_method method;
};

/**
 * es_interval_of - the interval of the mean of @n finite values
 * Student's below ES_STATS_BOOTSTRAP_MIN values, BCa's from there on, its levels widened as Student's t is wider than the
 * normal distribution: without that it holds the mean less often than it says.
 * Values that are all equal have an interval of no width (method: Student's). @seed: of the resampling.
 * Returns 0; -ERANGE: a value is not a number of a size up to ES_STATS_LARGEST; -ENOMEM.
 * Source: B. Efron (1987), J. Am. Stat. Assoc. 82, 171-185; T. Hesterberg (2015), Am. Stat. 69, 371-386, section 4.
 */
int es_interval_of(const double *values, size_t n, uint64_t seed, struct es_interval *ret);

/**
 * es_far_off - which values are far from the others: 0.6745 |x - median| / MAD above 3.5; none of fewer than ES_STATS_FAR_OFF_MIN
 * @ret: [@n]; Returns how many, or -ENOMEM. Where more than half are equal nothing is far off: there is no spread to tell by.
 * Source: B. Iglewicz, D. Hoaglin, How to Detect and Handle Outliers (1993).
 */
int es_far_off(const double *values, size_t n, bool *ret);

#endif
