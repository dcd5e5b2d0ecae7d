/*
 * scene_svg.c - a scene as SVG, alone or within a page
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "format/scene.h"

#define FAMILY "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif"

struct svg {
	const struct es_scene *scene;
	struct es_buf *out;
	bool is_dark, has_classes;
};

void es_xml_text(struct es_buf *out, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		size_t bytes = es_utf8_length(text + i, len - i);
		unsigned char c = (unsigned char)text[i];

		if (c == '<')
			(void)es_buf_str(out, "&lt;");
		else if (c == '>')
			(void)es_buf_str(out, "&gt;");
		else if (c == '&')
			(void)es_buf_str(out, "&amp;");
		else if (c == '"')
			(void)es_buf_str(out, "&quot;");
		else if (c == '\'')
			(void)es_buf_str(out, "&#39;");
		else if (bytes == 0 || c == 0x7f || (c < 0x20 && c != '\n' && c != '\t') ||
			 (bytes == 2 && c == 0xc2 && (unsigned char)text[i + 1] < 0xa0) ||
			 (bytes == 3 && c == 0xef && (unsigned char)text[i + 1] == 0xbf &&
			  (unsigned char)text[i + 2] >= 0xbe))
			(void)es_buf_u8(out, '?');
		else
			(void)es_buf_append(out, text + i, bytes);
		i += bytes ? bytes : 1;
	}
}

/* Tenths of a point, without what is not needed: pictures are thousands of numbers. */
static long tenths(double v)
{
	return lround(v * 10.0);
}

static void put_tenths(struct es_buf *out, long v)
{
	char text[32];
	int n = 0;

	if (v < 0)
		text[n++] = '-';
	v = v < 0 ? -v : v;
	if (v >= 10 || v == 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%ld", v / 10);
	if (v % 10)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ".%ld", v % 10);
	(void)es_buf_append(out, text, (size_t)n);
}

static void put_number(const struct svg *svg, const char *attribute, double v)
{
	(void)es_buf_printf(svg->out, " %s=\"", attribute);
	put_tenths(svg->out, tenths(v));
	(void)es_buf_u8(svg->out, '"');
}

/* A colour: as an attribute, or as the class that the page gives it. Attribute "fill" is class fN, "stroke" sN. */
static void put_ink(const struct svg *svg, const char *attribute, enum es_ink ink)
{
	(void)es_buf_printf(svg->out, " %s=\"#%06x\"", attribute, es_ink_rgb(ink, svg->is_dark));
}

static void put_inks(const struct svg *svg, enum es_ink fill, enum es_ink stroke)
{
	const char *space = "";

	if (!svg->has_classes) {
		if (fill != ES_INK_NONE)
			put_ink(svg, "fill", fill);
		if (stroke != ES_INK_NONE)
			put_ink(svg, "stroke", stroke);
	} else if (fill != ES_INK_NONE || stroke != ES_INK_NONE) {
		(void)es_buf_str(svg->out, " class=\"");
		if (fill != ES_INK_NONE) {
			(void)es_buf_printf(svg->out, "f%d", (int)fill);
			space = " ";
		}
		if (stroke != ES_INK_NONE)
			(void)es_buf_printf(svg->out, "%ss%d", space, (int)stroke);
		(void)es_buf_u8(svg->out, '"');
	}
	if (fill == ES_INK_NONE)
		(void)es_buf_str(svg->out, " fill=\"none\"");
}

static void put_style(const struct svg *svg, const struct es_style *style)
{
	put_inks(svg, style->fill, style->stroke);
	if (style->stroke != ES_INK_NONE) {
		put_number(svg, "stroke-width", style->stroke_pt);
		(void)es_buf_str(svg->out, " stroke-linejoin=\"round\"");
	}
	if (style->opacity_percent)
		(void)es_buf_printf(svg->out, " fill-opacity=\".%02u\"", style->opacity_percent);
	if (style->is_dashed)
		(void)es_buf_str(svg->out, " stroke-dasharray=\"5 4\"");
}

/* Relative and rounded: each step from where the last one really ended. */
static void put_path(const struct svg *svg, const struct es_mark *mark)
{
	const struct es_point *points = &svg->scene->points[mark->first_point];
	long x = 0, y = 0;

	(void)es_buf_str(svg->out, " d=\"");
	for (size_t i = 0; i < mark->n_points; i++) {
		long to_x = tenths(points[i].x), to_y = tenths(points[i].y);

		if (i == 0) {
			(void)es_buf_u8(svg->out, 'M');
		} else if (to_x == x && to_y == y) {
			continue;
		} else if (to_y == y) {
			(void)es_buf_u8(svg->out, 'h');
			put_tenths(svg->out, to_x - x);
		} else if (to_x == x) {
			(void)es_buf_u8(svg->out, 'v');
			put_tenths(svg->out, to_y - y);
		} else {
			(void)es_buf_u8(svg->out, 'l');
		}
		if (i == 0 || (to_x != x && to_y != y)) {
			put_tenths(svg->out, to_x - x);
			(void)es_buf_u8(svg->out, ' ');
			put_tenths(svg->out, to_y - y);
		}
		x = to_x;
		y = to_y;
	}
	(void)es_buf_str(svg->out, mark->type == ES_MARK_AREA ? "z\"" : "\"");
}

static void put_shape(const struct svg *svg, const struct es_mark *mark)
{
	const struct es_point *points = &svg->scene->points[mark->first_point];

	if (mark->type != ES_MARK_RECT) {
		(void)es_buf_str(svg->out, "<path");
		put_path(svg, mark);
		return;
	}
	(void)es_buf_str(svg->out, "<rect");
	put_number(svg, "x", points[0].x);
	put_number(svg, "y", points[0].y);
	put_number(svg, "width", points[1].x - points[0].x);
	put_number(svg, "height", points[1].y - points[0].y);
	if (mark->style.radius_pt > 0)
		put_number(svg, "rx", mark->style.radius_pt);
}

static void end_shape(const struct svg *svg, const struct es_mark *mark)
{
	if (mark->hint == SIZE_MAX) {
		(void)es_buf_str(svg->out, "/>\n");
		return;
	}
	(void)es_buf_str(svg->out, "><title>");
	es_xml_text(svg->out, (const char *)svg->scene->texts.data + mark->hint);
	(void)es_buf_printf(svg->out, "</title></%s>\n",
			    mark->type == ES_MARK_RECT ? "rect" : "path");
}

static void put_drawn(const struct svg *svg, const struct es_mark *mark)
{
	put_shape(svg, mark);
	put_style(svg, &mark->style);
	end_shape(svg, mark);
	if (mark->style.hatch == ES_INK_NONE)
		return;
	put_shape(svg, mark);
	(void)es_buf_printf(svg->out, " fill=\"url(#h%d)\"", (int)mark->style.hatch);
	end_shape(svg, mark);
}

static void put_words(const struct svg *svg, const struct es_mark *mark)
{
	static const char *const anchors[] = {
		[ES_ANCHOR_START] = "",
		[ES_ANCHOR_MIDDLE] = " text-anchor=\"middle\"",
		[ES_ANCHOR_END] = " text-anchor=\"end\"",
	};
	const struct es_point *at = &svg->scene->points[mark->first_point];

	(void)es_buf_str(svg->out, "<text");
	put_number(svg, "x", at->x);
	put_number(svg, "y", at->y);
	put_number(svg, "font-size", mark->font.size_pt);
	put_inks(svg, mark->font.ink, mark->font.has_halo ? ES_INK_PAPER : ES_INK_NONE);
	(void)es_buf_printf(
		svg->out, "%s%s%s>", anchors[mark->font.anchor],
		mark->font.is_bold ? " font-weight=\"bold\"" : "",
		mark->font.has_halo
			? " stroke-width=\"3\" stroke-linejoin=\"round\" paint-order=\"stroke\""
			: "");
	es_xml_text(svg->out, (const char *)svg->scene->texts.data + mark->text);
	(void)es_buf_str(svg->out, "</text>\n");
}

static void put_mark(const struct svg *svg, const struct es_mark *mark)
{
	switch (mark->type) {
	case ES_MARK_RECT:
	case ES_MARK_AREA:
	case ES_MARK_LINE:
		put_drawn(svg, mark);
		break;
	case ES_MARK_TEXT:
		put_words(svg, mark);
		break;
	case ES_MARK_GROUP:
		(void)es_buf_str(svg->out, "<g id=\"");
		es_xml_text(svg->out, (const char *)svg->scene->texts.data + mark->text);
		(void)es_buf_str(svg->out, "\">\n");
		break;
	case ES_MARK_GROUP_END:
		(void)es_buf_str(svg->out, "</g>\n");
		break;
	}
}

/* A pattern for each ink that something is hatched with; gaps lean the other way than estimates. */
static void put_hatches(const struct svg *svg)
{
	bool is_used[ES_N_INKS] = { false };

	/* A page's script hatches too, with what was not hatched at first. */
	is_used[ES_INK_GAP_LINE] = svg->has_classes;
	for (size_t i = 0; i < svg->scene->n_marks; i++)
		is_used[svg->scene->marks[i].style.hatch] = true;
	(void)es_buf_str(svg->out, "<defs>");
	for (int ink = ES_INK_NONE + 1; ink < ES_N_INKS; ink++) {
		if (!is_used[ink])
			continue;
		(void)es_buf_printf(
			svg->out,
			"<pattern id=\"h%d\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
			"patternTransform=\"rotate(%d)\"><path d=\"M0 0v6\"",
			ink, ink == ES_INK_GAP_LINE ? 45 : -45);
		put_inks(svg, ES_INK_NONE, (enum es_ink)ink);
		(void)es_buf_printf(svg->out, " stroke-width=\"%s\"/></pattern>",
				    ink == ES_INK_GAP_LINE ? "1.6" : "4");
	}
	(void)es_buf_str(svg->out, "</defs>\n");
}

static int write_svg(const struct svg *svg)
{
	const struct es_scene *scene = svg->scene;

	if (scene->error < 0)
		return scene->error;
	(void)es_buf_str(svg->out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ");
	put_tenths(svg->out, tenths(scene->width_pt));
	(void)es_buf_u8(svg->out, ' ');
	put_tenths(svg->out, tenths(scene->height_pt));
	(void)es_buf_u8(svg->out, '"');
	if (svg->has_classes) {
		(void)es_buf_str(svg->out,
				 " id=\"picture\" role=\"img\" aria-label=\"power over time\"");
	} else {
		put_number(svg, "width", scene->width_pt);
		put_number(svg, "height", scene->height_pt);
	}
	(void)es_buf_str(svg->out, " font-family=\"" FAMILY "\">\n");
	put_hatches(svg);
	for (size_t i = 0; i < scene->n_marks; i++)
		put_mark(svg, &scene->marks[i]);
	(void)es_buf_str(svg->out, "</svg>\n");
	return svg->out->error;
}

int es_scene_svg(const struct es_scene *scene, bool is_dark, struct es_buf *out)
{
	const struct svg svg = { .scene = scene, .out = out, .is_dark = is_dark };

	(void)es_buf_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	return write_svg(&svg);
}

int es_scene_svg_inline(const struct es_scene *scene, struct es_buf *out)
{
	const struct svg svg = { .scene = scene, .out = out, .has_classes = true };

	return write_svg(&svg);
}

static void put_classes(struct es_buf *out, bool is_dark)
{
	for (int ink = ES_INK_NONE + 1; ink < ES_N_INKS; ink++)
		(void)es_buf_printf(out, ".f%d{fill:#%06x}.s%d{stroke:#%06x}\n", ink,
				    es_ink_rgb((enum es_ink)ink, is_dark), ink,
				    es_ink_rgb((enum es_ink)ink, is_dark));
}

int es_scene_css(struct es_buf *out)
{
	put_classes(out, false);
	(void)es_buf_str(out, "@media screen and (prefers-color-scheme: dark) {\n");
	put_classes(out, true);
	(void)es_buf_str(out, "}\n");
	return out->error;
}
