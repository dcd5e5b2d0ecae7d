/*
 * core/watch.h - all domains of a recording followed together, and what was seen of them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_WATCH_H
#define ES_CORE_WATCH_H

#include "core/cover.h"
#include "core/track.h"

/** es_sample_fn - told of each sample of a domain */
typedef void (*es_sample_fn)(void *arg, size_t domain, const struct es_sample *sample);

/** struct es_swing - lowest and highest mean power over stretches of ES_SWING_NS */
struct es_swing {
	uint64_t energy_uj; /* of the stretch so far */
	int64_t covered_ns;
	uint64_t lowest_mw, highest_mw;
	bool has_any;
};

/** struct es_watch - a track for each domain, and what it takes to tell mirrored dies and dead meters */
struct es_watch {
	struct es_domain *domains; /* borrowed */
	size_t n;
	struct es_track *tracks; /* [domain], owned */
	struct es_swing *swings; /* [domain], owned */
	uint64_t *step_uj; /* [domain] energy of its sample in this row */
	bool *has_step; /* [domain] */
	uint32_t *n_same; /* [domain] moving rows equal to the first die's */
	uint32_t *n_other; /* [domain] moving rows unlike it */
	int32_t *first_die; /* [domain] index of its package's first die, -1: it is no later die */
	int64_t busy_first_ns, busy_last_ns, busy_t0_ns, busy_t1_ns; /* CPU time of the machine */
	bool has_busy;
	es_sample_fn on_sample; /* may be NULL */
	void *arg;
};

/**
 * es_watch_init - follow @n domains
 * @planned_ns: planned sampling period; powers further apart than 1.75 of it, or of the meter's update period where
 *	that is longer, leave a gap: one reading is missing
 * Returns 0 or -ENOMEM; free with es_watch_finish().
 */
int es_watch_init(struct es_watch *watch, struct es_domain *domains, size_t n, int64_t planned_ns);
void es_watch_finish(struct es_watch *watch);

/** es_watch_reading - one reading; @activity_ns counts where the domain carries CPU time */
void es_watch_reading(struct es_watch *watch, size_t domain, int64_t t_ns, uint64_t value,
		      int64_t activity_ns);
/** es_watch_sleep - the machine slept for @slept_ns between two readings that are still to come */
void es_watch_sleep(struct es_watch *watch, int64_t slept_ns);
/** es_watch_row - the readings since the last call belong to one sweep */
void es_watch_row(struct es_watch *watch);
/** es_watch_end - no more readings: settle what waits */
void es_watch_end(struct es_watch *watch);

/**
 * es_watch_evidence - what was seen of each domain
 * @n_cpus, @n_packages: of the node, 0: not known, or several nodes; CPU time proves that a package was busy only where the others could not hold it all
 * @is_probed: the CPUs were all kept busy on purpose
 * @ret: room for each domain
 */
void es_watch_evidence(const struct es_watch *watch, uint32_t n_cpus, uint32_t n_packages,
		       bool is_probed, struct es_evidence *ret);

#endif
