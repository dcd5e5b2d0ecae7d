/*
 * block.h - the one codec of columns of readings
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BLOCK_BLOCK_H
#define ES_BLOCK_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define ES_BLOCK_ROWS_MAX 65536U
#define ES_BLOCK_COLUMNS_MAX 16384U

/**
 * struct es_block_column - one column of integers on its way into a block
 *
 * Values are stored without loss. Where each value is floor(count * unit_num / unit_den) for a whole count (a meter's
 * raw steps shown in µJ), the counts are stored, which are smaller; where one is not, other units that are usual are
 * tried, and then the values themselves are.
 */
struct es_block_column {
	uint32_t id; /* its meaning belongs to the room above */
	uint32_t unit_num, unit_den; /* 0 or 1/1: the values are the counts */
	const int64_t *values; /* one for each row; those of missing rows are ignored */
	const uint8_t *present; /* one byte for each row, 0: missing; NULL: none is missing */
};

/**
 * es_block_encode - append one block to @out
 *
 * Values: differences (order 0, 1 or 2, the cheapest for the column), zigzag, then by a table near their entropy
 * where the column is long enough, else Rice-coded in runs of 64 with a parameter of their own. No memory but
 * @out's growth. block.c and doc/formats.md have the layout.
 *
 * Returns 0; -EINVAL: no row, or too many rows or columns; errors of @out.
 */
int es_block_encode(const struct es_block_column *columns, size_t n_columns, size_t n_rows,
		    struct es_buf *out);

struct es_block_info {
	uint32_t id;
	uint32_t unit_num, unit_den;
	uint32_t n_present;
	const uint8_t *bitmap; /* borrowed; NULL: all present */
	const uint8_t *payload;
	size_t payload_bytes;
	uint8_t order;
	bool uses_ans;
};

/** struct es_block - a block being read; borrows its bytes */
struct es_block {
	size_t n_rows, n_columns;
	size_t next;
	struct es_cursor cursor;
};

/** es_block_open - check header and bounds of a block of @n bytes; 0 or -EBADMSG */
int es_block_open(struct es_block *block, const void *data, size_t n);

/** es_block_next - the next column's description; 1, 0 after the last one, or -EBADMSG */
int es_block_next(struct es_block *block, struct es_block_info *ret);

/**
 * es_block_decode - the values of a column that es_block_next() described
 * @values, @present: room for the block's n_rows; values of missing rows are 0
 *
 * Returns 0 or -EBADMSG.
 */
int es_block_decode(const struct es_block *block, const struct es_block_info *info, int64_t *values,
		    uint8_t *present);

#endif
