/*
 * place_map_letters.c - the matrix of a placement in letters
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdio.h>
#include <string.h>

#include "cli/place_map.h"
#include "format/letters.h"

#define NAMES 24U
#define COLUMN 11U
#define COLUMNS_LEAST 2U

/* Darker where it takes more. */
static const char *shade(const struct es_place_map *map, double above, bool has_unicode)
{
	static const char *const blocks[] = { " ", "░", "▒", "▓", "█" };
	static const char *const plain[] = { " ", ".", ":", "+", "#" };
	double share = above / map->most;
	size_t step = share < 0.02 ? 0 : share < 0.25 ? 1 : share < 0.5 ? 2 : share < 0.75 ? 3 : 4;

	return has_unicode ? blocks[step] : plain[step];
}

static void put_cell(const struct es_place_map *map, size_t i, size_t j, bool has_unicode,
		     struct es_buf *out)
{
	const struct es_place_problem *problem = &map->placing->problem;
	enum es_place_why why = (enum es_place_why)problem->why[i * problem->m + j];
	bool is_here = map->placing->place.at[i] == j;
	double above;

	if (why != ES_PLACE_OPEN) {
		(void)es_buf_printf(out, " %8c  ", es_place_map_letter(why));
		return;
	}
	above = es_place_map_above(map, i, j);
	(void)es_buf_printf(out, " %s%s%+6.1f%s%c", is_here ? "[" : " ",
			    shade(map, above, has_unicode), 100 * above + 0.0, is_here ? "]" : " ",
			    es_place_map_is_tie(map, i, j) ? '~' : ' ');
}

static void put_head(const struct es_place_map *map, size_t first, size_t end, struct es_buf *out)
{
	es_letters_cell(out, "% above the row's best", NAMES, true);
	for (size_t j = first; j < end; j++) {
		(void)es_buf_str(out, " ");
		es_letters_cell(out, map->placing->energies.classes.texts[j], COLUMN - 1, true);
	}
	(void)es_buf_str(out, "\n");
}

static void put_legend(const struct es_place_map *map, struct es_buf *out)
{
	const struct es_place_problem *problem = &map->placing->problem;
	bool is_there[ES_PLACE_LARGE + 1] = { false };

	(void)es_buf_str(out, "[chosen]");
	if (map->placing->n_ties > 0)
		(void)es_buf_str(out, "  ~ as good, within the noise");
	for (size_t k = 0; k < map->n_rows; k++)
		for (size_t j = 0; j < problem->m; j++)
			is_there[problem->why[map->rows[k] * problem->m + j]] = true;
	for (int why = ES_PLACE_UNKNOWN; why <= ES_PLACE_LARGE; why++)
		if (is_there[why])
			(void)es_buf_printf(out, "  %c %s",
					    es_place_map_letter((enum es_place_why)why),
					    es_place_map_reason((enum es_place_why)why));
	if (map->n_others > 0)
		(void)es_buf_printf(
			out,
			"\nshown: the %zu that take most above their own best; %zu others "
			"not",
			map->n_rows, map->n_others);
	(void)es_buf_str(out, "\n\n");
}

/* Classes that do not fit beside each other follow below. */
void es_place_map_letters(const struct es_place_map *map, const struct es_terminal *terminal,
			  struct es_buf *out)
{
	const struct es_placing *placing = map->placing;
	size_t m = placing->problem.m, n = COLUMNS_LEAST;

	if (terminal->columns > NAMES + COLUMN * COLUMNS_LEAST)
		n = (terminal->columns - NAMES) / COLUMN;
	for (size_t first = 0; first < m; first += n) {
		size_t end = first + n < m ? first + n : m;

		put_head(map, first, end, out);
		for (size_t k = 0; k < map->n_rows; k++) {
			size_t i = map->rows[k];

			es_letters_cell(out, placing->energies.configurations.texts[i], NAMES,
					true);
			for (size_t j = first; j < end; j++)
				put_cell(map, i, j, terminal->has_unicode, out);
			(void)es_buf_str(out, "\n");
		}
		(void)es_buf_str(out, "\n");
	}
	put_legend(map, out);
}
