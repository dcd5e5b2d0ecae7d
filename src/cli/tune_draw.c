/*
 * tune_draw.c - measured settings in a picture: energy against time
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/scatter.h"
#include "cli/terminal.h"
#include "cli/tune.h"

static void set_box(const struct es_tune_answer *answer, size_t i, struct es_scatter_point *point)
{
	const struct es_tune_row *row = &answer->rows[i];
	es_cleanup(es_freep) double *values = calloc(row->n_runs, sizeof(*values));
	struct es_stats time, energy;

	if (!values || row->n_runs < 2)
		return;
	for (size_t k = 0; k < row->n_runs; k++)
		values[k] = answer->runs[row->first_run + k].time;
	time = es_stats_of(values, row->n_runs);
	for (size_t k = 0; k < row->n_runs; k++)
		values[k] = answer->runs[row->first_run + k].energy;
	energy = es_stats_of(values, row->n_runs);
	point->has_box = true;
	point->time_low = time.mean - time.ci;
	point->time_high = time.mean + time.ci;
	point->energy_low = energy.mean - energy.ci;
	point->energy_high = energy.mean + energy.ci;
}

/* window_300 is 300: what all of them begin with tells nothing. */
static const char *name_of(const struct es_tune *tune, const char *cell)
{
	const char *digits = cell;

	for (const char *p = cell; tune->has_numbers && *p; p++)
		if (strchr("_=: ", *p))
			digits = p + 1;
	return digits;
}

/* The answer's points behind those of others; its front by their places. */
static void add_answer(const struct es_tune *tune, const struct es_tune_answer *answer,
		       unsigned colour, size_t first, struct es_scatter_point *points,
		       size_t *front, struct es_scatter_line *line)
{
	for (size_t i = 0; i < answer->n; i++) {
		points[first + i] =
			(struct es_scatter_point){ .at = answer->points[i],
						   .colour = colour,
						   .name = name_of(tune, answer->rows[i].cell) };
		set_box(answer, i, &points[first + i]);
	}
	for (size_t i = 0; i < answer->n_front; i++) {
		front[first + i] = first + answer->front[i];
		points[front[first + i]].is_front = true;
	}
	points[first + answer->chosen].is_marked = true;
	*line = (struct es_scatter_line){ &front[first], answer->n_front, colour };
}

static int put(const struct es_tune *tune, const struct es_scatter *scatter,
	       struct es_buf *terminal, struct es_error *err)
{
	struct es_terminal look;
	int r = 0;

	if (es_drawing_is_asked(&tune->drawing))
		r = es_scatter_write(scatter, &tune->drawing, err);
	/* Too many for letters: the table tells. */
	if (r < 0 || !terminal || scatter->n > ES_SCATTER_POINTS_MAX)
		return r;
	es_terminal_look(&look);
	r = es_scatter_text(scatter, &look, terminal);
	if (r == 0)
		r = es_buf_u8(terminal, '\n');
	return r < 0 ? es_error_set(err, r, "cannot draw") : 0;
}

int es_tune_draw(const struct es_tune *tune, struct es_buf *terminal, struct es_error *err)
{
	const char *slash = strrchr(tune->paths.texts[0], '/');
	es_cleanup(es_freep) struct es_scatter_line *lines =
		calloc(tune->n_answers, sizeof(*lines));
	es_cleanup(es_freep) const char **legend = calloc(tune->n_answers, sizeof(*legend));
	es_cleanup(es_freep) struct es_scatter_point *points = NULL;
	es_cleanup(es_freep) size_t *front = NULL;
	bool is_relative = tune->speed && tune->power;
	struct es_scatter scatter = {
		.title = tune->paths.n > 1 ? tune->setting
			 : slash	   ? slash + 1
					   : tune->paths.texts[0],
		.x_name = tune->speed ? "time (relative)" : "time (s)",
		.y_name = is_relative ? "energy (relative)" : "energy (J)",
		.mark_name = "chosen",
	};

	if (!es_drawing_is_asked(&tune->drawing) && !terminal)
		return 0;
	for (size_t i = 0; i < tune->n_answers; i++)
		scatter.n += tune->answers[i].n;
	points = calloc(scatter.n, sizeof(*points));
	front = calloc(scatter.n, sizeof(*front));
	if (!points || !lines || !front || !legend)
		return es_error_set(err, -ENOMEM, "cannot draw");
	for (size_t i = 0, first = 0; i < tune->n_answers; first += tune->answers[i++].n) {
		legend[i] = tune->answers[i].group;
		add_answer(tune, &tune->answers[i], (unsigned)i, first, points, front, &lines[i]);
	}
	scatter.points = points;
	scatter.lines = lines;
	scatter.n_lines = tune->n_answers;
	scatter.legend = legend;
	scatter.n_legend = es_tune_has_groups(tune) ? tune->n_answers : 0;
	return put(tune, &scatter, terminal, err);
}
