/*
 * scatter.c - a picture of energy against time, with the front
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/scatter_private.h"

#define WIDTH 960.0
#define HEIGHT 600.0
#define LEFT 96.0
#define RIGHT 40.0
#define TOP 60.0
#define BOTTOM 64.0
#define TICKS_X 9U
#define TICKS_Y 8U
#define NAMES_MAX 60U
#define FRONT_MAX 40U /* points on fronts: with more only the marked have names */
#define FEW 14U /* points: with so few those behind the front have names, too */
#define MANY 150U /* points: with so many the marks are smaller */
#define NAME_MAX_PT 190.0
#define NAME_MAX_BYTES 256U
#define NAME_PT 12.0
#define LINE_PT 18.0
#define KEY_ROWS_MAX 4U
#define KEY_MAX_PT 220.0

struct box {
	double left, top, right, bottom;
};

struct drawing {
	struct es_scene *scene;
	const struct es_scatter *scatter;
	struct es_scatter_axis x, y;
	double top; /* of the plot: below title and legend */
	struct box *taken; /* [n_taken] of names */
	size_t n_taken;
};

static double x_of(const struct drawing *d, double value)
{
	return LEFT + (WIDTH - LEFT - RIGHT) * es_scatter_share(&d->x, value);
}

static double y_of(const struct drawing *d, double value)
{
	return HEIGHT - BOTTOM - (HEIGHT - d->top - BOTTOM) * es_scatter_share(&d->y, value);
}

static double radius_of(const struct drawing *d, const struct es_scatter_point *point)
{
	bool is_many = d->scatter->n > MANY;

	return point->is_marked ? 7 : point->is_front ? (is_many ? 4 : 5) : is_many ? 2.5 : 3.5;
}

static void draw_ticks(struct drawing *d)
{
	const struct es_style grid = { .stroke = ES_INK_GRID, .stroke_pt = 1 };
	const struct es_font below = { .size_pt = 12,
				       .ink = ES_INK_MUTED,
				       .anchor = ES_ANCHOR_MIDDLE };
	const struct es_font left = { .size_pt = 12, .ink = ES_INK_MUTED, .anchor = ES_ANCHOR_END };
	char text[ES_SCATTER_TICK_BYTES];

	for (size_t i = 0; i < d->x.n_ticks; i++) {
		double x = x_of(d, d->x.ticks[i]);

		es_scene_line(d->scene, x, d->top, x, HEIGHT - BOTTOM, &grid);
		es_scene_text(d->scene, x, HEIGHT - BOTTOM + 18, &below,
			      es_scatter_tick(d->x.ticks[i], text));
	}
	for (size_t i = 0; i < d->y.n_ticks; i++) {
		double y = y_of(d, d->y.ticks[i]);

		es_scene_line(d->scene, LEFT, y, WIDTH - RIGHT, y, &grid);
		es_scene_text(d->scene, LEFT - 8, y + 4, &left,
			      es_scatter_tick(d->y.ticks[i], text));
	}
}

static void draw_axes(struct drawing *d)
{
	const struct es_style line = { .stroke = ES_INK_MUTED, .stroke_pt = 1 };
	const struct es_font name = { .size_pt = 13, .ink = ES_INK_TEXT, .anchor = ES_ANCHOR_END };
	const struct es_font title = { .size_pt = 16, .ink = ES_INK_TEXT, .is_bold = true };
	const struct es_font side = { .size_pt = 13, .ink = ES_INK_TEXT };
	char text[200];

	draw_ticks(d);
	es_scene_line(d->scene, LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, &line);
	es_scene_line(d->scene, LEFT, d->top, LEFT, HEIGHT - BOTTOM, &line);
	(void)snprintf(text, sizeof(text), "%.150s%s", d->scatter->x_name,
		       d->x.is_log ? ", logarithmic" : "");
	es_scene_text_within(d->scene, WIDTH - RIGHT, HEIGHT - 18, WIDTH / 2, &name, text);
	(void)snprintf(text, sizeof(text), "%.150s%s", d->scatter->y_name,
		       d->y.is_log ? ", logarithmic" : "");
	es_scene_text_within(d->scene, 16, d->top - 12, WIDTH / 2, &side, text);
	es_scene_text_within(d->scene, 16, 26, WIDTH - 32, &title, d->scatter->title);
}

static void draw_mark(struct es_scene *scene, double x, double y, double radius,
		      const struct es_scatter_point *point, bool has_colours)
{
	enum es_ink ink = es_scatter_ink(point->colour);
	const struct es_style style = {
		.fill = point->is_front ? ink : ES_INK_PAPER,
		.stroke = point->is_marked		   ? ES_INK_TEXT
			  : point->is_front || has_colours ? ink
							   : ES_INK_MUTED,
		.stroke_pt = point->is_marked ? 2 : 1.2,
		/* Colours repeat with other shapes. */
		.radius_pt = point->colour / ES_INK_N_HUES % 2 ? 0 : radius,
	};

	es_scene_rect(scene, x - radius, y - radius, 2 * radius, 2 * radius, &style);
}

static void draw_box(struct drawing *d, const struct es_scatter_point *point)
{
	enum es_ink ink = es_scatter_ink(point->colour);
	const struct es_style style = { .fill = ink,
					.opacity_percent = point->is_front ? 22 : 10,
					.stroke = es_ink_pale(ink),
					.stroke_pt = 0.8 };
	double left = x_of(d, point->time_low), right = x_of(d, point->time_high);
	double top = y_of(d, point->energy_high), bottom = y_of(d, point->energy_low);

	/* An interval of next to nothing is still seen. */
	right = fmax(right, left + 1);
	bottom = fmax(bottom, top + 1);
	es_scene_rect(d->scene, left, top, right - left, bottom - top, &style);
}

static void draw_point(struct drawing *d, const struct es_scatter_point *point)
{
	draw_mark(d->scene, x_of(d, point->at.time), y_of(d, point->at.energy), radius_of(d, point),
		  point, d->scatter->n_legend > 1);
	if (point->name)
		es_scene_hint(d->scene, point->name);
}

static void draw_front(struct drawing *d, const struct es_scatter_line *line)
{
	const struct es_style style = { .stroke = es_scatter_ink(line->colour), .stroke_pt = 1.6 };
	const struct es_scatter_point *points = d->scatter->points;

	if (line->n < 2)
		return;
	es_scene_begin(d->scene, ES_MARK_LINE, &style);
	/* In steps: nothing was measured between two of its points. */
	for (size_t i = 0; i < line->n; i++) {
		const struct es_opt_point *at = &points[line->points[i]].at;

		if (i > 0)
			es_scene_point(d->scene, x_of(d, at->time),
				       y_of(d, points[line->points[i - 1]].at.energy));
		es_scene_point(d->scene, x_of(d, at->time), y_of(d, at->energy));
	}
}

static bool do_overlap(const struct box *a, const struct box *b)
{
	return a->left < b->right && b->left < a->right && a->top < b->bottom && b->top < a->bottom;
}

static bool is_on_line(const struct drawing *d, const struct box *box)
{
	const struct es_scatter_point *points = d->scatter->points;

	for (size_t k = 0; k < d->scatter->n_lines; k++) {
		const struct es_scatter_line *line = &d->scatter->lines[k];

		for (size_t i = 1; i < line->n; i++) {
			const struct es_opt_point *a = &points[line->points[i - 1]].at,
						  *b = &points[line->points[i]].at;
			double x0 = x_of(d, a->time), x1 = x_of(d, b->time);
			double y0 = y_of(d, a->energy), y1 = y_of(d, b->energy);
			const struct box across = { x0, y0 - 1, x1, y0 + 1 },
					 down = { x1 - 1, y0, x1 + 1, y1 };

			if (do_overlap(box, &across) || do_overlap(box, &down))
				return true;
		}
	}
	return false;
}

static bool is_free(const struct drawing *d, const struct box *box, bool may_cross)
{
	if (box->left < LEFT + 2 || box->right > WIDTH - 4 || box->top < d->top - 4 ||
	    box->bottom > HEIGHT - BOTTOM - 1)
		return false;
	for (size_t i = 0; i < d->n_taken; i++)
		if (do_overlap(box, &d->taken[i]))
			return false;
	for (size_t i = 0; i < d->scatter->n; i++) {
		const struct es_scatter_point *point = &d->scatter->points[i];
		double x = x_of(d, point->at.time), y = y_of(d, point->at.energy);
		double radius = radius_of(d, point);
		const struct box mark = { x - radius, y - radius, x + radius, y + radius };

		if (do_overlap(box, &mark))
			return false;
	}
	return may_cross || !is_on_line(d, box);
}

/* From the middle: names of variants differ at their ends. */
static const char *shorten(const char *text, const struct es_font *font,
			   char name[static NAME_MAX_BYTES])
{
	size_t len = strlen(text),
	       keep = len < NAME_MAX_BYTES / 2 ? len / 2 : NAME_MAX_BYTES / 2 - 8;

	if (es_text_width(text, font) <= NAME_MAX_PT && len < NAME_MAX_BYTES)
		return text;
	for (; keep > 0; keep--) {
		size_t head = keep, tail = len - keep;

		/* Not within a letter. */
		while (head > 0 && ((unsigned char)text[head] & 0xc0) == 0x80)
			head--;
		while (tail < len && ((unsigned char)text[tail] & 0xc0) == 0x80)
			tail++;
		(void)snprintf(name, NAME_MAX_BYTES, "%.*s…%s", (int)head, text, text + tail);
		if (es_text_width(name, font) <= NAME_MAX_PT)
			break;
	}
	return name;
}

/* Beside its point where no other name, mark or front is; else nowhere: pointing at the mark still tells it. */
static void draw_name(struct drawing *d, const struct es_scatter_point *point)
{
	const struct es_font font = { .size_pt = NAME_PT,
				      .ink = point->is_front ? ES_INK_TEXT : ES_INK_MUTED,
				      .is_bold = point->is_marked,
				      .has_halo = true };
	double x = x_of(d, point->at.time), y = y_of(d, point->at.energy);
	double r = radius_of(d, point) + 3;
	double width = fmin(es_text_width(point->name, &font), NAME_MAX_PT);
	/* Left end and base line: above to the right, below to the left where no point can be, and so on. */
	const struct es_point places[] = {
		{ x + r, y - 4 },
		{ x - r - width, y + NAME_PT },
		{ x + r, y + 4 },
		{ x - r - width, y + 4 },
		{ x - width / 2, y - r - 2 },
		{ x - width / 2, y + r + NAME_PT - 2 },
		{ x + r, y + NAME_PT + 2 },
		{ x - r - width, y - 4 },
	};
	/* Those behind the front: to the right, or at the edge to the left, where nobody takes it for the name of another. */
	bool is_plain = !point->is_front && !point->is_marked;
	bool is_at_edge = x + r + width > WIDTH - 4;
	char name[NAME_MAX_BYTES];

	for (int may_cross = 0; may_cross < (point->is_front ? 2 : 1); may_cross++) {
		for (size_t i = 0; i < ES_ARRAY_SIZE(places); i++) {
			const struct es_point *at = &places[i];
			const struct box box = { at->x - 1, at->y - NAME_PT + 1, at->x + width + 1,
						 at->y + 3 };

			if (is_plain && i != 0 && i != 2 && !(i == 3 && is_at_edge))
				continue;
			if (!is_free(d, &box, may_cross))
				continue;
			es_scene_text(d->scene, at->x, at->y, &font,
				      shorten(point->name, &font, name));
			d->taken[d->n_taken++] = box;
			return;
		}
	}
}

/* The marked first, then the front, then the others where there are few. */
static int draw_names(struct drawing *d)
{
	const struct es_scatter *scatter = d->scatter;
	size_t n_front = 0;

	for (size_t i = 0; i < scatter->n; i++)
		n_front += scatter->points[i].is_front;
	d->taken = calloc(NAMES_MAX + 1, sizeof(*d->taken));
	if (!d->taken)
		return -ENOMEM;
	for (int pass = 0; pass < 3; pass++) {
		for (size_t i = 0; i < scatter->n && d->n_taken < NAMES_MAX; i++) {
			const struct es_scatter_point *point = &scatter->points[i];
			int rank = point->is_marked ? 0 : point->is_front ? 1 : 2;

			if (rank == pass && point->name && point->name[0] &&
			    (rank == 0 || (rank == 1 && n_front <= FRONT_MAX) || scatter->n <= FEW))
				draw_name(d, point);
		}
	}
	return 0;
}

struct key {
	const char *text;
	struct es_scatter_point mark; /* how it looks */
	bool is_box, is_many, is_words;
};

/* In rows below the title; counted only where @scene is NULL. Returns the rows. */
static unsigned put_key(struct es_scene *scene, const struct key *key, double *x, unsigned row)
{
	const struct es_font font = { .size_pt = 12, .ink = ES_INK_TEXT };
	const struct es_style style = { .fill = ES_INK_MUTED, .opacity_percent = 25 };
	double width = fmin(es_text_width(key->text, &font), KEY_MAX_PT) + 34, y;

	if (*x > 16 && *x + width > WIDTH - RIGHT) {
		*x = 16;
		row++;
	}
	y = 26 + LINE_PT * (row + 1);
	if (scene && row < KEY_ROWS_MAX) {
		if (key->is_box)
			es_scene_rect(scene, *x, y - 10, 14, 11, &style);
		else if (!key->is_words)
			draw_mark(scene, *x + 7, y - 4, key->mark.is_marked ? 6 : 4.5, &key->mark,
				  key->is_many);
		es_scene_text_within(scene, *x + (key->is_words ? 0 : 20), y, KEY_MAX_PT, &font,
				     key->text);
	}
	*x += width;
	return row;
}

/* The colours of groups, in all rows but the last: that is for what marks mean. */
static unsigned put_groups(const struct es_scatter *scatter, struct es_scene *scene, double *x)
{
	unsigned row = 0;

	for (size_t i = 0; i < scatter->n_legend; i++) {
		const struct key key = { .text = scatter->legend[i],
					 .mark = { .colour = (unsigned)i, .is_front = true } };
		double before = *x;
		unsigned next = put_key(NULL, &key, x, row);
		char rest[32];

		if (next < KEY_ROWS_MAX - 1) {
			*x = before;
			row = put_key(scene, &key, x, row);
			continue;
		}
		*x = 16;
		(void)snprintf(rest, sizeof(rest), "and %zu more", scatter->n_legend - i);
		return put_key(scene, &(struct key){ .text = rest, .is_words = true }, x, next);
	}
	return row;
}

/* What colours, marks and boxes mean; returns the rows that takes. */
static unsigned put_keys(const struct es_scatter *scatter, struct es_scene *scene)
{
	bool is_many = scatter->n_legend > 1, has_others = false;
	unsigned row = 0;
	double x = 16;

	if (is_many)
		row = put_groups(scatter, scene, &x);
	for (size_t i = 0; i < scatter->n; i++)
		has_others |= !scatter->points[i].is_front;
	if (scatter->n_lines > 0 && has_others) {
		const struct key on = { .text = "on the front",
					.mark = { .colour = is_many ? 6 : 0, .is_front = true } },
				 off = { .text = "dominated",
					 .mark = { .colour = 6 },
					 .is_many = is_many };

		row = put_key(scene, &on, &x, row);
		row = put_key(scene, &off, &x, row);
	}
	if (es_scatter_has_marks(scatter)) {
		const struct key key = {
			.text = scatter->mark_name,
			.mark = { .colour = is_many ? 6 : 0, .is_front = true, .is_marked = true }
		};

		row = put_key(scene, &key, &x, row);
	}
	if (es_scatter_has_boxes(scatter)) {
		const struct key key = { .text = "95 % intervals", .is_box = true };

		row = put_key(scene, &key, &x, row);
	}
	row += x > 16;
	return row < KEY_ROWS_MAX ? row : KEY_ROWS_MAX;
}

static void draw_points(struct drawing *d)
{
	const struct es_scatter *scatter = d->scatter;

	for (size_t i = 0; i < scatter->n; i++)
		if (scatter->points[i].has_box)
			draw_box(d, &scatter->points[i]);
	for (size_t i = 0; i < scatter->n; i++)
		if (!scatter->points[i].is_front)
			draw_point(d, &scatter->points[i]);
	for (size_t i = 0; i < scatter->n_lines; i++)
		draw_front(d, &scatter->lines[i]);
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < scatter->n; i++)
			if (scatter->points[i].is_front &&
			    scatter->points[i].is_marked == (pass == 1))
				draw_point(d, &scatter->points[i]);
}

int es_scatter_scene(const struct es_scatter *scatter, struct es_scene *ret)
{
	struct drawing d = { .scene = ret, .scatter = scatter };
	const struct es_style ground = { .fill = ES_INK_PAPER };
	int r;

	es_scene_init(ret, WIDTH, HEIGHT);
	r = es_scatter_axes(scatter, TICKS_X, TICKS_Y, &d.x, &d.y);
	if (r < 0)
		return r;
	es_scene_rect(ret, 0, 0, WIDTH, HEIGHT, &ground);
	d.top = TOP + LINE_PT * put_keys(scatter, NULL);
	(void)put_keys(scatter, ret);
	draw_axes(&d);
	draw_points(&d);
	r = draw_names(&d);
	free(d.taken);
	return r < 0 ? r : ret->error;
}

int es_scatter_write(const struct es_scatter *scatter, const struct es_drawing *drawing,
		     struct es_error *err)
{
	struct es_scene scene;
	int r = es_scatter_scene(scatter, &scene);

	if (r == -E2BIG)
		return es_error_say(err, r, "cannot draw %zu points: a picture has %u at most",
				    scatter->n, ES_SCATTER_POINTS_MAX);
	r = r < 0 ? es_error_set(err, r, "cannot draw %zu points", scatter->n)
		  : es_drawing_write(drawing, &scene, scatter->title, err);
	es_scene_finish(&scene);
	return r;
}
