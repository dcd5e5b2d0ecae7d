/*
 * meter.c - what a meter makes of the exact energy: steps, wraps, update periods, averages, and its faults
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/meter.h"

#include <errno.h>

#define FJ_PER_J ((es_u128)1000000000000000ULL)
#define PPM INT64_C(1000000)

/* When the @k-th update comes: as late as chance has it, and always the same. */
static int64_t update_at(const struct es_twin_meter *meter, int64_t k)
{
	uint64_t mixed = (uint64_t)k * UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ mixed >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	return meter->phase_ns + k * meter->update_ns +
	       (meter->jitter_ns > 0 ? (int64_t)((mixed >> 32) % (uint64_t)meter->jitter_ns) : 0);
}

int64_t es_twin_meter_time_ns(const struct es_twin_meter *meter, int64_t t_ns)
{
	int64_t k, at_ns;

	if (meter->is_stuck && t_ns > meter->stuck_ns)
		t_ns = meter->stuck_ns;
	if (meter->update_ns <= 0)
		return t_ns;
	k = (t_ns - meter->phase_ns) / meter->update_ns -
	    ((t_ns - meter->phase_ns) % meter->update_ns < 0);
	at_ns = update_at(meter, k);
	return at_ns <= t_ns ? at_ns : update_at(meter, k - 1);
}

static uint64_t wrapped(const struct es_twin_meter *meter, uint64_t raw)
{
	return meter->bits >= 64 ? raw : raw & ((UINT64_C(1) << meter->bits) - 1);
}

/* What it has seen until @t_ns of all that was drawn. The node may have forgotten when it got stuck; the meter has not. */
static es_u128 looked_fj(const struct es_twin_meter *meter, const struct es_twin_node *node,
			 int64_t t_ns)
{
	if (meter->is_stuck && t_ns >= meter->stuck_ns)
		return meter->stuck_fj;
	return es_twin_energy_fj(node, meter->part, meter->i, es_twin_meter_time_ns(meter, t_ns));
}

/* Energy that it has seen since its last reset. */
static es_u128 seen_fj(const struct es_twin_meter *meter, const struct es_twin_node *node,
		       int64_t t_ns)
{
	es_u128 energy_fj = looked_fj(meter, node, t_ns);

	energy_fj = energy_fj > meter->zero_fj ? energy_fj - meter->zero_fj : 0;
	if (meter->gain_ppm == 0)
		return energy_fj;
	return energy_fj * (uint64_t)(PPM + meter->gain_ppm) / (uint64_t)PPM;
}

static uint64_t raw_at(const struct es_twin_meter *meter, const struct es_twin_node *node,
		       int64_t t_ns)
{
	es_u128 steps = seen_fj(meter, node, t_ns) * meter->step_fj_den / meter->step_fj_num;

	return wrapped(meter, meter->base + (uint64_t)steps);
}

static int failure(const struct es_twin_meter *meter)
{
	return meter->is_gone ? -ENOENT : meter->error;
}

int es_twin_meter_raw(const struct es_twin_meter *meter, const struct es_twin_node *node,
		      int64_t t_ns, uint64_t *ret)
{
	if (failure(meter) < 0)
		return failure(meter);
	*ret = raw_at(meter, node, t_ns);
	return 0;
}

/* Without its gain and its grain. */
static uint64_t looked_uw(const struct es_twin_meter *meter, const struct es_twin_node *node,
			  int64_t t_ns)
{
	int64_t at_ns = es_twin_meter_time_ns(meter, t_ns), window_ns = meter->window_ns, looked_ns;

	if (meter->is_stuck && t_ns >= meter->stuck_ns)
		return meter->stuck_uw;
	if (window_ns <= 0)
		return es_twin_power_uw(node, meter->part, meter->i, at_ns);
	/* Blind for the rest of the window: what it saw at its beginning stands for all of it. */
	looked_ns = meter->duty_ppm ? window_ns * meter->duty_ppm / PPM : window_ns;
	return es_twin_mean_uw(node, meter->part, meter->i, at_ns - window_ns + looked_ns,
			       looked_ns);
}

int es_twin_meter_power_uw(const struct es_twin_meter *meter, const struct es_twin_node *node,
			   int64_t t_ns, uint64_t *ret)
{
	uint64_t power_uw;

	if (failure(meter) < 0)
		return failure(meter);
	power_uw = looked_uw(meter, node, t_ns);
	if (meter->gain_ppm != 0)
		power_uw = (uint64_t)((es_u128)power_uw * (uint64_t)(PPM + meter->gain_ppm) /
				      (uint64_t)PPM);
	if (meter->grain_uw)
		power_uw = (power_uw + meter->grain_uw / 2) / meter->grain_uw * meter->grain_uw;
	*ret = power_uw;
	return 0;
}

/* It shows @raw at @t_ns and counts on from there. */
static void restart(struct es_twin_meter *meter, const struct es_twin_node *node, int64_t t_ns,
		    uint64_t raw)
{
	meter->zero_fj = looked_fj(meter, node, t_ns);
	meter->base = wrapped(meter, raw);
}

void es_twin_meter_start(struct es_twin_meter *meter, const struct es_twin_node *node, int64_t t_ns)
{
	restart(meter, node, t_ns, meter->start);
}

void es_twin_meter_fault(struct es_twin_meter *meter, const struct es_twin_node *node,
			 enum es_twin_fault fault, bool begins, int64_t t_ns)
{
	switch (fault) {
	case ES_TWIN_FAULT_VANISH:
		meter->n_lost += begins && !meter->is_gone;
		meter->is_gone = begins;
		break;
	case ES_TWIN_FAULT_EIO:
		meter->error = begins ? -EIO : 0;
		break;
	case ES_TWIN_FAULT_STUCK:
		meter->is_stuck = false;
		meter->stuck_ns = t_ns;
		meter->stuck_fj = looked_fj(meter, node, t_ns);
		meter->stuck_uw = looked_uw(meter, node, t_ns);
		meter->is_stuck = begins;
		break;
	case ES_TWIN_FAULT_SLOW:
		meter->is_slow = begins;
		break;
	case ES_TWIN_FAULT_RESET:
		if (begins)
			restart(meter, node, t_ns, 0);
		break;
	case ES_TWIN_FAULT_RELOAD:
		meter->n_lost += begins && !meter->is_gone;
		meter->is_gone = begins;
		meter->n_loads += begins && !meter->is_loading;
		meter->is_loading = begins;
		if (!begins)
			restart(meter, node, t_ns, 0);
		break;
	case ES_TWIN_FAULT_WRAP_SOON:
		if (begins && meter->bits < 64)
			restart(meter, node, t_ns,
				(UINT64_C(1) << meter->bits) -
					(uint64_t)(10 * FJ_PER_J * meter->step_fj_den /
						   meter->step_fj_num));
		break;
	case ES_TWIN_N_METER_FAULTS:
		break;
	}
}
