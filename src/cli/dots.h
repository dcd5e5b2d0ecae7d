/*
 * dots.h - a picture of times alone: a line for each, its mean as a dot and its 95 % interval, where energy cannot be compared
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_DOTS_H
#define ES_CLI_DOTS_H

#include "cli/scatter.h"

#define ES_DOTS_MAX 100U /* of more the least are drawn, and the marked, and that is said */

/* All take of a scatter its title, name of x, and of its points time, interval, mark and name; energies are not looked at. */

/** es_dots_scene - draw it; 0, -ENODATA without points, or -ENOMEM; es_scene_finish() it in any case */
int es_dots_scene(const struct es_scatter *scatter, struct es_scene *ret);
/** es_dots_write - to the files that are asked for; 0 or negative errno with words */
int es_dots_write(const struct es_scatter *scatter, const struct es_drawing *drawing,
		  struct es_error *err);
/** es_dots_text - in letters, for a terminal (es_terminal_look); 0 or negative errno */
int es_dots_text(const struct es_scatter *scatter, const struct es_terminal *terminal,
		 struct es_buf *out);

/** es_dots_choose - the points that are shown, in their order: @ret_points[at most @max]; returns how many, or -ENOMEM */
int es_dots_choose(const struct es_scatter *scatter, size_t max,
		   struct es_scatter_point *ret_points);

#endif
