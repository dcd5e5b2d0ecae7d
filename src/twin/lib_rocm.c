/*
 * lib_rocm.c - a look-alike of librocm_smi64.so for simulated nodes
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Names, numbers and layouts as in rocm_smi.h of ROCm 6 and 7; sys/rocmsmi.h has those that we use ourselves.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sys/rocmsmi.h"
#include "twin/lib_gpu.h"

#define STEP_UJ 15.3F /* as the library says it: 0.27 % more than the 2^-16 J that are counted */
#define UW_PER_MW UINT64_C(1000)
#define UW_PER_W UINT64_C(1000000)
#define HZ_PER_MHZ UINT64_C(1000000)
#define FREQUENCIES_MAX 33U /* RSMI_MAX_NUM_FREQUENCIES */
#define CLOCK_SYSTEM 0 /* rsmi_clk_type_t: graphics */
#define CLOCK_MEMORY 4
#define TEMPERATURE_CURRENT 0 /* rsmi_temperature_metric_t */
#define TEMPERATURE_CRITICAL 5
#define SENSOR_EDGE 0 /* rsmi_temperature_type_t */
#define SENSOR_JUNCTION 1
#define SENSOR_MEMORY 2
#define EDGE_BELOW_MC 5000U
#define UNKNOWN_ERROR 0xffffffffU

/** struct frequencies - rsmi_frequencies_t */
struct frequencies {
	bool has_deep_sleep;
	uint32_t n, current;
	uint64_t hz[FREQUENCIES_MAX];
};

/** struct version - rsmi_version_t */
struct version {
	uint32_t major, minor, patch;
	const char *build;
};

static uint32_t status_of(int r)
{
	switch (r) {
	case 0:
		return ES_ROCMSMI_OK;
	case -ENOTCONN:
		return ES_ROCMSMI_NOT_STARTED;
	case -EINVAL:
	case -ERANGE:
		return ES_ROCMSMI_INVALID;
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return ES_ROCMSMI_PERMISSION;
	case -ENODEV:
		return ES_ROCMSMI_FILE_ERROR;
	default:
		return UNKNOWN_ERROR;
	}
}

/* All about GPU @i; @out: where its caller wants an answer. */
static uint32_t find(uint32_t i, const void *out, struct es_lib_gpu *ret)
{
	int r = es_lib_read(i, ret);

	if (r < 0)
		return status_of(r);
	if (!out)
		return ES_ROCMSMI_INVALID;
	switch (ret->error) {
	case ES_LIB_NONE:
		return ES_ROCMSMI_OK;
	case ES_LIB_GONE:
	case ES_LIB_LOADING:
		return ES_ROCMSMI_FILE_ERROR;
	case ES_LIB_UNREADABLE:
	case ES_LIB_BROKEN:
		break;
	}
	return UNKNOWN_ERROR;
}

ES_LIB_EXPORT uint32_t rsmi_init(uint64_t flags);
ES_LIB_EXPORT uint32_t rsmi_init(uint64_t flags)
{
	(void)flags;
	return es_lib_start() < 0 ? ES_ROCMSMI_NOT_STARTED : ES_ROCMSMI_OK;
}

ES_LIB_EXPORT uint32_t rsmi_shut_down(void);
ES_LIB_EXPORT uint32_t rsmi_shut_down(void)
{
	return status_of(es_lib_stop());
}

ES_LIB_EXPORT uint32_t rsmi_version_get(struct version *version);
ES_LIB_EXPORT uint32_t rsmi_version_get(struct version *version)
{
	if (!version)
		return ES_ROCMSMI_INVALID;
	*version = (struct version){ 7, 3, 0, "" };
	return ES_ROCMSMI_OK;
}

ES_LIB_EXPORT uint32_t rsmi_status_string(uint32_t status, const char **text);
ES_LIB_EXPORT uint32_t rsmi_status_string(uint32_t status, const char **text)
{
	if (!text)
		return ES_ROCMSMI_INVALID;
	switch (status) {
	case ES_ROCMSMI_OK:
		*text = "RSMI_STATUS_SUCCESS: The function has been executed successfully.";
		break;
	case ES_ROCMSMI_INVALID:
		*text = "RSMI_STATUS_INVALID_ARGS: The provided arguments do not meet the preconditions required for calling this function.";
		break;
	case ES_ROCMSMI_NOT_SUPPORTED:
		*text = "RSMI_STATUS_NOT_SUPPORTED: This function is not supported in the current environment.";
		break;
	case ES_ROCMSMI_FILE_ERROR:
		*text = "RSMI_STATUS_FILE_ERROR: There was an error in finding or opening a file or directory.";
		break;
	case ES_ROCMSMI_PERMISSION:
		*text = "RSMI_STATUS_PERMISSION: The user ID of the calling process does not have sufficient permission to execute a command.";
		break;
	case ES_ROCMSMI_NOT_STARTED:
		*text = "RSMI_STATUS_INIT_ERROR: An error occurred during initialization, during monitor discovery or when when initializing internal data structures.";
		break;
	default:
		*text = "RSMI_STATUS_UNKNOWN_ERROR: An unknown error prevented the call from completing successfully.";
		break;
	}
	return ES_ROCMSMI_OK;
}

ES_LIB_EXPORT uint32_t rsmi_num_monitor_devices(uint32_t *n);
ES_LIB_EXPORT uint32_t rsmi_num_monitor_devices(uint32_t *n)
{
	int count = es_lib_count();

	if (count < 0 || !n)
		return count < 0 ? ES_ROCMSMI_NOT_STARTED : ES_ROCMSMI_INVALID;
	*n = (uint32_t)count;
	return ES_ROCMSMI_OK;
}

ES_LIB_EXPORT uint32_t rsmi_dev_pci_id_get(uint32_t i, uint64_t *id);
ES_LIB_EXPORT uint32_t rsmi_dev_pci_id_get(uint32_t i, uint64_t *id)
{
	unsigned domain, bus, device, function;
	struct es_lib_gpu gpu;
	uint32_t status = find(i, id, &gpu);

	if (status != ES_ROCMSMI_OK)
		return status;
	if (sscanf(gpu.bus, "%4x:%2x:%2x.%1x", &domain, &bus, &device, &function) != 4)
		return UNKNOWN_ERROR;
	*id = (uint64_t)domain << 32 | bus << 8 | device << 3 | function;
	return ES_ROCMSMI_OK;
}

ES_LIB_EXPORT uint32_t rsmi_dev_id_get(uint32_t i, uint16_t *id);
ES_LIB_EXPORT uint32_t rsmi_dev_id_get(uint32_t i, uint16_t *id)
{
	struct es_lib_gpu gpu;
	uint32_t status = find(i, id, &gpu);

	if (status == ES_ROCMSMI_OK)
		*id = (uint16_t)gpu.device_id;
	return status;
}

ES_LIB_EXPORT uint32_t rsmi_dev_unique_id_get(uint32_t i, uint64_t *id);
ES_LIB_EXPORT uint32_t rsmi_dev_unique_id_get(uint32_t i, uint64_t *id)
{
	struct es_lib_gpu gpu;
	uint32_t status = find(i, id, &gpu);

	if (status == ES_ROCMSMI_OK)
		*id = gpu.number;
	return status;
}

ES_LIB_EXPORT uint32_t rsmi_dev_name_get(uint32_t i, char *name, size_t size);
ES_LIB_EXPORT uint32_t rsmi_dev_name_get(uint32_t i, char *name, size_t size)
{
	struct es_lib_gpu gpu;
	uint32_t status = find(i, name, &gpu);

	if (status != ES_ROCMSMI_OK || size == 0)
		return size == 0 ? ES_ROCMSMI_INVALID : status;
	(void)snprintf(name, size, "%s", gpu.name);
	return strlen(gpu.name) < size ? ES_ROCMSMI_OK : 11; /* RSMI_STATUS_INSUFFICIENT_SIZE */
}

ES_LIB_EXPORT uint32_t rsmi_dev_energy_count_get(uint32_t i, uint64_t *steps, float *step_uj,
						 uint64_t *time_ns);
ES_LIB_EXPORT uint32_t rsmi_dev_energy_count_get(uint32_t i, uint64_t *steps, float *step_uj,
						 uint64_t *time_ns)
{
	struct es_lib_gpu gpu;
	uint32_t status = find(i, steps, &gpu);

	if (status != ES_ROCMSMI_OK)
		return status;
	*steps = gpu.energy;
	if (step_uj)
		*step_uj = STEP_UJ;
	if (time_ns)
		*time_ns = gpu.value_ns;
	return ES_ROCMSMI_OK;
}

ES_LIB_EXPORT uint32_t rsmi_dev_power_ave_get(uint32_t i, uint32_t sensor, uint64_t *power_uw);
ES_LIB_EXPORT uint32_t rsmi_dev_power_ave_get(uint32_t i, uint32_t sensor, uint64_t *power_uw)
{
	struct es_lib_gpu gpu;
	uint32_t status = find(i, power_uw, &gpu);

	if (status == ES_ROCMSMI_OK && sensor != 0)
		status = ES_ROCMSMI_NOT_SUPPORTED;
	if (status == ES_ROCMSMI_OK)
		*power_uw = gpu.power_mw * UW_PER_MW;
	return status;
}

ES_LIB_EXPORT uint32_t rsmi_dev_power_get(uint32_t i, uint64_t *power_uw, int *type);
ES_LIB_EXPORT uint32_t rsmi_dev_power_get(uint32_t i, uint64_t *power_uw, int *type)
{
	uint32_t status = rsmi_dev_power_ave_get(i, 0, power_uw);

	if (status == ES_ROCMSMI_OK && type)
		*type = 0; /* RSMI_AVERAGE_POWER */
	return status;
}

/* A limit of what draws the power: the chips beside the first one have none. */
static uint32_t find_cap(uint32_t i, uint32_t sensor, const void *out, struct es_lib_gpu *ret)
{
	uint32_t status = find(i, out, ret);

	return status == ES_ROCMSMI_OK && sensor != 0 ? ES_ROCMSMI_NOT_SUPPORTED : status;
}

ES_LIB_EXPORT uint32_t rsmi_dev_power_cap_get(uint32_t i, uint32_t sensor, uint64_t *cap_uw);
ES_LIB_EXPORT uint32_t rsmi_dev_power_cap_get(uint32_t i, uint32_t sensor, uint64_t *cap_uw)
{
	struct es_lib_gpu gpu;
	uint32_t status = find_cap(i, sensor, cap_uw, &gpu);

	if (status == ES_ROCMSMI_OK)
		*cap_uw = gpu.is_primary ? gpu.limit_mw * UW_PER_MW : 0;
	return status;
}

ES_LIB_EXPORT uint32_t rsmi_dev_power_cap_default_get(uint32_t i, uint64_t *cap_uw);
ES_LIB_EXPORT uint32_t rsmi_dev_power_cap_default_get(uint32_t i, uint64_t *cap_uw)
{
	struct es_lib_gpu gpu;
	uint32_t status = find_cap(i, 0, cap_uw, &gpu);

	if (status == ES_ROCMSMI_OK)
		*cap_uw = gpu.is_primary ? gpu.limit_default_mw * UW_PER_MW : 0;
	return status;
}

ES_LIB_EXPORT uint32_t rsmi_dev_power_cap_range_get(uint32_t i, uint32_t sensor, uint64_t *max_uw,
						    uint64_t *min_uw);
ES_LIB_EXPORT uint32_t rsmi_dev_power_cap_range_get(uint32_t i, uint32_t sensor, uint64_t *max_uw,
						    uint64_t *min_uw)
{
	struct es_lib_gpu gpu;
	uint32_t status = find_cap(i, sensor, max_uw, &gpu);

	if (status != ES_ROCMSMI_OK || !min_uw)
		return min_uw ? status : ES_ROCMSMI_INVALID;
	*max_uw = gpu.limit_max_mw * UW_PER_MW;
	*min_uw = gpu.limit_min_mw * UW_PER_MW;
	return status;
}

ES_LIB_EXPORT uint32_t rsmi_dev_power_cap_set(uint32_t i, uint32_t sensor, uint64_t cap_uw);
ES_LIB_EXPORT uint32_t rsmi_dev_power_cap_set(uint32_t i, uint32_t sensor, uint64_t cap_uw)
{
	struct es_lib_gpu gpu;
	char line[64];
	uint32_t status = find_cap(i, sensor, &gpu, &gpu);

	if (status != ES_ROCMSMI_OK)
		return status;
	if (cap_uw / UW_PER_MW > UINT32_MAX)
		return ES_ROCMSMI_INVALID;
	/* The driver knows whole watts only. */
	(void)snprintf(line, sizeof(line), "power_limit_mw %llu\n",
		       (unsigned long long)cap_uw / UW_PER_W * 1000);
	return status_of(es_lib_write(i, line));
}

ES_LIB_EXPORT uint32_t rsmi_dev_busy_percent_get(uint32_t i, uint32_t *percent);
ES_LIB_EXPORT uint32_t rsmi_dev_busy_percent_get(uint32_t i, uint32_t *percent)
{
	struct es_lib_gpu gpu;
	uint32_t status = find(i, percent, &gpu);

	if (status == ES_ROCMSMI_OK)
		*percent = (uint32_t)(gpu.busy_ppm / 10000);
	return status;
}

ES_LIB_EXPORT uint32_t rsmi_dev_memory_busy_percent_get(uint32_t i, uint32_t *percent);
ES_LIB_EXPORT uint32_t rsmi_dev_memory_busy_percent_get(uint32_t i, uint32_t *percent)
{
	struct es_lib_gpu gpu;
	uint32_t status = find(i, percent, &gpu);

	if (status == ES_ROCMSMI_OK)
		*percent = (uint32_t)(gpu.memory_busy_ppm / 10000);
	return status;
}

ES_LIB_EXPORT uint32_t rsmi_dev_temp_metric_get(uint32_t i, uint32_t sensor, int metric,
						int64_t *temp_mc);
ES_LIB_EXPORT uint32_t rsmi_dev_temp_metric_get(uint32_t i, uint32_t sensor, int metric,
						int64_t *temp_mc)
{
	struct es_lib_gpu gpu;
	uint32_t status = find(i, temp_mc, &gpu);
	uint64_t mc;

	if (status != ES_ROCMSMI_OK)
		return status;
	if (sensor > SENSOR_MEMORY ||
	    (metric != TEMPERATURE_CURRENT && metric != TEMPERATURE_CRITICAL))
		return ES_ROCMSMI_NOT_SUPPORTED;
	mc = metric == TEMPERATURE_CRITICAL	  ? gpu.hottest_mc
	     : sensor == SENSOR_MEMORY		  ? gpu.memory_temperature_mc
	     : sensor == SENSOR_JUNCTION	  ? gpu.temperature_mc
	     : gpu.temperature_mc > EDGE_BELOW_MC ? gpu.temperature_mc - EDGE_BELOW_MC
						  : 0;
	*temp_mc = (int64_t)(mc / 1000 * 1000);
	return status;
}

/* As pp_dpm_sclk lists them: the lowest and the highest, between them what it is now. */
ES_LIB_EXPORT uint32_t rsmi_dev_gpu_clk_freq_get(uint32_t i, int type, struct frequencies *ret);
ES_LIB_EXPORT uint32_t rsmi_dev_gpu_clk_freq_get(uint32_t i, int type, struct frequencies *ret)
{
	struct es_lib_gpu gpu;
	uint32_t status = find(i, ret, &gpu);

	if (status != ES_ROCMSMI_OK)
		return status;
	if (type != CLOCK_SYSTEM && type != CLOCK_MEMORY)
		return ES_ROCMSMI_NOT_SUPPORTED;
	*ret = (struct frequencies){ .n = 1 };
	if (type == CLOCK_MEMORY) {
		ret->hz[0] = gpu.memory_mhz * HZ_PER_MHZ;
		return status;
	}
	ret->hz[0] = gpu.min_mhz * HZ_PER_MHZ;
	if (gpu.clock_mhz > gpu.min_mhz && gpu.clock_mhz < gpu.top_mhz)
		ret->hz[ret->n++] = gpu.clock_mhz * HZ_PER_MHZ;
	ret->hz[ret->n++] = gpu.top_mhz * HZ_PER_MHZ;
	ret->current = gpu.clock_mhz > gpu.min_mhz;
	return status;
}
