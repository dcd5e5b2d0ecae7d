/*
 * source/nvml_signals.h - clocks, utilisation, temperatures, reasons of throttling and activity of NVIDIA's GPUs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_NVML_SIGNALS_H
#define ES_SOURCE_NVML_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/signal.h"
#include "source/source.h"
#include "sys/nvml.h"

/** enum es_nvml_signal - what may be read of a GPU */
enum es_nvml_signal {
	ES_NVML_SM_CLOCK,
	ES_NVML_MEMORY_CLOCK,
	ES_NVML_UTILISATION,
	ES_NVML_MEMORY_UTILISATION,
	ES_NVML_TEMPERATURE,
	ES_NVML_MEMORY_TEMPERATURE,
	ES_NVML_POWER_LIMIT,
	ES_NVML_THROTTLE,
	ES_NVML_POWER_LIMITED,
	ES_NVML_HEAT_LIMITED,
	/* Activity: of counters that a profiler may want for itself. */
	ES_NVML_SM_ACTIVITY,
	ES_NVML_TENSOR_ACTIVITY,
	ES_NVML_DRAM_ACTIVITY,
	ES_N_NVML_SIGNALS,
};

#define ES_NVML_NO_SIGNAL SIZE_MAX

/** struct es_nvml_gpu_signals - those of one GPU */
struct es_nvml_gpu_signals {
	size_t at[ES_N_NVML_SIGNALS]; /* index among the source's signals; ES_NVML_NO_SIGNAL: this GPU does not tell */
	struct es_nvml_gpm_sample *samples[2]; /* the older one first; NULL: there are none */
	bool has_older;
};

struct es_nvml_gpus;

/** es_nvml_signals_describe - ask each GPU what it tells, and make the signals of it; 0 or -ENOMEM */
int es_nvml_signals_describe(struct es_nvml_gpus *gpus);
/** es_nvml_signals_read - each signal once into gpus->signal_readings, once a second however often it is called */
void es_nvml_signals_read(struct es_nvml_gpus *gpus);
/** es_nvml_signals_drop - give the library's samples back, before it is shut down */
void es_nvml_signals_drop(struct es_nvml_gpus *gpus);

#endif
