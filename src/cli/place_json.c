/*
 * place_json.c - energyscopium place: the placement as JSON
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/json.h"
#include "cli/place.h"

#define KWH_DECIMALS 9U

static void put_classes(const struct es_placing *placing, struct es_json *json)
{
	es_json_object(json, "by_class");
	for (size_t j = 0; j < placing->problem.m; j++) {
		struct es_placing_filled in = es_placing_filled(placing, j);

		es_json_object(json, placing->energies.classes.texts[j]);
		es_json_u64(json, "configurations", in.n);
		es_json_decimal(json, "energy_kwh", in.energy_nkwh, KWH_DECIMALS);
		if (placing->problem.time_us)
			es_json_double(json, "node_hours", es_placing_hours(in.time_us));
		else
			es_json_null(json, "node_hours");
		if (placing->capacity[j] >= 0)
			es_json_i64(json, "capacity", placing->capacity[j]);
		else
			es_json_null(json, "capacity");
		if (placing->problem.is_by_time && placing->capacity[j] >= 0)
			es_json_double(json, "capacity_node_hours",
				       (double)placing->capacity[j] *
					       es_placing_hours(placing->horizon_us));
		else
			es_json_null(json, "capacity_node_hours");
		es_json_object_end(json);
	}
	es_json_object_end(json);
}

static void put_program(const struct es_placing *placing, struct es_json *json)
{
	static const char *const states[] = {
		[ES_PLACING_LP_NOT_NEEDED] = "not needed",
		[ES_PLACING_LP_SOLVED] = "solved",
		[ES_PLACING_LP_CUT] = "cut short",
		[ES_PLACING_LP_NONE] = "not solved",
	};
	bool is_there = placing->program.at != NULL;

	es_json_object(json, "linear_program");
	es_json_string(json, "state", states[placing->lp]);
	es_json_string(json, "reason",
		       placing->lp == ES_PLACING_LP_NONE ? placing->lp_error.text : NULL);
	if (is_there)
		es_json_u64(json, "steps", (uint64_t)placing->program.n_steps);
	else
		es_json_null(json, "steps");
	if (is_there)
		es_json_u64(json, "divided", placing->program.n_split);
	else
		es_json_null(json, "divided");
	es_json_object_end(json);
}

static void put_interval(const char *key, const struct es_interval *of, double unit,
			 struct es_json *json)
{
	es_json_array(json, key);
	es_json_double(json, NULL, of->low / unit);
	es_json_double(json, NULL, of->high / unit);
	es_json_array_end(json);
}

/* Of single runs. */
static void put_measured(const struct es_place_cell *cell, struct es_json *json)
{
	const struct es_interval *energy = cell ? &cell->energy_nkwh : NULL;

	if (!cell) {
		es_json_null(json, "runs");
		es_json_null(json, "setting");
		es_json_null(json, "energy_ci_kwh");
		return;
	}
	es_json_u64(json, "runs", cell->n);
	es_json_string(json, "setting", cell->setting[0] ? cell->setting : NULL);
	if (energy->method != ES_INTERVAL_NONE)
		put_interval("energy_ci_kwh", energy, ES_PLACE_NKWH_PER_KWH, json);
	else
		es_json_null(json, "energy_ci_kwh");
}

static void put_configurations(const struct es_placing *placing, struct es_json *json)
{
	const struct es_place_problem *problem = &placing->problem;

	es_json_object(json, "configurations");
	for (size_t i = 0; i < problem->n; i++) {
		size_t cell = i * problem->m + placing->place.at[i];
		size_t best = es_placing_best(placing, i);
		int64_t regret_nkwh = es_placing_regret(placing, i);

		es_json_object(json, placing->energies.configurations.texts[i]);
		es_json_string(json, "class",
			       placing->energies.classes.texts[placing->place.at[i]]);
		es_json_decimal(json, "energy_kwh", problem->energy_nkwh[cell], KWH_DECIMALS);
		if (problem->time_us)
			es_json_double(json, "time_h", es_placing_hours(problem->time_us[cell]));
		else
			es_json_null(json, "time_h");
		put_measured(placing->cells ? &placing->cells[cell] : NULL, json);
		es_json_string(json, "best_class", placing->energies.classes.texts[best]);
		es_json_decimal(json, "above_best_kwh", regret_nkwh, KWH_DECIMALS);
		es_json_double(json, "above_best",
			       (double)regret_nkwh /
				       (double)problem->energy_nkwh[i * problem->m + best]);
		es_json_object_end(json);
	}
	es_json_object_end(json);
}

static void put_ties(const struct es_placing *placing, struct es_json *json)
{
	char *const *rows = placing->energies.configurations.texts;
	char *const *columns = placing->energies.classes.texts;

	if (!placing->cells) {
		es_json_null(json, "within_noise");
		return;
	}
	es_json_array(json, "within_noise");
	for (size_t k = 0; k < placing->n_ties; k++) {
		const struct es_place_tie *tie = &placing->ties[k];

		es_json_object(json, NULL);
		es_json_string(json, "configuration", rows[tie->at]);
		es_json_string(json, "class", columns[placing->place.at[tie->at]]);
		es_json_string(json, "other_class", columns[tie->to]);
		es_json_string(json, "exchanged_with",
			       tie->with == SIZE_MAX ? NULL : rows[tie->with]);
		es_json_decimal(json, "more_kwh", tie->more_nkwh, KWH_DECIMALS);
		es_json_double(json, "uncertainty_kwh", tie->noise_nkwh / ES_PLACE_NKWH_PER_KWH);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

void es_placing_put_json(const struct es_placing *placing, struct es_buf *out)
{
	const struct es_place *place = &placing->place;
	int64_t alone_nkwh = es_placing_alone(placing);
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.place/1");
	es_json_string(&json, "method", es_placing_method(place));
	es_json_object(&json, "assignment");
	for (size_t i = 0; i < placing->problem.n; i++)
		es_json_string(&json, placing->energies.configurations.texts[i],
			       placing->energies.classes.texts[place->at[i]]);
	es_json_object_end(&json);
	es_json_decimal(&json, "energy_kwh", place->energy_nkwh, KWH_DECIMALS);
	es_json_decimal(&json, "bound_kwh", place->bound_nkwh, KWH_DECIMALS);
	if (place->bound_nkwh > 0)
		es_json_double(&json, "gap", es_placing_gap(place));
	else
		es_json_null(&json, "gap");
	es_json_string(&json, "bound_by", es_placing_bound_name(place));
	put_program(placing, &json);
	es_json_decimal(&json, "alone_kwh", alone_nkwh, KWH_DECIMALS);
	es_json_decimal(&json, "above_alone_kwh", place->energy_nkwh - alone_nkwh, KWH_DECIMALS);
	es_json_double(&json, "above_alone",
		       (double)(place->energy_nkwh - alone_nkwh) / (double)alone_nkwh);
	if (place->greedy_nkwh >= 0) {
		int64_t regret_nkwh = place->greedy_nkwh - place->energy_nkwh;

		es_json_decimal(&json, "greedy_kwh", place->greedy_nkwh, KWH_DECIMALS);
		es_json_decimal(&json, "regret_kwh", regret_nkwh, KWH_DECIMALS);
		es_json_double(&json, "regret", (double)regret_nkwh / (double)place->energy_nkwh);
	} else {
		es_json_null(&json, "greedy_kwh");
		es_json_null(&json, "regret_kwh");
		es_json_null(&json, "regret");
	}
	put_configurations(placing, &json);
	put_classes(placing, &json);
	put_ties(placing, &json);
	es_json_object_end(&json);
	out->error = es_json_end(&json);
}
