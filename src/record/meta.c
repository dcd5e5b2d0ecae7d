/*
 * meta.c - what a recording says about itself: nodes, domains, signals, put together
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "record/meta.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"

static const char *const virt_names[] = {
	[ES_VIRT_UNKNOWN] = "unknown",
	[ES_VIRT_NONE] = "none",
	[ES_VIRT_VM] = "vm",
	[ES_VIRT_CONTAINER] = "container",
};

const char *es_virt_name(enum es_virt virt)
{
	return virt_names[virt];
}

int es_virt_from_name(const char *name, enum es_virt *ret)
{
	for (unsigned i = 0; i < ES_ARRAY_SIZE(virt_names); i++)
		if (strcmp(name, virt_names[i]) == 0) {
			*ret = (enum es_virt)i;
			return 0;
		}
	return -EINVAL;
}

void es_meta_init(struct es_meta *meta)
{
	memset(meta, 0, sizeof(*meta));
}

void es_meta_finish(struct es_meta *meta)
{
	free(meta->nodes);
	free(meta->domains);
	free(meta->signals);
	es_meta_init(meta);
}

/*
 * The array with room for one more of @size bytes; NULL: no memory. Arrays grow by doubling, so a full one has a power
 * of two of members.
 */
static void *grow(void *array, size_t n, size_t size)
{
	return n & (n - 1) ? array : reallocarray(array, n ? 2 * n : 1, size);
}

int es_meta_add_node(struct es_meta *meta, const char *name)
{
	struct es_node_info *nodes, *node;

	if (meta->n_nodes >= ES_NODES_MAX || strlen(name) >= sizeof(node->name))
		return -E2BIG;
	nodes = grow(meta->nodes, meta->n_nodes, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	meta->nodes = nodes;
	node = &meta->nodes[meta->n_nodes++];
	memset(node, 0, sizeof(*node));
	memcpy(node->name, name, strlen(name) + 1);
	return 0;
}

static int add_domain(struct es_meta *meta, const struct es_domain *domain, size_t most)
{
	struct es_domain *domains;

	if (meta->n_domains >= most)
		return -E2BIG;
	domains = grow(meta->domains, meta->n_domains, sizeof(*domains));
	if (!domains)
		return -ENOMEM;
	meta->domains = domains;
	meta->domains[meta->n_domains++] = *domain;
	return 0;
}

int es_meta_add_domain(struct es_meta *meta, const struct es_domain *domain)
{
	return add_domain(meta, domain, ES_DOMAINS_MAX);
}

static int add_signal(struct es_meta *meta, const struct es_signal *signal, size_t most)
{
	struct es_signal *signals;

	if (meta->n_signals >= most)
		return -E2BIG;
	signals = grow(meta->signals, meta->n_signals, sizeof(*signals));
	if (!signals)
		return -ENOMEM;
	meta->signals = signals;
	meta->signals[meta->n_signals++] = *signal;
	return 0;
}

int es_meta_add_signal(struct es_meta *meta, const struct es_signal *signal)
{
	return add_signal(meta, signal, ES_SIGNALS_MAX);
}

int es_meta_join(struct es_meta *meta, const struct es_meta *from)
{
	uint32_t first_node = (uint32_t)meta->n_nodes;
	int32_t first_domain = (int32_t)meta->n_domains;
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->n_nodes; i++) {
		r = es_meta_add_node(meta, from->nodes[i].name);
		if (r == 0)
			meta->nodes[meta->n_nodes - 1] = from->nodes[i];
	}
	for (size_t i = 0; r == 0 && i < from->n_domains; i++) {
		struct es_domain domain = from->domains[i];

		domain.node += first_node;
		if (domain.parent >= 0)
			domain.parent += first_domain;
		if (domain.read_period_ns == 0) /* theirs, not that of the first */
			domain.read_period_ns = from->period_ns;
		r = add_domain(meta, &domain, ES_JOINED_MAX);
	}
	for (size_t i = 0; r == 0 && i < from->n_signals; i++) {
		struct es_signal signal = from->signals[i];

		signal.node += first_node;
		r = add_signal(meta, &signal, ES_JOINED_MAX);
	}
	return r;
}
