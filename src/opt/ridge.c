/*
 * ridge.c - the clock above which the voltage rises with it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * P = fixed + slope f (1 + bend max(0, f - ridge))^2, as Kernel Tuner has it. For a given ridge and
 * bend it is a line, so only those two are sought: on a grid, then by golden section around its best place.
 */
#include "opt/model.h"

#include <errno.h>
#include <math.h>

#define RIDGES 160
#define BENDS 48
#define BEND_LOW 1e-2 /* over the top clock */
#define BEND_HIGH 1e2
#define GOLDEN 0.61803398874989485
#define SECTIONS 48
#define WORTHWHILE 0.5 /* of a straight line's error: a bend that gains less may be none */
#define SIDE_MIN 2U /* points below the ridge, and above it */

struct problem {
	const double *clocks, *powers;
	size_t n;
	double top;
};

/* The best line for a ridge and a bend, both over the top clock; returns the mean square of relative errors. */
static double fit_line(const struct problem *problem, double ridge, double bend,
		       struct es_opt_ridge *ret)
{
	double w = 0, x = 0, xx = 0, y = 0, xy = 0, sum = 0, det;

	for (size_t i = 0; i < problem->n; i++) {
		double f = problem->clocks[i] / problem->top, p = problem->powers[i];
		double v = 1 + bend * fmax(0, f - ridge), g = f * v * v, weight = 1 / (p * p);

		w += weight;
		x += weight * g;
		xx += weight * g * g;
		y += weight * p;
		xy += weight * g * p;
	}
	det = w * xx - x * x;
	*ret = (struct es_opt_ridge){ .bend = bend, .ridge = ridge };
	ret->slope = det > 0 ? (w * xy - x * y) / det : 0;
	ret->fixed = (y - ret->slope * x) / w;
	for (size_t i = 0; i < problem->n; i++) {
		double f = problem->clocks[i] / problem->top;
		double v = 1 + bend * fmax(0, f - ridge);
		double off = (ret->fixed + ret->slope * f * v * v) / problem->powers[i] - 1;

		sum += off * off;
	}
	return sum / (double)problem->n;
}

typedef double (*value_fn)(const struct problem *problem, double at, double other,
			   struct es_opt_ridge *ret);

/* Of a function that falls, then rises, between two places. */
static double golden(const struct problem *problem, value_fn value, double low, double high,
		     double other, struct es_opt_ridge *ret)
{
	double a = high - GOLDEN * (high - low), b = low + GOLDEN * (high - low);
	double at_a = value(problem, a, other, ret), at_b = value(problem, b, other, ret);

	for (int i = 0; i < SECTIONS; i++) {
		if (at_a <= at_b) {
			high = b;
			b = a;
			at_b = at_a;
			a = high - GOLDEN * (high - low);
			at_a = value(problem, a, other, ret);
		} else {
			low = a;
			a = b;
			at_a = at_b;
			b = low + GOLDEN * (high - low);
			at_b = value(problem, b, other, ret);
		}
	}
	return value(problem, (low + high) / 2, other, ret);
}

static double at_bend(const struct problem *problem, double log_bend, double ridge,
		      struct es_opt_ridge *ret)
{
	return fit_line(problem, ridge, exp(log_bend), ret);
}

/* With the best bend for that ridge. */
static double at_ridge(const struct problem *problem, double ridge, double unused,
		       struct es_opt_ridge *ret)
{
	double low = log(BEND_LOW), step = (log(BEND_HIGH) - low) / BENDS, least = INFINITY;
	int best = 0;

	(void)unused;
	for (int i = 0; i <= BENDS; i++) {
		double error = at_bend(problem, low + step * i, ridge, ret);

		if (error < least) {
			least = error;
			best = i;
		}
	}
	return golden(problem, at_bend, low + step * (best - 1), low + step * (best + 1), ridge,
		      ret);
}

/* The ridge lies behind the second clock and before the last but one: else any bend would fit. */
static int find_range(const struct problem *problem, double *ret_low, double *ret_high)
{
	double lowest[SIDE_MIN] = { INFINITY, INFINITY }, highest[SIDE_MIN] = { 0, 0 };

	for (size_t i = 0; i < problem->n; i++) {
		double f = problem->clocks[i] / problem->top;

		if (f < lowest[0]) {
			lowest[1] = lowest[0];
			lowest[0] = f;
		} else if (f < lowest[1]) {
			lowest[1] = f;
		}
		if (f > highest[0]) {
			highest[1] = highest[0];
			highest[0] = f;
		} else if (f > highest[1]) {
			highest[1] = f;
		}
	}
	*ret_low = lowest[1];
	*ret_high = highest[1];
	return highest[1] > lowest[1] ? 0 : -ENODATA;
}

int es_opt_ridge_fit(const double *clocks, const double *powers, size_t n, struct es_opt_ridge *ret)
{
	struct problem problem = { clocks, powers, n, 0 };
	struct es_opt_ridge found, line;
	double low, high, step, least = INFINITY;
	int best = 0;

	if (n < ES_OPT_RIDGE_POINTS_MIN)
		return -ENODATA;
	for (size_t i = 0; i < n; i++)
		problem.top = fmax(problem.top, clocks[i]);
	if (find_range(&problem, &low, &high) < 0)
		return -ENODATA;
	step = (high - low) / RIDGES;
	for (int i = 0; i <= RIDGES; i++) {
		double error = at_ridge(&problem, low + step * i, 0, &found);

		if (error < least) {
			least = error;
			best = i;
		}
	}
	found.error = sqrt(golden(&problem, at_ridge, fmax(low, low + step * (best - 1)),
				  fmin(high, low + step * (best + 1)), 0, &found));
	found.line_error = sqrt(fit_line(&problem, 1, 0, &line));
	if (best == 0 || best == RIDGES || !(found.slope > 0) ||
	    !(found.error < WORTHWHILE * found.line_error))
		return -ENODATA;
	found.ridge *= problem.top;
	found.slope /= problem.top;
	found.bend /= problem.top;
	*ret = found;
	return 0;
}
