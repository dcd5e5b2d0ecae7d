/*
 * scatter.c - a picture of energy against time, with the front
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/scatter.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#define WIDTH 960.0
#define HEIGHT 600.0
#define LEFT 96.0
#define RIGHT 40.0
#define TOP 56.0
#define BOTTOM 64.0
#define TICKS 7
#define MARGIN 0.06 /* of the span, on each side */
#define NAMES_MAX 40U

struct axis {
	double low, high, step;
};

struct drawing {
	struct es_scene *scene;
	struct axis x, y;
};

/* Steps of 1, 2 or 5; the ends are not rounded, so that points fill the picture. */
static struct axis axis_of(double low, double high)
{
	double span = high > low ? high - low : fmax(fabs(high), 1e-9) * 0.2;
	struct axis axis = { low - span * MARGIN, high + span * MARGIN, 0 };
	double rough = (axis.high - axis.low) / TICKS, power = pow(10, floor(log10(rough)));

	axis.step = power * (rough <= power	  ? 1
			     : rough <= 2 * power ? 2
			     : rough <= 5 * power ? 5
						  : 10);
	if (!(high > low)) {
		axis.low = low - span;
		axis.high = high + span;
	}
	return axis;
}

/* Full colours: those of regions are grounds. */
static enum es_ink ink_of(unsigned colour)
{
	return (enum es_ink)(ES_INK_SERIES + colour % ES_INK_N_HUES * ES_INK_N_SHADES);
}

static double x_of(const struct drawing *d, double value)
{
	return LEFT + (WIDTH - LEFT - RIGHT) * (value - d->x.low) / (d->x.high - d->x.low);
}

static double y_of(const struct drawing *d, double value)
{
	return HEIGHT - BOTTOM -
	       (HEIGHT - TOP - BOTTOM) * (value - d->y.low) / (d->y.high - d->y.low);
}

static void draw_axes(struct drawing *d, const struct es_scatter *scatter)
{
	const struct es_style grid = { .stroke = ES_INK_GRID, .stroke_pt = 1 };
	const struct es_font tick = { .size_pt = 12,
				      .ink = ES_INK_MUTED,
				      .anchor = ES_ANCHOR_MIDDLE };
	const struct es_font left = { .size_pt = 12, .ink = ES_INK_MUTED, .anchor = ES_ANCHOR_END };
	const struct es_font name = { .size_pt = 13, .ink = ES_INK_TEXT, .anchor = ES_ANCHOR_END };
	const struct es_font title = { .size_pt = 16, .ink = ES_INK_TEXT, .is_bold = true };
	const struct es_font side = { .size_pt = 13, .ink = ES_INK_TEXT };
	char text[48];

	for (double v = ceil(d->x.low / d->x.step); v * d->x.step <= d->x.high; v++) {
		double x = x_of(d, v * d->x.step);

		(void)snprintf(text, sizeof(text), "%.6g", v * d->x.step);
		es_scene_line(d->scene, x, TOP, x, HEIGHT - BOTTOM, &grid);
		es_scene_text(d->scene, x, HEIGHT - BOTTOM + 18, &tick, text);
	}
	for (double v = ceil(d->y.low / d->y.step); v * d->y.step <= d->y.high; v++) {
		double y = y_of(d, v * d->y.step);

		(void)snprintf(text, sizeof(text), "%.6g", v * d->y.step);
		es_scene_line(d->scene, LEFT, y, WIDTH - RIGHT, y, &grid);
		es_scene_text(d->scene, LEFT - 8, y + 4, &left, text);
	}
	es_scene_text_within(d->scene, WIDTH - RIGHT, HEIGHT - 18, WIDTH / 2, &name,
			     scatter->x_name);
	es_scene_text_within(d->scene, 16, TOP - 10, WIDTH / 2, &side, scatter->y_name);
	es_scene_text_within(d->scene, 16, 24, WIDTH - 32, &title, scatter->title);
}

static void draw_point(struct drawing *d, const struct es_scatter_point *point, bool has_name)
{
	enum es_ink ink = ink_of(point->colour);
	double radius = point->is_marked ? 7 : point->is_front ? 5 : 3.5;
	double x = x_of(d, point->at.time), y = y_of(d, point->at.energy);
	const struct es_font font = { .size_pt = 12, .ink = ES_INK_TEXT, .has_halo = true };
	const struct es_style style = {
		.fill = point->is_front ? ink : ES_INK_PAPER,
		.stroke = point->is_marked  ? ES_INK_TEXT
			  : point->is_front ? ink
					    : ES_INK_MUTED,
		.stroke_pt = point->is_marked ? 2 : 1.2,
		.radius_pt = radius,
	};

	es_scene_rect(d->scene, x - radius, y - radius, 2 * radius, 2 * radius, &style);
	if (point->name)
		es_scene_hint(d->scene, point->name);
	if (point->name && has_name)
		es_scene_text_within(d->scene, x + radius + 4, y - 6, WIDTH - x, &font,
				     point->name);
}

static void draw_front(struct drawing *d, const struct es_scatter *scatter,
		       const struct es_scatter_line *line)
{
	const struct es_style style = { .stroke = ink_of(line->colour), .stroke_pt = 1.6 };

	if (line->n < 2)
		return;
	es_scene_begin(d->scene, ES_MARK_LINE, &style);
	/* In steps: nothing was measured between two of its points. */
	for (size_t i = 0; i < line->n; i++) {
		const struct es_opt_point *at = &scatter->points[line->points[i]].at;

		if (i > 0)
			es_scene_point(d->scene, x_of(d, at->time),
				       y_of(d, scatter->points[line->points[i - 1]].at.energy));
		es_scene_point(d->scene, x_of(d, at->time), y_of(d, at->energy));
	}
}

int es_scatter_scene(const struct es_scatter *scatter, struct es_scene *ret)
{
	struct drawing d = { .scene = ret };
	struct es_opt_point low = { INFINITY, INFINITY }, high = { -INFINITY, -INFINITY };
	const struct es_style ground = { .fill = ES_INK_PAPER };
	size_t n_front = 0;

	es_scene_init(ret, WIDTH, HEIGHT);
	if (scatter->n == 0)
		return -ENODATA;
	if (scatter->n > ES_SCATTER_POINTS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < scatter->n; i++) {
		const struct es_opt_point *at = &scatter->points[i].at;

		low.time = fmin(low.time, at->time);
		low.energy = fmin(low.energy, at->energy);
		high.time = fmax(high.time, at->time);
		high.energy = fmax(high.energy, at->energy);
		n_front += scatter->points[i].is_front;
	}
	d.x = axis_of(low.time, high.time);
	d.y = axis_of(low.energy, high.energy);
	es_scene_rect(ret, 0, 0, WIDTH, HEIGHT, &ground);
	draw_axes(&d, scatter);
	for (size_t i = 0; i < scatter->n_lines; i++)
		draw_front(&d, scatter, &scatter->lines[i]);
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < scatter->n; i++)
			if (scatter->points[i].is_front == (pass == 1))
				draw_point(&d, &scatter->points[i],
					   pass == 1 && (n_front <= NAMES_MAX ||
							 scatter->points[i].is_marked));
	return ret->error;
}

int es_scatter_write(const struct es_scatter *scatter, const struct es_drawing *drawing,
		     struct es_error *err)
{
	struct es_scene scene;
	int r = es_scatter_scene(scatter, &scene);

	r = r < 0 ? es_error_set(err, r, "cannot draw %zu points (at most %u)", scatter->n,
				 ES_SCATTER_POINTS_MAX)
		  : es_drawing_write(drawing, &scene, scatter->title, err);
	es_scene_finish(&scene);
	return r;
}
