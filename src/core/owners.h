/*
 * core/owners.h - whose time it is, where regions nest and overlap
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_OWNERS_H
#define ES_CORE_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ES_OWNERS_MAX 256U /* regions that overlap at one time without nesting */
#define ES_OWNER_SETS_MAX (1U << 20) /* sum of the lengths of all sets of them that occur */
#define ES_OWNER_CONTEXTS_MAX \
	1024U /* states: with more, short calls around are no longer told apart */
#define ES_OWNER_AROUND_MAX 16U /* short calls that are open at one time: likewise */

/** struct es_call - one call of a region; calls of one region do not overlap */
struct es_call {
	uint32_t region;
	uint32_t stop_edge; /* index among the edges */
	int64_t start_ns, stop_ns;
	bool takes_time; /* else nobody loses time to it, nor has it any of its own */
	bool is_short; /* what runs inside of it is told from what runs outside */
};

/** struct es_call_edge - a start or stop; in order of time, and where times are equal in the order they happened */
struct es_call_edge {
	int64_t t_ns;
	uint32_t call;
	bool is_stop;
};

/**
 * struct es_owners - the time cut into intervals, each owned by a set of regions
 *
 * A call owns the time in which no call that began later and stops earlier is open: the innermost has it. Calls that
 * overlap without one lying in the other own it together. A state is who owns it, and which short calls are open
 * around: power may depend on them. Interval i lasts from t_ns[i] to t_ns[i + 1], the last one for ever; t_ns[0] is
 * INT64_MIN.
 */
struct es_owners {
	size_t n;
	int64_t *t_ns;
	uint32_t *state; /* [n] 0: nobody's, untagged */
	size_t n_states;
	uint32_t *first; /* [n_states + 1] owners of s are regions[first[s]] up to regions[first[s + 1]], ascending */
	uint32_t *regions;
};

/**
 * es_owners_build - sweep over all edges
 * @ret: free with es_owners_finish(), also after an error
 *
 * Returns 0, -ENOMEM, or -E2BIG: a limit above is passed. Time is linear in the edges as long as few calls overlap
 * without nesting.
 */
int es_owners_build(const struct es_call *calls, size_t n_calls, const struct es_call_edge *edges,
		    size_t n_edges, size_t n_regions, struct es_owners *ret);
void es_owners_finish(struct es_owners *owners);

/** es_owners_count - how many regions own the time of a state */
static inline size_t es_owners_count(const struct es_owners *owners, size_t state)
{
	return owners->first[state + 1] - owners->first[state];
}

#endif
