/*
 * format/calibration.c - a node's watts from its measured parts, as somebody found them once, and where from
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/calibration.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

#define NORMAL_975 1.959963984540054
#define EDGE 0.02 /* of a power: outside of a range that was measured */
#define BEYOND 0.5 /* of what the line says of the way beyond its end */

void es_calibration_finish(struct es_calibration *calibration)
{
	free(calibration->parts);
	free(calibration->sources);
	*calibration = (struct es_calibration){ .n_parts = 0 };
}

int es_calibration_add_part(struct es_calibration *calibration, const char *name)
{
	char(*parts)[ES_CALIBRATION_PART_BYTES];
	size_t at = calibration->n_parts;

	if (strlen(name) >= ES_CALIBRATION_PART_BYTES || at == ES_CALIBRATION_PARTS_MAX)
		return -E2BIG;
	parts = reallocarray(calibration->parts, at + 1, sizeof(*parts));
	if (!parts)
		return -ENOMEM;
	calibration->parts = parts;
	for (; at > 0 && strcmp(parts[at - 1], name) > 0; at--)
		memcpy(parts[at], parts[at - 1], sizeof(parts[at]));
	memset(parts[at], 0, sizeof(parts[at]));
	memcpy(parts[at], name, strlen(name));
	calibration->n_parts++;
	return 0;
}

int es_calibration_add_source(struct es_calibration *calibration, const char *name,
			      const char *sha256)
{
	struct es_calibration_source *sources, *source;

	if (calibration->n_sources == ES_CALIBRATION_SOURCES_MAX ||
	    strlen(name) >= sizeof(source->name) || strlen(sha256) >= sizeof(source->sha256))
		return -E2BIG;
	sources = reallocarray(calibration->sources, calibration->n_sources + 1, sizeof(*sources));
	if (!sources)
		return -ENOMEM;
	calibration->sources = sources;
	source = &sources[calibration->n_sources++];
	*source = (struct es_calibration_source){ .name = "" };
	memcpy(source->name, name, strlen(name));
	memcpy(source->sha256, sha256, strlen(sha256));
	return 0;
}

static void put_text(struct es_json *json, const char *key, const char *text)
{
	es_json_string(json, key, text[0] ? text : NULL);
}

static void put_count(struct es_json *json, const char *key, uint64_t n)
{
	if (n)
		es_json_u64(json, key, n);
	else
		es_json_null(json, key);
}

static void put_known(struct es_json *json, const char *key, bool is_known, double value)
{
	if (is_known)
		es_json_double(json, key, value);
	else
		es_json_null(json, key);
}

static void put_line(const struct es_calibration *calibration, struct es_json *json)
{
	es_json_double(json, "slope", calibration->slope);
	es_json_double(json, "slope_uncertainty", calibration->slope_bound);
	es_json_double(json, "offset_w", calibration->offset_w);
	es_json_double(json, "offset_uncertainty_w", calibration->offset_bound_w);
	es_json_double(json, "mean_w", calibration->mean_w);
	es_json_double(json, "mean_uncertainty_w", calibration->mean_bound_w);
	es_json_double(json, "residual_w", calibration->residual_w);
	put_known(json, "left_out_w", calibration->has_left_out, calibration->left_out_w);
	es_json_double(json, "r2", calibration->r2);
	es_json_double(json, "lowest_w", calibration->lowest_w);
	es_json_double(json, "highest_w", calibration->highest_w);
	put_known(json, "lowest_load", calibration->has_load, calibration->lowest_load);
	put_known(json, "highest_load", calibration->has_load, calibration->highest_load);
	es_json_u64(json, "windows", calibration->n_windows);
	es_json_double(json, "independent_windows", calibration->n_effective);
	es_json_double(json, "window_s", calibration->window_s);
	put_known(json, "lag_s", calibration->has_lag, calibration->lag_s);
	put_known(json, "lag_uncertainty_s", calibration->has_lag, calibration->lag_bound_s);
}

void es_calibration_members(const struct es_calibration *calibration, struct es_json *json)
{
	const struct es_node_class *class = &calibration->class;
	char text[ES_TIME_TEXT_BYTES];

	es_json_string(json, "class", calibration->name);
	es_json_object(json, "node");
	put_text(json, "cpu_model", class->cpu_model);
	put_count(json, "packages", class->n_packages);
	es_json_u64(json, "gpus", class->n_gpus);
	put_text(json, "gpu_model", class->gpu_model);
	put_count(json, "memory_gib", class->memory_gib);
	es_json_object_end(json);
	es_json_array_inline(json, "parts");
	for (size_t i = 0; i < calibration->n_parts; i++)
		es_json_string(json, NULL, calibration->parts[i]);
	es_json_array_end(json);
	put_line(calibration, json);
	es_json_string(json, "meter", calibration->meter);
	put_count(json, "meter_accuracy_ppm", calibration->meter_accuracy_ppm);
	put_text(json, "who", calibration->who);
	es_json_string(json, "when", es_time_rfc3339_utc(calibration->t_unix_ns, text));
	put_text(json, "tool", calibration->tool);
	es_json_array(json, "recordings");
	for (size_t i = 0; i < calibration->n_sources; i++) {
		es_json_object(json, NULL);
		es_json_string(json, "name", calibration->sources[i].name);
		es_json_string(json, "sha256", calibration->sources[i].sha256);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

int es_calibration_write(const struct es_calibration *calibration, struct es_buf *out)
{
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.calibration/1");
	es_calibration_members(calibration, &json);
	es_json_object_end(&json);
	return es_json_end(&json);
}

bool es_calibration_is_outside(const struct es_calibration *calibration, double parts_w)
{
	return parts_w < calibration->lowest_w * (1 - EDGE) ||
	       parts_w > calibration->highest_w * (1 + EDGE);
}

double es_calibration_bound_w(const struct es_calibration *calibration, double parts_w)
{
	double from_mean = (parts_w - calibration->mean_w) * calibration->slope_bound;
	double scatter = NORMAL_975 * (calibration->has_left_out ? calibration->left_out_w
								 : calibration->residual_w);
	double node_w = fabs(calibration->slope * parts_w + calibration->offset_w);
	double beyond_w =
		fmax(fmax(calibration->lowest_w - parts_w, parts_w - calibration->highest_w), 0);

	return sqrt(calibration->mean_bound_w * calibration->mean_bound_w + from_mean * from_mean +
		    scatter * scatter) +
	       node_w * calibration->meter_accuracy_ppm / 1e6 +
	       BEYOND * fabs(calibration->slope) * beyond_w;
}
