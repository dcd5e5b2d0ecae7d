/*
 * simulate_picture.c - a replayed trace as a picture: jobs on processors, power, those that wait, carbon and price
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/simulate_picture.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/parse.h"

#define WIDTH 1140.0
#define LEFT 76.0
#define RIGHT (WIDTH - LEFT - ES_VIEW_COLUMNS)
#define HEAD 58.0
#define FOOT 50.0
#define KEYS 26.0 /* above each panel: its name and its keys */
#define JOBS_HIGH 300.0
#define POWER_HIGH 120.0
#define WAITING_HIGH 64.0
#define RATES_HIGH 56.0
#define TICKS 12U
#define OUTLINE_MIN_PT 3.0
#define SHADES 5U /* of a cell: by how much of it is in use */

static const struct es_font name_font = { .size_pt = 13, .ink = ES_INK_TEXT, .is_bold = true };
static const struct es_font key_font = { .size_pt = 12, .ink = ES_INK_TEXT };
static const struct es_font tick_font = { .size_pt = 11,
					  .ink = ES_INK_MUTED,
					  .anchor = ES_ANCHOR_END };
static const struct es_style grid_style = { .stroke = ES_INK_GRID, .stroke_pt = 0.8 };

struct drawing {
	struct es_scene *scene;
	const struct es_simulate_view *view;
	struct es_view_tick ticks[TICKS + 2];
	size_t n_ticks;
	double key_x; /* where the next key goes */
};

/* A part of the picture, from @low at its foot to @high at its head. */
struct panel {
	double y, height, low, high;
};

static double x_of(const struct drawing *d, int64_t t_s)
{
	double share = (double)(t_s - d->view->from_s) / (double)(d->view->to_s - d->view->from_s);

	return LEFT + ES_VIEW_COLUMNS * fmin(fmax(share, 0), 1);
}

static double y_of(const struct panel *panel, double value)
{
	double share = (value - panel->low) / (panel->high - panel->low);

	return panel->y + panel->height * (1 - fmin(fmax(share, 0), 1));
}

static void name_panel(struct drawing *d, const struct panel *panel, const char *name)
{
	es_scene_text(d->scene, LEFT, panel->y - 8, &name_font, name);
	d->key_x = LEFT + es_text_width(name, &name_font) + 24;
}

static void put_key(struct drawing *d, const struct panel *panel, const struct es_style *style,
		    const char *text)
{
	double y = panel->y - 12;

	if (style->fill || style->hatch)
		es_scene_rect(d->scene, d->key_x, y - 5, 14, 10, style);
	else
		es_scene_line(d->scene, d->key_x, y, d->key_x + 14, y, style);
	es_scene_text_within(d->scene, d->key_x + 20, y + 4, WIDTH - d->key_x - 20, &key_font,
			     text);
	d->key_x += 20 + es_text_width(text, &key_font) + 18;
}

static void put_grid(struct drawing *d, const struct panel *panel)
{
	const struct es_style frame = { .stroke = ES_INK_MUTED, .stroke_pt = 0.8 };

	for (size_t i = 0; i < d->n_ticks; i++) {
		double x = x_of(d, d->ticks[i].t_s);

		es_scene_line(d->scene, x, panel->y, x, panel->y + panel->height, &grid_style);
	}
	es_scene_line(d->scene, LEFT, panel->y + panel->height, LEFT + ES_VIEW_COLUMNS,
		      panel->y + panel->height, &frame);
}

/* Ticks at multiples of @step, told as @per of them. */
static void put_scale(struct drawing *d, const struct panel *panel, double step, double per)
{
	for (double v = ceil(panel->low / step); v * step <= panel->high * (1 + 1e-9); v++) {
		double y = y_of(panel, v * step);
		char text[32];

		(void)snprintf(text, sizeof(text), "%.6g", v * step / per + 0.0); /* no -0 */
		es_scene_line(d->scene, LEFT, y, LEFT + ES_VIEW_COLUMNS, y, &grid_style);
		es_scene_text(d->scene, LEFT - 8, y + 4, &tick_font, text);
	}
}

static void put_wait(int64_t wait_s, char *text, size_t size)
{
	if (wait_s < 120)
		(void)snprintf(text, size, "%" PRId64 " s", wait_s);
	else if (wait_s < 7200)
		(void)snprintf(text, size, "%.1f min", (double)wait_s / 60);
	else
		(void)snprintf(text, size, "%.1f h", (double)wait_s / 3600);
}

static void draw_piece(struct drawing *d, const struct panel *panel,
		       const struct es_view_piece *piece)
{
	const struct es_simulate_start *job = piece->job;
	const struct es_simulate_view *view = d->view;
	double left = x_of(d, job->start_s), right = x_of(d, job->end_s);
	double top = y_of(panel, (double)piece->first + piece->n),
	       bottom = y_of(panel, piece->first);
	struct es_style style = { .fill = view->classes[es_simulate_view_class(view, job)].ink };
	char wait[32], run[32], text[160];

	if (right - left >= OUTLINE_MIN_PT && bottom - top >= OUTLINE_MIN_PT) {
		style.stroke = ES_INK_PAPER;
		style.stroke_pt = 0.5;
	}
	es_scene_rect(d->scene, left, top, right - left, bottom - top, &style);
	put_wait(job->start_s - job->submit_s, wait, sizeof(wait));
	put_wait(job->end_s - job->start_s, run, sizeof(run));
	(void)snprintf(text, sizeof(text),
		       "job %" PRIu64 ": %" PRIu32 " processor%s, waited %s, ran %s", job->id,
		       job->procs, job->procs == 1 ? "" : "s", wait, run);
	es_scene_hint(d->scene, text);
}

/* What is drawn of a cell; 0: nothing. */
static unsigned look_of(const struct es_simulate_view *view, size_t row, size_t column)
{
	double share;
	size_t class = es_simulate_view_cell(view, row, column, &share);
	unsigned shade = (unsigned)(fmin(share, 1) * SHADES + 0.5);

	return shade ? (unsigned)class * SHADES + shade : 0;
}

/* Equal cells side by side, and equal runs of them below each other, are one rectangle. */
struct run {
	size_t first_row;
	size_t end; /* column behind it; 0: there is none */
	unsigned look;
};

/* Of a PNG, so that there is no seam between neighbours. */
static double at_pixel(double y)
{
	return floor(2 * y + 0.5) / 2;
}

static void draw_run(struct drawing *d, const struct panel *panel, size_t column,
		     const struct run *run, size_t end_row)
{
	const struct es_simulate_view *view = d->view;
	double high = (double)end_row * view->procs_per_row;
	double top = at_pixel(y_of(panel, fmin(high, view->procs))),
	       bottom = at_pixel(y_of(panel, (double)run->first_row * view->procs_per_row));
	unsigned shade = (run->look - 1) % SHADES + 1;
	const struct es_style style = { .fill = view->classes[(run->look - 1) / SHADES].ink,
					.opacity_percent = shade == SHADES ? 0
									   : shade * 100 / SHADES };

	es_scene_rect(d->scene, LEFT + (double)column, top, (double)(run->end - column),
		      bottom - top, &style);
}

static void draw_cells(struct drawing *d, const struct panel *panel)
{
	const struct es_simulate_view *view = d->view;
	struct run *open = calloc(view->n_columns, sizeof(*open)); /* by its first column */

	if (!open) {
		d->scene->error = -ENOMEM;
		return;
	}
	for (size_t row = 0; row < view->n_rows; row++) {
		size_t end, from = 0;

		for (size_t column = 0; column < view->n_columns; column = end) {
			unsigned look = look_of(view, row, column);

			for (end = column + 1;
			     end < view->n_columns && look_of(view, row, end) == look; end++)
				;
			if (open[column].end == end && open[column].look == look)
				continue;
			/* What is open above any of these columns ends here. */
			while (from < column && open[from].end <= column)
				from++;
			for (size_t i = from; i < end; i++) {
				if (open[i].end <= column)
					continue;
				draw_run(d, panel, i, &open[i], row);
				open[i].end = 0;
			}
			if (look)
				open[column] =
					(struct run){ .first_row = row, .end = end, .look = look };
		}
	}
	for (size_t i = 0; i < view->n_columns; i++)
		if (open[i].end)
			draw_run(d, panel, i, &open[i], view->n_rows);
	free(open);
}

/* Where the machine is of several classes: where each begins, and its name. */
static void draw_classes(struct drawing *d, const struct panel *panel)
{
	const struct es_simulate_machine *machine = &d->view->sim->machine;
	const struct es_style edge = { .stroke = ES_INK_TEXT, .stroke_pt = 1.2 };
	const struct es_font font = {
		.size_pt = 12, .ink = ES_INK_TEXT, .is_bold = true, .has_halo = true
	};
	double low = 0;

	for (unsigned i = 0; machine->is_named && i < machine->n; i++) {
		double y = y_of(panel, low + machine->classes[i].procs);

		if (i + 1 < machine->n)
			es_scene_line(d->scene, LEFT, y, LEFT + ES_VIEW_COLUMNS, y, &edge);
		es_scene_text_within(d->scene, LEFT + 6, y + 15, ES_VIEW_COLUMNS / 2.0, &font,
				     machine->names[i]);
		low += machine->classes[i].procs;
	}
}

static bool goes_off(const struct es_simulate *sim)
{
	for (unsigned i = 0; i < sim->machine.n; i++)
		if (sim->machine.classes[i].node.procs > 0 &&
		    sim->machine.classes[i].node.timeout_s >= 0)
			return true;
	return false;
}

static void draw_jobs(struct drawing *d, struct panel *panel)
{
	const struct es_simulate_view *view = d->view;
	const struct es_style ground = { .fill = ES_INK_GAP };
	double step = es_simulate_view_step(view->procs, 6, true);
	char words[64];

	(void)snprintf(words, sizeof(words), "%s%s", goes_off(view->sim) ? "idle or off" : "idle",
		       view->has_too_many ? "; pale: in part" : "");
	panel->low = 0;
	panel->high = view->procs;
	name_panel(d, panel, "processors");
	for (size_t i = 0; i < view->n_classes; i++)
		put_key(d, panel, &(struct es_style){ .fill = view->classes[i].ink },
			view->classes[i].name);
	put_key(d, panel, &ground, words);
	es_scene_rect(d->scene, LEFT, panel->y, ES_VIEW_COLUMNS, panel->height, &ground);
	es_scene_group(d->scene, "jobs");
	if (view->has_too_many)
		draw_cells(d, panel);
	else
		for (size_t i = 0; i < view->n_pieces; i++)
			draw_piece(d, panel, &view->pieces[i]);
	es_scene_group_end(d->scene);
	draw_classes(d, panel);
	if (view->procs % 4 == 0) /* as machines are built */
		step = view->procs / 4.0;
	for (unsigned i = 0; i * step <= view->procs; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "%.0f", i * step);
		es_scene_text(d->scene, LEFT - 8, y_of(panel, i * step) + 4, &tick_font, text);
	}
}

/* A curve of one member of the columns: mean or most. */
typedef double (*value_fn)(const struct es_simulate_column *column);

static double jobs_w(const struct es_simulate_column *c)
{
	return c->jobs_w;
}

static double all_w(const struct es_simulate_column *c)
{
	return c->jobs_w + c->rest_w;
}

static double most_w(const struct es_simulate_column *c)
{
	return c->most_w;
}

static double busy(const struct es_simulate_column *c)
{
	return c->busy;
}

static double waiting(const struct es_simulate_column *c)
{
	return c->waiting;
}

static double waiting_or_held(const struct es_simulate_column *c)
{
	return c->waiting + c->held;
}

static double most_waiting(const struct es_simulate_column *c)
{
	return c->most_waiting;
}

static void draw_curve(struct drawing *d, const struct panel *panel, value_fn value,
		       const struct es_style *style)
{
	const struct es_simulate_view *view = d->view;
	bool is_area = style->fill != ES_INK_NONE;

	es_scene_begin(d->scene, is_area ? ES_MARK_AREA : ES_MARK_LINE, style);
	if (is_area)
		es_scene_point(d->scene, LEFT, y_of(panel, 0));
	for (size_t i = 0; i < view->n_columns; i++) {
		double y = y_of(panel, value(&view->columns[i]));

		/* A level stretch is its two ends. */
		if (i == 0 || fabs(y - y_of(panel, value(&view->columns[i - 1]))) > 1e-9)
			es_scene_point(d->scene, LEFT + (double)i, y);
		if (i + 1 == view->n_columns ||
		    fabs(y - y_of(panel, value(&view->columns[i + 1]))) > 1e-9)
			es_scene_point(d->scene, LEFT + (double)(i + 1), y);
	}
	if (is_area)
		es_scene_point(d->scene, LEFT + ES_VIEW_COLUMNS, y_of(panel, 0));
}

static bool has_peaks(const struct es_simulate_view *view)
{
	for (size_t i = 0; i < view->n_columns; i++)
		if (view->columns[i].most_w > 1.005 * all_w(&view->columns[i]) + 0.01)
			return true;
	return false;
}

static void draw_cap(struct drawing *d, const struct panel *panel)
{
	const struct es_style style = { .stroke = ES_INK_LIMIT,
					.stroke_pt = 1.4,
					.is_dashed = true };
	double y = y_of(panel, (double)d->view->sim->cap_mw / 1e3);
	char text[48], watts[ES_AXIS_TEXT_BYTES];

	es_scene_line(d->scene, LEFT, y, LEFT + ES_VIEW_COLUMNS, y, &style);
	(void)snprintf(text, sizeof(text), "cap %s",
		       es_watt_text((uint64_t)d->view->sim->cap_mw, watts));
	put_key(d, panel, &style, text);
}

static void draw_power(struct drawing *d, struct panel *panel)
{
	const struct es_simulate_view *view = d->view;
	const struct es_style jobs = { .fill = es_ink_of_domain(ES_DOMAIN_PACKAGE, 0) },
			      rest = { .fill = es_ink_of_domain(ES_DOMAIN_PACKAGE, 3) },
			      peak = { .stroke = ES_INK_MUTED, .stroke_pt = 0.8 };
	struct es_power_axis axis;
	char name[40];

	es_power_axis_choose((uint64_t)(1e3 * es_simulate_view_most_w(view) * 1.03), 5, &axis);
	panel->low = 0;
	panel->high = (double)axis.top_mw / 1e3;
	(void)snprintf(name, sizeof(name), "power, %s", axis.unit);
	name_panel(d, panel, name);
	put_scale(d, panel, (double)axis.step_mw / 1e3, (double)axis.unit_mw / 1e3);
	put_grid(d, panel);
	draw_curve(d, panel, all_w, &rest);
	draw_curve(d, panel, jobs_w, &jobs);
	put_key(d, panel, &jobs, "processors with jobs");
	put_key(d, panel, &rest, "all others");
	if (has_peaks(view)) {
		draw_curve(d, panel, most_w, &peak);
		put_key(d, panel, &peak, "the most at any moment");
	}
	if (view->sim->options.has_cap)
		draw_cap(d, panel);
}

/* Where powers are not known: how much of the machine is in use. */
static void draw_use(struct drawing *d, struct panel *panel)
{
	const struct es_style style = { .fill = es_ink_of_domain(ES_DOMAIN_PACKAGE, 0) };

	panel->low = 0;
	panel->high = d->view->procs;
	name_panel(d, panel, "processors in use");
	put_scale(d, panel, es_simulate_view_step(panel->high, 4, true), 1);
	put_grid(d, panel);
	draw_curve(d, panel, busy, &style);
}

static void draw_waiting(struct drawing *d, struct panel *panel)
{
	const struct es_style known = { .fill = es_ink_of_domain(ES_DOMAIN_DRAM, 0) },
			      held = { .fill = es_ink_of_domain(ES_DOMAIN_GPU, 3) },
			      peak = { .stroke = ES_INK_MUTED, .stroke_pt = 0.8 };
	double most = 1;

	for (size_t i = 0; i < d->view->n_columns; i++)
		most = fmax(most, d->view->columns[i].most_waiting);
	panel->low = 0;
	panel->high = most * 1.05;
	name_panel(d, panel, "jobs waiting");
	put_scale(d, panel, es_simulate_view_step(most, 3, true), 1);
	put_grid(d, panel);
	if (d->view->sim->trace.held) {
		draw_curve(d, panel, waiting_or_held, &held);
		put_key(d, panel, &held, "held back");
	}
	draw_curve(d, panel, waiting, &known);
	put_key(d, panel, &known, "for processors or watts, mean");
	draw_curve(d, panel, most_waiting, &peak);
	put_key(d, panel, &peak, "the most");
}

static void draw_rates(struct drawing *d, struct panel *panel, const struct es_view_rates *rates,
		       unsigned number)
{
	const struct es_style style = { .stroke = (enum es_ink)(ES_INK_LINE + 1 + number),
					.stroke_pt = 1.6 };
	double span, step;
	bool is_open = false;
	char name[64];

	(void)snprintf(name, sizeof(name), "%s, %s", rates->name, rates->unit);
	panel->low = fmin(0, rates->low);
	panel->high = fmax(rates->high, panel->low + 1e-9);
	span = panel->high - panel->low;
	panel->high += 0.06 * span;
	panel->low -= panel->low < 0 ? 0.06 * span : 0;
	step = es_simulate_view_step(span, 3, false);
	name_panel(d, panel, name);
	put_scale(d, panel, step, 1);
	put_grid(d, panel);
	for (size_t i = 0; i < d->view->n_columns; i++) {
		if (isnan(rates->values[i])) {
			is_open = false;
			continue;
		}
		if (!is_open)
			es_scene_begin(d->scene, ES_MARK_LINE, &style);
		is_open = true;
		es_scene_point(d->scene, LEFT + (double)i, y_of(panel, rates->values[i]));
		es_scene_point(d->scene, LEFT + (double)(i + 1), y_of(panel, rates->values[i]));
	}
}

static void draw_time(struct drawing *d, double y)
{
	const struct es_font plain = { .size_pt = 12,
				       .ink = ES_INK_TEXT,
				       .anchor = ES_ANCHOR_MIDDLE },
			     end = { .size_pt = 12, .ink = ES_INK_MUTED, .anchor = ES_ANCHOR_END };
	struct es_font day = plain;
	char unit[64];

	day.is_bold = true;
	for (size_t i = 0; i < d->n_ticks; i++) {
		const struct es_font *font = d->ticks[i].is_day ? &day : &plain;
		double half = es_text_width(d->ticks[i].text, font) / 2;

		/* At the edge a day's name is wider than what is left of the picture. */
		es_scene_text(d->scene, fmin(x_of(d, d->ticks[i].t_s), WIDTH - 4 - half), y + 17,
			      font, d->ticks[i].text);
	}
	es_simulate_view_unit(d->view, TICKS, unit, sizeof(unit));
	es_scene_text(d->scene, LEFT + ES_VIEW_COLUMNS, y + 36, &end, unit);
}

static void draw_head(struct drawing *d)
{
	const struct es_font title = { .size_pt = 17, .ink = ES_INK_TEXT, .is_bold = true };
	const struct es_font below = { .size_pt = 12.5, .ink = ES_INK_MUTED };
	char text[256], said[512];

	es_simulate_view_title(d->view, text, sizeof(text));
	es_simulate_view_say(d->view, said, sizeof(said));
	es_scene_text_within(d->scene, 20, 28, WIDTH - 40, &title, text);
	es_scene_text_within(d->scene, 20, 48, WIDTH - 40, &below, said);
}

int es_simulate_scene(const struct es_simulate_view *view, struct es_scene *ret)
{
	struct drawing d = { .scene = ret, .view = view };
	const struct es_style ground = { .fill = ES_INK_PAPER };
	double height = HEAD + 3 * KEYS + JOBS_HIGH + POWER_HIGH + WAITING_HIGH +
			(double)view->n_rates * (KEYS + RATES_HIGH) + FOOT;
	struct panel panel = { .y = HEAD + KEYS, .height = JOBS_HIGH };

	es_scene_init(ret, WIDTH, height);
	d.n_ticks = es_simulate_view_ticks(view, TICKS, d.ticks);
	es_scene_rect(ret, 0, 0, WIDTH, height, &ground);
	draw_head(&d);
	draw_jobs(&d, &panel);
	panel.y += panel.height + KEYS;
	panel.height = POWER_HIGH;
	if (view->sim->power.is_known)
		draw_power(&d, &panel);
	else
		draw_use(&d, &panel);
	panel.y += panel.height + KEYS;
	panel.height = WAITING_HIGH;
	draw_waiting(&d, &panel);
	for (unsigned i = 0; i < view->n_rates; i++) {
		panel.y += panel.height + KEYS;
		panel.height = RATES_HIGH;
		draw_rates(&d, &panel, &view->rates[i], i);
	}
	draw_time(&d, panel.y + panel.height);
	return ret->error;
}
