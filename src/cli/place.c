/*
 * place.c - energyscopium place: which configuration runs on which class of servers
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/place.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/place_map.h"
#include "cli/terminal.h"

#define COMMAND "place"

static void finish(struct es_placing *placing)
{
	es_text_list_finish(&placing->capacities);
	es_text_list_finish(&placing->deadlines);
	es_text_list_finish(&placing->forbidden);
	es_place_table_finish(&placing->energies);
	es_place_table_finish(&placing->times);
	free(placing->is_forbidden);
	free(placing->deadline_us);
	free(placing->why);
	free(placing->cells);
	free(placing->ties);
	free(placing->best_us);
	es_place_runs_finish(&placing->runs);
	es_place_finish(&placing->place);
	es_place_lp_finish(&placing->program);
}

static void warn_of_long(const struct es_placing *placing)
{
	size_t m = placing->problem.m, n_long = 0, first = 0;

	for (size_t i = 0; i < placing->problem.n; i++) {
		if (placing->horizon_us == 0 ||
		    placing->problem.time_us[i * m + placing->place.at[i]] <= placing->horizon_us)
			continue;
		first = n_long++ ? first : i;
	}
	if (n_long > 0)
		(void)es_complain(
			COMMAND, 0,
			"%zu configurations ('%.60s' first) take longer where they are than "
			"the horizon of %s: one node does not end them in it; --deadline "
			"keeps them out",
			n_long, placing->energies.configurations.texts[first], placing->horizon);
}

static int draw(const struct es_placing *placing, const struct es_place_map *map,
		struct es_error *err)
{
	struct es_scene scene;
	int r = es_place_map_scene(map, &scene);

	r = r < 0 ? es_error_set(err, r, "cannot draw %zu rows of %zu classes", map->n_rows,
				 placing->problem.m)
		  : es_drawing_write(&placing->drawing, &scene, "Placement", err);
	es_scene_finish(&scene);
	return r;
}

/* A picture on stdout stands alone. */
static int show(const struct es_placing *placing)
{
	bool is_alone = es_drawing_takes_stdout(&placing->drawing, NULL);
	bool has_letters = placing->is_term || es_terminal_is_there();
	struct es_error err = { .code = 0 };
	struct es_terminal terminal;
	struct es_place_map map;
	struct es_buf out;
	int status, r = es_place_map_init(&map, placing);

	if (r < 0)
		(void)es_error_set(&err, r, "cannot make the map");
	else if (es_drawing_is_asked(&placing->drawing))
		r = draw(placing, &map, &err);
	if (r < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "%s", err.text);
	if (is_alone)
		return ES_EXIT_OK;
	es_buf_init(&out, 64U << 20);
	if (placing->wants_json) {
		es_placing_put_json(placing, &out);
	} else {
		es_terminal_look(&terminal);
		if (has_letters)
			es_place_map_letters(&map, &terminal, &out);
		es_placing_put_table(placing, &out);
	}
	status = es_put_out(COMMAND, &out);
	es_buf_finish(&out);
	return status;
}

/* Where the search came to no end within its steps, the linear program gives a bound and a placement beside. */
static int ask_program(struct es_placing *placing, struct es_place_lack *lack)
{
	struct es_place_hint hint = { .price = placing->program.price };
	int r = es_place_lp_solve(&placing->problem, NULL, &placing->program, &placing->lp_error);

	placing->lp = r < 0			? ES_PLACING_LP_NONE
		      : placing->program.is_cut ? ES_PLACING_LP_CUT
						: ES_PLACING_LP_SOLVED;
	if (r == -ENOSPC)
		lack->is_certain = true;
	if (r < 0)
		return placing->place.at ? 0 : -ENOSPC;
	hint.at = placing->program.at;
	return es_place_resume(&placing->problem, &hint, &placing->place, lack);
}

static int solve(struct es_placing *placing, struct es_place_lack *lack)
{
	int r = es_place_solve(&placing->problem, &placing->place, lack);
	bool is_open = r == 0 ? placing->place.energy_nkwh > placing->place.bound_nkwh
			      : r == -ENOSPC && !lack->is_certain;

	return is_open ? ask_program(placing, lack) : r;
}

static int place(struct es_placing *placing)
{
	struct es_place_lack lack;
	int r, status = es_placing_read(placing);

	if (status >= 0)
		return status;
	es_place_limit(&placing->problem, &placing->limits, placing->why);
	r = solve(placing, &lack);
	if (r == -ENOSPC)
		return es_placing_say_lack(placing, &lack);
	if (r < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "cannot place: %s", es_strerror(r));
	if (es_placing_find_ties(placing) < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "out of memory");
	warn_of_long(placing);
	return show(placing);
}

int es_cmd_place(int argc, char **argv)
{
	struct es_placing placing = { .paths = NULL };
	const struct es_option options[] = {
		{ "capacity", "CLASS=N",
		  "room of a class: N configurations, or N nodes with --horizon; else without end",
		  ES_OPTION_LIST, &placing.capacities },
		{ "time", "FILE|COL",
		  "the same rows and columns with the time each takes: hours, or with a unit;\nof a table with a row for each run its column of times",
		  ES_OPTION_TEXT, &placing.time },
		{ "horizon", "TIME", "count room in node-hours: N nodes for this long",
		  ES_OPTION_TEXT, &placing.horizon },
		{ "deadline", "CONFIG=TIME", "a configuration takes no longer than that",
		  ES_OPTION_LIST, &placing.deadlines },
		{ "slowdown", "SHARE",
		  "none takes longer than this above its best time among classes with an energy: 5%",
		  ES_OPTION_TEXT, &placing.slowdown },
		{ "forbid", "CONFIG:CLASS", "a configuration does not run there", ES_OPTION_LIST,
		  &placing.forbidden },
		{ NULL, NULL, "Energies from single runs", ES_OPTION_HEADING, NULL },
		{ "runs", NULL,
		  "the operands are recordings, or folders of them: a configuration is a job's name\nwithout its number, behind an '@' in it stands the setting",
		  ES_OPTION_FLAG, &placing.is_runs },
		{ "by", "class|node",
		  "--runs: a class is what nodes are built like (default), or each node",
		  ES_OPTION_TEXT, &placing.by },
		{ "configuration", "COL",
		  "FILE.csv has a row for each run: the column of configurations", ES_OPTION_TEXT,
		  &placing.columns.configuration },
		{ "class", "COL", "its column of server classes", ES_OPTION_TEXT,
		  &placing.columns.class },
		{ "energy", "COL", "its column of energies (J unless its name ends with a unit)",
		  ES_OPTION_TEXT, &placing.columns.energy },
		{ "setting", "COL",
		  "its column of settings: in each class the best within the limits is taken",
		  ES_OPTION_TEXT, &placing.columns.setting },
		{ "strict", NULL, "refuse lines that are no rows, and runs that lack something",
		  ES_OPTION_FLAG, &placing.is_strict },
		{ NULL, NULL, "Output", ES_OPTION_HEADING, NULL },
		{ "term", NULL, "a map of the matrix in letters, also where stdout is no terminal",
		  ES_OPTION_FLAG, &placing.is_term },
		{ "svg", "FILE",
		  "a map: what each class takes above the row's best, and what was chosen;\n'-': stdout",
		  ES_OPTION_TEXT, &placing.drawing.svg },
		{ "png", "FILE", "the same as PNG", ES_OPTION_TEXT, &placing.drawing.png },
		{ "pdf", "FILE", "the same as PDF", ES_OPTION_TEXT, &placing.drawing.pdf },
		{ "json", NULL, "print energyscopium.place/1", ES_OPTION_FLAG,
		  &placing.wants_json },
	};
	const struct es_usage usage = {
		.command = COMMAND,
		.synopsis = "[OPTION]… FILE.csv | --runs FILE|DIR…",
		.text = "Chooses the class of servers for each configuration (rows) so that all of them take\n"
			"the least energy; cells are kWh, empty where it cannot run. Or the means of runs.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status < 0 && first == argc)
		status = es_complain(COMMAND, ES_EXIT_USAGE, "%s",
				     placing.is_runs ? "recordings are missing: FILE or DIR"
						     : "a table is missing: FILE.csv");
	else if (status < 0 && first + 1 < argc && !placing.is_runs)
		status = es_complain(COMMAND, ES_EXIT_USAGE, "'%s' is one too many",
				     argv[first + 1]);
	if (status < 0) {
		placing.paths = argv + first;
		placing.n_paths = (size_t)(argc - first);
		status = place(&placing);
	}
	finish(&placing);
	return status;
}
