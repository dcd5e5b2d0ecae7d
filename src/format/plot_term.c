/*
 * plot_term.c - a plot in letters, for a terminal
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "format/axis.h"
#include "format/canvas.h"
#include "format/plot.h"

#define COLUMNS_MIN 30U
#define COLUMNS_MAX 500U
#define LINES_MIN 10U
#define LINES_MAX 200U
#define MARGIN 8U /* of the power axis: "1000 kW" and its line */
#define LEVELS 8U /* a letter is so many heights of a column */
#define ROWS_MAX 4U
#define AIR SIZE_MAX

struct sheet {
	const struct es_plot *plot;
	struct es_canvas canvas;
	struct es_power_axis power;
	struct es_time_axis time;
	struct es_bands bands;
	unsigned top, height, width; /* of the curves, in letters */
	unsigned bands_y, keys_y, n_key_lines;
};

static unsigned clamp(unsigned v, unsigned least, unsigned most)
{
	return v < least ? least : v > most ? most : v;
}

size_t es_plot_terminal_columns(const struct es_terminal *terminal)
{
	return clamp(terminal->columns, COLUMNS_MIN, COLUMNS_MAX) - MARGIN;
}

static size_t column_at(const struct sheet *sheet, unsigned x)
{
	return (size_t)x * sheet->plot->n_columns / sheet->width;
}

static unsigned x_at(const struct sheet *sheet, int64_t t_ns)
{
	const struct es_plot *plot = sheet->plot;
	double share = (double)(t_ns - plot->start_ns) / (double)(plot->stop_ns - plot->start_ns);
	double x = share * sheet->width;

	return x <= 0 ? 0 : x >= sheet->width ? sheet->width : (unsigned)x;
}

/* Heights in levels, rounded: what is not nothing is at least one level. */
static unsigned level_of(const struct sheet *sheet, uint64_t power_mw)
{
	double levels = (double)power_mw / (double)sheet->power.top_mw * sheet->height * LEVELS;
	unsigned rounded = (unsigned)(levels + 0.5);

	return power_mw && rounded == 0 ? 1 : clamp(rounded, 0, sheet->height * LEVELS);
}

/* The layer at a level of a column: AIR above the stack. */
static size_t layer_at(const struct sheet *sheet, size_t column, unsigned level)
{
	uint64_t sum_mw = 0;

	for (size_t j = 0; j < sheet->plot->n_layers; j++) {
		sum_mw += sheet->plot->layers[j].power_mw[column];
		if (sheet->plot->layers[j].power_mw[column] && level < level_of(sheet, sum_mw))
			return j;
	}
	return AIR;
}

/* Without colours layers are told apart by their letters. */
static const char *fill_letter(const struct sheet *sheet, size_t layer)
{
	static const char *const shades[] = { "█", "▒", "▓", "░" };
	static const char *const letters[] = { "#", "+", "=", ":", "%", "-", "o", "*", "x", "~" };

	if (sheet->canvas.has_unicode)
		return sheet->canvas.n_colours ? "█" : shades[layer % ES_ARRAY_SIZE(shades)];
	return letters[layer % ES_ARRAY_SIZE(letters)];
}

/* A letter with one layer below and another, or air, above: @n levels of the lower one. */
static void put_edge(struct sheet *sheet, unsigned x, unsigned y, size_t lower, size_t upper,
		     unsigned n)
{
	static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	struct es_canvas *canvas = &sheet->canvas;
	const struct es_plot_curve *layers = sheet->plot->layers;
	enum es_ink ink = layers[lower].ink;

	if (canvas->has_unicode && canvas->n_colours) {
		es_canvas_put(canvas, x, y, blocks[n], ink,
			      upper == AIR ? ES_INK_NONE : layers[upper].ink);
		return;
	}
	if (upper == AIR && canvas->has_unicode && lower == 0) {
		es_canvas_put(canvas, x, y, blocks[n], ink, ES_INK_NONE);
		return;
	}
	if (n * 2 < LEVELS) {
		if (upper == AIR)
			return;
		lower = upper;
	}
	es_canvas_put(canvas, x, y, fill_letter(sheet, lower), layers[lower].ink, ES_INK_NONE);
}

static void put_stack(struct sheet *sheet, unsigned x, unsigned row, size_t column)
{
	unsigned first = row * LEVELS, n = 1;
	unsigned y = sheet->top + sheet->height - 1 - row;
	size_t lower = layer_at(sheet, column, first);
	size_t upper = layer_at(sheet, column, first + LEVELS - 1);

	if (lower == AIR)
		return;
	while (n < LEVELS && layer_at(sheet, column, first + n) == lower)
		n++;
	if (n == LEVELS)
		es_canvas_put(&sheet->canvas, MARGIN + x, y, fill_letter(sheet, lower),
			      sheet->plot->layers[lower].ink, ES_INK_NONE);
	else
		put_edge(sheet, MARGIN + x, y, lower, upper, n);
}

/* Above the stack: the most within the column, and the limit. */
static void put_air(struct sheet *sheet, unsigned x, unsigned row, size_t column)
{
	const struct es_plot *plot = sheet->plot;
	unsigned y = sheet->top + sheet->height - 1 - row, first = row * LEVELS;
	bool has_unicode = sheet->canvas.has_unicode;
	unsigned limit = level_of(sheet, plot->limit_mw);

	if (layer_at(sheet, column, first) != AIR)
		return;
	if (plot->has_peaks && plot->is_known[column] &&
	    level_of(sheet, plot->most_mw[column]) > first + LEVELS / 2)
		es_canvas_put(&sheet->canvas, MARGIN + x, y, has_unicode ? "╵" : "'", ES_INK_MUTED,
			      ES_INK_NONE);
	else if (es_plot_shows_limit(plot) && limit > first && limit <= first + LEVELS)
		es_canvas_put(&sheet->canvas, MARGIN + x, y, has_unicode ? "╌" : "-", ES_INK_LIMIT,
			      ES_INK_NONE);
}

static void put_lines(struct sheet *sheet, unsigned x, size_t column)
{
	const struct es_plot *plot = sheet->plot;

	for (size_t j = 0; plot->is_line_known[column] && j < plot->n_lines; j++) {
		unsigned level = level_of(sheet, plot->lines[j].power_mw[column]);
		unsigned row = level ? (level - 1) / LEVELS : 0;

		es_canvas_put(&sheet->canvas, MARGIN + x, sheet->top + sheet->height - 1 - row,
			      sheet->canvas.has_unicode ? "─" : "_", plot->lines[j].ink,
			      ES_INK_NONE);
	}
}

static void put_gaps(struct sheet *sheet)
{
	const struct es_plot *plot = sheet->plot;
	const char *letter = sheet->canvas.has_unicode ? "╱" : "/";

	for (size_t i = 0; i < plot->n_gaps; i++) {
		unsigned first = x_at(sheet, plot->gaps[i].start_ns),
			 last = x_at(sheet, plot->gaps[i].stop_ns);

		last = last > first ? last : first + 1;
		for (unsigned x = first; x < last && x < sheet->width; x++)
			for (unsigned y = sheet->top; y < sheet->top + sheet->height; y++)
				es_canvas_put(&sheet->canvas, MARGIN + x, y, letter,
					      ES_INK_GAP_LINE, ES_INK_NONE);
	}
}

/* On top of the stack: what stands for nodes without readings. */
static void put_filled(struct sheet *sheet, unsigned x, unsigned row, size_t column)
{
	const struct es_plot *plot = sheet->plot;
	unsigned middle = row * LEVELS + LEVELS / 2;
	uint64_t sum_mw = 0;

	for (size_t j = 0; j < plot->n_layers; j++)
		sum_mw += plot->layers[j].power_mw[column];
	if (plot->filled_mw[column] && middle < level_of(sheet, sum_mw) &&
	    middle >= level_of(sheet, sum_mw - plot->filled_mw[column]))
		es_canvas_put(&sheet->canvas, MARGIN + x, sheet->top + sheet->height - 1 - row,
			      sheet->canvas.has_unicode ? "╱" : "/", ES_INK_GAP_LINE, ES_INK_NONE);
}

static void put_curves(struct sheet *sheet)
{
	for (unsigned x = 0; x < sheet->width; x++) {
		size_t column = column_at(sheet, x);

		for (unsigned row = 0; row < sheet->height; row++) {
			if (sheet->plot->is_known[column]) {
				put_stack(sheet, x, row, column);
				put_filled(sheet, x, row, column);
			}
			put_air(sheet, x, row, column);
		}
		put_lines(sheet, x, column);
	}
	put_gaps(sheet);
}

static void put_power_axis(struct sheet *sheet)
{
	bool has_unicode = sheet->canvas.has_unicode;
	uint64_t last_mw = sheet->power.top_mw / sheet->power.step_mw * sheet->power.step_mw;

	for (unsigned y = 0; y < sheet->height; y++)
		es_canvas_put(&sheet->canvas, MARGIN - 1, sheet->top + y, has_unicode ? "│" : "|",
			      ES_INK_MUTED, ES_INK_NONE);
	for (uint64_t mw = 0; mw <= last_mw; mw += sheet->power.step_mw) {
		unsigned y = sheet->top + sheet->height - level_of(sheet, mw) / LEVELS;
		char number[ES_AXIS_TEXT_BYTES], text[ES_AXIS_TEXT_BYTES + 8];

		(void)snprintf(text, sizeof(text), "%*s %s", mw == last_mw ? 0 : (int)MARGIN - 2,
			       es_power_axis_text(&sheet->power, mw, number),
			       mw == last_mw ? sheet->power.unit : "");
		(void)es_canvas_text(&sheet->canvas, 0, y, MARGIN - 1, ES_INK_TEXT, false, text);
		es_canvas_put(&sheet->canvas, MARGIN - 1, y, has_unicode ? (mw ? "┤" : "└") : "+",
			      ES_INK_MUTED, ES_INK_NONE);
	}
}

static void put_time_axis(struct sheet *sheet)
{
	const struct es_plot *plot = sheet->plot;
	int64_t offset_ns = plot->start_ns - plot->report->start_ns;
	int64_t into_ns = offset_ns % sheet->time.step_ns;
	unsigned y = sheet->top + sheet->height, free_x = 0;
	bool has_unicode = sheet->canvas.has_unicode;

	for (unsigned x = MARGIN; x < sheet->canvas.columns; x++)
		es_canvas_put(&sheet->canvas, x, y, has_unicode ? "─" : "-", ES_INK_MUTED,
			      ES_INK_NONE);
	for (int64_t t_ns = into_ns ? sheet->time.step_ns - into_ns : 0; t_ns <= sheet->time.dur_ns;
	     t_ns += sheet->time.step_ns) {
		char number[ES_AXIS_TEXT_BYTES], text[ES_AXIS_TEXT_BYTES + 8];
		unsigned x = MARGIN + x_at(sheet, plot->start_ns + t_ns), length;

		x = x < sheet->canvas.columns ? x : sheet->canvas.columns - 1;
		(void)snprintf(text, sizeof(text), "%s%s%s",
			       es_time_axis_text(&sheet->time, t_ns + offset_ns, number),
			       t_ns + sheet->time.step_ns > sheet->time.dur_ns ? " " : "",
			       t_ns + sheet->time.step_ns > sheet->time.dur_ns ? sheet->time.unit
									       : "");
		length = (unsigned)strlen(text);
		es_canvas_put(&sheet->canvas, x, y, has_unicode ? "┬" : "+", ES_INK_MUTED,
			      ES_INK_NONE);
		x = x < length / 2 ? 0 : x - length / 2;
		if (x + length > sheet->canvas.columns)
			x = sheet->canvas.columns - length;
		if (x < free_x)
			continue;
		free_x =
			x +
			es_canvas_text(&sheet->canvas, x, y + 1, length, ES_INK_TEXT, false, text) +
			1;
	}
}

static void put_band(struct sheet *sheet, const struct es_band *band)
{
	static const char *const shades[] = { "░", "▒", "▓", "█" };
	static const char *const letters[] = { ".", ":", "+", "#" };
	struct es_canvas *canvas = &sheet->canvas;
	unsigned first = x_at(sheet, band->start_ns), last = x_at(sheet, band->stop_ns);
	unsigned y = sheet->bands_y + band->row, share = clamp(band->share_percent / 26, 0, 3);
	const char *name = sheet->plot->report->regions[band->region].name;

	first = first < sheet->width ? first : sheet->width - 1;
	last = last > first ? last : first + 1;
	for (unsigned x = first; x < last; x++) {
		const char *letter = canvas->has_unicode ? "─" : "-";

		if (band->is_strip)
			letter = canvas->has_unicode ? shades[share] : letters[share];
		else if (last - first == 1)
			letter = canvas->has_unicode ? "│" : "|";
		else if (x == first)
			letter = canvas->has_unicode ? "├" : "[";
		else if (x + 1 == last)
			letter = canvas->has_unicode ? "┤" : "]";
		es_canvas_put(canvas, MARGIN + x, y, letter, ES_INK_MUTED, ES_INK_NONE);
	}
	if (!band->is_strip && last - first >= 5)
		(void)es_canvas_text(canvas, MARGIN + first + 1, y, last - first - 2, ES_INK_TEXT,
				     false, name);
}

static void put_bands(struct sheet *sheet)
{
	const struct es_bands *bands = &sheet->bands;

	for (size_t i = 0; i < bands->n; i++)
		put_band(sheet, &bands->bands[i]);
	for (size_t i = 0; i < bands->n; i++) {
		const struct es_report_region *region =
			&sheet->plot->report->regions[bands->bands[i].region];
		unsigned x = x_at(sheet, bands->bands[i].start_ns), columns;
		char text[ES_NAME_MAX_BYTES + 32];

		if (!bands->bands[i].is_strip ||
		    (i > 0 && bands->bands[i - 1].row == bands->bands[i].row))
			continue;
		(void)snprintf(text, sizeof(text), "%s ×%u ", region->name, region->n_calls);
		/* Near the end there is room before it only, where no band of this row is. */
		columns = es_canvas_text_columns(&sheet->canvas, text);
		if (columns > sheet->width - x && columns <= x)
			x -= columns;
		(void)es_canvas_text(&sheet->canvas, MARGIN + x,
				     sheet->bands_y + bands->bands[i].row, sheet->width - x,
				     ES_INK_TEXT, false, text);
	}
}

struct key {
	const char *letter;
	enum es_ink ink;
	char text[2 * ES_NAME_MAX_BYTES + 96];
};

/* A key where there is room for it, else on the next line; says how many lines there are to be. */
static void put_key(struct sheet *sheet, const struct key *key, bool is_counted, unsigned *x,
		    unsigned *line)
{
	struct es_canvas *canvas = &sheet->canvas;
	unsigned width = es_canvas_text_columns(canvas, key->text) + 2;

	width = width < canvas->columns - 1 ? width : canvas->columns - 1;
	if (*x > 1 && *x + width > canvas->columns) {
		*x = 1;
		++*line;
	}
	if (!is_counted && *line < sheet->n_key_lines) {
		es_canvas_put(canvas, *x, sheet->keys_y + *line, key->letter, key->ink,
			      ES_INK_NONE);
		(void)es_canvas_text(canvas, *x + 2, sheet->keys_y + *line, width - 2, ES_INK_TEXT,
				     false, key->text);
	}
	*x += width + 2;
}

static void curve_key(const struct es_plot_curve *curve, const char *letter, struct key *ret)
{
	char power[ES_AXIS_TEXT_BYTES], energy[ES_AXIS_TEXT_BYTES], kind[64];

	es_plot_curve_note(curve, kind, sizeof(kind));
	*ret = (struct key){ .letter = letter, .ink = curve->ink };
	(void)snprintf(ret->text, sizeof(ret->text), "%s %s %s%s%s", curve->name,
		       es_watt_text(curve->mean_mw, power),
		       es_energy_text(es_j_from_uj(curve->energy_uj), energy), kind[0] ? " " : "",
		       kind);
}

/* All keys; counted only, or put. Returns the lines they take. */
static unsigned put_keys(struct sheet *sheet, bool is_counted)
{
	const struct es_plot *plot = sheet->plot;
	bool has_unicode = sheet->canvas.has_unicode;
	unsigned x = 1, line = 0;
	struct key key;

	for (size_t j = plot->n_layers; j > 0; j--) {
		curve_key(&plot->layers[j - 1], fill_letter(sheet, j - 1), &key);
		put_key(sheet, &key, is_counted, &x, &line);
	}
	for (size_t j = 0; j < plot->n_lines; j++) {
		curve_key(&plot->lines[j], has_unicode ? "─" : "_", &key);
		put_key(sheet, &key, is_counted, &x, &line);
	}
	if (plot->n_gaps || plot->has_filled_columns) {
		key = (struct key){ .letter = has_unicode ? "╱" : "/",
				    .ink = ES_INK_GAP_LINE,
				    .text = "no readings" };
		put_key(sheet, &key, is_counted, &x, &line);
	}
	if (plot->has_peaks) {
		key = (struct key){ .letter = has_unicode ? "╵" : "'",
				    .ink = ES_INK_MUTED,
				    .text = "up to the most" };
		put_key(sheet, &key, is_counted, &x, &line);
	}
	if (es_plot_shows_limit(plot)) {
		char power[ES_AXIS_TEXT_BYTES];

		key = (struct key){ .letter = has_unicode ? "╌" : "-", .ink = ES_INK_LIMIT };
		(void)snprintf(key.text, sizeof(key.text), "%s %s", plot->limit_text,
			       es_watt_text(plot->limit_mw, power));
		put_key(sheet, &key, is_counted, &x, &line);
	}
	return line + (x > 1);
}

static int lay_out(struct sheet *sheet)
{
	const struct es_plot *plot = sheet->plot;
	unsigned lines = sheet->canvas.lines, used = 2 + 2;
	struct es_bands_options options = {
		.start_ns = plot->start_ns,
		.stop_ns = plot->stop_ns,
		.n_rows_max = lines >= 20 ? ROWS_MAX : 1,
		.n_regions = plot->report->n_regions,
	};
	uint64_t top_mw = es_plot_top_mw(plot);
	int r;

	sheet->width = sheet->canvas.columns - MARGIN;
	options.cell_ns = (plot->stop_ns - plot->start_ns) / sheet->width + 1;
	r = es_bands_place(plot->calls, plot->n_calls, &options, &sheet->bands);
	if (r < 0)
		return r;
	sheet->n_key_lines = clamp(put_keys(sheet, true), 0, lines / 4);
	used += sheet->bands.n_rows + sheet->n_key_lines;
	sheet->top = 2;
	sheet->height = lines > used + 3 ? lines - used : 3;
	sheet->bands_y = sheet->top + sheet->height + 2;
	sheet->keys_y = sheet->bands_y + sheet->bands.n_rows;
	if (es_plot_shows_limit(plot) && plot->limit_mw > top_mw)
		top_mw = plot->limit_mw;
	es_power_axis_choose(top_mw, clamp(sheet->height / 3, 1, 8), &sheet->power);
	es_time_axis_choose(plot->stop_ns - plot->start_ns, clamp(sheet->width / 9, 1, 12),
			    &sheet->time);
	return 0;
}

int es_plot_terminal(const struct es_plot *plot, const struct es_terminal *terminal,
		     const char *title, struct es_buf *out)
{
	struct sheet sheet = { .plot = plot };
	struct es_plot_words words = { .title = "" };
	int r = es_canvas_init(&sheet.canvas, clamp(terminal->columns, COLUMNS_MIN, COLUMNS_MAX),
			       clamp(terminal->lines, LINES_MIN, LINES_MAX));

	if (r < 0)
		return r;
	sheet.canvas.has_unicode = terminal->has_unicode;
	sheet.canvas.n_colours = terminal->n_colours;
	es_plot_say(plot, &words);
	(void)es_canvas_text(&sheet.canvas, 0, 0, sheet.canvas.columns, ES_INK_TEXT, true,
			     title ? title : words.title);
	(void)es_canvas_text(&sheet.canvas, 0, 1, sheet.canvas.columns, ES_INK_MUTED, false,
			     words.below);
	r = plot->n_columns > 0 ? lay_out(&sheet) : -ENODATA;
	if (r == 0) {
		put_curves(&sheet);
		put_power_axis(&sheet);
		put_time_axis(&sheet);
		put_bands(&sheet);
		(void)put_keys(&sheet, false);
		r = es_canvas_write(&sheet.canvas, out);
	}
	es_bands_finish(&sheet.bands);
	es_canvas_finish(&sheet.canvas);
	return r;
}
