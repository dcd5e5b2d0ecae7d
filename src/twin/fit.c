/*
 * fit.c - parameters of a program from measured times and energies
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/fit.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/dl.h"

#define LIBRARY "libgsl.so.27"
#define OLD_LIBRARY "libgsl.so.25"
#define PACKAGE "libgsl27"
#define ROUNDS \
	3U /* the simplex begins anew from where it ended, so that a flat one does not stay so */
#define STEPS_MAX 200
#define WORTHWHILE 0.02 /* relative: a round that gains less was the last */
#define FIRST_STEP 0.3
#define SMALL 1e-4
#define UNIT_ERROR 0.05 /* an error that counts 1 */
#define WORST 1e12

/*
 * What we call of GSL, declared here so that building needs no header of it.
 */
struct gsl_vector {
	size_t size, stride;
	double *data;
	void *block;
	int owner;
};
struct gsl_multimin_function {
	double (*f)(const struct gsl_vector *x, void *params);
	size_t n;
	void *params;
};

struct es_twin_solver_calls {
	struct es_dl dl;
	void *(*handler_off)(void);
	void *(*set_handler)(void *);
	const void **nmsimplex2; /* gsl_multimin_fminimizer_nmsimplex2 */
	void *(*alloc)(const void *type, size_t n);
	void (*release)(void *minimizer);
	int (*set)(void *minimizer, struct gsl_multimin_function *f, const struct gsl_vector *x,
		   const struct gsl_vector *step);
	int (*iterate)(void *minimizer);
	struct gsl_vector *(*at)(const void *minimizer);
	double (*minimum)(const void *minimizer);
	double (*size)(const void *minimizer);
};

int es_twin_solver_open(struct es_twin_solver *solver, struct es_error *err)
{
	es_cleanup(es_freep) struct es_twin_solver_calls *c = calloc(1, sizeof(*c));
	struct es_error first = { .code = 0 };

	if (!c)
		return es_error_set(err, -ENOMEM, "cannot open GSL");
	const struct es_dl_symbol symbols[] = {
		{ "gsl_set_error_handler_off", &c->handler_off, true },
		{ "gsl_set_error_handler", &c->set_handler, true },
		{ "gsl_multimin_fminimizer_nmsimplex2", &c->nmsimplex2, true },
		{ "gsl_multimin_fminimizer_alloc", &c->alloc, true },
		{ "gsl_multimin_fminimizer_free", &c->release, true },
		{ "gsl_multimin_fminimizer_set", &c->set, true },
		{ "gsl_multimin_fminimizer_iterate", &c->iterate, true },
		{ "gsl_multimin_fminimizer_x", &c->at, true },
		{ "gsl_multimin_fminimizer_minimum", &c->minimum, true },
		{ "gsl_multimin_fminimizer_size", &c->size, true },
	};

	if (es_dl_open(&c->dl, LIBRARY, symbols, ES_ARRAY_SIZE(symbols), &first) < 0 &&
	    es_dl_open(&c->dl, OLD_LIBRARY, symbols, ES_ARRAY_SIZE(symbols), NULL) < 0)
		return es_error_say(err, -ENOENT,
				    "%s; fitting needs it (Debian package " PACKAGE
				    "), nothing was fitted",
				    first.text);
	solver->calls = es_steal_ptr(c);
	return 0;
}

void es_twin_solver_close(struct es_twin_solver *solver)
{
	if (solver->calls)
		es_dl_close(&solver->calls->dl);
	free(solver->calls);
	solver->calls = NULL;
}

/* The ranges in which parameters are sought, from the table's own times and powers. */
struct problem {
	const struct es_twin_kind *kind;
	enum es_twin_knob knob;
	enum es_twin_scope scope;
	const struct es_twin_row *rows;
	size_t n;
	double low[ES_TWIN_FIT_PARAMETERS], high[ES_TWIN_FIT_PARAMETERS];
	int error;
	struct es_error *err;
};

/* The simplex knows no bounds: it walks on a sine between them. */
static void to_parameters(const struct problem *problem, const struct gsl_vector *x,
			  double ret[static ES_TWIN_FIT_PARAMETERS])
{
	for (size_t i = 0; i < ES_TWIN_FIT_PARAMETERS; i++)
		ret[i] = problem->low[i] + (problem->high[i] - problem->low[i]) *
						   (0.5 + 0.5 * sin(x->data[i * x->stride]));
}

static double from_share(double share)
{
	return asin(2 * fmin(fmax(share, 0.01), 0.99) - 1);
}

static double sixth(double error)
{
	double square = error / UNIT_ERROR * (error / UNIT_ERROR);

	return square * square * square;
}

static double misfit(const struct gsl_vector *x, void *params)
{
	double parameters[ES_TWIN_FIT_PARAMETERS], sum = 0;
	struct problem *problem = params;

	to_parameters(problem, x, parameters);
	for (size_t i = 0; i < problem->n; i++) {
		const struct es_twin_row *row = &problem->rows[i];
		struct es_twin_outcome outcome;
		int r = es_twin_fit_row(problem->kind, problem->knob, problem->scope, parameters,
					row->setting, &outcome, problem->err);

		if (r < 0) {
			problem->error = r;
			return WORST;
		}
		sum += sixth(log(fmax(outcome.time_s, 1e-12) / row->time_s)) +
		       sixth(log(fmax(outcome.energy_j, 1e-12) / row->energy_j));
	}
	return isfinite(sum) ? fmin(sum, WORST) : WORST;
}

static void ranges(struct problem *problem)
{
	double least_s = INFINITY, most_s = 0;
	double *high = problem->high;

	for (size_t i = 0; i < problem->n; i++) {
		least_s = fmin(least_s, problem->rows[i].time_s);
		most_s = fmax(most_s, problem->rows[i].time_s);
	}
	high[0] = high[1] = high[2] = 1.3 * least_s;
	high[3] = 3;
	high[4] = 3;
	if (problem->scope == ES_TWIN_OF_GPU)
		high[4] = 1; /* its memory cannot do more than all it can */
	if (problem->knob == ES_TWIN_BY_THREADS) {
		high[0] = 1.6 * most_s;
		high[1] = 1.2 * most_s;
		high[2] = 1.2 * least_s;
		problem->low[3] = 0.5;
		high[3] = 2;
		high[4] = 4;
	}
}

/* Where the simplex begins, as shares of the ranges. */
static const double host_starts[][ES_TWIN_FIT_PARAMETERS] = {
	{ 0.70, 0.08, 0.08, 0.30, 0.30 }, { 0.40, 0.30, 0.10, 0.50, 0.60 },
	{ 0.25, 0.10, 0.45, 0.40, 0.20 }, { 0.10, 0.60, 0.10, 0.15, 0.80 },
	{ 0.06, 0.60, 0.12, 0.75, 0.03 }, { 0.05, 0.05, 0.65, 0.30, 0.20 },
	{ 0.35, 0.02, 0.40, 0.60, 0.30 },
};
static const double thread_starts[][ES_TWIN_FIT_PARAMETERS] = {
	{ 0.70, 0.03, 0.30, 0.50, 0.30 },
	{ 0.60, 0.05, 0.80, 0.40, 0.25 },
	{ 0.20, 0.70, 0.10, 0.40, 0.20 },
	{ 0.75, 0.02, 0.05, 0.75, 0.35 },
};

struct search {
	const struct es_twin_solver_calls *calls;
	void *minimizer;
	struct gsl_vector x, step;
	double at[ES_TWIN_FIT_PARAMETERS], steps[ES_TWIN_FIT_PARAMETERS];
	double best;
};

static void descend(struct search *search, struct problem *problem, const double *start,
		    double parameters[static ES_TWIN_FIT_PARAMETERS])
{
	struct gsl_multimin_function function = { misfit, ES_TWIN_FIT_PARAMETERS, problem };
	const struct es_twin_solver_calls *c = search->calls;
	double before = WORST;

	for (size_t i = 0; i < ES_TWIN_FIT_PARAMETERS; i++) {
		search->at[i] = from_share(start[i]);
		search->steps[i] = FIRST_STEP;
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		const struct gsl_vector *at;
		double gained;

		if (c->set(search->minimizer, &function, &search->x, &search->step))
			return;
		for (unsigned i = 0; i < STEPS_MAX && !c->iterate(search->minimizer); i++)
			if (c->size(search->minimizer) < SMALL)
				break;
		at = c->at(search->minimizer);
		for (size_t i = 0; i < ES_TWIN_FIT_PARAMETERS; i++)
			search->at[i] = at->data[i * at->stride];
		if (c->minimum(search->minimizer) < search->best) {
			search->best = c->minimum(search->minimizer);
			to_parameters(problem, at, parameters);
		}
		gained = before - c->minimum(search->minimizer);
		before = c->minimum(search->minimizer);
		if (round > 0 && gained < WORTHWHILE * before)
			break;
	}
}

/* Of two rows that stand the wrong way round, whatever lies between is off by half of what they are apart, at least. */
static double scatter(const struct es_twin_row *rows, size_t n)
{
	double most = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++) {
			/* 0 is the knob as delivered: the highest setting. */
			double a = rows[i].setting > 0 ? rows[i].setting : INFINITY;
			double b = rows[k].setting > 0 ? rows[k].setting : INFINITY;

			if (a <= b && rows[k].time_s > rows[i].time_s)
				most = fmax(most, (rows[k].time_s - rows[i].time_s) /
							  (rows[k].time_s + rows[i].time_s));
		}
	}
	return most;
}

static int judge(const struct problem *problem, struct es_twin_fit *fit,
		 struct es_twin_outcome *outcomes)
{
	double n = (double)problem->n;

	if (problem->knob != ES_TWIN_BY_THREADS) /* more of those may well be slower */
		fit->scatter = scatter(problem->rows, problem->n);
	for (size_t i = 0; i < problem->n; i++) {
		struct es_twin_outcome outcome;
		double time, energy;
		int r = es_twin_fit_row(problem->kind, problem->knob, problem->scope,
					fit->parameters, problem->rows[i].setting, &outcome,
					problem->err);

		if (r < 0)
			return r;
		time = fabs(outcome.time_s / problem->rows[i].time_s - 1);
		energy = fabs(outcome.energy_j / problem->rows[i].energy_j - 1);
		fit->time_error_max = fmax(fit->time_error_max, time);
		fit->energy_error_max = fmax(fit->energy_error_max, energy);
		fit->time_error_mean += time / n;
		fit->energy_error_mean += energy / n;
		if (outcomes)
			outcomes[i] = outcome;
	}
	return 0;
}

int es_twin_fit(const struct es_twin_solver *solver, const struct es_twin_kind *kind,
		enum es_twin_knob knob, enum es_twin_scope scope, const struct es_twin_row *rows,
		size_t n, struct es_twin_fit *ret, struct es_twin_outcome *ret_rows,
		struct es_error *err)
{
	struct problem problem = {
		.kind = kind, .knob = knob, .scope = scope, .rows = rows, .n = n, .err = err
	};
	bool is_threads = knob == ES_TWIN_BY_THREADS;
	size_t n_starts = is_threads ? ES_ARRAY_SIZE(thread_starts) : ES_ARRAY_SIZE(host_starts);
	struct es_twin_fit fit = { .time_error_max = 0 };
	struct search search = { .calls = solver->calls, .best = INFINITY };
	void *handler;
	int r;

	if (n < 3)
		return es_error_say(err, -ENODATA, "fewer than 3 rows say nothing about a program");
	ranges(&problem);
	search.x = (struct gsl_vector){ ES_TWIN_FIT_PARAMETERS, 1, search.at, NULL, 0 };
	search.step = (struct gsl_vector){ ES_TWIN_FIT_PARAMETERS, 1, search.steps, NULL, 0 };
	handler = search.calls->handler_off(); /* GSL's own would end the program */
	search.minimizer = search.calls->alloc(*search.calls->nmsimplex2, ES_TWIN_FIT_PARAMETERS);
	if (search.minimizer) {
		for (size_t i = 0; i < n_starts && !problem.error; i++)
			descend(&search, &problem, is_threads ? thread_starts[i] : host_starts[i],
				fit.parameters);
		search.calls->release(search.minimizer);
	}
	(void)search.calls->set_handler(handler);
	if (!search.minimizer)
		return es_error_set(err, -ENOMEM, "cannot fit");
	if (problem.error)
		return problem.error;
	r = judge(&problem, &fit, ret_rows);
	if (r == 0)
		*ret = fit;
	return r;
}
