/*
 * block.c - the one codec of columns of readings
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "block/block.h"

#include <errno.h>
#include <string.h>

#include "block/rice.h"

#define BLOCK_VERSION 1
#define ORDER_MAX 2

__extension__ typedef __int128 es_i128;

static uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

/* Wraps around on purpose: differences of any two values fit, and the decoder wraps back. */
static int64_t minus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t plus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

/* The smallest count whose value is @value, or -1 where none is. */
static int64_t count_of(int64_t value, uint32_t num, uint32_t den)
{
	es_i128 count;

	if (value < 0)
		return -1;
	count = ((es_i128)value * den + num - 1) / num;
	if (count > INT64_MAX || count * num / den != value)
		return -1;
	return (int64_t)count;
}

static bool is_row_present(const struct es_block_column *column, size_t row)
{
	return !column->present || column->present[row];
}

static bool has_counts(const struct es_block_column *column, size_t n_rows)
{
	if (column->unit_num == 0 || column->unit_den == 0 ||
	    (column->unit_num == 1 && column->unit_den == 1))
		return false;
	for (size_t row = 0; row < n_rows; row++)
		if (is_row_present(column, row) &&
		    count_of(column->values[row], column->unit_num, column->unit_den) < 0)
			return false;
	return true;
}

/* Walks the present values of a column as differences of one order. */
struct walk {
	const struct es_block_column *column;
	size_t n_rows, row;
	bool uses_counts;
	unsigned order, n_seen;
	int64_t last, last_difference;
};

static bool walk_next(struct walk *walk, uint64_t *ret)
{
	const struct es_block_column *column = walk->column;
	int64_t v, d, result;

	while (walk->row < walk->n_rows && !is_row_present(column, walk->row))
		walk->row++;
	if (walk->row >= walk->n_rows)
		return false;
	v = column->values[walk->row++];
	if (walk->uses_counts)
		v = count_of(v, column->unit_num, column->unit_den);
	d = minus(v, walk->last);
	result = walk->order == 0 || walk->n_seen == 0	 ? v
		 : walk->order == 1 || walk->n_seen == 1 ? d
							 : minus(d, walk->last_difference);
	walk->last = v;
	walk->last_difference = d;
	walk->n_seen++;
	*ret = zigzag(result);
	return true;
}

/* Bits of the column in this order: each run at its best parameter. */
static uint64_t cost_bits(struct walk walk)
{
	uint64_t run[ES_RICE_RUN], bits = 0;
	size_t n = 0;

	for (bool more = true; more;) {
		more = walk_next(&walk, &run[n]);
		n += more;
		if (n == ES_RICE_RUN || (!more && n > 0)) {
			unsigned parameter = es_rice_parameter(run, n);

			bits += es_rice_bits(run, n, parameter);
			n = 0;
		}
	}
	return bits;
}

static int put_values(struct walk walk, struct es_buf *out)
{
	struct es_bit_writer bits;
	uint64_t run[ES_RICE_RUN];
	size_t n = 0;

	es_bit_writer_init(&bits, out);
	for (bool more = true; more;) {
		more = walk_next(&walk, &run[n]);
		n += more;
		if (n == ES_RICE_RUN || (!more && n > 0)) {
			es_rice_put(&bits, run, n);
			n = 0;
		}
	}
	return es_bit_writer_end(&bits);
}

static void put_bitmap(const struct es_block_column *column, size_t n_rows, struct es_buf *out)
{
	for (size_t row = 0; row < n_rows; row += 8) {
		unsigned byte = 0;

		for (size_t i = row; i < n_rows && i < row + 8; i++)
			byte |= (column->present[i] ? 1u : 0u) << (i - row);
		(void)es_buf_u8(out, (uint8_t)byte);
	}
}

static int put_column(const struct es_block_column *column, size_t n_rows, struct es_buf *out)
{
	struct walk walk = { .column = column,
			     .n_rows = n_rows,
			     .uses_counts = has_counts(column, n_rows) };
	uint64_t best_bits = UINT64_MAX;
	unsigned best = 0;
	size_t n_present = 0, size_at, start;

	for (size_t row = 0; row < n_rows; row++)
		n_present += is_row_present(column, row);
	for (unsigned order = 0; order <= ORDER_MAX; order++) {
		uint64_t bits;

		walk.order = order;
		bits = cost_bits(walk);
		if (bits < best_bits) {
			best_bits = bits;
			best = order;
		}
	}
	walk.order = best;
	(void)es_buf_varint(out, column->id);
	(void)es_buf_u8(out, (uint8_t)(best | (n_present < n_rows ? 0x80 : 0)));
	(void)es_buf_varint(out, walk.uses_counts ? column->unit_num : 1);
	(void)es_buf_varint(out, walk.uses_counts ? column->unit_den : 1);
	if (n_present < n_rows)
		put_bitmap(column, n_rows, out);
	size_at = out->len;
	(void)es_buf_le32(out, 0);
	start = out->len;
	if (put_values(walk, out) < 0 || out->len - start > UINT32_MAX)
		return out->error ? out->error : -EMSGSIZE;
	for (unsigned i = 0; i < 4; i++)
		out->data[size_at + i] = (uint8_t)((out->len - start) >> (8 * i));
	return 0;
}

int es_block_encode(const struct es_block_column *columns, size_t n_columns, size_t n_rows,
		    struct es_buf *out)
{
	if (n_rows == 0 || n_rows > ES_BLOCK_ROWS_MAX || n_columns > ES_BLOCK_COLUMNS_MAX)
		return -EINVAL;
	(void)es_buf_u8(out, BLOCK_VERSION);
	(void)es_buf_varint(out, n_rows);
	(void)es_buf_varint(out, n_columns);
	for (size_t i = 0; i < n_columns; i++) {
		int r = put_column(&columns[i], n_rows, out);

		if (r < 0)
			return r;
	}
	return out->error;
}

int es_block_open(struct es_block *block, const void *data, size_t n)
{
	uint64_t n_rows, n_columns;

	*block = (struct es_block){ .next = 0 };
	es_cursor_init(&block->cursor, data, n);
	if (es_cursor_u8(&block->cursor) != BLOCK_VERSION)
		return -EBADMSG;
	n_rows = es_cursor_varint(&block->cursor);
	n_columns = es_cursor_varint(&block->cursor);
	if (block->cursor.error || n_rows == 0 || n_rows > ES_BLOCK_ROWS_MAX ||
	    n_columns > ES_BLOCK_COLUMNS_MAX)
		return -EBADMSG;
	block->n_rows = (size_t)n_rows;
	block->n_columns = (size_t)n_columns;
	return 0;
}

static uint32_t count_bitmap(const uint8_t *bitmap, size_t n_rows)
{
	uint32_t n = 0;

	for (size_t row = 0; row < n_rows; row++)
		n += bitmap[row / 8] >> (row % 8) & 1;
	return n;
}

int es_block_next(struct es_block *block, struct es_block_info *ret)
{
	struct es_cursor *cursor = &block->cursor;
	struct es_block_info info = { .bitmap = NULL };
	uint64_t id, num, den;
	uint8_t flags;

	if (block->next == block->n_columns)
		return es_cursor_left(cursor) ? -EBADMSG : 0;
	id = es_cursor_varint(cursor);
	flags = es_cursor_u8(cursor);
	num = es_cursor_varint(cursor);
	den = es_cursor_varint(cursor);
	if (flags & 0x80)
		info.bitmap = es_cursor_bytes(cursor, (block->n_rows + 7) / 8);
	info.payload_bytes = es_cursor_le32(cursor);
	info.payload = es_cursor_bytes(cursor, info.payload_bytes);
	if (cursor->error || id > UINT32_MAX || num == 0 || num > UINT32_MAX || den == 0 ||
	    den > UINT32_MAX || (flags & 0x7f) > ORDER_MAX)
		return -EBADMSG;
	info.id = (uint32_t)id;
	info.unit_num = (uint32_t)num;
	info.unit_den = (uint32_t)den;
	info.order = flags & 0x7f;
	info.n_present = info.bitmap ? count_bitmap(info.bitmap, block->n_rows)
				     : (uint32_t)block->n_rows;
	block->next++;
	*ret = info;
	return 1;
}

/* Undo the differences and the counting, in place, over the packed values. */
static int restore(const struct es_block_info *info, int64_t *values, size_t n)
{
	int64_t last = 0, last_difference = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t v = unzigzag((uint64_t)values[i]), d;

		if (info->order == 2 && i >= 2)
			v = plus(last, plus(last_difference, v));
		else if (info->order >= 1 && i >= 1)
			v = plus(last, v);
		d = minus(v, last);
		last = v;
		last_difference = d;
		if (info->unit_num != 1 || info->unit_den != 1) {
			es_i128 value = (es_i128)v * info->unit_num / info->unit_den;

			if (v < 0 || value > INT64_MAX)
				return -EBADMSG;
			v = (int64_t)value;
		}
		values[i] = v;
	}
	return 0;
}

static void spread_out(const struct es_block_info *info, size_t n_rows, int64_t *values,
		       uint8_t *present)
{
	size_t from = info->n_present;

	if (!info->bitmap) {
		memset(present, 1, n_rows);
		return;
	}
	for (size_t row = n_rows; row-- > 0;) {
		present[row] = info->bitmap[row / 8] >> (row % 8) & 1;
		values[row] = present[row] ? values[--from] : 0;
	}
}

int es_block_decode(const struct es_block *block, const struct es_block_info *info, int64_t *values,
		    uint8_t *present)
{
	struct es_bit_reader bits;
	int r;

	es_bit_reader_init(&bits, info->payload, info->payload_bytes);
	for (size_t i = 0; i < info->n_present; i += ES_RICE_RUN) {
		size_t n = info->n_present - i < ES_RICE_RUN ? info->n_present - i : ES_RICE_RUN;

		if (es_rice_get(&bits, (uint64_t *)values + i, n) < 0)
			return -EBADMSG;
	}
	r = restore(info, values, info->n_present);
	if (r < 0)
		return r;
	spread_out(info, block->n_rows, values, present);
	return 0;
}
