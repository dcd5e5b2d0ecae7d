/*
 * source/amdgpu_metrics.h - the binary table gpu_metrics of AMD GPUs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_AMDGPU_METRICS_H
#define ES_SOURCE_AMDGPU_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct es_amdgpu_number - one that the firmware may not tell */
struct es_amdgpu_number {
	bool is_known;
	uint64_t value;
};

/** struct es_amdgpu_metrics - what is of energy in it; what the firmware marks as not supported is not there */
struct es_amdgpu_metrics {
	uint8_t format, content; /* 1.3: 1 and 3 */
	bool is_apu; /* a format for processors with graphics: it has no energy */
	bool has_energy, has_power, has_clock, has_firmware;
	bool is_32_bits; /* the energy wraps at 2^32 steps */
	uint64_t energy_steps; /* of 2^-16 J */
	uint64_t power_mw; /* of the socket, average or current */
	uint64_t clock_ns; /* when the driver asked for it */
	uint64_t firmware_ns; /* when the firmware took it, on its own clock */
	struct es_amdgpu_number clock_mhz, memory_mhz, busy_percent, memory_busy_percent, temp_c,
		memory_temp_c; /* clock: mean of its compute dies; temperature: the hottest spot */
	bool has_throttle, has_cycles;
	uint64_t throttle; /* bits that mean the same on all chips */
	uint64_t cycles,
		held_cycles[2]; /* 32 bits: the firmware's cycles, those held down by power and by heat */
};

/**
 * es_amdgpu_metrics_parse - read the table of any version that is documented
 *
 * Returns 0 (@ret may have neither energy nor power); -ENODATA: empty; -EBADMSG: shorter than it says, or than its version
 * is; -EOPNOTSUPP: an unknown version (format and content are set).
 * Source: Linux 6.12 and 6.18 drivers/gpu/drm/amd/include/kgd_pp_interface.h (1.6 has two layouts, told apart by size).
 */
int es_amdgpu_metrics_parse(const uint8_t *data, size_t n, struct es_amdgpu_metrics *ret);

#endif
