/*
 * progress.h - a line on the terminal: how much work is done, at what power, for how much longer
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_PROGRESS_H
#define ES_CLI_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "sampler/sampler.h"

#define ES_PROGRESS_TICKS 10U /* the rate is over so many */
#define ES_PROGRESS_WORKS_MAX 4U

/** struct es_progress_work - one unit as it stands; amounts in millionths */
struct es_progress_work {
	const char *unit;
	bool is_known;
	int64_t sum_micro; /* done since the command's start */
	int64_t at_micro; /* where it stands, which a total is compared with */
	bool has_total;
	int64_t total_micro;
};

/** struct es_progress_figures - what a line is made of */
struct es_progress_figures {
	bool has_power, has_energy;
	double power_w, energy_j; /* now; since the start */
	double rate[ES_PROGRESS_WORKS_MAX]; /* units per second; negative: not known */
};

/** es_progress_line - the line, at most @width columns (0: any), appended to @out */
void es_progress_line(const struct es_progress_work *works, size_t n,
		      const struct es_progress_figures *figures, unsigned width,
		      struct es_buf *out);

/**
 * struct es_progress_screen - a terminal on which others write, too; in memory that is shared with them
 *
 * Behind a line of ours the cursor is at its beginning. Who writes next takes has_line away and erases it first.
 */
struct es_progress_screen {
	_Atomic bool has_line;
	_Atomic bool
		is_within_line; /* what was written last has no end yet: there is no place for ours */
};

#define ES_PROGRESS_ERASE "\033[K" /* from the cursor to the end of the line; ECMA-48 EL */

struct es_progress;

/**
 * es_progress_create - write to @fd; on a terminal each line takes the last one's place
 * @sampler: whose readings are told; @screen: borrowed both. @screen is NULL where nobody tells us what he writes
 */
int es_progress_create(const struct es_sampler *sampler, int fd, struct es_progress_screen *screen,
		       struct es_progress **ret, struct es_error *err);
void es_progress_destroy(struct es_progress *progress);
/** es_progress_tell - how it stands; nothing happens where the terminal takes nothing */
void es_progress_tell(struct es_progress *progress, int64_t t_ns,
		      const struct es_progress_work *works, size_t n);
/** es_progress_erase - take the line away; NULL: there is none */
void es_progress_erase(struct es_progress *progress);

#endif
