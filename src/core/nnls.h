/*
 * core/nnls.h - least squares with nothing negative, and symmetric eigenvalues, for small matrices
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_NNLS_H
#define ES_CORE_NNLS_H

#include <stddef.h>

#define ES_NNLS_MAX 32U

/**
 * es_nnls - x >= 0 that minimises x'Ax - 2 b'x
 * @a: [n * n], symmetric, positive definite; @n at most ES_NNLS_MAX
 *
 * Lawson and Hanson, Solving Least Squares Problems (1974), algorithm NNLS, on the normal equations. Returns 0, or
 * -EDOM: @a is not positive definite.
 */
int es_nnls(const double *a, const double *b, size_t n, double *ret_x);

/** es_solve_positive - the x that minimises it whatever its signs; 0 or -EDOM */
int es_solve_positive(const double *a, const double *b, size_t n, double *ret_x);

/**
 * es_eigen - eigenvalues and orthonormal eigenvectors of a symmetric matrix, by Jacobi's rotations
 * @a: [n * n], destroyed; @ret_vectors: [n * n], vector k is column k
 */
void es_eigen(double *a, size_t n, double *ret_values, double *ret_vectors);

#endif
