/*
 * signal.h - what is recorded beside energy: clocks, utilisation, temperatures, reasons of throttling, events counted
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_SIGNAL_H
#define ES_CORE_SIGNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

/** enum es_signal_kind - what its values mean together */
enum es_signal_kind {
	ES_SIGNAL_GAUGE, /* a level: its mean over time, its least and its most tell something */
	ES_SIGNAL_COUNTER, /* grows since an unknown origin: only differences tell something; a step back is a new origin */
	ES_SIGNAL_FLAGS, /* a set of bits: the share of the time for which each was set tells something */
	ES_N_SIGNAL_KINDS,
};

#define ES_SIGNAL_FLAGS_TEXT_BYTES 256U
#define ES_SIGNAL_BITS 64U

/** struct es_signal - one quantity beside energy, as one source reads it; plain data, copied freely */
struct es_signal {
	char id[ES_NAME_MAX_BYTES]; /* nvml/gpu-0:sm_clock, unique on its node */
	char source[32];
	char device[64]; /* the name of the domain that it is about: gpu-0, package-0; or job */
	char name[32]; /* sm_clock, utilisation, … */
	char unit[16]; /* of a value: kHz, ppm, mC, mW, count, bytes, ns, flags */
	enum es_signal_kind kind;
	uint32_t node; /* index of its node in a recording */
	char flags[ES_SIGNAL_FLAGS_TEXT_BYTES]; /* of flags: names of the bits from the lowest, with commas between; an empty one has no meaning */
};

/* The units, so that whoever makes a signal and whoever shows it agree. */
#define ES_SIGNAL_KHZ "kHz"
#define ES_SIGNAL_PPM "ppm" /* a share of 1,000,000 */
#define ES_SIGNAL_MC "mC" /* thousandths of a degree Celsius */
#define ES_SIGNAL_MW "mW"
#define ES_SIGNAL_COUNT "count"
#define ES_SIGNAL_BYTES "bytes"
#define ES_SIGNAL_NS "ns"
#define ES_SIGNAL_FLAGS_UNIT "flags"

/* Names that several sources share: what looks for evidence finds them whoever read them. */
#define ES_SIGNAL_UTILISATION "utilisation" /* ppm of the time in which the device did anything */
#define ES_SIGNAL_MEMORY_UTILISATION \
	"memory_utilisation" /* ppm of the time in which its memory was used */
#define ES_SIGNAL_SM_CLOCK "sm_clock" /* kHz of what computes */
#define ES_SIGNAL_MEMORY_CLOCK "memory_clock"
#define ES_SIGNAL_TEMPERATURE "temperature"
#define ES_SIGNAL_MEMORY_TEMPERATURE "memory_temperature"
#define ES_SIGNAL_POWER_LIMIT "power_limit" /* mW, in force now */
#define ES_SIGNAL_THROTTLE \
	"throttle" /* flags: why clocks are lower than they could be, by es_throttle_flags */
/* ppm of the time: multiprocessors at work, their tensor cores, and the interface to the memory. */
#define ES_SIGNAL_SM_ACTIVITY "sm_activity"
#define ES_SIGNAL_TENSOR_ACTIVITY "tensor_activity"
#define ES_SIGNAL_DRAM_ACTIVITY "dram_activity"
#define ES_SIGNAL_POWER_LIMITED "power_limited" /* ns for which power held clocks down, counted */
#define ES_SIGNAL_HEAT_LIMITED "heat_limited" /* ns for which heat did */

/** enum es_throttle - the bits of a signal named throttle: makers' reasons in words that all of them share */
enum es_throttle {
	ES_THROTTLE_IDLE, /* nothing to do: no loss */
	ES_THROTTLE_POWER_CAP, /* the power limit */
	ES_THROTTLE_HEAT, /* the temperature of chip or memory */
	ES_THROTTLE_CURRENT, /* what the supply or its regulators may give */
	ES_THROTTLE_POWER_BRAKE, /* a signal of the system's power supply */
	ES_THROTTLE_HARDWARE, /* slowed down by hardware, for heat or power */
	ES_THROTTLE_RELIABILITY, /* the voltage that the chip endures */
	ES_THROTTLE_FIXED_CLOCKS, /* clocks set by the user, or by an application */
	ES_THROTTLE_SYNC, /* GPUs that boost together wait for the slowest */
	ES_THROTTLE_DISPLAY, /* the clocks of a display */
	ES_THROTTLE_OTHER,
	ES_N_THROTTLES,
};

/** es_throttle_flags - their names, as es_signal.flags wants them */
const char *es_throttle_flags(void);

const char *es_signal_kind_name(enum es_signal_kind kind);
/** es_signal_kind_from_name - 0 or -ENOENT */
int es_signal_kind_from_name(const char *name, enum es_signal_kind *ret);

/** es_signal_init - a signal of @source about @device; the id by convention */
void es_signal_init(struct es_signal *signal, const char *source, const char *device,
		    const char *name, const char *unit, enum es_signal_kind kind);

/** es_signal_flag - the name of bit @bit into @ret; false where it has none */
bool es_signal_flag(const struct es_signal *signal, unsigned bit, char ret[static 32]);

#endif
