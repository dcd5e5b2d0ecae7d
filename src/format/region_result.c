/*
 * region_result.c - from energies in each domain to what the report says of regions
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/region_result.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "format/region_fit.h"
#include "format/regions.h"

#define CELLS_MAX \
	(1U << 22) /* regions times domains: beyond that, energies are not kept by domain */

int es_region_result_begin(struct es_report *report)
{
	size_t n = report->meta->n_domains;

	report->untagged = (struct es_report_untagged){
		.is_known = report->has_energy,
		.dur_ns = report->stop_ns - report->start_ns,
		.energy_uj = report->fine_uj,
	};
	if (!report->has_energy)
		return 0;
	for (size_t i = 0; i < report->n_regions; i++) {
		report->regions[i].is_known = true;
		if (n == 0 || report->n_regions > CELLS_MAX / n)
			continue;
		report->regions[i].by_domain_uj =
			calloc(n, sizeof(*report->regions[i].by_domain_uj));
		if (!report->regions[i].by_domain_uj)
			return -ENOMEM;
	}
	return 0;
}

void es_region_result_edge(struct es_report *report, size_t region, size_t domain,
			   const struct es_edge *edge, bool is_stop)
{
	struct es_report_region *r = &report->regions[region];
	uint64_t energy_uj = is_stop ? edge->energy_uj : 0 - edge->energy_uj;

	r->energy_uj += energy_uj;
	r->uncertainty_j += es_j_from_uj(edge->bound_uj);
	if (r->by_domain_uj)
		r->by_domain_uj[domain] += energy_uj;
}

/* The farther end of what is possible, or what the fit says. */
double es_region_bound_j(const struct es_region_energy *energy)
{
	double below_j = (double)(int64_t)(energy->energy_uj - energy->low_uj) / 1e6,
	       above_j = (double)(int64_t)(energy->high_uj - energy->energy_uj) / 1e6;

	double possible_j = fmax(fmax(below_j, above_j), 0.0) + energy->stale_j;

	return energy->is_fitted ? fmin(energy->fit_j, possible_j) : possible_j;
}

/* A sum in equal parts, to one unit: the first ones have the rest. */
static uint64_t part_of(uint64_t sum, size_t n, size_t i)
{
	return sum / n + (i < sum % n);
}

static void share_state(struct es_report *report, const struct es_owners *owners, size_t state,
			uint64_t energy_uj)
{
	const uint32_t *regions = owners->regions + owners->first[state];
	size_t n = es_owners_count(owners, state);

	if (n == 0)
		report->untagged.energy_uj += energy_uj;
	for (size_t i = 0; i < n; i++)
		report->regions[regions[i]].exclusive_uj += part_of(energy_uj, n, i);
}

/* Time from first to last reading only: energy is known there. */
void es_region_result_times(const struct es_owners *owners, struct es_report *report)
{
	report->untagged.dur_ns = 0;
	for (size_t i = 0; i < owners->n; i++) {
		int64_t from_ns = i ? owners->t_ns[i] : report->start_ns,
			to_ns = i + 1 < owners->n ? owners->t_ns[i + 1] : report->stop_ns;
		size_t state = owners->state[i], n = es_owners_count(owners, state);
		const uint32_t *regions = owners->regions + owners->first[state];

		if (n == 0)
			report->untagged.dur_ns += to_ns - from_ns;
		for (size_t k = 0; k < n; k++)
			report->regions[regions[k]].exclusive_ns +=
				(int64_t)part_of((uint64_t)(to_ns - from_ns), n, k);
	}
}

static void take_domain(const struct es_region_walk *walk, size_t d, struct es_report *report)
{
	const struct es_region_domain *domain = &walk->domains[d];
	const struct es_owners *owners = &walk->tags->owners;

	for (size_t i = 0; i < report->n_regions; i++) {
		struct es_report_region *region = &report->regions[i];

		region->energy_uj += domain->regions[i].energy_uj;
		region->uncertainty_j += es_region_bound_j(&domain->regions[i]);
		if (region->by_domain_uj)
			region->by_domain_uj[d] = domain->regions[i].energy_uj;
	}
	for (size_t state = 0; state < owners->n_states; state++)
		share_state(report, owners, state, domain->states[state].energy_uj);
}

int es_region_result(struct es_region_walk *walk, struct es_report *report)
{
	int r = 0;

	report->untagged.energy_uj = 0;
	for (size_t i = 0; i < report->n_regions; i++)
		report->regions[i].has_exclusive = report->has_energy &&
						   !es_region_is_automatic(report->regions[i].name);
	for (size_t d = 0; r == 0 && d < report->meta->n_domains; d++) {
		if (!walk->domains[d].counts)
			continue;
		r = es_region_fit_apply(walk, d);
		if (r == 0)
			take_domain(walk, d, report);
	}
	return r < 0 ? r : es_region_fit_choose(walk, report);
}

/* The whole acquisition has what the totals have, time before a meter's first and after its last reading included. */
static void complete_total(struct es_report *report, struct es_report_region *region)
{
	region->energy_uj = report->fine_uj;
	region->uncertainty_j = 0;
	for (size_t d = 0; region->by_domain_uj && d < report->meta->n_domains; d++)
		region->by_domain_uj[d] = report->domains[d].is_chosen &&
							  report->by_domain[d].is_known
						  ? report->by_domain[d].energy_uj
						  : 0;
}

/*
 * Of a counter that stood still, to a region in that time: what was drawn in it and never shown; and unless all of it is
 * the region's, what the counter showed too late, be it in the region or behind it.
 */
static double still_j(const struct es_report_domain *sum, const struct es_report_region *region)
{
	int64_t from_ns = region->start_ns > sum->still_from_ns ? region->start_ns
								: sum->still_from_ns;
	int64_t to_ns = region->stop_ns < sum->still_to_ns ? region->stop_ns : sum->still_to_ns;
	int64_t lost_ns = to_ns - from_ns, late_ns = sum->still_ns - sum->lost_ns;

	if (lost_ns <= 0)
		return 0;
	if (from_ns == sum->still_from_ns && to_ns == sum->still_to_ns)
		late_ns = 0;
	lost_ns = lost_ns < region->dur_ns ? lost_ns : region->dur_ns;
	lost_ns = lost_ns < sum->lost_ns ? lost_ns : sum->lost_ns;
	return sum->still_w * es_s_from_ns(lost_ns + late_ns);
}

void es_region_result_end(struct es_report *report)
{
	double fine_j = 0;

	for (size_t i = 0; i < report->meta->n_domains; i++)
		if (report->domains[i].is_chosen && report->by_domain[i].is_known)
			fine_j += report->by_domain[i].uncertainty_j -
				  report->by_domain[i].still_w *
					  es_s_from_ns(report->by_domain[i].lost_ns);
	for (size_t i = 0; i < report->n_regions && report->has_energy; i++) {
		struct es_report_region *region = &report->regions[i];

		if (strcmp(region->name, "es_total") == 0)
			complete_total(report, region);
		if (report->fine_uj > 0)
			region->uncertainty_j +=
				fine_j * (double)region->energy_uj / (double)report->fine_uj;
		for (size_t d = 0; d < report->meta->n_domains; d++)
			if (report->domains[d].is_chosen && report->by_domain[d].is_known)
				region->uncertainty_j += still_j(&report->by_domain[d], region);
	}
}
