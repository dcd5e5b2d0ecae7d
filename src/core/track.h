/*
 * track.h - following one domain from reading to reading
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_TRACK_H
#define ES_CORE_TRACK_H

#include "core/domain.h"

/** struct es_sample - what two readings of a domain say: the energy of (t0, t1] */
struct es_sample {
	int64_t t0_ns, t1_ns;
	uint64_t energy_uj;
	enum es_step_verdict verdict;
	bool is_gap; /* nothing valid is known between t0 and t1; energy_uj is then 0 and means nothing */
};

/** struct es_track_mark - how often something was seen, and when */
struct es_track_mark {
	uint64_t n;
	int64_t first_t_ns, last_t_ns;
};

/** struct es_track - a domain's readings so far; plain data, no memory of its own */
struct es_track {
	const struct es_domain *domain; /* borrowed */
	int64_t gap_ns; /* power readings further apart than this leave a gap; 0: none do */

	bool has_first, has_pending;
	int64_t first_t_ns, last_t_ns; /* of accepted readings */
	uint64_t first_value, last_value;
	int64_t pending_t_ns; /* a reading that fits nothing yet: a glitch, or the first after a reset */
	uint64_t pending_value;
	int64_t pending_upto_ns; /* shown until then */
	/*
	 * The newest reading known to be true, at or below the last one. A later reading between the two says that the
	 * last one was too high: the counter is waited for until it has come that far.
	 */
	bool has_floor;
	int64_t floor_t_ns;
	uint64_t floor_value;
	unsigned n_behind; /* readings since the last one that said so */
	int64_t same_t_ns; /* when the last value was first shown */
	int64_t slept_ns; /* the machine slept that long between two readings still to come */

	uint64_t energy_uj; /* sum over samples */
	uint64_t first_step_uj,
		last_step_uj; /* of the samples at the ends, which no reading beyond them bears out */
	uint64_t rest_pj; /* of integrated powers: what is less than a µJ */
	uint64_t least_mw, most_mw; /* of readings of a power */
	double unseen_j2; /* of integrated powers: variance of what was drawn between their readings, J² */
	int64_t covered_ns; /* sum of their lengths */
	int64_t longest_ns; /* longest sample */
	uint64_t max_mw; /* of samples, or of such as follow each other, at least @max_over_ns long */
	int64_t max_over_ns;
	int64_t peak_t0_ns, peak_t1_ns; /* samples that are not long enough yet */
	uint64_t peak_uj;
	uint64_t n_readings, n_samples, n_wraps, n_ambiguous, n_resets, n_rejected, n_failed,
		n_standing, n_gaps;
	int64_t gap_total_ns;
	int64_t gap_slept_ns; /* of that, asleep */
	bool has_moved;
	uint64_t doubt_uj; /* at the end: how far the newest readings say that the sum is too high */
	/* Stretches in which the value stood still though its hardware never does; those made up for by a leap are no loss. */
	int64_t still_after_ns; /* from how long on; 0: it may stand as long as it likes */
	struct es_track_mark stood, rejected, reset;
	int64_t stood_ns, lost_ns; /* sums: of all, and of those not made up for */
};

/**
 * es_track_init - nothing read yet
 * @domain: borrowed, must outlive @track
 * @gap_ns: for domains that report powers: readings further apart leave a gap
 */
void es_track_init(struct es_track *track, const struct es_domain *domain, int64_t gap_ns);

/** es_track_fail - a reading failed; it is counted, and nothing is assumed about its value */
void es_track_fail(struct es_track *track);

/** es_track_sleep - the machine slept for @slept_ns between two readings that are still to come */
void es_track_sleep(struct es_track *track, int64_t slept_ns);

/**
 * es_track_feed - one more reading
 * @t_ns: when it was taken; later than the last one
 * @value: µJ, or mW for a domain that reports power
 * @ret: up to two samples, a gap first: room for two
 *
 * A reading that fits neither as a step nor as a wrap waits: if the next one fits the older value it was a glitch
 * and is rejected, if the next one fits it there was a reset (a gap up to it). So no wrong value ever enters the
 * energy, and a reset loses only the interval it happened in. A counter that stood still and then leaps by no more
 * than it could have counted meanwhile has made up for it. A value no counter of this range shows is rejected.
 *
 * Returns the number of samples in @ret: 0, 1 or 2.
 */
int es_track_feed(struct es_track *track, int64_t t_ns, uint64_t value,
		  struct es_sample ret[static 2]);

/** es_track_finish - no more readings: a reading that still waits was the first after a reset; returns samples as es_track_feed() */
int es_track_finish(struct es_track *track, struct es_sample ret[static 2]);

#endif
