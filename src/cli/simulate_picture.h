/*
 * simulate_picture.h - pictures of a replayed trace, in files and in a terminal
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SIMULATE_PICTURE_H
#define ES_CLI_SIMULATE_PICTURE_H

#include "cli/simulate_view.h"
#include "format/axis.h"
#include "format/scene.h"

#define ES_VIEW_COLUMNS 1040U /* of a picture on paper: one for each point */
#define ES_VIEW_ROWS_MAX 150U

/** es_simulate_scene - the picture; es_scene_finish() it in any case; 0 or negative errno */
int es_simulate_scene(const struct es_simulate_view *view, struct es_scene *ret);
/** es_simulate_canvas - in letters, as large as the terminal; 0 or negative errno */
int es_simulate_canvas(const struct es_simulate_view *view, const struct es_terminal *terminal,
		       struct es_buf *out);
/** es_simulate_view_columns - how many a terminal has room for; es_simulate_view_rows: at most */
size_t es_simulate_view_columns(const struct es_terminal *terminal);
size_t es_simulate_view_rows(const struct es_terminal *terminal);
/** es_simulate_draw_all - the files that are asked for, and in the terminal where that is; 0 or negative errno with words */
int es_simulate_draw_all(const struct es_simulate *sim, struct es_error *err);

/** struct es_view_tick - of the time axis */
struct es_view_tick {
	int64_t t_s; /* of the trace */
	char text[ES_AXIS_TEXT_BYTES];
	bool is_day; /* a day begins */
};

/** es_simulate_view_ticks - at most @n, in the order of time; the number of them */
size_t es_simulate_view_ticks(const struct es_simulate_view *view, size_t n,
			      struct es_view_tick *ret);
/** es_simulate_view_unit - what they count: UTC, and from when on, or a unit since the trace begins */
void es_simulate_view_unit(const struct es_simulate_view *view, size_t n, char *text, size_t size);
/** es_simulate_view_step - 1, 2 or 5 times a power of ten, so that @n steps reach @most; @is_whole: no less than 1 */
double es_simulate_view_step(double most, unsigned n, bool is_whole);

#endif
