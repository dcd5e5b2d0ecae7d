/*
 * daemon/tell.c - what the log says of the meters that were opened
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/tell.h"

#include "core/domain.h"

size_t es_tell_count(const struct es_node *node)
{
	size_t n = 0;

	for (size_t i = 0; i < node->n; i++)
		n += es_sampler_can_read(&node->plain[i]);
	return n;
}

/* A named meter is in vain where none of its domains can be read. */
static void tell_named(struct es_log *log, const struct es_sampler_source *source,
		       const struct es_domain *domains)
{
	for (size_t i = 0; i < source->n; i++)
		if (es_sampler_can_read(&domains[source->first_domain + i]))
			return;
	if (source->n > 0)
		es_log_say(log, ES_LOG_WARNING, "the meter '%s' of the configuration: %s: not read",
			   domains[source->first_domain].id, domains[source->first_domain].reason);
}

/* Another meter shows the same part. */
static bool has_twin(const struct es_domain *domains, size_t n, const struct es_domain *domain)
{
	for (size_t i = 0; i < n; i++)
		if (es_sampler_can_read(&domains[i]) && es_domain_is_twin(&domains[i], domain))
			return true;
	return false;
}

/* One line for all of a source: its domains are denied for the same reason. */
static void tell_denied(struct es_log *log, const struct es_sampler_source *source,
			const struct es_domain *domains, size_t n_domains)
{
	const struct es_domain *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < source->n; i++) {
		const struct es_domain *domain = &domains[source->first_domain + i];

		if (domain->state != ES_STATE_DENIED || has_twin(domains, n_domains, domain))
			continue;
		first = first ? first : domain;
		n++;
	}
	if (first && n > 1)
		es_log_say(log, ES_LOG_WARNING, "'%s' and %zu more of %s: %s: not read", first->id,
			   n - 1, source->ops->name, first->reason);
	else if (first)
		es_log_say(log, ES_LOG_WARNING, "'%s': %s: not read", first->id, first->reason);
}

static void tell_cover(struct es_log *log, const struct es_node *node)
{
	const struct es_domain *chosen = NULL;

	for (size_t i = 0; i < node->n; i++)
		if (node->domains[i].is_chosen_total)
			chosen = &node->domains[i];
	if (!chosen)
		es_log_say(log, ES_LOG_WARNING,
			   "nothing here can be measured: 'energyscopium doctor' tells why");
	else if (chosen->kind == ES_KIND_ESTIMATED)
		es_log_say(
			log, ES_LOG_WARNING,
			"no meter of this node can be read: its energy is estimated from CPU time; "
			"'energyscopium doctor' tells why");
}

void es_tell_meters(struct es_log *log, const struct es_node *node)
{
	size_t n_sources, n_domains;
	const struct es_sampler_source *sources = es_sampler_sources(node->sampler, &n_sources);
	const struct es_domain *domains = es_sampler_domains(node->sampler, &n_domains);

	for (size_t i = 0; i < n_sources; i++) {
		if (i + node->n_named >= n_sources)
			tell_named(log, &sources[i], domains);
		else
			tell_denied(log, &sources[i], domains, n_domains);
	}
	tell_cover(log, node);
}
