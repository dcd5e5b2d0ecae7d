/*
 * place_show.c - energyscopium place: the placement as a table and as JSON, or why there is none
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/place.h"
#include "format/letters.h"

#define COMMAND "place"
#define REASONS_BYTES 700U
#define TIES_SHOWN 10U
#define NAMES_MOST 60U /* columns; longer ones are cut */

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

const char *es_placing_method(const struct es_place *place)
{
	return methods[place->method];
}

const char *es_placing_bound_name(const struct es_place *place)
{
	return bounds[place->bound];
}

double es_placing_gap(const struct es_place *place)
{
	return (double)(place->energy_nkwh - place->bound_nkwh) / (double)place->bound_nkwh;
}

struct es_placing_filled es_placing_filled(const struct es_placing *placing, size_t j)
{
	const struct es_place_problem *problem = &placing->problem;
	struct es_placing_filled in = { .n = 0 };

	for (size_t i = 0; i < problem->n; i++) {
		if (placing->place.at[i] != j)
			continue;
		in.n++;
		in.energy_nkwh += problem->energy_nkwh[i * problem->m + j];
		in.time_us += problem->time_us ? problem->time_us[i * problem->m + j] : 0;
	}
	return in;
}

static void put_above_best(const struct es_placing *placing, size_t i, struct es_buf *out)
{
	int64_t regret_nkwh = es_placing_regret(placing, i);
	size_t best = es_placing_best(placing, i);

	if (regret_nkwh == 0) {
		(void)es_buf_printf(out, " %16s %8s", "-", "-");
		return;
	}
	(void)es_buf_printf(
		out, " %16.6g %8.2f  %s", es_placing_kwh(regret_nkwh),
		100 * (double)regret_nkwh /
			(double)placing->problem.energy_nkwh[i * placing->problem.m + best],
		placing->energies.classes.texts[best]);
}

/* Of single runs: how many, how sure, at which setting. */
static void put_measured(const struct es_place_cell *cell, struct es_buf *out)
{
	const struct es_interval *energy = &cell->energy_nkwh;
	char half[32] = "-";

	if (energy->method != ES_INTERVAL_NONE)
		(void)snprintf(half, sizeof(half), "%.2g",
			       fmax(energy->high - energy->mean, energy->mean - energy->low) /
				       ES_PLACE_NKWH_PER_KWH);
	(void)es_buf_printf(out, " %10s %5zu ", half, cell->n);
	es_letters_cell(out, cell->setting[0] ? cell->setting : "-", 10, true);
}

/* As wide as the longest, within bounds. */
static unsigned width_of(const struct es_place_names *names, unsigned least)
{
	size_t width = least;

	for (size_t i = 0; i < names->n; i++)
		width = strlen(names->texts[i]) > width ? strlen(names->texts[i]) : width;
	return width < NAMES_MOST ? (unsigned)width : NAMES_MOST;
}

static void put_configurations(const struct es_placing *placing, struct es_buf *out)
{
	const struct es_place_problem *problem = &placing->problem;
	unsigned names = width_of(&placing->energies.configurations, 24);
	unsigned classes = width_of(&placing->energies.classes, 16);

	(void)es_buf_printf(out, "%-*s %-*s %14s", (int)names, "configuration", (int)classes,
			    "class", "energy (kWh)");
	if (placing->cells)
		(void)es_buf_printf(out, " %10s %5s %-10s", "± (kWh) ", "runs", "setting");
	if (problem->time_us)
		(void)es_buf_printf(out, " %10s", "time (h)");
	(void)es_buf_printf(out, " %16s %8s  %s\n", "above best (kWh)", "(%)", "best class");
	for (size_t i = 0; i < problem->n; i++) {
		size_t j = placing->place.at[i], cell = i * problem->m + j;

		es_letters_cell(out, placing->energies.configurations.texts[i], names, true);
		(void)es_buf_str(out, " ");
		es_letters_cell(out, placing->energies.classes.texts[j], classes, true);
		(void)es_buf_printf(out, " %14.6g", es_placing_kwh(problem->energy_nkwh[cell]));
		if (placing->cells)
			put_measured(&placing->cells[cell], out);
		if (problem->time_us)
			(void)es_buf_printf(out, " %10.4g",
					    es_placing_hours(problem->time_us[cell]));
		put_above_best(placing, i, out);
		(void)es_buf_str(out, "\n");
	}
}

static void put_rooms(const struct es_placing *placing, struct es_buf *out)
{
	const struct es_place_problem *problem = &placing->problem;
	unsigned classes = width_of(&placing->energies.classes, 24);

	(void)es_buf_printf(out, "\n%-*s %14s %12s %14s", (int)classes, "class", "configurations",
			    problem->is_by_time ? "room (nodes)" : "room", "energy (kWh)");
	(void)es_buf_str(out, problem->time_us ? "     node-hours\n" : "\n");
	for (size_t j = 0; j < problem->m; j++) {
		struct es_placing_filled in = es_placing_filled(placing, j);
		char room[32] = "-";

		if (placing->capacity[j] >= 0)
			(void)snprintf(room, sizeof(room), "%lld", (long long)placing->capacity[j]);
		es_letters_cell(out, placing->energies.classes.texts[j], classes, true);
		(void)es_buf_printf(out, " %14zu %12s %14.6g", in.n, room,
				    es_placing_kwh(in.energy_nkwh));
		if (problem->time_us)
			(void)es_buf_printf(out, " %14.4g", es_placing_hours(in.time_us));
		if (problem->is_by_time && placing->capacity[j] >= 0)
			(void)es_buf_printf(out, " of %.4g",
					    (double)placing->capacity[j] *
						    es_placing_hours(placing->horizon_us));
		(void)es_buf_str(out, "\n");
	}
}

/* It may not be the cheapest: how far off, and who says so. */
static void put_open(const struct es_placing *placing, struct es_buf *out)
{
	const struct es_place *place = &placing->place;

	(void)es_buf_printf(out, "\nenergy   %.6g kWh (%s)\n", es_placing_kwh(place->energy_nkwh),
			    es_placing_method(place));
	(void)es_buf_printf(out, "bound    %.6g kWh: %s%s", es_placing_kwh(place->bound_nkwh),
			    es_placing_bound_name(place),
			    place->bound == ES_PLACE_BOUND_HINT ? " (GLPK)" : "");
	if (placing->lp == ES_PLACING_LP_NONE)
		(void)es_buf_printf(out, " (%s)", placing->lp_error.text);
	else if (placing->lp == ES_PLACING_LP_CUT)
		(void)es_buf_printf(out, " (linear program: cut short after %d steps)",
				    placing->program.n_steps);
	if (place->bound_nkwh > 0)
		(void)es_buf_printf(out,
				    "\ngap      %.2g %%: no placement takes less than the bound\n",
				    100 * es_placing_gap(place));
	else
		(void)es_buf_str(out, "\ngap      not known: the bound is 0\n");
}

/* Each alone, and each in turn. */
static void put_beside(const struct es_placing *placing, struct es_buf *out)
{
	const struct es_place *place = &placing->place;
	int64_t alone_nkwh = es_placing_alone(placing);

	(void)es_buf_printf(
		out,
		"alone    %.6g kWh, %.6g kWh (%.2f %%) less: each in its own best class, as if there were room for all\n",
		es_placing_kwh(alone_nkwh), es_placing_kwh(place->energy_nkwh - alone_nkwh),
		100 * (double)(place->energy_nkwh - alone_nkwh) / (double)place->energy_nkwh);
	if (place->greedy_nkwh < 0)
		(void)es_buf_str(out,
				 "greedy   comes to no end: each in turn into the cheapest class "
				 "with room leaves none for others\n");
	else
		(void)es_buf_printf(
			out,
			"greedy   %.6g kWh, %.6g kWh (%.2f %%) more: each in turn into the cheapest "
			"class with room\n",
			es_placing_kwh(place->greedy_nkwh),
			es_placing_kwh(place->greedy_nkwh - place->energy_nkwh),
			100 * (double)(place->greedy_nkwh - place->energy_nkwh) /
				(double)place->energy_nkwh);
}

static void put_name(const char *before, const char *name, struct es_buf *out)
{
	(void)es_buf_str(out, before);
	es_letters_cell(out, name, NAMES_MOST, false);
}

/* What more runs could turn. */
static void put_ties(const struct es_placing *placing, struct es_buf *out)
{
	char *const *rows = placing->energies.configurations.texts;
	char *const *columns = placing->energies.classes.texts;

	if (placing->n_ties > 0)
		(void)es_buf_str(out, "\n");
	for (size_t k = 0; k < placing->n_ties && k < TIES_SHOWN; k++) {
		const struct es_place_tie *tie = &placing->ties[k];

		put_name("within the noise: '", rows[tie->at], out);
		put_name("' in '", columns[tie->to], out);
		put_name("' instead of '", columns[placing->place.at[tie->at]], out);
		if (tie->with != SIZE_MAX)
			put_name("', and there '", rows[tie->with], out);
		(void)es_buf_str(out, tie->with == SIZE_MAX ? "'" : "' in its place");
		(void)es_buf_printf(out, ": %+.3g ± %.2g kWh\n", es_placing_kwh(tie->more_nkwh),
				    tie->noise_nkwh / ES_PLACE_NKWH_PER_KWH);
	}
	if (placing->n_ties > TIES_SHOWN)
		(void)es_buf_printf(out, "… and %zu more choices within the noise\n",
				    placing->n_ties - TIES_SHOWN);
}

void es_placing_put_table(const struct es_placing *placing, struct es_buf *out)
{
	const struct es_place *place = &placing->place;
	double energy = es_placing_kwh(place->energy_nkwh);

	put_configurations(placing, out);
	put_rooms(placing, out);
	if (place->energy_nkwh == place->bound_nkwh)
		(void)es_buf_printf(out, "\nenergy   %.6g kWh (the least there is: %s)\n", energy,
				    es_placing_method(place));
	else
		put_open(placing, out);
	put_beside(placing, out);
	put_ties(placing, out);
}

/* Why one class is closed to a configuration. */
static int put_reason(const struct es_placing *placing, size_t i, size_t j, char *text, size_t size)
{
	const struct es_place_problem *problem = &placing->problem;
	size_t cell = i * problem->m + j;
	double time_h = problem->time_us ? es_placing_hours(problem->time_us[cell]) : 0;
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
				name, time_h, es_placing_hours(placing->deadline_us[i]));
	case ES_PLACE_LARGE:
		if (!problem->is_by_time)
			return snprintf(text, size, "%.40s has no room at all", name);
		return snprintf(text, size, "%.40s takes %.4g of its %.4g node-hours", name, time_h,
				es_placing_hours(problem->room[j]));
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
			classes, es_placing_hours(lack->room), lack->n_only,
			es_placing_hours(lack->need));
	return es_complain(COMMAND, ES_EXIT_FAILURE,
			   "%s: %s too few node-hours for what can run there%s",
			   lack->is_certain ? "no placement" : "no placement was found", classes,
			   lack->is_certain
				   ? " (every way of filling them was ruled out)"
				   : "; one may exist all the same: the search was cut short");
}
