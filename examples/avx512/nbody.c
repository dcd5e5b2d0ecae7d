/*
 * nbody.c - bodies that attract each other: the same result to the last bit whatever vectors it is built for
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * The loop that a compiler makes vectors of goes over bodies that are pulled, so that each one's forces are added up in
 * the same order with 1, 2, 4 or 8 lanes. Build with -ffp-contract=off: a fused multiply-add rounds once instead of twice.
 */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LANES 16
#define SOFTENING 1e-4
#define STEP 1e-3

struct bodies {
	size_t n;
	double *x[3], *v[3], *mass;
};

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static double *column(size_t n)
{
	double *values = aligned_alloc(64, n * sizeof(double));

	if (!values) {
		(void)fprintf(stderr, "nbody: no memory for %zu bodies\n", n);
		exit(1);
	}
	memset(values, 0, n * sizeof(double));
	return values;
}

static struct bodies make_bodies(size_t n)
{
	struct bodies bodies = { .n = n, .mass = column(n) };
	uint64_t state = 1;

	for (int k = 0; k < 3; k++) {
		bodies.x[k] = column(n);
		bodies.v[k] = column(n);
	}
	for (size_t i = 0; i < n; i++) {
		bodies.mass[i] = 1.0 / (double)n;
		for (int k = 0; k < 3; k++)
			bodies.x[k][i] = ldexp((double)(next_random(&state) >> 11), -53) - 0.5;
	}
	return bodies;
}

/* What all bodies do to LANES of them. */
static void pull(const struct bodies *all, const double *restrict x, const double *restrict y,
		 const double *restrict z, double *restrict vx, double *restrict vy,
		 double *restrict vz)
{
	double ax[LANES] = { 0 }, ay[LANES] = { 0 }, az[LANES] = { 0 };

	for (size_t j = 0; j < all->n; j++) {
		const double xj = all->x[0][j], yj = all->x[1][j], zj = all->x[2][j],
			     m = all->mass[j];

		for (int i = 0; i < LANES; i++) {
			double dx = xj - x[i], dy = yj - y[i], dz = zj - z[i];
			double d2 = dx * dx + dy * dy + dz * dz + SOFTENING;
			double w = m / (d2 * sqrt(d2));

			ax[i] += dx * w;
			ay[i] += dy * w;
			az[i] += dz * w;
		}
	}
	for (int i = 0; i < LANES; i++) {
		vx[i] += STEP * ax[i];
		vy[i] += STEP * ay[i];
		vz[i] += STEP * az[i];
	}
}

static void step(struct bodies *bodies)
{
	for (size_t i = 0; i < bodies->n; i += LANES)
		pull(bodies, bodies->x[0] + i, bodies->x[1] + i, bodies->x[2] + i, bodies->v[0] + i,
		     bodies->v[1] + i, bodies->v[2] + i);
	for (int k = 0; k < 3; k++)
		for (size_t i = 0; i < bodies->n; i++)
			bodies->x[k][i] += STEP * bodies->v[k][i];
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 2048;
	unsigned long n_steps = argc > 2 ? strtoul(argv[2], NULL, 10) : 20;
	struct bodies bodies;

	if (n < LANES || n % LANES || n > 1000000 || n_steps < 1) {
		(void)fprintf(stderr, "usage: nbody BODIES STEPS; BODIES: a multiple of %d\n",
			      LANES);
		return 2;
	}
	bodies = make_bodies(n);
	for (unsigned long i = 0; i < n_steps; i++)
		step(&bodies);
	/* Every bit of the result: where two builds differ in one, their outputs differ. */
	for (size_t i = 0; i < n; i++)
		(void)printf("%a %a %a\n", bodies.x[0][i], bodies.x[1][i], bodies.x[2][i]);
	return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
