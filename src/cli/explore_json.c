/*
 * explore_json.c - a study as JSON and as a table of its runs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>

#include "base/json.h"
#include "cli/compare.h"
#include "cli/explore.h"
#include "cli/picture.h"
#include "format/profile.h"

#define SCHEMA "energyscopium.explore/1"
#define CSV_MAX_BYTES (256U << 20)

static void put_pair(struct es_json *json, const char *key, bool is_known, double low, double high)
{
	es_json_array_inline(json, key);
	es_json_double(json, NULL, is_known ? low : NAN);
	es_json_double(json, NULL, is_known ? high : NAN);
	es_json_array_end(json);
}

/* What is not finite is written as null. */
static void put_metric(struct es_json *json, const char *key, bool is_known, bool is_time,
		       bool is_reference, const struct es_judgement *judgement)
{
	const struct es_interval *own = &judgement->b;
	bool has_change = judgement->has_change && !is_reference;

	if (!is_known) {
		es_json_null(json, key);
		return;
	}
	es_json_object(json, key);
	es_json_u64(json, "runs", own->n);
	es_json_double(json, "mean", own->mean);
	put_pair(json, "ci", own->method != ES_INTERVAL_NONE, own->low, own->high);
	es_json_double(json, "change", has_change ? judgement->change : NAN);
	put_pair(json, "change_ci", has_change && judgement->has_interval, judgement->change_low,
		 judgement->change_high);
	es_json_double(json, "p", has_change && judgement->has_test ? judgement->p : NAN);
	es_json_string(json, "verdict",
		       has_change ? es_compare_word(is_time ? ES_TRIAL_TIME : ES_TRIAL_ENERGY,
						    judgement->verdict)
				  : NULL);
	if (has_change && judgement->runs_needed)
		es_json_u64(json, "runs_needed", judgement->runs_needed);
	else
		es_json_null(json, "runs_needed");
	es_json_object_end(json);
}

static void put_filled(const struct es_explore *study, const struct es_explore_member *member,
		       const struct es_explore_places *places, const char *key, const char *text,
		       struct es_json *json)
{
	struct es_buf line;

	es_buf_init(&line, ES_EXPLORE_LINE_MAX_BYTES);
	es_json_string(json, key,
		       text && es_explore_fill(&study->spec, &member->at, places, text, &line) == 0
			       ? (const char *)line.data
			       : NULL);
	es_buf_finish(&line);
}

static void put_commands(const struct es_explore *study, size_t i, struct es_json *json)
{
	const struct es_explore_spec *spec = &study->spec;
	const struct es_explore_member *member = &study->members[i];
	struct es_explore_room room = { .places = { .build_dir = NULL } };

	(void)es_explore_places_of(study, i, 1, &room);
	room.places.run_dir = room.places.out = room.places.round = NULL;
	put_filled(study, member, &room.places, "build", spec->build.text, json);
	put_filled(study, member, &room.places, "run", spec->run.text, json);
	es_json_object(json, "environment");
	for (size_t k = 0; k < spec->n_environment; k++)
		put_filled(study, member, &room.places, spec->environment[k].name,
			   spec->environment[k].text, json);
	es_json_object_end(json);
}

static void put_runs(const struct es_explore *study, size_t i, struct es_json *json)
{
	const struct es_explore_member *member = &study->members[i];
	char path[ES_PATH_MAX_BYTES];

	es_json_array(json, "recordings");
	for (size_t round = 1; round <= study->n_rounds; round++)
		if (member->runs[round - 1].trial != ES_EXPLORE_NONE &&
		    es_explore_recording(study, i, round, path) == 0)
			es_json_string(json, NULL, path);
	es_json_array_end(json);
	es_json_array_inline(json, "far_off");
	for (size_t round = 1; round <= study->n_rounds; round++)
		if (member->runs[round - 1].is_far_off)
			es_json_u64(json, NULL, round);
	es_json_array_end(json);
}

static const char *limit_words(const struct es_explore *study, size_t i)
{
	const struct es_explore_member *member = &study->members[i];

	if (i == study->reference || !member->time.has_change)
		return NULL;
	switch (member->time.limit) {
	case ES_LIMIT_SHOWN:
		return "shown";
	case ES_LIMIT_BROKEN:
		return "broken";
	case ES_LIMIT_OPEN:
		return "open";
	case ES_LIMIT_NOT_ASKED:
		break;
	}
	return NULL;
}

static void put_member(const struct es_explore *study, size_t i, struct es_json *json)
{
	const struct es_explore_spec *spec = &study->spec;
	const struct es_explore_member *member = &study->members[i];
	bool is_reference = i == study->reference;

	es_json_object(json, NULL);
	es_json_string(json, "id", member->id);
	es_json_string(json, "name", member->label);
	es_json_object(json, "values");
	for (size_t k = 0; k < spec->n_axes; k++)
		es_json_string(json, spec->axes[k].name,
			       spec->axes[k].values[member->at.values[k]].label);
	es_json_object_end(json);
	put_commands(study, i, json);
	es_json_u64(json, "runs", member->n_ok);
	es_json_u64(json, "failed", member->n_failed);
	es_json_string(json, "result", es_explore_result_name(member->result));
	es_json_string(json, "reason", member->reason[0] ? member->reason : NULL);
	es_json_double(json, "quality", member->has_quality ? member->quality : NAN);
	put_metric(json, "time_s", member->has_time, true, is_reference, &member->time);
	put_metric(json, "energy_j", member->has_energy, false, is_reference, &member->energy);
	es_json_string(json, "within_slowdown", limit_words(study, i));
	put_runs(study, i, json);
	es_json_object_end(json);
}

static void put_who(const struct es_explore *study, const char *key, size_t who,
		    struct es_json *json)
{
	es_json_string(json, key, who == ES_EXPLORE_NONE ? NULL : study->members[who].id);
}

int es_explore_json(const struct es_explore *study, struct es_buf *out)
{
	double left_s;
	size_t n_left = es_explore_left(study, &left_s);
	struct es_json json;
	int r;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", SCHEMA);
	es_json_string(&json, "name", study->spec.name);
	es_json_string(&json, "specification", study->path);
	es_json_string(&json, "folder", study->dir);
	es_json_string(&json, "node", study->node);
	es_json_u64(&json, "rounds", study->n_rounds);
	es_json_u64(&json, "runs_left", n_left);
	es_json_string(&json, "reference", study->members[study->reference].id);
	es_json_array(&json, "configurations");
	for (size_t i = 0; i < study->n; i++)
		put_member(study, i, &json);
	es_json_array_end(&json);
	es_json_string(&json, "no_energy", study->no_energy);
	es_json_array_inline(&json, "front");
	for (size_t i = 0; i < study->n_front; i++)
		es_json_string(&json, NULL, study->members[study->front[i]].id);
	es_json_array_end(&json);
	put_who(study, "knee", study->knee, &json);
	es_json_object(&json, "best");
	put_who(study, "time", study->fastest, &json);
	for (int i = 0; i < ES_OPT_N_OBJECTIVES; i++)
		put_who(study, es_opt_objective_name((enum es_opt_objective)i), study->best[i],
			&json);
	put_who(study, "within_slowdown", study->within, &json);
	es_json_object_end(&json);
	es_json_double(&json, "slowdown", study->slowdown_share);
	es_json_object_end(&json);
	r = es_json_end(&json);
	(void)es_buf_u8(out, '\n');
	return r < 0 ? r : out->error;
}

static void put_row(const struct es_explore *study, size_t i, size_t round, struct es_buf *out)
{
	const struct es_explore_spec *spec = &study->spec;
	const struct es_explore_member *member = &study->members[i];
	const struct es_explore_run *run = &member->runs[round - 1];
	const struct es_trial *trial =
		run->trial == ES_EXPLORE_NONE ? NULL : &study->trials.trials[run->trial];
	char path[ES_PATH_MAX_BYTES] = "";

	(void)es_buf_str(out, member->id);
	for (size_t k = 0; k < spec->n_axes; k++) {
		(void)es_buf_u8(out, ',');
		es_csv_put_field(out, spec->axes[k].values[member->at.values[k]].label);
	}
	(void)es_buf_printf(out, ",%zu,", round);
	es_csv_put_field(out, es_explore_result_name(member->result));
	(void)es_buf_printf(out, ",%d,", run->status);
	if (trial && trial->has_time)
		(void)es_buf_printf(out, "%.9g", trial->time_s);
	(void)es_buf_u8(out, ',');
	if (trial && trial->has_energy)
		(void)es_buf_printf(out, "%.9g", trial->energy_j);
	(void)es_buf_printf(out, ",%s,", trial ? trial->kind : "");
	if (run->has_quality)
		(void)es_buf_printf(out, "%.9g", run->quality);
	(void)es_buf_u8(out, ',');
	if (trial)
		(void)es_explore_recording(study, i, round, path);
	es_csv_put_field(out, path);
	(void)es_buf_u8(out, '\n');
}

int es_explore_csv(const struct es_explore *study, const char *path, struct es_error *err)
{
	struct es_buf out;
	int r;

	es_buf_init(&out, CSV_MAX_BYTES);
	(void)es_buf_str(&out, "configuration");
	for (size_t k = 0; k < study->spec.n_axes; k++) {
		(void)es_buf_u8(&out, ',');
		es_csv_put_field(&out, study->spec.axes[k].name);
	}
	(void)es_buf_str(&out,
			 ",round,result,exit_status,duration_s,energy_j,kind,quality,recording\n");
	for (size_t round = 1; round <= study->n_rounds; round++)
		for (size_t i = 0; i < study->n; i++)
			if (study->members[i].runs[round - 1].is_done)
				put_row(study, i, round, &out);
	r = es_write_whole(path, &out, err);
	es_buf_finish(&out);
	return r;
}
