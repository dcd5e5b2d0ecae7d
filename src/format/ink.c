/*
 * ink.c - the colours of a picture, by what they stand for
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/ink.h"

/*
 * Okabe, Ito, "Color Universal Design" (2008): eight colours that people with any common colour blindness can tell
 * apart; their black is a grey here, so that text and lines stay visible on it.
 */
enum hue {
	HUE_BLUE,
	HUE_ORANGE,
	HUE_GREEN,
	HUE_PURPLE,
	HUE_SKY,
	HUE_VERMILLION,
	HUE_YELLOW,
	HUE_GREY,
};

static const uint32_t hues[ES_INK_N_HUES] = {
	[HUE_BLUE] = 0x0072b2,	 [HUE_ORANGE] = 0xe69f00, [HUE_GREEN] = 0x009e73,
	[HUE_PURPLE] = 0xcc79a7, [HUE_SKY] = 0x56b4e9,	  [HUE_VERMILLION] = 0xd55e00,
	[HUE_YELLOW] = 0xf0e442, [HUE_GREY] = 0x8a8a8a,
};

static const enum hue of_type[ES_N_DOMAIN_TYPES] = {
	[ES_DOMAIN_PACKAGE] = HUE_BLUE, [ES_DOMAIN_DIE] = HUE_BLUE,
	[ES_DOMAIN_CORE] = HUE_SKY,	[ES_DOMAIN_UNCORE] = HUE_YELLOW,
	[ES_DOMAIN_DRAM] = HUE_ORANGE,	[ES_DOMAIN_PSYS] = HUE_GREY,
	[ES_DOMAIN_GPU] = HUE_GREEN,	[ES_DOMAIN_MODULE] = HUE_VERMILLION,
	[ES_DOMAIN_NODE] = HUE_SKY,	[ES_DOMAIN_OTHER] = HUE_PURPLE,
};

struct pair {
	uint32_t light, dark;
};

static const struct pair plain[ES_INK_SERIES] = {
	[ES_INK_NONE] = { 0, 0 },
	[ES_INK_PAPER] = { 0xffffff, 0x16181d },
	[ES_INK_TEXT] = { 0x1b1f24, 0xe8eaed },
	[ES_INK_MUTED] = { 0x5b636e, 0xa0a8b3 },
	[ES_INK_GRID] = { 0xdfe3e8, 0x33383f },
	[ES_INK_GAP] = { 0xececec, 0x2a2d33 },
	[ES_INK_GAP_LINE] = { 0x9a9a9a, 0x777d86 },
	[ES_INK_LIMIT] = { 0xb3261e, 0xff8a80 },
	[ES_INK_PEAK] = { 0x1b1f24, 0xffffff },
	[ES_INK_LINE] = { 0x1b1f24, 0xffffff },
	[ES_INK_LINE + 1] = { 0x9c4a78, 0xe8a3c8 },
	[ES_INK_LINE + 2] = { 0x7a4b00, 0xf3c46b },
	[ES_INK_LINE + 3] = { 0x5b636e, 0xa0a8b3 },
	[ES_INK_REGION] = { 0xd3e3f3, 0x2b4661 },
	[ES_INK_REGION + 1] = { 0xf7dfc0, 0x5e4522 },
	[ES_INK_REGION + 2] = { 0xcfe9dd, 0x1f4f3f },
	[ES_INK_REGION + 3] = { 0xeed6e4, 0x59324a },
	[ES_INK_REGION + 4] = { 0xf4efb8, 0x524e1c },
	[ES_INK_REGION + 5] = { 0xd9d3ef, 0x413763 },
	[ES_INK_REGION + 6] = { 0xc9ebf2, 0x1d4c57 },
	[ES_INK_REGION + 7] = { 0xf6cfc8, 0x632f27 },
	[ES_INK_REGION + 8] = { 0xe1ecc0, 0x435220 },
	[ES_INK_REGION + 9] = { 0xdadde2, 0x42474f },
	[ES_INK_EDGE] = { 0x8b95a1, 0x8b95a1 },
};

static uint32_t mix(uint32_t from, uint32_t to, unsigned percent)
{
	uint32_t mixed = 0;

	for (unsigned shift = 0; shift < 24; shift += 8) {
		uint32_t a = from >> shift & 0xff, b = to >> shift & 0xff;

		mixed |= (a * (100 - percent) + b * percent) / 100 << shift;
	}
	return mixed;
}

enum es_ink es_ink_of_domain(enum es_domain_type type, unsigned shade)
{
	return (enum es_ink)(ES_INK_SERIES + of_type[type] * ES_INK_N_SHADES +
			     shade % ES_INK_N_SHADES);
}

enum es_ink es_ink_pale(enum es_ink ink)
{
	return (enum es_ink)(ink - ES_INK_SERIES + ES_INK_TINT);
}

enum es_ink es_ink_of_region(unsigned region)
{
	return (enum es_ink)(ES_INK_REGION + region % ES_INK_N_REGIONS);
}

uint32_t es_ink_rgb(enum es_ink ink, bool is_dark)
{
	/* Neighbours of one type: full, lighter, darker, palest. */
	static const unsigned lighter[ES_INK_N_SHADES] = { 0, 38, 0, 62 };
	static const unsigned darker[ES_INK_N_SHADES] = { 0, 0, 32, 0 };
	uint32_t rgb, paper = is_dark ? plain[ES_INK_PAPER].dark : plain[ES_INK_PAPER].light;
	unsigned at;

	if (ink < ES_INK_SERIES)
		return is_dark ? plain[ink].dark : plain[ink].light;
	at = (unsigned)(ink >= ES_INK_TINT ? ink - ES_INK_TINT : ink - ES_INK_SERIES);
	rgb = hues[at / ES_INK_N_SHADES];
	rgb = mix(rgb, 0xffffff, lighter[at % ES_INK_N_SHADES]);
	rgb = mix(rgb, 0x000000, darker[at % ES_INK_N_SHADES]);
	return ink >= ES_INK_TINT ? mix(rgb, paper, 70) : rgb;
}
