/*
 * simulate_course.h - a replayed machine over time: jobs that run and wait, and what it draws
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SIMULATE_COURSE_H
#define ES_CLI_SIMULATE_COURSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "opt/sim.h"

/** struct es_simulate_start - a job that was started */
struct es_simulate_start {
	uint64_t id;
	int64_t submit_s, start_s, end_s;
	uint32_t procs;
	int32_t user, queue; /* of the trace; below 0: not known */
	uint32_t low,
		high; /* the machine's processors that it is placed among: from @low up to below @high */
};

/** struct es_simulate_level - how it stands, or by how much that changes */
struct es_simulate_level {
	int64_t jobs_mw; /* of processors with jobs, their idle power in it */
	int64_t rest_mw; /* of all others */
	int64_t busy, waiting,
		held; /* processors; jobs that the scheduler knows; jobs that are held back */
};

struct es_simulate_change {
	int64_t t_ms;
	struct es_simulate_level by;
};

/** struct es_simulate_course - zero-initialise, es_simulate_course_finish() it; the first failure sticks in @error */
struct es_simulate_course {
	struct es_simulate_start *starts; /* [n_starts] owned, in the order of time */
	size_t n_starts, cap_starts;
	struct es_simulate_change *changes; /* [n_changes] owned; by time once it is closed */
	size_t n_changes, cap_changes;
	bool has_power;
	int error;
};

/** es_simulate_course_job - it was started; @idle_mw: what its processors draw without it */
void es_simulate_course_job(struct es_simulate_course *course,
			    const struct es_simulate_start *start, const struct es_sim_job *job,
			    int64_t idle_mw);
/** es_simulate_course_base - what all processors draw without their jobs, from one time to another */
void es_simulate_course_base(struct es_simulate_course *course, int64_t from_ms, int64_t to_ms,
			     int64_t mw);
/** es_simulate_course_close - nothing more comes; 0 or -ENOMEM */
int es_simulate_course_close(struct es_simulate_course *course);
/** es_simulate_room - an array with room for one more than its @n entries; NULL: there is none, it is as it was */
void *es_simulate_room(void *entries, size_t n, size_t *cap, size_t size);
void es_simulate_course_finish(struct es_simulate_course *course);

/** struct es_simulate_column - means over a part of the time, and the most within it */
struct es_simulate_column {
	double jobs_w, rest_w, busy, waiting, held;
	double most_w, most_waiting; /* with those held back */
};

/** es_simulate_course_columns - @n equal parts of the time from @from_ms to @to_ms (later), of a closed course */
void es_simulate_course_columns(const struct es_simulate_course *course, int64_t from_ms,
				int64_t to_ms, size_t n, struct es_simulate_column *ret);
/** es_simulate_course_csv - a row for each second at which something changes */
void es_simulate_course_csv(const struct es_simulate_course *course, struct es_buf *out);

#endif
