/*
 * bands.h - regions as bands: which row a call is drawn in, and what is too short to be drawn alone
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_BANDS_H
#define ES_FORMAT_BANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct es_band_call - one call of a region; calls are given sorted by start */
struct es_band_call {
	size_t region;
	int64_t start_ns, stop_ns;
};

/** struct es_band - a piece of a row */
struct es_band {
	size_t region;
	unsigned row;
	int64_t start_ns, stop_ns; /* within the window */
	bool is_strip; /* a cell of a density strip: many short calls, whose share of its time is @share_percent */
	unsigned share_percent; /* 1..100 */
};

/** struct es_bands_options - the window, and how fine it is drawn */
struct es_bands_options {
	int64_t start_ns, stop_ns;
	int64_t cell_ns; /* time of a strip's cell: what is shorter cannot be drawn alone */
	unsigned n_rows_max;
	size_t n_regions; /* regions are numbered below that */
};

/** struct es_bands - es_bands_finish() it */
struct es_bands {
	struct es_band *bands; /* by region within a strip, else in order of time */
	size_t n;
	unsigned n_rows;
	size_t n_left_out; /* regions with a call that found no row */
};

/**
 * es_bands_place - calls into rows
 *
 * A call lies below all that it is nested in, or that lasts beside it; calls one after the other share a row. A region
 * most of whose calls are shorter than a cell gets a strip of its own, below: the longest regions first while there
 * are rows. Returns 0 or -ENOMEM.
 */
int es_bands_place(const struct es_band_call *calls, size_t n,
		   const struct es_bands_options *options, struct es_bands *ret);
void es_bands_finish(struct es_bands *bands);

#endif
