/*
 * core/generation.h - grams per kWh by type of generation, and areas: tables that ship with the product
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_GENERATION_H
#define ES_CORE_GENERATION_H

#include <stddef.h>
#include <stdint.h>

enum es_generation_role {
	ES_GENERATION_SOURCE,
	ES_GENERATION_UNKNOWN, /* no factor is known */
	ES_GENERATION_STORAGE, /* gives back what was generated before: no part of a mix */
};

/** struct es_generation - one type; life cycle, median of the literature (see data/generation_factors.md) */
struct es_generation {
	const char *psr; /* code of the transparency platform, "B14" */
	const char *name;
	enum es_generation_role role;
	uint32_t mg_per_kwh; /* of a source */
	const char *source;
};

/** es_generation_find - the type with this code; NULL: there is none */
const struct es_generation *es_generation_find(const char *psr);

/** struct es_eic - an area and its zone */
struct es_eic {
	const char *eic, *zone;
};

/** es_eic_zone - the zone of an area code; NULL: not in the table */
const char *es_eic_zone(const char *eic);

/** es_eic_at - row @i; NULL behind the end */
const struct es_eic *es_eic_at(size_t i);

#endif
