/*
 * tune.c - energyscopium tune: the best of measured settings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/tune.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/terminal.h"

#define OUT_MAX_BYTES (64U << 20)
#define NOISE_MAX 0.5

static void finish_answer(struct es_tune_answer *answer)
{
	free(answer->group);
	free(answer->rows);
	free(answer->points);
	free(answer->runs);
	free(answer->left);
	free(answer->front);
}

static void finish(struct es_tune *tune)
{
	for (size_t i = 0; i < tune->n_answers; i++)
		finish_answer(&tune->answers[i]);
	for (size_t i = 0; tune->tables && i < tune->paths.n; i++) {
		es_sheet_groups_finish(&tune->tables[i].split);
		es_sheet_finish(&tune->tables[i].rows);
	}
	for (size_t i = 0; i < tune->n_without; i++)
		free(tune->without[i]);
	free(tune->without);
	free(tune->answers);
	free(tune->tables);
	es_text_list_finish(&tune->paths);
	es_text_list_finish(&tune->group);
}

/* Groups of which no setting keeps the quality have no answer: they are named. */
static int set_aside(struct es_tune *tune, struct es_error *err)
{
	size_t n = 0;

	tune->without = calloc(tune->n_answers + 1, sizeof(*tune->without));
	if (!tune->without)
		return es_error_set(err, -ENOMEM, "cannot keep the groups");
	for (size_t i = 0; i < tune->n_answers; i++) {
		struct es_tune_answer *answer = &tune->answers[i];

		if (answer->n > 0) {
			tune->answers[n++] = *answer;
			continue;
		}
		if (answer->group)
			tune->without[tune->n_without++] = es_steal_ptr(answer->group);
		finish_answer(answer);
	}
	tune->n_answers = n;
	return n > 0 ? 0
		     : es_error_say(err, -ENODATA, "no setting has %.60s %.60s",
				    tune->quality_column, tune->quality_limit);
}

static int do_work(struct es_tune *tune)
{
	bool has_letters = !tune->is_json && (tune->is_term || es_terminal_is_there());
	struct es_error err = { .code = 0 };
	struct es_buf out;
	int status, r = es_tune_take(tune, &err);

	es_buf_init(&out, OUT_MAX_BYTES);
	if (r == 0)
		r = set_aside(tune, &err);
	for (size_t i = 0; r == 0 && i < tune->n_answers; i++)
		r = es_tune_answer(tune, &tune->answers[i], &err);
	if (r == 0)
		r = es_tune_draw(tune, has_letters ? &out : NULL, &err);
	if (r < 0) {
		es_buf_finish(&out);
		return err.text[0] ? es_complain(ES_TUNE, ES_EXIT_FAILURE, "%s", err.text)
				   : ES_EXIT_FAILURE;
	}
	if (tune->is_json)
		es_tune_json(tune, &out);
	else
		es_tune_text(tune, &out);
	status = es_put_out(ES_TUNE, &out);
	es_buf_finish(&out);
	return status;
}

/* Behind --table more tables, behind --quality its limit. */
static int take_operands(struct es_tune *tune, char **operands, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char **more;

		if (strchr("<>=", operands[i][0]) && operands[i][0] && tune->quality_column &&
		    !tune->quality_limit) {
			tune->quality_limit = operands[i];
			continue;
		}
		if (tune->paths.n == 0)
			return es_complain(ES_TUNE, ES_EXIT_USAGE, "'%s' is not expected",
					   operands[i]);
		more = reallocarray(tune->paths.texts, tune->paths.n + 1, sizeof(*more));
		if (!more)
			return es_complain(ES_TUNE, ES_EXIT_FAILURE, "out of memory");
		tune->paths.texts = more;
		more[tune->paths.n++] = operands[i];
	}
	return -1;
}

static int check_columns(const struct es_tune *tune)
{
	if (tune->paths.n == 0)
		return es_complain(ES_TUNE, ES_EXIT_USAGE, "--table FILE.csv is missing");
	if (!tune->setting)
		return es_complain(ES_TUNE, ES_EXIT_USAGE, "--setting COL is missing");
	if (!tune->time == !tune->speed)
		return es_complain(ES_TUNE, ES_EXIT_USAGE,
				   "one of --time COL and --speed COL is wanted");
	if (!tune->energy == !tune->power)
		return es_complain(ES_TUNE, ES_EXIT_USAGE,
				   "one of --energy COL and --power COL is wanted");
	if (tune->is_summary && !es_tune_has_groups(tune))
		return es_complain(
			ES_TUNE, ES_EXIT_USAGE,
			"--summary is of groups: --group COL or several tables are wanted");
	return -1;
}

static int check_quality(struct es_tune *tune)
{
	struct es_error err = { .code = 0 };

	if (tune->quality_column &&
	    es_quality_parse(tune->quality_column, tune->quality_limit ? tune->quality_limit : "",
			     &tune->quality, &err) < 0)
		return es_complain(ES_TUNE, ES_EXIT_USAGE, "%s", err.text);
	return -1;
}

static int check_plan(struct es_tune *tune)
{
	int64_t ppm = 0;

	if ((tune->noise || tune->seed) && !tune->has_plan)
		return es_complain(ES_TUNE, ES_EXIT_USAGE, "--%s is of --plan",
				   tune->noise ? "noise" : "seed");
	if (tune->noise &&
	    (es_parse_share_ppm(tune->noise, &ppm) < 0 || ppm < 0 || (double)ppm / 1e6 > NOISE_MAX))
		return es_complain(ES_TUNE, ES_EXIT_USAGE,
				   "--noise '%s': a share like 1%% is wanted, from 0 to 50%%",
				   tune->noise);
	tune->noise_share = (double)ppm / 1e6;
	tune->seed_number = 1;
	if (tune->seed && es_parse_u64(tune->seed, &tune->seed_number) < 0)
		return es_complain(ES_TUNE, ES_EXIT_USAGE, "--seed '%s' is no whole number",
				   tune->seed);
	return -1;
}

/* -1: go on; else the exit status. */
static int check(struct es_tune *tune)
{
	int64_t ppm;
	int status = check_columns(tune);

	if (status >= 0)
		return status;
	tune->wish.slowdown = INFINITY;
	if (tune->slowdown) {
		if (es_parse_share_ppm(tune->slowdown, &ppm) < 0 || ppm < 0)
			return es_complain(ES_TUNE, ES_EXIT_USAGE,
					   "--slowdown '%s': a share like 5%% is wanted, 0 or more",
					   tune->slowdown);
		tune->wish.slowdown = (double)ppm / 1e6;
	}
	if (tune->objective && es_opt_objective_find(tune->objective, &tune->wish.objective) < 0)
		return es_complain(ES_TUNE, ES_EXIT_USAGE,
				   "--objective '%s': there are energy, edp, ed2p … ed9p",
				   tune->objective);
	if (es_drawing_takes_stdout(&tune->drawing, NULL))
		return es_complain(ES_TUNE, ES_EXIT_USAGE, "the picture needs a file of its own");
	status = check_quality(tune);
	return status >= 0 ? status : check_plan(tune);
}

static int run(struct es_tune *tune, char **operands, size_t n)
{
	int status = take_operands(tune, operands, n);

	if (status < 0)
		status = check(tune);
	return status < 0 ? do_work(tune) : status;
}

static const char about[] =
	"Chooses from measured settings (clocks, power limits, threads) the one that takes the\n"
	"least energy without being slower than the reference by more than is allowed; or the\n"
	"least energy times time. Where none is better than the reference it says so. Nothing is\n"
	"set, and nothing is said of settings that were not measured.";

int es_cmd_tune(int argc, char **argv)
{
	struct es_tune tune = { .setting = NULL };
	const struct es_option options[] = {
		{ "table", "FILE.csv", "measured settings, one a row; several tables\nare groups",
		  ES_OPTION_LIST, &tune.paths },
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
		{ "summary", NULL, "of all groups one line each, and what they save",
		  ES_OPTION_FLAG, &tune.is_summary },
		{ "repeats", NULL, "rows with the same setting are runs of it", ES_OPTION_FLAG,
		  &tune.has_repeats },
		{ "quality", "COL LIMIT", "leave out settings that miss it: acc '>= 0.94'",
		  ES_OPTION_TEXT, &tune.quality_column },
		{ "reached", "COL", "column of what a setting really came to (core_MHz)",
		  ES_OPTION_TEXT, &tune.reached },
		{ "reference", "VALUE",
		  "setting to compare with, or max or min (default:\nthe fastest)", ES_OPTION_TEXT,
		  &tune.reference },
		{ "slowdown", "SHARE", "no slower than the reference by more (default: any)",
		  ES_OPTION_TEXT, &tune.slowdown },
		{ "objective", "NAME",
		  "energy (the default), edp, ed2p … ed9p:\nenergy times time to that power",
		  ES_OPTION_TEXT, &tune.objective },
		{ "plan", NULL, "replay what a search would measure, and find", ES_OPTION_FLAG,
		  &tune.has_plan },
		{ "noise", "SHARE", "of one measurement in the plan (default: 0)", ES_OPTION_TEXT,
		  &tune.noise },
		{ "seed", "N", "of that noise (default: 1)", ES_OPTION_TEXT, &tune.seed },
		{ "strict", NULL, "refuse a table with lines that are no rows", ES_OPTION_FLAG,
		  &tune.is_strict },
		{ "term", NULL, "a picture in letters, also where stdout is no terminal",
		  ES_OPTION_FLAG, &tune.is_term },
		{ "svg", "FILE", "a picture: energy against time", ES_OPTION_TEXT,
		  &tune.drawing.svg },
		{ "png", "FILE", "the same as PNG", ES_OPTION_TEXT, &tune.drawing.png },
		{ "pdf", "FILE", "the same as PDF", ES_OPTION_TEXT, &tune.drawing.pdf },
		{ "json", NULL, "print energyscopium.tune/1", ES_OPTION_FLAG, &tune.is_json },
	};
	const struct es_usage usage = {
		.command = ES_TUNE,
		.synopsis = "--table FILE.csv… --setting COL --time COL --energy COL [OPTION]…",
		.text = about,
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	status = run(&tune, &argv[first], (size_t)(argc - first));
	finish(&tune);
	return status;
}
