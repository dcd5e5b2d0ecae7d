/*
 * source/amdgpu_signals.h - clocks, utilisation, temperatures and reasons of throttling from a table gpu_metrics
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_AMDGPU_SIGNALS_H
#define ES_SOURCE_AMDGPU_SIGNALS_H

#include "core/signal.h"
#include "source/amdgpu_metrics.h"
#include "source/source.h"

enum es_amdgpu_signal {
	ES_AMDGPU_CLOCK,
	ES_AMDGPU_MEMORY_CLOCK,
	ES_AMDGPU_UTILISATION,
	ES_AMDGPU_MEMORY_UTILISATION,
	ES_AMDGPU_TEMPERATURE,
	ES_AMDGPU_MEMORY_TEMPERATURE,
	ES_AMDGPU_THROTTLE,
	ES_N_AMDGPU_SIGNALS,
};

/** struct es_amdgpu_told - the newest table of one GPU, and what was kept of it last */
struct es_amdgpu_told {
	size_t first, n; /* of the source's signals */
	enum es_amdgpu_signal which[ES_N_AMDGPU_SIGNALS]; /* [n] */
	struct es_amdgpu_metrics metrics;
	int64_t t_ns; /* when it was read, boot clock; 0: it was not yet */
	uint64_t cycles, held_cycles[2]; /* when signals were taken last: by power, by heat */
	bool has_cycles;
};

/**
 * es_amdgpu_signals_describe - the signals of a GPU behind the @n that are there
 * @metrics: of its first reading; NULL: it sleeps, and may tell anything. @ret: room for ES_N_AMDGPU_SIGNALS more. Returns how many there are then.
 */
size_t es_amdgpu_signals_describe(const struct es_amdgpu_metrics *metrics, const char *device,
				  struct es_signal *ret, size_t n, struct es_amdgpu_told *told);

/** es_amdgpu_signals_take - what the newest table says; @ret: of all signals of the source. Nothing is read for it */
void es_amdgpu_signals_take(struct es_amdgpu_told *told, struct es_reading *ret);

#endif
