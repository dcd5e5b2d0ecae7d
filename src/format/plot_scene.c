/*
 * plot_scene.c - a plot as a scene: curves, axes and bands
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/plot_scene.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

#define WIDTH_PT 960.0
#define HEIGHT_PT 540.0
#define MARGIN_PT 28.0
#define ROW_PT 21.0
#define ROWS_MAX 6U
#define GUIDES_MAX 24U
#define STRIP_CELL_PT 2.0
#define OUTLINE_COLUMNS_MAX 800U /* with more of them it would be a band, not a line */
#define LETTERS_MIN_PT 58.0 /* a shorter part of a name says nothing */
#define TICK_GAP_PT 66.0 /* room for a label of the time axis */
#define POWER_TICK_PT 46.0

static const struct es_font tick_font = { .size_pt = 13, .ink = ES_INK_TEXT };
static const struct es_font small_font = { .size_pt = 11, .ink = ES_INK_MUTED };

static double x_of(const struct drawing *d, int64_t t_ns)
{
	double dur_ns = (double)(d->plot->stop_ns - d->plot->start_ns);
	double share = (double)(t_ns - d->plot->start_ns) / (dur_ns > 0 ? dur_ns : 1);

	return d->frame.x + fmin(fmax(share, 0), 1) * d->frame.width;
}

static double y_of(const struct drawing *d, uint64_t power_mw)
{
	double share = (double)power_mw / (double)d->frame.top_mw;

	return d->frame.y + d->frame.height * (1 - fmin(share, 1));
}

static double column_x(const struct drawing *d, size_t column)
{
	return x_of(d, d->plot->start_ns + (int64_t)column * d->plot->column_ns);
}

static uint64_t stacked_mw(const struct es_plot *plot, size_t n_layers, size_t column)
{
	uint64_t sum_mw = 0;

	for (size_t j = 0; j < n_layers; j++)
		sum_mw += plot->layers[j].power_mw[column];
	return sum_mw;
}

/* Steps from column @first up to @last, and down to the base line. */
static void draw_steps(struct drawing *d, size_t n_layers, size_t first, size_t last,
		       const struct es_style *style)
{
	es_scene_begin(d->scene, ES_MARK_AREA, style);
	es_scene_point(d->scene, column_x(d, first), y_of(d, 0));
	for (size_t i = first; i < last; i++) {
		double y = y_of(d, stacked_mw(d->plot, n_layers, i));

		es_scene_point(d->scene, column_x(d, i), y);
		es_scene_point(d->scene, column_x(d, i + 1), y);
	}
	es_scene_point(d->scene, column_x(d, last), y_of(d, 0));
}

/* Calls @draw for each run of columns that are known. */
typedef void (*run_fn)(struct drawing *d, size_t first, size_t last, size_t which);

static void for_runs(struct drawing *d, const bool *is_known, run_fn draw, size_t which)
{
	size_t first = 0;

	for (size_t i = 0; i <= d->plot->n_columns; i++) {
		if (i < d->plot->n_columns && is_known[i])
			continue;
		if (i > first)
			draw(d, first, i, which);
		first = i + 1;
	}
}

/* Colours in the order in which regions begin: neighbours differ. */
static void give_colours(struct drawing *d)
{
	unsigned n = 0;

	for (size_t i = 0; i < d->bands.n; i++) {
		size_t region = d->bands.bands[i].region;

		if (region < ES_PLOT_NAMED_MAX && !d->bands.bands[i].is_strip &&
		    d->frame.colours[region] == 0)
			d->frame.colours[region] = (unsigned char)(1 + n++ % ES_INK_N_REGIONS);
	}
}

enum es_ink es_plot_region_ink(const struct es_plot_frame *frame, size_t region)
{
	bool has_own = region < ES_PLOT_NAMED_MAX && frame->colours[region];

	return es_ink_of_region(has_own ? frame->colours[region] - 1U : (unsigned)region);
}

struct es_style es_plot_curve_style(const struct es_plot_curve *curve)
{
	struct es_style style = { .fill = curve->ink };

	if (curve->kinds == 1u << ES_KIND_ESTIMATED) {
		style.fill = es_ink_pale(curve->ink);
		style.hatch = curve->ink;
	}
	return style;
}

static void draw_layer(struct drawing *d, size_t first, size_t last, size_t which)
{
	const struct es_style style = es_plot_curve_style(&d->plot->layers[which]);

	draw_steps(d, which + 1, first, last, &style);
}

static void draw_outline(struct drawing *d, size_t first, size_t last, size_t which)
{
	const struct es_style style = { .stroke = ES_INK_MUTED, .stroke_pt = 0.8 };

	(void)which;
	es_scene_begin(d->scene, ES_MARK_LINE, &style);
	for (size_t i = first; i < last; i++) {
		double y = y_of(d, stacked_mw(d->plot, d->plot->n_layers, i));

		es_scene_point(d->scene, column_x(d, i), y);
		es_scene_point(d->scene, column_x(d, i + 1), y);
	}
}

/* On top of the stack: what stands for nodes without readings. */
static void draw_filled(struct drawing *d, size_t first, size_t last, size_t which)
{
	const struct es_style style = { .fill = ES_INK_GAP, .hatch = ES_INK_GAP_LINE };
	size_t top = d->plot->n_layers;

	(void)which;
	es_scene_begin(d->scene, ES_MARK_AREA, &style);
	for (size_t i = first; i < last; i++) {
		double y = y_of(d, stacked_mw(d->plot, top, i));

		es_scene_point(d->scene, column_x(d, i), y);
		es_scene_point(d->scene, column_x(d, i + 1), y);
	}
	for (size_t i = last; i > first; i--) {
		double y = y_of(d, stacked_mw(d->plot, top, i - 1) - d->plot->filled_mw[i - 1]);

		es_scene_point(d->scene, column_x(d, i), y);
		es_scene_point(d->scene, column_x(d, i - 1), y);
	}
}

/* A peak of one column is still to be seen where columns are finer than a line: its neighbours lend it their place. */
static uint64_t peak_mw(const struct drawing *d, size_t first, size_t last, size_t i, bool is_most)
{
	const uint64_t *values = is_most ? d->plot->most_mw : d->plot->least_mw;
	bool is_fine = d->frame.width / (double)d->plot->n_columns < 1.0;
	size_t from = is_fine && i > first ? i - 1 : i, to = is_fine && i + 1 < last ? i + 1 : i;
	uint64_t mw = values[i];

	for (size_t j = from; j <= to; j++)
		if (is_most ? values[j] > mw : values[j] < mw)
			mw = values[j];
	return mw;
}

/* Between the least and the most reading: there along the top, back along the bottom. */
static void draw_peaks(struct drawing *d, size_t first, size_t last, size_t which)
{
	const struct es_style style = { .fill = ES_INK_PEAK,
					.opacity_percent = ES_PLOT_PEAK_PERCENT };

	(void)which;
	es_scene_begin(d->scene, ES_MARK_AREA, &style);
	for (size_t i = first; i < last; i++) {
		double y = y_of(d, peak_mw(d, first, last, i, true));

		es_scene_point(d->scene, column_x(d, i), y);
		es_scene_point(d->scene, column_x(d, i + 1), y);
	}
	for (size_t i = last; i > first; i--) {
		double y = y_of(d, peak_mw(d, first, last, i - 1, false));

		es_scene_point(d->scene, column_x(d, i), y);
		es_scene_point(d->scene, column_x(d, i - 1), y);
	}
}

static void draw_line(struct drawing *d, size_t first, size_t last, size_t which)
{
	const struct es_plot_curve *line = &d->plot->lines[which];
	const struct es_style style = { .stroke = line->ink, .stroke_pt = 1.8 };

	es_scene_begin(d->scene, ES_MARK_LINE, &style);
	for (size_t i = first; i < last; i++) {
		es_scene_point(d->scene, column_x(d, i), y_of(d, line->power_mw[i]));
		es_scene_point(d->scene, column_x(d, i + 1), y_of(d, line->power_mw[i]));
	}
}

static void draw_gaps(struct drawing *d)
{
	for (size_t i = 0; i < d->plot->n_gaps; i++) {
		const struct es_plot_gap *gap = &d->plot->gaps[i];
		const struct es_style style = { .fill = gap->has_mean ? ES_INK_NONE : ES_INK_GAP,
						.hatch = ES_INK_GAP_LINE };
		double x = x_of(d, gap->start_ns), width = x_of(d, gap->stop_ns) - x;

		es_scene_rect(d->scene, x, d->frame.y, fmax(width, 3), d->frame.height, &style);
		es_scene_hint(d->scene, gap->has_mean ? "no readings: only the mean is known"
						      : "no readings");
	}
}

static void draw_limit(struct drawing *d)
{
	const struct es_style style = { .stroke = ES_INK_LIMIT,
					.stroke_pt = 1.6,
					.is_dashed = true };
	const struct es_font font = {
		.size_pt = 12, .ink = ES_INK_LIMIT, .anchor = ES_ANCHOR_END, .has_halo = true
	};
	double right = d->frame.x + d->frame.width, y;
	char power[ES_AXIS_TEXT_BYTES], text[160];

	if (!es_plot_shows_limit(d->plot))
		return;
	y = y_of(d, d->plot->limit_mw);
	es_scene_line(d->scene, d->frame.x, y, right, y, &style);
	(void)snprintf(text, sizeof(text), "%s: %s", d->plot->limit_text,
		       es_watt_text(d->plot->limit_mw, power));
	es_scene_text_within(d->scene, right - 6, y - 6, d->frame.width - 12, &font, text);
}

static void draw_curves(struct drawing *d)
{
	es_scene_group(d->scene, "stack");
	for (size_t j = d->plot->n_layers; j > 0; j--)
		for_runs(d, d->plot->is_known, draw_layer, j - 1);
	if (d->plot->has_filled_columns)
		for_runs(d, d->plot->is_known, draw_filled, 0);
	if (d->plot->has_peaks)
		for_runs(d, d->plot->is_known, draw_peaks, 0);
	if (d->plot->n_layers > 0 && d->plot->n_columns <= OUTLINE_COLUMNS_MAX)
		for_runs(d, d->plot->is_known, draw_outline, 0);
	for (size_t j = 0; j < d->plot->n_lines; j++)
		for_runs(d, d->plot->is_line_known, draw_line, j);
	draw_gaps(d);
	draw_limit(d);
	es_scene_group_end(d->scene);
}

static void draw_power_axis(struct drawing *d)
{
	const struct es_style grid = { .stroke = ES_INK_GRID, .stroke_pt = 1 };
	struct es_font font = tick_font;
	char text[ES_AXIS_TEXT_BYTES];

	es_scene_group(d->scene, "power");
	font.anchor = ES_ANCHOR_END;
	for (uint64_t mw = 0; mw <= d->power.top_mw; mw += d->power.step_mw) {
		double y = y_of(d, mw);

		es_scene_line(d->scene, d->frame.x, y, d->frame.x + d->frame.width, y, &grid);
		es_scene_text(d->scene, d->frame.x - 8, y + 4.5, &font,
			      es_power_axis_text(&d->power, mw, text));
	}
	font.ink = ES_INK_MUTED;
	es_scene_text(d->scene, d->frame.x - 8, d->frame.y - 13, &font, d->power.unit);
	es_scene_group_end(d->scene);
}

/* Ticks are at round times after the start of the recording, also where only a part is shown. */
static int64_t first_tick_ns(const struct drawing *d)
{
	int64_t into_ns = d->offset_ns % d->time.step_ns;

	return into_ns ? d->time.step_ns - into_ns : 0;
}

static void draw_time_axis(struct drawing *d)
{
	const struct es_style line = { .stroke = ES_INK_MUTED, .stroke_pt = 1 };
	double bottom = d->frame.y + d->frame.height;
	struct es_font font = tick_font, clock_font = small_font;
	char text[ES_AXIS_TEXT_BYTES];

	es_scene_group(d->scene, "time");
	font.anchor = clock_font.anchor = ES_ANCHOR_MIDDLE;
	es_scene_line(d->scene, d->frame.x, bottom, d->frame.x + d->frame.width, bottom, &line);
	for (int64_t t_ns = first_tick_ns(d); t_ns <= d->time.dur_ns; t_ns += d->time.step_ns) {
		double x = x_of(d, d->plot->start_ns + t_ns);

		es_scene_line(d->scene, x, bottom, x, bottom + 5, &line);
		es_scene_text(d->scene, x, bottom + 19, &font,
			      es_time_axis_text(&d->time, t_ns + d->offset_ns, text));
		es_scene_text(d->scene, x, bottom + 34, &clock_font,
			      es_time_axis_clock(&d->time,
						 es_report_unix_ns(d->plot->report,
								   d->plot->start_ns + t_ns),
						 text));
	}
	es_scene_group_end(d->scene);
}

/* The axis' title, with the day and the zone of the clock below it. */
static void draw_time_title(struct drawing *d)
{
	struct es_font font = { .size_pt = 12, .ink = ES_INK_MUTED, .anchor = ES_ANCHOR_END };
	double bottom = d->frame.y + d->frame.height;
	char text[160];

	(void)snprintf(text, sizeof(text), "time (%s), %s", d->time.unit, d->words.clock);
	es_scene_text_within(d->scene, d->frame.x + d->frame.width, bottom + 52, d->frame.width,
			     &font, text);
}

static void band_hint(const struct drawing *d, const struct es_band *band, char *text, size_t size)
{
	const struct es_report_region *region = &d->plot->report->regions[band->region];
	char dur[ES_QUANTITY_TEXT_BYTES], energy[ES_AXIS_TEXT_BYTES] = "energy not known";

	if (region->is_known)
		(void)es_energy_text(es_j_from_uj(region->energy_uj), energy);
	(void)snprintf(text, size, "%s: %u call%s, %s in all, %s", region->name, region->n_calls,
		       region->n_calls == 1 ? "" : "s", es_duration_text(region->dur_ns, dur),
		       energy);
}

/* Short calls are a grey strip, the darker the more of its time they take. */
static void draw_cell(struct drawing *d, const struct es_band *band)
{
	const struct es_style style = { .fill = ES_INK_EDGE,
					.opacity_percent = 18 + band->share_percent * 3 / 4 };
	double x = x_of(d, band->start_ns);

	es_scene_rect(d->scene, x, d->frame.bands_y + band->row * d->frame.row_height,
		      x_of(d, band->stop_ns) - x, d->frame.row_height - 3, &style);
}

/* The name, with the energy where there is room and it is of this call alone. */
static void name_band(struct drawing *d, const struct es_band *band, double x, double y,
		      double width)
{
	static const struct es_font font = { .size_pt = 12, .ink = ES_INK_TEXT };
	const struct es_report_region *region = &d->plot->report->regions[band->region];
	bool fits = es_text_width(region->name, &font) <= width;
	char text[ES_NAME_MAX_BYTES + 32], energy[ES_AXIS_TEXT_BYTES];

	if (!fits && width < LETTERS_MIN_PT)
		return;
	if (fits && band->region < ES_PLOT_NAMED_MAX)
		d->is_named[band->region] = true;
	if (region->is_known && region->n_calls == 1) {
		(void)snprintf(text, sizeof(text), "%s · %s", region->name,
			       es_energy_text(es_j_from_uj(region->energy_uj), energy));
		if (es_text_width(text, &font) <= width) {
			es_scene_text(d->scene, x, y, &font, text);
			return;
		}
	}
	es_scene_text_within(d->scene, x, y, width, &font, region->name);
}

static void draw_band(struct drawing *d, const struct es_band *band)
{
	const struct es_style style = { .fill = es_plot_region_ink(&d->frame, band->region),
					.stroke = ES_INK_EDGE,
					.stroke_pt = 0.6,
					.radius_pt = 2.5 };
	double x = x_of(d, band->start_ns), width = x_of(d, band->stop_ns) - x;
	double y = d->frame.bands_y + band->row * d->frame.row_height;
	char hint[ES_NAME_MAX_BYTES + 128];

	es_scene_rect(d->scene, x, y, fmax(width, 0.8), d->frame.row_height - 3, &style);
	band_hint(d, band, hint, sizeof(hint));
	es_scene_hint(d->scene, hint);
	name_band(d, band, x + 6, y + d->frame.row_height - 8, width - 9);
}

/* A strip's name and calls over it, once, where it begins. */
static void name_strip(struct drawing *d, const struct es_band *band)
{
	const struct es_font font = { .size_pt = 12, .ink = ES_INK_TEXT, .has_halo = true };
	const struct es_report_region *region = &d->plot->report->regions[band->region];
	double x = x_of(d, band->start_ns) + 6;
	double y = d->frame.bands_y + (band->row + 1) * d->frame.row_height - 8;
	char text[ES_NAME_MAX_BYTES + 32];

	(void)snprintf(text, sizeof(text), "%s ×%u", region->name, region->n_calls);
	if (x + es_text_width(text, &font) > d->frame.x + d->frame.width)
		x = fmax(d->frame.x + d->frame.width - es_text_width(text, &font) - 6,
			 d->frame.x + 6);
	es_scene_text_within(d->scene, x, y, d->frame.x + d->frame.width - x, &font, text);
	if (band->region < ES_PLOT_NAMED_MAX)
		d->is_named[band->region] = true;
}

static void draw_bands(struct drawing *d)
{
	const struct es_bands *bands = &d->bands;

	es_scene_group(d->scene, "bands");
	for (size_t i = 0; i < bands->n; i++)
		if (bands->bands[i].is_strip)
			draw_cell(d, &bands->bands[i]);
		else
			draw_band(d, &bands->bands[i]);
	for (size_t i = 0; i < bands->n; i++)
		if (bands->bands[i].is_strip &&
		    (i == 0 || bands->bands[i - 1].row != bands->bands[i].row))
			name_strip(d, &bands->bands[i]);
	es_scene_group_end(d->scene);
}

/* Where the outermost regions begin and end, if they are few. */
static void draw_guides(struct drawing *d)
{
	const struct es_style style = { .stroke = ES_INK_EDGE,
					.stroke_pt = 0.8,
					.is_dashed = true };
	double top = d->frame.bands_y + d->frame.row_height - 3,
	       bottom = d->frame.y + d->frame.height;
	size_t n = 0;

	es_scene_group(d->scene, "guides");
	for (size_t i = 0; i < d->bands.n; i++)
		n += d->bands.bands[i].row == 0 && !d->bands.bands[i].is_strip;
	for (size_t i = 0; n <= GUIDES_MAX && i < d->bands.n; i++) {
		const struct es_band *band = &d->bands.bands[i];

		if (band->row > 0 || band->is_strip)
			continue;
		es_scene_line(d->scene, x_of(d, band->start_ns), top, x_of(d, band->start_ns),
			      bottom, &style);
		es_scene_line(d->scene, x_of(d, band->stop_ns), top, x_of(d, band->stop_ns), bottom,
			      &style);
	}
	es_scene_group_end(d->scene);
}

static int lay_out(struct drawing *d, const struct es_plot_look *look)
{
	double width = d->scene->width_pt, height = d->scene->height_pt;
	double keys = fmin(204.0, width * 0.26), head = look->is_bare ? 10 : 76, row = ROW_PT;
	double foot = look->is_bare ? 66 : 100;
	struct es_bands_options options = {
		.start_ns = d->plot->start_ns,
		.stop_ns = d->plot->stop_ns,
		.n_rows_max = height >= 440 ? ROWS_MAX : 2,
		.n_regions = d->plot->report->n_regions,
	};
	uint64_t top_mw = es_plot_top_mw(d->plot);
	int r;

	d->frame.x = MARGIN_PT + 44;
	d->frame.width = width - keys - MARGIN_PT - 20 - d->frame.x;
	d->keys_x = width - keys - MARGIN_PT;
	d->keys_width = keys;
	options.cell_ns = (int64_t)((double)(options.stop_ns - options.start_ns) * STRIP_CELL_PT /
				    d->frame.width) +
			  1;
	r = es_bands_place(d->plot->calls, d->plot->n_calls, &options, &d->bands);
	if (r < 0)
		return r;
	give_colours(d);
	d->frame.bands_y = head;
	d->frame.row_height = row;
	d->frame.y = head + d->bands.n_rows * row + 20;
	d->frame.height = height - foot - d->frame.y;
	if (es_plot_shows_limit(d->plot) && d->plot->limit_mw > top_mw)
		top_mw = d->plot->limit_mw;
	es_power_axis_choose(top_mw, (unsigned)(d->frame.height / POWER_TICK_PT), &d->power);
	es_time_axis_choose(d->plot->stop_ns - d->plot->start_ns,
			    (unsigned)(d->frame.width / TICK_GAP_PT), &d->time);
	d->frame.top_mw = d->power.top_mw;
	d->frame.time_unit_ns = d->time.unit_ns;
	d->frame.n_rows = d->bands.n_rows;
	return 0;
}

static void draw_head(struct drawing *d, const struct es_plot_look *look)
{
	static const struct es_font title = { .size_pt = 22, .ink = ES_INK_TEXT, .is_bold = true };
	static const struct es_font below = { .size_pt = 14, .ink = ES_INK_MUTED };
	double width = d->scene->width_pt - 2 * MARGIN_PT;

	es_scene_text_within(d->scene, MARGIN_PT, 38, width, &title,
			     look->title ? look->title : d->words.title);
	es_scene_text_within(d->scene, MARGIN_PT, 60, width, &below, d->words.below);
}

static void draw_nothing(struct drawing *d)
{
	const struct es_font font = { .size_pt = 18,
				      .ink = ES_INK_MUTED,
				      .anchor = ES_ANCHOR_MIDDLE };
	const char *text = d->plot->n_columns == 0 ? "no readings: nothing was measured here"
			   : d->plot->n_lines	   ? ""
						   : "no meter gave energy that can be trusted";

	es_scene_text(d->scene, d->frame.x + d->frame.width / 2, d->frame.y + d->frame.height / 2,
		      &font, text);
}

int es_plot_scene(const struct es_plot *plot, const struct es_plot_look *look, struct es_scene *ret,
		  struct es_plot_frame *ret_frame)
{
	struct drawing d = { .plot = plot,
			     .scene = ret,
			     .offset_ns = plot->start_ns - plot->report->start_ns };
	const struct es_style paper = { .fill = ES_INK_PAPER };
	int r;

	es_scene_init(ret, look->width_pt > 0 ? look->width_pt : WIDTH_PT,
		      look->height_pt > 0 ? look->height_pt : HEIGHT_PT);
	es_plot_say(plot, &d.words);
	r = lay_out(&d, look);
	if (r < 0)
		return r;
	es_scene_rect(ret, 0, 0, ret->width_pt, ret->height_pt, &paper);
	if (!look->is_bare)
		draw_head(&d, look);
	if (plot->n_columns > 0) {
		draw_power_axis(&d);
		draw_curves(&d);
		draw_guides(&d);
		draw_bands(&d);
		draw_time_axis(&d);
		draw_time_title(&d);
	}
	if (plot->n_layers == 0)
		draw_nothing(&d);
	es_plot_draw_keys(&d);
	if (!look->is_bare)
		es_plot_draw_foot(&d);
	if (ret_frame)
		*ret_frame = d.frame;
	es_bands_finish(&d.bands);
	return ret->error;
}
