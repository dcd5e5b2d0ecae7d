/*
 * player_gpus.h - moving the counters of a tree's GPUs, for es-player
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_PLAYER_GPUS_H
#define ES_TESTS_SUPPORT_PLAYER_GPUS_H

#include <stdio.h>

#include "support/nvml_table.h"

#define PLAYER_MODULE_REST_MW 120000 /* what a module draws beside its GPU */

/** struct player_gpus - the GPUs of a tree; @state NULL: it has none */
struct player_gpus {
	struct nvml_table table;
	struct nvml_state *state;
	uint64_t start_mj[NVML_GPUS_MAX];
	uint64_t energy_nj[NVML_GPUS_MAX], rest_pj[NVML_GPUS_MAX];
};

void player_gpus_open(const char *root, struct player_gpus *ret);
/** player_gpus_advance - @dur_ns more, each at its power */
void player_gpus_advance(struct player_gpus *gpus, const uint64_t *power_mw, int64_t dur_ns);
/** player_gpus_rest - no power from now on: what stands still then may stand still */
void player_gpus_rest(struct player_gpus *gpus);
/** player_gpus_write - the truth: ', "gpus": [{"key": "gpu-0", "energy_mj": 12}, …]' */
void player_gpus_write(const struct player_gpus *gpus, FILE *file);
void player_gpus_close(struct player_gpus *gpus);

#endif
