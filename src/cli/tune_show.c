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

#define SCHEMA "energyscopium.tune/1"
#define PERCENT 100.0
#define CELL_MAX 32U
#define CELL_MIN 9U

struct changes {
	double time, energy, edp, ed2p;
};

static struct changes changes_of(const struct es_tune_answer *answer, size_t i)
{
	const struct es_opt_point *point = &answer->points[i],
				  *reference = &answer->points[answer->reference];

	return (struct changes){
		es_opt_change(point->time, reference->time),
		es_opt_change(point->energy, reference->energy),
		es_opt_change(es_opt_cost(point, ES_OPT_EDP), es_opt_cost(reference, ES_OPT_EDP)),
		es_opt_change(es_opt_cost(point, ES_OPT_ED2P), es_opt_cost(reference, ES_OPT_ED2P)),
	};
}

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
	struct changes changes = changes_of(answer, i);

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

static void limit_text(const struct es_tune *tune, struct es_buf *out)
{
	if (isfinite(tune->wish.slowdown))
		(void)es_buf_printf(out, " within %g %% more time", PERCENT * tune->wish.slowdown);
}

static bool is_top_clock(const struct es_tune *tune, const struct es_tune_answer *answer)
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
	struct changes changes = changes_of(answer, answer->chosen);

	objective_text(tune->wish.objective, objective);
	if (!es_tune_has_saving(answer)) {
		(void)es_buf_str(out, "no saving");
		limit_text(tune, out);
		(void)es_buf_str(out, ": left at ");
		cell_text(answer, answer->reference, out);
		(void)es_buf_printf(out, ", no other setting takes less %s\n", objective);
		if (is_top_clock(tune, answer))
			(void)es_buf_str(out, "run at the top clock\n");
		return;
	}
	(void)es_buf_str(out, "chosen: ");
	cell_text(answer, answer->chosen, out);
	(void)es_buf_printf(out, ", least %s", objective);
	limit_text(tune, out);
	(void)es_buf_printf(out, ": time %+.2f %%, energy %+.2f %% against ",
			    PERCENT * changes.time, PERCENT * changes.energy);
	cell_text(answer, answer->reference, out);
	(void)es_buf_str(out, tune->reference ? "\n" : " (the fastest)\n");
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

static void clipped_text(const struct es_tune_answer *answer, struct es_buf *out)
{
	const char *comma = "clipped, not what was asked for: ";
	bool is_any = false;

	for (size_t i = 0; i < answer->n; i++) {
		if (!answer->rows[i].is_clipped)
			continue;
		(void)es_buf_str(out, comma);
		cell_text(answer, i, out);
		(void)es_buf_printf(out, " (was at %s%.*g)",
				    answer->rows[i].is_inferred ? "about " : "",
				    answer->rows[i].is_inferred ? 4 : 6, answer->rows[i].reached);
		comma = ", ";
		is_any = true;
	}
	(void)es_buf_str(out, is_any ? "\n" : "");
}

void es_tune_text(const struct es_tune *tune, struct es_buf *out)
{
	const char *unit = tune->speed ? "1" : "s",
		   *energy = tune->speed && tune->power ? "1" : "J";

	for (size_t k = 0; k < tune->n_answers; k++) {
		const struct es_tune_answer *answer = &tune->answers[k];
		unsigned width = width_of(tune, answer);

		(void)es_buf_str(out, k ? "\n" : "");
		if (answer->group) {
			for (size_t i = 0; i < tune->group.n; i++) {
				es_letters_cell(out, tune->group.texts[i], 40, false);
				(void)es_buf_u8(out, ' ');
			}
			es_letters_cell(out, answer->group, 60, false);
			(void)es_buf_u8(out, '\n');
		}
		(void)es_buf_str(out, "  ");
		es_letters_cell(out, tune->setting, width, true);
		(void)es_buf_printf(out, " %10s %s %10s %s %9s %9s %9s\n", "time", unit, "energy",
				    energy, "time", "energy", "EDP");
		for (size_t i = 0; i < answer->n; i++)
			row_text(answer, i, width, out);
		verdict_text(tune, answer, out);
		best_text(answer, out);
		clipped_text(answer, out);
		es_tune_model_text(answer, out);
	}
}

static void setting_json(const struct es_tune *tune, const struct es_tune_row *row, const char *key,
			 struct es_json *json)
{
	if (tune->has_numbers)
		es_json_double(json, key, row->value);
	else
		es_json_string(json, key, row->cell);
}

static void row_json(const struct es_tune *tune, const struct es_tune_answer *answer, size_t i,
		     const char *key, struct es_json *json)
{
	const struct es_tune_row *row = &answer->rows[i];
	struct changes changes = changes_of(answer, i);

	es_json_object(json, key);
	setting_json(tune, row, "setting", json);
	es_json_string(json, "cell", row->cell);
	es_json_double(json, tune->speed ? "time_relative" : "time_s", answer->points[i].time);
	es_json_double(json, tune->speed && tune->power ? "energy_relative" : "energy_j",
		       answer->points[i].energy);
	es_json_double(json, "time_change", changes.time);
	es_json_double(json, "energy_change", changes.energy);
	es_json_double(json, "edp_change", changes.edp);
	es_json_double(json, "ed2p_change", changes.ed2p);
	es_json_bool(json, "clipped", row->is_clipped);
	es_json_bool(json, "reached_inferred", row->is_inferred);
	if (row->reached > 0)
		es_json_double(json, "reached", row->reached);
	else
		es_json_null(json, "reached");
	es_json_object_end(json);
}

static void answer_json(const struct es_tune *tune, const struct es_tune_answer *answer,
			struct es_json *json)
{
	row_json(tune, answer, answer->chosen, "chosen", json);
	row_json(tune, answer, answer->reference, "reference", json);
	es_json_bool(json, "saving", es_tune_has_saving(answer));
	es_json_bool(json, "top_clock", is_top_clock(tune, answer));
	es_json_object(json, "best");
	for (int i = 0; i < ES_OPT_N_OBJECTIVES; i++)
		row_json(tune, answer, answer->best[i], es_opt_objective_name((unsigned)i), json);
	es_json_object_end(json);
	es_json_array(json, "front");
	for (size_t i = 0; i < answer->n_front; i++)
		row_json(tune, answer, answer->front[i], NULL, json);
	es_json_array_end(json);
	es_json_array(json, "clipped");
	for (size_t i = 0; i < answer->n; i++)
		if (answer->rows[i].is_clipped)
			row_json(tune, answer, i, NULL, json);
	es_json_array_end(json);
	es_tune_model_json(answer, json);
}

void es_tune_json(const struct es_tune *tune, struct es_buf *out)
{
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", SCHEMA);
	es_json_string(&json, "objective", es_opt_objective_name(tune->wish.objective));
	es_json_double(&json, "slowdown", tune->wish.slowdown); /* any: null */
	es_json_string(&json, "setting_column", tune->setting);
	es_json_u64(&json, "rows", tune->rows.n);
	es_json_u64(&json, "lines_left_out", tune->rows.n_bad);
	if (!tune->group.n)
		answer_json(tune, &tune->answers[0], &json);
	if (tune->group.n)
		es_json_array(&json, "groups");
	for (size_t i = 0; tune->group.n && i < tune->n_answers; i++) {
		es_json_object(&json, NULL);
		es_json_string(&json, "group", tune->answers[i].group);
		answer_json(tune, &tune->answers[i], &json);
		es_json_object_end(&json);
	}
	if (tune->group.n)
		es_json_array_end(&json);
	es_json_object_end(&json);
	if (es_json_end(&json) < 0 && !out->error)
		out->error = -ENOMEM;
	(void)es_buf_u8(out, '\n');
}
