/*
 * regions.c - tags of a recording and their energy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/regions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "core/edges.h"
#include "format/report.h"

struct call {
	size_t region;
	int64_t start_ns, stop_ns;
	uint32_t depth; /* open calls of the same name inside; 0: closed */
};

struct edge {
	int64_t t_ns;
	size_t call;
	bool is_stop;
};

struct es_regions {
	struct es_report_region *regions;
	size_t n_regions, cap_regions;
	struct call *calls;
	size_t n_calls, cap_calls;
};

/* The second walk: the energy at each edge, domain by domain, samples in order of time. */
struct measuring {
	struct es_report *report;
	struct es_watch watch;
	struct edge *edges; /* sorted by time */
	size_t n_edges;
	size_t *next; /* [domain] first edge after the domain's last sample */
	uint64_t *cumulative_uj; /* [domain] */
	int64_t *gap_ns; /* [domain] sum of its gaps so far */
	double *edge_j, *edge_bound_j; /* [edge] */
};

struct es_regions *es_regions_create(void)
{
	return calloc(1, sizeof(struct es_regions));
}

void es_regions_destroy(struct es_regions *regions)
{
	if (!regions)
		return;
	free(regions->regions);
	free(regions->calls);
	free(regions);
}

/* The array with room for one more of @size bytes; NULL: no memory. @cap is how many it holds. */
static void *grow(void *array, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap ? *cap * 2 : 16;
	void *larger;

	if (n < *cap)
		return array;
	larger = reallocarray(array, want, size);
	if (larger)
		*cap = want;
	return larger;
}

static bool find_region(const struct es_regions *regions, const char *name, size_t *ret)
{
	for (size_t i = 0; i < regions->n_regions; i++) {
		if (strcmp(regions->regions[i].name, name) == 0) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static int add_region(struct es_regions *regions, const char *name, size_t *ret)
{
	struct es_report_region *larger;

	if (regions->n_regions >= ES_REGION_CALLS_MAX)
		return -E2BIG;
	larger = grow(regions->regions, regions->n_regions, &regions->cap_regions,
		      sizeof(*regions->regions));
	if (!larger)
		return -ENOMEM;
	regions->regions = larger;
	regions->regions[regions->n_regions] =
		(struct es_report_region){ .group = ES_REPORT_NO_GROUP };
	memcpy(regions->regions[regions->n_regions].name, name, strlen(name) + 1);
	*ret = regions->n_regions++;
	return 0;
}

static struct call *open_call(struct es_regions *regions, size_t region)
{
	for (size_t i = regions->n_calls; i-- > 0;)
		if (regions->calls[i].region == region)
			return regions->calls[i].depth ? &regions->calls[i] : NULL;
	return NULL;
}

int es_regions_start(struct es_regions *regions, const char *name, int64_t t_ns)
{
	struct call *call, *calls;
	size_t region;
	int r = find_region(regions, name, &region) ? 0 : add_region(regions, name, &region);

	if (r < 0)
		return r;
	call = open_call(regions, region);
	if (call) {
		call->depth++;
		return 0;
	}
	if (regions->n_calls >= ES_REGION_CALLS_MAX)
		return -E2BIG;
	calls = grow(regions->calls, regions->n_calls, &regions->cap_calls,
		     sizeof(*regions->calls));
	if (!calls)
		return -ENOMEM;
	regions->calls = calls;
	regions->calls[regions->n_calls++] = (struct call){
		.region = region, .start_ns = t_ns, .stop_ns = INT64_MAX, .depth = 1
	};
	return 0;
}

int es_regions_stop(struct es_regions *regions, const char *name, int64_t t_ns)
{
	struct call *call;
	size_t region;

	if (!find_region(regions, name, &region))
		return 0;
	call = open_call(regions, region);
	if (call && --call->depth == 0)
		call->stop_ns = t_ns;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return x->t_ns < y->t_ns ? -1 : x->t_ns > y->t_ns;
}

static void on_sample(void *arg, size_t domain, const struct es_sample *sample)
{
	struct measuring *measuring = arg;
	size_t e = measuring->next[domain];
	struct es_sample filled = *sample;

	if (!measuring->report->domains[domain].is_chosen ||
	    !measuring->report->by_domain[domain].is_known)
		return;
	/* As in the totals: over all gaps together the domain's mean power is assumed, rounded once. */
	if (sample->is_gap) {
		uint64_t mean_mw = measuring->report->by_domain[domain].mean_mw;
		int64_t before_ns = measuring->gap_ns[domain];

		measuring->gap_ns[domain] += sample->t1_ns - sample->t0_ns;
		filled.energy_uj = es_energy_at_most_uj(mean_mw, measuring->gap_ns[domain]) -
				   es_energy_at_most_uj(mean_mw, before_ns);
		filled.is_gap = false;
	}
	/* Edges before the first sample have the energy at its start. */
	for (; e < measuring->n_edges && measuring->edges[e].t_ns <= filled.t1_ns; e++) {
		struct es_edge edge = { .t_ns = measuring->edges[e].t_ns,
					.energy_uj = measuring->cumulative_uj[domain] };

		es_edge_add(&edge, &filled);
		measuring->edge_j[e] += es_j_from_uj(edge.energy_uj);
		measuring->edge_bound_j[e] += es_j_from_uj(edge.bound_uj);
	}
	measuring->next[domain] = e;
	measuring->cumulative_uj[domain] += filled.energy_uj;
}

static int on_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	struct measuring *measuring = arg;

	es_watch_reading(&measuring->watch, domain, t_ns, value, activity_ns);
	return 0;
}

/* Edges behind a domain's last sample have all of its energy. */
static void end_edges(struct measuring *measuring)
{
	for (size_t i = 0; i < measuring->report->meta->n_domains; i++) {
		if (!measuring->report->domains[i].is_chosen ||
		    !measuring->report->by_domain[i].is_known)
			continue;
		for (size_t e = measuring->next[i]; e < measuring->n_edges; e++)
			measuring->edge_j[e] += es_j_from_uj(measuring->cumulative_uj[i]);
	}
}

static void sum_calls(struct es_regions *regions, const struct measuring *measuring)
{
	for (size_t e = 0; e < measuring->n_edges; e++) {
		struct call *call = &regions->calls[measuring->edges[e].call];
		struct es_report_region *region = &regions->regions[call->region];
		/* The rounding of a sum of doubles is far below a µJ here; what is stored is an integer again. */
		int64_t energy_uj = (int64_t)(measuring->edge_j[e] * 1e6 + 0.5);

		region->uncertainty_j += measuring->edge_bound_j[e];
		region->energy_uj += measuring->edges[e].is_stop ? (uint64_t)energy_uj
								 : 0 - (uint64_t)energy_uj;
		if (!measuring->edges[e].is_stop)
			continue;
		region->dur_ns += call->stop_ns - call->start_ns;
		region->start_ns = region->n_calls == 0 || call->start_ns < region->start_ns
					   ? call->start_ns
					   : region->start_ns;
		region->stop_ns = call->stop_ns > region->stop_ns ? call->stop_ns : region->stop_ns;
		region->n_calls++;
		region->is_known = measuring->report->has_energy;
	}
}

/* To what the edges leave open comes what the meters do: the fine cover's uncertainty, in proportion. */
static void add_meters(struct es_regions *regions, const struct es_report *report)
{
	double fine_j = 0;

	for (size_t i = 0; i < report->meta->n_domains; i++)
		if (report->domains[i].is_chosen && report->by_domain[i].is_known)
			fine_j += report->by_domain[i].uncertainty_j;
	for (size_t i = 0; i < regions->n_regions && report->fine_uj > 0; i++)
		regions->regions[i].uncertainty_j +=
			fine_j * (double)regions->regions[i].energy_uj / (double)report->fine_uj;
}

static void make_edges(struct es_regions *regions, struct measuring *measuring)
{
	for (size_t i = 0; i < regions->n_calls; i++) {
		struct call *call = &regions->calls[i];

		if (call->stop_ns > measuring->report->stop_ns && call->stop_ns == INT64_MAX)
			call->stop_ns = measuring->report->stop_ns;
		if (call->stop_ns < call->start_ns)
			call->stop_ns = call->start_ns;
		measuring->edges[measuring->n_edges++] =
			(struct edge){ .t_ns = call->start_ns, .call = i };
		measuring->edges[measuring->n_edges++] =
			(struct edge){ .t_ns = call->stop_ns, .call = i, .is_stop = true };
	}
	qsort(measuring->edges, measuring->n_edges, sizeof(*measuring->edges), by_time);
}

static int by_start(const void *a, const void *b)
{
	const struct es_report_call *x = a, *y = b;

	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

static bool is_automatic(const struct es_report_region *region)
{
	return strncmp(region->name, "es_", 3) == 0;
}

/* The calls for those who draw them. */
static int keep_calls(const struct es_regions *regions, struct es_report *report)
{
	report->calls = calloc(regions->n_calls + 1, sizeof(*report->calls));
	if (!report->calls)
		return -ENOMEM;
	for (size_t i = 0; i < regions->n_calls; i++) {
		const struct call *call = &regions->calls[i];

		if (!is_automatic(&regions->regions[call->region]))
			report->calls[report->n_calls++] =
				(struct es_report_call){ .region = call->region,
							 .start_ns = call->start_ns,
							 .stop_ns = call->stop_ns };
	}
	qsort(report->calls, report->n_calls, sizeof(*report->calls), by_start);
	report->calls_are_cut = report->n_calls > ES_REPORT_CALLS_KEPT_MAX;
	if (report->calls_are_cut)
		report->n_calls = ES_REPORT_CALLS_KEPT_MAX;
	return 0;
}

static bool counts(const struct es_report *report, size_t domain)
{
	return report->domains[domain].is_chosen && report->by_domain[domain].is_known;
}

/* All edges from what was noted; false where that does not do. */
static bool look_up(struct measuring *measuring, const struct es_edges *edges)
{
	for (size_t e = 0; e < measuring->n_edges; e++)
		for (size_t i = 0; i < measuring->report->meta->n_domains; i++) {
			struct es_edge edge;

			if (!counts(measuring->report, i))
				continue;
			if (!es_edges_at(edges, i, measuring->edges[e].t_ns, &edge))
				return false;
			measuring->edge_j[e] += es_j_from_uj(edge.energy_uj);
			measuring->edge_bound_j[e] += es_j_from_uj(edge.bound_uj);
		}
	return true;
}

static int walk_edges(struct measuring *measuring, struct es_recording *recording)
{
	static const struct es_visitor visitor = { .reading = on_reading };
	const struct es_report *report = measuring->report;
	int r = es_watch_init(&measuring->watch, report->domains, report->meta->n_domains,
			      report->meta->period_ns);

	if (r < 0)
		return r;
	memset(measuring->edge_j, 0, measuring->n_edges * sizeof(*measuring->edge_j));
	memset(measuring->edge_bound_j, 0, measuring->n_edges * sizeof(*measuring->edge_bound_j));
	measuring->watch.on_sample = on_sample;
	measuring->watch.arg = measuring;
	r = es_recording_walk(recording, &visitor, measuring);
	es_watch_end(&measuring->watch);
	es_watch_finish(&measuring->watch);
	end_edges(measuring);
	return r;
}

/* The whole acquisition has what the totals have, time before a meter's first and after its last reading included. */
static void complete_total(struct es_regions *regions, const struct es_report *report)
{
	for (size_t i = 0; i < regions->n_regions; i++)
		if (strcmp(regions->regions[i].name, "es_total") == 0)
			regions->regions[i].energy_uj = report->fine_uj;
}

int es_regions_measure(struct es_regions *regions, struct es_recording *recording,
		       const struct es_edges *edges, struct es_report *report)
{
	size_t n_edges = 2 * regions->n_calls;
	struct measuring measuring = {
		.report = report,
		.edges = calloc(n_edges + 1, sizeof(*measuring.edges)),
		.edge_j = calloc(n_edges + 1, sizeof(*measuring.edge_j)),
		.edge_bound_j = calloc(n_edges + 1, sizeof(*measuring.edge_bound_j)),
		.next = calloc(report->meta->n_domains + 1, sizeof(*measuring.next)),
		.cumulative_uj =
			calloc(report->meta->n_domains + 1, sizeof(*measuring.cumulative_uj)),
		.gap_ns = calloc(report->meta->n_domains + 1, sizeof(*measuring.gap_ns)),
	};
	int r = -ENOMEM;

	if (measuring.edges && measuring.edge_j && measuring.edge_bound_j && measuring.next &&
	    measuring.cumulative_uj && measuring.gap_ns) {
		make_edges(regions, &measuring);
		r = edges && look_up(&measuring, edges) ? 0 : walk_edges(&measuring, recording);
	}
	if (r == 0)
		r = keep_calls(regions, report);
	if (r == 0) {
		sum_calls(regions, &measuring);
		complete_total(regions, report);
		add_meters(regions, report);
		report->regions = regions->regions;
		report->n_regions = regions->n_regions;
		regions->regions = NULL;
	}
	free(measuring.edges);
	free(measuring.edge_j);
	free(measuring.edge_bound_j);
	free(measuring.next);
	free(measuring.cumulative_uj);
	free(measuring.gap_ns);
	return r;
}

void es_report_regions_finish(struct es_report *report)
{
	for (size_t i = 0; i < report->n_regions; i++)
		free(report->regions[i].by_domain_uj);
	for (size_t i = 0; i < report->n_groups; i++)
		free(report->groups[i].regions);
	free(report->regions);
	free(report->groups);
	free(report->calls);
}
