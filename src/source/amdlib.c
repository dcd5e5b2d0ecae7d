/*
 * source/amdlib.c - what AMD's two libraries for GPUs have in common: their counter, places, partitions
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/amdlib.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

__extension__ typedef unsigned __int128 es_u128;

#define STEPS_PER_J 65536
#define STEP_LEAST_UJ 15.2F
#define STEP_MOST_UJ 15.4F

int es_amdlib_energy_uj(uint64_t steps, float step_uj, uint64_t *ret)
{
	bool is_usual = step_uj > STEP_LEAST_UJ && step_uj < STEP_MOST_UJ;
	es_u128 energy_uj = (es_u128)steps * 1000000 / STEPS_PER_J;

	if (!is_usual) {
		/* In thousandths of a nJ: a float has no more digits. */
		if (!(step_uj > 0.001F && step_uj < 1e6F))
			return -ERANGE;
		energy_uj = (es_u128)steps * (uint64_t)((double)step_uj * 1e6) / 1000000;
	}
	if (energy_uj > INT64_MAX)
		return -ERANGE;
	*ret = (uint64_t)energy_uj;
	return 0;
}

int es_amdlib_take_value(uint64_t steps, float step_uj, uint64_t time_ns,
			 struct es_gpulib_value *ret)
{
	if (steps == UINT64_MAX)
		return -EOPNOTSUPP;
	if (time_ns > 0 && time_ns <= INT64_MAX / 2) {
		ret->has_time = true;
		ret->meter_ns = (int64_t)time_ns;
	}
	return es_amdlib_energy_uj(steps, step_uj, &ret->value);
}

bool es_amdlib_is_partition(const struct es_root *root, const struct es_gpulib_meter *meters, int n,
			    const char *address)
{
	const char *dot = strrchr(address, '.');
	char path[96];

	for (int i = 0; i < n; i++)
		if (strcmp(meters[i].address, address) == 0)
			return true;
	(void)snprintf(path, sizeof(path), "sys/bus/pci/devices/%.23s", address);
	return dot && strcmp(dot, ".0") != 0 && !es_root_exists(root, path);
}
