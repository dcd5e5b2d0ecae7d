/*
 * tune.h - tables of settings, and what was chosen of them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TUNE_H
#define ES_CLI_TUNE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "cli/command.h"
#include "cli/drawing.h"
#include "cli/quality.h"
#include "cli/sheet.h"
#include "core/judge.h"
#include "opt/choose.h"
#include "opt/model.h"

#define ES_TUNE "tune"

/** struct es_tune_row - one setting: time in s and energy in J, or relative to another row where the table says no more */
struct es_tune_row {
	const char *cell; /* as the table has it */
	double value; /* the number that it is, or ends with */
	double reached; /* what it really was at; 0: not known */
	bool is_clipped, is_inferred; /* reached: from times and powers, no column has it */
	bool is_unreached, is_exceeded; /* of caps: the power stays below; it is above */
	size_t row; /* of the table: of runs the first */
	size_t first_run, n_runs; /* of the answer's */
};

/** struct es_tune_left - a setting that misses the quality */
struct es_tune_left {
	const char *cell;
	double value; /* the number of the setting */
	bool has_quality;
	double quality; /* the worst of its runs */
};

/** struct es_tune_plan - what a search on the live machine would have cost, replayed on the table */
struct es_tune_plan {
	size_t replays, n; /* settings */
	double evaluations, settings; /* mean number of measurements, and of settings measured */
	double loss, loss_max; /* of the objective, against the best; relative */
	double found; /* share of the replays that end at the best */
};

/** struct es_tune_table - a file */
struct es_tune_table {
	const char *path; /* borrowed */
	struct es_sheet rows;
	struct es_sheet_groups split;
};

/** struct es_tune_answer - of one table, or of one group of its rows */
struct es_tune_answer {
	const struct es_tune_table *table;
	char *group; /* owned; NULL: the whole table */
	struct es_tune_row *rows; /* [n] owned */
	struct es_opt_point *points; /* [n] owned: means of runs */
	size_t n;
	struct es_opt_point *runs; /* owned: all, setting by setting */
	struct es_tune_left *left; /* [n_left] owned */
	size_t n_left;
	size_t reference, chosen;
	size_t best[ES_OPT_N_OBJECTIVES]; /* whatever the slowdown */
	size_t *front; /* [n_front] owned */
	size_t n_front;
	bool has_model, has_ridge; /* of clocks, where there are enough */
	struct es_opt_model model;
	struct es_opt_ridge ridge;
	double optimum, edp_optimum, ridge_optimum; /* clocks of least energy, EDP, by models */
	size_t optimum_row; /* the nearest one that was measured */
	bool is_caps; /* settings are power limits */
	double step_j; /* energies are multiples of it, coarsely; 0: not seen */
	bool has_judgement; /* the chosen against the reference, of repeated runs */
	struct es_judgement time, energy;
	struct es_tune_plan plan;
};

/** struct es_tune - what was asked, what was read, what was found */
struct es_tune {
	struct es_text_list paths, group;
	const char *setting, *time, *speed, *energy, *power, *reached;
	const char *reference; /* NULL: the fastest of each group */
	const char *slowdown, *objective, *quality_column, *quality_limit, *noise,
		*seed; /* as given */
	struct es_drawing drawing;
	bool is_strict, is_json, is_term, has_repeats, is_summary, has_plan;
	struct es_opt_wish wish;
	struct es_quality quality; /* what NULL: none */
	double noise_share;
	uint64_t seed_number;
	struct es_tune_table *tables; /* [paths.n] owned */
	bool has_numbers; /* each setting is a number, or ends with one */
	struct es_tune_answer *answers; /* [n_answers] owned */
	size_t n_answers;
	char **without; /* [n_without] owned: groups of which no setting keeps the quality */
	size_t n_without;
};

/** es_tune_take - read the tables, and split them into answers that are not found yet; 0 or negative errno; words in @err, or said */
int es_tune_take(struct es_tune *tune, struct es_error *err);
/** es_tune_number - a number, or the one behind the last '_', '=', ':' or blank, with a unit or without: window_300, 2.2GHz */
bool es_tune_number(const char *text, double *ret);
/** es_tune_same - two ways to write one number */
bool es_tune_same(double a, double b);
/** es_tune_has_groups - each answer has a name */
bool es_tune_has_groups(const struct es_tune *tune);

/** es_tune_answer - find it; 0 or negative errno with words */
int es_tune_answer(const struct es_tune *tune, struct es_tune_answer *answer, struct es_error *err);
/** es_tune_has_saving - something else than the reference was chosen */
bool es_tune_has_saving(const struct es_tune_answer *answer);
/** es_tune_is_clock - the settings are clocks, by the name of their column */
bool es_tune_is_clock(const struct es_tune *tune);
/** es_tune_clip - see by times and powers which clocks were not reached, where no column says it; 0 or -ENOMEM */
int es_tune_clip(const struct es_tune *tune, struct es_tune_answer *answer);
/** es_tune_caps - where settings are power limits: which change nothing, and which are not kept */
void es_tune_caps(const struct es_tune *tune, struct es_tune_answer *answer);
/** es_tune_model - fit the models where settings are clocks; 0 or -ENOMEM */
int es_tune_model(const struct es_tune *tune, struct es_tune_answer *answer);
/** es_tune_replay - the search plan on the table; 0 or -ENOMEM */
int es_tune_replay(const struct es_tune *tune, struct es_tune_answer *answer);

void es_tune_model_text(const struct es_tune_answer *answer, struct es_buf *out);
void es_tune_model_json(const struct es_tune_answer *answer, struct es_json *json);
void es_tune_plan_text(const struct es_tune *tune, const struct es_tune_answer *answer,
		       struct es_buf *out);
void es_tune_plan_json(const struct es_tune *tune, const struct es_tune_answer *answer,
		       struct es_json *json);
void es_tune_summary_text(const struct es_tune *tune, struct es_buf *out);
void es_tune_summary_json(const struct es_tune *tune, struct es_json *json);
void es_tune_text(const struct es_tune *tune, struct es_buf *out);
void es_tune_json(const struct es_tune *tune, struct es_buf *out);
/** es_tune_draw - to the files that are asked for, and to @terminal as letters; NULL: not there; 0 or negative errno with words */
int es_tune_draw(const struct es_tune *tune, struct es_buf *terminal, struct es_error *err);

/** struct es_tune_changes - signed fractions against the reference */
struct es_tune_changes {
	double time, energy, edp, ed2p;
};
struct es_tune_changes es_tune_changes(const struct es_tune_answer *answer, size_t i);
/** es_tune_is_top_clock - settings are clocks, and none is faster than the chosen one */
bool es_tune_is_top_clock(const struct es_tune *tune, const struct es_tune_answer *answer);
/** es_tune_limit_text - " within 5 % more time", or nothing */
void es_tune_limit_text(const struct es_tune *tune, struct es_buf *out);

#endif
