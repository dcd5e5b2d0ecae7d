/*
 * explore.c - energyscopium explore: builds, layouts and settings, measured in rounds until one can be chosen
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/explore.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/elsewhere.h"
#include "cli/meters.h"
#include "cli/terminal.h"

#define OUT_MAX_BYTES (64U << 20)

static int show(struct es_explore *study)
{
	struct es_error err = { .code = 0 };
	int status = ES_EXIT_OK;
	struct es_buf out;

	es_buf_init(&out, OUT_MAX_BYTES);
	if (study->is_json) {
		(void)es_explore_json(study, &out);
	} else if (!study->csv || strcmp(study->csv, "-") != 0) {
		es_explore_text(study, &out);
		if (isatty(STDOUT_FILENO)) {
			struct es_terminal terminal;

			es_terminal_look(&terminal);
			es_explore_draw_text(study, &terminal, &out);
		}
	}
	status = es_put_out(ES_EXPLORE_COMMAND, &out);
	es_buf_finish(&out);
	if (study->csv && es_explore_csv(study, study->csv, &err) < 0)
		status = es_complain(ES_EXPLORE_COMMAND, ES_EXIT_FAILURE, "%s", err.text);
	if (es_drawing_is_asked(&study->drawing) && es_explore_draw(study, &err) < 0)
		status = es_complain(ES_EXPLORE_COMMAND, ES_EXIT_FAILURE, "%s", err.text);
	return status;
}

/* The words that go on with it: those that were given. */
static void tell_how_to_go_on(const struct es_explore *study, int argc, char **argv)
{
	struct es_buf line;

	es_buf_init(&line, OUT_MAX_BYTES);
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--force") != 0) {
			(void)es_buf_u8(&line, ' ');
			es_put_shell_word(argv[i], &line);
		}
	(void)es_buf_u8(&line, '\0');
	(void)es_complain(ES_EXPLORE_COMMAND, 0,
			  "%s: what is known is above; to go on: energyscopium explore%s",
			  study->is_broken_off ? "broken off" : "interrupted",
			  line.error ? "" : (const char *)line.data);
	es_buf_finish(&line);
}

static int plan(struct es_explore *study)
{
	struct es_buf out;
	int status;

	es_buf_init(&out, OUT_MAX_BYTES);
	es_explore_plan_text(study, &out);
	status = es_put_out(ES_EXPLORE_COMMAND, &out);
	es_buf_finish(&out);
	return status;
}

static int status_of(const struct es_error *err)
{
	return err->text[0] ? es_complain(ES_EXPLORE_COMMAND, ES_EXIT_FAILURE, "%s", err->text)
			    : ES_EXIT_FAILURE;
}

static int do_work(struct es_explore *study, int argc, char **argv)
{
	struct es_error err = { .code = 0 }, after = { .code = 0 };
	bool is_known = false;
	int status = ES_EXIT_OK;

	if (es_chain_load(&study->chain, &err) < 0 || es_explore_open(study, &err) < 0)
		return status_of(&err);
	if (study->is_dry)
		return plan(study);
	if (!study->is_report && es_explore_do(study, &err) < 0)
		status = status_of(&err);
	for (size_t i = 0; i < study->n * study->n_rounds; i++)
		is_known |= study->runs[i].is_done;
	for (size_t i = 0; i < study->n_builds; i++)
		is_known |= study->builds[i].is_failed;
	if (study->is_report && !is_known)
		return es_complain(ES_EXPLORE_COMMAND, ES_EXIT_FAILURE,
				   "'%s': nothing was measured yet", study->dir);
	if (is_known) {
		if (es_explore_conclude(study, &after) < 0)
			return status_of(&after);
		if (show(study) != ES_EXIT_OK)
			status = ES_EXIT_FAILURE;
	}
	if (study->stop_signal || study->is_broken_off)
		tell_how_to_go_on(study, argc, argv);
	return study->stop_signal ? 128 + study->stop_signal : status;
}

/* -1: go on; else the exit status. */
static int check(struct es_explore *study)
{
	int64_t ppm;

	if (study->slowdown) {
		if (es_parse_share_ppm(study->slowdown, &ppm) < 0 || ppm < 0)
			return es_complain(ES_EXPLORE_COMMAND, ES_EXIT_USAGE,
					   "--slowdown '%s': a share like 5%% is wanted, 0 or more",
					   study->slowdown);
		study->slowdown_share = (double)ppm / 1e6;
	}
	if (es_drawing_takes_stdout(&study->drawing, NULL))
		return es_complain(ES_EXPLORE_COMMAND, ES_EXIT_USAGE,
				   "the picture needs a file of its own");
	if (study->csv && strcmp(study->csv, "-") == 0 && study->is_json)
		return es_complain(ES_EXPLORE_COMMAND, ES_EXIT_USAGE,
				   "--json and --csv - both want stdout");
	if (study->is_dry && study->is_report)
		return es_complain(ES_EXPLORE_COMMAND, ES_EXIT_USAGE,
				   "either --dry-run or --report");
	return -1;
}

int es_cmd_explore(int argc, char **argv)
{
	struct es_explore study = { .journal_fd = -1, .machine = { .fd = -1 } };
	const struct es_option options[] = {
		{ "dry-run", NULL, "show builds, configurations and order; do nothing",
		  ES_OPTION_FLAG, &study.is_dry },
		{ "report", NULL, "show what is known; measure nothing", ES_OPTION_FLAG,
		  &study.is_report },
		{ "out", "DIR", "folder of the study (default explore-NAME)", ES_OPTION_TEXT,
		  &study.out },
		{ "retry", NULL, "run again what failed", ES_OPTION_FLAG, &study.wants_retry },
		{ "force", NULL, "begin anew where the folder holds runs of another\nspecification",
		  ES_OPTION_FLAG, &study.may_begin_anew },
		{ "slowdown", "SHARE",
		  "also choose the least energy no slower than the\nreference by more: 5%",
		  ES_OPTION_TEXT, &study.slowdown },
		{ "require", "KIND",
		  "'measured': fail rather than estimate;\n'any' (default): estimate where nothing measures",
		  ES_OPTION_TEXT, &study.require },
		{ "domain", "NAME", "measure only this domain; may be repeated", ES_OPTION_LIST,
		  &study.domains },
		{ "no-activity", NULL,
		  "count no events of processor and memory: leave their\ncounters to a profiler",
		  ES_OPTION_FLAG, &study.no_activity },
		ES_METER_OPTION(&study.meters),
		{ "svg", "FILE", "a picture: energy against time", ES_OPTION_TEXT,
		  &study.drawing.svg },
		{ "png", "FILE", "the same as PNG", ES_OPTION_TEXT, &study.drawing.png },
		{ "pdf", "FILE", "the same as PDF", ES_OPTION_TEXT, &study.drawing.pdf },
		{ "csv", "FILE", "the runs as a table; '-': stdout", ES_OPTION_TEXT, &study.csv },
		{ "json", NULL, "print energyscopium.explore/1", ES_OPTION_FLAG, &study.is_json },
		{ "root", "DIR", "a tree with sys/, proc/ that stands for the machine",
		  ES_OPTION_TEXT, &study.root },
		{ "as", "UID", "judge rights below --root for this user", ES_OPTION_TEXT,
		  &study.as },
	};
	const struct es_usage usage = {
		.command = ES_EXPLORE_COMMAND,
		.synopsis = "[OPTION]… SPEC.yaml",
		.text = "Builds, runs and measures each configuration of a grid, in rounds, and says which takes\n"
			"the least time and energy. Interrupted, it goes on where it was when called again.\n"
			"energyscopium-explore(5) tells what a specification looks like.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status;

	status = es_options_parse(&usage, argc, argv, &first);
	if (status < 0 && argc - first != 1)
		status = es_complain(ES_EXPLORE_COMMAND, ES_EXIT_USAGE,
				     first < argc ? "one specification is wanted"
						  : "a specification is missing; see "
						    "'energyscopium explore --help'");
	if (status < 0)
		status = check(&study);
	if (status < 0) {
		study.path = argv[first];
		status = do_work(&study, argc, argv);
	}
	es_explore_finish(&study);
	es_text_list_finish(&study.domains);
	es_text_list_finish(&study.meters);
	es_chain_finish(&study.chain);
	return status;
}
