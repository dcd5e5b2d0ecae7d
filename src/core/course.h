/*
 * core/course.h - a meter's energy over time, to be asked for the mean power of any stretch
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_COURSE_H
#define ES_CORE_COURSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/track.h"

#define ES_COURSE_KNOTS_MAX (1U << 17)

/** struct es_course - cumulative energy at readings, linear in between; zero-initialise, es_course_finish() it */
struct es_course {
	struct es_course_knot {
		int64_t t_ns;
		double energy_j; /* since the first */
		bool is_after_gap; /* nothing is known between the one before and this one */
	} * knots; /* owned */
	size_t n, cap;
	double open_j; /* energy since the last knot, where @skip samples make one */
	size_t skip, n_open;
	bool lacks_memory; /* and so what follows is missing */
};

/** es_course_add - one more sample, not before the last one. Every other knot is dropped when there are too many. */
void es_course_add(struct es_course *course, const struct es_sample *sample);
void es_course_finish(struct es_course *course);

/** es_course_power_w - mean power of a stretch; false where it is not all known */
bool es_course_power_w(const struct es_course *course, int64_t t0_ns, int64_t t1_ns, double *ret_w);
/** es_course_step_ns - mean distance of its readings; 0 where there are not two */
int64_t es_course_step_ns(const struct es_course *course);

#endif
