/*
 * player_gpus.c - moving the counters of a tree's GPUs, for es-player
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/player_gpus.h"

#include <string.h>

void player_gpus_open(const char *root, struct player_gpus *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->state = nvml_tree_open(root, &ret->table);
	for (unsigned i = 0; ret->state && i < ret->table.n; i++)
		ret->start_mj[i] = atomic_load(&ret->state->gpus[i].energy_mj);
}

void player_gpus_advance(struct player_gpus *gpus, const uint64_t *power_mw, int64_t dur_ns)
{
	for (unsigned i = 0; gpus->state && i < gpus->table.n; i++) {
		struct nvml_moving *moving = &gpus->state->gpus[i];
		uint64_t pj = power_mw[i] * (uint64_t)dur_ns + gpus->rest_pj[i]; /* mW * ns = pJ */

		gpus->energy_nj[i] += pj / 1000;
		gpus->rest_pj[i] = pj % 1000;
		atomic_store(&moving->power_mw, (uint32_t)power_mw[i]);
		atomic_store(&moving->module_mw, (uint32_t)power_mw[i] + PLAYER_MODULE_REST_MW);
		atomic_store(&moving->energy_mj, gpus->start_mj[i] + gpus->energy_nj[i] / 1000000);
	}
}

void player_gpus_rest(struct player_gpus *gpus)
{
	for (unsigned i = 0; gpus->state && i < gpus->table.n; i++)
		atomic_store(&gpus->state->gpus[i].power_mw, 0);
}

void player_gpus_write(const struct player_gpus *gpus, FILE *file)
{
	if (!gpus->state)
		return;
	(void)fputs(", \"gpus\": [", file);
	for (unsigned i = 0; i < gpus->table.n; i++)
		(void)fprintf(file, "%s\n  {\"key\": \"gpu-%u\", \"energy_mj\": %llu}",
			      i ? "," : "", i, (unsigned long long)(gpus->energy_nj[i] / 1000000));
	(void)fputs("\n]", file);
}

void player_gpus_close(struct player_gpus *gpus)
{
	nvml_state_unmap(gpus->state);
	gpus->state = NULL;
}
