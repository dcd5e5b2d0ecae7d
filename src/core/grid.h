/*
 * grid.h - carbon intensity of electricity by country: the table that ships with the product
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_GRID_H
#define ES_CORE_GRID_H

#include <stddef.h>
#include <stdint.h>

/*
 * One zone's yearly average over its own production, life cycle of the plants included (see
 * data/grid_intensity.md). A zone whose intensity is not known has no row; there is no row of 0.
 */
struct es_grid_factor {
	const char *zone; /* ISO 3166-1 alpha-2, "EU" or "WORLD" */
	const char *iso3; /* ISO 3166-1 alpha-3; "" for EU and WORLD */
	const char *name; /* UTF-8 */
	const char *alias; /* another usual spelling of the name, or "" */
	uint32_t mg_per_kwh; /* milligrams of CO2 equivalent per kWh */
	int year; /* of the value; 0: not stated */
	const char *source;
};

/** es_grid_find - the row with this code (alpha-2, alpha-3, EU, WORLD) or name, in any case; or NULL */
const struct es_grid_factor *es_grid_find(const char *zone);

/** es_grid_nearest - what somebody who wrote @zone may have meant; NULL if nothing is near */
const struct es_grid_factor *es_grid_nearest(const char *zone);

/** es_grid_count - number of rows */
size_t es_grid_count(void);

/** es_grid_at - row @i in order of zones, EU and WORLD last; NULL behind the end */
const struct es_grid_factor *es_grid_at(size_t i);

#endif
