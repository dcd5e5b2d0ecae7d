/*
 * lib_nvml_bus.c - a look-alike of libnvidia-ml.so.1: the place on the bus, its links, and what nobody uses here
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdio.h>
#include <string.h>

#include "twin/lib_nvml.h"

#define SUBSYSTEM 0x1463U
#define LINK_WIDTH 16U
#define LINK_GENERATION 4U /* Ampere */
#define LINK_GENERATION_HOPPER 5U
#define ARCH_HOPPER 9U
#define CODEC_PERIOD_US 200000U

/** struct old_pci - nvmlPciInfo_t as of nvmlDeviceGetPciInfo and its _v2 */
struct old_pci {
	char bus_id[16];
	unsigned domain, bus, device, device_id, subsystem_id, reserved[4];
};

ES_LIB_EXPORT int nvmlDeviceGetPciInfo_v3(struct es_nvml_device *device, struct es_nvml_pci *pci);
ES_LIB_EXPORT int nvmlDeviceGetPciInfo_v3(struct es_nvml_device *device, struct es_nvml_pci *pci)
{
	struct es_lib_gpu gpu;
	unsigned i, function;
	int instance, r = es_lib_nvml_find(device, &gpu, &i, &instance);

	if (r != ES_NVML_OK)
		return r;
	memset(pci, 0, sizeof(*pci));
	if (sscanf(gpu.bus, "%4x:%2x:%2x.%1x", &pci->domain, &pci->bus, &pci->device, &function) !=
	    4)
		return ES_NVML_UNKNOWN;
	pci->device_id = (unsigned)(gpu.device_id << 16 | gpu.vendor_id);
	pci->subsystem_id = (unsigned)(SUBSYSTEM << 16 | gpu.vendor_id);
	(void)snprintf(pci->legacy, sizeof(pci->legacy), "%.15s", gpu.bus);
	(void)snprintf(pci->bus_id, sizeof(pci->bus_id), "0000%.16s", gpu.bus);
	return ES_NVML_OK;
}

ES_LIB_EXPORT int nvmlDeviceGetPciInfo_v2(struct es_nvml_device *device, struct old_pci *pci);
ES_LIB_EXPORT int nvmlDeviceGetPciInfo_v2(struct es_nvml_device *device, struct old_pci *pci)
{
	struct es_nvml_pci now;
	int r = nvmlDeviceGetPciInfo_v3(device, &now);

	if (r != ES_NVML_OK)
		return r;
	*pci = (struct old_pci){ .domain = now.domain,
				 .bus = now.bus,
				 .device = now.device,
				 .device_id = now.device_id,
				 .subsystem_id = now.subsystem_id };
	memcpy(pci->bus_id, now.legacy, sizeof(pci->bus_id));
	return ES_NVML_OK;
}

ES_LIB_EXPORT int nvmlDeviceGetPciInfo(struct es_nvml_device *device, struct old_pci *pci);
ES_LIB_EXPORT int nvmlDeviceGetPciInfo(struct es_nvml_device *device, struct old_pci *pci)
{
	return nvmlDeviceGetPciInfo_v2(device, pci);
}

ES_LIB_EXPORT int nvmlDeviceGetMaxPcieLinkGeneration(struct es_nvml_device *device, unsigned *ret);
ES_LIB_EXPORT int nvmlDeviceGetMaxPcieLinkGeneration(struct es_nvml_device *device, unsigned *ret)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK)
		*ret = gpu.architecture >= ARCH_HOPPER ? LINK_GENERATION_HOPPER : LINK_GENERATION;
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetCurrPcieLinkGeneration(struct es_nvml_device *device, unsigned *ret);
ES_LIB_EXPORT int nvmlDeviceGetCurrPcieLinkGeneration(struct es_nvml_device *device, unsigned *ret)
{
	return nvmlDeviceGetMaxPcieLinkGeneration(device, ret);
}

/* What is the same for all. */
static int give(struct es_nvml_device *device, unsigned value, unsigned *ret)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK)
		*ret = value;
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetMaxPcieLinkWidth(struct es_nvml_device *device, unsigned *ret);
ES_LIB_EXPORT int nvmlDeviceGetMaxPcieLinkWidth(struct es_nvml_device *device, unsigned *ret)
{
	return give(device, LINK_WIDTH, ret);
}

ES_LIB_EXPORT int nvmlDeviceGetCurrPcieLinkWidth(struct es_nvml_device *device, unsigned *ret);
ES_LIB_EXPORT int nvmlDeviceGetCurrPcieLinkWidth(struct es_nvml_device *device, unsigned *ret)
{
	return give(device, LINK_WIDTH, ret);
}

/* Nothing says how much goes over the bus: that is no 0. */
ES_LIB_EXPORT int nvmlDeviceGetPcieThroughput(struct es_nvml_device *device, int counter,
					      unsigned *kb_s);
ES_LIB_EXPORT int nvmlDeviceGetPcieThroughput(struct es_nvml_device *device, int counter,
					      unsigned *kb_s)
{
	unsigned none;
	int r = give(device, 0, &none);

	(void)counter;
	(void)kb_s;
	return r == ES_NVML_OK ? ES_NVML_NOT_SUPPORTED : r;
}

/* No program here makes films. */
ES_LIB_EXPORT int nvmlDeviceGetEncoderUtilization(struct es_nvml_device *device, unsigned *percent,
						  unsigned *period_us);
ES_LIB_EXPORT int nvmlDeviceGetEncoderUtilization(struct es_nvml_device *device, unsigned *percent,
						  unsigned *period_us)
{
	int r = give(device, 0, percent);

	return r == ES_NVML_OK ? give(device, CODEC_PERIOD_US, period_us) : r;
}

ES_LIB_EXPORT int nvmlDeviceGetDecoderUtilization(struct es_nvml_device *device, unsigned *percent,
						  unsigned *period_us);
ES_LIB_EXPORT int nvmlDeviceGetDecoderUtilization(struct es_nvml_device *device, unsigned *percent,
						  unsigned *period_us)
{
	return nvmlDeviceGetEncoderUtilization(device, percent, period_us);
}
