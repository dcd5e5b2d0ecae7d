/*
 * core/course.c - a meter's energy over time, to be asked for the mean power of any stretch
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/course.h"

#include <stdlib.h>

#include "base/parse.h"

/* Every other knot, but those at the edges of gaps. */
static void thin_out(struct es_course *course)
{
	size_t n = 1;

	for (size_t i = 1; i < course->n; i++) {
		bool is_edge = i + 1 == course->n || course->knots[i].is_after_gap ||
			       course->knots[i + 1].is_after_gap;

		if (is_edge || i % 2 == 0)
			course->knots[n++] = course->knots[i];
	}
	course->n = n;
	course->skip = course->skip ? 2 * course->skip : 2;
}

static void add_knot(struct es_course *course, int64_t t_ns, double energy_j, bool is_after_gap)
{
	if (course->n == ES_COURSE_KNOTS_MAX)
		thin_out(course);
	if (course->n == ES_COURSE_KNOTS_MAX)
		course->lacks_memory = true; /* nothing but gaps */
	if (course->n == course->cap && !course->lacks_memory) {
		size_t cap = course->cap ? 2 * course->cap : 256;
		struct es_course_knot *knots = reallocarray(course->knots, cap, sizeof(*knots));

		course->lacks_memory = !knots;
		course->knots = knots ? knots : course->knots;
		course->cap = knots ? cap : course->cap;
	}
	if (course->lacks_memory)
		return;
	course->knots[course->n++] = (struct es_course_knot){ .t_ns = t_ns,
							      .energy_j = energy_j,
							      .is_after_gap = is_after_gap };
}

void es_course_add(struct es_course *course, const struct es_sample *sample)
{
	double energy_j = course->n ? course->knots[course->n - 1].energy_j : 0;

	if (course->lacks_memory || sample->t1_ns <= sample->t0_ns)
		return;
	if (course->n == 0) {
		add_knot(course, sample->t0_ns, 0, false);
		if (sample->is_gap) {
			add_knot(course, sample->t1_ns, 0, true);
			return;
		}
	}
	if (sample->is_gap || course->knots[course->n - 1].t_ns > sample->t0_ns) {
		/* What was gathered towards the next knot ends here. */
		if (course->n_open && sample->t0_ns > course->knots[course->n - 1].t_ns)
			add_knot(course, sample->t0_ns, energy_j + course->open_j, false);
		course->open_j = 0;
		course->n_open = 0;
		add_knot(course, sample->t1_ns, course->knots[course->n - 1].energy_j, true);
		return;
	}
	course->open_j += es_j_from_uj(sample->energy_uj);
	if (++course->n_open < course->skip)
		return;
	add_knot(course, sample->t1_ns, energy_j + course->open_j, false);
	course->open_j = 0;
	course->n_open = 0;
}

void es_course_finish(struct es_course *course)
{
	free(course->knots);
	*course = (struct es_course){ .n = 0 };
}

/* Index of the last knot not after @t_ns; the course begins before it. */
static size_t find(const struct es_course *course, int64_t t_ns)
{
	size_t lo = 0, hi = course->n - 1;

	while (lo < hi) {
		size_t middle = lo + (hi - lo + 1) / 2;

		if (course->knots[middle].t_ns <= t_ns)
			lo = middle;
		else
			hi = middle - 1;
	}
	return lo;
}

static double energy_at(const struct es_course *course, size_t i, int64_t t_ns)
{
	const struct es_course_knot *a = &course->knots[i], *b = a + 1;

	if (i + 1 == course->n || t_ns == a->t_ns)
		return a->energy_j;
	return a->energy_j + (b->energy_j - a->energy_j) * es_s_from_ns(t_ns - a->t_ns) /
				     es_s_from_ns(b->t_ns - a->t_ns);
}

bool es_course_power_w(const struct es_course *course, int64_t t0_ns, int64_t t1_ns, double *ret_w)
{
	size_t first, last;

	if (course->n < 2 || t1_ns <= t0_ns || t0_ns < course->knots[0].t_ns ||
	    t1_ns > course->knots[course->n - 1].t_ns)
		return false;
	first = find(course, t0_ns);
	last = find(course, t1_ns);
	for (size_t i = first + 1; i <= last; i++)
		if (course->knots[i].is_after_gap)
			return false;
	if (last + 1 < course->n && t1_ns > course->knots[last].t_ns &&
	    course->knots[last + 1].is_after_gap)
		return false;
	*ret_w = (energy_at(course, last, t1_ns) - energy_at(course, first, t0_ns)) /
		 es_s_from_ns(t1_ns - t0_ns);
	return true;
}

int64_t es_course_step_ns(const struct es_course *course)
{
	if (course->n < 2)
		return 0;
	return (course->knots[course->n - 1].t_ns - course->knots[0].t_ns) /
	       (int64_t)(course->n - 1);
}
