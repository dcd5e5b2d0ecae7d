/*
 * random.h - numbers that look random and are the same on each run
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_RANDOM_H
#define ES_TESTS_SUPPORT_RANDOM_H

#include <stdint.h>

/* xorshift64* (S. Vigna, 2016); *state must not be 0. */
static inline uint64_t test_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

static inline uint64_t test_random_below(uint64_t *state, uint64_t n)
{
	return test_random(state) % n;
}

/* A whole number of any length: each number of bits is as likely as the others. */
static inline uint64_t test_random_long(uint64_t *state)
{
	return test_random(state) >> test_random_below(state, 64);
}

#endif
