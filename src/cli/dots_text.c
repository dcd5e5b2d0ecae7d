/*
 * dots_text.c - times with their 95 % intervals in letters, for a terminal
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/dots.h"
#include "cli/scatter_private.h"
#include "format/canvas.h"

#define COLUMNS_MIN 40U
#define COLUMNS_MAX 240U
#define LINES_MIN 12U
#define LINES_MAX 60U
#define LINES_AROUND 5U /* title, words, axis, its numbers, key */

struct sheet {
	struct es_scatter scatter; /* of what is shown */
	struct es_canvas canvas;
	struct es_scatter_axis x;
	unsigned left; /* of the plot */
	struct es_scatter_point points[LINES_MAX];
	unsigned n_rows;
	size_t n_all;
};

static unsigned clamp(unsigned v, unsigned least, unsigned most)
{
	return v < least ? least : v > most ? most : v;
}

static unsigned column_of(const struct sheet *sheet, double time)
{
	unsigned width = sheet->canvas.columns - sheet->left;

	return sheet->left + (unsigned)(es_scatter_share(&sheet->x, time) * (width - 1) + 0.5);
}

static void put_axis(struct sheet *sheet)
{
	struct es_canvas *canvas = &sheet->canvas;
	bool has_unicode = canvas->has_unicode;
	unsigned y = 2 + sheet->n_rows, free_x = 0;
	char text[ES_SCATTER_TICK_BYTES];

	for (unsigned x = sheet->left - 1; x < canvas->columns; x++)
		es_canvas_put(canvas, x, y, has_unicode ? (x < sheet->left ? "└" : "─") : "-",
			      ES_INK_MUTED, ES_INK_NONE);
	for (size_t i = 0; i < sheet->x.n_ticks; i++) {
		unsigned x = column_of(sheet, sheet->x.ticks[i]), n, from;

		n = (unsigned)strlen(es_scatter_tick(sheet->x.ticks[i], text));
		es_canvas_put(canvas, x, y, has_unicode ? "┬" : "+", ES_INK_MUTED, ES_INK_NONE);
		from = x < n / 2 ? 0 : x - n / 2;
		from = from + n > canvas->columns ? canvas->columns - n : from;
		if (from < free_x)
			continue;
		free_x =
			from + 1 + es_canvas_text(canvas, from, y + 1, n, ES_INK_TEXT, false, text);
	}
}

/* Without its middle where it is too long: names of variants differ at their ends. */
static void put_name(struct sheet *sheet, unsigned y, const struct es_scatter_point *point)
{
	size_t len = strlen(point->name), keep = sheet->left / 2 - 2;
	const char *name = point->name;
	char text[2 * COLUMNS_MAX];

	if (es_canvas_text_columns(&sheet->canvas, name) > sheet->left - 2 && len > 2 * keep) {
		size_t head = keep, tail = len - keep;

		/* Not within a letter. */
		while (head > 0 && ((unsigned char)name[head] & 0xc0) == 0x80)
			head--;
		while (tail < len && ((unsigned char)name[tail] & 0xc0) == 0x80)
			tail++;
		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)head, name,
			       sheet->canvas.has_unicode ? "…" : "~", name + tail);
		name = text;
	}
	(void)es_canvas_text(&sheet->canvas, 0, y, sheet->left - 2, ES_INK_TEXT, point->is_marked,
			     name);
}

static void put_row(struct sheet *sheet, unsigned row)
{
	const struct es_scatter_point *point = &sheet->points[row];
	struct es_canvas *canvas = &sheet->canvas;
	bool has_unicode = canvas->has_unicode;
	unsigned y = 2 + row;

	if (point->name)
		put_name(sheet, y, point);
	es_canvas_put(canvas, sheet->left - 1, y, has_unicode ? "│" : "|", ES_INK_MUTED,
		      ES_INK_NONE);
	if (point->has_box) {
		unsigned from = column_of(sheet, point->time_low),
			 to = column_of(sheet, point->time_high);

		for (unsigned x = from; x <= to; x++)
			es_canvas_put(canvas, x, y,
				      !has_unicode ? "-"
				      : from == to ? "┼"
				      : x == from  ? "├"
				      : x == to	   ? "┤"
						   : "─",
				      ES_INK_MUTED, ES_INK_NONE);
	}
	es_canvas_put(canvas, column_of(sheet, point->at.time), y,
		      point->is_marked ? (has_unicode ? "◆" : "@") : (has_unicode ? "●" : "*"),
		      es_scatter_ink(0), ES_INK_NONE);
}

static void put_words(struct sheet *sheet)
{
	const struct es_scatter *scatter = &sheet->scatter;
	bool has_unicode = sheet->canvas.has_unicode;
	char text[300], rows[80] = "";

	if (sheet->n_rows < sheet->n_all)
		(void)snprintf(rows, sizeof(rows), ", the least %u of %zu", sheet->n_rows,
			       sheet->n_all);
	(void)es_canvas_text(&sheet->canvas, 0, 0, sheet->canvas.columns, ES_INK_TEXT, true,
			     scatter->title);
	(void)snprintf(text, sizeof(text), "%.100s%s%s", scatter->x_name,
		       sheet->x.is_log ? " (logarithmic)" : "", rows);
	(void)es_canvas_text(&sheet->canvas, 0, 1, sheet->canvas.columns, ES_INK_MUTED, false,
			     text);
	(void)snprintf(text, sizeof(text), "%s mean%s%s%s%.40s", has_unicode ? "●" : "*",
		       !es_scatter_has_boxes(scatter) ? ""
		       : has_unicode		      ? "  ├─┤ 95 % interval"
						      : "  --- 95 % interval",
		       es_scatter_has_marks(scatter) ? (has_unicode ? "  ◆" : "  @") : "",
		       es_scatter_has_marks(scatter) ? " " : "",
		       es_scatter_has_marks(scatter) ? scatter->mark_name : "");
	(void)es_canvas_text(&sheet->canvas, 1, sheet->canvas.lines - 1, sheet->canvas.columns - 1,
			     ES_INK_TEXT, false, text);
}

static int put_all(struct sheet *sheet)
{
	const struct es_scatter *scatter = &sheet->scatter;
	unsigned widest = 4;
	struct es_scatter_axis y;
	int r;

	for (unsigned i = 0; i < sheet->n_rows; i++) {
		const char *name = sheet->points[i].name;
		unsigned n = name ? es_canvas_text_columns(&sheet->canvas, name) : 0;

		widest = n > widest ? n : widest;
	}
	sheet->left = clamp(widest, 4, sheet->canvas.columns * 2 / 5) + 2;
	r = es_scatter_axes(scatter, clamp((sheet->canvas.columns - sheet->left) / 10, 2, 10), 2,
			    &sheet->x, &y);
	if (r < 0)
		return r;
	put_axis(sheet);
	for (unsigned i = 0; i < sheet->n_rows; i++)
		put_row(sheet, i);
	put_words(sheet);
	return 0;
}

int es_dots_text(const struct es_scatter *scatter, const struct es_terminal *terminal,
		 struct es_buf *out)
{
	unsigned columns = clamp(terminal->columns, COLUMNS_MIN, COLUMNS_MAX),
		 lines = clamp(terminal->lines, LINES_MIN, LINES_MAX);
	struct sheet sheet = { .scatter = *scatter, .n_all = scatter->n };
	int r = es_dots_choose(scatter, lines - LINES_AROUND, sheet.points);

	if (r < 0)
		return r;
	sheet.n_rows = (unsigned)r;
	sheet.scatter.points = sheet.points;
	sheet.scatter.n = sheet.n_rows;
	r = es_canvas_init(&sheet.canvas, columns, sheet.n_rows + LINES_AROUND);
	if (r < 0)
		return r;
	sheet.canvas.has_unicode = terminal->has_unicode;
	sheet.canvas.n_colours = terminal->n_colours;
	r = put_all(&sheet);
	if (r == 0)
		r = es_canvas_write(&sheet.canvas, out);
	es_canvas_finish(&sheet.canvas);
	return r;
}
