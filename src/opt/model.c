/*
 * model.c - time and power as functions of a clock, fitted to measured settings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "opt/model.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "core/nnls.h"

#define HALF 0.5
#define TERMS_MAX 3U
#define ROUNDING 1e-9 /* of errors: what is nearer by less is as near */
#define SAME 1e-6 /* relative: one clock */

struct sample {
	double x, time, power;
};

static int by_clock(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	return (x->x > y->x) - (x->x < y->x);
}

/* Weights of 1 / value make absolute errors relative ones. */
static int fit_terms(const double *terms, const double *values, size_t n, size_t n_terms,
		     double *ret)
{
	double a[TERMS_MAX * TERMS_MAX] = { 0 }, b[TERMS_MAX] = { 0 };

	for (size_t i = 0; i < n; i++) {
		const double *row = &terms[i * n_terms];

		for (size_t k = 0; k < n_terms; k++) {
			b[k] += row[k] / values[i];
			for (size_t j = 0; j < n_terms; j++)
				a[k * n_terms + j] += row[k] * row[j] / (values[i] * values[i]);
		}
	}
	return es_nnls(a, b, n_terms, ret);
}

static double time_at(const struct es_opt_time_model *model, double x)
{
	return model->is_overlapping ? fmax(model->fixed, model->scaled / x)
				     : model->fixed + model->scaled / x;
}

static double power_at(const struct es_opt_power_model *model, double x)
{
	return model->fixed + model->linear * x + model->cubic * x * x * x;
}

static double time_error(const struct es_opt_time_model *model, const struct sample *samples,
			 size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		double off = time_at(model, samples[i].x) / samples[i].time - 1;

		sum += off * off;
	}
	return sqrt(sum / (double)n);
}

static int fit_additive(const struct sample *samples, size_t n, double *terms, double *values,
			struct es_opt_time_model *ret)
{
	double found[2];
	int r;

	for (size_t i = 0; i < n; i++) {
		terms[i * 2] = 1;
		terms[i * 2 + 1] = 1 / samples[i].x;
		values[i] = samples[i].time;
	}
	r = fit_terms(terms, values, n, 2, found);
	if (r < 0)
		return r;
	*ret = (struct es_opt_time_model){ .fixed = found[0], .scaled = found[1] };
	ret->error = time_error(ret, samples, n);
	return 0;
}

/* The lowest @k clocks bound by the processor, the others by what does not change: each @k is tried. */
static void fit_overlapping(const struct sample *samples, size_t n, struct es_opt_time_model *ret)
{
	*ret = (struct es_opt_time_model){ .error = INFINITY };
	for (size_t k = n + 1; k-- > 0;) {
		struct es_opt_time_model model = { .is_overlapping = true };
		double one[2] = { 0 }, two[2] = { 0 };

		/* A part of one point fits by itself. */
		if (k == 1 || k + 1 == n)
			continue;
		for (size_t i = 0; i < n; i++) {
			double term = i < k ? 1 / (samples[i].x * samples[i].time)
					    : 1 / samples[i].time;

			one[i < k] += term;
			two[i < k] += term * term;
		}
		model.fixed = k < n ? one[0] / two[0] : 0;
		model.scaled = k > 0 ? one[1] / two[1] : 0;
		model.error = time_error(&model, samples, n);
		if (model.error < ret->error - ROUNDING)
			*ret = model;
	}
}

static int fit_power(const struct sample *samples, size_t n, double *terms, double *values,
		     struct es_opt_power_model *ret)
{
	double found[3], sum = 0;
	int r;

	for (size_t i = 0; i < n; i++) {
		double x = samples[i].x;

		terms[i * 3] = 1;
		terms[i * 3 + 1] = x;
		terms[i * 3 + 2] = x * x * x;
		values[i] = samples[i].power;
	}
	r = fit_terms(terms, values, n, 3, found);
	if (r < 0)
		return r;
	*ret = (struct es_opt_power_model){ .fixed = found[0],
					    .linear = found[1],
					    .cubic = found[2] };
	for (size_t i = 0; i < n; i++) {
		double off = power_at(ret, samples[i].x) / samples[i].power - 1;

		sum += off * off;
	}
	ret->error = sqrt(sum / (double)n);
	return 0;
}

/* From half the top clock on, by clock. */
static size_t gather(const double *clocks, const struct es_opt_point *points, size_t n, double top,
		     struct sample *samples)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		if (clocks[i] >= HALF * top)
			samples[used++] = (struct sample){ clocks[i] / top, points[i].time,
							   points[i].energy / points[i].time };
	qsort(samples, used, sizeof(*samples), by_clock);
	return used;
}

int es_opt_model_fit(const double *clocks, const struct es_opt_point *points, size_t n,
		     struct es_opt_model *ret)
{
	es_cleanup(es_freep) struct sample *samples = calloc(n + 1, sizeof(*samples));
	es_cleanup(es_freep) double *terms = calloc(n + 1, TERMS_MAX * sizeof(*terms));
	es_cleanup(es_freep) double *values = calloc(n + 1, sizeof(*values));
	struct es_opt_time_model additive, overlapping;
	struct es_opt_model model = { .top = 0 };
	size_t n_clocks = 1;
	int r;

	if (!samples || !terms || !values)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		model.top = fmax(model.top, clocks[i]);
	model.n = gather(clocks, points, n, model.top, samples);
	for (size_t i = 1; i < model.n; i++)
		n_clocks += samples[i].x > samples[i - 1].x * (1 + SAME);
	if (model.n == 0 || n_clocks < ES_OPT_MODEL_POINTS_MIN)
		return -ENODATA;
	model.low = samples[0].x * model.top;
	r = fit_additive(samples, model.n, terms, values, &additive);
	if (r == 0)
		r = fit_power(samples, model.n, terms, values, &model.power);
	if (r < 0)
		return r;
	fit_overlapping(samples, model.n, &overlapping);
	model.time = overlapping.error < additive.error - ROUNDING ? overlapping : additive;
	model.other_error = fmax(overlapping.error, additive.error);
	*ret = model;
	return 0;
}

double es_opt_model_time(const struct es_opt_model *model, double clock)
{
	return time_at(&model->time, clock / model->top);
}

double es_opt_model_power(const struct es_opt_model *model, double clock)
{
	return power_at(&model->power, clock / model->top);
}
