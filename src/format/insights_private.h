/*
 * insights_private.h - what the files that find insights share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_INSIGHTS_PRIVATE_H
#define ES_FORMAT_INSIGHTS_PRIVATE_H

#include <stdbool.h>

#include "format/insights.h"
#include "format/report.h"

/* Energy over what the limits allow. The original tool drew the same lines. */
#define ES_HIGH_LOAD 0.9
#define ES_LOW_LOAD 0.4

/** es_insight_add - an empty one at the end of the report's; NULL: there is no room */
struct es_insight *es_insight_add(struct es_report *report, const char *code);
/** es_insight_prove - a number as evidence; @key is static, with its unit */
void es_insight_prove(struct es_insight *insight, const char *key, double value);
/** es_insight_say - its text */
__attribute__((format(printf, 2, 3))) void es_insight_say(struct es_insight *insight,
							  const char *format, ...);
/** es_insight_name - the node or domain that it is about */
void es_insight_name(struct es_insight *insight, const char *key, const char *name);

/** struct es_load - energy of the chosen parts of some types against their limits over the time they were read */
struct es_load {
	double energy_j, limit_j;
	size_t n, n_without_limit;
};

/** es_load_sum - @types: 1 << enum es_domain_type of each */
struct es_load es_load_sum(const struct es_report *report, unsigned types);
static inline bool es_load_is_known(const struct es_load *load)
{
	return load->n > 0 && load->limit_j > 0;
}

/** es_gpus_judge - gpu_underload and throttled */
void es_gpus_judge(struct es_report *report);
/** es_activity_judge - memory_bound and clock_low */
void es_activity_judge(struct es_report *report);
/** es_gpus_prove_use - the mean utilisation of the GPUs as evidence, where all of them tell it */
void es_gpus_prove_use(const struct es_report *report, struct es_insight *insight);

#endif
