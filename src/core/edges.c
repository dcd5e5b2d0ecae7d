/*
 * core/edges.c - what each domain had used up at certain times, noted while its samples go by
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/edges.h"

#include <errno.h>
#include <stdlib.h>

#define CAP_FIRST 8

int es_edges_init(struct es_edges *edges, size_t n_domains)
{
	*edges = (struct es_edges){ .n_domains = n_domains };
	edges->domains = calloc(n_domains + 1, sizeof(*edges->domains));
	return edges->domains ? 0 : -ENOMEM;
}

void es_edges_finish(struct es_edges *edges)
{
	free(edges->domains);
	free(edges->t_ns);
	free(edges->edges);
	*edges = (struct es_edges){ .n_domains = 0 };
}

static bool make_room(struct es_edges *edges)
{
	size_t cap = edges->cap ? 2 * edges->cap : CAP_FIRST;
	struct es_edge *larger;
	int64_t *longer;

	if (edges->n < edges->cap)
		return true;
	if (edges->n_domains == 0 || cap > ES_EDGES_CELLS_MAX / edges->n_domains)
		return false;
	longer = reallocarray(edges->t_ns, cap, sizeof(*longer));
	if (!longer)
		return false;
	edges->t_ns = longer;
	larger = reallocarray(edges->edges, cap * edges->n_domains, sizeof(*larger));
	if (!larger)
		return false;
	edges->edges = larger;
	edges->cap = cap;
	return true;
}

static struct es_edge in_last_sample(const struct es_edges_domain *domain, int64_t t_ns)
{
	const struct es_sample last = { .t0_ns = domain->last_t0_ns,
					.t1_ns = domain->last_t1_ns,
					.energy_uj = domain->last_uj };
	struct es_edge edge = { .t_ns = t_ns, .energy_uj = domain->sum_uj - domain->last_uj };

	es_edge_add(&edge, &last);
	return edge;
}

void es_edges_note(struct es_edges *edges, int64_t t_ns)
{
	struct es_edge *cell;

	if ((edges->n && t_ns < edges->t_ns[edges->n - 1]) || !make_room(edges))
		return;
	cell = edges->edges + edges->n * edges->n_domains;
	edges->t_ns[edges->n++] = t_ns;
	for (size_t i = 0; i < edges->n_domains; i++) {
		struct es_edges_domain *domain = &edges->domains[i];

		if (!domain->has_sample || t_ns > domain->last_t1_ns)
			continue;
		domain->next = edges->n;
		if (t_ns > domain->last_t0_ns || t_ns <= domain->first_t0_ns)
			cell[i] = in_last_sample(domain, t_ns);
		else
			cell[i] = (struct es_edge){ .t_ns = INT64_MIN };
		if (t_ns <= domain->first_t0_ns)
			cell[i].energy_uj = 0;
	}
}

void es_edges_sample(struct es_edges *edges, size_t domain, const struct es_sample *sample)
{
	struct es_edges_domain *d = &edges->domains[domain];

	if (!d->has_sample) {
		d->has_sample = true;
		d->first_t0_ns = sample->t0_ns;
	}
	d->has_gap = d->has_gap || sample->is_gap;
	for (; d->next < edges->n && edges->t_ns[d->next] <= sample->t1_ns; d->next++) {
		struct es_edge edge = { .t_ns = edges->t_ns[d->next], .energy_uj = d->sum_uj };

		es_edge_add(&edge, sample);
		edges->edges[d->next * edges->n_domains + domain] = edge;
	}
	d->last_t0_ns = sample->t0_ns;
	d->last_t1_ns = sample->t1_ns;
	d->last_uj = sample->energy_uj;
	d->sum_uj += sample->energy_uj;
}

static bool find(const struct es_edges *edges, int64_t t_ns, size_t *ret)
{
	size_t low = 0, high = edges->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (edges->t_ns[middle] < t_ns)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = low;
	return low < edges->n && edges->t_ns[low] == t_ns;
}

bool es_edges_at(const struct es_edges *edges, size_t domain, int64_t t_ns, struct es_edge *ret)
{
	const struct es_edges_domain *d = &edges->domains[domain];
	size_t time;

	if (!d->has_sample || d->has_gap)
		return false;
	if (t_ns <= d->first_t0_ns) {
		*ret = (struct es_edge){ .t_ns = t_ns };
		return true;
	}
	if (t_ns > d->last_t0_ns) {
		*ret = in_last_sample(d, t_ns);
		return true;
	}
	if (!find(edges, t_ns, &time) ||
	    edges->edges[time * edges->n_domains + domain].t_ns == INT64_MIN)
		return false;
	*ret = edges->edges[time * edges->n_domains + domain];
	return true;
}
