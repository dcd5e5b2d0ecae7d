/*
 * core/crosscheck.c - which meters overlap, and their windows over one stretch of time
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/crosscheck.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "core/crosscheck_judge.h"

#define NS_PER_S 1000000000LL
#define WINDOW_LEAST_NS (NS_PER_S / 2)
#define WINDOW_UPDATES 2 /* a window holds so many readings of the slower one */
#define WINDOWS_MOST 600
#define LAG_MOST_NS (90 * NS_PER_S)
#define ENDS_UPDATES 2 /* either end is up to one update old */

static const char *const code_names[ES_N_CROSS_CODES] = {
	[ES_CROSS_AGREE] = "agree",
	[ES_CROSS_UNIT] = "unit_15_3",
	[ES_CROSS_FACTOR] = "factor",
	[ES_CROSS_DIFFER] = "differ",
	[ES_CROSS_MIRROR] = "mirror",
	[ES_CROSS_DISTINCT] = "distinct",
	[ES_CROSS_HOLDS] = "holds_parts",
	[ES_CROSS_LESS] = "less_than_parts",
	[ES_CROSS_RISES_LESS] = "rises_less",
	[ES_CROSS_STALE] = "stale",
	[ES_CROSS_LATE] = "late",
	[ES_CROSS_STILL] = "still",
	[ES_CROSS_TOO_SHORT] = "too_short",
};

const char *es_cross_code_name(enum es_cross_code code)
{
	return code_names[code];
}

const char *es_cross_relation_name(enum es_cross_relation relation)
{
	static const char *const names[] = {
		[ES_CROSS_SAME] = "same", [ES_CROSS_DIES] = "dies", [ES_CROSS_CONTAINS] = "contains"
	};

	return names[relation];
}

bool es_cross_is_fault(enum es_cross_code code)
{
	return code == ES_CROSS_UNIT || code == ES_CROSS_FACTOR || code == ES_CROSS_DIFFER ||
	       code == ES_CROSS_LESS || code == ES_CROSS_RISES_LESS || code == ES_CROSS_STALE ||
	       code == ES_CROSS_LATE;
}

static bool is_meter(const struct es_domain *domain, const struct es_course *course)
{
	return course->n >= 2 && domain->kind != ES_KIND_ESTIMATED &&
	       domain->kind != ES_KIND_ATTRIBUTED;
}

/* How old its value may be: what its maker says, or how often it was read. */
static int64_t age_ns(const struct es_domain *domain, const struct es_course *course)
{
	return domain->update_period_ns > 0 ? domain->update_period_ns : es_course_step_ns(course);
}

static int64_t slower_ns(const struct es_domain *domain, const struct es_course *course)
{
	int64_t step_ns = es_course_step_ns(course), age = age_ns(domain, course);

	return step_ns > age ? step_ns : age;
}

/* The variance of a window's power from what its edges are off by. */
static double noise(const struct es_domain *domain, const struct es_course *course,
		    int64_t window_ns, double mean_w)
{
	double share = fmin((double)slower_ns(domain, course) / (double)window_ns, 1);
	double step_w = (double)domain->range.unit_nj / 1e9 / es_s_from_ns(window_ns);

	return pow(mean_w * share, 2) + step_w * step_w;
}

static double mean_w(const struct es_course *course)
{
	const struct es_course_knot *last = &course->knots[course->n - 1];
	int64_t dur_ns = last->t_ns - course->knots[0].t_ns;

	return dur_ns > 0 ? last->energy_j / es_s_from_ns(dur_ns) : 0;
}

/* Two counters without an error of their own lie on each other: it matters only where one is worse. */
static double noise_ratio(const struct es_cross_pair *pair, const struct es_domain *domains,
			  const struct es_course *courses)
{
	double x = 0, y = noise(&domains[pair->y], &courses[pair->y], pair->window_ns,
				mean_w(&courses[pair->y]));

	for (size_t i = 0; i < pair->n_x; i++)
		x += noise(&domains[pair->x[i]], &courses[pair->x[i]], pair->window_ns,
			   mean_w(&courses[pair->x[i]]));
	return x > 0 && y > 0 ? y / x : 1;
}

static void choose_window(struct es_cross_pair *pair, const struct es_domain *domains,
			  const struct es_course *courses)
{
	int64_t slowest_ns = slower_ns(&domains[pair->y], &courses[pair->y]);

	for (size_t i = 0; i < pair->n_x; i++) {
		int64_t ns = slower_ns(&domains[pair->x[i]], &courses[pair->x[i]]);

		slowest_ns = ns > slowest_ns ? ns : slowest_ns;
	}
	pair->window_ns = WINDOW_UPDATES * slowest_ns;
	if (pair->window_ns < WINDOW_LEAST_NS)
		pair->window_ns = WINDOW_LEAST_NS;
	if (pair->window_ns < pair->span_ns / WINDOWS_MOST)
		pair->window_ns = pair->span_ns / WINDOWS_MOST;
}

/* What is at the ends of the stretch is in no window's scatter. */
static double ends_share(const struct es_cross_pair *pair, const struct es_domain *domains,
			 const struct es_course *courses)
{
	int64_t ns = age_ns(&domains[pair->y], &courses[pair->y]), slowest_ns = 0;

	for (size_t i = 0; i < pair->n_x; i++) {
		int64_t age = age_ns(&domains[pair->x[i]], &courses[pair->x[i]]);

		slowest_ns = age > slowest_ns ? age : slowest_ns;
	}
	return ENDS_UPDATES * (double)(ns + slowest_ns) / (double)pair->span_ns;
}

static int compare(struct es_cross_pair *pair, const struct es_domain *domains,
		   const struct es_course *courses)
{
	const struct es_course *parts[ES_CROSS_PARTS_MAX];
	const struct es_pair_source source = { .x = parts,
					       .n_x = pair->n_x,
					       .y = &courses[pair->y] };
	struct es_pairs windows = { .n = 0 };
	int64_t t0_ns;
	int r;

	for (size_t i = 0; i < pair->n_x; i++)
		parts[i] = &courses[pair->x[i]];
	pair->span_ns = es_pairs_span_ns(&source, &t0_ns);
	if (pair->span_ns <= 0)
		return 0;
	choose_window(pair, domains, courses);
	r = es_pairs_find_lag(&source, 1, pair->window_ns,
			      pair->span_ns / 4 < LAG_MOST_NS ? pair->span_ns / 4 : LAG_MOST_NS,
			      &pair->lag);
	/* Less than what one may be behind by itself is none. */
	if (pair->lag.is_known && llabs(pair->lag.lag_ns) <= pair->lag.bound_ns)
		pair->lag.lag_ns = 0;
	if (r == 0)
		r = es_pairs_gather(&windows, &source, pair->window_ns, pair->lag.lag_ns, 0);
	if (r == 0) {
		pair->has_fit = es_pairs_fit(&windows, noise_ratio(pair, domains, courses),
					     &pair->fit) == 0;
		pair->fit.ratio_bound += pair->fit.ratio * ends_share(pair, domains, courses);
	}
	es_pairs_finish(&windows);
	return r;
}

struct making {
	const struct es_domain *domains;
	const struct es_course *courses;
	size_t n;
	struct es_cross *cross;
};

static int add_pair(struct making *making, const struct es_cross_pair *pair)
{
	struct es_cross *cross = making->cross;
	struct es_cross_pair *larger;
	int r;

	if (cross->n == ES_CROSS_PAIRS_MAX) {
		cross->is_cut = true;
		return 0;
	}
	larger = reallocarray(cross->pairs, cross->n + 1, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	cross->pairs = larger;
	cross->pairs[cross->n] = *pair;
	r = compare(&cross->pairs[cross->n], making->domains, making->courses);
	if (r < 0)
		return r;
	es_cross_judge(&cross->pairs[cross->n], making->domains, making->courses);
	cross->n++;
	return 0;
}

static bool is_die_beside(const struct es_domain *a, const struct es_domain *b)
{
	return a->node == b->node && a->type == b->type && a->package == b->package &&
	       a->die == 0 && b->die > 0 && strcmp(a->source, b->source) == 0 &&
	       a->type != ES_DOMAIN_GPU;
}

static int add_same(struct making *making, size_t y)
{
	for (size_t x = 0; x < making->n; x++) {
		const struct es_domain *a = &making->domains[x], *b = &making->domains[y];
		bool is_twin = x < y && es_domain_is_twin(a, b);
		struct es_cross_pair pair = { .relation = is_twin ? ES_CROSS_SAME : ES_CROSS_DIES,
					      .x = { x },
					      .n_x = 1,
					      .y = y };
		int r;

		if (x == y || !is_meter(a, &making->courses[x]) ||
		    (!is_twin && !is_die_beside(a, b)))
			continue;
		r = add_pair(making, &pair);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool overlaps_any(const struct making *making, const struct es_cross_pair *pair, size_t i)
{
	for (size_t k = 0; k < pair->n_x; k++) {
		const struct es_domain *a = &making->domains[pair->x[k]], *b = &making->domains[i];

		if (es_domain_contains(a, b) || es_domain_contains(b, a) ||
		    es_domain_is_twin(a, b) || es_domain_may_overlap(a, b))
			return true;
	}
	return false;
}

/* The widest parts inside that do not overlap. */
static void gather_parts(const struct making *making, struct es_cross_pair *pair)
{
	static const enum es_domain_type order[] = { ES_DOMAIN_DIE,  ES_DOMAIN_PACKAGE,
						     ES_DOMAIN_DRAM, ES_DOMAIN_GPU,
						     ES_DOMAIN_CORE, ES_DOMAIN_UNCORE };

	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
		for (size_t i = 0; i < making->n && pair->n_x < ES_CROSS_PARTS_MAX; i++) {
			const struct es_domain *domain = &making->domains[i];

			if (domain->type == order[k] && !domain->is_partial &&
			    (domain->state == ES_STATE_OK || domain->state == ES_STATE_UNPROVEN) &&
			    is_meter(domain, &making->courses[i]) &&
			    es_domain_contains(&making->domains[pair->y], domain) &&
			    !overlaps_any(making, pair, i))
				pair->x[pair->n_x++] = i;
		}
}

static int add_parts(struct making *making, size_t y)
{
	struct es_cross_pair pair = { .relation = ES_CROSS_CONTAINS, .y = y };
	const struct es_domain *domain = &making->domains[y];

	/* The second meter of a processor has the parts of the first. */
	if (domain->state == ES_STATE_DUPLICATE && domain->type != ES_DOMAIN_NODE &&
	    domain->type != ES_DOMAIN_PSYS)
		return 0;
	gather_parts(making, &pair);
	return pair.n_x ? add_pair(making, &pair) : 0;
}

int es_cross_check(const struct es_domain *domains, const struct es_course *courses, size_t n,
		   struct es_cross *ret)
{
	struct es_cross cross = { .n = 0 };
	struct making making = { .domains = domains, .courses = courses, .n = n, .cross = &cross };
	int r = 0;

	for (size_t y = 0; y < n && r == 0; y++) {
		if (!is_meter(&domains[y], &courses[y]))
			continue;
		r = add_same(&making, y);
		if (r == 0)
			r = add_parts(&making, y);
	}
	if (r < 0)
		es_cross_finish(&cross);
	else
		*ret = cross;
	return r;
}

void es_cross_finish(struct es_cross *cross)
{
	free(cross->pairs);
	*cross = (struct es_cross){ .n = 0 };
}
