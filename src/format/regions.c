/*
 * regions.c - tags of a recording, paired into calls of regions
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/regions.h"

#include <errno.h>
#include <math.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "core/edges.h"
#include "format/region_fit.h"
#include "format/region_result.h"
#include "format/region_walk.h"
#include "format/report.h"

/* A name in a tree, and the region it is of. */
struct name {
	uint32_t region;
	char text[];
};

/* A start or stop as it was told. */
struct event {
	int64_t t_ns;
	uint32_t region;
	uint32_t order; /* 2 * how many came before, + 1: it is a stop */
};

struct es_regions {
	void *names;
	struct es_report_region *regions;
	size_t n_regions, cap_regions;
	struct event *events;
	size_t n_events, cap_events;
};

bool es_region_is_automatic(const char *name)
{
	return strcmp(name, "es_total") == 0 || strcmp(name, "es_appli_total") == 0;
}

struct es_regions *es_regions_create(void)
{
	return calloc(1, sizeof(struct es_regions));
}

void es_regions_destroy(struct es_regions *regions)
{
	if (!regions)
		return;
	tdestroy(regions->names, free);
	free(regions->regions);
	free(regions->events);
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

static int by_text(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return strcmp(x->text, y->text);
}

static int add_region(struct es_regions *regions, const char *text)
{
	struct es_report_region *larger;

	if (regions->n_regions >= ES_REGIONS_MAX)
		return -E2BIG;
	larger = grow(regions->regions, regions->n_regions, &regions->cap_regions,
		      sizeof(*regions->regions));
	if (!larger)
		return -ENOMEM;
	regions->regions = larger;
	regions->regions[regions->n_regions] =
		(struct es_report_region){ .group = ES_REPORT_NO_GROUP };
	memcpy(regions->regions[regions->n_regions].name, text, strlen(text) + 1);
	regions->n_regions++;
	return 0;
}

static int find_region(struct es_regions *regions, const char *text, uint32_t *ret)
{
	size_t size = strlen(text) + 1;
	struct name *name = size <= ES_NAME_MAX_BYTES ? malloc(sizeof(*name) + size) : NULL;
	void *node;
	int r;

	if (!name)
		return size <= ES_NAME_MAX_BYTES ? -ENOMEM : -ENAMETOOLONG;
	name->region = (uint32_t)regions->n_regions;
	memcpy(name->text, text, size);
	node = tsearch(name, &regions->names, by_text);
	if (!node || *(struct name **)node != name) {
		*ret = node ? (*(struct name **)node)->region : 0;
		free(name);
		return node ? 0 : -ENOMEM;
	}
	*ret = name->region;
	r = add_region(regions, text);
	if (r < 0) {
		(void)tdelete(name, &regions->names, by_text);
		free(name);
	}
	return r;
}

static int add_event(struct es_regions *regions, const char *name, int64_t t_ns, bool is_stop)
{
	struct event *larger;
	uint32_t region;
	int r;

	if (regions->n_events >= 2 * ES_REGION_CALLS_MAX)
		return -E2BIG;
	r = find_region(regions, name, &region);
	if (r < 0)
		return r;
	larger = grow(regions->events, regions->n_events, &regions->cap_events,
		      sizeof(*regions->events));
	if (!larger)
		return -ENOMEM;
	regions->events = larger;
	regions->events[regions->n_events] = (struct event){
		.t_ns = t_ns, .region = region, .order = (uint32_t)(2 * regions->n_events + is_stop)
	};
	regions->n_events++;
	return 0;
}

int es_regions_start(struct es_regions *regions, const char *name, int64_t t_ns)
{
	return add_event(regions, name, t_ns, false);
}

int es_regions_stop(struct es_regions *regions, const char *name, int64_t t_ns)
{
	return add_event(regions, name, t_ns, true);
}

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->t_ns != y->t_ns)
		return x->t_ns < y->t_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void sort_events(struct es_regions *regions)
{
	for (size_t i = 1; i < regions->n_events; i++)
		if (by_time(&regions->events[i - 1], &regions->events[i]) > 0) {
			qsort(regions->events, regions->n_events, sizeof(*regions->events),
			      by_time);
			return;
		}
}

static int64_t clip(int64_t t_ns, const struct es_report *report)
{
	t_ns = t_ns < report->start_ns ? report->start_ns : t_ns;
	return t_ns > report->stop_ns ? report->stop_ns : t_ns;
}

static void close_call(const struct es_report *report, struct es_region_tags *tags, uint32_t c,
		       int64_t t_ns)
{
	struct es_call *call = &tags->calls[c];

	call->stop_ns = t_ns < call->start_ns ? call->start_ns : t_ns;
	call->stop_edge = (uint32_t)tags->n_edges;
	tags->edges[tags->n_edges++] =
		(struct es_call_edge){ .t_ns = clip(t_ns, report), .call = c, .is_stop = true };
}

/* Starts and stops in order of time become calls; of those inside of one of the same name nothing is left. */
static void pair(const struct es_regions *regions, const struct es_report *report,
		 struct es_region_tags *tags, uint32_t *depth, uint32_t *call)
{
	for (size_t i = 0; i < regions->n_events; i++) {
		const struct event *event = &regions->events[i];
		uint32_t region = event->region;

		if (event->order & 1) {
			if (depth[region] && --depth[region] == 0)
				close_call(report, tags, call[region], event->t_ns);
			continue;
		}
		if (depth[region]++)
			continue;
		call[region] = (uint32_t)tags->n_calls;
		tags->calls[tags->n_calls++] = (struct es_call){
			.region = region,
			.start_ns = event->t_ns,
			.takes_time = !es_region_is_automatic(regions->regions[region].name),
		};
		tags->edges[tags->n_edges++] =
			(struct es_call_edge){ .t_ns = clip(event->t_ns, report),
					       .call = call[region] };
	}
	/* What was never stopped lasts to the end; what began last ends first. */
	for (size_t c = tags->n_calls; c-- > 0;) {
		uint32_t region = tags->calls[c].region;

		if (depth[region] && call[region] == c)
			close_call(report, tags, (uint32_t)c, report->stop_ns);
	}
}

static void sum_calls(struct es_regions *regions, const struct es_region_tags *tags)
{
	for (size_t c = 0; c < tags->n_calls; c++) {
		const struct es_call *call = &tags->calls[c];
		struct es_report_region *region = &regions->regions[call->region];

		region->dur_ns += call->stop_ns - call->start_ns;
		if (region->n_calls == 0 || call->start_ns < region->start_ns)
			region->start_ns = call->start_ns;
		if (call->stop_ns > region->stop_ns || region->n_calls == 0)
			region->stop_ns = call->stop_ns;
		region->n_calls++;
	}
}

static int make_tags(struct es_regions *regions, const struct es_report *report,
		     struct es_region_tags *ret)
{
	struct es_region_tags tags = {
		.calls = calloc(regions->n_events + 1, sizeof(*tags.calls)),
		.edges = calloc(2 * regions->n_events + 1, sizeof(*tags.edges)),
		.n_regions = regions->n_regions,
	};
	uint32_t *depth = calloc(regions->n_regions + 1, sizeof(*depth));
	uint32_t *call = calloc(regions->n_regions + 1, sizeof(*call));
	int r = -ENOMEM;

	sort_events(regions);
	if (tags.calls && tags.edges && depth && call) {
		pair(regions, report, &tags, depth, call);
		sum_calls(regions, &tags);
		for (size_t c = 0; c < tags.n_calls; c++)
			tags.calls[c].is_short = es_region_is_short(
				report, &regions->regions[tags.calls[c].region], SIZE_MAX);
		r = es_owners_build(tags.calls, tags.n_calls, tags.edges, tags.n_edges,
				    regions->n_regions, &tags.owners);
	}
	free(depth);
	free(call);
	*ret = tags;
	return r;
}

static void finish_tags(struct es_region_tags *tags)
{
	free(tags->calls);
	free(tags->edges);
	es_owners_finish(&tags->owners);
}

/* The calls for those who draw them; they are in order of their starts. */
static int keep_calls(const struct es_region_tags *tags, struct es_report *report)
{
	size_t n = 0;

	report->calls = calloc(tags->n_calls + 1, sizeof(*report->calls));
	if (!report->calls)
		return -ENOMEM;
	for (size_t c = 0; c < tags->n_calls; c++) {
		const struct es_call *call = &tags->calls[c];

		if (!call->takes_time)
			continue;
		if (n++ < ES_REPORT_CALLS_KEPT_MAX)
			report->calls[report->n_calls++] =
				(struct es_report_call){ .region = call->region,
							 .start_ns = call->start_ns,
							 .stop_ns = call->stop_ns };
	}
	report->calls_are_cut = n > report->n_calls;
	return 0;
}

/* A name that was only ever stopped is no region. */
static int drop_unstarted(struct es_regions *regions)
{
	uint32_t *index = calloc(regions->n_regions + 1, sizeof(*index));
	size_t n = 0, n_events = 0;

	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < regions->n_events; i++)
		if (!(regions->events[i].order & 1))
			index[regions->events[i].region] = 1;
	for (size_t i = 0; i < regions->n_regions; i++) {
		bool has_start = index[i];

		index[i] = has_start ? (uint32_t)n : UINT32_MAX;
		if (has_start)
			regions->regions[n++] = regions->regions[i];
	}
	regions->n_regions = n;
	for (size_t i = 0; i < regions->n_events; i++) {
		struct event event = regions->events[i];

		event.region = index[event.region];
		if (event.region != UINT32_MAX)
			regions->events[n_events++] = event;
	}
	regions->n_events = n_events;
	free(index);
	return 0;
}

/* The energies at the edges from what was noted; false where that does not do. Only for automatic regions. */
static bool look_up(const struct es_region_tags *tags, const struct es_edges *edges,
		    struct es_report *report)
{
	for (size_t e = 0; e < tags->n_edges; e++)
		for (size_t i = 0; i < report->meta->n_domains; i++) {
			struct es_edge edge;

			if (report->domains[i].is_chosen && report->by_domain[i].is_known &&
			    (report->by_domain[i].filled_uj ||
			     !es_edges_at(edges, i, tags->edges[e].t_ns, &edge)))
				return false;
		}
	for (size_t e = 0; e < tags->n_edges; e++)
		for (size_t i = 0; i < report->meta->n_domains; i++) {
			const struct es_call_edge *edge = &tags->edges[e];
			size_t region = tags->calls[edge->call].region;
			struct es_edge at;

			if (report->domains[i].is_chosen && report->by_domain[i].is_known &&
			    es_edges_at(edges, i, edge->t_ns, &at))
				es_region_result_edge(report, region, i, &at, edge->is_stop);
		}
	return true;
}

static int walk(const struct es_region_tags *tags, struct es_recording *recording,
		struct es_report *report)
{
	struct es_region_walk all;
	int r = es_region_walk_init(&all, tags, report);

	es_region_result_times(&tags->owners, report);
	if (r == 0)
		r = es_region_fit_plan(&all);
	if (r == 0)
		r = es_region_walk_run(&all, recording);
	if (r == 0)
		r = es_region_result(&all, report);
	es_region_walk_finish(&all);
	return r;
}

int es_regions_measure(struct es_regions *regions, struct es_recording *recording,
		       const struct es_edges *edges, struct es_report *report)
{
	struct es_region_tags tags = { .n_calls = 0 };
	int r = drop_unstarted(regions);

	if (r == 0)
		r = make_tags(regions, report, &tags);
	if (r == 0)
		r = keep_calls(&tags, report);
	if (r == 0) {
		report->regions = regions->regions;
		report->n_regions = regions->n_regions;
		regions->regions = NULL;
		r = es_region_result_begin(report);
	}
	if (r == 0) {
		bool is_simple = report->n_calls == 0 && edges;

		if (!is_simple || !look_up(&tags, edges, report))
			r = walk(&tags, recording, report);
		es_region_result_end(report);
	}
	finish_tags(&tags);
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
