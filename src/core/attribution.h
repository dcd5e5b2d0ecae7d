/*
 * attribution.h - whose the joules of a node are: jobs, idle, nobody's; to the last raw unit
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * A part is what one domain of the node's cover is about (package-0, dram-0, gpu-2, what is left of the node). Each interval's
 * energy of a part is shared out at once, in whole µJ, by running sums: over jobs, idle and unattributed it is the part's energy,
 * always, and nobody is off by more than a µJ. doc/attribution.md has the formulas and where they come from.
 */
#ifndef ES_CORE_ATTRIBUTION_H
#define ES_CORE_ATTRIBUTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/share_rule.h"

/** struct es_share_part - one part over one interval */
struct es_share_part {
	uint64_t energy_uj;
	uint64_t idle_uj; /* of that, the idle power times the interval; more than the energy counts as all of it */
	uint64_t used; /* CPU time (or activity) of everything on this part, jobs or not; where the jobs' sum is more, that counts */
	uint64_t held; /* what can be allocated, likewise */
};

/** struct es_share_claim - one job on one part over one interval, in the units of the part's */
struct es_share_claim {
	uint64_t used; /* CPU time, activity, or slices held times the interval */
	uint64_t held; /* what it was allocated, used or not */
};

/** struct es_portion - what a job got of a part */
struct es_portion {
	uint64_t dynamic_uj, idle_uj;
};

/**
 * es_share_out - one part's energy over its jobs: dynamic by what they used, idle by what they held
 * @claims: [@n]; @ret: [@n]; @ret_idle: idle energy of what nobody had been allocated; @ret_rest: dynamic energy of what no job used (the
 * system, users without a job)
 * Sums of @ret, @ret_idle and @ret_rest are part->energy_uj exactly; each is the exact share rounded up or down.
 */
void es_share_out(const struct es_share_part *part, const struct es_share_claim *claims, size_t n,
		  struct es_portion *ret, uint64_t *ret_idle, uint64_t *ret_rest);

/** es_part_of - @whole * @part / @total without overflow, rounded down; @part above @total counts as that; 0 where @total is 0 */
uint64_t es_part_of(uint64_t whole, uint64_t part, uint64_t total);

#endif
