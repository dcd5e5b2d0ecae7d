/*
 * plan.c - how often a source is read, given what the others show
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sampler/plan.h"

#include "base/clock.h"

#define RESERVE_PERIOD_NS ES_NS_PER_S /* for what is read in case better meters fail */

static int64_t round_up(int64_t v, int64_t step)
{
	return (v + step - 1) / step * step;
}

/* Whether anything measures what the estimate would stand for: GPUs are beside it. */
static bool has_real_meter(const struct es_domain *domains, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (domains[i].kind != ES_KIND_ESTIMATED && domains[i].type != ES_DOMAIN_GPU &&
		    es_sampler_is_recorded(&domains[i]))
			return true;
	return false;
}

/* Whether every recorded domain of a source is one of an earlier source too. */
static bool is_second(const struct es_domain *domains, const struct es_sampler_source *entry)
{
	size_t n_recorded = 0;

	for (size_t i = entry->first_domain; i < entry->first_domain + entry->n; i++) {
		bool has_twin = false;

		if (!es_sampler_is_recorded(&domains[i]))
			continue;
		n_recorded++;
		for (size_t j = 0; j < entry->first_domain && !has_twin; j++)
			has_twin = es_sampler_is_recorded(&domains[j]) &&
				   domains[j].kind <= domains[i].kind &&
				   es_domain_is_twin(&domains[j], &domains[i]);
		if (!has_twin)
			return false;
	}
	return n_recorded > 0;
}

int64_t es_plan_period(const struct es_sampler_source *entry, const struct es_domain *domains,
		       size_t n_domains, int64_t period_ns)
{
	bool is_reserve = entry->ops == &es_source_estimate ? has_real_meter(domains, n_domains)
							    : is_second(domains, entry);
	int64_t at_most_ns = entry->plan.at_most_ns;

	if (is_reserve && at_most_ns < RESERVE_PERIOD_NS)
		at_most_ns = RESERVE_PERIOD_NS;
	if (at_most_ns > period_ns)
		return round_up(at_most_ns, period_ns);
	return period_ns < entry->plan.at_least_ns ? period_ns : entry->plan.at_least_ns;
}
