/*
 * nvml_stub.c - a libnvidia-ml.so.1 for tests: shows the GPUs of the table beside it, as far as their state moves
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Names, numbers and layouts as in nvml.h (sys/nvml.h has those that we use). Built a second time as an old library,
 * without what came with drivers after 2018.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/nvml_table.h"
#include "sys/nvml.h"

#define EXPORT __attribute__((visibility("default")))
#define MIG_HANDLE 0x800U
#define FUNCTION_NOT_FOUND 13

static struct nvml_table table;
static struct nvml_state *state;
static unsigned n_users;
static int device_fd =
	-1; /* as the real one holds /dev/nvidiactl, a file beside it where there is one */
static const char anchor[] =
	"in this file"; /* its address tells where the library was mapped from */

/* The file that this code was mapped from, whatever name it was opened by. */
static int find_folder(char *ret, size_t size)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long me = (unsigned long)(uintptr_t)anchor, from, to;
	char line[4400];
	int r = -1;

	while (maps && r < 0 && fgets(line, sizeof(line), maps)) {
		char *path = strchr(line, '/'), *slash;

		if (sscanf(line, "%lx-%lx", &from, &to) != 2 || !path || me < from || me >= to)
			continue;
		slash = strrchr(path, '/');
		*slash = '\0';
		r = snprintf(ret, size, "%s", path) < (int)size ? 0 : -1;
	}
	if (maps)
		(void)fclose(maps);
	return r;
}

static void pause_us(unsigned us)
{
	struct timespec left = { .tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000 };

	while (us && nanosleep(&left, &left) < 0)
		;
}

static bool lacks(const char *function)
{
	for (unsigned i = 0; i < table.n_without; i++)
		if (strcmp(table.without[i], function) == 0)
			return true;
	return false;
}

static void open_device(void)
{
	char folder[4096], path[4200];

	if (device_fd >= 0 || find_folder(folder, sizeof(folder)) < 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/" NVML_DEVICE, folder);
	device_fd = open(path, O_RDWR | O_CLOEXEC);
}

EXPORT int nvmlInit_v2(void);
EXPORT int nvmlInit_v2(void)
{
	char folder[4096], path[4200];
	int r;

	if (!state) {
		if (find_folder(folder, sizeof(folder)) < 0)
			return ES_NVML_UNKNOWN;
		(void)snprintf(path, sizeof(path), "%s/" NVML_TABLE, folder);
		if (nvml_table_read(path, &table) < 0)
			return ES_NVML_UNKNOWN;
		state = nvml_state_map(folder, &table);
		if (!state)
			return ES_NVML_UNKNOWN;
	}
	(void)atomic_fetch_add(&state->n_inits, 1);
	open_device();
	pause_us(table.init_ms * 1000);
	r = atomic_load(&state->init_return);
	n_users += r == ES_NVML_OK;
	return r;
}

EXPORT int nvmlShutdown(void);
EXPORT int nvmlShutdown(void)
{
	if (n_users == 0)
		return ES_NVML_UNINITIALIZED;
	n_users--;
	if (n_users > 0)
		return ES_NVML_OK;
	if (device_fd >= 0)
		(void)close(device_fd);
	device_fd = -1;
	nvml_state_unmap(state);
	state = NULL;
	return ES_NVML_OK;
}

EXPORT int nvmlDeviceGetCount_v2(unsigned *n);
EXPORT int nvmlDeviceGetCount_v2(unsigned *n)
{
	if (n_users == 0)
		return ES_NVML_UNINITIALIZED;
	*n = table.n;
	return ES_NVML_OK;
}

static struct es_nvml_device *handle(unsigned i)
{
	/* Never looked behind: a number that tells GPU and epoch. */
	return (struct es_nvml_device *)(uintptr_t)((atomic_load(&state->epoch) + 1U) << 12 |
						    (i + 1));
}

/* Which GPU a handle is of, or why it is of none. */
static int find(const struct es_nvml_device *device, unsigned *ret)
{
	unsigned long number = (unsigned long)(uintptr_t)device;
	unsigned i = (unsigned)(number & 0x7ff) - 1;
	int error;

	if (n_users == 0)
		return ES_NVML_UNINITIALIZED;
	if (number >> 12 != atomic_load(&state->epoch) + 1U)
		return ES_NVML_GPU_IS_LOST;
	if (i >= table.n)
		return ES_NVML_INVALID_ARGUMENT;
	error = atomic_load(&state->gpus[i].error);
	*ret = i;
	return error;
}

EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned i, struct es_nvml_device **device);
EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned i, struct es_nvml_device **device)
{
	int error;

	if (n_users == 0)
		return ES_NVML_UNINITIALIZED;
	if (i >= table.n)
		return ES_NVML_INVALID_ARGUMENT;
	error = atomic_load(&state->gpus[i].error);
	if (error == ES_NVML_OK)
		error = table.gpus[i].open_return;
	if (error == ES_NVML_OK)
		*device = handle(i);
	return error;
}

static int give_text(const char *text, char *ret, unsigned size)
{
	if (strlen(text) >= size)
		return 7; /* NVML_ERROR_INSUFFICIENT_SIZE */
	memcpy(ret, text, strlen(text) + 1);
	return ES_NVML_OK;
}

EXPORT int nvmlSystemGetDriverVersion(char *version, unsigned size);
EXPORT int nvmlSystemGetDriverVersion(char *version, unsigned size)
{
	return give_text(table.driver, version, size);
}

EXPORT int nvmlDeviceGetName(struct es_nvml_device *device, char *name, unsigned size);
EXPORT int nvmlDeviceGetName(struct es_nvml_device *device, char *name, unsigned size)
{
	unsigned long number = (unsigned long)(uintptr_t)device & 0xfff;
	char text[128];
	unsigned i;
	int r;

	if (number & MIG_HANDLE) {
		const struct nvml_gpu *gpu = &table.gpus[(number & 0x7ff) / 8];

		(void)snprintf(text, sizeof(text), "%s MIG %s", gpu->name, gpu->migs[number % 8]);
		return give_text(text, name, size);
	}
	r = find(device, &i);
	return r == ES_NVML_OK ? give_text(table.gpus[i].name, name, size) : r;
}

EXPORT int nvmlDeviceGetUUID(struct es_nvml_device *device, char *uuid, unsigned size);
EXPORT int nvmlDeviceGetUUID(struct es_nvml_device *device, char *uuid, unsigned size)
{
	unsigned long number = (unsigned long)(uintptr_t)device & 0xfff;
	char text[64];
	unsigned i;
	int r;

	if (number & MIG_HANDLE) {
		(void)snprintf(text, sizeof(text), "MIG-00000000-0000-0000-0000-0000000000%lu%lu",
			       (number & 0x7ff) / 8, number % 8);
		return give_text(text, uuid, size);
	}
	r = find(device, &i);

	return r == ES_NVML_OK ? give_text(table.gpus[i].uuid, uuid, size) : r;
}

EXPORT int nvmlDeviceGetPowerUsage(struct es_nvml_device *device, unsigned *power_mw);
EXPORT int nvmlDeviceGetPowerUsage(struct es_nvml_device *device, unsigned *power_mw)
{
	unsigned i;
	int r = find(device, &i);

	if (r == ES_NVML_OK && (!table.gpus[i].has_usage || lacks("nvmlDeviceGetPowerUsage")))
		r = ES_NVML_NOT_SUPPORTED;
	if (r != ES_NVML_OK)
		return r;
	(void)atomic_fetch_add(&state->n_reads, 1);
	pause_us(atomic_load(&state->gpus[i].delay_us));
	*power_mw = atomic_load(&state->gpus[i].power_mw);
	return ES_NVML_OK;
}

#ifndef ES_NVML_STUB_OLD

EXPORT int nvmlDeviceGetPciInfo_v3(struct es_nvml_device *device, struct es_nvml_pci *pci);
EXPORT int nvmlDeviceGetPciInfo_v3(struct es_nvml_device *device, struct es_nvml_pci *pci)
{
	unsigned i, function;
	int r = find(device, &i);

	if (r != ES_NVML_OK)
		return r;
	memset(pci, 0, sizeof(*pci));
	if (sscanf(table.gpus[i].bus, "%x:%x:%x.%x", &pci->domain, &pci->bus, &pci->device,
		   &function) != 4)
		return ES_NVML_UNKNOWN;
	pci->device_id = table.gpus[i].device_id << 16 | 0x10de;
	(void)snprintf(pci->bus_id, sizeof(pci->bus_id), "0000%.16s", table.gpus[i].bus);
	return ES_NVML_OK;
}

EXPORT int nvmlDeviceGetArchitecture(struct es_nvml_device *device, unsigned *architecture);
EXPORT int nvmlDeviceGetArchitecture(struct es_nvml_device *device, unsigned *architecture)
{
	unsigned i;
	int r = find(device, &i);

	if (r == ES_NVML_OK)
		*architecture = table.gpus[i].arch;
	return r;
}

EXPORT int nvmlDeviceGetTotalEnergyConsumption(struct es_nvml_device *device,
					       unsigned long long *energy_mj);
EXPORT int nvmlDeviceGetTotalEnergyConsumption(struct es_nvml_device *device,
					       unsigned long long *energy_mj)
{
	unsigned i;
	int r = find(device, &i);

	if (r == ES_NVML_OK && !table.gpus[i].has_call)
		r = ES_NVML_NOT_SUPPORTED;
	if (r != ES_NVML_OK)
		return r;
	(void)atomic_fetch_add(&state->n_reads, 1);
	pause_us(atomic_load(&state->gpus[i].delay_us));
	*energy_mj = atomic_load(&state->gpus[i].energy_mj);
	return ES_NVML_OK;
}

static void give_u64(struct es_nvml_field *field, uint64_t value)
{
	field->type = ES_NVML_UNSIGNED_LONG_LONG;
	field->value.ull = value;
	field->error = ES_NVML_OK;
}

static void fill_field(const struct nvml_gpu *gpu, const struct nvml_moving *moving,
		       const struct nvml_telling *told, struct es_nvml_field *field)
{
	bool is_module = field->scope == ES_NVML_SCOPE_MODULE;

	field->error = ES_NVML_NOT_SUPPORTED;
	if (field->field == ES_NVML_FIELD_TOTAL_ENERGY && gpu->has_field) {
		give_u64(field, atomic_load(&moving->energy_mj));
	} else if (field->field == ES_NVML_FIELD_POWER_INSTANT && gpu->has_instant &&
		   (!is_module || gpu->has_module)) {
		field->type = ES_NVML_UNSIGNED_INT;
		field->value.ui = atomic_load(is_module ? &moving->module_mw : &moving->power_mw);
		field->error = ES_NVML_OK;
	} else if (field->field == ES_NVML_FIELD_POLICY_POWER && gpu->has_policies) {
		give_u64(field, atomic_load(&told->power_limited_ns));
	} else if (field->field == ES_NVML_FIELD_POLICY_THERMAL && gpu->has_policies) {
		give_u64(field, atomic_load(&told->heat_limited_ns));
	} else if (field->field == ES_NVML_FIELD_MEMORY_TEMPERATURE &&
		   atomic_load(&told->memory_temp_c) != NVML_NOT_TOLD) {
		give_u64(field, atomic_load(&told->memory_temp_c));
	}
}

EXPORT int nvmlDeviceGetFieldValues(struct es_nvml_device *device, int n,
				    struct es_nvml_field *fields);
EXPORT int nvmlDeviceGetFieldValues(struct es_nvml_device *device, int n,
				    struct es_nvml_field *fields)
{
	unsigned i;
	int r = find(device, &i);

	if (r == ES_NVML_OK && lacks("nvmlDeviceGetFieldValues"))
		r = FUNCTION_NOT_FOUND;
	if (r != ES_NVML_OK)
		return r;
	/* What is asked beside energy is no reading of the meter. */
	if (n > 0 && fields[0].field != ES_NVML_FIELD_POLICY_POWER) {
		(void)atomic_fetch_add(&state->n_reads, 1);
		pause_us(atomic_load(&state->gpus[i].delay_us));
	}
	for (int j = 0; j < n; j++)
		fill_field(&table.gpus[i], &state->gpus[i], &state->told[i], &fields[j]);
	return ES_NVML_OK;
}

EXPORT int nvmlDeviceGetEnforcedPowerLimit(struct es_nvml_device *device, unsigned *limit_mw);
EXPORT int nvmlDeviceGetEnforcedPowerLimit(struct es_nvml_device *device, unsigned *limit_mw)
{
	unsigned i;
	int r = find(device, &i);

	if (r == ES_NVML_OK && table.gpus[i].limit_w == 0)
		r = ES_NVML_NOT_SUPPORTED;
	if (r == ES_NVML_OK)
		*limit_mw = atomic_load(&state->told[i].limit_mw);
	return r;
}

EXPORT int nvmlDeviceGetMigMode(struct es_nvml_device *device, unsigned *now, unsigned *pending);
EXPORT int nvmlDeviceGetMigMode(struct es_nvml_device *device, unsigned *now, unsigned *pending)
{
	unsigned i;
	int r = find(device, &i);

	if (r == ES_NVML_OK)
		*now = *pending = table.gpus[i].is_mig;
	return r;
}

EXPORT int nvmlDeviceGetMaxMigDeviceCount(struct es_nvml_device *device, unsigned *n);
EXPORT int nvmlDeviceGetMaxMigDeviceCount(struct es_nvml_device *device, unsigned *n)
{
	unsigned i;
	int r = find(device, &i);

	if (r == ES_NVML_OK)
		*n = NVML_MIGS_MAX;
	return r;
}

EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(struct es_nvml_device *device, unsigned index,
					       struct es_nvml_device **mig);
EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(struct es_nvml_device *device, unsigned index,
					       struct es_nvml_device **mig)
{
	unsigned i;
	int r = find(device, &i);

	if (r == ES_NVML_OK && index >= table.gpus[i].n_migs)
		r = ES_NVML_NOT_FOUND;
	if (r == ES_NVML_OK)
		*mig = (struct es_nvml_device *)(uintptr_t)(MIG_HANDLE | (i * 8 + index));
	return r;
}

/* What moves, or that this GPU does not tell it. */
static int tell(const struct es_nvml_device *device, size_t offset, unsigned *ret)
{
	unsigned i, value;
	int r = find(device, &i);

	if (r != ES_NVML_OK)
		return r;
	value = atomic_load((_Atomic uint32_t *)((char *)&state->told[i] + offset));
	if (value == NVML_NOT_TOLD)
		return ES_NVML_NOT_SUPPORTED;
	*ret = value;
	return ES_NVML_OK;
}

EXPORT int nvmlDeviceGetClockInfo(struct es_nvml_device *device, int type, unsigned *clock_mhz);
EXPORT int nvmlDeviceGetClockInfo(struct es_nvml_device *device, int type, unsigned *clock_mhz)
{
	return tell(device,
		    type == ES_NVML_CLOCK_MEMORY ? offsetof(struct nvml_telling, memory_mhz)
						 : offsetof(struct nvml_telling, sm_mhz),
		    clock_mhz);
}

EXPORT int nvmlDeviceGetUtilizationRates(struct es_nvml_device *device,
					 struct es_nvml_utilization *utilization);
EXPORT int nvmlDeviceGetUtilizationRates(struct es_nvml_device *device,
					 struct es_nvml_utilization *utilization)
{
	int r = tell(device, offsetof(struct nvml_telling, busy), &utilization->gpu);

	return r == ES_NVML_OK ? tell(device, offsetof(struct nvml_telling, memory_busy),
				      &utilization->memory)
			       : r;
}

EXPORT int nvmlDeviceGetTemperature(struct es_nvml_device *device, int sensor, unsigned *temp_c);
EXPORT int nvmlDeviceGetTemperature(struct es_nvml_device *device, int sensor, unsigned *temp_c)
{
	return sensor == ES_NVML_TEMPERATURE_GPU
		       ? tell(device, offsetof(struct nvml_telling, temp_c), temp_c)
		       : ES_NVML_INVALID_ARGUMENT;
}

EXPORT int nvmlDeviceGetCurrentClocksEventReasons(struct es_nvml_device *device,
						  unsigned long long *reasons);
EXPORT int nvmlDeviceGetCurrentClocksEventReasons(struct es_nvml_device *device,
						  unsigned long long *reasons)
{
	unsigned given;
	int r = tell(device, offsetof(struct nvml_telling, reasons), &given);

	if (r == ES_NVML_OK)
		*reasons = given;
	return r;
}

EXPORT int nvmlDeviceGetGpuInstanceId(struct es_nvml_device *mig, unsigned *id);
EXPORT int nvmlDeviceGetGpuInstanceId(struct es_nvml_device *mig, unsigned *id)
{
	unsigned long number = (unsigned long)(uintptr_t)mig & 0xfff;

	if (!(number & MIG_HANDLE))
		return ES_NVML_INVALID_ARGUMENT;
	*id = (unsigned)(7 + number % 8);
	return ES_NVML_OK;
}

EXPORT int nvmlDeviceGetComputeInstanceId(struct es_nvml_device *mig, unsigned *id);
EXPORT int nvmlDeviceGetComputeInstanceId(struct es_nvml_device *mig, unsigned *id)
{
	*id = 0;
	return (unsigned long)(uintptr_t)mig & MIG_HANDLE ? ES_NVML_OK : ES_NVML_INVALID_ARGUMENT;
}

EXPORT int nvmlDeviceGetAttributes_v2(struct es_nvml_device *mig,
				      struct es_nvml_attributes *attributes);
EXPORT int nvmlDeviceGetAttributes_v2(struct es_nvml_device *mig,
				      struct es_nvml_attributes *attributes)
{
	unsigned long number = (unsigned long)(uintptr_t)mig & 0xfff;
	unsigned slices;

	if (!(number & MIG_HANDLE))
		return ES_NVML_NOT_SUPPORTED;
	slices = table.gpus[(number & 0x7ff) / 8].slices[number % 8];
	*attributes = (struct es_nvml_attributes){ .multiprocessors = 14 * slices,
						   .gpu_slices = slices,
						   .compute_slices = slices,
						   .memory_mb = 4864 * slices };
	return ES_NVML_OK;
}

/* A sample knows its GPU, so that one that is never given back is missed. */
struct es_nvml_gpm_sample {
	unsigned gpu;
};

EXPORT int nvmlGpmQueryDeviceSupport(struct es_nvml_device *device,
				     struct es_nvml_gpm_support *support);
EXPORT int nvmlGpmQueryDeviceSupport(struct es_nvml_device *device,
				     struct es_nvml_gpm_support *support)
{
	unsigned i;
	int r = find(device, &i);

	if (r == ES_NVML_OK && support->version != ES_NVML_GPM_VERSION)
		r = 25; /* NVML_ERROR_ARGUMENT_VERSION_MISMATCH */
	if (r == ES_NVML_OK)
		support->is_supported = table.gpus[i].has_gpm;
	return r;
}

EXPORT int nvmlGpmSampleAlloc(struct es_nvml_gpm_sample **sample);
EXPORT int nvmlGpmSampleAlloc(struct es_nvml_gpm_sample **sample)
{
	*sample = calloc(1, sizeof(**sample));
	if (*sample)
		(void)atomic_fetch_add(&state->told[0].n_samples, 1);
	return *sample ? ES_NVML_OK : ES_NVML_MEMORY;
}

EXPORT int nvmlGpmSampleFree(struct es_nvml_gpm_sample *sample);
EXPORT int nvmlGpmSampleFree(struct es_nvml_gpm_sample *sample)
{
	(void)atomic_fetch_sub(&state->told[0].n_samples, 1);
	free(sample);
	return ES_NVML_OK;
}

EXPORT int nvmlGpmSampleGet(struct es_nvml_device *device, struct es_nvml_gpm_sample *sample);
EXPORT int nvmlGpmSampleGet(struct es_nvml_device *device, struct es_nvml_gpm_sample *sample)
{
	unsigned i;
	int r = find(device, &i);

	if (r == ES_NVML_OK && atomic_load(&state->told[i].is_profiled))
		r = ES_NVML_IN_USE;
	if (r == ES_NVML_OK)
		sample->gpu = i;
	return r;
}

EXPORT int nvmlGpmMetricsGet(struct es_nvml_gpm_metrics *metrics);
EXPORT int nvmlGpmMetricsGet(struct es_nvml_gpm_metrics *metrics)
{
	const struct nvml_telling *told = &state->told[metrics->to->gpu];

	if (metrics->version != ES_NVML_GPM_VERSION || metrics->from->gpu != metrics->to->gpu)
		return ES_NVML_INVALID_ARGUMENT;
	for (unsigned i = 0; i < metrics->n; i++) {
		struct es_nvml_gpm_metric *metric = &metrics->metrics[i];

		metric->error = ES_NVML_OK;
		if (metric->id == ES_NVML_GPM_SM)
			metric->value = atomic_load(&told->sm_percent);
		else if (metric->id == ES_NVML_GPM_TENSOR)
			metric->value = atomic_load(&told->tensor_percent);
		else if (metric->id == ES_NVML_GPM_DRAM)
			metric->value = atomic_load(&told->dram_percent);
		else
			metric->error = ES_NVML_NOT_SUPPORTED;
	}
	return ES_NVML_OK;
}

#endif

/* Those of a GPU, or of an instance of it. */
static int give_processes(const struct es_nvml_device *device, unsigned *n,
			  struct es_nvml_process *ret)
{
	unsigned long number = (unsigned long)(uintptr_t)device & 0xfff;
	bool is_mig = number & MIG_HANDLE;
	unsigned i = (unsigned)(number & 0x7ff) / 8, room = *n;
	const struct nvml_telling *told;
	int r = is_mig ? ES_NVML_OK : find(device, &i);

	if (r != ES_NVML_OK)
		return r;
	told = &state->told[i];
	if (!is_mig && atomic_load(&told->hides_whole))
		return ES_NVML_NO_PERMISSION;
	*n = 0;
	for (unsigned k = 0; k < atomic_load(&told->n_processes) && k < NVML_PROCESSES_MAX; k++) {
		unsigned instance = atomic_load(&told->instances[k]);

		if (is_mig && instance != 7 + number % 8)
			continue;
		if (*n >= room)
			return ES_NVML_SIZE_TOO_SMALL;
		ret[(*n)++] = (struct es_nvml_process){
			.pid = atomic_load(&told->pids[k]),
			.gpu_instance = is_mig ? ES_NVML_NO_INSTANCE : instance,
			.compute_instance = is_mig ? ES_NVML_NO_INSTANCE : 0,
		};
	}
	return ES_NVML_OK;
}

#ifndef ES_NVML_STUB_OLD
EXPORT int nvmlDeviceGetComputeRunningProcesses_v2(struct es_nvml_device *device, unsigned *n,
						   struct es_nvml_process *processes);
EXPORT int nvmlDeviceGetComputeRunningProcesses_v2(struct es_nvml_device *device, unsigned *n,
						   struct es_nvml_process *processes)
{
	return give_processes(device, n, processes);
}
#endif

EXPORT int nvmlDeviceGetComputeRunningProcesses(struct es_nvml_device *device, unsigned *n,
						struct es_nvml_old_process *processes);
EXPORT int nvmlDeviceGetComputeRunningProcesses(struct es_nvml_device *device, unsigned *n,
						struct es_nvml_old_process *processes)
{
	struct es_nvml_process own[NVML_PROCESSES_MAX];
	unsigned n_own = NVML_PROCESSES_MAX;
	int r = give_processes(device, &n_own, own);

	for (unsigned k = 0; r == ES_NVML_OK && k < n_own; k++)
		processes[k] = (struct es_nvml_old_process){ .pid = own[k].pid };
	if (r == ES_NVML_OK)
		*n = n_own;
	return r;
}

EXPORT int nvmlDeviceGetProcessUtilization(struct es_nvml_device *device,
					   struct es_nvml_process_use *uses, unsigned *n,
					   unsigned long long since_us);
EXPORT int nvmlDeviceGetProcessUtilization(struct es_nvml_device *device,
					   struct es_nvml_process_use *uses, unsigned *n,
					   unsigned long long since_us)
{
	const struct nvml_telling *told;
	unsigned i, room = *n;
	int r = find(device, &i);

	if (r != ES_NVML_OK)
		return r;
	told = &state->told[i];
	if (table.gpus[i].is_mig)
		return ES_NVML_NOT_SUPPORTED;
	*n = 0;
	if (atomic_load(&told->use_us) <= since_us)
		return ES_NVML_NOT_FOUND;
	for (unsigned k = 0; k < atomic_load(&told->n_processes) && *n < room; k++)
		uses[(*n)++] = (struct es_nvml_process_use){
			.pid = atomic_load(&told->pids[k]),
			.timestamp_us = atomic_load(&told->use_us),
			.sm = atomic_load(&told->use[k]),
		};
	return ES_NVML_OK;
}
