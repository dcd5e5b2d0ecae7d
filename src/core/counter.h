/*
 * counter.h - what a step of a hardware energy counter means
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_COUNTER_H
#define ES_CORE_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/** struct es_counter_range - what a source states about its counter */
struct es_counter_range {
	uint64_t unit_nj; /* one raw step; 0 where the source does not say */
	uint64_t modulus_nj; /* largest value + one step; 0: never wraps */
};

enum es_step_verdict {
	ES_STEP_OK,
	ES_STEP_WRAPPED,
	ES_STEP_AMBIGUOUS, /* so long a time that more than one wrap would fit the power */
};

/** struct es_step - energy between two readings of a counter */
struct es_step {
	uint64_t energy_uj;
	enum es_step_verdict verdict;
};

/**
 * es_counter_advance - energy between two reads of a hardware counter, and how sure that is
 * @range: what the source states
 * @prev_uj, @cur_uj: values as read, in order of time; @dur_ns between them, > 0
 * @peak_mw: power above which a value cannot be true; 0: not known, then every step back within the range is a wrap
 * @ret: set on success only. The verdict is AMBIGUOUS when @dur_ns is longer than half a wrap at @peak_mw: a wrap
 *       could have been missed (or a reset taken for one); the smallest energy that fits is given.
 *
 * Returns 0; -ESTALE: it went back and no wrap fits the power (a reset); -ERANGE: a value above the range;
 * -EDOM: it went forward by more than @peak_mw allows; -EINVAL: @dur_ns is not positive.
 * Source: Linux Documentation/power/powercap/powercap.rst (max_energy_range_uj); drivers/powercap/
 * intel_rapl_common.c (32-bit raw counter times energy unit).
 */
int es_counter_advance(const struct es_counter_range *range, uint64_t prev_uj, uint64_t cur_uj,
		       int64_t dur_ns, uint64_t peak_mw, struct es_step *ret);

/** es_counter_wrap_ns - how long the counter takes to wrap at @power_mw; INT64_MAX where it never does */
int64_t es_counter_wrap_ns(const struct es_counter_range *range, uint64_t power_mw);

/** es_energy_at_most_uj - the energy of @power_mw over @dur_ns, rounded up; UINT64_MAX where it does not fit */
uint64_t es_energy_at_most_uj(uint64_t power_mw, int64_t dur_ns);

/** es_mean_power_mw - mean power of @energy_uj over @dur_ns, to the nearest mW; 0 where @dur_ns is not positive */
uint64_t es_mean_power_mw(uint64_t energy_uj, int64_t dur_ns);

#endif
