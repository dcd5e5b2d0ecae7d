/*
 * carbon_mix.h - from generation by type to one intensity: the mix of each moment
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_CARBON_MIX_H
#define ES_FORMAT_CARBON_MIX_H

#include "core/generation.h"
#include "format/carbon_parse.h"

#define ES_MIX_TYPES_MAX 32U
#define ES_MIX_INTERVALS_MAX (1U << 21)

/** struct es_mix_interval - what plants of one type generated from start to stop */
struct es_mix_interval {
	int64_t start_ns, stop_ns;
	uint64_t power_mw; /* mean, milliwatts as everywhere here */
	uint32_t line;
	uint8_t type;
};

/** struct es_mix - the generation of one area; zero-initialise, es_mix_finish() it */
struct es_mix {
	char zone[32];
	const struct es_generation *types[ES_MIX_TYPES_MAX];
	size_t n_types;
	struct es_mix_interval *intervals; /* owned */
	size_t n, cap;
};

/** es_mix_type - number of a type, added where it is new; negative: too many */
int es_mix_type(struct es_mix *mix, const struct es_generation *generation);
int es_mix_add(struct es_mix *mix, const struct es_mix_interval *interval);
void es_mix_finish(struct es_mix *mix);

/**
 * es_mix_put - the intensity of each interval in which all of the area's types are known
 *
 * Types without a factor are left out as long as they are at most 10 % of the generation; else that time has no
 * figure. What was left out is added to the file's note. Returns 0; -EEXIST: a type is there twice.
 */
int es_mix_put(struct es_mix *mix, struct es_carbon_file *file,
	       const struct es_carbon_nature *nature, struct es_error *err);

#endif
