/*
 * levelzero_stub.c - a libze_loader.so.1 for tests: shows the GPUs of the table beside it, as far as their state moves
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Names, numbers and layouts as in ze_api.h and zes_api.h (sys/levelzero.h has those that we use). Built a second time as
 * an old loader, without the starting functions of the system management part.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/gpulib_table.h"
#include "sys/levelzero.h"

#define EXPORT __attribute__((visibility("default")))

static struct gpulib_table table;
static struct gpulib_state *state;
static bool is_started;

static bool lacks(const char *function)
{
	for (unsigned i = 0; i < table.n_without; i++)
		if (strcmp(table.without[i], function) == 0)
			return true;
	return false;
}

/* Never looked behind: a number that tells GPU and part. */
static void *handle(unsigned i, unsigned part)
{
	return (void *)(uintptr_t)(0x1000 + i * 0x10 + part);
}

static uint32_t start(bool has_sysman)
{
	if (gpulib_stub_start(&table, &state) < 0)
		return ES_ZE_DEPENDENCY;
	is_started = atomic_load(&state->init_status) == ES_ZE_OK;
	atomic_store(&state->has_sysman, has_sysman);
	return atomic_load(&state->init_status);
}

static uint32_t give_driver(uint32_t *n, void **drivers)
{
	if (!is_started)
		return ES_ZE_UNINITIALIZED;
	if (drivers && *n > 0)
		drivers[0] = handle(0, 0);
	*n = 1;
	return ES_ZE_OK;
}

static uint32_t give_devices(uint32_t *n, void **devices)
{
	for (unsigned i = 0; devices && i < table.n && i < *n; i++)
		devices[i] = handle(i, 0);
	*n = table.n;
	return ES_ZE_OK;
}

EXPORT uint32_t zeInit(uint32_t flags);
EXPORT uint32_t zeInit(uint32_t flags)
{
	const char *sysman = getenv("ZES_ENABLE_SYSMAN");

	return flags == 0 ? start(sysman && strcmp(sysman, "1") == 0) : ES_ZE_INVALID_ARGUMENT;
}

EXPORT uint32_t zeDriverGet(uint32_t *n, void **drivers);
EXPORT uint32_t zeDriverGet(uint32_t *n, void **drivers)
{
	return give_driver(n, drivers);
}

EXPORT uint32_t zeDeviceGet(void *driver, uint32_t *n, void **devices);
EXPORT uint32_t zeDeviceGet(void *driver, uint32_t *n, void **devices)
{
	(void)driver;
	return give_devices(n, devices);
}

#ifndef ES_LEVELZERO_STUB_OLD
EXPORT uint32_t zesInit(uint32_t flags);
EXPORT uint32_t zesInit(uint32_t flags)
{
	return flags == 0 ? start(true) : ES_ZE_INVALID_ARGUMENT;
}

EXPORT uint32_t zesDriverGet(uint32_t *n, void **drivers);
EXPORT uint32_t zesDriverGet(uint32_t *n, void **drivers)
{
	return give_driver(n, drivers);
}

EXPORT uint32_t zesDeviceGet(void *driver, uint32_t *n, void **devices);
EXPORT uint32_t zesDeviceGet(void *driver, uint32_t *n, void **devices)
{
	(void)driver;
	return give_devices(n, devices);
}
#endif

/* Which GPU and part a handle is of, or why it is of none. */
static uint32_t find(const void *pointer, unsigned *ret_part, unsigned *ret)
{
	uintptr_t number = (uintptr_t)pointer - 0x1000;

	if (!is_started || !atomic_load(&state->has_sysman))
		return ES_ZE_UNINITIALIZED;
	if (number / 0x10 >= table.n)
		return ES_ZE_INVALID_ARGUMENT;
	*ret = (unsigned)(number / 0x10);
	*ret_part = (unsigned)(number % 0x10);
	return atomic_load(&state->gpus[*ret].status);
}

EXPORT uint32_t zesDeviceGetProperties(void *device, struct es_zes_device *ret);
EXPORT uint32_t zesDeviceGetProperties(void *device, struct es_zes_device *ret)
{
	unsigned part, i;
	uint32_t result = find(device, &part, &i);

	if (result != ES_ZE_OK)
		return result;
	if (ret->type != ES_ZES_DEVICE_PROPERTIES || ret->next)
		return ES_ZE_INVALID_ARGUMENT;
	(void)snprintf(ret->core.name, sizeof(ret->core.name), "%s", table.gpus[i].name);
	ret->core.uuid[0] = 0x86;
	ret->core.uuid[15] = (uint8_t)i;
	return ES_ZE_OK;
}

EXPORT uint32_t zesDevicePciGetProperties(void *device, struct es_zes_pci *ret);
EXPORT uint32_t zesDevicePciGetProperties(void *device, struct es_zes_pci *ret)
{
	uintptr_t i = ((uintptr_t)device - 0x1000) / 0x10;

	if (i >= table.n || ret->type != ES_ZES_PCI_PROPERTIES ||
	    sscanf(table.gpus[i].bus, "%x:%x:%x.%x", &ret->domain, &ret->bus, &ret->device,
		   &ret->function) != 4)
		return ES_ZE_INVALID_ARGUMENT;
	return ES_ZE_OK;
}

EXPORT uint32_t zesDeviceEnumPowerDomains(void *device, uint32_t *n, void **powers);
EXPORT uint32_t zesDeviceEnumPowerDomains(void *device, uint32_t *n, void **powers)
{
	unsigned part, i;
	uint32_t result = find(device, &part, &i);

	if (result != ES_ZE_OK)
		return result;
	for (unsigned j = 0; powers && j < table.gpus[i].n_parts && j < *n; j++)
		powers[j] = handle(i, j);
	*n = table.gpus[i].n_parts;
	return ES_ZE_OK;
}

static uint32_t domain_of(const char *part)
{
	static const char *const words[] = { "unknown", "card", "pkg", "tile", "memory", "gpu" };

	for (uint32_t i = 0; i < 6; i++)
		if (strncmp(part, words[i], strlen(words[i])) == 0)
			return i;
	return ES_ZES_DOMAIN_UNKNOWN;
}

EXPORT uint32_t zesPowerGetProperties(void *power, struct es_zes_power *ret);
EXPORT uint32_t zesPowerGetProperties(void *power, struct es_zes_power *ret)
{
	struct es_zes_power_ext *ext = ret->next;
	unsigned part, i;
	uint32_t result = find(power, &part, &i);
	const char *word;

	if (result != ES_ZE_OK)
		return result;
	/* A driver that does not know the extension refuses it. */
	if (ret->type != ES_ZES_POWER_PROPERTIES || (ext && lacks("extension")))
		return ES_ZE_INVALID_ARGUMENT;
	word = table.gpus[i].parts[part];
	ret->is_on_subdevice = strncmp(word, "tile", 4) == 0;
	if (ret->is_on_subdevice)
		ret->subdevice = (uint32_t)strtoul(word + 4, NULL, 10);
	ret->default_mw = ret->min_mw = ret->max_mw = -1;
	if (ext && ext->type == ES_ZES_POWER_EXT) {
		ext->domain = domain_of(word);
		if (ext->limit)
			ext->limit->limit_mw = (int32_t)table.gpus[i].limit_w * 1000;
	}
	return ES_ZE_OK;
}

EXPORT uint32_t zesPowerGetEnergyCounter(void *power, struct es_zes_energy *ret);
EXPORT uint32_t zesPowerGetEnergyCounter(void *power, struct es_zes_energy *ret)
{
	struct timespec now;
	unsigned part, i;
	uint32_t result = find(power, &part, &i);

	if (result == ES_ZE_OK && !table.gpus[i].has_counter)
		result = ES_ZE_UNSUPPORTED_FEATURE;
	if (result != ES_ZE_OK)
		return result;
	(void)atomic_fetch_add(&state->n_reads, 1);
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	ret->energy_uj = atomic_load(&state->gpus[i].energy[part]);
	ret->time_us = (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000;
	if (atomic_load(&state->gpus[i].is_cached))
		ret->time_us = 12345678;
	return ES_ZE_OK;
}

EXPORT uint32_t zesPowerGetLimits(void *power, struct es_zes_sustained *ret, void *burst,
				  void *peak);
EXPORT uint32_t zesPowerGetLimits(void *power, struct es_zes_sustained *ret, void *burst,
				  void *peak)
{
	unsigned part, i;
	uint32_t result = find(power, &part, &i);

	if (result == ES_ZE_OK && (burst || peak || part != 0 || table.gpus[i].limit_w == 0))
		result = ES_ZE_UNSUPPORTED_FEATURE;
	if (result != ES_ZE_OK)
		return result;
	ret->is_enabled = 1;
	ret->power_mw = (int32_t)table.gpus[i].limit_w * 900;
	return ES_ZE_OK;
}
