/*
 * plot_keys.c - beside and below a picture: what the colours mean, and the small print
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "format/plot_scene.h"

#define ROW_PT 34.0 /* of an entry with two lines */
#define ROW_TIGHT_PT 18.0
#define SWATCH_PT 13.0
#define FOOT_LINE_PT 12.0

static const struct es_font name_font = { .size_pt = 13, .ink = ES_INK_TEXT };
static const struct es_font note_font = { .size_pt = 11.5, .ink = ES_INK_MUTED };

struct keys {
	struct drawing *d;
	double y, bottom, row;
	unsigned n; /* groups drawn */
};

static double text_x(const struct keys *keys)
{
	return keys->d->keys_x + SWATCH_PT + 8;
}

static double text_width(const struct keys *keys)
{
	return keys->d->keys_width - SWATCH_PT - 8;
}

/* "152 W · 19.1 kJ · estimated" */
static void curve_note(const struct es_plot_curve *curve, char *text, size_t size)
{
	char power[ES_AXIS_TEXT_BYTES], energy[ES_AXIS_TEXT_BYTES], kind[64];

	es_plot_curve_note(curve, kind, sizeof(kind));
	(void)snprintf(text, size, "%s · %s%s%s", es_watt_text(curve->mean_mw, power),
		       es_energy_text(es_j_from_uj(curve->energy_uj), energy), kind[0] ? " · " : "",
		       kind);
}

static void put_words(struct keys *keys, const char *name, const char *note)
{
	struct es_scene *scene = keys->d->scene;
	char both[3 * ES_NAME_MAX_BYTES];

	if (keys->row >= ROW_PT - 6) {
		es_scene_text_within(scene, text_x(keys), keys->y + 11, text_width(keys),
				     &name_font, name);
		es_scene_text_within(scene, text_x(keys), keys->y + 25, text_width(keys),
				     &note_font, note);
		return;
	}
	(void)snprintf(both, sizeof(both), "%s%s%s", name, note[0] ? "  " : "", note);
	es_scene_text_within(scene, text_x(keys), keys->y + 11, text_width(keys), &note_font, both);
}

static void put_layer(struct keys *keys, const struct es_plot_curve *curve)
{
	const struct es_style style = es_plot_curve_style(curve);
	char id[16], note[128];

	(void)snprintf(id, sizeof(id), "k%u", keys->n++);
	es_scene_group(keys->d->scene, id);
	es_scene_rect(keys->d->scene, keys->d->keys_x, keys->y, SWATCH_PT, SWATCH_PT, &style);
	curve_note(curve, note, sizeof(note));
	put_words(keys, curve->name, note);
	es_scene_group_end(keys->d->scene);
	keys->y += keys->row;
}

static void put_line(struct keys *keys, const struct es_plot_curve *curve)
{
	const struct es_style style = { .stroke = curve->ink, .stroke_pt = 2.2 };
	double y = keys->y + SWATCH_PT / 2;
	char note[128];

	es_scene_line(keys->d->scene, keys->d->keys_x, y, keys->d->keys_x + SWATCH_PT, y, &style);
	curve_note(curve, note, sizeof(note));
	put_words(keys, curve->name, note);
	keys->y += keys->row;
}

static void put_sum(struct keys *keys)
{
	const struct es_plot *plot = keys->d->plot;
	const struct es_style rule = { .stroke = ES_INK_GRID, .stroke_pt = 1 };
	char power[ES_AXIS_TEXT_BYTES], energy[ES_AXIS_TEXT_BYTES], note[64];
	struct es_plot_curve sum = { .energy_uj = plot->stack_uj };

	if (plot->n_layers < 2)
		return;
	sum.mean_mw = es_mean_power_mw(sum.energy_uj, plot->stop_ns - plot->start_ns);
	es_scene_line(keys->d->scene, keys->d->keys_x, keys->y - 5,
		      keys->d->keys_x + keys->d->keys_width, keys->y - 5, &rule);
	(void)snprintf(note, sizeof(note), "%s · %s", es_watt_text(sum.mean_mw, power),
		       es_energy_text(es_j_from_uj(sum.energy_uj), energy));
	put_words(keys, "sum", note);
	keys->y += keys->row;
}

/* A swatch with one line, where there is room for it. */
static void put_small(struct keys *keys, const struct es_style *style, const char *text)
{
	if (keys->y + ROW_TIGHT_PT > keys->bottom)
		return;
	es_scene_rect(keys->d->scene, keys->d->keys_x, keys->y, SWATCH_PT, SWATCH_PT, style);
	es_scene_text_within(keys->d->scene, text_x(keys), keys->y + 10.5, text_width(keys),
			     &note_font, text);
	keys->y += ROW_TIGHT_PT;
}

/* Regions whose bands are too narrow for their names, with their energies. */
static void put_regions(struct keys *keys)
{
	const struct drawing *d = keys->d;
	bool is_drawn[ES_PLOT_NAMED_MAX] = { false };

	for (size_t i = 0; i < d->bands.n; i++)
		if (d->bands.bands[i].region < ES_PLOT_NAMED_MAX)
			is_drawn[d->bands.bands[i].region] = true;
	for (size_t i = 0; i < d->plot->report->n_regions && i < ES_PLOT_NAMED_MAX; i++) {
		const struct es_report_region *region = &d->plot->report->regions[i];
		const struct es_style style = { .fill = es_plot_region_ink(&d->frame, i),
						.stroke = ES_INK_EDGE,
						.stroke_pt = 0.6,
						.radius_pt = 2.5 };
		char text[ES_NAME_MAX_BYTES + 32], energy[ES_AXIS_TEXT_BYTES];

		if (!is_drawn[i] || d->is_named[i])
			continue;
		(void)snprintf(text, sizeof(text), "%s%s%s", region->name,
			       region->is_known ? " · " : "",
			       region->is_known
				       ? es_energy_text(es_j_from_uj(region->energy_uj), energy)
				       : "");
		put_small(keys, &style, text);
	}
}

void es_plot_draw_keys(struct drawing *d)
{
	const struct es_plot *plot = d->plot;
	const struct es_style gap = { .fill = ES_INK_GAP, .hatch = ES_INK_GAP_LINE };
	const struct es_style peak = { .fill = ES_INK_PEAK,
				       .opacity_percent = ES_PLOT_PEAK_PERCENT };
	struct keys keys = { .d = d, .y = d->frame.bands_y + 2 };
	double n = (double)(plot->n_layers + plot->n_lines + (plot->n_layers > 1));
	double room;

	keys.bottom = d->frame.y + d->frame.height + 40;
	room = keys.bottom - keys.y - 2 * ROW_TIGHT_PT;
	keys.row = n * ROW_PT <= room ? ROW_PT : fmax(room / n, ROW_TIGHT_PT);
	es_scene_group(d->scene, "keys");
	keys.n = 0;
	/* As they lie: the top of the stack first. */
	for (size_t i = plot->n_layers; i > 0; i--)
		put_layer(&keys, &plot->layers[i - 1]);
	if (plot->n_layers > 1)
		keys.y += 4;
	put_sum(&keys);
	for (size_t i = 0; i < plot->n_lines; i++)
		put_line(&keys, &plot->lines[i]);
	keys.y += 6;
	if (plot->n_gaps || plot->has_filled_columns)
		put_small(&keys, &gap, "no readings");
	if (plot->has_peaks)
		put_small(&keys, &peak, "least to most reading");
	put_regions(&keys);
	es_scene_group_end(d->scene);
}

/* Lines of at most @width, broken at spaces. */
static void put_lines(struct drawing *d, double x, double y, double width, unsigned n_max,
		      const struct es_font *font, const char *text)
{
	char line[ES_TEXT_MAX_BYTES];

	for (unsigned n = 1; text[0] && n <= n_max; n++) {
		size_t keep = 0;

		for (size_t i = 0; n < n_max && i <= strlen(text) && i < sizeof(line); i++) {
			if (text[i] != ' ' && text[i] != '\0')
				continue;
			memcpy(line, text, i);
			line[i] = '\0';
			if (es_text_width(line, font) > width)
				break;
			keep = i;
		}
		if (keep == 0)
			keep = strlen(text) < sizeof(line) ? strlen(text) : sizeof(line) - 1;
		memcpy(line, text, keep);
		line[keep] = '\0';
		es_scene_text_within(d->scene, x, y, width, font, line);
		y += FOOT_LINE_PT + 1;
		text += keep + (text[keep] == ' ');
	}
}

void es_plot_draw_foot(struct drawing *d)
{
	struct es_font font = { .size_pt = 10, .ink = ES_INK_MUTED };
	static const char maker[] = "energyscopium " ES_VERSION;
	double bottom = d->scene->height_pt - 12, left = d->frame.x - 44;
	char text[ES_TEXT_MAX_BYTES + 64];
	double width = d->scene->width_pt - 2 * left - es_text_width(maker, &font) - 24;

	(void)snprintf(text, sizeof(text), "%s", d->words.foot);
	if (d->bands.n_left_out) {
		size_t len = strlen(text);

		(void)snprintf(text + len, sizeof(text) - len,
			       " · no room for all calls of %zu region%s", d->bands.n_left_out,
			       d->bands.n_left_out == 1 ? "" : "s");
	}
	put_lines(d, left, bottom - (es_text_width(text, &font) > width ? FOOT_LINE_PT + 1 : 0),
		  width, 2, &font, text);
	font.anchor = ES_ANCHOR_END;
	es_scene_text(d->scene, d->scene->width_pt - left, bottom, &font, maker);
}
