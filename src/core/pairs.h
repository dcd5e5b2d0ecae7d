/*
 * core/pairs.h - two meters over the same time: ratio, slope, offset, lag, and how sure they are
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_PAIRS_H
#define ES_CORE_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/course.h"

#define ES_PAIRS_MAX 20000U /* windows; longer ones are taken where there would be more */
#define ES_PAIRS_LAGS_MAX 481U

/** struct es_pairs - mean powers of two meters in windows in a row; zero-initialise, es_pairs_finish() it */
struct es_pairs {
	struct es_pair {
		double x_w, y_w;
		uint32_t group; /* recording; windows of one follow each other */
	} * pairs; /* owned */
	size_t n, cap;
};

/** struct es_pair_source - what is laid side by side: the sum of some meters, and one */
struct es_pair_source {
	const struct es_course *const *x; /* [n_x] */
	size_t n_x;
	const struct es_course *y;
};

void es_pairs_finish(struct es_pairs *pairs);
/**
 * es_pairs_gather - add the windows in which all meters are known; 0 or -ENOMEM
 * @window_ns: their least length; they end where the slowest meter was read
 * @lag_ns: y shows so late what x shows
 */
int es_pairs_gather(struct es_pairs *pairs, const struct es_pair_source *source, int64_t window_ns,
		    int64_t lag_ns, uint32_t group);
/** es_pairs_span_ns - the time that all meters have in common */
int64_t es_pairs_span_ns(const struct es_pair_source *source, int64_t *ret_t0_ns);

/** struct es_lag - by how much one meter is late */
struct es_lag {
	bool is_known; /* the powers moved enough to tell */
	int64_t lag_ns;
	int64_t bound_ns;
	double correlation; /* there */
};

/**
 * es_pairs_find_lag - the shift within +-@most_ns at which both go together best
 * @sources: recordings of the same two meters, [n]
 * Steps of a quarter of @window_ns, about the best of them of an eighth of that. 0 or -ENOMEM.
 */
int es_pairs_find_lag(const struct es_pair_source *sources, size_t n, int64_t window_ns,
		      int64_t most_ns, struct es_lag *ret);

/** struct es_pair_fit - y = offset + slope * x; bounds are half widths of 95 % intervals */
struct es_pair_fit {
	size_t n;
	double n_effective; /* independent windows: fewer where the residuals of neighbours are alike */
	double mean_x_w, mean_y_w, lowest_x_w, highest_x_w;
	double ratio, ratio_bound; /* of the sums of y and x */
	bool has_line; /* else x hardly moved, or there are too few windows */
	double slope, slope_bound;
	double offset_w, offset_bound_w;
	double mean_bound_w; /* of the line at mean_x_w */
	double residual_w; /* standard deviation about the line */
	double r2;
};

/** es_line_slope - a slope with errors in both, from sums about the means; @noise_ratio: variance of y's errors over that of x's, INFINITY: x has none */
double es_line_slope(double sxx, double sxy, double syy, double noise_ratio);

/**
 * es_pairs_fit - the line through the windows, and what is known of it
 *
 * Errors in both variables: Deming's line for a known ratio of their variances (W. E. Deming, Statistical Adjustment of
 * Data, 1943; K. Linnet, Clinical Chemistry 39 (1993) 424), which is least squares where x has no error. Neighbouring
 * windows are not independent: the residuals' autocorrelations tell how many of them are worth one, and bounds come from leaving out blocks longer than the memory (H. R. Künsch, Annals of Statistics 17 (1989) 1217).
 * Returns 0; -ENODATA: fewer than ES_PAIRS_LEAST windows; -ENOMEM.
 */
#define ES_PAIRS_LEAST 3U
int es_pairs_fit(const struct es_pairs *pairs, double noise_ratio, struct es_pair_fit *ret);

#endif
