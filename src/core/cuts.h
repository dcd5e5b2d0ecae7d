/*
 * core/cuts.h - what each domain had used up at times that are known beforehand, gaps kept apart
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_CUTS_H
#define ES_CORE_CUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/track.h"

#define ES_CUTS_MAX (1U << 23) /* times by domains */

/** struct es_cut - a domain up to a time */
struct es_cut {
	uint64_t energy_uj; /* of its samples, interpolated inside the one that holds the time */
	int64_t gap_ns; /* length of its gaps */
};

/** struct es_cuts_domain - how far a domain has come */
struct es_cuts_domain {
	bool has_sample;
	size_t first; /* number of the first time after its first sample's start */
	struct es_cut *cuts; /* of the times from there on, owned */
	size_t n, cap;
	struct es_cut sum;
};

/** struct es_cuts - es_cuts_finish() it */
struct es_cuts {
	const int64_t *t_ns; /* sorted, borrowed */
	size_t n_times, n_domains, n_cuts;
	struct es_cuts_domain *domains; /* owned */
	int error; /* the first one; sticks */
};

/** es_cuts_init - times on the clock of the samples; 0 or -ENOMEM */
int es_cuts_init(struct es_cuts *cuts, const int64_t *t_ns, size_t n_times, size_t n_domains);
void es_cuts_finish(struct es_cuts *cuts);

/** es_cuts_sample - the next sample of a domain; -ENOMEM and -E2BIG (over ES_CUTS_MAX) stick in error */
void es_cuts_sample(struct es_cuts *cuts, size_t domain, const struct es_sample *sample);

/** es_cuts_at - a domain at time number @i, all of its samples having been seen: nothing before the first, all after the last */
struct es_cut es_cuts_at(const struct es_cuts *cuts, size_t domain, size_t i);

#endif
