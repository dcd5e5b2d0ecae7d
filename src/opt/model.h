/*
 * model.h - time and power as functions of a clock, fitted to measured settings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_OPT_MODEL_H
#define ES_OPT_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "opt/front.h"

#define ES_OPT_MODEL_POINTS_MIN 4U /* of as many clocks: one more than the parameters of power */
#define ES_OPT_RIDGE_POINTS_MIN 6U

/** struct es_opt_time_model - by x, the clock over the top one */
struct es_opt_time_model {
	bool is_overlapping; /* max(fixed, scaled / x); else fixed + scaled / x */
	double fixed,
		scaled; /* time that the clock does not change, and time at the top clock that it does */
	double error; /* root mean square, relative */
};

/** struct es_opt_power_model - fixed + linear x + cubic x^3, none below 0 */
struct es_opt_power_model {
	double fixed, linear, cubic;
	double error; /* root mean square, relative */
};

/** struct es_opt_model - good from @low to @top only: below half the top clock the curves are others */
struct es_opt_model {
	double top, low; /* clocks, in the unit of those given */
	size_t n; /* points that it was fitted to */
	struct es_opt_time_model time;
	double other_error; /* of the shape of time that was not kept */
	struct es_opt_power_model power;
};

/**
 * es_opt_model_fit - least squares of relative errors over the points from half the top clock on
 * @clocks: [@n] above 0
 *
 * Returns 0; -ENODATA: fewer than ES_OPT_MODEL_POINTS_MIN different clocks there; -ENOMEM; -EDOM.
 */
int es_opt_model_fit(const double *clocks, const struct es_opt_point *points, size_t n,
		     struct es_opt_model *ret);
double es_opt_model_time(const struct es_opt_model *model, double clock);
double es_opt_model_power(const struct es_opt_model *model, double clock);
/** struct es_opt_ridge - power fixed + slope f (1 + bend max(0, f - ridge))^2: above the ridge the voltage rises, too */
struct es_opt_ridge {
	double fixed, slope, bend, ridge;
	double error, line_error; /* root mean square, relative; of it, and of a straight line */
};

/** es_opt_ridge_fit - 0; -ENODATA: too few points, or no bend that is worth the name; -ENOMEM */
int es_opt_ridge_fit(const double *clocks, const double *powers, size_t n,
		     struct es_opt_ridge *ret);

/**
 * es_opt_model_optimum - the clock of least energy * time^exponent from low to top
 *
 * Where the slope of power * time^(n + 1) is 0, n being @exponent; x: clock over the top one; a, b: fixed and scaled time; p,
 * w, c: fixed, linear and cubic power. Additive: 3 a c x^4 + (2 - n) b c x^3 + a w x^2 - n b w x = (n + 1) b p. Overlapping:
 * the same with a = 0 below the clock where the two times are equal, which is the optimum where that lies higher. A root
 * is bracketed and bisected; with n above 2 there may be several: the best of them, and of the ends, is returned.
 */
double es_opt_model_optimum(const struct es_opt_model *model, unsigned exponent);
/** es_opt_ridge_optimum - the same with the power of the ridge model; the ridge itself is often the best clock */
double es_opt_ridge_optimum(const struct es_opt_model *model, const struct es_opt_ridge *ridge,
			    unsigned exponent);
/** es_opt_ridge_power - its power at a clock */
double es_opt_ridge_power(const struct es_opt_ridge *ridge, double clock);

#endif
