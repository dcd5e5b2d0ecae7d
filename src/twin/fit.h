/*
 * fit.h - parameters of a program from measured times and energies, by the same model that plays it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_FIT_H
#define ES_TWIN_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "twin/kind.h"
#include "twin/phase.h"

#define ES_TWIN_FIT_PARAMETERS 5U /* of a program, at most */
#define ES_TWIN_FIT_PHASES 3U /* that it is made of */
#define ES_TWIN_FIT_ROWS_MAX 1024U

/** enum es_twin_knob - what was changed from row to row */
enum es_twin_knob {
	ES_TWIN_BY_CORE_MHZ,
	ES_TWIN_BY_PACKAGE_W, /* limit of each package */
	ES_TWIN_BY_GPU_MHZ,
	ES_TWIN_BY_GPU_W, /* limit of the GPU */
	ES_TWIN_BY_THREADS, /* at work, each on a core of its own as long as there are such */
	ES_TWIN_N_KNOBS,
};

/** enum es_twin_scope - whose energy was measured */
enum es_twin_scope {
	ES_TWIN_OF_NODE, /* at the wall */
	ES_TWIN_OF_PACKAGES, /* all of them, without DRAM */
	ES_TWIN_OF_GPU, /* one */
	ES_TWIN_N_SCOPES,
};

/** struct es_twin_row - a measurement */
struct es_twin_row {
	double setting; /* MHz, W or threads; 0: the knob as it is when the node is switched on */
	double time_s, energy_j;
};

/** struct es_twin_outcome - the same by the model */
struct es_twin_outcome {
	double time_s, energy_j;
	bool is_clipped; /* some limit kept it from the clock that was asked for */
};

/**
 * struct es_twin_fit - a program's parameters
 *
 * By GPU knobs: time of the GPU's cores, of its memory, of the host (s); activity of cores, of memory. By core clock and package
 * limit: time of cores, of memory, of what neither stretches (s); activity of cores, of memory. By threads: work of one core
 * that is shared out, work that is not, least time by the memory's bandwidth (s); what two threads on a core do, one being 1; activity.
 */
struct es_twin_fit {
	double parameters[ES_TWIN_FIT_PARAMETERS];
	double time_error_max, time_error_mean, energy_error_max, energy_error_mean; /* relative */
	/* No curve on which more clock, power or threads makes nothing slower could come nearer to all times than this. */
	double scatter;
};

/** es_twin_knob_name - mhz, limit_w … as the columns are called */
const char *es_twin_knob_name(enum es_twin_knob knob);
/** es_twin_knob_unit - MHz, W, threads */
const char *es_twin_knob_unit(enum es_twin_knob knob);
const char *es_twin_scope_name(enum es_twin_scope scope);
/** es_twin_parameter_name - host_s …; for JSON and tables */
const char *es_twin_parameter_name(enum es_twin_knob knob, size_t i);

/** es_twin_fit_check - the kind has what @knob turns and @scope means; 0, or -EINVAL with words */
int es_twin_fit_check(const struct es_twin_kind *kind, enum es_twin_knob knob,
		      enum es_twin_scope scope, struct es_error *err);

/** es_twin_fit_phases - the program as phases at @setting; returns how many */
size_t es_twin_fit_phases(const struct es_twin_kind *kind, enum es_twin_knob knob,
			  const double parameters[static ES_TWIN_FIT_PARAMETERS], double setting,
			  struct es_twin_phase phases[static ES_TWIN_FIT_PHASES]);

/** es_twin_fit_row - what es_twin_steady() says of those phases, one behind the other */
int es_twin_fit_row(const struct es_twin_kind *kind, enum es_twin_knob knob,
		    enum es_twin_scope scope,
		    const double parameters[static ES_TWIN_FIT_PARAMETERS], double setting,
		    struct es_twin_outcome *ret, struct es_error *err);

/** struct es_twin_solver - GSL, opened; zero-initialise, es_twin_solver_close() it */
struct es_twin_solver {
	struct es_twin_solver_calls *calls;
};
/** es_twin_solver_open - 0; -ENOENT with the package that is missing */
int es_twin_solver_open(struct es_twin_solver *solver, struct es_error *err);
void es_twin_solver_close(struct es_twin_solver *solver);

/**
 * es_twin_fit - the parameters that come nearest to @rows
 * @ret_rows: what they make of each; may be NULL
 *
 * Least sum of sixth powers of relative errors in time and energy, so that the largest ones count, by the simplex of Nelder and Mead
 * from fixed starts: the same rows give the same parameters. Returns 0; -ENODATA: too few rows; -ENOMEM.
 */
int es_twin_fit(const struct es_twin_solver *solver, const struct es_twin_kind *kind,
		enum es_twin_knob knob, enum es_twin_scope scope, const struct es_twin_row *rows,
		size_t n, struct es_twin_fit *ret, struct es_twin_outcome *ret_rows,
		struct es_error *err);

#endif
