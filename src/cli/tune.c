/*
 * tune.c - energyscopium tune: the best of measured settings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/tune.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/command.h"
#include "cli/scatter.h"

#define COMMAND "tune"
#define OUT_MAX_BYTES (64U << 20)
#define CLIPPED 0.02 /* relative: a clock further off than that is not the one asked for */
#define SAME 1e-9 /* relative: two ways to write one number */

enum column {
	SETTING,
	TIME,
	ENERGY,
	REACHED,
	N_COLUMNS
};

struct columns {
	int at[N_COLUMNS]; /* -1: none */
	int groups[ES_SHEET_GROUP_COLUMNS_MAX];
	size_t n_groups;
};

/* A number, or one behind the last '_', '=', ':' or blank: window_300. */
static bool number_of(const char *text, double *ret)
{
	const char *digits = text;

	if (es_parse_double(text, ret) == 0)
		return true;
	for (const char *p = text; *p; p++)
		if (strchr("_=: ", *p))
			digits = p + 1;
	return digits > text && es_parse_double(digits, ret) == 0;
}

static bool is_same(double a, double b)
{
	return fabs(a - b) <= SAME * fmax(fabs(a), fabs(b));
}

/* Clocks beside the requested ones are named so by those who read them (Kernel Tuner: core_MHz). */
static void find_reached(const struct es_tune *tune, struct columns *columns)
{
	static const char *const known[] = { "core_MHz", "reached_MHz", "effective_MHz" };

	for (int i = 0; i < tune->rows.n_columns; i++)
		for (size_t k = 0; k < ES_ARRAY_SIZE(known); k++)
			if (columns->at[REACHED] < 0 && i != columns->at[SETTING] &&
			    strcasestr(tune->setting, "mhz") &&
			    strcasecmp(tune->rows.names[i], known[k]) == 0)
				columns->at[REACHED] = i;
}

static int find(struct es_tune *tune, struct columns *columns, struct es_error *err)
{
	const struct {
		const char *option, *name;
		enum column column;
	} wanted[] = {
		{ "setting", tune->setting, SETTING }, { "time", tune->time, TIME },
		{ "speed", tune->speed, TIME },	       { "energy", tune->energy, ENERGY },
		{ "power", tune->power, ENERGY },      { "reached", tune->reached, REACHED },
	};

	columns->n_groups = 0;
	for (int i = 0; i < N_COLUMNS; i++)
		columns->at[i] = -1;
	for (size_t i = 0; i < ES_ARRAY_SIZE(wanted); i++) {
		int r = 0;

		if (wanted[i].name)
			r = es_sheet_find(&tune->rows, wanted[i].option, wanted[i].name,
					  &columns->at[wanted[i].column], err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < tune->group.n; i++) {
		int r = es_sheet_find_list(&tune->rows, "group", tune->group.texts[i],
					   ES_SHEET_GROUP_COLUMNS_MAX, columns->groups,
					   &columns->n_groups, err);

		if (r < 0)
			return r;
	}
	if (columns->at[TIME] == columns->at[ENERGY])
		return es_error_say(err, -EINVAL, "time and energy are the same column");
	find_reached(tune, columns);
	return 0;
}

/* In s and J; by a speed the time of one unit of work, with a power its energy. */
static struct es_opt_point point_of(const struct es_tune *tune, double time, double energy)
{
	struct es_opt_point point = { time, energy };

	if (tune->speed)
		point.time = 1 / time;
	else
		point.time *= es_sheet_time_unit(tune->time);
	if (tune->power)
		point.energy *= point.time;
	else
		point.energy *= es_sheet_energy_unit(tune->energy);
	return point;
}

static int add_answer(struct es_tune *tune, const struct columns *columns, const char *group,
		      const size_t *rows, size_t n, double *const *values)
{
	struct es_tune_answer *more =
		reallocarray(tune->answers, tune->n_answers + 1, sizeof(*more));
	struct es_tune_answer *answer;

	if (!more)
		return -ENOMEM;
	tune->answers = more;
	answer = &more[tune->n_answers++];
	*answer = (struct es_tune_answer){ .group = group,
					   .rows = calloc(n, sizeof(*answer->rows)),
					   .points = calloc(n, sizeof(*answer->points)),
					   .front = calloc(n, sizeof(*answer->front)),
					   .n = n };
	if (!answer->rows || !answer->points || !answer->front)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		size_t row = rows[i];
		struct es_tune_row *to = &answer->rows[i];

		*to = (struct es_tune_row){
			.cell = es_sheet_cell(&tune->rows, row, columns->at[SETTING]), .row = row
		};
		tune->has_numbers &= number_of(to->cell, &to->value);
		to->reached = columns->at[REACHED] >= 0 ? values[2][row] : 0;
		answer->points[i] = point_of(tune, values[0][row], values[1][row]);
	}
	return 0;
}

static int split(struct es_tune *tune, const struct columns *columns, double *const *values)
{
	struct es_sheet_groups *groups = &tune->split;
	int r = es_sheet_group(&tune->rows, columns->groups, columns->n_groups, groups);

	tune->has_numbers = true;
	for (size_t i = 0; r == 0 && i < groups->n; i++)
		r = add_answer(tune, columns, columns->n_groups ? groups->names[i] : NULL,
			       &groups->rows[groups->first[i]],
			       groups->first[i + 1] - groups->first[i], values);
	return r;
}

static int take(struct es_tune *tune, struct es_error *err)
{
	struct columns columns;
	double *values[3] = { NULL, NULL, NULL };
	int r = find(tune, &columns, err);

	if (r < 0)
		return r;
	r = es_sheet_positive(&tune->rows,
			      (const int[]){ columns.at[TIME], columns.at[ENERGY],
					     columns.at[REACHED] },
			      ES_ARRAY_SIZE(values), values, err);
	if (es_sheet_complain(&tune->rows, COMMAND, tune->is_strict) < 0 && r == 0)
		r = -EBADMSG;
	if (r == 0) {
		r = split(tune, &columns, values);
		if (r < 0)
			(void)es_error_set(err, r, "cannot keep the rows");
	}
	for (size_t i = 0; i < ES_ARRAY_SIZE(values); i++)
		free(values[i]);
	return r;
}

struct named {
	const struct es_tune_row *row;
	bool has_numbers;
};

static int by_setting(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	if (x->has_numbers && !is_same(x->row->value, y->row->value))
		return x->row->value < y->row->value ? -1 : 1;
	return x->has_numbers ? 0 : strcmp(x->row->cell, y->row->cell);
}

static const char *in_group(const struct es_tune_answer *answer, char text[static 120])
{
	text[0] = '\0';
	if (answer->group)
		(void)snprintf(text, 120, " in group '%.80s'", answer->group);
	return text;
}

static int check_settings(const struct es_tune *tune, const struct es_tune_answer *answer,
			  struct es_error *err)
{
	es_cleanup(es_freep) struct named *sorted = calloc(answer->n, sizeof(*sorted));
	char group[120];

	if (!sorted)
		return es_error_set(err, -ENOMEM, "cannot compare the settings");
	for (size_t i = 0; i < answer->n; i++)
		sorted[i] = (struct named){ &answer->rows[i], tune->has_numbers };
	qsort(sorted, answer->n, sizeof(*sorted), by_setting);
	for (size_t i = 1; i < answer->n; i++)
		if (by_setting(&sorted[i - 1], &sorted[i]) == 0)
			return es_error_say(
				err, -EBADMSG,
				"'%.200s': lines %zu and %zu are both for setting '%.60s'%s; --group COL tells apart "
				"what belongs to different programs or machines",
				tune->path, tune->rows.lines[sorted[i - 1].row->row],
				tune->rows.lines[sorted[i].row->row], sorted[i].row->cell,
				in_group(answer, group));
	return 0;
}

static int find_reference(const struct es_tune *tune, struct es_tune_answer *answer,
			  struct es_error *err)
{
	const char *comma = "";
	char all[300] = "", group[120];
	size_t used = 0;
	double wanted = 0;
	bool is_number = tune->reference && es_parse_double(tune->reference, &wanted) == 0;

	answer->reference = 0;
	for (size_t i = 0; i < answer->n; i++) {
		const struct es_tune_row *row = &answer->rows[i];
		int n;

		if (!tune->reference) {
			const struct es_opt_point *best = &answer->points[answer->reference],
						  *this = &answer->points[i];

			if (this->time < best->time ||
			    (!(this->time > best->time) && this->energy < best->energy))
				answer->reference = i;
			continue;
		}
		if (strcmp(row->cell, tune->reference) == 0 ||
		    (is_number && tune->has_numbers && is_same(row->value, wanted))) {
			answer->reference = i;
			return 0;
		}
		n = snprintf(all + used, sizeof(all) - used, "%s%.40s", comma, row->cell);
		used += n > 0 && (size_t)n < sizeof(all) - used ? (size_t)n : 0;
		all[used] = '\0';
		comma = ", ";
	}
	if (!tune->reference)
		return 0;
	return es_error_say(
		err, -ENOENT,
		"--reference '%.60s' is not in column '%.60s' of '%.200s'%s; there is %s",
		tune->reference, tune->setting, tune->path, in_group(answer, group), all);
}

static int answer_one(const struct es_tune *tune, struct es_tune_answer *answer,
		      struct es_error *err)
{
	int r = check_settings(tune, answer, err);

	if (r == 0)
		r = find_reference(tune, answer, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < answer->n; i++) {
		struct es_tune_row *row = &answer->rows[i];

		row->is_clipped = tune->has_numbers && row->reached > 0 &&
				  fabs(row->reached / row->value - 1) > CLIPPED;
	}
	answer->chosen = es_opt_choose(answer->points, answer->n, answer->reference, &tune->wish);
	for (int i = 0; i < ES_OPT_N_OBJECTIVES; i++) {
		const struct es_opt_wish any = { (unsigned)i, INFINITY };

		answer->best[i] = es_opt_choose(answer->points, answer->n, answer->reference, &any);
	}
	r = es_opt_front(answer->points, answer->n, answer->front, &answer->n_front);
	if (r == 0)
		r = es_tune_clip(tune, answer);
	if (r == 0)
		r = es_tune_model(tune, answer);
	return r < 0 ? es_error_set(err, r, "cannot compare the settings") : 0;
}

bool es_tune_has_saving(const struct es_tune_answer *answer)
{
	return answer->chosen != answer->reference;
}

static int draw(const struct es_tune *tune, struct es_error *err)
{
	const struct es_tune_answer *answer = &tune->answers[0];
	es_cleanup(es_freep) struct es_scatter_point *points = calloc(answer->n, sizeof(*points));
	const struct es_scatter_line line = { answer->front, answer->n_front, 0 };
	const char *slash = strrchr(tune->path, '/');
	struct es_scatter scatter = { .title = slash ? slash + 1 : tune->path,
				      .x_name = tune->speed ? "time (relative)" : "time (s)",
				      .y_name = tune->speed ? "energy (relative)" : "energy (J)",
				      .mark_name = "chosen",
				      .points = points,
				      .n = answer->n,
				      .lines = &line,
				      .n_lines = 1 };

	if (!points)
		return es_error_set(err, -ENOMEM, "cannot draw");
	for (size_t i = 0; i < answer->n; i++)
		points[i] = (struct es_scatter_point){ .at = answer->points[i],
						       .name = answer->rows[i].cell };
	for (size_t i = 0; i < answer->n_front; i++)
		points[answer->front[i]].is_front = true;
	points[answer->chosen].is_marked = true;
	return es_scatter_write(&scatter, &tune->drawing, err);
}

static int do_work(struct es_tune *tune)
{
	struct es_error err = { .code = 0 };
	struct es_buf out;
	int status, r = es_sheet_read(tune->path, &tune->rows, &err);

	if (r == 0)
		r = take(tune, &err);
	for (size_t i = 0; r == 0 && i < tune->n_answers; i++)
		r = answer_one(tune, &tune->answers[i], &err);
	if (r == 0 && es_drawing_is_asked(&tune->drawing))
		r = draw(tune, &err);
	if (r < 0)
		return err.text[0] ? es_complain(COMMAND, ES_EXIT_FAILURE, "%s", err.text)
				   : ES_EXIT_FAILURE;
	es_buf_init(&out, OUT_MAX_BYTES);
	if (tune->is_json)
		es_tune_json(tune, &out);
	else
		es_tune_text(tune, &out);
	status = es_put_out(COMMAND, &out);
	es_buf_finish(&out);
	return status;
}

static void finish(struct es_tune *tune)
{
	for (size_t i = 0; i < tune->n_answers; i++) {
		free(tune->answers[i].rows);
		free(tune->answers[i].points);
		free(tune->answers[i].front);
	}
	free(tune->answers);
	es_sheet_groups_finish(&tune->split);
	es_text_list_finish(&tune->group);
	es_sheet_finish(&tune->rows);
}

/* -1: go on; else the exit status. */
static int check(struct es_tune *tune)
{
	int64_t ppm;

	if (!tune->path)
		return es_complain(COMMAND, ES_EXIT_USAGE, "--table FILE.csv is missing");
	if (!tune->setting)
		return es_complain(COMMAND, ES_EXIT_USAGE, "--setting COL is missing");
	if (!tune->time == !tune->speed)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "one of --time COL and --speed COL is wanted");
	if (!tune->energy == !tune->power)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "one of --energy COL and --power COL is wanted");
	tune->wish.slowdown = INFINITY;
	if (tune->slowdown) {
		if (es_parse_share_ppm(tune->slowdown, &ppm) < 0 || ppm < 0)
			return es_complain(COMMAND, ES_EXIT_USAGE,
					   "--slowdown '%s': a share like 5%% is wanted, 0 or more",
					   tune->slowdown);
		tune->wish.slowdown = (double)ppm / 1e6;
	}
	if (tune->objective && es_opt_objective_find(tune->objective, &tune->wish.objective) < 0)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--objective '%s': there are energy, edp, ed2p … ed9p",
				   tune->objective);
	if (es_drawing_is_asked(&tune->drawing) && tune->group.n)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "a picture shows one group: leave out --group, or the picture");
	if (es_drawing_takes_stdout(&tune->drawing, NULL))
		return es_complain(COMMAND, ES_EXIT_USAGE, "the picture needs a file of its own");
	return -1;
}

int es_cmd_tune(int argc, char **argv)
{
	struct es_tune tune = { .path = NULL };
	const struct es_option options[] = {
		{ "table", "FILE.csv", "measured settings, one a row", ES_OPTION_TEXT, &tune.path },
		{ "setting", "COL",
		  "column of the settings: numbers, words that\nend with one, or words",
		  ES_OPTION_TEXT, &tune.setting },
		{ "time", "COL", "column of the times (s, or as its name ends:\ntime_ms)",
		  ES_OPTION_TEXT, &tune.time },
		{ "speed", "COL", "instead: column of the work per time", ES_OPTION_TEXT,
		  &tune.speed },
		{ "energy", "COL", "column of the energies (J, or as its name ends)",
		  ES_OPTION_TEXT, &tune.energy },
		{ "power", "COL", "instead: column of the mean powers in W", ES_OPTION_TEXT,
		  &tune.power },
		{ "group", "COL[,COL]…", "an answer for each value of these columns",
		  ES_OPTION_LIST, &tune.group },
		{ "reached", "COL", "column of what a setting really came to (core_MHz)",
		  ES_OPTION_TEXT, &tune.reached },
		{ "reference", "VALUE", "setting to compare with (default: the fastest)",
		  ES_OPTION_TEXT, &tune.reference },
		{ "slowdown", "SHARE", "no slower than the reference by more (default: any)",
		  ES_OPTION_TEXT, &tune.slowdown },
		{ "objective", "NAME",
		  "energy (the default), edp, ed2p, ed3p … ed9p:\nenergy times time to that power",
		  ES_OPTION_TEXT, &tune.objective },
		{ "strict", NULL, "refuse a table with lines that are no rows", ES_OPTION_FLAG,
		  &tune.is_strict },
		{ "svg", "FILE", "a picture: energy against time", ES_OPTION_TEXT,
		  &tune.drawing.svg },
		{ "png", "FILE", "the same as PNG", ES_OPTION_TEXT, &tune.drawing.png },
		{ "pdf", "FILE", "the same as PDF", ES_OPTION_TEXT, &tune.drawing.pdf },
		{ "json", NULL, "print energyscopium.tune/1", ES_OPTION_FLAG, &tune.is_json },
	};
	const struct es_usage usage = {
		.command = COMMAND,
		.synopsis = "--table FILE.csv --setting COL --time COL --energy COL [OPTION]…",
		.text = "Chooses from measured settings (clocks, power limits, threads) the one that takes the\n"
			"least energy without being slower than the reference by more than is allowed; or the\n"
			"least energy times time. Where none is better than the reference it says so. Nothing is\n"
			"set, and nothing is said of settings that were not measured.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	status = first < argc
			 ? es_complain(COMMAND, ES_EXIT_USAGE, "'%s' is not expected", argv[first])
			 : check(&tune);
	if (status < 0)
		status = do_work(&tune);
	finish(&tune);
	return status;
}
