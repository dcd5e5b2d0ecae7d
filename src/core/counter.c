/*
 * counter.c - what a step of a hardware energy counter means
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/counter.h"

#include <errno.h>

__extension__ typedef unsigned __int128 es_u128;

uint64_t es_energy_at_most_uj(uint64_t power_mw, int64_t dur_ns)
{
	uint64_t positive_ns = dur_ns > 0 ? (uint64_t)dur_ns : 0, narrow_pj;
	es_u128 uj;

	/* mW * ns = pJ. A report does this for each reading: 128 bits only where they are needed. */
	if (!__builtin_mul_overflow(power_mw, positive_ns, &narrow_pj) &&
	    narrow_pj <= UINT64_MAX - 999999)
		return (narrow_pj + 999999) / 1000000;
	uj = ((es_u128)power_mw * positive_ns + 999999) / 1000000;
	return uj > UINT64_MAX ? UINT64_MAX : (uint64_t)uj;
}

uint64_t es_mean_power_mw(uint64_t energy_uj, int64_t dur_ns)
{
	uint64_t narrow_pj;
	es_u128 mw;

	if (dur_ns <= 0)
		return 0;
	if (!__builtin_mul_overflow(energy_uj, UINT64_C(1000000), &narrow_pj) &&
	    narrow_pj <= UINT64_MAX - (uint64_t)dur_ns / 2)
		return (narrow_pj + (uint64_t)dur_ns / 2) / (uint64_t)dur_ns;
	mw = ((es_u128)energy_uj * 1000000 + (uint64_t)dur_ns / 2) / (uint64_t)dur_ns;
	return mw > UINT64_MAX ? UINT64_MAX : (uint64_t)mw;
}

int64_t es_counter_wrap_ns(const struct es_counter_range *range, uint64_t power_mw)
{
	es_u128 ns;

	if (range->modulus_nj == 0 || power_mw == 0)
		return INT64_MAX;
	/* nJ / mW = us */
	ns = (es_u128)range->modulus_nj * 1000 / power_mw;
	return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

/* One raw step in µJ, rounded up: what the truncation of a value to µJ and the step itself can hide. */
static uint64_t slack_uj(const struct es_counter_range *range)
{
	return range->unit_nj / 1000 + 2;
}

static bool fits(uint64_t energy_uj, uint64_t at_most_uj, uint64_t extra_uj)
{
	return energy_uj <= at_most_uj || energy_uj - at_most_uj <= extra_uj;
}

int es_counter_advance(const struct es_counter_range *range, uint64_t prev_uj, uint64_t cur_uj,
		       int64_t dur_ns, uint64_t peak_mw, struct es_step *ret)
{
	uint64_t modulus_uj = range->modulus_nj / 1000;
	uint64_t at_most_uj = peak_mw ? es_energy_at_most_uj(peak_mw, dur_ns) : UINT64_MAX;
	struct es_step step = { .verdict = ES_STEP_OK };

	if (dur_ns <= 0)
		return -EINVAL;
	if (modulus_uj && (prev_uj > modulus_uj || cur_uj > modulus_uj))
		return -ERANGE;
	if (cur_uj >= prev_uj) {
		step.energy_uj = cur_uj - prev_uj;
	} else {
		if (!modulus_uj)
			return -ESTALE;
		/* Kept in nJ until the end: the modulus of 2^32 steps of 15258 nJ is no whole number of µJ. */
		step.energy_uj = (uint64_t)(((es_u128)range->modulus_nj + (es_u128)cur_uj * 1000 -
					     (es_u128)prev_uj * 1000) /
					    1000);
		step.verdict = ES_STEP_WRAPPED;
	}
	if (!fits(step.energy_uj, at_most_uj, slack_uj(range)))
		return step.verdict == ES_STEP_WRAPPED ? -ESTALE : -EDOM;
	if (modulus_uj && peak_mw && at_most_uj > modulus_uj / 2)
		step.verdict = ES_STEP_AMBIGUOUS;
	*ret = step;
	return 0;
}
