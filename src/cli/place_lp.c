/*
 * place_lp.c - placing by time as a linear program: GLPK's bound, and what to round
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/place_lp.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/dl.h"
#include "base/text.h"

#define LIBRARY "libglpk.so.40"
#define PACKAGE "libglpk40"
#define WHOLE 0.999999

/*
 * What we call of GLPK, declared here so that building needs no header of it (glpk.h, versions 4.53 to 5.0).
 */
enum {
	GLPK_MIN = 1,
	GLPK_LOWER = 2,
	GLPK_UPPER = 3,
	GLPK_FIXED = 5,
	GLPK_BASIC = 1,
	GLPK_AT_LOWER = 2,
	GLPK_AT_FIXED = 5,
	GLPK_QUIET = 0,
	GLPK_DUAL_FIRST = 2,
	GLPK_STEPS_LIMIT = 0x08,
	GLPK_NO_FEASIBLE = 4,
	GLPK_OPTIMAL = 5,
};

struct glpk_simplex {
	int msg_lev, meth, pricing, r_test;
	double tol_bnd, tol_dj, tol_piv, obj_ll, obj_ul;
	int it_lim, tm_lim, out_frq, out_dly, presolve;
	double others[64]; /* more than any version has */
};

struct glpk {
	struct es_dl dl;
	int (*term_out)(int is_on);
	void (*term_hook)(int (*take)(void *arg, const char *text), void *arg);
	void (*error_hook)(void (*fail)(void *arg), void *arg);
	int (*free_env)(void);
	void *(*create)(void);
	void (*set_direction)(void *program, int direction);
	int (*add_rows)(void *program, int n);
	int (*add_columns)(void *program, int n);
	void (*bound_row)(void *program, int i, int type, double low, double high);
	void (*bound_column)(void *program, int j, int type, double low, double high);
	void (*set_cost)(void *program, int j, double cost);
	void (*set_column)(void *program, int j, int n, const int *rows, const double *values);
	void (*set_row_state)(void *program, int i, int state);
	void (*set_column_state)(void *program, int j, int state);
	void (*init_simplex)(struct glpk_simplex *control);
	int (*simplex)(void *program, const struct glpk_simplex *control);
	int (*status)(void *program);
	double (*objective)(void *program);
	double (*row_dual)(void *program, int i);
	double (*column_value)(void *program, int j);
	int (*steps)(void *program);
	/* Where it goes instead of abort(), with its last words. */
	jmp_buf on_failure;
	char words[120];
};

struct program {
	struct glpk *glpk;
	const struct es_place_problem *problem;
	void *handle;
	double cost_scale; /* nkWh that cost 1 */
	int row_of[ES_PLACE_CLASSES_MAX]; /* 0: room without end */
	int n_rows, n_columns;
};

static int take_words(void *arg, const char *text)
{
	struct glpk *glpk = arg;

	if (glpk->words[0] == '\0')
		(void)snprintf(glpk->words, sizeof(glpk->words), "%.*s", (int)strcspn(text, "\n"),
			       text);
	return 1; /* not printed */
}

static void fail(void *arg)
{
	struct glpk *glpk = arg;

	longjmp(glpk->on_failure, 1);
}

static int open_glpk(struct glpk *c, const char *soname, struct es_error *err)
{
	const struct es_dl_symbol symbols[] = {
		{ "glp_term_out", &c->term_out, true },
		{ "glp_term_hook", &c->term_hook, true },
		{ "glp_error_hook", &c->error_hook, true },
		{ "glp_free_env", &c->free_env, true },
		{ "glp_create_prob", &c->create, true },
		{ "glp_set_obj_dir", &c->set_direction, true },
		{ "glp_add_rows", &c->add_rows, true },
		{ "glp_add_cols", &c->add_columns, true },
		{ "glp_set_row_bnds", &c->bound_row, true },
		{ "glp_set_col_bnds", &c->bound_column, true },
		{ "glp_set_obj_coef", &c->set_cost, true },
		{ "glp_set_mat_col", &c->set_column, true },
		{ "glp_set_row_stat", &c->set_row_state, true },
		{ "glp_set_col_stat", &c->set_column_state, true },
		{ "glp_init_smcp", &c->init_simplex, true },
		{ "glp_simplex", &c->simplex, true },
		{ "glp_get_status", &c->status, true },
		{ "glp_get_obj_val", &c->objective, true },
		{ "glp_get_row_dual", &c->row_dual, true },
		{ "glp_get_col_prim", &c->column_value, true },
		{ "glp_get_it_cnt", &c->steps, true },
	};
	struct es_error first = { .code = 0 };
	int r = es_dl_open(&c->dl, soname ? soname : LIBRARY, symbols, ES_ARRAY_SIZE(symbols),
			   &first);

	if (r < 0)
		return es_error_say(err, r, "GLPK is not installed: apt install " PACKAGE " (%s)",
				    first.text);
	(void)c->term_out(0);
	c->term_hook(take_words, c);
	c->error_hook(fail, c);
	return 0;
}

static void close_glpk(struct glpk *glpk)
{
	if (glpk->dl.handle) {
		(void)glpk->free_env(); /* with all that it still has, after a failure too */
		es_dl_close(&glpk->dl);
	}
	free(glpk);
}

static void close_glpkp(struct glpk **glpk)
{
	if (*glpk)
		close_glpk(*glpk);
}

static size_t n_open(const struct es_place_problem *problem, double *ret_mean_nkwh)
{
	double sum = 0;
	size_t n = 0;

	for (size_t cell = 0; cell < problem->n * problem->m; cell++) {
		if (problem->why[cell] != ES_PLACE_OPEN)
			continue;
		sum += (double)problem->energy_nkwh[cell];
		n++;
	}
	*ret_mean_nkwh = n ? sum / (double)n : 1;
	return n;
}

/* A row for each configuration: its shares are 1 together. One for each class with an end: its room is 1. */
static void add_rows(struct program *p)
{
	const struct es_place_problem *problem = p->problem;
	struct glpk *c = p->glpk;

	p->n_rows = (int)problem->n;
	for (size_t j = 0; j < problem->m; j++)
		p->row_of[j] = problem->room[j] == ES_PLACE_ENDLESS || problem->room[j] == 0
				       ? 0
				       : ++p->n_rows;
	(void)c->add_rows(p->handle, p->n_rows);
	for (int row = 1; row <= p->n_rows; row++) {
		bool is_room = row > (int)problem->n;

		c->bound_row(p->handle, row, is_room ? GLPK_UPPER : GLPK_FIXED, is_room ? 0 : 1, 1);
		c->set_row_state(p->handle, row, is_room ? GLPK_BASIC : GLPK_AT_FIXED);
	}
}

/* Each begins where it is cheapest: what is wrong then is room only, which the dual method mends in a few steps. */
static void add_columns(struct program *p)
{
	const struct es_place_problem *problem = p->problem;
	struct glpk *c = p->glpk;
	int column = 0;

	(void)c->add_columns(p->handle, p->n_columns);
	for (size_t i = 0; i < problem->n; i++) {
		int first = 0;
		int64_t least = INT64_MAX;

		for (size_t j = 0; j < problem->m; j++) {
			size_t cell = i * problem->m + j;
			const int rows[] = { 0, (int)i + 1, p->row_of[j] };
			const double values[] = {
				0, 1, (double)problem->time_us[cell] / (double)problem->room[j]
			};

			if (problem->why[cell] != ES_PLACE_OPEN)
				continue;
			column++;
			c->bound_column(p->handle, column, GLPK_LOWER, 0, 0);
			c->set_cost(p->handle, column,
				    (double)problem->energy_nkwh[cell] / p->cost_scale);
			c->set_column(p->handle, column, p->row_of[j] ? 2 : 1, rows, values);
			c->set_column_state(p->handle, column, GLPK_AT_LOWER);
			if (problem->energy_nkwh[cell] < least) {
				least = problem->energy_nkwh[cell];
				first = column;
			}
		}
		c->set_column_state(p->handle, first, GLPK_BASIC);
	}
}

static void take_solution(const struct program *p, struct es_place_lp *lp)
{
	const struct es_place_problem *problem = p->problem;
	struct glpk *c = p->glpk;
	int column = 0;

	for (size_t j = 0; j < problem->m; j++) {
		double dual = p->row_of[j] ? c->row_dual(p->handle, p->row_of[j]) : 0;

		/* Room is an upper bound of something to be least: its dual value is not above 0, but for rounding. */
		lp->price[j] = dual < 0 ? -dual * p->cost_scale / (double)problem->room[j] : 0;
	}
	for (size_t i = 0; i < problem->n; i++) {
		double most = -INFINITY;

		for (size_t j = 0; j < problem->m; j++) {
			double share;

			if (problem->why[i * problem->m + j] != ES_PLACE_OPEN)
				continue;
			share = c->column_value(p->handle, ++column);
			if (share > most) {
				most = share;
				lp->at[i] = (uint32_t)j;
			}
		}
		lp->n_split += most < WHOLE;
	}
	lp->least_nkwh = c->objective(p->handle) * p->cost_scale;
	lp->n_steps = c->steps(p->handle);
}

static int solve(struct program *p, struct es_place_lp *lp, struct es_error *err)
{
	struct glpk *c = p->glpk;
	struct glpk_simplex control;
	int r, status;

	if (setjmp(c->on_failure)) {
		es_text_make_safe(c->words, false);
		return es_error_say(err, -EIO, "GLPK failed: %s", c->words);
	}
	p->handle = c->create();
	c->set_direction(p->handle, GLPK_MIN);
	add_rows(p);
	add_columns(p);
	c->init_simplex(&control);
	control.msg_lev = GLPK_QUIET;
	control.meth = GLPK_DUAL_FIRST;
	control.it_lim = ES_PLACE_LP_WORK / p->n_rows;
	r = c->simplex(p->handle, &control);
	status = c->status(p->handle);
	if (r == 0 && status == GLPK_NO_FEASIBLE)
		return es_error_say(err, -ENOSPC, "not even parts of configurations find room");
	lp->is_cut = r == GLPK_STEPS_LIMIT;
	if (!lp->is_cut && (r != 0 || status != GLPK_OPTIMAL))
		return es_error_say(err, -EIO, "GLPK failed: simplex method %d, state %d", r,
				    status);
	take_solution(p, lp);
	return 0;
}

int es_place_lp_solve(const struct es_place_problem *problem, const char *soname,
		      struct es_place_lp *ret, struct es_error *err)
{
	es_cleanup(close_glpkp) struct glpk *glpk = NULL;
	struct program p = { .problem = problem };
	struct es_place_lp lp = { .at = NULL };
	size_t n = n_open(problem, &p.cost_scale);
	int r;

	if (n > ES_PLACE_LP_CELLS_MAX)
		return es_error_say(
			err, -E2BIG,
			"%zu open cells are more than the %u for which the linear program "
			"is asked",
			n, ES_PLACE_LP_CELLS_MAX);
	p.n_columns = (int)n;
	glpk = calloc(1, sizeof(*glpk));
	lp.at = calloc(problem->n, sizeof(*lp.at));
	if (!glpk || !lp.at) {
		free(lp.at);
		return es_error_set(err, -ENOMEM, "cannot make the linear program");
	}
	p.glpk = glpk;
	r = open_glpk(glpk, soname, err);
	if (r == 0)
		r = solve(&p, &lp, err);
	if (r < 0)
		es_place_lp_finish(&lp);
	else
		*ret = lp;
	return r;
}

void es_place_lp_finish(struct es_place_lp *lp)
{
	free(lp->at);
	lp->at = NULL;
}
