/*
 * source/hwmon_drivers.h - which drivers of hwmon measure energy or power, and of what
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_HWMON_DRIVERS_H
#define ES_SOURCE_HWMON_DRIVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/domain.h"
#include "sys/root.h"

/** struct es_hwmon_input - one file of one device: energyN_input, powerN_average or powerN_input */
struct es_hwmon_input {
	char driver[32]; /* what the device's file "name" says */
	char device[ES_NAME_MAX_BYTES]; /* where the device is below sys/devices; "": not known. Stays over a reboot. */
	char address[32]; /* its last part: ACPI000D:00, 0000:03:00.0 */
	char folder[64]; /* hwmon3 or hwmon3/device below sys/class/hwmon: where the file is now */
	char file[32];
	char label[64]; /* "": it has none */
	bool is_energy;
	unsigned index; /* N */
	unsigned ordinal; /* of its device among those of the same driver */
};

/** struct es_hwmon_inputs - in the order of devices, drivers and files: energies before powers */
struct es_hwmon_inputs {
	struct es_hwmon_input *input;
	size_t n, room;
};

/** es_hwmon_find - all inputs of all devices; 0 or negative errno. es_hwmon_inputs_finish() it */
int es_hwmon_find(const struct es_root *root, struct es_hwmon_inputs *ret);
void es_hwmon_inputs_finish(struct es_hwmon_inputs *inputs);

/** es_hwmon_find_folder - where the device and driver of @input are now: their number changes when a driver is loaded again; 0 or -ENODEV */
int es_hwmon_find_folder(const struct es_root *root, const struct es_hwmon_input *input,
			 char ret[static 64]);

/**
 * es_hwmon_place - what @input measures, by the driver's and the label's words
 * @ret: initialised; type, place, names, kind, unit, reason. What nobody knows is of type other and is_partial: it is
 * listed, and in no cover.
 */
void es_hwmon_place(const struct es_root *root, const struct es_hwmon_input *input,
		    struct es_domain *ret);

/** es_hwmon_wakes - whether reading this driver's files wakes a device that sleeps */
bool es_hwmon_wakes(const struct es_hwmon_input *input);
/** es_hwmon_needs_pulse - whether this driver's counter loses what was drawn where nobody reads it for minutes */
bool es_hwmon_needs_pulse(const struct es_hwmon_input *input);

#endif
