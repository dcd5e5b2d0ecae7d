/*
 * draw.h - numbers for resampling: the same ones for the same seed, on every machine
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Source: splitmix64: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
 */
#ifndef ES_CORE_DRAW_H
#define ES_CORE_DRAW_H

#include <stddef.h>
#include <stdint.h>

/** es_draw_bits - 64 bits; @state: the seed at first */
static inline uint64_t es_draw_bits(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/** es_draw_of - one of 0 to @n - 1, @n below 2^32, by 32 random bits: none is likelier than another by more than @n / 2^32 */
static inline size_t es_draw_of(uint32_t bits, size_t n)
{
	return (size_t)(((uint64_t)bits * n) >> 32);
}

static inline size_t es_draw(uint64_t *state, size_t n)
{
	return es_draw_of((uint32_t)(es_draw_bits(state) >> 32), n);
}

#endif
