/*
 * scatter_axis.c - axes of a scatter: linear, or logarithmic where values lie far apart
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/scatter_private.h"

#define LOG_FACTOR 30.0
#define MARGIN 0.06 /* of the span, on each side */
#define BOX_FACTOR 3.0 /* how far intervals may widen the axis: else one of them hides all points */
#define PLAIN_MAX 1e7 /* numbers above have an exponent */
#define PLAIN_MIN 1e-3

struct range {
	double low, high; /* of the points */
	double box_low, box_high;
};

static void add_tick(struct es_scatter_axis *axis, double value)
{
	if (value >= axis->low && value <= axis->high && axis->n_ticks < ES_SCATTER_TICKS_MAX)
		axis->ticks[axis->n_ticks++] = value;
}

/* Steps of 1, 2 or 5; the ends are not rounded, so that points fill the picture. */
static void set_linear_ticks(struct es_scatter_axis *axis, unsigned n)
{
	double rough = (axis->high - axis->low) / n, power = pow(10, floor(log10(rough)));
	double step = power * (rough <= power	    ? 1
			       : rough <= 2 * power ? 2
			       : rough <= 5 * power ? 5
						    : 10);
	double first = ceil(axis->low / step);

	for (unsigned i = 0; i < ES_SCATTER_TICKS_MAX; i++)
		add_tick(axis, (first + i) * step);
}

/* 1, 2 and 5 of each power of ten where there is room, else the powers, or some of them. */
static void set_log_ticks(struct es_scatter_axis *axis, unsigned n)
{
	static const double parts[] = { 1, 2, 5 };
	double first = floor(log10(axis->low)), last = ceil(log10(axis->high));
	size_t n_parts = 3 * (last - first) <= 1.5 * n ? ES_ARRAY_SIZE(parts) : 1;
	double step = n_parts > 1 ? 1 : fmax(1, ceil((last - first) / n));

	for (unsigned k = 0; first + k * step <= last; k++)
		for (size_t i = 0; i < n_parts; i++)
			add_tick(axis, parts[i] * pow(10, first + k * step));
}

static void set_axis(const struct range *range, unsigned n_ticks, struct es_scatter_axis *axis)
{
	double low = fmin(range->low, fmax(range->box_low, range->low / BOX_FACTOR));
	double high = fmax(range->high, fmin(range->box_high, range->high * BOX_FACTOR));
	double span;

	*axis = (struct es_scatter_axis){ .is_log = range->low > 0 &&
						    range->high > range->low * LOG_FACTOR };
	if (axis->is_log) {
		span = pow(high / low, MARGIN);
		axis->low = low / span;
		axis->high = high * span;
		set_log_ticks(axis, n_ticks);
		return;
	}
	span = high - low;
	/* All the same, but for what rounding left. */
	if (!(span > fabs(high) * 1e-12)) {
		span = fmax(fabs(high), 1e-9) * 0.2;
		axis->low = low - span;
		axis->high = high + span;
	} else {
		axis->low = low - span * MARGIN;
		axis->high = high + span * MARGIN;
	}
	set_linear_ticks(axis, n_ticks);
}

static void widen(struct range *range, double at, bool has_box, double low, double high)
{
	range->low = fmin(range->low, at);
	range->high = fmax(range->high, at);
	range->box_low = fmin(range->box_low, has_box && isfinite(low) ? low : at);
	range->box_high = fmax(range->box_high, has_box && isfinite(high) ? high : at);
}

int es_scatter_axes(const struct es_scatter *scatter, unsigned n_x, unsigned n_y,
		    struct es_scatter_axis *ret_x, struct es_scatter_axis *ret_y)
{
	const struct range none = { INFINITY, -INFINITY, INFINITY, -INFINITY };
	struct range x = none, y = none;

	if (scatter->n == 0)
		return -ENODATA;
	if (scatter->n > ES_SCATTER_POINTS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < scatter->n; i++) {
		const struct es_scatter_point *p = &scatter->points[i];

		widen(&x, p->at.time, p->has_box, p->time_low, p->time_high);
		widen(&y, p->at.energy, p->has_box, p->energy_low, p->energy_high);
	}
	set_axis(&x, n_x, ret_x);
	set_axis(&y, n_y, ret_y);
	return 0;
}

double es_scatter_share(const struct es_scatter_axis *axis, double value)
{
	double share;

	if (axis->is_log)
		share = value > axis->low ? log(value / axis->low) / log(axis->high / axis->low)
					  : 0;
	else
		share = (value - axis->low) / (axis->high - axis->low);
	return fmin(fmax(share, 0), 1);
}

char *es_scatter_tick(double value, char text[static ES_SCATTER_TICK_BYTES])
{
	char *e;

	if (value == 0 || (fabs(value) < PLAIN_MAX && fabs(value) >= PLAIN_MIN)) {
		(void)snprintf(text, ES_SCATTER_TICK_BYTES, "%.7g", value);
		return text;
	}
	(void)snprintf(text, ES_SCATTER_TICK_BYTES, "%.4g", value);
	/* 1e+09 is 1e9. */
	e = strchr(text, 'e');
	if (e) {
		char *digits = e + 2;

		while (*digits == '0' && digits[1])
			digits++;
		e += 1 + (e[1] == '-');
		memmove(e, digits, strlen(digits) + 1);
	}
	return text;
}

enum es_ink es_scatter_ink(unsigned colour)
{
	/* Of eight hues, yellow last and darker: it is hardly seen on paper. */
	static const unsigned hues[ES_INK_N_HUES] = { 0, 5, 2, 1, 3, 4, 7, 6 };
	unsigned hue = hues[colour % ES_INK_N_HUES];
	unsigned shade = colour / ES_INK_N_HUES * 2 % ES_INK_N_SHADES;

	if (hue == hues[ES_INK_N_HUES - 1])
		shade = 2 - shade;
	return (enum es_ink)(ES_INK_SERIES + hue * ES_INK_N_SHADES + shade);
}

bool es_scatter_has_boxes(const struct es_scatter *scatter)
{
	for (size_t i = 0; i < scatter->n; i++)
		if (scatter->points[i].has_box)
			return true;
	return false;
}

bool es_scatter_has_marks(const struct es_scatter *scatter)
{
	for (size_t i = 0; i < scatter->n; i++)
		if (scatter->points[i].is_marked && scatter->mark_name)
			return true;
	return false;
}
