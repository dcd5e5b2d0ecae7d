/*
 * tune_show.c - what energyscopium tune chose, for people and programs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/tune.h"
#include "format/letters.h"

#define PERCENT 100.0
/* Single runs of the same setting differ by as much. */
#define CHANCE 0.01
#define CELL_MAX 32U
#define CELL_MIN 9U
#define STANDING 0.02 /* relative */

static unsigned width_of(const struct es_tune *tune, const struct es_tune_answer *answer)
{
	size_t widest = strlen(tune->setting);

	for (size_t i = 0; i < answer->n; i++)
		if (strlen(answer->rows[i].cell) > widest)
			widest = strlen(answer->rows[i].cell);
	return widest > CELL_MAX ? CELL_MAX : widest < CELL_MIN ? CELL_MIN : (unsigned)widest;
}

static bool is_on_front(const struct es_tune_answer *answer, size_t i)
{
	for (size_t k = 0; k < answer->n_front; k++)
		if (answer->front[k] == i)
			return true;
	return false;
}

static void row_text(const struct es_tune_answer *answer, size_t i, unsigned width,
		     struct es_buf *out)
{
	const struct es_tune_row *row = &answer->rows[i];
	struct es_tune_changes changes = es_tune_changes(answer, i);

	(void)es_buf_str(out, i == answer->chosen ? "> " : "  ");
	es_letters_cell(out, row->cell, width, true);
	(void)es_buf_printf(out, " %12.6g %12.6g %+8.2f%% %+8.2f%% %+8.2f%%%s",
			    answer->points[i].time, answer->points[i].energy,
			    PERCENT * changes.time, PERCENT * changes.energy, PERCENT * changes.edp,
			    is_on_front(answer, i) ? "  front" : "");
	(void)es_buf_str(out, i == answer->reference ? "  reference" : "");
	if (row->is_clipped)
		(void)es_buf_printf(out, "  clipped: was at %s%.*g",
				    row->is_inferred ? "about " : "", row->is_inferred ? 4 : 6,
				    row->reached);
	(void)es_buf_u8(out, '\n');
}

static void cell_text(const struct es_tune_answer *answer, size_t i, struct es_buf *out)
{
	es_letters_cell(out, answer->rows[i].cell, CELL_MAX, false);
}

void es_tune_limit_text(const struct es_tune *tune, struct es_buf *out)
{
	if (isfinite(tune->wish.slowdown))
		(void)es_buf_printf(out, " within %g %% more time", PERCENT * tune->wish.slowdown);
}

bool es_tune_is_top_clock(const struct es_tune *tune, const struct es_tune_answer *answer)
{
	const struct es_opt_point *chosen = &answer->points[answer->chosen];
	bool is_clock = es_tune_is_clock(tune) || strcasestr(tune->setting, "pstate");

	for (size_t i = 0; i < answer->n; i++)
		is_clock &= !(answer->points[i].time < chosen->time);
	return is_clock;
}

static void objective_text(unsigned exponent, char text[static 48])
{
	if (exponent <= ES_OPT_ED2P)
		(void)snprintf(text, 48, "energy%s%s", exponent ? " times time" : "",
			       exponent == ES_OPT_ED2P ? " squared" : "");
	else
		(void)snprintf(text, 48, "energy times time to the power of %u", exponent);
}

static void verdict_text(const struct es_tune *tune, const struct es_tune_answer *answer,
			 struct es_buf *out)
{
	char objective[48];
	struct es_tune_changes changes = es_tune_changes(answer, answer->chosen);

	objective_text(tune->wish.objective, objective);
	if (!es_tune_has_saving(answer)) {
		(void)es_buf_str(out, "no saving");
		es_tune_limit_text(tune, out);
		(void)es_buf_str(out, ": left at ");
		cell_text(answer, answer->reference, out);
		(void)es_buf_printf(out, ", no other setting takes less %s\n", objective);
		if (es_tune_is_top_clock(tune, answer))
			(void)es_buf_str(out, "run at the top clock\n");
		return;
	}
	(void)es_buf_str(out, "chosen: ");
	cell_text(answer, answer->chosen, out);
	(void)es_buf_printf(out, ", least %s", objective);
	es_tune_limit_text(tune, out);
	(void)es_buf_printf(out, ": time %+.2f %%, energy %+.2f %% against ",
			    PERCENT * changes.time, PERCENT * changes.energy);
	cell_text(answer, answer->reference, out);
	(void)es_buf_str(out, tune->reference ? "\n" : " (the fastest)\n");
	if (answer->has_judgement)
		(void)es_buf_printf(
			out, "95 %%: time %+.2f to %+.2f %%, energy %+.2f to %+.2f %%%s\n",
			PERCENT * answer->time.change_low, PERCENT * answer->time.change_high,
			PERCENT * answer->energy.change_low, PERCENT * answer->energy.change_high,
			answer->energy.change_high < 0 ? "" : ": the saving is not sure");
	else if (answer->rows[answer->chosen].n_runs == 1 &&
		 answer->rows[answer->reference].n_runs == 1 && changes.energy > -CHANCE &&
		 changes.energy < 0)
		(void)es_buf_printf(
			out,
			"one run of each: less than %g %% may be chance; more runs and --repeats tell\n",
			PERCENT * CHANCE);
	/* The question the other way round: what all threads, or no limit, cost. */
	if (tune->reference &&
	    (strcmp(tune->reference, "max") == 0 || strcmp(tune->reference, "min") == 0)) {
		(void)es_buf_str(out, "using ");
		cell_text(answer, answer->reference, out);
		(void)es_buf_printf(out, " instead: time %+.2f %%, energy %+.2f %%\n",
				    PERCENT * (1 / (1 + changes.time) - 1),
				    PERCENT * (1 / (1 + changes.energy) - 1));
	}
}

static void best_text(const struct es_tune_answer *answer, struct es_buf *out)
{
	static const char *const words[] = {
		[ES_OPT_ENERGY] = "energy", [ES_OPT_EDP] = "EDP", [ES_OPT_ED2P] = "ED2P"
	};

	(void)es_buf_str(out, "whatever the time:");
	for (int i = 0; i < ES_OPT_N_OBJECTIVES; i++) {
		(void)es_buf_printf(out, "%s least %s at ", i ? "," : "", words[i]);
		cell_text(answer, answer->best[i], out);
	}
	(void)es_buf_u8(out, '\n');
}

/* A limit on power, or on clocks, shows as a power that stands still while requests rise. */
static void standing_text(const struct es_tune_answer *answer, struct es_buf *out)
{
	double least = INFINITY, most = 0;
	size_t n = 0;

	for (size_t i = 0; i < answer->n; i++) {
		double power = answer->points[i].energy / answer->points[i].time;

		if (!answer->rows[i].is_clipped)
			continue;
		least = fmin(least, power);
		most = fmax(most, power);
		n++;
	}
	if (n > 1 && most < least * (1 + STANDING))
		(void)es_buf_printf(out,
				    "; power stands at %.4g there: a limit on it, or on clocks",
				    (least + most) / 2);
}

static void clipped_text(const struct es_tune_answer *answer, struct es_buf *out)
{
	bool is_any = false;

	for (size_t i = 0; i < answer->n; i++) {
		const struct es_tune_row *row = &answer->rows[i];

		if (!row->is_clipped)
			continue;
		(void)es_buf_str(out, is_any ? ", " : "clipped, not what was asked for: ");
		cell_text(answer, i, out);
		(void)es_buf_printf(out, " (was at %s%.*g)", row->is_inferred ? "about " : "",
				    row->is_inferred ? 4 : 6, row->reached);
		is_any = true;
	}
	standing_text(answer, out);
	(void)es_buf_str(out, is_any ? "\n" : "");
}

static void left_text(const struct es_tune *tune, const struct es_tune_answer *answer,
		      struct es_buf *out)
{
	for (size_t i = 0; i < answer->n_left; i++) {
		const struct es_tune_left *left = &answer->left[i];

		if (i == 0) {
			(void)es_buf_printf(out, "left out, %zu that miss ", answer->n_left);
			es_letters_cell(out, tune->quality_column, CELL_MAX, false);
			(void)es_buf_printf(out, " %.40s: ", tune->quality_limit);
		}
		(void)es_buf_str(out, i ? ", " : "");
		es_letters_cell(out, left->cell, CELL_MAX, false);
		if (left->has_quality)
			(void)es_buf_printf(out, " (%.6g)", left->quality);
		else
			(void)es_buf_str(out, " (not known)");
	}
	(void)es_buf_str(out, answer->n_left ? "\n" : "");
}

static void caps_text(const struct es_tune_answer *answer, bool is_exceeded, const char *words,
		      struct es_buf *out)
{
	bool is_any = false;

	for (size_t i = 0; i < answer->n; i++) {
		const struct es_tune_row *row = &answer->rows[i];

		if (is_exceeded ? !row->is_exceeded : !row->is_unreached)
			continue;
		(void)es_buf_str(out, is_any ? ", " : words);
		cell_text(answer, i, out);
		(void)es_buf_printf(out, " (%.4g W)",
				    answer->points[i].energy / answer->points[i].time);
		is_any = true;
	}
	(void)es_buf_str(out, is_any ? "\n" : "");
}

static void remarks_text(const struct es_tune *tune, const struct es_tune_answer *answer,
			 struct es_buf *out)
{
	left_text(tune, answer, out);
	clipped_text(answer, out);
	if (answer->is_caps) {
		caps_text(answer, false,
			  "caps that the mean power does not reach, they bind in peaks at most: ",
			  out);
		caps_text(answer, true, "caps that are not kept, the mean power is above: ", out);
	}
	if (answer->step_j > 0)
		(void)es_buf_printf(
			out,
			"energies come in steps of %.4g, %.1f %% of the least: smaller differences are not seen\n",
			answer->step_j,
			PERCENT * answer->step_j /
				answer->points[answer->best[ES_OPT_ENERGY]].energy);
	es_tune_model_text(answer, out);
	es_tune_plan_text(tune, answer, out);
}

static void heading_text(const struct es_tune *tune, const struct es_tune_answer *answer,
			 struct es_buf *out)
{
	if (!answer->group)
		return;
	for (size_t i = 0; i < tune->group.n && tune->paths.n < 2; i++) {
		es_letters_cell(out, tune->group.texts[i], 40, false);
		(void)es_buf_u8(out, ' ');
	}
	es_letters_cell(out, answer->group, 60, false);
	(void)es_buf_u8(out, '\n');
}

static void answer_text(const struct es_tune *tune, const struct es_tune_answer *answer,
			struct es_buf *out)
{
	const char *unit = tune->speed ? "1" : "s",
		   *energy = tune->speed && tune->power ? "1" : "J";
	unsigned width = width_of(tune, answer);

	heading_text(tune, answer, out);
	(void)es_buf_str(out, "  ");
	es_letters_cell(out, tune->setting, width, true);
	(void)es_buf_printf(out, " %10s %s %10s %s %9s %9s %9s\n", "time", unit, "energy", energy,
			    "time", "energy", "EDP");
	for (size_t i = 0; i < answer->n; i++)
		row_text(answer, i, width, out);
	verdict_text(tune, answer, out);
	best_text(answer, out);
	remarks_text(tune, answer, out);
}

void es_tune_text(const struct es_tune *tune, struct es_buf *out)
{
	for (size_t k = 0; k < tune->n_answers && !tune->is_summary; k++) {
		(void)es_buf_str(out, k ? "\n" : "");
		answer_text(tune, &tune->answers[k], out);
	}
	if (!es_tune_has_groups(tune))
		return;
	(void)es_buf_str(out, tune->is_summary ? "" : "\n");
	es_tune_summary_text(tune, out);
}
