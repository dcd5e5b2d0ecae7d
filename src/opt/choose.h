/*
 * choose.h - the best of measured settings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_OPT_CHOOSE_H
#define ES_OPT_CHOOSE_H

#include "opt/front.h"

/** enum es_opt_objective - what is to be least: energy * time^n, by n; beyond ES_OPT_ED2P any n up to ES_OPT_EXPONENT_MAX */
enum es_opt_objective {
	ES_OPT_ENERGY,
	ES_OPT_EDP, /* energy * time */
	ES_OPT_ED2P, /* energy * time^2 */
	ES_OPT_N_OBJECTIVES, /* those that are always shown */
};

#define ES_OPT_EXPONENT_MAX 9U

/** es_opt_objective_name - energy, edp, ed2p, ed3p … ed9p */
const char *es_opt_objective_name(unsigned exponent);
/** es_opt_objective_find - by name, ed1p being edp; 0 or -ENOENT */
int es_opt_objective_find(const char *name, unsigned *ret_exponent);
double es_opt_cost(const struct es_opt_point *point, unsigned exponent);
/** es_opt_change - signed fraction by which @value is more than @reference */
double es_opt_change(double value, double reference);

/** struct es_opt_wish - what is asked for */
struct es_opt_wish {
	unsigned objective; /* exponent of time */
	double slowdown; /* times of at most (1 + slowdown) * that of the reference; INFINITY: any */
};

/**
 * es_opt_choose - the cheapest point within the limit
 * @reference: index of the point that others are held against; it is always within the limit
 *
 * Returns its index; of several that cost the same the fastest, then @reference, then the first.
 */
size_t es_opt_choose(const struct es_opt_point *points, size_t n, size_t reference,
		     const struct es_opt_wish *wish);

#endif
