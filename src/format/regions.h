/*
 * regions.h - tags of a recording, paired into calls of regions
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REGIONS_H
#define ES_FORMAT_REGIONS_H

#include <stdbool.h>
#include <stdint.h>

struct es_edges;
struct es_recording;
struct es_regions;
struct es_report;

/* Calls of one name may nest and repeat; a stop without a start is passed over, a start without a stop lasts to the end. */
#define ES_REGION_CALLS_MAX (1U << 20)
#define ES_REGIONS_MAX (1U << 16) /* names */

struct es_regions *es_regions_create(void); /* NULL: no memory */
void es_regions_destroy(struct es_regions *regions);
/** es_regions_start, es_regions_stop - an edge of region @name, in any order of time; 0, -ENOMEM, or -E2BIG over a limit */
int es_regions_start(struct es_regions *regions, const char *name, int64_t t_ns);
int es_regions_stop(struct es_regions *regions, const char *name, int64_t t_ns);

/** es_region_is_automatic - es_total or es_appli_total: every recording has them, and they take no time from others */
bool es_region_is_automatic(const char *name);

/**
 * es_regions_measure - fill in @report's regions, calls, groups and what is untagged
 * @edges: what was noted when the report was made; the recording is walked only where that does not do. NULL: nothing
 *
 * Energies are those of the fine cover. doc/regions.md says how each comes about, and how sure it is. Nested calls of
 * one name count once (their outermost call). Returns 0; -E2BIG: more regions overlap than es_owners_build() takes;
 * -ENOMEM or an error of reading.
 */
int es_regions_measure(struct es_regions *regions, struct es_recording *recording,
		       const struct es_edges *edges, struct es_report *report);

/** es_report_regions_finish - free what es_regions_measure() gave to @report */
void es_report_regions_finish(struct es_report *report);

#endif
