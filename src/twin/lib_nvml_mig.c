/*
 * lib_nvml_mig.c - a look-alike of libnvidia-ml.so.1: instances of MIG, memory, activity counters
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "twin/lib_nvml.h"

#define GIB UINT64_C(1073741824)
#define MIB UINT64_C(1048576)
#define MEMORY_SLICES 8U
#define MULTIPROCESSORS 14U /* of a slice of GA100 and GH100 */
#define ARCH_HOPPER 9U
#define MEMORY_V2 (40U | 2U << 24) /* nvmlMemory_v2 */

/** struct memory - nvmlMemory_t */
struct memory {
	unsigned long long total, free, used;
};

/** struct memory_v2 - nvmlMemory_v2_t */
struct memory_v2 {
	unsigned version;
	unsigned long long total, reserved, free, used;
};

uint64_t es_lib_nvml_instance_bytes(const struct es_lib_gpu *gpu)
{
	/* By slices: 1g has one of eight, 2g two, 3g and 4g four, 7g all (NVIDIA's MIG User Guide). */
	static const unsigned char slices[] = { 0, 1, 2, 4, 4, 4, 4, 8 };

	return gpu->memory_bytes / MEMORY_SLICES * slices[gpu->slices < 7 ? gpu->slices : 7];
}

void es_lib_nvml_profile(const struct es_lib_gpu *gpu, char ret[static 24])
{
	(void)snprintf(ret, 24, "%ug.%ugb", (unsigned)(gpu->slices & 7),
		       (unsigned)((es_lib_nvml_instance_bytes(gpu) + GIB / 2) / GIB & 0xffff));
}

ES_LIB_EXPORT int nvmlDeviceGetMigMode(struct es_nvml_device *device, unsigned *now,
				       unsigned *pending);
ES_LIB_EXPORT int nvmlDeviceGetMigMode(struct es_nvml_device *device, unsigned *now,
				       unsigned *pending)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	/* Only chips for computing can be split. */
	if (r == ES_NVML_OK && !gpu.is_ga100 && gpu.architecture < ARCH_HOPPER)
		r = ES_NVML_NOT_SUPPORTED;
	if (r == ES_NVML_OK)
		*now = *pending = gpu.n_instances > 0;
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetMaxMigDeviceCount(struct es_nvml_device *device, unsigned *n);
ES_LIB_EXPORT int nvmlDeviceGetMaxMigDeviceCount(struct es_nvml_device *device, unsigned *n)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK)
		*n = gpu.is_ga100 || gpu.architecture >= ARCH_HOPPER ? ES_LIB_INSTANCES_MAX : 0;
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(struct es_nvml_device *device, unsigned index,
						      struct es_nvml_device **mig);
ES_LIB_EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(struct es_nvml_device *device, unsigned index,
						      struct es_nvml_device **mig)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK && index >= gpu.n_instances)
		r = ES_NVML_NOT_FOUND;
	if (r == ES_NVML_OK)
		*mig = es_lib_nvml_handle(i, (int)index, gpu.loads);
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(struct es_nvml_device *mig,
							       struct es_nvml_device **device);
ES_LIB_EXPORT int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(struct es_nvml_device *mig,
							       struct es_nvml_device **device)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int instance, r = es_lib_nvml_find(mig, &gpu, &i, &instance);

	if (r == ES_NVML_OK && instance < 0)
		r = ES_NVML_INVALID_ARGUMENT;
	if (r == ES_NVML_OK)
		*device = es_lib_nvml_handle(i, -1, gpu.loads);
	return r;
}

ES_LIB_EXPORT int nvmlDeviceIsMigDeviceHandle(struct es_nvml_device *device, unsigned *is_mig);
ES_LIB_EXPORT int nvmlDeviceIsMigDeviceHandle(struct es_nvml_device *device, unsigned *is_mig)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int instance, r = es_lib_nvml_find(device, &gpu, &i, &instance);

	if (r == ES_NVML_OK)
		*is_mig = instance >= 0;
	return r;
}

static int find_instance(struct es_nvml_device *mig, struct es_lib_gpu *ret, int *ret_instance)
{
	unsigned i;
	int r = es_lib_nvml_find(mig, ret, &i, ret_instance);

	return r == ES_NVML_OK && *ret_instance < 0 ? ES_NVML_INVALID_ARGUMENT : r;
}

int es_lib_nvml_gpu_instance(struct es_nvml_device *mig, unsigned *id)
{
	/* Where those of one profile begin. */
	static const unsigned char first[] = { 0, 7, 3, 1, 1, 0, 0, 0 };
	struct es_lib_gpu gpu;
	int instance, r = find_instance(mig, &gpu, &instance);

	if (r == ES_NVML_OK)
		*id = first[gpu.slices < 7 ? gpu.slices : 7] + (unsigned)instance;
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetGpuInstanceId(struct es_nvml_device *mig, unsigned *id);
ES_LIB_EXPORT int nvmlDeviceGetGpuInstanceId(struct es_nvml_device *mig, unsigned *id)
{
	return es_lib_nvml_gpu_instance(mig, id);
}

ES_LIB_EXPORT int nvmlDeviceGetComputeInstanceId(struct es_nvml_device *mig, unsigned *id);
ES_LIB_EXPORT int nvmlDeviceGetComputeInstanceId(struct es_nvml_device *mig, unsigned *id)
{
	struct es_lib_gpu gpu;
	int instance, r = find_instance(mig, &gpu, &instance);

	if (r == ES_NVML_OK)
		*id = 0;
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetAttributes_v2(struct es_nvml_device *mig,
					     struct es_nvml_attributes *attributes);
ES_LIB_EXPORT int nvmlDeviceGetAttributes_v2(struct es_nvml_device *mig,
					     struct es_nvml_attributes *attributes)
{
	struct es_lib_gpu gpu;
	int instance, r = find_instance(mig, &gpu, &instance);

	if (r != ES_NVML_OK)
		return r == ES_NVML_INVALID_ARGUMENT ? ES_NVML_NOT_SUPPORTED : r;
	*attributes = (struct es_nvml_attributes){
		.multiprocessors = (unsigned)(MULTIPROCESSORS * gpu.slices),
		.gpu_slices = (unsigned)gpu.slices,
		.compute_slices = (unsigned)gpu.slices,
		.memory_mb = es_lib_nvml_instance_bytes(&gpu) / MIB,
	};
	return ES_NVML_OK;
}

ES_LIB_EXPORT int nvmlDeviceGetAttributes(struct es_nvml_device *mig,
					  struct es_nvml_attributes *attributes);
ES_LIB_EXPORT int nvmlDeviceGetAttributes(struct es_nvml_device *mig,
					  struct es_nvml_attributes *attributes)
{
	return nvmlDeviceGetAttributes_v2(mig, attributes);
}

/* What programs use of it is not part of the simulation: the driver's own share. */
static int memory_of(struct es_nvml_device *device, struct memory *ret)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int instance, r = es_lib_nvml_find(device, &gpu, &i, &instance);

	if (r != ES_NVML_OK)
		return r;
	ret->total = instance < 0 ? gpu.memory_bytes : es_lib_nvml_instance_bytes(&gpu);
	ret->used = ret->total / 128;
	ret->free = ret->total - ret->used;
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetMemoryInfo(struct es_nvml_device *device, struct memory *memory);
ES_LIB_EXPORT int nvmlDeviceGetMemoryInfo(struct es_nvml_device *device, struct memory *memory)
{
	return memory_of(device, memory);
}

ES_LIB_EXPORT int nvmlDeviceGetMemoryInfo_v2(struct es_nvml_device *device,
					     struct memory_v2 *memory);
ES_LIB_EXPORT int nvmlDeviceGetMemoryInfo_v2(struct es_nvml_device *device,
					     struct memory_v2 *memory)
{
	struct memory own;
	int r;

	if (memory->version != MEMORY_V2)
		return ES_NVML_ARGUMENT_VERSION_MISMATCH;
	r = memory_of(device, &own);
	if (r != ES_NVML_OK)
		return r;
	/* Here what the driver keeps for itself is not used, but reserved. */
	memory->total = own.total;
	memory->reserved = own.used;
	memory->used = 0;
	memory->free = own.free;
	return r;
}

/* What draws on a simulated GPU, or shares it out, is none of the machine's processes. */
static int no_processes(struct es_nvml_device *device, unsigned *n)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int instance, r = es_lib_nvml_find(device, &gpu, &i, &instance);

	if (r == ES_NVML_OK)
		*n = 0;
	return r;
}

#define NO_PROCESSES(name)                                                                   \
	ES_LIB_EXPORT int name(struct es_nvml_device *device, unsigned *n, void *processes); \
	ES_LIB_EXPORT int name(struct es_nvml_device *device, unsigned *n, void *processes)  \
	{                                                                                    \
		(void)processes;                                                             \
		return no_processes(device, n);                                              \
	}

NO_PROCESSES(nvmlDeviceGetGraphicsRunningProcesses)
NO_PROCESSES(nvmlDeviceGetGraphicsRunningProcesses_v2)
NO_PROCESSES(nvmlDeviceGetGraphicsRunningProcesses_v3)
NO_PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses)
NO_PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses_v2)
NO_PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses_v3)

/* nvmlGpmSample_t: what had been counted when it was taken. */
struct es_nvml_gpm_sample {
	unsigned gpu;
	bool is_taken;
	uint64_t t_ns, busy_ns, memory_busy_ns;
};

ES_LIB_EXPORT int nvmlGpmQueryDeviceSupport(struct es_nvml_device *device,
					    struct es_nvml_gpm_support *support);
ES_LIB_EXPORT int nvmlGpmQueryDeviceSupport(struct es_nvml_device *device,
					    struct es_nvml_gpm_support *support)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK && support->version != ES_NVML_GPM_VERSION)
		r = ES_NVML_ARGUMENT_VERSION_MISMATCH;
	if (r == ES_NVML_OK)
		support->is_supported = gpu.architecture >= ARCH_HOPPER;
	return r;
}

ES_LIB_EXPORT int nvmlGpmSampleAlloc(struct es_nvml_gpm_sample **sample);
ES_LIB_EXPORT int nvmlGpmSampleAlloc(struct es_nvml_gpm_sample **sample)
{
	*sample = calloc(1, sizeof(**sample));
	return *sample ? ES_NVML_OK : ES_NVML_MEMORY;
}

ES_LIB_EXPORT int nvmlGpmSampleFree(struct es_nvml_gpm_sample *sample);
ES_LIB_EXPORT int nvmlGpmSampleFree(struct es_nvml_gpm_sample *sample)
{
	free(sample);
	return ES_NVML_OK;
}

ES_LIB_EXPORT int nvmlGpmSampleGet(struct es_nvml_device *device,
				   struct es_nvml_gpm_sample *sample);
ES_LIB_EXPORT int nvmlGpmSampleGet(struct es_nvml_device *device, struct es_nvml_gpm_sample *sample)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK && gpu.architecture < ARCH_HOPPER)
		r = ES_NVML_NOT_SUPPORTED;
	if (r == ES_NVML_OK)
		*sample = (struct es_nvml_gpm_sample){ .gpu = i,
						       .is_taken = true,
						       .t_ns = gpu.t_ns,
						       .busy_ns = gpu.busy_ns,
						       .memory_busy_ns = gpu.memory_busy_ns };
	return r;
}

ES_LIB_EXPORT int nvmlGpmMetricsGet(struct es_nvml_gpm_metrics *metrics);
ES_LIB_EXPORT int nvmlGpmMetricsGet(struct es_nvml_gpm_metrics *metrics)
{
	const struct es_nvml_gpm_sample *from = metrics->from, *to = metrics->to;

	if (metrics->version != ES_NVML_GPM_VERSION)
		return ES_NVML_ARGUMENT_VERSION_MISMATCH;
	if (!from || !to || !from->is_taken || !to->is_taken || from->gpu != to->gpu ||
	    to->t_ns <= from->t_ns || metrics->n > ES_NVML_GPM_METRICS_MAX)
		return ES_NVML_INVALID_ARGUMENT;
	for (unsigned i = 0; i < metrics->n; i++) {
		struct es_nvml_gpm_metric *metric = &metrics->metrics[i];
		bool is_memory = metric->id == ES_NVML_GPM_DRAM;

		metric->error = is_memory || metric->id == ES_NVML_GPM_SM ? ES_NVML_OK
									  : ES_NVML_NOT_SUPPORTED;
		if (metric->error == ES_NVML_OK)
			metric->value = 100 *
					(double)(is_memory
							 ? to->memory_busy_ns - from->memory_busy_ns
							 : to->busy_ns - from->busy_ns) /
					(double)(to->t_ns - from->t_ns);
	}
	return ES_NVML_OK;
}
