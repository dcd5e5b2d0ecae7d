/*
 * bootstrap.h - intervals from means of resampled values, bias-corrected and accelerated (BCa)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Source: B. Efron (1987), J. Am. Stat. Assoc. 82, 171-185; B. Efron, R. Tibshirani, "An Introduction to the Bootstrap" (1993), 14.3.
 */
#ifndef ES_CORE_BOOTSTRAP_H
#define ES_CORE_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

/** es_bootstrap_means - the means of @n_ret draws of @n from @values; @state: of the generator */
void es_bootstrap_means(const double *values, size_t n, uint64_t *state, double *ret, size_t n_ret);

/** struct es_bca - how the estimates of resamples lie about the estimate */
struct es_bca {
	double bias; /* z0 */
	double acceleration;
};

/** es_bca_acceleration - of the mean, by leaving out each value; 0 where all are equal */
double es_bca_acceleration(const double *values, size_t n, double mean);

/**
 * es_bca_of - from @n estimates of resamples
 * Resamples equal to @estimate count half. Where none lies below it, or none above, half of one is taken to, so that
 * the bias stays finite.
 */
struct es_bca es_bca_of(const double *resampled, size_t n, double estimate, double acceleration);

/**
 * es_bca_end - the end of an interval
 * @z: the normal quantile of its level, or a wider one; @resampled: is put in another order
 * Beyond the outermost resample there is nothing to tell: that one is the end then. Likewise where the acceleration is so
 * strong that the corrected level is no level.
 */
double es_bca_end(const struct es_bca *bca, double *resampled, size_t n, double z);

#endif
