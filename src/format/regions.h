/*
 * regions.h - tags of a recording and their energy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REGIONS_H
#define ES_FORMAT_REGIONS_H

#include <stdint.h>

struct es_edges;
struct es_recording;
struct es_regions;
struct es_report;

/* Calls of one name may nest and repeat; a stop without a start is passed over, a start without a stop lasts to the end. */
#define ES_REGION_CALLS_MAX (1U << 20)

struct es_regions *es_regions_create(void); /* NULL: no memory */
void es_regions_destroy(struct es_regions *regions);
/** es_regions_start, es_regions_stop - an edge of region @name; 0, -ENOMEM, or -E2BIG over the limit */
int es_regions_start(struct es_regions *regions, const char *name, int64_t t_ns);
int es_regions_stop(struct es_regions *regions, const char *name, int64_t t_ns);

/**
 * es_regions_measure - fill in @report's regions
 * @edges: what was noted when the report was made; the recording is walked only where that does not do. NULL: nothing
 *
 * Energy is that of the fine cover, interpolated at the edges; the bound is what lies on either side of each edge.
 * Nested calls of one name count once (their outermost call). 0 or negative errno.
 */
int es_regions_measure(struct es_regions *regions, struct es_recording *recording,
		       const struct es_edges *edges, struct es_report *report);

/** es_report_regions_finish - free what es_regions_measure() gave to @report */
void es_report_regions_finish(struct es_report *report);

#endif
