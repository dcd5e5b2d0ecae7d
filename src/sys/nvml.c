/*
 * sys/nvml.c - NVIDIA's management library, opened when used
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/nvml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "sys/library.h"
#include "sys/pci.h"

#define LIBRARY "libnvidia-ml.so.1"

static const char *const names[] = { LIBRARY, NULL };
/* Where the container toolkit and Windows' Linux put it. */
static const char *const folders[] = { "usr/local/nvidia/lib64", "usr/lib/wsl/lib", NULL };

static const struct {
	int nvml_return, error;
	const char *words;
} returns[] = {
	{ ES_NVML_UNINITIALIZED, ENOTCONN, "the library is not started" },
	{ ES_NVML_INVALID_ARGUMENT, EINVAL, "invalid argument" },
	{ ES_NVML_NOT_SUPPORTED, EOPNOTSUPP, "not supported" },
	{ ES_NVML_NO_PERMISSION, EACCES, "no permission" },
	{ ES_NVML_NOT_FOUND, ENOENT, "not found" },
	{ ES_NVML_SIZE_TOO_SMALL, EMSGSIZE, "the answer is longer than there is room" },
	{ ES_NVML_DRIVER_NOT_LOADED, ENODEV, "the NVIDIA driver is not loaded" },
	{ ES_NVML_TIMEOUT, ETIMEDOUT, "the driver did not answer in time" },
	{ ES_NVML_LIBRARY_NOT_FOUND, ENOENT, "a library of the driver is missing" },
	{ ES_NVML_GPU_IS_LOST, ENODEV, "the GPU is lost: it fell off the bus" },
	{ ES_NVML_RESET_REQUIRED, ENODEV, "the GPU must be reset" },
	{ ES_NVML_LIB_RM_VERSION_MISMATCH, EPROTO, "driver and library differ in version" },
	{ ES_NVML_IN_USE, EBUSY, "in use" },
	{ ES_NVML_MEMORY, ENOMEM, "not enough memory" },
	{ ES_NVML_NO_DATA, ENODATA, "no data" },
	{ ES_NVML_GPU_NOT_FOUND, ENODEV, "no GPU found" },
};

int es_nvml_open(const struct es_root *root, struct es_nvml *ret, struct es_error *err)
{
	struct es_nvml nvml = { .dl = { .handle = NULL } };
	const struct es_dl_symbol symbols[] = {
		{ "nvmlInit_v2", &nvml.init, true },
		{ "nvmlShutdown", &nvml.shut_down, true },
		{ "nvmlDeviceGetCount_v2", &nvml.count, true },
		{ "nvmlDeviceGetHandleByIndex_v2", &nvml.by_index, true },
		{ "nvmlSystemGetDriverVersion", &nvml.driver_version, false },
		{ "nvmlDeviceGetName", &nvml.name, false },
		{ "nvmlDeviceGetUUID", &nvml.uuid, false },
		{ "nvmlDeviceGetPciInfo_v3", &nvml.pci, false },
		{ "nvmlDeviceGetArchitecture", &nvml.architecture, false },
		{ "nvmlDeviceGetTotalEnergyConsumption", &nvml.energy, false },
		{ "nvmlDeviceGetPowerUsage", &nvml.power, false },
		{ "nvmlDeviceGetFieldValues", &nvml.fields, false },
		{ "nvmlDeviceGetEnforcedPowerLimit", &nvml.enforced_limit, false },
		{ "nvmlDeviceGetMigMode", &nvml.mig_mode, false },
		{ "nvmlDeviceGetMaxMigDeviceCount", &nvml.mig_most, false },
		{ "nvmlDeviceGetMigDeviceHandleByIndex", &nvml.mig_by_index, false },
		{ "nvmlDeviceGetGpuInstanceId", &nvml.gpu_instance, false },
		{ "nvmlDeviceGetComputeInstanceId", &nvml.compute_instance, false },
		{ "nvmlDeviceGetAttributes_v2", &nvml.attributes, false },
		{ "nvmlDeviceGetClockInfo", &nvml.clock, false },
		{ "nvmlDeviceGetUtilizationRates", &nvml.utilization, false },
		{ "nvmlDeviceGetTemperature", &nvml.temperature, false },
		{ "nvmlDeviceGetCurrentClocksEventReasons", &nvml.reasons, false },
		{ "nvmlDeviceGetCurrentClocksThrottleReasons", &nvml.old_reasons, false },
		{ "nvmlGpmQueryDeviceSupport", &nvml.gpm_support, false },
		{ "nvmlGpmSampleAlloc", &nvml.gpm_alloc, false },
		{ "nvmlGpmSampleFree", &nvml.gpm_free, false },
		{ "nvmlGpmSampleGet", &nvml.gpm_sample, false },
		{ "nvmlGpmMetricsGet", &nvml.gpm_metrics, false },
		{ "nvmlDeviceGetComputeRunningProcesses_v2", &nvml.processes, false },
		{ "nvmlDeviceGetComputeRunningProcesses", &nvml.old_processes, false },
		{ "nvmlDeviceGetProcessUtilization", &nvml.process_use, false },
	};
	int r = es_library_open(root, names, folders, symbols, ES_ARRAY_SIZE(symbols), &nvml.dl,
				err);

	if (r == 0)
		*ret = nvml;
	return r;
}

void es_nvml_close(struct es_nvml *nvml)
{
	es_dl_close(&nvml->dl);
}

int es_nvml_error(int nvml_return)
{
	if (nvml_return == ES_NVML_OK)
		return 0;
	for (size_t i = 0; i < ES_ARRAY_SIZE(returns); i++)
		if (returns[i].nvml_return == nvml_return)
			return -returns[i].error;
	return -EIO;
}

const char *es_nvml_words(int nvml_return)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(returns); i++)
		if (returns[i].nvml_return == nvml_return)
			return returns[i].words;
	return nvml_return == ES_NVML_OK ? "success" : "an error that the library does not explain";
}

int es_nvml_field_u64(const struct es_nvml_field *field, uint64_t *ret)
{
	if (field->error != ES_NVML_OK)
		return es_nvml_error(field->error);
	switch (field->type) {
	case ES_NVML_DOUBLE:
		if (!(field->value.d >= 0 && field->value.d < 1e18))
			return -ERANGE;
		*ret = (uint64_t)field->value.d;
		return 0;
	case ES_NVML_UNSIGNED_INT:
		*ret = field->value.ui;
		return 0;
	case ES_NVML_UNSIGNED_LONG:
		*ret = field->value.ul;
		return 0;
	case ES_NVML_UNSIGNED_LONG_LONG:
		*ret = field->value.ull;
		return 0;
	case ES_NVML_SIGNED_LONG_LONG:
		if (field->value.sll < 0)
			return -ERANGE;
		*ret = (uint64_t)field->value.sll;
		return 0;
	case ES_NVML_SIGNED_INT:
		if (field->value.si < 0)
			return -ERANGE;
		*ret = (uint64_t)field->value.si;
		return 0;
	default:
		return -ERANGE;
	}
}

bool es_nvml_may_be_here(const struct es_root *root)
{
	struct es_pci_gpu gpus[ES_PCI_GPUS_MAX];
	uint32_t n;

	/* The driver, its devices in a container without /sys, and Windows' Linux: there the GPU is none on a bus. */
	if (es_root_exists(root, "proc/driver/nvidia") || es_root_exists(root, "dev/nvidiactl") ||
	    (es_root_exists(root, "dev/dxg") && es_root_exists(root, "usr/lib/wsl/lib/" LIBRARY)))
		return true;
	n = es_pci_find_gpus(root, gpus);
	for (uint32_t i = 0; i < n; i++)
		if (strncmp(gpus[i].model, "NVIDIA", 6) == 0)
			return true;
	return false;
}
