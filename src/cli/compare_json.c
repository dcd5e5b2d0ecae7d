/*
 * compare_json.c - energyscopium.compare/1, and the picture of a comparison
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/compare.h"
#include "cli/dots.h"
#include "cli/terminal.h"

/* What is not finite is written as null. */
static void put_ends(struct es_json *json, const char *key, bool is_known, double low, double high)
{
	es_json_array_inline(json, key);
	es_json_double(json, NULL, is_known ? low : NAN);
	es_json_double(json, NULL, is_known ? high : NAN);
	es_json_array_end(json);
}

static void put_interval(struct es_json *json, const char *key, const struct es_interval *of)
{
	bool has_ends = of->method != ES_INTERVAL_NONE;

	if (of->n == 0) {
		es_json_null(json, key);
		return;
	}
	es_json_object(json, key);
	es_json_u64(json, "runs", of->n);
	es_json_double(json, "mean", of->mean);
	es_json_double(json, "sd", of->n > 1 ? of->sd : NAN);
	put_ends(json, "ci", has_ends, of->low, of->high);
	es_json_string(json, "interval", es_interval_method_name(of->method));
	es_json_object_end(json);
}

static void put_far_off(const struct es_compare *compare, size_t group, struct es_json *json)
{
	es_json_array_inline(json, "far_off");
	for (size_t i = 0; i < compare->trials.n; i++)
		if (compare->is_far_off[i] && compare->trials.trials[i].group == group)
			es_json_string(json, NULL, compare->trials.trials[i].name);
	es_json_array_end(json);
}

static void put_group(const struct es_compare *compare, const struct es_compare_result *result,
		      size_t i, struct es_json *json)
{
	const struct es_compare_group *group = &result->groups[i];
	const struct es_interval *of = &group->of[result->metric];

	es_json_object(json, NULL);
	es_json_string(json, "name", group->name);
	es_json_u64(json, "runs", group->fates[ES_FATE_COUNTS]);
	es_json_u64(json, "failed", group->fates[ES_FATE_FAILED]);
	es_json_u64(json, "unfit", group->fates[ES_FATE_UNFIT]);
	put_far_off(compare, i, json);
	es_json_string(json, "left_out", group->is_left_out ? group->why_left_out : NULL);
	es_json_string(json, "metric", es_trial_metric_name(result->metric));
	es_json_double(json, "mean", of->n ? of->mean : NAN);
	put_ends(json, "ci", of->n && of->method != ES_INTERVAL_NONE, of->low, of->high);
	es_json_string(json, "unit", es_trial_metric_unit(result->metric));
	put_interval(json, "duration_s", &group->of[ES_TRIAL_TIME]);
	put_interval(json, "energy_j", &group->of[ES_TRIAL_ENERGY]);
	put_interval(json, "above_baseline_j", &group->of[ES_TRIAL_ABOVE]);
	put_interval(json, "edp_js", &group->of[ES_TRIAL_EDP]);
	put_interval(json, "ed2p_js2", &group->of[ES_TRIAL_ED2P]);
	if (group->has_gco2)
		put_interval(json, "gco2", &group->gco2);
	else
		es_json_null(json, "gco2");
	es_json_string(json, "no_energy", group->why_no_energy);
	es_json_double(json, "meter_bound", group->bound_share > 0 ? group->bound_share : NAN);
	es_json_object_end(json);
}

static void put_count(struct es_json *json, const char *key, size_t n)
{
	if (n && n <= ES_COMPARE_RUNS_MAX)
		es_json_u64(json, key, n);
	else
		es_json_null(json, key);
}

/* The promised members: of the first pair they stand at the top as well. @pair NULL: there is none. */
static void put_verdict(const struct es_compare_pair *pair, enum es_trial_metric metric,
			bool has_verdict, struct es_json *json)
{
	bool is_known = pair && pair->has[metric];
	const struct es_judgement *of = is_known ? &pair->of[metric] : NULL;
	bool has_interval = of && of->has_interval;

	es_json_string(json, "verdict",
		       of && has_verdict ? es_compare_word(metric, of->verdict) : NULL);
	es_json_double(json, "change", of && of->has_change ? of->change : NAN);
	put_ends(json, "change_ci", has_interval, has_interval ? of->change_low : 0,
		 has_interval ? of->change_high : 0);
	es_json_double(json, "p", has_interval ? of->p : NAN);
	put_count(json, "runs_needed", of ? of->runs_needed : 0);
}

static void put_change(const struct es_compare_result *result, const struct es_compare_pair *pair,
		       enum es_trial_metric metric, const char *key, struct es_json *json)
{
	if (!pair->has[metric]) {
		es_json_null(json, key);
		return;
	}
	es_json_object(json, key);
	put_verdict(pair, metric, metric != ES_TRIAL_ABOVE || result->metric == metric, json);
	es_json_object_end(json);
}

static void put_limit(const struct es_compare *compare, const struct es_compare_pair *pair,
		      struct es_json *json)
{
	const struct es_judgement *of = &pair->of[ES_TRIAL_TIME];

	if (!compare->wish.has_limit || !pair->has[ES_TRIAL_TIME]) {
		es_json_null(json, "not_slower");
		return;
	}
	es_json_object(json, "not_slower");
	es_json_double(json, "limit", compare->wish.limit);
	es_json_string(json, "result", es_compare_limit_word(of->limit));
	es_json_double(json, "change_high", of->has_interval ? of->limit_high : NAN);
	put_count(json, "runs_needed", of->runs_needed);
	es_json_object_end(json);
}

static void put_pair(const struct es_compare *compare, const struct es_compare_result *result,
		     const struct es_compare_pair *pair, struct es_json *json)
{
	bool has_p = pair->has[result->metric] && pair->of[result->metric].has_interval;

	es_json_object(json, NULL);
	es_json_string(json, "name", result->groups[pair->group].name);
	es_json_string(json, "reference", result->groups[result->reference].name);
	put_verdict(pair, result->metric, true, json);
	es_json_double(json, "p_holm", has_p ? pair->p_holm : NAN);
	put_change(result, pair, ES_TRIAL_TIME, "duration", json);
	put_change(result, pair, ES_TRIAL_ENERGY, "energy", json);
	put_change(result, pair, ES_TRIAL_ABOVE, "above_baseline", json);
	put_limit(compare, pair, json);
	es_json_object_end(json);
}

static void put_front(const struct es_compare_result *result, struct es_json *json)
{
	es_json_array(json, "front");
	for (size_t i = 0; i < result->n_front; i++) {
		const struct es_compare_group *group = &result->groups[result->front[i]];

		es_json_object(json, NULL);
		es_json_string(json, "name", group->name);
		es_json_double(json, "duration_s", group->of[ES_TRIAL_TIME].mean);
		es_json_double(json, "energy_j", group->of[ES_TRIAL_ENERGY].mean);
		es_json_object_end(json);
	}
	es_json_array_end(json);
	es_json_array(json, "dominated");
	for (size_t i = 0; i < result->n_groups; i++) {
		const struct es_compare_group *group = &result->groups[i];

		if (!group->is_in_plane || group->is_front)
			continue;
		es_json_object(json, NULL);
		es_json_string(json, "name", group->name);
		es_json_string(json, "by", result->groups[group->by].name);
		es_json_bool(json, "surely", group->is_surely);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

static void put_result(const struct es_compare *compare, const struct es_compare_result *result,
		       struct es_json *json)
{
	es_json_string(json, "metric", es_trial_metric_name(result->metric));
	es_json_string(json, "unit", es_trial_metric_unit(result->metric));
	es_json_string(json, "reference",
		       result->n_groups ? result->groups[result->reference].name : NULL);
	es_json_array(json, "groups");
	for (size_t i = 0; i < result->n_groups; i++)
		put_group(compare, result, i, json);
	es_json_array_end(json);
	put_verdict(result->n_pairs ? &result->pairs[0] : NULL, result->metric, true, json);
	es_json_array(json, "comparisons");
	for (size_t i = 0; i < result->n_pairs; i++)
		put_pair(compare, result, &result->pairs[i], json);
	es_json_array_end(json);
	put_front(result, json);
	es_json_array(json, "remarks");
	for (size_t i = 0; i < result->n_remarks; i++) {
		es_json_object(json, NULL);
		es_json_string(json, "code", result->remarks[i].code);
		es_json_string(json, "text", result->remarks[i].text);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

void es_compare_members(const struct es_compare *compare, struct es_json *json)
{
	put_result(compare, &compare->whole, json);
}

void es_compare_json(const struct es_compare *compare, struct es_buf *out)
{
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", ES_COMPARE_SCHEMA);
	es_json_double(&json, "margin", compare->wish.margin);
	es_json_string(&json, "outliers", compare->drops_outliers ? "drop" : "keep");
	es_json_u64(&json, "seed", compare->wish.seed);
	es_json_u64(&json, "lines_left_out", compare->trials.n_unread);
	es_json_string(&json, "region", compare->ask.region);
	put_result(compare, &compare->whole, &json);
	if (compare->wants_regions) {
		es_json_array(&json, "regions");
		for (size_t i = 0; i < compare->n_regions; i++) {
			es_json_object(&json, NULL);
			es_json_string(&json, "region", compare->regions[i].region);
			put_result(compare, &compare->regions[i], &json);
			es_json_object_end(&json);
		}
		es_json_array_end(&json);
	}
	es_json_object_end(&json);
	if (es_json_end(&json) < 0 && !out->error)
		out->error = -ENOMEM;
	(void)es_buf_u8(out, '\n');
}

/* Points of the groups that are in the plane, and the front by their numbers. */
struct picture {
	struct es_scatter_point *points; /* owned */
	size_t *front; /* owned */
	struct es_scatter_line line;
	struct es_scatter scatter;
	char title[2 * ES_NAME_MAX_BYTES + 64];
	bool is_time_alone; /* no energy may be compared: dots, not a scatter */
};

static struct es_scatter_point point_of(const struct es_compare_group *group)
{
	const struct es_interval *time = &group->of[ES_TRIAL_TIME],
				 *energy = &group->of[ES_TRIAL_ENERGY];

	return (struct es_scatter_point){
		.at = { time->mean, energy->mean },
		.is_front = group->is_front,
		.has_box = time->method != ES_INTERVAL_NONE && energy->method != ES_INTERVAL_NONE,
		.time_low = time->low,
		.time_high = time->high,
		.energy_low = energy->low,
		.energy_high = energy->high,
		.name = group->name,
	};
}

static void finish_picture(struct picture *picture)
{
	free(picture->points);
	free(picture->front);
}

static void put_title(const struct es_compare *compare, struct picture *picture)
{
	const struct es_compare_result *result = &compare->whole;
	const char *region = compare->ask.region ? compare->ask.region : "";
	const char *reference = result->groups[result->reference].name;

	if (result->n_pairs == 1)
		(void)snprintf(picture->title, sizeof(picture->title), "%s%s%.200s against %.200s",
			       region, region[0] ? ": " : "",
			       result->groups[result->pairs[0].group].name, reference);
	else
		(void)snprintf(picture->title, sizeof(picture->title), "%s%s%zu groups of runs",
			       region, region[0] ? ": " : "", result->n_groups);
	picture->scatter.title = picture->title;
}

/* Where no group has an energy that may be compared. */
static struct es_scatter_point time_of(const struct es_compare_result *result, size_t i)
{
	const struct es_compare_group *group = &result->groups[i];
	const struct es_interval *time = &group->of[ES_TRIAL_TIME];

	return (struct es_scatter_point){ .at = { .time = time->mean },
					  .is_marked = i == result->reference,
					  .has_box = time->method != ES_INTERVAL_NONE,
					  .time_low = time->low,
					  .time_high = time->high,
					  .name = group->name };
}

/* Both, or the times alone; -ENODATA: no group has a time. */
static int make_picture(const struct es_compare *compare, struct picture *ret)
{
	const struct es_compare_result *result = &compare->whole;
	es_cleanup(es_freep) size_t *number = calloc(result->n_groups + 1, sizeof(*number));
	size_t n = 0;

	*ret = (struct picture){
		.points = calloc(result->n_groups + 1, sizeof(*ret->points)),
		.front = calloc(result->n_groups + 1, sizeof(*ret->front)),
	};
	if (!number || !ret->points || !ret->front)
		return -ENOMEM;
	for (size_t i = 0; i < result->n_groups; i++) {
		if (!result->groups[i].is_in_plane)
			continue;
		number[i] = n;
		ret->points[n++] = point_of(&result->groups[i]);
	}
	ret->is_time_alone = n == 0;
	for (size_t i = 0; ret->is_time_alone && i < result->n_groups; i++)
		if (result->groups[i].of[ES_TRIAL_TIME].n)
			ret->points[n++] = time_of(result, i);
	for (size_t i = 0; i < result->n_front; i++)
		ret->front[i] = number[result->front[i]];
	ret->line = (struct es_scatter_line){ ret->front, result->n_front, 0 };
	ret->scatter = (struct es_scatter){
		.x_name = "time (s)",
		.y_name = "energy (J)",
		.mark_name = ret->is_time_alone ? "reference" : NULL,
		.points = ret->points,
		.n = n,
		.lines = &ret->line,
		.n_lines = 1,
	};
	put_title(compare, ret);
	return n ? 0 : -ENODATA;
}

int es_compare_draw(const struct es_compare *compare, struct es_error *err)
{
	struct picture picture;
	int r = make_picture(compare, &picture);

	if (r == -ENODATA)
		r = es_error_say(err, r, "nothing to draw: no group has a time");
	else if (r < 0)
		(void)es_error_set(err, r, "cannot draw");
	else if (picture.is_time_alone)
		r = es_dots_write(&picture.scatter, &compare->drawing, err);
	else
		r = es_scatter_write(&picture.scatter, &compare->drawing, err);
	finish_picture(&picture);
	return r;
}

int es_compare_term(const struct es_compare *compare, struct es_buf *out)
{
	struct es_terminal terminal;
	struct picture picture;
	int r = make_picture(compare, &picture);

	if (r == 0) {
		es_terminal_look(&terminal);
		(void)es_buf_u8(out, '\n');
		r = picture.is_time_alone ? es_dots_text(&picture.scatter, &terminal, out)
					  : es_scatter_text(&picture.scatter, &terminal, out);
	}
	finish_picture(&picture);
	return r;
}
