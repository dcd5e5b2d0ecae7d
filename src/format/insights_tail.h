/*
 * insights_tail.h - time at the end of a job in which it did nothing any more
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_INSIGHTS_TAIL_H
#define ES_FORMAT_INSIGHTS_TAIL_H

#include <stdbool.h>

struct es_report;

/** struct es_tail - the end of a job at the power it draws when idle */
struct es_tail {
	double tail_s, share; /* how long, and of the whole */
	double tail_w, work_w; /* mean power of it and before it */
	double tail_j;
};

/**
 * es_tail_find - whether the job ends with a stretch near its lowest power
 *
 * Looks at the meters of the fine cover in 200 equal parts of the time, so that a spike of daemons does not hide it.
 * A tail is what is left, from the end back, of parts below lowest + a quarter of (90th percentile - lowest). It
 * counts from 5 % of the time and 10 s on, and only where the 90th percentile is half as high again as the lowest:
 * else idle and work look the same. False also where the report has no profile, or gaps in that stretch.
 */
bool es_tail_find(const struct es_report *report, struct es_tail *ret);

#endif
