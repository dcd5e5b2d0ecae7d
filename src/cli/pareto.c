/*
 * pareto.c - energyscopium pareto: what no other is better than in time and energy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/pareto.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/terminal.h"

#define OUT_MAX_BYTES (256U << 20)

/* The points of one group; SIZE_MAX: all. */
static size_t gather(const struct es_pareto *pareto, size_t group, size_t *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < pareto->n; i++)
		if (group == SIZE_MAX || pareto->points[i].group == group)
			ret[n++] = i;
	return n;
}

/* Dominated, but not surely. */
static int find_possible(const struct es_pareto *pareto, const size_t *members, size_t n,
			 struct es_pareto_front *front)
{
	es_cleanup(es_freep) struct es_opt_range *ranges = calloc(n, sizeof(*ranges));
	es_cleanup(es_freep) bool *is_surely = calloc(n, sizeof(*is_surely));
	es_cleanup(es_freep) bool *is_front = calloc(pareto->n, sizeof(*is_front));
	int r;

	front->possible = calloc(n, sizeof(*front->possible));
	if (!ranges || !is_surely || !is_front || !front->possible)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		ranges[i] = pareto->points[members[i]].range;
	for (size_t i = 0; i < front->n; i++)
		is_front[front->points[i]] = true;
	r = es_opt_dominated_surely(ranges, n, is_surely);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!is_surely[i] && !is_front[members[i]])
			front->possible[front->n_possible++] = members[i];
	return r;
}

static int make_front(const struct es_pareto *pareto, size_t group, struct es_pareto_front *front)
{
	es_cleanup(es_freep) size_t *members = calloc(pareto->n, sizeof(*members));
	es_cleanup(es_freep) struct es_opt_point *points = calloc(pareto->n, sizeof(*points));
	const struct es_opt_wish wish = { .objective = pareto->exponent, .slowdown = INFINITY };
	size_t n;
	int r;

	front->points = calloc(pareto->n, sizeof(*front->points));
	if (!points || !members || !front->points)
		return -ENOMEM;
	n = gather(pareto, group, members);
	for (size_t i = 0; i < n; i++)
		points[i] = pareto->points[members[i]].at;
	front->n_points = n;
	r = es_opt_front(points, n, front->points, &front->n);
	if (r < 0)
		return r;
	front->knee = members[es_opt_knee(points, front->points, front->n, &front->depth)];
	front->best = members[es_opt_choose(points, n, 0, &wish)];
	for (size_t i = 0; i < front->n; i++)
		front->points[i] = members[front->points[i]];
	return pareto->has_ranges ? find_possible(pareto, members, n, front) : 0;
}

static int make_fronts(struct es_pareto *pareto, struct es_error *err)
{
	int r = make_front(pareto, SIZE_MAX, &pareto->all);

	for (size_t i = 0; r == 0 && i < pareto->n_groups; i++)
		r = make_front(pareto, i, &pareto->groups[i]);
	return r < 0 ? es_error_set(err, r, "cannot find the front") : 0;
}

static int do_work(struct es_pareto *pareto)
{
	bool is_alone = es_drawing_takes_stdout(&pareto->drawing, NULL);
	bool has_letters = !is_alone && !pareto->is_json &&
			   (pareto->is_term || es_terminal_is_there());
	struct es_error err = { .code = 0 };
	struct es_buf out;
	int status, r = es_pareto_take(pareto, &err);

	es_buf_init(&out, OUT_MAX_BYTES);
	if (r == 0)
		r = make_fronts(pareto, &err);
	if (r == 0)
		r = es_pareto_draw(pareto, has_letters ? &out : NULL, &err);
	if (r < 0) {
		es_buf_finish(&out);
		return err.text[0] ? es_complain(ES_PARETO, ES_EXIT_FAILURE, "%s", err.text)
				   : ES_EXIT_FAILURE;
	}
	/* A picture on stdout stands alone. */
	if (pareto->is_json && !is_alone)
		es_pareto_json(pareto, &out);
	else if (!is_alone)
		es_pareto_text(pareto, &out);
	status = is_alone ? ES_EXIT_OK : es_put_out(ES_PARETO, &out);
	es_buf_finish(&out);
	return status;
}

static void finish(struct es_pareto *pareto)
{
	for (size_t i = 0; i < pareto->n_groups; i++) {
		free(pareto->groups[i].points);
		free(pareto->groups[i].possible);
	}
	free(pareto->groups);
	free(pareto->all.points);
	free(pareto->all.possible);
	free(pareto->points);
	es_sheet_groups_finish(&pareto->split);
	es_sheet_groups_finish(&pareto->configurations);
	es_sheet_finish(&pareto->rows);
	es_trials_finish(&pareto->trials);
	es_chain_finish(&pareto->chain);
	es_text_list_finish(&pareto->group);
}

/* -1: go on; else the exit status. */
static int check(struct es_pareto *pareto)
{
	bool has_columns = pareto->time_ci || pareto->energy_ci || pareto->label ||
			   pareto->group.n || pareto->has_repeats;
	struct es_error err = { .code = 0 };

	if (pareto->n_paths == 0)
		return es_complain(ES_PARETO, ES_EXIT_USAGE,
				   "one FILE.csv, or recordings, are wanted");
	if (!pareto->time != !pareto->energy)
		return es_complain(ES_PARETO, ES_EXIT_USAGE, "--%s COL is missing",
				   pareto->time ? "energy" : "time");
	if (pareto->time && pareto->n_paths > 1)
		return es_complain(ES_PARETO, ES_EXIT_USAGE, "one FILE.csv is wanted, not %zu",
				   pareto->n_paths);
	if (!pareto->time && has_columns)
		return es_complain(
			ES_PARETO, ES_EXIT_USAGE,
			"columns are of tables: --time COL and --energy COL are missing");
	if (pareto->has_repeats && !pareto->label)
		return es_complain(
			ES_PARETO, ES_EXIT_USAGE,
			"--repeats needs --label COL: what the runs of one configuration share");
	if (pareto->has_repeats && (pareto->time_ci || pareto->energy_ci))
		return es_complain(ES_PARETO, ES_EXIT_USAGE,
				   "intervals come from --repeats or from columns, not from both");
	if (pareto->objective && es_opt_objective_find(pareto->objective, &pareto->exponent) < 0)
		return es_complain(ES_PARETO, ES_EXIT_USAGE,
				   "--objective '%s': there are energy, edp, ed2p … ed9p",
				   pareto->objective);
	if (es_drawing_takes_stdout(&pareto->drawing, &err) < 0)
		return es_complain(ES_PARETO, ES_EXIT_USAGE, "%s", err.text);
	return -1;
}

int es_cmd_pareto(int argc, char **argv)
{
	struct es_pareto pareto = { .paths = NULL };
	const struct es_option options[] = {
		{ "time", "COL", "column of the times", ES_OPTION_TEXT, &pareto.time },
		{ "energy", "COL", "column of the energies", ES_OPTION_TEXT, &pareto.energy },
		{ "time-ci", "COL", "column of the half widths of the times' intervals",
		  ES_OPTION_TEXT, &pareto.time_ci },
		{ "energy-ci", "COL", "column of the half widths of the energies'", ES_OPTION_TEXT,
		  &pareto.energy_ci },
		{ "group", "COL[,COL]…", "a front for each value of these columns, too",
		  ES_OPTION_LIST, &pareto.group },
		{ "label", "COL", "what names the points", ES_OPTION_TEXT, &pareto.label },
		{ "repeats", NULL, "rows with the same label are runs of one configuration",
		  ES_OPTION_FLAG, &pareto.has_repeats },
		{ "objective", "NAME", "name the best by energy, edp, ed2p … ed9p, too",
		  ES_OPTION_TEXT, &pareto.objective },
		{ "strict", NULL, "refuse a table with lines that are no rows", ES_OPTION_FLAG,
		  &pareto.is_strict },
		{ "term", NULL, "a picture in letters, also where stdout is no terminal",
		  ES_OPTION_FLAG, &pareto.is_term },
		{ "svg", "FILE", "a picture: energy against time; '-': stdout", ES_OPTION_TEXT,
		  &pareto.drawing.svg },
		{ "png", "FILE", "the same as PNG", ES_OPTION_TEXT, &pareto.drawing.png },
		{ "pdf", "FILE", "the same as PDF", ES_OPTION_TEXT, &pareto.drawing.pdf },
		{ "json", NULL, "print energyscopium.pareto/1", ES_OPTION_FLAG, &pareto.is_json },
	};
	const struct es_usage usage = {
		.command = ES_PARETO,
		.synopsis = "FILE.csv --time COL --energy COL [OPTION]…\n"
			    "       energyscopium pareto RECORDING|FOLDER… [OPTION]…",
		.text = "Shows the rows of a table, or the configurations that recordings are runs of, for which\n"
			"no other is at least as good in time and energy and better in one of them, and the knee\n"
			"of that front: the point farthest below the line between its ends, both axes scaled to\n"
			"its length. Where intervals are known it tells which are dominated surely.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	pareto.paths = (const char *const *)&argv[first];
	pareto.n_paths = (size_t)(argc - first);
	status = check(&pareto);
	if (status < 0)
		status = do_work(&pareto);
	finish(&pareto);
	return status;
}
