/*
 * simulate_view.c - what is drawn of a replayed trace: jobs on processors over time, power, those that wait
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/simulate_view.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/simulate_places.h"

#define MS_PER_S 1000
#define DRAWN_MAX_S (INT64_C(200) * 366 * 86400)

int es_simulate_view_read(const char *text, enum es_simulate_colour *ret)
{
	static const char *const names[ES_N_COLOURS] = { "size", "wait", "user", "queue" };

	for (size_t i = 0; i < ES_N_COLOURS; i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*ret = (enum es_simulate_colour)i;
		return 0;
	}
	return -EINVAL;
}

static bool is_seen(const struct es_simulate_view *view, const struct es_simulate_start *job)
{
	return job->end_s > view->from_s && job->start_s < view->to_s && job->end_s > job->start_s;
}

static int64_t key_of(const struct es_simulate_view *view, const struct es_simulate_start *job)
{
	switch (view->colour) {
	case ES_COLOUR_WAIT:
		return job->start_s - job->submit_s;
	case ES_COLOUR_USER:
		return job->user;
	case ES_COLOUR_QUEUE:
		return job->queue;
	case ES_COLOUR_SIZE:
	case ES_N_COLOURS:
	default:
		return job->procs;
	}
}

size_t es_simulate_view_class(const struct es_simulate_view *view,
			      const struct es_simulate_start *job)
{
	bool is_scale = view->colour == ES_COLOUR_SIZE || view->colour == ES_COLOUR_WAIT;
	int64_t key = key_of(view, job);

	for (size_t i = 0; i + 1 < view->n_classes; i++)
		if (is_scale ? key <= view->classes[i].most : key == view->classes[i].most)
			return i;
	return view->n_classes - 1;
}

static enum es_ink hue(unsigned number)
{
	return (enum es_ink)(ES_INK_SERIES + number * ES_INK_N_SHADES);
}

enum {
	BLUE,
	ORANGE,
	GREEN,
	PURPLE,
	SKY,
	VERMILLION,
	YELLOW,
	GREY
};

static struct es_view_class *add_class(struct es_simulate_view *view, int64_t most, unsigned ink)
{
	struct es_view_class *class = &view->classes[view->n_classes++];

	*class = (struct es_view_class){ .most = most, .ink = hue(ink) };
	return class;
}

/* By parts of the largest that is seen: a 32nd, an 8th, a quarter, half of it, all. */
static void class_sizes(struct es_simulate_view *view)
{
	static const uint32_t parts[] = { 32, 8, 4, 2, 1 };
	static const unsigned inks[] = { SKY, BLUE, GREEN, ORANGE, VERMILLION };
	const struct es_simulate_course *course = &view->sim->course;
	uint32_t low = 1, largest = 1;

	for (size_t i = 0; i < course->n_starts; i++)
		if (is_seen(view, &course->starts[i]) && course->starts[i].procs > largest)
			largest = course->starts[i].procs;
	for (size_t i = 0; i < ES_ARRAY_SIZE(parts); i++) {
		uint32_t most = largest / parts[i];
		struct es_view_class *class;

		if (most < low)
			continue;
		class = add_class(view, most, inks[i]);
		if (most == low)
			(void)snprintf(class->name, sizeof(class->name), "%s%u",
				       low == 1 ? "jobs of " : "", most);
		else
			(void)snprintf(class->name, sizeof(class->name), "%s%u to %u",
				       low == 1 ? "jobs of " : "", low, most);
		low = most + 1;
	}
}

static void class_waits(struct es_simulate_view *view)
{
	static const struct {
		int64_t most_s;
		unsigned ink;
		const char *name;
	} waits[] = {
		{ 60, SKY, "waited 1 min at most" },
		{ 600, BLUE, "10 min" },
		{ 3600, GREEN, "1 h" },
		{ 21600, ORANGE, "6 h" },
		{ 86400, VERMILLION, "1 d" },
		{ INT64_MAX, PURPLE, "longer" },
	};

	for (size_t i = 0; i < ES_ARRAY_SIZE(waits); i++)
		(void)snprintf(add_class(view, waits[i].most_s, waits[i].ink)->name, 48, "%s",
			       waits[i].name);
}

struct share {
	int32_t number;
	double proc_s;
};

static int by_number(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static int by_share(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	if (x->proc_s != y->proc_s)
		return x->proc_s > y->proc_s ? -1 : 1;
	return by_number(a, b);
}

/* Those who have most of the processors while it is looked at; the others are one class. */
static int class_numbers(struct es_simulate_view *view, const char *word)
{
	const struct es_simulate_course *course = &view->sim->course;
	struct share *shares = calloc(course->n_starts + 1, sizeof(*shares));
	size_t n = 0, n_kinds = 0;

	if (!shares)
		return -ENOMEM;
	for (size_t i = 0; i < course->n_starts; i++) {
		const struct es_simulate_start *job = &course->starts[i];
		int64_t from_s = job->start_s > view->from_s ? job->start_s : view->from_s;
		int64_t to_s = job->end_s < view->to_s ? job->end_s : view->to_s;

		if (is_seen(view, job))
			shares[n++] =
				(struct share){ (int32_t)key_of(view, job),
						(double)(to_s - from_s) * (double)job->procs };
	}
	qsort(shares, n, sizeof(*shares), by_number);
	for (size_t i = 0; i < n; i++) {
		if (n_kinds > 0 && shares[n_kinds - 1].number == shares[i].number)
			shares[n_kinds - 1].proc_s += shares[i].proc_s;
		else
			shares[n_kinds++] = shares[i];
	}
	qsort(shares, n_kinds, sizeof(*shares), by_share);
	for (unsigned i = 0; i < n_kinds && i < GREY; i++) {
		struct es_view_class *class = add_class(view, shares[i].number, i);

		if (shares[i].number < 0)
			(void)snprintf(class->name, sizeof(class->name), "%s not known", word);
		else
			(void)snprintf(class->name, sizeof(class->name), "%s %d", word,
				       shares[i].number);
	}
	if (n_kinds > GREY || n_kinds == 0)
		(void)snprintf(add_class(view, INT64_MAX, GREY)->name, 48, "others");
	free(shares);
	return 0;
}

static int class_jobs(struct es_simulate_view *view)
{
	switch (view->colour) {
	case ES_COLOUR_WAIT:
		class_waits(view);
		return 0;
	case ES_COLOUR_USER:
		return class_numbers(view, "user");
	case ES_COLOUR_QUEUE:
		return class_numbers(view, "queue");
	case ES_COLOUR_SIZE:
	case ES_N_COLOURS:
	default:
		class_sizes(view);
		return 0;
	}
}

static void keep_piece(struct es_simulate_view *view, const struct es_view_piece *piece)
{
	struct es_view_piece *pieces;

	if (view->n_pieces == ES_VIEW_PIECES_MAX) {
		view->has_too_many = true;
		view->n_pieces = 0;
	}
	if (view->has_too_many)
		return;
	pieces = es_simulate_room(view->pieces, view->n_pieces, &view->cap_pieces, sizeof(*pieces));
	if (!pieces) {
		view->error = -ENOMEM;
		return;
	}
	view->pieces = pieces;
	pieces[view->n_pieces++] = *piece;
}

/* The part of column @column that lies in a time, in columns from the window's start. */
static double overlap(double from, double to, double column)
{
	double low = from > column ? from : column, high = to < column + 1 ? to : column + 1;

	return high > low ? high - low : 0;
}

static void fill(struct es_simulate_view *view, const struct es_view_piece *piece)
{
	double per_s = (double)view->n_columns / (double)(view->to_s - view->from_s);
	double from = fmax(0, (double)(piece->job->start_s - view->from_s) * per_s);
	double to =
		fmin((double)view->n_columns, (double)(piece->job->end_s - view->from_s) * per_s);
	size_t class = es_simulate_view_class(view, piece->job);
	uint32_t end = piece->first + piece->n;

	for (size_t row = piece->first / view->procs_per_row;
	     row < view->n_rows && row * view->procs_per_row < end; row++) {
		uint32_t low = (uint32_t)row * view->procs_per_row,
			 high = low + view->procs_per_row;
		double height = (end < high ? end : high) -
				(double)(piece->first > low ? piece->first : low);
		float *cells = &view->cells[row * view->n_columns * view->n_classes];

		high = high < view->procs ? high : view->procs;
		height /= high - low;
		for (size_t i = (size_t)from; i < view->n_columns && (double)i < to; i++)
			cells[i * view->n_classes + class] +=
				(float)(height * overlap(from, to, (double)i));
	}
}

static void take_piece(void *arg, const struct es_simulate_start *job, uint32_t first, uint32_t n)
{
	struct es_simulate_view *view = arg;
	const struct es_view_piece piece = { .job = job, .first = first, .n = n };

	if (!is_seen(view, job))
		return;
	keep_piece(view, &piece);
	fill(view, &piece);
}

size_t es_simulate_view_cell(const struct es_simulate_view *view, size_t row, size_t column,
			     double *ret_share)
{
	const float *cell = &view->cells[(row * view->n_columns + column) * view->n_classes];
	size_t most = 0;
	double share = 0;

	for (size_t i = 0; i < view->n_classes; i++) {
		share += (double)cell[i];
		most = cell[i] > cell[most] ? i : most;
	}
	*ret_share = share;
	return most;
}

static int add_rates(struct es_simulate_view *view, const char *name, const char *unit,
		     const struct es_simulate_rates *rates)
{
	struct es_view_rates *curve = &view->rates[view->n_rates];
	double width_s = (double)(view->to_s - view->from_s) / (double)view->n_columns;

	*curve = (struct es_view_rates){ .name = name, .low = INFINITY, .high = -INFINITY };
	(void)snprintf(curve->unit, sizeof(curve->unit), "%s", unit);
	curve->values = calloc(view->n_columns, sizeof(*curve->values));
	if (!curve->values)
		return -ENOMEM;
	view->n_rates++;
	for (size_t i = 0; i < view->n_columns; i++) {
		int64_t from_s = view->from_s + (int64_t)((double)i * width_s);
		int64_t to_s = view->from_s + (int64_t)((double)(i + 1) * width_s);
		bool is_known;

		to_s = to_s > from_s ? to_s : from_s + 1;
		is_known = es_simulate_rates_check(rates, from_s, to_s, NULL) == 0;
		curve->values[i] = is_known ? es_simulate_rates_lay(rates, from_s, to_s) /
						      (double)(to_s - from_s)
					    : NAN;
		if (!is_known)
			continue;
		curve->low = fmin(curve->low, curve->values[i]);
		curve->high = fmax(curve->high, curve->values[i]);
	}
	return 0;
}

static int add_all_rates(struct es_simulate_view *view)
{
	const struct es_simulate *sim = view->sim;
	char unit[24];
	int r = 0;

	if (sim->carbon.rates.is_known)
		r = add_rates(view, "carbon intensity", "g/kWh", &sim->carbon.rates);
	(void)snprintf(unit, sizeof(unit), "%s/kWh", sim->price.currency);
	if (r == 0 && sim->price.rates.is_known)
		r = add_rates(view, "price", unit, &sim->price.rates);
	return r;
}

static int build(struct es_simulate_view *view, size_t n_rows_max)
{
	const struct es_simulate_course *course = &view->sim->course;
	int r = class_jobs(view);

	if (r < 0)
		return r;
	view->procs_per_row = (uint32_t)((view->procs + n_rows_max - 1) / n_rows_max);
	view->n_rows = (view->procs + view->procs_per_row - 1) / view->procs_per_row;
	view->columns = calloc(view->n_columns, sizeof(*view->columns));
	view->cells =
		calloc(view->n_rows * view->n_columns * view->n_classes, sizeof(*view->cells));
	if (!view->columns || !view->cells)
		return -ENOMEM;
	for (size_t i = 0; i < course->n_starts; i++)
		view->n_jobs += is_seen(view, &course->starts[i]);
	es_simulate_course_columns(course, view->from_s * MS_PER_S, view->to_s * MS_PER_S,
				   view->n_columns, view->columns);
	r = es_simulate_places(course, take_piece, view);
	r = r < 0 ? r : view->error;
	return r < 0 ? r : add_all_rates(view);
}

static int resolve(const struct es_simulate *sim, const char *option,
		   const struct es_simulate_moment *moment, int64_t *ret_s, struct es_error *err)
{
	if (!moment->is_given)
		return 0;
	if (moment->is_date && sim->unix_start_s < 0)
		return es_error_say(err, -ENODATA,
				    "%s: '%s' does not tell when it begins: --start DATE does",
				    option, sim->asked.path);
	*ret_s = moment->at_s - (moment->is_date ? sim->unix_start_s : 0);
	return 0;
}

int es_simulate_view_build(const struct es_simulate *sim, size_t n_columns, size_t n_rows_max,
			   struct es_simulate_view *ret, struct es_error *err)
{
	int64_t first_s = sim->totals.first_submit_s, last_s = sim->totals.last_end_s;
	int r;

	*ret = (struct es_simulate_view){ .sim = sim,
					  .from_s = first_s,
					  .to_s = last_s,
					  .colour = sim->colour,
					  .procs = sim->options.procs,
					  .n_columns = n_columns };
	r = resolve(sim, "--from", &sim->from, &ret->from_s, err);
	r = r < 0 ? r : resolve(sim, "--to", &sim->to, &ret->to_s, err);
	if (r < 0)
		return r;
	if (ret->from_s >= last_s || ret->to_s <= first_s || ret->to_s <= ret->from_s)
		return es_error_say(
			err, -ENODATA,
			"nothing to draw: the machine is in use from second %lld to %lld",
			(long long)first_s, (long long)last_s);
	if (ret->to_s - ret->from_s > DRAWN_MAX_S)
		return es_error_say(err, -ERANGE, "more than 200 years cannot be drawn");
	r = build(ret, n_rows_max);
	return r < 0 ? es_error_set(err, r, "cannot draw the schedule") : 0;
}

void es_simulate_view_finish(struct es_simulate_view *view)
{
	free(view->columns);
	free(view->cells);
	free(view->pieces);
	for (size_t i = 0; i < view->n_rates; i++)
		free(view->rates[i].values);
	*view = (struct es_simulate_view){ .n_columns = 0 };
}

double es_simulate_view_most_w(const struct es_simulate_view *view)
{
	double most_w = 0;

	for (size_t i = 0; i < view->n_columns; i++)
		most_w = fmax(most_w, view->columns[i].most_w);
	if (view->sim->options.has_cap)
		most_w = fmax(most_w, (double)view->sim->cap_mw / 1e3);
	return most_w;
}
