/*
 * account_read.c - the node's book: what the meters show, and how far each part has grown
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>

#include "base/clock.h"
#include "daemon/account_private.h"

__extension__ typedef unsigned __int128 u128;

#define BRIDGE_NS \
	(10 *     \
	 ES_NS_PER_S) /* powers so far apart are still summed up: a daemon that was started anew */
#define SLEEP_NS (10 * ES_NS_PER_MS) /* the clocks differ by less where nobody slept */
#define BLIND_PART_NS \
	(60 * ES_NS_PER_S) /* for so long what a part does not show is not taken for the rest's */

static int64_t longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The time between two values that differ, of a meter in good health. */
static int64_t pace_ns(const struct es_domain *domain, int64_t period_ns)
{
	return longer(longer(period_ns, domain->update_period_ns), domain->hold_ns);
}

static uint64_t energy_uj(uint64_t power_mw, int64_t dur_ns)
{
	/* mW * ns = pJ */
	return dur_ns > 0 ? (uint64_t)((u128)power_mw * (uint64_t)dur_ns / 1000000) : 0;
}

/* A step is long enough to tell a power from when it is no part of an update. */
static void grow(struct es_account_meter *meter, const struct es_sample *sample, int64_t pace)
{
	int64_t dur_ns;

	if (sample->energy_uj == 0)
		return;
	if (meter->grown_t_ns == 0)
		meter->step_t0_ns = sample->t0_ns;
	meter->step_uj += sample->energy_uj;
	meter->grown_t_ns = sample->t1_ns;
	dur_ns = sample->t1_ns - meter->step_t0_ns;
	if (dur_ns < pace / 4 * 3)
		return;
	meter->step_ns = dur_ns;
	meter->step_mw = es_mean_power_mw(meter->step_uj, dur_ns);
	meter->step_t0_ns = sample->t1_ns;
	meter->step_uj = 0;
}

static void take_sample(struct es_account_meter *meter, const struct es_sample *sample,
			int64_t pace)
{
	if (!sample->is_gap) {
		meter->has_more = meter->has_gap;
		grow(meter, sample, pace);
		return;
	}
	meter->has_gap = true;
	meter->gap_ns += sample->t1_ns - sample->t0_ns;
	meter->gap_step_ns = sample->t1_ns - sample->t0_ns;
	meter->grown_t_ns = 0;
	meter->step_uj = 0;
}

/* How many samples the reading gave. */
static int feed(struct es_account_meter *meter, const struct es_reading *reading, int64_t pace)
{
	struct es_track *track = &meter->track;
	bool had_first = track->has_first;
	int64_t since_ns = track->has_pending ? track->pending_upto_ns : track->last_t_ns;
	struct es_sample samples[2];
	int n;

	/* Read aside, and nothing new since. */
	if (had_first && reading->t_ns <= since_ns)
		return 0;
	track->gap_ns = track->domain->is_power ? longer(BRIDGE_NS, 4 * pace) : 0;
	n = es_track_feed(track, reading->t_ns, reading->value, samples);
	for (int i = 0; i < n; i++)
		take_sample(meter, &samples[i], pace);
	meter->has_gap |= track->has_first && !had_first;
	return n;
}

static void show(struct es_account_meter *meter, const struct es_reading *reading)
{
	struct es_page_value *value = &meter->value;

	value->error = reading->error;
	value->energy_uj = meter->track.energy_uj;
	value->n_resets = (uint32_t)meter->track.n_resets;
	if (reading->error)
		return;
	value->t_ns = reading->t_ns;
	value->width_ns = reading->width_ns;
	value->power_mw = meter->track.domain->is_power ? reading->value : 0;
	value->activity_ns = reading->activity_ns;
}

/* A meter that is slower than the sweeps shows late what was drawn: until it does, as much as before, for two of its steps at most. */
static uint64_t ahead_uj(const struct es_account_meter *meter, bool is_slow, int64_t now_ns,
			 int64_t most_ns)
{
	const struct es_track *track = &meter->track;
	bool is_power = track->domain->is_power;
	int64_t dur_ns = now_ns - (is_power ? track->last_t_ns : meter->grown_t_ns);

	if (meter->is_blind || !is_slow || meter->step_mw == 0 || meter->grown_t_ns == 0)
		return 0;
	return energy_uj(is_power ? track->last_value : meter->step_mw,
			 dur_ns < most_ns ? dur_ns : most_ns);
}

static void read_meter(struct es_account_meter *meter, const struct es_reading *reading,
		       const struct es_sweep *sweep, int64_t dur_ns)
{
	int64_t pace = pace_ns(meter->track.domain, sweep->period_ns), most_ns;
	int n = 0;

	meter->has_gap = meter->has_more = false;
	meter->gap_step_ns = 0;
	if (reading->error == 0)
		n = feed(meter, reading, pace);
	else if (reading->error != -ECANCELED)
		es_track_fail(&meter->track);
	most_ns = 2 * longer(pace, meter->step_ns);
	meter->is_blind = !meter->track.has_first || meter->track.has_pending ||
			  (reading->error && reading->error != -ECANCELED) ||
			  (n == 0 && sweep->boot_ns - meter->track.last_t_ns > most_ns);
	meter->blind_ns = meter->is_blind ? meter->blind_ns + dur_ns : 0;
	show(meter, reading);
	meter->upto_uj =
		meter->track.energy_uj +
		ahead_uj(meter, n == 0 || pace > sweep->period_ns / 2 * 3, sweep->boot_ns, most_ns);
}

void es_account_read(struct es_account *account, const struct es_sweep *sweep)
{
	const struct es_reading none = { .error = -ENODATA };
	int64_t dur_ns = account->has_sweep ? sweep->boot_ns - account->sweep_ns : 0;
	int64_t slept_ns = account->has_sweep ? dur_ns - (sweep->mono_ns - account->sweep_mono_ns)
					      : 0;

	for (size_t i = 0; i < account->n_domains; i++) {
		struct es_account_meter *meter = &account->meters[i];

		if (slept_ns > SLEEP_NS)
			es_track_sleep(&meter->track, slept_ns);
		read_meter(meter, i < sweep->n ? &sweep->readings[i] : &none, sweep, dur_ns);
	}
}

/* What the total cover shows beyond the fine one, as of now; it may be less. */
static int64_t find_beyond(const struct es_account *account)
{
	int64_t beyond_uj = account->total_off_uj;

	for (size_t i = 0; i < account->n_domains; i++)
		if (account->meters[i].is_total_only)
			beyond_uj += (int64_t)account->meters[i].upto_uj;
	for (size_t i = 0; i + 1 < account->n_parts; i++)
		if (!account->domains[account->lines[i].meter].is_chosen_total)
			beyond_uj -= (int64_t)account->lines[i].part.energy_uj;
	return beyond_uj;
}

/* What is not known now: the difference stays as it is until it is. */
static bool is_blind(const struct es_account *account)
{
	for (size_t i = 0; i < account->n_domains; i++) {
		const struct es_account_meter *meter = &account->meters[i];

		if (meter->is_blind &&
		    (meter->is_total_only ||
		     (meter->is_in && !account->domains[i].is_chosen_total &&
		      meter->track.has_first && meter->blind_ns < BLIND_PART_NS)))
			return true;
	}
	return false;
}

/*
 * The node's meter lost what was drawn in a gap, which its parts' did not: as if it had shown as much as these. Where a sample follows
 * the gap, this is so up to the sweep before.
 */
static void bridge_gaps(struct es_account *account)
{
	bool has_gap = false, has_more = false;

	for (size_t i = 0; i < account->n_domains; i++) {
		const struct es_account_meter *meter = &account->meters[i];

		has_gap |= meter->is_total_only && meter->has_gap;
		has_more |= meter->is_total_only && meter->has_more;
	}
	if (has_gap)
		account->total_off_uj += has_more ? account->held_uj
						  : account->beyond_uj - find_beyond(account);
}

static uint64_t grown_rest(struct es_account *account)
{
	int64_t beyond_uj;
	uint64_t grown_uj = 0;

	bridge_gaps(account);
	beyond_uj = find_beyond(account);
	account->held_uj = is_blind(account) ? account->beyond_uj - beyond_uj : 0;
	account->beyond_uj = beyond_uj + account->held_uj;
	if (account->beyond_uj > 0 && (uint64_t)account->beyond_uj > account->booked_rest_uj) {
		grown_uj = (uint64_t)account->beyond_uj - account->booked_rest_uj;
		account->booked_rest_uj = (uint64_t)account->beyond_uj;
	}
	account->residual_uj = (uint64_t)((int64_t)account->booked_rest_uj - account->beyond_uj);
	return grown_uj;
}

uint64_t es_account_grown(struct es_account *account, size_t i)
{
	const struct es_account_line *line = &account->lines[i];
	uint64_t upto_uj;

	if (line->scope == ES_SCOPE_REST)
		return grown_rest(account);
	upto_uj = account->meters[line->meter].upto_uj;
	return upto_uj > line->part.energy_uj ? upto_uj - line->part.energy_uj : 0;
}
