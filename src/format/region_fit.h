/*
 * region_fit.h - which regions are fitted, and what comes of it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REGION_FIT_H
#define ES_FORMAT_REGION_FIT_H

#include "format/region_walk.h"

/**
 * es_region_is_short - whether a region has many calls that are short beside the time between readings
 * @domain: whose readings; SIZE_MAX: of the slowest of the fine cover
 */
bool es_region_is_short(const struct es_report *report, const struct es_report_region *region,
			size_t domain);

/** es_region_fit_plan - before the walk: prepare the fits of domains whose windows are long beside calls; 0 or -ENOMEM */
int es_region_fit_plan(struct es_region_walk *walk);

/** es_region_fit_apply - after the walk: energies of @domain become fitted ones, its sum stays; 0 or -ENOMEM */
int es_region_fit_apply(struct es_region_walk *walk, size_t domain);

/** es_region_fit_choose - the method of each region; those that cannot be told apart, in groups; 0 or -ENOMEM */
int es_region_fit_choose(const struct es_region_walk *walk, struct es_report *report);

#endif
