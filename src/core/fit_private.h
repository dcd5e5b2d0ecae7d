/*
 * core/fit_private.h - what the two halves of a fit share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_FIT_PRIVATE_H
#define ES_CORE_FIT_PRIVATE_H

#include "core/fit.h"

/** struct es_fit_solution - columns are scaled: P sqrt(M), M the time that a column is mixed with others */
struct es_fit_solution {
	bool is_solved;
	double scale[ES_FIT_COLUMNS_MAX]; /* sqrt(M); 0: the column is never mixed */
	double power[ES_FIT_COLUMNS_MAX]; /* scaled */
	double without[ES_FIT_PARTS_MAX][ES_FIT_COLUMNS_MAX]; /* [part] the same without that part */
	size_t n_parts;
	double quantile; /* of Student's t */
	double noise; /* variance of the energy of a second, J^2 / s */
	double blind[ES_FIT_COLUMNS_MAX]
		    [ES_FIT_COLUMNS_MAX]; /* projector on what the shares do not tell */
};

#endif
