/*
 * meter.h - what a meter makes of the exact energy: steps, wraps, update periods, averages, and its faults
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_METER_H
#define ES_TWIN_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "twin/node.h"

/** struct es_twin_meter - one counter or power that some interface shows; filled by who makes the interface, then constant but for its faults */
struct es_twin_meter {
	char name[64]; /* interface/part: powercap/package-0, nvml/gpu-1, dcmi/node; what faults are aimed at */
	enum es_twin_part part;
	size_t i;
	uint64_t step_fj_num,
		step_fj_den; /* of a counter, one step in fJ: 61035 nJ is 61035000000 / 1 */
	unsigned bits; /* the counter wraps at 2^bits; 64: never */
	uint64_t start; /* what it shows when the node is switched on */
	int64_t update_ns; /* the value is as old as the last multiple of this, plus @phase_ns; 0: live */
	int64_t phase_ns;
	int64_t jitter_ns; /* each update comes late by up to so much; less than @update_ns */
	int64_t window_ns; /* of a power: mean over so long; 0: instant */
	unsigned duty_ppm; /* of each window, from its start: so much is looked at (A100: 250000); 0: all */
	int32_t gain_ppm; /* shows so much more than is (a BMC: -108000) */
	uint64_t grain_uw; /* a power is rounded to this; 0: 1 µW */
	/* Faults, in order; see es_twin_meter_fault(). */
	bool is_gone, is_stuck, is_slow;
	bool is_loading; /* gone since its driver is just being loaded again */
	uint32_t n_loads; /* times it was */
	unsigned n_lost; /* times it vanished: what was opened before is dead */
	int error; /* negative errno of each read; 0: none */
	int64_t stuck_ns; /* with what it had seen then */
	es_u128 stuck_fj;
	uint64_t stuck_uw;
	es_u128 zero_fj; /* energy at its last reset */
	uint64_t base; /* raw value at its last reset */
};

/** es_twin_meter_start - it begins with @start at @t_ns; for who makes it, once the rest is filled in */
void es_twin_meter_start(struct es_twin_meter *meter, const struct es_twin_node *node,
			 int64_t t_ns);

/** es_twin_meter_raw - the counter at @t_ns in raw steps, wrapped; 0 or the fault's negative errno */
int es_twin_meter_raw(const struct es_twin_meter *meter, const struct es_twin_node *node,
		      int64_t t_ns, uint64_t *ret);
/** es_twin_meter_power_uw - the power it shows */
int es_twin_meter_power_uw(const struct es_twin_meter *meter, const struct es_twin_node *node,
			   int64_t t_ns, uint64_t *ret);
/** es_twin_meter_time_ns - of which time the value is that it shows at @t_ns */
int64_t es_twin_meter_time_ns(const struct es_twin_meter *meter, int64_t t_ns);

enum es_twin_fault {
	ES_TWIN_FAULT_VANISH, /* its files are gone: -ENOENT, those that are open -ENODEV */
	ES_TWIN_FAULT_EIO,
	ES_TWIN_FAULT_RESET, /* starts anew from 0 */
	ES_TWIN_FAULT_RELOAD, /* driver: gone for a moment, then anew from 0 */
	ES_TWIN_FAULT_STUCK,
	ES_TWIN_FAULT_WRAP_SOON, /* the counter jumps to 10 J before its end */
	ES_TWIN_FAULT_SLOW, /* every answer takes 3 s (BMC: its time-out) */
	ES_TWIN_N_METER_FAULTS,
};
/** es_twin_meter_fault - begin one at @t_ns, or end it (vanish, eio, stuck, slow) */
void es_twin_meter_fault(struct es_twin_meter *meter, const struct es_twin_node *node,
			 enum es_twin_fault fault, bool begins, int64_t t_ns);

#endif
