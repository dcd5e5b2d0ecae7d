/*
 * optimum.c - where models of time and power have the least energy * time^n
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Power is a polynomial of the clock in each of a few parts, time is a + b / clock: the slope of the cost is a polynomial
 * of degree 4 at most, whose zeros lie between those of its own slope.
 */
#include <math.h>
#include <stddef.h>

#include "opt/model.h"

#define DEGREE_MAX 4
#define BISECTIONS 100

struct polynomial {
	double of[DEGREE_MAX + 1]; /* by power */
};

/* What time and power are from @low to @high. */
struct part {
	double low, high;
	double a, b; /* time: a + b / x */
	struct polynomial power;
};

static double at(const struct polynomial *p, double x)
{
	double value = 0;

	for (int i = DEGREE_MAX; i >= 0; i--)
		value = value * x + p->of[i];
	return value;
}

static struct polynomial slope_of(const struct polynomial *p)
{
	struct polynomial slope = { { 0 } };

	for (int i = 1; i <= DEGREE_MAX; i++)
		slope.of[i - 1] = i * p->of[i];
	return slope;
}

static double bisect(const struct polynomial *p, double low, double high)
{
	bool is_rising = at(p, high) > at(p, low);

	for (int i = 0; i < BISECTIONS; i++) {
		double middle = (low + high) / 2;

		if ((at(p, middle) < 0) == is_rising)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

/* Zeros between two places, in order: between two neighbouring zeros of the slope there is one at most. */
static size_t roots(const struct polynomial *p, double low, double high,
		    double ret[static DEGREE_MAX])
{
	struct polynomial slopes[DEGREE_MAX + 1] = { *p };
	double turns[DEGREE_MAX] = { 0 };
	size_t n_turns = 0, n = 0;

	for (int i = 1; i <= DEGREE_MAX; i++)
		slopes[i] = slope_of(&slopes[i - 1]);
	for (int i = DEGREE_MAX - 1; i >= 0; i--) {
		double from = low;

		n = 0;
		for (size_t k = 0; k <= n_turns && n < DEGREE_MAX; k++) {
			double to = k < n_turns ? turns[k] : high;

			if ((at(&slopes[i], from) < 0) != (at(&slopes[i], to) < 0))
				ret[n++] = bisect(&slopes[i], from, to);
			from = to;
		}
		for (size_t k = 0; k < n; k++)
			turns[k] = ret[k];
		n_turns = n;
	}
	return n;
}

static double cost_at(const struct part *part, unsigned exponent, double x)
{
	double time = part->a + part->b / x, cost = at(&part->power, x);

	for (unsigned i = 0; i <= exponent; i++)
		cost *= time;
	return cost;
}

/* x^2 / T^n times the slope of P T^(n + 1): P' (a x^2 + b x) - (n + 1) b P. */
static struct polynomial slope_of_cost(const struct part *part, unsigned exponent)
{
	struct polynomial slope = slope_of(&part->power), ret = { { 0 } };

	for (int i = 0; i <= DEGREE_MAX; i++) {
		ret.of[i] -= (exponent + 1) * part->b * part->power.of[i];
		if (i + 1 <= DEGREE_MAX)
			ret.of[i + 1] += part->b * slope.of[i];
		if (i + 2 <= DEGREE_MAX)
			ret.of[i + 2] += part->a * slope.of[i];
	}
	return ret;
}

static void look(const struct part *part, unsigned exponent, double *least, double *best)
{
	struct polynomial slope = slope_of_cost(part, exponent);
	double places[DEGREE_MAX + 2];
	size_t n;

	n = roots(&slope, part->low, part->high, places);
	places[n++] = part->low;
	places[n++] = part->high;
	for (size_t i = 0; i < n; i++) {
		double cost = cost_at(part, exponent, places[i]);

		if (cost < *least) {
			*least = cost;
			*best = places[i];
		}
	}
}

/* The parts of a power's range by the shape of time; clocks in units of @top. */
static void look_at_times(const struct es_opt_model *model, struct part part, unsigned exponent,
			  double *least, double *best)
{
	const struct es_opt_time_model *time = &model->time;
	double equal = time->fixed > 0 ? time->scaled / time->fixed : INFINITY;
	double high = part.high;

	/* The ridge may lie below the lowest clock, or above the top one. */
	if (!(high >= part.low))
		return;
	part.a = time->fixed;
	part.b = time->scaled;
	if (!time->is_overlapping) {
		look(&part, exponent, least, best);
		return;
	}
	part.a = 0;
	part.high = fmin(high, fmax(equal, part.low));
	if (equal > part.low)
		look(&part, exponent, least, best);
	part.low = part.high;
	part.high = high;
	part.a = time->fixed;
	part.b = 0;
	if (equal < high)
		look(&part, exponent, least, best);
}

double es_opt_model_optimum(const struct es_opt_model *model, unsigned exponent)
{
	const struct es_opt_power_model *power = &model->power;
	const struct part part = { .low = model->low / model->top,
				   .high = 1,
				   .power = { { power->fixed, power->linear, 0, power->cubic } } };
	double least = INFINITY, best = 1;

	look_at_times(model, part, exponent, &least, &best);
	return model->top * best;
}

double es_opt_ridge_power(const struct es_opt_ridge *ridge, double clock)
{
	double volts = 1 + ridge->bend * fmax(0, clock - ridge->ridge);

	return ridge->fixed + ridge->slope * clock * volts * volts;
}

double es_opt_ridge_optimum(const struct es_opt_model *model, const struct es_opt_ridge *ridge,
			    unsigned exponent)
{
	double top = model->top, low = model->low / top, at_ridge = ridge->ridge / top;
	double k = ridge->slope * top, bend = ridge->bend * top, u = 1 - bend * at_ridge;
	struct part below = { .low = low,
			      .high = fmin(1, at_ridge),
			      .power = { { ridge->fixed, k } } };
	/* k x (u + bend x)^2 */
	struct part above = { .low = fmax(low, at_ridge),
			      .high = 1,
			      .power = { { ridge->fixed, k * u * u, 2 * k * u * bend,
					   k * bend * bend } } };
	double least = INFINITY, best = 1;

	look_at_times(model, below, exponent, &least, &best);
	look_at_times(model, above, exponent, &least, &best);
	return top * best;
}
