/*
 * rounds.h - in which order things that are measured by turns come in each round
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_ROUNDS_H
#define ES_CORE_ROUNDS_H

#include <stddef.h>

/**
 * es_rounds_order - the order of round @round, from 0 on, of @n things
 * @ret: [@n] their numbers, each once
 *
 * Rows of Williams' square, each followed by itself backwards: what drifts steadily over two rounds adds the same to each
 * thing, and over es_rounds_period() rounds each was in each place equally often, and right behind each other one equally often.
 * Source: E. J. Williams (1949), Aust. J. Sci. Res. A 2, 149-168.
 */
void es_rounds_order(size_t n, size_t round, size_t *ret);

/** es_rounds_period - after so many rounds all is balanced: @n where that is even, twice as many where it is odd; 1 for one thing */
size_t es_rounds_period(size_t n);

#endif
