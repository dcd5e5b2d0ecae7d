/*
 * scatter.h - a picture of energy against time, with the front
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SCATTER_H
#define ES_CLI_SCATTER_H

#include <stdbool.h>

#include "cli/drawing.h"
#include "format/plot.h"
#include "opt/front.h"

#define ES_SCATTER_POINTS_MAX 20000U /* a picture with more is unreadable */

/** struct es_scatter_point - one mark */
struct es_scatter_point {
	struct es_opt_point at;
	unsigned colour; /* any number; they repeat */
	bool is_front, is_marked;
	bool has_box; /* 95 % intervals of both, drawn as a box around it */
	double time_low, time_high, energy_low, energy_high;
	const char *name; /* beside it; NULL: none; borrowed */
};

/** struct es_scatter_line - one front */
struct es_scatter_line {
	const size_t *points; /* [n] by time; borrowed */
	size_t n;
	unsigned colour;
};

/** struct es_scatter - all borrowed; an axis whose values span a factor of 30 is logarithmic, and says so */
struct es_scatter {
	const char *title, *x_name, *y_name; /* of the axes: with their units */
	const char *
		mark_name; /* what a marked point is: "knee", "chosen"; NULL: marks are not explained */
	const struct es_scatter_point *points;
	size_t n;
	const struct es_scatter_line *lines;
	size_t n_lines;
	const char *const *
		legend; /* [n_legend] what the colours 0, 1 … stand for; fewer than 2: one colour for all */
	size_t n_legend;
};

/** es_scatter_scene - draw it; 0 or negative errno; es_scene_finish() it in any case */
int es_scatter_scene(const struct es_scatter *scatter, struct es_scene *ret);
/** es_scatter_write - to the files that are asked for; 0 or negative errno */
int es_scatter_write(const struct es_scatter *scatter, const struct es_drawing *drawing,
		     struct es_error *err);
/** es_scatter_text - in letters, for a terminal (es_terminal_look); 0 or negative errno */
int es_scatter_text(const struct es_scatter *scatter, const struct es_terminal *terminal,
		    struct es_buf *out);

#endif
