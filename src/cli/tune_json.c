/*
 * tune_json.c - what energyscopium tune chose, for programs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>

#include "cli/tune.h"

#define SCHEMA "energyscopium.tune/1"

static void setting_json(const struct es_tune *tune, const struct es_tune_row *row, const char *key,
			 struct es_json *json)
{
	if (tune->has_numbers)
		es_json_double(json, key, row->value);
	else
		es_json_string(json, key, row->cell);
}

static void row_json(const struct es_tune *tune, const struct es_tune_answer *answer, size_t i,
		     const char *key, struct es_json *json)
{
	const struct es_tune_row *row = &answer->rows[i];
	struct es_tune_changes changes = es_tune_changes(answer, i);

	es_json_object(json, key);
	setting_json(tune, row, "setting", json);
	es_json_string(json, "cell", row->cell);
	es_json_double(json, tune->speed ? "time_relative" : "time_s", answer->points[i].time);
	es_json_double(json, tune->speed && tune->power ? "energy_relative" : "energy_j",
		       answer->points[i].energy);
	es_json_u64(json, "runs", row->n_runs);
	es_json_double(json, "time_change", changes.time);
	es_json_double(json, "energy_change", changes.energy);
	es_json_double(json, "edp_change", changes.edp);
	es_json_double(json, "ed2p_change", changes.ed2p);
	es_json_bool(json, "clipped", row->is_clipped);
	es_json_bool(json, "reached_inferred", row->is_inferred);
	if (row->reached > 0)
		es_json_double(json, "reached", row->reached);
	else
		es_json_null(json, "reached");
	es_json_object_end(json);
}

static void caps_json(const struct es_tune *tune, const struct es_tune_answer *answer,
		      struct es_json *json)
{
	if (!answer->is_caps) {
		es_json_null(json, "caps");
		return;
	}
	es_json_object(json, "caps");
	es_json_array(json, "unreached");
	for (size_t i = 0; i < answer->n; i++)
		if (answer->rows[i].is_unreached)
			row_json(tune, answer, i, NULL, json);
	es_json_array_end(json);
	es_json_array(json, "exceeded");
	for (size_t i = 0; i < answer->n; i++)
		if (answer->rows[i].is_exceeded)
			row_json(tune, answer, i, NULL, json);
	es_json_array_end(json);
	es_json_object_end(json);
}

static void pair_json(const char *key, double low, double high, struct es_json *json)
{
	es_json_array(json, key);
	es_json_double(json, NULL, low);
	es_json_double(json, NULL, high);
	es_json_array_end(json);
}

/* What the reference takes more than the chosen, and how sure the changes are. */
static void sure_json(const struct es_tune_answer *answer, struct es_json *json)
{
	struct es_tune_changes changes = es_tune_changes(answer, answer->chosen);

	es_json_object(json, "reference_cost");
	es_json_double(json, "time_change", 1 / (1 + changes.time) - 1);
	es_json_double(json, "energy_change", 1 / (1 + changes.energy) - 1);
	es_json_object_end(json);
	if (answer->has_judgement) {
		pair_json("time_change_ci", answer->time.change_low, answer->time.change_high,
			  json);
		pair_json("energy_change_ci", answer->energy.change_low, answer->energy.change_high,
			  json);
	} else {
		es_json_null(json, "time_change_ci");
		es_json_null(json, "energy_change_ci");
	}
}

static void left_json(const struct es_tune *tune, const struct es_tune_answer *answer,
		      struct es_json *json)
{
	if (!tune->quality.what)
		return;
	es_json_array(json, "misses_quality");
	for (size_t i = 0; i < answer->n_left; i++) {
		const struct es_tune_left *left = &answer->left[i];

		es_json_object(json, NULL);
		if (tune->has_numbers)
			es_json_double(json, "setting", left->value);
		else
			es_json_string(json, "setting", left->cell);
		es_json_string(json, "cell", left->cell);
		if (left->has_quality)
			es_json_double(json, "quality", left->quality);
		else
			es_json_null(json, "quality");
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

static void answer_json(const struct es_tune *tune, const struct es_tune_answer *answer,
			struct es_json *json)
{
	row_json(tune, answer, answer->chosen, "chosen", json);
	row_json(tune, answer, answer->reference, "reference", json);
	es_json_bool(json, "saving", es_tune_has_saving(answer));
	es_json_bool(json, "top_clock", es_tune_is_top_clock(tune, answer));
	es_json_object(json, "best");
	for (int i = 0; i < ES_OPT_N_OBJECTIVES; i++)
		row_json(tune, answer, answer->best[i], es_opt_objective_name((unsigned)i), json);
	es_json_object_end(json);
	es_json_array(json, "front");
	for (size_t i = 0; i < answer->n_front; i++)
		row_json(tune, answer, answer->front[i], NULL, json);
	es_json_array_end(json);
	es_json_array(json, "clipped");
	for (size_t i = 0; i < answer->n; i++)
		if (answer->rows[i].is_clipped)
			row_json(tune, answer, i, NULL, json);
	es_json_array_end(json);
	caps_json(tune, answer, json);
	sure_json(answer, json);
	left_json(tune, answer, json);
	if (answer->step_j > 0)
		es_json_double(json, "energy_step_j", answer->step_j);
	else
		es_json_null(json, "energy_step_j");
	es_tune_model_json(answer, json);
	es_tune_plan_json(tune, answer, json);
}

void es_tune_json(const struct es_tune *tune, struct es_buf *out)
{
	bool has_groups = es_tune_has_groups(tune);
	size_t n_rows = 0, n_bad = 0;
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", SCHEMA);
	es_json_string(&json, "objective", es_opt_objective_name(tune->wish.objective));
	es_json_double(&json, "slowdown", tune->wish.slowdown); /* any: null */
	es_json_string(&json, "setting_column", tune->setting);
	for (size_t i = 0; i < tune->paths.n; i++) {
		n_rows += tune->tables[i].rows.n;
		n_bad += tune->tables[i].rows.n_bad;
	}
	es_json_u64(&json, "rows", n_rows);
	es_json_u64(&json, "lines_left_out", n_bad);
	if (!has_groups)
		answer_json(tune, &tune->answers[0], &json);
	if (has_groups)
		es_json_array(&json, "groups");
	for (size_t i = 0; has_groups && i < tune->n_answers; i++) {
		es_json_object(&json, NULL);
		es_json_string(&json, "group", tune->answers[i].group);
		answer_json(tune, &tune->answers[i], &json);
		es_json_object_end(&json);
	}
	if (has_groups) {
		es_json_array_end(&json);
		es_tune_summary_json(tune, &json);
	}
	es_json_object_end(&json);
	if (es_json_end(&json) < 0 && !out->error)
		out->error = -ENOMEM;
	(void)es_buf_u8(out, '\n');
}
