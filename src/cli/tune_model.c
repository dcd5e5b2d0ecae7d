/*
 * tune_model.c - what models say of measured clocks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/tune.h"
#include "format/letters.h"
#include "opt/clip.h"

#define PERCENT 100.0

bool es_tune_is_clock(const struct es_tune *tune)
{
	static const char *const words[] = { "mhz", "ghz", "khz", "freq", "clock" };
	bool is_clock = false;

	for (size_t i = 0; i < ES_ARRAY_SIZE(words); i++)
		is_clock |= strcasestr(tune->setting, words[i]) != NULL;
	return is_clock && tune->has_numbers;
}

/* The measured clock that is nearest to where the model has its least energy. */
static size_t nearest(const struct es_tune_answer *answer, double clock)
{
	double least = INFINITY;
	size_t best = answer->chosen;

	for (size_t i = 0; i < answer->n; i++) {
		const struct es_tune_row *row = &answer->rows[i];
		double off = fabs(row->value - clock);

		if (row->is_clipped || !(off < least))
			continue;
		least = off;
		best = i;
	}
	return best;
}

int es_tune_clip(const struct es_tune *tune, struct es_tune_answer *answer)
{
	es_cleanup(es_freep) double *clocks = calloc(answer->n, sizeof(*clocks));
	es_cleanup(es_freep) double *reached = calloc(answer->n, sizeof(*reached));
	int r;

	if (!clocks || !reached)
		return -ENOMEM;
	if (!es_tune_is_clock(tune))
		return 0;
	for (size_t i = 0; i < answer->n; i++) {
		if (!(answer->rows[i].value > 0) || answer->rows[i].reached > 0)
			return 0; /* no clocks, or it is known what they came to */
		clocks[i] = answer->rows[i].value;
	}
	r = es_opt_clip(clocks, answer->points, answer->n, reached);
	for (size_t i = 0; r > 0 && i < answer->n; i++) {
		struct es_tune_row *row = &answer->rows[i];

		row->is_clipped = row->is_inferred = reached[i] > 0;
		row->reached = reached[i];
	}
	return r < 0 ? r : 0;
}

int es_tune_model(const struct es_tune *tune, struct es_tune_answer *answer)
{
	es_cleanup(es_freep) double *clocks = calloc(answer->n, sizeof(*clocks));
	es_cleanup(es_freep) double *powers = calloc(answer->n, sizeof(*powers));
	es_cleanup(es_freep) struct es_opt_point *points = calloc(answer->n, sizeof(*points));
	size_t n = 0;
	int r;

	if (!clocks || !powers || !points)
		return -ENOMEM;
	if (!es_tune_is_clock(tune))
		return 0;
	for (size_t i = 0; i < answer->n; i++) {
		const struct es_tune_row *row = &answer->rows[i];

		if (!(row->value > 0))
			return 0; /* no clock, whatever the column is called */
		clocks[n] = row->is_clipped ? row->reached : row->value;
		points[n] = answer->points[i];
		powers[n] = points[n].energy / points[n].time;
		n++;
	}
	r = es_opt_model_fit(clocks, points, n, &answer->model);
	if (r == -ENOMEM)
		return r;
	answer->has_model = r == 0;
	if (r == 0) {
		answer->optimum = es_opt_model_optimum(&answer->model, ES_OPT_ENERGY);
		answer->edp_optimum = es_opt_model_optimum(&answer->model, ES_OPT_EDP);
		answer->optimum_row = nearest(answer, answer->optimum);
	}
	r = es_opt_ridge_fit(clocks, powers, n, &answer->ridge);
	answer->has_ridge = r == 0;
	if (answer->has_ridge && answer->has_model)
		answer->ridge_optimum =
			es_opt_ridge_optimum(&answer->model, &answer->ridge, ES_OPT_ENERGY);
	return r == -ENOMEM ? r : 0;
}

/* GHz have digits behind the point, kHz none. */
static int digits_of(double clock)
{
	return clock < 10 ? 2 : clock < 100 ? 1 : 0;
}

void es_tune_model_text(const struct es_tune_answer *answer, struct es_buf *out)
{
	const struct es_opt_model *model = &answer->model;

	if (answer->has_model) {
		(void)es_buf_printf(
			out,
			"model of %zu clocks from %.6g to %.6g: time %s, %.0f %% of it by the clock, off by %.1f %%; power off by %.1f %%\n",
			model->n, model->low, model->top,
			model->time.is_overlapping ? "overlapping" : "additive",
			PERCENT *
				fmin(1, model->time.scaled / es_opt_model_time(model, model->top)),
			PERCENT * model->time.error, PERCENT * model->power.error);
		(void)es_buf_printf(out, "least energy by the model at %.*f, measured at ",
				    digits_of(answer->optimum), answer->optimum);
		es_letters_cell(out, answer->rows[answer->best[ES_OPT_ENERGY]].cell, 32, false);
		(void)es_buf_printf(out, "; least EDP by it at %.*f\n",
				    digits_of(answer->edp_optimum), answer->edp_optimum);
	}
	if (answer->has_ridge)
		(void)es_buf_printf(
			out, "ridge: power bends at %.*f (off by %.1f %%, a line by %.1f %%)",
			digits_of(answer->ridge.ridge), answer->ridge.ridge,
			PERCENT * answer->ridge.error, PERCENT * answer->ridge.line_error);
	if (answer->has_ridge && answer->has_model)
		(void)es_buf_printf(out, ", least energy by it at %.*f",
				    digits_of(answer->ridge_optimum), answer->ridge_optimum);
	(void)es_buf_str(out, answer->has_ridge ? "\n" : "");
}

static void fitted_json(const struct es_opt_model *model, struct es_json *json)
{
	es_json_double(json, "low", model->low);
	es_json_double(json, "top", model->top);
	es_json_u64(json, "rows", model->n);
	es_json_object(json, "time");
	es_json_string(json, "shape", model->time.is_overlapping ? "overlapping" : "additive");
	es_json_double(json, "fixed", model->time.fixed);
	es_json_double(json, "scaled", model->time.scaled);
	es_json_double(json, "error", model->time.error);
	es_json_double(json, "other_error", model->other_error);
	es_json_object_end(json);
	es_json_object(json, "power");
	es_json_double(json, "fixed", model->power.fixed);
	es_json_double(json, "linear", model->power.linear);
	es_json_double(json, "cubic", model->power.cubic);
	es_json_double(json, "error", model->power.error);
	es_json_object_end(json);
}

void es_tune_model_json(const struct es_tune_answer *answer, struct es_json *json)
{
	if (answer->has_model) {
		es_json_object(json, "model");
		fitted_json(&answer->model, json);
		es_json_double(json, "optimum", answer->optimum);
		es_json_double(json, "edp_optimum", answer->edp_optimum);
		es_json_double(json, "nearest", answer->rows[answer->optimum_row].value);
		es_json_double(json, "measured", answer->rows[answer->best[ES_OPT_ENERGY]].value);
		es_json_object_end(json);
	} else {
		es_json_null(json, "model");
	}
	if (answer->has_ridge) {
		es_json_object(json, "ridge");
		es_json_double(json, "clock", answer->ridge.ridge);
		es_json_double(json, "error", answer->ridge.error);
		es_json_double(json, "line_error", answer->ridge.line_error);
		if (answer->has_model)
			es_json_double(json, "optimum", answer->ridge_optimum);
		else
			es_json_null(json, "optimum");
		es_json_object_end(json);
	} else {
		es_json_null(json, "ridge");
	}
}
