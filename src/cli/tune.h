/*
 * tune.h - a table of settings, and what was chosen of it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TUNE_H
#define ES_CLI_TUNE_H

#include <stdbool.h>

#include "base/buf.h"
#include "cli/command.h"
#include "cli/drawing.h"
#include "cli/sheet.h"
#include "opt/choose.h"
#include "opt/model.h"

/** struct es_tune_row - one setting: time in s and energy in J, or relative to another row where the table says no more */
struct es_tune_row {
	const char *cell; /* as the table has it */
	double value; /* the number that it is, or ends with */
	double reached; /* what it really was at; 0: not known */
	bool is_clipped, is_inferred; /* reached: from times and powers, no column has it */
	size_t row; /* of the table */
};

/** struct es_tune_answer - of one table, or of one group of its rows */
struct es_tune_answer {
	const char *group; /* NULL: the whole table */
	struct es_tune_row *rows; /* [n] owned */
	struct es_opt_point *points; /* [n] owned */
	size_t n;
	size_t reference, chosen;
	size_t best[ES_OPT_N_OBJECTIVES]; /* whatever the slowdown */
	size_t *front; /* [n_front] owned */
	size_t n_front;
	bool has_model, has_ridge; /* of clocks, where there are enough */
	struct es_opt_model model;
	struct es_opt_ridge ridge;
	double optimum; /* clock of least energy by the model */
	size_t optimum_row; /* the nearest one that was measured */
};

/** struct es_tune - what was asked, what was read, what was found */
struct es_tune {
	const char *path, *setting, *time, *speed, *energy, *power, *reached;
	struct es_text_list group;
	const char *reference; /* NULL: the fastest of each group */
	const char *slowdown, *objective; /* as given */
	struct es_drawing drawing;
	bool is_strict, is_json;
	struct es_opt_wish wish;
	struct es_sheet rows;
	struct es_sheet_groups split;
	bool has_numbers; /* each setting is a number, or ends with one */
	struct es_tune_answer *answers; /* [n_answers] owned */
	size_t n_answers;
};

/** es_tune_has_saving - something else than the reference was chosen */
bool es_tune_has_saving(const struct es_tune_answer *answer);
/** es_tune_is_clock - the settings are clocks, by the name of their column */
bool es_tune_is_clock(const struct es_tune *tune);
/** es_tune_clip - see by times and powers which clocks were not reached, where no column says it; 0 or -ENOMEM */
int es_tune_clip(const struct es_tune *tune, struct es_tune_answer *answer);
/** es_tune_model - fit the models where settings are clocks; 0 or -ENOMEM */
int es_tune_model(const struct es_tune *tune, struct es_tune_answer *answer);
void es_tune_model_text(const struct es_tune_answer *answer, struct es_buf *out);
void es_tune_model_json(const struct es_tune_answer *answer, struct es_json *json);
void es_tune_text(const struct es_tune *tune, struct es_buf *out);
void es_tune_json(const struct es_tune *tune, struct es_buf *out);

#endif
