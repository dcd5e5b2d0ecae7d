/*
 * track.c - following one domain from reading to reading
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/track.h"

#include <errno.h>

#include "base/parse.h"

__extension__ typedef unsigned __int128 es_u128;

#define STILL_MIN_NS INT64_C(100000000)
#define STILL_UPDATES 20 /* a live meter moves within that many of its updates */
#define UPDATE_MAX_NS \
	INT64_C(10000000) /* what refreshes more seldom is no counter of the processor's */
#define ASLEEP_PART 200 /* what a part draws asleep, at most, of its peak: 7.5 of 1500 W */

/* How long a counter stands still before something is wrong with it; 0: what it measures may draw nothing. */
static int64_t find_still_after(const struct es_domain *domain)
{
	int64_t updates_ns, steps_ns; /* as many steps at 1 W: nJ / W = ns */
	bool never_rests = domain->type == ES_DOMAIN_PACKAGE || domain->type == ES_DOMAIN_DIE ||
			   domain->type == ES_DOMAIN_DRAM || domain->type == ES_DOMAIN_PSYS;

	if (!never_rests || domain->is_power || domain->kind != ES_KIND_MEASURED ||
	    domain->update_period_ns <= 0 || domain->update_period_ns > UPDATE_MAX_NS ||
	    domain->range.unit_nj > UINT32_MAX)
		return 0;
	updates_ns = STILL_UPDATES * domain->update_period_ns;
	steps_ns = STILL_UPDATES * (int64_t)domain->range.unit_nj;
	updates_ns = updates_ns > steps_ns ? updates_ns : steps_ns;
	return updates_ns > STILL_MIN_NS ? updates_ns : STILL_MIN_NS;
}

void es_track_init(struct es_track *track, const struct es_domain *domain, int64_t gap_ns)
{
	*track = (struct es_track){ .domain = domain,
				    .gap_ns = gap_ns,
				    .still_after_ns = find_still_after(domain) };
}

void es_track_sleep(struct es_track *track, int64_t slept_ns)
{
	if (track->has_first && slept_ns > 0 && slept_ns <= ES_TIME_MAX_NS - track->slept_ns)
		track->slept_ns += slept_ns;
}

static void mark(struct es_track_mark *mark, int64_t t_ns)
{
	mark->first_t_ns = mark->n == 0 ? t_ns : mark->first_t_ns;
	mark->last_t_ns = t_ns;
	mark->n++;
}

static void reject(struct es_track *track, int64_t t_ns)
{
	track->n_rejected++;
	mark(&track->rejected, t_ns);
}

/* What waited was no true reading after all. */
static void reject_pending(struct es_track *track)
{
	if (track->has_pending)
		reject(track, track->pending_t_ns);
	track->has_pending = false;
}

void es_track_fail(struct es_track *track)
{
	track->n_failed++;
}

/* How much of @dur_ns between two readings the machine was awake; from then on the sleep lies behind. */
static int64_t awake_of(const struct es_track *track, int64_t dur_ns)
{
	return dur_ns >= track->slept_ns ? dur_ns - track->slept_ns : dur_ns;
}

static void accept(struct es_track *track, int64_t t_ns, uint64_t value)
{
	if (value != track->last_value || !track->has_first)
		track->same_t_ns = t_ns;
	if (t_ns - track->last_t_ns >= track->slept_ns) {
		track->same_t_ns += value == track->last_value ? track->slept_ns : 0;
		track->slept_ns = 0;
	}
	track->has_first = true;
	track->last_t_ns = t_ns;
	track->last_value = value;
	track->has_pending = false;
}

static void gap(struct es_track *track, int64_t t0_ns, int64_t t1_ns, struct es_sample *ret)
{
	track->n_gaps++;
	track->gap_total_ns += t1_ns - t0_ns;
	track->gap_slept_ns += t1_ns - t0_ns - awake_of(track, t1_ns - t0_ns);
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

/*
 * The peak of very short samples is the counter's step over nearly no time: not a power. Those that follow each other are
 * taken together until they are long enough.
 */
static void note_peak(struct es_track *track, int64_t t0_ns, int64_t t1_ns, uint64_t energy_uj)
{
	int64_t dur_ns;

	if (t0_ns != track->peak_t1_ns || track->max_over_ns == INT64_MAX) {
		track->peak_t0_ns = t0_ns;
		track->peak_uj = 0;
	}
	track->peak_t1_ns = t1_ns;
	track->peak_uj += energy_uj;
	dur_ns = t1_ns - track->peak_t0_ns;
	if (dur_ns < track->max_over_ns)
		return;
	if (may_exceed(track, track->peak_uj, dur_ns)) {
		uint64_t mean_mw = es_mean_power_mw(track->peak_uj, dur_ns);

		track->max_mw = mean_mw > track->max_mw ? mean_mw : track->max_mw;
	}
	track->peak_t0_ns = t1_ns;
	track->peak_uj = 0;
}

/* Samples are written where they belong, member by member: a copy right after would wait for each store. */
static void count(struct es_track *track, int64_t t0_ns, int64_t t1_ns, const struct es_step *step,
		  struct es_sample *ret)
{
	int64_t dur_ns = t1_ns - t0_ns;

	if (track->n_samples++ == 0)
		track->first_step_uj = step->energy_uj;
	track->last_step_uj = step->energy_uj;
	track->energy_uj += step->energy_uj;
	track->covered_ns += dur_ns;
	track->longest_ns = dur_ns > track->longest_ns ? dur_ns : track->longest_ns;
	track->n_wraps += step->verdict == ES_STEP_WRAPPED;
	track->n_ambiguous += step->verdict == ES_STEP_AMBIGUOUS;
	note_peak(track, t0_ns, t1_ns, step->energy_uj);
	ret->t0_ns = t0_ns;
	ret->t1_ns = t1_ns;
	ret->energy_uj = step->energy_uj;
	ret->verdict = step->verdict;
	ret->is_gap = false;
}

/*
 * Between two readings of a power nobody looked, but for the time that the meter averages over. Where it stepped from one to
 * the other at a time that is as likely as any, the trapezoid is off by a uniform share of step times time: a twelfth of its
 * square is the variance.
 */
static double unseen_j2(const struct es_track *track, int64_t dur_ns, uint64_t power_mw)
{
	double unseen_s = es_s_from_ns(dur_ns - track->domain->update_period_ns),
	       step_w = es_w_from_mw(power_mw) - es_w_from_mw(track->last_value);

	return unseen_s > 0 ? step_w * step_w * unseen_s * unseen_s / 12 : 0;
}

static int feed_power(struct es_track *track, int64_t t_ns, uint64_t power_mw,
		      struct es_sample ret[static 2])
{
	int64_t dur_ns = t_ns - track->last_t_ns;
	struct es_step step = { .verdict = ES_STEP_OK };
	int64_t t0_ns = track->last_t_ns;
	es_u128 pj;

	if (power_mw > track->domain->peak_mw && track->domain->peak_mw) {
		reject(track, t_ns);
		return 0;
	}
	track->has_moved = track->has_moved || power_mw != track->last_value;
	track->least_mw = power_mw < track->least_mw ? power_mw : track->least_mw;
	track->most_mw = power_mw > track->most_mw ? power_mw : track->most_mw;
	if (track->gap_ns && dur_ns > track->gap_ns) {
		gap(track, t0_ns, t_ns, &ret[0]);
		accept(track, t_ns, power_mw);
		return 1;
	}
	/* Trapezoid; mW * ns = pJ. */
	pj = ((es_u128)track->last_value + power_mw) * (uint64_t)dur_ns / 2 + track->rest_pj;
	step.energy_uj = (uint64_t)(pj / 1000000);
	track->rest_pj = (uint64_t)(pj % 1000000);
	track->unseen_j2 += unseen_j2(track, dur_ns, power_mw);
	accept(track, t_ns, power_mw);
	count(track, t0_ns, t_ns, &step, &ret[0]);
	return 1;
}

static int step_from(const struct es_track *track, int64_t t0_ns, uint64_t v0, int64_t t_ns,
		     uint64_t value, struct es_step *ret)
{
	/* What is shown now may have been drawn up to one update before the older reading. */
	int64_t dur_ns = t_ns - t0_ns, awake_ns, asleep_ns;

	if (__builtin_add_overflow(dur_ns, track->domain->update_period_ns, &dur_ns))
		dur_ns = INT64_MAX;
	awake_ns = awake_of(track, dur_ns);
	/* No wrap hides in a night: a counter that is lower after a sleep has lost its value. */
	asleep_ns = value < v0 ? 0 : (dur_ns - awake_ns) / ASLEEP_PART;
	return es_counter_advance(&track->domain->range, v0, value, awake_ns + asleep_ns,
				  track->domain->peak_mw, ret);
}

/* The end of a stretch with one value: whether it stood too long, and whether @step_uj at its end makes up for it. */
static void end_stretch(struct es_track *track, uint64_t step_uj, int64_t step_ns, bool has_leapt)
{
	int64_t still_ns = track->last_t_ns - track->same_t_ns, moving_ns;
	uint64_t usual_mw;

	if (!track->still_after_ns || still_ns < track->still_after_ns)
		return;
	moving_ns = track->covered_ns - track->stood_ns - still_ns;
	usual_mw = es_mean_power_mw(track->energy_uj, moving_ns);
	track->stood_ns += still_ns;
	mark(&track->stood, track->same_t_ns);
	track->stood.last_t_ns = track->last_t_ns;
	if (!has_leapt &&
	    (moving_ns <= 0 || step_uj < es_energy_at_most_uj(usual_mw, still_ns / 2 + step_ns)))
		track->lost_ns += still_ns;
}

/* A reading that goes on from the last one. */
static int go_on(struct es_track *track, int64_t t_ns, uint64_t value, const struct es_step *step,
		 struct es_sample *ret)
{
	int64_t t0_ns = track->last_t_ns;

	/* What waited in between was a glitch: the counter went on as if it had not been. */
	reject_pending(track);
	if (value != track->last_value)
		end_stretch(track, step->energy_uj, t_ns - t0_ns, false);
	/* A later reading between these two would say that this one was too high; so did one before, if it was later. */
	if (track->n_behind == 0) {
		track->floor_t_ns = t0_ns;
		track->floor_value = track->last_value;
	}
	track->has_floor = step->verdict == ES_STEP_OK;
	track->n_behind = 0;
	track->n_standing += value == track->last_value;
	track->has_moved = track->has_moved || value != track->last_value;
	accept(track, t_ns, value);
	count(track, t0_ns, t_ns, step, ret);
	return 1;
}

/*
 * Lower than the last reading and no lower than the one before: then the last one was too high (it showed something
 * else once), and its sample has what the counter has yet to come to.
 */
static bool is_behind(struct es_track *track, int64_t t_ns, uint64_t value)
{
	struct es_step step;

	return track->has_floor && value >= track->floor_value && value < track->last_value &&
	       step_from(track, track->floor_t_ns, track->floor_value, t_ns, value, &step) == 0;
}

/* The reading after one that fitted nothing fits that one: the counter begins anew there, or has made up for a stand. */
static int begin_anew(struct es_track *track, int64_t t_ns, uint64_t value,
		      const struct es_step *step, struct es_sample ret[static 2])
{
	int64_t t0_ns = track->last_t_ns, pending_t_ns = track->pending_t_ns;
	int64_t max_over_ns = track->max_over_ns;
	struct es_step leap;

	track->has_moved = true;
	track->has_floor = false;
	track->n_behind = 0;
	if (track->same_t_ns < track->last_t_ns && track->pending_value > track->last_value &&
	    step_from(track, track->same_t_ns, track->last_value, pending_t_ns,
		      track->pending_value, &leap) == 0) {
		end_stretch(track, leap.energy_uj, pending_t_ns - t0_ns, true);
		accept(track, pending_t_ns, track->pending_value);
		track->max_over_ns = INT64_MAX; /* what was drawn before is no power of now */
		count(track, t0_ns, pending_t_ns, &leap, &ret[0]);
		track->max_over_ns = max_over_ns;
		track->peak_t1_ns = INT64_MIN;
	} else {
		/* What stood before it began anew may have been no true value at all. */
		if (track->last_t_ns - track->same_t_ns < track->still_after_ns)
			track->lost_ns += track->last_t_ns - track->same_t_ns;
		end_stretch(track, 0, 0, false);
		track->n_resets++;
		mark(&track->reset, pending_t_ns);
		gap(track, t0_ns, pending_t_ns, &ret[0]);
	}
	accept(track, pending_t_ns, track->pending_value);
	accept(track, t_ns, value);
	count(track, pending_t_ns, t_ns, step, &ret[1]);
	return 2;
}

static int feed_counter(struct es_track *track, int64_t t_ns, uint64_t value,
			struct es_sample ret[static 2])
{
	struct es_step step;
	int r = step_from(track, track->last_t_ns, track->last_value, t_ns, value, &step);

	if (r == 0 && step.verdict != ES_STEP_WRAPPED)
		return go_on(track, t_ns, value, &step, &ret[0]);
	if (r == -ERANGE) {
		reject(track, t_ns);
		return 0;
	}
	if (is_behind(track, t_ns, value)) {
		track->floor_t_ns = t_ns;
		track->floor_value = value;
		track->n_behind++;
	} else if (r == 0) {
		return go_on(track, t_ns, value, &step, &ret[0]);
	} else if (track->has_pending && value == track->pending_value) {
		/* Wrong values may agree: whether a counter begins there is known once it moves. */
		track->pending_upto_ns = t_ns;
		return 0;
	} else if (track->has_pending && step_from(track, track->pending_t_ns, track->pending_value,
						   t_ns, value, &step) == 0) {
		return begin_anew(track, t_ns, value, &step, ret);
	}
	reject_pending(track);
	track->has_pending = true;
	track->pending_t_ns = track->pending_upto_ns = t_ns;
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
			reject(track, t_ns);
			return 0;
		}
		track->first_t_ns = t_ns;
		track->first_value = track->least_mw = track->most_mw = value;
		accept(track, t_ns, value);
		return 0;
	}
	if (t_ns <= track->last_t_ns || (track->has_pending && t_ns <= track->pending_upto_ns)) {
		reject(track, t_ns);
		return 0;
	}
	return track->domain->is_power ? feed_power(track, t_ns, value, ret)
				       : feed_counter(track, t_ns, value, ret);
}

int es_track_finish(struct es_track *track, struct es_sample ret[static 2])
{
	const struct es_step nothing = { .verdict = ES_STEP_OK };
	int64_t t0_ns = track->last_t_ns, pending_t_ns = track->pending_t_ns;

	if (track->has_first && track->has_moved)
		end_stretch(track, 0, 0, false);
	if (!track->has_pending) {
		/* Where a reading before it said less than the sum did, the last one makes that up too. */
		if (track->has_floor && !track->domain->is_power)
			track->last_step_uj = track->last_value - track->floor_value;
		return 0;
	}
	if (track->has_floor && track->floor_t_ns == pending_t_ns)
		track->doubt_uj = track->last_value - track->pending_value;
	if (track->doubt_uj && track->n_behind > 1) {
		reject(track, track->last_t_ns);
		accept(track, pending_t_ns, track->pending_value);
		count(track, t0_ns, pending_t_ns, &nothing, &ret[0]);
		return 1;
	}
	track->n_resets++;
	mark(&track->reset, pending_t_ns);
	gap(track, t0_ns, track->pending_upto_ns, &ret[0]);
	accept(track, track->pending_upto_ns, track->pending_value);
	return 1;
}
