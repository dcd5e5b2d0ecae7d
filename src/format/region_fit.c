/*
 * region_fit.c - which regions are fitted, and what comes of it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/region_fit.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "format/region_result.h"
#include "format/regions.h"

#define CALLS_MIN 8U /* with fewer there is nothing to fit */
#define SHORT_WINDOWS 8 /* calls shorter than that, in the mean: edges weigh */
#define WINDOWS_MIN 16 /* in the recording: four blocks of four */
#define WINDOWS_MANY 64 /* from here on eight to a block */
#define TARGETS_MAX 32U
#define TELLING_PART 0.5 /* of an energy: a wider bound says too little */
#define SURE_PART \
	0.25 /* of an energy, in windows that the region fills: with more it can be interpolated */
#define CELLS_MAX (1U << 22) /* numbers in all fits */

/* A state and how much there is of it. */
struct weight {
	uint32_t state;
	bool is_short;
	int64_t dur_ns;
};

static int64_t window_ns(const struct es_report *report, size_t d)
{
	int64_t period_ns = es_domain_period_ns(&report->domains[d], report->meta->period_ns);

	return period_ns > 0 ? period_ns : report->mean_period_ns;
}

bool es_region_is_short(const struct es_report *report, const struct es_report_region *region,
			size_t domain)
{
	int64_t length_ns = domain == SIZE_MAX ? 0 : window_ns(report, domain);

	for (size_t d = 0; domain == SIZE_MAX && d < report->meta->n_domains; d++)
		if (report->domains[d].is_chosen && report->by_domain[d].is_known &&
		    window_ns(report, d) > length_ns)
			length_ns = window_ns(report, d);
	return region->n_calls >= CALLS_MIN && !es_region_is_automatic(region->name) &&
	       region->dur_ns / region->n_calls / SHORT_WINDOWS < length_ns;
}

/* Which regions are short in a domain; @ret_any: for one of all domains. */
static int find_short(struct es_region_walk *walk, size_t d, bool *ret_any)
{
	const struct es_report *report = walk->report;
	struct es_region_domain *domain = &walk->domains[d];
	int64_t length_ns = window_ns(report, d);
	bool has_any = false;

	if (!domain->counts || length_ns <= 0 ||
	    report->by_domain[d].covered_ns / length_ns < WINDOWS_MIN)
		return 0;
	domain->is_short = calloc(report->n_regions + 1, sizeof(*domain->is_short));
	if (!domain->is_short)
		return -ENOMEM;
	for (size_t i = 0; i < report->n_regions; i++) {
		domain->is_short[i] = es_region_is_short(report, &report->regions[i], d);
		has_any = has_any || domain->is_short[i];
		ret_any[i] = ret_any[i] || domain->is_short[i];
	}
	if (!has_any) {
		free(domain->is_short);
		domain->is_short = NULL;
	}
	return 0;
}

static int by_weight(const void *a, const void *b)
{
	const struct weight *x = a, *y = b;

	if (x->is_short != y->is_short)
		return x->is_short ? -1 : 1;
	return x->dur_ns > y->dur_ns ? -1 : x->dur_ns < y->dur_ns;
}

/* Columns for what is untagged, then for the states of short regions, then for the others, as far as there are any. */
static int choose_columns(struct es_region_walk *walk, const bool *are_short, size_t n_max)
{
	const struct es_owners *owners = &walk->tags->owners;
	struct weight *weights = calloc(owners->n_states, sizeof(*weights));

	if (!weights)
		return -ENOMEM;
	for (uint32_t s = 0; s < owners->n_states; s++) {
		weights[s].state = s;
		for (uint32_t k = owners->first[s]; k < owners->first[s + 1]; k++)
			weights[s].is_short = weights[s].is_short || are_short[owners->regions[k]];
	}
	for (size_t i = 0; i < owners->n; i++) {
		int64_t from_ns = i ? owners->t_ns[i] : walk->report->start_ns,
			to_ns = i + 1 < owners->n ? owners->t_ns[i + 1] : walk->report->stop_ns;

		weights[owners->state[i]].dur_ns += to_ns - from_ns;
	}
	weights[0].is_short = true;
	weights[0].dur_ns = INT64_MAX;
	qsort(weights, owners->n_states, sizeof(*weights), by_weight);
	walk->n_columns = owners->n_states < n_max ? owners->n_states : n_max;
	for (size_t i = 0; i < owners->n_states; i++)
		walk->column[weights[i].state] =
			(uint32_t)(i < walk->n_columns ? i : walk->n_columns - 1);
	free(weights);
	return 0;
}

/* Nobody else takes any of its time. */
static bool is_alone(const struct es_region_walk *walk, size_t region)
{
	const struct es_report_region *r = &walk->report->regions[region];

	return r->exclusive_ns == r->dur_ns;
}

/* Whether a region is a sum of whole columns. */
static bool has_columns(const struct es_region_walk *walk, size_t region)
{
	return is_alone(walk, region) && walk->tags->owners.n_states <= walk->n_columns;
}

/* Other short regions have sums of their own: over the parts of columns that lie inside of them. */
static void choose_targets(struct es_region_walk *walk, const bool *are_short)
{
	for (size_t i = 0; i < walk->tags->n_regions; i++) {
		walk->target[i] = ES_REGION_NO_TARGET;
		if (are_short[i] && !has_columns(walk, i) && walk->n_targets < TARGETS_MAX)
			walk->target[i] = (uint32_t)walk->n_targets++;
	}
}

/* What the fit says of a region; false where it was not asked. */
static bool estimate_region(const struct es_region_walk *walk,
			    const struct es_region_domain *domain, size_t region,
			    struct es_fit_estimate *ret)
{
	size_t columns[ES_FIT_COLUMNS_MAX], n = 0;

	if (!domain->is_short[region])
		return false;
	if (walk->target[region] != ES_REGION_NO_TARGET) {
		*ret = es_fit_estimate(&domain->fit, walk->n_columns + walk->target[region]);
		return true;
	}
	if (!has_columns(walk, region))
		return false;
	for (uint32_t s = walk->first_state[region]; s != 0; s = walk->next_state[s])
		columns[n++] = walk->column[s];
	*ret = es_fit_estimate_set(&domain->fit, columns, n);
	return true;
}

static int init_fits(struct es_region_walk *walk)
{
	const struct es_report *report = walk->report;
	int r = 0;

	for (size_t d = 0; r == 0 && d < report->meta->n_domains; d++) {
		struct es_region_domain *domain = &walk->domains[d];
		int64_t update_ns = report->domains[d].update_period_ns;

		if (!domain->is_short)
			continue;
		r = es_fit_init(
			&domain->fit, walk->n_columns, walk->n_targets,
			report->by_domain[d].covered_ns / window_ns(report, d) < WINDOWS_MANY ? 4
											      : 8);
		/* A counter shows what was drawn up to an update ago. */
		if (!report->domains[d].is_power && update_ns < window_ns(report, d))
			domain->shift_ns = update_ns / 2;
	}
	return r;
}

int es_region_fit_plan(struct es_region_walk *walk)
{
	bool *are_short = calloc(walk->tags->n_regions + 1, sizeof(*are_short));
	size_t n_fits = 0, n_max = ES_FIT_COLUMNS_MAX;
	int r = are_short ? 0 : -ENOMEM;

	for (size_t d = 0; r == 0 && d < walk->report->meta->n_domains; d++) {
		r = find_short(walk, d, are_short);
		n_fits += walk->domains[d].is_short != NULL;
	}
	while (n_max > 4 && n_fits * (ES_FIT_PARTS_MAX + 2) * n_max * n_max > CELLS_MAX)
		n_max--;
	if (r == 0 && n_fits > 0)
		r = choose_columns(walk, are_short, n_max);
	if (r == 0 && n_fits > 0)
		choose_targets(walk, are_short);
	if (r == 0 && n_fits > 0)
		r = init_fits(walk);
	free(are_short);
	return r;
}

/*
 * What interpolation gives, and as much of the correction as the fit is surer than that no energy is negative: two
 * statements about one number, weighed by the inverse squares of their bounds.
 */
static double weigh(const struct es_fit_estimate *estimate, const struct es_region_energy *energy)
{
	double possible_j = es_region_bound_j(energy), sum;

	sum = possible_j * possible_j + estimate->bound_j * estimate->bound_j;
	return estimate->is_separable && sum > 0 ? possible_j * possible_j / sum : 0;
}

/* One column may stand for many states: then each keeps its part of what the column has. */
static void want_states(const struct es_region_walk *walk, const struct es_region_domain *domain,
			bool is_useful, double *want_uj)
{
	double sum_uj[ES_FIT_COLUMNS_MAX] = { 0 };

	for (size_t s = 0; s < walk->tags->owners.n_states; s++)
		sum_uj[walk->column[s]] += (double)domain->states[s].energy_uj;
	for (size_t s = 0; s < walk->tags->owners.n_states; s++) {
		uint32_t column = walk->column[s];
		double own_uj = (double)domain->states[s].energy_uj;
		double part = sum_uj[column] > 0 ? own_uj / sum_uj[column] : 0;

		want_uj[s] = own_uj;
		if (is_useful) {
			struct es_fit_estimate estimate = es_fit_estimate(&domain->fit, column);

			want_uj[s] += part * weigh(&estimate, &domain->states[s]) *
				      estimate.correction_j * 1e6;
		}
	}
}

static void set_fit(const struct es_fit_estimate *estimate, double interpolated_uj, double want_uj,
		    struct es_region_energy *energy)
{
	double scale_uj = fmax(interpolated_uj, (double)energy->energy_uj);

	/* What it took to keep to what is possible, and to close the book, may be an error as well. */
	energy->fit_j = estimate->bound_j + fabs((double)energy->energy_uj - want_uj) / 1e6;
	energy->is_fitted = estimate->is_separable &&
			    estimate->bound_j * 1e6 <= TELLING_PART * scale_uj;
	energy->is_tied = !energy->is_fitted &&
			  (double)energy->low_uj < SURE_PART * (double)energy->energy_uj;
}

static int close_states(struct es_region_walk *walk, struct es_region_domain *domain,
			bool is_useful)
{
	size_t n = walk->tags->owners.n_states;
	uint64_t *low_uj = calloc(n, sizeof(*low_uj)), *high_uj = calloc(n, sizeof(*high_uj)),
		 *got_uj = calloc(n, sizeof(*got_uj)), total_uj = 0;
	double *want_uj = calloc(n, sizeof(*want_uj));
	int r = low_uj && high_uj && got_uj && want_uj ? 0 : -ENOMEM;

	for (size_t s = 0; r == 0 && s < n; s++) {
		low_uj[s] = domain->states[s].low_uj;
		high_uj[s] = domain->states[s].high_uj;
		total_uj += domain->states[s].energy_uj;
	}
	if (r == 0) {
		want_states(walk, domain, is_useful, want_uj);
		r = es_fit_close(want_uj, low_uj, high_uj, n, total_uj, got_uj);
	}
	for (size_t s = 0; r == 0 && s < n; s++) {
		domain->states[s].interpolated_uj = domain->states[s].energy_uj;
		domain->states[s].energy_uj = got_uj[s];
	}
	free(low_uj);
	free(high_uj);
	free(got_uj);
	free(want_uj);
	return r;
}

/* Energy of the states that a region owns alone; all of its own where it has no part in others. */
static uint64_t sum_own_uj(const struct es_region_walk *walk, const struct es_region_domain *domain,
			   size_t region)
{
	const struct es_owners *owners = &walk->tags->owners;
	uint64_t sum_uj = 0;

	for (uint32_t s = walk->first_state[region]; s != 0; s = walk->next_state[s])
		if (es_owners_count(owners, s) == 1)
			sum_uj += domain->states[s].energy_uj;
	return sum_uj;
}

static void set_region(const struct es_region_walk *walk, struct es_region_domain *domain,
		       size_t region, bool helps)
{
	struct es_region_energy *energy = &domain->regions[region];
	double interpolated_uj = (double)energy->energy_uj, want_uj = interpolated_uj;
	struct es_fit_estimate estimate;
	bool is_asked = estimate_region(walk, domain, region, &estimate);

	if (is_asked && helps) {
		want_uj += weigh(&estimate, energy) * estimate.correction_j * 1e6;
		energy->energy_uj = (uint64_t)fmin(fmax(want_uj, (double)energy->low_uj),
						   (double)energy->high_uj);
	}
	/* Where nothing runs inside of it the two are one number. */
	if (is_alone(walk, region))
		energy->energy_uj = sum_own_uj(walk, domain, region);
	if (is_asked)
		set_fit(&estimate, interpolated_uj, want_uj, energy);
}

/* Whether the fit says more of any region than that its energy is not negative. */
static bool is_useful(const struct es_region_walk *walk, const struct es_region_domain *domain)
{
	for (size_t i = 0; i < walk->tags->n_regions; i++) {
		struct es_fit_estimate estimate;

		if (estimate_region(walk, domain, i, &estimate) && estimate.is_separable &&
		    estimate.bound_j < es_region_bound_j(&domain->regions[i]))
			return true;
	}
	return false;
}

int es_region_fit_apply(struct es_region_walk *walk, size_t d)
{
	struct es_region_domain *domain = &walk->domains[d];
	bool helps;
	int r;

	if (!domain->is_short)
		return 0;
	r = es_fit_solve(&domain->fit);
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	domain->is_solved = true;
	helps = is_useful(walk, domain);
	r = close_states(walk, domain, helps);
	for (size_t i = 0; r == 0 && i < walk->tags->n_regions; i++)
		set_region(walk, domain, i, helps);
	return r;
}
