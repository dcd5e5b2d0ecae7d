/*
 * region_show.h - regions in the report's JSON and table
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REGION_SHOW_H
#define ES_FORMAT_REGION_SHOW_H

#include "base/json.h"
#include "format/report.h"

/** es_region_method_name - "interpolated", "fitted", "inseparable" */
const char *es_region_method_name(enum es_region_method method);

/** es_region_json - how a region's energy came about and what it is made of, into its open object */
void es_region_json(const struct es_report *report, const struct es_report_region *region,
		    struct es_json *json);
/** es_region_json_rest - what is no region's: the groups and what is untagged, into the report's open object */
void es_region_json_rest(const struct es_report *report, struct es_json *json);

/** es_region_table - the regions below the domains; nothing without tags */
void es_region_table(const struct es_report *report, struct es_buf *out);

#endif
