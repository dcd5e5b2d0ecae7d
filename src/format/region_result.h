/*
 * region_result.h - from energies in each domain to what the report says of regions
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REGION_RESULT_H
#define ES_FORMAT_REGION_RESULT_H

#include "format/region_walk.h"

/** es_region_result_begin - room for the energies by domain, nothing tagged; 0 or -ENOMEM */
int es_region_result_begin(struct es_report *report);

/** es_region_result_edge - what a domain had used up at an edge of a region of which it is known already */
void es_region_result_edge(struct es_report *report, size_t region, size_t domain,
			   const struct es_edge *edge, bool is_stop);

/** es_region_result_times - whose time it is, from the first to the last reading */
void es_region_result_times(const struct es_owners *owners, struct es_report *report);

/** es_region_bound_j - half width of a 95 % interval, without what the meter leaves open; it is certain where nothing is fitted */
double es_region_bound_j(const struct es_region_energy *energy);

/** es_region_result - all that a walk gave; 0 or -ENOMEM */
int es_region_result(struct es_region_walk *walk, struct es_report *report);

/** es_region_result_end - the whole acquisition has what the totals have; what the meters leave open comes to each bound */
void es_region_result_end(struct es_report *report);

#endif
