/*
 * core/cuts.c - what each domain had used up at times that are known beforehand, gaps kept apart
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/cuts.h"

#include <errno.h>
#include <stdlib.h>

#include "core/series.h"

#define CAP_FIRST 8

int es_cuts_init(struct es_cuts *cuts, const int64_t *t_ns, size_t n_times, size_t n_domains)
{
	*cuts = (struct es_cuts){ .t_ns = t_ns, .n_times = n_times, .n_domains = n_domains };
	cuts->domains = calloc(n_domains + 1, sizeof(*cuts->domains));
	return cuts->domains ? 0 : -ENOMEM;
}

void es_cuts_finish(struct es_cuts *cuts)
{
	for (size_t i = 0; cuts->domains && i < cuts->n_domains; i++)
		free(cuts->domains[i].cuts);
	free(cuts->domains);
	*cuts = (struct es_cuts){ .n_times = 0 };
}

/* Number of the first time after @t_ns. */
static size_t first_after(const struct es_cuts *cuts, int64_t t_ns)
{
	size_t low = 0, high = cuts->n_times;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (cuts->t_ns[middle] <= t_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int append(struct es_cuts *cuts, struct es_cuts_domain *domain, const struct es_cut *cut)
{
	size_t cap = domain->cap ? 2 * domain->cap : CAP_FIRST;
	struct es_cut *larger;

	if (cuts->n_cuts >= ES_CUTS_MAX)
		return -E2BIG;
	if (domain->n == domain->cap) {
		larger = reallocarray(domain->cuts, cap, sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		domain->cuts = larger;
		domain->cap = cap;
	}
	domain->cuts[domain->n++] = *cut;
	cuts->n_cuts++;
	return 0;
}

void es_cuts_sample(struct es_cuts *cuts, size_t domain, const struct es_sample *sample)
{
	struct es_cuts_domain *d = &cuts->domains[domain];

	if (!d->has_sample) {
		d->has_sample = true;
		d->first = first_after(cuts, sample->t0_ns);
	}
	while (cuts->error == 0 && d->first + d->n < cuts->n_times &&
	       cuts->t_ns[d->first + d->n] <= sample->t1_ns) {
		int64_t t_ns = cuts->t_ns[d->first + d->n];
		struct es_edge edge = { .t_ns = t_ns, .energy_uj = d->sum.energy_uj };
		struct es_cut cut = d->sum;

		if (sample->is_gap)
			cut.gap_ns += t_ns > sample->t0_ns ? t_ns - sample->t0_ns : 0;
		else
			es_edge_add(&edge, sample);
		cut.energy_uj = edge.energy_uj;
		cuts->error = append(cuts, d, &cut);
	}
	if (sample->is_gap)
		d->sum.gap_ns += sample->t1_ns - sample->t0_ns;
	else
		d->sum.energy_uj += sample->energy_uj;
}

struct es_cut es_cuts_at(const struct es_cuts *cuts, size_t domain, size_t i)
{
	const struct es_cuts_domain *d = &cuts->domains[domain];

	if (!d->has_sample || i < d->first)
		return (struct es_cut){ .energy_uj = 0 };
	return i - d->first < d->n ? d->cuts[i - d->first] : d->sum;
}
