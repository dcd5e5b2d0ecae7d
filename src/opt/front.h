/*
 * front.h - the points that no other is better than
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_OPT_FRONT_H
#define ES_OPT_FRONT_H

#include <stdbool.h>
#include <stddef.h>

/** struct es_opt_point - what one setting took; both above 0, in one unit each for all points */
struct es_opt_point {
	double time, energy;
};

/**
 * es_opt_front - the Pareto front: no other point is at least as good in both and better in one
 * @ret_front: [n] indices, by time; points that are equal in both stay together, in the order of @points
 *
 * Returns 0 or -ENOMEM.
 */
int es_opt_front(const struct es_opt_point *points, size_t n, size_t *ret_front, size_t *ret_n);

/**
 * es_opt_knee - where the front bends most: farthest below the chord between its ends, both axes scaled to 0..1
 * @front: [@n] as es_opt_front() gave it, @n above 0
 *
 * Returns the index among the points; of several the fastest. A front without a point below its chord has none: then the
 * first is returned and *@ret_depth is 0.
 */
size_t es_opt_knee(const struct es_opt_point *points, const size_t *front, size_t n,
		   double *ret_depth);

/** struct es_opt_range - 95 % intervals of a point's time and energy; infinite where they are not known */
struct es_opt_range {
	double time_low, time_high, energy_low, energy_high;
};

/**
 * es_opt_dominated_surely - which points another one is better than, however their intervals are taken
 * @ret: [@n] true where the intervals of another lie below those of the point in both, or touch in one of them
 *
 * Returns 0 or -ENOMEM.
 */
int es_opt_dominated_surely(const struct es_opt_range *ranges, size_t n, bool *ret);

#endif
