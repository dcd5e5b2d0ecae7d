/*
 * scene_cairo.c - scenes as PNG and PDF, by cairo
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/dl.h"
#include "format/scene.h"

#define LIBRARY "libcairo.so.2"
#define PACKAGE "libcairo2"
#define PIXELS_MAX 16384.0 /* of a side; cairo itself ends at 32767 */
#define HATCH_PT 6.0

/* What we call of cairo, declared here so that building needs no header of it. Values are those of cairo.h, stable since 1.0. */
typedef struct cairo_context cairo_t;
typedef struct cairo_surface cairo_surface_t;
typedef int (*write_fn)(void *closure, const unsigned char *data, unsigned n);
enum {
	CAIRO_STATUS_SUCCESS = 0,
	CAIRO_STATUS_NO_MEMORY = 1,
	CAIRO_STATUS_WRITE_ERROR = 11,
	CAIRO_FORMAT_RGB24 = 1,
	CAIRO_FONT_WEIGHT_NORMAL = 0,
	CAIRO_FONT_WEIGHT_BOLD = 1,
	CAIRO_LINE_JOIN_ROUND = 1,
	CAIRO_PDF_METADATA_TITLE = 0,
	CAIRO_PDF_METADATA_CREATOR = 4,
	CAIRO_PDF_METADATA_CREATE_DATE = 5,
};

struct text_extents {
	double x_bearing, y_bearing, width, height, x_advance, y_advance;
};

struct cairo {
	struct es_dl dl;
	cairo_surface_t *(*image_surface_create)(int format, int width, int height);
	cairo_surface_t *(*pdf_surface_create)(write_fn write, void *closure, double width,
					       double height);
	void (*pdf_surface_set_size)(cairo_surface_t *surface, double width, double height);
	void (*pdf_surface_set_metadata)(cairo_surface_t *surface, int what, const char *text);
	int (*surface_write_to_png)(cairo_surface_t *surface, write_fn write, void *closure);
	void (*surface_finish)(cairo_surface_t *surface);
	int (*surface_status)(cairo_surface_t *surface);
	void (*surface_destroy)(cairo_surface_t *surface);
	cairo_t *(*create)(cairo_surface_t *surface);
	int (*status)(cairo_t *cr);
	const char *(*status_to_string)(int status);
	void (*destroy)(cairo_t *cr);
	void (*save)(cairo_t *cr);
	void (*restore)(cairo_t *cr);
	void (*scale)(cairo_t *cr, double x, double y);
	void (*show_page)(cairo_t *cr);
	void (*set_source_rgba)(cairo_t *cr, double r, double g, double b, double a);
	void (*set_line_width)(cairo_t *cr, double width);
	void (*set_line_join)(cairo_t *cr, int join);
	void (*set_dash)(cairo_t *cr, const double *dashes, int n, double offset);
	void (*move_to)(cairo_t *cr, double x, double y);
	void (*line_to)(cairo_t *cr, double x, double y);
	void (*arc)(cairo_t *cr, double x, double y, double radius, double from, double to);
	void (*close_path)(cairo_t *cr);
	void (*new_path)(cairo_t *cr);
	void (*clip)(cairo_t *cr);
	void (*fill)(cairo_t *cr);
	void (*stroke)(cairo_t *cr);
	void (*select_font_face)(cairo_t *cr, const char *family, int slant, int weight);
	void (*set_font_size)(cairo_t *cr, double size);
	void (*text_extents)(cairo_t *cr, const char *text, struct text_extents *ret);
	void (*text_path)(cairo_t *cr, const char *text);
	void (*show_text)(cairo_t *cr, const char *text);
};

/* It stays open: cairo and fontconfig keep caches of fonts for as long as the process lives. */
static int open_cairo(struct cairo *c, const char *library, struct es_error *err)
{
	const struct es_dl_symbol symbols[] = {
		{ "cairo_image_surface_create", &c->image_surface_create, true },
		{ "cairo_pdf_surface_create_for_stream", &c->pdf_surface_create, true },
		{ "cairo_pdf_surface_set_size", &c->pdf_surface_set_size, true },
		{ "cairo_pdf_surface_set_metadata", &c->pdf_surface_set_metadata,
		  false }, /* since 1.16 */
		{ "cairo_surface_write_to_png_stream", &c->surface_write_to_png, true },
		{ "cairo_surface_finish", &c->surface_finish, true },
		{ "cairo_surface_status", &c->surface_status, true },
		{ "cairo_surface_destroy", &c->surface_destroy, true },
		{ "cairo_create", &c->create, true },
		{ "cairo_status", &c->status, true },
		{ "cairo_status_to_string", &c->status_to_string, true },
		{ "cairo_destroy", &c->destroy, true },
		{ "cairo_save", &c->save, true },
		{ "cairo_restore", &c->restore, true },
		{ "cairo_scale", &c->scale, true },
		{ "cairo_show_page", &c->show_page, true },
		{ "cairo_set_source_rgba", &c->set_source_rgba, true },
		{ "cairo_set_line_width", &c->set_line_width, true },
		{ "cairo_set_line_join", &c->set_line_join, true },
		{ "cairo_set_dash", &c->set_dash, true },
		{ "cairo_move_to", &c->move_to, true },
		{ "cairo_line_to", &c->line_to, true },
		{ "cairo_arc", &c->arc, true },
		{ "cairo_close_path", &c->close_path, true },
		{ "cairo_new_path", &c->new_path, true },
		{ "cairo_clip", &c->clip, true },
		{ "cairo_fill", &c->fill, true },
		{ "cairo_stroke", &c->stroke, true },
		{ "cairo_select_font_face", &c->select_font_face, true },
		{ "cairo_set_font_size", &c->set_font_size, true },
		{ "cairo_text_extents", &c->text_extents, true },
		{ "cairo_text_path", &c->text_path, true },
		{ "cairo_show_text", &c->show_text, true },
	};
	struct es_error why = { .code = 0 };
	int r = es_dl_open(&c->dl, library ? library : LIBRARY, symbols, ES_ARRAY_SIZE(symbols),
			   &why);

	if (r < 0)
		return es_error_say(err, r,
				    "%s; install the package " PACKAGE
				    " for PNG and PDF (SVG, HTML and the terminal need none)",
				    why.text);
	return 0;
}

struct pen {
	const struct cairo *c;
	const struct es_scene *scene;
	cairo_t *cr;
	bool is_dark;
};

static void set_ink(const struct pen *pen, enum es_ink ink, unsigned opacity_percent)
{
	uint32_t rgb = es_ink_rgb(ink, pen->is_dark);

	pen->c->set_source_rgba(pen->cr, (rgb >> 16) / 255.0, (rgb >> 8 & 0xff) / 255.0,
				(rgb & 0xff) / 255.0,
				opacity_percent ? opacity_percent / 100.0 : 1.0);
}

static void trace_round(const struct pen *pen, const struct es_point *from,
			const struct es_point *to, double radius)
{
	const struct cairo *c = pen->c;

	radius = fmin(radius, fmin((to->x - from->x) / 2, (to->y - from->y) / 2));
	c->arc(pen->cr, to->x - radius, from->y + radius, radius, -M_PI_2, 0);
	c->arc(pen->cr, to->x - radius, to->y - radius, radius, 0, M_PI_2);
	c->arc(pen->cr, from->x + radius, to->y - radius, radius, M_PI_2, M_PI);
	c->arc(pen->cr, from->x + radius, from->y + radius, radius, M_PI, 3 * M_PI_2);
	c->close_path(pen->cr);
}

static void trace(const struct pen *pen, const struct es_mark *mark)
{
	const struct es_point *p = &pen->scene->points[mark->first_point];
	const struct cairo *c = pen->c;

	c->new_path(pen->cr);
	if (mark->type == ES_MARK_RECT && mark->style.radius_pt > 0) {
		trace_round(pen, &p[0], &p[1], mark->style.radius_pt);
		return;
	}
	if (mark->type == ES_MARK_RECT) {
		c->move_to(pen->cr, p[0].x, p[0].y);
		c->line_to(pen->cr, p[1].x, p[0].y);
		c->line_to(pen->cr, p[1].x, p[1].y);
		c->line_to(pen->cr, p[0].x, p[1].y);
		c->close_path(pen->cr);
		return;
	}
	for (size_t i = 0; i < mark->n_points; i++) {
		if (i == 0)
			c->move_to(pen->cr, p[i].x, p[i].y);
		else
			c->line_to(pen->cr, p[i].x, p[i].y);
	}
	if (mark->type == ES_MARK_AREA)
		c->close_path(pen->cr);
}

static void bounds(const struct pen *pen, const struct es_mark *mark, struct es_point *ret_min,
		   struct es_point *ret_max)
{
	const struct es_point *p = &pen->scene->points[mark->first_point];

	*ret_min = *ret_max = p[0];
	for (size_t i = 1; i < mark->n_points; i++) {
		ret_min->x = fmin(ret_min->x, p[i].x);
		ret_min->y = fmin(ret_min->y, p[i].y);
		ret_max->x = fmax(ret_max->x, p[i].x);
		ret_max->y = fmax(ret_max->y, p[i].y);
	}
}

/* Diagonal lines on a grid of the whole picture, so that neighbours fit together; gaps lean the other way than estimates. */
static void hatch(const struct pen *pen, const struct es_mark *mark)
{
	const struct cairo *c = pen->c;
	bool is_gap = mark->style.hatch == ES_INK_GAP_LINE;
	struct es_point min, max;
	double step = HATCH_PT * M_SQRT2, height, first, last;

	if (mark->n_points == 0)
		return;
	bounds(pen, mark, &min, &max);
	height = max.y - min.y;
	c->save(pen->cr);
	trace(pen, mark);
	c->clip(pen->cr);
	set_ink(pen, mark->style.hatch, 0);
	c->set_line_width(pen->cr, is_gap ? 1.6 : 4.0);
	c->new_path(pen->cr);
	/* x - y (or x + y) is constant on a line. */
	first = floor((is_gap ? min.x + min.y : min.x - max.y) / step);
	last = ceil((is_gap ? max.x + max.y : max.x - min.y) / step);
	for (long k = lround(first), n = lround(last); k <= n; k++) {
		double x0 = (double)k * step + (is_gap ? -min.y : min.y);
		double x1 = is_gap ? x0 - height : x0 + height;

		c->move_to(pen->cr, x0, min.y);
		c->line_to(pen->cr, x1, max.y);
	}
	c->stroke(pen->cr);
	c->restore(pen->cr);
}

static void draw_shape(const struct pen *pen, const struct es_mark *mark)
{
	static const double dashes[] = { 5, 4 };
	const struct cairo *c = pen->c;
	const struct es_style *style = &mark->style;

	if (style->fill != ES_INK_NONE) {
		trace(pen, mark);
		set_ink(pen, style->fill, style->opacity_percent);
		c->fill(pen->cr);
	}
	if (style->hatch != ES_INK_NONE)
		hatch(pen, mark);
	if (style->stroke == ES_INK_NONE)
		return;
	trace(pen, mark);
	set_ink(pen, style->stroke, 0);
	c->set_line_width(pen->cr, style->stroke_pt);
	c->set_line_join(pen->cr, CAIRO_LINE_JOIN_ROUND);
	c->set_dash(pen->cr, dashes, style->is_dashed ? 2 : 0, 0);
	c->stroke(pen->cr);
}

static void draw_text(const struct pen *pen, const struct es_mark *mark)
{
	const struct cairo *c = pen->c;
	const struct es_font *font = &mark->font;
	const char *text = (const char *)pen->scene->texts.data + mark->text;
	struct es_point at = pen->scene->points[mark->first_point];
	struct text_extents extents;

	c->select_font_face(pen->cr, "sans-serif", 0,
			    font->is_bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	c->set_font_size(pen->cr, font->size_pt);
	if (font->anchor != ES_ANCHOR_START) {
		c->text_extents(pen->cr, text, &extents);
		at.x -= font->anchor == ES_ANCHOR_END ? extents.x_advance : extents.x_advance / 2;
	}
	if (font->has_halo) {
		c->new_path(pen->cr);
		c->move_to(pen->cr, at.x, at.y);
		c->text_path(pen->cr, text);
		set_ink(pen, ES_INK_PAPER, 0);
		c->set_line_width(pen->cr, 3.0);
		c->set_dash(pen->cr, NULL, 0, 0);
		c->stroke(pen->cr);
	}
	c->new_path(pen->cr);
	c->move_to(pen->cr, at.x, at.y);
	set_ink(pen, font->ink, 0);
	c->show_text(pen->cr, text);
}

static void draw(const struct pen *pen)
{
	for (size_t i = 0; i < pen->scene->n_marks; i++) {
		const struct es_mark *mark = &pen->scene->marks[i];

		switch (mark->type) {
		case ES_MARK_RECT:
		case ES_MARK_AREA:
		case ES_MARK_LINE:
			draw_shape(pen, mark);
			break;
		case ES_MARK_TEXT:
			draw_text(pen, mark);
			break;
		case ES_MARK_GROUP:
		case ES_MARK_GROUP_END:
			break;
		}
	}
}

static int put_bytes(void *closure, const unsigned char *data, unsigned n)
{
	struct es_buf *out = closure;

	return es_buf_append(out, data, n) < 0 ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static int failure(const struct cairo *c, int status, const struct es_buf *out,
		   struct es_error *err)
{
	if (out->error < 0)
		return es_error_set(err, out->error, "cannot hold the picture");
	return es_error_say(err, status == CAIRO_STATUS_NO_MEMORY ? -ENOMEM : -EIO,
			    "cairo cannot draw it: %s", c->status_to_string(status));
}

static int check(const struct es_pages *pages, double scale, struct es_error *err)
{
	for (size_t i = 0; i < pages->n; i++) {
		const struct es_scene *scene = &pages->scenes[i];

		if (scene->error < 0)
			return es_error_set(err, scene->error, "cannot make the picture");
		if (!(scene->width_pt * scale >= 1) || !(scene->height_pt * scale >= 1) ||
		    scene->width_pt * scale > PIXELS_MAX || scene->height_pt * scale > PIXELS_MAX)
			return es_error_say(err, -ERANGE,
					    "a picture has 1 to %.0f pixels in each direction",
					    PIXELS_MAX);
	}
	return 0;
}

static int draw_png(const struct cairo *c, const struct es_pages *pages, double pixels_per_pt,
		    struct es_buf *out, struct es_error *err)
{
	const struct es_scene *scene = pages->scenes;
	struct pen pen = { .c = c, .scene = scene, .is_dark = pages->is_dark };
	cairo_surface_t *surface = c->image_surface_create(
		CAIRO_FORMAT_RGB24, (int)lround(scene->width_pt * pixels_per_pt),
		(int)lround(scene->height_pt * pixels_per_pt));
	int status, r = 0;

	pen.cr = c->create(surface);
	c->scale(pen.cr, pixels_per_pt, pixels_per_pt);
	draw(&pen);
	status = c->status(pen.cr);
	if (status == CAIRO_STATUS_SUCCESS)
		status = c->surface_write_to_png(surface, put_bytes, out);
	if (status != CAIRO_STATUS_SUCCESS)
		r = failure(c, status, out, err);
	c->destroy(pen.cr);
	c->surface_destroy(surface);
	return r;
}

int es_scene_png(const struct es_pages *pages, double pixels_per_pt, struct es_buf *out,
		 struct es_error *err)
{
	struct cairo c = { .dl = { NULL } };
	int r = check(pages, pixels_per_pt, err);

	if (r == 0)
		r = open_cairo(&c, pages->soname, err);
	return r < 0 ? r : draw_png(&c, pages, pixels_per_pt, out, err);
}

static int draw_pdf(const struct cairo *c, const struct es_pages *pages, struct es_buf *out,
		    struct es_error *err)
{
	struct pen pen = { .c = c, .is_dark = pages->is_dark };
	cairo_surface_t *surface = c->pdf_surface_create(put_bytes, out, pages->scenes->width_pt,
							 pages->scenes->height_pt);
	int status, r = 0;

	if (c->pdf_surface_set_metadata) {
		c->pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, pages->title);
		c->pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR,
					    "energyscopium " ES_VERSION);
		/* None: the same picture is the same bytes, whenever it is drawn. */
		c->pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "");
	}
	pen.cr = c->create(surface);
	for (size_t i = 0; i < pages->n; i++) {
		pen.scene = &pages->scenes[i];
		c->pdf_surface_set_size(surface, pen.scene->width_pt, pen.scene->height_pt);
		draw(&pen);
		c->show_page(pen.cr);
	}
	status = c->status(pen.cr);
	c->destroy(pen.cr);
	c->surface_finish(surface);
	if (status == CAIRO_STATUS_SUCCESS)
		status = c->surface_status(surface);
	if (status != CAIRO_STATUS_SUCCESS)
		r = failure(c, status, out, err);
	c->surface_destroy(surface);
	return r;
}

int es_scenes_pdf(const struct es_pages *pages, struct es_buf *out, struct es_error *err)
{
	struct cairo c = { .dl = { NULL } };
	int r = check(pages, 1.0, err);

	if (r == 0)
		r = open_cairo(&c, pages->soname, err);
	return r < 0 ? r : draw_pdf(&c, pages, out, err);
}
