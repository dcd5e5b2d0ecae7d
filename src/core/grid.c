/*
 * grid.c - carbon intensity of electricity by country: the table that ships with the product
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/grid.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const struct es_grid_factor grid_table[] = {
#include "grid_table.inc"
};

#define GRID_COUNT (sizeof(grid_table) / sizeof(grid_table[0]))
#define NAME_MAX_CHARS 64U /* longer text is nobody's attempt at a country */
#define PREFIX_MIN_CHARS 3U /* two letters begin too many names */
#define SPELLING_MIN_CHARS 4U /* one wrong letter in three makes any code another one */
#define NO_MATCH 1000U

size_t es_grid_count(void)
{
	return GRID_COUNT;
}

const struct es_grid_factor *es_grid_at(size_t i)
{
	return i < GRID_COUNT ? &grid_table[i] : NULL;
}

const struct es_grid_factor *es_grid_find(const char *zone)
{
	if (!zone || !*zone)
		return NULL;
	for (size_t i = 0; i < GRID_COUNT; i++) {
		const struct es_grid_factor *f = &grid_table[i];

		if (!strcasecmp(zone, f->zone) || !strcasecmp(zone, f->iso3) ||
		    !strcasecmp(zone, f->name) || !strcasecmp(zone, f->alias))
			return f;
	}
	return NULL;
}

static unsigned fold(char c)
{
	return (unsigned)tolower((unsigned char)c);
}

static unsigned min_of(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Letters to insert, drop, replace or swap with their neighbour to get from @a to @b. */
static unsigned edit_distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
	unsigned row[3][NAME_MAX_CHARS + 1];

	for (size_t j = 0; j <= n_b; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n_a; i++) {
		unsigned *now = row[i % 3];
		const unsigned *last = row[(i + 2) % 3];
		const unsigned *before = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= n_b; j++) {
			unsigned d = last[j - 1] + (fold(a[i - 1]) != fold(b[j - 1]));

			d = min_of(d, min_of(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]))
				d = min_of(d, before[j - 2] + 1);
			now[j] = d;
		}
	}
	return row[n_a % 3][n_b];
}

static int has_word(const char *name, const char *word, size_t n)
{
	for (const char *p = name; *p; p++) {
		int starts = p == name || !isalpha((unsigned char)p[-1]);

		if (starts && !strncasecmp(p, word, n) && !isalpha((unsigned char)p[n]))
			return 1;
	}
	return 0;
}

/* 0 is best: the beginning of a name, then a word of it, then a misspelling. */
static unsigned mismatch(const char *name, const char *text, size_t n)
{
	size_t n_name = strlen(name);
	unsigned d;

	if (!n_name || n_name > NAME_MAX_CHARS)
		return NO_MATCH;
	if (n >= PREFIX_MIN_CHARS && !strncasecmp(name, text, n))
		return 0;
	if (n >= 2 && has_word(name, text, n))
		return 1;
	if (n < SPELLING_MIN_CHARS)
		return NO_MATCH;
	d = edit_distance(text, n, name, n_name);
	return d <= (n + 1) / 3 ? 1 + d : NO_MATCH;
}

const struct es_grid_factor *es_grid_nearest(const char *zone)
{
	const struct es_grid_factor *best = NULL;
	unsigned best_mismatch = NO_MATCH;
	size_t best_length = 0;
	size_t n = zone ? strlen(zone) : 0;

	if (!n || n > NAME_MAX_CHARS)
		return NULL;
	for (size_t i = 0; i < GRID_COUNT; i++) {
		const struct es_grid_factor *f = &grid_table[i];
		unsigned m = min_of(mismatch(f->name, zone, n), mismatch(f->alias, zone, n));
		size_t length = strlen(f->name);

		if (m < best_mismatch || (m == best_mismatch && best && length < best_length)) {
			best = f;
			best_mismatch = m;
			best_length = length;
		}
	}
	return best;
}
