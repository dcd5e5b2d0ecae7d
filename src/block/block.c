/*
 * block.c - the one codec of columns of readings
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * A block: u8 version, varint rows, varint columns; then for each column
 *   varint id; u8 flags: 0x03 order, 0x04 coded by ANS, 0x38 unit, 0x40 zero, 0x80 has a bitmap;
 *   where the unit is 7: varint numerator, varint denominator;
 *   where it has a bitmap: a bit for each row, the lowest first, set where the row has a value;
 *   varint bytes of the payload; payload: the first values by which differences begin (as many as the order), as
 *   varints of zigzag; then the differences as zigzag, Rice-coded in runs or by ANS in chunks.
 */
#include "block/block.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hot.h"
#include "block/ans.h"
#include "block/rice.h"

#define BLOCK_VERSION 1
#define ORDER_MAX 2U
#define FLAG_ORDER 0x03U
#define FLAG_ANS 0x04U
#define FLAG_UNIT_SHIFT 3U
#define FLAG_UNIT 0x38U
#define FLAG_ZERO 0x40U
#define FLAG_BITMAP 0x80U
#define UNIT_GIVEN 7U
#define ANS_VALUES_MIN 32U /* below, a table never pays */

_Static_assert(ES_ANS_CHUNK % ES_RICE_RUN == 0, "chunks are whole runs");

__extension__ typedef __int128 es_i128;
__extension__ typedef unsigned __int128 es_u128;

struct unit {
	uint32_t num, den;
};

/* Units that many meters have: one number instead of two. Stored: add at the end, at most 7. */
static const struct unit known_units[] = {
	{ 1, 1 },	 { 1000, 1 }, /* µs in ns, mJ in µJ, W in mW */
	{ 61035, 1000 }, /* 2^-14 J in whole nJ, as powercap multiplies it */
	{ 15258, 1000 }, /* 2^-16 J likewise */
	{ 1000000, 1 }, /* J in µJ */
	{ 15625, 256 }, /* 2^-14 J in µJ, exactly, as perf events count it */
	{ 15625, 1024 }, /* 2^-16 J likewise */
};

#define UNIT_FIRST_GUESS \
	5U /* those from here on are tried where no unit was given or it does not fit */

es_hot static uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

/* Wraps around on purpose: differences of any two values fit, and the decoder wraps back. */
es_hot static int64_t minus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t plus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

/* The smallest count whose value is @value, or -1 where none is. */
es_hot static int64_t count_of(int64_t value, struct unit unit, uint64_t narrow)
{
	uint32_t num = unit.num, den = unit.den;
	es_i128 count;

	if (value < 0)
		return -1;
	if ((uint64_t)value <= narrow) {
		uint64_t scaled = (uint64_t)value * den, n = (scaled + num - 1) / num;

		return n * num < scaled + den ? (int64_t)n : -1;
	}
	count = ((es_i128)value * den + num - 1) / num;
	if (count > INT64_MAX || count * num / den != value)
		return -1;
	return (int64_t)count;
}

/* Walks the present values of a column, as counts or as they are. */
struct walk {
	const struct es_block_column *column;
	size_t n_rows, row;
	bool uses_counts;
	struct unit unit;
	uint64_t narrow; /* values up to here are counted in 64 bits */
};

/* Up to @n values; how many there were. In @ret_is_counted: false where one has no count. */
es_hot static size_t walk_values(struct walk *walk, int64_t *values, size_t n, bool *ret_is_counted)
{
	const struct es_block_column *column = walk->column;
	size_t got = 0;

	*ret_is_counted = true;
	for (; walk->row < walk->n_rows && got < n; walk->row++) {
		int64_t v = column->values[walk->row];

		if (column->present && !column->present[walk->row])
			continue;
		if (walk->uses_counts) {
			v = count_of(v, walk->unit, walk->narrow);
			if (v < 0) {
				*ret_is_counted = false;
				return got;
			}
		}
		values[got++] = v;
	}
	return got;
}

/* Differences of one order from values, in chunks; knows what came before. */
struct differences {
	unsigned order, n_heads; /* heads: the first values, by which differences begin */
	int64_t last, last_difference;
	uint64_t heads[ORDER_MAX];
};

/* @n values become what is left of them to code; the heads are taken out. Returns how many are left. */
es_hot static size_t take_differences(struct differences *d, const int64_t *values, size_t n,
				      uint64_t *ret)
{
	int64_t last = d->last, difference = d->last_difference;
	size_t i = 0, got;

	for (; i < n && d->n_heads < d->order; i++) {
		difference = minus(values[i], last);
		d->heads[d->n_heads++] = zigzag(difference);
		last = values[i];
	}
	got = n - i;
	/* A loop for each order: this is where most of the time of encoding goes. */
	if (d->order == 0) {
		for (size_t k = 0; k < got; k++)
			ret[k] = zigzag(values[i + k]);
	} else if (d->order == 1) {
		for (size_t k = 0; k < got; k++) {
			ret[k] = zigzag(minus(values[i + k], last));
			last = values[i + k];
		}
	} else {
		for (size_t k = 0; k < got; k++) {
			int64_t before = difference;

			difference = minus(values[i + k], last);
			ret[k] = zigzag(minus(difference, before));
			last = values[i + k];
		}
	}
	d->last = last;
	d->last_difference = difference;
	return got;
}

/* What a first look at a column finds. */
struct outlook {
	size_t n_present;
	bool is_counted;
	unsigned order; /* whose differences are shortest */
};

es_hot static unsigned length_of(uint64_t v)
{
	return v ? 64U - (unsigned)__builtin_clzll(v) : 0;
}

es_hot static struct walk walk_of(const struct es_block_column *column, size_t n_rows,
				  struct unit unit)
{
	bool uses_counts = unit.num > 0 && unit.den > 0 && unit.num != unit.den;

	return (struct walk){
		.column = column,
		.n_rows = n_rows,
		.uses_counts = uses_counts,
		.unit = unit,
		.narrow = uses_counts ? (UINT64_MAX - UINT32_MAX) / unit.den : 0,
	};
}

es_hot static void look(struct walk walk, struct outlook *ret)
{
	struct differences d[ORDER_MAX + 1] = { { .order = 0 }, { .order = 1 }, { .order = 2 } };
	uint64_t left[ES_RICE_RUN], bits[ORDER_MAX + 1] = { 0 };
	int64_t values[ES_RICE_RUN];
	size_t n, n_left;

	*ret = (struct outlook){ .n_present = 0 };
	while ((n = walk_values(&walk, values, ES_RICE_RUN, &ret->is_counted)) > 0) {
		ret->n_present += n;
		for (unsigned order = 0; order <= ORDER_MAX; order++) {
			n_left = take_differences(&d[order], values, n, left);
			for (size_t i = 0; i < n_left; i++)
				bits[order] += length_of(left[i]);
		}
	}
	for (unsigned order = 0; order <= ORDER_MAX; order++) {
		for (unsigned i = 0; i < d[order].n_heads; i++)
			bits[order] += 8 + length_of(d[order].heads[i]);
		if (bits[order] < bits[ret->order])
			ret->order = order;
	}
}

/* How a column is coded. */
struct plan {
	struct walk walk; /* at its start */
	struct outlook outlook;
	struct es_ans_model model;
	bool uses_ans;
};

/* Which coder takes fewer bits; its model. */
es_hot static void choose_coder(struct plan *plan)
{
	struct es_ans_histogram histogram = { .n = 0 };
	struct differences d = { .order = plan->outlook.order };
	struct walk walk = plan->walk;
	int64_t values[ES_RICE_RUN];
	uint64_t left[ES_RICE_RUN], rice_bits = 0;
	bool is_counted;
	size_t n;

	if (plan->outlook.n_present < ANS_VALUES_MIN)
		return;
	while ((n = walk_values(&walk, values, ES_RICE_RUN, &is_counted)) > 0) {
		n = take_differences(&d, values, n, left);
		es_ans_count(&histogram, left, n);
		rice_bits += es_rice_bits(left, n, es_rice_parameter(left, n));
	}
	es_ans_fit(&histogram, &plan->model);
	plan->uses_ans = es_ans_bits(&plan->model, &histogram) < rice_bits;
}

es_hot static int put_payload(const struct plan *plan, struct es_buf *out)
{
	struct differences d = { .order = plan->outlook.order };
	struct walk walk = plan->walk;
	struct es_ans_encoder encoder;
	struct es_bit_writer bits;
	int64_t values[ES_ANS_CHUNK];
	uint64_t left[ES_ANS_CHUNK];
	bool is_counted;
	size_t n;

	n = walk_values(&walk, values, d.order, &is_counted);
	(void)take_differences(&d, values, n, left);
	for (unsigned i = 0; i < d.n_heads; i++)
		(void)es_buf_varint(out, d.heads[i]);
	es_bit_writer_init(&bits, out);
	if (plan->uses_ans)
		es_ans_put_model(&bits, &plan->model, &encoder);
	while ((n = walk_values(&walk, values, ES_ANS_CHUNK, &is_counted)) > 0) {
		n = take_differences(&d, values, n, left);
		if (plan->uses_ans)
			es_ans_put(&bits, &encoder, left, n);
		for (size_t i = 0; !plan->uses_ans && i < n; i += ES_RICE_RUN)
			es_rice_put(&bits, left + i, n - i < ES_RICE_RUN ? n - i : ES_RICE_RUN);
	}
	return es_bit_writer_end(&bits);
}

es_hot static void put_bitmap(const struct es_block_column *column, size_t n_rows,
			      struct es_buf *out)
{
	for (size_t row = 0; row < n_rows; row += 8) {
		unsigned byte = 0;

		for (size_t i = row; i < n_rows && i < row + 8; i++)
			byte |= (column->present[i] ? 1u : 0u) << (i - row);
		(void)es_buf_u8(out, (uint8_t)byte);
	}
}

es_hot static unsigned unit_code(const struct walk *walk)
{
	if (!walk->uses_counts)
		return 0;
	for (unsigned i = 0; i < ES_ARRAY_SIZE(known_units); i++)
		if (known_units[i].num == walk->unit.num && known_units[i].den == walk->unit.den)
			return i;
	return UNIT_GIVEN;
}

/* The first unit in which all values are counts: the given one, guesses, and 1/1 in the end. */
es_hot static void choose_unit(const struct es_block_column *column, size_t n_rows,
			       struct plan *plan)
{
	const struct unit given = { column->unit_num, column->unit_den };

	plan->walk = walk_of(column, n_rows, given);
	if (plan->walk.uses_counts) {
		look(plan->walk, &plan->outlook);
		if (plan->outlook.is_counted)
			return;
	}
	for (unsigned i = UNIT_FIRST_GUESS; i < ES_ARRAY_SIZE(known_units); i++) {
		plan->walk = walk_of(column, n_rows, known_units[i]);
		look(plan->walk, &plan->outlook);
		if (plan->outlook.is_counted)
			return;
	}
	plan->walk = walk_of(column, n_rows, known_units[0]);
	look(plan->walk, &plan->outlook);
}

/* The length of the payload goes before it, as a varint of its own length: most take one or two bytes. */
es_hot static int put_sized_payload(const struct plan *plan, struct es_buf *out)
{
	size_t at = out->len, n, n_size;
	int r = put_payload(plan, out);
	uint8_t size[10];

	if (r < 0)
		return r;
	n = out->len - at;
	r = es_buf_varint(out, n);
	if (r < 0)
		return r;
	n_size = out->len - at - n;
	memcpy(size, out->data + at + n, n_size);
	memmove(out->data + at + n_size, out->data + at, n);
	memcpy(out->data + at, size, n_size);
	return 0;
}

es_hot static int put_column(const struct es_block_column *column, size_t n_rows,
			     struct es_buf *out)
{
	struct plan plan = { .uses_ans = false };
	unsigned flags, unit;

	choose_unit(column, n_rows, &plan);
	choose_coder(&plan);
	unit = unit_code(&plan.walk);
	flags = plan.outlook.order | (plan.uses_ans ? FLAG_ANS : 0) | unit << FLAG_UNIT_SHIFT |
		(plan.outlook.n_present < n_rows ? FLAG_BITMAP : 0);
	(void)es_buf_varint(out, column->id);
	(void)es_buf_u8(out, (uint8_t)flags);
	if (unit == UNIT_GIVEN) {
		(void)es_buf_varint(out, plan.walk.unit.num);
		(void)es_buf_varint(out, plan.walk.unit.den);
	}
	if (flags & FLAG_BITMAP)
		put_bitmap(column, n_rows, out);
	return put_sized_payload(&plan, out);
}

es_hot int es_block_encode(const struct es_block_column *columns, size_t n_columns, size_t n_rows,
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

static int get_unit(struct es_cursor *cursor, unsigned code, struct es_block_info *info)
{
	uint64_t num, den;

	if (code < ES_ARRAY_SIZE(known_units)) {
		info->unit_num = known_units[code].num;
		info->unit_den = known_units[code].den;
		return 0;
	}
	if (code != UNIT_GIVEN)
		return -EBADMSG;
	num = es_cursor_varint(cursor);
	den = es_cursor_varint(cursor);
	if (num == 0 || num > UINT32_MAX || den == 0 || den > UINT32_MAX)
		return -EBADMSG;
	info->unit_num = (uint32_t)num;
	info->unit_den = (uint32_t)den;
	return 0;
}

int es_block_next(struct es_block *block, struct es_block_info *ret)
{
	struct es_cursor *cursor = &block->cursor;
	struct es_block_info info = { .bitmap = NULL };
	uint64_t id, payload_bytes;
	uint8_t flags;

	if (block->next == block->n_columns)
		return es_cursor_left(cursor) ? -EBADMSG : 0;
	id = es_cursor_varint(cursor);
	flags = es_cursor_u8(cursor);
	info.order = flags & FLAG_ORDER;
	info.uses_ans = flags & FLAG_ANS;
	if (id > UINT32_MAX || info.order > ORDER_MAX || flags & FLAG_ZERO ||
	    get_unit(cursor, (flags & FLAG_UNIT) >> FLAG_UNIT_SHIFT, &info) < 0)
		return -EBADMSG;
	if (flags & FLAG_BITMAP)
		info.bitmap = es_cursor_bytes(cursor, (block->n_rows + 7) / 8);
	payload_bytes = es_cursor_varint(cursor);
	if (payload_bytes > es_cursor_left(cursor))
		return -EBADMSG;
	info.payload_bytes = (size_t)payload_bytes;
	info.payload = es_cursor_bytes(cursor, info.payload_bytes);
	if (cursor->error)
		return -EBADMSG;
	info.id = (uint32_t)id;
	info.n_present = info.bitmap ? count_bitmap(info.bitmap, block->n_rows)
				     : (uint32_t)block->n_rows;
	block->next++;
	*ret = info;
	return 1;
}

/* Counts become values, in place. */
static int scale(const struct es_block_info *info, int64_t *values, size_t n)
{
	uint64_t num = info->unit_num, den = info->unit_den;
	/* x / den = x * inverse / 2^64, or one more. */
	uint64_t inverse = den > 1 ? (uint64_t)(((es_u128)1 << 64) / den) : 0;
	uint64_t largest = INT64_MAX / num; /* count whose product fits */

	for (size_t i = 0; i < n; i++) {
		uint64_t count = (uint64_t)values[i], x = count * num, v = x;

		if (count > largest) {
			es_u128 value = (es_u128)count * num / den;

			if (values[i] < 0 || value > INT64_MAX)
				return -EBADMSG;
			values[i] = (int64_t)value;
			continue;
		}
		if (den > 1) {
			v = (uint64_t)((es_u128)x * inverse >> 64);
			v += x - v * den >= den;
		}
		values[i] = (int64_t)v;
	}
	return 0;
}

/* Undo the differences, in place; the heads are the first values. */
static void sum_up(unsigned order, int64_t *values, size_t n)
{
	int64_t v, step;

	for (size_t i = 0; i < n; i++)
		values[i] = unzigzag((uint64_t)values[i]);
	if (order == 0 || n < 2)
		return;
	v = values[0];
	step = 0;
	for (size_t i = 1; i < n; i++) {
		step = order == 2 ? plus(step, values[i]) : values[i];
		v = plus(v, step);
		values[i] = v;
	}
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

static int get_ans(struct es_bit_reader *bits, uint64_t *values, size_t n)
{
	struct es_ans_decoder decoder;
	int r;

	r = es_ans_get_model(bits, &decoder);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i += ES_ANS_CHUNK)
		es_ans_get(bits, &decoder, values + i, n - i < ES_ANS_CHUNK ? n - i : ES_ANS_CHUNK);
	return 0;
}

static int get_rice(struct es_bit_reader *bits, uint64_t *values, size_t n)
{
	for (size_t i = 0; i < n; i += ES_RICE_RUN)
		if (es_rice_get(bits, values + i, n - i < ES_RICE_RUN ? n - i : ES_RICE_RUN) < 0)
			return -EBADMSG;
	return 0;
}

int es_block_decode(const struct es_block *block, const struct es_block_info *info, int64_t *values,
		    uint8_t *present)
{
	size_t n = info->n_present, n_heads = info->order < n ? info->order : n;
	struct es_bit_reader bits;
	struct es_cursor cursor;
	int r;

	es_cursor_init(&cursor, info->payload, info->payload_bytes);
	for (size_t i = 0; i < n_heads; i++)
		values[i] = (int64_t)es_cursor_varint(&cursor);
	if (cursor.error)
		return -EBADMSG;
	es_bit_reader_init(&bits, cursor.p, es_cursor_left(&cursor));
	r = (info->uses_ans ? get_ans : get_rice)(&bits, (uint64_t *)values + n_heads, n - n_heads);
	if (r < 0 || es_bit_reader_end(&bits) < 0)
		return -EBADMSG;
	sum_up(info->order, values, n);
	if (info->unit_num != info->unit_den && scale(info, values, n) < 0)
		return -EBADMSG;
	spread_out(info, block->n_rows, values, present);
	return 0;
}
