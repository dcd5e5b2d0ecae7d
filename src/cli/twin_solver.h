/*
 * twin_solver.h - real arithmetic of a program whose time a twin makes up: heat in a plate, in whole numbers
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TWIN_SOLVER_H
#define ES_CLI_TWIN_SOLVER_H

#include <stdint.h>

#include "base/sha256.h"

#define ES_TWIN_SOLVER_SIDE 64U
#define ES_TWIN_RESULT_BYTES 17U

/** struct es_twin_solver - temperatures in 2^-32 degrees; the same on every machine, and at every clock */
struct es_twin_solver {
	uint64_t cells[2][ES_TWIN_SOLVER_SIDE][ES_TWIN_SOLVER_SIDE];
};

void es_twin_solver_init(struct es_twin_solver *solver, uint64_t seed);
/** es_twin_solver_step - a step of time: some sweeps of Jacobi's method, its edges held */
void es_twin_solver_step(struct es_twin_solver *solver);
/** es_twin_solver_result - 16 hexadecimal digits that tell one result from any other; returns @text */
char *es_twin_solver_result(const struct es_twin_solver *solver,
			    char text[static ES_TWIN_RESULT_BYTES]);

#endif
