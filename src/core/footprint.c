/*
 * core/footprint.c - what comes beside operational carbon: the share of making the machines, SCI, the price
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/footprint.h"

#include <math.h>

#define J_PER_KWH 3600000.0

double es_embodied_g(double kg_per_node, double lifetime_years, size_t n_nodes, double dur_s,
		     double share)
{
	return kg_per_node * 1000.0 * (double)n_nodes * (dur_s / (lifetime_years * ES_YEAR_S)) *
	       share;
}

bool es_sci_g_per_unit(double operational_g, double embodied_g, double units, double *ret)
{
	double sci = (operational_g + embodied_g) / units;

	if (!(units > 0) || !isfinite(sci))
		return false;
	*ret = sci;
	return true;
}

bool es_price_micro(double facility_j, uint64_t micro_per_kwh, int64_t *ret)
{
	double micro = facility_j / J_PER_KWH * (double)micro_per_kwh;

	if (!(micro >= 0 && micro < 9e18))
		return false;
	*ret = (int64_t)llround(micro);
	return true;
}
