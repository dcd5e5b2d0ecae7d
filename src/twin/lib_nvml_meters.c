/*
 * lib_nvml_meters.c - a look-alike of libnvidia-ml.so.1: powers, energy, temperatures, and limits of power
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "twin/gpus.h"
#include "twin/lib_nvml.h"

/* nvmlFieldValue_t.fieldId beside those of sys/nvml.h */
#define FIELD_POWER_AVERAGE 185U /* mean of one second: on Ampere and later, but GA100 */
#define FIELD_LIMIT_MIN 187U
#define FIELD_LIMIT_MAX 188U
#define FIELD_LIMIT_DEFAULT 189U
#define FIELD_LIMIT_CURRENT 190U
#define FIELD_ENERGY 191U
#define FIELD_LIMIT_REQUESTED 192U

#define SAMPLES_TOTAL_POWER 0 /* nvmlSamplingType_t */
#define POLICY_POWER 0 /* nvmlPerfPolicyType_t */
#define POLICY_THERMAL 1
#define THRESHOLD_SHUTDOWN 0 /* nvmlTemperatureThresholds_t */
#define THRESHOLD_SLOWDOWN 1
#define SHUTDOWN_MARGIN_C 3U
#define SAMPLES_BYTES (ES_TWIN_GPU_SAMPLES_MAX * 48U)

/** struct sample - nvmlSample_t */
struct sample {
	unsigned long long timestamp_us;
	union es_nvml_value value;
};

/** struct violation - nvmlViolationTime_t */
struct violation {
	unsigned long long reference_us, violation_ns;
};

static unsigned to_unsigned(uint64_t v)
{
	return v < UINT32_MAX ? (unsigned)v : UINT32_MAX;
}

ES_LIB_EXPORT int nvmlDeviceGetPowerUsage(struct es_nvml_device *device, unsigned *power_mw);
ES_LIB_EXPORT int nvmlDeviceGetPowerUsage(struct es_nvml_device *device, unsigned *power_mw)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK)
		*power_mw = to_unsigned(gpu.power_mw);
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetTotalEnergyConsumption(struct es_nvml_device *device,
						      unsigned long long *energy_mj);
ES_LIB_EXPORT int nvmlDeviceGetTotalEnergyConsumption(struct es_nvml_device *device,
						      unsigned long long *energy_mj)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK && gpu.architecture < ES_NVML_ARCH_VOLTA)
		r = ES_NVML_NOT_SUPPORTED;
	if (r == ES_NVML_OK)
		*energy_mj = gpu.energy;
	return r;
}

static void give_u64(struct es_nvml_field *field, uint64_t value)
{
	field->type = ES_NVML_UNSIGNED_LONG_LONG;
	field->value.ull = value;
	field->error = ES_NVML_OK;
}

static void give_u32(struct es_nvml_field *field, uint64_t value)
{
	field->type = ES_NVML_UNSIGNED_INT;
	field->value.ui = to_unsigned(value);
	field->error = ES_NVML_OK;
}

/* Powers know what they are of; a module is there on boards that have a processor too. */
static void fill_power(const struct es_lib_gpu *gpu, struct es_nvml_field *field)
{
	bool is_mean = field->field == FIELD_POWER_AVERAGE;

	if (field->scope == ES_NVML_SCOPE_GPU && (!is_mean || gpu->has_mean))
		give_u32(field, is_mean ? gpu->power_mw : gpu->instant_mw);
	else if (field->scope == ES_NVML_SCOPE_MODULE && gpu->module_mw)
		give_u32(field, is_mean ? gpu->module_mw : gpu->module_instant_mw);
}

static void fill_field(const struct es_lib_gpu *gpu, struct es_nvml_field *field)
{
	field->error = ES_NVML_NOT_SUPPORTED;
	field->timestamp_us = (long long)gpu->value_wall_us;
	field->latency_us = 0;
	switch (field->field) {
	case ES_NVML_FIELD_TOTAL_ENERGY:
	case FIELD_ENERGY:
		if (gpu->architecture >= ES_NVML_ARCH_VOLTA)
			give_u64(field, gpu->energy);
		break;
	case FIELD_POWER_AVERAGE:
	case ES_NVML_FIELD_POWER_INSTANT:
		fill_power(gpu, field);
		break;
	case FIELD_LIMIT_MIN:
		give_u32(field, gpu->limit_min_mw);
		break;
	case FIELD_LIMIT_MAX:
		give_u32(field, gpu->limit_max_mw);
		break;
	case FIELD_LIMIT_DEFAULT:
		give_u32(field, gpu->limit_default_mw);
		break;
	case FIELD_LIMIT_CURRENT:
	case FIELD_LIMIT_REQUESTED:
		give_u32(field, gpu->limit_mw);
		break;
	case ES_NVML_FIELD_POLICY_POWER:
		give_u64(field, gpu->power_limited_ns);
		break;
	case ES_NVML_FIELD_POLICY_THERMAL:
		give_u64(field, gpu->heat_limited_ns);
		break;
	case ES_NVML_FIELD_MEMORY_TEMPERATURE:
		if (gpu->is_passive)
			give_u32(field, gpu->memory_temperature_mc / 1000);
		break;
	default:
		break;
	}
}

ES_LIB_EXPORT int nvmlDeviceGetFieldValues(struct es_nvml_device *device, int n,
					   struct es_nvml_field *fields);
ES_LIB_EXPORT int nvmlDeviceGetFieldValues(struct es_nvml_device *device, int n,
					   struct es_nvml_field *fields)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK && (n < 0 || !fields))
		r = ES_NVML_INVALID_ARGUMENT;
	for (int j = 0; r == ES_NVML_OK && j < n; j++)
		fill_field(&gpu, &fields[j]);
	return r;
}

/* Those of @text that are newer than @seen_us, as far as there is room; how many there are. */
static unsigned take_samples(const char *text, unsigned long long seen_us, struct sample *samples,
			     unsigned n_max)
{
	unsigned n = 0;

	while (*text) {
		unsigned long long t_us;
		uint64_t power_mw;
		char *end;

		t_us = strtoull(text, &end, 10);
		power_mw = strtoull(end, &end, 10);
		if (*end != '\n')
			break;
		text = end + 1;
		if (t_us <= seen_us)
			continue;
		if (samples && n < n_max)
			samples[n] = (struct sample){ .timestamp_us = t_us,
						      .value.ui = to_unsigned(power_mw) };
		n++;
	}
	return n;
}

ES_LIB_EXPORT int nvmlDeviceGetSamples(struct es_nvml_device *device, int type,
				       unsigned long long seen_us, int *value_type, unsigned *n,
				       struct sample *samples);
ES_LIB_EXPORT int nvmlDeviceGetSamples(struct es_nvml_device *device, int type,
				       unsigned long long seen_us, int *value_type, unsigned *n,
				       struct sample *samples)
{
	char text[SAMPLES_BYTES];
	struct es_lib_gpu gpu;
	unsigned i, n_taken;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK && type != SAMPLES_TOTAL_POWER)
		r = ES_NVML_NOT_SUPPORTED;
	if (r == ES_NVML_OK && es_lib_samples(i, text, sizeof(text)) < 0)
		r = ES_NVML_UNKNOWN;
	if (r != ES_NVML_OK)
		return r;
	*value_type = ES_NVML_UNSIGNED_INT;
	n_taken = take_samples(text, seen_us, samples, *n);
	if (n_taken == 0)
		return ES_NVML_NOT_FOUND;
	/* Without an array it is asked how large one is needed. */
	*n = samples && n_taken > *n ? *n : n_taken;
	return ES_NVML_OK;
}

ES_LIB_EXPORT int nvmlDeviceGetPowerManagementMode(struct es_nvml_device *device, int *mode);
ES_LIB_EXPORT int nvmlDeviceGetPowerManagementMode(struct es_nvml_device *device, int *mode)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK)
		*mode = 1;
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetPowerManagementLimit(struct es_nvml_device *device,
						    unsigned *limit_mw);
ES_LIB_EXPORT int nvmlDeviceGetPowerManagementLimit(struct es_nvml_device *device,
						    unsigned *limit_mw)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK)
		*limit_mw = to_unsigned(gpu.limit_mw);
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetEnforcedPowerLimit(struct es_nvml_device *device,
						  unsigned *limit_mw);
ES_LIB_EXPORT int nvmlDeviceGetEnforcedPowerLimit(struct es_nvml_device *device, unsigned *limit_mw)
{
	return nvmlDeviceGetPowerManagementLimit(device, limit_mw);
}

ES_LIB_EXPORT int nvmlDeviceGetPowerManagementDefaultLimit(struct es_nvml_device *device,
							   unsigned *limit_mw);
ES_LIB_EXPORT int nvmlDeviceGetPowerManagementDefaultLimit(struct es_nvml_device *device,
							   unsigned *limit_mw)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK)
		*limit_mw = to_unsigned(gpu.limit_default_mw);
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetPowerManagementLimitConstraints(struct es_nvml_device *device,
							       unsigned *min_mw, unsigned *max_mw);
ES_LIB_EXPORT int nvmlDeviceGetPowerManagementLimitConstraints(struct es_nvml_device *device,
							       unsigned *min_mw, unsigned *max_mw)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r != ES_NVML_OK)
		return r;
	*min_mw = to_unsigned(gpu.limit_min_mw);
	*max_mw = to_unsigned(gpu.limit_max_mw);
	return r;
}

ES_LIB_EXPORT int nvmlDeviceSetPowerManagementLimit(struct es_nvml_device *device,
						    unsigned limit_mw);
ES_LIB_EXPORT int nvmlDeviceSetPowerManagementLimit(struct es_nvml_device *device,
						    unsigned limit_mw)
{
	struct es_lib_gpu gpu;
	char line[64];
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	(void)snprintf(line, sizeof(line), "power_limit_mw %u\n", limit_mw);
	return r == ES_NVML_OK ? es_lib_nvml_error(es_lib_write(i, line)) : r;
}

ES_LIB_EXPORT int nvmlDeviceGetTemperature(struct es_nvml_device *device, int sensor,
					   unsigned *temp_c);
ES_LIB_EXPORT int nvmlDeviceGetTemperature(struct es_nvml_device *device, int sensor,
					   unsigned *temp_c)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK && sensor != ES_NVML_TEMPERATURE_GPU)
		r = ES_NVML_INVALID_ARGUMENT;
	if (r == ES_NVML_OK)
		*temp_c = to_unsigned(gpu.temperature_mc / 1000);
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetTemperatureThreshold(struct es_nvml_device *device, int threshold,
						    unsigned *temp_c);
ES_LIB_EXPORT int nvmlDeviceGetTemperatureThreshold(struct es_nvml_device *device, int threshold,
						    unsigned *temp_c)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK && threshold != THRESHOLD_SHUTDOWN && threshold != THRESHOLD_SLOWDOWN)
		r = ES_NVML_NOT_SUPPORTED;
	if (r == ES_NVML_OK)
		*temp_c = to_unsigned(gpu.hottest_mc / 1000) +
			  (threshold == THRESHOLD_SHUTDOWN ? SHUTDOWN_MARGIN_C : 0);
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetFanSpeed(struct es_nvml_device *device, unsigned *percent);
ES_LIB_EXPORT int nvmlDeviceGetFanSpeed(struct es_nvml_device *device, unsigned *percent)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	/* Cooled by the fans of the node, if any. */
	if (r == ES_NVML_OK && gpu.is_passive)
		r = ES_NVML_NOT_SUPPORTED;
	if (r == ES_NVML_OK)
		*percent = to_unsigned(gpu.fan_percent);
	return r;
}

ES_LIB_EXPORT int nvmlDeviceGetViolationStatus(struct es_nvml_device *device, int policy,
					       struct violation *ret);
ES_LIB_EXPORT int nvmlDeviceGetViolationStatus(struct es_nvml_device *device, int policy,
					       struct violation *ret)
{
	struct es_lib_gpu gpu;
	unsigned i;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK && policy != POLICY_POWER && policy != POLICY_THERMAL)
		r = ES_NVML_NOT_SUPPORTED;
	if (r == ES_NVML_OK)
		*ret = (struct violation){ .reference_us = gpu.wall_us,
					   .violation_ns = policy == POLICY_POWER
								   ? gpu.power_limited_ns
								   : gpu.heat_limited_ns };
	return r;
}
