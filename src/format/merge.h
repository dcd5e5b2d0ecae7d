/*
 * merge.h - recordings of one job on several nodes become one, on one clock
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Nodes are laid beside each other by their wall clocks. How far these are apart is told by who keeps them (NTP, as the kernel
 * knows it), and by steps of power that the nodes have in common. Energies are of each node's own readings, whatever the clocks say.
 */
#ifndef ES_FORMAT_MERGE_H
#define ES_FORMAT_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/limits.h"
#include "record/recording.h"

struct es_json;

/** enum es_clock_by - how it is known how far a node's clock is from that of the first node */
enum es_clock_by {
	ES_CLOCK_UNKNOWN, /* it is taken as right */
	ES_CLOCK_KEPT, /* both are kept by NTP, and agree within their bounds */
	ES_CLOCK_STEPS, /* by steps of power: times of the node are put right by offset_ns */
};

/** struct es_merge_node - one recording */
struct es_merge_node {
	char name[ES_NAME_MAX_BYTES]; /* of its first node */
	int64_t start_unix_ns, stop_unix_ns; /* first and last reading, by its own clock */
	enum es_clock_by by;
	int64_t offset_ns; /* its wall clock is ahead of the first node's */
	int64_t bound_ns; /* half width of a 95 % interval */
	bool is_against_ntp; /* steps of power show more than NTP allows */
	double likeness; /* of the steps of power; 0: they told nothing */
};

/** struct es_merge - what was found on the way; es_merge_finish() it */
struct es_merge {
	struct es_merge_node *nodes; /* [n] in the order of the recordings; owned */
	size_t n;
};

/**
 * es_merge - join recordings
 * @recordings: [@n] open, of one job; the joined one owns them from then on, with 0 only
 * Returns 0; -EEXIST: two are of one node; -ERANGE: years apart; -E2BIG, -ENOMEM, errors of reading.
 */
int es_merge(struct es_recording *const *recordings, size_t n, struct es_recording **ret,
	     struct es_merge *ret_merge, struct es_error *err);
void es_merge_finish(struct es_merge *merge);

/** es_merge_rows - of the table: how far the clocks are apart; appended to @out */
void es_merge_rows(const struct es_merge *merge, struct es_buf *out);
/** es_merge_members - the array "clocks" */
void es_merge_members(const struct es_merge *merge, struct es_json *json);

#endif
