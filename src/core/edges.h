/*
 * core/edges.h - what each domain had used up at certain times, noted while its samples go by
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_EDGES_H
#define ES_CORE_EDGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/series.h"

#define ES_EDGES_CELLS_MAX \
	(1U << 14) /* times by domains: beyond that the recording is read again instead */

/** struct es_edges_domain - how far a domain has come */
struct es_edges_domain {
	bool has_sample, has_gap;
	size_t next; /* first noted time that lies behind its last sample */
	int64_t first_t0_ns, last_t0_ns, last_t1_ns;
	uint64_t last_uj; /* energy of the last sample */
	uint64_t sum_uj; /* up to its end */
};

/** struct es_edges - times in the order they were noted; es_edges_finish() it */
struct es_edges {
	size_t n_domains, n, cap;
	struct es_edges_domain *domains;
	int64_t *t_ns; /* [time] */
	struct es_edge *
		edges; /* [time * n_domains + domain]; t_ns INT64_MIN: the domain was past it already */
};

/** es_edges_init - nothing noted; 0 or -ENOMEM */
int es_edges_init(struct es_edges *edges, size_t n_domains);
void es_edges_finish(struct es_edges *edges);

/**
 * es_edges_note - this time will be asked for
 *
 * It may lie ahead of the samples seen or in the last one of each domain. A time before one that was noted, or one
 * too many, is passed over: es_edges_at() then does not know it.
 */
void es_edges_note(struct es_edges *edges, int64_t t_ns);

/** es_edges_sample - the next sample of a domain */
void es_edges_sample(struct es_edges *edges, size_t domain, const struct es_sample *sample);

/**
 * es_edges_at - what a domain had used up at @t_ns, all of its samples having been seen
 * Returns false where that cannot be told: the time was not noted, or the domain has gaps.
 */
bool es_edges_at(const struct es_edges *edges, size_t domain, int64_t t_ns, struct es_edge *ret);

#endif
