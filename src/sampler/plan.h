/*
 * plan.h - how often a source is read, given what the others show
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SAMPLER_PLAN_H
#define ES_SAMPLER_PLAN_H

#include "sampler/sampler.h"

/**
 * es_plan_period - the time between readings of a source in a recording planned at @period_ns
 * @domains: of all sources. Often enough for no wrap to be missed, not more often than it gives something new, else as planned.
 */
int64_t es_plan_period(const struct es_sampler_source *entry, const struct es_domain *domains,
		       size_t n_domains, int64_t period_ns);

#endif
