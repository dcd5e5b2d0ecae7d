/*
 * amdsmi_stub.c - a libamd_smi.so for tests: shows the GPUs of the table beside it, as far as their state moves
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Names, numbers and layouts as in amdsmi.h (sys/amdsmi.h has those that we use). One socket for each GPU, as on MI300X.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/gpulib_table.h"
#include "sys/amdsmi.h"

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

static bool lacks(const char *function)
{
	for (unsigned i = 0; i < table.n_without; i++)
		if (strcmp(table.without[i], function) == 0)
			return true;
	return false;
}

EXPORT uint32_t amdsmi_init(uint64_t flags);
EXPORT uint32_t amdsmi_init(uint64_t flags)
{
	uint32_t status;

	if (flags != ES_AMDSMI_GPUS)
		return ES_AMDSMI_INVALID;
	if (gpulib_stub_start(&table, &state) < 0)
		return ES_AMDSMI_FAIL_LOAD_MODULE;
	status = atomic_load(&state->init_status);
	n_users += status == ES_AMDSMI_OK;
	for (unsigned i = 0; i < table.n; i++) {
		kept[i].steps = atomic_load(&state->gpus[i].energy[0]);
		kept[i].time_ns = now_ns();
	}
	return status;
}

EXPORT uint32_t amdsmi_shut_down(void);
EXPORT uint32_t amdsmi_shut_down(void)
{
	if (n_users == 0)
		return ES_AMDSMI_NOT_STARTED;
	n_users--;
	return ES_AMDSMI_OK;
}

/* Never looked behind: a number. */
static void *handle(unsigned i)
{
	return (void *)(uintptr_t)(0x1000 + i);
}

static uint32_t find(const void *processor, unsigned *ret)
{
	uintptr_t i = (uintptr_t)processor - 0x1000;

	if (n_users == 0)
		return ES_AMDSMI_NOT_STARTED;
	if (i >= table.n)
		return ES_AMDSMI_INVALID;
	*ret = (unsigned)i;
	return atomic_load(&state->gpus[i].status);
}

EXPORT uint32_t amdsmi_get_socket_handles(uint32_t *n, void **sockets);
EXPORT uint32_t amdsmi_get_socket_handles(uint32_t *n, void **sockets)
{
	if (n_users == 0)
		return ES_AMDSMI_NOT_STARTED;
	for (unsigned i = 0; sockets && i < table.n && i < *n; i++)
		sockets[i] = handle(i);
	*n = table.n;
	return ES_AMDSMI_OK;
}

EXPORT uint32_t amdsmi_get_processor_handles(void *socket, uint32_t *n, void **processors);
EXPORT uint32_t amdsmi_get_processor_handles(void *socket, uint32_t *n, void **processors)
{
	if (processors && *n > 0)
		processors[0] = socket;
	*n = 1;
	return ES_AMDSMI_OK;
}

EXPORT uint32_t amdsmi_get_gpu_device_bdf(void *processor, uint64_t *bdf);
EXPORT uint32_t amdsmi_get_gpu_device_bdf(void *processor, uint64_t *bdf)
{
	unsigned domain, bus, device, function, i = (unsigned)((uintptr_t)processor - 0x1000);

	if (i >= table.n ||
	    sscanf(table.gpus[i].bus, "%x:%x:%x.%x", &domain, &bus, &device, &function) != 4)
		return ES_AMDSMI_INVALID;
	*bdf = (uint64_t)domain << 16 | bus << 8 | device << 3 | function;
	return ES_AMDSMI_OK;
}

EXPORT uint32_t amdsmi_get_gpu_device_uuid(void *processor, unsigned *length, char *uuid);
EXPORT uint32_t amdsmi_get_gpu_device_uuid(void *processor, unsigned *length, char *uuid)
{
	unsigned i;
	uint32_t status = find(processor, &i);

	if (status != ES_AMDSMI_OK)
		return status;
	if (*length < ES_AMDSMI_UUID_BYTES)
		return ES_AMDSMI_INVALID;
	(void)snprintf(uuid, *length, "%s", table.gpus[i].uuid);
	return ES_AMDSMI_OK;
}

EXPORT uint32_t amdsmi_get_energy_count(void *processor, uint64_t *steps, float *step_uj,
					uint64_t *time_ns);
EXPORT uint32_t amdsmi_get_energy_count(void *processor, uint64_t *steps, float *step_uj,
					uint64_t *time_ns)
{
	unsigned i;
	uint32_t status = find(processor, &i);

	if (status == ES_AMDSMI_OK && !table.gpus[i].has_counter)
		status = ES_AMDSMI_NOT_SUPPORTED;
	if (status != ES_AMDSMI_OK)
		return status;
	(void)atomic_fetch_add(&state->n_reads, 1);
	*step_uj = 15.3F; /* as the library says it: 0.27 % too much */
	*steps = atomic_load(&state->gpus[i].energy[0]);
	*time_ns = atomic_load(&state->gpus[i].has_no_time) ? 0 : now_ns();
	if (atomic_load(&state->gpus[i].is_cached)) {
		*steps = kept[i].steps;
		*time_ns = kept[i].time_ns;
	}
	return ES_AMDSMI_OK;
}

EXPORT uint32_t amdsmi_get_power_info(void *processor, void *info);
EXPORT uint32_t amdsmi_get_power_info(void *processor, void *info)
{
	uint32_t words[30] = { 0 }, power_w;
	unsigned i;
	uint32_t status = find(processor, &i);

	if (status == ES_AMDSMI_OK && (!table.gpus[i].has_power || lacks("amdsmi_get_power_info")))
		status = ES_AMDSMI_NOT_SUPPORTED;
	if (status != ES_AMDSMI_OK)
		return status;
	power_w = atomic_load(&state->gpus[i].power_mw) / 1000;
	if (table.words >= 25) {
		words[0] = words[2] = power_w;
		words[3] = UINT32_MAX;
		words[4] = 800;
	} else {
		words[0] = 0xffff;
		words[1] = power_w;
		words[2] = 800;
	}
	memcpy(info, words, sizeof(words));
	return ES_AMDSMI_OK;
}

EXPORT uint32_t amdsmi_get_power_cap_info(void *processor, uint32_t sensor, void *info);
EXPORT uint32_t amdsmi_get_power_cap_info(void *processor, uint32_t sensor, void *info)
{
	uint64_t caps[8] = { 0 };
	unsigned i;
	uint32_t status = find(processor, &i);

	if (status == ES_AMDSMI_OK && (sensor != 0 || table.gpus[i].limit_w == 0))
		status = ES_AMDSMI_NOT_SUPPORTED;
	if (status != ES_AMDSMI_OK)
		return status;
	caps[0] = caps[1] = table.gpus[i].limit_w * UINT64_C(1000000);
	memcpy(info, caps, sizeof(caps));
	return ES_AMDSMI_OK;
}
