/*
 * place_map_scene.c - the matrix of a placement as a picture
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "cli/place_map.h"

#define EDGE 24.0
#define TOP 120.0
#define ROW 22.0
#define FOOT 30.0 /* what is in each class */
#define LEGEND 74.0
#define NAMES_LEAST 90.0
#define NAMES_MOST 260.0
#define LEAST_WIDTH 640.0
#define STEPS 5
#define STRONGEST 78.0 /* percent of the colour: letters stay legible on it */

struct canvas {
	const struct es_place_map *map;
	struct es_scene *scene;
	double left, column, bottom; /* where the matrix begins and ends; width of a column */
};

static enum es_ink heat_ink(void)
{
	return (enum es_ink)(ES_INK_SERIES + 5 * ES_INK_N_SHADES); /* vermillion */
}

static struct es_style heat(const struct es_place_map *map, double above)
{
	struct es_style style = { .fill = heat_ink(), .stroke = ES_INK_PAPER, .stroke_pt = 1 };
	double share = fmin(fmax(above, 0) / map->most, 1);

	style.opacity_percent = (unsigned)lround(STRONGEST * share);
	if (style.opacity_percent == 0)
		style.fill = ES_INK_PAPER;
	return style;
}

static const struct es_style closed = {
	.fill = ES_INK_GAP, .hatch = ES_INK_GAP_LINE, .stroke = ES_INK_PAPER, .stroke_pt = 1
};
static const struct es_style chosen = { .stroke = ES_INK_TEXT, .stroke_pt = 2, .radius_pt = 2 };

/* Whole percents, and below ten a decimal: columns are narrow. */
static void put_percent(double above, char text[static 24])
{
	double percent = 100 * above;

	(void)snprintf(text, 24,
		       percent < 0.05	? "0"
		       : percent < 9.95 ? "+%.1f"
					: "+%.0f",
		       percent);
}

static void draw_cell(struct canvas *canvas, size_t i, size_t j, double y)
{
	const struct es_placing *placing = canvas->map->placing;
	const struct es_place_problem *problem = &placing->problem;
	enum es_place_why why = (enum es_place_why)problem->why[i * problem->m + j];
	double x = canvas->left + (double)j * canvas->column;
	struct es_font font = {
		.size_pt = 11, .ink = ES_INK_TEXT, .anchor = ES_ANCHOR_MIDDLE, .has_halo = true
	};
	bool is_here = placing->place.at[i] == j;
	struct es_style style = why == ES_PLACE_OPEN
					? heat(canvas->map, es_place_map_above(canvas->map, i, j))
					: closed;
	char text[24] = { es_place_map_letter(why) }, hint[400], shown[32];

	es_scene_rect(canvas->scene, x, y, canvas->column, ROW, &style);
	if (why == ES_PLACE_OPEN) {
		put_percent(es_place_map_above(canvas->map, i, j), text);
		(void)snprintf(hint, sizeof(hint), "%.100s in %.100s: %.6g kWh%s",
			       placing->energies.configurations.texts[i],
			       placing->energies.classes.texts[j],
			       es_placing_kwh(problem->energy_nkwh[i * problem->m + j]),
			       is_here ? ", chosen" : "");
	} else {
		(void)snprintf(hint, sizeof(hint), "%.100s in %.100s: %s",
			       placing->energies.configurations.texts[i],
			       placing->energies.classes.texts[j], es_place_map_reason(why));
	}
	es_scene_hint(canvas->scene, hint);
	font.is_bold = is_here;
	(void)snprintf(shown, sizeof(shown), "%s%s", text,
		       es_place_map_is_tie(canvas->map, i, j) ? " ≈" : "");
	es_scene_text_within(canvas->scene, x + canvas->column / 2, y + ROW - 7, canvas->column,
			     &font, shown);
}

static void draw_rows(struct canvas *canvas)
{
	const struct es_placing *placing = canvas->map->placing;
	const struct es_font name = { .size_pt = 12, .ink = ES_INK_TEXT, .anchor = ES_ANCHOR_END };

	for (size_t k = 0; k < canvas->map->n_rows; k++) {
		size_t i = canvas->map->rows[k];
		double y = TOP + (double)k * ROW;

		es_scene_text_within(canvas->scene, canvas->left - 8, y + ROW - 7,
				     canvas->left - EDGE - 8, &name,
				     placing->energies.configurations.texts[i]);
		for (size_t j = 0; j < placing->problem.m; j++)
			draw_cell(canvas, i, j, y);
	}
	/* Over all cells, so that no neighbour covers a frame. */
	for (size_t k = 0; k < canvas->map->n_rows; k++)
		es_scene_rect(canvas->scene,
			      canvas->left +
				      placing->place.at[canvas->map->rows[k]] * canvas->column + 1,
			      TOP + (double)k * ROW + 1, canvas->column - 2, ROW - 2, &chosen);
}

/* Names above, in two lines by turns where columns are narrow; what each class holds below. */
static void draw_classes(struct canvas *canvas)
{
	const struct es_placing *placing = canvas->map->placing;
	const struct es_font name = { .size_pt = 12,
				      .ink = ES_INK_TEXT,
				      .anchor = ES_ANCHOR_MIDDLE };
	const struct es_font foot = { .size_pt = 11,
				      .ink = ES_INK_MUTED,
				      .anchor = ES_ANCHOR_MIDDLE };
	const struct es_font label = { .size_pt = 12,
				       .ink = ES_INK_MUTED,
				       .anchor = ES_ANCHOR_END };
	bool is_staggered = false;
	char text[64];

	for (size_t j = 0; j < placing->problem.m && placing->problem.m > 1; j++)
		is_staggered = is_staggered || es_text_width(placing->energies.classes.texts[j],
							     &name) > canvas->column - 6;
	for (size_t j = 0; j < placing->problem.m; j++) {
		struct es_placing_filled in = es_placing_filled(placing, j);
		double x = canvas->left + ((double)j + 0.5) * canvas->column;

		es_scene_text_within(canvas->scene, x, TOP - 8 - (is_staggered && j % 2 ? 15 : 0),
				     canvas->column * (is_staggered ? 2 : 1) - 6, &name,
				     placing->energies.classes.texts[j]);
		if (placing->problem.is_by_time || placing->capacity[j] < 0)
			(void)snprintf(text, sizeof(text), "%zu", in.n);
		else
			(void)snprintf(text, sizeof(text), "%zu of %lld", in.n,
				       (long long)placing->capacity[j]);
		es_scene_text_within(canvas->scene, x, canvas->bottom + 18, canvas->column, &foot,
				     text);
	}
	es_scene_text(canvas->scene, canvas->left - 8, canvas->bottom + 18, &label, "placed");
}

static double draw_key(struct canvas *canvas, double x, const struct es_style *style,
		       const char *letter, const char *words)
{
	const struct es_font font = { .size_pt = 12, .ink = ES_INK_TEXT };
	const struct es_font within = {
		.size_pt = 11, .ink = ES_INK_TEXT, .anchor = ES_ANCHOR_MIDDLE, .has_halo = true
	};
	double y = canvas->bottom + FOOT + 34;

	es_scene_rect(canvas->scene, x, y, 22, 18, style);
	if (letter[0])
		es_scene_text(canvas->scene, x + 11, y + 13, &within, letter);
	es_scene_text(canvas->scene, x + 28, y + 13, &font, words);
	return x + 28 + es_text_width(words, &font) + 16;
}

static void draw_scale(struct canvas *canvas)
{
	const struct es_font font = { .size_pt = 12, .ink = ES_INK_TEXT };
	const struct es_font tick = {
		.size_pt = 11, .ink = ES_INK_TEXT, .anchor = ES_ANCHOR_MIDDLE, .has_halo = true
	};
	static const char words[] = "% above the least of the row:";
	double x = EDGE + es_text_width(words, &font) + 8, y = canvas->bottom + FOOT + 8;
	char text[24], shown[28];

	es_scene_text(canvas->scene, EDGE, y + 13, &font, words);
	for (int i = 0; i <= STEPS; i++) {
		double above = canvas->map->most * i / STEPS;
		struct es_style style = heat(canvas->map, above);

		style.stroke = ES_INK_GRID;
		es_scene_rect(canvas->scene, x + i * 52.0, y, 52, 18, &style);
		put_percent(above, text);
		(void)snprintf(shown, sizeof(shown), "%s%s",
			       i == STEPS && canvas->map->is_cut ? "≥ " : "", text);
		es_scene_text(canvas->scene, x + i * 52.0 + 26, y + 13, &tick, shown);
	}
}

static void draw_keys(struct canvas *canvas)
{
	const struct es_place_problem *problem = &canvas->map->placing->problem;
	bool is_there[ES_PLACE_LARGE + 1] = { false };
	double x = draw_key(canvas, EDGE, &chosen, "", "chosen");

	if (canvas->map->placing->n_ties > 0)
		x = draw_key(canvas, x, &(struct es_style){ .fill = ES_INK_PAPER }, "≈",
			     "as good, within the noise");
	for (size_t k = 0; k < canvas->map->n_rows; k++)
		for (size_t j = 0; j < problem->m; j++)
			is_there[problem->why[canvas->map->rows[k] * problem->m + j]] = true;
	for (int why = ES_PLACE_UNKNOWN; why <= ES_PLACE_LARGE; why++) {
		const char letter[] = { es_place_map_letter((enum es_place_why)why), '\0' };

		if (is_there[why])
			x = draw_key(canvas, x, &closed, letter,
				     es_place_map_reason((enum es_place_why)why));
	}
}

static void draw_title(struct canvas *canvas)
{
	const struct es_placing *placing = canvas->map->placing;
	const struct es_place *place = &placing->place;
	const struct es_font title = { .size_pt = 16, .ink = ES_INK_TEXT, .is_bold = true };
	const struct es_font line = { .size_pt = 13, .ink = ES_INK_MUTED };
	double alone = (double)es_placing_alone(placing);
	char text[200];
	int n;

	(void)snprintf(text, sizeof(text), "%zu configurations on %zu classes of servers: %.6g kWh",
		       placing->problem.n, placing->problem.m, es_placing_kwh(place->energy_nkwh));
	es_scene_text_within(canvas->scene, EDGE, 30, canvas->scene->width_pt - 2 * EDGE, &title,
			     text);
	n = snprintf(text, sizeof(text), "%.2g %% above the sum of each alone in its best class",
		     100 * ((double)place->energy_nkwh - alone) / alone);
	if (place->bound_nkwh < place->energy_nkwh && place->bound_nkwh > 0)
		(void)snprintf(text + n, sizeof(text) - (size_t)n,
			       "; at most %.2g %% above the least", 100 * es_placing_gap(place));
	else
		(void)snprintf(text + n, sizeof(text) - (size_t)n, "; no placement takes less");
	es_scene_text_within(canvas->scene, EDGE, 50, canvas->scene->width_pt - 2 * EDGE, &line,
			     text);
	if (canvas->map->n_others == 0)
		return;
	(void)snprintf(text, sizeof(text),
		       "shown: the %zu that take most above their own best; %zu others not",
		       canvas->map->n_rows, canvas->map->n_others);
	es_scene_text_within(canvas->scene, EDGE, 68, canvas->scene->width_pt - 2 * EDGE, &line,
			     text);
}

int es_place_map_scene(const struct es_place_map *map, struct es_scene *ret)
{
	const struct es_placing *placing = map->placing;
	const struct es_font name = { .size_pt = 12 };
	const struct es_style ground = { .fill = ES_INK_PAPER };
	size_t m = placing->problem.m;
	struct canvas canvas = { .map = map, .scene = ret, .column = m <= 6 ? 96 : 52 };
	double names = NAMES_LEAST, width;

	for (size_t k = 0; k < map->n_rows; k++)
		names = fmax(names,
			     es_text_width(placing->energies.configurations.texts[map->rows[k]],
					   &name));
	canvas.left = EDGE + fmin(names, NAMES_MOST) + 12;
	canvas.column =
		fmax(canvas.column, fmin((LEAST_WIDTH - canvas.left - EDGE) / (double)m, 150));
	canvas.bottom = TOP + (double)map->n_rows * ROW;
	width = fmax(canvas.left + (double)m * canvas.column + EDGE, LEAST_WIDTH);
	es_scene_init(ret, width, canvas.bottom + FOOT + LEGEND);
	es_scene_rect(ret, 0, 0, width, ret->height_pt, &ground);
	draw_title(&canvas);
	draw_classes(&canvas);
	draw_rows(&canvas);
	draw_scale(&canvas);
	draw_keys(&canvas);
	return ret->error;
}
