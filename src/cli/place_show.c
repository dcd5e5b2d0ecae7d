/*
 * place_show.c - energyscopium place: the placement as a table and as JSON, or why there is none
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdio.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/place.h"

#define COMMAND "place"
#define KWH_DECIMALS 9U
#define REASONS_BYTES 700U

static const char *const methods[] = {
	[ES_PLACE_BY_FLOW] = "min-cost flow",
	[ES_PLACE_BY_SEARCH] = "branch and bound",
	[ES_PLACE_BY_BOUND] = "rounded from a Lagrangian bound",
	[ES_PLACE_BY_HINT] = "rounded from a linear program",
};

static const char *const bounds[] = {
	[ES_PLACE_BOUND_EXACT] = "exact",
	[ES_PLACE_BOUND_PRICES] = "prices",
	[ES_PLACE_BOUND_HINT] = "linear program",
};

static double kwh(int64_t energy_nkwh)
{
	return (double)energy_nkwh / ES_PLACE_NKWH_PER_KWH;
}

static double hours(int64_t time_us)
{
	return (double)time_us / ES_PLACE_US_PER_HOUR;
}

/* Of the bound: no placement is that share cheaper. Not finite where the bound is 0. */
static double gap(const struct es_place *place)
{
	return (double)(place->energy_nkwh - place->bound_nkwh) / (double)place->bound_nkwh;
}

/* What is in a class. */
struct filled {
	size_t n;
	int64_t energy_nkwh, time_us;
};

static struct filled filled(const struct es_placing *placing, size_t j)
{
	const struct es_place_problem *problem = &placing->problem;
	struct filled in = { .n = 0 };

	for (size_t i = 0; i < problem->n; i++) {
		if (placing->place.at[i] != j)
			continue;
		in.n++;
		in.energy_nkwh += problem->energy_nkwh[i * problem->m + j];
		in.time_us += problem->time_us ? problem->time_us[i * problem->m + j] : 0;
	}
	return in;
}

static void put_classes(const struct es_placing *placing, struct es_json *json)
{
	es_json_object(json, "by_class");
	for (size_t j = 0; j < placing->problem.m; j++) {
		struct filled in = filled(placing, j);

		es_json_object(json, placing->energies.classes.texts[j]);
		es_json_u64(json, "configurations", in.n);
		es_json_decimal(json, "energy_kwh", in.energy_nkwh, KWH_DECIMALS);
		if (placing->problem.time_us)
			es_json_double(json, "node_hours", hours(in.time_us));
		else
			es_json_null(json, "node_hours");
		if (placing->capacity[j] >= 0)
			es_json_i64(json, "capacity", placing->capacity[j]);
		else
			es_json_null(json, "capacity");
		if (placing->problem.is_by_time && placing->capacity[j] >= 0)
			es_json_double(json, "capacity_node_hours",
				       (double)placing->capacity[j] * hours(placing->horizon_us));
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

void es_placing_put_json(const struct es_placing *placing, struct es_buf *out)
{
	const struct es_place *place = &placing->place;
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.place/1");
	es_json_string(&json, "method", methods[place->method]);
	es_json_object(&json, "assignment");
	for (size_t i = 0; i < placing->problem.n; i++)
		es_json_string(&json, placing->energies.configurations.texts[i],
			       placing->energies.classes.texts[place->at[i]]);
	es_json_object_end(&json);
	es_json_decimal(&json, "energy_kwh", place->energy_nkwh, KWH_DECIMALS);
	es_json_decimal(&json, "bound_kwh", place->bound_nkwh, KWH_DECIMALS);
	if (place->bound_nkwh > 0)
		es_json_double(&json, "gap", gap(place));
	else
		es_json_null(&json, "gap");
	es_json_string(&json, "bound_by", bounds[place->bound]);
	put_program(placing, &json);
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
	put_classes(placing, &json);
	es_json_object_end(&json);
	out->error = es_json_end(&json);
}

static void put_configurations(const struct es_placing *placing, struct es_buf *out)
{
	const struct es_place_problem *problem = &placing->problem;

	(void)es_buf_printf(out, "%-24s %-16s %14s", "configuration", "class", "energy (kWh)");
	(void)es_buf_printf(out, problem->time_us ? " %10s\n" : "\n", "time (h)");
	for (size_t i = 0; i < problem->n; i++) {
		size_t j = placing->place.at[i], cell = i * problem->m + j;

		(void)es_buf_printf(out, "%-24s %-16s %14.6g",
				    placing->energies.configurations.texts[i],
				    placing->energies.classes.texts[j],
				    kwh(problem->energy_nkwh[cell]));
		if (problem->time_us)
			(void)es_buf_printf(out, " %10.4g", hours(problem->time_us[cell]));
		(void)es_buf_str(out, "\n");
	}
}

static void put_rooms(const struct es_placing *placing, struct es_buf *out)
{
	const struct es_place_problem *problem = &placing->problem;

	(void)es_buf_printf(out, "\n%-24s %14s %12s %14s", "class", "configurations",
			    problem->is_by_time ? "room (nodes)" : "room", "energy (kWh)");
	(void)es_buf_str(out, problem->time_us ? "     node-hours\n" : "\n");
	for (size_t j = 0; j < problem->m; j++) {
		struct filled in = filled(placing, j);
		char room[32] = "-";

		if (placing->capacity[j] >= 0)
			(void)snprintf(room, sizeof(room), "%lld", (long long)placing->capacity[j]);
		(void)es_buf_printf(out, "%-24s %14zu %12s %14.6g",
				    placing->energies.classes.texts[j], in.n, room,
				    kwh(in.energy_nkwh));
		if (problem->time_us)
			(void)es_buf_printf(out, " %14.4g", hours(in.time_us));
		if (problem->is_by_time && placing->capacity[j] >= 0)
			(void)es_buf_printf(out, " of %.4g",
					    (double)placing->capacity[j] *
						    hours(placing->horizon_us));
		(void)es_buf_str(out, "\n");
	}
}

/* It may not be the cheapest: how far off, and who says so. */
static void put_open(const struct es_placing *placing, struct es_buf *out)
{
	const struct es_place *place = &placing->place;

	(void)es_buf_printf(out, "\nenergy   %.6g kWh (%s)\n", kwh(place->energy_nkwh),
			    methods[place->method]);
	(void)es_buf_printf(out, "bound    %.6g kWh: %s%s", kwh(place->bound_nkwh),
			    bounds[place->bound],
			    place->bound == ES_PLACE_BOUND_HINT ? " (GLPK)" : "");
	if (placing->lp == ES_PLACING_LP_NONE)
		(void)es_buf_printf(out, " (%s)", placing->lp_error.text);
	else if (placing->lp == ES_PLACING_LP_CUT)
		(void)es_buf_printf(out, " (linear program: cut short after %d steps)",
				    placing->program.n_steps);
	if (place->bound_nkwh > 0)
		(void)es_buf_printf(out,
				    "\ngap      %.2g %%: no placement takes less than the bound\n",
				    100 * gap(place));
	else
		(void)es_buf_str(out, "\ngap      not known: the bound is 0\n");
}

void es_placing_put_table(const struct es_placing *placing, struct es_buf *out)
{
	const struct es_place *place = &placing->place;
	double energy = kwh(place->energy_nkwh);

	put_configurations(placing, out);
	put_rooms(placing, out);
	if (place->energy_nkwh == place->bound_nkwh)
		(void)es_buf_printf(out, "\nenergy   %.6g kWh (the least there is: %s)\n", energy,
				    methods[place->method]);
	else
		put_open(placing, out);
	if (place->greedy_nkwh < 0)
		(void)es_buf_str(out,
				 "greedy   comes to no end: each in turn into the cheapest class "
				 "with room leaves none for others\n");
	else
		(void)es_buf_printf(
			out,
			"greedy   %.6g kWh, %.6g kWh (%.2f %%) more: each in turn into the cheapest "
			"class with room\n",
			kwh(place->greedy_nkwh), kwh(place->greedy_nkwh - place->energy_nkwh),
			100 * (double)(place->greedy_nkwh - place->energy_nkwh) /
				(double)place->energy_nkwh);
}

/* Why one class is closed to a configuration. */
static int put_reason(const struct es_placing *placing, size_t i, size_t j, char *text, size_t size)
{
	const struct es_place_problem *problem = &placing->problem;
	size_t cell = i * problem->m + j;
	double time_h = problem->time_us ? hours(problem->time_us[cell]) : 0;
	const char *name = placing->energies.classes.texts[j];

	switch ((enum es_place_why)problem->why[cell]) {
	case ES_PLACE_UNKNOWN:
		return snprintf(text, size, "%.40s has no energy", name);
	case ES_PLACE_FORBIDDEN:
		return snprintf(text, size, "%.40s is forbidden", name);
	case ES_PLACE_SLOW:
		return snprintf(text, size, "%.40s is too slow (%.4g h, --slowdown %.20s)", name,
				time_h, placing->slowdown);
	case ES_PLACE_LATE:
		return snprintf(text, size, "%.40s takes %.4g h, after the deadline of %.4g h",
				name, time_h, hours(placing->deadline_us[i]));
	case ES_PLACE_LARGE:
		if (!problem->is_by_time)
			return snprintf(text, size, "%.40s has no room at all", name);
		return snprintf(text, size, "%.40s takes %.4g of its %.4g node-hours", name, time_h,
				hours(problem->room[j]));
	case ES_PLACE_OPEN:
		break;
	}
	return snprintf(text, size, "%.40s is open", name);
}

static int say_nowhere(const struct es_placing *placing, size_t i)
{
	char reasons[REASONS_BYTES] = "";
	size_t used = 0;

	for (size_t j = 0; j < placing->problem.m && used + 150 < sizeof(reasons); j++) {
		used += (size_t)snprintf(reasons + used, sizeof(reasons) - used, "%s",
					 j ? "; " : "");
		used += (size_t)put_reason(placing, i, j, reasons + used, sizeof(reasons) - used);
	}
	return es_complain(COMMAND, ES_EXIT_FAILURE, "'%.60s' can run nowhere: %s%s",
			   placing->energies.configurations.texts[i], reasons,
			   used + 150 < sizeof(reasons) ? "" : "; …");
}

/* "class 'A' has", "classes 'A' and 'B' together have" */
static void name_classes(const struct es_placing *placing, const struct es_place_lack *lack,
			 char *text, size_t size)
{
	size_t n = 0, k = 0, used;

	for (size_t j = 0; j < placing->problem.m; j++)
		n += lack->classes[j];
	used = (size_t)snprintf(text, size, n > 1 ? "classes" : "class");
	for (size_t j = 0; j < placing->problem.m && used + 100 < size; j++) {
		if (!lack->classes[j])
			continue;
		used += (size_t)snprintf(text + used, size - used, "%s '%.60s'",
					 k == 0	      ? ""
					 : k + 1 == n ? " and"
						      : ",",
					 placing->energies.classes.texts[j]);
		k++;
	}
	(void)snprintf(text + used, size - used, "%s%s", k < n ? ", …" : "",
		       n > 1 ? " together have" : " has");
}

int es_placing_say_lack(const struct es_placing *placing, const struct es_place_lack *lack)
{
	const struct es_place_problem *problem = &placing->problem;
	char classes[REASONS_BYTES];

	if (lack->configuration != SIZE_MAX)
		return say_nowhere(placing, lack->configuration);
	name_classes(placing, lack, classes, sizeof(classes));
	if (!problem->is_by_time)
		return es_complain(COMMAND, ES_EXIT_FAILURE,
				   "no placement: %s room for %lld of the %zu configurations that "
				   "can only run there",
				   classes, (long long)lack->room, lack->n_only);
	if (lack->n_only > 0)
		return es_complain(
			COMMAND, ES_EXIT_FAILURE,
			"no placement: %s %.6g node-hours, and the %zu configurations that "
			"can only run there take at least %.6g",
			classes, hours(lack->room), lack->n_only, hours(lack->need));
	return es_complain(COMMAND, ES_EXIT_FAILURE,
			   "%s: %s too few node-hours for what can run there%s",
			   lack->is_certain ? "no placement" : "no placement was found", classes,
			   lack->is_certain
				   ? " (every way of filling them was ruled out)"
				   : "; one may exist all the same: the search was cut short");
}
