/*
 * simulate_view.h - what is drawn of a replayed trace: jobs on processors over time, power, those that wait
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SIMULATE_VIEW_H
#define ES_CLI_SIMULATE_VIEW_H

#include "cli/simulate.h"
#include "format/ink.h"
#include "format/plot.h"

#define ES_VIEW_CLASSES 8U
#define ES_VIEW_PIECES_MAX 4000U /* with more of them cells are drawn, not jobs */

/** enum es_simulate_colour - what a job's colour tells */
enum es_simulate_colour {
	ES_COLOUR_SIZE,
	ES_COLOUR_WAIT,
	ES_COLOUR_USER,
	ES_COLOUR_QUEUE,
	ES_N_COLOURS,
};

/** struct es_view_class - jobs of one colour */
struct es_view_class {
	char name[48];
	enum es_ink ink;
	int64_t most; /* processors or seconds up to which it goes; number of a user or queue; INT64_MAX: all others */
};

/** struct es_view_piece - neighbouring processors that a job has */
struct es_view_piece {
	const struct es_simulate_start *job;
	uint32_t first, n;
};

/** struct es_view_rates - what a kWh stands for, as a curve */
struct es_view_rates {
	const char *name; /* borrowed */
	char unit[24];
	double *values; /* [n_columns] owned; NAN: not known */
	double low, high; /* of those known */
};

/** struct es_simulate_view - es_simulate_view_build() it, es_simulate_view_finish() it */
struct es_simulate_view {
	const struct es_simulate *sim; /* borrowed */
	int64_t from_s, to_s;
	enum es_simulate_colour colour;
	struct es_view_class classes[ES_VIEW_CLASSES];
	size_t n_classes;
	uint32_t procs; /* all of the machine */
	size_t n_jobs; /* of which some of the window is seen */
	size_t n_columns;
	struct es_simulate_column *columns; /* [n_columns] owned */
	uint32_t procs_per_row;
	size_t n_rows;
	float *cells; /* [n_rows * n_columns * n_classes] owned: the share of a cell that jobs of a class have */
	struct es_view_piece *pieces; /* [n_pieces] owned; none where they would be too many */
	size_t n_pieces, cap_pieces;
	bool has_too_many;
	struct es_view_rates rates[2];
	size_t n_rates;
	int error;
};

/** es_simulate_view_read - "size", "wait", "user", "queue"; 0 or -EINVAL */
int es_simulate_view_read(const char *text, enum es_simulate_colour *ret);
/** es_simulate_view_build - of a replay whose course is closed, in so many columns and at most so many rows; 0 or negative errno */
int es_simulate_view_build(const struct es_simulate *sim, size_t n_columns, size_t n_rows_max,
			   struct es_simulate_view *ret, struct es_error *err);
void es_simulate_view_finish(struct es_simulate_view *view);

/** es_simulate_view_class - of a job */
size_t es_simulate_view_class(const struct es_simulate_view *view,
			      const struct es_simulate_start *job);
/** es_simulate_view_cell - the class that has most of a cell, and in @ret_share what all jobs have of it */
size_t es_simulate_view_cell(const struct es_simulate_view *view, size_t row, size_t column,
			     double *ret_share);
/** es_simulate_view_title, es_simulate_view_say - the words above: what it is, and what it came to */
void es_simulate_view_title(const struct es_simulate_view *view, char *text, size_t size);
void es_simulate_view_say(const struct es_simulate_view *view, char *text, size_t size);
/** es_simulate_view_most_w - the highest power that is drawn, the cap among them */
double es_simulate_view_most_w(const struct es_simulate_view *view);

#endif
