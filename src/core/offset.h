/*
 * offset.h - how far two clocks are apart, by steps of power that their nodes have in common
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * The nodes of one job begin and end their phases together. Where the steps from bin to bin of one node are those of another, some bins
 * later, and at no other lag nearly as much, the other's clock is that much ahead.
 */
#ifndef ES_CORE_OFFSET_H
#define ES_CORE_OFFSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct es_offset - of the second clock against the first */
struct es_offset {
	int64_t offset_ns; /* it is ahead by so much */
	int64_t bound_ns; /* half width of a 95 % interval: half of a bin */
	double likeness; /* correlation of the steps at this lag, at most 1 */
};

/**
 * es_offset_find - the one lag at which two series of power are alike
 * @a, @b: [@n] energies of bins of @bin_ns, of the same times by their own clocks; any unit
 * @most_bins: lags looked at, to both sides
 *
 * Returns false where nothing stands out: no steps, steps of their own, or such as come again and again.
 */
bool es_offset_find(const double *a, const double *b, size_t n, int64_t bin_ns, size_t most_bins,
		    struct es_offset *ret);

#endif
