/*
 * cli/courses.h - the energy of all domains over time, of a recording or of readings as they come
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_COURSES_H
#define ES_CLI_COURSES_H

#include "base/error.h"
#include "core/course.h"
#include "core/watch.h"
#include "record/meta.h"

/** struct es_courses - zero-initialise, es_courses_finish() it; not to be moved while readings come */
struct es_courses {
	struct es_domain *domains; /* [n] copies; owned */
	struct es_course *courses; /* [n] owned */
	size_t n;
	struct es_watch watch;
	struct es_node_info *nodes; /* of a recording; NULL: this one. Owned */
	size_t n_nodes;
	int64_t start_boot_ns, start_unix_ns; /* of a recording */
};

/** es_courses_begin - nothing read yet; 0 or -ENOMEM */
int es_courses_begin(struct es_courses *courses, const struct es_domain *domains, size_t n,
		     int64_t period_ns);
/** es_courses_end - no more readings; 0 or -ENOMEM: some could not be held */
int es_courses_end(struct es_courses *courses);
void es_courses_finish(struct es_courses *courses);

/** es_courses_read - all of a recording, states judged and covers chosen as a report would; 0 or negative errno with @err */
int es_courses_read(const char *path, struct es_courses *ret, struct es_error *err);

/** es_courses_span_ns - from the first reading of any to the last one */
int64_t es_courses_span_ns(const struct es_courses *courses);

#endif
