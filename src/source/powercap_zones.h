/*
 * source/powercap_zones.h - which powercap zones a machine has, how they nest, and what they measure
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_POWERCAP_ZONES_H
#define ES_SOURCE_POWERCAP_ZONES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/domain.h"
#include "sys/root.h"

/** struct es_powercap_zone - a directory with an energy counter */
struct es_powercap_zone {
	char path[ES_NAME_MAX_BYTES]; /* below the root */
	char zone[64]; /* intel-rapl:1:0 */
	char control[64]; /* intel-rapl */
	char name[64]; /* what the kernel calls it: package-0, dram */
	enum es_domain_type type;
	int32_t package, die;
	int32_t parent; /* index of the zone it is in, -1: none */
	bool is_rapl; /* a 32-bit counter of RAPL */
};

/** struct es_powercap_zones - parents before what is in them */
struct es_powercap_zones {
	struct es_powercap_zone *zone;
	size_t n, room;
};

/**
 * es_powercap_zones_find - walk the zones below the root
 *
 * The index in a zone's name (hexadecimal) says nothing about what it measures: package and type come from the file
 * "name" and from the zone around it. The flat view in sys/class/powercap is used only where the tree itself is absent.
 *
 * Returns 0; -ENODEV: there is no zone with a counter, @err says what there is. es_powercap_zones_finish() it.
 * Source: Linux drivers/powercap/powercap_sys.c, intel_rapl_common.c (6.12).
 */
int es_powercap_zones_find(const struct es_root *root, struct es_powercap_zones *ret,
			   struct es_error *err);
void es_powercap_zones_finish(struct es_powercap_zones *zones);

#endif
