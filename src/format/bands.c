/*
 * bands.c - regions as bands: which row a call is drawn in, and what is too short to be drawn alone
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/bands.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define ROWS_MAX 16U
#define CALLS_MIN 8U /* of a strip: fewer are drawn one by one, however short */

struct region {
	size_t n_calls, n_short;
	int64_t dur_ns;
	bool is_strip, is_left_out;
};

struct placing {
	const struct es_bands_options *options;
	const struct es_band_call *calls;
	size_t n;
	struct region *regions; /* [options->n_regions] */
	size_t cap;
	struct es_bands out;
};

/* A call cut to the window; false where nothing is left. */
static bool cut(const struct placing *placing, size_t i, struct es_band *ret)
{
	const struct es_band_call *call = &placing->calls[i];
	const struct es_bands_options *options = placing->options;
	int64_t start_ns = call->start_ns > options->start_ns ? call->start_ns : options->start_ns,
		stop_ns = call->stop_ns < options->stop_ns ? call->stop_ns : options->stop_ns;

	if (stop_ns <= start_ns || call->region >= options->n_regions)
		return false;
	*ret = (struct es_band){ .region = call->region, .start_ns = start_ns, .stop_ns = stop_ns };
	return true;
}

static int put(struct placing *placing, const struct es_band *band)
{
	if (placing->out.n == placing->cap) {
		size_t cap = placing->cap ? placing->cap * 2 : 64;
		struct es_band *more =
			reallocarray(placing->out.bands, cap, sizeof(*placing->out.bands));

		if (!more)
			return -ENOMEM;
		placing->out.bands = more;
		placing->cap = cap;
	}
	placing->out.bands[placing->out.n++] = *band;
	return 0;
}

static void look(struct placing *placing)
{
	struct es_band band;

	for (size_t i = 0; i < placing->n; i++) {
		struct region *region;

		if (!cut(placing, i, &band))
			continue;
		region = &placing->regions[band.region];
		region->n_calls++;
		region->dur_ns += band.stop_ns - band.start_ns;
		region->n_short += band.stop_ns - band.start_ns < 2 * placing->options->cell_ns;
	}
	for (size_t i = 0; i < placing->options->n_regions; i++) {
		struct region *region = &placing->regions[i];

		region->is_strip = region->n_calls >= CALLS_MIN &&
				   region->n_short * 2 > region->n_calls;
	}
}

static int place_calls(struct placing *placing)
{
	int64_t busy_until_ns[ROWS_MAX] = { 0 };
	unsigned n_rows_max = placing->options->n_rows_max < ROWS_MAX ? placing->options->n_rows_max
								      : ROWS_MAX;

	for (size_t i = 0; i < placing->n; i++) {
		struct es_band band;
		unsigned row = 0;
		int r;

		if (!cut(placing, i, &band) || placing->regions[band.region].is_strip)
			continue;
		/* Rows are empty before the window. A call goes below the deepest one that still lasts. */
		for (unsigned j = 0; j < placing->out.n_rows; j++)
			if (busy_until_ns[j] > band.start_ns)
				row = j + 1;
		if (row >= n_rows_max) {
			placing->regions[band.region].is_left_out = true;
			continue;
		}
		band.row = row;
		busy_until_ns[row] = band.stop_ns;
		placing->out.n_rows = row >= placing->out.n_rows ? row + 1 : placing->out.n_rows;
		r = put(placing, &band);
		if (r < 0)
			return r;
	}
	return 0;
}

static int flush_cell(struct placing *placing, struct es_band *cell, int64_t busy_ns)
{
	int64_t dur_ns = cell->stop_ns - cell->start_ns;

	if (busy_ns <= 0 || dur_ns <= 0)
		return 0;
	/* Calls of one region may overlap: a share is at most the whole. */
	busy_ns = busy_ns < dur_ns ? busy_ns : dur_ns;
	cell->share_percent = (unsigned)((double)busy_ns * 100.0 / (double)dur_ns);
	cell->share_percent = cell->share_percent ? cell->share_percent : 1;
	return put(placing, cell);
}

/* A strip's cells from left to right; a call adds to each cell that it touches. */
static int place_strip(struct placing *placing, size_t region, unsigned row)
{
	const struct es_bands_options *options = placing->options;
	size_t n_cells =
		(size_t)((options->stop_ns - options->start_ns - 1) / options->cell_ns) + 1;
	es_cleanup(es_freep) int64_t *busy_ns = calloc(n_cells, sizeof(*busy_ns));
	struct es_band band;
	int r = busy_ns ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < placing->n; i++) {
		if (placing->calls[i].region != region || !cut(placing, i, &band))
			continue;
		for (int64_t t_ns = band.start_ns; t_ns < band.stop_ns;) {
			size_t cell = (size_t)((t_ns - options->start_ns) / options->cell_ns);
			int64_t end_ns = options->start_ns + (int64_t)(cell + 1) * options->cell_ns;

			end_ns = end_ns < band.stop_ns ? end_ns : band.stop_ns;
			busy_ns[cell] += end_ns - t_ns;
			t_ns = end_ns;
		}
	}
	for (size_t i = 0; r == 0 && i < n_cells; i++) {
		int64_t start_ns = options->start_ns + (int64_t)i * options->cell_ns,
			stop_ns = start_ns + options->cell_ns;

		band = (struct es_band){
			.region = region,
			.row = row,
			.is_strip = true,
			.start_ns = start_ns,
			.stop_ns = stop_ns < options->stop_ns ? stop_ns : options->stop_ns,
		};
		r = flush_cell(placing, &band, busy_ns[i]);
	}
	return r;
}

/* The strip with the most time that has no row yet; SIZE_MAX: none. */
static size_t next_strip(const struct placing *placing)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < placing->options->n_regions; i++)
		if (placing->regions[i].is_strip &&
		    (best == SIZE_MAX ||
		     placing->regions[i].dur_ns > placing->regions[best].dur_ns))
			best = i;
	return best;
}

static int place_strips(struct placing *placing)
{
	size_t region;

	while (placing->out.n_rows < placing->options->n_rows_max &&
	       (region = next_strip(placing)) != SIZE_MAX) {
		int r = place_strip(placing, region, placing->out.n_rows++);

		if (r < 0)
			return r;
		placing->regions[region].is_strip = false;
	}
	for (size_t i = 0; i < placing->options->n_regions; i++)
		placing->regions[i].is_left_out = placing->regions[i].is_left_out ||
						  placing->regions[i].is_strip;
	return 0;
}

int es_bands_place(const struct es_band_call *calls, size_t n,
		   const struct es_bands_options *options, struct es_bands *ret)
{
	struct placing placing = { .options = options, .calls = calls, .n = n };
	int r;

	placing.regions = calloc(options->n_regions + 1, sizeof(*placing.regions));
	r = placing.regions ? 0 : -ENOMEM;
	if (r == 0 && options->stop_ns > options->start_ns && options->cell_ns > 0) {
		look(&placing);
		r = place_calls(&placing);
		if (r == 0)
			r = place_strips(&placing);
	}
	for (size_t i = 0; r == 0 && i < options->n_regions; i++)
		placing.out.n_left_out += placing.regions[i].is_left_out;
	free(placing.regions);
	if (r < 0) {
		es_bands_finish(&placing.out);
		return r;
	}
	*ret = placing.out;
	return 0;
}

void es_bands_finish(struct es_bands *bands)
{
	free(bands->bands);
	*bands = (struct es_bands){ .n = 0 };
}
