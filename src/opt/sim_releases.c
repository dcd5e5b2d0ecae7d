/*
 * sim_releases.c - when running jobs are expected to end, and what is free then
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Sorted blocks with their sums: adding and removing moves a block's entries, looking for a time passes over whole blocks.
 */
#include "opt/sim_releases.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 64U

struct es_sim_releases_block {
	size_t n;
	int64_t extra_mw, procs[ES_SIM_CLASSES_MAX]; /* sums */
	struct es_sim_release entries[BLOCK];
};

static bool is_before(const struct es_sim_release *a, const struct es_sim_release *b)
{
	return a->end_s < b->end_s || (a->end_s == b->end_s && a->slot < b->slot);
}

/* The last block that begins at or before it; the first one where all begin later. */
static size_t block_of(const struct es_sim_releases *releases, const struct es_sim_release *release)
{
	size_t low = 0, high = releases->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (is_before(release, &releases->blocks[mid]->entries[0]))
			high = mid;
		else
			low = mid + 1;
	}
	return low > 0 ? low - 1 : 0;
}

/* How many entries of a block stand before it. */
static size_t index_of(const struct es_sim_releases_block *block,
		       const struct es_sim_release *release)
{
	size_t low = 0, high = block->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (is_before(&block->entries[mid], release))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int insert_block(struct es_sim_releases *releases, size_t at)
{
	struct es_sim_releases_block *block;

	if (releases->n == releases->cap) {
		size_t cap = releases->cap ? releases->cap * 2 : 16;
		struct es_sim_releases_block **blocks =
			reallocarray(releases->blocks, cap, sizeof(struct es_sim_releases_block *));

		if (!blocks)
			return -ENOMEM;
		releases->blocks = blocks;
		releases->cap = cap;
	}
	block = calloc(1, sizeof(*block));
	if (!block)
		return -ENOMEM;
	memmove(&releases->blocks[at + 1], &releases->blocks[at],
		(releases->n - at) * sizeof(struct es_sim_releases_block *));
	releases->blocks[at] = block;
	releases->n++;
	return 0;
}

/* A full block gives its upper half to a new one. */
static int split(struct es_sim_releases *releases, size_t at)
{
	struct es_sim_releases_block *low, *high;
	int r = insert_block(releases, at + 1);

	if (r < 0)
		return r;
	low = releases->blocks[at];
	high = releases->blocks[at + 1];
	high->n = BLOCK / 2;
	low->n = BLOCK - high->n;
	memcpy(high->entries, &low->entries[low->n], high->n * sizeof(high->entries[0]));
	for (size_t i = 0; i < high->n; i++) {
		high->procs[high->entries[i].class] += high->entries[i].procs;
		low->procs[high->entries[i].class] -= high->entries[i].procs;
		high->extra_mw += high->entries[i].extra_mw;
	}
	low->extra_mw -= high->extra_mw;
	return 0;
}

int es_sim_releases_add(struct es_sim_releases *releases, const struct es_sim_release *release)
{
	struct es_sim_releases_block *block;
	size_t at = block_of(releases, release), i;
	int r = 0;

	if (releases->n == 0)
		r = insert_block(releases, 0);
	else if (releases->blocks[at]->n == BLOCK)
		r = split(releases, at);
	if (r < 0)
		return r;
	block = releases->blocks[block_of(releases, release)];
	i = index_of(block, release);
	memmove(&block->entries[i + 1], &block->entries[i],
		(block->n - i) * sizeof(block->entries[0]));
	block->entries[i] = *release;
	block->n++;
	block->procs[release->class] += release->procs;
	block->extra_mw += release->extra_mw;
	return 0;
}

void es_sim_releases_remove(struct es_sim_releases *releases, const struct es_sim_release *release)
{
	size_t at = block_of(releases, release);
	struct es_sim_releases_block *block = releases->blocks[at];
	size_t i = index_of(block, release);

	block->n--;
	block->procs[release->class] -= release->procs;
	block->extra_mw -= release->extra_mw;
	memmove(&block->entries[i], &block->entries[i + 1],
		(block->n - i) * sizeof(block->entries[0]));
	if (block->n > 0)
		return;
	free(block);
	releases->n--;
	memmove(&releases->blocks[at], &releases->blocks[at + 1],
		(releases->n - at) * sizeof(struct es_sim_releases_block *));
}

int es_sim_releases_reserve(const struct es_sim_releases *releases, uint32_t class, int64_t procs,
			    int64_t extra_mw, struct es_sim_reservation *ret)
{
	struct es_sim_reservation sum = *ret;
	bool is_enough = false;

	for (size_t at = 0; at < releases->n; at++) {
		const struct es_sim_releases_block *block = releases->blocks[at];

		if (!is_enough && (sum.free + block->procs[class] < procs ||
				   sum.free_mw + block->extra_mw < extra_mw)) {
			sum.free += block->procs[class];
			sum.free_mw += block->extra_mw;
			continue;
		}
		for (size_t i = 0; i < block->n; i++) {
			if (is_enough && block->entries[i].end_s > sum.start_s) {
				*ret = sum;
				return 0;
			}
			if (block->entries[i].class == class)
				sum.free += block->entries[i].procs;
			sum.free_mw += block->entries[i].extra_mw;
			sum.start_s = block->entries[i].end_s;
			is_enough = sum.free >= procs && sum.free_mw >= extra_mw;
		}
	}
	if (!is_enough)
		return -ERANGE;
	*ret = sum;
	return 0;
}

void es_sim_releases_finish(struct es_sim_releases *releases)
{
	for (size_t i = 0; i < releases->n; i++)
		free(releases->blocks[i]);
	free(releases->blocks);
	*releases = (struct es_sim_releases){ .n = 0 };
}
