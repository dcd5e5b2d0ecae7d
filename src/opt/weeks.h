/*
 * weeks.h - what two schedules of the same jobs differ by, with an interval from resampled weeks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_OPT_WEEKS_H
#define ES_OPT_WEEKS_H

#include <stddef.h>
#include <stdint.h>

#define ES_WEEK_S 604800
#define ES_WEEKS_LEAST 5U /* fewer tell no interval */
#define ES_WEEKS_RESAMPLES 4000U
#define ES_WEEKS_MAX 10000U /* 190 years */

/** struct es_week - sums over the jobs of a week */
struct es_week {
	double n, a, b; /* jobs; what they have by the one schedule and by the other */
};

/** struct es_weeks_difference - of the means, b less a */
struct es_weeks_difference {
	double value;
	double low, high; /* 95 %, from resampled weeks */
	/* The same as a share of a; 0 where both are, infinity where only a is. */
	double share, share_low, share_high;
};

/**
 * es_weeks_compare - jobs of one week hang together, so that weeks are drawn, with all their jobs
 *
 * Percentiles of the resampled means, their levels widened as Student's t is wider than the normal distribution: few weeks
 * resampled vary less than weeks do.
 *
 * @seed: the same numbers for the same seed
 * Returns 0; 1: too few weeks with jobs for an interval; -ENODATA: no jobs; -ENOMEM; -E2BIG: more than ES_WEEKS_MAX
 */
int es_weeks_compare(const struct es_week *weeks, size_t n, uint64_t seed,
		     struct es_weeks_difference *ret);

#endif
