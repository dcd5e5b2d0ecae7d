/*
 * place_lp.h - placing by time as a linear program: GLPK's bound, and what to round
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_PLACE_LP_H
#define ES_CLI_PLACE_LP_H

#include "base/error.h"
#include "opt/place.h"

#define ES_PLACE_LP_CELLS_MAX 60000U
#define ES_PLACE_LP_WORK 15000000 /* steps times rows: some 5 s, the same steps on every machine */

/** struct es_place_lp - the relaxed problem's solution: a share of each configuration may run in each class */
struct es_place_lp {
	double price[ES_PLACE_CLASSES_MAX]; /* nkWh for each µs of a class: the program's dual values */
	uint32_t *at; /* [n] owned: where the largest share of each is */
	double least_nkwh; /* what it takes, as GLPK has it: rounded, so es_place_resume() counts again from the prices */
	size_t n_split; /* configurations that are divided */
	int n_steps;
	bool is_cut; /* it came to no end within ES_PLACE_LP_WORK: prices and shares are those of the last */
};

/**
 * es_place_lp_solve - with GLPK, opened now
 * @problem: by time; every configuration has an open class
 * @soname: of GLPK; NULL: the usual one
 * @ret: es_place_lp_finish() it
 *
 * Returns 0; -ENOENT or -ENOSYS: no GLPK here, with the package; -E2BIG: more than ES_PLACE_LP_CELLS_MAX open cells;
 * -ENOSPC: not even shares find room, so that there is no placement; -EIO: GLPK failed, in its words; -ENOMEM.
 */
int es_place_lp_solve(const struct es_place_problem *problem, const char *soname,
		      struct es_place_lp *ret, struct es_error *err);
void es_place_lp_finish(struct es_place_lp *lp);

#endif
