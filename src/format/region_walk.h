/*
 * region_walk.h - energies of regions, reading by reading
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REGION_WALK_H
#define ES_FORMAT_REGION_WALK_H

#include "core/fit.h"
#include "core/owners.h"
#include "core/series.h"
#include "format/report.h"

/** struct es_region_tags - the calls of all regions, and whose time it is */
struct es_region_tags {
	struct es_call *calls;
	size_t n_calls;
	struct es_call_edge *edges;
	size_t n_edges;
	struct es_owners owners;
	size_t n_regions;
};

/** struct es_region_energy - of a region or an owner's time in one domain */
struct es_region_energy {
	uint64_t energy_uj; /* interpolated, until a fit says more */
	uint64_t interpolated_uj; /* what it was before */
	uint64_t low_uj,
		high_uj; /* what no power that is not negative can leave: energy of windows it fills, touches */
	double stale_j; /* what a counter that lags behind may add to either */
	bool is_fitted, is_tied; /* fit_j holds; the shares tell too little of it */
	double fit_j; /* half width of a 95 % interval around energy_uj */
};

/** struct es_region_domain - one domain of the fine cover */
struct es_region_domain {
	bool counts; /* it is in the fine cover and known; else nothing below is set */
	struct es_region_energy *regions; /* [n_regions] all that ran inside included */
	struct es_region_energy *states; /* [n_states] */
	struct es_fit fit; /* n_columns 0: none of its regions is to be fitted */
	bool *is_short; /* [n_regions] many calls, short ones beside its windows; NULL: none is */
	bool is_solved; /* the fit has an answer */
	int64_t shift_ns; /* what a reading shows was drawn this much earlier, in the mean */

	/* how far the walk has come */
	uint64_t sum_uj;
	int64_t gap_ns; /* so far, and */
	uint64_t filled_uj; /* what was filled in there */
	size_t edge, cut;
	bool *is_open; /* [region] */
	uint64_t *since_uj; /* [region] sum at the end of the last window that it had an edge in */
};

#define ES_REGION_NO_TARGET UINT32_MAX

/** struct es_region_walk - all domains; es_region_walk_finish() it */
struct es_region_walk {
	const struct es_region_tags *tags;
	const struct es_report *report;
	struct es_region_domain *domains; /* [meta->n_domains] */
	uint32_t *column; /* [state] in the fits */
	uint32_t *target; /* [region] in the fits; ES_REGION_NO_TARGET: none */
	size_t n_columns, n_targets;
	uint32_t *first_state; /* [region] states that it owns alone; 0: none */
	uint32_t *next_state; /* [state] the next of the same region; 0: none */
	struct es_region_window *window; /* scratch */
};

#define ES_REGION_CELLS_MAX (1U << 21) /* domains that count, times regions and sets of owners */

/** es_region_walk_init - everything 0; 0, -ENOMEM, or -E2BIG over the limit */
int es_region_walk_init(struct es_region_walk *walk, const struct es_region_tags *tags,
			const struct es_report *report);
void es_region_walk_finish(struct es_region_walk *walk);

/** es_region_walk_run - walk the recording; 0 or an error of reading */
int es_region_walk_run(struct es_region_walk *walk, struct es_recording *recording);

/** es_region_walk_sample - what es_region_walk_run() does for each sample of a domain that counts; gaps filled in */
void es_region_walk_sample(struct es_region_walk *walk, size_t domain,
			   const struct es_sample *sample, bool is_gap);

#endif
