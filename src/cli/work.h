/*
 * work.h - energyscopium run --work: units of work beside joules
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_WORK_H
#define ES_CLI_WORK_H

#include <stdbool.h>

#include "base/error.h"
#include "cli/child.h"
#include "cli/command.h"
#include "cli/measure.h"

/** struct es_work_options - as they were given */
struct es_work_options {
	struct es_text_list works, totals, froms;
	bool wants_progress, wants_no_progress;
	bool has_no_output; /* the process runs already: its output goes where it goes */
};
void es_work_options_finish(struct es_work_options *options);

/** struct es_works - all that is counted of a command */
struct es_works;

/**
 * es_works_create - understand the options, open what they need
 * @ret: owned by caller, es_works_destroy() it; NULL where there is no --work
 *
 * Returns 0; -EINVAL or -E2BIG: wrong options; -ENOENT or -ENOSYS: a library is missing.
 */
int es_works_create(const struct es_work_options *options, struct es_works **ret,
		    struct es_error *err);
void es_works_destroy(struct es_works *works);

/**
 * es_works_start - begin to watch, before the command starts; again for each run of it
 * @sampler: whose readings the progress line tells; borrowed until es_works_stop()
 */
int es_works_start(struct es_works *works, const struct es_sampler *sampler, struct es_error *err);
/** es_works_stop - after es_measure(); what watchers still have of the output they write by themselves */
void es_works_stop(struct es_works *works);

/** es_works_child - for the command's start; borrowed, valid between start and stop */
const struct es_child_options *es_works_child(const struct es_works *works);
/** es_works_hook - for the measuring loop; likewise */
struct es_measure_hook *es_works_hook(struct es_works *works);

#endif
