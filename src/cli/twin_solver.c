/*
 * twin_solver.c - real arithmetic of a program whose time a twin makes up: heat in a plate, in whole numbers
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/twin_solver.h"

#include <string.h>

#define SIDE ES_TWIN_SOLVER_SIDE
#define SWEEPS 8U /* 28,000 cells: some 20 µs */
#define HOTTEST (UINT64_C(1000) << 32)

/* Sebastiano Vigna's splitmix64: any seed gives numbers that look random. */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void es_twin_solver_init(struct es_twin_solver *solver, uint64_t seed)
{
	for (unsigned y = 0; y < SIDE; y++)
		for (unsigned x = 0; x < SIDE; x++)
			solver->cells[0][y][x] = next(&seed) % HOTTEST;
	memcpy(solver->cells[1], solver->cells[0], sizeof(solver->cells[0]));
}

static void sweep(uint64_t from[SIDE][SIDE], uint64_t to[SIDE][SIDE])
{
	for (unsigned y = 1; y < SIDE - 1; y++)
		for (unsigned x = 1; x < SIDE - 1; x++)
			to[y][x] = (from[y - 1][x] + from[y + 1][x] + from[y][x - 1] +
				    from[y][x + 1] + 4 * from[y][x]) /
				   8;
}

void es_twin_solver_step(struct es_twin_solver *solver)
{
	for (unsigned i = 0; i < SWEEPS; i++)
		sweep(solver->cells[i % 2], solver->cells[1 - i % 2]);
}

char *es_twin_solver_result(const struct es_twin_solver *solver,
			    char text[static ES_TWIN_RESULT_BYTES])
{
	char digits[ES_SHA256_TEXT_BYTES];
	struct es_sha256 sha;

	es_sha256_init(&sha);
	for (unsigned y = 0; y < SIDE; y++)
		for (unsigned x = 0; x < SIDE; x++) {
			uint8_t bytes[8];

			for (unsigned i = 0; i < 8; i++)
				bytes[i] = (uint8_t)(solver->cells[0][y][x] >> (8 * i));
			es_sha256_add(&sha, bytes, sizeof(bytes));
		}
	(void)es_sha256_text(&sha, digits);
	memcpy(text, digits, ES_TWIN_RESULT_BYTES - 1);
	text[ES_TWIN_RESULT_BYTES - 1] = '\0';
	return text;
}
