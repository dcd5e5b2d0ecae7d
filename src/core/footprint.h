/*
 * core/footprint.h - what comes beside operational carbon: the share of making the machines, SCI, the price
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_FOOTPRINT_H
#define ES_CORE_FOOTPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ES_YEAR_S (365.0 * 24.0 * 3600.0) /* as ISO/IEC 21031:2024 counts */

/**
 * es_embodied_g - a job's share of what making its nodes caused: M = TE * (TiR / EL) * (RR / ToR)
 * @kg_per_node: TE, manufacture and transport of one node
 * @lifetime_years: EL, of the node
 * @dur_s: TiR, time that the nodes were reserved
 * @share: RR / ToR, reserved part of the nodes' resources, 0 to 1
 *
 * Source: ISO/IEC 21031:2024 (Software Carbon Intensity); its check value: 1000 kg over 4 years used 1 h give 28.5 g.
 */
double es_embodied_g(double kg_per_node, double lifetime_years, size_t n_nodes, double dur_s,
		     double share);

/**
 * es_sci_g_per_unit - software carbon intensity: ((E * I) + M) / R
 * @operational_g: location-based: no contracts, certificates or offsets
 * @units: R, the work done
 *
 * Returns false where there is no work to divide by.
 */
bool es_sci_g_per_unit(double operational_g, double embodied_g, double units, double *ret);

/** es_price_micro - price of @facility_j at @micro_per_kwh millionths of a currency, to the nearest millionth; false: does not fit */
bool es_price_micro(double facility_j, uint64_t micro_per_kwh, int64_t *ret);

#endif
