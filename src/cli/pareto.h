/*
 * pareto.h - what a front is made of, and what was found
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_PARETO_H
#define ES_CLI_PARETO_H

#include <stdbool.h>

#include "base/buf.h"
#include "cli/command.h"
#include "cli/drawing.h"
#include "cli/sheet.h"
#include "cli/trials.h"
#include "core/stats.h"
#include "opt/choose.h"
#include "opt/front.h"

#define ES_PARETO "pareto"

/** struct es_pareto_point - a row, or the runs of one configuration */
struct es_pareto_point {
	struct es_opt_point at;
	struct es_opt_range range; /* infinite: not known */
	bool has_range;
	size_t row; /* of the table; of runs the first one */
	size_t group;
	const char *name; /* of a configuration, or beside the mark of a row; "": none; borrowed */
	struct es_interval time, energy; /* of a configuration */
};

/** struct es_pareto_front - of all points, or of a group */
struct es_pareto_front {
	const char *group; /* NULL: all; borrowed */
	size_t *points; /* [n] owned, by time */
	size_t n, n_points;
	size_t *possible; /* [n_possible] owned: dominated, but not surely */
	size_t n_possible;
	size_t knee, best; /* best: of the objective */
	double depth; /* 0: no knee */
};

/** struct es_pareto - what was asked, what was read, what was found */
struct es_pareto {
	const char *const *paths; /* [n_paths] borrowed */
	size_t n_paths;
	const char *time, *energy, *time_ci, *energy_ci, *label, *objective;
	struct es_text_list group;
	struct es_drawing drawing;
	bool is_strict, is_json, is_term, has_repeats;
	unsigned exponent; /* of the objective */

	bool is_rows; /* each point is a row; else it is a configuration with runs */
	struct es_sheet rows;
	int columns[5]; /* time, energy, label, and half widths of both; -1: none */
	int group_columns[ES_SHEET_GROUP_COLUMNS_MAX];
	size_t n_group_columns;
	char group_name[200]; /* of those columns */
	struct es_sheet_groups split, configurations;
	struct es_trials trials;
	struct es_chain chain;

	struct es_pareto_point *points; /* [n] owned */
	size_t n;
	bool has_ranges; /* of some */
	struct es_pareto_front all;
	struct es_pareto_front *groups; /* [n_groups] owned */
	size_t n_groups;
};

/** es_pareto_take - points out of a table, or of recordings; 0 or negative errno with words, or said already where @err has none */
int es_pareto_take(struct es_pareto *pareto, struct es_error *err);
void es_pareto_text(const struct es_pareto *pareto, struct es_buf *out);
void es_pareto_json(const struct es_pareto *pareto, struct es_buf *out);
/** es_pareto_draw - to the files that are asked for, and to @terminal as letters; NULL: not there; 0 or negative errno with words */
int es_pareto_draw(const struct es_pareto *pareto, struct es_buf *terminal, struct es_error *err);

#endif
