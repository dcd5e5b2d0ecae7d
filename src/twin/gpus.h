/*
 * gpus.h - the GPUs of a simulated node as a bus shows them, and the text that look-alikes of their libraries read
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_GPUS_H
#define ES_TWIN_GPUS_H

#include <stddef.h>
#include <stdint.h>

#include "twin/host.h"

/* Where libraries lie, as Debian has it; below the mount. */
#ifdef __aarch64__
#define ES_TWIN_LIB_FOLDER "usr/lib/aarch64-linux-gnu"
#else
#define ES_TWIN_LIB_FOLDER "usr/lib/x86_64-linux-gnu"
#endif

#define ES_TWIN_NVIDIA_DRIVER "550.90.07"
#define ES_TWIN_NVML_FILE "libes-twin-nvml.so" /* of this machine, in the host's folder */
#define ES_TWIN_ROCM_FILE "libes-twin-rocm.so"

/*
 * Texts for look-alikes, "KEY VALUE" a line: .twin/gpu/N of device N on the bus, .twin/samples/N its latest powers. Written into the first:
 * "power_limit_mw N", "lock_mhz MIN MAX", "lock_mhz 0 0". .twin/processes/N: who computes there, as was written into it last: a line each
 * "PID PERCENT", of an instance "PID PERCENT INSTANCE" (its number among the GPU's).
 */
#define ES_TWIN_GPU_PROCESSES ".twin/processes"
#define ES_TWIN_PROCESSES_BYTES 2048U
#define ES_TWIN_GPU_TEXTS ".twin/gpu"
#define ES_TWIN_GPU_SAMPLES ".twin/samples"
#define ES_TWIN_GPU_TEXT_BYTES 8192U
#define ES_TWIN_GPU_SAMPLES_MAX 120U

#define ES_TWIN_ADDRESS_BYTES 16U
#define ES_TWIN_DEVICE_BYTES 64U

/** es_twin_n_devices - GPUs as the bus shows them: each chip is one of its own */
unsigned es_twin_n_devices(const struct es_twin_kind *kind);
/** es_twin_gpu_of - the GPU that device @device is a chip of; *ret_chip (may be NULL): which */
unsigned es_twin_gpu_of(const struct es_twin_kind *kind, unsigned device, unsigned *ret_chip);
/** es_twin_gpu_address - of a device on the bus: 0000:17:00.0, in the order of @device */
void es_twin_gpu_address(const struct es_twin_kind *kind, unsigned device,
			 char ret[static ES_TWIN_ADDRESS_BYTES]);
/** es_twin_gpu_folder - sys/devices/… of it */
void es_twin_gpu_folder(const struct es_twin_kind *kind, unsigned device,
			char ret[static ES_TWIN_DEVICE_BYTES]);
/** es_twin_gpu_number - 64 bits that are this device's alone, the same each time a node of this name is up */
uint64_t es_twin_gpu_number(const struct es_twin_host *host, unsigned device);

/** es_twin_put_processes - the file that says who computes on a device */
void es_twin_put_processes(struct es_twin_host *host, unsigned device);

/** es_twin_amd_meter - fill a meter in as AMD's firmware counts: steps of 2^-16 J, anew each ms, whole watts; and start it */
void es_twin_amd_meter(const struct es_twin_host *host, unsigned device,
		       struct es_twin_meter *meter);

#endif
