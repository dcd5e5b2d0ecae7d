/*
 * sys/levelzero.h - oneAPI Level Zero's system management part, for Intel's GPUs; opened when used
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_LEVELZERO_H
#define ES_SYS_LEVELZERO_H

#include <stdint.h>

#include "base/dl.h"
#include "base/error.h"
#include "sys/root.h"

/* What we use of ze_api.h and zes_api.h (1.0 to 1.13), with names of our own: numbers, layouts and functions' names are the library's. */
enum es_ze_result {
	ES_ZE_OK = 0,
	ES_ZE_NOT_READY = 1,
	ES_ZE_DEVICE_LOST = 0x70000001,
	ES_ZE_OUT_OF_MEMORY = 0x70000002,
	ES_ZE_REQUIRES_RESET = 0x70000006,
	ES_ZE_LOW_POWER = 0x70000007,
	ES_ZE_NO_PERMISSION = 0x70010000,
	ES_ZE_NOT_AVAILABLE = 0x70010001,
	ES_ZE_DEPENDENCY = 0x70020000,
	ES_ZE_UNINITIALIZED = 0x78000001,
	ES_ZE_UNSUPPORTED_VERSION = 0x78000002,
	ES_ZE_UNSUPPORTED_FEATURE = 0x78000003,
	ES_ZE_INVALID_ARGUMENT = 0x78000004,
};

enum es_zes_type {
	ES_ZES_DEVICE_PROPERTIES = 0x1,
	ES_ZES_PCI_PROPERTIES = 0x2,
	ES_ZES_POWER_PROPERTIES = 0xd,
	ES_ZES_POWER_LIMIT = 0x27,
	ES_ZES_POWER_EXT = 0x28,
};

enum es_zes_power_domain {
	ES_ZES_DOMAIN_UNKNOWN,
	ES_ZES_DOMAIN_CARD,
	ES_ZES_DOMAIN_PACKAGE,
	ES_ZES_DOMAIN_STACK,
	ES_ZES_DOMAIN_MEMORY,
	ES_ZES_DOMAIN_GPU,
};

#define ES_ZE_UUID_BYTES 16U

/** struct es_zes_device - zes_device_properties_t, with the part of the core API in it */
struct es_zes_device {
	uint32_t type; /* ES_ZES_DEVICE_PROPERTIES */
	void *next;
	struct {
		uint32_t type; /* 3 */
		void *next;
		uint32_t kind, vendor, device, flags;
		uint32_t unused[2];
		uint64_t memory;
		uint32_t unused2[7];
		uint64_t resolution;
		uint32_t unused3[2];
		uint8_t uuid[ES_ZE_UUID_BYTES];
		char name[256];
	} core;
	uint32_t n_subdevices;
	char serial[64], board[64], brand[64], model[64], vendor[64], driver[64];
};

/** struct es_zes_pci - zes_pci_properties_t */
struct es_zes_pci {
	uint32_t type; /* ES_ZES_PCI_PROPERTIES */
	void *next;
	uint32_t domain, bus, device, function;
	int32_t generation, width;
	int64_t bandwidth;
	uint8_t has[8];
};

/** struct es_zes_limit - zes_power_limit_ext_desc_t */
struct es_zes_limit {
	uint32_t type; /* ES_ZES_POWER_LIMIT */
	const void *next;
	uint32_t level, source, unit;
	uint8_t is_locked, is_enabled, is_interval_locked;
	int32_t interval_ms;
	uint8_t is_limit_locked;
	int32_t limit_mw;
};

/** struct es_zes_power_ext - zes_power_ext_properties_t */
struct es_zes_power_ext {
	uint32_t type; /* ES_ZES_POWER_EXT */
	void *next;
	uint32_t domain; /* enum es_zes_power_domain */
	struct es_zes_limit *limit;
};

/** struct es_zes_power - zes_power_properties_t */
struct es_zes_power {
	uint32_t type; /* ES_ZES_POWER_PROPERTIES */
	void *next;
	uint8_t is_on_subdevice;
	uint32_t subdevice;
	uint8_t can_control, has_threshold;
	int32_t default_mw, min_mw, max_mw; /* -1: not known */
};

/** struct es_zes_sustained - zes_power_sustained_limit_t */
struct es_zes_sustained {
	uint8_t is_enabled;
	int32_t power_mw, interval_ms;
};

/** struct es_zes_energy - zes_power_energy_counter_t */
struct es_zes_energy {
	uint64_t energy_uj, time_us;
};

/** struct es_levelzero - the library's functions; those that one may lack are NULL there */
struct es_levelzero {
	struct es_dl dl;
	uint32_t (*init)(uint32_t flags); /* these three since 1.10 of the loader */
	uint32_t (*drivers)(uint32_t *n, void **drivers);
	uint32_t (*devices)(void *driver, uint32_t *n, void **devices);
	uint32_t (*core_init)(uint32_t flags); /* and before: the core's, with sysman switched on */
	uint32_t (*core_drivers)(uint32_t *n, void **drivers);
	uint32_t (*core_devices)(void *driver, uint32_t *n, void **devices);
	uint32_t (*properties)(void *device, struct es_zes_device *ret);
	uint32_t (*pci)(void *device, struct es_zes_pci *ret);
	uint32_t (*power_domains)(void *device, uint32_t *n, void **powers);
	uint32_t (*power_properties)(void *power, struct es_zes_power *ret);
	uint32_t (*energy)(void *power, struct es_zes_energy *ret);
	uint32_t (*limits)(void *power, struct es_zes_sustained *ret, void *burst, void *peak);
};

/** es_levelzero_open - find the loader, without starting it; errors of es_library_open() */
int es_levelzero_open(const struct es_root *root, struct es_levelzero *ret, struct es_error *err);

/**
 * es_levelzero_start - start its drivers
 *
 * Loaders before 1.10 show power only where an environment variable says so when they start: it is set for that moment.
 * No other thread may look at the environment meanwhile.
 * Returns 0 or negative errno.
 */
int es_levelzero_start(struct es_levelzero *levelzero);

/** es_levelzero_error - a result of the library as negative errno, 0 for success */
int es_levelzero_error(uint32_t result);

#endif
