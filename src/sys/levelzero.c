/*
 * sys/levelzero.c - oneAPI Level Zero's system management part, for Intel's GPUs; opened when used
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/levelzero.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "sys/library.h"

#define SYSMAN "ZES_ENABLE_SYSMAN"

static const char *const names[] = { "libze_loader.so.1", NULL };

static_assert(sizeof(void *) != 8 || (sizeof(struct es_zes_device) == 776 &&
				      offsetof(struct es_zes_device, core.uuid) == 112 &&
				      offsetof(struct es_zes_device, n_subdevices) == 384 &&
				      offsetof(struct es_zes_device, model) == 580),
	      "zes_device_properties_t");
static_assert(sizeof(void *) != 8 ||
		      (sizeof(struct es_zes_pci) == 56 && sizeof(struct es_zes_limit) == 48 &&
		       sizeof(struct es_zes_power_ext) == 32 && sizeof(struct es_zes_power) == 40),
	      "zes_pci_properties_t, zes_power_limit_ext_desc_t, zes_power_*_properties_t");
static_assert(sizeof(struct es_zes_sustained) == 12 && sizeof(struct es_zes_energy) == 16,
	      "zes_power_sustained_limit_t, zes_power_energy_counter_t");

static const struct {
	uint32_t result;
	int error;
} results[] = {
	{ ES_ZE_NOT_READY, EAGAIN },
	{ ES_ZE_DEVICE_LOST, ENODEV },
	{ ES_ZE_OUT_OF_MEMORY, ENOMEM },
	{ ES_ZE_REQUIRES_RESET, ENODEV },
	{ ES_ZE_LOW_POWER, EAGAIN },
	{ ES_ZE_NO_PERMISSION, EACCES },
	{ ES_ZE_NOT_AVAILABLE, EBUSY },
	{ ES_ZE_DEPENDENCY, ENODEV },
	{ ES_ZE_UNINITIALIZED, ENOTCONN },
	{ ES_ZE_UNSUPPORTED_VERSION, EPROTO },
	{ ES_ZE_UNSUPPORTED_FEATURE, EOPNOTSUPP },
	{ ES_ZE_INVALID_ARGUMENT, EINVAL },
};

int es_levelzero_open(const struct es_root *root, struct es_levelzero *ret, struct es_error *err)
{
	struct es_levelzero levelzero = { .dl = { .handle = NULL } };
	const struct es_dl_symbol symbols[] = {
		{ "zesInit", &levelzero.init, false },
		{ "zesDriverGet", &levelzero.drivers, false },
		{ "zesDeviceGet", &levelzero.devices, false },
		{ "zeInit", &levelzero.core_init, true },
		{ "zeDriverGet", &levelzero.core_drivers, true },
		{ "zeDeviceGet", &levelzero.core_devices, true },
		{ "zesDeviceGetProperties", &levelzero.properties, true },
		{ "zesDevicePciGetProperties", &levelzero.pci, true },
		{ "zesDeviceEnumPowerDomains", &levelzero.power_domains, true },
		{ "zesPowerGetProperties", &levelzero.power_properties, true },
		{ "zesPowerGetEnergyCounter", &levelzero.energy, true },
		{ "zesPowerGetLimits", &levelzero.limits, false },
	};
	int r = es_library_open(root, names, NULL, symbols, ES_ARRAY_SIZE(symbols), &levelzero.dl,
				err);

	if (r == 0)
		*ret = levelzero;
	return r;
}

static int start_core(struct es_levelzero *levelzero)
{
	bool is_set = getenv(SYSMAN) != NULL;
	uint32_t result;

	if (!is_set && setenv(SYSMAN, "1", 0) < 0)
		return -errno;
	result = levelzero->core_init(0);
	/* The command that is measured is to start with the environment that it was given. */
	if (!is_set)
		(void)unsetenv(SYSMAN);
	levelzero->drivers = levelzero->core_drivers;
	levelzero->devices = levelzero->core_devices;
	return es_levelzero_error(result);
}

int es_levelzero_start(struct es_levelzero *levelzero)
{
	if (!levelzero->init || !levelzero->drivers || !levelzero->devices)
		return start_core(levelzero);
	return es_levelzero_error(levelzero->init(0));
}

int es_levelzero_error(uint32_t result)
{
	if (result == ES_ZE_OK)
		return 0;
	for (size_t i = 0; i < ES_ARRAY_SIZE(results); i++)
		if (results[i].result == result)
			return -results[i].error;
	return -EIO;
}
