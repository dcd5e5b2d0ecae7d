/*
 * simulate_compare_picture.c - policies compared in a picture: how long jobs wait, and what changes by how much
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/simulate_compare.h"
#include "cli/simulate_picture.h"

#define WIDTH 1040.0
#define LEFT 76.0
#define RIGHT 30.0
#define HEAD 62.0
#define WAITS_HIGH 240.0
#define WAITS_FOOT 48.0
#define CHANGES_LEFT 190.0
#define CHANGES_RIGHT 330.0
#define ROW 17.0
#define ROWS_GAP 10.0
#define FOOT 46.0
#define STEPS 400U
#define CHANGE_MAX 1.5 /* more is told, not drawn */

struct drawing {
	struct es_scene *scene;
	const struct es_policies *compare;
	double y; /* head of the part that is drawn */
	double high; /* share of jobs, or change, at the end of its scale */
	double low;
	double most_s; /* end of the scale of waits */
};

static const struct es_font name_font = { .size_pt = 13, .ink = ES_INK_TEXT, .is_bold = true };
static const struct es_font text_font = { .size_pt = 12, .ink = ES_INK_TEXT };
static const struct es_font below_font = { .size_pt = 11,
					   .ink = ES_INK_MUTED,
					   .anchor = ES_ANCHOR_MIDDLE };
static const struct es_font side_font = { .size_pt = 11,
					  .ink = ES_INK_MUTED,
					  .anchor = ES_ANCHOR_END };
static const struct es_style grid_style = { .stroke = ES_INK_GRID, .stroke_pt = 0.8 };

static enum es_ink ink_of(size_t policy)
{
	static const unsigned hues[ES_POLICIES_MAX] = { 7, 0, 5, 2, 1, 3 };

	return (enum es_ink)(ES_INK_SERIES + hues[policy] * ES_INK_N_SHADES);
}

/* The share of jobs that wait longer than @wait_s, of waits in order. */
static double share_above(const struct es_simulate *sim, double wait_s)
{
	size_t low = 0, high = sim->n_waits;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if ((double)sim->waits_s[mid] <= wait_s)
			low = mid + 1;
		else
			high = mid;
	}
	return sim->n_waits ? (double)(sim->n_waits - low) / (double)sim->n_waits : 0;
}

static double wait_x(const struct drawing *d, double wait_s)
{
	return LEFT + (WIDTH - LEFT - RIGHT) * log10(fmax(wait_s, 1)) / log10(d->most_s);
}

static double share_y(const struct drawing *d, double share)
{
	return d->y + WAITS_HIGH * (1 - share / d->high);
}

static void put_waits_scale(struct drawing *d)
{
	static const struct {
		double wait_s;
		const char *name;
	} waits[] = { { 1, "1 s" },	 { 10, "10 s" },    { 60, "1 min" },
		      { 600, "10 min" }, { 3600, "1 h" },   { 21600, "6 h" },
		      { 86400, "1 d" },	 { 604800, "7 d" }, { 2592000, "30 d" } };
	double step = es_simulate_view_step(d->high, 5, false);
	char text[32];

	for (size_t i = 0; i < ES_ARRAY_SIZE(waits) && waits[i].wait_s <= d->most_s; i++) {
		double x = wait_x(d, waits[i].wait_s);

		es_scene_line(d->scene, x, d->y, x, d->y + WAITS_HIGH, &grid_style);
		es_scene_text(d->scene, x, d->y + WAITS_HIGH + 16, &below_font, waits[i].name);
	}
	for (double v = 0; v * step <= d->high; v++) {
		double y = share_y(d, v * step);

		(void)snprintf(text, sizeof(text), "%.4g %%", 100 * v * step);
		es_scene_line(d->scene, LEFT, y, WIDTH - RIGHT, y, &grid_style);
		es_scene_text(d->scene, LEFT - 8, y + 4, &side_font, text);
	}
}

static void put_waits(struct drawing *d)
{
	const struct es_policies *compare = d->compare;
	double key_x = LEFT;

	d->high = 0;
	d->most_s = 60;
	for (size_t i = 0; i < compare->n; i++) {
		d->high = fmax(d->high, share_above(&compare->sims[i], 1));
		d->most_s = fmax(d->most_s, (double)es_simulate_wait_s(&compare->sims[i], 1));
	}
	d->high = d->high > 0 ? fmin(1, 1.05 * d->high) : 1;
	es_scene_text(d->scene, key_x, d->y - 10, &name_font, "jobs that wait longer than …");
	key_x += es_text_width("jobs that wait longer than …", &name_font) + 30;
	put_waits_scale(d);
	for (size_t i = 0; i < compare->n; i++) {
		const struct es_style style = { .stroke = ink_of(i), .stroke_pt = 2 };

		es_scene_begin(d->scene, ES_MARK_LINE, &style);
		for (unsigned k = 0; k <= STEPS; k++) {
			double wait_s = pow(d->most_s, (double)k / STEPS);

			es_scene_point(d->scene, wait_x(d, wait_s),
				       share_y(d, share_above(&compare->sims[i], wait_s)));
		}
		es_scene_line(d->scene, key_x, d->y - 14, key_x + 16, d->y - 14, &style);
		es_scene_text(d->scene, key_x + 22, d->y - 10, &text_font, compare->names[i]);
		key_x += es_text_width(compare->names[i], &text_font) + 44;
	}
}

static double change_x(const struct drawing *d, double value)
{
	double width = WIDTH - CHANGES_LEFT - CHANGES_RIGHT;

	return CHANGES_LEFT + width * (value - d->low) / (d->high - d->low);
}

static unsigned count_rows(const struct es_policies *compare, unsigned *ret_measures)
{
	unsigned n = 0;

	*ret_measures = 0;
	for (size_t m = 0; m < ES_POLICIES_N_MEASURES; m++) {
		*ret_measures += compare->changes[1][m].is_known;
		for (size_t i = 1; i < compare->n; i++)
			n += compare->changes[i][m].is_known;
	}
	return n;
}

/* From the least to the most that is told, nothing in it; what grows by more than half again is cut. */
static void choose_scale(struct drawing *d)
{
	bool is_cut = false;

	d->low = -0.01;
	d->high = 0.01;
	for (size_t i = 1; i < d->compare->n; i++)
		for (size_t m = 0; m < ES_POLICIES_N_MEASURES; m++) {
			const struct es_policies_change *change = &d->compare->changes[i][m];

			if (!change->is_known)
				continue;
			is_cut |= change->by.share > CHANGE_MAX;
			d->low = fmin(d->low, change->by.share_low);
			if (change->by.share <= CHANGE_MAX)
				d->high = fmax(d->high, fmin(change->by.share_high, CHANGE_MAX));
		}
	/* Room for the words right of the line of no change. */
	if (is_cut)
		d->high = fmax(d->high, -d->low / 3);
	d->low *= 1.06;
	d->high *= 1.06;
}

static void put_change(struct drawing *d, double y, size_t policy,
		       const struct es_policies_change *change)
{
	const struct es_style line = { .stroke = ink_of(policy), .stroke_pt = 2.4 };
	const struct es_style dot = { .fill = ink_of(policy), .radius_pt = 4 };
	const char *verdict = es_policies_verdict(change);
	int digits = change->reference >= 100 ? 0 : change->reference >= 10 ? 1 : 3;
	char text[160];

	if (change->has_interval && change->by.share_low <= d->high)
		es_scene_line(d->scene, change_x(d, change->by.share_low), y,
			      change_x(d, fmin(change->by.share_high, d->high)), y, &line);
	if (change->by.share <= d->high) {
		es_scene_rect(d->scene, change_x(d, change->by.share) - 4, y - 4, 8, 8, &dot);
		es_scene_hint(d->scene, d->compare->names[policy]);
	} else {
		es_scene_text(d->scene, change_x(d, d->high) - 2, y + 4, &side_font, "beyond →");
	}
	(void)snprintf(text, sizeof(text), "%.*f → %.*f: %s", digits, change->reference, digits,
		       change->value, verdict ? verdict : "too few weeks");
	es_scene_text_within(d->scene, WIDTH - CHANGES_RIGHT + 16, y + 4, CHANGES_RIGHT - 20,
			     &text_font, text);
}

static void put_changes(struct drawing *d, double height)
{
	const struct es_policies *compare = d->compare;
	const struct es_style zero = { .stroke = ES_INK_TEXT, .stroke_pt = 1.2 };
	const struct es_font label = { .size_pt = 12, .ink = ES_INK_TEXT, .anchor = ES_ANCHOR_END };
	double step, y = d->y + ROWS_GAP;
	char text[96], name[48];

	choose_scale(d);
	(void)snprintf(text, sizeof(text), "change against %s, with 95 %% of resampled weeks",
		       compare->names[0]);
	es_scene_text(d->scene, LEFT, d->y - 10, &name_font, text);
	step = es_simulate_view_step(d->high - d->low, 7, false);
	for (double v = ceil(d->low / step); v * step <= d->high; v++) {
		double x = change_x(d, v * step);

		(void)snprintf(text, sizeof(text), v != 0 ? "%+.4g %%" : "0 %%", 100 * v * step);
		es_scene_line(d->scene, x, d->y, x, d->y + height, &grid_style);
		es_scene_text(d->scene, x, d->y + height + 16, &below_font, text);
	}
	es_scene_line(d->scene, change_x(d, 0), d->y, change_x(d, 0), d->y + height, &zero);
	for (int m = 0; m < ES_POLICIES_N_MEASURES; m++) {
		if (!compare->changes[1][m].is_known)
			continue;
		es_scene_text_within(d->scene, CHANGES_LEFT - 12,
				     y + ROW * (double)(compare->n - 1) / 2 + 4, CHANGES_LEFT - 20,
				     &label,
				     es_policies_name(compare, (enum es_policies_measure)m, name));
		for (size_t i = 1; i < compare->n; i++, y += ROW)
			put_change(d, y + ROW / 2, i, &compare->changes[i][m]);
		y += ROWS_GAP;
	}
}

int es_policies_scene(const struct es_policies *compare, struct es_scene *ret)
{
	const struct es_font title = { .size_pt = 17, .ink = ES_INK_TEXT, .is_bold = true };
	const struct es_font below = { .size_pt = 12.5, .ink = ES_INK_MUTED };
	const struct es_style ground = { .fill = ES_INK_PAPER };
	const struct es_simulate *sim = &compare->sims[0];
	const char *slash = strrchr(sim->asked.path, '/');
	struct drawing d = { .scene = ret, .compare = compare, .y = HEAD + 32 };
	unsigned n_measures, n_rows = count_rows(compare, &n_measures);
	double changes_high = n_rows * ROW + (n_measures + 1) * ROWS_GAP;
	double height = d.y + WAITS_HIGH + WAITS_FOOT + 32 + changes_high + FOOT;
	char text[256];

	es_scene_init(ret, WIDTH, height);
	es_scene_rect(ret, 0, 0, WIDTH, height, &ground);
	(void)snprintf(text, sizeof(text), "%.80s on %" PRIu32 " processors",
		       slash ? slash + 1 : sim->asked.path, sim->options.procs);
	es_text_make_safe(text, false);
	es_scene_text_within(ret, 20, 28, WIDTH - 40, &title, text);
	(void)snprintf(text, sizeof(text),
		       "%" PRIu64 " jobs, %zu weeks; the same jobs under %zu policies",
		       sim->totals.n_jobs, compare->n_weeks, compare->n);
	es_scene_text_within(ret, 20, 48, WIDTH - 40, &below, text);
	put_waits(&d);
	d.y += WAITS_HIGH + WAITS_FOOT + 32;
	put_changes(&d, changes_high);
	return ret->error;
}
