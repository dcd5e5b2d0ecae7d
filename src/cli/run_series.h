/*
 * run_series.h - what the parts of energyscopium run --repeat share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_RUN_SERIES_H
#define ES_CLI_RUN_SERIES_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/limits.h"
#include "cli/baseline.h"
#include "cli/command.h"
#include "cli/compare.h"
#include "core/judge.h"

#define ES_REPEATS_MAX 1000U
#define ES_REPEAT_RUNS_MAX 10000U /* of all commands together */
#define ES_REPEAT_COMMANDS_MAX 26U /* a to z */
#define ES_REPEAT_NAME_MAX_BYTES 65U /* of a command; with the final NUL */
#define ES_REPEAT_UNTIL_MIN \
	5U /* runs before --until looks: fewer are too often alike by chance (doc/statistics.md) */
#define ES_REPEAT_SEED 0U /* of all resampling, as of compare: the same runs give the same words */

struct es_run;

/** struct es_repeat_options - as given; NULL: not */
struct es_repeat_options {
	const char *repeat, *baseline, *warmup, *called, *outliers, *until, *margin, *not_slower;
	struct es_text_list vs;
};

/* For the table of options of run. Laid out by hand: the formatter takes braces at the head of a macro for a block. */
/* clang-format off */
#define ES_REPEAT_OPTIONS(series)                                                                  \
	{ "repeat", "N", "measure COMMAND N times: JOB-1 to JOB-N, and a summary", ES_OPTION_TEXT, \
	  &(series)->repeat },                                                                     \
	{ "vs", "[NAME=]LINE",                                                                     \
	  "with --repeat: measure LINE, which a shell takes, by turns with\n"                      \
	  "COMMAND, and judge it; repeatable (names: b, c …)",                                     \
	  ES_OPTION_LIST, &(series)->vs },                                                         \
	{ "called", "NAME", "with --vs: the name of COMMAND (default a)", ES_OPTION_TEXT,          \
	  &(series)->called },                                                                     \
	{ "warmup", "N", "with --repeat: first N rounds that are not measured\n(default 0)",       \
	  ES_OPTION_TEXT, &(series)->warmup },                                                     \
	{ "until", "SHARE",                                                                        \
	  "with --repeat: stop before N where the 95 % interval is no\n"                           \
	  "wider than mean ± SHARE (2.5%)",                                                        \
	  ES_OPTION_TEXT, &(series)->until },                                                      \
	{ "outliers", "WHAT",                                                                      \
	  "with --repeat: 'keep' (default) runs far off the others, which\n"                       \
	  "are named, or 'drop' them",                                                             \
	  ES_OPTION_TEXT, &(series)->outliers },                                                   \
	{ "margin", "SHARE", "with --vs: a smaller change counts as the same (default 1%)",        \
	  ES_OPTION_TEXT, &(series)->margin },                                                     \
	{ "not-slower", "SHARE", "with --vs: test that LINE is slower by no more than SHARE",      \
	  ES_OPTION_TEXT, &(series)->not_slower },                                                 \
	{ "baseline", "TIME",                                                                      \
	  "measure the idle power so long before and after\n"                                      \
	  "each run (default with --repeat: 2s; 0: not)",                                          \
	  ES_OPTION_TEXT, &(series)->baseline }
/* clang-format on */

/** struct es_repeat_command - one of those that run by turns */
struct es_repeat_command {
	char name[ES_REPEAT_NAME_MAX_BYTES];
	const char *shell[4]; /* sh -c LINE; [0] NULL: the command of the options */
};

/** struct es_repeat_plan - what was asked for; made by es_repeat_check() */
struct es_repeat_plan {
	uint64_t n_repeats, n_warmups; /* rounds */
	struct es_repeat_command commands[ES_REPEAT_COMMANDS_MAX];
	size_t n_commands;
	bool drops_far;
	double until; /* 0: all rounds */
	struct es_judge_wish wish;
};

/** struct es_repeat_shared - what a run's process tells the series, and hands to the next run */
struct es_repeat_shared {
	bool is_own_failure; /* of the tool, or the command could not be started: no use in going on */
	struct es_baseline before, after;
	char recording[ES_PATH_MAX_BYTES], eprofile[ES_PATH_MAX_BYTES]; /* "": not there */
};

enum es_repeat_quantity {
	ES_REPEAT_ENERGY,
	ES_REPEAT_TIME,
	ES_REPEAT_POWER,
	ES_REPEAT_ABOVE,
	ES_REPEAT_QUANTITIES,
};

/** struct es_repeat_result - a run that has ended */
struct es_repeat_result {
	size_t command, round; /* from 0 on */
	int status;
	bool is_cut; /* somebody asked the series to end before its command had ended */
	bool is_known[ES_REPEAT_QUANTITIES];
	double values[ES_REPEAT_QUANTITIES];
	bool is_far[ES_REPEAT_QUANTITIES]; /* from the other runs of its command */
	double off[ES_REPEAT_QUANTITIES]; /* value / median - 1 of those that are far */
	bool is_dropped;
	bool has_baseline;
	double baseline_w;
	int64_t wall_ns; /* of all of it, baseline included */
	size_t trial; /* SIZE_MAX: none */
	char kind[16]; /* of the energy; "": not known */
	char *recording, *eprofile; /* owned; NULL: not there */
};

/** enum es_repeat_end - why there is no further run */
enum es_repeat_end {
	ES_REPEAT_END_ROUNDS, /* all that were planned are done */
	ES_REPEAT_END_UNTIL, /* the intervals are as narrow as was asked */
	ES_REPEAT_END_SIGNAL,
	ES_REPEAT_END_FAILURE, /* of ours, or of starting a command */
};

/** struct es_repeat - all runs */
struct es_repeat {
	struct es_run *run; /* options; opened anew by each run's process */
	const struct es_repeat_plan *plan;
	struct es_repeat_shared *shared;
	struct es_repeat_result *results; /* [n_planned] in the order in which they ran */
	size_t n_planned, n_done;
	struct es_compare compare; /* its trials: a group for each command, in their order */
	bool is_judged;
	struct es_error no_judgement; /* why there is none */
	char base[ES_NAME_MAX_BYTES]; /* of the jobs */
	off_t input_at; /* where standard input, a file, was when we began; -1: it is no file */
	sigset_t watched, old_mask;
	struct sigaction old_pipe;
	struct sigaction old_child; /* SIGCHLD as we were started with it */
	int stop_signal; /* somebody asked the series to end; 0: nobody */
	int64_t stop_ns; /* when, by the boot clock */
	bool is_broken_off;
	enum es_repeat_end end;
};

/** es_repeat_check - the options into run->plan and run->baseline_ns; 0 or -EINVAL */
int es_repeat_check(struct es_run *run, struct es_error *err);
/** es_run_series - all runs, each in a process of its own, and their summary; the status of the first that failed */
int es_run_series(struct es_run *run);
/** es_repeat_options_finish - free what the lists hold */
void es_repeat_options_finish(struct es_repeat_options *options);

/** es_repeat_job - "JOB-7", or "JOB-b-7" of several commands; room for ES_REPEAT_JOB_BYTES */
#define ES_REPEAT_JOB_BYTES (ES_NAME_MAX_BYTES + ES_REPEAT_NAME_MAX_BYTES + 24U)
void es_repeat_job(const struct es_repeat *series, size_t command, size_t round, char *ret);

/** es_repeat_take - what a run that has ended left, from its recording; 0 or -ENOMEM */
int es_repeat_take(struct es_repeat *series, struct es_repeat_result *result);

/** es_repeat_is_whole - the run did not fail, nor was it cut short */
bool es_repeat_is_whole(const struct es_repeat_result *result);
/** es_repeat_counts - it is in the means: whole, and not dropped */
bool es_repeat_counts(const struct es_repeat_result *result);

/**
 * es_repeat_values - one quantity of the runs of a command that count
 * @ret_values: owned by caller, free(); [*@ret_n]. Returns 0 or -ENOMEM.
 */
int es_repeat_values(const struct es_repeat *series, size_t command,
		     enum es_repeat_quantity quantity, double **ret_values, size_t *ret_n);

/** es_repeat_mark_far - find the runs far off those of their command, and drop them where that was asked; 0 or -ENOMEM */
int es_repeat_mark_far(struct es_repeat *series);

/** es_repeat_is_narrow - the intervals of all commands are as narrow as --until says: 1 or 0, or -ENOMEM */
int es_repeat_is_narrow(const struct es_repeat *series);

/** es_repeat_kind - of all means of energy; "mixed" where there are several, NULL where there is none */
const char *es_repeat_kind(const struct es_repeat *series);

/** es_repeat_judge - once all have ended: hold the commands against the first; no judgement is no failure */
void es_repeat_judge(struct es_repeat *series);

/** es_repeat_put_table, es_repeat_put_json - the summary to stderr; the JSON to where the options say */
void es_repeat_put_table(const struct es_repeat *series);
int es_repeat_put_json(const struct es_repeat *series, int status);

#endif
