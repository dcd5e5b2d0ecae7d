/*
 * core/generation.c - grams per kWh by type of generation, and areas: tables that ship with the product
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/generation.h"

#include <string.h>

static const struct es_generation generations[] = {
#include "generation_table.inc"
};

static const struct es_eic areas[] = {
#include "eic_table.inc"
};

const struct es_generation *es_generation_find(const char *psr)
{
	for (size_t i = 0; i < sizeof(generations) / sizeof(generations[0]); i++)
		if (strcmp(generations[i].psr, psr) == 0)
			return &generations[i];
	return NULL;
}

const char *es_eic_zone(const char *eic)
{
	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++)
		if (strcmp(areas[i].eic, eic) == 0)
			return areas[i].zone;
	return NULL;
}

const struct es_eic *es_eic_at(size_t i)
{
	return i < sizeof(areas) / sizeof(areas[0]) ? &areas[i] : NULL;
}
