/*
 * attribution.h - whose the joules of a node are: jobs, idle, nobody's; to the last raw unit
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * A part is what one domain of the node's cover is about (package-0, dram-0, gpu-2, what is left of the node). Each interval's
 * energy of a part is shared out at once, in whole µJ, and what rounding leaves goes to the largest remainder: the sum over jobs, idle
 * and unattributed is the part's energy, always.
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
	uint64_t idle_uj; /* of that, the idle power times the interval, at most the energy; 0 with ES_IDLE_NONE */
	uint64_t busy_ns; /* CPU time (or activity) of everything on this part, jobs or not; at least the jobs' sum */
	enum es_share_rule
		dynamic; /* ES_SHARE_CPU_TIME, _ACTIVITY, _SLICES; of the direct ones one job has a claim of all */
};

/** struct es_share_claim - one job on one part, over one interval */
struct es_share_claim {
	uint64_t used_ns; /* CPU time, activity, or slices held times the interval */
	uint32_t allocated_ppm; /* of the part; all jobs' sum is at most 1,000,000 */
};

/** struct es_share - what a job, or idle, or nobody got of a part */
struct es_share {
	uint64_t dynamic_uj, idle_uj;
};

/**
 * es_share_out - one part's energy over its jobs
 * @claims: [@n]; @ret: [@n]; @ret_idle: idle energy of what nobody had been allocated; @ret_rest: dynamic energy of what no job's cgroup
 * used (the system, users without a job)
 * Sums of @ret, @ret_idle and @ret_rest are part->energy_uj exactly.
 */
void es_share_out(const struct es_share_part *part, const struct es_share_claim *claims, size_t n,
		  struct es_share *ret, uint64_t *ret_idle, uint64_t *ret_rest);

#endif
