/*
 * rocm_stub.c - a librocm_smi64.so for tests: shows the GPUs of the table beside it, as far as their state moves
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Names and numbers as in rocm_smi.h (sys/rocmsmi.h has those that we use).
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/gpulib_table.h"
#include "sys/rocmsmi.h"

#define EXPORT __attribute__((visibility("default")))

static struct gpulib_table table;
static struct gpulib_state *state;
static unsigned n_users;
static struct {
	uint64_t steps, time_ns;
} kept[GPULIB_GPUS_MAX]; /* of GPUs whose metrics are cached */

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

EXPORT uint32_t rsmi_init(uint64_t flags);
EXPORT uint32_t rsmi_init(uint64_t flags)
{
	uint32_t status;

	if (flags != 0 || gpulib_stub_start(&table, &state) < 0)
		return ES_ROCMSMI_INVALID;
	status = atomic_load(&state->init_status);
	n_users += status == ES_ROCMSMI_OK;
	for (unsigned i = 0; i < table.n; i++) {
		kept[i].steps = atomic_load(&state->gpus[i].energy[0]);
		kept[i].time_ns = now_ns();
	}
	return status;
}

EXPORT uint32_t rsmi_shut_down(void);
EXPORT uint32_t rsmi_shut_down(void)
{
	if (n_users == 0)
		return ES_ROCMSMI_NOT_STARTED;
	n_users--;
	return ES_ROCMSMI_OK;
}

EXPORT uint32_t rsmi_num_monitor_devices(uint32_t *n);
EXPORT uint32_t rsmi_num_monitor_devices(uint32_t *n)
{
	if (n_users == 0)
		return ES_ROCMSMI_NOT_STARTED;
	*n = table.n;
	return ES_ROCMSMI_OK;
}

static uint32_t find(uint32_t i)
{
	if (n_users == 0)
		return ES_ROCMSMI_NOT_STARTED;
	return i < table.n ? atomic_load(&state->gpus[i].status) : ES_ROCMSMI_INVALID;
}

EXPORT uint32_t rsmi_dev_pci_id_get(uint32_t i, uint64_t *id);
EXPORT uint32_t rsmi_dev_pci_id_get(uint32_t i, uint64_t *id)
{
	unsigned domain, bus, device, function;

	if (i >= table.n ||
	    sscanf(table.gpus[i].bus, "%x:%x:%x.%x", &domain, &bus, &device, &function) != 4)
		return ES_ROCMSMI_INVALID;
	*id = (uint64_t)domain << 32 | bus << 8 | device << 3 | function;
	return ES_ROCMSMI_OK;
}

EXPORT uint32_t rsmi_dev_energy_count_get(uint32_t i, uint64_t *steps, float *step_uj,
					  uint64_t *time_ns);
EXPORT uint32_t rsmi_dev_energy_count_get(uint32_t i, uint64_t *steps, float *step_uj,
					  uint64_t *time_ns)
{
	uint32_t status = find(i);

	if (status == ES_ROCMSMI_OK && !table.gpus[i].has_counter)
		status = ES_ROCMSMI_NOT_SUPPORTED;
	if (status != ES_ROCMSMI_OK)
		return status;
	(void)atomic_fetch_add(&state->n_reads, 1);
	*step_uj = 15.3F; /* as the library says it: 0.27 % too much */
	*steps = atomic_load(&state->gpus[i].energy[0]);
	*time_ns = atomic_load(&state->gpus[i].has_no_time) ? 0 : now_ns();
	if (atomic_load(&state->gpus[i].is_cached)) {
		*steps = kept[i].steps;
		*time_ns = kept[i].time_ns;
	}
	return ES_ROCMSMI_OK;
}

EXPORT uint32_t rsmi_dev_power_ave_get(uint32_t i, uint32_t sensor, uint64_t *power_uw);
EXPORT uint32_t rsmi_dev_power_ave_get(uint32_t i, uint32_t sensor, uint64_t *power_uw)
{
	uint32_t status = find(i);

	if (status == ES_ROCMSMI_OK && (sensor != 0 || !table.gpus[i].has_power))
		status = ES_ROCMSMI_NOT_SUPPORTED;
	if (status == ES_ROCMSMI_OK)
		*power_uw = atomic_load(&state->gpus[i].power_mw) * UINT64_C(1000);
	return status;
}

EXPORT uint32_t rsmi_dev_power_cap_get(uint32_t i, uint32_t sensor, uint64_t *cap_uw);
EXPORT uint32_t rsmi_dev_power_cap_get(uint32_t i, uint32_t sensor, uint64_t *cap_uw)
{
	uint32_t status = find(i);

	if (status == ES_ROCMSMI_OK && (sensor != 0 || table.gpus[i].limit_w == 0))
		status = ES_ROCMSMI_NOT_SUPPORTED;
	if (status == ES_ROCMSMI_OK)
		*cap_uw = table.gpus[i].limit_w * UINT64_C(1000000);
	return status;
}

EXPORT uint32_t rsmi_dev_unique_id_get(uint32_t i, uint64_t *id);
EXPORT uint32_t rsmi_dev_unique_id_get(uint32_t i, uint64_t *id)
{
	uint32_t status = find(i);

	if (status == ES_ROCMSMI_OK)
		*id = UINT64_C(0x18f68e602b8a790) + i;
	return status;
}

EXPORT uint32_t rsmi_dev_name_get(uint32_t i, char *name, size_t size);
EXPORT uint32_t rsmi_dev_name_get(uint32_t i, char *name, size_t size)
{
	uint32_t status = find(i);

	/* What does not fit has no end, as the library leaves it. */
	if (status == ES_ROCMSMI_OK)
		memcpy(name, table.gpus[i].name,
		       size < sizeof(table.gpus[i].name) ? size : sizeof(table.gpus[i].name));
	return status;
}
