/*
 * core/series.h - cumulative energy in equal bins of time
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_SERIES_H
#define ES_CORE_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/track.h"

/**
 * struct es_series - energy of one domain in equal bins; sums stay exact to the µJ
 *
 * What is covered is kept as what is not: samples follow each other, and holes between them are rare.
 */
struct es_series {
	int64_t t0_ns, t1_ns,
		bin_ns; /* bin i is (t0 + i * bin, t0 + (i + 1) * bin], the last one ends at t1 */
	size_t n_bins;
	uint64_t *energy_uj; /* [bin], owned */
	int64_t *hole_ns; /* [bin], owned: without valid samples between first and last; NULL: nowhere */
	bool has_any, grows, lacks_memory;
	int64_t from_ns, upto_ns; /* start of the first sample, end of the last one */
	size_t at; /* bin of the last sample */
	int64_t at_start_ns, at_end_ns; /* its edges, where the next sample most likely lies */
};

/** es_series_choose_bin_ns - @period_ns, doubled until @dur_ns takes no more than @n_max bins */
int64_t es_series_choose_bin_ns(int64_t dur_ns, int64_t period_ns, size_t n_max);

/** es_series_init - empty bins of @bin_ns from @t0_ns to @t1_ns; 0 or -ENOMEM; free with es_series_finish() */
int es_series_init(struct es_series *series, int64_t t0_ns, int64_t t1_ns, int64_t bin_ns);
/** es_series_init_open - the same where the end is not known: bins double in length whenever there would be more than @n_max */
int es_series_init_open(struct es_series *series, int64_t t0_ns, int64_t bin_ns, size_t n_max);
/** es_series_close - the end of an open one is known, and that bins are to be @bin_ns long (2^n times what they began with) or as long as they have become */
void es_series_close(struct es_series *series, int64_t t1_ns, int64_t bin_ns);
void es_series_finish(struct es_series *series);

/**
 * es_series_add - spread a sample over the bins it touches, by time
 * @sample: not before the last one. Gaps add nothing; what lies outside goes to the nearest bin.
 * Memory is taken for the first hole only; where there is none, lacks_memory is set and coverage is not known.
 */
void es_series_add(struct es_series *series, const struct es_sample *sample);

/** es_series_covered_ns - how much of a bin has valid samples */
int64_t es_series_covered_ns(const struct es_series *series, size_t bin);
/** es_series_power_mw - mean power of a bin over the time covered; false where less than half of the bin is */
bool es_series_power_mw(const struct es_series *series, size_t bin, uint64_t *ret_mw);

/** struct es_edge - a domain's cumulative energy at one instant, interpolated inside the sample that holds it */
struct es_edge {
	int64_t t_ns;
	uint64_t energy_uj;
	uint64_t bound_uj; /* the most that interpolation can be wrong by: all of that sample on one side of the edge */
};

/** es_edge_add - take into account one more sample of the domain */
void es_edge_add(struct es_edge *edge, const struct es_sample *sample);

#endif
