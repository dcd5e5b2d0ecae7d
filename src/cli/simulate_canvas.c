/*
 * simulate_canvas.c - a replayed trace in letters, for a terminal
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/picture.h"
#include "cli/simulate_picture.h"
#include "cli/terminal.h"
#include "format/canvas.h"

#define COLUMNS_MIN 40U
#define COLUMNS_MAX 500U
#define LINES_MIN 20U
#define LINES_MAX 100U
#define MARGIN 9U /* of the scales */
#define POWER_LINES 6U
#define WAITING_LINES 2U
#define RATES_LINES 2U
#define KEY_LINES 3U
#define TICKS_MAX 16U
#define LEVELS 8U
#define OUT_MAX_BYTES (16U << 20)

struct sheet {
	const struct es_simulate_view *view;
	struct es_canvas canvas;
	unsigned y; /* of the next line */
	unsigned key_x, n_key_lines;
};

static unsigned clamp(unsigned v, unsigned least, unsigned most)
{
	return v < least ? least : v > most ? most : v;
}

size_t es_simulate_view_columns(const struct es_terminal *terminal)
{
	return clamp(terminal->columns, COLUMNS_MIN, COLUMNS_MAX) - MARGIN;
}

/* Two to a letter where it can have two colours. */
static bool is_halved(const struct es_terminal *terminal)
{
	return terminal->has_unicode && terminal->n_colours > 0;
}

size_t es_simulate_view_rows(const struct es_terminal *terminal)
{
	unsigned others = 2 + POWER_LINES + WAITING_LINES + 2 * RATES_LINES + 2 + KEY_LINES + 4;
	unsigned lines = clamp(terminal->lines, LINES_MIN, LINES_MAX);
	unsigned left = clamp(lines > others ? lines - others : 0, 5, 40);

	return is_halved(terminal) ? 2 * (size_t)left : left;
}

static const char *letter_of(const struct sheet *sheet, size_t class)
{
	static const char *const letters[] = { "-", "+", "o", "#", "=", "x", "*", "." };

	return sheet->canvas.n_colours && sheet->canvas.has_unicode
		       ? "█"
		       : letters[class % ES_ARRAY_SIZE(letters)];
}

/* The class that has half of a cell or more; SIZE_MAX: it is idle for most of its time. */
static size_t class_at(const struct sheet *sheet, size_t row, size_t column)
{
	double share = 0;
	size_t class = row < sheet->view->n_rows
			       ? es_simulate_view_cell(sheet->view, row, column, &share)
			       : 0;

	return share >= 0.5 ? class : SIZE_MAX;
}

static enum es_ink ink_at(const struct sheet *sheet, size_t row, size_t column)
{
	size_t class = class_at(sheet, row, column);

	return class == SIZE_MAX ? ES_INK_NONE : sheet->view->classes[class].ink;
}

static void put_pair(struct sheet *sheet, unsigned x, unsigned y, enum es_ink above,
		     enum es_ink below)
{
	if (above == below)
		es_canvas_put(&sheet->canvas, x, y, above ? "█" : " ", above, ES_INK_NONE);
	else if (above)
		es_canvas_put(&sheet->canvas, x, y, "▀", above, below);
	else
		es_canvas_put(&sheet->canvas, x, y, "▄", below, above);
}

static void put_number(struct sheet *sheet, unsigned y, double value)
{
	char text[24];

	if (fabs(value) >= 100)
		(void)snprintf(text, sizeof(text), "%*.0f", (int)MARGIN - 2, value);
	else
		(void)snprintf(text, sizeof(text), "%*.3g", (int)MARGIN - 2, value);
	(void)es_canvas_text(&sheet->canvas, 0, y, MARGIN - 1, ES_INK_MUTED, false, text);
}

static void put_edge(struct sheet *sheet, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		es_canvas_put(&sheet->canvas, MARGIN - 1, sheet->y + i,
			      sheet->canvas.has_unicode ? "│" : "|", ES_INK_MUTED, ES_INK_NONE);
}

static void put_name(struct sheet *sheet, const char *name)
{
	(void)es_canvas_text(&sheet->canvas, MARGIN, sheet->y++, sheet->canvas.columns - MARGIN,
			     ES_INK_TEXT, true, name);
}

static void put_jobs(struct sheet *sheet, bool is_half)
{
	const struct es_simulate_view *view = sheet->view;
	unsigned n = (unsigned)(is_half ? (view->n_rows + 1) / 2 : view->n_rows);

	put_name(sheet, "processors");
	put_edge(sheet, n);
	put_number(sheet, sheet->y, view->procs);
	put_number(sheet, sheet->y + n - 1, 0);
	for (unsigned line = 0; line < n; line++) {
		size_t row = n - 1 - line; /* the first processors are at the foot */

		for (size_t i = 0; i < view->n_columns; i++) {
			unsigned x = MARGIN + (unsigned)i, y = sheet->y + line;
			size_t class = class_at(sheet, row, i);

			if (is_half)
				put_pair(sheet, x, y, ink_at(sheet, 2 * row + 1, i),
					 ink_at(sheet, 2 * row, i));
			else if (class != SIZE_MAX)
				es_canvas_put(&sheet->canvas, x, y, letter_of(sheet, class),
					      view->classes[class].ink, ES_INK_NONE);
		}
	}
	sheet->y += n;
}

static void put_key(struct sheet *sheet, const char *letter, enum es_ink ink, const char *text)
{
	struct es_canvas *canvas = &sheet->canvas;
	unsigned width = es_canvas_text_columns(canvas, text) + 4;

	if (sheet->key_x > MARGIN && sheet->key_x + width > canvas->columns) {
		sheet->key_x = MARGIN;
		sheet->y++;
	}
	es_canvas_put(canvas, sheet->key_x, sheet->y, letter, ink, ES_INK_NONE);
	(void)es_canvas_text(canvas, sheet->key_x + 2, sheet->y, width - 4, ES_INK_TEXT, false,
			     text);
	sheet->key_x += width;
}

static void put_class_keys(struct sheet *sheet)
{
	const struct es_simulate_view *view = sheet->view;

	sheet->key_x = MARGIN;
	for (size_t i = 0; i < view->n_classes; i++)
		put_key(sheet, letter_of(sheet, i), view->classes[i].ink, view->classes[i].name);
	sheet->y++;
}

/* Bars of @values from the foot, @lower (NULL: none) of them in another colour. */
struct bars {
	unsigned n_lines;
	double high;
	enum es_ink ink, lower_ink;
};

static void put_bar(struct sheet *sheet, const struct bars *bars, unsigned x, double value,
		    double lower)
{
	static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	double levels = bars->n_lines * LEVELS;
	unsigned all = (unsigned)fmin(levels, value / bars->high * levels + 0.5);
	unsigned part = (unsigned)fmin(levels, lower / bars->high * levels + 0.5);

	all = value > 0 && all == 0 ? 1 : all;
	for (unsigned line = 0; line < bars->n_lines; line++) {
		unsigned first = line * LEVELS, y = sheet->y + bars->n_lines - 1 - line;
		unsigned n = clamp(all > first ? all - first : 0, 0, LEVELS);
		unsigned m = clamp(part > first ? part - first : 0, 0, LEVELS);
		bool is_mixed = m > 0 && m < n;

		if (n == 0)
			break;
		if (!sheet->canvas.has_unicode)
			es_canvas_put(&sheet->canvas, x, y,
				      2 * m >= n	? "#"
				      : 2 * n >= LEVELS ? ":"
							: ".",
				      m >= n ? bars->lower_ink : bars->ink, ES_INK_NONE);
		else if (is_mixed && n == LEVELS && sheet->canvas.n_colours)
			es_canvas_put(&sheet->canvas, x, y, blocks[m], bars->lower_ink, bars->ink);
		else if (!sheet->canvas.n_colours && 2 * m < n && bars->lower_ink)
			es_canvas_put(&sheet->canvas, x, y, "░", bars->ink, ES_INK_NONE);
		else
			es_canvas_put(&sheet->canvas, x, y, blocks[n],
				      2 * m >= n ? bars->lower_ink : bars->ink, ES_INK_NONE);
	}
}

static void put_power(struct sheet *sheet)
{
	const struct es_simulate_view *view = sheet->view;
	bool has_power = view->sim->power.is_known;
	struct bars bars = { .n_lines = POWER_LINES,
			     .high = has_power ? es_simulate_view_most_w(view) : view->procs,
			     .ink = es_ink_of_domain(ES_DOMAIN_PACKAGE, 3),
			     .lower_ink = es_ink_of_domain(ES_DOMAIN_PACKAGE, 0) };
	double unit = bars.high >= 1e7 ? 1e6 : bars.high >= 1e4 ? 1e3 : 1;

	put_name(sheet, !has_power    ? "processors in use"
			: unit == 1e6 ? "power, MW: with jobs, all others"
			: unit == 1e3 ? "power, kW: with jobs, all others"
				      : "power, W: with jobs, all others");
	bars.high = bars.high > 0 ? bars.high : 1;
	put_edge(sheet, POWER_LINES);
	put_number(sheet, sheet->y, has_power ? bars.high / unit : bars.high);
	put_number(sheet, sheet->y + POWER_LINES - 1, 0);
	for (size_t i = 0; i < view->n_columns; i++) {
		const struct es_simulate_column *column = &view->columns[i];

		put_bar(sheet, &bars, MARGIN + (unsigned)i,
			has_power ? column->jobs_w + column->rest_w : column->busy,
			has_power ? column->jobs_w : column->busy);
	}
	sheet->y += POWER_LINES;
}

static void put_waiting(struct sheet *sheet)
{
	const struct es_simulate_view *view = sheet->view;
	struct bars bars = { .n_lines = WAITING_LINES,
			     .high = 1,
			     .ink = es_ink_of_domain(ES_DOMAIN_DRAM, 0) };

	for (size_t i = 0; i < view->n_columns; i++)
		bars.high = fmax(bars.high, view->columns[i].most_waiting);
	put_name(sheet, "jobs waiting, the most");
	put_edge(sheet, WAITING_LINES);
	put_number(sheet, sheet->y, bars.high);
	for (size_t i = 0; i < view->n_columns; i++)
		put_bar(sheet, &bars, MARGIN + (unsigned)i, view->columns[i].most_waiting, 0);
	sheet->y += WAITING_LINES;
}

static void put_rates(struct sheet *sheet, const struct es_view_rates *rates)
{
	double foot = fmin(0, rates->low);
	struct bars bars = { .n_lines = RATES_LINES,
			     .high = fmax(rates->high - foot, 1e-9),
			     .ink = es_ink_of_domain(ES_DOMAIN_GPU, 0) };
	char name[64];

	(void)snprintf(name, sizeof(name), "%s, %s", rates->name, rates->unit);
	put_name(sheet, name);
	put_edge(sheet, RATES_LINES);
	put_number(sheet, sheet->y, rates->high);
	put_number(sheet, sheet->y + RATES_LINES - 1, foot);
	for (size_t i = 0; i < sheet->view->n_columns; i++)
		if (!isnan(rates->values[i]))
			put_bar(sheet, &bars, MARGIN + (unsigned)i, rates->values[i] - foot, 0);
	sheet->y += RATES_LINES;
}

static void put_time(struct sheet *sheet)
{
	const struct es_simulate_view *view = sheet->view;
	struct es_view_tick ticks[TICKS_MAX + 2];
	size_t n_max = clamp((unsigned)view->n_columns / 12, 2, TICKS_MAX);
	size_t n = es_simulate_view_ticks(view, n_max, ticks);
	unsigned free_x = 0;
	char unit[64];

	for (unsigned x = MARGIN - 1; x < sheet->canvas.columns; x++)
		es_canvas_put(&sheet->canvas, x, sheet->y, sheet->canvas.has_unicode ? "─" : "-",
			      ES_INK_MUTED, ES_INK_NONE);
	for (size_t i = 0; i < n; i++) {
		double share =
			(double)(ticks[i].t_s - view->from_s) / (double)(view->to_s - view->from_s);
		unsigned x = MARGIN + (unsigned)(share * (double)view->n_columns);
		unsigned length = (unsigned)strlen(ticks[i].text);

		es_canvas_put(&sheet->canvas, x, sheet->y, sheet->canvas.has_unicode ? "┬" : "+",
			      ES_INK_MUTED, ES_INK_NONE);
		x = x > length / 2 ? x - length / 2 : 0;
		x = x + length > sheet->canvas.columns ? sheet->canvas.columns - length : x;
		if (x < free_x)
			continue;
		(void)es_canvas_text(&sheet->canvas, x, sheet->y + 1, length, ES_INK_TEXT,
				     ticks[i].is_day, ticks[i].text);
		free_x = x + length + 1;
	}
	es_simulate_view_unit(view, n_max, unit, sizeof(unit));
	(void)es_canvas_text(&sheet->canvas, MARGIN, sheet->y + 2, 40, ES_INK_MUTED, false, unit);
	sheet->y += 3;
}

int es_simulate_canvas(const struct es_simulate_view *view, const struct es_terminal *terminal,
		       struct es_buf *out)
{
	struct sheet sheet = { .view = view };
	unsigned columns = clamp(terminal->columns, COLUMNS_MIN, COLUMNS_MAX);
	unsigned lines = (unsigned)view->n_rows + 64;
	char text[512];
	int r = es_canvas_init(&sheet.canvas, columns, lines);

	if (r < 0)
		return r;
	sheet.canvas.has_unicode = terminal->has_unicode;
	sheet.canvas.n_colours = terminal->n_colours;
	es_simulate_view_title(view, text, sizeof(text));
	(void)es_canvas_text(&sheet.canvas, 0, 0, columns, ES_INK_TEXT, true, text);
	es_simulate_view_say(view, text, sizeof(text));
	(void)es_canvas_text(&sheet.canvas, 0, 1, columns, ES_INK_MUTED, false, text);
	sheet.y = 2;
	put_jobs(&sheet, is_halved(terminal));
	put_class_keys(&sheet);
	put_power(&sheet);
	put_waiting(&sheet);
	for (size_t i = 0; i < view->n_rates; i++)
		put_rates(&sheet, &view->rates[i]);
	put_time(&sheet);
	sheet.canvas.lines = sheet.y < lines ? sheet.y : lines;
	r = es_canvas_write(&sheet.canvas, out);
	es_canvas_finish(&sheet.canvas);
	return r;
}

static int draw_term(const struct es_simulate *sim, struct es_error *err)
{
	struct es_terminal terminal;
	struct es_simulate_view view;
	struct es_buf out;
	int r;

	es_terminal_look(&terminal);
	r = es_simulate_view_build(sim, es_simulate_view_columns(&terminal),
				   es_simulate_view_rows(&terminal), &view, err);
	es_buf_init(&out, OUT_MAX_BYTES);
	if (r == 0 && es_simulate_canvas(&view, &terminal, &out) < 0)
		r = es_error_set(err, -ENOMEM, "cannot draw");
	(void)es_buf_str(&out, "\n");
	if (r == 0)
		r = es_write_whole("-", &out, err);
	es_buf_finish(&out);
	es_simulate_view_finish(&view);
	return r;
}

static int draw_files(const struct es_simulate *sim, struct es_error *err)
{
	struct es_simulate_view view;
	struct es_scene scene;
	char title[256];
	int r = es_simulate_view_build(sim, ES_VIEW_COLUMNS, ES_VIEW_ROWS_MAX, &view, err);

	if (r < 0) {
		es_simulate_view_finish(&view);
		return r;
	}
	es_simulate_view_title(&view, title, sizeof(title));
	r = es_simulate_scene(&view, &scene);
	r = r < 0 ? es_error_set(err, r, "cannot draw")
		  : es_drawing_write(&sim->asked.drawing, &scene, title, err);
	es_scene_finish(&scene);
	es_simulate_view_finish(&view);
	return r;
}

int es_simulate_draw_all(const struct es_simulate *sim, struct es_error *err)
{
	int r = es_drawing_is_asked(&sim->asked.drawing) ? draw_files(sim, err) : 0;

	return r == 0 && sim->asked.is_term ? draw_term(sim, err) : r;
}
