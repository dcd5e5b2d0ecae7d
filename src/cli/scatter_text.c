/*
 * scatter_text.c - energy against time in letters, for a terminal
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/scatter_private.h"
#include "format/canvas.h"

#define COLUMNS_MIN 40U
#define COLUMNS_MAX 240U
#define LINES_MIN 12U
#define LINES_MAX 60U
#define MARGIN 10U /* of the energies */
#define NAMES_MAX 24U
#define FEW 14U
#define NAME_COLUMNS_MAX 24U

struct sheet {
	const struct es_scatter *scatter;
	struct es_canvas canvas;
	struct es_scatter_axis x, y;
	unsigned top, width, height; /* of the plot, in letters */
	unsigned n_key_lines;
	bool *is_taken; /* [columns * lines] by a mark or a name */
};

static unsigned clamp(unsigned v, unsigned least, unsigned most)
{
	return v < least ? least : v > most ? most : v;
}

static unsigned column_of(const struct sheet *sheet, double time)
{
	return MARGIN + (unsigned)(es_scatter_share(&sheet->x, time) * (sheet->width - 1) + 0.5);
}

static unsigned line_of(const struct sheet *sheet, double energy)
{
	return sheet->top + sheet->height - 1 -
	       (unsigned)(es_scatter_share(&sheet->y, energy) * (sheet->height - 1) + 0.5);
}

/* Groups are told apart by letters, as there may be no colours: capitals on the front. */
static void letter_of(const struct sheet *sheet, const struct es_scatter_point *point,
		      char letter[static 5])
{
	bool has_unicode = sheet->canvas.has_unicode;
	const char *mark = point->is_marked  ? (has_unicode ? "◆" : "@")
			   : point->is_front ? (has_unicode ? "●" : "*")
					     : (has_unicode ? "○" : "o");

	if (sheet->scatter->n_legend > 1)
		(void)snprintf(letter, 5, "%c",
			       (int)((point->is_front ? 'A' : 'a') + point->colour % 26));
	else
		(void)snprintf(letter, 5, "%s", mark);
}

static void take(struct sheet *sheet, unsigned x, unsigned y, unsigned n)
{
	for (unsigned i = x; i < x + n && i < sheet->canvas.columns; i++)
		sheet->is_taken[y * sheet->canvas.columns + i] = true;
}

static bool is_free(const struct sheet *sheet, unsigned x, unsigned y, unsigned n)
{
	if (y < sheet->top || y >= sheet->top + sheet->height || x <= MARGIN ||
	    x + n > sheet->canvas.columns)
		return false;
	for (unsigned i = x; i < x + n; i++)
		if (sheet->is_taken[y * sheet->canvas.columns + i])
			return false;
	return true;
}

static void put_intervals(struct sheet *sheet, const struct es_scatter_point *point)
{
	bool has_unicode = sheet->canvas.has_unicode;
	unsigned x = column_of(sheet, point->at.time), y = line_of(sheet, point->at.energy);

	for (unsigned i = column_of(sheet, point->time_low);
	     i <= column_of(sheet, point->time_high); i++)
		es_canvas_put(&sheet->canvas, i, y, has_unicode ? "─" : "-", ES_INK_MUTED,
			      ES_INK_NONE);
	for (unsigned i = line_of(sheet, point->energy_high);
	     i <= line_of(sheet, point->energy_low); i++)
		es_canvas_put(&sheet->canvas, x, i, has_unicode ? "│" : "|", ES_INK_MUTED,
			      ES_INK_NONE);
}

/* In steps, as in pictures; where intervals are drawn they would be taken for them. */
static void put_front(struct sheet *sheet, const struct es_scatter_line *line)
{
	const struct es_scatter_point *points = sheet->scatter->points;
	bool has_unicode = sheet->canvas.has_unicode;

	for (size_t i = 1; i < line->n; i++) {
		const struct es_opt_point *a = &points[line->points[i - 1]].at,
					  *b = &points[line->points[i]].at;
		unsigned x0 = column_of(sheet, a->time), x1 = column_of(sheet, b->time);
		unsigned y0 = line_of(sheet, a->energy), y1 = line_of(sheet, b->energy);
		enum es_ink ink = es_scatter_ink(line->colour);

		for (unsigned x = x0 + 1; x < x1; x++)
			es_canvas_put(&sheet->canvas, x, y0, has_unicode ? "─" : "-", ink,
				      ES_INK_NONE);
		for (unsigned y = y0 + 1; y < y1; y++)
			es_canvas_put(&sheet->canvas, x1, y, has_unicode ? "│" : "|", ink,
				      ES_INK_NONE);
		if (x1 > x0 && y1 > y0)
			es_canvas_put(&sheet->canvas, x1, y0, has_unicode ? "┐" : "+", ink,
				      ES_INK_NONE);
	}
}

static void put_mark(struct sheet *sheet, const struct es_scatter_point *point)
{
	unsigned x = column_of(sheet, point->at.time), y = line_of(sheet, point->at.energy);
	bool has_colours = sheet->scatter->n_legend > 1;
	char letter[5];

	letter_of(sheet, point, letter);
	es_canvas_put(&sheet->canvas, x, y, letter,
		      point->is_front || has_colours ? es_scatter_ink(point->colour) : ES_INK_MUTED,
		      ES_INK_NONE);
	take(sheet, x, y, 1);
}

static bool put_name(struct sheet *sheet, const struct es_scatter_point *point)
{
	unsigned x = column_of(sheet, point->at.time), y = line_of(sheet, point->at.energy);
	unsigned n = es_canvas_text_columns(&sheet->canvas, point->name);
	const int lines[] = { 0, -1, 1 };

	n = n < NAME_COLUMNS_MAX ? n : NAME_COLUMNS_MAX;
	for (size_t i = 0; i < ES_ARRAY_SIZE(lines); i++) {
		unsigned at = lines[i] < 0 ? y - 1 : y + (unsigned)lines[i];
		unsigned right = x + (lines[i] ? 1 : 2), left = x >= n + 2 ? x - n - 1 : 0;

		for (int side = 0; side < 2; side++) {
			unsigned from = side ? left : right;

			if (!is_free(sheet, from, at, n))
				continue;
			(void)es_canvas_text(&sheet->canvas, from, at, n, ES_INK_TEXT,
					     point->is_marked, point->name);
			take(sheet, from ? from - 1 : 0, at, n + 2);
			return true;
		}
	}
	return false;
}

static void put_points(struct sheet *sheet)
{
	const struct es_scatter *scatter = sheet->scatter;
	bool has_boxes = es_scatter_has_boxes(scatter);
	unsigned n_names = 0;

	for (size_t i = 0; i < scatter->n; i++)
		if (scatter->points[i].has_box)
			put_intervals(sheet, &scatter->points[i]);
	for (size_t i = 0; !has_boxes && i < scatter->n_lines; i++)
		put_front(sheet, &scatter->lines[i]);
	/* Later ones cover earlier ones: the front, then what is marked. */
	for (int pass = 0; pass < 3; pass++)
		for (size_t i = 0; i < scatter->n; i++) {
			const struct es_scatter_point *point = &scatter->points[i];

			if (pass == (point->is_marked ? 2 : point->is_front ? 1 : 0))
				put_mark(sheet, point);
		}
	for (int pass = 0; pass < 3; pass++)
		for (size_t i = 0; i < scatter->n && n_names < NAMES_MAX; i++) {
			const struct es_scatter_point *point = &scatter->points[i];
			int rank = point->is_marked ? 0 : point->is_front ? 1 : 2;

			if (rank == pass && point->name && point->name[0] &&
			    (rank < 2 || scatter->n <= FEW))
				n_names += put_name(sheet, point);
		}
}

static void put_axes(struct sheet *sheet)
{
	struct es_canvas *canvas = &sheet->canvas;
	bool has_unicode = canvas->has_unicode;
	unsigned bottom = sheet->top + sheet->height, free_x = 0;
	char text[ES_SCATTER_TICK_BYTES], right[ES_SCATTER_TICK_BYTES + 16];

	for (unsigned y = sheet->top; y < bottom; y++)
		es_canvas_put(canvas, MARGIN - 1, y, has_unicode ? "│" : "|", ES_INK_MUTED,
			      ES_INK_NONE);
	for (unsigned x = MARGIN - 1; x < canvas->columns; x++)
		es_canvas_put(canvas, x, bottom, has_unicode ? (x < MARGIN ? "└" : "─") : "-",
			      ES_INK_MUTED, ES_INK_NONE);
	for (size_t i = 0; i < sheet->y.n_ticks; i++) {
		unsigned y = line_of(sheet, sheet->y.ticks[i]);

		(void)snprintf(right, sizeof(right), "%*s", (int)MARGIN - 2,
			       es_scatter_tick(sheet->y.ticks[i], text));
		(void)es_canvas_text(canvas, 0, y, MARGIN - 2, ES_INK_TEXT, false, right);
		es_canvas_put(canvas, MARGIN - 1, y, has_unicode ? "┤" : "+", ES_INK_MUTED,
			      ES_INK_NONE);
	}
	for (size_t i = 0; i < sheet->x.n_ticks; i++) {
		unsigned x = column_of(sheet, sheet->x.ticks[i]), n, from;

		n = (unsigned)strlen(es_scatter_tick(sheet->x.ticks[i], text));
		es_canvas_put(canvas, x, bottom, has_unicode ? "┬" : "+", ES_INK_MUTED,
			      ES_INK_NONE);
		from = x < n / 2 ? 0 : x - n / 2;
		from = from + n > canvas->columns ? canvas->columns - n : from;
		if (from < free_x)
			continue;
		free_x = from + 1 +
			 es_canvas_text(canvas, from, bottom + 1, n, ES_INK_TEXT, false, text);
	}
}

static void put_key(struct sheet *sheet, const char *letter, enum es_ink ink, const char *name,
		    bool is_counted, unsigned *x, unsigned *line)
{
	struct es_canvas *canvas = &sheet->canvas;
	unsigned n = clamp(es_canvas_text_columns(canvas, name), 1, NAME_COLUMNS_MAX);
	unsigned y = sheet->top + sheet->height + 2 + *line;

	if (*x > 1 && *x + n + 2 > canvas->columns) {
		*x = 1;
		y++;
		++*line;
	}
	if (!is_counted && *line < sheet->n_key_lines) {
		es_canvas_put(canvas, *x, y, letter, ink, ES_INK_NONE);
		(void)es_canvas_text(canvas, *x + 2, y, n, ES_INK_TEXT, false, name);
	}
	*x += n + 4;
}

/* Returns the lines they take. */
static unsigned put_keys(struct sheet *sheet, bool is_counted)
{
	const struct es_scatter *scatter = sheet->scatter;
	bool has_unicode = sheet->canvas.has_unicode, is_many = scatter->n_legend > 1;
	unsigned x = 1, line = 0;

	for (size_t i = 0; is_many && i < scatter->n_legend; i++) {
		const struct es_scatter_point point = { .colour = (unsigned)i, .is_front = true };
		char letter[5];

		letter_of(sheet, &point, letter);
		put_key(sheet, letter, es_scatter_ink(point.colour), scatter->legend[i], is_counted,
			&x, &line);
	}
	if (is_many && scatter->n_lines > 0)
		put_key(sheet, " ", ES_INK_NONE, "capital: on the front", is_counted, &x, &line);
	if (!is_many && scatter->n_lines > 0) {
		put_key(sheet, has_unicode ? "●" : "*", es_scatter_ink(0), "on the front",
			is_counted, &x, &line);
		put_key(sheet, has_unicode ? "○" : "o", ES_INK_MUTED, "dominated", is_counted, &x,
			&line);
	}
	if (!is_many && es_scatter_has_marks(scatter))
		put_key(sheet, has_unicode ? "◆" : "@", es_scatter_ink(0), scatter->mark_name,
			is_counted, &x, &line);
	if (es_scatter_has_boxes(scatter))
		put_key(sheet, has_unicode ? "┼" : "+", ES_INK_MUTED, "95 % intervals", is_counted,
			&x, &line);
	return line + (x > 1);
}

static void put_words(struct sheet *sheet)
{
	const struct es_scatter *scatter = sheet->scatter;
	char text[300];

	(void)es_canvas_text(&sheet->canvas, 0, 0, sheet->canvas.columns, ES_INK_TEXT, true,
			     scatter->title);
	(void)snprintf(text, sizeof(text), "%.100s%s against %.100s%s", scatter->y_name,
		       sheet->y.is_log ? " (logarithmic)" : "", scatter->x_name,
		       sheet->x.is_log ? " (logarithmic)" : "");
	(void)es_canvas_text(&sheet->canvas, 0, 1, sheet->canvas.columns, ES_INK_MUTED, false,
			     text);
}

static int put_all(struct sheet *sheet)
{
	unsigned lines = sheet->canvas.lines, used;
	int r;

	sheet->top = 2;
	sheet->width = sheet->canvas.columns - MARGIN;
	sheet->n_key_lines = clamp(put_keys(sheet, true), 0, lines / 4);
	used = sheet->top + 2 + sheet->n_key_lines;
	sheet->height = lines > used + 4 ? lines - used : 4;
	r = es_scatter_axes(sheet->scatter, clamp(sheet->width / 10, 2, 10),
			    clamp(sheet->height / 3, 2, 10), &sheet->x, &sheet->y);
	if (r < 0)
		return r;
	put_axes(sheet);
	put_points(sheet);
	(void)put_keys(sheet, false);
	put_words(sheet);
	return 0;
}

int es_scatter_text(const struct es_scatter *scatter, const struct es_terminal *terminal,
		    struct es_buf *out)
{
	unsigned columns = clamp(terminal->columns, COLUMNS_MIN, COLUMNS_MAX),
		 lines = clamp(terminal->lines, LINES_MIN, LINES_MAX);
	es_cleanup(es_freep) bool *is_taken = calloc((size_t)columns * lines, sizeof(*is_taken));
	struct sheet sheet = { .scatter = scatter, .is_taken = is_taken };
	int r;

	if (scatter->n > ES_SCATTER_POINTS_MAX)
		return -E2BIG;
	if (!is_taken)
		return -ENOMEM;
	r = es_canvas_init(&sheet.canvas, columns, lines);
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
