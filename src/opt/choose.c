/*
 * choose.c - the best of measured settings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "opt/choose.h"

#include <errno.h>
#include <string.h>

#define ROUNDING 1e-12 /* relative: 1.05 * t is not slower than 5 % */

static const char *const names[ES_OPT_EXPONENT_MAX + 1] = {
	[ES_OPT_ENERGY] = "energy",
	[ES_OPT_EDP] = "edp",
	[ES_OPT_ED2P] = "ed2p",
	[3] = "ed3p",
	[4] = "ed4p",
	[5] = "ed5p",
	[6] = "ed6p",
	[7] = "ed7p",
	[8] = "ed8p",
	[9] = "ed9p",
};

const char *es_opt_objective_name(unsigned exponent)
{
	return names[exponent];
}

int es_opt_objective_find(const char *name, unsigned *ret_exponent)
{
	if (strcmp(name, "ed1p") == 0)
		name = names[ES_OPT_EDP];
	for (unsigned i = 0; i <= ES_OPT_EXPONENT_MAX; i++) {
		if (strcmp(name, names[i]) == 0) {
			*ret_exponent = i;
			return 0;
		}
	}
	return -ENOENT;
}

double es_opt_cost(const struct es_opt_point *point, unsigned exponent)
{
	double cost = point->energy;

	for (unsigned i = 0; i < exponent; i++)
		cost *= point->time;
	return cost;
}

double es_opt_change(double value, double reference)
{
	return value / reference - 1;
}

size_t es_opt_choose(const struct es_opt_point *points, size_t n, size_t reference,
		     const struct es_opt_wish *wish)
{
	double limit = points[reference].time * (1 + wish->slowdown) * (1 + ROUNDING);
	double least = es_opt_cost(&points[reference], wish->objective);
	size_t best = reference;

	for (size_t i = 0; i < n; i++) {
		double cost = es_opt_cost(&points[i], wish->objective);

		if (points[i].time > limit || cost > least)
			continue;
		if (cost < least || points[i].time < points[best].time) {
			least = cost;
			best = i;
		}
	}
	return best;
}
