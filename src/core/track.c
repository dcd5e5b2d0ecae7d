/*
 * track.c - following one domain from reading to reading
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/track.h"

#include <errno.h>

__extension__ typedef unsigned __int128 es_u128;

void es_track_init(struct es_track *track, const struct es_domain *domain, int64_t gap_ns)
{
	*track = (struct es_track){ .domain = domain, .gap_ns = gap_ns };
}

void es_track_fail(struct es_track *track)
{
	track->n_failed++;
}

static void accept(struct es_track *track, int64_t t_ns, uint64_t value)
{
	track->last_t_ns = t_ns;
	track->last_value = value;
	track->has_pending = false;
}

static void gap(struct es_track *track, int64_t t0_ns, int64_t t1_ns, struct es_sample *ret)
{
	track->n_gaps++;
	track->gap_total_ns += t1_ns - t0_ns;
	*ret = (struct es_sample){ .t0_ns = t0_ns, .t1_ns = t1_ns, .is_gap = true };
}

/* Whether the mean power may be the largest so far; a product costs less than a division for each sample. */
static bool may_exceed(const struct es_track *track, uint64_t energy_uj, int64_t dur_ns)
{
	uint64_t pj, most_pj;

	/* mW * ns = pJ */
	return __builtin_mul_overflow(energy_uj, UINT64_C(1000000), &pj) ||
	       __builtin_mul_overflow(track->max_mw, (uint64_t)dur_ns, &most_pj) || pj > most_pj;
}

/* Samples are written where they belong, member by member: a copy right after would wait for each store. */
static void count(struct es_track *track, int64_t t0_ns, int64_t t1_ns, const struct es_step *step,
		  struct es_sample *ret)
{
	int64_t dur_ns = t1_ns - t0_ns;

	track->n_samples++;
	track->energy_uj += step->energy_uj;
	track->covered_ns += dur_ns;
	track->longest_ns = dur_ns > track->longest_ns ? dur_ns : track->longest_ns;
	track->n_wraps += step->verdict == ES_STEP_WRAPPED;
	track->n_ambiguous += step->verdict == ES_STEP_AMBIGUOUS;
	/* The peak of very short samples is the counter's step over nearly no time: not a power. */
	if (dur_ns >= track->max_over_ns && may_exceed(track, step->energy_uj, dur_ns)) {
		uint64_t mean_mw = es_mean_power_mw(step->energy_uj, dur_ns);

		track->max_mw = mean_mw > track->max_mw ? mean_mw : track->max_mw;
	}
	ret->t0_ns = t0_ns;
	ret->t1_ns = t1_ns;
	ret->energy_uj = step->energy_uj;
	ret->verdict = step->verdict;
	ret->is_gap = false;
}

static int feed_power(struct es_track *track, int64_t t_ns, uint64_t power_mw,
		      struct es_sample ret[static 2])
{
	int64_t dur_ns = t_ns - track->last_t_ns;
	struct es_step step = { .verdict = ES_STEP_OK };
	int64_t t0_ns = track->last_t_ns;
	es_u128 pj;

	if (power_mw > track->domain->peak_mw && track->domain->peak_mw) {
		track->n_rejected++;
		return 0;
	}
	track->has_moved = track->has_moved || power_mw != track->last_value;
	if (track->gap_ns && dur_ns > track->gap_ns) {
		accept(track, t_ns, power_mw);
		gap(track, t0_ns, t_ns, &ret[0]);
		return 1;
	}
	/* Trapezoid; mW * ns = pJ. */
	pj = ((es_u128)track->last_value + power_mw) * (uint64_t)dur_ns / 2 + track->rest_pj;
	step.energy_uj = (uint64_t)(pj / 1000000);
	track->rest_pj = (uint64_t)(pj % 1000000);
	accept(track, t_ns, power_mw);
	count(track, t0_ns, t_ns, &step, &ret[0]);
	return 1;
}

static int step_from(const struct es_track *track, int64_t t0_ns, uint64_t v0, int64_t t_ns,
		     uint64_t value, struct es_step *ret)
{
	/* What is shown now may have been drawn up to one update before the older reading. */
	int64_t dur_ns = t_ns - t0_ns + track->domain->update_period_ns;

	return es_counter_advance(&track->domain->range, v0, value, dur_ns, track->domain->peak_mw,
				  ret);
}

static int feed_counter(struct es_track *track, int64_t t_ns, uint64_t value,
			struct es_sample ret[static 2])
{
	int64_t t0_ns = track->last_t_ns;
	struct es_step step;

	if (step_from(track, t0_ns, track->last_value, t_ns, value, &step) == 0) {
		/* What waited in between was a glitch: the counter went on as if it had not been. */
		track->n_rejected += track->has_pending;
		track->n_standing += value == track->last_value;
		track->has_moved = track->has_moved || value != track->last_value;
		accept(track, t_ns, value);
		count(track, t0_ns, t_ns, &step, &ret[0]);
		return 1;
	}
	if (track->has_pending &&
	    step_from(track, track->pending_t_ns, track->pending_value, t_ns, value, &step) == 0) {
		int64_t reset_t_ns = track->pending_t_ns;

		track->n_resets++;
		track->has_moved = true;
		accept(track, t_ns, value);
		gap(track, t0_ns, reset_t_ns, &ret[0]);
		count(track, reset_t_ns, t_ns, &step, &ret[1]);
		return 2;
	}
	track->n_rejected += track->has_pending;
	track->has_pending = true;
	track->pending_t_ns = t_ns;
	track->pending_value = value;
	return 0;
}

int es_track_feed(struct es_track *track, int64_t t_ns, uint64_t value,
		  struct es_sample ret[static 2])
{
	track->n_readings++;
	if (!track->has_first) {
		bool is_possible = !track->domain->range.modulus_nj ||
				   value <= track->domain->range.modulus_nj / 1000 ||
				   track->domain->is_power;

		if (!is_possible) {
			track->n_rejected++;
			return 0;
		}
		track->has_first = true;
		track->first_t_ns = t_ns;
		track->first_value = value;
		accept(track, t_ns, value);
		return 0;
	}
	if (t_ns <= track->last_t_ns || (track->has_pending && t_ns <= track->pending_t_ns)) {
		track->n_rejected++;
		return 0;
	}
	return track->domain->is_power ? feed_power(track, t_ns, value, ret)
				       : feed_counter(track, t_ns, value, ret);
}

int es_track_finish(struct es_track *track, struct es_sample ret[static 2])
{
	int64_t t0_ns = track->last_t_ns;

	if (!track->has_pending)
		return 0;
	track->n_resets++;
	gap(track, t0_ns, track->pending_t_ns, &ret[0]);
	accept(track, track->pending_t_ns, track->pending_value);
	return 1;
}
