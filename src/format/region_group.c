/*
 * region_group.c - the method of each region, and groups of those that no reading tells apart
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/parse.h"
#include "format/region_fit.h"
#include "format/region_result.h"
#include "format/regions.h"

#define TIED_PART \
	0.25 /* of a region's energy that no reading tells from others': then it is not stated */

/* Sets of states, by the least of each. */
struct sets {
	const struct es_region_walk *walk;
	uint32_t *parent; /* [state] */
	uint32_t *shared; /* [state] likewise: states that have a region in common, directly or over others */
	bool *is_marked; /* [state] of the least of those: some are in a group */
	bool *is_group; /* [state] of the least: one of its regions is inseparable */
	uint32_t *of_region; /* [region] a state of its own; 0: it has none */
	uint32_t *anchor; /* [region] inseparable ones: a state of their group */
	size_t *group; /* [state] of the least: its group */
};

static uint32_t least(uint32_t *parent, uint32_t state)
{
	while (parent[state] != state) {
		parent[state] = parent[parent[state]];
		state = parent[state];
	}
	return state;
}

static uint32_t find(struct sets *sets, uint32_t state)
{
	return least(sets->parent, state);
}

static void join(struct sets *sets, uint32_t a, uint32_t b)
{
	bool is_group;

	a = find(sets, a);
	b = find(sets, b);
	if (a == b)
		return;
	is_group = sets->is_group[a] || sets->is_group[b];
	if (a > b)
		sets->parent[a] = b;
	else
		sets->parent[b] = a;
	sets->is_group[a < b ? a : b] = is_group;
}

/* The energy of a region that hangs on what the shares do not tell. */
static double tied_j(const struct es_region_walk *walk, size_t region)
{
	double sum_j = 0;

	for (size_t d = 0; d < walk->report->meta->n_domains; d++)
		if (walk->domains[d].is_solved && walk->domains[d].is_short[region] &&
		    walk->domains[d].regions[region].is_tied)
			sum_j += es_region_bound_j(&walk->domains[d].regions[region]);
	return sum_j;
}

static bool is_fitted(const struct es_region_walk *walk, size_t region)
{
	for (size_t d = 0; d < walk->report->meta->n_domains; d++) {
		const struct es_region_domain *domain = &walk->domains[d];
		struct es_region_energy energy;

		if (!domain->is_solved || !domain->is_short[region] ||
		    !domain->regions[region].is_fitted)
			continue;
		energy = domain->regions[region];
		energy.is_fitted = false;
		if (energy.fit_j < es_region_bound_j(&energy))
			return true;
	}
	return false;
}

/* Columns in a set, and what is known of their sum. */
struct choice {
	size_t columns[ES_FIT_COLUMNS_MAX], n;
	bool has[ES_FIT_COLUMNS_MAX];
	double energy_j[ES_FIT_COLUMNS_MAX]; /* [column] */
	double set_j;
};

static void choose(struct choice *choice, size_t column)
{
	if (choice->has[column])
		return;
	choice->has[column] = true;
	choice->columns[choice->n++] = column;
	choice->set_j += choice->energy_j[column];
}

/* How little is known: the bound beside the energy; where the shares tell nothing, more than any bound. */
static double doubt(const struct es_fit *fit, const struct choice *choice)
{
	struct es_fit_estimate estimate = es_fit_estimate_set(fit, choice->columns, choice->n);

	return estimate.bound_j / fmax(choice->set_j, 1e-9) + (estimate.is_separable ? 0 : 1e9);
}

static bool is_owner(const struct es_owners *owners, size_t state, size_t region)
{
	for (uint32_t k = owners->first[state]; k < owners->first[state + 1]; k++)
		if (owners->regions[k] == region)
			return true;
	return false;
}

/* One more column at a time, the one that helps most, until the sum is known. */
static void widen(const struct es_fit *fit, struct choice *choice)
{
	while (choice->n < fit->n_columns && doubt(fit, choice) > TIED_PART) {
		double best = INFINITY;
		size_t found = 0;

		for (size_t c = 0; c < fit->n_columns; c++) {
			struct choice more = *choice;
			double mixed = 0;

			if (choice->has[c])
				continue;
			for (size_t i = 0; i < choice->n; i++)
				mixed -= fit->mix[choice->columns[i] * fit->n_columns + c];
			choose(&more, c);
			/* Of those that help alike, the one that it is most mixed with. */
			if (doubt(fit, &more) - 1e-9 * mixed < best) {
				best = doubt(fit, &more) - 1e-9 * mixed;
				found = c;
			}
		}
		choose(choice, found);
	}
}

static void join_columns(struct sets *sets, const struct choice *choice, uint32_t *own)
{
	for (uint32_t s = 0; s < sets->walk->tags->owners.n_states; s++) {
		if (!choice->has[sets->walk->column[s]])
			continue;
		if (*own == UINT32_MAX)
			*own = s;
		join(sets, *own, s);
	}
}

/* What a region's energy may be mistaken for, in one set with its own. */
static void join_tied(struct sets *sets, size_t region)
{
	const struct es_region_walk *walk = sets->walk;
	const struct es_owners *owners = &walk->tags->owners;
	uint32_t own = UINT32_MAX;

	for (size_t d = 0; d < walk->report->meta->n_domains; d++) {
		const struct es_region_domain *domain = &walk->domains[d];
		struct choice choice = { .n = 0 };

		if (!domain->is_solved || !domain->is_short[region] ||
		    !domain->regions[region].is_tied)
			continue;
		for (uint32_t s = 0; s < owners->n_states; s++)
			choice.energy_j[walk->column[s]] +=
				es_j_from_uj(domain->states[s].energy_uj);
		for (uint32_t s = 0; s < owners->n_states; s++)
			if (is_owner(owners, s, region))
				choose(&choice, walk->column[s]);
		/* Others take all of its time: then it is about all of them. */
		if (choice.n == 0)
			choose(&choice, walk->column[0]);
		widen(&domain->fit, &choice);
		join_columns(sets, &choice, &own);
	}
	own = own == UINT32_MAX ? 0 : own;
	sets->anchor[region] = own;
	sets->is_group[find(sets, own)] = true;
}

/* A region that owns time together with another has part of its own in that state: all of it is in the group. */
static void join_shared(struct sets *sets)
{
	const struct es_owners *owners = &sets->walk->tags->owners;

	for (uint32_t s = 1; s < owners->n_states; s++)
		for (uint32_t k = owners->first[s]; k < owners->first[s + 1]; k++) {
			uint32_t a = least(sets->shared, s),
				 b = least(sets->shared, sets->of_region[owners->regions[k]]);

			sets->shared[a > b ? a : b] = a > b ? b : a;
		}
	for (uint32_t s = 0; s < owners->n_states; s++)
		if (sets->is_group[find(sets, s)])
			sets->is_marked[least(sets->shared, s)] = true;
	for (uint32_t s = 0; s < owners->n_states; s++)
		if (sets->is_marked[least(sets->shared, s)])
			join(sets, s, least(sets->shared, s));
}

/* In one domain: what is possible, or what the fit says of the sum and how far off that is stated. */
static double domain_bound_j(struct sets *sets, const struct es_region_domain *domain,
			     uint32_t root)
{
	const struct es_region_walk *walk = sets->walk;
	struct choice choice = { .n = 0 };
	double possible_j = 0, beyond_j = 0;
	struct es_fit_estimate estimate;

	for (uint32_t s = 0; s < walk->tags->owners.n_states; s++) {
		const struct es_region_energy *state = &domain->states[s];

		if (find(sets, s) != root)
			continue;
		possible_j += es_region_bound_j(state);
		beyond_j += ((double)state->energy_uj - (double)state->interpolated_uj) / 1e6;
		choose(&choice, walk->column[s]);
	}
	if (!domain->is_solved)
		return possible_j;
	estimate = es_fit_estimate_set(&domain->fit, choice.columns, choice.n);
	return estimate.is_separable
		       ? fmin(possible_j, estimate.bound_j + fabs(beyond_j - estimate.correction_j))
		       : possible_j;
}

static double bound_of(struct sets *sets, uint32_t root)
{
	double sum_j = 0;

	for (size_t d = 0; d < sets->walk->report->meta->n_domains; d++)
		if (sets->walk->domains[d].counts)
			sum_j += domain_bound_j(sets, &sets->walk->domains[d], root);
	return sum_j;
}

static int add_group(struct sets *sets, uint32_t root, struct es_report *report)
{
	struct es_report_group *group = &report->groups[report->n_groups];
	double fine_j = es_j_from_uj(report->fine_uj);

	*group = (struct es_report_group){
		.regions = calloc(report->n_regions + 1, sizeof(*group->regions)),
		.has_untagged = root == 0,
	};
	if (!group->regions)
		return -ENOMEM;
	if (group->has_untagged) {
		group->energy_uj = report->untagged.energy_uj;
		group->dur_ns = report->untagged.dur_ns;
		report->untagged.is_known = false;
		report->untagged.energy_uj = 0;
	}
	for (size_t i = 0; i < report->n_regions; i++) {
		struct es_report_region *region = &report->regions[i];

		if (!sets->of_region[i] || find(sets, sets->of_region[i]) != root)
			continue;
		group->regions[group->n_regions++] = i;
		group->energy_uj += region->exclusive_uj;
		group->dur_ns += region->exclusive_ns;
		region->exclusive_uj = 0;
		region->group = report->n_groups;
	}
	sets->group[root] = report->n_groups;
	group->uncertainty_j = bound_of(sets, root);
	for (size_t d = 0; d < report->meta->n_domains && fine_j > 0; d++)
		if (sets->walk->domains[d].counts)
			group->uncertainty_j += report->by_domain[d].uncertainty_j *
						es_j_from_uj(group->energy_uj) / fine_j;
	report->n_groups++;
	return 0;
}

static int make_groups(struct sets *sets, struct es_report *report)
{
	size_t n_states = sets->walk->tags->owners.n_states, n = 0;
	int r = 0;

	for (uint32_t s = 0; s < n_states; s++)
		n += sets->parent[s] == s && sets->is_group[s];
	report->groups = calloc(n + 1, sizeof(*report->groups));
	if (!report->groups)
		return -ENOMEM;
	for (uint32_t s = 0; r == 0 && s < n_states; s++)
		if (sets->parent[s] == s && sets->is_group[s])
			r = add_group(sets, s, report);
	return r;
}

/* An energy is stated where most of it is told by the readings. */
static size_t find_inseparable(struct sets *sets, struct es_report *report)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n_regions; i++) {
		struct es_report_region *region = &report->regions[i];

		if (!region->has_exclusive)
			continue;
		if (is_fitted(sets->walk, i))
			region->method = ES_REGION_FITTED;
		if (tied_j(sets->walk, i) <= TIED_PART * es_j_from_uj(region->energy_uj))
			continue;
		region->method = ES_REGION_INSEPARABLE;
		join_tied(sets, i);
		n++;
	}
	return n;
}

static void forget(struct sets *sets, struct es_report *report)
{
	for (size_t i = 0; i < report->n_regions; i++) {
		struct es_report_region *region = &report->regions[i];

		if (region->method != ES_REGION_INSEPARABLE)
			continue;
		region->is_known = false;
		region->energy_uj = 0;
		region->uncertainty_j = 0;
		/* Also where others take all of its time. */
		region->group = sets->group[find(sets, sets->anchor[i])];
	}
}

int es_region_fit_choose(const struct es_region_walk *walk, struct es_report *report)
{
	const struct es_owners *owners = &walk->tags->owners;
	struct sets sets = {
		.walk = walk,
		.parent = calloc(owners->n_states + 1, sizeof(*sets.parent)),
		.shared = calloc(owners->n_states + 1, sizeof(*sets.shared)),
		.is_marked = calloc(owners->n_states + 1, sizeof(*sets.is_marked)),
		.is_group = calloc(owners->n_states + 1, sizeof(*sets.is_group)),
		.of_region = calloc(report->n_regions + 1, sizeof(*sets.of_region)),
		.anchor = calloc(report->n_regions + 1, sizeof(*sets.anchor)),
		.group = calloc(owners->n_states + 1, sizeof(*sets.group)),
	};
	int r = sets.parent && sets.shared && sets.is_marked && sets.is_group && sets.of_region &&
				sets.anchor && sets.group
			? 0
			: -ENOMEM;

	for (uint32_t s = 0; r == 0 && s < owners->n_states; s++) {
		sets.parent[s] = s;
		sets.shared[s] = s;
		for (uint32_t k = owners->first[s]; k < owners->first[s + 1]; k++)
			sets.of_region[owners->regions[k]] = s;
	}
	if (r == 0 && find_inseparable(&sets, report) > 0) {
		join_shared(&sets);
		r = make_groups(&sets, report);
		if (r == 0)
			forget(&sets, report);
	}
	free(sets.parent);
	free(sets.shared);
	free(sets.is_marked);
	free(sets.is_group);
	free(sets.of_region);
	free(sets.anchor);
	free(sets.group);
	return r;
}
