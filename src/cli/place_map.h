/*
 * place_map.h - the matrix of a placement as a picture: what each class takes above the row's best, and what was chosen
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_PLACE_MAP_H
#define ES_CLI_PLACE_MAP_H

#include "cli/place.h"
#include "format/plot.h"

#define ES_PLACE_MAP_ROWS_MAX 60U /* more than that are not shown each */
#define ES_PLACE_MAP_LARGEST 40U /* of them so many */

/** struct es_place_map - which rows are shown; init with es_place_map_init() */
struct es_place_map {
	const struct es_placing *placing;
	size_t rows[ES_PLACE_MAP_ROWS_MAX],
		n_rows; /* all in order, or those with the largest regrets first */
	size_t n_others;
	double most; /* relative energy above the row's best at which the colour is full */
	bool is_cut; /* some cells are beyond it */
};

/** es_place_map_init - of a placement that was found; 0 or -ENOMEM */
int es_place_map_init(struct es_place_map *map, const struct es_placing *placing);
/** es_place_map_least - the least energy of a row's open cells; es_place_map_above - a cell's share above that */
int64_t es_place_map_least(const struct es_place_map *map, size_t i);
double es_place_map_above(const struct es_place_map *map, size_t i, size_t j);
/** es_place_map_is_tie - the measurements cannot tell this cell from the one that was chosen */
bool es_place_map_is_tie(const struct es_place_map *map, size_t i, size_t j);
/** es_place_map_reason - one letter for why a cell is closed, and in words */
char es_place_map_letter(enum es_place_why why);
const char *es_place_map_reason(enum es_place_why why);

/** es_place_map_scene - as a picture; es_scene_finish() it in any case */
int es_place_map_scene(const struct es_place_map *map, struct es_scene *ret);
/** es_place_map_letters - in letters, for a terminal */
void es_place_map_letters(const struct es_place_map *map, const struct es_terminal *terminal,
			  struct es_buf *out);

#endif
