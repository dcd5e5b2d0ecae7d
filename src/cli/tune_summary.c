/*
 * tune_summary.c - what groups of settings save, together
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <string.h>

#include "cli/tune.h"
#include "format/letters.h"

#define PERCENT 100.0
#define GROUP_MAX 48U
#define CELL_MAX 24U
#define NAMES_SHOWN 8U

struct summary {
	size_t n_saving, best; /* best: of the answers, the largest saving of energy */
	double energy_saving, energy_all, time_saving; /* mean changes */
};

static bool is_cheaper(const struct es_tune *tune, const struct es_tune_answer *answer)
{
	return es_opt_cost(&answer->points[answer->chosen], tune->wish.objective) <
	       es_opt_cost(&answer->points[answer->reference], tune->wish.objective);
}

static struct summary summary_of(const struct es_tune *tune)
{
	struct summary sum = { .n_saving = 0 };
	double least = 0;

	for (size_t i = 0; i < tune->n_answers; i++) {
		const struct es_tune_answer *answer = &tune->answers[i];
		struct es_tune_changes changes = es_tune_changes(answer, answer->chosen);

		sum.energy_all += changes.energy / (double)tune->n_answers;
		/* As much energy in less time is no saving. */
		if (!es_tune_has_saving(answer) || !is_cheaper(tune, answer))
			continue;
		sum.n_saving++;
		sum.energy_saving += changes.energy;
		sum.time_saving += changes.time;
		if (changes.energy < least) {
			least = changes.energy;
			sum.best = i;
		}
	}
	if (sum.n_saving) {
		sum.energy_saving /= (double)sum.n_saving;
		sum.time_saving /= (double)sum.n_saving;
	}
	return sum;
}

static unsigned width(size_t widest, unsigned least, unsigned most)
{
	return widest > most ? most : widest < least ? least : (unsigned)widest;
}

static void lines_text(const struct es_tune *tune, struct es_buf *out)
{
	size_t widest = 0, widest_cell = 0;
	unsigned name, cell;

	for (size_t i = 0; i < tune->n_answers; i++) {
		const struct es_tune_answer *answer = &tune->answers[i];
		size_t n = strlen(answer->group), m = strlen(answer->rows[answer->chosen].cell);

		widest = n > widest ? n : widest;
		widest_cell = m > widest_cell ? m : widest_cell;
	}
	name = width(widest, 5, GROUP_MAX);
	cell = width(widest_cell, 9, CELL_MAX);
	es_letters_cell(out, "group", name, true);
	(void)es_buf_str(out, "  ");
	es_letters_cell(out, "reference", cell, true);
	(void)es_buf_str(out, "  ");
	es_letters_cell(out, "chosen", cell, true);
	(void)es_buf_printf(out, " %9s %9s\n", "time", "energy");
	for (size_t i = 0; i < tune->n_answers; i++) {
		const struct es_tune_answer *answer = &tune->answers[i];
		struct es_tune_changes changes = es_tune_changes(answer, answer->chosen);

		es_letters_cell(out, answer->group, name, true);
		(void)es_buf_str(out, "  ");
		es_letters_cell(out, answer->rows[answer->reference].cell, cell, true);
		(void)es_buf_str(out, "  ");
		es_letters_cell(out, answer->rows[answer->chosen].cell, cell, true);
		if (es_tune_has_saving(answer))
			(void)es_buf_printf(out, " %+8.2f%% %+8.2f%%\n", PERCENT * changes.time,
					    PERCENT * changes.energy);
		else
			(void)es_buf_str(out, " no saving\n");
	}
}

void es_tune_summary_text(const struct es_tune *tune, struct es_buf *out)
{
	struct summary sum = summary_of(tune);

	lines_text(tune, out);
	(void)es_buf_printf(out, "%zu of %zu groups save", sum.n_saving, tune->n_answers);
	es_tune_limit_text(tune, out);
	if (sum.n_saving) {
		(void)es_buf_printf(
			out,
			": energy %+.2f %% on average at time %+.2f %% (%+.2f %% over all groups), %+.2f %% at most (",
			PERCENT * sum.energy_saving, PERCENT * sum.time_saving,
			PERCENT * sum.energy_all,
			PERCENT * es_tune_changes(&tune->answers[sum.best],
						  tune->answers[sum.best].chosen)
					  .energy);
		es_letters_cell(out, tune->answers[sum.best].group, GROUP_MAX, false);
		(void)es_buf_str(out, ")");
	}
	(void)es_buf_u8(out, '\n');
	for (size_t i = 0; i < tune->n_without && i < NAMES_SHOWN; i++) {
		(void)es_buf_str(out, i ? ", " : "no setting keeps the quality: ");
		es_letters_cell(out, tune->without[i], GROUP_MAX, false);
	}
	if (tune->n_without > NAMES_SHOWN)
		(void)es_buf_printf(out, " and %zu more", tune->n_without - NAMES_SHOWN);
	(void)es_buf_str(out, tune->n_without ? "\n" : "");
}

void es_tune_summary_json(const struct es_tune *tune, struct es_json *json)
{
	struct summary sum = summary_of(tune);

	es_json_object(json, "summary");
	es_json_u64(json, "groups", tune->n_answers);
	es_json_u64(json, "saving", sum.n_saving);
	es_json_double(json, "mean_energy_change", sum.energy_all);
	if (sum.n_saving) {
		const struct es_tune_answer *best = &tune->answers[sum.best];

		es_json_double(json, "mean_energy_change_saving", sum.energy_saving);
		es_json_double(json, "mean_time_change_saving", sum.time_saving);
		es_json_double(json, "best_energy_change",
			       es_tune_changes(best, best->chosen).energy);
		es_json_string(json, "best_group", best->group);
	} else {
		es_json_null(json, "mean_energy_change_saving");
		es_json_null(json, "mean_time_change_saving");
		es_json_null(json, "best_energy_change");
		es_json_null(json, "best_group");
	}
	es_json_object_end(json);
	es_json_array(json, "groups_without_quality");
	for (size_t i = 0; i < tune->n_without; i++)
		es_json_string(json, NULL, tune->without[i]);
	es_json_array_end(json);
}
