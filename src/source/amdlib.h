/*
 * source/amdlib.h - what AMD's two libraries for GPUs have in common: their counter, places, partitions
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_AMDLIB_H
#define ES_SOURCE_AMDLIB_H

#include <stdbool.h>
#include <stdint.h>

#include "source/gpulib.h"

#define ES_AMDLIB_UNIT_NJ 15259U /* 2^-16 J, rounded */
#define ES_AMDLIB_FIX "sudo usermod -aG render,video \"$USER\""

/**
 * es_amdlib_energy_uj - steps of a counter as energy
 * @step_uj: what the library calls one step. Both say 15.3 for what the kernel documents as 2^-16 J (15.259): 0.27 % more
 * than was drawn. What is that step is taken as the kernel's; anything else as it is told.
 * Returns 0; -ERANGE: it does not fit, or the step is no number.
 */
int es_amdlib_energy_uj(uint64_t steps, float step_uj, uint64_t *ret);

/**
 * es_amdlib_take_value - what a library answered to the question for energy
 * @time_ns: the driver's clock when it read the counter; 0: not told
 * Returns 0; -EOPNOTSUPP: all ones, which mean that; -ERANGE
 */
int es_amdlib_take_value(uint64_t steps, float step_uj, uint64_t time_ns,
			 struct es_gpulib_value *ret);

/**
 * es_amdlib_is_partition - whether this is a part of a GPU that is listed already
 *
 * In its compute modes an MI300 shows parts of it as devices, at the same place or as functions that the bus does not
 * have: each of them would tell the energy of the whole once more.
 */
bool es_amdlib_is_partition(const struct es_root *root, const struct es_gpulib_meter *meters, int n,
			    const char *address);

#endif
