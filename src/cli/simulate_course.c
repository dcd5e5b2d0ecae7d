/*
 * simulate_course.c - a replayed machine over time: jobs that run and wait, and what it draws
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/simulate_course.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define FIRST 256U
#define MS_PER_S 1000

void *es_simulate_room(void *entries, size_t n, size_t *cap, size_t size)
{
	size_t larger = *cap ? 2 * *cap : FIRST;
	void *more;

	if (n < *cap)
		return entries;
	more = reallocarray(entries, larger, size);
	if (more)
		*cap = larger;
	return more;
}

static void change(struct es_simulate_course *course, int64_t t_ms,
		   const struct es_simulate_level *by, int sign)
{
	struct es_simulate_change *changes = es_simulate_room(
		course->changes, course->n_changes, &course->cap_changes, sizeof(*course->changes));

	if (!changes) {
		course->error = -ENOMEM;
		return;
	}
	course->changes = changes;
	changes[course->n_changes++] =
		(struct es_simulate_change){ .t_ms = t_ms,
					     .by = { .jobs_mw = sign * by->jobs_mw,
						     .rest_mw = sign * by->rest_mw,
						     .busy = sign * by->busy,
						     .waiting = sign * by->waiting,
						     .held = sign * by->held } };
}

static void during(struct es_simulate_course *course, int64_t from_ms, int64_t to_ms,
		   const struct es_simulate_level *by)
{
	if (to_ms <= from_ms)
		return;
	change(course, from_ms, by, 1);
	change(course, to_ms, by, -1);
}

void es_simulate_course_job(struct es_simulate_course *course,
			    const struct es_simulate_start *start, const struct es_sim_job *job,
			    int64_t idle_mw)
{
	const struct es_simulate_level runs = { .jobs_mw = job->extra_mw + idle_mw,
						.rest_mw = -idle_mw,
						.busy = job->procs },
				       waits = { .waiting = 1 }, held = { .held = 1 };
	int64_t submit_ms = job->submit_s * MS_PER_S, start_ms = start->start_s * MS_PER_S;
	int64_t arrival_ms = submit_ms + job->hold_s * MS_PER_S;
	struct es_simulate_start *starts = es_simulate_room(
		course->starts, course->n_starts, &course->cap_starts, sizeof(*course->starts));

	if (!starts) {
		course->error = -ENOMEM;
		return;
	}
	course->starts = starts;
	starts[course->n_starts++] = *start;
	during(course, submit_ms, arrival_ms, &held);
	during(course, arrival_ms, start_ms, &waits);
	during(course, start_ms, start->end_s * MS_PER_S, &runs);
}

void es_simulate_course_base(struct es_simulate_course *course, int64_t from_ms, int64_t to_ms,
			     int64_t mw)
{
	during(course, from_ms, to_ms, &(struct es_simulate_level){ .rest_mw = mw });
}

static int by_time(const void *a, const void *b)
{
	const struct es_simulate_change *x = a, *y = b;

	return x->t_ms < y->t_ms ? -1 : x->t_ms > y->t_ms;
}

static void add(struct es_simulate_level *to, const struct es_simulate_level *by)
{
	to->jobs_mw += by->jobs_mw;
	to->rest_mw += by->rest_mw;
	to->busy += by->busy;
	to->waiting += by->waiting;
	to->held += by->held;
}

int es_simulate_course_close(struct es_simulate_course *course)
{
	size_t n = 0;

	if (course->error < 0)
		return course->error;
	if (course->n_changes > 1)
		qsort(course->changes, course->n_changes, sizeof(course->changes[0]), by_time);
	for (size_t i = 0; i < course->n_changes; i++) {
		if (n > 0 && course->changes[n - 1].t_ms == course->changes[i].t_ms)
			add(&course->changes[n - 1].by, &course->changes[i].by);
		else
			course->changes[n++] = course->changes[i];
	}
	course->n_changes = n;
	return 0;
}

void es_simulate_course_finish(struct es_simulate_course *course)
{
	free(course->starts);
	free(course->changes);
	*course = (struct es_simulate_course){ .n_starts = 0 };
}

/* Columns, and where they are on the way through time. */
struct columns {
	struct es_simulate_column *columns;
	size_t n, at;
	double from_ms, width_ms;
};

static void lay(struct columns *c, const struct es_simulate_level *level, double from_ms,
		double to_ms)
{
	double w = (double)(level->jobs_mw + level->rest_mw) / 1e3;
	double waiting = (double)(level->waiting + level->held);

	while (c->at < c->n) {
		struct es_simulate_column *column = &c->columns[c->at];
		double end_ms = c->from_ms + c->width_ms * (double)(c->at + 1);
		double share = ((to_ms < end_ms ? to_ms : end_ms) - from_ms) / c->width_ms;

		if (share > 0) {
			column->jobs_w += share * (double)level->jobs_mw / 1e3;
			column->rest_w += share * (double)level->rest_mw / 1e3;
			column->busy += share * (double)level->busy;
			column->waiting += share * (double)level->waiting;
			column->held += share * (double)level->held;
			column->most_w = w > column->most_w ? w : column->most_w;
			column->most_waiting =
				waiting > column->most_waiting ? waiting : column->most_waiting;
		}
		if (to_ms < end_ms)
			return;
		from_ms = end_ms;
		c->at++;
	}
}

void es_simulate_course_columns(const struct es_simulate_course *course, int64_t from_ms,
				int64_t to_ms, size_t n, struct es_simulate_column *ret)
{
	struct columns c = { .columns = ret,
			     .n = n,
			     .from_ms = (double)from_ms,
			     .width_ms = (double)(to_ms - from_ms) / (double)n };
	struct es_simulate_level level = { .busy = 0 };
	int64_t at_ms = from_ms;

	for (size_t i = 0; i < n; i++)
		ret[i] = (struct es_simulate_column){ .busy = 0 };
	for (size_t i = 0; i < course->n_changes; i++) {
		const struct es_simulate_change *next = &course->changes[i];
		int64_t until_ms = next->t_ms < to_ms ? next->t_ms : to_ms;

		if (until_ms > at_ms) {
			lay(&c, &level, (double)at_ms, (double)until_ms);
			at_ms = until_ms;
		}
		add(&level, &next->by);
	}
}

void es_simulate_course_csv(const struct es_simulate_course *course, struct es_buf *out)
{
	struct es_simulate_level level = { .busy = 0 };

	(void)es_buf_str(out, "time_s,busy_procs,waiting_jobs,held_jobs,power_w\n");
	for (size_t i = 0; i < course->n_changes; i++) {
		int64_t t_ms = course->changes[i].t_ms, mw;

		add(&level, &course->changes[i].by);
		mw = level.jobs_mw + level.rest_mw;
		if (t_ms % MS_PER_S)
			(void)es_buf_printf(out, "%" PRId64 ".%03d,", t_ms / MS_PER_S,
					    (int)(t_ms % MS_PER_S));
		else
			(void)es_buf_printf(out, "%" PRId64 ",", t_ms / MS_PER_S);
		(void)es_buf_printf(out, "%" PRId64 ",%" PRId64 ",%" PRId64 ",", level.busy,
				    level.waiting, level.held);
		if (course->has_power)
			(void)es_buf_printf(out, "%" PRId64 ".%03d", mw / 1000, (int)(mw % 1000));
		(void)es_buf_str(out, "\n");
	}
}
