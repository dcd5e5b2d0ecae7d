/*
 * lib_nvml.c - a look-alike of libnvidia-ml.so.1 for simulated nodes: start, handles, and what each GPU is
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/lib_nvml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "twin/gpus.h"

/* A handle is a number that nobody looks behind: GPU, instance, and how often its driver was loaded. */
#define GPU_BITS 8
#define INSTANCE_BITS 4
#define LOADS_MASK 0xffffU

#define CUDA_VERSION 12040

struct es_nvml_device *es_lib_nvml_handle(unsigned gpu, int instance, uint64_t loads)
{
	uintptr_t number = ((loads & LOADS_MASK) << INSTANCE_BITS | (unsigned)(instance + 1))
				   << GPU_BITS |
			   (gpu + 1);

	return (struct es_nvml_device *)number;
}

/* What a GPU's error is in the library's words. */
static int why(const struct es_lib_gpu *gpu)
{
	switch (gpu->error) {
	case ES_LIB_NONE:
		return ES_NVML_OK;
	case ES_LIB_GONE:
		return ES_NVML_GPU_IS_LOST;
	case ES_LIB_LOADING:
		return ES_NVML_DRIVER_NOT_LOADED;
	case ES_LIB_UNREADABLE:
	case ES_LIB_BROKEN:
		break;
	}
	return ES_NVML_UNKNOWN;
}

int es_lib_nvml_error(int r)
{
	switch (r) {
	case 0:
		return ES_NVML_OK;
	case -ENOTCONN:
		return ES_NVML_UNINITIALIZED;
	case -EINVAL:
	case -ERANGE:
		return ES_NVML_INVALID_ARGUMENT;
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return ES_NVML_NO_PERMISSION;
	case -EOPNOTSUPP:
		return ES_NVML_NOT_SUPPORTED;
	case -ENODEV:
		return ES_NVML_GPU_IS_LOST;
	default:
		return ES_NVML_UNKNOWN;
	}
}

int es_lib_nvml_find(const struct es_nvml_device *device, struct es_lib_gpu *ret, unsigned *ret_gpu,
		     int *ret_instance)
{
	uintptr_t number = (uintptr_t)device;
	unsigned gpu = (unsigned)(number & ((1U << GPU_BITS) - 1)) - 1;
	int instance = (int)(number >> GPU_BITS & ((1U << INSTANCE_BITS) - 1)) - 1;
	int r = es_lib_read(gpu, ret);

	*ret_gpu = gpu;
	*ret_instance = instance;
	if (r < 0)
		return es_lib_nvml_error(r);
	if (instance >= (int)ret->n_instances)
		return ES_NVML_INVALID_ARGUMENT;
	/* While the driver is away, and for handles from before, the library is as if it had never been started. */
	if (ret->error == ES_LIB_LOADING)
		return ES_NVML_UNINITIALIZED;
	if (ret->error != ES_LIB_NONE)
		return why(ret);
	if (number >> (GPU_BITS + INSTANCE_BITS) != (ret->loads & LOADS_MASK))
		return ES_NVML_GPU_IS_LOST;
	return ES_NVML_OK;
}

int es_lib_nvml_gpu(const struct es_nvml_device *device, struct es_lib_gpu *ret, unsigned *ret_gpu)
{
	int instance = -1, r = es_lib_nvml_find(device, ret, ret_gpu, &instance);

	return r == ES_NVML_OK && instance >= 0 ? ES_NVML_INVALID_ARGUMENT : r;
}

int es_lib_nvml_text(const char *text, char *ret, unsigned size)
{
	if (!ret)
		return ES_NVML_INVALID_ARGUMENT;
	if (strlen(text) >= size)
		return ES_NVML_INSUFFICIENT_SIZE;
	memcpy(ret, text, strlen(text) + 1);
	return ES_NVML_OK;
}

/* Whether the driver of all of them is away: then none can be listed. */
static bool is_driver_away(void)
{
	int n = es_lib_count();
	struct es_lib_gpu gpu;

	for (int i = 0; i < n; i++)
		if (es_lib_read((unsigned)i, &gpu) < 0 || gpu.error != ES_LIB_LOADING)
			return false;
	return n > 0;
}

ES_LIB_EXPORT int nvmlInitWithFlags(unsigned flags);
ES_LIB_EXPORT int nvmlInitWithFlags(unsigned flags)
{
	(void)flags;
	if (es_lib_start() < 0)
		return ES_NVML_UNKNOWN;
	if (!is_driver_away())
		return ES_NVML_OK;
	(void)es_lib_stop();
	return ES_NVML_DRIVER_NOT_LOADED;
}

ES_LIB_EXPORT int nvmlInit_v2(void);
ES_LIB_EXPORT int nvmlInit_v2(void)
{
	return nvmlInitWithFlags(0);
}

ES_LIB_EXPORT int nvmlInit(void);
ES_LIB_EXPORT int nvmlInit(void)
{
	return nvmlInitWithFlags(0);
}

ES_LIB_EXPORT int nvmlShutdown(void);
ES_LIB_EXPORT int nvmlShutdown(void)
{
	return es_lib_nvml_error(es_lib_stop());
}

ES_LIB_EXPORT const char *nvmlErrorString(int error);
ES_LIB_EXPORT const char *nvmlErrorString(int error)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{ ES_NVML_OK, "Success" },
		{ ES_NVML_UNINITIALIZED, "Uninitialized" },
		{ ES_NVML_INVALID_ARGUMENT, "Invalid Argument" },
		{ ES_NVML_NOT_SUPPORTED, "Not Supported" },
		{ ES_NVML_NO_PERMISSION, "Insufficient Permissions" },
		{ ES_NVML_NOT_FOUND, "Not Found" },
		{ ES_NVML_INSUFFICIENT_SIZE, "Insufficient Size" },
		{ ES_NVML_DRIVER_NOT_LOADED, "Driver Not Loaded" },
		{ ES_NVML_GPU_IS_LOST, "GPU is lost" },
		{ ES_NVML_ARGUMENT_VERSION_MISMATCH, "Argument version mismatch" },
		{ ES_NVML_NO_DATA, "No data" },
		{ ES_NVML_MEMORY, "Insufficient Memory" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].error == error)
			return texts[i].text;
	return "Unknown Error";
}

static int system_text(const char *text, char *ret, unsigned size)
{
	return es_lib_count() < 0 ? ES_NVML_UNINITIALIZED : es_lib_nvml_text(text, ret, size);
}

ES_LIB_EXPORT int nvmlSystemGetDriverVersion(char *version, unsigned size);
ES_LIB_EXPORT int nvmlSystemGetDriverVersion(char *version, unsigned size)
{
	return system_text(ES_TWIN_NVIDIA_DRIVER, version, size);
}

ES_LIB_EXPORT int nvmlSystemGetNVMLVersion(char *version, unsigned size);
ES_LIB_EXPORT int nvmlSystemGetNVMLVersion(char *version, unsigned size)
{
	return system_text("12." ES_TWIN_NVIDIA_DRIVER, version, size);
}

ES_LIB_EXPORT int nvmlSystemGetCudaDriverVersion(int *version);
ES_LIB_EXPORT int nvmlSystemGetCudaDriverVersion(int *version)
{
	if (es_lib_count() < 0)
		return ES_NVML_UNINITIALIZED;
	*version = CUDA_VERSION;
	return ES_NVML_OK;
}

ES_LIB_EXPORT int nvmlSystemGetCudaDriverVersion_v2(int *version);
ES_LIB_EXPORT int nvmlSystemGetCudaDriverVersion_v2(int *version)
{
	return nvmlSystemGetCudaDriverVersion(version);
}

ES_LIB_EXPORT int nvmlDeviceGetCount_v2(unsigned *n);
ES_LIB_EXPORT int nvmlDeviceGetCount_v2(unsigned *n)
{
	int count = es_lib_count();

	if (count < 0)
		return ES_NVML_UNINITIALIZED;
	if (!n)
		return ES_NVML_INVALID_ARGUMENT;
	*n = (unsigned)count;
	return ES_NVML_OK;
}

ES_LIB_EXPORT int nvmlDeviceGetCount(unsigned *n);
ES_LIB_EXPORT int nvmlDeviceGetCount(unsigned *n)
{
	return nvmlDeviceGetCount_v2(n);
}

ES_LIB_EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned i, struct es_nvml_device **device);
ES_LIB_EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned i, struct es_nvml_device **device)
{
	struct es_lib_gpu gpu;
	int r = es_lib_read(i, &gpu);

	if (r < 0 || !device)
		return r < 0 ? es_lib_nvml_error(r) : ES_NVML_INVALID_ARGUMENT;
	if (why(&gpu) == ES_NVML_OK)
		*device = es_lib_nvml_handle(i, -1, gpu.loads);
	return why(&gpu);
}

ES_LIB_EXPORT int nvmlDeviceGetHandleByIndex(unsigned i, struct es_nvml_device **device);
ES_LIB_EXPORT int nvmlDeviceGetHandleByIndex(unsigned i, struct es_nvml_device **device)
{
	return nvmlDeviceGetHandleByIndex_v2(i, device);
}

/* The UUID of instance @i, or of the whole GPU. */
static void uuid_of(const struct es_lib_gpu *gpu, int i, char ret[static ES_LIB_TEXT_BYTES])
{
	if (i < 0)
		(void)snprintf(ret, ES_LIB_TEXT_BYTES, "%s", gpu->uuid);
	else
		/* GPU-… with the instance's number in its last digits. */
		(void)snprintf(ret, ES_LIB_TEXT_BYTES, "MIG-%.34s%02x",
			       strlen(gpu->uuid) > 4 ? gpu->uuid + 4 : "", (unsigned)i + 1);
}

ES_LIB_EXPORT int nvmlDeviceGetHandleByUUID(const char *uuid, struct es_nvml_device **device);
ES_LIB_EXPORT int nvmlDeviceGetHandleByUUID(const char *uuid, struct es_nvml_device **device)
{
	int n = es_lib_count();
	char own[ES_LIB_TEXT_BYTES];
	struct es_lib_gpu gpu;

	if (n < 0)
		return ES_NVML_UNINITIALIZED;
	if (!uuid || !device)
		return ES_NVML_INVALID_ARGUMENT;
	for (int i = 0; i < n; i++) {
		if (es_lib_read((unsigned)i, &gpu) < 0)
			continue;
		for (int j = -1; j < (int)gpu.n_instances; j++) {
			uuid_of(&gpu, j, own);
			if (strcmp(own, uuid) != 0)
				continue;
			if (why(&gpu) == ES_NVML_OK)
				*device = es_lib_nvml_handle((unsigned)i, j, gpu.loads);
			return why(&gpu);
		}
	}
	return ES_NVML_NOT_FOUND;
}

ES_LIB_EXPORT int nvmlDeviceGetHandleByPciBusId_v2(const char *bus, struct es_nvml_device **device);
ES_LIB_EXPORT int nvmlDeviceGetHandleByPciBusId_v2(const char *bus, struct es_nvml_device **device)
{
	int n = es_lib_count();
	struct es_lib_gpu gpu;

	if (n < 0)
		return ES_NVML_UNINITIALIZED;
	if (!bus || !device)
		return ES_NVML_INVALID_ARGUMENT;
	/* With a domain of eight digits, as the library itself writes it, or of four. */
	if (strlen(bus) == 16 && strncmp(bus, "0000", 4) == 0)
		bus += 4;
	for (int i = 0; i < n; i++)
		if (es_lib_read((unsigned)i, &gpu) == 0 && strcasecmp(gpu.bus, bus) == 0)
			return nvmlDeviceGetHandleByIndex_v2((unsigned)i, device);
	return ES_NVML_NOT_FOUND;
}

ES_LIB_EXPORT int nvmlDeviceGetHandleByPciBusId(const char *bus, struct es_nvml_device **device);
ES_LIB_EXPORT int nvmlDeviceGetHandleByPciBusId(const char *bus, struct es_nvml_device **device)
{
	return nvmlDeviceGetHandleByPciBusId_v2(bus, device);
}

ES_LIB_EXPORT int nvmlDeviceGetIndex(struct es_nvml_device *device, unsigned *index);
ES_LIB_EXPORT int nvmlDeviceGetIndex(struct es_nvml_device *device, unsigned *index)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int instance, r = es_lib_nvml_find(device, &gpu, &i, &instance);

	if (r == ES_NVML_OK)
		*index = instance < 0 ? i : (unsigned)instance;
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetMinorNumber(struct es_nvml_device *device, unsigned *minor);
ES_LIB_EXPORT int nvmlDeviceGetMinorNumber(struct es_nvml_device *device, unsigned *minor)
{
	struct es_lib_gpu gpu;

	return es_lib_nvml_gpu(device, &gpu, minor);
}

ES_LIB_EXPORT int nvmlDeviceGetName(struct es_nvml_device *device, char *name, unsigned size);
ES_LIB_EXPORT int nvmlDeviceGetName(struct es_nvml_device *device, char *name, unsigned size)
{
	char text[ES_LIB_TEXT_BYTES + 32], profile[24];
	struct es_lib_gpu gpu;
	unsigned i;
	int instance, r = es_lib_nvml_find(device, &gpu, &i, &instance);

	if (r != ES_NVML_OK)
		return r;
	if (instance < 0)
		return es_lib_nvml_text(gpu.name, name, size);
	es_lib_nvml_profile(&gpu, profile);
	(void)snprintf(text, sizeof(text), "%s MIG %s", gpu.name, profile);
	return es_lib_nvml_text(text, name, size);
}

ES_LIB_EXPORT int nvmlDeviceGetUUID(struct es_nvml_device *device, char *uuid, unsigned size);
ES_LIB_EXPORT int nvmlDeviceGetUUID(struct es_nvml_device *device, char *uuid, unsigned size)
{
	char text[ES_LIB_TEXT_BYTES];
	struct es_lib_gpu gpu;
	unsigned i;
	int instance, r = es_lib_nvml_find(device, &gpu, &i, &instance);

	if (r != ES_NVML_OK)
		return r;
	uuid_of(&gpu, instance, text);
	return es_lib_nvml_text(text, uuid, size);
}

ES_LIB_EXPORT int nvmlDeviceGetSerial(struct es_nvml_device *device, char *serial, unsigned size);
ES_LIB_EXPORT int nvmlDeviceGetSerial(struct es_nvml_device *device, char *serial, unsigned size)
{
	struct es_lib_gpu gpu;
	char text[32];
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	(void)snprintf(text, sizeof(text), "15650%08u",
		       (unsigned)(r == ES_NVML_OK ? gpu.number % 100000000 : 0));
	return r == ES_NVML_OK ? es_lib_nvml_text(text, serial, size) : r;
}

ES_LIB_EXPORT int nvmlDeviceGetArchitecture(struct es_nvml_device *device, unsigned *architecture);
ES_LIB_EXPORT int nvmlDeviceGetArchitecture(struct es_nvml_device *device, unsigned *architecture)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK)
		*architecture = (unsigned)gpu.architecture;
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetCudaComputeCapability(struct es_nvml_device *device, int *major,
						     int *minor);
ES_LIB_EXPORT int nvmlDeviceGetCudaComputeCapability(struct es_nvml_device *device, int *major,
						     int *minor)
{
	/* By nvmlDeviceArchitecture_t: Kepler to Blackwell. */
	static const unsigned char versions[][2] = { { 0, 0 }, { 0, 0 }, { 3, 7 }, { 5, 2 },
						     { 6, 0 }, { 7, 0 }, { 7, 5 }, { 8, 6 },
						     { 8, 9 }, { 9, 0 }, { 10, 0 } };
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r != ES_NVML_OK)
		return r;
	if (gpu.architecture >= sizeof(versions) / sizeof(versions[0]))
		return ES_NVML_NOT_SUPPORTED;
	*major = versions[gpu.architecture][0];
	*minor = gpu.is_ga100 ? 0 : versions[gpu.architecture][1];
	return ES_NVML_OK;
}
