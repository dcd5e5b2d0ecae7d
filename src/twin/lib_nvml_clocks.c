/*
 * lib_nvml_clocks.c - a look-alike of libnvidia-ml.so.1: clocks, what holds them down, and how busy a GPU is
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdio.h>

#include "twin/lib_nvml.h"

#define CLOCK_GRAPHICS 0 /* nvmlClockType_t */
#define CLOCK_VIDEO 3
#define CLOCK_ID_CURRENT 0 /* nvmlClockId_t */
#define CLOCK_ID_APPLICATION 1
#define CLOCK_ID_APPLICATION_DEFAULT 2
#define CLOCK_ID_BOOST_MAX 3
#define ALL_REASONS                                                                     \
	(ES_NVML_REASON_IDLE | ES_NVML_REASON_FIXED_CLOCKS | ES_NVML_REASON_POWER_CAP | \
	 ES_NVML_REASON_HEAT)

static int check_type(int type)
{
	return type >= CLOCK_GRAPHICS && type <= CLOCK_VIDEO ? ES_NVML_OK
							     : ES_NVML_INVALID_ARGUMENT;
}

ES_LIB_EXPORT int nvmlDeviceGetClockInfo(struct es_nvml_device *device, int type, unsigned *mhz);
ES_LIB_EXPORT int nvmlDeviceGetClockInfo(struct es_nvml_device *device, int type, unsigned *mhz)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK)
		r = check_type(type);
	if (r == ES_NVML_OK)
		*mhz = (unsigned)(type == ES_NVML_CLOCK_MEMORY ? gpu.memory_mhz : gpu.clock_mhz);
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetMaxClockInfo(struct es_nvml_device *device, int type, unsigned *mhz);
ES_LIB_EXPORT int nvmlDeviceGetMaxClockInfo(struct es_nvml_device *device, int type, unsigned *mhz)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK)
		r = check_type(type);
	if (r == ES_NVML_OK)
		*mhz = (unsigned)(type == ES_NVML_CLOCK_MEMORY ? gpu.memory_top_mhz : gpu.top_mhz);
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetMaxCustomerBoostClock(struct es_nvml_device *device, int type,
						     unsigned *mhz);
ES_LIB_EXPORT int nvmlDeviceGetMaxCustomerBoostClock(struct es_nvml_device *device, int type,
						     unsigned *mhz)
{
	return nvmlDeviceGetMaxClockInfo(device, type, mhz);
}

/* Application clocks are locked ones: the newer way to say it. */
ES_LIB_EXPORT int nvmlDeviceGetApplicationsClock(struct es_nvml_device *device, int type,
						 unsigned *mhz);
ES_LIB_EXPORT int nvmlDeviceGetApplicationsClock(struct es_nvml_device *device, int type,
						 unsigned *mhz)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r != ES_NVML_OK || type == ES_NVML_CLOCK_MEMORY || gpu.lock_max_mhz == 0)
		return nvmlDeviceGetMaxClockInfo(device, type, mhz);
	*mhz = (unsigned)gpu.lock_max_mhz;
	return check_type(type);
}

ES_LIB_EXPORT int nvmlDeviceGetDefaultApplicationsClock(struct es_nvml_device *device, int type,
							unsigned *mhz);
ES_LIB_EXPORT int nvmlDeviceGetDefaultApplicationsClock(struct es_nvml_device *device, int type,
							unsigned *mhz)
{
	return nvmlDeviceGetMaxClockInfo(device, type, mhz);
}

ES_LIB_EXPORT int nvmlDeviceGetClock(struct es_nvml_device *device, int type, int id,
				     unsigned *mhz);
ES_LIB_EXPORT int nvmlDeviceGetClock(struct es_nvml_device *device, int type, int id, unsigned *mhz)
{
	if (id == CLOCK_ID_CURRENT)
		return nvmlDeviceGetClockInfo(device, type, mhz);
	return id >= CLOCK_ID_APPLICATION && id <= CLOCK_ID_BOOST_MAX
		       ? nvmlDeviceGetMaxClockInfo(device, type, mhz)
		       : ES_NVML_INVALID_ARGUMENT;
}

/* @n in: room; out: how many there are. */
static int give_list(unsigned top_mhz, unsigned min_mhz, unsigned step_mhz, unsigned *n,
		     unsigned *mhz)
{
	unsigned n_clocks = step_mhz ? (top_mhz - min_mhz) / step_mhz + 1 : 1, room = *n;

	*n = n_clocks;
	if (!mhz || room < n_clocks)
		return ES_NVML_INSUFFICIENT_SIZE;
	for (unsigned i = 0; i < n_clocks; i++)
		mhz[i] = top_mhz - i * step_mhz;
	return ES_NVML_OK;
}

ES_LIB_EXPORT int nvmlDeviceGetSupportedMemoryClocks(struct es_nvml_device *device, unsigned *n,
						     unsigned *mhz);
ES_LIB_EXPORT int nvmlDeviceGetSupportedMemoryClocks(struct es_nvml_device *device, unsigned *n,
						     unsigned *mhz)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	return r == ES_NVML_OK ? give_list((unsigned)gpu.memory_top_mhz,
					   (unsigned)gpu.memory_top_mhz, 0, n, mhz)
			       : r;
}

ES_LIB_EXPORT int nvmlDeviceGetSupportedGraphicsClocks(struct es_nvml_device *device,
						       unsigned memory_mhz, unsigned *n,
						       unsigned *mhz);
ES_LIB_EXPORT int nvmlDeviceGetSupportedGraphicsClocks(struct es_nvml_device *device,
						       unsigned memory_mhz, unsigned *n,
						       unsigned *mhz)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK && memory_mhz != gpu.memory_top_mhz)
		r = ES_NVML_NOT_FOUND;
	return r == ES_NVML_OK ? give_list((unsigned)gpu.top_mhz, (unsigned)gpu.min_mhz,
					   (unsigned)gpu.step_mhz, n, mhz)
			       : r;
}

static int lock(struct es_nvml_device *device, unsigned min_mhz, unsigned max_mhz)
{
	struct es_lib_gpu gpu;
	char line[64];
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	(void)snprintf(line, sizeof(line), "lock_mhz %u %u\n", min_mhz, max_mhz);
	return r == ES_NVML_OK ? es_lib_nvml_error(es_lib_write(i, line)) : r;
}

ES_LIB_EXPORT int nvmlDeviceSetGpuLockedClocks(struct es_nvml_device *device, unsigned min_mhz,
					       unsigned max_mhz);
ES_LIB_EXPORT int nvmlDeviceSetGpuLockedClocks(struct es_nvml_device *device, unsigned min_mhz,
					       unsigned max_mhz)
{
	/* For the node 0 and 0 would mean: not any more. */
	return max_mhz == 0 || min_mhz > max_mhz ? ES_NVML_INVALID_ARGUMENT
						 : lock(device, min_mhz, max_mhz);
}

ES_LIB_EXPORT int nvmlDeviceResetGpuLockedClocks(struct es_nvml_device *device);
ES_LIB_EXPORT int nvmlDeviceResetGpuLockedClocks(struct es_nvml_device *device)
{
	return lock(device, 0, 0);
}

/* The memory has one clock at work, and no other can be asked for. */
static int check_memory(struct es_nvml_device *device, unsigned min_mhz, unsigned max_mhz)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK && (min_mhz > gpu.memory_top_mhz || max_mhz < gpu.memory_top_mhz))
		r = ES_NVML_INVALID_ARGUMENT;
	return r;
}

ES_LIB_EXPORT int nvmlDeviceSetMemoryLockedClocks(struct es_nvml_device *device, unsigned min_mhz,
						  unsigned max_mhz);
ES_LIB_EXPORT int nvmlDeviceSetMemoryLockedClocks(struct es_nvml_device *device, unsigned min_mhz,
						  unsigned max_mhz)
{
	return check_memory(device, min_mhz, max_mhz);
}

ES_LIB_EXPORT int nvmlDeviceResetMemoryLockedClocks(struct es_nvml_device *device);
ES_LIB_EXPORT int nvmlDeviceResetMemoryLockedClocks(struct es_nvml_device *device)
{
	return check_memory(device, 0, UINT32_MAX);
}

ES_LIB_EXPORT int nvmlDeviceSetApplicationsClocks(struct es_nvml_device *device,
						  unsigned memory_mhz, unsigned mhz);
ES_LIB_EXPORT int nvmlDeviceSetApplicationsClocks(struct es_nvml_device *device,
						  unsigned memory_mhz, unsigned mhz)
{
	int r = check_memory(device, memory_mhz, memory_mhz);

	return r == ES_NVML_OK ? nvmlDeviceSetGpuLockedClocks(device, mhz, mhz) : r;
}

ES_LIB_EXPORT int nvmlDeviceResetApplicationsClocks(struct es_nvml_device *device);
ES_LIB_EXPORT int nvmlDeviceResetApplicationsClocks(struct es_nvml_device *device)
{
	return nvmlDeviceResetGpuLockedClocks(device);
}

ES_LIB_EXPORT int nvmlDeviceGetCurrentClocksEventReasons(struct es_nvml_device *device,
							 unsigned long long *reasons);
ES_LIB_EXPORT int nvmlDeviceGetCurrentClocksEventReasons(struct es_nvml_device *device,
							 unsigned long long *reasons)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r != ES_NVML_OK)
		return r;
	*reasons = (gpu.is_idle ? ES_NVML_REASON_IDLE : 0) |
		   (gpu.is_by_clock ? ES_NVML_REASON_FIXED_CLOCKS : 0) |
		   (gpu.is_by_power ? ES_NVML_REASON_POWER_CAP : 0) |
		   (gpu.is_by_heat ? ES_NVML_REASON_HEAT : 0);
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetCurrentClocksThrottleReasons(struct es_nvml_device *device,
							    unsigned long long *reasons);
ES_LIB_EXPORT int nvmlDeviceGetCurrentClocksThrottleReasons(struct es_nvml_device *device,
							    unsigned long long *reasons)
{
	return nvmlDeviceGetCurrentClocksEventReasons(device, reasons);
}

ES_LIB_EXPORT int nvmlDeviceGetSupportedClocksEventReasons(struct es_nvml_device *device,
							   unsigned long long *reasons);
ES_LIB_EXPORT int nvmlDeviceGetSupportedClocksEventReasons(struct es_nvml_device *device,
							   unsigned long long *reasons)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK)
		*reasons = ALL_REASONS;
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetSupportedClocksThrottleReasons(struct es_nvml_device *device,
							      unsigned long long *reasons);
ES_LIB_EXPORT int nvmlDeviceGetSupportedClocksThrottleReasons(struct es_nvml_device *device,
							      unsigned long long *reasons)
{
	return nvmlDeviceGetSupportedClocksEventReasons(device, reasons);
}

ES_LIB_EXPORT int nvmlDeviceGetPerformanceState(struct es_nvml_device *device, int *state);
ES_LIB_EXPORT int nvmlDeviceGetPerformanceState(struct es_nvml_device *device, int *state)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	/* Boards for computing stay in P0; with a display they sink to P8 when idle. */
	if (r == ES_NVML_OK)
		*state = gpu.is_idle && !gpu.is_passive ? 8 : 0;
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetPowerState(struct es_nvml_device *device, int *state);
ES_LIB_EXPORT int nvmlDeviceGetPowerState(struct es_nvml_device *device, int *state)
{
	return nvmlDeviceGetPerformanceState(device, state);
}

ES_LIB_EXPORT int nvmlDeviceGetUtilizationRates(struct es_nvml_device *device,
						struct es_nvml_utilization *utilization);
ES_LIB_EXPORT int nvmlDeviceGetUtilizationRates(struct es_nvml_device *device,
						struct es_nvml_utilization *utilization)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	/* With MIG nobody counts for the whole GPU. */
	if (r == ES_NVML_OK && gpu.n_instances)
		r = ES_NVML_NOT_SUPPORTED;
	if (r == ES_NVML_OK)
		*utilization =
			(struct es_nvml_utilization){ (unsigned)(gpu.busy_ppm / 10000),
						      (unsigned)(gpu.memory_busy_ppm / 10000) };
	return r;
}

/* What never changes here: 1 is on, 0 the default. */
static int give_mode(struct es_nvml_device *device, int value, int *mode)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK)
		*mode = value;
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetPersistenceMode(struct es_nvml_device *device, int *mode);
ES_LIB_EXPORT int nvmlDeviceGetPersistenceMode(struct es_nvml_device *device, int *mode)
{
	return give_mode(device, 1, mode);
}

ES_LIB_EXPORT int nvmlDeviceGetComputeMode(struct es_nvml_device *device, int *mode);
ES_LIB_EXPORT int nvmlDeviceGetComputeMode(struct es_nvml_device *device, int *mode)
{
	return give_mode(device, 0, mode);
}

/* It is on, and what a twin does would be the same without. */
ES_LIB_EXPORT int nvmlDeviceSetPersistenceMode(struct es_nvml_device *device, int mode);
ES_LIB_EXPORT int nvmlDeviceSetPersistenceMode(struct es_nvml_device *device, int mode)
{
	int now, r = give_mode(device, 1, &now);

	return r == ES_NVML_OK && mode != 1 ? ES_NVML_NOT_SUPPORTED : r;
}

ES_LIB_EXPORT int nvmlDeviceGetAutoBoostedClocksEnabled(struct es_nvml_device *device, int *is_on,
							int *default_is_on);
ES_LIB_EXPORT int nvmlDeviceGetAutoBoostedClocksEnabled(struct es_nvml_device *device, int *is_on,
							int *default_is_on)
{
	int none, r = give_mode(device, 0, &none);

	(void)is_on;
	(void)default_is_on;
	return r == ES_NVML_OK ? ES_NVML_NOT_SUPPORTED : r;
}
