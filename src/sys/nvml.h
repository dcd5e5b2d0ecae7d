/*
 * sys/nvml.h - NVIDIA's management library, opened when used
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_NVML_H
#define ES_SYS_NVML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/dl.h"
#include "base/error.h"
#include "sys/root.h"

/*
 * What we use of nvml.h (API version 12 and 13, https://docs.nvidia.com/deploy/nvml-api), with names of our own: numbers,
 * layouts and the functions' names are the library's.
 */
enum es_nvml_return {
	ES_NVML_OK = 0,
	ES_NVML_UNINITIALIZED = 1,
	ES_NVML_INVALID_ARGUMENT = 2,
	ES_NVML_NOT_SUPPORTED = 3,
	ES_NVML_NO_PERMISSION = 4,
	ES_NVML_NOT_FOUND = 6,
	ES_NVML_SIZE_TOO_SMALL = 7, /* NVML_ERROR_INSUFFICIENT_SIZE */
	ES_NVML_DRIVER_NOT_LOADED = 9,
	ES_NVML_TIMEOUT = 10,
	ES_NVML_LIBRARY_NOT_FOUND = 12,
	ES_NVML_GPU_IS_LOST = 15,
	ES_NVML_RESET_REQUIRED = 16,
	ES_NVML_LIB_RM_VERSION_MISMATCH = 18,
	ES_NVML_IN_USE = 19,
	ES_NVML_MEMORY = 20,
	ES_NVML_NO_DATA = 21,
	ES_NVML_GPU_NOT_FOUND = 28,
	ES_NVML_UNKNOWN = 999,
};

/* nvmlDeviceArchitecture_t */
#define ES_NVML_ARCH_KEPLER 2U
#define ES_NVML_ARCH_PASCAL 4U
#define ES_NVML_ARCH_VOLTA 5U
#define ES_NVML_ARCH_AMPERE 7U

/* nvmlFieldValue_t.fieldId, and .scopeId of powers */
#define ES_NVML_FIELD_TOTAL_ENERGY 83U /* mJ since the driver was loaded */
#define ES_NVML_FIELD_POWER_INSTANT 186U /* mW */
#define ES_NVML_FIELD_POLICY_POWER 74U /* ns for which power held clocks down */
#define ES_NVML_FIELD_POLICY_THERMAL 75U /* and heat */
#define ES_NVML_FIELD_MEMORY_TEMPERATURE 82U /* degrees Celsius */
#define ES_NVML_SCOPE_GPU 0U
#define ES_NVML_SCOPE_MODULE 1U

#define ES_NVML_CLOCK_SM 1 /* nvmlClockType_t */
#define ES_NVML_CLOCK_MEMORY 2
#define ES_NVML_TEMPERATURE_GPU 0 /* nvmlTemperatureSensors_t */

/* nvmlClocksEventReason…: why clocks are not higher */
#define ES_NVML_REASON_IDLE 0x1U
#define ES_NVML_REASON_FIXED_CLOCKS 0x2U
#define ES_NVML_REASON_POWER_CAP 0x4U
#define ES_NVML_REASON_HARDWARE 0x8U
#define ES_NVML_REASON_SYNC_BOOST 0x10U
#define ES_NVML_REASON_HEAT 0x20U
#define ES_NVML_REASON_HARDWARE_HEAT 0x40U
#define ES_NVML_REASON_POWER_BRAKE 0x80U
#define ES_NVML_REASON_DISPLAY 0x100U

/* nvmlGpmMetricId_t: percent of the time between two samples */
#define ES_NVML_GPM_SM 2U
#define ES_NVML_GPM_TENSOR 5U
#define ES_NVML_GPM_DRAM 10U
#define ES_NVML_GPM_VERSION 1U /* of both structs below */
#define ES_NVML_GPM_METRICS_MAX \
	512U /* more than any library has: it looks at those that are asked for */

#define ES_NVML_TEXT_BYTES \
	96U /* room for any name or UUID: NVML_DEVICE_NAME_V2_BUFFER_SIZE, NVML_DEVICE_UUID_V2_BUFFER_SIZE */

enum es_nvml_value_type {
	ES_NVML_DOUBLE,
	ES_NVML_UNSIGNED_INT,
	ES_NVML_UNSIGNED_LONG,
	ES_NVML_UNSIGNED_LONG_LONG,
	ES_NVML_SIGNED_LONG_LONG,
	ES_NVML_SIGNED_INT,
};

union es_nvml_value {
	double d;
	int si;
	unsigned ui;
	unsigned long ul;
	unsigned long long ull;
	long long sll;
};

/** struct es_nvml_field - nvmlFieldValue_t */
struct es_nvml_field {
	unsigned field, scope;
	long long timestamp_us; /* wall clock */
	long long latency_us;
	int type; /* enum es_nvml_value_type */
	int error; /* enum es_nvml_return, of this field */
	union es_nvml_value value;
};

/** struct es_nvml_pci - nvmlPciInfo_t as of nvmlDeviceGetPciInfo_v3 */
struct es_nvml_pci {
	char legacy[16];
	unsigned domain, bus, device;
	unsigned device_id; /* device and vendor */
	unsigned subsystem_id;
	char bus_id[32]; /* 00000000:17:00.0 */
};

/** struct es_nvml_utilization - nvmlUtilization_t: percent of the last sample's time */
struct es_nvml_utilization {
	unsigned gpu, memory;
};

/** struct es_nvml_attributes - nvmlDeviceAttributes_t of an instance of MIG */
struct es_nvml_attributes {
	unsigned multiprocessors, copy_engines, decoders, encoders, jpegs, ofas;
	unsigned gpu_slices, compute_slices;
	unsigned long long memory_mb;
};

#define ES_NVML_NO_INSTANCE UINT32_MAX

/** struct es_nvml_process - nvmlProcessInfo_v2_t: a process with a compute context */
struct es_nvml_process {
	unsigned pid;
	unsigned long long memory_bytes;
	unsigned gpu_instance,
		compute_instance; /* ES_NVML_NO_INSTANCE: of the whole GPU, or not told */
};

/** struct es_nvml_old_process - nvmlProcessInfo_v1_t */
struct es_nvml_old_process {
	unsigned pid;
	unsigned long long memory_bytes;
};

/** struct es_nvml_process_use - nvmlProcessUtilizationSample_t: percent of the time since the sample asked for */
struct es_nvml_process_use {
	unsigned pid;
	unsigned long long timestamp_us; /* wall clock */
	unsigned sm, memory, encoder, decoder;
};

struct es_nvml_gpm_sample; /* nvmlGpmSample_t points to it */

/** struct es_nvml_gpm_support - nvmlGpmSupport_t */
struct es_nvml_gpm_support {
	unsigned version, is_supported;
};

/** struct es_nvml_gpm_metric - nvmlGpmMetric_t */
struct es_nvml_gpm_metric {
	unsigned id;
	int error; /* enum es_nvml_return */
	double value;
	const char *names[3];
};

/** struct es_nvml_gpm_metrics - nvmlGpmMetricsGet_t */
struct es_nvml_gpm_metrics {
	unsigned version, n;
	struct es_nvml_gpm_sample *from, *to;
	struct es_nvml_gpm_metric metrics[ES_NVML_GPM_METRICS_MAX];
};

struct es_nvml_device; /* nvmlDevice_t points to it */

/** struct es_nvml - the library's functions; those that an old one may lack are NULL there */
struct es_nvml {
	struct es_dl dl;
	int (*init)(void);
	int (*shut_down)(void);
	int (*count)(unsigned *n);
	int (*by_index)(unsigned i, struct es_nvml_device **device);
	int (*driver_version)(char *version, unsigned size);
	int (*name)(struct es_nvml_device *device, char *name, unsigned size);
	int (*uuid)(struct es_nvml_device *device, char *uuid, unsigned size);
	int (*pci)(struct es_nvml_device *device, struct es_nvml_pci *pci);
	int (*architecture)(struct es_nvml_device *device, unsigned *architecture);
	int (*energy)(struct es_nvml_device *device, unsigned long long *energy_mj);
	int (*power)(struct es_nvml_device *device, unsigned *power_mw);
	int (*fields)(struct es_nvml_device *device, int n, struct es_nvml_field *fields);
	int (*enforced_limit)(struct es_nvml_device *device, unsigned *limit_mw);
	int (*mig_mode)(struct es_nvml_device *device, unsigned *now, unsigned *pending);
	int (*mig_most)(struct es_nvml_device *device, unsigned *n);
	int (*gpu_instance)(struct es_nvml_device *mig, unsigned *id);
	int (*compute_instance)(struct es_nvml_device *mig, unsigned *id);
	int (*attributes)(struct es_nvml_device *mig, struct es_nvml_attributes *attributes);
	int (*clock)(struct es_nvml_device *device, int type, unsigned *clock_mhz);
	int (*utilization)(struct es_nvml_device *device, struct es_nvml_utilization *utilization);
	int (*temperature)(struct es_nvml_device *device, int sensor, unsigned *temp_c);
	int (*reasons)(struct es_nvml_device *device, unsigned long long *reasons);
	int (*old_reasons)(struct es_nvml_device *device, unsigned long long *reasons);
	int (*gpm_support)(struct es_nvml_device *device, struct es_nvml_gpm_support *support);
	int (*gpm_alloc)(struct es_nvml_gpm_sample **sample);
	int (*gpm_free)(struct es_nvml_gpm_sample *sample);
	int (*gpm_sample)(struct es_nvml_device *device, struct es_nvml_gpm_sample *sample);
	int (*gpm_metrics)(struct es_nvml_gpm_metrics *metrics);
	/*
	 * Not the third version: of drivers 535.43 to 535.86 its struct is longer than that of nvml.h says.
	 */
	int (*processes)(struct es_nvml_device *device, unsigned *n,
			 struct es_nvml_process *processes);
	int (*old_processes)(struct es_nvml_device *device, unsigned *n,
			     struct es_nvml_old_process *processes);
	int (*process_use)(struct es_nvml_device *device, struct es_nvml_process_use *uses,
			   unsigned *n, unsigned long long since_us);
	int (*mig_by_index)(struct es_nvml_device *device, unsigned i, struct es_nvml_device **mig);
};

/**
 * es_nvml_open - find the library, without starting it
 *
 * On this machine it is where the loader finds it. In a tree it is a file in one of the usual folders below the root,
 * which is code that is then run: it must belong to root or to this user, and nobody else may be able to write it.
 * Returns 0; -ENOENT: there is none; -ENOSYS: one too old; -EPERM: a tree's that is not to be trusted.
 */
int es_nvml_open(const struct es_root *root, struct es_nvml *ret, struct es_error *err);
void es_nvml_close(struct es_nvml *nvml);

/** es_nvml_error - a return of the library as negative errno, 0 for success */
int es_nvml_error(int nvml_return);
/** es_nvml_words - a return of the library in words */
const char *es_nvml_words(int nvml_return);

/** es_nvml_field_u64 - the value of a field that is there; 0, -ERANGE where it is negative or no number, or the field's error */
int es_nvml_field_u64(const struct es_nvml_field *field, uint64_t *ret);

/** es_nvml_may_be_here - whether anything tells of a GPU of NVIDIA, so that its library is worth opening */
bool es_nvml_may_be_here(const struct es_root *root);

#endif
