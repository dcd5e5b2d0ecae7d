/*
 * rice.h - Rice coding of runs of whole numbers: for columns too short for a table of their own
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BLOCK_RICE_H
#define ES_BLOCK_RICE_H

#include <stddef.h>
#include <stdint.h>

#include "block/bits.h"

#define ES_RICE_RUN 64U /* values that share a parameter */

/** es_rice_parameter - the parameter with the fewest bits for @n values, 0..63; 64: all are 0 and none is stored */
unsigned es_rice_parameter(const uint64_t *values, size_t n);
/** es_rice_bits - bits that @n values take with @parameter, the parameter's own included */
uint64_t es_rice_bits(const uint64_t *values, size_t n, unsigned parameter);
/** es_rice_put - one run at its best parameter */
void es_rice_put(struct es_bit_writer *bits, const uint64_t *values, size_t n);
/** es_rice_get - one run of @n values; 0 or -EBADMSG; es_bit_reader_end() tells whether all bits were there */
int es_rice_get(struct es_bit_reader *bits, uint64_t *values, size_t n);

#endif
