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

static const char *const names[] = {
	[ES_OPT_ENERGY] = "energy",
	[ES_OPT_EDP] = "edp",
	[ES_OPT_ED2P] = "ed2p",
};

const char *es_opt_objective_name(enum es_opt_objective objective)
{
	return names[objective];
}

int es_opt_objective_find(const char *name, enum es_opt_objective *ret)
{
	for (int i = 0; i < ES_OPT_N_OBJECTIVES; i++) {
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum es_opt_objective)i;
			return 0;
		}
	}
	return -ENOENT;
}

double es_opt_cost(const struct es_opt_point *point, enum es_opt_objective objective)
{
	double cost = point->energy;

	for (int i = 0; i < (int)objective; i++)
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
		if (cost < least || (best != reference && points[i].time < points[best].time)) {
			least = cost;
			best = i;
		}
	}
	return best;
}
