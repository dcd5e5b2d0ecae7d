/*
 * esmaker.h - runs of the original tool, made up: a node whose true powers are known, read as that tool reads
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_ESMAKER_H
#define ES_TESTS_SUPPORT_ESMAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/** enum es_maker_place - where in a sweep the machine can stall */
enum es_maker_place {
	ES_MAKER_BEFORE_SWEEP,
	ES_MAKER_AFTER_STAMP, /* between the time stamp of package 0 and its energy */
	ES_MAKER_BETWEEN_PACKAGES,
	ES_MAKER_BEFORE_GPUS,
	ES_MAKER_BETWEEN_GPUS,
	ES_MAKER_N_PLACES,
};

struct es_maker_stall {
	uint32_t sweep;
	enum es_maker_place place;
	double dur_s;
};

/** struct es_maker - zero-initialise, set what matters, es_maker_run() */
struct es_maker {
	const char *node, *job;
	unsigned n_packages, n_gpus;
	uint32_t n_sweeps;
	const struct es_maker_stall *stalls;
	unsigned n_stalls;
	double jitter_s; /* each sweep is late by up to this */
	bool has_gpus_first; /* GPUs are read before package 0, but written behind all packages */
	uint32_t start_raw; /* of all 32-bit counters: near 2^32 to see them wrap */
	uint32_t reset_at; /* sweep before which the GPUs' counters start again at 0; 0: never */
	bool is_amd;
	const char *discovery_rows; /* in place of those of package 0; NULL: the usual ones */
	const char *gpu_text; /* JSON of "gpu"; NULL: the usual one */
	double low_w,
		high_w; /* a GPU's power: low for the first and last quarter; 0: 60 and 300. A package's is half of it */

	/* what came of it */
	struct es_buf raw, discovery;
	double end_s;
	double package_j[8], dram_j[8],
		gpu_j[16]; /* true energy between the first and the last reading */
};

#define ES_MAKER_TSC_HZ 2.2e9
#define ES_MAKER_DRAM_W 12.5
#define ES_MAKER_DATE "2022/11/08 03:08:22.747386"

void es_maker_run(struct es_maker *maker);

#endif
