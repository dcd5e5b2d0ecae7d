/*
 * source/levelzero.c - energy of Intel's GPUs through Level Zero
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * A card has a counter of its own, one of its package, and one for each tile: each is in the one before it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/aside.h"
#include "source/gpulib.h"
#include "sys/levelzero.h"

#define DRIVERS_MAX 16U
#define DEVICES_MAX 64U
#define POWERS_MAX 32U
#define UNIT_NJ 61036U /* 2^-14 J: the step of the registers behind it */
#define TILES_MAX 16U

struct power {
	void *handle;
	struct es_zes_power properties;
	struct es_zes_limit limit;
	uint32_t domain; /* enum es_zes_power_domain */
};

static int levelzero_read(void *library, const struct es_gpulib_meter *meter,
			  struct es_gpulib_value *ret)
{
	const struct es_levelzero *levelzero = library;
	struct es_zes_energy energy = { .energy_uj = UINT64_MAX };
	int r = es_levelzero_error(levelzero->energy(meter->handle, &energy));

	if (r < 0)
		return r;
	ret->value = energy.energy_uj;
	if (energy.time_us > 0 && energy.time_us <= INT64_MAX / 2000) {
		ret->has_time = true;
		ret->meter_ns = (int64_t)energy.time_us * 1000;
	}
	return 0;
}

static void look_at(const struct es_levelzero *levelzero, struct power *power)
{
	struct es_zes_power_ext ext = { .type = ES_ZES_POWER_EXT, .limit = &power->limit };

	power->limit = (struct es_zes_limit){ .type = ES_ZES_POWER_LIMIT };
	power->properties = (struct es_zes_power){ .type = ES_ZES_POWER_PROPERTIES,
						   .next = &ext,
						   .default_mw = -1,
						   .min_mw = -1,
						   .max_mw = -1 };
	if (levelzero->power_properties(power->handle, &power->properties) != ES_ZE_OK) {
		/* A driver that does not know the extension. */
		power->properties.next = NULL;
		if (levelzero->power_properties(power->handle, &power->properties) != ES_ZE_OK)
			power->properties.is_on_subdevice = 0;
	}
	power->properties.next = NULL;
	power->domain = ext.domain;
}

static void find_limit(const struct es_levelzero *levelzero, const struct power *power,
		       struct es_gpulib_meter *meter)
{
	struct es_zes_sustained sustained = { .power_mw = -1 };
	int32_t limit_mw = -1;

	if (levelzero->limits &&
	    levelzero->limits(power->handle, &sustained, NULL, NULL) == ES_ZE_OK &&
	    sustained.is_enabled)
		limit_mw = sustained.power_mw;
	if (limit_mw <= 0)
		limit_mw = power->limit.limit_mw > 0 ? power->limit.limit_mw
						     : power->properties.max_mw;
	meter->limit_mw = limit_mw > 0 ? (uint64_t)limit_mw : 0;
}

/* What of the card this is. @ret_has_card: whether something is the whole of it already. */
static void place(const struct power *power, bool has_tiles, bool *ret_has_card,
		  struct es_gpulib_meter *meter)
{
	bool is_tile =
		power->properties.is_on_subdevice && power->properties.subdevice < TILES_MAX &&
		(power->domain == ES_ZES_DOMAIN_UNKNOWN || power->domain == ES_ZES_DOMAIN_PACKAGE ||
		 power->domain == ES_ZES_DOMAIN_STACK);
	bool is_first = power->domain == ES_ZES_DOMAIN_UNKNOWN && !*ret_has_card;
	static const char *const words[] = { "part", "card", "pkg", "stack", "memory", "chip" };

	meter->die = -1;
	if (is_tile) {
		meter->die = (int32_t)power->properties.subdevice;
		(void)snprintf(meter->part, sizeof(meter->part), "tile%u",
			       power->properties.subdevice);
		return;
	}
	if (!power->properties.is_on_subdevice &&
	    (power->domain == ES_ZES_DOMAIN_CARD || is_first) && !*ret_has_card) {
		*ret_has_card = true;
		return;
	}
	(void)snprintf(meter->part, sizeof(meter->part), "%s",
		       power->domain < 6 ? words[power->domain] : words[0]);
	/* With tiles beside it the package would be a second card of them. */
	meter->is_unclear = power->properties.is_on_subdevice || has_tiles ||
			    power->domain != ES_ZES_DOMAIN_PACKAGE;
	if (!meter->is_unclear)
		meter->die = 0;
}

static int add_powers(struct es_levelzero *levelzero, void *device,
		      const struct es_gpulib_meter *gpu, struct es_gpulib_meter *meters, int n)
{
	void *handles[POWERS_MAX] = { NULL };
	struct power powers[POWERS_MAX];
	uint32_t n_powers = POWERS_MAX;
	bool has_card = false, has_tiles = false;

	if (levelzero->power_domains(device, &n_powers, handles) != ES_ZE_OK)
		n_powers = 0;
	n_powers = n_powers < POWERS_MAX ? n_powers : POWERS_MAX;
	for (uint32_t i = 0; i < n_powers; i++) {
		powers[i].handle = handles[i];
		look_at(levelzero, &powers[i]);
		has_tiles = has_tiles || powers[i].properties.is_on_subdevice;
	}
	for (uint32_t i = 0; i < n_powers && n < (int)ES_GPULIB_METERS_MAX; i++) {
		struct es_gpulib_meter meter = *gpu;
		struct es_gpulib_value value;

		meter.handle = handles[i];
		place(&powers[i], has_tiles, &has_card, &meter);
		find_limit(levelzero, &powers[i], &meter);
		meter.error = levelzero_read(levelzero, &meter, &value);
		meters[n++] = meter;
	}
	/* A card without any is listed, and says so. */
	if (n_powers == 0 && n < (int)ES_GPULIB_METERS_MAX) {
		meters[n] = *gpu;
		meters[n++].error = -EOPNOTSUPP;
	}
	return n;
}

static int add_device(struct es_levelzero *levelzero, void *device, struct es_gpulib_meter *meters,
		      int n)
{
	struct es_zes_device properties = { .type = ES_ZES_DEVICE_PROPERTIES,
					    .core = { .type = 3 } };
	struct es_zes_pci pci = { .type = ES_ZES_PCI_PROPERTIES };
	struct es_gpulib_meter gpu = { .die = -1, .unit_nj = UNIT_NJ };
	size_t used = 0;

	if (levelzero->pci(device, &pci) != ES_ZE_OK)
		return n;
	es_gpulib_address(pci.domain, pci.bus, pci.device, pci.function, gpu.address);
	/* Several drivers may show one device. */
	for (int i = 0; i < n; i++)
		if (strcmp(meters[i].address, gpu.address) == 0)
			return n;
	if (levelzero->properties(device, &properties) == ES_ZE_OK) {
		es_gpulib_text(properties.core.name, sizeof(properties.core.name), gpu.model,
			       sizeof(gpu.model));
		for (unsigned i = 0; i < ES_ZE_UUID_BYTES; i++)
			used += (size_t)snprintf(gpu.uuid + used, sizeof(gpu.uuid) - used, "%02x",
						 properties.core.uuid[i]);
	}
	return add_powers(levelzero, device, &gpu, meters, n);
}

static int levelzero_list(void *library, const struct es_root *root, struct es_gpulib_meter *meters,
			  struct es_error *err)
{
	struct es_levelzero *levelzero = library;
	void *drivers[DRIVERS_MAX] = { NULL };
	uint32_t n_drivers = DRIVERS_MAX;
	int r = es_levelzero_error(levelzero->drivers(&n_drivers, drivers)), n = 0;

	(void)root;
	if (r < 0)
		return es_error_say(err, r, "Level Zero lists no driver: %s", es_strerror(r));
	for (uint32_t i = 0; i < n_drivers && i < DRIVERS_MAX; i++) {
		void *devices[DEVICES_MAX] = { NULL };
		uint32_t n_devices = DEVICES_MAX;

		if (levelzero->devices(drivers[i], &n_devices, devices) != ES_ZE_OK)
			continue;
		for (uint32_t j = 0; j < n_devices && j < DEVICES_MAX; j++)
			n = add_device(levelzero, devices[j], meters, n);
	}
	return n;
}

/* Loader and drivers are not made to be unloaded: what was opened stays. */
static void levelzero_close(void *library)
{
	free(library);
}

static int levelzero_find(const struct es_root *root, struct es_error *err)
{
	struct es_levelzero levelzero;
	int r = es_levelzero_open(root, &levelzero, err);

	return r;
}

static int levelzero_start(const struct es_root *root, void **ret, struct es_error *err)
{
	struct es_levelzero *levelzero = calloc(1, sizeof(*levelzero));
	int r;

	if (!levelzero)
		return es_error_set(err, -ENOMEM, "levelzero");
	r = es_levelzero_open(root, levelzero, err);
	if (r == 0) {
		r = es_levelzero_start(levelzero);
		if (r < 0)
			(void)es_error_say(
				err, r, "Level Zero does not start: %s",
				r == -ENOTCONN
					? "no driver of it (libze_intel_gpu.so.1) finds a GPU"
					: es_strerror(r));
	}
	if (r < 0) {
		free(levelzero);
		return r;
	}
	*ret = levelzero;
	return 0;
}

static const struct es_gpulib_ops gpulib_ops = {
	.source = &es_source_levelzero,
	.vendor = "Intel",
	.fix = "sudo usermod -aG render \"$USER\"",
	.is_kept = true,
	.find = levelzero_find,
	.open = levelzero_start,
	.list = levelzero_list,
	.read = levelzero_read,
	.close = levelzero_close,
};

static int levelzero_open(const struct es_root *root, struct es_source **ret, struct es_error *err)
{
	return es_gpulib_open(&gpulib_ops, root, ret, err);
}

static bool levelzero_is_needed(const struct es_root *root, const struct es_domain *domains,
				size_t n)
{
	return es_gpulib_is_needed(root, "Intel", domains, n);
}

const struct es_source_ops es_source_levelzero = {
	.name = "levelzero",
	.is_spare = true,
	.is_needed = levelzero_is_needed,
	.open = levelzero_open,
	.plan = es_aside_plan,
	.read = es_aside_read,
	.ask = es_aside_ask,
	.wait = es_aside_wait,
	.release = es_aside_release,
	.take = es_aside_take,
	.close = es_aside_close,
};
