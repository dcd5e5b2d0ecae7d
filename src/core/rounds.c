/*
 * rounds.c - in which order things that are measured by turns come in each round
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/rounds.h"

#include <stdbool.h>

size_t es_rounds_period(size_t n)
{
	if (n < 2)
		return 1;
	return n % 2 ? 2 * n : n;
}

/* 0, 1, n - 1, 2, n - 2 …: the differences of neighbours are all different, so that no two rows share a pair. */
static size_t zigzag(size_t n, size_t i)
{
	return i % 2 ? (i + 1) / 2 : (n - i / 2) % n;
}

void es_rounds_order(size_t n, size_t round, size_t *ret)
{
	bool is_backwards = round % 2;

	for (size_t i = 0; i < n; i++)
		ret[is_backwards ? n - 1 - i : i] = (zigzag(n, i) + round / 2) % n;
}
