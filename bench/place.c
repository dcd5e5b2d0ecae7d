/*
 * place.c - 500 configurations on 10 classes by node-hours, beside GLPK's own search in whole numbers
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Promise: a placement of 500 x 10 in less than 5 s, with its gap. The instances are made up: sizes over a range of 20,
 * energies and times that go with them, rooms nearly full. The peer is glp_intopt() on the same problem, with its
 * cuts and heuristics, for as long as it is given.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/dl.h"
#include "cli/place_lp.h"
#include "support/figures.h"

#define LARGE_MAX_S 5.0
#define KWH 1e9
#define HOUR_US 3600000000.0

/* What we call of GLPK 5.0, as in glpk.h. */
struct whole_control {
	int msg_lev, br_tech, bt_tech;
	double tol_int, tol_obj;
	int tm_lim, out_frq, out_dly;
	void *cb_func, *cb_info;
	int cb_size, pp_tech;
	double mip_gap;
	int mir_cuts, gmi_cuts, cov_cuts, clq_cuts, presolve, binarize, fp_heur;
	double others[64];
};

struct glpk {
	struct es_dl dl;
	int (*term_out)(int is_on);
	void *(*create)(void);
	void (*destroy)(void *program);
	int (*add_rows)(void *program, int n);
	int (*add_columns)(void *program, int n);
	void (*bound_row)(void *program, int i, int type, double low, double high);
	void (*set_kind)(void *program, int j, int kind);
	void (*set_cost)(void *program, int j, double cost);
	void (*set_column)(void *program, int j, int n, const int *rows, const double *values);
	void (*init)(struct whole_control *control);
	int (*search)(void *program, const struct whole_control *control);
	int (*status)(void *program);
	double (*objective)(void *program);
};

struct made {
	struct es_place_problem problem;
	int64_t *energy_nkwh, *time_us, *room;
	uint8_t *why;
};

static double roll(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(*state >> 11) / 9007199254740992.0;
}

static void finish(struct made *made)
{
	free(made->energy_nkwh);
	free(made->time_us);
	free(made->room);
	free(made->why);
}

static int make(struct made *made, size_t n, size_t m, double room, uint64_t seed)
{
	const struct es_place_limits limits = { NULL, NULL, -1, NULL };
	double mean_us = 2.1 * 1.1 * HOUR_US;

	*made = (struct made){ .energy_nkwh = calloc(n * m, sizeof(*made->energy_nkwh)),
			       .time_us = calloc(n * m, sizeof(*made->time_us)),
			       .room = calloc(m, sizeof(*made->room)),
			       .why = calloc(n * m, 1) };
	if (!made->energy_nkwh || !made->time_us || !made->room || !made->why)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		double size = 0.2 + 3.8 * roll(&seed);

		for (size_t j = 0; j < m; j++) {
			made->energy_nkwh[i * m + j] =
				llround(size * (3 + 0.4 * (double)j + 3 * roll(&seed)) * KWH);
			made->time_us[i * m + j] =
				llround(size * (0.8 + 0.6 * roll(&seed)) * HOUR_US);
		}
	}
	for (size_t j = 0; j < m; j++)
		made->room[j] = llround(room * (double)n / (double)m * mean_us);
	made->problem = (struct es_place_problem){
		n, m, made->energy_nkwh, made->time_us, made->why, made->room, true
	};
	es_place_limit(&made->problem, &limits, made->why);
	return 0;
}

static double cpu_s(void)
{
	struct timespec t = { .tv_sec = 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* As the command does it. */
static int place_ours(const struct made *made, struct es_place *place, double *ret_s)
{
	struct es_place_lp lp = { .at = NULL };
	struct es_error err = { .code = 0 };
	struct es_place_lack lack;
	double from_s = cpu_s();
	int r = es_place_solve(&made->problem, place, &lack);

	if (r == 0 && place->energy_nkwh > place->bound_nkwh &&
	    es_place_lp_solve(&made->problem, NULL, &lp, &err) == 0) {
		const struct es_place_hint hint = { lp.price, lp.at };

		r = es_place_resume(&made->problem, &hint, place, &lack);
	} else if (err.text[0]) {
		(void)printf("%s\n", err.text);
	}
	*ret_s = cpu_s() - from_s;
	es_place_lp_finish(&lp);
	return r;
}

static int open_glpk(struct glpk *c)
{
	const struct es_dl_symbol symbols[] = {
		{ "glp_term_out", &c->term_out, true },
		{ "glp_create_prob", &c->create, true },
		{ "glp_delete_prob", &c->destroy, true },
		{ "glp_add_rows", &c->add_rows, true },
		{ "glp_add_cols", &c->add_columns, true },
		{ "glp_set_row_bnds", &c->bound_row, true },
		{ "glp_set_col_kind", &c->set_kind, true },
		{ "glp_set_obj_coef", &c->set_cost, true },
		{ "glp_set_mat_col", &c->set_column, true },
		{ "glp_init_iocp", &c->init, true },
		{ "glp_intopt", &c->search, true },
		{ "glp_mip_status", &c->status, true },
		{ "glp_mip_obj_val", &c->objective, true },
	};

	return es_dl_open(&c->dl, "libglpk.so.40", symbols, ES_ARRAY_SIZE(symbols), NULL);
}

static void describe(const struct glpk *c, const struct es_place_problem *problem, void *program)
{
	size_t n = problem->n, m = problem->m;

	(void)c->add_rows(program, (int)(n + m));
	(void)c->add_columns(program, (int)(n * m));
	for (size_t i = 0; i < n; i++)
		c->bound_row(program, (int)i + 1, 5, 1, 1); /* GLP_FX */
	for (size_t j = 0; j < m; j++)
		c->bound_row(program, (int)(n + j) + 1, 3, 0, 1); /* GLP_UP */
	for (size_t cell = 0; cell < n * m; cell++) {
		const int rows[] = { 0, (int)(cell / m) + 1, (int)(n + cell % m) + 1 };
		const double values[] = {
			0, 1, (double)problem->time_us[cell] / (double)problem->room[cell % m]
		};

		c->set_kind(program, (int)cell + 1, 3); /* GLP_BV */
		c->set_cost(program, (int)cell + 1, (double)problem->energy_nkwh[cell] / KWH);
		c->set_column(program, (int)cell + 1, 2, rows, values);
	}
}

/* Returns its energy in kWh; NaN: it found none in the time; -1: there is no GLPK. */
static double place_glpk(const struct made *made, double limit_s, bool *ret_is_whole, double *ret_s)
{
	struct glpk glpk = { .term_out = NULL };
	struct whole_control control;
	double from_s = cpu_s(), energy = NAN;
	void *program;
	int r;

	if (open_glpk(&glpk) < 0)
		return -1;
	(void)glpk.term_out(0);
	program = glpk.create();
	describe(&glpk, &made->problem, program);
	glpk.init(&control);
	control.tm_lim = (int)(limit_s * 1e3);
	control.presolve = control.gmi_cuts = control.mir_cuts = control.cov_cuts = 1;
	control.fp_heur = 1;
	r = glpk.search(program, &control);
	if (glpk.status(program) == 2 || glpk.status(program) == 5) /* GLP_FEAS, GLP_OPT */
		energy = glpk.objective(program);
	*ret_is_whole = r == 0 && glpk.status(program) == 5;
	*ret_s = cpu_s() - from_s;
	glpk.destroy(program);
	es_dl_close(&glpk.dl);
	return energy;
}

static int bench_one(size_t n, size_t m, double room, double limit_s, bool is_judged)
{
	struct es_place place = { .at = NULL };
	double ours_s, theirs_s = 0, theirs = 0, energy;
	bool is_whole = false;
	struct made made;
	int r = make(&made, n, m, room, n * 1000 + m);

	if (r == 0)
		r = place_ours(&made, &place, &ours_s);
	if (r < 0) {
		(void)fprintf(stderr, "place: %zu x %zu: %s\n", n, m, es_strerror(r));
		finish(&made);
		return r;
	}
	theirs = place_glpk(&made, limit_s, &is_whole, &theirs_s);
	energy = (double)place.energy_nkwh / KWH;
	(void)printf("%5zu x %-3zu %5.2f %10.3f %10.3f %9.4f %7.3f", n, m, room, energy,
		     (double)place.bound_nkwh / KWH,
		     100 * (double)(place.energy_nkwh - place.bound_nkwh) /
			     (double)place.bound_nkwh,
		     ours_s);
	if (theirs == -1)
		(void)printf("   GLPK is not installed: apt install libglpk40\n");
	else if (isnan(theirs))
		(void)printf(" %10s %9s %7.3f %9s\n", "none", "", theirs_s, "");
	else
		(void)printf(" %10.3f %+9.4f %7.3f %9.2f%s\n", theirs, 100 * (theirs / energy - 1),
			     theirs_s, theirs_s / ours_s, is_whole ? " (its end)" : "");
	if (is_judged)
		(void)printf("500 x 10: %.2f s < %.0f s: %s\n", ours_s, LARGE_MAX_S,
			     es_bench_verdict(ours_s < LARGE_MAX_S));
	es_place_finish(&place);
	finish(&made);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "quick", no_argument, NULL, 'q' },
						 { NULL, 0, NULL, 0 } };
	bool is_quick = false;
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'q') {
			(void)fprintf(stderr, "usage: bench_place [--quick]\n");
			return 2;
		}
		is_quick = true;
	}
	(void)printf(
		"configurations                               ours              GLPK in whole numbers\n"
		"x classes   room        kWh  bound kWh     gap %%   CPU s        kWh    more %%   CPU s   x our time\n");
	r = bench_one(20, 4, 1.05, is_quick ? 2 : 60, false);
	if (r == 0)
		r = bench_one(60, 6, 1.05, is_quick ? 2 : 60, false);
	if (r == 0)
		r = bench_one(500, 10, 1.0, is_quick ? 5 : 60, true);
	if (r == 0)
		r = bench_one(500, 10, 1.3, is_quick ? 5 : 60, true);
	return r < 0;
}
