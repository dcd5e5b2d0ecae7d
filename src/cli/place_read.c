/*
 * place_read.c - energyscopium place: its tables, and what was given with them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/place.h"

#define COMMAND "place"
#define CAPACITY_MAX UINT64_C(1000000000)

static int usage(const char *option, const char *text, const char *wanted)
{
	return es_complain(COMMAND, ES_EXIT_USAGE, "--%s '%.200s': %s is wanted", option, text,
			   wanted);
}

static int no_such(const char *option, const char *text, const char *what, const char *name,
		   const struct es_place_names *names)
{
	char near[ES_NAME_MAX_BYTES * 2];

	return es_complain(COMMAND, ES_EXIT_FAILURE, "--%s '%.200s': no %s '%.60s' in the table%s",
			   option, text, what, name, es_place_names_near(names, name, near));
}

/* NAME=VALUE: the name in the table (@ret_at) and what follows the last '='; -1: go on. */
static int split(const char *option, const char *text, const char *wanted, const char *what,
		 const struct es_place_names *names, size_t *ret_at, const char **ret_value)
{
	const char *sign = strrchr(text, '=');
	char name[ES_NAME_MAX_BYTES];

	if (!sign || sign == text || (size_t)(sign - text) >= sizeof(name))
		return usage(option, text, wanted);
	(void)snprintf(name, sizeof(name), "%.*s", (int)(sign - text), text);
	*ret_at = es_place_names_find(names, name);
	if (*ret_at == SIZE_MAX)
		return no_such(option, text, what, name, names);
	*ret_value = sign + 1;
	return -1;
}

static int read_capacities(struct es_placing *placing)
{
	static const char wanted[] = "CLASS=N with a number from 0 on";

	for (size_t j = 0; j < placing->problem.m; j++)
		placing->capacity[j] = -1;
	for (size_t k = 0; k < placing->capacities.n; k++) {
		const char *text = placing->capacities.texts[k], *value;
		uint64_t n;
		size_t j;
		int status = split("capacity", text, wanted, "server class",
				   &placing->energies.classes, &j, &value);

		if (status >= 0)
			return status;
		if (es_parse_u64(value, &n) < 0 || n > CAPACITY_MAX)
			return usage("capacity", text, wanted);
		if (placing->capacity[j] >= 0)
			return es_complain(COMMAND, ES_EXIT_USAGE,
					   "--capacity '%.200s': that class has one already", text);
		placing->capacity[j] = (int64_t)n;
	}
	for (size_t j = 0; j < placing->problem.m; j++) {
		int64_t each = placing->horizon_us ? placing->horizon_us : 1;

		placing->room[j] = placing->capacity[j];
		if (placing->capacity[j] < 0 ||
		    __builtin_mul_overflow(placing->capacity[j], each, &placing->room[j]))
			placing->room[j] = ES_PLACE_ENDLESS;
	}
	return -1;
}

static int read_deadlines(struct es_placing *placing)
{
	static const char wanted[] = "CONFIG=TIME with a unit, as in 6h";

	for (size_t k = 0; k < placing->deadlines.n; k++) {
		const char *text = placing->deadlines.texts[k], *value;
		int64_t dur_ns;
		size_t i;
		int status = split("deadline", text, wanted, "configuration",
				   &placing->energies.configurations, &i, &value);

		if (status >= 0)
			return status;
		if (es_parse_duration_ns(value, &dur_ns) < 0 || dur_ns < 1000)
			return usage("deadline", text, wanted);
		if (placing->deadline_us[i] > 0)
			return es_complain(
				COMMAND, ES_EXIT_USAGE,
				"--deadline '%.200s': that configuration has one already", text);
		placing->deadline_us[i] = dur_ns / 1000;
	}
	return -1;
}

/* Names may have ':' in them: each is tried. */
static int forbid_one(struct es_placing *placing, const char *text)
{
	const struct es_place_names *rows = &placing->energies.configurations;
	const struct es_place_names *columns = &placing->energies.classes;
	char name[ES_NAME_MAX_BYTES] = "";
	const char *last = strrchr(text, ':');

	if (!last || last == text || last[1] == '\0')
		return usage("forbid", text, "CONFIG:CLASS");
	for (const char *sign = strchr(text, ':'); sign; sign = strchr(sign + 1, ':')) {
		size_t i, j = es_place_names_find(columns, sign + 1);

		(void)snprintf(name, sizeof(name), "%.*s", (int)(sign - text), text);
		i = es_place_names_find(rows, name);
		if (i == SIZE_MAX || j == SIZE_MAX)
			continue;
		placing->is_forbidden[i * columns->n + j] = true;
		return -1;
	}
	if (es_place_names_find(rows, name) == SIZE_MAX)
		return no_such("forbid", text, "configuration", name, rows);
	return no_such("forbid", text, "server class", last + 1, columns);
}

static int read_limits(struct es_placing *placing)
{
	int status = read_deadlines(placing);

	for (size_t k = 0; k < placing->forbidden.n && status < 0; k++)
		status = forbid_one(placing, placing->forbidden.texts[k]);
	placing->limits =
		(struct es_place_limits){ placing->is_forbidden, placing->deadline_us, -1, NULL };
	if (status < 0 && placing->slowdown &&
	    (es_parse_share_ppm(placing->slowdown, &placing->limits.slowdown_ppm) < 0 ||
	     placing->limits.slowdown_ppm < 0))
		return usage("slowdown", placing->slowdown, "a share from 0 on, as in 5%");
	return status;
}

/* The columns of single runs go together, and without them --time is a file. */
static int check_source(const struct es_placing *placing)
{
	const struct es_place_columns *columns = &placing->columns;
	const char *given = columns->configuration ? "configuration"
			    : columns->class	   ? "class"
			    : columns->energy	   ? "energy"
			    : columns->setting	   ? "setting"
						   : NULL;
	bool is_whole = columns->configuration && columns->class && columns->energy;

	if (placing->is_runs && (given || placing->time))
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--%s is of tables, and --runs of recordings",
				   given ? given : "time");
	if (given && !is_whole)
		return es_complain(
			COMMAND, ES_EXIT_USAGE,
			"--%s needs --configuration, --class and --energy: of a table with a "
			"row for each run",
			given);
	if (placing->by && !placing->is_runs)
		return es_complain(COMMAND, ES_EXIT_USAGE, "--by is of --runs");
	if (placing->by && strcmp(placing->by, "class") != 0 && strcmp(placing->by, "node") != 0)
		return usage("by", placing->by, "class or node");
	return -1;
}

static int check_wishes(struct es_placing *placing)
{
	const char *needs = placing->horizon	   ? "horizon"
			    : placing->slowdown	   ? "slowdown"
			    : placing->deadlines.n ? "deadline"
						   : NULL;
	int64_t dur_ns = 0;
	struct es_error err = { .code = 0 };
	int status = check_source(placing);

	if (status < 0 && es_drawing_takes_stdout(&placing->drawing, &err) < 0)
		status = es_complain(COMMAND, ES_EXIT_USAGE, "%s", err.text);

	if (status >= 0)
		return status;
	placing->is_by_node = placing->by && strcmp(placing->by, "node") == 0;
	if (needs && !placing->time && !placing->is_runs)
		return es_complain(COMMAND, ES_EXIT_USAGE, "--%s needs times: --time %s is missing",
				   needs, placing->columns.configuration ? "COL" : "FILE.csv");
	if (placing->horizon &&
	    (es_parse_duration_ns(placing->horizon, &dur_ns) < 0 || dur_ns < 1000))
		return usage("horizon", placing->horizon, "a time with a unit, as in 24h,");
	placing->horizon_us = dur_ns / 1000;
	return -1;
}

static int time_row(struct es_placing *placing, const struct es_place_table *given,
		    const size_t *column, size_t i)
{
	const struct es_place_table *energies = &placing->energies;
	const char *name = energies->configurations.texts[i];
	size_t m = energies->classes.n, row = i;
	char near[ES_NAME_MAX_BYTES * 2];

	/* Most often they stand in the same order. */
	if (row >= given->configurations.n || strcmp(given->configurations.texts[row], name) != 0)
		row = es_place_names_find(&given->configurations, name);
	if (row == SIZE_MAX)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "'%.300s': no row '%.60s'%s",
				   placing->time, name,
				   es_place_names_near(&given->configurations, name, near));
	for (size_t j = 0; j < m; j++) {
		int64_t time_us = given->cells[row * given->classes.n + column[j]];

		if (energies->cells[i * m + j] > 0 && time_us == 0)
			return es_complain(
				COMMAND, ES_EXIT_FAILURE,
				"'%.300s': no time of '%.60s' in '%.60s', where it has an energy",
				placing->time, name, energies->classes.texts[j]);
		placing->times.cells[i * m + j] = time_us;
	}
	return -1;
}

/* Times into the order of the energies; what only the times have is of no use. */
static int match_times(struct es_placing *placing, const struct es_place_table *given)
{
	size_t n = placing->problem.n, m = placing->problem.m;
	size_t column[ES_PLACE_CLASSES_MAX];
	char near[ES_NAME_MAX_BYTES * 2];
	int status = -1;

	placing->times.cells = calloc(n * m, sizeof(*placing->times.cells));
	if (!placing->times.cells)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "out of memory");
	for (size_t j = 0; j < m; j++) {
		const char *name = placing->energies.classes.texts[j];

		column[j] = es_place_names_find(&given->classes, name);
		if (column[j] == SIZE_MAX)
			return es_complain(COMMAND, ES_EXIT_FAILURE,
					   "'%.300s': no column '%.60s'%s", placing->time, name,
					   es_place_names_near(&given->classes, name, near));
	}
	for (size_t i = 0; i < n && status < 0; i++)
		status = time_row(placing, given, column, i);
	return status;
}

static int read_times(struct es_placing *placing)
{
	struct es_place_table given = { .cells = NULL };
	struct es_error err = { .code = 0 };
	int status;

	if (es_place_table_load(placing->time, COMMAND, placing->is_strict, true, &given, &err) < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "%s", err.text);
	status = match_times(placing, &given);
	es_place_table_finish(&given);
	return status;
}

static int make_room(struct es_placing *placing)
{
	size_t n = placing->problem.n, m = placing->problem.m;

	placing->is_forbidden = calloc(n * m, sizeof(*placing->is_forbidden));
	placing->deadline_us = calloc(n, sizeof(*placing->deadline_us));
	placing->why = calloc(n * m, sizeof(*placing->why));
	if (!placing->is_forbidden || !placing->deadline_us || !placing->why)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "out of memory");
	return -1;
}

int es_placing_read(struct es_placing *placing)
{
	int status = check_wishes(placing);
	bool is_matrix = !placing->is_runs && !placing->columns.configuration;

	if (status < 0)
		status = es_placing_read_energies(placing);
	if (status >= 0)
		return status;
	placing->problem.n = placing->energies.configurations.n;
	placing->problem.m = placing->energies.classes.n;
	status = make_room(placing);
	if (status < 0)
		status = read_capacities(placing);
	if (status < 0)
		status = read_limits(placing);
	if (status < 0 && !is_matrix)
		status = es_placing_take_runs(placing);
	else if (status < 0 && placing->time)
		status = read_times(placing);
	placing->problem.energy_nkwh = placing->energies.cells;
	placing->problem.time_us = placing->times.cells;
	placing->problem.why = placing->why;
	placing->problem.room = placing->room;
	placing->problem.is_by_time = placing->horizon_us > 0;
	return status;
}
