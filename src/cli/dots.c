/*
 * dots.c - a picture of times alone: a line for each, its mean as a dot and its 95 % interval
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/dots.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/scatter_private.h"

#define WIDTH 960.0
#define RIGHT 32.0
#define TOP 72.0
#define BOTTOM 56.0
#define ROW_PT 22.0
#define NAME_MAX_PT 380.0
#define NAME_PT 12.0
#define DOT_PT 4.5
#define END_PT 4.0 /* half of the strokes at an interval's ends */
#define TICKS 9U

struct drawing {
	struct es_scene *scene;
	struct es_scatter scatter; /* of what is shown */
	struct es_scatter_axis x;
	double left, bottom; /* of the plot */
	struct es_scatter_point points[ES_DOTS_MAX];
	size_t n_all;
};

struct place {
	double time;
	size_t point;
};

static int by_time(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->time != y->time ? (x->time > y->time) - (x->time < y->time)
				  : (x->point > y->point) - (x->point < y->point);
}

int es_dots_choose(const struct es_scatter *scatter, size_t max,
		   struct es_scatter_point *ret_points)
{
	es_cleanup(es_freep) struct place *places = calloc(scatter->n + 1, sizeof(*places));
	es_cleanup(es_freep) bool *is_shown = calloc(scatter->n + 1, sizeof(*is_shown));
	size_t n = 0, n_marked = 0;

	if (!places || !is_shown)
		return -ENOMEM;
	for (size_t i = 0; i < scatter->n; i++) {
		places[i] = (struct place){ scatter->points[i].at.time, i };
		is_shown[i] = scatter->points[i].is_marked && n_marked < max;
		n_marked += is_shown[i];
	}
	qsort(places, scatter->n, sizeof(*places), by_time);
	for (size_t i = 0, left = max - n_marked; i < scatter->n && left > 0; i++) {
		left -= !is_shown[places[i].point];
		is_shown[places[i].point] = true;
	}
	for (size_t i = 0; i < scatter->n; i++)
		if (is_shown[i])
			ret_points[n++] = scatter->points[i];
	return (int)n;
}

static double x_of(const struct drawing *d, double time)
{
	return d->left + (WIDTH - RIGHT - d->left) * es_scatter_share(&d->x, time);
}

static void draw_axis(struct drawing *d)
{
	const struct es_style grid = { .stroke = ES_INK_GRID, .stroke_pt = 1 };
	const struct es_style line = { .stroke = ES_INK_MUTED, .stroke_pt = 1 };
	const struct es_font below = { .size_pt = NAME_PT,
				       .ink = ES_INK_MUTED,
				       .anchor = ES_ANCHOR_MIDDLE };
	const struct es_font name = { .size_pt = 13, .ink = ES_INK_TEXT, .anchor = ES_ANCHOR_END };
	char text[200];

	for (size_t i = 0; i < d->x.n_ticks; i++) {
		double x = x_of(d, d->x.ticks[i]);

		es_scene_line(d->scene, x, TOP, x, d->bottom, &grid);
		es_scene_text(d->scene, x, d->bottom + 17, &below,
			      es_scatter_tick(d->x.ticks[i], text));
	}
	es_scene_line(d->scene, d->left, d->bottom, WIDTH - RIGHT, d->bottom, &line);
	(void)snprintf(text, sizeof(text), "%.150s%s", d->scatter.x_name,
		       d->x.is_log ? ", logarithmic" : "");
	es_scene_text_within(d->scene, WIDTH - RIGHT, d->bottom + 38, WIDTH / 2, &name, text);
}

static void draw_dot(struct es_scene *scene, double x, double y, bool is_marked)
{
	const struct es_style style = { .fill = es_scatter_ink(0),
					.stroke = is_marked ? ES_INK_TEXT : es_scatter_ink(0),
					.stroke_pt = is_marked ? 2 : 1,
					.radius_pt = DOT_PT };

	es_scene_rect(scene, x - DOT_PT, y - DOT_PT, 2 * DOT_PT, 2 * DOT_PT, &style);
}

static void draw_interval(struct es_scene *scene, double left, double right, double y)
{
	const struct es_style style = { .stroke = es_scatter_ink(0), .stroke_pt = 1.6 };

	es_scene_line(scene, left, y, right, y, &style);
	es_scene_line(scene, left, y - END_PT, left, y + END_PT, &style);
	es_scene_line(scene, right, y - END_PT, right, y + END_PT, &style);
}

/* What the others are held against, through all lines. */
static void draw_reference(struct drawing *d)
{
	const struct es_style style = { .stroke = ES_INK_MUTED,
					.stroke_pt = 1.2,
					.is_dashed = true };

	for (size_t i = 0; i < d->scatter.n; i++) {
		const struct es_scatter_point *point = &d->points[i];
		double x = x_of(d, point->at.time);

		if (point->is_marked)
			es_scene_line(d->scene, x, TOP, x, d->bottom, &style);
	}
}

static void draw_row(struct drawing *d, size_t row)
{
	const struct es_scatter_point *point = &d->points[row];
	const struct es_font name = { .size_pt = NAME_PT,
				      .ink = ES_INK_TEXT,
				      .anchor = ES_ANCHOR_END,
				      .is_bold = point->is_marked };
	double y = TOP + ROW_PT * ((double)row + 0.5);

	if (point->name)
		es_scene_text_within(d->scene, d->left - 12, y + 4, d->left - 24, &name,
				     point->name);
	if (point->has_box)
		draw_interval(d->scene, x_of(d, point->time_low), x_of(d, point->time_high), y);
	draw_dot(d->scene, x_of(d, point->at.time), y, point->is_marked);
	if (point->name)
		es_scene_hint(d->scene, point->name);
}

static void draw_head(struct drawing *d)
{
	const struct es_font title = { .size_pt = 16, .ink = ES_INK_TEXT, .is_bold = true };
	const struct es_font font = { .size_pt = NAME_PT, .ink = ES_INK_TEXT };
	const double y = 26 + 18;
	char text[96];
	double x = 16;

	es_scene_text_within(d->scene, 16, 26, WIDTH - 32, &title, d->scatter.title);
	draw_dot(d->scene, x + 7, y - 4, false);
	es_scene_text(d->scene, x + 20, y, &font, "mean");
	x += 70;
	if (es_scatter_has_boxes(&d->scatter)) {
		draw_interval(d->scene, x, x + 16, y - 4);
		es_scene_text(d->scene, x + 24, y, &font, "95 % interval");
		x += 124;
	}
	if (es_scatter_has_marks(&d->scatter)) {
		draw_dot(d->scene, x + 7, y - 4, true);
		es_scene_text(d->scene, x + 20, y, &font, d->scatter.mark_name);
		x += 34 + es_text_width(d->scatter.mark_name, &font);
	}
	if (d->scatter.n < d->n_all) {
		(void)snprintf(text, sizeof(text), "the least %zu of %zu", d->scatter.n, d->n_all);
		es_scene_text(d->scene, x, y, &font, text);
	}
}

/* Room for the widest name, within reason. */
static void set_frame(struct drawing *d)
{
	const struct es_font font = { .size_pt = NAME_PT, .is_bold = true };
	double widest = 60;

	for (size_t i = 0; i < d->scatter.n; i++) {
		const char *name = d->points[i].name;

		widest = name ? fmax(widest, es_text_width(name, &font)) : widest;
	}
	d->left = fmin(widest, NAME_MAX_PT) + 28;
	d->bottom = TOP + ROW_PT * (double)d->scatter.n;
}

int es_dots_scene(const struct es_scatter *scatter, struct es_scene *ret)
{
	struct drawing d = { .scene = ret, .scatter = *scatter, .n_all = scatter->n };
	const struct es_style ground = { .fill = ES_INK_PAPER };
	struct es_scatter_axis y;
	int n = es_dots_choose(scatter, ES_DOTS_MAX, d.points), r;

	d.scatter.points = d.points;
	d.scatter.n = n > 0 ? (size_t)n : 0;
	es_scene_init(ret, WIDTH, TOP + ROW_PT * (double)d.scatter.n + BOTTOM);
	r = n < 0 ? n : es_scatter_axes(&d.scatter, TICKS, TICKS, &d.x, &y);
	if (r < 0)
		return r;
	set_frame(&d);
	es_scene_rect(ret, 0, 0, ret->width_pt, ret->height_pt, &ground);
	draw_head(&d);
	draw_axis(&d);
	draw_reference(&d);
	for (size_t i = 0; i < d.scatter.n; i++)
		draw_row(&d, i);
	return ret->error;
}

int es_dots_write(const struct es_scatter *scatter, const struct es_drawing *drawing,
		  struct es_error *err)
{
	struct es_scene scene;
	int r = es_dots_scene(scatter, &scene);

	r = r < 0 ? es_error_set(err, r, "cannot draw %zu times", scatter->n)
		  : es_drawing_write(drawing, &scene, scatter->title, err);
	es_scene_finish(&scene);
	return r;
}
