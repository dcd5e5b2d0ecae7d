/*
 * ink.h - the colours of a picture, by what they stand for
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_INK_H
#define ES_FORMAT_INK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/domain.h"

#define ES_INK_N_REGIONS 10U
#define ES_INK_N_HUES 8U
#define ES_INK_N_SHADES 4U

/** enum es_ink - a role, so that a theme can give it its colour */
enum es_ink {
	ES_INK_NONE,
	ES_INK_PAPER,
	ES_INK_TEXT,
	ES_INK_MUTED, /* text of less weight */
	ES_INK_GRID,
	ES_INK_GAP, /* ground of what is not known */
	ES_INK_GAP_LINE, /* its hatching */
	ES_INK_LIMIT,
	ES_INK_PEAK, /* between the least and the most within a point */
	ES_INK_LINE, /* curves that are not stacked; four in a row */
	ES_INK_REGION = ES_INK_LINE + 4, /* ES_INK_N_REGIONS in a row */
	ES_INK_EDGE = ES_INK_REGION + ES_INK_N_REGIONS, /* outline of a region */
	ES_INK_SERIES, /* hue * ES_INK_N_SHADES + shade */
	ES_INK_TINT = ES_INK_SERIES +
		      ES_INK_N_HUES * ES_INK_N_SHADES, /* the same, pale: ground of estimates */
	ES_N_INKS = ES_INK_TINT + ES_INK_N_HUES * ES_INK_N_SHADES,
};

/** es_ink_of_domain - the hue of a domain's type in its @shade (any number: they repeat) */
enum es_ink es_ink_of_domain(enum es_domain_type type, unsigned shade);
/** es_ink_pale - the pale twin of a series' ink */
enum es_ink es_ink_pale(enum es_ink ink);
/** es_ink_of_region - colours of regions repeat too */
enum es_ink es_ink_of_region(unsigned region);

/** es_ink_rgb - 0xRRGGBB in the light or the dark theme; distinct for the colour-blind (Okabe and Ito 2008) */
uint32_t es_ink_rgb(enum es_ink ink, bool is_dark);

#endif
