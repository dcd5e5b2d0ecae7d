/*
 * scene.h - a picture as a list of marks, before anybody draws it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_SCENE_H
#define ES_FORMAT_SCENE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "format/ink.h"

/* Lengths are points of the picture: a unit of SVG, 1/72 inch of PDF, two pixels of PNG. y grows downwards. */

enum es_mark_type {
	ES_MARK_RECT, /* two points: corner and opposite corner */
	ES_MARK_AREA, /* closed by itself */
	ES_MARK_LINE,
	ES_MARK_TEXT, /* one point: start, middle or end of the base line */
	ES_MARK_GROUP, /* marks up to the matching end belong together, under a name */
	ES_MARK_GROUP_END,
};

enum es_anchor {
	ES_ANCHOR_START,
	ES_ANCHOR_MIDDLE,
	ES_ANCHOR_END
};

/** struct es_style - how a mark looks; zero is nothing drawn */
struct es_style {
	enum es_ink fill, hatch, stroke; /* hatch: diagonal lines over the fill */
	double stroke_pt;
	unsigned opacity_percent; /* of fill; 0: opaque */
	bool is_dashed;
	double radius_pt; /* of a rectangle's corners */
};

/** struct es_font - how a text looks */
struct es_font {
	double size_pt;
	enum es_ink ink;
	enum es_anchor anchor;
	bool is_bold;
	bool has_halo; /* paper around the letters, to be read over curves */
};

struct es_point {
	double x, y;
};

struct es_mark {
	enum es_mark_type type;
	struct es_style style;
	struct es_font font;
	size_t first_point, n_points;
	size_t text; /* offset into the scene's texts: words of a text, name of a group */
	size_t hint; /* likewise: what a reader is told when pointing at it; SIZE_MAX: nothing */
};

/** struct es_scene - init with es_scene_init(), free with es_scene_finish(); the first failure sticks in @error */
struct es_scene {
	double width_pt, height_pt;
	struct es_mark *marks;
	size_t n_marks, cap_marks;
	struct es_point *points;
	size_t n_points, cap_points;
	struct es_buf texts; /* NUL-terminated, one after the other */
	int error;
};

void es_scene_init(struct es_scene *scene, double width_pt, double height_pt);
void es_scene_finish(struct es_scene *scene);

void es_scene_rect(struct es_scene *scene, double x, double y, double width, double height,
		   const struct es_style *style);
/** es_scene_hint - words about the mark added last */
void es_scene_hint(struct es_scene *scene, const char *text);
/** es_scene_begin - an area or line whose points follow with es_scene_point() */
void es_scene_begin(struct es_scene *scene, enum es_mark_type type, const struct es_style *style);
void es_scene_point(struct es_scene *scene, double x, double y);
void es_scene_line(struct es_scene *scene, double x0, double y0, double x1, double y1,
		   const struct es_style *style);
/** es_scene_text - @text is copied; control characters become '?', bytes that are no UTF-8 too */
void es_scene_text(struct es_scene *scene, double x, double y, const struct es_font *font,
		   const char *text);
/** es_scene_text_within - the same, cut with an ellipsis to @width; nothing where not even one letter fits */
void es_scene_text_within(struct es_scene *scene, double x, double y, double width,
			  const struct es_font *font, const char *text);
/** es_scene_group - @name: of letters and digits only, or "" */
void es_scene_group(struct es_scene *scene, const char *name);
void es_scene_group_end(struct es_scene *scene);

/** es_scene_place - all marks of another scene, from (@x, @y) on and @scale times as large */
void es_scene_place(struct es_scene *scene, const struct es_scene *other, double x, double y,
		    double scale);

/** es_text_width - about how wide a text is drawn: for layout, rather too wide than too narrow */
double es_text_width(const char *text, const struct es_font *font);

/** es_scene_svg - as an SVG of its own; es_scene_svg_inline: for a page that gives the inks their colours by class (fN, sN) */
int es_scene_svg(const struct es_scene *scene, bool is_dark, struct es_buf *out);
int es_scene_svg_inline(const struct es_scene *scene, struct es_buf *out);
/** es_scene_css - those classes: light, and dark where the reader prefers that; paper is white */
int es_scene_css(struct es_buf *out);
/** es_xml_text - @text with what XML and HTML would obey replaced: fit for content and for quoted attributes */
void es_xml_text(struct es_buf *out, const char *text);

/** struct es_pages - scenes that make one document */
struct es_pages {
	const struct es_scene *scenes;
	size_t n;
	bool is_dark;
	const char *title; /* of the document; borrowed */
	const char *soname; /* of cairo; NULL: the usual one */
};

/** es_scene_png, es_scenes_pdf - by cairo, opened now; 0, -ENOENT or -ENOSYS with the package that is missing, -ENOMEM, -ERANGE: too large */
int es_scene_png(const struct es_pages *pages, double pixels_per_pt, struct es_buf *out,
		 struct es_error *err);
int es_scenes_pdf(const struct es_pages *pages, struct es_buf *out, struct es_error *err);

#endif
