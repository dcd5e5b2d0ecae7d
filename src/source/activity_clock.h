/*
 * source/activity_clock.h - clocks that processors really ran at, by their registers APERF and MPERF
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_ACTIVITY_CLOCK_H
#define ES_SOURCE_ACTIVITY_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "source/activity.h"
#include "sys/msr.h"
#include "sys/root.h"

#define ES_CLOCK_PLACES_MAX 16U /* packages */
#define ES_CLOCK_CPUS_MAX 16U /* looked at in each package: every look wakes one up */

/** struct es_clock_place - sums over the CPUs looked at in one package, since the open; cycles while not halted */
struct es_clock_place {
	int32_t package;
	uint64_t aperf, mperf;
	int error;
};

/** struct es_clock_cpu - one of them */
struct es_clock_cpu {
	struct es_msr msr;
	size_t place;
	bool has_last;
	uint64_t aperf, mperf;
};

/** struct es_clock - es_clock_finish() it */
struct es_clock {
	struct es_root root; /* borrowed */
	uint64_t base_khz; /* at which MPERF counts; 0: not known */
	struct es_clock_place places[ES_CLOCK_PLACES_MAX];
	size_t n_places; /* 0: registers are not read */
	struct es_clock_cpu *cpus; /* owned */
	size_t n_cpus, n_all_cpus;
	char reason[ES_ACTIVITY_REASON_BYTES], fix[ES_ACTIVITY_FIX_BYTES];
};

/** es_clock_base_khz - the processor's base clock: by its driver, by firmware, or by its name; 0: nobody tells */
uint64_t es_clock_base_khz(const struct es_root *root, const char *cpu_model);
/** es_clock_named_khz - "… @ 2.40GHz"; 0: the name has none */
uint64_t es_clock_named_khz(const char *cpu_model);

/** es_clock_open - open the registers of some CPUs of each package; where they cannot be read @ret says why. 0 or -ENOMEM */
int es_clock_open(const struct es_root *root, struct es_clock *ret);
void es_clock_finish(struct es_clock *clock);
/** es_clock_read - bring the places up to date */
void es_clock_read(struct es_clock *clock);

#endif
