/*
 * format/calibration_read.c - reading back what a calibration was written as
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "format/calibration.h"

#define WATTS_MOST 1e7
#define COUNT_MOST 1000000000

/* The first member that is missing, of a wrong type, or beyond what can be true. */
struct reading {
	const char *wrong;
};

static void refuse(struct reading *reading, const char *key)
{
	reading->wrong = reading->wrong ? reading->wrong : key;
}

static void get_text(struct reading *reading, json_t *object, const char *key, char *ret,
		     size_t size)
{
	json_t *member = json_object_get(object, key);

	ret[0] = '\0';
	if (!member || json_is_null(member))
		return;
	if (!json_is_string(member) || json_string_length(member) >= size ||
	    strlen(json_string_value(member)) != json_string_length(member))
		refuse(reading, key);
	else
		memcpy(ret, json_string_value(member), json_string_length(member) + 1);
}

static double get_number(struct reading *reading, json_t *object, const char *key, double lo,
			 double hi, bool *ret_is_known)
{
	json_t *member = json_object_get(object, key);
	double v = json_number_value(member);

	if (ret_is_known)
		*ret_is_known = member && !json_is_null(member);
	if (ret_is_known && !*ret_is_known)
		return 0;
	if (!json_is_number(member) || !(v >= lo && v <= hi)) {
		refuse(reading, key);
		return 0;
	}
	return v;
}

static uint32_t get_count(struct reading *reading, json_t *object, const char *key)
{
	json_t *member = json_object_get(object, key);

	if (!member || json_is_null(member))
		return 0;
	if (!json_is_integer(member) || json_integer_value(member) < 0 ||
	    json_integer_value(member) > COUNT_MOST) {
		refuse(reading, key);
		return 0;
	}
	return (uint32_t)json_integer_value(member);
}

static void get_line(struct reading *reading, json_t *top, struct es_calibration *ret)
{
	ret->slope = get_number(reading, top, "slope", 1e-6, 100, NULL);
	ret->slope_bound = get_number(reading, top, "slope_uncertainty", 0, 100, NULL);
	ret->offset_w = get_number(reading, top, "offset_w", -WATTS_MOST, WATTS_MOST, NULL);
	ret->offset_bound_w = get_number(reading, top, "offset_uncertainty_w", 0, WATTS_MOST, NULL);
	ret->mean_w = get_number(reading, top, "mean_w", 0, WATTS_MOST, NULL);
	ret->mean_bound_w = get_number(reading, top, "mean_uncertainty_w", 0, WATTS_MOST, NULL);
	ret->residual_w = get_number(reading, top, "residual_w", 0, WATTS_MOST, NULL);
	ret->left_out_w = get_number(reading, top, "left_out_w", 0, WATTS_MOST, &ret->has_left_out);
	ret->r2 = get_number(reading, top, "r2", 0, 1, NULL);
	ret->lowest_w = get_number(reading, top, "lowest_w", 0, WATTS_MOST, NULL);
	ret->highest_w = get_number(reading, top, "highest_w", 0, WATTS_MOST, NULL);
	if (ret->lowest_w > ret->highest_w)
		refuse(reading, "highest_w");
	ret->lowest_load = get_number(reading, top, "lowest_load", 0, 1000, &ret->has_load);
	ret->highest_load = get_number(reading, top, "highest_load", 0, 1000, &ret->has_load);
	ret->n_windows = get_count(reading, top, "windows");
	ret->n_effective = get_number(reading, top, "independent_windows", 0, 1e9, NULL);
	ret->window_s = get_number(reading, top, "window_s", 0, 1e6, NULL);
	ret->lag_s = get_number(reading, top, "lag_s", -1e6, 1e6, &ret->has_lag);
	ret->lag_bound_s = get_number(reading, top, "lag_uncertainty_s", 0, 1e6, &ret->has_lag);
}

static void get_provenance(struct reading *reading, json_t *top, struct es_calibration *ret)
{
	char when[64];

	get_text(reading, top, "meter", ret->meter, sizeof(ret->meter));
	ret->meter_accuracy_ppm = get_count(reading, top, "meter_accuracy_ppm");
	get_text(reading, top, "who", ret->who, sizeof(ret->who));
	get_text(reading, top, "tool", ret->tool, sizeof(ret->tool));
	get_text(reading, top, "when", when, sizeof(when));
	if (es_time_parse(when, &ret->t_unix_ns) < 0)
		refuse(reading, "when");
}

static int get_lists(struct reading *reading, json_t *top, struct es_calibration *ret)
{
	json_t *list = json_object_get(top, "parts"), *item;
	size_t i;
	int r = 0;

	if (json_array_size(list) == 0 || json_array_size(list) > ES_CALIBRATION_PARTS_MAX)
		refuse(reading, "parts");
	json_array_foreach(list, i, item)
	{
		const char *name = json_string_value(item);

		if (!name || *name == '\0' || es_calibration_add_part(ret, name) == -E2BIG) {
			refuse(reading, "parts");
			break;
		}
	}
	list = json_object_get(top, "recordings");
	json_array_foreach(list, i, item)
	{
		struct es_calibration_source source;

		get_text(reading, item, "name", source.name, sizeof(source.name));
		get_text(reading, item, "sha256", source.sha256, sizeof(source.sha256));
		r = es_calibration_add_source(ret, source.name, source.sha256);
		if (r == -E2BIG)
			refuse(reading, "recordings");
		if (r < 0)
			break;
	}
	return r == -ENOMEM || (ret->n_parts == 0 && !reading->wrong) ? -ENOMEM : 0;
}

static void get_class(struct reading *reading, json_t *top, struct es_calibration *ret)
{
	json_t *node = json_object_get(top, "node");

	get_text(reading, top, "class", ret->name, sizeof(ret->name));
	if (!es_node_class_check(ret->name))
		refuse(reading, "class");
	get_text(reading, node, "cpu_model", ret->class.cpu_model, sizeof(ret->class.cpu_model));
	get_text(reading, node, "gpu_model", ret->class.gpu_model, sizeof(ret->class.gpu_model));
	ret->class.n_packages = get_count(reading, node, "packages");
	ret->class.n_gpus = get_count(reading, node, "gpus");
	ret->class.memory_gib = get_count(reading, node, "memory_gib");
}

int es_calibration_read(const char *text, size_t n, struct es_calibration *ret,
			struct es_error *err)
{
	json_error_t where;
	json_t *top = json_loadb(text, n, JSON_REJECT_DUPLICATES, &where);
	struct es_calibration calibration = { .n_parts = 0 };
	struct reading reading = { .wrong = NULL };
	char schema[64] = "";
	int r;

	if (!top)
		return es_error_say(err, -EBADMSG, "not JSON: line %d: %s", where.line, where.text);
	get_text(&reading, top, "schema", schema, sizeof(schema));
	if (strcmp(schema, "energyscopium.calibration/1") != 0)
		refuse(&reading, "schema");
	get_class(&reading, top, &calibration);
	get_line(&reading, top, &calibration);
	get_provenance(&reading, top, &calibration);
	r = get_lists(&reading, top, &calibration);
	json_decref(top);
	if (r < 0)
		(void)es_error_set(err, r, "cannot keep it");
	else if (reading.wrong)
		r = es_error_say(err, -EBADMSG, "its '%s' is missing or cannot be true",
				 reading.wrong);
	if (r < 0)
		es_calibration_finish(&calibration);
	else
		*ret = calibration;
	return r;
}
