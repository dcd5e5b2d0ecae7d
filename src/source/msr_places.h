/*
 * source/msr_places.h - the parts of a machine whose registers any of several CPUs can read
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_MSR_PLACES_H
#define ES_SOURCE_MSR_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/msr_tables.h"
#include "sys/cpus.h"
#include "sys/msr.h"

/** struct es_msr_place - a package, a die or a core; its counters go on when one of its CPUs goes offline */
struct es_msr_place {
	int32_t package, die, core; /* -1: all of it */
	const struct es_cpu *cpus; /* its own, borrowed from the list of all */
	size_t n_cpus, at; /* the one that reads now */
	enum es_msr_device device;
	struct es_msr msr;
	bool is_kept; /* its device stays open between readings */
	bool can_read; /* device and units were found */
	uint64_t unit_value; /* of the unit register */
	int error; /* why no CPU could read; tried again at @retry_ns */
	int64_t retry_ns;
};

/** struct es_msr_places - all of a machine, packages (or dies) before cores */
struct es_msr_places {
	struct es_cpus cpus;
	struct es_msr_place *place; /* owned */
	size_t n;
};

/** es_msr_places_exist - whether there is a device for any CPU, without looking at them all */
bool es_msr_places_exist(const struct es_root *root);

/** es_msr_places_find - 0 or negative errno; es_msr_places_finish() it */
int es_msr_places_find(const struct es_root *root, const struct es_msr_processor *processor,
		       struct es_msr_places *ret);
void es_msr_places_finish(struct es_msr_places *places);

/** struct es_msr_failure - why no register of a place can be read */
struct es_msr_failure {
	int error; /* negative errno; 0: none */
	enum es_msr_device device;
	uint32_t reg; /* that could not be read, or 0: the device could not be opened */
};

/**
 * es_msr_place_try - find the device by which the registers of a place can be read, and its units
 * @energy_reg: must be readable too
 * @ret_failure: error 0, or why not: -EACCES of a device: its mode, of a register: msr-safe's allow-list; -EPERM:
 * CAP_SYS_RAWIO; -ENOENT: no device; -EIO: the processor, or the host of this VM, has no such register.
 */
void es_msr_place_try(const struct es_root *root, struct es_msr_place *place, uint32_t unit_reg,
		      uint32_t energy_reg, struct es_msr_failure *ret_failure);

/** es_msr_place_read - one register, by another CPU of the place where the one in use went offline */
int es_msr_place_read(const struct es_root *root, struct es_msr_place *place, uint32_t reg,
		      int64_t now_ns, uint64_t *ret);
/** es_msr_place_leave - the CPU in use is offline: the next one reads from now on */
void es_msr_place_leave(struct es_msr_place *place);

/** es_msr_place_cpu - the number of the CPU that reads now */
static inline uint32_t es_msr_place_cpu(const struct es_msr_place *place)
{
	return place->cpus[place->at].cpu;
}

#endif
